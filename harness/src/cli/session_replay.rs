//! `sinew session replay`: a session done again, without any model, in a folder that is gone afterwards.

use std::fs::File;
use std::io::{BufReader, Seek as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use futures::TryStreamExt as _;
use serde_json::{Value, json};

use super::ConfigArgs;
use super::client::Client;
use crate::blobs::Blobs;
use crate::clock::{Clock as _, SystemClock};
use crate::content::{Content, Packs};
use crate::daemon::make_hands;
use crate::data_dir::DataDir;
use crate::portable::{Bounds, Replayed, replay as do_again, stage};
use crate::store::{SharedStore, SqliteOptions, SqliteStore};

#[derive(Args)]
pub(super) struct ReplayArgs {
    /// A file that an export wrote, or the id of a daemon's session
    #[arg(value_name = "FILE|ID")]
    source: String,
    /// Hold what comes against what the session has, and say what is the first difference
    #[arg(long, required = true)]
    verify: bool,
    /// Address of the daemon that has the session
    #[arg(long, env = "SINEW_URL", default_value = "http://127.0.0.1:4100")]
    url: String,
    /// API key, where the daemon asks for one
    #[arg(long, env = "SINEW_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Does a session again and tells whether it was the same.
pub(super) async fn replay(args: ReplayArgs) -> Result<ExitCode> {
    let file = opened(&args).await?;
    let mut config = args.config.config()?;
    // Components that a daemon of this machine has compiled need not be compiled again.
    config.cache = Some(config.cache.unwrap_or(config.data));
    config.workspace = None;
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    config.data = folder.path().join("data");
    let data = DataDir::lock(&config.data)?;
    let store: SharedStore = Arc::new(SqliteStore::open(SqliteOptions::new(data.database()))?);
    let content = Content::new(store.clone(), Packs::in_folder(&data.packs())?);
    let blobs = Blobs::in_folder(&data.blobs())?;
    let hands = make_hands(&config, &data, &blobs, content.clone(), None, &mut |_| {}).await?;
    let bounds = Bounds {
        names_max: config.hand.files_max,
        bytes_max: config.hand.written_bytes_max,
    };
    let target = store.clone();
    let staged = tokio::task::spawn_blocking(move || {
        let now = SystemClock.now();
        stage(&target, &content, BufReader::new(file), bounds, now)
    });
    let staged = staged.await??;
    let done = do_again(&*store, &hands, &staged).await?;
    match args.json {
        true => say!("{}", report(&done)),
        false => say!("{}", told(&done)),
    }
    Ok(match done.difference {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

/// Opens the file, or gets the session from its daemon.
async fn opened(args: &ReplayArgs) -> Result<File> {
    let path = std::path::Path::new(&args.source);
    if path.exists() {
        return File::open(path).with_context(|| format!("cannot read {}", path.display()));
    }
    let client = Client::new(&args.url, args.api_key.clone())?;
    let path = format!("/sinew/v1/sessions/{}/export", args.source);
    let mut parts = client.content(&path).await?.bytes_stream();
    let mut file = tempfile::tempfile().context("no temporary file can be made")?;
    while let Some(part) = parts.try_next().await.context("the session broke off")? {
        file.write_all(&part)
            .context("cannot write the temporary file")?;
    }
    file.rewind().context("cannot read the temporary file")?;
    Ok(file)
}

fn report(done: &Replayed) -> Value {
    let difference = done.difference.as_ref().map(|difference| {
        json!({
            "number": difference.number,
            "event_id": difference.event_id,
            "what": difference.what,
            "expected": difference.expected,
            "got": difference.got,
            "may_be_chance": difference.is_uncertain,
        })
    });
    json!({
        "is_same": done.difference.is_none(),
        "events": done.events,
        "tool_calls": done.calls,
        "model_requests": done.requests,
        "not_deterministic": done.uncertain,
        "not_run_again": done.skipped,
        "without_digest": done.unrecorded,
        "difference": difference,
    })
}

fn told(done: &Replayed) -> String {
    let mut text = match &done.difference {
        None => format!(
            "{} events, {} tool calls, {} model requests: the same",
            done.events, done.calls, done.requests
        ),
        Some(difference) => {
            let chance = match difference.is_uncertain {
                true => {
                    "\nThe session is not deterministic: time or chance alone may make this difference."
                }
                false => "",
            };
            format!(
                "event {} ({}) has another {}\n--- expected\n{}\n--- got\n{}{chance}",
                difference.number,
                difference.event_id,
                difference.what,
                difference.expected,
                difference.got
            )
        }
    };
    for (count, what) in [
        (
            done.uncertain,
            "calls are of a session that is not deterministic and may differ by time or chance",
        ),
        (
            done.skipped,
            "calls were not run again: they never ran, were cut off or reviewed",
        ),
        (
            done.unrecorded,
            "model requests have no digest in the log: an older daemon made them",
        ),
    ] {
        if count > 0 {
            text.push_str(&format!("\n{count} {what}"));
        }
    }
    text
}
