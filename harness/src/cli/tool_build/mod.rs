//! `sinew tool build`: one component out of a folder that `sinew tool new` made, with the toolchain of its language.
//!
//! The toolchains drop the doc comments of the WIT, which are a tool's description; they are put in at the end, so the
//! file needs nothing beside it. It takes its place in one step: a build that fails leaves the one before.

mod c;
mod error;
mod js;
mod python;
mod rust;
mod world;

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use sinew_runtime::typed::docs::{WitSources, embed};
use sinew_runtime::typed::{ToolSet, reflect};

pub(super) use c::ZIGLANG_SETUP;
pub(super) use js::NPM_SETUP;
pub(super) use python::COMPONENTIZE_PY_SETUP;
pub(super) use world::World;

use super::render::plain;
use super::tool_project::{Language, Manifest};

pub(super) const EXAMPLES: &str = "Examples:\n  \
    sinew tool build                             # the tool in this folder\n  \
    sinew tool build tools/words -o words.wasm\n\n\
    The language's own toolchain does the work, and a missing one is named with how to get it: Rust needs the target \
    wasm32-wasip2, Python componentize-py in .venv or on the path, JavaScript `npm install`, C zig or clang, and Rust \
    for its linker. Exit status 1 if it fails or no function of the component can be a tool.";

#[derive(Args)]
pub(super) struct BuildArgs {
    /// Folder of the tool, with its tool.toml
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Where the component goes; NAME.wasm in the tool's folder by default
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Build what is to be used, small and fast: the default
    #[arg(long, conflicts_with = "debug")]
    release: bool,
    /// Build fast and with names for traces, where the language knows the difference (Rust, C)
    #[arg(long)]
    debug: bool,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

/// What there is to build.
struct Project {
    /// The whole path of its folder, in which every toolchain runs.
    folder: PathBuf,
    manifest: Manifest,
    world: World,
    is_debug: bool,
}

impl Project {
    fn read(folder: &Path, is_debug: bool) -> Result<Self> {
        let whole = folder
            .canonicalize()
            .with_context(|| format!("there is no folder {}", folder.display()))?;
        let manifest = Manifest::read(&whole)?;
        let world = World::read(&whole.join(&manifest.wit), manifest.world.as_deref())?;
        Ok(Self {
            folder: whole,
            manifest,
            world,
            is_debug,
        })
    }

    /// Tells that a toolchain begins: the first time it may take minutes.
    fn announce(&self, toolchain: &str) {
        eprintln!("building {} with {toolchain} ...", self.manifest.name);
    }

    /// Returns the world's name, of which the toolchains must know which one is meant.
    fn world(&self) -> &str {
        self.world.name()
    }
}

pub(super) async fn build(args: BuildArgs) -> Result<ExitCode> {
    // Toolchains take their time; nothing else runs here, but a runtime's thread is not to be blocked.
    tokio::task::spawn_blocking(move || build_now(&args)).await?
}

/// A component that was built.
pub(super) struct Made {
    /// The tool's name.
    pub(super) name: String,
    /// The component, with its descriptions in it.
    pub(super) wasm: Vec<u8>,
    tools: ToolSet,
}

/// Builds the component of a folder, which may take minutes.
pub(super) fn make(folder: &Path, is_debug: bool) -> Result<Made> {
    let project = Project::read(folder, is_debug)?;
    let scratch = tempfile::tempdir().context("no temporary folder can be made")?;
    let made = match project.manifest.language {
        Language::Rust => rust::build(&project)?,
        Language::Python => python::build(&project, scratch.path())?,
        Language::Js => js::build(&project, scratch.path())?,
        Language::C => c::build(&project)?,
    };
    let wasm = std::fs::read(&made).with_context(|| format!("cannot read {}", made.display()))?;
    let wit = project.folder.join(&project.manifest.wit);
    let wasm = embed(&wasm, &WitSources::Folder(wit))
        .context("the descriptions of the WIT cannot be put into the component")?;
    let tools = reflect(&wasm).context("the component that was built has no readable type")?;
    Ok(Made {
        name: project.manifest.name.to_string(),
        wasm,
        tools,
    })
}

fn build_now(args: &BuildArgs) -> Result<ExitCode> {
    let Made { name, wasm, tools } = make(&args.folder, args.debug && !args.release)?;
    let output = match &args.output {
        Some(path) => path.clone(),
        None => args.folder.join(format!("{name}.wasm")),
    };
    write(&output, &wasm)?;
    match args.json {
        true => say!(
            "{}",
            json!({"path": output, "bytes": wasm.len(), "tools": tools.tools, "refused": tools.refused})
        ),
        false => say_made(&output, wasm.len(), &tools),
    }
    for name in tools.undocumented() {
        eprintln!(
            "{name} says nothing about itself: write a doc comment (///) before it in the WIT"
        );
    }
    let has_tools = !tools.tools.is_empty() || tools.dynamic.is_some();
    Ok(match has_tools {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn say_made(output: &Path, bytes: usize, tools: &ToolSet) {
    say!("made {} ({} KiB)", output.display(), bytes.div_ceil(1024));
    for tool in &tools.tools {
        let first = tool.description.lines().next().unwrap_or_default();
        say!("  {}  {}", tool.name, plain(first));
    }
    if let Some(interface) = &tools.dynamic {
        say!(
            "  more tools, which it names when it is asked ({})",
            plain(interface)
        );
    }
    for refused in &tools.refused {
        say!("  no tool: {}: {}", refused.export, plain(&refused.reason));
    }
    if tools.tools.is_empty() && tools.dynamic.is_none() {
        say!("  it exports no function that can be a tool");
    }
}

/// Puts the component where it belongs, in place of what is there.
fn write(output: &Path, wasm: &[u8]) -> Result<()> {
    let parent = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let cannot = || format!("cannot write {}", output.display());
    let mut staged = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(parent)
        .with_context(cannot)?;
    staged.write_all(wasm).with_context(cannot)?;
    staged.persist(output).with_context(cannot)?;
    Ok(())
}
