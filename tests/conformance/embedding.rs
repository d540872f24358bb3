//! The libraries in programs of one's own: the examples do what they say.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sinew_tests::daemon::cache;

/// Returns an example, which is built with the tests.
fn example(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(|deps| deps.parent());
    Ok(folder.context("no folder")?.join("examples").join(name))
}

fn run(name: &str, arguments: &[&str]) -> Result<(bool, String)> {
    let output = Command::new(example(name)?)
        .args(arguments)
        .env("SINEW_CACHE", cache())
        .output()
        .with_context(|| format!("cannot run the example {name}"))?;
    let said = match output.status.success() {
        true => output.stdout,
        false => output.stderr,
    };
    let said = String::from_utf8_lossy(&said).into_owned();
    Ok((output.status.success(), said))
}

#[test]
fn a_program_loads_a_component_and_calls_it() -> Result<()> {
    assert_eq!(run("first_call", &[])?, (true, "42\n".to_owned()));
    let (is_done, said) = run("first_call", &["only one"])?;
    ensure!(!is_done && said.contains("expected a file"), "{said}");
    Ok(())
}

#[test]
fn a_program_has_a_daemon_inside() -> Result<()> {
    let (is_done, said) = run("embedded", &[])?;
    ensure!(is_done && said.starts_with("It is 42"), "{said}");
    Ok(())
}
