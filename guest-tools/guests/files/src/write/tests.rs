//! What `write` answers and leaves behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::sandbox::Sandbox;

#[test]
fn writes_whole_files_and_their_folders() {
    let sandbox = Sandbox::with(&[("old.txt", b"a longer text"), ("src/", b"")]);
    for (path, content, expected) in [
        ("new.txt", "hi\n", "wrote 3 bytes to new.txt"),
        ("old.txt", "short", "wrote 5 bytes to old.txt"),
        ("a/b/c.txt", "deep", "wrote 4 bytes to a/b/c.txt"),
        (
            "./src/../src/x",
            "r\r\n\u{feff}",
            "wrote 6 bytes to ./src/../src/x",
        ),
        ("umlaut", "ä", "wrote 2 bytes to umlaut"),
        ("empty", "", "wrote 0 bytes to empty"),
    ] {
        assert_eq!(
            sandbox.shown(write(&sandbox.workdir(), path, content)),
            expected
        );
        assert_eq!(sandbox.bytes(path), content.as_bytes(), "{path}");
    }
    for (path, expected) in [
        ("", "error: write: file_path must not be empty"),
        ("src", "error: write: src: is a directory"),
        ("old.txt/x", "error: write: old.txt/x: not a directory"),
        ("old.txt/x/y", "error: write: old.txt/x/y: not a directory"),
        ("a\0b", "error: write: a\0b: invalid path"),
    ] {
        assert_eq!(
            sandbox.shown(write(&sandbox.workdir(), path, "x")),
            expected
        );
    }
    assert_eq!(sandbox.bytes("old.txt"), b"short");
}

#[test]
fn an_existing_file_keeps_its_mode_and_its_links() {
    let sandbox = Sandbox::with(&[("run.sh", b"old")]);
    fs::set_permissions(sandbox.path("run.sh"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("run.sh", sandbox.path("link")).unwrap();
    write(&sandbox.workdir(), "link", "new").unwrap();
    assert_eq!(sandbox.bytes("run.sh"), b"new");
    assert!(
        fs::symlink_metadata(sandbox.path("link"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(
        fs::metadata(sandbox.path("run.sh"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o750
    );
}
