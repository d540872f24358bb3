//! Both texts merged: groups of lines and their lines in formats that the options give (`--ifdef` and its kin).

use std::io::{self, Write as _};

use crate::pen::Pen;
use crate::text::{Change, Text};

/// Formats by kind: old, new, unchanged, and for groups changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Formats {
    pub(crate) lines: [Option<String>; 3],
    pub(crate) groups: [Option<String>; 4],
}

/// Places in [`Formats`].
pub(crate) const OLD: usize = 0;
pub(crate) const NEW: usize = 1;
pub(crate) const UNCHANGED: usize = 2;
pub(crate) const CHANGED: usize = 3;

impl Formats {
    /// Sets the formats that `--ifdef` stands for; returns whether others were set before.
    pub(crate) fn set_name(&mut self, name: &str) -> bool {
        let formats = [
            format!("#ifndef {name}\n%<#endif /* ! {name} */\n"),
            format!("#ifdef {name}\n%>#endif /* {name} */\n"),
            "%=".to_owned(),
            format!("#ifndef {name}\n%<#else /* {name} */\n%>#endif /* {name} */\n"),
        ];
        let mut clash = false;
        for (place, format) in self.groups.iter_mut().zip(formats) {
            clash |= place
                .replace(format.clone())
                .is_some_and(|old| old != format);
        }
        clash
    }

    fn line(&self, kind: usize) -> &str {
        self.lines
            .get(kind)
            .and_then(Option::as_deref)
            .unwrap_or("%l\n")
    }

    fn group(&self, kind: usize) -> String {
        let given = |kind: usize| self.groups.get(kind).cloned().flatten();
        given(kind).unwrap_or_else(|| match kind {
            OLD => given(CHANGED).unwrap_or_else(|| "%<".to_owned()),
            NEW => given(CHANGED).unwrap_or_else(|| "%>".to_owned()),
            CHANGED => self.group(OLD) + &self.group(NEW),
            _ => "%=".to_owned(),
        })
    }
}

/// The lines of a group on both sides.
struct Group {
    spans: [(usize, usize); 2],
}

/// Prints both texts merged.
pub(crate) fn print(
    pen: &mut Pen<'_>,
    texts: &[Text; 2],
    changes: &[Change],
    formats: &Formats,
) -> io::Result<()> {
    let [first, second] = texts;
    let ends = (first.lines(), second.lines());
    let mut merge = Merge {
        pen,
        texts,
        formats,
    };
    let mut next = (0, 0);
    for change in changes.iter().filter(|change| !change.ignored) {
        merge.group(UNCHANGED, [(next.0, change.old), (next.1, change.new)])?;
        next = (change.old + change.deleted, change.new + change.inserted);
        let kind = match (change.deleted, change.inserted) {
            (_, 0) => OLD,
            (0, _) => NEW,
            _ => CHANGED,
        };
        merge.group(kind, [(change.old, next.0), (change.new, next.1)])?;
    }
    merge.group(UNCHANGED, [(next.0, ends.0), (next.1, ends.1)])
}

struct Merge<'a, 'b> {
    pen: &'a mut Pen<'b>,
    texts: &'a [Text; 2],
    formats: &'a Formats,
}

impl Merge<'_, '_> {
    fn group(&mut self, kind: usize, spans: [(usize, usize); 2]) -> io::Result<()> {
        if spans.iter().all(|(start, end)| start == end) {
            return Ok(());
        }
        let format = self.formats.group(kind);
        self.format(&format, &Group { spans })
    }

    fn format(&mut self, format: &str, group: &Group) -> io::Result<()> {
        let [old, new] = group.spans;
        let mut rest = format;
        while let Some(letter) = rest.chars().next() {
            rest = rest.get(letter.len_utf8()..).unwrap_or("");
            if letter != '%' {
                write!(self.pen, "{letter}")?;
                continue;
            }
            let Some(what) = rest.chars().next() else {
                write!(self.pen, "%")?;
                break;
            };
            let behind = rest.get(what.len_utf8()..).unwrap_or("");
            match what {
                '%' => write!(self.pen, "%")?,
                '<' => self.lines(0, OLD, old)?,
                '>' => self.lines(1, NEW, new)?,
                '=' => self.lines(0, UNCHANGED, old)?,
                '(' => {
                    if let Some((chosen, after)) = choose(behind, group) {
                        let chosen = chosen.to_owned();
                        rest = after;
                        self.format(&chosen, group)?;
                        continue;
                    }
                    write!(self.pen, "%(")?;
                }
                _ => {
                    let value = |letter| group_value(letter, group);
                    match specified(rest, &value) {
                        Some((text, after)) => {
                            write!(self.pen, "{text}")?;
                            rest = after;
                            continue;
                        }
                        None => write!(self.pen, "%{what}")?,
                    }
                }
            }
            rest = behind;
        }
        Ok(())
    }

