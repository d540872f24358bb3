//! Whole directories and files in few calls: the same names, metadata and refusals as one by one.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt as _;

use super::*;
use crate::fs::{Begun, DirBatch, FdTable, FileKind, Stat};

type Named = BTreeMap<String, (FileKind, Option<Result<Stat, FsError>>)>;

/// Returns the names of a directory, and in how many batches they came.
fn listed(
    world: &World,
    path: &str,
    with_stats: bool,
    fds: &dyn FdTable,
) -> Result<(Named, usize), FsError> {
    let vfs = &world.vfs;
    let mut batches = vfs.batches_at(&world.root, path, with_stats, fds)?;
    let (mut all, mut count) = (Named::new(), 0);
    while !batches.is_ended() {
        let DirBatch {
            names,
            kinds,
            stats,
        } = batches.next(fds)?;
        count += 1;
        assert_eq!(stats.len(), if with_stats { kinds.len() } else { 0 });
        let mut names = names.split_terminator('\0');
        let mut stats = stats.into_iter();
        for kind in kinds {
            let name = names.next().unwrap().to_owned();
            assert!(all.insert(name, (kind, stats.next())).is_none());
        }
        assert_eq!(names.next(), None);
    }
    assert_eq!(batches.next(fds).unwrap().kinds, []);
    Ok((all, count))
}

fn begin(world: &World, path: &str, max: usize) -> Result<Begun, FsError> {
    world.vfs.begin_at(&world.root, path, max, &NoFds)
}

fn whole(world: &World, path: &str) -> Result<Vec<u8>, FsError> {
    match begin(world, path, 100)? {
        Begun::Whole(bytes) => Ok(bytes),
        Begun::Open(node) => panic!("{path} is not read whole: {node:?}"),
    }
}

#[test]
fn a_huge_directory_comes_whole_in_several_batches() {
    let world = World::new();
    for number in 0..6_000 {
        std::fs::write(world.host(&format!("workspace/file {number}")), "").unwrap();
    }
    let (names, batches) = listed(&world, "workspace", false, &NoFds).unwrap();
    assert_eq!(names.len(), 6_000);
    assert!(names.contains_key("file 0") && names.contains_key("file 5999"));
    assert!((2..10).contains(&batches), "{batches} batches");
    assert_eq!(world.vfs.usage().handles, 0);
}

#[test]
fn names_come_with_what_a_stat_of_each_says() {
    let world = World::new();
    world.write("workspace/file", "content").unwrap();
    world.mkdir("workspace/dir").unwrap();
    world.write("workspace/dir/in", "").unwrap();
    world.symlink("file", "workspace/link").unwrap();
    world.symlink("/nowhere", "workspace/dangling").unwrap();
    world
        .vfs
        .create_fifo_at(&world.root, "workspace/fifo", 0o600)
        .unwrap();
    let set_mode = |path, mode| {
        world
            .vfs
            .set_mode_at(&world.root, path, true, mode)
            .unwrap()
    };
    set_mode("workspace/file", 0);
    set_mode("workspace/dir", 0o500);
    let odd = std::ffi::OsString::from_vec(b"odd \xff".to_vec());
    std::fs::write(world.host("workspace").join(odd), "12").unwrap();

    let (names, _) = listed(&world, "workspace/", true, &NoFds).unwrap();
    assert_eq!(names.len(), 6);
    for (name, (kind, stat)) in &names {
        let path = format!("workspace/{name}");
        let alone = world.vfs.stat_at(&world.root, &path, false, &NoFds);
        assert_eq!(*stat, Some(alone), "{name}");
        assert_eq!(stat.unwrap().unwrap().kind, *kind, "{name}");
        assert!(world.names("workspace").contains(name), "{name}");
    }
    assert_eq!(names["link"].0, FileKind::Symlink);
    assert_eq!(names["fifo"].0, FileKind::Fifo);
    assert_eq!(names["odd \u{10FFFF}"].0, FileKind::Regular);
    assert_eq!(names["file"].1.unwrap().unwrap().mode, 0);
    assert_eq!(names["dir"].1.unwrap().unwrap().mode, 0o500);
    assert_eq!(whole(&world, "workspace/odd \u{10FFFF}").unwrap(), b"12");
}

#[test]
fn virtual_directories_and_mounts_are_listed_as_they_are() {
    struct Fds;
    impl FdTable for Fds {
        fn numbers(&self) -> Vec<u32> {
            vec![0, 7]
        }
        fn is_open(&self, number: u32) -> bool {
            [0, 7].contains(&number)
        }
    }
    let world = World::new();
    for path in ["/", "/dev", "/dev/fd", "/etc", "/proc/self"] {
        let (names, _) = listed(&world, path, true, &Fds).unwrap();
        for (name, (kind, stat)) in &names {
            let path = format!("{path}/{name}");
            let alone = world.vfs.stat_at(&world.root, &path, false, &Fds);
            assert_eq!(*stat, Some(alone), "{path}");
            assert_eq!(stat.unwrap().unwrap().kind, *kind, "{path}");
        }
        let dir = world.open(path, READ).unwrap();
        let one_by_one = world.vfs.list(&dir, &Fds).unwrap();
        let one_by_one: Vec<_> = one_by_one.map(|entry| entry.unwrap().name).collect();
        assert_eq!(names.into_keys().collect::<Vec<_>>(), one_by_one, "{path}");
    }
}

