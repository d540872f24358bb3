//! Components that somebody sends to do harm, or that are broken: each is refused in its own words or bounded when it is
//! called, and costs the daemon nothing.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sinew_tests::log_rules::{of_kind, text_of};
use sinew_tests::world::World;

use crate::PROGRAM;

/// The agent calls the function that the user names.
const SCRIPT: &str = r#"
rules:
  - when: {tool_result_contains: ""}
    text: "${last_tool_result}"
  - when: {last_user_text_contains: "t_run"}
    tools: [{name: t_run, input: {}}]
  - when: {last_user_text_contains: "t_take"}
    tools: [{name: t_take, input: {x: 1}}]
otherwise: {text: Noted.}
"#;

/// A component whose core module has this text and exports `run`.
fn running(module: &str) -> String {
    format!(
        r#"(component (core module $m {module}) (core instance $i (instantiate $m))
            (func (export "run") (canon lift (core func $i "run"))))"#
    )
}

fn exports(count: usize) -> String {
    let exports: String = (0..count).fold(String::new(), |mut text, number| {
        // Writing to a string cannot fail.
        let _ = write!(text, r#"(export "f{number}" (func $f))"#);
        text
    });
    format!(
        r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f"))) {exports})"#
    )
}

fn nested_lists(levels: usize) -> String {
    let types: String = (1..=levels).fold("(type $t0 (list u8))".to_owned(), |mut text, level| {
        let _ = write!(text, "(type $t{level} (list $t{}))", level - 1);
        text
    });
    format!(
        r#"(component {types}
            (core module $m (memory (export "m") 1) (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0)
                (func (export "take") (param i32 i32)))
            (core instance $i (instantiate $m))
            (func (export "take") (param "x" $t{levels})
                (canon lift (core func $i "take") (memory (core memory $i "m")) (realloc (core func $i "r")))))"#
    )
}

/// Records each of which has the one before twice: a schema that doubles with every level.
fn doubling(levels: usize) -> String {
    let mut types = String::from("(type $t0 (tuple u8 u8))");
    for level in 1..=levels {
        let _ = write!(types, "(type $t{level} (tuple $t{0} $t{0}))", level - 1);
    }
    format!(
        r#"(component {types}
            (core module $m (memory (export "m") 1) (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0)
                (func (export "take") (param i32)))
            (core instance $i (instantiate $m))
            (func (export "take") (param "x" $t{levels})
                (canon lift (core func $i "take") (memory (core memory $i "m")) (realloc (core func $i "r")))))"#
    )
}

/// One function that takes the compiler memory in proportion to locals times branches.
fn compiler_bomb() -> String {
    let (locals, branches) = (40_000, 40_000);
    let body: String = (0..branches).fold(String::new(), |mut text, branch| {
        let local = 1 + branch % locals;
        let _ = write!(
            text,
            "(if (local.get 0) (then (local.set {local} (i32.add (local.get {local}) (i32.const 1)))))"
        );
        text
    });
    running(&format!(
        r#"(func (export "run") (local i32) (local {}) (loop {body} (br_if 0 (local.get 0))))"#,
        "i32 ".repeat(locals)
    ))
}

struct Registry {
    world: World,
}

impl Registry {
    /// Sends a component, and returns the status and what is said.
    async fn send(&self, name: &str, wasm: Vec<u8>) -> Result<(u16, Value)> {
        let form = Form::new()
            .text("name", name.to_owned())
            .part("component", Part::bytes(wasm).file_name("c.wasm"));
        let request = self
            .world
            .client
            .request(reqwest::Method::POST, "/sinew/v1/tools")
            .multipart(form);
        let answer = self.world.client.answer(request).await?;
        Ok((answer.status, answer.body))
    }

