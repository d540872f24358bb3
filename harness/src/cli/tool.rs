//! `sinew tool`: what a component offers to a model, and its functions called, without a daemon.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sinew_runtime::typed::docs::WitSources;
use sinew_runtime::typed::{Content, ToolSet};
use sinew_runtime::{
    CallOptions, ComponentSource, LoadedComponent, Outcome, Resources, Runtime, Trust,
};

use super::ConfigArgs;
use super::grants::GrantArgs;
use super::render::plain;
use super::tool_registry::{RegistryCommand, registry};
use crate::daemon::runtime;

/// Largest component that is read; what is compiled has a bound of its own.
const COMPONENT_BYTES_MAX: u64 = 256 << 20;

#[derive(Subcommand)]
pub(super) enum ToolCommand {
    /// Make a folder with a new tool: WIT, code, a test
    #[command(after_help = super::tool_new::EXAMPLES)]
    New(super::tool_new::NewArgs),
    /// Build the component of a tool's folder, with its descriptions in it
    #[command(after_help = super::tool_build::EXAMPLES)]
    Build(super::tool_build::BuildArgs),
    /// Build a tool whenever its files change, and register each with a daemon
    #[command(after_help = super::tool_dev::EXAMPLES)]
    Dev(super::tool_dev::DevArgs),
    /// Show what a component offers to a model, and what it asks for
    #[command(
        after_help = "Example: sinew tool check target/wasm32-wasip2/release/words.wasm --wit wit\n\n\
        Descriptions come from the doc comments of the WIT: toolchains leave them out of the component. Exit status 1 if \
        it has no tool."
    )]
    Check(CheckArgs),
    /// Call a function of a component, as an agent would
    #[command(
        after_help = "Example: sinew tool call words.wasm count --input '{\"path\": \"notes.md\"}' --workdir .\n\n\
        Nothing is granted but what the options say. Exit status 1 if the tool says that it failed, 2 if it crashed or \
        hit a limit."
    )]
    Call(CallArgs),
    #[command(flatten)]
    Registry(RegistryCommand),
}

#[derive(Args)]
struct Component {
    /// The component: a .wasm file
    file: PathBuf,
    /// Folder with the WIT that it was made from, for the descriptions
    #[arg(long, value_name = "DIR")]
    wit: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    component: Component,
}

#[derive(Args)]
pub(super) struct CallArgs {
    #[command(flatten)]
    component: Component,
    /// The function, by the name that the model knows it by
    function: String,
    /// Its input, a JSON object; - for standard input
    #[arg(long, default_value = "{}")]
    input: String,
    #[command(flatten)]
    grants: GrantArgs,
}

pub(super) async fn tool(command: ToolCommand) -> Result<ExitCode> {
    match command {
        ToolCommand::New(args) => super::tool_new::new(args),
        ToolCommand::Build(args) => super::tool_build::build(args).await,
        ToolCommand::Dev(args) => super::tool_dev::dev(args).await,
        ToolCommand::Check(args) => check(args).await,
        ToolCommand::Call(args) => call(args).await,
        ToolCommand::Registry(command) => registry(command).await,
    }
}

