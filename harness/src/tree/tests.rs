//! Trees against folders: random changes, and every way back.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use proptest::prelude::*;
use sinew_runtime::fs::Dirt;

use super::*;
use crate::content::{Content, Packs};
use crate::store::{SharedStore, SqliteOptions, SqliteStore};

struct World {
    folder: tempfile::TempDir,
    store: SharedStore,
    content: Content,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        let options = SqliteOptions::new(folder.path().join("test.db"));
        let store: SharedStore = Arc::new(SqliteStore::open(options).unwrap());
        let packs = Packs::in_folder(&folder.path().join("packs")).unwrap();
        let content = Content::new(store.clone(), packs);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
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

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn dir(&self, path: &Path) -> Dir {
        Dir::open_ambient_dir(path, ambient_authority()).unwrap()
    }

    fn snapshot(&self, base: Option<&Folder>, marks: &Marks) -> Folder {
        let dir = self.dir(&self.work());
        let _within = self.runtime.enter();
        let mut batch = self.content.batch();
        let folder = snapshot(&mut batch, dir.as_fd(), base, marks).unwrap();
        let finished = batch.finish().unwrap();
        let added = self.store.files().add_objects(finished.objects.clone());
        self.runtime.block_on(added).unwrap();
        folder
    }

    fn restore(&self, path: &Path, target: Option<&Folder>, marks: &Marks, trust: Trust) {
        let _within = self.runtime.enter();
        let dir = self.dir(path);
        let mut trash = Trash::open(&self.folder.path().join("trash")).unwrap();
        let reader = self.content.blocking();
        restore(&reader, dir.as_fd(), target, marks, trust, &mut trash).unwrap();
        trash.empty().unwrap();
    }

    fn changes(&self, old: &Folder, new: &Folder) -> Vec<Change> {
        let _within = self.runtime.enter();
        let (changes, is_cut) =
            changes(&self.content.blocking(), Some(old), Some(new), usize::MAX).unwrap();
        assert!(!is_cut);
        changes
    }
}

/// Everything that a tree says of a folder, read by ordinary means.
fn read(folder: &Path) -> BTreeMap<PathBuf, (u32, String)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let what = if meta.is_dir() {
                folders.push(path.clone());
                "folder".to_owned()
            } else if meta.is_symlink() {
                format!("link {}", std::fs::read_link(&path).unwrap().display())
            } else {
                let content = std::fs::read(&path).unwrap();
                format!("file {} {}", meta.mtime_nsec(), blake3::hash(&content))
            };
            let name = path.strip_prefix(folder).unwrap().to_owned();
            found.insert(name, (meta.mode() & 0o7777, what));
        }
    }
    found
}

#[derive(Clone, Debug)]
enum Change1 {
    Write(String, usize, u8),
    Remove(String),
    MakeDir(String),
    Link(String, String),
    Rename(String, String),
    Mode(String, u32),
}

fn name() -> impl Strategy<Value = String> {
    // Few names, so that changes meet; some lie deep.
    prop::sample::select(vec![
        "a", "b", "c", "d/a", "d/b", "d/e/a", "d/e/f/b", "g", "g/h", "d", "d/e",
    ])
    .prop_map(str::to_owned)
}

fn change() -> impl Strategy<Value = Change1> {
    prop_oneof![
        4 => (name(), prop_oneof![0..200usize, Just(70_000), Just(1_500_000)], any::<u8>())
            .prop_map(|(name, size, seed)| Change1::Write(name, size, seed)),
        2 => name().prop_map(Change1::Remove),
        2 => name().prop_map(Change1::MakeDir),
        1 => (name(), name()).prop_map(|(at, to)| Change1::Link(at, to)),
        2 => (name(), name()).prop_map(|(from, to)| Change1::Rename(from, to)),
        1 => (name(), prop::sample::select(vec![0o600, 0o644, 0o755, 0o700]))
            .prop_map(|(name, mode)| Change1::Mode(name, mode)),
    ]
}

