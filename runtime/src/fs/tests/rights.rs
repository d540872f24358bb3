//! A read-only mount: no operation changes it, by whatever handle and way.

use super::*;

#[test]
fn nothing_changes_a_read_only_mount() {
    let world = World::new();
    world.host_link("file", "ro/link");
    world.mkdir("workspace/d").unwrap();
    world.write("workspace/f", "f").unwrap();
    world.symlink("/ro/file", "workspace/to-file").unwrap();
    world.symlink("/ro/dir", "workspace/to-dir").unwrap();
    let (root, vfs) = (&world.root, &world.vfs);
    let ro = &world.open("ro", READ).unwrap();
    let file = &world.open("ro/file", READ).unwrap();
    let handle = &world.file("ro/file", READ).unwrap();
    let now = NewTime::Now;
    let open =
        |base: &Node, path: &str, options| vfs.open_at(base, path, options, &NoFds).map(|_| ());
    let truncating = OpenOptions {
        truncate: true,
        ..READ
    };
    let exclusive = OpenOptions {
        exclusive: true,
        ..CREATE
    };
    let before = picture(&world.host("ro"));
    for (what, result, reason) in [
        ("write", open(root, "ro/file", WRITE), FsError::ReadOnly),
        (
            "write by handle",
            open(ro, "file", WRITE),
            FsError::ReadOnly,
        ),
        (
            "write through a link inside",
            open(root, "ro/link", WRITE),
            FsError::ReadOnly,
        ),
        (
            "write through a link from elsewhere",
            open(root, "workspace/to-file", WRITE),
            FsError::ReadOnly,
        ),
        (
            "truncate without writing",
            open(root, "ro/file", truncating),
            FsError::ReadOnly,
        ),
        ("create", open(root, "ro/new", CREATE), FsError::ReadOnly),
        (
            "create to read",
            open(
                root,
                "ro/new",
                OpenOptions {
                    write: false,
                    ..CREATE
                },
            ),
            FsError::ReadOnly,
        ),
        (
            "create by handle",
            open(ro, "new", CREATE),
            FsError::ReadOnly,
        ),
        (
            "create through a link",
            open(root, "workspace/to-dir/new", CREATE),
            FsError::ReadOnly,
        ),
        (
            "create what is there",
            open(root, "ro/file", exclusive),
            FsError::Exist,
        ),
        (
            "write a missing file",
            open(root, "ro/new", WRITE),
            FsError::NoEntry,
        ),
        (
            "write by the open handle",
            handle.write_at(b"x", 0).map(|_| ()),
            FsError::BadDescriptor,
        ),
        (
            "append by the open handle",
            handle.append(b"x").map(|_| ()),
            FsError::BadDescriptor,
        ),
        (
            "cut by the open handle",
            handle.set_size(0),
            FsError::BadDescriptor,
        ),
        (
            "times of the handle",
            vfs.set_times(file, now, now),
            FsError::ReadOnly,
        ),
        (
            "times of the directory",
            vfs.set_times(ro, now, now),
            FsError::ReadOnly,
        ),
        (
            "times at",
            vfs.set_times_at(root, "ro/file", true, now, now),
            FsError::ReadOnly,
        ),
        (
            "times of the link",
            vfs.set_times_at(root, "ro/link", false, now, now),
            FsError::ReadOnly,
        ),
        (
            "times through a link",
            vfs.set_times_at(root, "workspace/to-file", true, now, now),
            FsError::ReadOnly,
        ),
        (
            "mode of the handle",
            vfs.set_mode(file, 0o777),
            FsError::ReadOnly,
        ),
        (
            "mode at",
            vfs.set_mode_at(root, "ro/file", true, 0o777),
            FsError::ReadOnly,
        ),
        (
            "mode through a link",
            vfs.set_mode_at(root, "workspace/to-file", true, 0o777),
            FsError::ReadOnly,
        ),
        (
            "mode of the mount",
            vfs.set_mode_at(root, "ro", true, 0o777),
            FsError::ReadOnly,
        ),
        ("mkdir", world.mkdir("ro/new"), FsError::ReadOnly),
        (
            "mkdir of what is there",
            world.mkdir("ro/dir"),
            FsError::Exist,
        ),
        (
            "mkdir by handle",
            vfs.create_dir_at(ro, "new"),
            FsError::ReadOnly,
        ),
        (
            "mkdir through a link",
            world.mkdir("workspace/to-dir/new"),
            FsError::ReadOnly,
        ),
        ("rmdir", world.rmdir("ro/dir"), FsError::ReadOnly),
        ("unlink", world.unlink("ro/file"), FsError::ReadOnly),
        (
            "unlink what is missing",
            world.unlink("ro/none"),
            FsError::NoEntry,
        ),
        (
            "rename within",
            world.rename("ro/file", "ro/other"),
            FsError::ReadOnly,
        ),
        (
            "rename out",
            world.rename("ro/file", "workspace/g"),
            FsError::ReadOnly,
        ),
        (
            "rename in",
            world.rename("workspace/f", "ro/file"),
            FsError::ReadOnly,
        ),
        (
            "rename in through a link",
            world.rename("workspace/f", "workspace/to-dir/f"),
            FsError::ReadOnly,
        ),
        ("link", world.link("ro/file", "ro/other"), FsError::ReadOnly),
        (
            "link out",
            world.link("ro/file", "workspace/g"),
            FsError::CrossDevice,
        ),
        (
            "symlink",
            world.symlink("file", "ro/other"),
            FsError::ReadOnly,
        ),
        (
            "symlink through a link",
            world.symlink("file", "workspace/to-dir/x"),
            FsError::ReadOnly,
        ),
    ] {
        assert_eq!(result, Err(reason), "{what}");
    }
    assert_eq!(picture(&world.host("ro")), before);
    assert!(vfs.take_dirty().mount("/ro").is_none());
    // What only reads is allowed, also in words that could create.
    assert_eq!(
        open(
            root,
            "ro/file",
            OpenOptions {
                write: false,
                ..CREATE
            }
        ),
        Ok(())
    );
}

