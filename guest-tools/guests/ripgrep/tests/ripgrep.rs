//! Searches with output and exit status as ripgrep gave them; only the order of files is ours.

#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test may fail")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Arguments and input, expected output, expected status. Without an input, standard input is `/dev/null`.
type Case = (
    &'static [&'static str],
    Option<&'static str>,
    &'static str,
    i32,
);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (&["foo"], None, "lib/a.txt:foo bar\nlib/a.txt:foo foo baz\nlib/sub/b.rs:foo2\n", 0),
    (&["foo"], Some("x\nfoo\n"), "foo\n", 0),
    (&["-n", "foo", "-"], Some("x\nfoo\n"), "2:foo\n", 0),
    (&["-c", "foo"], None, "lib/a.txt:2\nlib/sub/b.rs:1\n", 0),
    (&["--count-matches", "foo", "lib/a.txt"], None, "3\n", 0),
    (&["-o", "-b", "f\\w+", "lib/a.txt"], None, "0:foo\n8:foo\n12:foo\n", 0),
    (&["-P", "foo(?=2)", "--vimgrep"], None, "lib/sub/b.rs:3:1:foo2\n", 0),
    (&["-P", "-r", "$b", "(?<b>ba).", "lib/a.txt"], None, "foo ba\nfoo foo ba\n", 0),
    (&["-r", "${1}o", "(f)oo", "lib/sub/b.rs"], None, "fo2\n", 0),
    (&["-n", "-C1", "beta"], None, "lib/sub/b.rs-1-alpha\nlib/sub/b.rs:2:beta\nlib/sub/b.rs-3-foo2\n", 0),
    (&["-U", "bar\\nfoo", "lib/a.txt"], None, "foo bar\nfoo foo baz\n", 0),
    (&["-l", "-g", "*.rs", "."], None, "lib/sub/b.rs\n", 0),
    (&["-l", "-t", "py", "."], None, "app.py\n", 0),
    (&["-l", "-.", "hidden"], None, ".hidden/secret\n", 0),
    (&["--files"], None, "app.py\nlib/a.txt\nlib/sub/b.rs\n", 0),
    (&["--files", "-uu"], None, ".gitignore\n.hidden/secret\n.git/HEAD\napp.py\nlib/a.txt\nlib/sub/b.rs\nout.log\n", 0),
    (&["ignored", "out.log"], None, "ignored\n", 0),
    (&["ignored"], None, "", 1),
    (&["--no-ignore", "-l", "ignored"], None, "out.log\n", 0),
    (&["-q", "foo"], None, "", 0),
    (&["foo", "nosuch"], None, "", 2),
    (&["("], None, "", 2),
    (&["-m", "0", "foo"], None, "", 1),
    (&["--nosuch", "foo"], None, "", 2),
    (&["--heading", "-N", "foo"], None, "lib/a.txt\nfoo bar\nfoo foo baz\n\nlib/sub/b.rs\nfoo2\n", 0),
    (&["--color=always", "foo", "lib/sub/b.rs"], None, "\u{1b}[0m\u{1b}[1m\u{1b}[31mfoo\u{1b}[0m2\n", 0),
];

#[test]
fn searches_give_what_ripgrep_gives() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in [
        (".git/HEAD", ""),
        (".gitignore", "*.log\n"),
        (".hidden/secret", "hidden\n"),
        ("app.py", "import os\n"),
        ("lib/a.txt", "foo bar\nfoo foo baz\n"),
        ("lib/sub/b.rs", "alpha\nbeta\nfoo2\n"),
        ("out.log", "ignored\n"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        fs::write(path, text).expect("a new file");
    }
    for (arguments, input, expected, status) in CASES {
        let (stdout, code) = run(folder.path(), arguments, *input);
        let lines = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if arguments.contains(&"--files") {
                lines.sort();
            }
            lines
        };
        assert_eq!(lines(&stdout), lines(expected), "{arguments:?}");
        assert_eq!(code, Some(*status), "{arguments:?}");
    }
}

fn run(folder: &Path, arguments: &[&str], input: Option<&str>) -> (String, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ripgrep"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RIPGREP_CONFIG_PATH")
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        stdin.write_all(input.as_bytes()).expect("it reads");
    }
    let output = child.wait_with_output().expect("it ends");
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        output.status.code(),
    )
}
