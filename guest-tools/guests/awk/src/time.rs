//! Dates: `strftime` and `mktime` in the proleptic Gregorian calendar.
//!
//! The hand has no time zone data: local time is UTC, or what a `TZ` of the form `NAME±hours` says, without
//! daylight saving.

/// The longest result of one conversion is short, so nothing here is bounded further.
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

/// A moment in the calendar.
struct Date {
    year: i64,
    /// From 1.
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// From Sunday, 0.
    weekday: i64,
    /// From 0.
    yearday: i64,
}

/// Returns the days from 1970 to a day of the calendar.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn date_of(seconds: i64) -> Date {
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date {
        year,
        month,
        day,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
        weekday: (days + 4).rem_euclid(7),
        yearday: days - days_to(year, 1, 1),
    }
}

/// Returns the name and offset of local time.
fn zone() -> (String, i64) {
    let text = std::env::var("TZ").unwrap_or_default();
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, rest) = text.split_at_checked(letters).unwrap_or(("", ""));
    let (sign, digits) = match rest.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (-1, rest.strip_prefix('+').unwrap_or(rest)),
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    match (
        name.len() >= 3,
        hours.parse::<i64>(),
        minutes.parse::<i64>(),
    ) {
        (true, Ok(hours), Ok(minutes)) => (name.to_owned(), sign * (hours * 3600 + minutes * 60)),
        _ => ("UTC".to_owned(), 0),
    }
}

/// Returns the seconds of `YYYY MM DD HH MM SS [DST]`, -1 if it is none.
pub fn seconds(text: &str, is_utc: bool) -> f64 {
    let mut numbers = Vec::new();
    for part in text.split_whitespace().take(7) {
        match part.parse::<i64>() {
            Ok(number) if number.abs() < 1_000_000_000_000 => numbers.push(number),
            _ => break,
        }
    }
    let [year, month, day, hour, minute, second, ..] = *numbers.as_slice() else {
        return -1.0;
    };
    let months = year.saturating_mul(12) + month - 1;
    let days = days_to(months.div_euclid(12), months.rem_euclid(12) + 1, 1) + day - 1;
    let offset = if is_utc { 0 } else { zone().1 };
    (days * 86_400 + hour * 3600 + minute * 60 + second - offset) as f64
}

/// Formats a moment.
pub fn format(pattern: &[u8], seconds: i64, is_utc: bool) -> Vec<u8> {
    let (name, offset) = if is_utc {
        ("GMT".to_owned(), 0)
    } else {
        zone()
    };
    let date = date_of(seconds.saturating_add(offset));
    let mut into = Vec::with_capacity(pattern.len() * 2);
    append(pattern, &date, seconds, (&name, offset), &mut into);
    into
}

fn append(pattern: &[u8], date: &Date, seconds: i64, zone: (&str, i64), into: &mut Vec<u8>) {
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            into.push(*byte);
            continue;
        }
        let mut letter = bytes.next().copied();
        // Flags of glibc: `-` no padding, `_` blanks, `0` zeros, `^` upper case; `E` and `O` change nothing here.
        let mut flag = None;
        while let Some(found @ (b'-' | b'_' | b'0' | b'^' | b'#' | b'E' | b'O')) = letter {
            if !matches!(found, b'E' | b'O') {
                flag = Some(found);
            }
            letter = bytes.next().copied();
        }
        let Some(letter) = letter else {
            into.push(b'%');
            return;
        };
        let start = into.len();
        convert(letter, flag, date, seconds, zone, into);
        if flag == Some(b'^') {
            into.iter_mut()
                .skip(start)
                .for_each(|byte| byte.make_ascii_uppercase());
        }
    }
}

