//! The long format: a line a file, in aligned columns.

use std::io::{self, Write};

use crate::clock;
use crate::mode;
use crate::owner::Owner;
use crate::system::{Facts, Kind, Moment};

use super::entry::Entry;
use super::layout::{self, Prefix};
use super::settings::Settings;

/// Which columns there are.
pub(crate) struct Columns {
    pub(crate) owner: bool,
    pub(crate) group: bool,
    pub(crate) author: bool,
    pub(crate) context: bool,
    /// Ids in place of names.
    pub(crate) numeric: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            owner: true,
            group: true,
            author: false,
            context: false,
            numeric: false,
        }
    }
}

/// How times are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimeStyle {
    /// `Jan  2 03:04`, or the year for what is older than half a year.
    Locale,
    Iso,
    LongIso,
    FullIso,
    /// A format for date(1), and the one for recent times.
    Custom(String, String),
}

impl TimeStyle {
    pub(crate) fn named(name: &str) -> Option<Self> {
        if let Some(format) = name.strip_prefix('+') {
            let (old, recent) = format.split_once('\n').unwrap_or((format, format));
            return Some(TimeStyle::Custom(old.to_owned(), recent.to_owned()));
        }
        Some(match name.strip_prefix("posix-").unwrap_or(name) {
            "locale" => TimeStyle::Locale,
            "iso" => TimeStyle::Iso,
            "long-iso" => TimeStyle::LongIso,
            "full-iso" => TimeStyle::FullIso,
            _ => return None,
        })
    }

    fn show(&self, moment: Moment, now: Moment) -> String {
        /// Half of a mean Gregorian year.
        const HALF_YEAR_SECONDS: i64 = 31_556_952 / 2;
        let is_recent = moment.seconds > now.seconds - HALF_YEAR_SECONDS && moment <= now;
        let format = match (self, is_recent) {
            (TimeStyle::Locale, true) => "%b %e %H:%M",
            (TimeStyle::Locale, false) => "%b %e  %Y",
            (TimeStyle::Iso, true) => "%m-%d %H:%M",
            (TimeStyle::Iso, false) => "%Y-%m-%d ",
            (TimeStyle::LongIso, _) => "%Y-%m-%d %H:%M",
            (TimeStyle::FullIso, _) => "%Y-%m-%d %H:%M:%S.%N %z",
            (TimeStyle::Custom(_, recent), true) => recent,
            (TimeStyle::Custom(old, _), false) => old,
        };
        clock::show(moment, format)
    }
}

struct Widths {
    links: usize,
    owner: usize,
    size: usize,
    time: usize,
}

/// Prints a listing.
pub(crate) fn print(
    out: &mut dyn Write,
    entries: &[Entry],
    others: &[Entry],
    settings: &Settings,
    pads: bool,
) -> io::Result<()> {
    let owner = Owner::of_hand();
    let owner = if settings.columns.numeric {
        owner.id.to_string()
    } else {
        owner.name
    };
    let now = clock::now();
    let times: Vec<Option<String>> = entries
        .iter()
        .map(|entry| {
            Some(
                settings
                    .time_style
                    .show(settings.time.of(entry.status.as_ref()?), now),
            )
        })
        .collect();
    let widths = Widths {
        links: entries
            .iter()
            .chain(others)
            .map(|entry| links(entry).len())
            .max()
            .unwrap_or(0),
        owner: entries
            .iter()
            .map(|entry| {
                if entry.status.is_some() {
                    owner.len()
                } else {
                    1
                }
            })
            .max()
            .unwrap_or(0),
        size: entries
            .iter()
            .chain(others)
            .map(|entry| size(entry, settings).len())
            .max()
            .unwrap_or(0),
        time: times
            .iter()
            .flatten()
            .map(String::len)
            .max()
            .unwrap_or_else(|| settings.time_style.show(now, now).len()),
    };
    let prefix = Prefix::of(entries, settings);
    for (entry, time) in entries.iter().zip(&times) {
        prefix.print(out, entry, settings)?;
        line(out, entry, time.as_deref(), &owner, &widths, settings)?;
        out.write_all(&layout::shown(entry, settings, pads).bytes)?;
        if let Some(target) = entry
            .target
            .as_ref()
            .filter(|_| entry.kind == Some(Kind::Symlink))
        {
            out.write_all(b" -> ")?;
            out.write_all(&layout::shown_target(target, settings))?;
        }
        out.write_all(&[settings.end_of_line])?;
    }
    Ok(())
}

fn line(
    out: &mut dyn Write,
    entry: &Entry,
    time: Option<&str>,
    owner: &str,
    widths: &Widths,
    settings: &Settings,
) -> io::Result<()> {
    match &entry.status {
        Some(status) => write!(out, "{}{} ", status.letter(), mode::letters(status.mode))?,
        None => write!(out, "{}????????? ", letter(entry.kind))?,
    }
    write!(out, "{:>width$} ", links(entry), width = widths.links)?;
    let owner = if entry.status.is_some() { owner } else { "?" };
    let columns = &settings.columns;
    for _ in [columns.owner, columns.group, columns.author]
        .iter()
        .filter(|shown| **shown)
    {
        if columns.numeric {
            write!(out, "{owner:>width$} ", width = widths.owner)?;
        } else {
            write!(out, "{owner:<width$} ", width = widths.owner)?;
        }
    }
    if columns.context {
        out.write_all(b"? ")?;
    }
    write!(
        out,
        "{:>width$} ",
        size(entry, settings),
        width = widths.size
    )?;
    match time {
        Some(time) => write!(out, "{time} "),
        None => write!(out, "{:>width$} ", "?", width = widths.time),
    }
}

fn letter(kind: Option<Kind>) -> char {
    match kind {
        Some(Kind::Directory) => 'd',
        Some(Kind::Symlink) => 'l',
        Some(Kind::Regular) => '-',
        _ => '?',
    }
}

fn links(entry: &Entry) -> String {
    entry
        .status
        .as_ref()
        .map_or_else(|| "?".to_owned(), |status| status.links.to_string())
}

fn size(entry: &Entry, settings: &Settings) -> String {
    entry.status.as_ref().map_or_else(
        || "?".to_owned(),
        |status| settings.size_unit.show(status.size),
    )
}
