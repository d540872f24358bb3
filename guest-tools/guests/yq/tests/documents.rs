//! What `yq` prints: a table in `documents.txt`. Each case is a line `= ` with words for the program in quotes as a
//! shell has them, the lines of the input, a line `> ` with the exit status, and the lines of output and messages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![cfg(unix)]

use std::io::Write as _;
use std::process::{Command, Stdio};

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

fn run(line: &str, input: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_yq"))
        .args(words(line))
        .env_clear()
        .env("WORD", "12")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    format!("> {}\n{text}", output.status.code().unwrap())
}

#[test]
fn documents_are_read_changed_and_written() {
    let table = include_str!("documents.txt");
    let mut count = 0;
    for case in table.split("\n= ").skip(1) {
        let (line, rest) = case.split_once('\n').unwrap();
        let place = if rest.starts_with("> ") {
            0
        } else {
            rest.find("\n> ").unwrap() + 1
        };
        let (input, expected) = rest.split_at(place);
        let answer = run(line, input);
        assert_eq!(answer.trim_end(), expected.trim_end(), "yq {line}\n{input}");
        count += 1;
    }
    assert!(count > 100, "the table is whole");
}

#[test]
fn files_are_changed_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deploy.yaml");
    let text = "# keep me\n---\nname: web # the name\nreplicas: 2\n\n# ports\nports: [80, 443]\n";
    std::fs::write(&file, text).unwrap();
    let yq = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yq"));
        command.args(arguments).arg(&file).output().unwrap()
    };
    assert!(yq(&["-i", ".replicas = 3"]).status.success());
    let expected = "# keep me\n---\nname: web # the name\nreplicas: 3\n# ports\nports: [80, 443]\n";
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    // A mistake leaves the file as it is.
    let output = yq(&["-i", ".name | error(\"no\")"]);
    assert_eq!(output.stderr, b"Error: no\n");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    let output = yq(&["ea", "[.] | length"]);
    assert_eq!(output.stdout, b"1\n");
}
