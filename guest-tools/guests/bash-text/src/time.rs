//! Points in time as text: `strftime` for `printf '%(...)T'` and `\D{...}`, in any time zone.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

const DAYS: [&str; 7] = [
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

/// Writes `seconds` since 1970 as `format` says.
///
/// `zone` is the value of TZ; unset, empty or unknown means UTC. The database of time zones is built in. A
/// time outside the years -9999 to 9999 writes its number of seconds instead.
pub fn write(format: &[u8], seconds: i64, zone: Option<&[u8]>, output: &mut Vec<u8>) {
    match Timestamp::from_second(seconds) {
        Ok(time) => Writer {
            time: time.to_zoned(time_zone(zone)),
            output,
        }
        .format(format, 0),
        Err(_) => output.extend_from_slice(seconds.to_string().as_bytes()),
    }
}

/// Returns the zone that a value of TZ names, in the database or by a POSIX rule.
fn time_zone(zone: Option<&[u8]>) -> TimeZone {
    let name = zone
        .and_then(|zone| std::str::from_utf8(zone).ok())
        .unwrap_or_default();
    let name = name.strip_prefix(':').unwrap_or(name);
    if name.is_empty() {
        return TimeZone::UTC;
    }
    jiff::tz::db()
        .get(name)
        .or_else(|_| TimeZone::posix(name))
        .unwrap_or(TimeZone::UTC)
}

/// Bounds conversions that stand for others.
const DEPTH_MAX: usize = 4;

struct Writer<'a> {
    time: Zoned,
    output: &'a mut Vec<u8>,
}

/// The flags and width of a conversion.
#[derive(Clone, Copy, Default)]
struct Shape {
    /// `_`, `-`, `0`: how to pad.
    padding: Option<u8>,
    /// `^` or `#`: the letters' case.
    case: Option<u8>,
    width: usize,
}

