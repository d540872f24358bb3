//! What a search leaves out. Each case was compared with the list that `rg --files` 13 makes, except those of
//! Jujutsu folders and of a byte order mark, which only newer versions know.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use super::*;
use crate::sandbox::Sandbox;
use crate::walk::{Next, walk};

/// Checks which files a search from `from` reaches in a folder with `files`.
fn check(files: &[(&str, &str)], from: &str, expected: &str) {
    let files: Vec<_> = files
        .iter()
        .map(|(name, content)| (*name, content.as_bytes()))
        .collect();
    let sandbox = Sandbox::with(&files);
    let root = sandbox.path(from);
    let mut reached = Vec::new();
    walk(&root, &Rules::above(&root), |entry| {
        if entry.kind == Kind::File {
            reached.push(
                entry
                    .path
                    .strip_prefix(sandbox.path(""))
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        Next::Enter
    })
    .unwrap();
    assert_eq!(reached.join(" "), expected, "{files:?} from {from:?}");
}

#[test]
fn rules_hold_where_ripgrep_lets_them() {
    // Hidden entries, and git's rules only inside a repository.
    check(
        &[
            ("a", ""),
            (".b", ""),
            (".c/d", ""),
            ("log", ""),
            (".gitignore", "log"),
        ],
        "",
        "a log",
    );
    check(
        &[("a", ""), ("log", ""), (".gitignore", "log"), (".git/", "")],
        "",
        "a",
    );
    check(
        &[
            ("a", ""),
            ("log", ""),
            (".gitignore", "log"),
            (".git", "gitdir: x"),
        ],
        "",
        "a",
    );
    check(
        &[("a", ""), ("log", ""), (".gitignore", "log"), (".jj/", "")],
        "",
        "a",
    );
    check(&[("a", ""), ("log", ""), (".ignore", "log")], "", "a");
    check(&[("a", ""), ("log", ""), (".rgignore", "log")], "", "a");
    check(
        &[("a", ""), ("log", ""), (".git/info/exclude", "log")],
        "",
        "a",
    );
    // Anchors, folders, negation, and a byte order mark.
    let git = (".git/", "");
    check(
        &[
            git,
            (".gitignore", "/out\n"),
            ("out/x", ""),
            ("src/out/y", ""),
        ],
        "",
        "src/out/y",
    );
    check(
        &[
            git,
            (".gitignore", "out/\n"),
            ("out/x", ""),
            ("src/out", ""),
        ],
        "",
        "src/out",
    );
    check(
        &[
            git,
            (".gitignore", "*.log\n!keep.log\n"),
            ("a.log", ""),
            ("keep.log", ""),
        ],
        "",
        "keep.log",
    );
    check(
        &[git, (".gitignore", "!.env\n"), (".env", ""), (".other", "")],
        "",
        ".env",
    );
    check(
        &[
            git,
            (".gitignore", "\u{feff}log\n# log2\n"),
            ("log", ""),
            ("log2", ""),
        ],
        "",
        "log2",
    );
    // Inner before outer, and one kind before the other.
    check(
        &[
            git,
            (".gitignore", "*.x"),
            ("d/.gitignore", "!a.x"),
            ("d/a.x", ""),
            ("d/b.x", ""),
        ],
        "",
        "d/a.x",
    );
    check(
        &[git, (".gitignore", "a"), (".ignore", "!a"), ("a", "")],
        "",
        "a",
    );
    check(
        &[(".ignore", "!a"), (".rgignore", "a"), ("a", ""), ("b", "")],
        "",
        "b",
    );
    // A repository inside another one does not hear the outer one's rules, except `.ignore`.
    let inner = [
        git,
        (".gitignore", "a"),
        (".ignore", "b"),
        ("in/.git/", ""),
        ("in/a", ""),
        ("in/b", ""),
        ("in/c", ""),
    ];
    check(&inner, "", "in/a in/c");
    check(&inner, "in", "in/a in/c");
    // Rules above the place where a search begins count; the place itself is never left out.
    check(
        &[git, (".gitignore", "log"), ("src/log", ""), ("src/a", "")],
        "src",
        "src/a",
    );
    check(
        &[git, (".gitignore", "/out"), ("out/a", "")],
        "out",
        "out/a",
    );
    check(&[(".hidden/a", "")], ".hidden", ".hidden/a");
    // What is no pattern excludes nothing.
    check(
        &[git, (".gitignore", "[z-a]\n\nlog"), ("log", ""), ("z", "")],
        "",
        "z",
    );
}
