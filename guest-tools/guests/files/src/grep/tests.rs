//! What `grep` answers.

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

fn check(sandbox: &Sandbox, pattern: &str, path: Option<&str>, expected: &str) {
    assert_eq!(
        sandbox.shown(grep(&sandbox.workdir(), pattern, path)),
        expected,
        "{pattern} in {path:?}"
    );
}

#[test]
fn lines_are_found_as_ripgrep_finds_them() {
    let sandbox = Sandbox::with(&[
        ("a.rs", b"fn main() {}\n// Main\n\nlast main"),
        ("src/b.rs", b"let main = 1;\r\nfn other()\r\n"),
        ("src/c.txt", "gr\u{fc}n\n".as_bytes()),
        (".hidden", b"main\n"),
        (".gitignore", b"*.log\n"),
        (".git/HEAD", b"main\n"),
        ("x.log", b"main\n"),
        ("utf16.txt", b"\xff\xfem\0a\0i\0n\x001\0\n\0"),
        ("bom.txt", b"\xef\xbb\xbfmain2\n"),
        ("latin1", b"caf\xe9 au lait\n"),
    ]);
    symlink("a.rs", sandbox.path("link.rs")).unwrap();
    symlink("src", sandbox.path("linked")).unwrap();
    for (pattern, path, expected) in [
        (
            "^fn",
            None,
            "/w/a.rs:1:fn main() {}\n/w/src/b.rs:2:fn other()",
        ),
        ("main$", None, "/w/a.rs:4:last main"),
        ("(?i)^// MAIN", None, "/w/a.rs:2:// Main"),
        ("^$", Some("a.rs"), "/w/a.rs:3:"),
        (r"main\(", None, "/w/a.rs:1:fn main() {}"),
        (r"gr\wn", None, "/w/src/c.txt:1:gr\u{fc}n"),
        ("gr.n", Some("src"), "/w/src/c.txt:1:gr\u{fc}n"),
        (
            "let|other",
            Some("src/b.rs"),
            "/w/src/b.rs:1:let main = 1;\n/w/src/b.rs:2:fn other()",
        ),
        ("main", Some(".hidden"), "/w/.hidden:1:main"),
        ("main", Some("x.log"), "/w/x.log:1:main"),
        ("main", Some(".git"), "/w/.git/HEAD:1:main"),
        ("last", Some("link.rs"), "/w/link.rs:4:last main"),
        ("let", Some("linked"), "/w/linked/b.rs:1:let main = 1;"),
        (
            "^main[12]",
            None,
            "/w/bom.txt:1:main2\n/w/utf16.txt:1:main1",
        ),
        ("au lait", None, "/w/latin1:1:caf\u{fffd} au lait"),
        ("absent", None, "no matches"),
        (
            "main",
            Some("src/../.git/.."),
            "/w/a.rs:1:fn main() {}\n/w/a.rs:4:last main\n/w/bom.txt:1:main2\n/w/src/b.rs:1:let main = 1;\n/w/utf16.txt:1:main1",
        ),
        (
            "x",
            Some("nowhere"),
            "error: grep: nowhere: no such file or directory",
        ),
        ("", None, "error: grep: pattern must not be empty"),
    ] {
        check(&sandbox, pattern, path, expected);
    }
}

#[test]
fn bad_expressions_are_explained() {
    let sandbox = Sandbox::with(&[]);
    let too_long = "x".repeat(PATTERN_BYTES_MAX + 1);
    for (pattern, reason) in [
        ("a(", "unclosed group"),
        ("(?=a)", "look-around"),
        (r"(a)\1", "backreferences"),
        (r"a\nb", "\"\\n\" is not allowed"),
        (r"(\w{500}){500}", "size limit"),
        (&too_long, "longer than 16384 bytes"),
        (&"(".repeat(5000), "error: "),
        (
            &format!("{}{}", "(".repeat(5000), ")".repeat(5000)),
            "error: ",
        ),
    ] {
        let answer = sandbox.shown(grep(&sandbox.workdir(), pattern, None));
        assert!(
            answer.starts_with("error: grep: invalid regex: ") && answer.contains(reason),
            "{answer}"
        );
        assert!(answer.len() < LINE_BYTES_MAX, "{answer}");
    }
}

