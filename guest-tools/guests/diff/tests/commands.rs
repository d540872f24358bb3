//! What diff3, sdiff and patch print and return, as GNU's do. Messages are part of the output.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![cfg(unix)]

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Runs a line (words at blanks) and returns status and output.
fn output(folder: &Path, line: &str) -> String {
    let mut words = line.split(' ');
    let log = fs::File::create(folder.join("log")).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_diff"))
        .arg0(words.next().unwrap())
        .args(words)
        .current_dir(folder)
        .env_clear()
        .envs([("TZ", "UTC"), ("LANG", "C.UTF-8")])
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .status()
        .unwrap();
    let text = fs::read_to_string(folder.join("log")).unwrap();
    format!("{} {text}", status.code().unwrap())
}

#[test]
fn commands_do_as_gnu() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("old", "1\n2\n3\n4\n5\n");
    write("mine", "1\ntwo\n3\n4\n5\n");
    write("yours", "1\nTWO\n3\n4\n5\n6\n");
    write("p", "--- old\n+++ old\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n");
    write(
        "far",
        "--- old\n+++ old\n@@ -11,3 +11,3 @@\n 3\n 4\n-5\n+five\n",
    );
    write("new", "--- /dev/null\n+++ b/d/n\n@@ -0,0 +1 @@\n+n\n");
    write("out", "--- old\n+++ ../x\n@@ -1 +1 @@\n-1\n+2\n");
    // Each line is run after those above it.
    for (line, expected) in [
        (
            "diff -y -W 20 old mine",
            "1 1\t1\n2     |\ttwo\n3\t3\n4\t4\n5\t5\n",
        ),
        (
            "diff -D X old mine",
            "1 1\n#ifndef X\n2\n#else /* X */\ntwo\n#endif /* X */\n3\n4\n5\n",
        ),
        (
            "diff3 -m mine old yours",
            "1 1\n<<<<<<< mine\ntwo\n||||||| old\n2\n=======\nTWO\n>>>>>>> yours\n3\n4\n5\n6\n",
        ),
        ("diff3 -3 mine old yours", "0 5a\n6\n.\n"),
        ("sdiff -s -w 20 old mine", "1 2     |\ttwo\n"),
        ("patch --dry-run old p", "0 checking file old\n"),
        ("patch old p", "0 patching file old\n"),
        ("cmp old mine", "0 "),
        (
            "patch -N old p",
            "1 patching file old\nReversed (or previously applied) patch detected!  Skipping patch.\n\
             1 out of 1 hunk ignored -- saving rejects to file old.rej\n",
        ),
        ("patch -R old p", "0 patching file old\n"),
        (
            "patch old far",
            "0 patching file old\nHunk #1 succeeded at 3 (offset -8 lines).\n",
        ),
        ("patch -p1 -i new", "0 patching file d/n\n"),
        (
            "patch yours far",
            "1 patching file yours\nHunk #1 FAILED at 11.\n1 out of 1 hunk FAILED -- saving rejects to file yours.rej\n",
        ),
        ("patch -p0 -i out", "0 patching file old\n"),
    ] {
        if line == "patch yours far" {
            write("yours", "other\n");
        }
        assert_eq!(output(folder.path(), line), expected, "{line}");
    }
}
