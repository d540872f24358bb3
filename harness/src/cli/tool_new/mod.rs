//! `sinew tool new`: a small project that is a tool, in the language asked for, ready to be built.
//!
//! Either the whole folder is there afterwards, or nothing of it.

mod folder;
mod templates;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::tool_project::{Language, ToolName};

pub(super) const EXAMPLES: &str = "Examples:\n  \
    sinew tool new words --lang rust\n  \
    sinew tool new words --lang python --dir tools/words\n\n\
    The new tool counts the words of a text, with the same result in every language; README.md in the folder says how to \
    test, build and try it. An existing folder must be empty.";

#[derive(Args)]
pub(super) struct NewArgs {
    /// Its name: words of a-z and 0-9, hyphens between them
    #[arg(value_name = "NAME")]
    name: ToolName,
    /// The language to write it in
    #[arg(long, short, value_enum)]
    lang: Language,
    /// Folder to make, or an empty one; NAME by default
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn new(args: NewArgs) -> Result<ExitCode> {
    let folder = args
        .dir
        .unwrap_or_else(|| PathBuf::from(args.name.to_string()));
    folder::write(&folder, &templates::files(&args.name, args.lang))?;
    say!(
        "made {}: a tool in {}, to be changed in wit/ and src/",
        folder.display(),
        args.lang
    );
    say!("next: cd {}", folder.display());
    if let Some(set_up) = templates::set_up(args.lang) {
        say!("      {set_up}");
    }
    say!("      sinew tool build");
    Ok(ExitCode::SUCCESS)
}
