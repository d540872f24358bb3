//! `sinew tool dev`: builds a tool again whenever one of its files changes, and gives each to a running daemon.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use clap::Args;
use reqwest::multipart::Part;
use serde_json::json;

use super::DaemonArgs;
use super::resource::id;
use super::tool_build::{Made, make};
use super::tool_registry::{added, register};
use crate::json::Fields as _;

pub(super) const EXAMPLES: &str = "Example: sinew tool dev words\n\n\
    Sessions that begin from then on have the new version, if their agent says version: latest. What does not build, and a \
    daemon that does not answer, are told, and the next change is tried again. Ctrl-C ends it.";

/// Time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Files and levels of folders that are looked at, at most.
const FILES_MAX: usize = 10_000;
const LEVELS_MAX: usize = 12;
/// Folders that toolchains fill; others that begin with a dot are no sources either.
const MADE: [&str; 4] = ["target", "node_modules", "__pycache__", "venv"];

#[derive(Args)]
pub(super) struct DevArgs {
    /// Folder of the tool, with its tool.toml
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The name that agents know it by; the one in tool.toml by default
    #[arg(long, value_parser = id)]
    name: Option<String>,
    /// Build fast and with names for traces, where the language knows the difference (Rust, C)
    #[arg(long)]
    debug: bool,
    #[command(flatten)]
    daemon: DaemonArgs,
}

/// The files of a project, and when each was changed last.
type Look = BTreeMap<PathBuf, (SystemTime, u64)>;

pub(super) async fn dev(args: DevArgs) -> Result<ExitCode> {
    let mut built: Option<Look> = None;
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        let seen = look(&args.folder)?;
        if built.as_ref() != Some(&seen) {
            let is_first = built.is_none();
            built = Some(seen);
            match round(&args).await {
                Ok(()) => {}
                // Nothing to wait for: there is no such project.
                Err(error)
                    if is_first && look(&args.folder).map_or(true, |seen| seen.is_empty()) =>
                {
                    return Err(error);
                }
                Err(error) => eprintln!("sinew tool: {error:#}"),
            }
            if !args.daemon.json {
                eprintln!("waiting for changes ...");
            }
        }
        tokio::select! {
            _ = &mut interrupted => return Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Builds the tool and registers it.
async fn round(args: &DevArgs) -> Result<()> {
    let start = Instant::now();
    let (folder, is_debug) = (args.folder.clone(), args.debug);
    let made = tokio::task::spawn_blocking(move || make(&folder, is_debug));
    let Made { name, wasm, .. } = made.await??;
    let built = start.elapsed();
    let name = args.name.clone().unwrap_or(name);
    let version = register(&args.daemon, &name, Part::bytes(wasm), Vec::new()).await?;
    let took = start.elapsed();
    if args.daemon.json {
        say!(
            "{}",
            json!({"name": name, "version": version.at("version"), "digest": version.at("digest"),
                "built_ms": millis(built), "took_ms": millis(took)})
        );
        return Ok(());
    }
    say!("{} (in {} ms)", added(&version), millis(took));
    Ok(())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the sources of a project.
fn look(folder: &Path) -> Result<Look> {
    let mut seen = Look::new();
    look_in(folder, 0, &mut seen)
        .with_context(|| format!("cannot look through {}", folder.display()))?;
    Ok(seen)
}

fn look_in(folder: &Path, level: usize, seen: &mut Look) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_made = name.starts_with('.')
            || MADE.contains(&&*name)
            || name.ends_with(".wasm")
            || name.ends_with('~');
        if is_made || seen.len() >= FILES_MAX {
            continue;
        }
        // Editors put new files in the place of old ones: what is gone by now is there at the next look.
        let Ok(about) = entry.metadata() else {
            continue;
        };
        if about.is_dir() && level < LEVELS_MAX {
            match look_in(&entry.path(), level + 1, seen) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                looked => looked?,
            }
        } else if about.is_file() {
            seen.insert(entry.path(), (about.modified()?, about.len()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_seen_and_what_is_made_of_them_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["src", "target", ".venv", "node_modules/x", "wit/deps"] {
            std::fs::create_dir_all(at(path)).unwrap();
        }
        for path in [
            "src/lib.rs",
            "wit/deps/a.wit",
            "tool.toml",
            "target/a.rs",
            ".venv/a.py",
            "node_modules/x/a.js",
            "words.wasm",
            "src/lib.rs~",
            ".lib.rs.swp",
        ] {
            std::fs::write(at(path), "1").unwrap();
        }
        let seen = look(folder.path()).unwrap();
        let names: Vec<_> = seen.keys().cloned().collect();
        assert_eq!(
            names,
            [at("src/lib.rs"), at("tool.toml"), at("wit/deps/a.wit")]
        );
        std::fs::write(at("words.wasm"), "12").unwrap();
        assert_eq!(look(folder.path()).unwrap(), seen);
        std::fs::write(at("src/lib.rs"), "12").unwrap();
        assert_ne!(look(folder.path()).unwrap(), seen);
        assert!(look(&at("none")).is_err());
    }
}
