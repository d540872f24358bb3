//! How a listing is put on lines: one name a line, long, in columns, in rows or with commas.

use std::io::{self, Write};

use unicode_width::UnicodeWidthChar;

use crate::quoting::{self, Style};
use crate::system::{Kind, Stat};

use super::color::{self, Colors};
use super::entry::{Entry, Target};
use super::long;
use super::settings::{Format, Indicator, Settings};

/// Spaces between two columns.
const GAP: usize = 2;
/// The least width of a column: one character and the gap.
const COLUMN_MIN: usize = 1 + GAP;

/// Prints a listing. `others` are not printed but have a say in the widths of columns.
pub(crate) fn print(
    out: &mut dyn Write,
    entries: &[Entry],
    others: &[Entry],
    settings: &Settings,
) -> io::Result<()> {
    let end = [settings.end_of_line];
    let pads = pads_unquoted(entries, settings);
    match settings.format {
        Format::Long => long::print(out, entries, others, settings, pads),
        Format::OnePerLine => {
            let prefix = Prefix::of(entries, settings);
            for entry in entries {
                prefix.print(out, entry, settings)?;
                out.write_all(&shown(entry, settings, pads).bytes)?;
                out.write_all(&end)?;
            }
            Ok(())
        }
        Format::Commas => commas(out, entries, settings),
        Format::Vertical | Format::Horizontal if settings.width == 0 => {
            let cells = cells(entries, settings, Prefix::of(entries, settings), pads)?;
            for (place, cell) in cells.iter().enumerate() {
                if place > 0 {
                    out.write_all(b"  ")?;
                }
                out.write_all(&cell.bytes)?;
            }
            if cells.is_empty() {
                Ok(())
            } else {
                out.write_all(&end)
            }
        }
        Format::Vertical | Format::Horizontal => columns(out, entries, settings, pads),
    }
}

/// Text with the number of columns that it takes.
pub(crate) struct Shown {
    pub(crate) bytes: Vec<u8>,
    pub(crate) width: usize,
}

/// Returns whether names without quotes get a space in front, because others have quotes there.
fn pads_unquoted(entries: &[Entry], settings: &Settings) -> bool {
    settings.format != Format::OnePerLine
        && settings.format != Format::Commas
        && entries
            .iter()
            .any(|entry| quoting::is_quoted(&entry.name, settings.quoting))
}

/// Returns a name as it is listed: quoted, coloured, with its indicator.
pub(crate) fn shown(entry: &Entry, settings: &Settings, pads: bool) -> Shown {
    let (name, name_width) = name(&entry.name, settings);
    let mut bytes = Vec::new();
    let mut width = name_width;
    if pads && !quoting::is_quoted(&entry.name, settings.quoting) {
        bytes.push(b' ');
        width += 1;
    }
    match settings
        .colors
        .as_ref()
        .map(|colors| (colors, colors.of(entry)))
    {
        Some((colors, Some(code))) => colors.paint(&mut bytes, code, &name),
        _ => bytes.extend_from_slice(&name),
    }
    if let Some(mark) = indicator(entry.kind, entry.status.as_ref(), settings) {
        bytes.push(mark);
        width += 1;
    }
    Shown { bytes, width }
}

/// Returns the target of a link as the long format shows it.
pub(crate) fn shown_target(target: &Target, settings: &Settings) -> Vec<u8> {
    let (name, _) = name(&target.name, settings);
    let mut bytes = Vec::new();
    let code = settings
        .colors
        .as_ref()
        .and_then(|colors| Some((colors, colors.of_target(target)?)));
    match code {
        Some((colors, code)) => colors.paint(&mut bytes, code, &name),
        None => bytes.extend_from_slice(&name),
    }
    if let Some(status) = &target.status
        && let Some(mark) = indicator(Some(status.kind), Some(status), settings)
    {
        bytes.push(mark);
    }
    bytes
}

