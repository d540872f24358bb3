//! Limits: what is charged, what is given back, and which limit is named.

use super::*;
use crate::fs::FsLimit;

const LIMITS: FsLimits = FsLimits {
    bytes_max: 100,
    inodes_max: 4,
    handles_max: 8,
};

#[test]
fn bytes_follow_growth_and_come_back() {
    let world = World::with_limits(LIMITS);
    let used = || world.vfs.usage().bytes;
    let file = world.file("workspace/f", CREATE).unwrap();
    file.write_at(&[1; 40], 0).unwrap();
    assert_eq!(used(), 40);
    file.write_at(&[1; 40], 20).unwrap();
    assert_eq!(used(), 60, "what is overwritten costs nothing");
    file.append(&[1; 10]).unwrap();
    assert_eq!(used(), 70);
    file.set_size(90).unwrap();
    assert_eq!(used(), 90, "a hole costs as much as bytes");
    file.set_size(10).unwrap();
    assert_eq!(used(), 10);
    world.symlink("12345", "workspace/link").unwrap();
    assert_eq!(used(), 15);
    world.unlink("workspace/link").unwrap();
    world.file("workspace/f", TRUNCATE).unwrap();
    assert_eq!(used(), 0, "opening to truncate gives back");
    file.append(&[1; 30]).unwrap();
    world.link("workspace/f", "workspace/second").unwrap();
    world.unlink("workspace/f").unwrap();
    assert_eq!(used(), 30, "another name keeps the bytes");
    world.unlink("workspace/second").unwrap();
    assert_eq!(used(), 30, "an open handle keeps them too");
    file.set_size(20).unwrap();
    drop(file);
    assert_eq!(used(), 0);
    assert_eq!(world.vfs.limit_hit(), None);
}

#[test]
fn replacing_by_rename_gives_back() {
    let world = World::with_limits(LIMITS);
    world.write("workspace/a", "12345").unwrap();
    world.write("workspace/b", "123").unwrap();
    world.rename("workspace/a", "workspace/b").unwrap();
    assert_eq!((world.vfs.usage().bytes, world.vfs.usage().inodes), (5, 1));
    // Between two names of one file a rename does nothing, and costs nothing.
    world.link("workspace/b", "workspace/c").unwrap();
    world.rename("workspace/b", "workspace/c").unwrap();
    assert_eq!((world.vfs.usage().bytes, world.vfs.usage().inodes), (5, 2));
    assert_eq!(world.names("workspace"), ["b", "c"]);
}

#[test]
fn a_reader_of_a_removed_file_keeps_its_bytes_charged() {
    let world = World::with_limits(LIMITS);
    world.write("workspace/f", "12345").unwrap();
    let reader = world.file("workspace/f", READ).unwrap();
    world.unlink("workspace/f").unwrap();
    assert_eq!(world.vfs.usage().bytes, 5);
    drop(reader);
    assert_eq!(world.vfs.usage().bytes, 0);

    // Of two names the first to go takes nothing with it, wherever the file is open.
    world.write("workspace/f", "12345").unwrap();
    world.link("workspace/f", "workspace/g").unwrap();
    let readers = ["f", "g"].map(|name| world.file(&format!("workspace/{name}"), READ).unwrap());
    world.unlink("workspace/f").unwrap();
    // The second goes by being replaced.
    world.write("workspace/h", "123").unwrap();
    world.rename("workspace/h", "workspace/g").unwrap();
    let [first, second] = readers;
    drop(first);
    assert_eq!(world.vfs.usage().bytes, 8);
    drop(second);
    assert_eq!(world.vfs.usage().bytes, 3);
}

#[test]
fn a_spent_quota_refuses_and_names_itself() {
    let world = World::with_limits(LIMITS);
    let file = world.file("workspace/f", CREATE).unwrap();
    file.write_at(&[1; 90], 0).unwrap();
    type Attempt<'a> = &'a dyn Fn() -> Result<(), FsError>;
    let attempts: [(&str, Attempt<'_>); 4] = [
        ("too many bytes", &|| file.append(&[1; 11]).map(|_| ())),
        ("far away", &|| file.write_at(&[1], 1 << 40).map(|_| ())),
        ("a huge hole", &|| file.set_size(1 << 40)),
        ("a long link", &|| {
            world.symlink("12345678901", "workspace/l")
        }),
    ];
    for (what, attempt) in attempts {
        assert_eq!(attempt(), Err(FsError::NoSpace), "{what}");
        assert_eq!(world.vfs.limit_hit(), Some(FsLimit::Bytes), "{what}");
        world.vfs.clear_limit_hit();
    }
    assert_eq!(
        std::fs::metadata(world.host("workspace/f")).unwrap().len(),
        90
    );
    assert_eq!(world.vfs.usage().bytes, 90, "what failed is not charged");
    assert_eq!(file.write_at(&[1], u64::MAX), Err(FsError::FileTooLarge));
    file.append(&[1; 10]).unwrap();
    // Full: opening for writing says so, for a failed write would only be an I/O error to the guest.
    assert_eq!(
        world.file("workspace/f", WRITE).err(),
        Some(FsError::NoSpace)
    );
    assert_eq!(
        world.file("workspace/new", CREATE).err(),
        Some(FsError::NoSpace)
    );
    assert!(!world.host("workspace/new").exists());
    assert!(
        world.file("workspace/f", TRUNCATE).is_ok(),
        "what makes room is allowed"
    );
}

#[test]
fn names_are_counted() {
    let world = World::with_limits(LIMITS);
    world.write("workspace/a", "").unwrap();
    world.link("workspace/a", "workspace/b").unwrap();
    world.mkdir("workspace/d").unwrap();
    world.symlink("a", "workspace/l").unwrap();
    for (what, result) in [
        ("file", world.file("workspace/x", CREATE).map(|_| ())),
        ("directory", world.mkdir("workspace/x")),
        ("symbolic link", world.symlink("a", "workspace/x")),
        ("hard link", world.link("workspace/a", "workspace/x")),
    ] {
        assert_eq!(result, Err(FsError::NoSpace), "{what}");
        assert_eq!(world.vfs.limit_hit(), Some(FsLimit::Inodes), "{what}");
    }
    world.file("workspace/a", CREATE).unwrap();
    world.unlink("workspace/b").unwrap();
    world.rmdir("workspace/d").unwrap();
    assert_eq!(world.vfs.usage().inodes, 2);
    world.vfs.set_usage(7, 4);
    assert_eq!(world.mkdir("workspace/x"), Err(FsError::NoSpace));
}

#[test]
fn handles_are_counted_listings_and_walks_included() {
    let world = World::with_limits(LIMITS);
    world.mkdir("workspace/d").unwrap();
    world.mkdir("workspace/d/e").unwrap();
    world.symlink("/workspace/d/e", "workspace/abs").unwrap();
    let dir = world.open("workspace/d", READ).unwrap();
    let mut held: Vec<_> = (0..6)
        .map(|_| world.vfs.list(&dir, &NoFds).unwrap())
        .collect();
    assert!(world.open("workspace/d", READ).is_ok(), "one is left");
    assert_eq!(
        world.open("workspace/abs", READ).err(),
        Some(FsError::NoMemory),
        "a walk needs more"
    );
    held.extend(world.vfs.list(&dir, &NoFds));
    assert_eq!(world.open("dev/null", READ).err(), Some(FsError::NoMemory));
    assert_eq!(world.vfs.limit_hit(), Some(FsLimit::Handles));
    held.clear();
    assert!(world.open("workspace/abs", READ).is_ok());
    assert_eq!(world.vfs.usage().handles, 1);
}
