//! File modes: symbolic (`u+x,go=r`) and octal, read and printed.

use bstr::BString;

/// Why a mode is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Octal text with another character, or too large.
    #[error("{0}: octal number out of range")]
    Octal(BString),
    /// An operator that is none of `+`, `-`, `=`.
    #[error("`{}': invalid symbolic mode operator", char::from(*.0))]
    Operator(u8),
    /// A clause that ends before its operator.
    #[error("`': invalid symbolic mode operator")]
    NoOperator,
    /// A permission letter that is none.
    #[error("`{}': invalid symbolic mode character", char::from(*.0))]
    Character(u8),
}

/// Returns the file creation mask that `text` (the argument of `umask`) makes of `mask`.
pub fn umask(text: &[u8], mask: u32) -> Result<u32, Error> {
    if text.first().is_some_and(u8::is_ascii_digit) {
        let value = octal(text, 0o7777).ok_or_else(|| Error::Octal(BString::from(text)))?;
        return Ok(value & 0o777);
    }
    // The text speaks of what is permitted, the mask of what is not.
    let permitted = symbolic(text, !mask & 0o777, false, 0, false)?;
    Ok(!permitted & 0o777)
}

/// Prints a mask as `umask -S` does: `u=rwx,g=rx,o=rx`.
pub fn symbolic_umask(mask: u32) -> String {
    let class = |shift: u32| -> String {
        let bits = !mask >> shift;
        [(4, 'r'), (2, 'w'), (1, 'x')]
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(_, letter)| *letter)
            .collect()
    };
    format!("u={},g={},o={}", class(6), class(3), class(0))
}

/// Prints permissions as `ls -l` does, without the type: `rwxr-xr-x`.
pub fn permissions(mode: u32) -> String {
    let class = |shift: u32, special: u32, (both, alone): (char, char)| {
        let bits = mode >> shift;
        let execute = match (mode & special != 0, bits & 1 != 0) {
            (true, true) => both,
            (true, false) => alone,
            (false, true) => 'x',
            (false, false) => '-',
        };
        let letter = |bit: u32, letter: char| if bits & bit != 0 { letter } else { '-' };
        [letter(4, 'r'), letter(2, 'w'), execute]
    };
    let classes = [
        class(6, 0o4000, ('s', 'S')),
        class(3, 0o2000, ('s', 'S')),
        class(0, 0o1000, ('t', 'T')),
    ];
    classes.iter().flatten().collect()
}

/// Returns the mode that chmod's `text` makes of `mode` (12 bits). `None` when `text` is no mode.
pub fn change(text: &[u8], mode: u32, is_directory: bool, umask: u32) -> Option<u32> {
    if text.first().is_some_and(u8::is_ascii_digit) {
        let value = octal(text, 0o7777)?;
        // A directory keeps its set-id bits unless five digits say otherwise.
        let kept = if is_directory && text.len() < 5 {
            mode & 0o6000
        } else {
            0
        };
        return Some(value | kept);
    }
    symbolic(text, mode, is_directory, umask, true).ok()
}

fn octal(text: &[u8], max: u32) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|value| *value <= max)
}

/// Applies a symbolic mode. `is_full` is chmod's: special bits, and no class means all but the mask's.
fn symbolic(
    text: &[u8],
    mode: u32,
    is_directory: bool,
    umask: u32,
    is_full: bool,
) -> Result<u32, Error> {
    let mut mode = mode;
    for clause in text.split(|byte| *byte == b',') {
        let length = clause
            .iter()
            .take_while(|byte| b"ugoa".contains(byte))
            .count();
        let (classes, mut rest) = clause.split_at_checked(length).unwrap_or((clause, &[]));
        let mut who = classes
            .iter()
            .fold(0, |bits, class| bits | bits_of_class(*class));
        let is_implied = who == 0;
        if is_implied {
            who = 0o7777;
        }
        if rest.is_empty() {
            return Err(Error::NoOperator);
        }
        while let Some((operator, after)) = rest.split_first() {
            if !b"+-=".contains(operator) {
                return Err(Error::Operator(*operator));
            }
            let length = after
                .iter()
                .take_while(|byte| !is_full || !b"+-=".contains(byte))
                .count();
            let (letters, next) = after.split_at_checked(length).unwrap_or((after, &[]));
            rest = next;
            let mut bits = 0;
            for letter in letters {
                bits |= bits_of(*letter, mode, is_directory, is_full)
                    .ok_or(Error::Character(*letter))?;
            }
            bits &= if is_implied { who & !umask } else { who };
            let keep = if is_full && is_directory { 0o6000 } else { 0 };
            mode = match operator {
                b'+' => mode | bits,
                b'-' => mode & !bits,
                _ => (mode & (!who | keep)) | bits,
            };
        }
    }
    Ok(mode)
}

fn bits_of_class(class: u8) -> u32 {
    match class {
        b'u' => 0o4700,
        b'g' => 0o2070,
        b'o' => 0o1007,
        _ => 0o7777,
    }
}

/// Returns the bits of a permission letter, for all classes.
fn bits_of(letter: u8, mode: u32, is_directory: bool, is_full: bool) -> Option<u32> {
    let copy = |shift: u32| {
        let bits = mode >> shift & 7;
        bits << 6 | bits << 3 | bits
    };
    Some(match letter {
        b'r' => 0o444,
        b'w' => 0o222,
        b'x' => 0o111,
        b'X' if !is_full => return None,
        b'X' if is_directory || mode & 0o111 != 0 => 0o111,
        b'X' => 0,
        b's' if is_full => 0o6000,
        b't' if is_full => 0o1000,
        b'u' if is_full => copy(6),
        b'g' if is_full => copy(3),
        b'o' if is_full => copy(0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        assert_eq!(umask(b"u=rwx,g=rx,o=", 0), Ok(0o027));
        assert_eq!(umask(b"077", 0), Ok(0o077));
        assert_eq!(umask(b"a-w", 0o022), Ok(0o222));
        assert!(umask(b"8", 0).is_err());
        assert_eq!(symbolic_umask(0o022), "u=rwx,g=rx,o=rx");
        assert_eq!(permissions(0o4755), "rwsr-xr-x");
        assert_eq!(change(b"+x", 0o644, false, 0o022), Some(0o755));
        assert_eq!(change(b"u+s,g=u", 0o700, false, 0), Some(0o4770));
        assert_eq!(change(b"644", 0o2755, true, 0), Some(0o2644));
    }
}
