//! Input, output and other programs: `.read`, `.output`, `.once`, `.print`, `.shell`, `.cd`.

use std::fs::File;
use std::io::{BufRead, BufReader};

use super::{Outcome, misused};
use crate::input;
use crate::shell::Shell;

pub(super) fn output(shell: &mut Shell, words: &[String]) -> Outcome {
    redirect(shell, words, false)
}

pub(super) fn once(shell: &mut Shell, words: &[String]) -> Outcome {
    redirect(shell, words, true)
}

fn redirect(shell: &mut Shell, words: &[String], is_once: bool) -> Outcome {
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "--bom" && *word != "-bom")
        .collect();
    let command;
    let name = match words.as_slice() {
        [] => {
            shell.out.reset();
            return Outcome::Done;
        }
        [name] if name.starts_with('-') => {
            shell.complain(format_args!("ERROR: unknown option: \"{name}\""));
            return Outcome::Failed;
        }
        [name] => *name,
        // A command may be written without quotes.
        [first, ..] if first.starts_with('|') => {
            command = words.join(" ");
            &command
        }
        [_, extra, ..] => {
            shell.complain(format_args!(
                "ERROR: extra parameter: \"{extra}\".  Usage:\n.{} ?FILE?",
                if is_once { "once" } else { "output" }
            ));
            return Outcome::Failed;
        }
    };
    if let Err(message) = shell.out.open(name) {
        shell.complain(format_args!("{message}"));
        return Outcome::Failed;
    }
    shell.out.is_once = is_once;
    Outcome::Done
}

pub(super) fn print(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.print(format!("{}\n", words.join(" ")));
    Outcome::Done
}

pub(super) fn read(shell: &mut Shell, words: &[String]) -> Outcome {
    let [name] = words else {
        return misused(shell, ".read FILE");
    };
    let Some(mut source) = open(shell, name) else {
        return Outcome::Failed;
    };
    if input::run(shell, &mut *source, false) > 0 {
        Outcome::Failed
    } else {
        Outcome::Done
    }
}

/// Opens a file, or what a command writes. Says why it cannot.
pub(super) fn open(shell: &Shell, name: &str) -> Option<Box<dyn BufRead>> {
    if let Some(command) = name.strip_prefix('|') {
        let mut program = process::Program::new("sh");
        program.arg("-c").arg(command).stdout(process::Stdio::Piped);
        let stdout = program
            .spawn()
            .ok()
            .and_then(|mut running| running.stdout.take());
        let Some(stdout) = stdout else {
            shell.complain(format_args!("Error: cannot open \"{name}\""));
            return None;
        };
        return Some(Box::new(BufReader::new(process::Stream(stdout))));
    }
    match File::open(name) {
        Ok(file) if !file.metadata().is_ok_and(|metadata| metadata.is_dir()) => {
            Some(Box::new(BufReader::new(file)))
        }
        _ => {
            shell.complain(format_args!("Error: cannot open \"{name}\""));
            None
        }
    }
}

pub(super) fn system(shell: &mut Shell, words: &[String]) -> Outcome {
    if words.is_empty() {
        return misused(shell, ".system COMMAND");
    }
    let quoted: Vec<String> = words
        .iter()
        .map(|word| {
            if word.contains(' ') {
                format!("\"{word}\"")
            } else {
                word.clone()
            }
        })
        .collect();
    let mut program = process::Program::new("sh");
    program.arg("-c").arg(quoted.join(" "));
    match program.status() {
        Ok(status) if status.is_success() => {}
        // As system() of C gives it: the status of a program that ended by itself is in the second byte.
        Ok(process::Status::Signaled(signal)) => {
            shell.complain(format_args!("System command returns {signal}"));
        }
        Ok(status) => {
            let code = u32::from(status.code()) << 8;
            shell.complain(format_args!("System command returns {code}"));
        }
        Err(_) => shell.complain(format_args!("System command returns -1")),
    }
    Outcome::Done
}

pub(super) fn cd(shell: &mut Shell, words: &[String]) -> Outcome {
    let [folder] = words else {
        return misused(shell, ".cd DIRECTORY");
    };
    if std::env::set_current_dir(folder).is_ok() {
        return Outcome::Done;
    }
    shell.complain(format_args!("Cannot change to directory \"{folder}\""));
    Outcome::Failed
}
