//! `sinew mock-model`: scripted answers over the same HTTP as a real model's.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use tokio::net::TcpListener;

use crate::mock_model::{Script, serve};

#[derive(Args)]
pub(super) struct MockModelArgs {
    /// The script (YAML): what is said at each turn
    script: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4101")]
    listen: SocketAddr,
}

pub(super) async fn mock_model(args: MockModelArgs) -> Result<ExitCode> {
    let text = std::fs::read_to_string(&args.script)
        .with_context(|| format!("cannot read {}", args.script.display()))?;
    let script = Script::parse(&text)?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let model = serve(listener, script)?;
    announce!("mock model listens on {}", model.url());
    announce!(
        "use it:  ANTHROPIC_BASE_URL={} ANTHROPIC_API_KEY=any sinew serve",
        model.url()
    );
    tokio::signal::ctrl_c()
        .await
        .context("cannot listen for Ctrl-C")?;
    Ok(ExitCode::SUCCESS)
}
