//! Times in the formats of date(1): the directives of strftime with GNU's flags and widths.

use std::fmt::Write as _;

use crate::{Local, Zone};

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What stands between `%` and the letter.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    /// `_`, `-`, `0` or `+`.
    pad: Option<char>,
    to_upper: bool,
    swaps_case: bool,
    width: Option<usize>,
}

/// The time and how it is shown within one format.
struct Shown<'a> {
    local: &'a Local,
    seconds: i64,
    nanoseconds: u32,
    /// The flags of the directive that this format stands for: `%F` hands them on to its `%Y`.
    year: Flags,
}

/// Shows a time: seconds and nanoseconds. What is no directive stays as it is.
#[must_use]
pub fn format(pattern: &str, zone: &Zone, (seconds, nanoseconds): (i64, u32)) -> String {
    let shown = Shown {
        local: &zone.local(seconds),
        seconds,
        nanoseconds,
        year: Flags::default(),
    };
    shown.format(pattern, false)
}

impl Shown<'_> {
    fn format(&self, pattern: &str, to_upper: bool) -> String {
        let mut out = String::new();
        let mut rest = pattern;
        while let Some((before, directive)) = rest.split_once('%') {
            out.push_str(before);
            rest = self.directive(directive, to_upper, &mut out);
        }
        out.push_str(rest);
        out
    }

    /// Shows what begins behind a `%` and returns what follows it.
    fn directive<'p>(&self, text: &'p str, to_upper: bool, out: &mut String) -> &'p str {
        let mut flags = Flags {
            to_upper,
            ..Flags::default()
        };
        let mut rest = text;
        loop {
            rest = match rest.chars().next() {
                Some(flag @ ('_' | '-' | '0' | '+')) => {
                    flags.pad = Some(flag);
                    rest.get(1..)
                }
                Some('^') => {
                    flags.to_upper = true;
                    rest.get(1..)
                }
                Some('#') => {
                    flags.swaps_case = true;
                    rest.get(1..)
                }
                _ => break,
            }
            .unwrap_or_default();
        }
        let digits = rest.len()
            - rest
                .trim_start_matches(|one: char| one.is_ascii_digit())
                .len();
        if digits > 0 {
            let width = rest.get(..digits).and_then(|width| width.parse().ok());
            // Wider than any line: a slip, not a wish.
            flags.width = Some(width.unwrap_or(WIDTH_MAX).min(WIDTH_MAX));
            rest = rest.get(digits..).unwrap_or_default();
        }
        let modifier = rest.chars().next().filter(|one| matches!(one, 'E' | 'O'));
        if modifier.is_some() {
            rest = rest.get(1..).unwrap_or_default();
        }
        let colons = rest.len() - rest.trim_start_matches(':').len();
        let after_colons = rest.get(colons..).unwrap_or_default();
        let shown = after_colons.chars().next().and_then(|letter| {
            if colons > 0 && (letter != 'z' || colons > 3) {
                return None;
            }
            if modifier.is_some_and(|modifier| !takes(letter, modifier)) {
                return None;
            }
            let text = self.show(letter, colons, flags)?;
            Some((text, after_colons.get(letter.len_utf8()..)?))
        });
        match shown {
            Some((shown, after)) => {
                out.push_str(&shown);
                after
            }
            None => {
                // What nobody knows stands for itself, up to its letter.
                let letter = after_colons.chars().next().map_or(0, char::len_utf8);
                let length = text.len() - after_colons.len() + letter;
                let (raw, after) = text.split_at_checked(length).unwrap_or((text, ""));
                out.push('%');
                out.push_str(raw);
                after
            }
        }
    }

    fn show(&self, letter: char, colons: usize, flags: Flags) -> Option<String> {
        let civil = &self.local.civil;
        let weekday = civil.weekday();
        let hour12 = (civil.hour + 11) % 12 + 1;
        let name = |names: &[&'static str], place: i64| {
            usize::try_from(place)
                .ok()
                .and_then(|place| names.get(place).copied())
                .unwrap_or("?")
        };
        let short = |name: &'static str| name.get(..3).unwrap_or(name);
        let mut capitals = flags;
        capitals.to_upper |= flags.swaps_case;
        Some(match letter {
            '%' => text("%", flags),
            'n' => text("\n", flags),
            't' => text("\t", flags),
            'a' => text(short(name(&WEEKDAYS, weekday)), capitals),
            'A' => text(name(&WEEKDAYS, weekday), capitals),
            'b' | 'h' => text(short(name(&MONTHS, civil.month - 1)), capitals),
            'B' => text(name(&MONTHS, civil.month - 1), capitals),
            'c' => self.part("%a %b %e %H:%M:%S %Y", flags),
            'D' | 'x' => self.part("%m/%d/%y", flags),
            'R' => self.part("%H:%M", flags),
            'T' | 'X' => self.part("%H:%M:%S", flags),
            'r' => self.part("%I:%M:%S %p", flags),
            'F' => self.iso_date(flags),
            'C' => self.yearish(civil.year.div_euclid(100), 2, flags),
            'd' => number(civil.day, 2, '0', flags),
            'e' => number(civil.day, 2, '_', flags),
            'g' => number(civil.iso_week().0.rem_euclid(100), 2, '0', flags),
            'G' => self.yearish(civil.iso_week().0, 4, flags),
            'H' => number(civil.hour, 2, '0', flags),
            'I' => number(hour12, 2, '0', flags),
            'k' => number(civil.hour, 2, '_', flags),
            'l' => number(hour12, 2, '_', flags),
            'j' => number(civil.year_day() + 1, 3, '0', flags),
            'm' => number(civil.month, 2, '0', flags),
            'M' => number(civil.minute, 2, '0', flags),
            'N' => self.fraction(flags),
            'p' | 'P' => {
                let half = if civil.hour < 12 { "AM" } else { "PM" };
                if letter == 'P' || flags.swaps_case {
                    text(
                        &half.to_ascii_lowercase(),
                        Flags {
                            to_upper: false,
                            ..flags
                        },
                    )
                } else {
                    text(half, flags)
                }
            }
            'q' => number((civil.month - 1) / 3 + 1, 1, '0', flags),
            's' => number(self.seconds, 1, '0', flags),
            'S' => number(civil.second, 2, '0', flags),
            'u' => number((weekday + 6) % 7 + 1, 1, '0', flags),
            'w' => number(weekday, 1, '0', flags),
            'U' => number((civil.year_day() - weekday + 7) / 7, 2, '0', flags),
            'W' => number(
                (civil.year_day() - (weekday + 6) % 7 + 7) / 7,
                2,
                '0',
                flags,
            ),
            'V' => number(civil.iso_week().1, 2, '0', flags),
            'y' => self.yearish(civil.year.rem_euclid(100), 2, flags),
            'Y' => self.yearish(civil.year, 4, flags),
            'z' => self.offset(colons, flags),
            'Z' if flags.swaps_case => text(
                &self.local.abbreviation.to_ascii_lowercase(),
                Flags {
                    to_upper: false,
                    ..flags
                },
            ),
            'Z' => text(&self.local.abbreviation, flags),
            _ => return None,
        })
    }

    /// Shows a format within the width of one directive.
    fn part(&self, pattern: &str, flags: Flags) -> String {
        text(
            &self.format(pattern, flags.to_upper),
            Flags {
                to_upper: false,
                ..flags
            },
        )
    }

    /// `%F`: its flags and what its width leaves are those of the year.
    fn iso_date(&self, flags: Flags) -> String {
        let year = if flags.pad.is_none() && flags.width.is_none() {
            Flags {
                pad: Some('+'),
                width: Some(4),
                ..Flags::default()
            }
        } else {
            Flags {
                pad: flags.pad,
                width: flags.width.map(|width| width.saturating_sub(6)),
                ..Flags::default()
            }
        };
        let inner = Shown { year, ..*self };
        text(&inner.format("%Y-%m-%d", false), flags)
    }

    fn yearish(&self, value: i64, digits: usize, flags: Flags) -> String {
        let mut flags = flags;
        if flags.pad.is_none() && flags.width.is_none() && digits == 4 {
            (flags.pad, flags.width) = (self.year.pad, self.year.width);
        }
        let limit = if digits == 2 { 99 } else { 9999 };
        let has_sign = flags.pad == Some('+')
            && (value > limit || flags.width.is_some_and(|width| digits < width));
        signed(
            value < 0,
            &value.unsigned_abs().to_string(),
            digits,
            '0',
            has_sign,
            flags,
        )
    }

    fn fraction(&self, flags: Flags) -> String {
        let width = flags.width.filter(|width| *width > 0).unwrap_or(9);
        if flags.pad == Some('-') && flags.width.is_none() {
            // All digits that a clock has.
            return format!("{:09}", self.nanoseconds);
        }
        let all = format!("{:09}", self.nanoseconds);
        let kept = all.get(..width.min(9)).unwrap_or(&all);
        let significant = kept.trim_end_matches('0');
        let significant = if significant.is_empty() {
            kept.get(..1).unwrap_or_default()
        } else {
            significant
        };
        let mut out = significant.to_owned();
        let missing = width.saturating_sub(significant.len());
        match flags.pad {
            Some('-') => {}
            Some('_') => out.extend(std::iter::repeat_n(' ', missing)),
            _ => out.extend(std::iter::repeat_n('0', missing)),
        }
        out
    }

    fn offset(&self, colons: usize, flags: Flags) -> String {
        let offset = self.local.offset;
        let is_negative = offset < 0 || (offset == 0 && self.local.abbreviation.starts_with('-'));
        let offset = offset.abs();
        let (hours, minutes, seconds) = (offset / 3600, offset / 60 % 60, offset % 60);
        let mut digits = String::new();
        let (number, width) = match (colons, minutes, seconds) {
            (0, ..) => ((hours * 100 + minutes).to_string(), 5),
            (3, 0, 0) => (hours.to_string(), 3),
            (1, ..) | (3, _, 0) => {
                // Writing to a String cannot fail.
                let _ = write!(digits, "{hours}:{minutes:02}");
                (digits, 6)
            }
            _ => {
                let _ = write!(digits, "{hours}:{minutes:02}:{seconds:02}");
                (digits, 9)
            }
        };
        signed(is_negative, &number, width, '0', true, flags)
    }
}

