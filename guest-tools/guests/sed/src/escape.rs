//! Escapes that sed itself reads before anything else does: `\t`, `\x41`, `\o101`, `\d065`, `\cA`.

/// Where an escape stands, which says what a special character is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Text that is taken as it is.
    Text,
    Regex,
    Replacement,
}

/// Reads an escape from behind its `\`. Returns the byte it stands for, how long it is, and whether it was a number,
/// or none if it is another kind of escape.
fn read(rest: &[u8]) -> Option<(u8, usize, bool)> {
    let (letter, behind) = rest.split_first()?;
    Some(match letter {
        b'a' => (0x07, 1, false),
        b'f' => (0x0C, 1, false),
        b'n' => (b'\n', 1, false),
        b'r' => (b'\r', 1, false),
        b't' => (b'\t', 1, false),
        b'v' => (0x0B, 1, false),
        b'c' => (behind.first()?.to_ascii_uppercase() ^ 0x40, 2, true),
        b'd' => number(behind, 10, 3)?,
        b'o' => number(behind, 8, 3)?,
        b'x' => number(behind, 16, 2)?,
        _ => return None,
    })
}

fn number(digits: &[u8], radix: u32, length_max: usize) -> Option<(u8, usize, bool)> {
    let mut value = 0_u32;
    let mut length = 0;
    for digit in digits.iter().take(length_max) {
        let Some(digit) = char::from(*digit).to_digit(radix) else {
            break;
        };
        value = value * radix + digit;
        length += 1;
    }
    // The value wraps as a byte does.
    let byte = value.to_le_bytes().first().copied()?;
    (length > 0).then_some((byte, length + 1, true))
}

/// Replaces the escapes in a text. All others stay as they are.
pub(crate) fn convert(text: &[u8], place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        if *byte != b'\\' {
            out.push(*byte);
            rest = behind;
            continue;
        }
        match read(behind) {
            Some((byte, length, is_number)) => {
                let special: &[u8] = match place {
                    Place::Text => b"\\",
                    // As GNU sed 4.9 has it, a special character that is written as a number is special.
                    Place::Regex => b"",
                    Place::Replacement => b"&\\",
                };
                if (is_number && special.contains(&byte))
                    || (byte == b'\n' && place == Place::Replacement)
                {
                    out.push(b'\\');
                }
                out.push(byte);
                rest = behind.get(length..).unwrap_or_default();
            }
            None => {
                out.push(b'\\');
                let (next, behind) = behind.split_at(behind.len().min(1));
                out.extend_from_slice(next);
                rest = behind;
            }
        }
    }
    out
}