    /// Has an agent call a function of a component that was taken, and returns what it is told.
    async fn call(&self, name: &str, function: &str, limits: Value) -> Result<String> {
        let client = &self.world.client;
        let agent = json!({"name": name, "model": "claude-sonnet-4-6",
            "sinew": {"tools": [{"name": name, "prefix": "t_", "grants": {"limits": limits}}]}});
        let agent = client.post("/v1/agents", &agent).await?;
        let environment = json!({"name": format!("{name} {function}")});
        let environment = client.post("/v1/environments", &environment).await?;
        let body = json!({"agent": agent["id"], "environment_id": environment["id"]});
        let session = client.post("/v1/sessions", &body).await?;
        let id = session["id"].as_str().context("no id")?;
        client.message(id, &format!("t_{function}")).await?;
        let events = client.until_idle(id, "end_turn").await?;
        let said = of_kind(&events, "agent.message");
        Ok(text_of(said.last().context("nothing said")?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_hostile_components_are_refused_in_words() -> Result<()> {
    let registry = Registry {
        world: World::start(PROGRAM, SCRIPT).await?,
    };
    // Without identifiers the text leaves no names behind, which could be cut off unnoticed.
    let good = wat::parse_str(
        r#"(component (core module (func (export "run"))) (core instance (instantiate 0))
            (func (export "run") (canon lift (core func 0 "run"))))"#,
    )?;
    let mut no_text = good.clone();
    let place = no_text
        .windows(3)
        .rposition(|bytes| bytes == b"run")
        .context("no name")?;
    no_text[place..place + 3].copy_from_slice(&[0xff, 0xfe, 0xfd]);
    let parsed = |text: &str| wat::parse_str(text).map_err(anyhow::Error::from);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", Vec::new(), "do not start as a component does"),
        (
            "text",
            b"(component)".to_vec(),
            "do not start as a component does",
        ),
        (
            "a module",
            parsed("(module)")?,
            "do not start as a component does",
        ),
        (
            "an artefact",
            b"\x7fELF\x02\x01\x01".to_vec(),
            "do not start as a component does",
        ),
        ("names that are no text", no_text, "not a valid component"),
        (
            "no export",
            parsed("(component)")?,
            "exports no function that can be a tool",
        ),
        (
            "10,000 exports",
            parsed(&exports(10_000))?,
            "more than 256 functions",
        ),
        (
            "a schema that doubles",
            parsed(&doubling(12))?,
            "none of the component's functions can be a tool",
        ),
        (
            "a type that doubles",
            parsed(&doubling(40))?,
            "type size exceeds the limit",
        ),
        (
            "no such interface",
            parsed(r#"(component (import "acme:none/x@1.0.0" (instance (export "f" (func)))))"#)?,
            "acme:none/x@1.0.0",
        ),
        (
            "WASI that never was",
            parsed(
                r#"(component (import "wasi:cli/telepathy@0.2.0" (instance (export "f" (func)))))"#,
            )?,
            "wasi:cli/telepathy",
        ),
        (
            "WASI of another shape",
            parsed(
                r#"(component (import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "status" string))))))"#,
            )?,
            "wasi:cli/exit",
        ),
        (
            "a bare import",
            parsed(r#"(component (import "f" (func)))"#)?,
            "component: ",
        ),
        (
            "a huge table",
            parsed(&running(
                r#"(table 100000000 funcref) (func (export "run"))"#,
            ))?,
            "asks for more than a process can have",
        ),
        (
            "a bomb for the compiler",
            parsed(&compiler_bomb())?,
            "compiling the component takes more",
        ),
    ];
    for (what, wasm, fragment) in cases {
        let (status, said) = registry.send("bad", wasm).await?;
        let message = said["error"]["message"].as_str().unwrap_or_default();
        ensure!(status == 400, "{what}: {status} {said}");
        ensure!(
            message.starts_with("component: ") && message.contains(fragment),
            "{what}: {message}"
        );
        ensure!(message.len() < 4_000, "{what}: {} bytes", message.len());
    }
    // Wherever it is cut off it is no component, or none with a tool.
    for length in 0..good.len() {
        let (status, said) = registry.send("cut", good[..length].to_vec()).await?;
        ensure!(status == 400, "{length} bytes: {said}");
    }
    let tools = registry.world.client.get("/sinew/v1/tools").await?;
    ensure!(tools["data"] == json!([]), "{tools}");
    let (status, said) = registry.send("good", good).await?;
    ensure!(status == 200, "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_harms_only_when_it_runs_is_ended() -> Result<()> {
    let registry = Registry {
        world: World::start(PROGRAM, SCRIPT).await?,
    };
    let none = json!({});
    let short = json!({"wall_ms": 200});
    let cases = [
        (
            "start-loop",
            running(r#"(func $l (loop (br 0))) (start $l) (func (export "run"))"#),
            "run",
            &short,
            "_time)",
        ),
        (
            "start-trap",
            running(r#"(func $l unreachable) (start $l) (func (export "run"))"#),
            "run",
            &none,
            "crashed",
        ),
        (
            "huge-memory",
            running(r#"(memory 65536) (func (export "run"))"#),
            "run",
            &none,
            "limit memory",
        ),
        (
            "endless",
            running(r#"(func (export "run") (loop (br 0)))"#),
            "run",
            &short,
            "_time)",
        ),
        (
            "deep-calls",
            running(r#"(func $r (export "run") (call $r))"#),
            "run",
            &none,
            "limit stack",
        ),
        ("deep-lists", nested_lists(60), "take", &none, "x"),
    ];
    for (name, text, function, limits, fragment) in cases {
        let (status, said) = registry.send(name, wat::parse_str(text)?).await?;
        ensure!(status == 200, "{name}: {said}");
        let told = registry.call(name, function, limits.clone()).await?;
        ensure!(told.contains(fragment), "{name}: {told}");
    }
    let (status, _) = registry
        .send("good", wat::parse_str(running(r#"(func (export "run"))"#))?)
        .await?;
    ensure!(status == 200);
    let told = registry.call("good", "run", json!({})).await?;
    ensure!(told.contains("(no output)") || told == "null", "{told}");
    Ok(())
}
