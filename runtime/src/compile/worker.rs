//! The inside of the compiler's child process: limits itself, reads a component, writes machine code.
//!
//! Protocol: standard input carries the limits and then the component up to its end; standard output carries the length
//! of the tools' JSON (8 bytes, little endian), the JSON and the machine code; standard error carries the reason of a
//! failure and the exit status its kind.

use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{COMPONENT_BYTES_MAX, CompileError, Compiled, compile};
use crate::engine;

/// Exit status: the component is not valid.
pub(super) const EXIT_INVALID: u8 = 65;

/// Exit status: the compiler could not work.
pub(super) const EXIT_FAILED: u8 = 70;

/// Largest file that the compiler may write, in bytes. It writes none; this stops one that was taken over.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Processor time between the signal that ends the compiler and the one that nothing can hold off, in seconds.
const CPU_GRACE_SECONDS: u64 = 2;

/// Size of the limits at the start of the input, in bytes.
pub(super) const HEADER_BYTES: usize = 16;

/// Runs the compiler's child process: the whole of a `main` function.
///
/// Expects to be started by the runtime and nobody else, with a component on standard input.
pub fn compile_worker_main() -> ExitCode {
    let (status, message) = match run() {
        Ok(()) => return ExitCode::SUCCESS,
        Err(CompileError::InvalidComponent(message)) => (EXIT_INVALID, message),
        Err(error) => (EXIT_FAILED, error.to_string()),
    };
    // The parent may be gone, in which case there is nobody to tell.
    let _ = std::io::stderr().write_all(message.as_bytes());
    ExitCode::from(status)
}

fn run() -> Result<(), CompileError> {
    let mut input = std::io::stdin().lock();
    let mut header = [0; HEADER_BYTES];
    input.read_exact(&mut header).map_err(failed)?;
    let (memory_bytes, cpu_seconds) = parse_header(header);
    confine(memory_bytes, cpu_seconds).map_err(failed)?;

    let mut wasm = Vec::new();
    input
        .take(COMPONENT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut wasm)
        .map_err(failed)?;
    let engine =
        engine::compiling().map_err(|error| CompileError::CompilerFailed(format!("{error:#}")))?;
    let Compiled {
        artefact,
        tools_json,
    } = compile(&engine, &wasm)?;

    let mut output = std::io::stdout().lock();
    let length = tools_json.len() as u64;
    output.write_all(&length.to_le_bytes()).map_err(failed)?;
    output.write_all(&tools_json).map_err(failed)?;
    output.write_all(&artefact).map_err(failed)?;
    output.flush().map_err(failed)
}

/// Returns the limits as the worker's input starts with them.
pub(super) fn header(memory_bytes: u64, cpu_seconds: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let (memory, cpu) = header.split_at_mut(HEADER_BYTES / 2);
    memory.copy_from_slice(&memory_bytes.to_le_bytes());
    cpu.copy_from_slice(&cpu_seconds.to_le_bytes());
    header
}

fn parse_header(header: [u8; HEADER_BYTES]) -> (u64, u64) {
    let both = u128::from_le_bytes(header);
    (both as u64, (both >> 64) as u64)
}

fn confine(memory_bytes: u64, cpu_seconds: u64) -> std::io::Result<()> {
    // The kernel tells processor time's first bound apart from a kill by others only if it is below the second.
    let cpu_kill_seconds = cpu_seconds.saturating_add(CPU_GRACE_SECONDS);
    for (resource, soft, hard) in [
        (Resource::As, memory_bytes, memory_bytes),
        (Resource::Cpu, cpu_seconds, cpu_kill_seconds),
        (Resource::Core, 0, 0),
        (Resource::Fsize, FILE_BYTES_MAX, FILE_BYTES_MAX),
    ] {
        // A lower bound that somebody else set stays.
        let before = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        setrlimit(
            resource,
            Rlimit {
                current: Some(soft.min(before)),
                maximum: Some(hard.min(before)),
            },
        )?;
    }
    Ok(())
}

fn failed(error: std::io::Error) -> CompileError {
    CompileError::CompilerFailed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_carries_both_limits() {
        for limits in [(0, 0), (2 << 30, 60), (u64::MAX, 1), (1, u64::MAX)] {
            assert_eq!(parse_header(header(limits.0, limits.1)), limits);
        }
    }
}
