//! The official SDKs, unmodified, against the daemon: each Python file in `python/` but the shared one is run as
//! a program, and the calls of `walk/plan.json` are made by Python's two clients and by TypeScript's.
//!
//! A recording proxy stands between. What it saw makes the table of `ENDPOINTS.md`: which scenario of which
//! SDK calls an endpoint of the contract. The table is checked; an endpoint without a scenario fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sinew_tests::proxy::{Call, Proxy, Sdk};
use sinew_tests::wire::Wire;
use sinew_tests::world::World;
use sinew_tests::{node, python};

use crate::PROGRAM;

/// What every scenario shares.
const SHARED: &str = "support.py";
/// The model of the walk; any that the catalogue knows.
const MODEL: &str = "claude-sonnet-4-6";
/// Set to write the table instead of comparing it.
const WRITE: &str = "SINEW_WRITE_ENDPOINTS";

const SCRIPT: &str = include_str!("sdk_script.yaml");

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdks_work_unmodified() -> Result<()> {
    // The receiver of webhooks is on this machine.
    let world = World::start_with(PROGRAM, SCRIPT, "webhooks: {allow_private: true}").await?;
    let proxy = Proxy::start(&world.client.url).await?;
    let (python, node) = (python::interpreter()?, node::with_sdk()?);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let mut programs: Vec<PathBuf> = std::fs::read_dir(own.join("python"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    programs
        .retain(|path| path.extension().is_some_and(|end| end == "py") && !path.ends_with(SHARED));
    programs.sort();
    ensure!(programs.len() >= 3, "programs are missing: {programs:?}");
    let of_python = |program: &Path, argument: Option<&str>| {
        let mut command = Command::new(&python);
        command.arg("-B").arg(program).args(argument);
        command
    };
    let mut commands: Vec<Command> = programs.iter().map(|path| of_python(path, None)).collect();
    let walk = own.join("walk/walk.py");
    commands.push(of_python(&walk, None));
    commands.push(of_python(&walk, Some("async")));
    for program in ["walk/walk.mjs", "walk/pipeline.mjs"] {
        let mut typescript = Command::new(&node.program);
        typescript
            .arg(own.join(program))
            .env("SINEW_TEST_NODE_FOLDER", &node.folder);
        commands.push(typescript);
    }
    for mut command in commands {
        command
            .env("SINEW_TEST_URL", &proxy.url)
            .env("SINEW_TEST_MODEL", world.model.url())
            .env("SINEW_TEST_MODEL_ID", MODEL)
            .env_remove("ANTHROPIC_BASE_URL")
            .env_remove("ANTHROPIC_API_KEY");
        let shown = format!("{command:?}");
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        let output = output.with_context(|| format!("cannot run {shown}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(
            output.status.success(),
            "{shown} failed:\n{}\n{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        print!("{}", text(&output.stdout));
    }
    let problems = proxy.problems();
    ensure!(
        problems.is_empty(),
        "answers against the contract:\n{}",
        problems.join("\n")
    );
    not_served(&world).await?;
    check_table(&own.join("ENDPOINTS.md"), &proxy.calls())
}

/// What is not served says so, in the contract's envelope.
async fn not_served(world: &World) -> Result<()> {
    for path in sinew::api::contract::NOT_SERVED {
        let answer = world
            .client
            .send(axum::http::Method::GET, path, None)
            .await?;
        ensure!(answer.status == 404, "{path} answered {}", answer.status);
    }
    Ok(())
}

/// Compares the table of endpoints with the one in the repository.
fn check_table(path: &Path, calls: &[Call]) -> Result<()> {
    let (table, missing) = table(calls);
    ensure!(
        missing.is_empty(),
        "endpoints that an SDK does not call in any scenario:\n{}",
        missing.join("\n")
    );
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path, table)?;
        return Ok(());
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    ensure!(
        kept == table,
        "{} is not what was called; run this test with {WRITE}=1 to write it anew",
        path.display()
    );
    Ok(())
}

/// Returns the table, and the endpoints that lack a scenario of some SDK.
fn table(calls: &[Call]) -> (String, Vec<String>) {
    let wire = Wire::contract();
    let mut found: BTreeMap<&str, BTreeMap<Sdk, BTreeSet<&str>>> = BTreeMap::new();
    for call in calls {
        let (Some(endpoint), Some(sdk)) = (wire.call(&call.method, &call.path), call.sdk) else {
            continue;
        };
        let scenarios = found.entry(endpoint).or_default().entry(sdk).or_default();
        if !call.scenario.is_empty() {
            scenarios.insert(&call.scenario);
        }
    }
    let mut text = String::from(
        "# Endpoints and the scenarios that call them\n\n\
         Written by the test that runs the official SDKs; see `sdk.rs`. The third column is the blocking client \
         of the Python SDK, the fourth its asyncio client, the fifth the TypeScript SDK.\n\n\
         | Call | SDK method | Python | Python, asyncio | TypeScript |\n|---|---|---|---|---|\n",
    );
    let mut missing = Vec::new();
    let mut endpoints: Vec<_> = wire.endpoints().collect();
    endpoints.sort_by_key(|endpoint| &endpoint.name);
    for endpoint in endpoints {
        let is_served = endpoint.is_served();
        let (endpoint, method) = (endpoint.name.as_str(), &endpoint.sdk_method);
        let of_sdk = |sdk: Sdk| {
            let scenarios = found.get(endpoint).and_then(|by_sdk| by_sdk.get(&sdk));
            scenarios.map(|names| names.iter().copied().collect::<Vec<_>>().join(", "))
        };
        let columns = [Sdk::Python, Sdk::PythonAsync, Sdk::TypeScript].map(|sdk| {
            let names = of_sdk(sdk);
            if is_served && names.is_none() {
                missing.push(format!("{endpoint} by {sdk:?}"));
            }
            names.unwrap_or_else(|| "not served: 404".to_owned())
        });
        text += &format!("| {endpoint} | {method} | {} |\n", columns.join(" | "));
    }
    (text, missing)
}
