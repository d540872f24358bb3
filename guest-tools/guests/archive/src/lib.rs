//! The compressors gzip, bzip2, xz and zstd: one program that is called by any of their names.
//!
//! Everything streams in bounded memory. What is damaged is an error with a status, never a shorter result.

#![allow(
    dead_code,
    reason = "the archive programs that use the rest are not there yet"
)]

mod codec;
mod compressor;

/// Runs the command that the first argument names and returns its exit status.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    let (name, words) = arguments
        .split_first()
        .map_or(("gzip", &[][..]), |(name, words)| (name.as_str(), words));
    let name = name.rsplit('/').next().unwrap_or(name);
    compressor::run(name, words).unwrap_or_else(|| {
        eprintln!("{name}: this command is not part of the program");
        127
    })
}
