//! Names of files as the heads of patches have them.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// A name and what stands behind it.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    /// None for `/dev/null`, or where nothing is left of it.
    pub(super) name: Option<String>,
    /// What stood behind the name, as it was.
    pub(super) time: Option<String>,
    /// The time is the beginning of time: there was no such file.
    pub(super) is_epoch: bool,
}

/// Reads what stands behind `--- ` and the like.
pub(super) fn read(text: &[u8], strip: Option<usize>) -> Option<Named> {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start_matches([' ', '\t']);
    let line = text.trim_end_matches(['\n', '\r']);
    let (name, rest) = if line.starts_with('"') {
        unquoted(line)?
    } else {
        // A blank ends a name only if a date follows; a tab always does.
        let tab = line.find('\t');
        let end = tab.unwrap_or_else(|| {
            line.match_indices(' ')
                .map(|(place, _)| place)
                .find(|place| line.get(*place..).is_some_and(|rest| date(rest).is_some()))
                .unwrap_or_else(|| line.trim_end().len())
        });
        let (name, rest) = line.split_at_checked(end)?;
        (name.to_owned(), rest)
    };
    let mut named = Named {
        is_epoch: false,
        time: (!rest.is_empty()).then(|| rest.to_owned()),
        name: None,
    };
    if name == "/dev/null" {
        named.is_epoch = true;
        return Some(named);
    }
    // Local times differ from UTC by up to 26 hours.
    named.is_epoch = date(rest).is_some_and(|seconds| (-90_000..93_600).contains(&seconds));
    named.name = stripped(&name, strip);
    Some(named)
}

/// Returns the seconds of a date as diff and its kin write it.
fn date(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.contains(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    for format in [
        "%Y-%m-%d %H:%M:%S%.f %z",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d",
        "%a %b %d %H:%M:%S %Y",
        "%Y/%m/%d %H:%M:%S",
    ] {
        if let Ok(time) = BrokenDownTime::parse(format, text) {
            if let Ok(moment) = time.to_timestamp() {
                return Some(moment.as_second());
            }
            let moment = time.to_datetime().or_else(|_| {
                time.to_date()
                    .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
            });
            if let Ok(moment) = moment
                && let Ok(moment) = moment.to_zoned(TimeZone::UTC)
            {
                return Some(Timestamp::from(&moment).as_second());
            }
        }
    }
    rfc2822::parse(text)
        .ok()
        .map(|moment| moment.timestamp().as_second())
}

/// Reads a name in quotes as C has them; returns it and what follows.
pub(super) fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut rest = text.strip_prefix('"')?;
    loop {
        let letter = rest.chars().next()?;
        rest = rest.get(letter.len_utf8()..)?;
        match letter {
            '"' => break,
            '\\' => {
                let escape = rest.chars().next()?;
                rest = rest.get(escape.len_utf8()..)?;
                bytes.push(match escape {
                    'a' => 7,
                    'b' => 8,
                    'f' => 12,
                    'n' => b'\n',
                    'r' => b'\r',
                    't' => b'\t',
                    'v' => 11,
                    '\\' | '"' => escape as u8,
                    '0'..='3' => {
                        let digits = rest.get(..2)?;
                        rest = rest.get(2..)?;
                        u8::from_str_radix(&format!("{escape}{digits}"), 8).ok()?
                    }
                    _ => return None,
                });
            }
            letter => bytes.extend_from_slice(letter.to_string().as_bytes()),
        }
    }
    Some((String::from_utf8_lossy(&bytes).into_owned(), rest))
}

/// Takes leading components from a name, or without a number all but the last.
pub(super) fn stripped(name: &str, strip: Option<usize>) -> Option<String> {
    let Some(count) = strip else {
        return name
            .rsplit('/')
            .next()
            .filter(|base| !base.is_empty())
            .map(str::to_owned);
    };
    let mut rest = name;
    for _ in 0..count {
        let (_, behind) = rest.split_once('/')?;
        rest = behind.trim_start_matches('/');
    }
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// Returns whether a name leads out of the working directory by its look.
pub(super) fn is_dangerous(name: &str) -> bool {
    name.starts_with('/') || name.split('/').any(|part| part == "..")
}

/// Returns the number of components of a name.
pub(super) fn components(name: &str) -> usize {
    name.split('/').filter(|part| !part.is_empty()).count()
}

/// Returns the place of the best name: that with the fewest components, then the shortest last one, then the shortest.
pub(super) fn best(names: &[Option<&str>]) -> Option<usize> {
    let key = |name: &str| {
        let base = name.rsplit('/').next().unwrap_or(name);
        (components(name), base.len(), name.len())
    };
    names
        .iter()
        .enumerate()
        .filter_map(|(place, name)| name.map(|name| (key(name), place)))
        .min()
        .map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_dates() {
        for (text, strip, name, is_epoch) in [
            (
                "a/b/c\t2024-01-01 00:00:00 +0000\n",
                Some(1),
                Some("b/c"),
                false,
            ),
            (
                "a//b/c 2024-01-01 00:00:00 +0000\n",
                Some(1),
                Some("b/c"),
                false,
            ),
            ("a/b/c d\n", None, Some("c d"), false),
            ("/dev/null\n", Some(0), None, true),
            (
                "x\t1970-01-01 01:00:00.000000000 +0100\n",
                Some(0),
                Some("x"),
                true,
            ),
            ("x\tThu Jan  1 00:00:00 1970\n", Some(0), Some("x"), true),
            ("\"a b\\303\\251\"\tx\n", Some(0), Some("a bé"), false),
            ("a/b\n", Some(2), None, false),
        ] {
            let named = read(text.as_bytes(), strip).unwrap_or_default();
            assert_eq!(named.name.as_deref(), name, "{text}");
            assert_eq!(named.is_epoch, is_epoch, "{text}");
        }
    }
}
