//! The forms in which a script of changes is printed: normal, unified, context and ed's.

use std::io::{self, Write};

use posix_regex::Regex;

use crate::groups::{self, Formats};
use crate::pen::{Paint, Pen};
use crate::side::{self, Columns};
use crate::text::{Change, Text};

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Normal,
    Unified,
    Context,
    Ed,
    ForwardEd,
    Rcs,
    SideBySide,
    Groups,
}

impl Form {
    /// Returns whether nothing is printed of files that are alike.
    pub(crate) fn is_silent_without_changes(self) -> bool {
        !matches!(self, Self::SideBySide | Self::Groups)
    }
}

/// How to print.
pub(crate) struct Style<'a> {
    pub(crate) form: Form,
    /// Unchanged lines around changes.
    pub(crate) context: usize,
    /// Finds the line that names the function around a hunk.
    pub(crate) function: Option<&'a Regex>,
    pub(crate) columns: &'a Columns,
    pub(crate) formats: &'a Formats,
}

/// Prints all changes. `changes` has at least one that is not ignored, unless the form shows what is alike.
pub(crate) fn print(
    out: &mut Pen<'_>,
    texts: &[Text; 2],
    changes: &[Change],
    style: &Style,
) -> io::Result<()> {
    match style.form {
        Form::Normal => {
            for change in changes.iter().filter(|change| !change.ignored) {
                normal(out, texts, change)?;
            }
        }
        Form::Ed => {
            for change in changes.iter().rev().filter(|change| !change.ignored) {
                ed(out, texts, change)?;
            }
        }
        Form::ForwardEd => {
            for change in changes.iter().filter(|change| !change.ignored) {
                forward(out, texts, change)?;
            }
        }
        Form::Rcs => {
            for change in changes.iter().filter(|change| !change.ignored) {
                rcs(out, texts, change)?;
            }
        }
        Form::SideBySide => side::print(out, texts, changes, style.columns)?,
        Form::Groups => groups::print(out, texts, changes, style.formats)?,
        Form::Unified | Form::Context => {
            for hunk in hunks(changes, style.context) {
                if hunk.iter().any(|change| !change.ignored) {
                    let span = Span::new(texts, hunk, style.context);
                    if style.form == Form::Unified {
                        unified(out, texts, hunk, &span, style)?;
                    } else {
                        context(out, texts, hunk, &span, style)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn range(start: usize, length: usize) -> String {
    match length {
        0 => start.to_string(),
        1 => (start + 1).to_string(),
        _ => format!("{},{}", start + 1, start + length),
    }
}

fn letter(change: &Change) -> char {
    match (change.deleted, change.inserted) {
        (0, _) => 'a',
        (_, 0) => 'd',
        _ => 'c',
    }
}

fn normal(out: &mut Pen<'_>, [old, new]: &[Text; 2], change: &Change) -> io::Result<()> {
    let (from, to) = (
        range(change.old, change.deleted),
        range(change.new, change.inserted),
    );
    out.paint(Paint::Numbers)?;
    write!(out, "{from}{}{to}", letter(change))?;
    out.paint(Paint::Plain)?;
    out.write_all(b"\n")?;
    for number in change.old..change.old + change.deleted {
        out.line(Paint::Deleted, "<", old.line(number))?;
    }
    if change.deleted > 0 && change.inserted > 0 {
        out.write_all(b"---\n")?;
    }
    for number in change.new..change.new + change.inserted {
        out.line(Paint::Added, ">", new.line(number))?;
    }
    Ok(())
}

fn ed(out: &mut Pen<'_>, [_, new]: &[Text; 2], change: &Change) -> io::Result<()> {
    writeln!(
        out,
        "{}{}",
        range(change.old, change.deleted),
        letter(change)
    )?;
    if change.inserted == 0 {
        return Ok(());
    }
    // A line of a lone dot would end the insertion: two dots, and one is taken away afterwards.
    let mut inserting = true;
    for number in change.new..change.new + change.inserted {
        let text = new.line(number);
        if !inserting {
            out.write_all(b"a\n")?;
            inserting = true;
        }
        if text.strip_suffix(b"\n").unwrap_or(text) == b"." {
            out.write_all(b"..\n.\ns/.//\n")?;
            inserting = false;
        } else {
            line_with_end(out, text)?;
        }
    }
    if inserting {
        out.write_all(b".\n")
    } else {
        Ok(())
    }
}

fn line_with_end(out: &mut Pen<'_>, text: &[u8]) -> io::Result<()> {
    out.write_all(text)?;
    if text.ends_with(b"\n") {
        Ok(())
    } else {
        out.write_all(b"\n")
    }
}

fn forward(out: &mut Pen<'_>, [_, new]: &[Text; 2], change: &Change) -> io::Result<()> {
    let place = range(change.old, change.deleted).replace(',', " ");
    writeln!(out, "{}{place}", letter(change))?;
    if change.inserted > 0 {
        for number in change.new..change.new + change.inserted {
            line_with_end(out, new.line(number))?;
        }
        out.write_all(b".\n")?;
    }
    Ok(())
}

fn rcs(out: &mut Pen<'_>, [_, new]: &[Text; 2], change: &Change) -> io::Result<()> {
    if change.deleted > 0 {
        writeln!(out, "d{} {}", change.old + 1, change.deleted)?;
    }
    if change.inserted > 0 {
        writeln!(out, "a{} {}", change.old + change.deleted, change.inserted)?;
        for number in change.new..change.new + change.inserted {
            out.write_all(new.line(number))?;
        }
    }
    Ok(())
}

/// Groups changes whose surroundings touch.
fn hunks(changes: &[Change], context: usize) -> impl Iterator<Item = &[Change]> {
    changes.chunk_by(move |one, next| {
        let distance_max = if next.ignored {
            context
        } else {
            context.saturating_mul(2).saturating_add(1)
        };
        next.old - (one.old + one.deleted) < distance_max
    })
}

/// The lines that a hunk shows: the first, and the one behind the last.
struct Span {
    old: (usize, usize),
    new: (usize, usize),
}

impl Span {
    fn new([old, new]: &[Text; 2], hunk: &[Change], context: usize) -> Self {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
            return Self {
                old: (0, 0),
                new: (0, 0),
            };
        };
        let before = context.min(first.old).min(first.new);
        let (old_end, new_end) = (last.old + last.deleted, last.new + last.inserted);
        let end = |end: usize, text: &Text| end.saturating_add(context).min(text.lines());
        Self {
            old: (first.old - before, end(old_end, old)),
            new: (first.new - before, end(new_end, new)),
        }
    }
}

/// Returns the last line before a hunk that looks like the head of a function.
fn function(text: &Text, start: usize, style: &Style) -> Vec<u8> {
    let Some(pattern) = style.function else {
        return Vec::new();
    };
    let found = (0..start)
        .rev()
        .map(|number| text.line(number))
        .find(|text| pattern.is_match(text.strip_suffix(b"\n").unwrap_or(text)));
    let mut shown = found.unwrap_or_default().trim_ascii_start();
    shown = shown.get(..shown.len().min(40)).unwrap_or_default();
    let mut head = shown.trim_ascii_end().to_vec();
    if found.is_some() {
        head.insert(0, b' ');
    }
    head
}

fn unified_range((start, end): (usize, usize)) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => (start + 1).to_string(),
        length => format!("{},{length}", start + 1),
    }
}

fn unified(
    out: &mut Pen<'_>,
    [old, new]: &[Text; 2],
    hunk: &[Change],
    span: &Span,
    style: &Style,
) -> io::Result<()> {
    out.paint(Paint::Numbers)?;
    write!(
        out,
        "@@ -{} +{} @@",
        unified_range(span.old),
        unified_range(span.new)
    )?;
    out.paint(Paint::Plain)?;
    out.write_all(&function(old, span.old.0, style))?;
    out.write_all(b"\n")?;
    let mut number = span.old.0;
    for change in hunk {
        while number < change.old {
            out.unified(Paint::Plain, " ", old.line(number))?;
            number += 1;
        }
        for number in change.old..change.old + change.deleted {
            out.unified(Paint::Deleted, "-", old.line(number))?;
        }
        for number in change.new..change.new + change.inserted {
            out.unified(Paint::Added, "+", new.line(number))?;
        }
        number = change.old + change.deleted;
    }
    for number in number..span.old.1 {
        out.unified(Paint::Plain, " ", old.line(number))?;
    }
    Ok(())
}

fn context_range((start, end): (usize, usize)) -> String {
    if end <= start + 1 {
        end.to_string()
    } else {
        format!("{},{end}", start + 1)
    }
}

fn context(
    out: &mut Pen<'_>,
    [old, new]: &[Text; 2],
    hunk: &[Change],
    span: &Span,
    style: &Style,
) -> io::Result<()> {
    out.write_all(b"***************")?;
    out.write_all(&function(old, span.old.0, style))?;
    out.write_all(b"\n")?;
    numbers(out, &format!("*** {} ****", context_range(span.old)))?;
    let side = |out: &mut Pen<'_>,
                text: &Text,
                (start, end): (usize, usize),
                of: fn(&Change) -> (usize, usize, usize),
                paint: Paint,
                mark: &str| {
        if hunk.iter().all(|change| of(change).1 == 0) {
            return Ok(());
        }
        let mut rest = hunk.iter().map(of).peekable();
        for number in start..end {
            while rest
                .next_if(|(first, count, _)| number >= first + count)
                .is_some()
            {}
            let prefix: &str = match rest.peek() {
                Some((first, count, others)) if (*first..first + count).contains(&number) => {
                    if *others > 0 {
                        "!"
                    } else {
                        mark
                    }
                }
                _ => " ",
            };
            out.line(paint, prefix, text.line(number))?;
        }
        Ok::<(), io::Error>(())
    };
    side(
        out,
        old,
        span.old,
        |change| (change.old, change.deleted, change.inserted),
        Paint::Deleted,
        "-",
    )?;
    numbers(out, &format!("--- {} ----", context_range(span.new)))?;
    side(
        out,
        new,
        span.new,
        |change| (change.new, change.inserted, change.deleted),
        Paint::Added,
        "+",
    )
}

fn numbers(out: &mut Pen<'_>, text: &str) -> io::Result<()> {
    out.paint(Paint::Numbers)?;
    out.write_all(text.as_bytes())?;
    out.paint(Paint::Plain)?;
    out.write_all(b"\n")
}