#[test]
fn handles_do_no_more_than_they_were_opened_for() {
    let world = World::new();
    world.write("workspace/f", "f").unwrap();
    let writer = world
        .file(
            "workspace/f",
            OpenOptions {
                read: false,
                ..WRITE
            },
        )
        .unwrap();
    let reader = world.file("workspace/f", READ).unwrap();
    assert_eq!(writer.read_at(&mut [0; 1], 0), Err(FsError::BadDescriptor));
    assert_eq!(reader.write_at(b"x", 0), Err(FsError::BadDescriptor));
    assert_eq!(reader.set_size(0), Err(FsError::BadDescriptor));
    assert_eq!(
        world.open("workspace", WRITE).err(),
        Some(FsError::IsDirectory)
    );
}

#[test]
fn modes_keep_what_the_host_needs_and_no_special_bits() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    world.write("workspace/f", "f").unwrap();
    world.mkdir("workspace/d").unwrap();
    for (path, mode, expected, on_host) in [
        ("workspace/f", 0o755, 0o755, 0o755),
        ("workspace/f", 0o6777, 0o777, 0o777),
        ("workspace/f", 0, 0, 0o1400),
        ("workspace/d", 0, 0, 0o5700),
        ("workspace/d", 0o555, 0o555, 0o4755),
    ] {
        world
            .vfs
            .set_mode_at(&world.root, path, true, mode)
            .unwrap();
        let stat = world.vfs.stat_at(&world.root, path, true, &NoFds).unwrap();
        assert_eq!(stat.mode, expected, "{path} {mode:o}");
        let host = std::fs::metadata(world.host(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777;
        assert_eq!(host, on_host, "{path} {mode:o}");
    }
}

#[test]
fn the_owner_may_do_what_the_mode_says() {
    let world = World::new();
    let chmod = |path: &str, mode| world.vfs.set_mode_at(&world.root, path, true, mode);
    world.mkdir("workspace/dir").unwrap();
    world.write("workspace/dir/file", "text").unwrap();

    chmod("workspace/dir/file", 0o444).unwrap();
    assert_eq!(world.write("workspace/dir/file", "x"), Err(FsError::Access));
    assert_eq!(world.read("workspace/dir/file").unwrap(), "text");
    chmod("workspace/dir/file", 0).unwrap();
    assert_eq!(world.read("workspace/dir/file"), Err(FsError::Access));
    let stat = world
        .vfs
        .stat_at(&world.root, "workspace/dir/file", true, &NoFds);
    assert_eq!(stat.unwrap().mode, 0);
    assert_eq!(
        std::fs::read_to_string(world.host("workspace/dir/file")).unwrap(),
        "text",
        "the host can read it whoever it runs as"
    );

    chmod("workspace/dir", 0o555).unwrap();
    assert_eq!(world.unlink("workspace/dir/file"), Err(FsError::Access));
    assert_eq!(world.mkdir("workspace/dir/new"), Err(FsError::Access));
    assert_eq!(world.mkdir("workspace/dir/file"), Err(FsError::Exist));
    assert_eq!(world.write("workspace/dir/new", ""), Err(FsError::Access));
    assert_eq!(
        world.rename("workspace/dir/file", "workspace/file"),
        Err(FsError::Access)
    );
    assert_eq!(world.names("workspace/dir"), ["file"]);
    chmod("workspace/dir", 0).unwrap();
    assert_eq!(
        world.open("workspace/dir", READ).err(),
        Some(FsError::Access)
    );
    chmod("workspace/dir", 0o700).unwrap();
    world.unlink("workspace/dir/file").unwrap();

    let unreadable = OpenOptions {
        mode: 0,
        ..TRUNCATE
    };
    let file = world.file("workspace/dir/file", unreadable).unwrap();
    file.write_at(b"new", 0).unwrap();
    assert_eq!(world.read("workspace/dir/file"), Err(FsError::Access));
}
