//! shasum: Perl's name for the programs that compute SHA sums; it runs them.

use std::io::{self, Write};

use crate::report;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut algorithm = None;
    let mut passed = Vec::new();
    let mut words = arguments.iter();
    let mut checks = None;
    while let Some(word) = words.next() {
        let value = match word.as_str() {
            "-a" | "--algorithm" => Some(words.next().cloned().unwrap_or_default()),
            "-v" | "--version" => return report::print(program, "6.02\n"),
            "-h" | "--help" => return report::print(program, USAGE),
            "-s" => {
                passed.push("--status".to_owned());
                continue;
            }
            "-c" | "--check" => {
                passed.push(word.clone());
                checks = words.as_slice().first().cloned();
                continue;
            }
            "-U" | "--UNIVERSAL" | "-0" | "--01" => {
                report::complain(program, format_args!("the option {word} is not supported"));
                return 1;
            }
            _ => word
                .strip_prefix("--algorithm=")
                .or_else(|| word.strip_prefix("-a").filter(|_| !word.starts_with("--")))
                .map(str::to_owned),
        };
        match value {
            Some(value) => algorithm = Some(value),
            None => passed.push(word.clone()),
        }
    }
    let algorithm = algorithm.or_else(|| checks.and_then(|name| guess(&name)));
    let name = match algorithm.as_deref().unwrap_or("1") {
        "1" => "sha1sum",
        "224" => "sha224sum",
        "256" => "sha256sum",
        "384" => "sha384sum",
        "512" => "sha512sum",
        _ => {
            let _ = io::stderr()
                .write_all(b"shasum: Unrecognized algorithm\nType shasum -h for help\n");
            return 1;
        }
    };
    match process::Program::new(name).args(&passed).status() {
        Ok(status) => status.code(),
        Err(error) => {
            report::complain(program, format_args!("{name}: {error}"));
            1
        }
    }
}

/// Returns the algorithm of the sums in a file, by their length.
fn guess(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(name).ok()?;
    let sum = text.split_whitespace().next()?;
    let algorithm = match sum.len() {
        40 => "1",
        56 => "224",
        64 => "256",
        96 => "384",
        128 => "512",
        _ => return None,
    };
    Some(algorithm.to_owned())
}

const USAGE: &str = "\
Usage: shasum [OPTION]... [FILE]...
Print or check SHA checksums.
  -a, --algorithm   1 (default), 224, 256, 384, 512
  -b, --binary      binary mode
  -c, --check       check the sums in the files
  -s, --status      only the status tells
";
