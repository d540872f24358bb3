//! The search of one file, in pieces.
//!
//! The buffer holds whole lines from `at` on, and before them as many as context may still ask for. Lines are
//! numbered only when one is printed.

use std::io::{self, Read, Write};

use crate::{
    binary,
    matcher::Matcher,
    printer::{Line, Printer},
    settings::{Binary, List, Settings},
};

/// The size of a piece. Which lines before the first zero byte are still printed hangs on it, so it is GNU grep's.
pub(crate) const PIECE_BYTES: usize = 96 << 10;

/// What the search of a file found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) selected: u64,
    /// Lines were selected that are no text, so that a message is due instead of them.
    pub(crate) binary_matches: bool,
}

/// A search that goes on over many files.
pub(crate) struct Search<'a, W: Write> {
    settings: &'a Settings,
    matcher: &'a Matcher,
    pub(crate) printer: Printer<'a, W>,
    buffer: Vec<u8>,
}

/// Where a search stands in its file.
struct Position<'a> {
    name: Option<&'a str>,
    /// The offset in the file of the buffer's first byte.
    base: u64,
    /// Where the next line begins that is not yet looked at.
    at: usize,
    /// Where in the file what was printed ends. Everything before it is done with.
    printed: u64,
    /// Lines before `counted`.
    number: u64,
    counted: usize,
    /// Lines of context that are still to follow.
    trailing: usize,
    has_printed: bool,
    is_quiet: bool,
    stops_at_first: bool,
    bound: Option<u64>,
    /// As many lines as were asked for have been selected: only context is still to follow.
    is_over: bool,
    /// Lines selected before the first zero byte was seen.
    before_zero: Option<u64>,
    has_bad_encoding: bool,
    selected: u64,
}

impl<'a, W: Write> Search<'a, W> {
    pub(crate) fn new(settings: &'a Settings, matcher: &'a Matcher, out: W) -> Self {
        Self {
            settings,
            matcher,
            printer: Printer::new(out, settings, matcher),
            buffer: Vec::new(),
        }
    }

