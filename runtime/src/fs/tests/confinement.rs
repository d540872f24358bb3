//! Attacks: each must fail, with the reason it must fail, and leave the host outside the mounts untouched.

use super::*;

/// What an attacker tries, and how it must end.
type Attack = (&'static str, fn(&World) -> Result<(), FsError>, FsError);

fn ignore<T>(result: Result<T, FsError>) -> Result<(), FsError> {
    result.map(|_| ())
}

#[test]
fn attacks_fail_for_the_right_reason() {
    use FsError::*;
    let attacks: &[Attack] = &[
        (
            "`..` above the root stays at the root",
            |w| ignore(w.read("../../outside/secret")),
            NoEntry,
        ),
        (
            "`..` out of a mount stays in the guest's tree",
            |w| ignore(w.read("workspace/../outside/secret")),
            NoEntry,
        ),
        (
            "`..` behind a directory too",
            |w| ignore(w.read("workspace/d/../../outside/secret")),
            NoEntry,
        ),
        (
            "relative link outside is read in the guest's tree",
            |w| ignore(w.read("workspace/rel")),
            NoEntry,
        ),
        (
            "absolute link outside too",
            |w| ignore(w.read("workspace/abs")),
            NoEntry,
        ),
        (
            "link to a directory outside, as a way",
            |w| ignore(w.read("workspace/out/secret")),
            NoEntry,
        ),
        (
            "creating behind a link outside",
            |w| w.write("workspace/out/new", "x"),
            NoEntry,
        ),
        (
            "writing through a link outside",
            |w| w.write("workspace/abs-missing", "x"),
            NoEntry,
        ),
        (
            "making a directory behind a link outside",
            |w| w.mkdir("workspace/out/new"),
            NoEntry,
        ),
        (
            "removing behind a link outside",
            |w| w.unlink("workspace/out/secret"),
            NoEntry,
        ),
        (
            "moving from outside",
            |w| w.rename("workspace/out/secret", "workspace/mine"),
            NoEntry,
        ),
        (
            "moving to outside",
            |w| w.rename("workspace/file", "workspace/out/mine"),
            NoEntry,
        ),
        (
            "linking from outside",
            |w| w.link("workspace/out/secret", "workspace/mine"),
            NoEntry,
        ),
        (
            "linking to outside",
            |w| w.link("workspace/file", "workspace/out/mine"),
            NoEntry,
        ),
        (
            "linking what a link outside leads to",
            |w| {
                w.vfs.link_at(
                    (&w.root, "workspace/abs"),
                    true,
                    (&w.root, "workspace/mine"),
                )
            },
            NoEntry,
        ),
        (
            "changing the times outside",
            |w| w.touch("workspace/abs"),
            NoEntry,
        ),
        (
            "changing the mode outside",
            |w| w.vfs.set_mode_at(&w.root, "workspace/abs", true, 0o777),
            NoEntry,
        ),
        (
            "a stat through a trailing slash",
            |w| ignore(w.vfs.stat_at(&w.root, "workspace/out/", false, &NoFds)),
            NoEntry,
        ),
        (
            "the host's magic links",
            |w| ignore(w.read("workspace/magic/etc/passwd")),
            NoEntry,
        ),
        (
            "a loop of links",
            |w| ignore(w.read("workspace/loop")),
            Loop,
        ),
        (
            "a loop of absolute links",
            |w| ignore(w.read("workspace/abs-loop")),
            Loop,
        ),
        (
            "another process's descriptor",
            |w| ignore(w.read("dev/fd/3")),
            NoEntry,
        ),
        (
            "a huge descriptor",
            |w| ignore(w.read("dev/fd/4294967296")),
            NoEntry,
        ),
        (
            "a descriptor by another spelling",
            |w| ignore(w.read("dev/fd/+0")),
            NoEntry,
        ),
        (
            "a FIFO, which would hold the thread",
            |w| ignore(w.read("workspace/fifo")),
            Unsupported,
        ),
        (
            "a FIFO for writing",
            |w| w.write("workspace/fifo", "x"),
            Unsupported,
        ),
        (
            "a name with a zero byte",
            |w| ignore(w.read("workspace/file\0/x")),
            Invalid,
        ),
        (
            "a path without end",
            |w| ignore(w.read(&"a/".repeat(3000))),
            NameTooLong,
        ),
        (
            "a name without end",
            |w| ignore(w.read(&format!("workspace/{}", "a".repeat(256)))),
            NameTooLong,
        ),
        ("removing a mount", |w| w.rmdir("workspace"), Busy),
        (
            "removing a mount by `..`",
            |w| w.rmdir("tmp/../workspace"),
            Busy,
        ),
        ("replacing a mount", |w| w.rename("tmp", "workspace"), Busy),
        (
            "moving onto a mount",
            |w| w.rename("workspace/d", "tmp"),
            Busy,
        ),
        (
            "a directory into another mount",
            |w| w.rename("workspace/d", "tmp/d"),
            CrossDevice,
        ),
        (
            "a link into another mount",
            |w| w.link("workspace/file", "tmp/file"),
            CrossDevice,
        ),
        (
            "a link to a directory",
            |w| w.link("workspace/d", "workspace/e"),
            NotPermitted,
        ),
        (
            "moving the only file out of a read-only mount",
            |w| w.rename("ro/file", "workspace/f"),
            ReadOnly,
        ),
        (
            "a hard link into a read-only mount's file",
            |w| w.link("ro/file", "ro/other"),
            ReadOnly,
        ),
        (
            "writing to a read-only mount through a link in a writable one",
            |w| w.write("workspace/to-ro", "x"),
            ReadOnly,
        ),
        (
            "making names in the virtual root",
            |w| w.mkdir("new"),
            ReadOnly,
        ),
        (
            "making files in the virtual root",
            |w| w.write("new", "x"),
            ReadOnly,
        ),
        (
            "making names among the devices",
            |w| w.symlink("x", "dev/new"),
            ReadOnly,
        ),
        ("removing a device", |w| w.unlink("dev/null"), ReadOnly),
        (
            "writing a virtual file",
            |w| w.write("etc/passwd", "x"),
            ReadOnly,
        ),
    ];
    let world = World::new();
    std::fs::create_dir(world.host("workspace/d")).unwrap();
    std::fs::write(world.host("workspace/file"), "mine").unwrap();
    world.host_link("../outside/secret", "workspace/rel");
    world.host_link(world.host("outside/secret"), "workspace/abs");
    world.host_link(world.host("outside/missing"), "workspace/abs-missing");
    world.host_link(world.host("outside"), "workspace/out");
    world.host_link("/proc/self/root", "workspace/magic");
    world.host_link("loop", "workspace/loop");
    world.host_link("/workspace/abs-loop", "workspace/abs-loop");
    world.host_link("/ro/file", "workspace/to-ro");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.host("workspace/fifo"),
        rustix::fs::FileType::Fifo,
        0o666.into(),
        0,
    )
    .unwrap();
    let before = (picture(&world.host("outside")), picture(&world.host("ro")));
    for (what, attack, reason) in attacks {
        assert_eq!(attack(&world), Err(*reason), "{what}");
    }
    assert_eq!(
        (picture(&world.host("outside")), picture(&world.host("ro"))),
        before
    );
    assert_eq!(world.vfs.usage().handles, 0, "no handle is left open");
    assert_eq!(
        world.vfs.usage().inodes,
        0,
        "nothing that failed is charged"
    );
}

