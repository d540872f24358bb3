//! The output: lines with what stands before them, names, counts, and colors.

use std::io::{self, Write};

use crate::{
    binary,
    colors::Colors,
    matcher::Matcher,
    settings::{Binary, Settings},
};

/// A line to print.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Without its terminator.
    pub(crate) text: &'a [u8],
    pub(crate) is_selected: bool,
    pub(crate) number: u64,
    pub(crate) offset: u64,
}

/// Writes what a search finds.
pub(crate) struct Printer<'a, W: Write> {
    out: W,
    settings: &'a Settings,
    matcher: &'a Matcher,
    colors: Option<Colors>,
    /// The columns of numbers, with `-T`.
    number_width: usize,
    /// Whether lines have been selected, which a separator is to follow.
    pub(crate) has_printed: bool,
}

/// Returns what the environment says of colors: `GREP_COLORS`, and the older variable before it.
fn color_variables() -> String {
    let colors = std::env::var("GREP_COLORS").unwrap_or_default();
    match std::env::var("GREP_COLOR") {
        Ok(matched) if !matched.is_empty() => {
            eprintln!(
                "grep: warning: GREP_COLOR='{matched}' is deprecated; use GREP_COLORS='mt={matched}'"
            );
            format!("mt={matched}:{colors}")
        }
        _ => colors,
    }
}

impl<'a, W: Write> Printer<'a, W> {
    pub(crate) fn new(out: W, settings: &'a Settings, matcher: &'a Matcher) -> Self {
        let colors = settings.color.then(|| Colors::new(&color_variables()));
        Self {
            out,
            settings,
            matcher,
            colors,
            number_width: 0,
            has_printed: false,
        }
    }

