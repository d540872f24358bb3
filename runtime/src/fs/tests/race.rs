//! Races: names change under a walk, and nothing outside is read or touched.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Turns per case; enough for thousands of walks to meet a name in either state.
const TURNS: usize = 2_000;
/// Turns after which a name that was never met in both states fails the test.
const TURNS_MAX: usize = 200_000;

/// Exchanges `workspace/name` (a directory) with `workspace/link` (to outside) until told to stop.
fn exchange(host: &Path, stop: &AtomicBool) {
    let dir = std::fs::File::open(host.join("workspace")).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(&dir, "name", &dir, "link", flags).unwrap();
    }
}

/// Stops the other thread however the test ends; a failure would wait for it for ever.
struct Stop<'s>(&'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn exchanging_a_directory_with_a_link_leads_nobody_out() {
    for absolute in [true, false] {
        let world = World::new();
        std::fs::create_dir(world.host("workspace/name")).unwrap();
        std::fs::write(world.host("workspace/name/secret"), "inside").unwrap();
        let target = if absolute {
            world.host("outside")
        } else {
            PathBuf::from("../outside")
        };
        world.host_link(target, "workspace/link");
        let before = picture(&world.host("outside"));
        let stop = AtomicBool::new(false);
        let (mut inside, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| exchange(world.host.path(), &stop));
            let _stop = Stop(&stop);
            for turn in 0..TURNS_MAX {
                if turn >= TURNS && inside > 0 && refused > 0 {
                    break;
                }
                let path = format!("workspace/name/{turn}");
                match world.read("workspace/name/secret") {
                    Ok(content) => {
                        assert_eq!(content, "inside");
                        inside += 1;
                    }
                    Err(_) => refused += 1,
                }
                // Whatever these answer, they must not act outside.
                let _ = world.write(&path, "x");
                let _ = world.mkdir(&format!("{path}d"));
                let _ = world.rename(&path, &format!("{path}r"));
                let _ = world.link("workspace/name/secret", &format!("{path}l"));
                let _ = world
                    .vfs
                    .set_mode_at(&world.root, "workspace/name/secret", true, 0o600);
                let _ = world.touch("workspace/name/secret");
                let _ = world.rmdir(&format!("{path}d"));
                let _ = world.unlink(&format!("{path}r"));
                let _ = world.unlink(&format!("{path}l"));
            }
        });
        assert!(
            inside > 0 && refused > 0,
            "the race took place: {inside} inside, {refused} refused"
        );
        assert_eq!(picture(&world.host("outside")), before);
        assert_eq!(world.vfs.usage().handles, 0);
    }
}

#[test]
fn processes_that_race_for_one_file_neither_gain_nor_lose_quota() {
    let world = World::new();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for turn in 0..TURNS / 4 {
                    if let Ok(file) = world.file("workspace/f", CREATE) {
                        let _ = file.append(&[1; 100]);
                        let _ = file.set_size((turn % 7) as u64 * 10);
                    }
                    let _ = world.rename("workspace/f", "workspace/g");
                    let _ = world.link("workspace/g", "workspace/f");
                    let _ = world.unlink("workspace/g");
                }
            });
        }
    });
    let names = world.names("workspace");
    let mut files: Vec<_> = names
        .iter()
        .map(|name| {
            use std::os::unix::fs::MetadataExt as _;
            let meta = std::fs::metadata(world.host("workspace").join(name)).unwrap();
            (meta.ino(), meta.len())
        })
        .collect();
    files.sort_unstable();
    files.dedup();
    let bytes: u64 = files.iter().map(|(_, size)| size).sum();
    let usage = world.vfs.usage();
    assert_eq!(
        (usage.bytes, usage.inodes, usage.handles),
        (bytes, names.len() as u64, 0)
    );
}
