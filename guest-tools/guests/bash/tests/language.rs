//! The language as a whole: scripts with what bash 5.2 printed for them and the status it ended with.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

use std::process::{Command, Stdio};

/// Runs a script with `-c` in an empty directory and compares standard output and status.
fn check(script: &str, stdout: &str, status: i32) {
    let directory = tempfile::tempdir().expect("a directory");
    let output = Command::new(env!("CARGO_BIN_EXE_bash"))
        .args(["-c", script])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .expect("the shell runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (printed.as_ref(), output.status.code()),
        (stdout, Some(status)),
        "{script}\n{complaints}"
    );
}

#[test]
fn expansions_keep_quoting_and_order() {
    for (script, stdout) in [
        ("x='a  b'; echo $x \"$x\"", "a b a  b\n"),
        (
            "set -- 'a b' c; for i in \"$@\"; do echo \"<$i>\"; done",
            "<a b>\n<c>\n",
        ),
        (
            "f() { echo $#; }; set --; f \"$@\"; f \"$@\"\"\"; f ''$@",
            "0\n1\n1\n",
        ),
        (
            "IFS=,; set -- a b; echo \"$*\"; x=$*; echo \"$x\"",
            "a,b\na,b\n",
        ),
        (
            "x=path/to/file.tar; echo ${x##*/} ${x%.*} ${x/to/TO} ${x^^p}",
            "file.tar path/to/file path/TO/file.tar Path/to/file.tar\n",
        ),
        ("i=1; echo $((i++))$(echo $i)$((i+=5))", "127\n"),
        (
            "a=(x y z); unset 'a[1]'; echo \"${a[@]}\" ${!a[@]} ${#a[@]} ${a[-1]}",
            "x z 0 2 2 z\n",
        ),
        (
            "declare -A m=([one]=1 [two]=2 [three]=3); echo ${!m[@]}",
            "two three one\n",
        ),
        ("echo {1..3}{a,b} {z,\"a b\"}", "1a 1b 2a 2b 3a 3b z a b\n"),
        ("echo ${x:-\"a  b\" c} \"${x:-'q'}\"", "a  b c 'q'\n"),
    ] {
        check(script, stdout, 0);
    }
}

#[test]
fn errors_end_what_they_should() {
    check(
        "set -e; if false; then :; fi; false || true; ! true; echo on; false; echo off",
        "on\n",
        1,
    );
    check("set -u; echo $nope; echo no", "", 127);
    check("(set -u; echo $nope; echo no); echo $?", "1\n", 0);
    check("echo $((1/0)); echo same\necho next", "next\n", 0);
    check("readonly r=1; r=2; echo same\necho next", "next\n", 0);
    check("echo ((", "", 2);
    check("nothing_of_that_name; echo $?; exit 300", "127\n", 44);
    check(
        "f() { return 3; }; f; echo $?; false | true; echo $? ${PIPESTATUS[0]}",
        "3\n0 1\n",
        0,
    );
    check("set -o pipefail; false | true; echo $?", "1\n", 0);
}

#[test]
fn tasks_run_together_and_end_together() {
    check(
        "while :; do echo y; done | { read x; echo $x; }; echo ${PIPESTATUS[0]}",
        "y\n141\n",
        0,
    );
    check(
        "printf 'a\\nb\\nc\\n' | { read x; echo \"<$x>\"; cat; }",
        "<a>\nb\nc\n",
        0,
    );
    check(
        "{ while :; do :; done; } & kill $!; wait $!; echo $?",
        "143\n",
        0,
    );
    check(
        "(trap 'echo got; exit 5' TERM; echo ready > r; while :; do :; done) & while ! [ -s r ]; do :; done; kill $!; wait $!; echo $?",
        "got\n5\n",
        0,
    );
    check(
        "(exit 3) & wait $!; echo $?; (kill -9 $BASHPID; echo no); echo $?",
        "3\n137\n",
        0,
    );
    check(
        "for f in <(echo hi); do :; done; cat <(echo a) <(echo b)",
        "a\nb\n",
        0,
    );
    check("x=$(echo a; echo b | cat; echo c); echo $x", "a b c\n", 0);
    check(
        "exec 3>out; echo one >&3; (echo two >&3); exec 3>&-; cat out",
        "one\ntwo\n",
        0,
    );
    check(
        "printf '1\\n2\\n3\\n' > in; { read a; read b; cat; } < in; echo $a$b",
        "3\n12\n",
        0,
    );
}

#[test]
fn traps_run_when_they_should() {
    check(
        "trap 'echo bye $?' EXIT; (echo sub); exit 4",
        "sub\nbye 4\n",
        4,
    );
    check(
        "trap 'echo usr' USR1; kill -USR1 $$; echo after",
        "usr\nafter\n",
        0,
    );
    check(
        "trap 'echo err $?' ERR; false; if false; then :; fi; f() { false; }; f",
        "err 1\nerr 1\n",
        1,
    );
    check("trap '' TERM; kill $$; echo alive", "alive\n", 0);
}

#[test]
fn nesting_is_bounded() {
    check("f() { f; }; f; echo same\necho next", "next\n", 0);
    check("FUNCNEST=3; n=0; f() { ((n++)); f; }; f\necho $n", "3\n", 0);
}
