//! Times as people write them: the language of GNU's `parse_datetime`, `date -d`.
//!
//! A text is a list of items in any order: dates, times, zones, weekdays, offsets. Each kind may stand there once,
//! offsets as often as one likes. The quirks are GNU's: `10:00 +1 hour` is ten o'clock in the zone +1, plus an hour.

use crate::words::{Token, Unit, tokens};
use crate::{Civil, Zone};

/// What a text has said so far.
#[derive(Debug)]
struct Said {
    dates: usize,
    days: usize,
    times: usize,
    local_zones: usize,
    dsts: usize,
    zones: usize,
    has_offsets: bool,
    year: i64,
    year_digits: usize,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: i64,
    /// Afternoon or not, for a clock of twelve hours.
    is_pm: Option<bool>,
    day_ordinal: i64,
    weekday: i64,
    local_is_dst: bool,
    /// Minutes east of Greenwich.
    zone: i64,
    offset: Offset,
}

#[derive(Clone, Copy, Debug, Default)]
struct Offset {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: i64,
}

/// Returns the time that a text means: seconds and nanoseconds. `now` is what the text counts from, `zone` where it
/// is read, unless it begins with `TZ="..."`. Nothing if it means no time.
#[must_use]
pub fn parse(text: &str, now: (i64, u32), zone: &Zone) -> Option<(i64, u32)> {
    let text = text.trim_start_matches(|one: char| one.is_ascii_whitespace());
    if let Some(rest) = text.strip_prefix("TZ=\"") {
        let (name, rest) = quoted(rest)?;
        return items(rest, now, &Zone::named(&name));
    }
    items(text, now, zone)
}

/// Reads up to the closing quote, with `\` before what is meant as it stands.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text.char_indices();
    while let Some((place, one)) = rest.next() {
        match one {
            '"' => return Some((name, text.get(place + 1..)?)),
            '\\' => match rest.next()?.1 {
                marked @ ('\\' | '"') => name.push(marked),
                _ => return None,
            },
            one => name.push(one),
        }
    }
    None
}

fn items(text: &str, now: (i64, u32), zone: &Zone) -> Option<(i64, u32)> {
    let text = text.trim_start_matches(|one: char| one.is_ascii_whitespace());
    let text = if text.is_empty() { "0" } else { text };
    let found = tokens(text, &zone.abbreviations(now.0))?;
    if let [Token::Other('@'), number] = found.as_slice() {
        return match number {
            Token::Number { value, .. } | Token::Signed { value, .. } => Some((*value, 0)),
            Token::Decimal {
                seconds,
                nanoseconds,
                ..
            } => Some((*seconds, u32::try_from(*nanoseconds).ok()?)),
            _ => None,
        };
    }
    let local = zone.local(now.0);
    let mut said = Said::new(&local.civil, now.1);
    let mut rest = found.as_slice();
    while !rest.is_empty() {
        rest = said.item(rest)?;
    }
    said.time(&local.civil, local.is_dst, zone)
}

impl Said {
    fn new(now: &Civil, nanoseconds: u32) -> Self {
        Self {
            dates: 0,
            days: 0,
            times: 0,
            local_zones: 0,
            dsts: 0,
            zones: 0,
            has_offsets: false,
            year: now.year,
            year_digits: 0,
            month: now.month,
            day: now.day,
            hour: now.hour,
            minute: now.minute,
            second: now.second,
            nanoseconds: i64::from(nanoseconds),
            is_pm: None,
            day_ordinal: 0,
            weekday: 0,
            local_is_dst: false,
            zone: 0,
            offset: Offset::default(),
        }
    }

