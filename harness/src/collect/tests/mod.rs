//! Collections against a store on disk.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::json;

use super::*;
use crate::content::Packs;
use crate::ids::{EventId, SessionId, WorkspaceId};
use crate::store::{
    Append, Files, FilesChange, History, Key, Kind, NewEvent, NewResource, Objects, SharedStore,
    SqliteOptions, SqliteStore, StoreError,
};
use crate::tree::{self, Folder, Trash, Trust};

mod concurrent;
mod tidying;
mod verifying;

/// Everything is old enough, and every row is too much.
const EAGER: Rules = Rules {
    grace: Duration::ZERO,
    row_bytes_max: 0,
};
/// Rows stay where they are.
const PLAIN: Rules = Rules {
    grace: Duration::ZERO,
    row_bytes_max: u64::MAX,
};

struct World {
    folder: tempfile::TempDir,
    store: SharedStore,
    content: Content,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("test.db"));
        let store: SharedStore = Arc::new(SqliteStore::open(options).unwrap());
        let content = Content::new(store.clone(), packs(folder.path()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Self {
            folder,
            store,
            content,
            runtime,
        }
    }

    fn index(&self) -> &dyn Objects {
        self.store.files()
    }

    fn block<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Content with nothing in memory.
    fn cold(&self) -> Content {
        Content::new(self.store.clone(), self.content.packs().clone())
    }

    fn collect(&self, rules: &Rules) -> Result<Collected, CollectError> {
        self.block(collect(&self.content, rules, Timestamp::MAX))
    }

    fn verify(&self) -> Report {
        self.block(verify(&self.cold(), |_| {})).unwrap()
    }

    /// Creates a session, with the beginning of another's log if one is given.
    fn create(&self, name: &str, of: Option<(&SessionId, u64)>) -> Result<SessionId, StoreError> {
        let id = SessionId::from_text(format!("sesn_{name}"));
        let new = NewResource {
            key: key(&id),
            body: json!({}),
            unique_name: None,
            status: None,
            labels: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
            events: Vec::new(),
            needs_wake: false,
            history: of.map(|(session_id, number)| History {
                session_id: session_id.clone(),
                number,
            }),
        };
        self.block(self.store.create(new))?;
        Ok(id)
    }

    fn delete(&self, id: &SessionId) {
        self.block(self.store.delete(&key(id))).unwrap();
    }

    fn last(&self, id: &SessionId) -> u64 {
        self.block(self.store.last_number(id)).unwrap()
    }

    fn files(&self, id: &SessionId, number: u64) -> Option<Files> {
        self.block(self.index().files_at(id, number)).unwrap()
    }

    /// Appends an event with files.
    fn append(&self, id: &SessionId, files: FilesChange) -> Result<u64, StoreError> {
        let expected = self.last(id);
        let append = Append {
            session_id: id.clone(),
            expected,
            lease: None,
            events: vec![NewEvent {
                id: EventId::from_text(format!("sevt_{id}_{expected}")),
                thread_id: None,
                is_thread_only: false,
                kind: "x".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                is_queued: false,
                body: json!({}),
                private: None,
            }],
            projection: None,
            files: Some(Box::new(files)),
        };
        self.block(self.store.append(append))?;
        Ok(expected + 1)
    }

    /// Makes a tree of `work`, from the session's last one, and appends it.
    fn save(&self, id: &SessionId, work: &Path) -> Result<u64, StoreError> {
        let _within = self.runtime.enter();
        let base = self.files(id, u64::MAX).map(|files| folder_of(&files));
        let dir = Dir::open_ambient_dir(work, ambient_authority()).unwrap();
        let mut batch = self.content.batch();
        let marks = tree::Marks::whole();
        let folder = tree::snapshot(&mut batch, dir.as_fd(), base.as_ref(), &marks).unwrap();
        let shell = batch.put(Bytes::from(format!("shell of {id}"))).unwrap();
        let finished = batch.finish().unwrap();
        let files = Files {
            root: folder.node,
            digest: folder.digest,
            shell: Some(shell),
        };
        self.append(
            id,
            FilesChange {
                files,
                also: Vec::new(),
                objects: finished.objects.clone(),
            },
        )
    }

    /// Writes files (a seed and a length each) in place of all that is there, and saves them.
    fn write(&self, id: &SessionId, work: &Path, files: &[(u64, usize)]) -> u64 {
        fill(work, files);
        self.save(id, work).unwrap()
    }

    /// Returns the files of a session as of an event, read from where they lie.
    fn read(&self, id: &SessionId, number: u64) -> BTreeMap<String, Vec<u8>> {
        let _within = self.runtime.enter();
        let files = self.files(id, number).unwrap();
        let to = tempfile::tempdir_in(self.folder.path()).unwrap();
        let dir = Dir::open_ambient_dir(to.path(), ambient_authority()).unwrap();
        let mut trash = Trash::open(&self.folder.path().join("trash")).unwrap();
        let reader = self.cold().blocking();
        let (folder, marks) = (folder_of(&files), tree::Marks::whole());
        tree::restore(
            &reader,
            dir.as_fd(),
            Some(&folder),
            &marks,
            Trust::Nothing,
            &mut trash,
        )
        .unwrap();
        reader.get(files.shell.unwrap()).unwrap();
        listed(to.path())
    }

    fn work(&self) -> PathBuf {
        let work = self.folder.path().join("work");
        std::fs::create_dir_all(&work).unwrap();
        work
    }

    /// Returns the files of all packs.
    fn pack_files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for shard in std::fs::read_dir(self.folder.path().join("packs")).unwrap() {
            let files = std::fs::read_dir(shard.unwrap().path()).unwrap();
            found.extend(files.map(|file| file.unwrap().path()));
        }
        found.sort();
        found
    }

    fn objects(&self) -> usize {
        self.block(self.index().objects(0, ROWS_MAX)).unwrap().len()
    }
}

