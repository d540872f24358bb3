//! Times as the programs show them.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use process::Moment;

/// Returns the seconds since the epoch.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(0)
}

/// Returns a time in a form of strftime(3), where the user is.
pub(crate) fn show(form: &str, seconds: i64) -> String {
    let Ok(stamp) = jiff::Timestamp::from_second(seconds) else {
        return seconds.to_string();
    };
    jiff::fmt::strtime::format(form, &stamp.to_zoned(TimeZone::system())).unwrap_or_default()
}

/// Returns when something was started: the time of today, the day of this year, or the year.
pub(crate) fn started(moment: Moment) -> String {
    let now = now();
    let form = if show("%F", now) == show("%F", moment.seconds) {
        "%H:%M"
    } else if show("%Y", now) == show("%Y", moment.seconds) {
        "%b%d"
    } else {
        "%Y"
    };
    show(form, moment.seconds)
}

/// Returns a duration as `[dd-]hh:mm:ss`.
pub(crate) fn long(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let text = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    match days {
        0 => text,
        days => format!("{days}-{text}"),
    }
}

/// Returns a duration as `[[dd-]hh:]mm:ss`.
pub(crate) fn elapsed(seconds: u64) -> String {
    if seconds >= 3600 {
        return long(seconds);
    }
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// Returns a duration as `m:ss`.
pub(crate) fn short(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Returns how long the hand has been there, in words as uptime(1) has them.
pub(crate) fn up(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let mut text = String::new();
    if days > 0 {
        let plural = if days == 1 { "" } else { "s" };
        text.push_str(&format!("{days} day{plural}, "));
    }
    if hours > 0 {
        text.push_str(&format!("{hours:2}:{minutes:02}"));
    } else {
        text.push_str(&format!("{minutes} min"));
    }
    text
}