    /// Reads an item and returns what follows it.
    fn item<'a>(&mut self, tokens: &'a [Token]) -> Option<&'a [Token]> {
        let (first, rest) = tokens.split_first()?;
        match first {
            Token::Number { value, digits } => self.number_item(*value, *digits, rest),
            Token::Signed { .. } | Token::Decimal { .. } => {
                let rest = self.counted(tokens, true)?;
                Some(rest)
            }
            Token::Month(month) => self.month_item(*month, rest),
            Token::Day(day) => {
                self.weekday_item(0, *day);
                Some(match rest {
                    [Token::Other(','), rest @ ..] => rest,
                    rest => rest,
                })
            }
            Token::Ordinal(ordinal) => match rest {
                [Token::Day(day), rest @ ..] => {
                    self.weekday_item(*ordinal, *day);
                    Some(rest)
                }
                [Token::Unit(unit, count), rest @ ..] => {
                    self.unit(*unit, count.checked_mul(*ordinal)?, 0, rest)
                }
                _ => None,
            },
            Token::Unit(unit, count) => self.unit(*unit, *count, 0, rest),
            Token::DayShift(days) => {
                self.has_offsets = true;
                self.offset.day = self.offset.day.checked_add(*days)?;
                Some(rest)
            }
            Token::Zone(minutes, is_dst) => {
                self.zone = minutes + if *is_dst { 60 } else { 0 };
                self.zones += 1;
                if *is_dst {
                    Some(rest)
                } else {
                    self.behind_zone(rest)
                }
            }
            Token::T => {
                self.zone = -7 * 60;
                self.zones += 1;
                if matches!(rest, [Token::Signed { .. }, Token::Unit(..), ..]) {
                    return self.counted(rest, false);
                }
                Some(rest)
            }
            Token::LocalZone(is_dst) => {
                self.local_zones += 1;
                self.local_is_dst = *is_dst;
                Some(match rest {
                    [Token::Dst, rest @ ..] => {
                        self.local_is_dst = true;
                        self.dsts += 1;
                        rest
                    }
                    rest => rest,
                })
            }
            Token::J => {
                self.local_zones += 1;
                Some(rest)
            }
            Token::Am | Token::Pm | Token::Ago(_) | Token::Dst | Token::Other(_) => None,
        }
    }

    fn weekday_item(&mut self, ordinal: i64, day: i64) {
        self.days += 1;
        self.day_ordinal = ordinal;
        self.weekday = day;
    }

    /// Reads what may follow the name of a zone: an offset of it, summer time, an amount of time.
    fn behind_zone<'a>(&mut self, rest: &'a [Token]) -> Option<&'a [Token]> {
        match rest {
            [Token::Signed { .. }, Token::Unit(..), ..] => self.counted(rest, false),
            [Token::Signed { .. }, ..] => {
                let base = self.zone;
                let rest = self.zone_offset(rest)?;
                self.zones -= 1;
                self.zone += base;
                Some(rest)
            }
            [Token::Dst, rest @ ..] => {
                self.zone += 60;
                Some(rest)
            }
            rest => Some(rest),
        }
    }

    /// Reads `+hh`, `+hhmm` or `+hh:mm`, where `tokens` begins with it; else nothing.
    fn zone_offset<'a>(&mut self, tokens: &'a [Token]) -> Option<&'a [Token]> {
        let [
            Token::Signed {
                value,
                is_negative,
                digits,
            },
            rest @ ..,
        ] = tokens
        else {
            return Some(tokens);
        };
        let (minutes, rest) = match rest {
            [
                Token::Other(':'),
                Token::Number { value: minutes, .. },
                rest @ ..,
            ] => {
                let minutes = if *is_negative { -minutes } else { *minutes };
                (value.checked_mul(60)?.checked_add(minutes)?, rest)
            }
            [Token::Other(':'), ..] => return None,
            rest => {
                let value = if *digits <= 2 { value * 100 } else { *value };
                ((value / 100) * 60 + value % 100, rest)
            }
        };
        if minutes.abs() > 24 * 60 {
            return None;
        }
        self.zone = minutes;
        self.zones += 1;
        Some(rest)
    }

    fn month_item<'a>(&mut self, month: i64, rest: &'a [Token]) -> Option<&'a [Token]> {
        self.dates += 1;
        self.month = month;
        match rest {
            [
                Token::Signed { value: day, .. },
                Token::Signed {
                    value: year,
                    digits,
                    ..
                },
                rest @ ..,
            ] => {
                self.day = -day;
                self.set_year(-year, *digits);
                Some(rest)
            }
            [
                Token::Number { value: day, .. },
                Token::Other(','),
                Token::Number {
                    value: year,
                    digits,
                },
                rest @ ..,
            ] => {
                self.day = *day;
                self.set_year(*year, *digits);
                Some(rest)
            }
            [Token::Number { .. }, Token::Other(','), ..] => None,
            [Token::Number { value: day, .. }, rest @ ..] => {
                self.day = *day;
                Some(rest)
            }
            _ => None,
        }
    }

    fn set_year(&mut self, year: i64, digits: usize) {
        self.year = year;
        self.year_digits = digits;
    }

    /// Reads what begins with a number.
    fn number_item<'a>(
        &mut self,
        value: i64,
        digits: usize,
        rest: &'a [Token],
    ) -> Option<&'a [Token]> {
        match rest {
            [Token::Am | Token::Pm, after @ ..] => {
                self.set_time(value, 0, 0, 0, rest.first());
                Some(after)
            }
            [
                Token::Other(':'),
                Token::Number { value: minute, .. },
                rest @ ..,
            ] => self.clock(value, *minute, rest),
            [
                Token::Other('/'),
                Token::Number { value: second, .. },
                rest @ ..,
            ] => self.slashes((value, digits), *second, rest),
            [Token::Other(':' | '/'), ..] => None,
            [Token::Day(day), rest @ ..] => {
                self.weekday_item(value, *day);
                Some(rest)
            }
            [Token::Month(month), rest @ ..] => {
                self.dates += 1;
                (self.day, self.month) = (value, *month);
                Some(match rest {
                    [
                        Token::Signed {
                            value: year,
                            digits,
                            ..
                        },
                        rest @ ..,
                    ] => {
                        self.set_year(-year, *digits);
                        rest
                    }
                    [
                        Token::Number {
                            value: year,
                            digits,
                        },
                        rest @ ..,
                    ] => {
                        self.set_year(*year, *digits);
                        rest
                    }
                    rest => rest,
                })
            }
            [
                Token::Signed { value: month, .. },
                Token::Signed { value: day, .. },
                rest @ ..,
            ] => {
                self.dates += 1;
                self.set_year(value, digits);
                (self.month, self.day) = (-month, -day);
                match rest {
                    [
                        Token::T,
                        Token::Number { value: hour, .. },
                        Token::Other(':'),
                        Token::Number { value: minute, .. },
                        rest @ ..,
                    ] => self.iso_time(*hour, *minute, rest),
                    [
                        Token::T,
                        Token::Number { value: hour, .. },
                        Token::Signed { .. },
                        ..,
                    ] => {
                        self.set_time(*hour, 0, 0, 0, None);
                        self.zone_offset(rest.get(2..)?)
                    }
                    [Token::T, ..] => None,
                    rest => Some(rest),
                }
            }
            [Token::Unit(unit, count), rest @ ..] => {
                self.unit(*unit, count.checked_mul(value)?, 0, rest)
            }
            [Token::Signed { .. }, Token::Unit(..), ..] => {
                self.digits(value, digits);
                self.counted(rest, false)
            }
            [Token::Signed { .. }, ..] => {
                self.set_time(value, 0, 0, 0, None);
                self.zone_offset(rest)
            }
            rest => {
                self.digits(value, digits);
                Some(rest)
            }
        }
    }

    fn slashes<'a>(
        &mut self,
        (first, digits): (i64, usize),
        second: i64,
        rest: &'a [Token],
    ) -> Option<&'a [Token]> {
        self.dates += 1;
        match rest {
            [
                Token::Other('/'),
                Token::Number {
                    value: third,
                    digits: third_digits,
                },
                rest @ ..,
            ] => {
                if digits >= 4 {
                    self.set_year(first, digits);
                    (self.month, self.day) = (second, *third);
                } else {
                    (self.month, self.day) = (first, second);
                    self.set_year(*third, *third_digits);
                }
                Some(rest)
            }
            [Token::Other('/'), ..] => None,
            rest => {
                (self.month, self.day) = (first, second);
                Some(rest)
            }
        }
    }

    /// Reads what follows `hour:minute`.
    fn clock<'a>(&mut self, hour: i64, minute: i64, rest: &'a [Token]) -> Option<&'a [Token]> {
        match rest {
            [half @ (Token::Am | Token::Pm), rest @ ..] => {
                self.set_time(hour, minute, 0, 0, Some(half));
                Some(rest)
            }
            [
                Token::Other(':'),
                Token::Number { value, .. },
                half @ (Token::Am | Token::Pm),
                rest @ ..,
            ] => {
                self.set_time(hour, minute, *value, 0, Some(half));
                Some(rest)
            }
            [
                Token::Other(':'),
                Token::Decimal {
                    seconds,
                    nanoseconds,
                    has_sign: false,
                },
                half @ (Token::Am | Token::Pm),
                rest @ ..,
            ] => {
                self.set_time(hour, minute, *seconds, *nanoseconds, Some(half));
                Some(rest)
            }
            rest => self.iso_time(hour, minute, rest),
        }
    }

    fn iso_time<'a>(&mut self, hour: i64, minute: i64, rest: &'a [Token]) -> Option<&'a [Token]> {
        match rest {
            [Token::Other(':'), Token::Number { value, .. }, rest @ ..] => {
                self.set_time(hour, minute, *value, 0, None);
                self.zone_offset(rest)
            }
            [
                Token::Other(':'),
                Token::Decimal {
                    seconds,
                    nanoseconds,
                    has_sign: false,
                },
                rest @ ..,
            ] => {
                self.set_time(hour, minute, *seconds, *nanoseconds, None);
                self.zone_offset(rest)
            }
            [Token::Other(':'), ..] => None,
            rest => {
                self.set_time(hour, minute, 0, 0, None);
                self.zone_offset(rest)
            }
        }
    }

    fn set_time(
        &mut self,
        hour: i64,
        minute: i64,
        second: i64,
        nanoseconds: i64,
        half: Option<&Token>,
    ) {
        self.times += 1;
        (self.hour, self.minute, self.second) = (hour, minute, second);
        self.nanoseconds = nanoseconds;
        self.is_pm = match half {
            Some(Token::Am) => Some(false),
            Some(Token::Pm) => Some(true),
            _ => None,
        };
    }

    /// Takes digits that stand alone: a year behind a date, a whole date, or a time.
    fn digits(&mut self, value: i64, digits: usize) {
        if self.dates > 0
            && self.year_digits == 0
            && !self.has_offsets
            && (self.times > 0 || digits > 2)
        {
            self.set_year(value, digits);
        } else if digits > 4 {
            self.dates += 1;
            self.day = value % 100;
            self.month = (value / 100) % 100;
            self.set_year(value / 10_000, digits - 4);
        } else if digits <= 2 {
            self.set_time(value, 0, 0, 0, None);
        } else {
            self.set_time(value / 100, value % 100, 0, 0, None);
        }
    }

    /// Reads a number with a sign or a fraction, and the unit that must follow.
    fn counted<'a>(&mut self, tokens: &'a [Token], may_be_ago: bool) -> Option<&'a [Token]> {
        let (value, nanoseconds, unit, count, rest) = match tokens {
            [
                Token::Signed { value, .. },
                Token::Unit(unit, count),
                rest @ ..,
            ] => (*value, 0, unit, count, rest),
            [
                Token::Decimal {
                    seconds,
                    nanoseconds,
                    ..
                },
                Token::Unit(unit @ Unit::Second, count),
                rest @ ..,
            ] => (*seconds, *nanoseconds, unit, count, rest),
            _ => return None,
        };
        let amount = count.checked_mul(value)?;
        if may_be_ago {
            self.unit(*unit, amount, nanoseconds, rest)
        } else {
            self.add(*unit, amount, nanoseconds)?;
            Some(rest)
        }
    }

    /// Adds an amount of time, or takes it off if `ago` follows.
    fn unit<'a>(
        &mut self,
        unit: Unit,
        amount: i64,
        nanoseconds: i64,
        rest: &'a [Token],
    ) -> Option<&'a [Token]> {
        let (sign, rest) = match rest {
            [Token::Ago(sign), rest @ ..] => (*sign, rest),
            rest => (1, rest),
        };
        self.add(unit, amount.checked_mul(sign)?, nanoseconds * sign)?;
        Some(rest)
    }

    fn add(&mut self, unit: Unit, amount: i64, nanoseconds: i64) -> Option<()> {
        self.has_offsets = true;
        let offset = &mut self.offset;
        let field = match unit {
            Unit::Year => &mut offset.year,
            Unit::Month => &mut offset.month,
            Unit::Day => &mut offset.day,
            Unit::Hour => &mut offset.hour,
            Unit::Minute => &mut offset.minute,
            Unit::Second => &mut offset.second,
        };
        *field = field.checked_add(amount)?;
        offset.nanoseconds = offset.nanoseconds.checked_add(nanoseconds)?;
        Some(())
    }

    fn hour_of_day(&self) -> Option<i64> {
        match self.is_pm {
            None => (0..24).contains(&self.hour).then_some(self.hour),
            Some(is_pm) if (1..=12).contains(&self.hour) => {
                Some(self.hour % 12 + if is_pm { 12 } else { 0 })
            }
            Some(_) => None,
        }
    }

    fn full_year(&self) -> i64 {
        match (self.year, self.year_digits) {
            (year @ 0..69, 2) => year + 2000,
            (year, 2) => year + 1900,
            (year, _) => year,
        }
    }

    /// Works out the time from all that was said.
    fn time(&self, now: &Civil, now_is_dst: bool, zone: &Zone) -> Option<(i64, u32)> {
        let zones = self.local_zones + self.zones;
        if [self.times, self.dates, self.days, self.dsts, zones]
            .iter()
            .any(|count| *count > 1)
        {
            return None;
        }
        let mut nanoseconds = self.nanoseconds;
        let (hour, minute, second) =
            if self.times > 0 || (self.has_offsets && self.dates == 0 && self.days == 0) {
                if self.times > 0 {
                    (self.hour_of_day()?, self.minute, self.second)
                } else {
                    (now.hour, now.minute, now.second)
                }
            } else {
                nanoseconds = 0;
                (0, 0, 0)
            };
        let civil = Civil {
            year: self.full_year(),
            month: self.month,
            day: self.day,
            hour,
            minute,
            second,
        };
        let mut is_dst = Some(now_is_dst).filter(|_| self.dates + self.days + self.times == 0);
        if self.local_zones > 0 {
            is_dst = Some(self.local_is_dst);
        }
        let mut start = zone.seconds(&civil, is_dst)?;
        if zone.local(start).civil != civil {
            // A time that the local clock never shows may still be one in the zone that was given.
            let given = Zone::fixed(self.zone.checked_mul(60)?).filter(|_| self.zones > 0)?;
            let elsewhere = given.seconds(&civil, None)?;
            if given.local(elsewhere).civil != civil {
                return None;
            }
        }
        let mut civil = civil;
        if self.days > 0 && self.dates == 0 {
            let today = zone.local(start).civil.weekday();
            let is_later_week = self.day_ordinal > 0 && today != self.weekday;
            let weeks = self.day_ordinal.checked_sub(i64::from(is_later_week))?;
            civil.day = civil
                .day
                .checked_add((self.weekday - today + 7) % 7)?
                .checked_add(weeks.checked_mul(7)?)?;
            is_dst = None;
            start = zone.seconds(&civil, None)?;
        }
        let offset = &self.offset;
        if offset.year != 0 || offset.month != 0 || offset.day != 0 {
            let moved = Civil {
                year: civil.year.checked_add(offset.year)?,
                month: civil.month.checked_add(offset.month)?,
                day: civil.day.checked_add(offset.day)?,
                ..civil
            };
            start = zone.seconds(&moved, is_dst)?;
        }
        if self.zones > 0 {
            let given = self.zone.checked_mul(60)?;
            start = start.checked_sub(given - zone.local(start).offset)?;
        }
        let nanoseconds = nanoseconds.checked_add(offset.nanoseconds)?;
        let seconds = start
            .checked_add(offset.hour.checked_mul(3600)?)?
            .checked_add(offset.minute.checked_mul(60)?)?
            .checked_add(offset.second)?
            .checked_add(nanoseconds.div_euclid(1_000_000_000))?;
        let nanoseconds = nanoseconds.rem_euclid(1_000_000_000);
        Some((seconds, u32::try_from(nanoseconds).ok()?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// 2024-01-17, a Wednesday, 10:20:30.
    const NOW: (i64, u32) = (1_705_486_830, 500);

    fn shown(text: &str, zone: &Zone) -> String {
        parse(text, NOW, zone).map_or("invalid".to_owned(), |(seconds, nanoseconds)| {
            crate::format("%F %T.%N", zone, (seconds, nanoseconds))
        })
    }

    #[test]
    fn reads_as_gnu() {
        let cases = [
            ("2024-02-28 +2 days", "2024-03-01 00:00:00.000000000"),
            ("yesterday", "2024-01-16 10:20:30.000000500"),
            ("next monday", "2024-01-22 00:00:00.000000000"),
            ("monday", "2024-01-22 00:00:00.000000000"),
            ("wednesday", "2024-01-17 00:00:00.000000000"),
            ("last friday", "2024-01-12 00:00:00.000000000"),
            ("2 weeks ago", "2024-01-03 10:20:30.000000500"),
            ("@1700000000.25", "2023-11-14 22:13:20.250000000"),
            ("12:30pm tomorrow", "2024-01-18 12:30:00.000000000"),
            ("Jan 5 2023 7am", "2023-01-05 07:00:00.000000000"),
            ("5 Mar 70", "1970-03-05 00:00:00.000000000"),
            ("20231224 1530", "2023-12-24 15:30:00.000000000"),
            ("2024-01-05T10:00+05:30", "2024-01-05 04:30:00.000000000"),
            ("10:00 +1 hour", "2024-01-17 10:00:00.000000000"),
            ("10:00 EST", "2024-01-17 15:00:00.000000000"),
            ("2024-01-31 1 month", "2024-03-02 00:00:00.000000000"),
            ("", "2024-01-17 00:00:00.000000000"),
            ("2024-02-30", "invalid"),
            ("24:00", "invalid"),
            ("noon", "invalid"),
            ("10:00 11:00", "invalid"),
            ("99999999999999999999", "invalid"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, &Zone::utc()), expected, "{text}");
        }
    }

    #[test]
    fn knows_summer_time() {
        let berlin = Zone::named("CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(shown("2024-03-31 02:30", &berlin), "invalid");
        assert_eq!(
            parse("2024-07-01 12:00", NOW, &berlin),
            Some((1_719_828_000, 0))
        );
    }
}
