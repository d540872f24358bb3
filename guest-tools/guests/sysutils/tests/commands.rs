//! What the programs print and return: as GNU coreutils 9.1 does for root, with the quotes that
//! C.UTF-8 has in messages. One case is ours alone: a user that is not the hand's cannot own anything.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// A small tree: files of known sizes, modes and times.
fn tree(folder: &Path) {
    fs::write(
        folder.join("fruit"),
        "banana 3\napple 10\ncherry 2\napple 10\n",
    )
    .unwrap();
    fs::write(folder.join("run.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(folder.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder.join("fruit"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir_all(folder.join("d/sub")).unwrap();
    fs::write(folder.join("d/sub/it's"), "x").unwrap();
    symlink("d/sub", folder.join("link")).unwrap();
    symlink("nowhere", folder.join("broken")).unwrap();
}

/// Runs `line` (words at blanks) in a fresh tree and returns status and output; messages are part of it.
fn output(folder: &Path, line: &str, input: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sysutils"))
        .args(&words)
        .current_dir(folder)
        .env_clear()
        .envs([
            ("USER", "root"),
            ("TZ", "UTC"),
            ("PATH", "/usr/bin:/bin"),
            ("TMPDIR", folder.to_str().unwrap()),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    format!("{} {text}", output.status.code().unwrap())
}

#[test]
fn commands_do_as_gnu() {
    // Each line is run after those above it, in one tree.
    let cases = [
        ("ls", "0 broken\nd\nfruit\nlink\nrun.sh\n"),
        ("ls -F", "0 broken@\nd/\nfruit\nlink@\nrun.sh*\n"),
        ("ls -m -p", "0 broken, d/, fruit, link, run.sh\n"),
        ("ls -C -w 20", "0 broken\tlink\nd\trun.sh\nfruit\n"),
        ("ls link d", "0 d:\nsub\n\nlink:\nit's\n"),
        (
            "ls -R --quoting-style=shell d",
            "0 d:\nsub\n\nd/sub:\n\"it's\"\n",
        ),
        (
            "ls none",
            "2 ls: cannot access 'none': No such file or directory\n",
        ),
        (
            "stat -c %A|%a|%s|%F|%U|%N fruit link",
            "0 -rw-r-----|640|36|regular file|root|'fruit'\nlrwxrwxrwx|777|5|symbolic link|root|'link' -> 'd/sub'\n",
        ),
        (
            "chmod -v u+x,g-r fruit",
            "0 mode of 'fruit' changed from 0640 (rw-r-----) to 0700 (rwx------)\n",
        ),
        (
            "chmod 999 fruit",
            "1 chmod: invalid mode: ‘999’\nTry 'chmod --help' for more information.\n",
        ),
        ("chown nobody fruit", "1 chown: invalid user: ‘nobody’\n"),
        (
            "cp fruit none/x",
            "1 cp: cannot create regular file 'none/x': No such file or directory\n",
        ),
        ("cp d x", "1 cp: -r not specified; omitting directory 'd'\n"),
        (
            "cp -av link run.sh d",
            "0 'link' -> 'd/link'\n'run.sh' -> 'd/run.sh'\n",
        ),
        (
            "stat -c %a|%F d/link d/run.sh",
            "0 777|symbolic link\n755|regular file\n",
        ),
        (
            "cp broken x",
            "1 cp: cannot stat 'broken': No such file or directory\n",
        ),
        (
            "cp -r d d/sub",
            "1 cp: cannot copy a directory, 'd', into itself, 'd/sub/d'\n",
        ),
        ("mv -v fruit d/sub", "0 renamed 'fruit' -> 'd/sub/fruit'\n"),
        (
            "mv d d/sub/y",
            "1 mv: cannot move 'd' to a subdirectory of itself, 'd/sub/y'\n",
        ),
        (
            "mkdir -pv -m 700 a/b",
            "0 mkdir: created directory 'a'\nmkdir: created directory 'a/b'\n",
        ),
        ("stat -c %a a a/b", "0 755\n700\n"),
        ("install -D -m 600 run.sh a/c/z", "0 "),
        ("stat -c %a a/c a/c/z", "0 755\n600\n"),
        ("test -x run.sh -a ! -x a/c/z", "0 "),
        ("env none", "127 env: ‘none’: No such file or directory\n"),
        ("timeout 9 false", "1 "),
        ("timeout 0.1 sleep 9", "124 "),
        ("tail -n 2 d/sub/fruit", "0 cherry 2\napple 10\n"),
        (
            "sort -k2,2nr -k1,1 -u d/sub/fruit",
            "0 apple 10\nbanana 3\ncherry 2\n",
        ),
        (
            "sort -c d/sub/fruit",
            "1 sort: d/sub/fruit:2: disorder: apple 10\n",
        ),
        (
            "tac d/sub/fruit",
            "0 apple 10\ncherry 2\napple 10\nbanana 3\n",
        ),
        ("du -b run.sh", "0 10\trun.sh\n"),
        ("uname -som", "0 Linux x86_64 GNU/Linux\n"),
        ("id -un", "0 root\n"),
    ];
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path());
    for (line, expected) in cases {
        let shown = output(folder.path(), line, "");
        assert_eq!(shown, expected, "{line}");
    }
}

#[test]
fn sort_spills_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let numbers: Vec<u64> = (0..700_000_u64)
        .map(|number| number * 7_919 % 1_000_003)
        .collect();
    let input: String = numbers
        .iter()
        .map(|number| format!("{number} some more text\n"))
        .collect();
    let mut sorted = numbers;
    sorted.sort_unstable();
    let expected: String = sorted
        .iter()
        .map(|number| format!("{number} some more text\n"))
        .collect();
    fs::write(folder.path().join("in"), input).unwrap();
    assert_eq!(output(folder.path(), "sort -n -S 1M -o out in", ""), "0 ");
    assert!(fs::read_to_string(folder.path().join("out")).unwrap() == expected);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "temporary files stay"
    );
}