/// Makes a change where it can be made, and marks as the hand's file system would.
fn make(root: &Path, change: &Change1, marks: &mut Marks) {
    let at = |name: &str| root.join(name);
    // A name behind a link is another folder's.
    let is_plain = |name: &str| {
        let mut path = root.to_owned();
        Path::new(name).parent().into_iter().flatten().all(|part| {
            path.push(part);
            path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
        })
    };
    match change {
        Change1::Write(name, size, seed) => {
            let is_file = at(name)
                .symlink_metadata()
                .map_or(true, |meta| meta.is_file());
            if !is_plain(name) || !is_file {
                return;
            }
            let content: Vec<u8> = (0..*size)
                .map(|n| (n / 1_000) as u8 ^ (n as u8).wrapping_mul(*seed))
                .collect();
            std::fs::write(at(name), content).unwrap();
            marks.add(Path::new(name), Dirt::Entry);
        }
        Change1::Remove(name) => {
            if !is_plain(name) {
                return;
            }
            match at(name).symlink_metadata() {
                Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(at(name)).unwrap(),
                Ok(_) => std::fs::remove_file(at(name)).unwrap(),
                Err(_) => return,
            }
            marks.add(Path::new(name), Dirt::Entry);
        }
        Change1::MakeDir(name) => {
            if is_plain(name) && std::fs::create_dir(at(name)).is_ok() {
                marks.add(Path::new(name), Dirt::Subtree);
            }
        }
        Change1::Link(name, target) => {
            if is_plain(name) && std::os::unix::fs::symlink(target, at(name)).is_ok() {
                marks.add(Path::new(name), Dirt::Entry);
            }
        }
        Change1::Rename(from, to) => {
            if is_plain(from) && is_plain(to) && std::fs::rename(at(from), at(to)).is_ok() {
                marks.add(Path::new(from), Dirt::Entry);
                marks.add(Path::new(to), Dirt::Subtree);
            }
        }
        Change1::Mode(name, mode) => {
            let is_there = at(name)
                .symlink_metadata()
                .is_ok_and(|meta| !meta.is_symlink());
            if is_plain(name) && is_there {
                let mode = std::fs::Permissions::from_mode(*mode);
                std::fs::set_permissions(at(name), mode).unwrap();
                marks.add(Path::new(name), Dirt::Entry);
            }
        }
    }
}

fn now_nanos() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec - 50_000_000
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A snapshot of what is marked is the one of a full walk; and every tree can be restored from every other
    /// state of the folder, whichever way it is trusted.
    #[test]
    fn snapshots_are_true_and_every_tree_comes_back(
        calls in prop::collection::vec(prop::collection::vec(change(), 1..12), 1..6),
    ) {
        let world = World::new();
        let work = world.work();
        let mut trees = vec![(world.snapshot(None, &Marks::whole()), read(&work))];
        for call in &calls {
            let mut marks = Marks::default();
            for change in call {
                make(&work, change, &mut marks);
            }
            let last = trees.last().unwrap().0;
            let tree = world.snapshot(Some(&last), &marks);
            let full = world.snapshot(None, &Marks::whole());
            prop_assert_eq!(tree, full, "marks {:?}", marks);
            let names = read(&work).len() as u64;
            prop_assert_eq!(tree.names, names);
            trees.push((tree, read(&work)));
        }
        // Backwards, knowing what differs.
        for at in (0..trees.len() - 1).rev() {
            let mut marks = Marks::default();
            for change in world.changes(&trees[at + 1].0, &trees[at].0) {
                let path: PathBuf = change.path.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
                marks.add(&path, Dirt::Entry);
            }
            world.restore(&work, Some(&trees[at].0), &marks, Trust::Unmarked);
            prop_assert_eq!(strip(&read(&work)), strip(&trees[at].1));
        }
        // To the last one, knowing nothing; and into an empty folder, times and all.
        let (last, files) = trees.last().unwrap();
        world.restore(&work, Some(last), &Marks::whole(), Trust::Nothing);
        prop_assert_eq!(&read(&work), files);
        let fork = world.folder.path().join("fork");
        std::fs::create_dir(&fork).unwrap();
        world.restore(&fork, Some(last), &Marks::whole(), Trust::Nothing);
        prop_assert_eq!(&read(&fork), files);
        // A call that was cut off: unmarked changes since an instant.
        let since = now_nanos();
        for change in calls.iter().flatten() {
            make(&work, change, &mut Marks::default());
        }
        world.restore(&work, Some(last), &Marks::default(), Trust::UnchangedSince(since));
        prop_assert_eq!(strip(&read(&work)), strip(files));
        prop_assert_eq!(world.snapshot(None, &Marks::whole()).digest, last.digest);
        world.restore(&work, None, &Marks::whole(), Trust::Nothing);
        prop_assert_eq!(read(&work).len(), 0);
    }
}

