//! Archives and compressors: gzip, bzip2, xz, zstd and what reads through them, tar, zip.
//!
//! One program that is called by many names. Everything streams in bounded memory. What is damaged is an error with
//! a status, never a shorter result.

mod codec;
mod compressor;
mod gzip;
mod names;
mod tar;
mod through;
mod times;
mod unzip;
mod zip;
mod zstd;

use process::Commands;

const COMMANDS: Commands = Commands {
    program: "archive",
    table: &[
        ("bunzip2", compressor::run),
        ("bzcat", compressor::run),
        ("bzcmp", through::compare),
        ("bzdiff", through::compare),
        ("bzgrep", through::grep),
        ("bzip2", compressor::run),
        ("gunzip", compressor::run),
        ("gzcat", compressor::run),
        ("gzip", compressor::run),
        ("lzcat", compressor::run),
        ("lzma", compressor::run),
        ("tar", tar::run),
        ("unlzma", compressor::run),
        ("unxz", compressor::run),
        ("unzip", unzip::run),
        ("unzstd", compressor::run),
        ("xz", compressor::run),
        ("xzcat", compressor::run),
        ("xzcmp", through::compare),
        ("xzdiff", through::compare),
        ("xzgrep", through::grep),
        ("zcat", compressor::run),
        ("zcmp", through::compare),
        ("zdiff", through::compare),
        ("zegrep", through::grep),
        ("zfgrep", through::grep),
        ("zgrep", through::grep),
        ("zip", zip::run),
        ("zipinfo", unzip::run),
        ("zless", through::show),
        ("zmore", through::show),
        ("zstd", compressor::run),
        ("zstdcat", compressor::run),
        ("zstdgrep", through::grep),
    ],
};

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.names()
}

/// Runs the command that `arguments` begins with; `archive NAME ...` runs NAME.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    COMMANDS.run(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_programs_is_complete_and_in_order() {
        let listed: Vec<&str> = include_str!("../programs").lines().collect();
        assert!(names().eq(listed), "programs lists other names");
        assert!(
            names().is_sorted(),
            "a name that is out of order is never found"
        );
    }
}
