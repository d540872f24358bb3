//! Two columns: what is alike beside each other, what changed with a mark between.

use std::io::{self, Write as _};

use unicode_width::UnicodeWidthChar as _;

use crate::pen::{Paint, Pen};
use crate::text::{Change, Text};

/// Blanks at least between the columns.
const GUTTER_MIN: usize = 3;

/// How the columns are laid out.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) width: usize,
    pub(crate) left_only: bool,
    pub(crate) suppress_common: bool,
    /// Says before each group how many lines it has: for sdiff.
    pub(crate) assist: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            width: 130,
            left_only: false,
            suppress_common: false,
            assist: false,
        }
    }
}

struct Sheet<'a, 'b> {
    pen: &'a mut Pen<'b>,
    texts: &'a [Text; 2],
    columns: &'a Columns,
    half: usize,
    second: usize,
    next: [usize; 2],
}

/// Prints both texts side by side.
pub(crate) fn print(
    pen: &mut Pen<'_>,
    texts: &[Text; 2],
    changes: &[Change],
    columns: &Columns,
) -> io::Result<()> {
    let unit = if pen.look.expand_tabs {
        1
    } else {
        pen.look.tab.max(1)
    };
    let width = columns.width;
    let gap = unit.saturating_add(GUTTER_MIN);
    let unaligned = (width / 2) + (gap / 2) + (width & gap & 1);
    let offset = unaligned - unaligned % unit;
    let half = if offset <= GUTTER_MIN || width <= offset {
        0
    } else {
        (offset - GUTTER_MIN).min(width - offset)
    };
    let second = if half > 0 { offset } else { width };
    let [first_text, second_text] = texts;
    let ends = [first_text.lines(), second_text.lines()];
    let mut sheet = Sheet {
        pen,
        texts,
        columns,
        half,
        second,
        next: [0, 0],
    };
    for change in changes.iter().filter(|change| !change.ignored) {
        sheet.common([change.old, change.new])?;
        sheet.change(change)?;
    }
    sheet.common(ends)
}

impl Sheet<'_, '_> {
    fn common(&mut self, limit: [usize; 2]) -> io::Result<()> {
        let [mut old, mut new] = self.next;
        let [old_end, new_end] = limit;
        self.next = limit;
        if self.columns.suppress_common || (old == old_end && new == new_end) {
            return Ok(());
        }
        if self.columns.assist {
            writeln!(self.pen, "i{} {}", old_end - old, new_end - new)?;
        }
        if !self.columns.left_only {
            while old < old_end && new < new_end {
                self.row(Some(old), ' ', Some(new))?;
                old += 1;
                new += 1;
            }
            for new in new..new_end {
                self.row(None, ')', Some(new))?;
            }
        }
        for old in old..old_end {
            self.row(Some(old), '(', None)?;
        }
        Ok(())
    }

    fn change(&mut self, change: &Change) -> io::Result<()> {
        if self.columns.assist {
            writeln!(self.pen, "c{} {}", change.deleted, change.inserted)?;
        }
        let both = change.deleted.min(change.inserted);
        for place in 0..both {
            self.row(Some(change.old + place), '|', Some(change.new + place))?;
        }
        for place in both..change.inserted {
            self.row(None, '>', Some(change.new + place))?;
        }
        for place in both..change.deleted {
            self.row(Some(change.old + place), '<', None)?;
        }
        self.next = [change.old + change.deleted, change.new + change.inserted];
        Ok(())
    }

    fn row(&mut self, left: Option<usize>, mark: char, right: Option<usize>) -> io::Result<()> {
        let [old, new] = self.texts;
        let left = left.map(|line| old.line(line));
        let right = right.map(|line| new.line(line));
        match mark {
            '<' => self.pen.paint(Paint::Deleted)?,
            '>' => self.pen.paint(Paint::Added)?,
            _ => {}
        }
        let mut ended = false;
        let mut column = 0;
        if let Some(line) = left {
            ended |= line.ends_with(b"\n");
            column = self.half_line(line, 0)?;
        }
        if mark != ' ' {
            let middle = (self.half + self.second).saturating_sub(1) / 2;
            self.move_to(column, middle)?;
            column = middle + 1;
            let right_ended = right.is_some_and(|line| line.ends_with(b"\n"));
            let mark = match mark {
                '|' if ended != right_ended => {
                    if ended {
                        '/'
                    } else {
                        '\\'
                    }
                }
                mark => mark,
            };
            write!(self.pen, "{mark}")?;
        }
        if let Some(line) = right {
            ended |= line.ends_with(b"\n");
            if !line.starts_with(b"\n") {
                self.move_to(column, self.second)?;
                self.half_line(line, self.second)?;
            }
        }
        if ended {
            self.pen.write_all(b"\n")?;
        }
        self.pen.paint(Paint::Plain)
    }

    fn move_to(&mut self, mut from: usize, to: usize) -> io::Result<()> {
        if !self.pen.look.expand_tabs {
            let unit = self.pen.look.tab.max(1);
            let mut stop = from + unit - from % unit;
            while stop <= to {
                self.pen.write_all(b"\t")?;
                from = stop;
                stop += unit;
            }
        }
        let blanks = to.saturating_sub(from);
        self.pen.write_all(&vec![b' '; blanks])
    }

    /// Writes what fits of a line and returns the column behind it.
    fn half_line(&mut self, line: &[u8], indent: usize) -> io::Result<usize> {
        let (unit, bound) = (self.pen.look.tab.max(1), self.half);
        let (mut wanted, mut written) = (0_usize, 0_usize);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        for chunk in line.utf8_chunks() {
            for letter in chunk.valid().chars() {
                match letter {
                    '\t' => {
                        let blanks = unit - wanted % unit;
                        if wanted == written {
                            let stop = written + blanks;
                            if self.pen.look.expand_tabs {
                                let stop = stop.min(bound);
                                self.pen
                                    .write_all(&vec![b' '; stop.saturating_sub(written)])?;
                                written = written.max(stop);
                            } else if stop < bound {
                                written = stop;
                                self.pen.write_all(b"\t")?;
                            }
                        }
                        wanted += blanks;
                    }
                    '\r' => {
                        self.pen.write_all(b"\r")?;
                        self.move_to(0, indent)?;
                        (wanted, written) = (0, 0);
                    }
                    '\x08' => {
                        if wanted > 0 {
                            wanted -= 1;
                            if wanted < bound {
                                if written <= wanted {
                                    self.pen.write_all(&vec![b' '; wanted - written])?;
                                } else {
                                    self.pen.write_all(b"\x08")?;
                                }
                                written = wanted;
                            }
                        }
                    }
                    _ => {
                        wanted += letter.width().unwrap_or(0);
                        let fits = if letter.is_control() {
                            wanted < bound
                        } else {
                            wanted <= bound
                        };
                        if fits {
                            if !letter.is_control() {
                                written = wanted;
                            }
                            write!(self.pen, "{letter}")?;
                        }
                    }
                }
            }
            if wanted < bound {
                self.pen.write_all(chunk.invalid())?;
            }
        }
        Ok(written)
    }
}
