//! The programs that look through compression: zgrep, zdiff, zcmp, zless and their kin of other formats.
//!
//! Each unpacks by itself and leaves the looking to grep, diff and cmp. All know every format by its beginning.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::rc::Rc;

use process::{Errno, Program, Status, Stdio, Stream};

use crate::codec::{self, Format};

/// grep's short options that have an argument.
const GREP_ARGUMENTS: &str = "ABCDXdefm";

/// Opens a file, unpacked if it is packed.
fn open(path: &str) -> io::Result<Box<dyn Read>> {
    let mut source = codec::open(path)?;
    Ok(match Format::of_magic(source.fill_buf()?) {
        Some(format) => codec::reader(format, source, Rc::<Cell<bool>>::default())?,
        None => Box::new(source),
    })
}

fn complain(name: &str, path: &str, error: &io::Error) {
    let words = match error.kind() {
        io::ErrorKind::UnexpectedEof => "unexpected end of file".to_owned(),
        _ => process::message(error),
    };
    eprintln!("{name}: {path}: {words}");
}

/// Runs a program that reads a file, unpacked, as its standard input.
fn feed(name: &str, program: &mut Program, path: &str) -> Option<Status> {
    let mut source = match open(path) {
        Ok(source) => source,
        Err(error) => {
            complain(name, path, &error);
            return None;
        }
    };
    // The other may stop reading when it has seen enough.
    process::set_signals(0, 1 << process::signal::PIPE);
    let started = program.ignored(0).stdin(Stdio::Piped).spawn();
    let mut running = match started {
        Ok(running) => running,
        Err(error) => {
            eprintln!("{name}: {error}");
            return None;
        }
    };
    let mut outcome = Ok(0);
    if let Some(input) = running.stdin.take() {
        outcome = codec::pump(source.as_mut(), &mut Stream(input));
    }
    let status = running.wait();
    match outcome {
        Err(error) if Errno::from(&error) != Errno::BrokenPipe => {
            complain(name, path, &error);
            None
        }
        _ => Some(status),
    }
}

/// zgrep and its kin.
pub(crate) fn grep(name: &str, words: &[String]) -> u8 {
    let mut options: Vec<String> = match name {
        "zegrep" => vec!["-E".to_owned()],
        "zfgrep" => vec!["-F".to_owned()],
        _ => Vec::new(),
    };
    let mut operands = Vec::new();
    let (mut has_pattern, mut shows_name, mut only_options) = (false, None, true);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !only_options || !word.starts_with('-') || word == "-" {
            operands.push(word.clone());
            continue;
        }
        if word == "--" {
            only_options = false;
            continue;
        }
        options.push(word.clone());
        if let Some(long) = word.strip_prefix("--") {
            has_pattern |= long.starts_with("regexp") || long.starts_with("file");
            let takes = ["regexp", "file", "max-count", "context", "label"].contains(&long);
            options.extend(words.next().filter(|_| takes).cloned());
            continue;
        }
        let mut letters = word.trim_start_matches('-').chars();
        while let Some(letter) = letters.next() {
            match letter {
                'h' => shows_name = Some(false),
                'H' => shows_name = Some(true),
                'e' | 'f' => has_pattern = true,
                _ => {}
            }
            if GREP_ARGUMENTS.contains(letter) {
                if letters.as_str().is_empty() {
                    options.extend(words.next().cloned());
                }
                break;
            }
        }
    }
    if !has_pattern {
        if operands.is_empty() {
            eprintln!("{name}: missing pattern; try `{name} --help' for help");
            return 2;
        }
        let pattern = operands.remove(0);
        options.extend(["-e".to_owned(), pattern]);
    }
    if operands.is_empty() {
        operands.push("-".to_owned());
    }
    let shows_name = shows_name.unwrap_or(operands.len() > 1);
    let mut found = 1;
    let mut trouble = 0;
    for path in &operands {
        let mut program = Program::new("grep");
        program.args(&options);
        if path != "-" {
            program.arg(format!("--label={path}"));
        }
        if shows_name {
            program.arg("-H");
        }
        program.args(["--", "-"]);
        match feed(name, &mut program, path).map(Status::code) {
            Some(0) => found = 0,
            Some(1) => {}
            Some(status) => trouble = status,
            None => trouble = 2,
        }
    }
    if trouble > 0 { trouble } else { found }
}

