//! Results on their way out: separators, the text above a document, files of their own.

use std::io::{self, Write as _};

use crate::evaluate::{Machine, Scope};
use crate::format::{self, Format};
use crate::merge;
use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind};
use crate::options::Options;
use crate::parser;
use crate::syntax::Expression;

const WRITE_BYTES: usize = 64 * 1024;

/// Where results go.
pub struct Output {
    format: Format,
    indent: usize,
    unwraps: bool,
    is_pretty: bool,
    is_nul_separated: bool,
    has_separators: bool,
    is_kept: bool,
    split: Option<Expression>,
    text: Vec<u8>,
    /// Document and file of the last result.
    last: Option<(usize, usize)>,
    count: usize,
    /// Some result was neither `null` nor `false`.
    pub has_truth: bool,
}

impl Output {
    /// Returns an output of this format.
    pub fn new(options: &Options, format: Format) -> Outcome<Self> {
        let split = match &options.split {
            Some(split) => Some(parser::parse(split)?),
            None => None,
        };
        Ok(Self {
            format,
            indent: options.indent,
            unwraps: options
                .unwraps
                .unwrap_or(matches!(format, Format::Yaml | Format::Props)),
            is_pretty: options.is_pretty,
            is_nul_separated: options.is_nul_separated,
            has_separators: options.has_separators && split.is_none() && format == Format::Yaml,
            is_kept: options.is_in_place,
            split,
            text: Vec::new(),
            last: None,
            count: 0,
            has_truth: false,
        })
    }

    /// Writes results.
    pub fn print(&mut self, machine: &mut Machine, results: &[Id]) -> Outcome<()> {
        for id in results {
            self.has_truth |= machine.tree[*id].is_true();
            let text = self.one(machine, *id)?;
            if let Some(split) = &self.split {
                let scope = Scope::default();
                let index = machine
                    .tree
                    .int(i64::try_from(self.count).unwrap_or(i64::MAX));
                let scope = scope.with("index", vec![index]);
                let name = machine.first_text(split, *id, &scope)?;
                let name = if name.contains('.') {
                    name
                } else {
                    format!("{name}.{}", extension(self.format))
                };
                std::fs::write(&name, &text).map_err(|error| {
                    Mistake::new(format!(
                        "open {name}: {}",
                        process::Errno::from(&error).words().to_lowercase()
                    ))
                })?;
            } else {
                self.text.extend_from_slice(text.as_bytes());
                if self.is_nul_separated {
                    if self.text.ends_with(b"\n") {
                        self.text.pop();
                    }
                    self.text.push(0);
                }
            }
            self.count += 1;
            if !self.is_kept && self.text.len() >= WRITE_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn one(&mut self, machine: &mut Machine, id: Id) -> Outcome<String> {
        let tree = &mut machine.tree;
        if self.is_pretty {
            merge::prettify(tree, id);
        }
        let leading = std::mem::take(&mut tree[id].leading);
        let here = (tree[id].document, tree[id].origin.file_index);
        let starts_itself = leading.starts_with("---");
        let mut out = String::new();
        if self.has_separators && !starts_itself && self.last.is_some_and(|last| last != here) {
            out.push_str("---\n");
        }
        self.last = Some(here);
        if self.format == Format::Yaml {
            for line in leading.split_inclusive('\n') {
                if line.trim_end() != "---" || self.has_separators {
                    out.push_str(line);
                }
            }
            if !leading.is_empty() && !leading.ends_with('\n') {
                out.push('\n');
            }
        }
        let is_bare =
            tree[id].kind == Kind::Scalar && tree[id].value.is_empty() && !leading.is_empty();
        let text = format::encode(tree, id, self.format, self.indent, self.unwraps)?;
        if !is_bare {
            out.push_str(&text);
        }
        tree[id].leading = leading;
        Ok(out)
    }

    /// Takes what is to follow the results.
    pub fn keep(&mut self, rest: Vec<u8>) {
        self.text.extend(rest);
    }

    fn flush(&mut self) -> Outcome<()> {
        let mut stdout = io::stdout().lock();
        let outcome = stdout.write_all(&self.text).and_then(|()| stdout.flush());
        self.text.clear();
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(141),
            Err(error) => Err(Mistake::new(format!(
                "write /dev/stdout: {}",
                process::Errno::from(&error).words().to_lowercase()
            ))),
            Ok(()) => Ok(()),
        }
    }

    /// Writes what is left: to standard output, or in place of a file.
    pub fn finish(mut self, file: Option<&str>) -> Outcome<()> {
        match file {
            Some(file) => std::fs::write(file, &self.text).map_err(|error| {
                Mistake::new(format!(
                    "open {file}: {}",
                    process::Errno::from(&error).words().to_lowercase()
                ))
            }),
            None => self.flush(),
        }
    }
}

fn extension(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Props => "properties",
        Format::Csv => "csv",
        Format::Tsv => "tsv",
        Format::Xml => "xml",
        _ => "yml",
    }
}
