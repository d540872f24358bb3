//! What `edit` answers and leaves behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use super::*;
use crate::sandbox::Sandbox;

/// Edits a file that holds `before`, and checks the answer and what the file then holds.
fn check(before: &[u8], old: &str, new: &str, replace_all: bool, expected: &str, after: &[u8]) {
    let sandbox = Sandbox::with(&[("f.txt", before)]);
    let answer = sandbox.shown(edit(&sandbox.workdir(), "f.txt", old, new, replace_all));
    assert_eq!(answer, expected, "{old:?} -> {new:?}");
    assert_eq!(sandbox.bytes("f.txt"), after, "{old:?} -> {new:?}");
}

#[test]
fn text_is_replaced_and_everything_else_kept() {
    let one = "edited f.txt (1 replacement(s))";
    for (before, old, new, replace_all, expected, after) in [
        (&b"a b c"[..], "b", "B", false, one, &b"a B c"[..]),
        (b"a b c", "b", "B", true, one, b"a B c"),
        (
            b"a b b",
            "b",
            "x",
            true,
            "edited f.txt (2 replacement(s))",
            b"a x x",
        ),
        (
            b"aaaa",
            "aa",
            "b",
            true,
            "edited f.txt (2 replacement(s))",
            b"bb",
        ),
        (b"x.*y", ".*", "$1", false, one, b"x$1y"),
        (b"gone\nkept", "gone\n", "", false, one, b"kept"),
        (b"all", "all", "", false, one, b""),
        (
            b"\xef\xbb\xbfa\r\nb\r\n",
            "a\r\nb",
            "c",
            false,
            one,
            b"\xef\xbb\xbfc\r\n",
        ),
        (
            b"\xef\xbb\xbfa\r\nb\nc",
            "b",
            "B",
            false,
            one,
            b"\xef\xbb\xbfa\r\nB\nc",
        ),
        (b"nul \0 here", "nul", "n", false, one, b"n \0 here"),
        (
            "\u{e4}\u{f6}".as_bytes(),
            "\u{f6}",
            "o",
            false,
            one,
            "\u{e4}o".as_bytes(),
        ),
    ] {
        check(before, old, new, replace_all, expected, after);
    }
}

#[test]
fn a_refused_edit_changes_nothing() {
    for (before, old, new, replace_all, expected) in [
        (
            &b"a b"[..],
            "z",
            "x",
            false,
            "error: edit: old_string not found in f.txt",
        ),
        (
            b"a b",
            "z",
            "x",
            true,
            "error: edit: old_string not found in f.txt",
        ),
        (
            b"",
            "z",
            "x",
            false,
            "error: edit: old_string not found in f.txt",
        ),
        (
            b"b b b",
            "b",
            "x",
            false,
            "error: edit: old_string appears 3 times in f.txt (must be unique)",
        ),
        (
            b"a",
            "",
            "x",
            false,
            "error: edit: old_string must not be empty",
        ),
        (
            b"a",
            "a",
            "a",
            false,
            "error: edit: old_string and new_string are the same",
        ),
        (
            b"a\r\nb",
            "a\nb",
            "x",
            false,
            "error: edit: old_string not found in f.txt (the file's lines end in \\r\\n, those of old_string in \\n)",
        ),
        (
            b"\xff a",
            "a",
            "b",
            false,
            "error: edit: f.txt: not valid UTF-8 text (cannot edit binary files)",
        ),
    ] {
        check(before, old, new, replace_all, expected, before);
    }
}

#[test]
fn only_existing_files_of_bounded_size_are_edited() {
    let limit = EDIT_BYTES_MAX as usize;
    let sandbox = Sandbox::with(&[
        ("src/", b""),
        ("over", &vec![b'x'; limit + 1]),
        ("grows", &vec![b'x'; limit / 2]),
    ]);
    for (path, new, expected) in [
        ("", "y", "error: edit: file_path must not be empty"),
        (
            "nowhere",
            "y",
            "error: edit: nowhere: no such file or directory",
        ),
        ("src", "y", "error: edit: src: is a directory"),
        (
            "over",
            "y",
            "error: edit: over is 16777217 bytes, exceeds 16777216-byte limit",
        ),
        (
            "grows",
            "yyy",
            "error: edit: grows would become 25165824 bytes, exceeds 16777216-byte limit",
        ),
    ] {
        assert_eq!(
            sandbox.shown(edit(&sandbox.workdir(), path, "x", new, true)),
            expected
        );
    }
    assert_eq!(sandbox.bytes("grows").len(), limit / 2);
}
