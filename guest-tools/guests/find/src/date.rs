//! Dates: the conversions of `-printf`, and the times that `-newermt` understands. All in UTC.

use process::Moment;

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
pub struct Date {
    /// The year.
    pub year: i64,
    /// From 1.
    pub month: i64,
    /// From 1.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    weekday: i64,
    yearday: i64,
}

/// Returns the days from 1970 to a day of the calendar.
pub fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl Date {
    /// Returns the date of a number of seconds since 1970.
    pub fn of(seconds: i64) -> Self {
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
        Self {
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

    /// Returns the name of its month, three letters.
    pub fn month_name(&self) -> &'static str {
        short(name(&MONTHS, self.month - 1))
    }

    /// Returns the name of its day of the week, three letters.
    pub fn day_name(&self) -> &'static str {
        short(name(&DAYS, self.weekday))
    }
}

fn name(names: &[&'static str], place: i64) -> &'static str {
    usize::try_from(place)
        .ok()
        .and_then(|place| names.get(place))
        .copied()
        .unwrap_or("?")
}

fn short(name: &'static str) -> &'static str {
    name.get(..3).unwrap_or(name)
}

/// Returns one conversion of `%A`, `%C` or `%T`; none if there is no such letter.
pub fn convert(letter: char, moment: Moment) -> Option<String> {
    let date = Date::of(moment.seconds);
    // GNU shows the nanoseconds with a tenth digit.
    let fraction = format!("{:09}0", moment.nanoseconds);
    let twelve = if date.hour % 12 == 0 {
        12
    } else {
        date.hour % 12
    };
    let time = format!("{:02}:{:02}:{:02}", date.hour, date.minute, date.second);
    let monday_based = (date.weekday + 6) % 7;
    let half = if date.hour < 12 { "AM" } else { "PM" };
    Some(match letter {
        '@' => format!("{}.{fraction}", moment.seconds),
        '+' => format!(
            "{:04}-{:02}-{:02}+{time}.{fraction}",
            date.year, date.month, date.day
        ),
        'a' => date.day_name().to_owned(),
        'A' => name(&DAYS, date.weekday).to_owned(),
        'b' | 'h' => date.month_name().to_owned(),
        'B' => name(&MONTHS, date.month - 1).to_owned(),
        'c' => format!(
            "{} {} {:2} {time} {}",
            date.day_name(),
            date.month_name(),
            date.day,
            date.year
        ),
        'C' => format!("{:02}", date.year.div_euclid(100)),
        'd' => format!("{:02}", date.day),
        'D' | 'x' => format!(
            "{:02}/{:02}/{:02}",
            date.month,
            date.day,
            date.year.rem_euclid(100)
        ),
        'e' => format!("{:2}", date.day),
        'F' => format!("{}-{:02}-{:02}", date.year, date.month, date.day),
        'g' | 'G' | 'V' => {
            let thursday = days_to(date.year, 1, 1) + date.yearday - monday_based + 3;
            let year = Date::of(thursday * 86_400).year;
            match letter {
                'g' => format!("{:02}", year.rem_euclid(100)),
                'G' => year.to_string(),
                _ => format!("{:02}", (thursday - days_to(year, 1, 1)) / 7 + 1),
            }
        }
        'H' => format!("{:02}", date.hour),
        'I' => format!("{twelve:02}"),
        'j' => format!("{:03}", date.yearday + 1),
        'k' => format!("{:2}", date.hour),
        'l' => format!("{twelve:2}"),
        'm' => format!("{:02}", date.month),
        'M' => format!("{:02}", date.minute),
        'n' => "\n".to_owned(),
        'p' => half.to_owned(),
        'r' => format!("{twelve:02}:{:02}:{:02} {half}", date.minute, date.second),
        'R' => format!("{:02}:{:02}", date.hour, date.minute),
        's' => moment.seconds.to_string(),
        'S' => format!("{:02}.{fraction}", date.second),
        't' => "\t".to_owned(),
        'T' | 'X' => format!("{time}.{fraction}"),
        'u' => (monday_based + 1).to_string(),
        'U' => format!("{:02}", (date.yearday + 7 - date.weekday) / 7),
        'w' => date.weekday.to_string(),
        'W' => format!("{:02}", (date.yearday + 7 - monday_based) / 7),
        'y' => format!("{:02}", date.year.rem_euclid(100)),
        'Y' => date.year.to_string(),
        'z' => "+0000".to_owned(),
        'Z' => "UTC".to_owned(),
        _ => return None,
    })
}

/// Returns `Tue Nov 14 22:13:20.1234567890 2023`, the form of `%a`, `%c` and `%t`.
pub fn full(moment: Moment) -> String {
    let date = Date::of(moment.seconds);
    format!(
        "{} {} {:2} {:02}:{:02}:{:02}.{:09}0 {}",
        date.day_name(),
        date.month_name(),
        date.day,
        date.hour,
        date.minute,
        date.second,
        moment.nanoseconds,
        date.year
    )
}

/// Reads a date as people write it; `now` in nanoseconds since 1970. None if it is not understood.
pub fn read(text: &str, now: i128) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return decimal(seconds);
    }
    let mut at = now;
    let mut date: Option<i64> = None;
    let mut clock: Option<i128> = None;
    let mut offset: i128 = 0;
    let joined = match text.split_once('T') {
        // `2024-01-01T12:00:00`
        Some((day, time)) if day.ends_with(|last: char| last.is_ascii_digit()) => {
            format!("{day} {time}")
        }
        _ => text.to_owned(),
    };
    let mut words = joined.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "now" | "today" => {}
            "yesterday" => at -= 86_400 * SECOND,
            "tomorrow" => at += 86_400 * SECOND,
            "utc" | "gmt" | "z" => offset = 0,
            _ => {
                if let Some(day) = calendar_day(word) {
                    date = Some(day);
                } else if let Some((time, zone)) = clock_time(word) {
                    clock = Some(time);
                    offset = zone;
                } else {
                    let (count, unit) = match lower.as_str() {
                        "last" => (-1, words.next()?.to_ascii_lowercase()),
                        "next" => (1, words.next()?.to_ascii_lowercase()),
                        number => match number.parse::<i128>() {
                            Ok(count) => (count, words.next()?.to_ascii_lowercase()),
                            Err(_) => return None,
                        },
                    };
                    let is_ago = words
                        .peek()
                        .is_some_and(|word| word.eq_ignore_ascii_case("ago"));
                    if is_ago {
                        words.next();
                    }
                    at = moved(at, if is_ago { -count } else { count }, &unit)?;
                }
            }
        }
    }
    let Some(day) = date else {
        return Some(match clock {
            Some(time) => at.div_euclid(86_400 * SECOND) * 86_400 * SECOND + time - offset,
            None => at,
        });
    };
    Some(i128::from(day) * 86_400 * SECOND + clock.unwrap_or(0) - offset + (at - now))
}

