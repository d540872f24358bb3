//! ed: the line editor of POSIX, as GNU ed 1.19 answers scripts.

mod address;
mod buffer;
mod command;
mod substitute;

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};

use gnu_options::{Item, Takes};
use posix_regex::{Options, Regex, Syntax};

use crate::{input, report};

use buffer::Buffer;

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "EGhlp:rsvV",
    long: &[
        ("extended-regexp", Takes::Nothing, 'E'),
        ("help", Takes::Nothing, 'h'),
        ("loose-exit-status", Takes::Nothing, 'l'),
        ("prompt", Takes::Argument, 'p'),
        ("quiet", Takes::Nothing, 's'),
        ("silent", Takes::Nothing, 's'),
        ("traditional", Takes::Nothing, 'G'),
        ("verbose", Takes::Nothing, 'v'),
        ("version", Takes::Nothing, 'V'),
    ],
};

/// Why a command did not do what it says, in ed's words.
type Outcome<T> = Result<T, String>;

/// Where the session stands after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Goes,
    Quits,
}

struct Session {
    buffer: Buffer,
    name: String,
    is_quiet: bool,
    explains: bool,
    prompt: Option<String>,
    shows_prompt: bool,
    syntax: Syntax,
    last_error: String,
    pattern: Option<Regex>,
    substitution: Option<substitute::Substitution>,
    /// A change was warned of, so that the same command goes through.
    warned: bool,
    /// Lines of a command list of `g` that come before those of the input.
    pending: VecDeque<Vec<u8>>,
    is_global: bool,
    /// What stands behind the last line of a replacement.
    pending_suffix: Vec<u8>,
    source: Box<dyn BufRead>,
}

/// Runs the command: status 1 if a command of a script failed.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let Ok(source) = input::open("-") else {
        return 1;
    };
    let mut session = Session {
        buffer: Buffer::default(),
        name: String::new(),
        is_quiet: false,
        explains: false,
        prompt: None,
        shows_prompt: false,
        syntax: Syntax::Basic,
        last_error: String::new(),
        pattern: None,
        substitution: None,
        warned: false,
        pending: VecDeque::new(),
        is_global: false,
        pending_suffix: Vec::new(),
        source,
    };
    let mut is_loose = false;
    let mut name = None;
    for item in items {
        match item {
            Item::Operand(word) => name = Some(word),
            Item::Option(letter, value, _) => match letter {
                'E' => session.syntax = Syntax::Extended,
                'l' => is_loose = true,
                'p' => (session.prompt, session.shows_prompt) = (value, true),
                's' => session.is_quiet = true,
                'v' => session.explains = true,
                'h' => return report::print(program, USAGE),
                'V' => return report::print(program, "GNU ed 1.19 (Sinew)\n"),
                _ => {}
            },
        }
    }
    let mut failed = false;
    if let Some(name) = name {
        match session.read_into(&name, 0) {
            Ok(()) => session.buffer.is_changed = false,
            Err(message) => {
                let _ = writeln!(io::stderr(), "{message}");
                session.last_error = "Cannot open input file".to_owned();
                // A new file is no failure.
                failed = std::path::Path::new(&name).exists();
            }
        }
        if !name.starts_with('!') {
            session.name = name;
        }
    }
    let is_script = process::standard(0)
        .and_then(|input| input.stat().ok())
        .is_some_and(|stat| stat.kind == process::Kind::Regular);
    failed |= session.work(is_script);
    report::finish(program, Ok(()), u8::from(failed && !is_loose))
}

impl Session {
    /// Does all commands; returns whether one failed.
    fn work(&mut self, is_script: bool) -> bool {
        let mut failed = false;
        loop {
            if self.shows_prompt {
                print(self.prompt.as_deref().unwrap_or("*").as_bytes());
            }
            let Some(line) = self.line() else {
                if self.buffer.is_changed && !self.warned {
                    self.fail("Warning: buffer modified");
                    return true;
                }
                return failed;
            };
            match self.command(&line) {
                Ok(Next::Goes) => {}
                Ok(Next::Quits) => return failed,
                Err(message) => {
                    failed = true;
                    self.pending.clear();
                    self.fail(&message);
                    if is_script {
                        return true;
                    }
                }
            }
        }
    }

    fn fail(&mut self, message: &str) {
        print(b"?\n");
        if self.explains {
            print(format!("{message}\n").as_bytes());
        }
        message.clone_into(&mut self.last_error);
    }

    /// Takes the next line of the commands.
    fn line(&mut self) -> Option<Vec<u8>> {
        if let Some(line) = self.pending.pop_front() {
            return Some(line);
        }
        if self.is_global {
            return None;
        }
        let mut line = Vec::new();
        input::line(&mut *self.source, &mut line).ok()??;
        Some(line)
    }

    /// Compiles a pattern; an empty one is the last.
    fn compile(&mut self, pattern: &[u8], ignores_case: bool) -> Outcome<Regex> {
        if !pattern.is_empty() {
            let options = Options {
                utf8: true,
                ignore_case: ignores_case,
                ..Options::default()
            };
            let regex =
                Regex::new(pattern, self.syntax, &options).map_err(|error| error.to_string())?;
            self.pattern = Some(regex);
        }
        self.pattern
            .clone()
            .ok_or_else(|| "No previous pattern".to_owned())
    }

    /// Reads a file, or what a command writes, behind a line.
    fn read_into(&mut self, name: &str, place: usize) -> Outcome<()> {
        let bytes = if let Some(command) = name.strip_prefix('!') {
            let mut program = process::Program::new("sh");
            program.arg("-c").arg(command);
            program
                .output()
                .map(|output| output.stdout)
                .map_err(|error| error.to_string())?
        } else {
            let mut bytes = Vec::new();
            input::file(name)
                .and_then(|mut file| io::Read::read_to_end(&mut file, &mut bytes))
                .map_err(|error| format!("{name}: {}", process::message(&error)))?;
            bytes
        };
        let mut lines: Vec<Vec<u8>> = bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        // What is behind the last line end is a line only if there is something.
        let has_end = bytes.ends_with(b"\n") || bytes.is_empty();
        if has_end {
            lines.pop();
        }
        let missing = usize::from(!has_end);
        let count = lines.len();
        self.buffer.insert(place, lines);
        if count > 0 {
            self.buffer.current = place + count;
        }
        if missing == 1 {
            let _ = writeln!(io::stderr(), "Newline appended");
        }
        if !self.is_quiet {
            print(format!("{}\n", bytes.len() + missing).as_bytes());
        }
        Ok(())
    }
}

/// Writes to standard output at once: messages of others come in between.
fn print(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    // Without a reader the kernel ends the program.
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

const USAGE: &str = "\
Usage: ed [options] [file]
  -E, --extended-regexp     extended regular expressions
  -l, --loose-exit-status   status 0 even if a command failed
  -p, --prompt=STRING       a prompt
  -s, --quiet, --silent     no counts of bytes
  -v, --verbose             say what is wrong
";
