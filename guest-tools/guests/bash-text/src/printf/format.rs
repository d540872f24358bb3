//! Reading a format.

use bstr::BString;

use crate::echo;

/// An element of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// Text, its escapes decoded.
    Text(BString),
    Conversion(Conversion),
    /// Ends the output with a message.
    Wrong(BString),
}

/// A conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conversion {
    pub(super) flags: Flags,
    pub(super) width: Amount,
    pub(super) precision: Amount,
    pub(super) letter: u8,
    /// The inside of `%(...)T`.
    pub(super) time: Option<BString>,
}

/// The flags of a conversion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) is_left: bool,
    pub(super) has_plus: bool,
    pub(super) has_space: bool,
    pub(super) has_zero: bool,
    pub(super) is_alternate: bool,
}

/// A width or precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    None,
    Fixed(i64),
    /// `*`: the next argument.
    Argument,
}

pub(super) fn items(text: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut plain = Vec::new();
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'\\' => rest = escape(after, &mut plain),
            b'%' if after.first() == Some(&b'%') => {
                plain.push(b'%');
                rest = after.get(1..).unwrap_or_default();
            }
            b'%' => {
                if !plain.is_empty() {
                    items.push(Item::Text(BString::from(std::mem::take(&mut plain))));
                }
                let (item, left) = conversion(after);
                rest = left;
                let is_wrong = matches!(item, Item::Wrong(_));
                items.push(item);
                if is_wrong {
                    return items;
                }
            }
            byte => {
                plain.push(*byte);
                rest = after;
            }
        }
    }
    if !plain.is_empty() {
        items.push(Item::Text(BString::from(plain)));
    }
    items
}

/// Decodes the escape behind a backslash; octal ones have up to three digits in all.
fn escape<'a>(text: &'a [u8], output: &mut Vec<u8>) -> &'a [u8] {
    let Some((letter, after)) = text.split_first() else {
        output.push(b'\\');
        return text;
    };
    let decoded = match letter {
        b'a' => 7,
        b'b' => 8,
        b'e' | b'E' => 27,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' | b'"' | b'\'' | b'?' => *letter,
        b'0'..=b'7' => return echo::octal(text, 3, output),
        b'x' => return echo::hexadecimal(after, output),
        b'u' => return echo::unicode(b'u', after, 4, output),
        b'U' => return echo::unicode(b'U', after, 8, output),
        _ => {
            output.extend_from_slice(&[b'\\', *letter]);
            return after;
        }
    };
    output.push(decoded);
    after
}

fn conversion(text: &[u8]) -> (Item, &[u8]) {
    let mut rest = text;
    let mut flags = Flags::default();
    while let Some((flag @ (b'-' | b'+' | b' ' | b'0' | b'#' | b'\''), after)) = rest.split_first()
    {
        match flag {
            b'-' => flags.is_left = true,
            b'+' => flags.has_plus = true,
            b' ' => flags.has_space = true,
            b'0' => flags.has_zero = true,
            b'#' => flags.is_alternate = true,
            // Grouping: the locale has none.
            _ => {}
        }
        rest = after;
    }
    let width;
    (width, rest) = amount(rest);
    let mut precision = Amount::None;
    if let Some((b'.', after)) = rest.split_first() {
        let negative = after.strip_prefix(b"-");
        (precision, rest) = amount(negative.unwrap_or(after));
        match (negative, precision) {
            (Some(_), Amount::Fixed(_)) => precision = Amount::None,
            (None, Amount::None) => precision = Amount::Fixed(0),
            _ => {}
        }
    }
    let mut time = None;
    if let Some((b'(', after)) = rest.split_first() {
        match after.iter().position(|byte| *byte == b')') {
            Some(end) => {
                time = after.get(..end).map(BString::from);
                rest = after.get(end + 1..).unwrap_or_default();
            }
            None => {
                return (
                    Item::Wrong(BString::from("`(': invalid format character")),
                    rest,
                );
            }
        }
        if rest.first() != Some(&b'T') {
            let letter = BString::from(rest.get(..1).unwrap_or_default());
            return (
                Item::Wrong(BString::from(format!(
                    "`{letter}': invalid format character"
                ))),
                rest,
            );
        }
    }
    while let Some((b'h' | b'l' | b'j' | b'z' | b't' | b'L', after)) = rest.split_first() {
        rest = after;
    }
    match rest.split_first() {
        None => {
            let whole = BString::from(text);
            (
                Item::Wrong(BString::from(format!(
                    "`%{whole}': missing format character"
                ))),
                rest,
            )
        }
        Some((b'T', after)) if time.is_some() => (
            Item::Conversion(Conversion {
                flags,
                width,
                precision,
                letter: b'T',
                time,
            }),
            after,
        ),
        Some((letter, after)) if b"diouxXeEfFgGaAcsbqQn".contains(letter) => (
            Item::Conversion(Conversion {
                flags,
                width,
                precision,
                letter: *letter,
                time: None,
            }),
            after,
        ),
        Some((letter, _)) => {
            let letter = BString::from(vec![*letter]);
            (
                Item::Wrong(BString::from(format!(
                    "`{letter}': invalid format character"
                ))),
                rest,
            )
        }
    }
}

fn amount(text: &[u8]) -> (Amount, &[u8]) {
    if let Some((b'*', after)) = text.split_first() {
        return (Amount::Argument, after);
    }
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = text.split_at_checked(length).unwrap_or((text, &[]));
    if length == 0 {
        return (Amount::None, after);
    }
    let value = digits.iter().fold(0_i64, |value, digit| {
        (value * 10 + i64::from(digit - b'0')).min(i64::from(i32::MAX))
    });
    (Amount::Fixed(value), after)
}