#[test]
fn directories_are_refused_as_opening_refuses_them() {
    let world = World::new();
    world.write("workspace/file", "").unwrap();
    world.mkdir("workspace/closed").unwrap();
    world
        .vfs
        .set_mode_at(&world.root, "workspace/closed", true, 0)
        .unwrap();
    world.symlink("loop", "workspace/loop").unwrap();
    world.host_link(world.host("outside"), "workspace/out");
    world.host_link("/ro", "workspace/ro");
    for (path, error) in [
        ("workspace/missing", FsError::NoEntry),
        ("workspace/file", FsError::NotDirectory),
        ("workspace/closed", FsError::Access),
        ("workspace/loop", FsError::Loop),
        ("workspace/out", FsError::NoEntry),
        ("workspace/../../outside", FsError::NoEntry),
        ("dev/null", FsError::NotDirectory),
        ("", FsError::NoEntry),
    ] {
        assert_eq!(
            listed(&world, path, true, &NoFds).unwrap_err(),
            error,
            "{path}"
        );
    }
    // What lies behind a link is listed as the path itself would be.
    let (names, _) = listed(&world, "workspace/ro", true, &NoFds).unwrap();
    assert_eq!(names.into_keys().collect::<Vec<_>>(), ["dir", "file"]);
    assert_eq!(world.vfs.usage().handles, 0);
}

#[test]
fn small_files_are_read_whole_and_closed() {
    let world = World::new();
    world.write("workspace/empty", "").unwrap();
    world.write("workspace/hundred", &"x".repeat(100)).unwrap();
    world.write("workspace/more", &"x".repeat(101)).unwrap();
    world.symlink("/ro/file", "workspace/link").unwrap();
    world.vfs.take_dirty();
    assert_eq!(whole(&world, "workspace/empty").unwrap(), b"");
    assert_eq!(whole(&world, "workspace/hundred").unwrap(), [b'x'; 100]);
    assert_eq!(whole(&world, "workspace/link").unwrap(), b"fixed");
    assert_eq!(world.vfs.usage().handles, 0);
    assert!(world.vfs.take_dirty().is_empty());
    match begin(&world, "workspace/more", 100).unwrap() {
        Begun::Open(node) => assert_eq!(node.read_part(0, 200).unwrap(), (vec![b'x'; 101], true)),
        Begun::Whole(_) => panic!("more than was asked for"),
    }
    let big = std::fs::File::create(world.host("workspace/big")).unwrap();
    big.set_len((1 << 20) + 1).unwrap();
    assert!(matches!(
        begin(&world, "workspace/big", usize::MAX),
        Ok(Begun::Open(_))
    ));
}

#[test]
fn what_is_no_small_file_is_opened() {
    let world = World::new();
    for path in ["dev/zero", "etc/hosts", "workspace", "/"] {
        assert!(
            matches!(begin(&world, path, 1 << 20), Ok(Begun::Open(_))),
            "{path}"
        );
    }
    world.write("workspace/secret", "s").unwrap();
    world
        .vfs
        .set_mode_at(&world.root, "workspace/secret", true, 0o200)
        .unwrap();
    world.host_link(world.host("outside/secret"), "workspace/out");
    for (path, error) in [
        ("workspace/secret", FsError::Access),
        ("workspace/missing", FsError::NoEntry),
        ("workspace/secret/", FsError::NotDirectory),
        ("workspace/out", FsError::NoEntry),
        ("dev/tty", FsError::NoSuchDevice),
    ] {
        assert_eq!(begin(&world, path, 100).unwrap_err(), error, "{path}");
    }
}

#[test]
fn a_listing_and_a_reading_count_as_handles() {
    let world = World::with_limits(FsLimits {
        handles_max: 1,
        ..FsLimits::default()
    });
    std::fs::write(world.host("workspace/file"), "1").unwrap();
    let open = world
        .vfs
        .batches_at(&world.root, "workspace", false, &NoFds)
        .unwrap();
    assert_eq!(world.vfs.usage().handles, 1);
    assert_eq!(
        begin(&world, "workspace/file", 9).unwrap_err(),
        FsError::NoMemory
    );
    drop(open);
    assert_eq!(whole(&world, "workspace/file").unwrap(), b"1");
}