/// More columns than any directive is given.
const WIDTH_MAX: usize = 65_536;

/// Returns whether a directive has the modifier `E` or `O`, which mean nothing in this locale.
fn takes(letter: char, modifier: char) -> bool {
    match modifier {
        'E' => matches!(letter, 'c' | 'C' | 'x' | 'X' | 'y' | 'Y'),
        _ => matches!(
            letter,
            'b' | 'B'
                | 'h'
                | 'd'
                | 'e'
                | 'g'
                | 'G'
                | 'H'
                | 'I'
                | 'j'
                | 'k'
                | 'l'
                | 'm'
                | 'M'
                | 'N'
                | 'S'
                | 'u'
                | 'U'
                | 'V'
                | 'w'
                | 'W'
                | 'y'
                | 'C'
        ),
    }
}

fn text(shown: &str, flags: Flags) -> String {
    let mut out = String::new();
    let width = match flags.pad {
        Some('-') => 0,
        _ => flags.width.unwrap_or(0),
    };
    let fill = if matches!(flags.pad, Some('0' | '+')) {
        '0'
    } else {
        ' '
    };
    out.extend(std::iter::repeat_n(fill, width.saturating_sub(shown.len())));
    if flags.to_upper {
        out.push_str(&shown.to_uppercase());
    } else {
        out.push_str(shown);
    }
    out
}

