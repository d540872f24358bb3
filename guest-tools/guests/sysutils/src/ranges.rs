//! Lists of numbers and ranges as cut has them: `1,3-5,7-`.

use crate::quoting::curly;

/// Numbers from the first to the second, both included; 1 is the first of all.
pub(crate) type Range = (usize, usize);

/// What the numbers count, which decides on the words of a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Fields,
    Positions,
}

/// Reads a list: in order, and what overlaps made one. The error is a message.
pub(crate) fn parse(list: &str, of: Of) -> Result<Vec<Range>, String> {
    let is_fields = of == Of::Fields;
    let from_one = if is_fields {
        "fields are numbered from 1"
    } else {
        "byte/character positions are numbered from 1"
    };
    let mut ranges = Vec::new();
    for part in list.split([',', ' ', '\t']) {
        let number = |text: &str| -> Result<usize, String> {
            if !text.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(if is_fields {
                    format!("invalid field value {}", curly(text))
                } else {
                    format!("invalid byte/character position {}", curly(text))
                });
            }
            text.parse().map_err(|_| {
                if is_fields {
                    format!("field number {} is too large", curly(text))
                } else {
                    format!("byte/character offset {} is too large", curly(text))
                }
            })
        };
        let (low, high) = match part.split_once('-') {
            None if part.is_empty() => return Err(from_one.to_owned()),
            None => {
                let only = number(part)?;
                (only, only)
            }
            Some(("", "")) => return Err("invalid range with no endpoint: -".to_owned()),
            Some((_, high)) if high.contains('-') => {
                return Err(if is_fields {
                    "invalid field range".to_owned()
                } else {
                    "invalid byte or character range".to_owned()
                });
            }
            Some(("", high)) => (1, number(high)?),
            Some((low, "")) => (number(low)?, usize::MAX),
            Some((low, high)) => {
                let (low, high) = (number(low)?, number(high)?);
                if high < low && low > 0 {
                    return Err("invalid decreasing range".to_owned());
                }
                (low, high)
            }
        };
        if low == 0 || high == 0 {
            return Err(from_one.to_owned());
        }
        ranges.push((low, high));
    }
    ranges.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for (low, high) in ranges {
        match merged.last_mut() {
            Some((_, last)) if low <= *last => *last = high.max(*last),
            _ => merged.push((low, high)),
        }
    }
    Ok(merged)
}

/// Returns the ranges of all numbers that are in none of these.
pub(crate) fn complement(ranges: &[Range]) -> Vec<Range> {
    let mut rest = Vec::new();
    let mut next = 1;
    for (low, high) in ranges {
        if *low > next {
            rest.push((next, low - 1));
        }
        next = match high.checked_add(1) {
            Some(next) => next,
            None => return rest,
        };
    }
    rest.push((next, usize::MAX));
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists() {
        let list = |text: &str| parse(text, Of::Fields);
        assert_eq!(list("3-5,1,4-7"), Ok(vec![(1, 1), (3, 7)]));
        assert_eq!(list("2-,9"), Ok(vec![(2, usize::MAX)]));
        assert_eq!(list("1-2,3"), Ok(vec![(1, 2), (3, 3)]));
        for wrong in ["", "0", "a", "3-1", "-", "1-2-3", "1,,2"] {
            assert!(list(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            complement(&[(2, 3), (6, 6)]),
            [(1, 1), (4, 5), (7, usize::MAX)]
        );
        assert_eq!(complement(&[(1, usize::MAX)]), []);
    }
}
