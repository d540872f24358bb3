//! chmod: changes the permissions of files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::mode::{self, Change};
use crate::quoting;
use crate::report::{self, complain, reason};
use crate::system::{self, Facts, Kind, stat};
use crate::tree;
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "c/changes f/silent quiet v/verbose no-preserve-root preserve-root reference= R/recursive \
    r w x X s t u g o a + = 0 1 2 3 4 5 6 7";

#[derive(Default)]
struct Settings {
    says_changes: bool,
    says_all: bool,
    is_silent: bool,
    is_recursive: bool,
    umask: u32,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    // A mode may look like an option: `-w`, `-rwx`, `-111`.
    let (dashed, rest) = split_dashed_mode(arguments);
    let items = match named::parse(&rest, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return report::usage(program, message, 1),
    };
    let mut settings = Settings {
        umask: system::umask(),
        ..Settings::default()
    };
    let mut reference = None;
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("changes", _) => settings.says_changes = true,
            Item::Option("silent" | "quiet", _) => settings.is_silent = true,
            Item::Option("verbose", _) => settings.says_all = true,
            Item::Option("recursive", _) => settings.is_recursive = true,
            Item::Option("reference", value) => reference = value,
            Item::Option(..) => {}
        }
    }
    let change = match (&reference, &dashed) {
        (Some(reference), _) => match stat(Path::new(reference), true) {
            Ok(status) => Change::Octal {
                mode: status.mode,
                keeps_set_id: false,
            },
            Err(error) => {
                let name = quoting::quoted(reference);
                complain(
                    program,
                    format_args!("failed to get attributes of {name}: {}", reason(&error)),
                );
                return 1;
            }
        },
        (None, Some(text)) => match Change::parse(text) {
            Some(change) => change,
            None => {
                return report::usage(
                    program,
                    format_args!("invalid mode: {}", quoting::curly(text)),
                    1,
                );
            }
        },
        (None, None) if operands.is_empty() => return report::usage(program, "missing operand", 1),
        (None, None) => {
            let text = operands.remove(0);
            if operands.is_empty() {
                return report::usage(
                    program,
                    format_args!("missing operand after {}", quoting::curly(&text)),
                    1,
                );
            }
            match Change::parse(&text) {
                Some(change) => change,
                None => {
                    return report::usage(
                        program,
                        format_args!("invalid mode: {}", quoting::curly(&text)),
                        1,
                    );
                }
            }
        }
    };
    if operands.is_empty() {
        return report::usage(program, "missing operand", 1);
    }
    let mut run = Run {
        program,
        settings,
        change,
        warns_of_umask: dashed.is_some(),
        status: 0,
    };
    for operand in &operands {
        run.operand(Path::new(operand));
    }
    let flushed = io::stdout().flush();
    report::finish(program, flushed).max(run.status)
}

/// Takes out the first argument that is a mode with a leading `-`.
fn split_dashed_mode(arguments: &[String]) -> (Option<String>, Vec<String>) {
    let end = arguments
        .iter()
        .position(|one| one == "--")
        .unwrap_or(arguments.len());
    let is_mode = |one: &String| {
        let body = one.strip_prefix('-').filter(|body| !body.starts_with('-'));
        body.is_some_and(|body| {
            !body.is_empty() && body.starts_with(|first| "rwxXstugo01234567,+=".contains(first))
        })
    };
    let place = arguments.iter().take(end).position(is_mode);
    let dashed = place.and_then(|place| arguments.get(place)).cloned();
    let rest = arguments
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != place)
        .map(|(_, one)| one.clone());
    (dashed, rest.collect())
}

struct Run<'a> {
    program: &'a str,
    settings: Settings,
    change: Change,
    warns_of_umask: bool,
    status: u8,
}

impl Run<'_> {
    fn operand(&mut self, path: &Path) {
        if !self.settings.is_recursive {
            self.file(path, true);
            return;
        }
        // Parents first, so that a folder that becomes readable can be entered.
        let mut left = vec![(path.to_path_buf(), true)];
        while let Some((path, is_operand)) = left.pop() {
            let is_folder = stat(&path, is_operand).is_ok_and(|status| status.is_directory());
            self.file(&path, is_operand);
            if !is_folder {
                continue;
            }
            match tree::children(&path) {
                Ok(children) => left.extend(children.into_iter().rev().map(|child| (child, false))),
                Err(error) => self.fail(&path, "cannot read directory", &error),
            }
        }
    }

    fn file(&mut self, path: &Path, is_operand: bool) {
        let status = match stat(path, is_operand) {
            Ok(status) => status,
            Err(error) => {
                let is_dangling = is_operand
                    && stat(path, false).is_ok_and(|status| status.kind == Kind::Symlink);
                if is_dangling {
                    self.complain(format_args!(
                        "cannot operate on dangling symlink {}",
                        quoted(path)
                    ));
                } else {
                    self.fail(path, "cannot access", &error);
                }
                if self.settings.says_all {
                    println!("{} could not be accessed", quoted(path));
                }
                return;
            }
        };
        if status.kind == Kind::Symlink {
            if self.settings.says_all {
                println!(
                    "neither symbolic link {} nor referent has been changed",
                    quoted(path)
                );
            }
            return;
        }
        let new = self
            .change
            .apply(status.mode, status.is_directory(), self.settings.umask);
        if let Err(error) = system::chmod(path, new) {
            self.fail(path, "changing permissions of", &error);
            return;
        }
        self.tell(path, status.mode, new);
        let wanted = self
            .change
            .without_umask(status.mode, status.is_directory());
        if self.warns_of_umask && new & !wanted != 0 {
            let (new, wanted) = (mode::letters(new), mode::letters(wanted));
            let name = quoting::shell(&path.to_string_lossy());
            complain(
                self.program,
                format_args!("{name}: new permissions are {new}, not {wanted}"),
            );
            self.status = 1;
        }
    }

    fn tell(&self, path: &Path, old: u32, new: u32) {
        let name = quoted(path);
        if old != new && (self.settings.says_all || self.settings.says_changes) {
            let (before, after) = (mode::letters(old), mode::letters(new));
            println!("mode of {name} changed from {old:04o} ({before}) to {new:04o} ({after})");
        } else if old == new && self.settings.says_all {
            println!(
                "mode of {name} retained as {old:04o} ({})",
                mode::letters(old)
            );
        }
    }

    fn fail(&mut self, path: &Path, what: &str, error: &io::Error) {
        self.complain(format_args!("{what} {}: {}", quoted(path), reason(error)));
    }

    fn complain(&mut self, message: std::fmt::Arguments<'_>) {
        self.status = 1;
        if !self.settings.is_silent {
            complain(self.program, message);
        }
    }
}

fn quoted(path: &Path) -> String {
    quoting::quoted(&PathBuf::from(path).to_string_lossy())
}

const HELP: &str = "\
Usage: chmod [OPTION]... MODE[,MODE]... FILE...
  or:  chmod [OPTION]... OCTAL-MODE FILE...
  or:  chmod [OPTION]... --reference=RFILE FILE...
Change the mode of each FILE to MODE.

  -c, --changes          like verbose but report only when a change is made
  -f, --silent, --quiet  suppress most error messages
  -v, --verbose          output a diagnostic for every file processed
      --reference=RFILE  use RFILE's mode instead of MODE values
  -R, --recursive        change files and directories recursively

Each MODE is of the form '[ugoa]*([-+=]([rwxXst]*|[ugo]))+|[-+=][0-7]+'.
";