impl Writer<'_> {
    fn format(&mut self, format: &[u8], depth: usize) {
        let mut rest = format;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if *byte != b'%' {
                self.output.push(*byte);
                continue;
            }
            let start = rest;
            let mut shape = Shape::default();
            while let Some((flag @ (b'_' | b'-' | b'0' | b'^' | b'#' | b'+'), after)) =
                rest.split_first()
            {
                match flag {
                    b'^' | b'#' => shape.case = Some(*flag),
                    _ => shape.padding = Some(*flag),
                }
                rest = after;
            }
            while let Some((digit @ b'0'..=b'9', after)) = rest.split_first() {
                shape.width = (shape.width * 10 + usize::from(digit - b'0')).min(1000);
                rest = after;
            }
            while let Some((b'E' | b'O', after)) = rest.split_first() {
                rest = after;
            }
            match rest.split_first() {
                Some((letter, after)) if self.conversion(*letter, shape, depth) => rest = after,
                _ => {
                    // What is no conversion is written as it stands.
                    self.output.push(b'%');
                    rest = start;
                }
            }
        }
    }

    /// Writes one conversion; returns false when there is none of that letter.
    fn conversion(&mut self, letter: u8, shape: Shape, depth: usize) -> bool {
        let time = &self.time;
        let year = i64::from(time.year());
        let weekday = i64::from(time.weekday().to_sunday_zero_offset());
        let day_of_year = i64::from(time.day_of_year());
        let hour = i64::from(time.hour());
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let number = |value: i64, width: usize, padding: u8| (value, width, padding);
        let (value, width, padding) = match letter {
            b'C' => number(year.div_euclid(100), 2, b'0'),
            b'd' => number(i64::from(time.day()), 2, b'0'),
            b'e' => number(i64::from(time.day()), 2, b' '),
            b'g' => number(
                i64::from(time.date().iso_week_date().year()).rem_euclid(100),
                2,
                b'0',
            ),
            b'G' => number(i64::from(time.date().iso_week_date().year()), 1, b'0'),
            b'H' => number(hour, 2, b'0'),
            b'I' => number(twelve, 2, b'0'),
            b'j' => number(day_of_year, 3, b'0'),
            b'k' => number(hour, 2, b' '),
            b'l' => number(twelve, 2, b' '),
            b'm' => number(i64::from(time.month()), 2, b'0'),
            b'M' => number(i64::from(time.minute()), 2, b'0'),
            b's' => number(time.timestamp().as_second(), 1, b'0'),
            b'S' => number(i64::from(time.second()), 2, b'0'),
            b'u' => number(if weekday == 0 { 7 } else { weekday }, 1, b'0'),
            b'U' => number((day_of_year + 6 - weekday) / 7, 2, b'0'),
            b'V' => number(i64::from(time.date().iso_week_date().week()), 2, b'0'),
            b'w' => number(weekday, 1, b'0'),
            b'W' => number((day_of_year + 6 - (weekday + 6) % 7) / 7, 2, b'0'),
            b'y' => number(year.rem_euclid(100), 2, b'0'),
            b'Y' => number(year, 1, b'0'),
            letter => return self.text(letter, shape, depth),
        };
        let width = if shape.padding == Some(b'-') {
            1
        } else {
            shape.width.max(width)
        };
        let text = match (shape.padding, padding) {
            (Some(b'_'), _) | (None, b' ') => format!("{value:width$}"),
            _ => format!("{value:0width$}"),
        };
        self.output.extend_from_slice(text.as_bytes());
        true
    }

    fn text(&mut self, letter: u8, shape: Shape, depth: usize) -> bool {
        let weekday =
            usize::try_from(self.time.weekday().to_sunday_zero_offset()).unwrap_or_default();
        let month = usize::try_from(self.time.month())
            .unwrap_or(1)
            .saturating_sub(1);
        let name = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or_default();
        let short = |name: &'static str| name.get(..3).unwrap_or(name);
        let text: String = match letter {
            b'a' => short(name(&DAYS, weekday)).to_owned(),
            b'A' => name(&DAYS, weekday).to_owned(),
            b'b' | b'h' => short(name(&MONTHS, month)).to_owned(),
            b'B' => name(&MONTHS, month).to_owned(),
            b'p' => if self.time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
            b'P' => if self.time.hour() < 12 { "am" } else { "pm" }.to_owned(),
            b'n' => "\n".to_owned(),
            b't' => "\t".to_owned(),
            b'%' => "%".to_owned(),
            b'z' => {
                let minutes = self.time.offset().seconds() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
            b'Z' => {
                let zone = self.time.time_zone();
                zone.to_offset_info(self.time.timestamp())
                    .abbreviation()
                    .to_owned()
            }
            letter => return self.compound(letter, shape, depth),
        };
        let text = match (shape.case, letter) {
            (Some(b'#'), b'p' | b'Z') => text.to_lowercase(),
            (Some(_), _) => text.to_uppercase(),
            (None, _) => text,
        };
        let padding = if shape.padding == Some(b'0') {
            "0"
        } else {
            " "
        };
        let missing = shape.width.saturating_sub(text.len());
        self.output
            .extend_from_slice(padding.repeat(missing).as_bytes());
        self.output.extend_from_slice(text.as_bytes());
        true
    }

    /// Conversions that stand for others.
    fn compound(&mut self, letter: u8, shape: Shape, depth: usize) -> bool {
        let format: &[u8] = match letter {
            b'c' => b"%a %b %e %H:%M:%S %Y",
            b'D' | b'x' => b"%m/%d/%y",
            b'F' => b"%Y-%m-%d",
            b'r' => b"%I:%M:%S %p",
            b'R' => b"%H:%M",
            b'T' | b'X' => b"%H:%M:%S",
            b'+' => b"%a %b %e %H:%M:%S %Z %Y",
            _ => return false,
        };
        if depth >= DEPTH_MAX {
            return false;
        }
        let start = self.output.len();
        self.format(format, depth + 1);
        if shape.case == Some(b'^') {
            self.output
                .get_mut(start..)
                .unwrap_or_default()
                .make_ascii_uppercase();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        for (format, seconds, zone, expected) in [
            ("%F %T %z %Z", 0, None, "1970-01-01 00:00:00 +0000 UTC"),
            (
                "%c|%D|%r|%j|%U|%W|%V|%G|%u|%e|%k|%l",
                1_700_000_000,
                None,
                "Tue Nov 14 22:13:20 2023|11/14/23|10:13:20 PM|318|46|46|46|2023|2|14|22|10",
            ),
            (
                "%H %Z %z",
                1_700_000_000,
                Some("America/New_York"),
                "17 EST -0500",
            ),
            (
                "%H %Z",
                1_690_000_000,
                Some("CET-1CEST,M3.5.0,M10.5.0/3"),
                "06 CEST",
            ),
            ("%^a %-d %_m %5Y %Q %%", 0, None, "THU 1  1 01970 %Q %"),
        ] {
            let mut output = Vec::new();
            write(
                format.as_bytes(),
                seconds,
                zone.map(str::as_bytes),
                &mut output,
            );
            assert_eq!(bstr::BString::from(output), expected, "{format}");
        }
    }
}