/// Returns how many columns a name takes.
pub(crate) fn name_width(entry: &Entry, settings: &Settings) -> usize {
    name(&entry.name, settings).1
}

fn name(name: &[u8], settings: &Settings) -> (Vec<u8>, usize) {
    let mut quoted = quoting::quote(name, settings.quoting);
    if settings.hides_control
        && matches!(
            settings.quoting,
            Style::Literal | Style::Shell | Style::ShellAlways
        )
    {
        quoted = without_control(&quoted);
    }
    let width = quoted
        .utf8_chunks()
        .map(|chunk| {
            chunk
                .valid()
                .chars()
                .filter_map(UnicodeWidthChar::width)
                .sum::<usize>()
        })
        .sum();
    (quoted, width)
}

fn without_control(name: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    for chunk in name.utf8_chunks() {
        out.extend(
            chunk
                .valid()
                .chars()
                .map(|one| if quoting::is_printable(one) { one } else { '?' }),
        );
        out.extend(chunk.invalid().iter().map(|_| '?'));
    }
    out.into_bytes()
}

fn indicator(kind: Option<Kind>, status: Option<&Stat>, settings: &Settings) -> Option<u8> {
    if settings.indicator == Indicator::None {
        return None;
    }
    let kind = kind?;
    match kind {
        Kind::Directory => Some(b'/'),
        _ if settings.indicator == Indicator::Slash => None,
        Kind::Symlink if settings.is_long => None,
        Kind::Symlink => Some(b'@'),
        Kind::Fifo => Some(b'|'),
        Kind::Socket => Some(b'='),
        Kind::Regular => {
            let runs = status.is_some_and(|status| status.mode & 0o111 != 0);
            (runs && settings.indicator == Indicator::Classify).then_some(b'*')
        }
        Kind::CharacterDevice | Kind::BlockDevice | Kind::Unknown => None,
    }
}

/// The inode and the blocks before a name, and their widths in this listing.
#[derive(Clone, Copy)]
pub(crate) struct Prefix {
    inode: usize,
    blocks: usize,
}

impl Prefix {
    pub(crate) fn of(entries: &[Entry], settings: &Settings) -> Self {
        let widest = |text: &dyn Fn(&Stat) -> String| {
            let lengths = entries
                .iter()
                .map(|entry| entry.status.as_ref().map_or(1, |status| text(status).len()));
            lengths.max().unwrap_or(0)
        };
        Prefix {
            inode: if settings.shows_inode {
                widest(&|status| status.inode.to_string())
            } else {
                0
            },
            blocks: if settings.shows_blocks {
                widest(&|status| settings.block_unit.show(status.blocks * 512))
            } else {
                0
            },
        }
    }

    fn width(self) -> usize {
        [self.inode, self.blocks]
            .iter()
            .filter(|width| **width > 0)
            .map(|width| width + 1)
            .sum()
    }

    pub(crate) fn print(
        self,
        out: &mut dyn Write,
        entry: &Entry,
        settings: &Settings,
    ) -> io::Result<()> {
        let is_aligned = settings.format != Format::Commas;
        let status = entry.status.as_ref();
        if settings.shows_inode {
            let inode = status.map_or_else(|| "?".to_owned(), |status| status.inode.to_string());
            let width = if is_aligned { self.inode } else { 0 };
            write!(out, "{inode:>width$} ")?;
        }
        if settings.shows_blocks {
            let blocks = status.map_or_else(
                || "?".to_owned(),
                |status| settings.block_unit.show(status.blocks * 512),
            );
            let width = if is_aligned { self.blocks } else { 0 };
            write!(out, "{blocks:>width$} ")?;
        }
        Ok(())
    }
}