fn convert(
    letter: u8,
    flag: Option<u8>,
    date: &Date,
    seconds: i64,
    zone: (&str, i64),
    into: &mut Vec<u8>,
) {
    let mut padded = |number: i64, width: usize, fill: char| {
        let fill = match flag {
            Some(b'-') => None,
            Some(b'_') => Some(' '),
            Some(b'0') => Some('0'),
            _ => Some(fill),
        };
        let text = match fill {
            None => number.to_string(),
            Some(' ') => format!("{number:width$}"),
            Some(_) => format!("{number:0width$}"),
        };
        into.extend_from_slice(text.as_bytes());
    };
    let name = |names: &[&'static str], place: i64| -> &'static str {
        usize::try_from(place)
            .ok()
            .and_then(|place| names.get(place))
            .copied()
            .unwrap_or("?")
    };
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    let twelve = |hour: i64| if hour % 12 == 0 { 12 } else { hour % 12 };
    let (iso_year, iso_week) = iso_week(date);
    match letter {
        b'C' => padded(date.year.div_euclid(100), 2, '0'),
        b'd' => padded(date.day, 2, '0'),
        b'e' => padded(date.day, 2, ' '),
        b'G' => padded(iso_year, 1, '0'),
        b'g' => padded(iso_year.rem_euclid(100), 2, '0'),
        b'H' => padded(date.hour, 2, '0'),
        b'I' => padded(twelve(date.hour), 2, '0'),
        b'j' => padded(date.yearday + 1, 3, '0'),
        b'k' => padded(date.hour, 2, ' '),
        b'l' => padded(twelve(date.hour), 2, ' '),
        b'M' => padded(date.minute, 2, '0'),
        b'm' => padded(date.month, 2, '0'),
        b'S' => padded(date.second, 2, '0'),
        b's' => padded(seconds, 1, '0'),
        b'U' => padded((date.yearday + 7 - date.weekday) / 7, 2, '0'),
        b'u' => padded(if date.weekday == 0 { 7 } else { date.weekday }, 1, '0'),
        b'V' => padded(iso_week, 2, '0'),
        b'W' => padded((date.yearday + 7 - (date.weekday + 6) % 7) / 7, 2, '0'),
        b'w' => padded(date.weekday, 1, '0'),
        b'Y' => padded(date.year, 1, '0'),
        b'y' => padded(date.year.rem_euclid(100), 2, '0'),
        b'A' => into.extend_from_slice(name(&DAYS, date.weekday).as_bytes()),
        b'a' => into.extend_from_slice(short(name(&DAYS, date.weekday)).as_bytes()),
        b'B' => into.extend_from_slice(name(&MONTHS, date.month - 1).as_bytes()),
        b'b' | b'h' => into.extend_from_slice(short(name(&MONTHS, date.month - 1)).as_bytes()),
        b'p' => into.extend_from_slice(if date.hour < 12 { b"AM" } else { b"PM" }),
        b'P' => into.extend_from_slice(if date.hour < 12 { b"am" } else { b"pm" }),
        b'n' => into.push(b'\n'),
        b't' => into.push(b'\t'),
        b'%' => into.push(b'%'),
        b'Z' => into.extend_from_slice(zone.0.as_bytes()),
        b'z' => {
            let sign = if zone.1 < 0 { '-' } else { '+' };
            let minutes = zone.1.abs() / 60;
            into.extend_from_slice(
                format!("{sign}{:02}{:02}", minutes / 60, minutes % 60).as_bytes(),
            );
        }
        b'c' => append(b"%a %b %e %H:%M:%S %Y", date, seconds, zone, into),
        b'D' | b'x' => append(b"%m/%d/%y", date, seconds, zone, into),
        b'F' => append(b"%Y-%m-%d", date, seconds, zone, into),
        b'R' => append(b"%H:%M", date, seconds, zone, into),
        b'r' => append(b"%I:%M:%S %p", date, seconds, zone, into),
        b'T' | b'X' => append(b"%H:%M:%S", date, seconds, zone, into),
        other => into.extend_from_slice(&[b'%', other]),
    }
}

/// Returns year and week of ISO 8601.
fn iso_week(date: &Date) -> (i64, i64) {
    let monday_based = (date.weekday + 6) % 7;
    // The week belongs to the year of its Thursday.
    let thursday = days_to(date.year, 1, 1) + date.yearday - monday_based + 3;
    let year = date_of(thursday * 86_400).year;
    (year, (thursday - days_to(year, 1, 1)) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_formatted_and_read() {
        let cases = [
            (
                "%Y-%m-%d %H:%M:%S %j %U %W %V %G %u %w",
                3_888_000,
                "1970-02-15 00:00:00 046 07 06 07 1970 7 0",
            ),
            (
                "%a %A %b %B %e %-d %I %p",
                1_704_067_199,
                "Sun Sunday Dec December 31 31 11 PM",
            ),
            ("%G-%V %y %C", 1_609_459_200, "2020-53 21 20"),
            (
                "%c|%D|%T|%s",
                951_782_400,
                "Tue Feb 29 00:00:00 2000|02/29/00|00:00:00|951782400",
            ),
        ];
        for (pattern, moment, expected) in cases {
            assert_eq!(
                String::from_utf8(format(pattern.as_bytes(), moment, true)).unwrap(),
                expected
            );
        }
        assert_eq!(seconds("2020 1 1 0 0 0", true), 1_577_836_800.0);
        assert_eq!(seconds("2020 13 1 0 0 0", true), 1_609_459_200.0);
        assert_eq!(seconds("1969 12 31 23 59 59", true), -1.0);
        assert_eq!(seconds("x", true), -1.0);
    }
}
