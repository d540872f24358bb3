//! The order and the bounds of a walk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::os::unix::fs::symlink;

use super::*;
use crate::sandbox::Sandbox;

fn names(sandbox: &Sandbox, next: impl Fn(&Entry<'_>) -> Next) -> (Vec<String>, Ended) {
    let mut names = Vec::new();
    let root = sandbox.path("");
    let ended = walk(&root, &Rules::none(), |entry| {
        let name = entry.path.strip_prefix(&root).unwrap().to_str().unwrap();
        names.push(format!("{name} {:?} {}", entry.kind, entry.depth));
        next(entry)
    });
    (names, ended.unwrap())
}

#[test]
fn entries_come_in_the_order_of_names_and_links_are_not_followed() {
    let sandbox = Sandbox::with(&[("b/c", b""), ("b/.d", b""), ("a", b""), ("e/", b"")]);
    symlink("..", sandbox.path("b/up")).unwrap();
    symlink("/", sandbox.path("root")).unwrap();
    let everything = [
        "a File 1",
        "b Folder 1",
        "b/.d File 2",
        "b/c File 2",
        "b/up Link 2",
        "e Folder 1",
        "root Link 1",
    ];
    assert_eq!(
        names(&sandbox, |_| Next::Enter),
        (everything.map(str::to_owned).to_vec(), Ended::Complete)
    );
    let top = ["a File 1", "b Folder 1", "e Folder 1", "root Link 1"];
    assert_eq!(
        names(&sandbox, |_| Next::Pass),
        (top.map(str::to_owned).to_vec(), Ended::Complete)
    );
    let (seen, ended) = names(&sandbox, |entry| {
        if entry.depth == 2 {
            Next::Stop
        } else {
            Next::Enter
        }
    });
    assert_eq!((seen.len(), ended), (3, Ended::Stopped));
}

#[test]
fn a_walk_ends_at_its_limit_and_says_so() {
    let sandbox = Sandbox::with(&[]);
    for number in 0..=WALK_ENTRIES_MAX {
        // Links to nowhere are the cheapest entries to make.
        symlink("x", sandbox.path(&format!("l{number}"))).unwrap();
    }
    let (seen, ended) = names(&sandbox, |_| Next::Enter);
    assert_eq!((seen.len(), ended), (WALK_ENTRIES_MAX, Ended::AtLimit));
    assert_eq!(
        limit_note(ended).unwrap(),
        "[stopped after 50000 entries; narrow the path]"
    );
    fs::remove_file(sandbox.path("l0")).unwrap();
    assert_eq!(names(&sandbox, |_| Next::Enter).1, Ended::Complete);
}

#[test]
fn a_root_that_cannot_be_listed_is_an_error_and_a_vanished_folder_is_not() {
    let sandbox = Sandbox::with(&[("a/x", b""), ("b", b"")]);
    assert!(walk(&sandbox.path("nowhere"), &Rules::none(), |_| Next::Enter).is_err());
    let (seen, ended) = names(&sandbox, |entry| {
        if entry.kind == Kind::Folder {
            fs::remove_dir_all(entry.path).unwrap();
        }
        Next::Enter
    });
    assert_eq!(
        (seen.join(", ").as_str(), ended),
        ("a Folder 1, b File 1", Ended::Complete)
    );
}
