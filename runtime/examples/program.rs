//! Runs one program of a component in a fresh hand: `program COMPONENT.wasm NAME [ARGUMENT...]`.
//!
//! The working folder becomes `/workspace`. Repeats the run as often as `REPEAT` says and tells the median time.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sinew_runtime::fs::Rights;
use sinew_runtime::{
    CompilerCommand, CompilerLimits, ComponentSource, ProgramEnd, Programs, Resources, RunProgram,
    Runtime, RuntimeConfig, Sink, Trust,
};
use tokio_util::sync::CancellationToken;

struct Out(File);

impl Sink for Out {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("which component?")?;
    let arguments: Vec<String> = arguments.collect();
    let name = arguments.first().context("which program?")?.clone();
    let data = std::env::temp_dir().join("sinew-example");
    let compiler = CompilerCommand {
        program: std::env::current_exe()?,
        args: Vec::new(),
        limits: CompilerLimits::default(),
    };
    let runtime = Runtime::new(RuntimeConfig::new(data, compiler))?;
    let mut programs = Programs::default();
    let source = ComponentSource {
        name: name.clone(),
        wasm: std::fs::read(path)?.into(),
        digest: None,
        wit: None,
        trust: Trust::Embedded,
    };
    programs.add(source, [name.as_str()])?;
    let workspace = Dir::open_ambient_dir(".", ambient_authority())?;
    let hand = runtime.provision(Resources::default().programs(Arc::new(programs)).mount(
        "/workspace",
        workspace,
        Rights::ReadWrite,
    ))?;
    let repeat: usize = std::env::var("REPEAT").map_or(Ok(1), |text| text.parse())?;
    let mut times: Vec<Duration> = Vec::new();
    let mut end = ProgramEnd::Cancelled;
    for _ in 0..repeat {
        let start = Instant::now();
        end = hand
            .run_program(RunProgram {
                program: format!("/usr/bin/{name}"),
                arguments: arguments.clone(),
                environment: Vec::new(),
                directory: "/workspace".to_owned(),
                stdin: Some(Box::new(io::stdin())),
                stdout: Arc::new(Out(io::stdout().as_fd().try_clone_to_owned()?.into())),
                stderr: Arc::new(Out(io::stderr().as_fd().try_clone_to_owned()?.into())),
                deadline: None,
                cancel: CancellationToken::new(),
            })
            .await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    eprintln!("{end:?}, median {:?}", times.get(times.len() / 2));
    Ok(())
}