#[test]
fn a_handle_confines_what_starts_at_it() {
    let world = World::new();
    world.mkdir("workspace/d").unwrap();
    world.mkdir("workspace/d/e").unwrap();
    world.write("workspace/up", "up").unwrap();
    world.write("workspace/d/in", "in").unwrap();
    world.symlink("../up", "workspace/d/rel").unwrap();
    world.symlink("/workspace/d/in", "workspace/d/abs").unwrap();
    world.symlink("in", "workspace/d/near").unwrap();
    for (base, path, expected) in [
        ("workspace/d", "in", Ok("in")),
        ("workspace/d", "near", Ok("in")),
        ("workspace/d", "e/../in", Ok("in")),
        ("workspace/d", "../up", Err(FsError::NotPermitted)),
        ("workspace/d", "e/../../up", Err(FsError::NotPermitted)),
        ("workspace/d", "rel", Err(FsError::NotPermitted)),
        ("workspace/d", "abs", Err(FsError::NotPermitted)),
        ("workspace/d", "/workspace/up", Err(FsError::NotPermitted)),
        ("workspace", "../ro/file", Err(FsError::NotPermitted)),
        ("dev", "../ro/file", Err(FsError::NotPermitted)),
        ("dev", "/ro/file", Err(FsError::NotPermitted)),
        // The same links are fine on the way from the root.
        (".", "workspace/d/rel", Ok("up")),
        (".", "/workspace/d/abs", Ok("in")),
    ] {
        let handle = world.open(base, READ).unwrap();
        let read = world.read_from(&handle, path);
        assert_eq!(
            read.as_deref(),
            expected.as_ref().map(|text| *text),
            "{path} from {base}"
        );
        let handle = world.open(base, READ).unwrap();
        if let Err(FsError::NotPermitted) = expected {
            let made = world.vfs.create_dir_at(&handle, &format!("{path}/new"));
            assert_eq!(
                made,
                Err(FsError::NotPermitted),
                "mkdir in {path} from {base}"
            );
        }
    }
}
