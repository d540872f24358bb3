//! `sinew demo`: the whole system on a small repository with a bug in it. No key, no network.
//!
//! Everything is the real thing but the model, which is scripted and spoken to over real HTTP.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;

use super::client::Client;
use super::conversation::{Conversation, TurnEnd};
use crate::config::Config;
use crate::daemon::Daemon;
use crate::json::Fields as _;
use crate::mock_model::{Script, serve};
use crate::model::keys::ApiKey;
use crate::model::{ProviderConfig, ProviderKind};

const SCRIPT: &str = include_str!("../../demo/script.yaml");

/// The repository, with the bug.
const REPOSITORY: [(&str, &str); 5] = [
    ("README.md", include_str!("../../demo/repo/README.md")),
    (
        "bill/__init__.py",
        include_str!("../../demo/repo/bill/__init__.py"),
    ),
    (
        "bill/shares.py",
        include_str!("../../demo/repo/bill/shares.py"),
    ),
    ("bill/tip.py", include_str!("../../demo/repo/bill/tip.py")),
    (
        "tests/test_bill.py",
        include_str!("../../demo/repo/tests/test_bill.py"),
    ),
];

const TASK: &str = "The test test_no_cent_is_lost fails: when a bill of 10.00 is split between three people, \
                    a cent disappears. Find the bug and fix it.";

#[derive(Args)]
pub(super) struct DemoArgs {
    /// Print every event as a JSON line
    #[arg(long)]
    json: bool,
    /// Use this folder for the data and the repository, and keep it; a temporary one by default
    #[arg(long, value_name = "DIR")]
    keep: Option<std::path::PathBuf>,
    /// Folder for compiled components, so that later starts are instant
    #[arg(long, value_name = "DIR", env = "SINEW_CACHE")]
    cache: Option<std::path::PathBuf>,
}

pub(super) async fn demo(args: DemoArgs) -> Result<ExitCode> {
    let temporary = TemporaryFolder::new(args.keep.as_deref())?;
    let repository = temporary.path.join("repository");
    for (name, text) in REPOSITORY {
        let file = repository.join(name);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let say = |text: &str| {
        if !args.json {
            say!("{text}");
        }
    };
    say(
        "A model that is scripted, and everything else as in production: daemon, log, HTTP API, Wasm hands.",
    );
    say(&format!("repository: {}", repository.display()));
    let before = run_tests(&repository);
    say(&format!("its tests before: {}\n", before.text()));

    let model = serve(
        TcpListener::bind("127.0.0.1:0").await?,
        Script::parse(SCRIPT)?,
    )?;
    let daemon = Daemon::start(
        config(&args, &temporary.path, &repository, model.url()),
        super::progress(),
    )
    .await?;
    let client = Client::new(&format!("http://{}", daemon.address()), None)?;
    let (session_id, end) = work(&client, args.json).await?;
    let events = client
        .all(&format!("/v1/sessions/{session_id}/events?limit=1000"))
        .await?;
    daemon.stop().await;

    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        *counts
            .entry(event.at("type").as_str().unwrap_or_default())
            .or_default() += 1;
    }
    say(&format!(
        "\nstored in the log of {session_id}: {} events",
        events.len()
    ));
    for (kind, count) in &counts {
        say(&format!("  {count:>3}  {kind}"));
    }
    let after = run_tests(&repository);
    say(&format!("its tests after: {}", after.text()));
    ensure!(end == TurnEnd::Done, "the agent did not finish its turn");
    let fixed = std::fs::read_to_string(repository.join("bill/shares.py"))?;
    ensure!(
        fixed.contains("divmod(total_cents, ways)") && after != Tests::Fail,
        "the bug is not fixed"
    );
    say("the bug is fixed");
    if args.keep.is_some() {
        say(&format!(
            "kept; look again with:  sinew serve --data {0}/data  and  sinew session events {session_id}",
            temporary.path.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn config(args: &DemoArgs, folder: &Path, repository: &Path, model_url: String) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data: folder.join("data"),
        cache: args.cache.clone(),
        workspace: Some(repository.to_owned()),
        providers: vec![ProviderConfig {
            base_url: Some(model_url),
            api_keys: ApiKey::new("demo").into_iter().collect(),
            ..ProviderConfig::new(ProviderKind::Anthropic)
        }],
        ..Config::default()
    }
}

async fn work(client: &Client, is_json: bool) -> Result<(String, TurnEnd)> {
    let agent = client
        .post(
            "/v1/agents",
            &json!({
                "name": "fixer",
                "model": "claude-sonnet-4-6",
                "system": "You fix bugs in small repositories with the smallest change that is right.",
                "tools": [{"type": "agent_toolset_20260401"}],
            }),
        )
        .await?;
    let environment = super::environment::local(client).await?;
    let body = json!({"agent": agent.at("id"), "environment_id": environment, "title": "demo"});
    let session = client.post("/v1/sessions", &body).await?;
    let session_id = session.at("id").as_str().unwrap_or_default().to_owned();
    let mut conversation = Conversation::open(client.clone(), &session_id, is_json).await?;
    let end = conversation.turn(TASK).await?;
    Ok((session_id, end))
}

/// What the repository's own tests say, where there is a python3 to run them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tests {
    Pass,
    Fail,
    NotRun,
}

impl Tests {
    fn text(self) -> &'static str {
        match self {
            Tests::Pass => "pass",
            Tests::Fail => "FAIL",
            Tests::NotRun => "not run (there is no python3 here)",
        }
    }
}

fn run_tests(repository: &Path) -> Tests {
    let status = Command::new("python3")
        .args(["-B", "-m", "unittest", "discover", "-s", "tests"])
        .current_dir(repository)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Tests::Pass,
        Ok(_) => Tests::Fail,
        Err(_) => Tests::NotRun,
    }
}

/// A folder that is removed at the end unless it is to be kept.
struct TemporaryFolder {
    path: std::path::PathBuf,
    is_kept: bool,
}

impl TemporaryFolder {
    fn new(keep: Option<&Path>) -> Result<Self> {
        let path = match keep {
            Some(path) => path.to_owned(),
            None => {
                let id = crate::ids::fresh("sinew-demo-", crate::clock::Timestamp::now());
                std::env::temp_dir().join(id)
            }
        };
        crate::data_dir::make_private(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self {
            path: path.canonicalize()?,
            is_kept: keep.is_some(),
        })
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed is in the system's folder for such things.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
