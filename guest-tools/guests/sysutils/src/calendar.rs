//! Times as text, in the zone that `TZ` names (UTC if there is none).

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::system::Moment;

/// Returns the zone that the environment names.
pub(crate) fn zone() -> TimeZone {
    TimeZone::try_system().unwrap_or(TimeZone::UTC)
}

/// Shows a time in a format of date(1): the directives of strftime, and `%N` for nanoseconds.
pub(crate) fn show(moment: Moment, format: &str) -> String {
    thread_local! { static ZONE: TimeZone = zone(); }
    let nanoseconds = i32::try_from(moment.nanoseconds).unwrap_or(0);
    let Ok(timestamp) = Timestamp::new(moment.seconds, nanoseconds) else {
        // Beyond year 9999 there is no calendar; a number is what GNU shows then too.
        return moment.seconds.to_string();
    };
    let zoned = ZONE.with(|zone| timestamp.to_zoned(zone.clone()));
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find("%N") {
        // `%%N` is no nanoseconds.
        let percents = rest
            .get(..at)
            .unwrap_or("")
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'%')
            .count();
        let Some((head, tail)) = rest.split_at_checked(at) else {
            break;
        };
        let (head, tail, number) = if percents % 2 == 0 {
            (head, tail.get(2..).unwrap_or(""), true)
        } else {
            let split = rest.split_at_checked(at + 1).unwrap_or((head, tail));
            (split.0, split.1, false)
        };
        part(&mut out, &zoned, head);
        if number {
            // Writing to a String cannot fail.
            let _ = write!(out, "{:09}", moment.nanoseconds);
        }
        rest = tail;
    }
    part(&mut out, &zoned, rest);
    out
}

fn part(out: &mut String, zoned: &Zoned, format: &str) {
    if format.is_empty() {
        return;
    }
    match jiff::fmt::strtime::format(format, zoned) {
        Ok(text) => out.push_str(&text),
        // A directive that nobody knows stands for itself, as with strftime.
        Err(_) => out.push_str(format),
    }
}
