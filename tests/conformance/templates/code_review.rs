//! A change that breaks a repository's tests, reviewed by the script that CI runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::json;
use sinew::mock_model::{MockModel, Script, serve};
use sinew_tests::daemon::cache;
use tokio::net::TcpListener;

use super::{copied, example};
use crate::PROGRAM;

/// The reviewer tries to write and to reach the network, and says what its tests say.
const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You review a change}
    turns:
      - tools:
          - {name: write, input: {file_path: /workspace/repository/src/total.sh, content: mended}}
          - {name: bash, input: {command: "echo mended > repository/src/total.sh"}}
          - {name: bash, input: {command: "curl -sS http://example.invalid/ 2>&1 | grep -c 'A review needs no network' | tr -d '\\n'"}}
          - {name: bash, input: {command: "grep -c '^[-+]' change.patch && cd repository && sh test.sh 2>/dev/null"}}
      - branches:
          - when: {tool_result_contains: FAILED}
            text: '{"verdict": "reject", "findings": [{"file": "src/total.sh", "line": 2, "severity": "high", "text": "${tool_result.0}\n${tool_result.1} Denied: ${tool_result.2}"}]}'
          - when: {tool_result_contains: passed}
            text: 'The tests pass. {"verdict": "approve", "findings": []}'
          - text: "${tool_result.3}"
"#;

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let ran = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(folder)
        .output()?;
    ensure!(ran.status.success(), "{arguments:?}: {ran:?}");
    Ok(())
}

/// Runs the shipped script in a repository, and returns its exit status and what it prints.
async fn review(repository: &Path, model: &str) -> Result<(Option<i32>, String)> {
    let folder = tempfile::tempdir()?;
    let options = format!(
        "--data {} --cache {}",
        folder.path().join("data").display(),
        cache().display()
    );
    let mut command = Command::new("sh");
    command
        .arg(example("code-review/review.sh"))
        .arg("HEAD~1")
        .current_dir(repository)
        .env("SINEW", PROGRAM)
        .env("SINEW_RUN_OPTIONS", options)
        .env("ANTHROPIC_BASE_URL", model)
        .env("ANTHROPIC_API_KEY", "test-key")
        .env_remove("RUST_LOG");
    let ran = tokio::task::spawn_blocking(move || command.output()).await??;
    let said = [ran.stderr, ran.stdout].concat();
    Ok((
        ran.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

/// Makes a repository of the sample whose last commit breaks it.
fn broken(folder: &Path) -> Result<PathBuf> {
    let repository = folder.join("repository");
    copied(&example("code-review/sample"), &repository)?;
    git(&repository, &["init", "-q"])?;
    git(&repository, &["add", "."])?;
    git(&repository, &["commit", "-qm", "first"])?;
    git(&repository, &["apply", "broken.patch"])?;
    git(&repository, &["commit", "-qam", "whole numbers"])?;
    Ok(repository)
}

async fn scripted(script: &str) -> Result<MockModel> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(serve(listener, Script::parse(script)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_breaks_the_tests_is_rejected() -> Result<()> {
    let model = scripted(SCRIPT).await?;
    let folder = tempfile::tempdir()?;
    let repository = broken(folder.path())?;
    let (status, said) = review(&repository, &model.url()).await?;
    ensure!(
        status == Some(1)
            && said.contains("src/total.sh:2: high: Permission to use write has been denied")
            && said.contains("The reviewer changes nothing. Denied: 1")
            && said.ends_with("reject\n"),
        "{status:?} {said}"
    );

    // What the change carries stays in the copy: a link leads nowhere, and no file hides from the reviewer.
    let outside = folder.path().join("outside");
    std::fs::write(&outside, "mine")?;
    std::os::unix::fs::symlink(&outside, repository.join("change.patch"))?;
    std::fs::write(repository.join(".gitattributes"), "test.sh export-ignore\n")?;
    git(&repository, &["revert", "--no-edit", "HEAD"])?;
    git(&repository, &["add", "."])?;
    git(&repository, &["commit", "-qm", "links"])?;
    let (status, said) = review(&repository, &model.url()).await?;
    ensure!(
        status == Some(0) && said.ends_with("approve\n"),
        "{status:?} {said}"
    );
    ensure!(std::fs::read_to_string(&outside)? == "mine");
    Ok(())
}

/// Whoever says nothing that can be read has not approved, and neither has who finds what is not low.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_surely_approved_passes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repository = broken(folder.path())?;
    let finding = |severity: &str| {
        let finding =
            json!({"file": "a", "line": 1, "severity": severity, "text": "It is\nwrong."});
        json!({"verdict": "approve", "findings": [finding]}).to_string()
    };
    for (answer, status, expected) in [
        (finding("low"), 0, "a:1: low: It is wrong.\napprove\n"),
        (finding("high"), 1, "a:1: high: It is wrong.\nreject\n"),
        (finding("severe"), 1, "a:1: severe: It is wrong.\nreject\n"),
        (
            "It looks fine to me.".to_owned(),
            2,
            "no verdict: It looks fine to me.\n",
        ),
        (r#"{"verdict": "approve"}"#.to_owned(), 2, "no verdict"),
        (
            r#"{"verdict": ["approve"], "findings": []}"#.to_owned(),
            2,
            "no verdict",
        ),
        (
            r#"{"verdict": "approve", "findings": ["none"]}"#.to_owned(),
            2,
            "no verdict",
        ),
    ] {
        let model = scripted(&json!({"turns": [{"text": answer}]}).to_string()).await?;
        let (ended, said) = review(&repository, &model.url()).await?;
        ensure!(
            ended == Some(status) && said.contains(expected),
            "{answer}: {ended:?} {said}"
        );
    }

    // A model that cannot be asked approves nothing.
    let model = scripted(r#"turns: [{error: {status: 400, message: "no"}}]"#).await?;
    let (ended, said) = review(&repository, &model.url()).await?;
    ensure!(ended == Some(2), "{ended:?} {said}");
    Ok(())
}
