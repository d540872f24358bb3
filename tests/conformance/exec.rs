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

#[test]
fn hosts_are_reached_that_were_allowed() -> Result<()> {
    use std::io::{BufRead as _, BufReader};
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let _head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        }
    });
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("sinew.yaml");
    let granted = json!({"egress": {"private_hosts": [format!("127.0.0.1:{port}")]}});
    std::fs::write(&config, granted.to_string())?;
    let config = config.display().to_string();
    let script = format!("curl -sS http://127.0.0.1:{port}/");
    for (arguments, stdout, stderr) in [
        (
            &["--allow-host", "127.0.0.1", "--config", &config][..],
            "hi",
            "",
        ),
        // Allowed and not granted, granted and not allowed, and neither.
        (&["--allow-host", "127.0.0.1"], "", "egress.private_hosts"),
        (
            &["--allow-host", "a.test", "--config", &config],
            "",
            "--allow-host",
        ),
        (&[], "", "no network access is granted"),
    ] {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--", &script]).collect();
        let output = exec(&arguments, "")?;
        assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(told.is_empty(), stderr.is_empty(), "{told}");
        assert!(told.contains(stderr), "{told}");
    }
    Ok(())
}
