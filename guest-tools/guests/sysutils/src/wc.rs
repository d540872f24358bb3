//! wc: counts lines, words, characters, bytes and columns.

mod count;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use gnu_options::named::{self, Item, Order};

use crate::quoting::{self, curly};
use crate::report::{self, complain, reason, usage};
use crate::system::{self, Kind};

use count::{Counts, Wanted};

const SPECIFICATION: &str = "c/bytes m/chars l/lines w/words L/max-line-length files0-from=";

const HELP: &str = "Usage: wc [OPTION]... [FILE]...
  or:  wc [OPTION]... --files0-from=F
Print newline, word, and byte counts for each FILE, and a total line if more than one FILE is given.

  -c, --bytes            the number of bytes
  -m, --chars            the number of characters
  -l, --lines            the number of newlines
      --files0-from=F    read the names of files from F, each ended by a NUL
  -L, --max-line-length  the width of the widest line
  -w, --words            the number of words
";

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut wanted = Wanted::default();
    let (mut names, mut list) = (Vec::new(), None);
    for item in items {
        match item {
            Item::Operand(operand) => names.push(operand),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("files0-from", value) => list = value,
            Item::Option(name, _) => wanted.add(name),
        }
    }
    wanted.complete();
    let mut run = Run {
        program,
        wanted,
        width: 1,
        total: Counts::default(),
        status: 0,
    };
    match list {
        Some(list) => run.listed(&list, &names),
        None if names.is_empty() => {
            run.width = width(wanted, &["-".to_owned()]);
            run.file("-", false)
        }
        None => run.files(&names),
    }
}

struct Run<'a> {
    program: &'a str,
    wanted: Wanted,
    /// Columns of each number.
    width: usize,
    total: Counts,
    status: u8,
}

impl Run<'_> {
    fn files(&mut self, names: &[String]) -> u8 {
        self.width = width(self.wanted, names);
        for name in names {
            let ended = self.file(name, true);
            if ended > 1 {
                return ended;
            }
        }
        if names.len() > 1 {
            let total = self.total;
            return self.print(total, Some("total"));
        }
        self.status
    }

    /// Counts the files that a list names.
    fn listed(&mut self, list: &str, names: &[String]) -> u8 {
        if let Some(name) = names.first() {
            let message = format!(
                "extra operand {}\nfile operands cannot be combined with --files0-from",
                quoting::quoted(name)
            );
            return usage(self.program, message, 1);
        }
        let text = match read_list(list) {
            Ok(text) => text,
            Err(error) => {
                let name = quoting::quoted(list);
                complain(
                    self.program,
                    format_args!("cannot open {name} for reading: {}", reason(&error)),
                );
                return 1;
            }
        };
        let mut entries: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
        if entries.last().is_some_and(|last| last.is_empty()) {
            entries.pop();
        }
        let names: Vec<String> = entries
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        // Of a list from a pipe nobody knows the sizes before.
        let is_file = list != "-"
            || system::stat(Path::new("/dev/stdin"), true)
                .is_ok_and(|stat| stat.kind == Kind::Regular);
        if is_file {
            self.width = width(self.wanted, &names);
        }
        for (place, name) in names.iter().enumerate() {
            if name.is_empty() {
                let list = quoting::shell(list);
                complain(
                    self.program,
                    format_args!("{list}:{}: invalid zero-length file name", place + 1),
                );
                self.status = 1;
                continue;
            }
            if list == "-" && name == "-" {
                complain(
                    self.program,
                    format_args!(
                        "when reading file names from stdin, no file name of {} allowed",
                        curly("-")
                    ),
                );
                self.status = 1;
                continue;
            }
            let ended = self.file(name, true);
            if ended > 1 {
                return ended;
            }
        }
        if names.len() > 1 {
            let total = self.total;
            return self.print(total, Some("total"));
        }
        self.status
    }

    fn file(&mut self, name: &str, is_named: bool) -> u8 {
        let mut counts = Counts::default();
        let outcome = if name == "-" {
            counts.read(self.wanted, &mut io::stdin().lock())
        } else {
            match File::open(name) {
                Ok(mut file) => match self.size(&file) {
                    Some(size) => {
                        counts.bytes = size;
                        Ok(())
                    }
                    None => counts.read(self.wanted, &mut file),
                },
                Err(error) => {
                    let name = quoting::shell(name);
                    complain(self.program, format_args!("{name}: {}", reason(&error)));
                    self.status = 1;
                    return 1;
                }
            }
        };
        if let Err(error) = outcome {
            let name = quoting::shell(name);
            complain(self.program, format_args!("{name}: {}", reason(&error)));
            self.status = 1;
        }
        self.total.add(&counts);
        let name = quoting::shell(name);
        self.print(counts, is_named.then_some(name.as_str()))
    }

    /// Returns the size of a file of which nothing else is wanted, if the system knows it.
    fn size(&self, file: &File) -> Option<u64> {
        if !self.wanted.is_bytes_only() {
            return None;
        }
        let facts = file.metadata().ok()?;
        // An empty one may be of those whose size nobody counts.
        Some(facts.len()).filter(|size| facts.is_file() && *size > 0)
    }

    fn print(&mut self, counts: Counts, name: Option<&str>) -> u8 {
        let width = self.width;
        let mut line = String::new();
        for number in self.wanted.of(&counts) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&format!("{number:>width$}"));
        }
        if let Some(name) = name {
            line.push(' ');
            line.push_str(name);
        }
        line.push('\n');
        let written = io::stdout().write_all(line.as_bytes());
        report::finish(self.program, written).max(self.status)
    }
}

fn read_list(name: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if name == "-" {
        io::stdin().lock().read_to_end(&mut text)?;
    } else {
        File::open(name)?.read_to_end(&mut text)?;
    }
    Ok(text)
}

/// Returns how wide the numbers are: as the size of all files together, seven columns if one has no size.
fn width(wanted: Wanted, names: &[String]) -> usize {
    if names.len() == 1 && wanted.is_single() {
        return 1;
    }
    let (mut sum, mut least) = (0_u64, 1);
    for name in names {
        let stat = if name == "-" {
            process::standard(0).and_then(|descriptor| descriptor.stat().ok())
        } else {
            system::stat(Path::new(name), true).ok()
        };
        match stat {
            Some(stat) if stat.kind == Kind::Regular => sum = sum.saturating_add(stat.size),
            Some(_) => least = 7,
            None => {}
        }
    }
    sum.to_string().len().max(least)
}
