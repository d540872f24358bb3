//! The order and the bounds of a walk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::sandbox::Sandbox;

const COMPLETE: Walked = Walked {
    ended: Ended::Complete,
    unlisted: 0,
};

fn names(sandbox: &Sandbox, next: impl Fn(&Entry<'_>) -> Next) -> (Vec<String>, Walked) {
    let mut names = Vec::new();
    let root = sandbox.path("");
    let walked = walk(&root, &Rules::none(), |entry| {
        let name = entry.path.strip_prefix(&root).unwrap().to_str().unwrap();
        names.push(format!("{name} {:?} {}", entry.kind, entry.depth));
        next(entry)
    });
    (names, walked.unwrap())
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
        (everything.map(str::to_owned).to_vec(), COMPLETE)
    );
    let top = ["a File 1", "b Folder 1", "e Folder 1", "root Link 1"];
    assert_eq!(
        names(&sandbox, |_| Next::Pass),
        (top.map(str::to_owned).to_vec(), COMPLETE)
    );
    let (seen, walked) = names(&sandbox, |entry| {
        if entry.depth == 2 {
            Next::Stop
        } else {
            Next::Enter
        }
    });
    assert_eq!((seen.len(), walked.ended), (3, Ended::Stopped));
}

#[test]
fn a_walk_ends_at_its_limit_and_says_so() {
    let sandbox = Sandbox::with(&[("a", b""), ("b/c", b""), ("d", b"")]);
    for (entries_max, visited, ended) in [
        (2, 2, Ended::AtLimit),
        (3, 3, Ended::AtLimit),
        (4, 4, Ended::Complete),
    ] {
        let mut count = 0;
        let walked = walk_within(entries_max, &sandbox.path(""), &Rules::none(), |_| {
            count += 1;
            Next::Enter
        });
        assert_eq!(
            (count, walked.unwrap()),
            (visited, Walked { ended, unlisted: 0 })
        );
    }
    let notes = |ended, unlisted| Walked { ended, unlisted }.notes().collect::<Vec<_>>();
    assert_eq!(
        notes(Ended::AtLimit, 0),
        ["[stopped after 50000 entries; narrow the path]"]
    );
    assert_eq!(
        notes(Ended::Stopped, 2),
        ["[2 folder(s) could not be listed]"]
    );
    assert!(notes(Ended::Complete, 0).is_empty());
}

#[test]
fn a_root_that_cannot_be_listed_is_an_error_and_a_vanished_folder_is_counted() {
    let sandbox = Sandbox::with(&[("a/x", b""), ("b", b"")]);
    assert!(walk(&sandbox.path("nowhere"), &Rules::none(), |_| Next::Enter).is_err());
    let (seen, walked) = names(&sandbox, |entry| {
        if entry.kind == Kind::Folder {
            fs::remove_dir_all(entry.path).unwrap();
        }
        Next::Enter
    });
    assert_eq!(seen, ["a Folder 1", "b File 1"]);
    assert_eq!(
        walked,
        Walked {
            ended: Ended::Complete,
            unlisted: 1
        }
    );
}