    fn lines(&mut self, side: usize, kind: usize, (start, end): (usize, usize)) -> io::Result<()> {
        let formats = self.formats;
        let format = formats.line(kind);
        let Some(text) = self.texts.get(side) else {
            return Ok(());
        };
        for number in start..end {
            self.line(format, text.line(number), number)?;
        }
        Ok(())
    }

    fn line(&mut self, format: &str, line: &[u8], number: usize) -> io::Result<()> {
        let mut rest = format;
        while let Some(letter) = rest.chars().next() {
            rest = rest.get(letter.len_utf8()..).unwrap_or("");
            if letter != '%' {
                write!(self.pen, "{letter}")?;
                continue;
            }
            let content = line.strip_suffix(b"\n").unwrap_or(line);
            if let Some(after) = rest.strip_prefix('l') {
                self.pen.content(content, "", "")?;
                rest = after;
            } else if let Some(after) = rest.strip_prefix('L') {
                self.pen.content(content, "", "")?;
                if content.len() < line.len() {
                    self.pen.write_all(b"\n")?;
                }
                rest = after;
            } else if let Some(after) = rest.strip_prefix('%') {
                write!(self.pen, "%")?;
                rest = after;
            } else {
                let value = |letter| (letter == 'n').then_some(number + 1);
                match specified(rest, &value) {
                    Some((text, after)) => {
                        write!(self.pen, "{text}")?;
                        rest = after;
                    }
                    None => write!(self.pen, "%")?,
                }
            }
        }
        Ok(())
    }
}

fn group_value(letter: char, group: &Group) -> Option<usize> {
    let [old, new] = group.spans;
    let (start, end) = if letter.is_ascii_uppercase() {
        new
    } else {
        old
    };
    Some(match letter.to_ascii_lowercase() {
        'e' => start,
        'f' => start + 1,
        'l' => end,
        'm' => end + 1,
        'n' => end - start,
        _ => return None,
    })
}

/// Reads `%c'X'` or a number as printf has it (`%5dn`), behind the percent sign; returns its text and what follows.
fn specified<'a>(
    text: &'a str,
    value: &dyn Fn(char) -> Option<usize>,
) -> Option<(String, &'a str)> {
    if let Some(rest) = text.strip_prefix("c'") {
        if let Some(rest) = rest.strip_prefix('\\') {
            let (digits, after) = rest.split_once('\'')?;
            let code = u8::from_str_radix(digits, 8).ok()?;
            return Some((char::from(code).to_string(), after));
        }
        let letter = rest.chars().next()?;
        let after = rest.get(letter.len_utf8()..)?.strip_prefix('\'')?;
        return Some((letter.to_string(), after));
    }
    let flags = text.trim_start_matches(['-', '\'', '0']);
    let flag_text = text.strip_suffix(flags)?;
    let after_width = flags.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let width: usize = flags
        .strip_suffix(after_width)?
        .parse()
        .unwrap_or(0)
        .min(65_536);
    let (precision, rest) = match after_width.strip_prefix('.') {
        Some(behind) => {
            let after = behind.trim_start_matches(|letter: char| letter.is_ascii_digit());
            let digits = behind.strip_suffix(after)?;
            (Some(digits.parse().unwrap_or(0).min(65_536_usize)), after)
        }
        None => (None, after_width),
    };
    let mut letters = rest.chars();
    let conversion = letters.next()?;
    let number = |letter| value(letter);
    let number = number(letters.next()?)?;
    let mut digits = match conversion {
        'd' => number.to_string(),
        'o' => format!("{number:o}"),
        'x' => format!("{number:x}"),
        'X' => format!("{number:X}"),
        _ => return None,
    };
    if let Some(precision) = precision {
        digits = format!("{digits:0>precision$}");
    }
    let shown = if flag_text.contains('-') {
        format!("{digits:<width$}")
    } else if flag_text.contains('0') && precision.is_none() {
        format!("{digits:0>width$}")
    } else {
        format!("{digits:>width$}")
    };
    Some((shown, letters.as_str()))
}

/// Reads `A=B?T:E)` and returns the chosen format and what follows.
fn choose<'a>(text: &'a str, group: &Group) -> Option<(&'a str, &'a str)> {
    let value = |text: &str| -> Option<usize> {
        text.parse().ok().or_else(|| {
            let mut letters = text.chars();
            let letter = letters.next().filter(|_| letters.as_str().is_empty())?;
            group_value(letter, group)
        })
    };
    let (left, rest) = text.split_once('=')?;
    let (right, rest) = rest.split_once('?')?;
    let is_equal = value(left)? == value(right)?;
    let (then, rest) = until(rest, ':')?;
    let (other, rest) = until(rest, ')')?;
    Some((if is_equal { then } else { other }, rest))
}

/// Splits at the first `end` that is not inside of a nested choice.
fn until(text: &str, end: char) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '%' => depth += usize::from(letters.next().is_some_and(|(_, next)| next == '(')),
            ')' if depth > 0 => depth -= 1,
            _ if letter == end && depth == 0 => {
                return Some((text.get(..place)?, text.get(place + letter.len_utf8()..)?));
            }
            _ => {}
        }
    }
    None
}
