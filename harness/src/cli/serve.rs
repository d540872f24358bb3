//! `sinew serve`: the daemon.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{ConfigArgs, MasterKeyArgs};
use crate::daemon::Daemon;

#[derive(Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    master_key: MasterKeyArgs,
    /// Address of the HTTP API; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// A folder of this machine that every session works in, in place of one of its own
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print the effective configuration and end
    #[arg(long)]
    print_config: bool,
}

pub(super) async fn serve(args: ServeArgs) -> Result<ExitCode> {
    let mut config = args.config.config()?;
    args.master_key.apply(&mut config);
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    if args.workspace.is_some() {
        config.workspace = args.workspace;
    }
    if args.print_config {
        say_part!("{}", config.print());
        return Ok(ExitCode::SUCCESS);
    }
    let data = config.data.clone();
    let daemon = Daemon::start(config, super::progress()).await?;
    announce!(
        "sinew listens on http://{} with data in {}",
        daemon.address(),
        data.display()
    );
    announce!(
        "point a client at it:  ANTHROPIC_BASE_URL=http://{}",
        daemon.address()
    );
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal.context("cannot listen for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    eprintln!("stopping; sessions go on from their logs at the next start");
    daemon.stop().await;
    Ok(ExitCode::SUCCESS)
}
