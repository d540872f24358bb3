//! `sinew exec`: streams and exit status as `bash -c` has them.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::Result;
use serde_json::{Value, json};

use crate::PROGRAM;

fn exec(arguments: &[&str], stdin: &str) -> Result<Output> {
    let mut child = Command::new(PROGRAM)
        .arg("exec")
        .args(arguments)
        .env("SINEW_CACHE", sinew_tests::daemon::cache())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // A script that does not read its input may be gone before all of it is written.
    let _ = child
        .stdin
        .take()
        .expect("piped")
        .write_all(stdin.as_bytes());
    Ok(child.wait_with_output()?)
}

#[test]
fn streams_and_status_pass_through() -> Result<()> {
    for (arguments, stdin, stdout, stderr, status) in [
        (
            &["--", "echo out; echo err >&2; exit 3"][..],
            "",
            "out\n",
            "err\n",
            3,
        ),
        (
            &["--", "wc -c; echo \"$0 $1\"", "name", "arg"],
            "12345",
            "5\nname arg\n",
            "",
            0,
        ),
        (
            &["--stdin-script", "--", "name", "arg"],
            "echo \"$0 $1\"\nwc -c\n",
            "name arg\n0\n",
            "",
            0,
        ),
        (&["--", "sleep 1000 & kill $!; wait $!"], "", "", "", 143),
        (
            &["--timeout", "0.2", "--", "sleep 1000"],
            "",
            "",
            "sinew exec: the script did not end in time and was killed\n",
            124,
        ),
        (
            &["-e", "X=1 2", "--", "echo \"$X\"; pwd; ls -A"],
            "",
            "1 2\n/workspace\n",
            "",
            0,
        ),
        (
            &["--", "nosuch"],
            "",
            "",
            "bash: line 1: nosuch: command not found\n",
            127,
        ),
    ] {
        let output = exec(arguments, stdin)?;
        let texts = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert_eq!(
            texts,
            (stdout.to_owned(), stderr.to_owned()),
            "{arguments:?}"
        );
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    }
    Ok(())
}

#[test]
fn a_folder_is_shared_or_only_shown() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().display().to_string();
    std::fs::write(folder.path().join("a"), "content\n")?;
    let output = exec(&["--workdir", &path, "--", "cat a; echo new > b"], "")?;
    assert_eq!(output.stdout, b"content\n");
    assert_eq!(std::fs::read_to_string(folder.path().join("b"))?, "new\n");
    let output = exec(
        &["--workdir", &path, "--read-only", "--", "cat a; echo x > c"],
        "",
    )?;
    assert_eq!(output.stdout, b"content\n");
    assert_eq!(output.stderr, b"bash: line 1: c: Read-only file system\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.path().join("c").exists());
    Ok(())
}

#[test]
fn json_tells_everything() -> Result<()> {
    let output = exec(
        &["--json", "--", "echo out; printf '\\377' >&2; exit 4"],
        "",
    )?;
    let mut report: Value = serde_json::from_slice(&output.stdout)?;
    assert!(report["wall_ms"].take().is_u64());
    let expected = json!({"status": 4, "stdout": "out\n", "stderr": "\u{fffd}", "stderr_base64": "/w==",
        "timed_out": false, "wall_ms": null});
    assert_eq!(report, expected);
    assert_eq!(output.status.code(), Some(4));
    Ok(())
}

#[test]
fn what_cannot_be_run_says_why() -> Result<()> {
    for (arguments, words) in [
        (
            &["--workdir", "/nonexistent", "--", "true"][..],
            "/nonexistent cannot be used",
        ),
        (&["--timeout", "-1", "--", "true"], "--timeout"),
        (&["--read-only", "--", "true"], "--workdir"),
        (&[], "SCRIPT"),
    ] {
        let output = exec(arguments, "")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        assert!(!output.status.success());
    }
    Ok(())
}
