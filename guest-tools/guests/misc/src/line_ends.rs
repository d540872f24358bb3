//! dos2unix, unix2dos, mac2unix and unix2mac: line ends.

use std::io::{self, Read, Write};

use crate::report;

/// Runs the command: files are converted where they are, standard input to standard output.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut names: Vec<&String> = Vec::new();
    let (mut is_quiet, mut forces, mut keeps_date, mut is_new, mut adds_newline) =
        (false, false, false, false, false);
    let mut keeps_mark = program == "unix2dos";
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-q" | "--quiet" => is_quiet = true,
            "-f" | "--force" => forces = true,
            "-k" | "--keepdate" => keeps_date = true,
            "-n" | "--newfile" => is_new = true,
            "-o" | "--oldfile" => is_new = false,
            "-l" | "--newline" => adds_newline = true,
            "-b" | "--keep-bom" => keeps_mark = true,
            "-r" | "--remove-bom" => keeps_mark = false,
            "-s" | "--safe" | "-ascii" | "-7" => {}
            "-c" | "--convmode" => {
                words.next();
            }
            "-h" | "--help" => {
                return report::print(
                    program,
                    format!(
                        "Usage: {program} [options] [file ...] [-n infile outfile ...]\n \
                         -f force  -k keep date  -l an empty line more  -n new file  -o old file  -q quiet\n"
                    ),
                );
            }
            "-V" | "--version" => {
                return report::print(program, format!("{program} 7.4.3 (Sinew)\n"));
            }
            "--" => {
                names.extend(words.by_ref());
                break;
            }
            _ if word.starts_with('-') && word.len() > 1 => {
                report::complain(program, format_args!("invalid option -- '{word}'"));
                return 1;
            }
            _ => names.push(word),
        }
    }
    let convert = |bytes: &[u8]| convert(program, bytes, keeps_mark, adds_newline);
    if names.is_empty() {
        let mut bytes = Vec::new();
        if let Err(error) = io::stdin().lock().read_to_end(&mut bytes) {
            report::complain(program, process::message(&error));
            return 1;
        }
        return report::print(program, convert(&bytes));
    }
    let pairs: Vec<(&String, &String)> = if is_new {
        names
            .chunks_exact(2)
            .filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)))
            .collect()
    } else {
        names.into_iter().map(|name| (name, name)).collect()
    };
    let mut status = 0;
    for (from, to) in pairs {
        match file(from, to, keeps_date, forces, &convert) {
            Ok(true) => {
                if !is_quiet {
                    let form = match program {
                        "unix2dos" => "DOS",
                        "unix2mac" => "Mac",
                        _ => "Unix",
                    };
                    let shown = if from == to {
                        format!("file {from}")
                    } else {
                        format!("file {from} to file {to}")
                    };
                    let what = if from == to {
                        format!("converting {shown} to {form} format...")
                    } else {
                        format!("converting {shown} in {form} format...")
                    };
                    report::complain(program, what);
                }
            }
            Ok(false) => {
                if !is_quiet {
                    report::complain(program, format_args!("Skipping binary file {from}"));
                }
            }
            Err(error) => {
                let message = process::message(&error);
                let is_folder = process::Errno::from(&error) == process::Errno::IsDirectory;
                if is_folder {
                    report::complain(
                        program,
                        format_args!("Skipping {from}, not a regular file."),
                    );
                } else {
                    report::complain(program, format_args!("{from}: {message}"));
                    report::complain(
                        program,
                        format_args!("Skipping {from}, not a regular file."),
                    );
                    status = 2;
                }
            }
        }
    }
    status
}

/// Converts a file; false if it holds what no text does.
fn file(
    from: &str,
    to: &str,
    keeps_date: bool,
    forces: bool,
    convert: &dyn Fn(&[u8]) -> Vec<u8>,
) -> io::Result<bool> {
    let mut bytes = Vec::new();
    let mut source = crate::input::file(from)?;
    source.read_to_end(&mut bytes)?;
    let is_binary = |byte: &u8| *byte < 32 && !matches!(*byte, b'\n' | b'\r' | b'\t' | 12);
    if !forces && bytes.iter().any(is_binary) {
        return Ok(false);
    }
    let time = source.metadata()?.modified()?;
    drop(source);
    let mut target = std::fs::File::create(to)?;
    target.write_all(&convert(&bytes))?;
    if keeps_date {
        target.set_modified(time)?;
    }
    Ok(true)
}

fn convert(program: &str, bytes: &[u8], keeps_mark: bool, adds_newline: bool) -> Vec<u8> {
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) if !keeps_mark => rest,
        _ => bytes,
    };
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    let mut before = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1).copied();
        match (program, byte) {
            ("dos2unix", b'\r') if next == Some(b'\n') => {}
            ("unix2dos", b'\n') if before != b'\r' => out.extend_from_slice(b"\r\n"),
            ("mac2unix", b'\r') if next != Some(b'\n') => out.push(b'\n'),
            ("unix2mac", b'\n') if before != b'\r' => out.push(b'\r'),
            _ => out.push(*byte),
        }
        let is_end = match program {
            "mac2unix" => *byte == b'\r',
            _ => *byte == b'\n',
        };
        if is_end && adds_newline {
            let end: &[u8] = match program {
                "unix2dos" => b"\r\n",
                "unix2mac" => b"\r",
                _ => b"\n",
            };
            out.extend_from_slice(end);
        }
        before = *byte;
    }
    out
}