fn packs(folder: &Path) -> Packs {
    Packs::in_folder(&folder.join("packs")).unwrap()
}

fn key(id: &SessionId) -> Key {
    Key {
        workspace: WorkspaceId::from_text("wrkspc_test"),
        kind: Kind::Session,
        id: id.as_str().to_owned(),
    }
}

fn folder_of(files: &Files) -> Folder {
    Folder {
        node: files.root,
        digest: files.digest,
        names: 0,
        bytes: 0,
    }
}

/// Bytes that no compression makes less.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

fn fill(work: &Path, files: &[(u64, usize)]) {
    for entry in std::fs::read_dir(work).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => std::fs::remove_dir_all(path).unwrap(),
            false => std::fs::remove_file(path).unwrap(),
        }
    }
    std::fs::create_dir(work.join("inside")).unwrap();
    for (n, (seed, length)) in files.iter().enumerate() {
        let name = match n % 2 {
            0 => format!("file {n}"),
            _ => format!("inside/file {n}"),
        };
        std::fs::write(work.join(name), noise(*seed, *length)).unwrap();
    }
}

fn listed(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for inside in ["", "inside"] {
        for entry in std::fs::read_dir(folder.join(inside)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn what_no_log_needs_goes_and_the_rest_stays() {
    let world = World::new();
    let work = world.work();
    let a = world.create("a", None).unwrap();
    // Rows, whole objects in a pack, and pieces.
    world.write(&a, &work, &[(1, 100), (2, 100_000), (3, 900_000)]);
    let first = listed(&work);
    world.write(&a, &work, &[(1, 100), (4, 200), (5, 100_000), (6, 900_000)]);
    let second = listed(&work);
    assert_eq!(world.collect(&PLAIN).unwrap(), Collected::default());
    // What a fork shares stays when its source is gone.
    let b = world.create("b", Some((&a, 1))).unwrap();
    let all = world.objects();
    world.delete(&a);
    let done = world.collect(&PLAIN).unwrap();
    assert!(done.removed > 5 && done.packs_removed == 1, "{done:?}");
    assert_eq!(world.objects(), all - done.removed);
    assert_eq!(world.read(&b, 1), first);
    let report = world.verify();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.orphans, report.strays, report.packs), (0, 0, 1));
    // What went is stored again.
    fill(&work, &[(1, 100), (4, 200), (5, 100_000), (6, 900_000)]);
    world.save(&b, &work).unwrap();
    assert_eq!(world.read(&b, 2), second);
    assert_eq!(world.collect(&PLAIN).unwrap(), Collected::default());
    world.delete(&b);
    let done = world.collect(&PLAIN).unwrap();
    assert_eq!((world.objects(), done.packs_removed), (0, 2));
    assert!(world.pack_files().is_empty());
}

#[test]
fn nothing_goes_if_a_list_cannot_be_followed() {
    let world = World::new();
    let work = world.work();
    let a = world.create("a", None).unwrap();
    let gone = world.create("gone", None).unwrap();
    world.write(&gone, &work, &[(9, 100)]);
    world.delete(&gone);
    world.write(&a, &work, &[(1, 100), (2, 100)]);
    let db = rusqlite::Connection::open(world.folder.path().join("test.db")).unwrap();
    let root = world.files(&a, 1).unwrap().root;
    let change = "UPDATE object_rows SET content = ?2 WHERE object = (SELECT id FROM objects WHERE hash = ?1)";
    let lost = "UPDATE objects SET hash = zeroblob(32) WHERE hash = ?1";
    let other = world.block(world.content.get(root)).unwrap();
    db.execute(change, rusqlite::params![root.0, b"\0nonsense"])
        .unwrap();
    for _ in 0..2 {
        let all = world.objects();
        let refused = world.collect(&EAGER);
        let Err(CollectError::Broken { hash, reason, .. }) = &refused else {
            panic!("{refused:?}");
        };
        assert!(
            *hash == root && reason.contains(&root.to_string()),
            "{reason}"
        );
        assert_eq!(world.objects(), all);
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("sesn_a"), "{text}");
        db.execute(lost, [root.0]).unwrap();
    }
    // Whole again, it works again.
    db.execute(
        "UPDATE objects SET hash = ?1 WHERE hash = zeroblob(32)",
        [root.0],
    )
    .unwrap();
    let stored = [&[0], other.as_ref()].concat();
    db.execute(change, rusqlite::params![root.0, stored])
        .unwrap();
    assert!(world.collect(&PLAIN).unwrap().removed > 0);
    assert_eq!(world.read(&a, 1).len(), 2);
}

/// A file may have the bytes of a list; that makes it no list.
#[test]
fn content_that_looks_like_a_list_is_content() {
    let world = World::new();
    let work = world.work();
    let a = world.create("a", None).unwrap();
    let b = world.create("b", None).unwrap();
    world.write(&a, &work, &[(1, 100)]);
    let list = world.files(&a, 1).unwrap().root;
    let list = world.block(world.content.get(list)).unwrap();
    fill(&work, &[]);
    std::fs::write(work.join("list"), &list).unwrap();
    world.save(&b, &work).unwrap();
    world.delete(&a);
    world.collect(&PLAIN).unwrap();
    assert!(world.verify().is_whole());
    assert_eq!(world.read(&b, 1).get("list").unwrap(), &list);
    // What the list would lead to is nobody's.
    let content = Hash::of(&noise(1, 100));
    assert_eq!(
        world.block(world.index().places(&[content])).unwrap(),
        [None]
    );
}
