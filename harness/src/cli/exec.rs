//! `sinew exec`: a bash script in a fresh hand, with the streams and the exit status that `bash -c` would give.
//!
//! No daemon: the shell and what it starts are mapped from the folder of compiled components. What the script sees of
//! this machine is the folder of `--workdir` and nothing else.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Map, Value, json};
use sinew_runtime::{Hand, Limits, ProgramEnd, Resources, RunProgram, Runtime, Sink};
use tokio_util::sync::CancellationToken;

use super::ConfigArgs;
use super::grants::GrantArgs;
use crate::daemon::runtime;
use crate::hands::{ENVIRONMENT, programs};

/// The exit status when the time was over, as timeout(1) has it.
const TIMED_OUT: u8 = 124;
/// The exit status when the script could not be run at all.
const NOT_RUN: u8 = 125;
/// Processes of the one hand.
const PROCESSES_MAX: u32 = 256;

#[derive(Args)]
pub(super) struct ExecArgs {
    /// The script, and what becomes $0, $1, ... of it
    #[arg(
        last = true,
        required_unless_present = "stdin_script",
        value_name = "SCRIPT"
    )]
    script: Vec<String>,
    #[command(flatten)]
    grants: GrantArgs,
    /// Read the script from standard input; the script's own standard input is then empty
    #[arg(long)]
    stdin_script: bool,
    /// End the script after this time (exit status 124)
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<f64>,
    /// Print one JSON object (status, stdout, stderr, timed_out, wall_ms) in place of the script's output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn exec(args: ExecArgs) -> ExitCode {
    match run(args).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sinew exec: {error:#}");
            ExitCode::from(NOT_RUN)
        }
    }
}

async fn run(args: ExecArgs) -> Result<ExitCode> {
    let start = Instant::now();
    let deadline = match args.timeout {
        None => None,
        Some(seconds) => {
            let timeout = Duration::try_from_secs_f64(seconds)
                .ok()
                .filter(|timeout| !timeout.is_zero());
            let timeout = timeout.context("--timeout takes a positive number of seconds")?;
            start.checked_add(timeout)
        }
    };
    let arguments = arguments(&args)?;
    let own = tempfile::tempdir().context("no temporary folder can be made")?;
    let runtime = runtime_of(&args.config)?;
    let hand = hand(&args, &runtime, own.path())?;
    let (stdout, stderr): (Arc<dyn Sink>, Arc<dyn Sink>);
    let captured = args.json.then(|| (Arc::default(), Arc::default()));
    match &captured {
        Some((out, err)) => {
            stdout = Arc::<Captured>::clone(out);
            stderr = Arc::<Captured>::clone(err);
        }
        None => {
            stdout = Arc::new(Stream::of(io::stdout())?);
            stderr = Arc::new(Stream::of(io::stderr())?);
        }
    }
    let ended = hand
        .run_program(RunProgram {
            program: "/usr/bin/bash".to_owned(),
            arguments,
            environment: environment(&args)?,
            directory: "/workspace".to_owned(),
            stdin: (!args.stdin_script).then(|| Box::new(io::stdin()) as _),
            stdout,
            stderr,
            deadline,
            cancel: CancellationToken::new(),
        })
        .await?;
    let status = match ended {
        ProgramEnd::Ended(ended) => ended.status(),
        ProgramEnd::TimedOut | ProgramEnd::Cancelled => TIMED_OUT,
    };
    if let Some((stdout, stderr)) = captured {
        let mut report = Map::new();
        report.insert("status".to_owned(), json!(status));
        stdout.describe("stdout", &mut report);
        stderr.describe("stderr", &mut report);
        report.insert(
            "timed_out".to_owned(),
            json!(matches!(ended, ProgramEnd::TimedOut)),
        );
        report.insert(
            "wall_ms".to_owned(),
            json!(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)),
        );
        say!("{}", Value::Object(report));
    } else if ended == ProgramEnd::TimedOut {
        eprintln!("sinew exec: the script did not end in time and was killed");
    }
    Ok(ExitCode::from(status))
}

fn arguments(args: &ExecArgs) -> Result<Vec<String>> {
    let mut script = args.script.clone();
    if args.stdin_script {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .context("the script cannot be read from standard input")?;
        script.insert(0, text);
    }
    if script.is_empty() {
        bail!("there is no script");
    }
    let mut arguments = vec!["bash".to_owned(), "-c".to_owned()];
    arguments.append(&mut script);
    Ok(arguments)
}

fn environment(args: &ExecArgs) -> Result<Vec<(String, String)>> {
    let mut environment: Vec<(String, String)> = ENVIRONMENT
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for (name, value) in args.grants.variables()? {
        environment.retain(|(known, _)| *known != name);
        environment.push((name, value));
    }
    Ok(environment)
}

fn runtime_of(config: &ConfigArgs) -> Result<Runtime> {
    let config = config.config()?;
    // No pool: it would take longer to make than everything else.
    Ok(runtime(&config, &config.data, Some(0))?)
}

fn hand(args: &ExecArgs, runtime: &Runtime, own: &Path) -> Result<Hand> {
    let resources = Resources::default()
        .programs(Arc::new(programs()?))
        .limits(Limits {
            wall_time: Duration::MAX,
            cpu_time: Duration::MAX,
            processes: PROCESSES_MAX,
            ..Limits::default()
        });
    let resources = args.grants.add_to(resources, own, &args.config)?;
    Ok(runtime.provision(resources)?)
}

/// One of this process's own streams, written without a buffer so that the two keep their order.
struct Stream(File);

impl Stream {
    fn of(stream: impl AsFd) -> io::Result<Self> {
        let fd: OwnedFd = stream.as_fd().try_clone_to_owned()?;
        Ok(Self(File::from(fd)))
    }
}

impl Sink for Stream {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match (&self.0).write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                ended => return ended,
            }
        }
    }
}

/// What a script wrote, for `--json`.
#[derive(Default)]
struct Captured(Mutex<Vec<u8>>);

impl Captured {
    /// Adds it as text; bytes that are none also in base64, under `NAME_base64`.
    fn describe(&self, name: &str, report: &mut Map<String, Value>) {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            report.insert(format!("{name}_base64"), json!(STANDARD.encode(&*bytes)));
        }
        report.insert(name.to_owned(), json!(text));
    }
}

impl Sink for Captured {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }
}
