//! Starts the compiler in a child process, feeds it and decides what its end means.
//!
//! The child gets no environment, no working directory of interest and no file descriptors but its three pipes. It is
//! killed when its time is over, when it says too much, and when the caller loses interest.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::worker::{EXIT_INVALID, header};
use super::{
    ARTEFACT_BYTES_MAX, CompileError, Compiled, CompilerLimit, MESSAGE_BYTES_MAX, TOOLS_BYTES_MAX,
    check_size,
};

/// Threads that the child compiles with; each costs address space.
const THREADS: &str = "2";

/// Heaps of the C library in the child; each costs 64 MiB of address space.
const HEAPS: &str = "2";

/// Linux's number of the signal that ends a process whose processor time is used up.
const SIGXCPU: i32 = 24;
/// Linux's number of the signal that the kernel sends when the machine is out of memory.
const SIGKILL: i32 = 9;
/// Linux's number of the signal by which a process ends itself.
const SIGABRT: i32 = 6;

/// How to start the program whose `main` is [`compile_worker_main`](super::compile_worker_main).
#[derive(Clone, Debug)]
pub struct CompilerCommand {
    /// The program, usually the running one.
    pub program: PathBuf,
    /// Its arguments, by which it knows what it is started for.
    pub args: Vec<OsString>,
    /// What it may use.
    pub limits: CompilerLimits,
}

/// What compiling one untrusted component may use.
#[derive(Clone, Debug)]
pub struct CompilerLimits {
    /// Address space in bytes. Default 2 GiB.
    pub memory_bytes: u64,
    /// Processor time in seconds. Default 60.
    pub cpu_seconds: u64,
    /// Time on the clock. Default 120 seconds.
    pub wall_time: Duration,
}

impl Default for CompilerLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            cpu_seconds: 60,
            wall_time: Duration::from_secs(120),
        }
    }
}

impl CompilerCommand {
    /// Returns the running program, started with one argument that its `main` must know, and the default limits. Errors:
    /// the program's own file cannot be found.
    pub fn this_program(argument: impl Into<OsString>) -> std::io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            args: vec![argument.into()],
            limits: CompilerLimits::default(),
        })
    }

    /// Compiles `wasm` in a child process.
    pub(crate) async fn compile(&self, wasm: &[u8]) -> Result<Compiled, CompileError> {
        check_size(wasm)?;
        let child = self.start()?;
        match tokio::time::timeout(self.limits.wall_time, self.converse(child, wasm)).await {
            Ok(result) => result,
            Err(_) => Err(CompileError::CompilerLimit(CompilerLimit::WallTime)),
        }
    }

    fn start(&self) -> Result<Child, CompileError> {
        Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .env("RAYON_NUM_THREADS", THREADS)
            .env("MALLOC_ARENA_MAX", HEAPS)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                CompileError::CompilerFailed(format!(
                    "cannot start {}: {error}",
                    self.program.display()
                ))
            })
    }

    async fn converse(&self, mut child: Child, wasm: &[u8]) -> Result<Compiled, CompileError> {
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(CompileError::CompilerFailed(
                "the child has no pipes".to_owned(),
            ));
        };
        let limits = header(self.limits.memory_bytes, self.limits.cpu_seconds);
        let feed = async move {
            // A child that ends early closes the pipe; its exit status then says more than this error.
            let _ = stdin.write_all(&limits).await;
            let _ = stdin.write_all(wasm).await;
            drop(stdin);
        };
        let output_bytes_max = size_of::<u64>() + TOOLS_BYTES_MAX + ARTEFACT_BYTES_MAX;
        let ((), output, complaint) = tokio::join!(
            feed,
            read_at_most(stdout, output_bytes_max),
            read_complaint(stderr)
        );
        let output = output.map_err(|error| CompileError::CompilerFailed(error.to_string()))?;
        let Some(output) = output else {
            return Err(CompileError::CompilerLimit(CompilerLimit::OutputBytes));
        };
        let status = child
            .wait()
            .await
            .map_err(|error| CompileError::CompilerFailed(error.to_string()))?;
        if status.success() {
            split(output)
        } else {
            Err(explain(status, complaint))
        }
    }
}

/// Reads to the end; `None` if there is more than `bytes_max`, in which case the pipe is closed without reading on.
async fn read_at_most(
    pipe: impl AsyncRead + Unpin,
    bytes_max: usize,
) -> std::io::Result<Option<Vec<u8>>> {
    let mut output = Vec::new();
    pipe.take(bytes_max as u64 + 1)
        .read_to_end(&mut output)
        .await?;
    Ok((output.len() <= bytes_max).then_some(output))
}

/// Reads to the end and keeps the start, so that a talkative child is never blocked.
async fn read_complaint(mut pipe: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        let room = MESSAGE_BYTES_MAX - kept.len();
        kept.extend(buffer.iter().take(length.min(room)));
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// Takes the worker's output apart.
fn split(output: Vec<u8>) -> Result<Compiled, CompileError> {
    let cut = || CompileError::CompilerFailed("the compiler's output is cut off".to_owned());
    let (length, rest) = output.split_first_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
    if length > TOOLS_BYTES_MAX {
        return Err(CompileError::CompilerLimit(CompilerLimit::OutputBytes));
    }
    let (tools_json, artefact) = rest.split_at_checked(length).ok_or_else(cut)?;
    let tools_json = tools_json.to_vec();
    let artefact = artefact.to_vec();
    Ok(Compiled {
        artefact,
        tools_json,
    })
}

/// Says why a child that did not succeed ended.
fn explain(status: ExitStatus, complaint: String) -> CompileError {
    use std::os::unix::process::ExitStatusExt;

    if status.code() == Some(i32::from(EXIT_INVALID)) {
        return CompileError::InvalidComponent(complaint);
    }
    let limit = match status.signal() {
        Some(SIGXCPU) => Some(CompilerLimit::CpuTime),
        Some(SIGKILL) => Some(CompilerLimit::Memory),
        // The standard library's words before it ends a process whose allocation failed.
        Some(SIGABRT) if complaint.contains("memory allocation of") => Some(CompilerLimit::Memory),
        _ => None,
    };
    match limit {
        Some(limit) => CompileError::CompilerLimit(limit),
        None => CompileError::CompilerFailed(format!("{status}: {complaint}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_childs_end_is_named() {
        let cases = [
            (65 << 8, "bad magic", "not a valid component: bad magic"),
            (
                24,
                "",
                "compiling the component takes more processor time than allowed",
            ),
            (
                9,
                "",
                "compiling the component takes more memory than allowed",
            ),
            (
                6,
                "memory allocation of 9 bytes failed",
                "compiling the component takes more memory than allowed",
            ),
            (
                6,
                "thread panicked",
                "the compiler failed: signal: 6 (SIGABRT): thread panicked",
            ),
            (
                70 << 8,
                "no engine",
                "the compiler failed: exit status: 70: no engine",
            ),
        ];
        for (raw, complaint, expected) in cases {
            let error = explain(ExitStatus::from_raw(raw), complaint.to_owned());
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn cut_output_is_refused() {
        for output in [
            vec![],
            vec![1; 7],
            vec![9, 0, 0, 0, 0, 0, 0, 0, b'{'],
            vec![255; 8],
        ] {
            split(output).unwrap_err();
        }
        let compiled = split(vec![2, 0, 0, 0, 0, 0, 0, 0, b'{', b'}', 7]).unwrap();
        assert_eq!(
            (compiled.tools_json, compiled.artefact),
            (b"{}".to_vec(), vec![7])
        );
    }
}