fn cells(
    entries: &[Entry],
    settings: &Settings,
    prefix: Prefix,
    pads: bool,
) -> io::Result<Vec<Shown>> {
    let cell = |entry: &Entry| {
        let mut bytes = Vec::new();
        prefix.print(&mut bytes, entry, settings)?;
        let name = shown(entry, settings, pads);
        bytes.extend_from_slice(&name.bytes);
        Ok(Shown {
            bytes,
            width: prefix.width() + name.width,
        })
    };
    entries.iter().map(cell).collect()
}

/// Prints as many columns as fit, filled downwards or across.
fn columns(
    out: &mut dyn Write,
    entries: &[Entry],
    settings: &Settings,
    pads: bool,
) -> io::Result<()> {
    let cells = cells(entries, settings, Prefix::of(entries, settings), pads)?;
    let is_vertical = settings.format == Format::Vertical;
    let most = cells.len().min(settings.width.div_ceil(COLUMN_MIN).max(1));
    let fitting = (1..=most).rev().find_map(|count| {
        let widths = widths(&cells, count, is_vertical);
        (count == 1 || widths.iter().sum::<usize>() < settings.width).then_some((count, widths))
    });
    let Some((count, widths)) = fitting else {
        return Ok(());
    };
    let rows = cells.len().div_ceil(count);
    for row in 0..rows {
        let mut at = 0;
        let mut start = 0;
        for (column, width) in widths.iter().enumerate() {
            let place = if is_vertical {
                column * rows + row
            } else {
                row * count + column
            };
            let Some(cell) = cells.get(place).filter(|_| is_vertical || column < count) else {
                break;
            };
            if column > 0 {
                indent(out, at, start, settings.tab)?;
            }
            out.write_all(&cell.bytes)?;
            at = start + cell.width;
            start += width;
        }
        out.write_all(&[settings.end_of_line])?;
    }
    Ok(())
}

/// Returns the widths of so many columns, the gap included in all but the last.
fn widths(cells: &[Shown], count: usize, is_vertical: bool) -> Vec<usize> {
    let rows = cells.len().div_ceil(count);
    let mut widths = vec![COLUMN_MIN; count];
    for (place, cell) in cells.iter().enumerate() {
        let column = if is_vertical {
            place / rows.max(1)
        } else {
            place % count
        };
        let gap = if column + 1 == count { 0 } else { GAP };
        if let Some(width) = widths.get_mut(column) {
            *width = (*width).max(cell.width + gap);
        }
    }
    widths
}

/// Goes on to a column, with tabs where they reach it.
fn indent(out: &mut dyn Write, mut from: usize, to: usize, tab: usize) -> io::Result<()> {
    while from < to {
        if tab != 0 && to / tab > (from + 1) / tab {
            out.write_all(b"\t")?;
            from += tab - from % tab;
        } else {
            out.write_all(b" ")?;
            from += 1;
        }
    }
    Ok(())
}

fn commas(out: &mut dyn Write, entries: &[Entry], settings: &Settings) -> io::Result<()> {
    let prefix = Prefix::of(entries, settings);
    let cells = cells(entries, settings, prefix, false)?;
    let mut at = 0;
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            // Room for the name and the comma after it.
            if settings.width == 0 || at + cell.width + 2 < settings.width {
                out.write_all(b", ")?;
                at += 2;
            } else {
                out.write_all(b",")?;
                out.write_all(&[settings.end_of_line])?;
                at = 0;
            }
        }
        out.write_all(&cell.bytes)?;
        at += cell.width;
    }
    if cells.is_empty() {
        Ok(())
    } else {
        out.write_all(&[settings.end_of_line])
    }
}

/// Keeps the colours' first reset where GNU has it: before the first coloured name.
impl Colors {
    fn paint(&self, out: &mut Vec<u8>, code: &str, name: &[u8]) {
        if self.begin() {
            out.extend_from_slice(color::RESET);
        }
        out.extend_from_slice(format!("\x1b[{code}m").as_bytes());
        out.extend_from_slice(name);
        out.extend_from_slice(color::RESET);
    }
}