fn number(value: i64, digits: usize, pad: char, flags: Flags) -> String {
    signed(
        value < 0,
        &value.unsigned_abs().to_string(),
        digits,
        pad,
        false,
        flags,
    )
}

fn signed(
    is_negative: bool,
    number: &str,
    digits: usize,
    pad: char,
    shows_plus: bool,
    flags: Flags,
) -> String {
    let pad = flags.pad.unwrap_or(pad);
    let sign = match (is_negative, shows_plus) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) => "",
    };
    let width = flags.width.unwrap_or(digits);
    let missing = match pad {
        '-' => 0,
        _ => width.saturating_sub(number.len() + sign.len()),
    };
    if pad == '_' {
        format!("{}{sign}{number}", " ".repeat(missing))
    } else {
        format!("{sign}{}{number}", "0".repeat(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_as_gnu() {
        let cases = [
            ("%F %T.%N", "2001-02-03 04:05:06.070000000"),
            ("%-d|%_m|%05H|%k|%l|%-I", "3| 2|00004| 4| 4|4"),
            ("%3N|%-N|%_4N|%12N", "070|070000000|07  |070000000000"),
            (
                "%^a|%#Z|%#p|%P|%10a|%010b",
                "SAT|utc|am|am|       Sat|0000000Feb",
            ),
            (
                "%z|%:z|%::z|%:::z|%_z|%8:z",
                "+0000|+00:00|+00:00:00|+00|   +0|+0000:00",
            ),
            ("%G-W%V-%u %U %W %j %q", "2001-W05-6 04 05 034 1"),
            ("%C %y %g %+5Y %10F", "20 01 01 +2001 2001-02-03"),
            ("%Ey %Ed %Q %", "01 %Ed %Q %"),
            ("%s %c", "981173106 Sat Feb  3 04:05:06 2001"),
        ];
        let zone = Zone::utc();
        for (pattern, expected) in cases {
            let shown = format(pattern, &zone, (981_173_106, 70_000_000));
            assert_eq!(shown, expected, "{pattern}");
        }
    }
}