/// Leaves times out: a restoration that need not write a file need not touch its time either.
fn strip(files: &BTreeMap<PathBuf, (u32, String)>) -> Vec<(PathBuf, u32, String)> {
    let what = |what: &String| match what.strip_prefix("file ") {
        Some(rest) => rest.split(' ').next_back().unwrap_or_default().to_owned(),
        None => what.clone(),
    };
    files
        .iter()
        .map(|(path, (mode, content))| (path.clone(), *mode, what(content)))
        .collect()
}

#[test]
fn a_large_folder_has_the_same_shape_whatever_its_history() {
    let world = World::new();
    let work = world.work();
    let write = |n: usize| std::fs::write(work.join(format!("file {n}")), n.to_string()).unwrap();
    (0..1_000).for_each(write);
    let thousand = world.snapshot(None, &Marks::whole());
    // Grown by steps, and shrunk again.
    (1_000..1_300).for_each(write);
    let mut marks = Marks::default();
    for n in 1_000..1_300 {
        marks.add(Path::new(&format!("file {n}")), Dirt::Entry);
    }
    let more = world.snapshot(Some(&thousand), &marks);
    assert_eq!((more.names, thousand.names), (1_300, 1_000));
    assert_eq!(world.snapshot(None, &Marks::whole()), more);
    assert_eq!(world.changes(&thousand, &more).len(), 300);
    for n in 100..1_300 {
        std::fs::remove_file(work.join(format!("file {n}"))).unwrap();
        marks.add(Path::new(&format!("file {n}")), Dirt::Entry);
    }
    let few = world.snapshot(Some(&more), &marks);
    assert_eq!(few, world.snapshot(None, &Marks::whole()));
    assert_eq!(few.names, 100);
    let _within = world.runtime.enter();
    let reader = world.content.blocking();
    let found = lookup(&reader, &more, b"file 1234").unwrap().unwrap();
    let whole = content(&reader, &found, 10).unwrap().unwrap();
    assert_eq!(whole, "1234");
    assert_eq!(lookup(&reader, &few, b"file 1234").unwrap(), None);
    let listed = entries(&reader, &more).unwrap();
    assert!(listed.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn a_change_in_a_large_file_stores_few_of_its_pieces() {
    let world = World::new();
    let path = world.work().join("large");
    let mut content: Vec<u8> = (0..200_000u32)
        .flat_map(|n| *blake3::hash(&n.to_le_bytes()).as_bytes())
        .collect();
    std::fs::write(&path, &content).unwrap();
    let first = world.snapshot(None, &Marks::whole());
    let stored = |world: &World| {
        let packs = world.runtime.block_on(world.store.files().packs(None, 100));
        packs.unwrap().iter().map(|pack| pack.bytes).sum::<u64>()
    };
    let before = stored(&world);
    assert!(before > 6_000_000, "{before}");
    // An insertion moves everything behind it.
    content.splice(3_000_000..3_000_000, *b"inserted");
    std::fs::write(&path, &content).unwrap();
    let second = world.snapshot(Some(&first), &Marks::whole());
    let added = stored(&world) - before;
    assert!(added < 2_500_000, "{added}");
    let fork = world.folder.path().join("fork");
    std::fs::create_dir(&fork).unwrap();
    world.restore(&fork, Some(&second), &Marks::whole(), Trust::Nothing);
    assert!(std::fs::read(fork.join("large")).unwrap() == content);
}

#[test]
fn folders_nested_too_deep_are_refused_and_can_be_removed() {
    let world = World::new();
    let empty = world.snapshot(None, &Marks::whole());
    let nest = |levels| {
        let mut dir = world.dir(&world.work());
        for _ in 0..levels {
            dir.create_dir("deep").unwrap();
            dir = dir.open_dir("deep").unwrap();
        }
    };
    // As deep as can be kept, on a thread of the usual size.
    nest(snapshot::LEVELS_MAX);
    let deep = world.snapshot(Some(&empty), &Marks::whole());
    let fork = world.folder.path().join("fork");
    std::fs::create_dir(&fork).unwrap();
    world.restore(&fork, Some(&deep), &Marks::whole(), Trust::Nothing);
    world.restore(&fork, Some(&deep), &Marks::whole(), Trust::Nothing);
    assert_eq!(world.changes(&empty, &deep).len(), snapshot::LEVELS_MAX);
    world.restore(&world.work(), Some(&empty), &Marks::whole(), Trust::Nothing);
    // Deeper than a path can be long.
    nest(1_500);
    {
        let _within = world.runtime.enter();
        let dir = world.dir(&world.work());
        let mut batch = world.content.batch();
        let refused = snapshot(&mut batch, dir.as_fd(), Some(&empty), &Marks::whole());
        assert!(matches!(refused, Err(TreeError::TooDeep(_))), "{refused:?}");
    }
    world.restore(&world.work(), Some(&empty), &Marks::whole(), Trust::Nothing);
    assert_eq!(read(&world.work()).len(), 0);
}

#[test]
fn names_that_are_no_text_pipes_and_hard_links_are_kept() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let odd = OsStr::from_bytes(b"\xff\xfe name");
    std::fs::write(world.work().join(odd), "odd").unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.work().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o640),
        0,
    )
    .unwrap();
    std::fs::write(world.work().join("one"), "1").unwrap();
    std::fs::hard_link(world.work().join("one"), world.work().join("two")).unwrap();
    let tree = world.snapshot(None, &Marks::whole());
    let inode = world.work().join("one").metadata().unwrap();
    let wanted = [(inode.dev(), inode.ino())].into();
    let mut found = inodes(world.dir(&world.work()).as_fd(), &wanted).unwrap();
    found.sort();
    assert_eq!(found, [PathBuf::from("one"), PathBuf::from("two")]);
    let fork = world.folder.path().join("fork");
    std::fs::create_dir(&fork).unwrap();
    world.restore(&fork, Some(&tree), &Marks::whole(), Trust::Nothing);
    assert_eq!(std::fs::read(fork.join(odd)).unwrap(), b"odd");
    assert_eq!(std::fs::read(fork.join("two")).unwrap(), b"1");
    let pipe = fork.join("pipe").symlink_metadata().unwrap();
    assert_eq!(pipe.mode() & 0o170777, 0o010640);
}

