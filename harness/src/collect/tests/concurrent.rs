//! Collections while sessions save, fork, rewind and go.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

const WORKERS: usize = 3;
const STEPS: usize = 60;
/// Contents that sessions choose from: few, so that one stores again what another has just left to the collector.
const CONTENTS: u64 = 10;

struct Session {
    id: SessionId,
    /// The seeds of its files as of each event.
    events: Vec<Vec<(u64, usize)>>,
}

#[test]
fn no_session_loses_anything_to_collections_beside_it() {
    let world = World::new();
    let sessions = Mutex::new(Vec::new());
    let working = AtomicUsize::new(WORKERS);
    let (collections, total) = std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (world, sessions, working) = (&world, &sessions, &working);
            scope.spawn(move || {
                let _done = Done(working);
                work(world, sessions, worker);
            });
        }
        let mut collections = 0;
        let mut total = Collected::default();
        while working.load(Ordering::SeqCst) > 0 {
            let done = world.collect(&EAGER).unwrap();
            total.removed += done.removed;
            total.moved += done.moved;
            total.packs_removed += done.packs_removed;
            collections += 1;
        }
        (collections, total)
    });
    assert!(
        collections > 3,
        "only {collections} collections ran beside the sessions"
    );
    let has_worked = total.removed > 0 && total.moved > 0 && total.packs_removed > 0;
    assert!(has_worked, "{collections} collections: {total:?}");
    world.collect(&EAGER).unwrap();
    let report = world.verify();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.orphans, report.strays), (0, 0));
    let sessions = sessions.into_inner().unwrap();
    assert!(!sessions.is_empty());
    for session in &sessions {
        read_one(&world, session, session.events.len());
        world.delete(&session.id);
    }
    world.collect(&EAGER).unwrap();
    assert_eq!(world.objects(), 0);
    assert!(world.pack_files().is_empty());
}

struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn work(world: &World, sessions: &Mutex<Vec<Session>>, worker: usize) {
    let mut dice = StdRng::seed_from_u64(worker as u64);
    let folder = world.folder.path().join(format!("work{worker}"));
    std::fs::create_dir(&folder).unwrap();
    for step in 0..STEPS {
        let name = format!("{worker}_{step}");
        // Whoever takes a session has it for himself, as a driver has.
        let taken = {
            let mut sessions = sessions.lock().unwrap();
            let count = sessions.len();
            (count > 0).then(|| sessions.swap_remove(dice.random_range(0..count)))
        };
        let mut session = match taken {
            Some(session) if dice.random_range(0..10) > 0 => session,
            other => {
                sessions.lock().unwrap().extend(other);
                Session {
                    id: world.create(&name, None).unwrap(),
                    events: Vec::new(),
                }
            }
        };
        match dice.random_range(0..10) {
            0 if session.events.len() > 2 => {
                world.delete(&session.id);
                continue;
            }
            1 | 2 if !session.events.is_empty() => {
                let number = dice.random_range(1..=session.events.len());
                let of = Some((&session.id, number as u64));
                let fork = Session {
                    id: world.create(&name, of).unwrap(),
                    events: session.events[..number].to_vec(),
                };
                sessions.lock().unwrap().push(fork);
            }
            3 if !session.events.is_empty() => rewind(world, &mut session, &mut dice),
            4 if !session.events.is_empty() => {
                let number = dice.random_range(1..=session.events.len());
                read_one(world, &session, number);
            }
            _ => {
                let count = dice.random_range(1..5);
                let files = (0..count).map(|_| {
                    let length = [100, 3_000, 70_000, 600_000][dice.random_range(0..4)];
                    (dice.random_range(0..CONTENTS), length)
                });
                let files: Vec<_> = files.collect();
                world.write(&session.id, &folder, &files);
                session.events.push(files);
            }
        }
        sessions.lock().unwrap().push(session);
    }
}

/// Goes back to the files of an earlier event, storing nothing.
fn rewind(world: &World, session: &mut Session, dice: &mut StdRng) {
    let number = dice.random_range(1..=session.events.len());
    let change = FilesChange {
        files: world.files(&session.id, number as u64).unwrap(),
        also: Vec::new(),
        objects: Default::default(),
    };
    world.append(&session.id, change).unwrap();
    session.events.push(session.events[number - 1].clone());
}

fn read_one(world: &World, session: &Session, number: usize) {
    let found = world.read(&session.id, number as u64);
    let files = &session.events[number - 1];
    assert_eq!(found.len(), files.len());
    for (n, (seed, length)) in files.iter().enumerate() {
        let name = match n % 2 {
            0 => format!("file {n}"),
            _ => format!("inside/file {n}"),
        };
        assert!(
            found[&name] == noise(*seed, *length),
            "{name} of {}",
            session.id
        );
    }
}
