//! `sinew skill`: the skills of a daemon and their versions.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::DaemonArgs;
use super::resource::{Kind, One, delete, id, print, text};
use super::skill_folder::{check_archive, pack};
use super::transfer::{SaveArgs, part};
use crate::json::Fields as _;

const SKILLS: Kind = Kind {
    path: "/v1/skills",
    line,
};

#[derive(Subcommand)]
pub(super) enum SkillCommand {
    /// Create a skill from a folder with a SKILL.md, or a zip archive of one
    #[command(after_help = "Example: sinew skill create ./pdf-tools --name \"PDF tools\"")]
    Create {
        /// The folder (its .git is left out) or archive
        source: PathBuf,
        /// A name for people; the one in SKILL.md by default
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List skills, newest first
    #[command(after_help = "Example: sinew skill list")]
    List {
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Show one skill, as JSON
    #[command(after_help = "Example: sinew skill show skill_...")]
    Show(One),
    /// List the versions of a skill, newest first
    #[command(after_help = "Example: sinew skill versions skill_...")]
    Versions(One),
    /// Add a version to a skill: it becomes the newest
    #[command(after_help = "Example: sinew skill add-version skill_... ./pdf-tools")]
    AddVersion {
        #[command(flatten)]
        one: One,
        /// The folder or zip archive; its name in SKILL.md must be the skill's
        source: PathBuf,
    },
    /// Get the files of a skill, as a zip archive
    #[command(after_help = "Example: sinew skill download skill_... -o pdf-tools.zip")]
    Download {
        #[command(flatten)]
        one: One,
        /// A version's id; the newest by default
        #[arg(long, value_name = "VERSION", default_value = "latest", value_parser = id)]
        version: String,
        #[command(flatten)]
        save: SaveArgs,
    },
    /// Delete a skill with all its versions, or one version
    #[command(after_help = "Example: sinew skill delete skill_... --version skver_...")]
    Delete {
        #[command(flatten)]
        one: One,
        /// Only this version
        #[arg(long, value_name = "VERSION", value_parser = id)]
        version: Option<String>,
    },
}

pub(super) async fn skill(command: SkillCommand) -> Result<ExitCode> {
    match command {
        SkillCommand::Create {
            source,
            name,
            daemon,
        } => {
            let mut form = form(&source).await?;
            if let Some(name) = name {
                form = form.text("display_name", name);
            }
            let made = daemon.client()?.post_form(SKILLS.path, form).await?;
            SKILLS.print(&made, &daemon);
        }
        SkillCommand::List { daemon } => SKILLS.list(&daemon, "?limit=1000").await?,
        SkillCommand::Show(one) => SKILLS.show(&one).await?,
        SkillCommand::Versions(one) => {
            let path = format!("{}?limit=1000", versions(&one));
            for version in one.daemon.client()?.all(&path).await? {
                print(&version, &one.daemon, version_line);
            }
        }
        SkillCommand::AddVersion { one, source } => {
            let form = form(&source).await?;
            let client = one.daemon.client()?;
            let made = client.post_form(&versions(&one), form).await?;
            print(&made, &one.daemon, version_line);
        }
        SkillCommand::Download { one, version, save } => {
            let client = one.daemon.client()?;
            let found = client.get(&format!("{}/{version}", versions(&one))).await?;
            // By its id: the newest may be another one by now.
            let id = found.at("id").as_str().unwrap_or_default();
            let path = format!("{}/{id}/content", versions(&one));
            let name = format!("{}.zip", found.at("name").as_str().unwrap_or_default());
            save.save(&client, &path, &name, one.daemon.json).await?;
        }
        SkillCommand::Delete { one, version: None } => SKILLS.delete(&one).await?,
        SkillCommand::Delete {
            one,
            version: Some(version),
        } => {
            let path = format!("{}/{version}", versions(&one));
            delete(&one.daemon, &path, &version).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn versions(one: &One) -> String {
    format!("{}/{}/versions", SKILLS.path, one.id)
}

/// Returns the form that makes a version of a folder or an archive.
async fn form(source: &Path) -> Result<Form> {
    let found =
        std::fs::metadata(source).with_context(|| format!("cannot read {}", source.display()))?;
    let part = if found.is_dir() {
        Part::bytes(pack(source)?).file_name("skill.zip")
    } else {
        check_archive(source)?;
        part(source).await?
    };
    Ok(Form::new().part("files[]", part))
}

fn line(skill: &Value) -> String {
    format!(
        "{}  {}  {}  {}",
        text(skill.at("id")),
        text(skill.at("latest_version_id")),
        text(skill.at("updated_at")),
        text(skill.at("display_name")),
    )
}

fn version_line(version: &Value) -> String {
    format!(
        "{}  {}  {}  {}",
        text(version.at("id")),
        text(version.at("created_at")),
        text(version.at("name")),
        text(version.at("description")).replace('\n', " "),
    )
}
