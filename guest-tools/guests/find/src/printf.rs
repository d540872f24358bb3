//! The formats of `-printf`.

use process::{Kind, Stat};

use crate::date;
use crate::entry::Entry;
use crate::evaluate::{other_kind, time_of};
use crate::expression::Time;
use crate::list;
use crate::messages::{GROUP, USER, report};

/// A piece of a format.
#[derive(Debug, Clone)]
enum Piece {
    Plain(String),
    /// `\c`: nothing more, and what is written so far is handed on.
    Stop,
    Directive(Directive),
}

#[derive(Debug, Clone)]
struct Directive {
    left: bool,
    zero: bool,
    alternate: bool,
    plus: bool,
    space: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
    /// The conversion of `%A`, `%C`, `%T`.
    date: char,
}

/// A parsed format.
#[derive(Debug, Clone)]
pub struct Format(Vec<Piece>);

/// The widest field. More is a slip that takes all memory.
const WIDTH_MAX: usize = 1_000_000;

impl Format {
    /// Parses a format; what is wrong in it is warned about and shown as it stands.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' => {
                    if escape(&mut characters, &mut plain) {
                        pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                        pieces.push(Piece::Stop);
                        return Ok(Self(pieces));
                    }
                }
                '%' if characters.peek() == Some(&'%') => {
                    characters.next();
                    plain.push('%');
                }
                '%' => {
                    let (directive, written) = directive(&mut characters)?;
                    match directive {
                        Some(directive) => {
                            pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                            pieces.push(Piece::Directive(directive));
                        }
                        None => {
                            let shown = written.chars().last().unwrap_or('%');
                            report(
                                "find",
                                &format!("warning: unrecognized format directive `%{shown}'"),
                            );
                            plain.push('%');
                            plain.push_str(&written);
                        }
                    }
                }
                other => plain.push(other),
            }
        }
        pieces.push(Piece::Plain(plain));
        Ok(Self(pieces))
    }

    /// Returns whether it ends with `\c`.
    pub fn flushes(&self) -> bool {
        matches!(self.0.last(), Some(Piece::Stop))
    }

    /// Returns whether it shows what only the status says.
    pub fn asks_status(&self) -> bool {
        self.0.iter().any(|piece| match piece {
            Piece::Plain(_) | Piece::Stop => false,
            Piece::Directive(directive) => !"pPfdhHlyY".contains(directive.letter),
        })
    }

    /// Appends what it makes of a file.
    pub fn append(&self, entry: &Entry, into: &mut Vec<u8>) {
        for piece in &self.0 {
            match piece {
                Piece::Plain(text) => into.extend_from_slice(text.as_bytes()),
                Piece::Stop => {}
                Piece::Directive(directive) => directive.append(entry, into),
            }
        }
    }
}

/// Reads an escape; returns whether it was `\c`.
fn escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, plain: &mut String) -> bool {
    match characters.next() {
        Some('a') => plain.push('\u{7}'),
        Some('b') => plain.push('\u{8}'),
        Some('c') => return true,
        Some('f') => plain.push('\u{c}'),
        Some('n') => plain.push('\n'),
        Some('r') => plain.push('\r'),
        Some('t') => plain.push('\t'),
        Some('v') => plain.push('\u{b}'),
        Some('\\') => plain.push('\\'),
        Some(digit @ '0'..='7') => {
            let mut value = digit.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                let Some(digit) = characters.peek().and_then(|next| next.to_digit(8)) else {
                    break;
                };
                value = value * 8 + digit;
                characters.next();
            }
            plain.push(char::from((value & 0xff) as u8));
        }
        Some(other) => {
            report("find", &format!("warning: unrecognized escape `\\{other}'"));
            plain.push('\\');
            plain.push(other);
        }
        None => {
            report("find", "warning: escape `\\' followed by nothing at all");
            plain.push('\\');
        }
    }
    false
}

