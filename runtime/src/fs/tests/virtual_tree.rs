//! The tree that is on no disk, and putting it together.

use super::*;
use crate::fs::{BuildError, FdTable, FileKind};

struct Fds;

impl FdTable for Fds {
    fn numbers(&self) -> Vec<u32> {
        vec![0, 7]
    }

    fn is_open(&self, number: u32) -> bool {
        [0, 7].contains(&number)
    }
}

#[test]
fn the_root_shows_mounts_and_virtual_nodes() {
    let world = World::new();
    assert_eq!(
        world.names("/"),
        ["dev", "etc", "proc", "ro", "tmp", "workspace"]
    );
    assert_eq!(
        world.names("etc"),
        ["group", "hosts", "os-release", "passwd"]
    );
    assert_eq!(
        world.names("dev"),
        ["fd", "full", "null", "random", "tty", "urandom", "zero"]
    );
    assert_eq!(world.names("ro"), ["dir", "file"]);
    assert!(
        world
            .read("proc/self/mounts")
            .unwrap()
            .contains("sinew /ro sinew ro 0 0\n")
    );
    let empty = VfsBuilder::default().build().unwrap();
    let names: Vec<_> = empty
        .list(&empty.root(), &NoFds)
        .unwrap()
        .map(|entry| entry.unwrap().name)
        .collect();
    assert_eq!(
        names,
        ["dev", "etc", "proc"],
        "by default nothing of the host shows"
    );
}

#[test]
fn devices_behave() {
    let world = World::new();
    let mut buffer = [7; 16];
    let mut read = |path: &str| {
        buffer.fill(7);
        let Node::Virtual(node) = world.open(path, READ).unwrap() else {
            panic!("{path}")
        };
        let count = node.read_at(&mut buffer, 0).unwrap();
        buffer[..count].to_vec()
    };
    assert_eq!(read("dev/null"), b"");
    assert_eq!(read("dev/zero"), [0; 16]);
    assert_eq!(read("dev/full"), [0; 16]);
    assert_ne!(read("dev/urandom"), [7; 16]);
    for (path, expected) in [("dev/null", Ok(3)), ("dev/full", Err(FsError::NoSpace))] {
        let Node::Virtual(node) = world.open(path, TRUNCATE).unwrap() else {
            panic!("{path}")
        };
        assert_eq!(node.write(b"abc"), expected, "{path}");
    }
    let stat = world
        .vfs
        .stat_at(&world.root, "dev/null", true, &NoFds)
        .unwrap();
    assert_eq!((stat.kind, stat.size), (FileKind::VirtualDevice, 0));
    assert_eq!(
        world.open("dev/tty", READ).err(),
        Some(FsError::NoSuchDevice)
    );
    assert_eq!(
        world.read("workspace/../dev/../etc/hosts").unwrap().len(),
        34
    );
}

#[test]
fn descriptors_show_as_the_process_has_them() {
    let world = World::new();
    let vfs = &world.vfs;
    let stat = |path: &str| {
        vfs.stat_at(&world.root, path, true, &Fds)
            .map(|stat| stat.kind)
    };
    assert_eq!(stat("dev/fd/7"), Ok(FileKind::VirtualDevice));
    assert_eq!(stat("proc/self/fd/7"), Ok(FileKind::VirtualDevice));
    assert_eq!(stat("dev/stdin"), Ok(FileKind::VirtualDevice));
    assert_eq!(stat("dev/stdout"), Err(FsError::NoEntry));
    assert_eq!(stat("dev/fd/6"), Err(FsError::NoEntry));
    let dir = vfs.open_at(&world.root, "dev/fd", READ, &Fds).unwrap();
    let names: Vec<_> = vfs
        .list(&dir, &Fds)
        .unwrap()
        .map(|entry| entry.unwrap().name)
        .collect();
    assert_eq!(names, ["0", "7"]);
    match vfs.open_at(&world.root, "dev/fd/7", TRUNCATE, &Fds) {
        Ok(Node::Virtual(node)) => assert_eq!(node.fd(), Some(7)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_callers_file_wins_over_a_built_in_one() {
    let vfs = VfsBuilder::default()
        .file("/etc/hosts", *b"mine")
        .build()
        .unwrap();
    let stat = vfs.stat_at(&vfs.root(), "etc/hosts", true, &NoFds).unwrap();
    assert_eq!(stat.size, 4);
}

#[test]
fn mounts_that_would_hide_something_are_refused() {
    let host = TempDir::new().unwrap();
    let build = |paths: &[&str]| {
        let mut builder = VfsBuilder::default();
        for path in paths {
            builder = builder.mount(*path, open(host.path()), Rights::ReadWrite);
        }
        builder.build().map(|_| ())
    };
    assert!(build(&["/a/b", "/a/c", "/dev/shm"]).is_ok());
    assert!(matches!(build(&["/"]), Err(BuildError::AtRoot)));
    assert!(matches!(
        build(&["/a", "/a/b"]),
        Err(BuildError::UnderMount { .. })
    ));
    assert!(matches!(
        build(&["/a/b", "/a"]),
        Err(BuildError::Taken { .. })
    ));
    assert!(matches!(
        build(&["/a", "/a"]),
        Err(BuildError::Taken { .. })
    ));
    assert!(matches!(
        build(&["/dev"]),
        Err(BuildError::UnderMount { .. })
    ));
    for path in ["a", "/a/../b", "/a//b", "/a/", "/./a", "/a\0b", ""] {
        assert!(
            matches!(build(&[path]), Err(BuildError::InvalidPath { .. })),
            "{path:?}"
        );
    }
}
