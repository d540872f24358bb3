//! Searches and commands, with output and exit status as GNU findutils 4.9 gave them. Lines of `find` are compared
//! in order of their names, since the order within a folder is the file system's.

#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test may fail")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// Arguments and input, expected output, expected status.
type Case = (&'static [&'static str], &'static str, &'static str, i32);

#[rustfmt::skip]
const SEARCHES: &[Case] = &[
    (&["."], "", ".\n./broken\n./la\n./sp ace\n./new\nline\n./a\n./a/b\n./a/b/c\n./a/b/F2.TXT\n./a/b/loop\n./a/f1\n./a/empty\n./d\n./d/e\n./d/hard\n./d/big\n", 0),
    (&[".", "-depth", "-type", "d"], "", "./sp ace\n./a/b/c\n./a/b\n./a\n./d/e\n./d\n.\n", 0),
    (&["-L", "."], "", ".\n./broken\n./la\n./la/b\n./la/b/c\n./la/b/F2.TXT\n./la/f1\n./la/empty\n./sp ace\n./new\nline\n./a\n./a/b\n./a/b/c\n./a/b/F2.TXT\n./a/f1\n./a/empty\n./d\n./d/e\n./d/hard\n./d/big\n", 1),
    (&["-H", "la"], "", "la\nla/b\nla/b/c\nla/b/F2.TXT\nla/b/loop\nla/f1\nla/empty\n", 0),
    (&[".", "-name", "f*"], "", "./a/f1\n", 0),
    (&[".", "-iname", "F*"], "", "./a/b/F2.TXT\n./a/f1\n", 0),
    (&[".", "-type", "l"], "", "./broken\n./la\n./a/b/loop\n", 0),
    (&[".", "-xtype", "l"], "", "./broken\n", 0),
    (&[".", "-type", "f,d"], "", ".\n./sp ace\n./new\nline\n./a\n./a/b\n./a/b/c\n./a/b/F2.TXT\n./a/f1\n./a/empty\n./d\n./d/e\n./d/hard\n./d/big\n", 0),
    (&[".", "-type", "f", "-size", "+1"], "", "./d/hard\n./d/big\n", 0),
    (&[".", "-type", "f", "-size", "-2k"], "", "./new\nline\n./a/b/F2.TXT\n./a/f1\n./a/empty\n", 0),
    (&[".", "-size", "5000c"], "", "./d/hard\n./d/big\n", 0),
    (&[".", "-empty"], "", "./sp ace\n./a/b/c\n./a/empty\n./d/e\n", 0),
    (&[".", "-perm", "-4000"], "", "./d/hard\n./d/big\n", 0),
    (&[".", "-type", "f", "-perm", "644", "-name", "f1"], "", "./a/f1\n", 0),
    (&[".", "-type", "f", "-links", "+1"], "", "./d/hard\n./d/big\n", 0),
    (&[".", "-samefile", "d/big"], "", "./d/hard\n./d/big\n", 0),
    (&[".", "-path", "./a/b*", "-prune", "-o", "-print"], "", ".\n./broken\n./la\n./sp ace\n./new\nline\n./a\n./a/f1\n./a/empty\n./d\n./d/e\n./d/hard\n./d/big\n", 0),
    (&[".", "-maxdepth", "1"], "", ".\n./broken\n./la\n./sp ace\n./new\nline\n./a\n./d\n", 0),
    (&[".", "-mindepth", "1", "-maxdepth", "2", "-type", "d"], "", "./sp ace\n./a\n./a/b\n./d\n./d/e\n", 0),
    (&[".", "-regex", ".*\\(F2\\|f1\\).*"], "", "./a/b/F2.TXT\n./a/f1\n", 0),
    (&[".", "-regextype", "posix-extended", "-regex", ".*(f1|big)"], "", "./a/f1\n./d/big\n", 0),
    (&[".", "-lname", "no*"], "", "./broken\n", 0),
    (&[".", "-print0"], "", ".\u{0}./broken\u{0}./la\u{0}./sp ace\u{0}./new\nline\u{0}./a\u{0}./a/b\u{0}./a/b/c\u{0}./a/b/F2.TXT\u{0}./a/b/loop\u{0}./a/f1\u{0}./a/empty\u{0}./d\u{0}./d/e\u{0}./d/hard\u{0}./d/big\u{0}", 0),
    (&[".", "-type", "f", "-printf", "%p|%f|%h|%P|%H|%d|%y|%10f|%-8f|%.2f|%s\\n"], "", "./new\nline|new\nline|.|new\nline|.|1|f|  new\nline|new\nline|ne|1\n./a/b/F2.TXT|F2.TXT|./a/b|a/b/F2.TXT|.|3|f|    F2.TXT|F2.TXT  |F2|2\n./a/f1|f1|./a|a/f1|.|2|f|        f1|f1      |f1|3\n./a/empty|empty|./a|a/empty|.|2|f|     empty|empty   |em|0\n./d/hard|hard|./d|d/hard|.|2|f|      hard|hard    |ha|5000\n./d/big|big|./d|d/big|.|2|f|       big|big     |bi|5000\n", 0),
    (&[".", "-type", "l", "-printf", "%p %l %Y\\n"], "", "./broken nosuch N\n./la a d\n./a/b/loop ../../a d\n", 0),
    (&["d/big", "-printf", "%m %#m %M %n\\t\\101\\n"], "", "4755 04755 -rwsr-xr-x 2\tA\n", 0),
    (&[".", "-type", "f", "-exec", "echo", "x{}y", ";"], "", "x./new\nliney\nx./a/b/F2.TXTy\nx./a/f1y\nx./a/emptyy\nx./d/hardy\nx./d/bigy\n", 0),
    (&["a", "-type", "f", "-exec", "echo", "{}", "+"], "", "a/b/F2.TXT a/f1 a/empty\n", 0),
    (&[".", "-name", "f1", "-execdir", "echo", "{}", ";"], "", "./f1\n", 0),
    (&[".", "!", "-type", "d", "-name", "[fb]*"], "", "./broken\n./a/f1\n./d/big\n", 0),
    (&[".", "(", "-name", "a", "-o", "-name", "d", ")", "-print"], "", "./a\n./d\n", 0),
    (&[".", "-name", "a", ",", "-name", "d"], "", "./d\n", 0),
    (&[".", "-name", "a", "-print", "-quit"], "", "./a\n", 0),
    (&["nosuch"], "", "", 1),
    (&["a", "nosuch", "d"], "", "a\na/b\na/b/c\na/b/F2.TXT\na/b/loop\na/f1\na/empty\nd\nd/e\nd/hard\nd/big\n", 1),
    (&[".", "-exec", "false", ";"], "", "", 0),
    (&[".", "-exec", "false", "{}", "+"], "", "", 1),
    (&[".", "-foo"], "", "", 1),
    (&[".", "-name"], "", "", 1),
    (&[".", "-type", "x"], "", "", 1),
    (&[".", "(", "-name", "a"], "", "", 1),
    (&[".", "-name", "a", ")"], "", "", 1),
    (&[".", "-name", "a", "b"], "", "", 1),
    (&["/", "-maxdepth", "0"], "", "/\n", 0),
    (&["a/f1", "-printf", "%p %h %f %P %H\\n"], "", "a/f1 a f1  a/f1\n", 0),
    (&[".", "-newermt", "2020-01-01", "-name", "f1"], "", "./a/f1\n", 0),
];

