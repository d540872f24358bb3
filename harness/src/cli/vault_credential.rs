//! `sinew vault credential`: the credentials of a vault. A secret comes from standard input or a variable, never from
//! an argument, which other users of the machine could see; and nothing prints it.

use std::io::{IsTerminal, Read};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::DaemonArgs;
use super::resource::{All, delete, id, print, text, with_state};
use crate::json::Fields as _;

/// Longest secret that is read, in bytes; the daemon has the true bound.
const SECRET_BYTES_MAX: u64 = 1 << 20;

#[derive(Subcommand)]
pub(super) enum CredentialCommand {
    /// Store a secret, read from standard input or a variable, in a vault
    #[command(
        after_help = "Examples:\n  pass show linear | sinew vault credential add vlt_... --bearer https://mcp.linear.app/mcp\n  \
                      sinew vault credential add vlt_... --env GITHUB_TOKEN --hosts api.github.com --from-env GH_TOKEN"
    )]
    Add(Box<AddArgs>),
    /// List the credentials of a vault, newest first, without their secrets
    #[command(after_help = "Example: sinew vault credential list vlt_...")]
    List {
        /// The vault's id
        #[arg(value_parser = id)]
        vault: String,
        #[command(flatten)]
        all: All,
    },
    /// Archive a credential: its secret is wiped
    #[command(after_help = "Example: sinew vault credential archive vlt_... vcrd_...")]
    Archive(Credential),
    /// Delete a credential
    #[command(after_help = "Example: sinew vault credential delete vlt_... vcrd_...")]
    Delete(Credential),
}

/// One credential of a vault.
#[derive(Args)]
pub(super) struct Credential {
    /// The vault's id
    #[arg(value_parser = id)]
    vault: String,
    /// The credential's id
    #[arg(value_parser = id)]
    credential: String,
    #[command(flatten)]
    daemon: DaemonArgs,
}

impl Credential {
    fn path(&self) -> String {
        format!("{}/{}", all_of(&self.vault), self.credential)
    }
}

#[derive(Args)]
pub(super) struct AddArgs {
    /// The vault's id
    #[arg(value_parser = id)]
    vault: String,
    /// The secret is the bearer token of the MCP server at this URL
    #[arg(long, value_name = "URL", required_unless_present = "env")]
    bearer: Option<String>,
    /// The secret is the value of this environment variable of sessions
    #[arg(long, value_name = "NAME", conflicts_with = "bearer")]
    env: Option<String>,
    /// Hosts that the variable's value may be sent to, e.g. api.github.com,*.example.com
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        conflicts_with = "bearer"
    )]
    hosts: Vec<String>,
    /// The variable's value may be sent to any host
    #[arg(long, conflicts_with_all = ["hosts", "bearer"])]
    any_host: bool,
    /// Read the secret from this variable of the command itself, not from standard input
    #[arg(long, value_name = "VAR")]
    from_env: Option<String>,
    /// A name for people
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    daemon: DaemonArgs,
}

pub(super) async fn credential(command: CredentialCommand) -> Result<()> {
    match command {
        CredentialCommand::Add(args) => add(&args).await,
        CredentialCommand::List { vault, all } => {
            let path = format!("{}{}", all_of(&vault), all.query());
            for credential in all.daemon.client()?.all(&path).await? {
                print(&credential, &all.daemon, line);
            }
            Ok(())
        }
        CredentialCommand::Archive(one) => {
            let path = format!("{}/archive", one.path());
            let archived = one.daemon.client()?.post(&path, &Value::Null).await?;
            print(&archived, &one.daemon, line);
            Ok(())
        }
        CredentialCommand::Delete(one) => delete(&one.daemon, &one.path(), &one.credential).await,
    }
}

async fn add(args: &AddArgs) -> Result<()> {
    // What is wrong with the request is said before the secret is read.
    let networking = match (args.any_host, args.hosts.is_empty()) {
        (false, false) => json!({"type": "limited", "allowed_hosts": args.hosts}),
        (false, true) if args.env.is_some() => bail!(
            "--env needs --hosts HOST,...: where the secret may be sent to; --any-host allows every host"
        ),
        _ => json!({"type": "unrestricted"}),
    };
    let secret = secret(args.from_env.as_deref())?;
    let auth = match &args.env {
        Some(name) => json!({
            "type": "environment_variable",
            "secret_name": name,
            "secret_value": secret,
            "networking": networking,
        }),
        None => json!({
            "type": "static_bearer",
            "mcp_server_url": args.bearer,
            "token": secret,
        }),
    };
    let body = json!({"auth": auth, "display_name": args.name});
    let path = all_of(&args.vault);
    let made = args.daemon.client()?.post(&path, &body).await?;
    print(&made, &args.daemon, line);
    Ok(())
}

/// Reads the secret; the end of its last line is not part of it.
fn secret(variable: Option<&str>) -> Result<String> {
    let text = match variable {
        Some(name) => match std::env::var(name) {
            Ok(text) => text,
            Err(std::env::VarError::NotPresent) => bail!("the variable {name} is not set"),
            // Not the error itself, which repeats the value.
            Err(std::env::VarError::NotUnicode(_)) => bail!("the variable {name} is no UTF-8 text"),
        },
        None => {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                bail!(
                    "the secret is read from standard input, and a terminal would show it: pipe it in, or name a \
                     variable that holds it with --from-env"
                );
            }
            let mut bytes = Vec::new();
            stdin
                .take(SECRET_BYTES_MAX)
                .read_to_end(&mut bytes)
                .context("cannot read the secret from standard input")?;
            match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => bail!("the secret is no UTF-8 text"),
            }
        }
    };
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        bail!("the secret is empty");
    }
    Ok(secret.to_owned())
}

fn all_of(vault: &str) -> String {
    format!("/v1/vaults/{vault}/credentials")
}

fn line(credential: &Value) -> String {
    let auth = credential.at("auth");
    let what = match auth.at("secret_name").as_str() {
        Some(_) => text(auth.at("secret_name")),
        None => text(auth.at("mcp_server_url")),
    };
    let hosts = auth.at("networking").at("allowed_hosts").as_array();
    let hosts: Vec<String> = hosts.into_iter().flatten().map(text).collect();
    let line = format!(
        "{}  {}  {what}  {}  {}",
        text(credential.at("id")),
        text(auth.at("type")),
        hosts.join(","),
        with_state(credential, "display_name"),
    );
    line.trim_end().to_owned()
}
