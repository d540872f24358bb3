//! The order of versions that `ls -v` uses: digits compare as numbers, a suffix such as `.tar.gz` last of all.

use std::cmp::Ordering;

/// Compares two file names.
pub(crate) fn compare(left: &[u8], right: &[u8]) -> Ordering {
    // `.` and `..` first, then hidden names, then the others.
    let rank = |name: &[u8]| match name {
        b"" => 0,
        b"." => 1,
        b".." => 2,
        [b'.', ..] => 3,
        _ => 4,
    };
    match rank(left).cmp(&rank(right)) {
        Ordering::Equal if rank(left) < 3 => return Ordering::Equal,
        Ordering::Equal => {}
        other => return other,
    }
    let by_stem = verrevcmp(stem(left), stem(right));
    if by_stem != Ordering::Equal {
        by_stem
    } else {
        verrevcmp(left, right)
    }
}

/// Returns the name without its suffix: the longest end of the form `(\.[A-Za-z~][A-Za-z0-9~]*)*`.
fn stem(name: &[u8]) -> &[u8] {
    let mut end = name.len();
    loop {
        let head = name.get(..end).unwrap_or(name);
        let Some(dot) = head.iter().rposition(|byte| *byte == b'.') else {
            return head;
        };
        let suffix = head.get(dot + 1..).unwrap_or(&[]);
        let fits = suffix
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'~')
            && suffix
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'~');
        if !fits {
            return head;
        }
        end = dot;
    }
}

fn order(byte: u8) -> i32 {
    match byte {
        b'0'..=b'9' => 0,
        b'~' => -2,
        _ if byte.is_ascii_alphabetic() => i32::from(byte),
        _ => i32::from(byte) + 256,
    }
}

fn verrevcmp(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        // The parts that are no digits, character by character; an end is less than anything but `~`.
        loop {
            let one = left.first().filter(|byte| !byte.is_ascii_digit());
            let other = right.first().filter(|byte| !byte.is_ascii_digit());
            if one.is_none() && other.is_none() {
                break;
            }
            let value = |byte: Option<&u8>, rest: &[u8]| match byte {
                Some(byte) => order(*byte),
                None if rest.is_empty() => -1,
                None => 0,
            };
            match value(one, left).cmp(&value(other, right)) {
                Ordering::Equal => {}
                different => return different,
            }
            left = left.get(1..).unwrap_or(&[]);
            right = right.get(1..).unwrap_or(&[]);
        }
        let (one, after_one) = number(left);
        let (other, after_other) = number(right);
        match one.len().cmp(&other.len()).then_with(|| one.cmp(other)) {
            Ordering::Equal => {}
            different => return different,
        }
        left = after_one;
        right = after_other;
    }
    Ordering::Equal
}

/// Splits off the digits without leading zeros.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let zeros = text.iter().take_while(|byte| **byte == b'0').count();
    let text = text.get(zeros..).unwrap_or(&[]);
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at_checked(digits).unwrap_or((text, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_versions_as_ls() {
        let sorted = [
            "..",
            ".a",
            "a-1.2.tar.gz",
            "a-1.2b.tar",
            "a-1.10.tar",
            "f1",
            "f2",
            "f9",
            "f10",
            "f010x",
        ];
        for pair in sorted.windows(2) {
            let [left, right] = pair else { continue };
            assert_eq!(
                compare(left.as_bytes(), right.as_bytes()),
                Ordering::Less,
                "{left} {right}"
            );
        }
    }
}