#[rustfmt::skip]
const COMMANDS: &[Case] = &[
    (&["-n1"], "a b\n\"c d\" e", "a\nb\nc d\ne\n", 0),
    (&[], "a'b\n", "", 1),
    (&["-I{}", "echo", "[{}]"], "a\nb c\n", "[a]\n[b c]\n", 0),
    (&["-L2", "echo"], "a b\nc d\ne\n", "a b c d\ne\n", 0),
    (&["false"], "", "", 123),
    (&["-r", "false"], "", "", 0),
    (&["sh", "-c", "exit 255"], "1", "", 124),
    (&["sh", "-c", "kill -9 $$"], "1", "", 125),
    (&["nosuch"], "1", "", 127),
    (&["-n", "0"], "1", "", 1),
    (&["-s", "10"], "aaaaaaaaaaaaaaaaaaaaaa", "", 1),
    (&["-E", "EOF"], "a\nEOF\nb", "a\n", 0),
    (&["-d:", "echo"], "a:b:c", "a b c\n", 0),
    (&["-0", "-n1"], "a\u{0}b\u{0}", "a\nb\n", 0),
    (&["-n1"], "a\\ b c", "a b\nc\n", 0),
    (&["-L1", "echo"], "a b \nc\nd\n", "a b c\nd\n", 0),
    (&["-P3", "-n1", "sh", "-c", "exit 3"], "1\n2\n3\n", "", 123),
    (&["-s", "12", "echo"], "a b c d e", "a b c\nd e\n", 0),
    (&["-x", "-n", "10", "-s", "12", "echo"], "a b c d e", "", 1),
    (&["-i", "echo", "{}-"], "1 2 3", "1 2 3-\n", 0),
    (&["-n1", "echo", "x"], "\"\" a\n", "x \nx a\n", 0),
    (&["--process-slot-var=S", "-n1", "sh", "-c", "echo $S"], "1 2\n", "0\n0\n", 0),
];