/// zdiff, zcmp and their kin.
pub(crate) fn compare(name: &str, words: &[String]) -> u8 {
    let program = if name.ends_with("cmp") { "cmp" } else { "diff" };
    let (options, operands): (Vec<&String>, Vec<&String>) = words
        .iter()
        .partition(|word| word.starts_with('-') && word.len() > 1);
    let (first, second) = match operands.as_slice() {
        [first] => match stem(first) {
            Some(second) => (first.as_str(), second),
            None => {
                eprintln!("{name}: {first}: unknown compressed file name extension");
                return 2;
            }
        },
        [first, second] => (first.as_str(), second.as_str()),
        [] => {
            eprintln!("{name}: missing operand");
            return 2;
        }
        _ => {
            eprintln!("{name}: extra operand");
            return 2;
        }
    };
    let packed = |path: &str| -> io::Result<bool> {
        if path == "-" {
            return Ok(false);
        }
        let mut head = Vec::new();
        File::open(path)?.take(8).read_to_end(&mut head)?;
        Ok(Format::of_magic(&head).is_some())
    };
    let (first_packed, second_packed) = match (packed(first), packed(second)) {
        (Ok(first), Ok(second)) => (first, second),
        (outcome, other) => {
            for (path, outcome) in [(first, outcome), (second, other)] {
                if let Err(error) = outcome {
                    complain(name, path, &error);
                }
            }
            return 2;
        }
    };
    let mut command = Program::new(program);
    command.args(options);
    let status = match (first_packed, second_packed) {
        (false, false) => command.args([first, second]).status().ok(),
        (true, false) => feed(name, command.args(["-", second]), first),
        (false, true) => feed(name, command.args([first, "-"]), second),
        (true, true) => {
            let Some(plain) = unpacked(name, second) else {
                return 2;
            };
            let status = feed(name, command.args(["-", &plain]), first);
            // Nothing can be done about a file that does not go.
            let _ = std::fs::remove_file(&plain);
            status
        }
    };
    status.map_or(2, Status::code)
}

fn stem(path: &str) -> Option<&str> {
    [".gz", ".z", ".Z", ".bz2", ".xz", ".lzma", ".zst"]
        .iter()
        .find_map(|suffix| path.strip_suffix(suffix))
}

/// Unpacks into a temporary file and returns its name.
fn unpacked(name: &str, path: &str) -> Option<String> {
    let folder = process::temporary_directory();
    let target = folder.join(format!("{name}.{}", process::pid()));
    let outcome = open(path).and_then(|mut source| {
        let mut file = File::create_new(&target)?;
        codec::pump(source.as_mut(), &mut file)
    });
    match outcome {
        Ok(_) => Some(target.to_string_lossy().into_owned()),
        Err(error) => {
            complain(name, path, &error);
            None
        }
    }
}

/// zless and zmore, where there is no terminal to page on.
pub(crate) fn show(name: &str, words: &[String]) -> u8 {
    let stdin = ["-".to_owned()];
    let operands: Vec<&String> = words
        .iter()
        .filter(|word| !word.starts_with('-') || *word == "-")
        .collect();
    let operands = if operands.is_empty() {
        stdin.iter().collect()
    } else {
        operands
    };
    let mut status = 0;
    for path in operands {
        let mut out = codec::standard_output();
        let outcome = open(path).and_then(|mut source| {
            codec::pump(source.as_mut(), &mut out)?;
            out.flush()
        });
        if let Err(error) = outcome {
            complain(name, path, &error);
            status = 1;
        }
    }
    status
}
