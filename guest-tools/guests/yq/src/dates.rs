//! Dates: written and read in Go's way, which shows how 15:04:05 on Monday, 2 January 2006 is to look.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::evaluate::{Machine, Scope};
use crate::mistake::{Mistake, Outcome};
use crate::node::Id;
use crate::scalar;
use crate::syntax::Expression;

const RFC3339: &str = "2006-01-02T15:04:05Z07:00";

/// What Go's example date shows, longest first, and what the C library calls it.
const PARTS: &[(&str, &str)] = &[
    ("January", "%B"),
    ("Monday", "%A"),
    ("-07:00", "%:z"),
    ("Z07:00", "Z"),
    ("-0700", "%z"),
    ("2006", "%Y"),
    (".000000000", "%.9f"),
    (".000000", "%.6f"),
    (".000", "%.3f"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("_2", "%e"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
];

/// Returns a layout of Go as one of the C library; `Z` stands apart, as it depends on the zone.
fn layout(text: &str, is_utc: bool) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let part = PARTS.iter().find(|(go, _)| rest.starts_with(go));
        let length = match part {
            Some((go, "Z")) => {
                out.push_str(if is_utc { "Z" } else { "%:z" });
                go.len()
            }
            Some((go, own)) => {
                out.push_str(own);
                go.len()
            }
            None => {
                if first == '%' {
                    out.push('%');
                }
                out.push(first);
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// Reads a date; without a layout, as RFC 3339 or a day alone.
pub fn parse(text: &str, go: Option<&str>) -> Outcome<Zoned> {
    let bad = || {
        let go = go.unwrap_or(RFC3339);
        Mistake::new(format!(
            "could not parse datetime of [{text}]: parsing time \"{text}\" as \"{go}\": cannot parse"
        ))
    };
    let Some(go) = go.filter(|go| *go != RFC3339) else {
        if let Ok(day) = text.parse::<jiff::civil::Date>() {
            return day.to_zoned(TimeZone::UTC).map_err(|_| bad());
        }
        let pieces = jiff::fmt::temporal::DateTimeParser::new();
        if let Ok(stamp) = text.replacen(' ', "T", 1).parse::<Timestamp>() {
            let offset = pieces
                .parse_pieces(text)
                .ok()
                .and_then(|pieces| pieces.to_numeric_offset());
            let zone = offset
                .filter(|offset| *offset != Offset::UTC)
                .map_or(TimeZone::UTC, TimeZone::fixed);
            return Ok(stamp.to_zoned(zone));
        }
        let plain = text.parse::<DateTime>().map_err(|_| bad())?;
        return plain.to_zoned(TimeZone::UTC).map_err(|_| bad());
    };
    let own = layout(go, text.ends_with('Z'));
    let broken = jiff::fmt::strtime::parse(&own, text).map_err(|_| bad())?;
    if let Ok(zoned) = broken.to_zoned() {
        return Ok(zoned);
    }
    let date = broken.to_date().map_err(|_| bad())?;
    let time = broken.to_time().unwrap_or_default();
    DateTime::from_parts(date, time)
        .to_zoned(TimeZone::UTC)
        .map_err(|_| bad())
}

/// Writes a date.
fn show(date: &Zoned, go: &str) -> Outcome<String> {
    let own = layout(go, date.offset() == Offset::UTC);
    jiff::fmt::strtime::format(&own, date).map_err(|error| Mistake::new(error.to_string()))
}

/// Adds a length of time as Go writes it, `1h30m`, or takes it away.
pub fn shift(text: &str, length: &str, sign: i32) -> Outcome<String> {
    let date = parse(text, None)?;
    let bad = || {
        Mistake::new(format!(
            "unable to parse duration [{length}]: time: invalid duration \"{length}\""
        ))
    };
    let mut total = SignedDuration::ZERO;
    let (sign, mut rest) = match length.strip_prefix('-') {
        Some(rest) => (-sign, rest),
        None => (sign, length.strip_prefix('+').unwrap_or(length)),
    };
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let end = rest
            .find(|character: char| !(character.is_ascii_digit() || character == '.'))
            .ok_or_else(bad)?;
        let (number, after) = rest.split_at(end);
        let number: f64 = number.parse().map_err(|_| bad())?;
        let end = after
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(bad()),
        };
        let part = SignedDuration::try_from_secs_f64(number * seconds).map_err(|_| bad())?;
        total = total.checked_add(part).ok_or_else(bad)?;
        rest = after;
    }
    let moved = date
        .checked_add(total.checked_mul(sign).ok_or_else(bad)?)
        .map_err(|_| bad())?;
    let is_day = text.len() == 10 && moved.time() == jiff::civil::Time::midnight();
    show(&moved, if is_day { "2006-01-02" } else { RFC3339 })
}

fn zone(name: &str) -> Outcome<TimeZone> {
    TimeZone::get(name).map_err(|_| {
        Mistake::new(format!(
            "could not load tz {name}: unknown time zone {name}"
        ))
    })
}

/// Calls a function on dates.
pub fn call(
    machine: &mut Machine,
    name: &str,
    arguments: &[Expression],
    node: Id,
    scope: &Scope,
) -> Outcome<Vec<Id>> {
    let argument = |place: usize| {
        arguments
            .get(place)
            .ok_or_else(|| Mistake::new(format!("'{name}' expects an argument")))
    };
    let go = scope.layout.as_deref();
    let value = machine.tree[machine.tree.follow(node)].value.clone();
    let (tag, text) = match name {
        "with_dtf" => {
            let own = machine.first_text(argument(0)?, node, scope)?;
            let within = Scope {
                layout: Some(own.as_str().into()),
                ..scope.clone()
            };
            return machine.evaluate(argument(1)?, &[node], &within);
        }
        "format_datetime" => {
            let own = machine.first_text(argument(0)?, node, scope)?;
            ("", show(&parse(&value, go)?, &own)?)
        }
        "tz" => {
            let zone_name = machine.first_text(argument(0)?, node, scope)?;
            let moved = parse(&value, go)?.with_time_zone(zone(&zone_name)?);
            ("!!timestamp", show(&moved, go.unwrap_or(RFC3339))?)
        }
        "now" => {
            let now = Timestamp::now().to_zoned(TimeZone::UTC);
            ("!!timestamp", show(&now, go.unwrap_or(RFC3339))?)
        }
        "to_unix" => (
            "!!int",
            parse(&value, go)?.timestamp().as_second().to_string(),
        ),
        _ => {
            let seconds = scalar::number(&value).ok_or_else(|| {
                Mistake::new(format!(
                    "from_unix only works on numbers, found {value} instead"
                ))
            })?;
            let stamp = Timestamp::from_second(seconds as i64)
                .map_err(|error| Mistake::new(error.to_string()))?;
            (
                "!!timestamp",
                show(&stamp.to_zoned(TimeZone::UTC), RFC3339)?,
            )
        }
    };
    let tag = if tag.is_empty() {
        scalar::tag_of(&text)
    } else {
        tag
    };
    Ok(vec![machine.tree.scalar(tag, &text)])
}