#[test]
fn binary_files_are_given_up_on_a_walk_and_named_when_asked_for() {
    let sandbox = Sandbox::with(&[
        ("early", b"\0 needle\n"),
        (
            "late",
            &[&b"needle\n"[..], &[b'x'; 70_000], b"\n\0\nneedle\n"].concat(),
        ),
        ("mixed", b"needle 1\n\0\nneedle 2\n"),
    ]);
    let stopped = |offset| {
        format!(
            "WARNING: stopped searching binary file after match (found \"\\0\" byte around offset {offset})"
        )
    };
    let expected = format!("/w/late:1:needle\n/w/late: {}", stopped(70_008));
    check(&sandbox, "needle", None, &expected);
    let matches =
        |offset| format!("binary file matches (found \"\\0\" byte around offset {offset})");
    check(
        &sandbox,
        "needle",
        Some("early"),
        &format!("/w/early: {}", matches(0)),
    );
    check(
        &sandbox,
        "needle",
        Some("late"),
        &format!("/w/late:1:needle\n/w/late: {}", matches(70_008)),
    );
    check(&sandbox, "absent", Some("early"), "no matches");
}

#[test]
fn long_lines_and_long_answers_are_cut() {
    let long = format!(
        "{}\u{fc}{}",
        "x".repeat(LINE_BYTES_MAX - 1),
        "y".repeat(100)
    );
    let many = "0123456789 needle\n".repeat(10_000);
    let sandbox = Sandbox::with(&[
        ("long", long.as_bytes()),
        ("a/many", many.as_bytes()),
        ("b/after", b"needle\n"),
        ("fits", "z".repeat(LINE_BYTES_MAX).as_bytes()),
    ]);
    check(
        &sandbox,
        "x$|y$",
        Some("long"),
        &format!(
            "/w/long:1:{} [line cut, 2101 bytes in all]",
            "x".repeat(1999)
        ),
    );
    check(
        &sandbox,
        "z",
        Some("fits"),
        &format!("/w/fits:1:{}", "z".repeat(LINE_BYTES_MAX)),
    );

    let raw = grep(&sandbox.workdir(), "needle", None).unwrap();
    let (lines, note) = raw.rsplit_once('\n').unwrap();
    assert_eq!(note, "[output truncated at 102400 bytes]");
    assert!(
        lines.len() <= OUTPUT_BYTES_MAX && lines.len() > OUTPUT_BYTES_MAX - 200,
        "{}",
        lines.len()
    );
    assert!(lines.ends_with(" needle") && !lines.contains("b/after"));
}

#[test]
fn a_file_that_cannot_be_searched_is_counted() {
    let endless = vec![b'x'; SEARCHED_LINE_BYTES_MAX + 1024 * 1024];
    let sandbox = Sandbox::with(&[("a", b"needle\n"), ("one-line", &endless)]);
    check(
        &sandbox,
        "needle",
        None,
        "/w/a:1:needle\n[1 file(s) could not be searched]",
    );
    assert!(
        sandbox
            .shown(grep(&sandbox.workdir(), "needle", Some("one-line")))
            .starts_with("error: grep: one-line: ")
    );
}

#[test]
fn a_file_that_never_ends_is_searched_up_to_a_bound() {
    for (size, expected) in [(0, UNSIZED_BYTES_MAX), (9 << 20, 9 << 20)] {
        let read = io::copy(&mut as_large_as_said(io::repeat(0), size), &mut io::sink());
        assert_eq!(read.unwrap(), expected);
    }
}
