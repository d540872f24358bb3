//! Times as arrays: year, month from 0, day, hour, minute, second, day of the week, day of the year from 0.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::value::{Error, Val, ValR};

fn broken(date: DateTime, fraction: f64) -> Val {
    [
        f64::from(date.year()),
        f64::from(date.month()) - 1.0,
        f64::from(date.day()),
        f64::from(date.hour()),
        f64::from(date.minute()),
        f64::from(date.second()) + fraction,
        f64::from(date.weekday().to_sunday_zero_offset()),
        f64::from(date.day_of_year()) - 1.0,
    ]
    .into_iter()
    .map(Val::Num)
    .collect()
}

/// Seconds of the epoch as such an array.
pub fn gmtime(value: &Val, zone: TimeZone) -> ValR {
    let Val::Num(seconds) = value else {
        return Err(Error::str("gmtime() requires a number"));
    };
    let stamp = Timestamp::from_second(seconds.floor() as i64)
        .map_err(|_| Error::str("error converting number of seconds since epoch to datetime"))?;
    Ok(broken(
        stamp.to_zoned(zone).datetime(),
        seconds - seconds.floor(),
    ))
}

/// Such an array as seconds of the epoch.
pub fn mktime(value: &Val) -> ValR {
    let Val::Arr(parts) = value else {
        return Err(Error::str("mktime requires array inputs"));
    };
    let numbers: Option<Vec<f64>> = parts
        .iter()
        .map(|part| match part {
            Val::Num(number) => Some(number.floor()),
            _ => None,
        })
        .collect();
    let wrong = || Error::str("mktime requires parsed datetime inputs");
    let numbers = numbers
        .filter(|numbers| numbers.len() >= 6)
        .ok_or_else(wrong)?;
    let [year, month, day, hour, minute, second, ..] = *numbers.as_slice() else {
        return Err(wrong());
    };
    // What is too much for one unit goes to the next.
    let years = year + (month / 12.0).floor();
    let first = Date::new(years as i16, (month.rem_euclid(12.0) + 1.0) as i8, 1)
        .map_err(|_| Error::str("invalid gmtime representation"))?;
    let days = (Date::constant(1970, 1, 1).until((jiff::Unit::Day, first)))
        .map_err(|_| Error::str("invalid gmtime representation"))?
        .get_days();
    Ok(Val::Num(
        (f64::from(days) + day - 1.0) * 86400.0 + hour * 3600.0 + minute * 60.0 + second,
    ))
}

/// Reads a time by a format.
pub fn strptime(value: &Val, format: &Val) -> ValR {
    let (Val::Str(text), Val::Str(format)) = (value, format) else {
        return Err(Error::str(format_args!(
            "strptime/1 requires string inputs and arguments"
        )));
    };
    let time = BrokenDownTime::parse(format.as_bytes(), text.as_bytes()).map_err(|_| {
        Error::str(format_args!(
            "date \"{text}\" does not match format \"{format}\""
        ))
    })?;
    if let Ok(date) = time.to_date() {
        return Ok(broken(
            date.to_datetime(time.to_time().unwrap_or_default()),
            0.0,
        ));
    }
    if let Ok(stamp) = time.to_timestamp() {
        return Ok(broken(stamp.to_zoned(TimeZone::UTC).datetime(), 0.0));
    }
    // Parts of a date: what is not there is 0, as in C.
    let number = |part: Option<i8>| f64::from(part.unwrap_or(0));
    Ok([
        time.year().map_or(1900.0, f64::from),
        time.month().map_or(0.0, |month| f64::from(month) - 1.0),
        number(time.day()),
        number(time.hour()),
        number(time.minute()),
        number(time.second()),
        0.0,
        number(time.day()) - 1.0,
    ]
    .into_iter()
    .map(Val::Num)
    .collect())
}