fn make_tree(root: &Path) {
    for folder in ["a/b/c", "d/e", "sp ace"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    let big = "z".repeat(5000);
    for (file, text) in [
        ("a/f1", "hi\n"),
        ("a/empty", ""),
        ("a/b/F2.TXT", "x\n"),
        ("new\nline", "n"),
        ("d/big", &big),
    ] {
        fs::write(root.join(file), text).expect("a file");
    }
    for (link, goal) in [("la", "a"), ("broken", "nosuch"), ("a/b/loop", "../../a")] {
        symlink(goal, root.join(link)).expect("a link");
    }
    fs::hard_link(root.join("d/big"), root.join("d/hard")).expect("a name");
    for (file, mode) in [("d/big", 0o4755), ("a/f1", 0o644)] {
        fs::set_permissions(root.join(file), fs::Permissions::from_mode(mode)).expect("a mode");
    }
}

fn run(
    name: &str,
    folder: &Path,
    arguments: &[&str],
    input: &str,
) -> (String, Option<i32>, String) {
    use std::os::unix::process::CommandExt;
    let mut child = Command::new(env!("CARGO_BIN_EXE_find"))
        .arg0(name)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // A command that does not read ends its input early.
    let _ = child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        output.status.code(),
        text(&output.stderr),
    )
}

/// Returns the pieces of an output in order: lines, or words where a command got many names.
fn in_order(text: &str) -> Vec<&str> {
    let mut pieces: Vec<&str> = text.split(['\n', '\0', ' ']).collect();
    pieces.sort_unstable();
    pieces
}

#[test]
fn find_does_what_gnu_does() {
    let folder = tempfile::tempdir().expect("a folder");
    make_tree(folder.path());
    for (arguments, input, expected, status) in SEARCHES {
        let (output, code, errors) = run("find", folder.path(), arguments, input);
        assert_eq!(
            in_order(&output),
            in_order(expected),
            "{arguments:?}: {errors}"
        );
        assert_eq!(code, Some(*status), "{arguments:?}: {errors}");
    }
}

#[test]
fn xargs_does_what_gnu_does() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, input, expected, status) in COMMANDS {
        let (output, code, errors) = run("xargs", folder.path(), arguments, input);
        assert_eq!(output, *expected, "{arguments:?}: {errors}");
        assert_eq!(code, Some(*status), "{arguments:?}: {errors}");
    }
}

#[test]
fn depth_costs_no_stack() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut path = folder.path().to_path_buf();
    for _ in 0..900 {
        path.push("d");
    }
    fs::create_dir_all(&path).expect("folders");
    let (output, code, _) = run("find", folder.path(), &["."], "");
    assert_eq!((output.lines().count(), code), (901, Some(0)));
}
