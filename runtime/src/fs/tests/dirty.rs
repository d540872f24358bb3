//! The dirty set names true paths, whatever way led to them.

use super::*;
use crate::fs::Dirt;

/// The marks as "mount:path", with "/" behind those that stand for a subtree.
fn marks(world: &World) -> Vec<String> {
    let taken = world.vfs.take_dirty();
    let mut lines = Vec::new();
    for (mount, dirty) in taken.iter() {
        for (path, dirt) in &dirty.marks {
            let slash = if *dirt == Dirt::Subtree { "/" } else { "" };
            lines.push(format!("{mount}:{}{slash}", path.display()));
        }
        lines.extend(
            dirty
                .hard_linked
                .iter()
                .map(|_| format!("{mount}:by inode")),
        );
    }
    lines
}

#[test]
fn every_operation_marks_the_true_path() {
    let world = World::new();
    world.mkdir("workspace/d").unwrap();
    world.mkdir("workspace/d/e").unwrap();
    world.write("workspace/d/f", "f").unwrap();
    world.symlink("d", "workspace/rel").unwrap();
    world.symlink("/workspace/d", "tmp/abs").unwrap();
    world
        .symlink("/workspace/d/dangling", "tmp/to-new")
        .unwrap();
    let _ = world.vfs.take_dirty();
    let at = |path: &str| world.open(path, READ).unwrap();
    type Change<'c> = &'c dyn Fn() -> Result<(), FsError>;
    let cases: &[(&str, Change<'_>, &[&str])] = &[
        ("reading", &|| world.read("workspace/d/f").map(|_| ()), &[]),
        (
            "a failed change",
            &|| world.unlink("workspace/none").or(Ok(())),
            &[],
        ),
        (
            "open for writing",
            &|| world.file("workspace/d/f", WRITE).map(|_| ()),
            &["/workspace:d/f"],
        ),
        (
            "through a relative link",
            &|| world.write("workspace/rel/f", "x"),
            &["/workspace:d/f"],
        ),
        (
            "through an absolute link",
            &|| world.write("tmp/abs/f", "x"),
            &["/workspace:d/f"],
        ),
        (
            "by `..`",
            &|| world.write("workspace/d/e/../f", "x"),
            &["/workspace:d/f"],
        ),
        (
            "by `..` through a link",
            &|| world.write("workspace/rel/e/../f", "x"),
            &["/workspace:d/f"],
        ),
        (
            "by a handle",
            &|| {
                world
                    .vfs
                    .open_at(&at("workspace/d"), "f", WRITE, &NoFds)
                    .map(|_| ())
            },
            &["/workspace:d/f"],
        ),
        (
            "created through a dangling link",
            &|| world.write("tmp/to-new", "x"),
            &["/workspace:d/dangling"],
        ),
        (
            "created only to be read",
            &|| {
                world
                    .file(
                        "tmp/abs/r",
                        OpenOptions {
                            write: false,
                            ..CREATE
                        },
                    )
                    .map(|_| ())
            },
            &["/workspace:d/r"],
        ),
        (
            "mkdir",
            &|| world.mkdir("workspace/rel/new"),
            &["/workspace:d/new/"],
        ),
        (
            "mkdir by a handle",
            &|| world.vfs.create_dir_at(&at("workspace/rel"), "new2"),
            &["/workspace:d/new2/"],
        ),
        (
            "rmdir",
            &|| world.rmdir("tmp/abs/new"),
            &["/workspace:d/new"],
        ),
        (
            "symlink",
            &|| world.symlink("x", "workspace/rel/l"),
            &["/workspace:d/l"],
        ),
        ("times", &|| world.touch("tmp/abs/f"), &["/workspace:d/f"]),
        (
            "mode",
            &|| {
                world
                    .vfs
                    .set_mode_at(&world.root, "workspace/rel/f", true, 0o600)
            },
            &["/workspace:d/f"],
        ),
        (
            "hard link",
            &|| world.link("workspace/d/f", "workspace/rel/g"),
            &["/workspace:d/g"],
        ),
        (
            "open one of two names",
            &|| world.file("workspace/d/g", WRITE).map(|_| ()),
            &["/workspace:d/g", "/workspace:by inode"],
        ),
        (
            "unlink",
            &|| world.unlink("workspace/rel/g"),
            &["/workspace:d/g"],
        ),
        (
            "rename",
            &|| world.rename("workspace/rel/f", "workspace/h"),
            &["/workspace:d/f", "/workspace:h/"],
        ),
        (
            "rename of a directory",
            &|| world.rename("workspace/d", "workspace/moved"),
            &["/workspace:d", "/workspace:moved/"],
        ),
        (
            "rename between mounts",
            &|| world.rename("workspace/h", "tmp/h"),
            &["/tmp:h/", "/workspace:h"],
        ),
    ];
    for (what, change, expected) in cases {
        change().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(marks(&world), *expected, "{what}");
    }
}

#[test]
fn handles_know_where_their_directory_has_gone() {
    let world = World::new();
    world.mkdir("workspace/a").unwrap();
    let dir = world.open("workspace/a", READ).unwrap();
    let file = world.file("workspace/a/f", CREATE).unwrap();
    world.rename("workspace/a", "workspace/b").unwrap();
    let _ = world.vfs.take_dirty();
    // Nothing but the write happens, through a handle opened under the old name.
    file.append(b"x").unwrap();
    assert_eq!(marks(&world), ["/workspace:b/f"]);
    world.vfs.create_dir_at(&dir, "new").unwrap();
    assert_eq!(marks(&world), ["/workspace:b/f", "/workspace:b/new/"]);
    drop(file);
    assert_eq!(
        marks(&world),
        ["/workspace:b/f"],
        "what was written since the last time"
    );
    assert_eq!(marks(&world), [""; 0]);
}

#[test]
fn an_open_file_without_its_name_is_found_by_inode() {
    let world = World::new();
    let file = world.file("workspace/a", CREATE).unwrap();
    world.link("workspace/a", "workspace/b").unwrap();
    world.unlink("workspace/a").unwrap();
    let _ = world.vfs.take_dirty();
    file.append(b"x").unwrap();
    assert!(marks(&world).contains(&"/workspace:by inode".to_owned()));
    world.unlink("workspace/b").unwrap();
    let _ = world.vfs.take_dirty();
    file.append(b"x").unwrap();
    assert_eq!(
        marks(&world),
        [""; 0],
        "without any name there is nothing to snapshot"
    );
}

#[test]
fn a_mount_moved_on_the_host_is_still_found() {
    let world = World::new();
    world.mkdir("workspace/d").unwrap();
    std::fs::rename(world.host("workspace"), world.host("elsewhere")).unwrap();
    let _ = world.vfs.take_dirty();
    world.write("workspace/d/../f", "x").unwrap();
    assert_eq!(marks(&world), ["/workspace:f"]);
}

#[test]
fn too_many_marks_become_one() {
    let mut set = crate::fs::DirtySet::default();
    for number in 0..70_000 {
        set.mark("/workspace", PathBuf::from(number.to_string()), Dirt::Entry);
    }
    set.mark("/workspace", PathBuf::from("x"), Dirt::Entry);
    let dirty = set.mount("/workspace").unwrap();
    assert!(dirty.is_whole());
    assert_eq!(dirty.marks.len(), 1);
}
