//! The command line: one file per command. Output is for people; `--json` is for programs.

#[macro_use]
mod output;

mod agent;
mod client;
mod conversation;
mod demo;
mod deployment;
mod doctor;
mod environment;
mod environment_key;
mod exec;
mod file;
mod grants;
mod key;
mod memory;
mod memory_content;
mod mock_model;
mod render;
mod resource;
mod run;
mod serve;
mod session;
mod session_file;
mod session_history;
mod session_mounts;
mod session_plan;
mod session_replay;
mod session_requests;
mod session_review;
mod skill;
mod skill_folder;
mod team;
mod tool;
mod tool_build;
mod tool_dev;
mod tool_new;
mod tool_project;
mod tool_registry;
mod transfer;
mod vault;
mod vault_credential;
mod verify;
mod yaml;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// An operating system for AI agents: durable sessions, replaceable brains, Wasm hands.
#[derive(Parser)]
#[command(name = "sinew", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon: the HTTP API and the drivers of all sessions
    Serve(serve::ServeArgs),
    /// Show the whole system at work on a small repository: no key, no network
    Demo(demo::DemoArgs),
    /// Run an agent from a YAML file in one session, live in the terminal
    Run(run::RunArgs),
    /// Run a bash script in a fresh hand: no daemon; streams and exit status as `bash -c` has them
    Exec(exec::ExecArgs),
    /// Show what a component offers as tools, and call them: no daemon
    #[command(subcommand)]
    Tool(tool::ToolCommand),
    /// Work with a daemon's sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Work with a daemon's agents
    #[command(subcommand)]
    Agent(agent::AgentCommand),
    /// Work with a daemon's environments
    #[command(subcommand)]
    Environment(environment::EnvironmentCommand),
    /// Work with a daemon's deployments: sessions by schedule or by hand
    #[command(subcommand)]
    Deployment(deployment::DeploymentCommand),
    /// Make, list and revoke API keys of a data folder
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Work with a daemon's files
    #[command(subcommand)]
    File(file::FileCommand),
    /// Work with a daemon's skills
    #[command(subcommand)]
    Skill(skill::SkillCommand),
    /// Work with a daemon's memory stores, and the memories in them
    #[command(subcommand)]
    Memory(memory::MemoryCommand),
    /// Work with a daemon's vaults; exchange the master key of a data folder
    #[command(subcommand)]
    Vault(vault::VaultCommand),
    /// Serve scripted answers as a model would, to test agents without one
    MockModel(mock_model::MockModelArgs),
    /// Check the installation and say what to do about each problem
    Doctor(doctor::DoctorArgs),
    /// Compile one component from standard input; the daemon runs this on uploads, under limits
    #[command(hide = true)]
    CompileWorker,
}

/// Which daemon a command talks to.
#[derive(Args, Clone)]
pub(super) struct DaemonArgs {
    /// Address of the daemon
    #[arg(long, env = "SINEW_URL", default_value = "http://127.0.0.1:4100")]
    url: String,
    /// API key, where the daemon asks for one
    #[arg(long, env = "SINEW_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

impl DaemonArgs {
    fn client(&self) -> Result<client::Client> {
        client::Client::new(&self.url, self.api_key.clone())
    }
}

/// Where configuration comes from; a flag wins over the file, the file over the defaults.
#[derive(Args, Clone)]
pub(super) struct ConfigArgs {
    /// Configuration file (YAML); see --print-config for every field
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for compiled components, shared between data folders; the data folder by default
    #[arg(long, value_name = "DIR", env = "SINEW_CACHE")]
    cache: Option<PathBuf>,
    /// Place of large contents and uploaded files: s3://bucket/prefix, gs://..., az://... or file:///folder; the data
    /// folder by default. Credentials come from the environment
    #[arg(long, value_name = "URL")]
    content_url: Option<crate::place::PlaceUrl>,
}

impl ConfigArgs {
    fn config(&self) -> Result<crate::config::Config> {
        let mut config = match &self.config {
            Some(path) => crate::config::Config::read(path)?,
            None => crate::config::Config::default(),
        };
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        if self.cache.is_some() {
            config.cache.clone_from(&self.cache);
        }
        if self.content_url.is_some() {
            config.content.url.clone_from(&self.content_url);
        }
        Ok(config)
    }
}

/// Where the master keys come from that the secrets of vaults are encrypted with. Each source has one key a
/// line, 32 bytes in base64: the first encrypts, the others still decrypt.
#[derive(Args, Clone)]
pub(super) struct MasterKeyArgs {
    /// File of the master key; `master-key` in the data folder by default, made at the first start
    #[arg(long, value_name = "FILE", group = "master_key")]
    master_key_file: Option<PathBuf>,
    /// Environment variable that holds the master key
    #[arg(long, value_name = "NAME", group = "master_key")]
    master_key_env: Option<String>,
    /// Shell command that prints the master key, e.g. one of a key service
    #[arg(long, value_name = "COMMAND", group = "master_key")]
    master_key_command: Option<String>,
}

impl MasterKeyArgs {
    /// Lays a flag that was given over the configuration.
    fn apply(&self, config: &mut crate::config::Config) {
        use crate::secrets::MasterKeySource;
        let file = self.master_key_file.clone().map(MasterKeySource::File);
        let env = self.master_key_env.clone().map(MasterKeySource::Env);
        let command = self.master_key_command.clone();
        let given = file.or(env).or(command.map(MasterKeySource::Command));
        if given.is_some() {
            config.master_key = given;
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::CompileWorker) {
        return sinew_runtime::compile_worker_main();
    }
    crate::logging::init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(cli.command));
    // Terminal input cannot be cancelled: its thread must not hold up the end.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns what shows how far a start is: on the terminal only, and only when there is something to wait
/// for.
fn progress() -> impl FnMut(crate::daemon::StartProgress<'_>) {
    use std::io::IsTerminal;
    let is_shown = std::io::stderr().is_terminal();
    move |step| {
        if is_shown {
            eprintln!(
                "tools ready: {} ({} of {})",
                step.name, step.done, step.total
            );
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::serve(args).await,
        Command::Demo(args) => demo::demo(args).await,
        Command::Run(args) => run::run(args).await,
        Command::Exec(args) => Ok(exec::exec(args).await),
        Command::Tool(command) => tool::tool(command).await,
        Command::Session(command) => session::session(command).await,
        Command::Agent(command) => agent::agent(command).await,
        Command::Environment(command) => environment::environment(command).await,
        Command::Deployment(command) => deployment::deployment(command).await,
        Command::File(command) => file::file(command).await,
        Command::Skill(command) => skill::skill(command).await,
        Command::Memory(command) => memory::memory(command).await,
        Command::Key(command) => key::key(command).await,
        Command::Vault(command) => vault::vault(command).await,
        Command::MockModel(args) => mock_model::mock_model(args).await,
        Command::Doctor(args) => doctor::doctor(args).await,
        Command::CompileWorker => Ok(ExitCode::FAILURE),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn no_command_has_arguments_that_exclude_each_other_by_mistake() {
        super::Cli::command().debug_assert();
    }
}
