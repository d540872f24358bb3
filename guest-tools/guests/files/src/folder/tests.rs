//! What a walk relies on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io::Read as _;
use std::os::unix::fs::symlink;

use super::*;
use crate::sandbox::Sandbox;

#[test]
fn a_start_says_whether_it_is_the_whole_file() {
    let sandbox = Sandbox::with(&[("four", b"1234")]);
    let folder = Folder::open(&sandbox.path("")).unwrap();
    for (size, is_whole) in [(3, false), (4, true), (5, true)] {
        let mut file = folder.file(OsStr::new("four")).unwrap();
        let (mut bytes, end) = file.start(size).unwrap();
        assert_eq!(end, is_whole, "{size}");
        assert!(bytes.len() >= size.min(4));
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"1234", "{size}");
    }
}

#[test]
fn listings_are_bounded_and_children_are_no_links() {
    let sandbox = Sandbox::with(&[("b", b"x"), ("a/x", b""), ("c", b"")]);
    symlink("b", sandbox.path("file")).unwrap();
    symlink("a", sandbox.path("folder")).unwrap();
    let folder = Folder::open(&sandbox.path("folder/..")).unwrap();
    let names: Vec<_> = folder
        .entries(9)
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["a", "b", "c", "file", "folder"]);
    assert_eq!(folder.entries(2).unwrap().len(), 2);
    assert!(folder.folder(OsStr::new("a")).is_ok() && folder.folder(OsStr::new("folder")).is_err());
    assert!(folder.file(OsStr::new("b")).is_ok() && folder.file(OsStr::new("file")).is_err());
}
