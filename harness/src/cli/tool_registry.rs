//! `sinew tool add`, `list`, `show`, `versions`, `download`, `delete`: the components of a daemon's registry.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::DaemonArgs;
use super::render::plain;
use super::resource::{Kind, One, delete, id, print, text};
use super::transfer::{SaveArgs, check_file, part};
use crate::json::Fields as _;

/// Levels of folders that a folder of interfaces has: its packages lie in `deps`, each in a folder.
const WIT_LEVELS_MAX: usize = 3;
/// Hexadecimal digits of a digest that are enough for people.
const DIGEST_SHOWN: usize = 19;

const TOOLS: Kind = Kind {
    path: "/sinew/v1/tools",
    line,
};

#[derive(Subcommand)]
pub(super) enum RegistryCommand {
    /// Register a component with a daemon: a new tool, or the next version of one
    #[command(after_help = "Example: sinew tool add words words.wasm --wit wit\n\n\
        An agent has it by its block sinew, which also says what it may reach: nothing, unless it is granted.\n  \
        sinew: {tools: [{name: words, grants: {mounts: [/workspace]}}]}\n\
        The same component again makes no new version.")]
    Add {
        /// The name that agents know it by
        #[arg(value_parser = id)]
        name: String,
        /// The component: a .wasm file
        file: PathBuf,
        /// Folder with the WIT that it was made from, for the descriptions
        #[arg(long, value_name = "DIR")]
        wit: Option<PathBuf>,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List the tools of a daemon, newest first
    #[command(after_help = "Example: sinew tool list")]
    List {
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Show a version of a tool, as JSON: its functions, their schemas, what it asks for
    #[command(after_help = "Example: sinew tool show words --version 2")]
    Show {
        #[command(flatten)]
        one: One,
        /// A number, a digest, or latest
        #[arg(long, default_value = "latest", value_parser = version)]
        version: String,
    },
    /// List the versions of a tool, newest first
    #[command(after_help = "Example: sinew tool versions words")]
    Versions(One),
    /// Get the component of a version
    #[command(after_help = "Example: sinew tool download words -o words.wasm")]
    Download {
        #[command(flatten)]
        one: One,
        /// A number, a digest, or latest
        #[arg(long, default_value = "latest", value_parser = version)]
        version: String,
        #[command(flatten)]
        save: SaveArgs,
    },
    /// Remove a tool with all its versions, or one version
    #[command(after_help = "Example: sinew tool delete words --version 1")]
    Delete {
        #[command(flatten)]
        one: One,
        /// Only this version: a number or a digest
        #[arg(long, value_parser = version)]
        version: Option<String>,
    },
}

pub(super) async fn registry(command: RegistryCommand) -> Result<ExitCode> {
    match command {
        RegistryCommand::Add {
            name,
            file,
            wit,
            daemon,
        } => {
            check_file(&file)?;
            let wit = wit.map_or_else(|| Ok(Vec::new()), |wit| read_wit(&wit))?;
            let made = register(&daemon, &name, part(&file).await?, wit).await?;
            print(&made, &daemon, added);
        }
        RegistryCommand::List { daemon } => TOOLS.list(&daemon, "?limit=100").await?,
        RegistryCommand::Show { one, version } => {
            let found = one.daemon.client()?.get(&path(&one, &version)).await?;
            say!("{found:#}");
        }
        RegistryCommand::Versions(one) => {
            let path = format!("{}/{}/versions?limit=100", TOOLS.path, one.id);
            for version in one.daemon.client()?.all(&path).await? {
                print(&version, &one.daemon, version_line);
            }
        }
        RegistryCommand::Download { one, version, save } => {
            let client = one.daemon.client()?;
            let found = client.get(&path(&one, &version)).await?;
            // By its digest: the newest may be another one by now.
            let digest = found.at("digest").as_str().unwrap_or_default();
            let content = format!("{}/content", path(&one, digest));
            let name = format!("{}.wasm", found.at("name").as_str().unwrap_or_default());
            save.save(&client, &content, &name, one.daemon.json).await?;
        }
        RegistryCommand::Delete { one, version: None } => TOOLS.delete(&one).await?,
        RegistryCommand::Delete {
            one,
            version: Some(version),
        } => delete(&one.daemon, &path(&one, &version), &version).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends a component, and the interfaces it was made from unless it has its descriptions in it. Returns its version.
pub(super) async fn register(
    daemon: &DaemonArgs,
    name: &str,
    component: Part,
    wit: Vec<(String, String)>,
) -> Result<Value> {
    let mut form = Form::new()
        .text("name", name.to_owned())
        .part("component", component);
    for (path, text) in wit {
        form = form.part("wit", Part::text(text).file_name(path));
    }
    daemon.client()?.post_form(TOOLS.path, form).await
}

fn path(one: &One, version: &str) -> String {
    format!("{}/{}/versions/{version}", TOOLS.path, one.id)
}

/// Reads a version: nothing else may become part of a request's path.
fn version(text: &str) -> Result<String, String> {
    let number = text.strip_prefix("sha256:").unwrap_or(text);
    match !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(text.to_owned()),
        false => Err("a version is a number, sha256: and its digits, or latest".to_owned()),
    }
}

/// Returns the files of a folder of interfaces, by their paths in it.
fn read_wit(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    read_folder(folder, "", 1, &mut files)?;
    if files.is_empty() {
        bail!("{} has no .wit file", folder.display());
    }
    files.sort();
    Ok(files)
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    level: usize,
    files: &mut Vec<(String, String)>,
) -> Result<()> {
    let failed = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = entry.path();
        if path.is_dir() {
            if level < WIT_LEVELS_MAX {
                read_folder(&path, &format!("{prefix}{name}/"), level + 1, files)?;
            }
        } else if name.ends_with(".wit") {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.push((format!("{prefix}{name}"), text));
        }
    }
    Ok(())
}

fn line(tool: &Value) -> String {
    format!(
        "{}  {}  version {}  {}",
        text(tool.at("id")),
        text(tool.at("name")),
        tool.at("latest_version"),
        text(tool.at("updated_at")),
    )
}

fn version_line(version: &Value) -> String {
    let digest = version.at("digest").as_str().unwrap_or_default();
    format!(
        "{}  {}  {} bytes  {}  {}",
        version.at("version"),
        plain(digest.get(..DIGEST_SHOWN).unwrap_or(digest)),
        version.at("size_bytes"),
        text(version.at("created_at")),
        names(version),
    )
}

fn names(version: &Value) -> String {
    let tools = version.at("tools").as_array().into_iter().flatten();
    let names: Vec<String> = tools.map(|tool| text(tool.at("name"))).collect();
    names.join(", ")
}

/// Returns what is said of a version that was registered.
pub(super) fn added(version: &Value) -> String {
    let mut lines = format!(
        "{} version {}: {}",
        text(version.at("name")),
        version.at("version"),
        names(version)
    );
    let list = |name: &str| version.at(name).as_array().into_iter().flatten();
    for refused in list("refused") {
        lines.push_str(&format!(
            "\nno tool: {}: {}",
            text(refused.at("export")),
            text(refused.at("reason"))
        ));
    }
    for tool in list("tools").filter(|tool| *tool.at("description") == "") {
        lines.push_str(&format!(
            "\n{} says nothing about itself: write a doc comment in the WIT, and give its folder with --wit",
            text(tool.at("name"))
        ));
    }
    for capability in list("capabilities") {
        lines.push_str(&format!("\nit asks to: {}", text(capability)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_read_with_their_packages() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_wit(folder.path()).is_err());
        let deps = folder.path().join("deps/io");
        std::fs::create_dir_all(&deps).unwrap();
        std::fs::write(folder.path().join("world.wit"), "package a:b;").unwrap();
        std::fs::write(folder.path().join("README"), "").unwrap();
        std::fs::write(deps.join("io.wit"), "package c:d;").unwrap();
        let read = read_wit(folder.path()).unwrap();
        let paths: Vec<&str> = read.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["deps/io/io.wit", "world.wit"]);
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_version() {
        for (text, is_good) in [
            ("3", true),
            ("latest", true),
            ("sha256:00ff", true),
            ("../3", false),
            ("", false),
            ("sha256:", false),
        ] {
            assert_eq!(version(text).is_ok(), is_good, "{text:?}");
        }
    }
}
