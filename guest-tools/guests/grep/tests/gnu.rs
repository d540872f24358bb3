//! What `grep` prints and returns, as the GNU program does: a table in `gnu.txt`. Each case is a line `= ` with words
//! in quotes as a shell has them, a line `> ` with the exit status, and the lines of output and messages.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![cfg(unix)]

use std::process::{Command, Stdio};

const FILES: &[(&str, &str)] = &[
    (
        "f",
        "hello world\nfoo bar\nHELLO\n\nabc123\nfoo.bar\na+b\nx{2}\nend\n",
    ),
    ("src/a.c", "one foo\ntwo\n"),
    ("src/b.h", "foo in h\n"),
    ("src/sub/c.c", "deep foo\n"),
    ("pats", "foo\nend\n"),
    ("empty", ""),
    ("abba", "abba\nabab\naab\n"),
    ("bin", "x\0foo\nfoo2\n"),
];

/// Splits a line into words at blanks, `'...'` being one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn answers_are_those_of_gnu() {
    let mut count = 0;
    for case in include_str!("gnu.txt").split("\n= ").skip(1) {
        let (line, expected) = case.split_once('\n').unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in FILES {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let output = Command::new(env!("CARGO_BIN_EXE_grep"))
            .args(words(line))
            .current_dir(folder.path())
            .env_clear()
            .envs([("LC_ALL", "C.UTF-8"), ("PATH", "/usr/bin:/bin")])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(&String::from_utf8(output.stderr).unwrap());
        let answer = format!("> {}\n{text}", output.status.code().unwrap());
        assert_eq!(answer.trim_end(), expected.trim_end(), "grep {line}");
        count += 1;
    }
    assert!(count > 80, "the table is whole");
}