#[test]
fn holes_stay_holes() {
    let world = World::new();
    let path = world.work().join("sparse");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[7; 100_000], 1 << 39).unwrap();
    let tree = world.snapshot(None, &Marks::whole());
    assert!(tree.bytes < 200_000, "{}", tree.bytes);
    let fork = world.folder.path().join("fork");
    std::fs::create_dir(&fork).unwrap();
    world.restore(&fork, Some(&tree), &Marks::whole(), Trust::Nothing);
    let copy = std::fs::File::open(fork.join("sparse")).unwrap();
    let meta = copy.metadata().unwrap();
    assert_eq!(meta.len(), 1 << 40);
    assert!(meta.blocks() * 512 < 200_000);
    let mut read = [0; 3];
    std::os::unix::fs::FileExt::read_exact_at(&copy, &mut read, (1 << 39) - 1).unwrap();
    assert_eq!(read, [0, 7, 7]);
    // As it is, it is left alone; a byte in a hole is seen.
    let inode = meta.ino();
    world.restore(&fork, Some(&tree), &Marks::whole(), Trust::Nothing);
    assert_eq!(fork.join("sparse").metadata().unwrap().ino(), inode);
    std::os::unix::fs::FileExt::write_all_at(&file, b"x", 5).unwrap();
    let changed = world.snapshot(Some(&tree), &Marks::whole());
    assert_ne!(changed.digest, tree.digest);
}
