//! Scripts and command lines with what SQLite's shell 3.40 answered.

#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test may fail")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Arguments, standard input, expected output, expected standard error, expected status.
type Case = (
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
    i32,
);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (&[":memory:", "select 1, null, 'a', 0.1+0.2, (0.1+0.2)||''"], "", "1||a|0.3|0.3\n", "", 0),
    (&["-json", ":memory:", "select 'é' a, x'00' b, 1.1 c"], "", "[{\"a\":\"é\",\"b\":\"\\u0000\",\"c\":1.1000000000000000888}]\n", "", 0),
    (&["-csv", "-header", ":memory:", "select 'a b' x, '' y, null z"], "", "x,y,z\n\"a b\",\"\",\n", "", 0),
    (&[":memory:", ".mode box --wrap 5", "select 'hello world' x"], "", "┌───────┐\n│   x   │\n├───────┤\n│ hello │\n│  worl │\n│ d     │\n└───────┘\n", "", 0),
    (&[":memory:", "selec 1"], "", "", "Error: in prepare, near \"selec\": syntax error\n  selec 1\n  ^--- error here\n", 1),
    (&[":memory:", "create table t(a unique); insert into t values(1),(1)"], "", "", "Error: stepping, UNIQUE constraint failed: t.a (19)\n", 19),
    (&["-foo"], "", "", "sqlite3: Error: unknown option: -foo\nUse -help for a list of options.\n", 1),
    (&[], "select 1;\nbad;\nselect 2;\n", "1\n2\n", "Parse error near line 2: near \"bad\": syntax error\n  bad;\n  ^--- error here\n", 1),
    (&["-bail"], "bad;\nselect 2;\n", "", "Parse error near line 1: near \"bad\": syntax error\n  bad;\n  ^--- error here\n", 1),
    (&[], "create table t(a);\ncreate trigger x after insert on t begin\n select 1;\nend;\ninsert into t values(7);\nselect * from t", "7\n", "", 0),
    (&[], ".mode insert t\nselect 'a'||char(10)||'b', x'0aff', 2.0;\n.exit 3\n", "INSERT INTO t VALUES(replace('a\\nb','\\n',char(10)),X'0aff',2.0);\n", "", 3),
    (&["t.db", "create table \"a b\"(x, \"order\" int); insert into \"a b\" values('it''s',1)"], "", "", "", 0),
    (&["t.db", ".tables", ".schema"], "", "a b\nCREATE TABLE IF NOT EXISTS \"a b\"(x, \"order\" int);\n", "", 0),
    (&["t.db", ".dump"], "", "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE IF NOT EXISTS \"a b\"(x, \"order\" int);\nINSERT INTO \"a b\" VALUES('it''s',1);\nCOMMIT;\n", "", 0),
    (&["t.db", ".import --csv /dev/stdin c", "select a, \"my b\" from c"], "a,my b\n1,\"x\ny\"\n2\n", "1|x\ny\n2|\n", "/dev/stdin:4: expected 2 columns but found 1 - filling the rest with NULL\n", 0),
    (&["-readonly", "t.db", "delete from c"], "", "", "Error: stepping, attempt to write a readonly database (8)\n", 8),
    (&[":memory:", "explain query plan select 1"], "", "QUERY PLAN\n`--SCAN CONSTANT ROW\n", "", 0),
    (&[":memory:", ".once |tr a-z A-Z", "select 'abc'"], "", "ABC\n", "", 0),
    (&["-safe", ":memory:", ".shell ls"], "", "", "line 0: cannot run .shell in safe mode\n", 1),
];

#[test]
fn the_shell_answers_as_that_of_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (arguments, input, stdout, stderr, status) in CASES {
        let (out, error, code) = run(folder.path(), arguments, input);
        assert_eq!(out, *stdout, "{arguments:?} {input}");
        assert_eq!(error, *stderr, "{arguments:?} {input}");
        assert_eq!(code, Some(*status), "{arguments:?} {input}");
    }
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> (String, String, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sqlite3"))
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    // One that does not read it has ended by now.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
        output.status.code(),
    )
}
