//! Paths that must lead somewhere.

use super::*;

#[test]
fn paths_lead_where_they_would_on_a_host() {
    let world = World::new();
    world.mkdir("workspace/d").unwrap();
    world.write("workspace/d/f", "f").unwrap();
    world.write("tmp/t", "t").unwrap();
    for (target, path) in [
        ("/workspace/d", "workspace/abs-dir"),
        ("/tmp/t", "workspace/abs-file"),
        ("d/f", "workspace/rel-file"),
        ("../../tmp/t", "workspace/d/up"),
        ("/workspace/abs-file", "tmp/chain"),
        ("/etc", "tmp/etc"),
        ("../..", "workspace/d/top"),
    ] {
        world.symlink(target, path).unwrap();
    }
    for (path, expected) in [
        ("workspace/d/f", Ok("f")),
        ("/workspace//d/./f", Ok("f")),
        ("workspace/d/../d/f", Ok("f")),
        ("workspace/../tmp/t", Ok("t")),
        ("workspace/d/../../tmp/t", Ok("t")),
        ("../../workspace/d/f", Ok("f")),
        ("workspace/abs-dir/f", Ok("f")),
        ("workspace/abs-dir/../d/f", Ok("f")),
        ("workspace/abs-file", Ok("t")),
        ("workspace/rel-file", Ok("f")),
        ("workspace/d/up", Ok("t")),
        ("tmp/chain", Ok("t")),
        (
            "tmp/etc/hosts",
            Ok("127.0.0.1\tlocalhost\n::1\tlocalhost\n"),
        ),
        ("workspace/d/top/ro/file", Ok("fixed")),
        ("workspace/d/top/workspace/abs-dir/f", Ok("f")),
        ("workspace/d/f/", Err(FsError::NotDirectory)),
        ("workspace/d/f/x", Err(FsError::NotDirectory)),
        ("workspace/abs-file/", Err(FsError::NotDirectory)),
        ("workspace/rel-file/.", Err(FsError::NotDirectory)),
        ("etc/hosts/x", Err(FsError::NotDirectory)),
        ("workspace/none", Err(FsError::NoEntry)),
        ("none/x", Err(FsError::NoEntry)),
        ("", Err(FsError::NoEntry)),
    ] {
        assert_eq!(
            world.read(path).as_deref(),
            expected.as_ref().map(|text| *text),
            "{path}"
        );
    }
}

#[test]
fn links_at_the_end_are_followed_only_when_asked() {
    let world = World::new();
    world.write("tmp/t", "t").unwrap();
    world.symlink("/tmp/t", "workspace/abs").unwrap();
    world.symlink("/tmp/new", "workspace/dangling").unwrap();
    let unfollowed = OpenOptions {
        follow: false,
        ..READ
    };
    assert_eq!(
        world.file("workspace/abs", unfollowed).err(),
        Some(FsError::Loop)
    );
    let stat = |follow| {
        world
            .vfs
            .stat_at(&world.root, "workspace/abs", follow, &NoFds)
            .unwrap()
    };
    assert_eq!((stat(false).size, stat(true).size), (6, 1));
    assert_eq!(
        world
            .vfs
            .readlink_at(&world.root, "workspace/abs")
            .as_deref(),
        Ok("/tmp/t")
    );
    assert_eq!(
        world.vfs.readlink_at(&world.root, "tmp/t"),
        Err(FsError::Invalid)
    );

    // Creating through a link that leads nowhere yet makes what it names, unless it must be new.
    let exclusive = OpenOptions {
        exclusive: true,
        ..CREATE
    };
    assert_eq!(
        world.file("workspace/dangling", exclusive).err(),
        Some(FsError::Exist)
    );
    world.write("workspace/dangling", "made").unwrap();
    assert_eq!(
        std::fs::read_to_string(world.host("tmp/new")).unwrap(),
        "made"
    );

    // Names are removed, moved and linked as they stand.
    world.link("workspace/abs", "workspace/second").unwrap();
    assert_eq!(
        world
            .vfs
            .readlink_at(&world.root, "workspace/second")
            .as_deref(),
        Ok("/tmp/t")
    );
    world.unlink("workspace/abs").unwrap();
    assert_eq!(world.read("tmp/t").as_deref(), Ok("t"));
}

#[test]
fn files_move_between_writable_mounts_of_one_disk() {
    let world = World::new();
    world.write("workspace/f", "f").unwrap();
    world.rename("workspace/f", "tmp/g").unwrap();
    assert_eq!(std::fs::read_to_string(world.host("tmp/g")).unwrap(), "f");
    assert!(!world.host("workspace/f").exists());
}

#[test]
fn names_that_are_no_text_can_be_used() {
    use std::os::unix::ffi::OsStrExt as _;

    let world = World::new();
    let odd = std::ffi::OsStr::from_bytes(b"od\xffd");
    std::fs::create_dir(world.host("workspace").join(odd)).unwrap();
    std::fs::write(world.host("workspace").join(odd).join(odd), "odd").unwrap();
    let names = world.names("workspace");
    let [name] = names.as_slice() else {
        panic!("{names:?}");
    };
    let path = format!("workspace/{name}/{name}");
    assert_eq!(world.read(&path).unwrap(), "odd");
    world.symlink(&path, "workspace/link").unwrap();
    let link = world.vfs.readlink_at(&world.root, "workspace/link");
    assert_eq!(link.unwrap(), path);
    world.rename(&path, "workspace/even").unwrap();
    world.write(&path, "again").unwrap();
    assert!(world.host("workspace").join(odd).join(odd).exists());
    let dirty = world.vfs.take_dirty();
    let marks = &dirty.mount("/workspace").unwrap().marks;
    assert!(marks.contains_key(&Path::new(odd).join(odd)), "{marks:?}");
    world.unlink(&path).unwrap();
    world.rmdir(&format!("workspace/{name}")).unwrap();
    assert_eq!(world.names("workspace"), ["even", "link"]);
}

#[test]
fn a_name_in_an_open_directory_is_what_the_whole_path_is() {
    let world = World::new();
    world.write("workspace/file", "12").unwrap();
    world.mkdir("workspace/dir").unwrap();
    world.symlink("/ro/file", "workspace/link").unwrap();
    world.host_link(world.host("outside/secret"), "workspace/out");
    std::fs::write(world.host("above"), "").unwrap();
    let dir = world.open("workspace", READ).unwrap();
    let stat = |base: &Node, path: &str| world.vfs.stat_at(base, path, false, &NoFds);
    let long = "x".repeat(256);
    for name in ["file", "dir", "link", "out", "missing", "dir/", ".", &long] {
        let whole = stat(&world.root, &format!("workspace/{name}"));
        assert_eq!(stat(&dir, name), whole, "{name}");
    }
    for (name, error) in [
        ("..", FsError::NotPermitted),
        ("../above", FsError::NotPermitted),
        ("", FsError::NoEntry),
        ("fi\0le", FsError::Invalid),
    ] {
        assert_eq!(stat(&dir, name).unwrap_err(), error, "{name:?}");
    }
}