/// Reads a directive behind its `%`; none if it is unknown, with what was read.
fn directive(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<(Option<Directive>, String), String> {
    let mut written = String::new();
    let mut directive = Directive {
        left: false,
        zero: false,
        alternate: false,
        plus: false,
        space: false,
        width: 0,
        precision: None,
        letter: ' ',
        date: ' ',
    };
    while let Some(flag) = characters.peek().copied() {
        match flag {
            '-' => directive.left = true,
            '0' => directive.zero = true,
            '#' => directive.alternate = true,
            '+' => directive.plus = true,
            ' ' => directive.space = true,
            _ => break,
        }
        written.push(flag);
        characters.next();
    }
    directive.width = number(characters, &mut written);
    if characters.peek() == Some(&'.') {
        characters.next();
        written.push('.');
        directive.precision = Some(number(characters, &mut written));
    }
    let Some(letter) = characters.next() else {
        return Err("error: % at end of format string".to_owned());
    };
    written.push(letter);
    directive.letter = letter;
    if matches!(letter, 'A' | 'B' | 'C' | 'T') {
        match characters.peek().copied() {
            Some(date) if date::convert(date, process::Moment::default()).is_some() => {
                characters.next();
                directive.date = date;
            }
            Some(_) | None => return Ok((None, written)),
        }
        return Ok((Some(directive), written));
    }
    let is_known = "abcdDfFgGhHiklmMnpPsStuUyYZ".contains(letter);
    Ok((is_known.then_some(directive), written))
}

fn number(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    written: &mut String,
) -> usize {
    let mut value = 0_usize;
    while let Some(digit) = characters
        .peek()
        .copied()
        .and_then(|next| next.to_digit(10).map(|digit| (next, digit)))
    {
        characters.next();
        written.push(digit.0);
        value = (value * 10 + digit.1 as usize).min(WIDTH_MAX);
    }
    value
}

impl Directive {
    fn append(&self, entry: &Entry, into: &mut Vec<u8>) {
        let (text, is_number) = self.text(entry);
        let text = match self.precision {
            Some(precision) if !is_number => text.chars().take(precision).collect(),
            Some(precision) => format!("{text:0>precision$}"),
            None => text,
        };
        let text = if is_number && self.plus {
            format!("+{text}")
        } else if self.letter == 'd' && self.space {
            format!(" {text}")
        } else {
            text
        };
        let padding = self.width.saturating_sub(text.chars().count());
        // Of the numbers, findutils has only these as numbers; others are texts to it.
        let zero = self.zero && matches!(self.letter, 'd' | 'm') && !self.left;
        if !self.left {
            into.resize(into.len() + padding, if zero { b'0' } else { b' ' });
        }
        into.extend_from_slice(text.as_bytes());
        if self.left {
            into.resize(into.len() + padding, b' ');
        }
    }

    /// Returns the text, and whether it is a number.
    fn text(&self, entry: &Entry) -> (String, bool) {
        match self.letter {
            'p' => return (entry.path.clone(), false),
            'P' => return (entry.below_root().to_owned(), false),
            // As GNU: a root keeps its last slash.
            'f' if entry.depth == 0 && entry.name() != "/" => {
                return (
                    entry
                        .path
                        .get(entry.name_begin..)
                        .unwrap_or_default()
                        .to_owned(),
                    false,
                );
            }
            'f' => return (entry.name().to_owned(), false),
            'd' => return (entry.depth.to_string(), true),
            'h' => return (folder(entry).to_owned(), false),
            'H' => {
                return (
                    entry
                        .path
                        .get(..entry.root_length)
                        .unwrap_or_default()
                        .to_owned(),
                    false,
                );
            }
            'l' => {
                let goal = if entry.kind() == Ok(Kind::Symlink) {
                    entry.link()
                } else {
                    None
                };
                return (goal.unwrap_or_default(), false);
            }
            'y' => {
                return (
                    entry
                        .kind()
                        .map_or('U', |kind| list::kind_letter(kind, 'f'))
                        .to_string(),
                    false,
                );
            }
            'Y' => return (goal_letter(entry).to_string(), false),
            _ => {}
        }
        match entry.stat() {
            Ok(stat) => self.status_text(&stat),
            Err(_) => (String::new(), false),
        }
    }

    fn status_text(&self, stat: &Stat) -> (String, bool) {
        let time = match self.letter {
            'a' | 'A' => Time::Accessed,
            'c' | 'C' => Time::Changed,
            _ => Time::Modified,
        };
        match self.letter {
            'a' | 'c' | 't' => (date::full(time_of(stat, time)), false),
            'A' | 'C' | 'T' => (
                date::convert(self.date, time_of(stat, time)).unwrap_or_default(),
                false,
            ),
            // No file system of a hand knows when a file was made.
            'B' => (String::new(), false),
            'b' => (stat.blocks.to_string(), true),
            'D' => (stat.device.to_string(), true),
            'F' => ("unknown".to_owned(), false),
            'g' => (list::group_name(GROUP), false),
            'G' => (GROUP.to_string(), true),
            'i' => (stat.inode.to_string(), true),
            'k' => (stat.blocks.div_ceil(2).to_string(), true),
            'm' if self.alternate => (format!("0{:o}", stat.mode & 0o7777), true),
            'm' => (format!("{:o}", stat.mode & 0o7777), true),
            'M' => (list::mode_text(stat), false),
            'n' => (stat.links.to_string(), true),
            's' => (stat.size.to_string(), true),
            'S' => (sparseness(stat), false),
            'u' => (list::user_name(USER), false),
            'U' => (USER.to_string(), true),
            _ => (String::new(), false),
        }
    }
}

/// Returns how much of its size a file takes on the disk, as `%g` writes it.
fn sparseness(stat: &Stat) -> String {
    if stat.size == 0 {
        return if stat.blocks == 0 {
            "1".to_owned()
        } else {
            "inf".to_owned()
        };
    }
    let ratio = stat.blocks as f64 * 512.0 / stat.size as f64;
    let digits = (5 - ratio.log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{ratio:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Returns the folder part of a path: `.` if there is none.
fn folder(entry: &Entry) -> &str {
    let trimmed = entry.path.trim_end_matches('/');
    match trimmed.rfind('/') {
        Some(0) => "",
        Some(slash) => trimmed.get(..slash).unwrap_or_default(),
        None if entry.path.starts_with('/') => "",
        None => ".",
    }
}

/// Returns the letter of what a link leads to: `N` nowhere, `L` in circles, `?` unknown.
fn goal_letter(entry: &Entry) -> char {
    if entry.kind() != Ok(Kind::Symlink) {
        return entry
            .kind()
            .map_or('U', |kind| list::kind_letter(kind, 'f'));
    }
    match process::stat(process::argument_bytes(&entry.path), true) {
        Ok(stat) => list::kind_letter(stat.kind, 'f'),
        Err(process::Errno::NoEntry | process::Errno::NotDirectory) => 'N',
        Err(process::Errno::Loop) => 'L',
        Err(_) => other_kind(entry).map_or('?', |_| '?'),
    }
}
