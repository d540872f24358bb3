//! `sinew file`: the files of a daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use reqwest::multipart::Form;
use serde_json::Value;

use super::DaemonArgs;
use super::resource::{Kind, One, id, print, text};
use super::transfer::{SaveArgs, check_file, part, size};
use crate::json::Fields as _;

const FILES: Kind = Kind {
    path: "/v1/files",
    line,
};

#[derive(Subcommand)]
pub(super) enum FileCommand {
    /// Upload files, up to 500 MB each, and print their ids
    #[command(after_help = "Example: sinew file upload data.csv notes.md --expires-in 86400")]
    Upload {
        /// The files
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Seconds after which they expire, 3600 to 7776000; never by default
        #[arg(long, value_name = "SECONDS")]
        expires_in: Option<u64>,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List files, newest first: uploads, and what sessions made
    #[command(after_help = "Example: sinew file list --session sesn_...")]
    List {
        /// Only those of this session
        #[arg(long, value_parser = id)]
        session: Option<String>,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Show one file, as JSON
    #[command(after_help = "Example: sinew file show file_...")]
    Show(One),
    /// Get the content of a file that a session made; that of an upload stays with the daemon
    #[command(after_help = "Example: sinew file download file_... -o report.pdf")]
    Download {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        save: SaveArgs,
    },
    /// Delete a file; sessions keep their copies
    #[command(after_help = "Example: sinew file delete file_...")]
    Delete(One),
}

pub(super) async fn file(command: FileCommand) -> Result<ExitCode> {
    match command {
        FileCommand::Upload {
            paths,
            expires_in,
            daemon,
        } => upload(&paths, expires_in, &daemon).await?,
        FileCommand::List { session, daemon } => {
            let scope = session.map(|id| format!("&scope_id={id}"));
            let query = format!("?limit=1000{}", scope.unwrap_or_default());
            FILES.list(&daemon, &query).await?;
        }
        FileCommand::Show(one) => FILES.show(&one).await?,
        FileCommand::Download { one, save } => {
            let client = one.daemon.client()?;
            let path = format!("/v1/files/{}", one.id);
            let file = client.get(&path).await?;
            let name = file.at("filename").as_str().unwrap_or_default();
            save.save(&client, &format!("{path}/content"), name, one.daemon.json)
                .await?;
        }
        FileCommand::Delete(one) => FILES.delete(&one).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn upload(paths: &[PathBuf], expires_in: Option<u64>, daemon: &DaemonArgs) -> Result<()> {
    // All of them first: a slip in the last name is not found after an hour of uploading.
    for path in paths {
        check_file(path)?;
    }
    let client = daemon.client()?;
    for path in paths {
        let mut form = Form::new();
        if let Some(seconds) = expires_in {
            form = form.text("expires_in_seconds", seconds.to_string());
        }
        let form = form.part("file", part(path).await?);
        let made = client
            .post_form(FILES.path, form)
            .await
            .with_context(|| format!("cannot upload {}", path.display()))?;
        print(&made, daemon, |file| text(file.at("id")));
    }
    Ok(())
}

fn line(file: &Value) -> String {
    let owner = match file.at("scope") {
        Value::Null => "upload".to_owned(),
        scope => text(scope.at("id")),
    };
    format!(
        "{}  {:>9}  {}  {owner}  {}",
        text(file.at("id")),
        size(file.at("size_bytes").as_u64().unwrap_or(0)),
        text(file.at("created_at")),
        text(file.at("filename")),
    )
}
