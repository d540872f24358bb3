//! What `glob` lists.

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

/// The answer's lines in the order of names, without the root.
fn sorted(sandbox: &Sandbox, pattern: &str, path: Option<&str>) -> String {
    let answer = sandbox.shown(glob(&sandbox.workdir(), pattern, path));
    let mut lines: Vec<_> = answer
        .lines()
        .map(|line| line.strip_prefix("/w/").unwrap_or(line))
        .collect();
    lines.sort_unstable();
    lines.join(" ")
}

#[test]
fn patterns_match_as_documented() {
    let sandbox = Sandbox::with(&[
        ("a.rs", b""),
        ("b.ts", b""),
        (".env", b""),
        (".gitignore", b"target\n"),
        (".git/config", b""),
        ("target/out.rs", b""),
        ("src/lib.rs", b""),
        ("src/deep/er/mod.rs", b""),
        ("src/deep/x.tsx", b""),
        ("we[i]rd/n.rs", b""),
    ]);
    symlink("src", sandbox.path("link")).unwrap();
    symlink("nowhere", sandbox.path("dangling")).unwrap();
    for (pattern, path, expected) in [
        (
            "*",
            None,
            ".env .git .gitignore a.rs b.ts dangling link src target we[i]rd",
        ),
        ("*.rs", None, "a.rs"),
        ("?.rs", None, "a.rs"),
        ("[a-b].*", None, "a.rs b.ts"),
        (
            "**/*.rs",
            None,
            "a.rs src/deep/er/mod.rs src/lib.rs target/out.rs we[i]rd/n.rs",
        ),
        ("src/**/*.rs", None, "src/deep/er/mod.rs src/lib.rs"),
        ("src/*", None, "src/deep src/lib.rs"),
        ("src/", None, "src"),
        ("./src//lib.rs", None, "src/lib.rs"),
        ("*/lib.rs", None, "src/lib.rs"),
        ("*/*/x.tsx", None, "src/deep/x.tsx"),
        ("{a,b}.{rs,ts}", None, "a.rs b.ts"),
        (
            "{src/deep,target}/*",
            None,
            "src/deep/er src/deep/x.tsx target/out.rs",
        ),
        (
            "src/**",
            None,
            "src/deep src/deep/er src/deep/er/mod.rs src/deep/x.tsx src/lib.rs",
        ),
        ("we\\[i\\]rd/*", None, "we[i]rd/n.rs"),
        (".git/*", None, ".git/config"),
        ("**/config", None, "no matches"),
        ("*.rs", Some("src"), "src/lib.rs"),
        ("*.rs", Some(""), "a.rs"),
        ("**/x.tsx", Some("src/../src/deep"), "src/deep/x.tsx"),
        ("**/lib.rs", Some("link"), "link/lib.rs"),
        ("link/lib.rs", None, "link/lib.rs"),
        ("*.RS", None, "no matches"),
        ("nowhere/*", None, "no matches"),
        ("a.rs/*", None, "no matches"),
    ] {
        assert_eq!(
            sorted(&sandbox, pattern, path),
            expected,
            "{pattern} in {path:?}"
        );
    }
}

#[test]
fn bad_calls_are_explained() {
    let sandbox = Sandbox::with(&[("a.txt", b"")]);
    for (pattern, path, expected) in [
        ("", None, "error: glob: pattern must not be empty"),
        ("./", None, "error: glob: pattern must not be empty"),
        (
            "/etc/*",
            None,
            "error: glob: absolute pattern not permitted; pass a relative pattern (and optionally path)",
        ),
        (
            "../*",
            None,
            "error: glob: '..' is not permitted in the pattern",
        ),
        (
            "a/../b",
            None,
            "error: glob: '..' is not permitted in the pattern",
        ),
        (
            "*",
            Some("nowhere"),
            "error: glob: nowhere: no such file or directory",
        ),
        ("*", Some("a.txt"), "error: glob: a.txt: not a directory"),
    ] {
        assert_eq!(
            sandbox.shown(glob(&sandbox.workdir(), pattern, path)),
            expected
        );
    }
    let nested = format!("{}{}", "{a,".repeat(1000), "}".repeat(1000));
    for (pattern, reason) in [
        ("[a", "unclosed character class"),
        ("{a", "unclosed alternate group"),
        ("a\\", "dangling '\\'"),
        (&nested, "too large or too deeply nested"),
        (&"*?".repeat(PATTERN_BYTES_MAX), "longer than 4096 bytes"),
    ] {
        let answer = sandbox.shown(glob(&sandbox.workdir(), pattern, None));
        let reported = answer.strip_prefix("error: glob: invalid pattern: ");
        assert!(
            reported.is_some_and(|reported| reported.starts_with(reason)),
            "{answer}"
        );
    }
}

#[test]
fn the_newest_come_first_and_two_hundred_at_most() {
    let names: Vec<_> = (0..RESULTS_MAX + 5)
        .map(|number| format!("f{number:03}"))
        .collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let sandbox = Sandbox::with(&files);
    for (number, name) in names.iter().enumerate() {
        sandbox.age(name, if number < 2 { 0 } else { 1000 - number as u64 });
    }
    let answer = sandbox.shown(glob(&sandbox.workdir(), "f*", None));
    let lines: Vec<_> = answer.lines().collect();
    assert_eq!(lines[..4], ["/w/f000", "/w/f001", "/w/f204", "/w/f203"]);
    assert_eq!(lines.len(), RESULTS_MAX + 1);
    assert_eq!(
        lines[RESULTS_MAX],
        "[the newest 200 of 205 matches; narrow the pattern]"
    );
}