    /// Sets the columns of numbers for a file of a size, where that is known.
    pub(crate) fn set_size(&mut self, size: Option<u64>) {
        if self.settings.initial_tab {
            let number = size.map_or(i64::MAX.unsigned_abs(), |size| {
                size + u64::from(self.settings.line_number)
            });
            self.number_width = number.to_string().len();
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Prints what stands between groups of lines.
    pub(crate) fn separator(&mut self) -> io::Result<()> {
        if let Some(separator) = &self.settings.separator {
            let code = self.colors.as_ref().map(|colors| colors.separator.clone());
            self.colored(code.as_deref(), separator)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Prints a name alone, as `-l` does.
    pub(crate) fn name_line(&mut self, name: &str) -> io::Result<()> {
        self.name(name)?;
        let end = if self.settings.name_zero {
            b"\0"
        } else {
            b"\n"
        };
        self.out.write_all(end)?;
        self.flush_line()
    }

    pub(crate) fn count_line(&mut self, name: Option<&str>, count: u64) -> io::Result<()> {
        if let Some(name) = name {
            self.name_with_separator(name, b":")?;
        }
        writeln!(self.out, "{count}")?;
        self.flush_line()
    }

    /// Prints a line, or with `-o` what matched in it. Returns false if that is no text.
    pub(crate) fn line(&mut self, name: Option<&str>, line: Line<'_>) -> io::Result<bool> {
        let settings = self.settings;
        let end = [settings.line_end];
        let has_matches = line.is_selected != settings.invert;
        if settings.only_matching {
            let is_text = !has_matches || self.matches_alone(name, line)?;
            self.flush_line()?;
            return Ok(is_text);
        }
        if !self.is_text(line.text) {
            return Ok(false);
        }
        self.head(name, line)?;
        match &self.colors {
            Some(colors) => {
                let swaps = colors.is_reversed && settings.invert;
                let line_color = match line.is_selected != swaps {
                    true => colors.selected_line.clone(),
                    false => colors.context_line.clone(),
                };
                let match_color = match line.is_selected {
                    true => colors.selected_match.clone(),
                    false => colors.context_match.clone(),
                };
                match has_matches {
                    true => self.colored_matches(line.text, &line_color, &match_color)?,
                    false => self.colored(Some(&line_color), line.text)?,
                }
            }
            None => self.out.write_all(line.text)?,
        }
        self.out.write_all(&end)?;
        self.flush_line()?;
        Ok(true)
    }

    fn is_text(&self, text: &[u8]) -> bool {
        self.settings.binary == Binary::Text || binary::is_text(text, self.settings.utf8)
    }

    fn matches_alone(&mut self, name: Option<&str>, line: Line<'_>) -> io::Result<bool> {
        let color = self.colors.as_ref().map(|colors| {
            if line.is_selected {
                colors.selected_match.clone()
            } else {
                colors.context_match.clone()
            }
        });
        let mut at = 0;
        while let Some((start, end)) = self.matcher.find(line.text, at) {
            at = end;
            if start == end {
                at += 1;
                continue;
            }
            let text = line.text.get(start..end).unwrap_or_default();
            if !self.is_text(text) {
                return Ok(false);
            }
            let offset = line.offset + start as u64;
            let part = Line {
                text,
                offset,
                ..line
            };
            self.head(name, part)?;
            self.colored(color.as_deref(), text)?;
            self.out.write_all(&[self.settings.line_end])?;
        }
        Ok(true)
    }

    fn colored_matches(&mut self, text: &[u8], line: &str, matched: &str) -> io::Result<()> {
        let mut at = 0;
        let mut printed = 0;
        while let Some((start, end)) = self.matcher.find(text, at) {
            at = end;
            if start == end {
                at += 1;
                continue;
            }
            // The color of the line is set again before every match, even where nothing is between.
            self.colored_line(line, text.get(printed..start).unwrap_or_default())?;
            self.colored(Some(matched), text.get(start..end).unwrap_or_default())?;
            printed = end;
        }
        self.colored(Some(line), text.get(printed..).unwrap_or_default())
    }

    /// Prints what stands before a line.
    fn head(&mut self, name: Option<&str>, line: Line<'_>) -> io::Result<()> {
        let separator: &[u8] = if line.is_selected { b":" } else { b"-" };
        let settings = self.settings;
        if let Some(name) = name {
            self.name_with_separator(name, separator)?;
        }
        if settings.line_number {
            self.number(line.number, separator, true)?;
        }
        if settings.byte_offset {
            self.number(line.offset, separator, false)?;
        }
        let has_head = name.is_some() || settings.line_number || settings.byte_offset;
        if settings.initial_tab && has_head && !line.text.is_empty() {
            self.out.write_all(b"\t")?;
        }
        Ok(())
    }

    fn number(&mut self, number: u64, separator: &[u8], is_line: bool) -> io::Result<()> {
        let Some(colors) = &self.colors else {
            let width = self.number_width;
            write!(self.out, "{number:>width$}")?;
            return self.out.write_all(separator);
        };
        let code = match is_line {
            true => colors.line_number.clone(),
            false => colors.byte_offset.clone(),
        };
        let text = format!("{number:>width$}", width = self.number_width);
        self.colored(Some(&code), text.as_bytes())?;
        self.colored_separator(separator)
    }

    fn name_with_separator(&mut self, name: &str, separator: &[u8]) -> io::Result<()> {
        self.name(name)?;
        match self.settings.name_zero {
            true => self.out.write_all(b"\0"),
            false => self.colored_separator(separator),
        }
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        let code = self.colors.as_ref().map(|colors| colors.name.clone());
        self.colored(code.as_deref(), name.as_bytes())
    }

    fn colored_separator(&mut self, separator: &[u8]) -> io::Result<()> {
        let code = self.colors.as_ref().map(|colors| colors.separator.clone());
        self.colored(code.as_deref(), separator)
    }

    /// The text of a line up to a match: what follows sets colors of its own.
    fn colored_line(&mut self, code: &str, text: &[u8]) -> io::Result<()> {
        if !code.is_empty() {
            let erase = match &self.colors {
                Some(colors) if colors.no_erase => "",
                _ => "\x1b[K",
            };
            write!(self.out, "\x1b[{code}m{erase}")?;
        }
        self.out.write_all(text)
    }

    fn colored(&mut self, code: Option<&str>, text: &[u8]) -> io::Result<()> {
        match code {
            Some(code) if !code.is_empty() && !text.is_empty() => {
                let erase = match &self.colors {
                    Some(colors) if colors.no_erase => "",
                    _ => "\x1b[K",
                };
                write!(self.out, "\x1b[{code}m{erase}")?;
                self.out.write_all(text)?;
                write!(self.out, "\x1b[m{erase}")
            }
            _ => self.out.write_all(text),
        }
    }

    fn flush_line(&mut self) -> io::Result<()> {
        match self.settings.line_buffered {
            true => self.out.flush(),
            false => Ok(()),
        }
    }
}
