//! tree: folders with what is in them, as tree 2.1 draws them.

mod colour;
mod data;
mod details;
mod draw;
mod node;
mod options;
mod paths;
mod pattern;

use std::io::{self, BufWriter, Write};

use crate::report;

use node::{Node, Walk};
use options::{Form, Settings};

/// What was shown.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    folders: u64,
    files: u64,
    bytes: u64,
}

impl Totals {
    fn add_entry(&mut self, node: &Node) {
        if node.is_folder {
            self.folders += 1;
        } else {
            self.files += 1;
        }
    }
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (settings, mut names) = match options::read(program, arguments) {
        Ok(read) => read,
        Err(status) => return status,
    };
    if names.is_empty() {
        names.push(".".to_owned());
    }
    let mut out: Box<dyn Write> = match &settings.output {
        None => Box::new(BufWriter::with_capacity(65_536, io::stdout().lock())),
        Some(path) => match std::fs::File::create(path) {
            Ok(file) => Box::new(BufWriter::new(file)),
            Err(_) => {
                report::complain(program, format_args!("invalid filename '{path}'."));
                return 1;
            }
        },
    };
    let walk = Walk::new(&settings);
    let mut status = 0;
    let written = show(&settings, &walk, &names, &mut *out, &mut status).and_then(|()| out.flush());
    drop(out);
    report::finish(program, written, status)
}

fn show(
    settings: &Settings,
    walk: &Walk<'_>,
    names: &[String],
    out: &mut dyn Write,
    status: &mut u8,
) -> io::Result<()> {
    let mut totals = Totals::default();
    data::begin(settings, out)?;
    for (nth, name) in names.iter().enumerate() {
        let root = if settings.reads_paths {
            paths::root(walk, name)?
        } else {
            walk.root(name)
        };
        if root.error.is_some() && root.is_missing {
            *status = 2;
        }
        // A folder without anything to show does not count.
        let is_empty = root.children.as_ref().is_some_and(Vec::is_empty);
        if !root.is_missing && !is_empty {
            totals.add_entry(&root);
        }
        match settings.form {
            Form::Text => draw::tree(settings, walk, &root, out, &mut totals)?,
            Form::Json | Form::Xml => {
                data::tree(settings, walk, &root, nth > 0, out, &mut totals)?;
            }
        }
        if settings.sums {
            // Every level is counted, as tree does; only the root is not.
            totals.bytes += sum_below(&root);
        }
    }
    match settings.form {
        Form::Text if settings.reports => draw::report(settings, totals, out),
        Form::Text => Ok(()),
        _ => data::end(settings, totals, out),
    }
}

fn sum_below(node: &Node) -> u64 {
    let children = node.children.as_deref().unwrap_or(&[]);
    children
        .iter()
        .map(|child| child.bytes + sum_below(child))
        .sum()
}
