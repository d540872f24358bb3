//! Cron schedules on the wall clock of a time zone.
//!
//! Five fields, minute resolution. A time that a day does not have (clocks go forward) does not come, one that
//! it has twice (clocks go back) comes twice. The crate `croner` parses and matches on a calendar without
//! zones; the walk over a zone's changes is here: between two changes the offset is constant, so the calendar
//! is exact.

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

/// Longest expression in bytes.
const EXPRESSION_BYTES_MAX: usize = 256;
/// Longest zone name in bytes; the database's longest has about 40.
const ZONE_BYTES_MAX: usize = 64;
/// How far ahead the next time is looked for: 29 February comes at least every eight years.
const YEARS_AHEAD: i64 = 9;
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Why a schedule is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CronError {
    /// The expression is not one of five plain fields.
    #[error("{0}")]
    Expression(String),
    /// The zone is not in the database.
    #[error("there is no time zone of this name; use an IANA name such as Europe/Berlin or UTC")]
    Zone,
}

/// A schedule.
#[derive(Clone, Debug)]
pub struct Cron {
    calendar: croner::Cron,
    zone: TimeZone,
}

impl Cron {
    /// Reads a schedule. Errors: see [`CronError`]; an expression that never comes is one too.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, CronError> {
        check_fields(expression)?;
        let calendar = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build()
            .parse(expression)
            .map_err(|error| CronError::Expression(error.to_string()))?;
        if zone.len() > ZONE_BYTES_MAX {
            return Err(CronError::Zone);
        }
        let cron = Self {
            calendar,
            zone: TimeZone::get(zone).map_err(|_| CronError::Zone)?,
        };
        if cron.next_after(Timestamp::UNIX_EPOCH).is_none() {
            let message = "the expression names a day that no year has";
            return Err(CronError::Expression(message.to_owned()));
        }
        Ok(cron)
    }

    /// Returns the first time strictly after `after`; `None` if there is none within nine years.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let horizon = after
            .checked_add(SignedDuration::from_hours(YEARS_AHEAD * 366 * 24))
            .ok()?;
        let mut from = after.checked_add(SignedDuration::from_micros(1)).ok()?;
        loop {
            let offset = self.zone.to_offset(from);
            let change = self
                .zone
                .following(from)
                .next()
                .map(|change| change.timestamp());
            let start = to_minute(offset.to_datetime(from))?;
            let found = self.calendar.find_next_occurrence(&start, true).ok()?;
            let found = offset.to_timestamp(found).ok()?;
            match change {
                Some(change) if found >= change => from = change,
                _ if found > horizon => return None,
                _ => return Some(found),
            }
            if from > horizon {
                return None;
            }
        }
    }

    /// Returns the next `count` times after `after`.
    pub fn upcoming(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(after), |last| self.next_after(*last))
            .take(count)
            .collect()
    }
}

/// Returns the first whole minute at or after `at`.
fn to_minute(at: DateTime) -> Option<DateTime> {
    let floor = at.date().at(at.hour(), at.minute(), 0, 0);
    let more: Span = if floor < at { 1.minute() } else { Span::new() };
    floor.checked_add(more).ok()
}

/// Allows what cron on every system allows: numbers, names, `*`, `,`, `-` and `/`. The parser knows more.
fn check_fields(expression: &str) -> Result<(), CronError> {
    let refuse = |message: String| Err(CronError::Expression(message));
    if expression.len() > EXPRESSION_BYTES_MAX {
        return refuse(format!("at most {EXPRESSION_BYTES_MAX} bytes"));
    }
    let fields: Vec<&str> = expression.split_ascii_whitespace().collect();
    if fields.len() != 5 {
        return refuse(format!(
            "expected five fields (minute, hour, day of month, month, day of week), got {}",
            fields.len()
        ));
    }
    for (place, field) in fields.into_iter().enumerate() {
        let names: &[&str] = match place {
            3 => &MONTHS,
            4 => &WEEKDAYS,
            _ => &[],
        };
        for item in field.split(',') {
            if !is_item(item, names) {
                return refuse(format!(
                    "{item:?} is no item of a cron field: expected a number{}, a range such as 1-5, \
                     * or a step such as */15",
                    if names.is_empty() { "" } else { " or name" }
                ));
            }
        }
    }
    Ok(())
}

