//! The tool `bash`: what of a shell lasts from call to call and from hand to hand, how calls end, what is shown.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use serde_json::json;
use sinew_runtime::{CallOptions, Limits};
use sinew_tests::shell::{Handful, Shells};

use crate::PROGRAM;

async fn hand() -> Result<(Shells, Handful)> {
    let shells = Shells::new(PROGRAM).await?;
    let hand = shells.hand(Limits::default())?;
    Ok((shells, hand))
}

/// Runs the scripts one after the other and compares each answer.
async fn check(hand: &Handful, calls: &[(&str, &str)]) -> Result<()> {
    for (script, expected) in calls {
        let answer = hand.bash(script).await?;
        assert_eq!(answer.text, *expected, "{script}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_goes_on_from_call_to_call() -> Result<()> {
    let (_shells, hand) = hand().await?;
    check(
        &hand,
        &[
            (
                "mkdir -p a/b; cd a/b; x=1; arr=(one 'two 2'); declare -A map=([k]=v)",
                "(no output)",
            ),
            (
                "pwd; echo $x \"${arr[1]}\" ${map[k]}",
                "/workspace/a/b\n1 two 2 v\n",
            ),
            (
                "f() { echo in f \"$@\"; }; export E=exported; alias ll='ls -l'",
                "(no output)",
            ),
            (
                "f y; env | grep ^E=; alias ll",
                "in f y\nE=exported\nalias ll='ls -l'\n",
            ),
            (
                "set -- p q r; set -o pipefail; shopt -s nullglob",
                "(no output)",
            ),
            (
                "echo $# $2; false | true; echo $?; echo *.none",
                "3 q\n1\n\n",
            ),
            ("exec 5> kept.txt", "(no output)"),
            ("echo line >&5; cat kept.txt", "line\n"),
            ("(exit 7)", "[exit status 7]"),
            ("echo $?", "7\n"),
            (
                "ls nothing-here",
                "ls: cannot access 'nothing-here': No such file or directory\n[exit status 2]",
            ),
            (
                "echo out; echo err >&2; echo out again",
                "out\nerr\nout again\n",
            ),
            (
                "if",
                "bash: line 2: syntax error: unexpected end of file\n[exit status 2]",
            ),
            ("echo $x", "1\n"),
            (
                "set -u; echo $unset; echo not reached",
                "bash: line 1: unset: unbound variable\n[exit status 1]",
            ),
            ("set +u; echo $x", "1\n"),
            ("printf '\\033[31mred\\033[0m\\n'", "red\n"),
            ("cat", "(no output)"),
        ],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_ends_the_shell_and_its_trap_runs_once() -> Result<()> {
    let (_shells, hand) = hand().await?;
    check(
        &hand,
        &[
            ("trap 'echo bye' EXIT; x=5", "(no output)"),
            ("echo still", "still\n"),
            ("exit 3", "bye\n[exit status 3]"),
            ("echo \"[$x]\"", "[5]\n"),
            ("trap -p", "(no output)"),
        ],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_hand_takes_the_shell_over() -> Result<()> {
    let (shells, hand) = hand().await?;
    let define = r#"cd /tmp; declare -i n=4; declare -r fixed=$'a\'b\n"c"'; declare -a s=([2]=x [9]="y z")
declare -A m=([a b]=1 ["q\"r"]=2); f() { if true; then cat <<E
here $1
E
fi; }; set -o noglob; shopt -s extglob; alias g='grep -n'; trap 'echo usr' USR1; umask 077; set -- 1 "2 3"; (exit 4)"#;
    hand.bash(define).await?;
    let state = hand.hand.shell_state().await.expect("a state");
    let hand = shells.hand_after(hand, Limits::default())?;
    hand.hand.restore_shell(state).await;
    let ask = "echo $?; pwd; n+=3; echo $n \"$fixed\" \"${s[@]}\" ${!s[@]} \"${m[a b]}\" \"${m[q\\\"r]}\"; f x; echo $-; \
        shopt extglob; alias g; trap -p USR1; umask; echo $# \"$2\"; fixed=1";
    let answer = hand.bash(ask).await?;
    assert_eq!(
        answer.text,
        "4\n/tmp\n7 a'b\n\"c\" x y z 2 9 1 2\nhere x\nfhB\nextglob        \ton\nalias g='grep -n'\n\
         trap -- 'echo usr' SIGUSR1\n0077\n2 2 3\nbash: line 1: fixed: readonly variable\n[exit status 1]"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_in_the_background_go_on_between_calls() -> Result<()> {
    let (_shells, hand) = hand().await?;
    check(
        &hand,
        &[
            ("mkfifo_ready=1; (while [ ! -e go ]; do sleep 0.01; done; echo went > went) & echo started", "started\n"),
            ("ls went 2>/dev/null | wc -l; touch go; wait; cat went", "0\nwent\n"),
            ("sleep 1000 & jobs", "[1]+  Running                 sleep 1000 &\n"),
            ("kill %1; wait %1 2>/dev/null; echo $?", "143\n"),
            ("nohup sleep 1000 > log 2>&1 & disown; echo $! > pid; kill -0 $!; echo $?",
                "0\n"),
            ("{ sleep 0.05; echo late; } & echo first", "first\n"),
            ("wait; echo done", "late\ndone\n"),
        ],
    )
    .await?;
    let answer = hand
        .call(&json!({"restart": true}), CallOptions::default())
        .await?;
    assert_eq!(answer.text, "bash session restarted");
    check(&hand, &[("kill -0 $(cat pid) 2>/dev/null; echo $?", "1\n")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_is_ended_and_the_shell_goes_on() -> Result<()> {
    let (_shells, hand) = hand().await?;
    hand.bash("x=kept").await?;
    for script in [
        "sleep 1000",
        "while :; do :; done",
        "echo before; cat <(sleep 1000)",
    ] {
        let input = json!({"command": script, "timeout_ms": 150});
        let answer = hand.call(&input, CallOptions::default()).await?;
        assert!(
            answer.is_error && answer.text.contains("[timed out after 150 ms"),
            "{script}: {answer:?}"
        );
        check(&hand, &[("echo $x", "kept\n")]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn long_output_is_kept_whole_in_a_file() -> Result<()> {
    let (_shells, hand) = hand().await?;
    let options = CallOptions {
        output_name: "call_1".to_owned(),
        ..CallOptions::default()
    };
    let answer = hand
        .call(&json!({"command": "seq 1 100000"}), options)
        .await?;
    assert!(
        answer.text.starts_with(
            "[output truncated: the whole output is in /tmp/tool-output/call_1.txt]\n"
        )
    );
    assert!(answer.text.ends_with("\n99999\n100000\n"));
    check(
        &hand,
        &[(
            "wc -l < /tmp/tool-output/call_1.txt; head -n 1 /tmp/tool-output/call_1.txt",
            "100000\n1\n",
        )],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_heard_while_it_is_written() -> Result<()> {
    let (_shells, hand) = hand().await?;
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let ear = Arc::clone(&heard);
    let options = CallOptions {
        progress: Some(Arc::new(move |bytes: &[u8]| {
            ear.lock().unwrap().extend_from_slice(bytes)
        })),
        ..CallOptions::default()
    };
    let input = json!({"command": "echo one; echo two >&2; basename /x/three"});
    let answer = hand.call(&input, options).await?;
    assert_eq!(
        String::from_utf8(heard.lock().unwrap().clone())?,
        answer.text
    );
    assert_eq!(answer.text, "one\ntwo\nthree\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_says_what_is_wrong() -> Result<()> {
    let (_shells, hand) = hand().await?;
    for (input, words) in [
        (json!({}), "neither command nor restart"),
        (json!({"command": 1}), "expected a string"),
        (json!({"comand": "ls"}), "unknown field"),
        (json!({"command": "ls", "timeout_ms": -1}), "timeout_ms"),
        (json!({"command": "x".repeat(5 << 20)}), "at most"),
    ] {
        let answer = hand.call(&input, CallOptions::default()).await?;
        assert!(
            answer.is_error && answer.text.contains(words),
            "{words}: {:?}",
            answer.text.get(..200)
        );
    }
    Ok(())
}
