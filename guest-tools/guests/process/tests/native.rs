//! The native backend keeps the promises of the interface: nothing blocks, children get exactly what is said.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::time::{Duration, Instant};

use process::{
    Command, Contents, Errno, Event, Folder, Kind, OpenHow, Program, Status, Stdio, Stream, Whence,
    chmod, mkfifo, open, pipe, spawn, stat, wait,
};

fn shell(script: &str) -> Program {
    let mut program = Program::new("sh");
    program.arg("-c").arg(script);
    program
}

#[test]
fn a_pipe_says_again_instead_of_blocking() {
    let (reader, writer) = pipe().unwrap();
    assert_eq!(reader.read(10), Err(Errno::Again));
    let mut written = 0;
    let full = loop {
        match writer.write(&[b'x'; 100_000]) {
            Ok(count) => written += count,
            Err(error) => break error,
        }
    };
    assert_eq!((full, written), (Errno::Again, 65_536));
    assert_eq!(
        wait(&[Event::Writable(&writer), Event::Readable(&reader)], None),
        [1]
    );
    drop(writer);
    assert_eq!(reader.read_to_end_blocking().unwrap().len(), 65_536);
    assert_eq!(reader.read(10), Ok(Vec::new()));
}

#[test]
fn duplicates_share_the_offset() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let path = process::path_bytes(&path);
    let file = open(
        path,
        OpenHow {
            read: true,
            ..OpenHow::WRITE
        },
        0o640,
    )
    .unwrap();
    file.write_all_blocking(b"0123456789").unwrap();
    assert_eq!(file.seek(2, Whence::Start), Ok(2));
    let other = file.duplicate().unwrap();
    assert_eq!(file.read(3).unwrap(), b"234");
    assert_eq!(other.read(3).unwrap(), b"567");
    file.set_size(4).unwrap();
    chmod(path, 0o4751).unwrap();
    let found = stat(path, true).unwrap();
    assert_eq!(
        (found.kind, found.mode, found.size),
        (Kind::Regular, 0o4751, 4)
    );
    assert_eq!(
        open(
            path,
            OpenHow {
                exclusive: true,
                ..OpenHow::WRITE
            },
            0
        )
        .unwrap_err(),
        Errno::Exists
    );
    assert_eq!(
        stat(b"/no/such", true).unwrap_err().to_string(),
        "No such file or directory"
    );
    let fifo = [path, b".fifo"].concat();
    mkfifo(&fifo, 0o600).unwrap();
    assert_eq!(
        open(
            &fifo,
            OpenHow {
                create: false,
                truncate: false,
                ..OpenHow::WRITE
            },
            0
        )
        .unwrap_err(),
        Errno::NoDevice
    );
    let end = open(&fifo, OpenHow::READ, 0).unwrap();
    assert_eq!(end.stat().unwrap().kind, Kind::Fifo);
}

#[test]
fn a_child_gets_exactly_what_is_said() {
    let (reader, writer) = pipe().unwrap();
    let script = b"umask; pwd; echo $0 $1 $X; kill -s INT $$; [ -e /proc/self/fd/0 ] || echo closed; echo seven >&7";
    let child = spawn(&Command {
        program: b"/bin/sh",
        arguments: vec![b"name", b"-c", script, b"zero", b"one two"],
        environment: vec![(b"X", b"x y")],
        directory: b"/usr",
        descriptors: vec![(1, &writer), (7, &writer), (2, &writer)],
        group: Some(0),
        umask: 0o27,
        ignored: 1 << process::signal::INT,
    })
    .unwrap();
    drop(writer);
    let text = String::from_utf8(reader.read_to_end_blocking().unwrap()).unwrap();
    assert_eq!(text, "0027\n/usr\nzero one two x y\nclosed\nseven\n");
    assert_eq!(wait(&[Event::Changed(&child)], None), [0]);
    assert_eq!(child.status(), Some(Status::Exited(0)));
}

#[test]
fn what_cannot_be_run_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "echo by sh \"$@\"").unwrap();
    let path = process::path_bytes(&plain);
    let status = |path: &[u8]| Program::new(path).stdout(Stdio::Null).status();
    assert_eq!(status(path), Err(Errno::Access));
    chmod(path, 0o755).unwrap();
    assert_eq!(
        Program::new(path).arg("a b").output().unwrap().stdout,
        b"by sh a b\n"
    );
    assert_eq!(status(b"/usr"), Err(Errno::IsDirectory));
    assert_eq!(status(b"no-such-program"), Err(Errno::NoEntry));
    assert_eq!(status(b"/no/such"), Err(Errno::NoEntry));
}

