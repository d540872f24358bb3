//! Attacks with a shell: bombs of processes, pipes, memory, output and disk, ways out by path, programs that do not
//! want to end. Each ends in a typed refusal or a killed process, and a hand beside answers all the while.

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use sinew_runtime::fs::FsLimits;
use sinew_runtime::{CallOptions, Limits, Outcome};
use sinew_tests::shell::{Answer, Handful, Shells};

use crate::PROGRAM;

/// Bounds that a bomb reaches soon.
fn tight() -> Limits {
    Limits {
        processes: 32,
        memory_bytes: 128 << 20,
        hand_memory_bytes: 512 << 20,
        fs: FsLimits {
            bytes_max: 32 << 20,
            inodes_max: 2_000,
            ..FsLimits::default()
        },
        ..Limits::default()
    }
}

/// Answers as long as it is asked, in another hand of the same runtime.
struct Sentinel {
    is_over: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<Result<()>>,
}

impl Sentinel {
    fn start(shells: &Shells) -> Result<Self> {
        let hand = shells.hand(Limits::default())?;
        let (is_over, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (over, count) = (Arc::clone(&is_over), Arc::clone(&answers));
        let task = tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let answer = hand.bash("echo here | cat").await?;
                assert_eq!(answer.text, "here\n");
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        Ok(Self {
            is_over,
            answers,
            task,
        })
    }

    /// Waits until the hand beside has answered once more, and ends it.
    async fn end(self) -> Result<()> {
        let seen = self.answers.load(Ordering::Relaxed);
        while self.answers.load(Ordering::Relaxed) == seen && !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

/// Runs one attack and then, in the same hand, something ordinary.
async fn attack(script: &str, timeout_ms: u64) -> Result<(Answer, Handful)> {
    let shells = Shells::new(PROGRAM).await?;
    let sentinel = Sentinel::start(&shells)?;
    let hand = shells.hand(tight())?;
    let input = json!({"command": script, "timeout_ms": timeout_ms});
    let answer = hand.call(&input, CallOptions::default()).await?;
    sentinel.end().await?;
    let after = hand
        .call(
            &json!({"restart": true, "command": "echo alive"}),
            CallOptions::default(),
        )
        .await?;
    assert_eq!(after.text, "alive\n", "after {script}: {answer:?}");
    Ok((answer, hand))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_ends_in_a_limit() -> Result<()> {
    // Each generation is a process of its own, so the limit on processes meets it.
    let (answer, _) = attack(
        "cat > bomb <<'E'\n#!/bin/bash\n/workspace/bomb & /workspace/bomb\nE\nchmod +x bomb; ./bomb; echo status $?",
        2_000,
    )
    .await?;
    assert!(
        answer.text.contains("temporarily unavailable") || answer.text.contains("timed out"),
        "{answer:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_background_programs_ends_in_a_limit() -> Result<()> {
    let (answer, _) = attack(
        "for ((i = 0; i < 200; i++)); do sleep 100 & done; echo out",
        5_000,
    )
    .await?;
    assert!(
        answer.text.contains("temporarily unavailable"),
        "{answer:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_takes_all_memory_dies_alone() -> Result<()> {
    let (answer, _) = attack(
        "head -c 400000000 /dev/zero | sort -z -S 1G > out; echo after",
        20_000,
    )
    .await?;
    assert!(answer.text.contains("after"), "{answer:?}");
    let (answer, _) = attack("x=x; while :; do x=$x$x; done", 10_000).await?;
    assert!(answer.is_error, "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_error_and_no_more() -> Result<()> {
    let (answer, hand) = attack(
        "head -c 100000000 /dev/zero > big; echo $?; rm big; echo small > small && cat small",
        20_000,
    )
    .await?;
    assert!(answer.text.ends_with("small\n"), "{answer:?}");
    assert!(!answer.text.starts_with("0\n"), "{answer:?}");
    assert!(hand.has("small"));
    let (answer, _) = attack(
        "for ((i = 0; i < 5000; i++)); do : > f$i || break; done; echo $i",
        20_000,
    )
    .await?;
    assert!(
        answer.text.contains("No space left on device"),
        "{answer:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_output_is_cut_and_ended_in_time() -> Result<()> {
    let (answer, _) = attack("yes", 300).await?;
    assert!(
        answer.is_error && answer.text.contains("timed out"),
        "{:?}",
        answer.text.get(..200)
    );
    assert!(answer.text.len() < 200_000);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ignores_its_end_is_ended() -> Result<()> {
    for script in [
        "trap '' TERM INT HUP; while :; do :; done",
        "trap 'echo no' EXIT TERM; sleep 1000",
        "while :; do :; done & while :; do :; done",
        "f() { f; }; f; f | f",
        "yes > /dev/null",
        "sleep 1000 | sleep 1000",
        "(trap '' TERM; exec sleep 1000)",
    ] {
        let (answer, _) = attack(script, 200).await?;
        assert!(answer.is_error, "{script}: {answer:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_call_leaves_no_process() -> Result<()> {
    let shells = Shells::new(PROGRAM).await?;
    let hand = shells.hand(tight())?;
    let options = CallOptions::default();
    let cancel = options.cancel.clone();
    let input = json!({"command": "yes > /dev/null & echo $! > pid; touch begun; sleep 1000"});
    let call = hand.hand.execute("bash", &input, options);
    let begun = async {
        while !hand.has("begun") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cancel.cancel();
    };
    let (_, ()) = tokio::join!(call, begun);
    let answer = hand.bash("kill -0 $(cat pid) 2>/dev/null; echo $?").await?;
    assert_eq!(answer.text, "1\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out() -> Result<()> {
    let shells = Shells::new(PROGRAM).await?;
    let hand = shells.hand(tight())?;
    let secret = tempfile::tempdir()?;
    std::fs::write(secret.path().join("secret"), "HOST-SECRET")?;
    symlink(secret.path(), hand.workspace().join("out"))?;
    symlink("/proc/self/root", hand.workspace().join("root"))?;
    let up = "../".repeat(40);
    let host = secret.path().display();
    for script in [
        format!("cat {host}/secret"),
        "cat out/secret".to_owned(),
        format!("cat root{host}/secret"),
        format!(
            "cat {up}{}/secret",
            host.to_string().trim_start_matches('/')
        ),
        format!("cd {host} && cat secret"),
        format!("cp -r out copy && cat copy/secret; ls {host}"),
        format!(
            "ln -s {host} made; cat made/secret; readlink -f made/secret; find -L made -name secret"
        ),
        "cat /proc/1/environ /proc/self/environ /proc/*/cmdline".to_owned(),
        "cat < /dev/fd/9; cat /dev/fd/999999; exec 7<>/dev/tcp/127.0.0.1/22 && cat <&7".to_owned(),
        "tar cf - out | tar tf - | grep secret".to_owned(),
        format!("mv out/secret . ; echo x > out/new; rm -rf out/. ; ls {host}"),
        // A name that is a folder and a link out in turn, while others walk through it.
        format!(
            "mkdir real; (for ((i = 0; i < 300; i++)); do ln -s {host} way; rm way; mv real way; mv way real; done) &
             for ((i = 0; i < 60; i++)); do cat way/secret; grep -r SECRET way; find way -type f; done 2>/dev/null; wait"
        ),
    ] {
        let answer = hand.bash(&script).await?;
        assert!(!answer.text.contains("HOST-SECRET"), "{script}: {answer:?}");
    }
    assert_eq!(
        std::fs::read_to_string(secret.path().join("secret"))?,
        "HOST-SECRET"
    );
    assert_eq!(
        std::fs::read_dir(secret.path())?.count(),
        1,
        "nothing was made outside"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_components_of_the_workspace_end_alone() -> Result<()> {
    let shells = Shells::new(PROGRAM).await?;
    let hand = shells.hand(tight())?;
    let put = |name: &str, bytes: &[u8]| -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let path = hand.workspace().join(name);
        std::fs::write(&path, bytes)?;
        Ok(std::fs::set_permissions(
            path,
            PermissionsExt::from_mode(0o755),
        )?)
    };
    put("truncated", b"\0asm\x0d\0\x01\0garbage")?;
    put("magic", b"\0asm")?;
    put(
        "module",
        &wat::parse_str("(module (func (export \"_start\") (loop (br 0))))")?,
    )?;
    put("no-run", &wat::parse_str("(component)")?)?;
    for name in ["truncated", "magic", "module", "no-run"] {
        let answer = hand.bash(&format!("./{name}; echo status $?")).await?;
        assert!(answer.text.ends_with("status 126\n"), "{name}: {answer:?}");
    }
    let endless = r#"(component
      (core module $m (func (export "run") (result i32) (loop (br 0)) (i32.const 0)))
      (core instance $i (instantiate $m))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (instance $exported (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $exported)))"#;
    put("endless", &wat::parse_str(endless)?)?;
    let answer = hand.bash("timeout 0.2 ./endless; echo status $?").await?;
    assert_eq!(answer.text, "status 124\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_only_computes_is_ended_and_a_shell_is_not_charged_for_ever() -> Result<()> {
    let shells = Shells::new(PROGRAM).await?;
    let hand = shells.hand(Limits {
        cpu_time: Duration::from_millis(400),
        ..Limits::default()
    })?;
    let answer = hand.bash("awk 'BEGIN { while (1) i++ }'; echo $?").await?;
    assert!(answer.text.contains("processor time"), "{}", answer.text);
    assert!(answer.text.ends_with("152\n"), "{}", answer.text);
    // Each call takes a good part of the limit, all together several times as much.
    let mut spent = Duration::ZERO;
    while spent < Duration::from_millis(1_200) {
        let input = json!({"command": "for ((i = 0; i < 20000; i++)); do :; done"});
        let execution = hand
            .hand
            .execute("bash", &input, CallOptions::default())
            .await;
        assert!(
            matches!(execution.outcome, Outcome::Result(_)),
            "{:?}",
            execution.outcome
        );
        spent += execution.metrics.cpu_time;
        assert!(execution.metrics.memory_peak_bytes > 0);
    }
    Ok(())
}
