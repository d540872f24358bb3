//! A change that breaks a repository's tests, reviewed by the script that CI runs.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use sinew::mock_model::{Script, serve};
use sinew_tests::daemon::cache;
use tokio::net::TcpListener;

use super::{copied, example};
use crate::PROGRAM;

/// The reviewer tries to write, and says what its tests say.
const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You review a change}
    turns:
      - tools:
          - {name: write, input: {file_path: /workspace/src/total.sh, content: mended}}
          - {name: bash, input: {command: "grep -c '^[-+]' change.patch && sh test.sh"}}
      - branches:
          - when: {tool_result_contains: FAILED}
            text: '{"verdict": "reject", "findings": [{"file": "src/total.sh", "line": 2, "severity": "high", "text": "${tool_result.0}"}]}'
          - text: 'The tests pass. {"verdict": "approve", "findings": []}'
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
    let said = [ran.stdout, ran.stderr].concat();
    Ok((
        ran.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_breaks_the_tests_is_rejected() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let model = serve(listener, Script::parse(SCRIPT)?)?;
    let folder = tempfile::tempdir()?;
    let repository = folder.path().join("repository");
    copied(&example("code-review/sample"), &repository)?;
    git(&repository, &["init", "-q"])?;
    git(&repository, &["add", "."])?;
    git(&repository, &["commit", "-qm", "first"])?;
    git(&repository, &["apply", "broken.patch"])?;
    git(&repository, &["commit", "-qam", "whole numbers"])?;
    let (status, said) = review(&repository, &model.url()).await?;
    ensure!(
        status == Some(1)
            && said.contains("src/total.sh:2: high: Permission to use write has been denied")
            && said.ends_with("reject\n"),
        "{status:?} {said}"
    );
    std::fs::write(repository.join("README"), "Totals.\n")?;
    git(&repository, &["revert", "--no-edit", "HEAD"])?;
    git(&repository, &["add", "."])?;
    git(&repository, &["commit", "-qm", "words"])?;
    let (status, said) = review(&repository, &model.url()).await?;
    ensure!(
        status == Some(0) && said.ends_with("approve\n"),
        "{status:?} {said}"
    );

    // Whoever says nothing that can be read has not approved.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let model = serve(
        listener,
        Script::parse("turns: [{text: It looks fine to me.}]")?,
    )?;
    let (status, said) = review(&repository, &model.url()).await?;
    ensure!(
        status == Some(2) && said.contains("no verdict: It looks fine to me."),
        "{status:?} {said}"
    );
    Ok(())
}