impl Component {
    async fn load(&self) -> Result<(Runtime, Arc<LoadedComponent>)> {
        let bytes = std::fs::metadata(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?
            .len();
        if bytes > COMPONENT_BYTES_MAX {
            bail!(
                "{} has {bytes} bytes; a component has at most {COMPONENT_BYTES_MAX}",
                self.file.display()
            );
        }
        let wasm = std::fs::read(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let config = self.config.config()?;
        // No pool: it would take longer to make than everything else.
        let runtime = runtime(&config, &config.data, Some(0))?;
        let source = ComponentSource {
            name: name_of(&self.file),
            wasm: wasm.into(),
            digest: None,
            wit: self.wit.clone().map(WitSources::Folder),
            trust: Trust::Untrusted,
        };
        let loaded = runtime
            .add(source)
            .await
            .with_context(|| format!("{} cannot be loaded", self.file.display()))?;
        Ok((runtime, loaded))
    }
}

fn name_of(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy());
    stem.unwrap_or_default().into_owned()
}

async fn check(args: CheckArgs) -> Result<ExitCode> {
    let (_runtime, loaded) = args.component.load().await?;
    let tools = loaded.tools();
    match args.component.json {
        true => say!("{}", serde_json::to_string(tools)?),
        false => say_tools(tools),
    }
    Ok(match tools.tools.is_empty() && tools.dynamic.is_none() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn say_tools(tools: &ToolSet) {
    for tool in &tools.tools {
        say!("{}  ({})", tool.name, tool.export);
        for line in tool.description.lines() {
            say!("  {}", plain(line));
        }
        let schema = serde_json::to_string_pretty(&tool.input_schema).unwrap_or_default();
        for line in schema.lines() {
            say!("  {}", plain(line));
        }
    }
    if let Some(interface) = &tools.dynamic {
        say!(
            "more tools, which it names when it is asked ({})",
            plain(interface)
        );
    }
    for refused in &tools.refused {
        say!("no tool: {}: {}", refused.export, plain(&refused.reason));
    }
    for name in tools.undocumented() {
        say!(
            "{name} says nothing about itself: write a doc comment in the WIT, and give its folder with --wit"
        );
    }
    if tools.tools.is_empty() && tools.dynamic.is_none() {
        say!("it exports no function that can be a tool");
    }
    match tools.capabilities.is_empty() {
        true => say!("it asks for nothing"),
        false => say!("it asks to (nothing is granted by that):"),
    }
    for capability in &tools.capabilities {
        say!("  {}", plain(&capability.words));
    }
}

async fn call(args: CallArgs) -> Result<ExitCode> {
    let text = match args.input.as_str() {
        "-" => std::io::read_to_string(std::io::stdin()).context("cannot read the input")?,
        text => text.to_owned(),
    };
    let input: Value = serde_json::from_str(&text).context("the input is not JSON")?;
    if !input.is_object() {
        bail!("the input is no JSON object");
    }
    let (runtime, loaded) = args.component.load().await?;
    if loaded.tools().dynamic.is_none() && loaded.tools().tool(&args.function).is_none() {
        let names: Vec<&str> = loaded
            .tools()
            .tools
            .iter()
            .map(|tool| tool.name.as_str())
            .collect();
        bail!(
            "there is no tool {:?}; there are: {}",
            args.function,
            names.join(", ")
        );
    }
    let own = tempfile::tempdir().context("no temporary folder can be made")?;
    let mut resources = Resources::default().component(loaded);
    for (name, value) in args.grants.variables()? {
        resources = resources.env(name, value);
    }
    let resources = args
        .grants
        .add_to(resources, own.path(), &args.component.config)?;
    let mut hand = runtime.provision(resources)?;
    hand.discover(CallOptions::default()).await?;
    let execution = hand
        .execute(&args.function, &input, CallOptions::default())
        .await;
    let (content, failure, status) = match execution.outcome {
        Outcome::Result(content) => (content, None, 0),
        Outcome::ToolError(content) => (content, Some("the tool failed".to_owned()), 1),
        Outcome::Trapped { message } => {
            (Vec::new(), Some(format!("the tool crashed: {message}")), 2)
        }
        Outcome::LimitHit(limit) => {
            let message = format!("the call was ended: {limit} (limit {})", limit.name());
            (Vec::new(), Some(message), 2)
        }
        Outcome::Cancelled => (Vec::new(), Some("the call was interrupted".to_owned()), 2),
        Outcome::HostFault(fault) => bail!("the call could not be made: {fault}"),
    };
    if args.component.json {
        let blocks: Vec<Value> = content.iter().map(block).collect();
        say!(
            "{}",
            json!({"content": blocks, "is_error": status != 0, "error": failure})
        );
        return Ok(ExitCode::from(status));
    }
    for part in &content {
        match part {
            Content::Text(text) => say!("{text}"),
            Content::Image { media_type, data } | Content::Document { media_type, data } => {
                say!("({media_type}, {} bytes; --json shows them)", data.len());
            }
        }
    }
    if let Some(failure) = failure {
        eprintln!("sinew tool: {failure}");
    }
    Ok(ExitCode::from(status))
}

fn block(part: &Content) -> Value {
    let media = |kind: &str, media_type: &str, data: &[u8]| {
        json!({
            "type": kind,
            "source": {"type": "base64", "media_type": media_type, "data": STANDARD.encode(data)},
        })
    };
    match part {
        Content::Text(text) => json!({"type": "text", "text": text}),
        Content::Image { media_type, data } => media("image", media_type, data),
        Content::Document { media_type, data } => media("document", media_type, data),
    }
}