fn is_item(item: &str, names: &[&str]) -> bool {
    let is_number = |text: &str| {
        (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_value =
        |text: &str| is_number(text) || names.iter().any(|name| name.eq_ignore_ascii_case(text));
    let (range, step) = match item.split_once('/') {
        None => (item, None),
        Some((range, step)) => (range, Some(step)),
    };
    let is_range = match range.split_once('-') {
        Some((first, last)) => is_value(first) && is_value(last),
        None => range == "*" || (step.is_none() && is_value(range)),
    };
    is_range && step.is_none_or(is_number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Times strictly after the first and up to the last bound.
    fn times(expression: &str, zone: &str, after: &str, until: &str) -> Vec<String> {
        let cron = Cron::parse(expression, zone).unwrap();
        std::iter::successors(cron.next_after(at(after)), |last| cron.next_after(*last))
            .take_while(|time| *time <= at(until))
            .map(|time| time.to_string())
            .collect()
    }

    #[test]
    fn missing_times_are_skipped_and_doubled_ones_come_twice() {
        for (expression, zone, after, until, expected) in [
            // 2:00 to 3:00 does not exist.
            (
                "30 2 * * *",
                "America/New_York",
                "2026-03-07T00:00:00Z",
                "2026-03-10T00:00:00Z",
                vec!["2026-03-07T07:30:00Z", "2026-03-09T06:30:00Z"],
            ),
            (
                "0 * 8 3 *",
                "America/New_York",
                "2026-03-08T05:30:00Z",
                "2026-03-08T08:00:00Z",
                vec![
                    "2026-03-08T06:00:00Z",
                    "2026-03-08T07:00:00Z",
                    "2026-03-08T08:00:00Z",
                ],
            ),
            // 1:00 to 2:00 comes twice.
            (
                "30 1 * * *",
                "America/New_York",
                "2026-10-31T12:00:00Z",
                "2026-11-02T12:00:00Z",
                vec![
                    "2026-11-01T05:30:00Z",
                    "2026-11-01T06:30:00Z",
                    "2026-11-02T06:30:00Z",
                ],
            ),
            (
                "30 2 * * *",
                "Europe/Berlin",
                "2026-03-28T12:00:00Z",
                "2026-03-30T12:00:00Z",
                vec!["2026-03-30T00:30:00Z"],
            ),
            (
                "30 2 * * SUN",
                "Europe/Berlin",
                "2026-10-24T12:00:00Z",
                "2026-10-26T12:00:00Z",
                vec!["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
            ),
            // Half an hour only: 2:00 to 2:30 does not exist in October, 1:30 to 2:00 comes twice in April.
            (
                "0,15,30,45 2 * * *",
                "Australia/Lord_Howe",
                "2026-10-03T12:00:00Z",
                "2026-10-04T12:00:00Z",
                vec!["2026-10-03T15:30:00Z", "2026-10-03T15:45:00Z"],
            ),
            (
                "15,45 1 * * *",
                "Australia/Lord_Howe",
                "2026-04-04T12:00:00Z",
                "2026-04-05T12:00:00Z",
                vec![
                    "2026-04-04T14:15:00Z",
                    "2026-04-04T14:45:00Z",
                    "2026-04-04T15:15:00Z",
                ],
            ),
            // Samoa had no 30 December 2011.
            (
                "0 12 28-31 12 *",
                "Pacific/Apia",
                "2011-12-28T00:00:00Z",
                "2012-01-01T00:00:00Z",
                vec![
                    "2011-12-28T22:00:00Z",
                    "2011-12-29T22:00:00Z",
                    "2011-12-30T22:00:00Z",
                ],
            ),
        ] {
            assert_eq!(
                times(expression, zone, after, until),
                expected,
                "{expression} {zone}"
            );
        }
    }

    #[test]
    fn plain_schedules() {
        let until = "2030-01-01T00:00:00Z";
        for (expression, after, first) in [
            ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            (
                "* * * * *",
                "2026-01-01T00:00:59.999999Z",
                "2026-01-01T00:01:00Z",
            ),
            (
                "*/20 9-10 * * *",
                "2026-01-01T09:41:00Z",
                "2026-01-01T10:00:00Z",
            ),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            // Days of month and of week both given: either.
            (
                "0 0 13 * fri",
                "2026-02-07T00:00:00Z",
                "2026-02-13T00:00:00Z",
            ),
            (
                "0 0 13 * Fri",
                "2026-02-13T00:00:00Z",
                "2026-02-20T00:00:00Z",
            ),
            ("0 0 * * 7", "2026-02-13T00:00:00Z", "2026-02-15T00:00:00Z"),
            (
                "0 0 1 JAN-mar/2 *",
                "2026-01-01T00:00:00Z",
                "2026-03-01T00:00:00Z",
            ),
        ] {
            assert_eq!(
                times(expression, "UTC", after, until).first().unwrap(),
                first,
                "{expression}"
            );
        }
        let cron = Cron::parse("0 0 1 1 *", "UTC").unwrap();
        assert_eq!(cron.upcoming(at("2026-01-01T00:00:00Z"), 5).len(), 5);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for expression in [
            "",
            "* * * *",
            "* * * * * *",
            "@daily",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "* * L * *",
            "* * 1W * *",
            "* * * * 5#2",
            "* * * * 5L",
            "* * ? * *",
            "* * * * +1",
            "5/15 * * * *",
            "/5 * * * *",
            "*/0 * * * *",
            "1,,2 * * * *",
            ", * * * *",
            "5-1 * * * *",
            "1- * * * *",
            "-1 * * * *",
            "JAN * * * *",
            "* * * MON *",
            "* * * * 1-MON-2",
            "0 0 30 2 *",
            "0 0 31 4,6,9,11 *",
        ] {
            let error = Cron::parse(expression, "UTC").unwrap_err();
            assert!(matches!(error, CronError::Expression(_)), "{expression}");
        }
        let long = format!("{} * * * *", vec!["1"; 200].join(","));
        assert!(Cron::parse(&long, "UTC").is_err());
        for zone in [
            "",
            "Mars/Olympus",
            "EST5EDT,M3.2.0,M11.1.0",
            "../etc/passwd",
        ] {
            assert_eq!(
                Cron::parse("* * * * *", zone).unwrap_err(),
                CronError::Zone,
                "{zone}"
            );
        }
    }

    /// One field as a list of what it allows, made without the parser.
    fn field(min: u8, max: u8) -> impl Strategy<Value = (String, Vec<u8>)> {
        prop_oneof![
            3 => Just(("*".to_owned(), (min..=max).collect())),
            2 => (min..=max).prop_map(|n| (n.to_string(), vec![n])),
            1 => (min..=max, min..=max).prop_map(|(a, b)| {
                let (a, b) = (a.min(b), a.max(b));
                (format!("{a}-{b}"), (a..=b).collect())
            }),
            1 => (2u8..20).prop_map(move |step| {
                let values = (min..=max).step_by(usize::from(step)).collect();
                (format!("*/{step}"), values)
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn the_next_time_is_the_first_minute_that_matches(
            minute in field(0, 59),
            hour in field(0, 23),
            weekday in field(0, 6),
            zone in prop::sample::select(vec![
                "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu",
            ]),
            // Near the changes of 2026, and far from them.
            day in prop::sample::select(vec![
                "2026-03-07T20:00:00Z", "2026-10-31T20:00:00Z", "2026-03-28T12:00:00Z",
                "2026-10-24T12:00:00Z", "2026-04-04T06:00:00Z", "2026-10-03T06:00:00Z", "2026-07-01T00:00:00Z",
            ]),
            seconds in 0i64..100_000,
        ) {
            let cron = Cron::parse(&format!("{} {} * * {}", minute.0, hour.0, weekday.0), zone).unwrap();
            let after = at(day).checked_add(SignedDuration::from_secs(seconds)).unwrap();
            let zone = TimeZone::get(zone).unwrap();
            let matches = |time: Timestamp| {
                let local = zone.to_datetime(time);
                minute.1.contains(&(local.minute() as u8))
                    && hour.1.contains(&(local.hour() as u8))
                    && weekday.1.contains(&(local.weekday().to_sunday_zero_offset() as u8))
            };
            // Every zone here keeps whole minutes.
            let first = after.as_second().div_euclid(60) + 1;
            let brute = (first..first + 9 * 24 * 60)
                .map(|minute| Timestamp::from_second(minute * 60).unwrap())
                .find(|time| matches(*time));
            prop_assert_eq!(cron.next_after(after), brute);
        }
    }
}
