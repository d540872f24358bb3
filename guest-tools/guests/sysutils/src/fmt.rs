//! fmt: fills paragraphs, breaking lines where it looks best.

mod breaks;
mod reader;

use std::io::{self, BufWriter, Write};

use gnu_options::named::{self, Item, Order};

use crate::input::{self, CHUNK_BYTES};
use crate::quoting::curly;
use crate::report::{self, complain, usage};

use reader::Formatter;

const SPECIFICATION: &str = "c/crown-margin p/prefix= s/split-only t/tagged-paragraph u/uniform-spacing w/width= \
    g/goal= 0 1 2 3 4 5 6 7 8 9";

const HELP: &str = "Usage: fmt [-WIDTH] [OPTION]... [FILE]...
Reformat each paragraph in the FILE(s), writing to standard output.

  -c, --crown-margin        preserve indentation of first two lines
  -p, --prefix=STRING       reformat only lines beginning with STRING
  -s, --split-only          split long lines, but do not refill
  -t, --tagged-paragraph    indentation of first line different from second
  -u, --uniform-spacing     one space between words, two after sentences
  -w, --width=WIDTH         maximum line width (default of 75 columns)
  -g, --goal=WIDTH          goal width (default of 93% of width)
";

/// Columns of a line, unless the options say otherwise.
const WIDTH: usize = 75;
/// The goal is so many percent of columns below the width.
const LEEWAY: usize = 7;
/// A wider line would be no text.
const WIDTH_MAX: usize = 2500;

/// How paragraphs are told apart and shown.
#[derive(Default)]
struct Style {
    is_crown: bool,
    is_tagged: bool,
    splits_only: bool,
    is_uniform: bool,
    width: usize,
    goal: usize,
    /// Spaces before the prefix, the prefix without its last spaces, its length with them.
    prefix_lead: usize,
    prefix: Vec<u8>,
    prefix_length: usize,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut arguments = arguments.to_vec();
    let mut width = None;
    if let Some(first) = arguments.first()
        && let Some(digits) = first.strip_prefix('-')
        && digits.starts_with(|one: char| one.is_ascii_digit())
    {
        width = Some(digits.to_owned());
        arguments.remove(0);
    }
    let items = match named::parse(&arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut style = Style::default();
    let (mut goal, mut names) = (None, Vec::new());
    for item in items {
        match item {
            Item::Operand(name) => names.push(name),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("crown-margin", _) => style.is_crown = true,
            Item::Option("split-only", _) => style.splits_only = true,
            Item::Option("tagged-paragraph", _) => style.is_tagged = true,
            Item::Option("uniform-spacing", _) => style.is_uniform = true,
            Item::Option("width", value) => width = value,
            Item::Option("goal", value) => goal = value,
            Item::Option("prefix", value) => style.set_prefix(&value.unwrap_or_default()),
            Item::Option(digit, _) => {
                let message = format!(
                    "invalid option -- {digit}; -WIDTH is recognized only when it is the first\noption; use -w N instead"
                );
                return usage(program, message, 1);
            }
        }
    }
    if let Err(message) = style.set_width(width.as_deref(), goal.as_deref()) {
        complain(program, message);
        return 1;
    }
    let mut out = BufWriter::with_capacity(CHUNK_BYTES, io::stdout().lock());
    let (status, written) = input::for_each(program, &names, |input| {
        Formatter::new(&style, input, &mut out).run()
    });
    let written = written.and_then(|()| out.flush());
    drop(out);
    report::finish(program, written).max(status)
}

impl Style {
    fn set_prefix(&mut self, text: &str) {
        let prefix = text.trim_start_matches(' ');
        self.prefix_lead = text.len() - prefix.len();
        self.prefix_length = prefix.len();
        self.prefix = prefix.trim_end_matches(' ').as_bytes().to_vec();
    }

    fn set_width(&mut self, width: Option<&str>, goal: Option<&str>) -> Result<(), String> {
        self.width = match width {
            Some(text) => number(text, WIDTH_MAX)?,
            None => WIDTH,
        };
        match goal {
            Some(text) => {
                let most = if width.is_some() { self.width } else { WIDTH };
                self.goal = number(text, most)?;
                if width.is_none() {
                    self.width = self.goal + 10;
                }
            }
            None => self.goal = self.width * (2 * (100 - LEEWAY) + 1) / 200,
        }
        Ok(())
    }
}

fn number(text: &str, most: usize) -> Result<usize, String> {
    let invalid = || format!("invalid width: {}", curly(text));
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    text.parse()
        .ok()
        .filter(|number| *number <= most)
        .ok_or_else(|| format!("{}: Numerical result out of range", invalid()))
}