#[test]
fn programs_talk_through_pipes() {
    let input = vec![b'x'; 300_000];
    let mut cat = Program::new("cat");
    let output = cat.stdin(Stdio::Piped).output_of(&input).unwrap();
    assert_eq!(
        (output.status, output.stdout == input),
        (Status::Exited(0), true)
    );
    let output = shell("echo $A$B; pwd; echo e >&2; exit 3")
        .env("A", "1")
        .env_remove("B")
        .dir("/usr")
        .output()
        .unwrap();
    assert_eq!(
        (
            output.status.code(),
            output.stdout.as_slice(),
            output.stderr.as_slice()
        ),
        (3, &b"1\n/usr\n"[..], &b"e\n"[..])
    );
}

#[test]
fn a_child_stops_goes_on_and_is_killed() {
    // A shell between vfork and exec does not stop before its child ran, and the group's signal stops that too. So
    // it says when it starts nothing any more.
    let mut running = shell("echo ready; read line")
        .stdin(Stdio::Piped)
        .stdout(Stdio::Piped)
        .group(0)
        .spawn()
        .unwrap();
    let pid = i32::try_from(running.pid()).unwrap();
    let mut stdout = Stream(running.stdout.take().unwrap());
    stdout.read_exact(&mut [0; 6]).unwrap();
    process::kill(-pid, process::signal::STOP).unwrap();
    assert_eq!(wait(&[Event::Changed(&running.child)], None), [0]);
    assert_eq!(
        running.child.status(),
        Some(Status::Stopped(process::signal::STOP))
    );
    process::kill(-pid, process::signal::CONT).unwrap();
    let start = Instant::now();
    while running.child.status().is_some() && start.elapsed() < Duration::from_secs(5) {}
    assert_eq!(running.child.status(), None);
    assert!(
        wait(
            &[Event::Changed(&running.child)],
            Some(Duration::from_millis(30))
        )
        .is_empty()
    );
    process::kill(-pid, process::signal::TERM).unwrap();
    assert_eq!(running.wait(), Status::Signaled(process::signal::TERM));
    assert_eq!(process::kill(pid, 0), Err(Errno::NoProcess));
}

#[test]
fn folders_and_files_are_read_as_std_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::os::unix::fs::symlink("sub", folder.path().join("link")).unwrap();
    let content: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
    std::fs::write(folder.path().join("file"), &content).unwrap();

    let path = process::path_bytes(folder.path());
    for with_stats in [false, true] {
        let listed: Result<Vec<_>, Errno> = Folder::open(path, with_stats).unwrap().collect();
        let mut listed = listed.unwrap();
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        let kinds: Vec<_> = listed
            .iter()
            .map(|one| (one.name.as_bytes(), one.kind))
            .collect();
        let expected: [(&[u8], Kind); 3] = [
            (b"file", Kind::Regular),
            (b"link", Kind::Symlink),
            (b"sub", Kind::Directory),
        ];
        assert_eq!(kinds, expected);
        for one in &listed {
            let path = folder.path().join(&one.name);
            let alone = with_stats.then(|| stat(process::path_bytes(&path), false));
            assert_eq!(one.stat, alone);
        }
    }
    for piece in [1, 1000, 1 << 20] {
        let mut all = Vec::new();
        let path = folder.path().join("file");
        let mut contents = Contents::open(process::path_bytes(&path), piece).unwrap();
        contents.read_to_end(&mut all).unwrap();
        assert!(all == content, "in pieces of {piece}");
    }
    let missing = folder.path().join("missing");
    let missing = process::path_bytes(&missing);
    assert_eq!(Folder::open(missing, false).unwrap_err(), Errno::NoEntry);
    assert_eq!(Contents::open(missing, 9).unwrap_err(), Errno::NoEntry);
    let mut contents = Contents::open(path, 9).unwrap();
    let refused = contents.read(&mut [0]).unwrap_err();
    assert_eq!(Errno::from(refused), Errno::IsDirectory);
}