fn moved(at: i128, count: i128, unit: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    let seconds = match unit.trim_end_matches('s') {
        "sec" | "second" => 1,
        "min" | "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        "fortnight" => 14 * 86_400,
        unit @ ("month" | "year") => {
            let count = i64::try_from(count).ok()?;
            let whole = i64::try_from(at.div_euclid(SECOND)).ok()?;
            let date = Date::of(whole);
            let months = date.year * 12 + date.month - 1
                + count.checked_mul(if unit == "year" { 12 } else { 1 })?;
            let days = days_to(months.div_euclid(12), months.rem_euclid(12) + 1, 1) + date.day - 1;
            let rest = at - i128::from(whole.div_euclid(86_400)) * 86_400 * SECOND;
            return Some(i128::from(days) * 86_400 * SECOND + rest);
        }
        _ => return None,
    };
    Some(at + count * seconds * SECOND)
}

fn calendar_day(word: &str) -> Option<i64> {
    let (first, rest) = word.split_once(['-', '/'])?;
    let (second, third) = rest.split_once(['-', '/'])?;
    let numbers = (
        first.parse::<i64>().ok()?,
        second.parse::<i64>().ok()?,
        third.parse::<i64>().ok()?,
    );
    // 2024-01-31, 2024/01/31 or 01/31/2024.
    let (year, month, day) = if first.len() >= 3 || word.contains('-') {
        numbers
    } else {
        (numbers.2, numbers.0, numbers.1)
    };
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| days_to(year, month, day))
}

/// Reads `HH:MM[:SS[.fraction]][Z|+HH:MM]`: the time of day and the offset, in nanoseconds.
fn clock_time(word: &str) -> Option<(i128, i128)> {
    const SECOND: i128 = 1_000_000_000;
    let (time, offset) = match word.find(['Z', 'z', '+', '-']) {
        Some(at) => {
            let (time, zone) = word.split_at_checked(at)?;
            let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
            let number: i128 = if digits.is_empty() {
                0
            } else {
                digits.parse().ok()?
            };
            let minutes = if digits.len() > 2 {
                number / 100 * 60 + number % 100
            } else {
                number * 60
            };
            (
                time,
                if zone.starts_with('-') {
                    -minutes
                } else {
                    minutes
                } * 60
                    * SECOND,
            )
        }
        None => (word, 0),
    };
    let mut parts = time.split(':');
    let hour: i128 = parts.next()?.parse().ok()?;
    let minute: i128 = parts.next()?.parse().ok()?;
    let second = match parts.next() {
        Some(second) => decimal(second)?,
        None => 0,
    };
    (hour < 24 && minute < 60).then_some(((hour * 60 + minute) * 60 * SECOND + second, offset))
}

/// Reads a decimal number of seconds as nanoseconds.
pub fn decimal(text: &str) -> Option<i128> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i128 = if whole.is_empty() && !fraction.is_empty() {
        0
    } else {
        whole.parse::<u64>().ok()?.into()
    };
    let mut nanoseconds: i128 = 0;
    if !fraction.is_empty() {
        let nine: String = format!("{fraction:0<9}").chars().take(9).collect();
        nanoseconds = nine.parse::<u64>().ok()?.into();
    }
    let value = whole * 1_000_000_000 + nanoseconds;
    Some(if is_negative { -value } else { value })
}
