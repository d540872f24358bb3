//! How matches are shown: ripgrep's printers, set up by the flags.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use grep_printer::{
    ColorSpecs, JSON, JSONBuilder, Standard, StandardBuilder, Summary, SummaryBuilder, SummaryKind,
    UserColorSpec, default_color_specs,
};
use termcolor::{Ansi, NoColor, WriteColor};

use crate::flags::{Color, Flags, Mode};

/// Output is held back up to this much.
const BUFFER_BYTES: usize = 65_536;

pub(crate) type Out = Box<dyn WriteColor>;

/// What writes the results.
pub(crate) enum Printer {
    Standard(Box<Standard<Out>>),
    Summary(Box<Summary<Out>>),
    Json(Box<JSON<Out>>),
}

/// What depends on the paths and on what standard output is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    pub(crate) has_paths: bool,
    pub(crate) is_only_stdin: bool,
    pub(crate) is_terminal: bool,
}

/// Returns standard output, with colours if they are wanted.
pub(crate) fn output(flags: &Flags, is_terminal: bool) -> Out {
    let is_colored = match flags.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if flags.vimgrep => false,
        Color::Auto => {
            let term = std::env::var("TERM").is_ok_and(|term| term != "dumb");
            let is_refused = std::env::var_os("NO_COLOR").is_some();
            (flags.pretty || is_terminal) && term && !is_refused
        }
    };
    let out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout());
    if is_colored {
        Box::new(Ansi::new(out))
    } else {
        Box::new(NoColor::new(out))
    }
}

pub(crate) fn colors(flags: &Flags) -> Result<ColorSpecs, String> {
    let mut specs = default_color_specs();
    for text in &flags.colors {
        let spec: UserColorSpec = text.parse().map_err(|error| format!("{error}"))?;
        specs.push(spec);
    }
    Ok(ColorSpecs::new(&specs))
}

impl Flags {
    pub(crate) fn has_line_numbers(&self, around: Surroundings) -> bool {
        let is_read = around.is_terminal && !around.is_only_stdin;
        match self.line_number {
            Some(is_on) => is_on,
            None => {
                self.mode == Mode::Json
                    || is_read
                    || self.column == Some(true)
                    || self.pretty
                    || self.vimgrep
            }
        }
    }

    fn has_names(&self, around: Surroundings) -> bool {
        self.with_filename
            .unwrap_or(self.vimgrep || around.has_paths)
    }

    fn has_heading(&self, around: Surroundings) -> bool {
        match self.heading {
            _ if self.vimgrep => false,
            Some(is_on) => is_on,
            None => self.pretty || around.is_terminal,
        }
    }

    /// Returns the kind of summary; none where the matches themselves are shown.
    fn summary(&self) -> Option<SummaryKind> {
        if self.quiet {
            return Some(match self.mode {
                Mode::FilesWithoutMatch => SummaryKind::QuietWithoutMatch,
                _ => SummaryKind::QuietWithMatch,
            });
        }
        Some(match self.mode {
            Mode::FilesWithMatches => SummaryKind::PathWithMatch,
            Mode::FilesWithoutMatch => SummaryKind::PathWithoutMatch,
            Mode::Count if self.only_matching && !self.is_inverted => SummaryKind::CountMatches,
            Mode::CountMatches if !self.is_inverted => SummaryKind::CountMatches,
            Mode::Count | Mode::CountMatches => SummaryKind::Count,
            _ => return None,
        })
    }

    fn field_separator(&self, given: Option<&Vec<u8>>, usual: &[u8]) -> Vec<u8> {
        given.cloned().unwrap_or_else(|| usual.to_vec())
    }
}

/// Returns the printer that the flags ask for.
pub(crate) fn printer(flags: &Flags, around: Surroundings, out: Out) -> Result<Printer, String> {
    let replacement = flags
        .replacement
        .as_ref()
        .map(|text| text.as_bytes().to_vec());
    let terminator = flags.null.then_some(0);
    if let Some(kind) = flags.summary() {
        let mut builder = SummaryBuilder::new();
        builder
            .color_specs(colors(flags)?)
            .exclude_zero(!flags.include_zero)
            .kind(kind)
            .path(flags.has_names(around))
            .path_terminator(terminator)
            .separator_field(flags.field_separator(flags.field_match_separator.as_ref(), b":"))
            .separator_path(flags.path_separator)
            .stats(flags.stats);
        return Ok(Printer::Summary(Box::new(builder.build(out))));
    }
    if flags.mode == Mode::Json {
        let mut builder = JSONBuilder::new();
        builder.always_begin_end(false).replacement(replacement);
        return Ok(Printer::Json(Box::new(builder.build(out))));
    }
    let (before, after) = flags.context();
    let between_files = if flags.has_heading(around) {
        Some(Vec::new())
    } else if before > 0 || after > 0 {
        flags.context_separator.clone()
    } else {
        None
    };
    let mut builder = StandardBuilder::new();
    builder
        .byte_offset(flags.byte_offset)
        .color_specs(colors(flags)?)
        .column(flags.column.unwrap_or(flags.vimgrep))
        .heading(flags.has_heading(around))
        .max_columns(flags.max_columns)
        .max_columns_preview(flags.max_columns_preview)
        .only_matching(flags.only_matching)
        .path(flags.has_names(around))
        .path_terminator(terminator)
        .per_match_one_line(true)
        .per_match(flags.vimgrep)
        .replacement(replacement)
        .separator_context(flags.context_separator.clone())
        .separator_field_context(
            flags.field_separator(flags.field_context_separator.as_ref(), b"-"),
        )
        .separator_field_match(flags.field_separator(flags.field_match_separator.as_ref(), b":"))
        .separator_path(flags.path_separator)
        .separator_search(between_files)
        .stats(flags.stats)
        .trim_ascii(flags.trims);
    Ok(Printer::Standard(Box::new(builder.build(out))))
}

/// Writes a path, for `--files`.
pub(crate) fn path(
    flags: &Flags,
    colors: &ColorSpecs,
    path: &Path,
    out: &mut Out,
) -> io::Result<()> {
    let mut bytes = process::path_bytes(path).to_vec();
    if let Some(separator) = flags.path_separator {
        for byte in bytes.iter_mut().filter(|byte| **byte == b'/') {
            *byte = separator;
        }
    }
    if out.supports_color() {
        out.set_color(colors.path())?;
        out.write_all(&bytes)?;
        out.reset()?;
    } else {
        out.write_all(&bytes)?;
    }
    out.write_all(if flags.null { b"\0" } else { b"\n" })
}

impl Printer {
    /// Returns where it writes to.
    pub(crate) fn out(&mut self) -> &mut Out {
        match self {
            Self::Standard(printer) => printer.get_mut(),
            Self::Summary(printer) => printer.get_mut(),
            Self::Json(printer) => printer.get_mut(),
        }
    }
}
