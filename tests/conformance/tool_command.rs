//! `sinew tool`: a component's functions as the model would have them, without a daemon.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sinew_tests::cli::Cli;
use sinew_tests::daemon::cache;

use crate::PROGRAM;

/// Two functions at the top of the component: one adds, one crashes.
const COMPONENT: &str = r#"
(component
  (core module $code
    (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
    (func (export "crash") unreachable))
  (core instance $made (instantiate $code))
  (func (export "add-up") (param "one-number" u32) (param "other" u8) (result u32)
    (canon lift (core func $made "add")))
  (func (export "crash") (canon lift (core func $made "crash"))))
"#;

#[test]
fn a_component_is_checked_and_called() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("sums.wasm"), wat::parse_str(COMPONENT)?)?;
    let cli = Cli::new(PROGRAM, "http://127.0.0.1:1", folder.path());
    let cli = cli.with_variable("SINEW_CACHE", &cache().display().to_string());
    let call = |function: &str, input: &str| {
        cli.run(&["tool", "call", "sums.wasm", function, "--input", input])
    };
    let shown = cli.ok(&["tool", "check", "sums.wasm"])?;
    for part in [
        "add_up  (add-up)",
        "\"one_number\"",
        "\"maximum\": 255",
        "it asks for nothing",
    ] {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    ensure!(
        shown.contains("add_up says nothing about itself"),
        "{shown}"
    );
    let tools = cli.json(&["tool", "check", "sums.wasm"])?;
    let tools: Vec<&Value> = tools[0]["tools"]
        .as_array()
        .context("no list")?
        .iter()
        .collect();
    ensure!(
        tools.len() == 2 && tools[0]["name"] == "add_up",
        "{tools:?}"
    );

    let ran = call("add_up", r#"{"one_number": 40, "other": 2}"#)?;
    ensure!(ran.status == 0 && ran.text() == "42\n", "{ran:?}");
    for (function, input, status, fragment) in [
        ("add_up", r#"{"one_number": 40}"#, 1, "other"),
        ("add_up", r#"{"one_number": 40, "other": 256}"#, 1, "255"),
        ("crash", "{}", 2, "crashed"),
        ("subtract", "{}", 1, "there are: add_up, crash"),
        ("add_up", "[]", 1, "no JSON object"),
        ("add_up", "{", 1, "not JSON"),
    ] {
        let ran = call(function, input)?;
        ensure!(
            ran.status == status && ran.shows(fragment),
            "{function} {input}: {ran:?}"
        );
    }
    std::fs::write(folder.path().join("none.wasm"), "no component")?;
    let ran = cli.run(&["tool", "check", "none.wasm"])?;
    ensure!(
        ran.status == 1 && ran.shows("none.wasm cannot be loaded"),
        "{ran:?}"
    );
    let ran = cli.run(&["tool", "check", "gone.wasm"])?;
    ensure!(
        ran.status == 1 && ran.shows("cannot read gone.wasm"),
        "{ran:?}"
    );
    Ok(())
}