    /// Returns whether no lines are printed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.settings.quiet || self.settings.count || self.settings.list != List::No
    }

    /// Searches one file. A name is printed before lines if there is one.
    pub(crate) fn file(&mut self, mut file: impl Read, name: Option<&str>) -> io::Result<Found> {
        let stops = self.settings.quiet || self.settings.list != List::No;
        let mut position = Position {
            name,
            base: 0,
            at: 0,
            printed: 0,
            number: 0,
            counted: 0,
            trailing: 0,
            has_printed: false,
            is_quiet: self.is_quiet(),
            stops_at_first: stops,
            bound: self.settings.count_max,
            is_over: false,
            before_zero: None,
            has_bad_encoding: false,
            selected: 0,
        };
        self.buffer.clear();
        let mut filled = 0;
        loop {
            let read = self.fill(&mut file, filled)?;
            let is_end = read == 0;
            if !self.check_text(&mut position, filled, filled + read) {
                return Ok(Found::default());
            }
            filled += read;
            let fresh = self.buffer.get(position.at..filled).unwrap_or_default();
            let end = match is_end {
                true => filled,
                false => memchr::memrchr(self.settings.line_end, fresh)
                    .map_or(position.at, |place| position.at + place + 1),
            };
            if end > position.at && !self.lines(&mut position, end)? {
                break;
            }
            if is_end {
                break;
            }
            filled = self.compact(&mut position, filled);
        }
        let after_zero = position
            .before_zero
            .is_some_and(|before| before < position.selected);
        Ok(Found {
            selected: position.selected,
            binary_matches: self.settings.binary == Binary::Report
                && !self.is_quiet()
                && (position.has_bad_encoding || after_zero),
        })
    }

    /// Reads the next piece behind what is in the buffer.
    fn fill(&mut self, file: &mut impl Read, filled: usize) -> io::Result<usize> {
        if self.buffer.len() < filled + PIECE_BYTES {
            self.buffer
                .resize((filled + PIECE_BYTES).next_power_of_two(), 0);
        }
        let place = self
            .buffer
            .get_mut(filled..filled + PIECE_BYTES)
            .unwrap_or_default();
        loop {
            match file.read(place) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Looks for zero bytes in what was just read. In a file that has one, zero bytes end lines. Returns false if the
    /// file is not to be searched.
    fn check_text(&mut self, position: &mut Position<'_>, from: usize, to: usize) -> bool {
        let settings = self.settings;
        if settings.binary == Binary::Text || settings.line_end == 0 {
            return true;
        }
        let fresh = self.buffer.get_mut(from..to).unwrap_or_default();
        if position.before_zero.is_none() {
            if !binary::has_zero(fresh) {
                return true;
            }
            if settings.binary == Binary::WithoutMatch {
                return false;
            }
            position.before_zero = Some(position.selected);
            if !settings.count {
                position.is_quiet = true;
                position.stops_at_first = true;
            }
        }
        for byte in fresh.iter_mut().filter(|byte| **byte == 0) {
            *byte = settings.line_end;
        }
        true
    }

    /// Drops what no line and no context needs any more. Returns how much is left.
    fn compact(&mut self, position: &mut Position<'_>, filled: usize) -> usize {
        let mut keep = position.at;
        if !position.is_quiet {
            keep = self.context_start(position);
        }
        if keep == 0 {
            return filled;
        }
        self.count_to(position, keep);
        self.buffer.copy_within(keep..filled, 0);
        position.base += keep as u64;
        position.at -= keep;
        position.counted = 0;
        filled - keep
    }

    /// Counts lines up to a place, which is never before the last one.
    fn count_to(&self, position: &mut Position<'_>, place: usize) {
        if self.settings.line_number {
            let passed = self.buffer.get(position.counted..place).unwrap_or_default();
            position.number += memchr::memchr_iter(self.settings.line_end, passed).count() as u64;
        }
        position.counted = place;
    }

    /// Looks at the lines from `at` to `end`. Returns false if the file is done with.
    fn lines(&mut self, position: &mut Position<'_>, end: usize) -> io::Result<bool> {
        while position.at < end {
            if position.is_over {
                self.context_after(position, end)?;
                position.at = end;
                return Ok(position.trailing > 0);
            }
            let text = self.buffer.get(..end).unwrap_or_default();
            let found = self.matcher.find_line(text, position.at);
            let (start, after) = found.unwrap_or((end, end));
            let goes_on = match self.settings.invert {
                false => {
                    self.context_after(position, start)?;
                    position.at = start;
                    start == after || self.selected(position, after)?
                }
                true => {
                    let goes_on = self.selected(position, start)?;
                    if goes_on && !position.is_over {
                        self.context_after(position, after)?;
                        position.at = after;
                    }
                    goes_on
                }
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes the lines from `at` to `end` as selected. Returns false if no more are asked for.
    fn selected(&mut self, position: &mut Position<'_>, end: usize) -> io::Result<bool> {
        if position.at < end && !position.is_quiet {
            self.context_before(position)?;
        }
        self.printer.has_printed |= position.at < end;
        while position.at < end {
            let after = self.line_after(position.at, end);
            position.selected += 1;
            if !position.is_quiet {
                self.print(position, position.at, after, true)?;
                position.trailing = self.settings.after;
            }
            position.at = after;
            let is_bound = position
                .bound
                .is_some_and(|bound| position.selected >= bound);
            if position.stops_at_first || (is_bound && position.trailing == 0) {
                return Ok(false);
            }
            if is_bound {
                position.is_over = true;
                return Ok(true);
            }
        }
        Ok(true)
    }

    /// Returns where the context before `at` begins that is not yet printed.
    fn context_start(&self, position: &Position<'_>) -> usize {
        let printed = position.printed.saturating_sub(position.base);
        let printed = usize::try_from(printed).unwrap_or(usize::MAX);
        let mut start = position.at;
        for _ in 0..self.settings.before {
            if start <= printed {
                break;
            }
            start = self.line_before(start);
        }
        start.max(printed.min(position.at))
    }

    /// Prints the lines before the one at `at` that context asks for.
    fn context_before(&mut self, position: &mut Position<'_>) -> io::Result<()> {
        let start = self.context_start(position);
        let gap = position.base + start as u64 > position.printed;
        let is_new_group = !position.has_printed || gap;
        if self.settings.has_context && self.printer.has_printed && is_new_group {
            self.printer.separator()?;
        }
        let mut at = start;
        while at < position.at {
            let after = self.line_after(at, position.at);
            self.print(position, at, after, false)?;
            at = after;
        }
        Ok(())
    }

    /// Prints the lines from `at` to `end` that context after a selected line asks for.
    fn context_after(&mut self, position: &mut Position<'_>, end: usize) -> io::Result<()> {
        let mut at = position.at;
        while position.trailing > 0 && at < end && !position.is_quiet {
            let after = self.line_after(at, end);
            self.print(position, at, after, false)?;
            position.trailing -= 1;
            at = after;
        }
        Ok(())
    }

    fn print(
        &mut self,
        position: &mut Position<'_>,
        start: usize,
        end: usize,
        is_selected: bool,
    ) -> io::Result<()> {
        self.count_to(position, start);
        let line = self.buffer.get(start..end).unwrap_or_default();
        let text = line.strip_suffix(&[self.settings.line_end]).unwrap_or(line);
        let line = Line {
            text,
            is_selected,
            number: position.number + 1,
            offset: position.base + start as u64,
        };
        // A line that is no text is passed over, and what follows begins a new group.
        match self.printer.line(position.name, line)? {
            true => {
                position.printed = position.base + end as u64;
                position.has_printed = true;
            }
            false => position.has_bad_encoding = true,
        }
        Ok(())
    }

    fn line_after(&self, start: usize, end: usize) -> usize {
        let rest = self.buffer.get(start..end).unwrap_or_default();
        memchr::memchr(self.settings.line_end, rest).map_or(end, |place| start + place + 1)
    }

    /// Returns where the line begins that ends before `place`.
    fn line_before(&self, place: usize) -> usize {
        let before = self
            .buffer
            .get(..place.saturating_sub(1))
            .unwrap_or_default();
        memchr::memrchr(self.settings.line_end, before).map_or(0, |at| at + 1)
    }
}
