//! Encodings by their names. Unicode's and Latin-1 are here, all others the crate `encoding_rs` knows.

use encoding_rs::{DecoderResult, EncoderResult, Encoding};

#[derive(Clone, Copy, Debug)]
pub(super) enum Charset {
    Ascii,
    Latin1,
    Utf8,
    /// With a mark if the order of the bytes is not said by the name.
    Utf16 {
        is_big: bool,
        has_mark: bool,
    },
    Utf32 {
        is_big: bool,
        has_mark: bool,
    },
    Other(&'static Encoding),
}

pub(super) enum Decoded {
    Letter(char, usize),
    /// So many bytes stand for nothing.
    Illegal(usize),
    Incomplete,
}

/// No character of any encoding has more bytes, with the sequences that shift.
const CHARACTER_BYTES_MAX: usize = 8;

/// Names of glibc's that `encoding_rs` has under others, without `-` and `_`.
const ALIASES: &[(&str, &str)] = &[
    ("CP1250", "windows-1250"),
    ("CP1251", "windows-1251"),
    ("CP1252", "windows-1252"),
    ("CP1253", "windows-1253"),
    ("CP1254", "windows-1254"),
    ("CP1255", "windows-1255"),
    ("CP1256", "windows-1256"),
    ("CP1257", "windows-1257"),
    ("CP1258", "windows-1258"),
    ("CP866", "ibm866"),
    ("CP874", "windows-874"),
    ("CP932", "shift_jis"),
    ("CP936", "gbk"),
    ("CP949", "euc-kr"),
    ("CP950", "big5"),
    ("MACINTOSH", "macintosh"),
    ("MAC", "macintosh"),
    ("BIG5HKSCS", "big5"),
    ("GB2312", "gbk"),
    ("EUCCN", "gbk"),
    ("SJIS", "shift_jis"),
    ("LATIN2", "iso-8859-2"),
    ("LATIN9", "iso-8859-15"),
    ("CYRILLIC", "iso-8859-5"),
    ("GREEK", "iso-8859-7"),
];

impl Charset {
    /// Returns the encoding of a name, in any case, with or without dashes.
    pub(super) fn find(name: &str) -> Option<Self> {
        let upper = name.to_uppercase();
        let short: String = upper
            .chars()
            .filter(|letter| !"-_".contains(*letter))
            .collect();
        let unicode = |is_big, has_mark, is_wide| {
            if is_wide {
                Self::Utf32 { is_big, has_mark }
            } else {
                Self::Utf16 { is_big, has_mark }
            }
        };
        Some(match short.as_str() {
            "ASCII" | "USASCII" | "ANSIX3.41968" | "646" | "ISO646US" | "CP367" => Self::Ascii,
            "LATIN1" | "ISO88591" | "L1" | "CP819" | "IBM819" => Self::Latin1,
            "UTF8" => Self::Utf8,
            "UTF16" | "UNICODE" => unicode(false, true, false),
            "UTF16LE" | "UCS2LE" | "UCS2" | "UNICODELITTLE" => unicode(false, false, false),
            "UTF16BE" | "UCS2BE" | "UNICODEBIG" => unicode(true, false, false),
            "UTF32" => unicode(false, true, true),
            "UTF32LE" | "UCS4LE" | "WCHART" | "INTERNAL" => unicode(false, false, true),
            "UTF32BE" | "UCS4BE" | "UCS4" | "ISO10646" => unicode(true, false, true),
            // The web reads other encodings into these names.
            "ISO88599" | "LATIN5" | "ISO885911" | "TIS620" => return None,
            _ => {
                let alias = ALIASES.iter().find(|(known, _)| *known == short);
                let label = match alias {
                    Some((_, label)) => (*label).to_owned(),
                    None => match short.strip_prefix("ISO8859") {
                        Some(part) => format!("iso-8859-{part}"),
                        None => short
                            .strip_prefix("WINDOWS")
                            .map_or_else(|| name.to_lowercase(), |part| format!("windows-{part}")),
                    },
                };
                let encoding = Encoding::for_label(label.as_bytes())
                    .or_else(|| Encoding::for_label(short.to_lowercase().as_bytes()))?;
                // The text of one of these cannot be converted letter by letter.
                let is_unfit = [
                    encoding_rs::REPLACEMENT,
                    encoding_rs::X_USER_DEFINED,
                    encoding_rs::ISO_2022_JP,
                ]
                .contains(&encoding);
                if is_unfit {
                    return None;
                }
                Self::Other(encoding)
            }
        })
    }

    /// Returns what the output begins with.
    pub(super) fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf16 { has_mark: true, .. } => b"\xff\xfe",
            Self::Utf32 { has_mark: true, .. } => b"\xff\xfe\0\0",
            _ => b"",
        }
    }

    /// Returns the length of the mark that a text begins with.
    pub(super) fn mark_length(self, bytes: &[u8]) -> usize {
        match self {
            Self::Utf16 { has_mark: true, .. }
                if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") =>
            {
                2
            }
            Self::Utf32 { has_mark: true, .. }
                if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") =>
            {
                4
            }
            _ => 0,
        }
    }

    /// Reads one letter from the beginning of `rest`, which is of the text `all`.
    pub(super) fn decode(self, rest: &[u8], all: &[u8]) -> Decoded {
        let first = rest.first().copied().unwrap_or(0);
        match self {
            Self::Ascii if first < 128 => Decoded::Letter(char::from(first), 1),
            Self::Ascii => Decoded::Illegal(1),
            Self::Latin1 => Decoded::Letter(char::from(first), 1),
            Self::Utf8 => utf8(rest),
            Self::Utf16 { is_big, has_mark } => {
                let is_big = is_big || has_mark && all.starts_with(b"\xfe\xff");
                utf16(rest, is_big)
            }
            Self::Utf32 { is_big, has_mark } => {
                let is_big = is_big || has_mark && all.starts_with(b"\0\0\xfe\xff");
                let Some(unit) = rest.get(..4) else {
                    return Decoded::Incomplete;
                };
                match char::from_u32(number(unit, is_big)) {
                    Some(letter) => Decoded::Letter(letter, 4),
                    None => Decoded::Illegal(4),
                }
            }
            Self::Other(encoding) => other(encoding, rest),
        }
    }

    /// Writes one letter; false if there is none like it.
    pub(super) fn encode(self, letter: char, out: &mut Vec<u8>) -> bool {
        let code = u32::from(letter);
        match self {
            Self::Ascii | Self::Latin1 => {
                let most = if matches!(self, Self::Ascii) {
                    127
                } else {
                    255
                };
                match u8::try_from(code) {
                    Ok(byte) if byte <= most => {
                        out.push(byte);
                        true
                    }
                    _ => false,
                }
            }
            Self::Utf8 => {
                let mut buffer = [0; 4];
                out.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
                true
            }
            Self::Utf16 { is_big, .. } => {
                let mut buffer = [0; 2];
                for unit in letter.encode_utf16(&mut buffer) {
                    let bytes = if is_big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    };
                    out.extend_from_slice(&bytes);
                }
                true
            }
            Self::Utf32 { is_big, .. } => {
                let bytes = if is_big {
                    code.to_be_bytes()
                } else {
                    code.to_le_bytes()
                };
                out.extend_from_slice(&bytes);
                true
            }
            Self::Other(encoding) => {
                if is_control_of_the_web(encoding, code) {
                    return false;
                }
                let mut text = [0; 4];
                let text = letter.encode_utf8(&mut text);
                let mut buffer = [0; 16];
                let mut encoder = encoding.new_encoder();
                let (result, _, written) =
                    encoder.encode_from_utf8_without_replacement(text, &mut buffer, true);
                out.extend_from_slice(buffer.get(..written).unwrap_or(&[]));
                matches!(result, EncoderResult::InputEmpty)
            }
        }
    }
}

/// The web has control characters where the encodings of Windows have holes.
fn is_control_of_the_web(encoding: &'static Encoding, code: u32) -> bool {
    encoding.name().starts_with("windows-") && (0x80..0xa0).contains(&code)
}

fn number(bytes: &[u8], is_big: bool) -> u32 {
    let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
    if is_big {
        bytes.iter().fold(0, add)
    } else {
        bytes.iter().rev().fold(0, add)
    }
}

fn utf8(rest: &[u8]) -> Decoded {
    let head = rest.get(..4).unwrap_or(rest);
    let (valid, error) = match std::str::from_utf8(head) {
        Ok(text) => (text, None),
        Err(error) => (
            std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or(&[])).unwrap_or(""),
            Some(error),
        ),
    };
    match (valid.chars().next(), error) {
        (Some(letter), _) => Decoded::Letter(letter, letter.len_utf8()),
        (None, Some(error)) => match error.error_len() {
            Some(length) => Decoded::Illegal(length),
            None => Decoded::Incomplete,
        },
        (None, None) => Decoded::Incomplete,
    }
}

fn utf16(rest: &[u8], is_big: bool) -> Decoded {
    let unit = |at: usize| rest.get(at..at + 2).map(|unit| number(unit, is_big));
    let Some(first) = unit(0) else {
        return Decoded::Incomplete;
    };
    match first {
        0xd800..=0xdbff => match unit(2) {
            None => Decoded::Incomplete,
            Some(second @ 0xdc00..=0xdfff) => {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                match char::from_u32(code) {
                    Some(letter) => Decoded::Letter(letter, 4),
                    None => Decoded::Illegal(4),
                }
            }
            Some(_) => Decoded::Illegal(2),
        },
        _ => match char::from_u32(first) {
            Some(letter) => Decoded::Letter(letter, 2),
            None => Decoded::Illegal(2),
        },
    }
}

fn other(encoding: &'static Encoding, rest: &[u8]) -> Decoded {
    let mut text = [0; 32];
    for length in 1..=CHARACTER_BYTES_MAX {
        let Some(part) = rest.get(..length) else {
            return Decoded::Incomplete;
        };
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(part, &mut text, false);
        let decoded = std::str::from_utf8(text.get(..written).unwrap_or(&[])).unwrap_or("");
        if let Some(letter) = decoded.chars().next() {
            if is_control_of_the_web(encoding, u32::from(letter)) {
                return Decoded::Illegal(length);
            }
            return Decoded::Letter(letter, length);
        }
        if let DecoderResult::Malformed(bad, _) = result {
            return Decoded::Illegal(usize::from(bad).min(read).max(1));
        }
    }
    Decoded::Illegal(1)
}

/// Returns the names of the encodings.
pub(super) fn list() -> String {
    let mut names = vec![
        "ASCII",
        "BIG5",
        "CP1250",
        "CP1251",
        "CP1252",
        "CP1253",
        "CP1254",
        "CP1255",
        "CP1256",
        "CP1257",
        "CP1258",
        "CP866",
        "CP874",
        "CP932",
        "CP936",
        "CP949",
        "CP950",
        "EUC-JP",
        "EUC-KR",
        "GB18030",
        "GB2312",
        "GBK",
        "ISO-8859-1",
        "ISO-8859-2",
        "ISO-8859-3",
        "ISO-8859-4",
        "ISO-8859-5",
        "ISO-8859-6",
        "ISO-8859-7",
        "ISO-8859-8",
        "ISO-8859-10",
        "ISO-8859-13",
        "ISO-8859-14",
        "ISO-8859-15",
        "ISO-8859-16",
        "KOI8-R",
        "KOI8-U",
        "LATIN1",
        "LATIN2",
        "LATIN9",
        "MACINTOSH",
        "SHIFT_JIS",
        "SJIS",
        "UCS-2",
        "UCS-2BE",
        "UCS-2LE",
        "UCS-4",
        "UCS-4BE",
        "UCS-4LE",
        "US-ASCII",
        "UTF-16",
        "UTF-16BE",
        "UTF-16LE",
        "UTF-32",
        "UTF-32BE",
        "UTF-32LE",
        "UTF-8",
        "WINDOWS-1250",
        "WINDOWS-1251",
        "WINDOWS-1252",
        "WINDOWS-1253",
        "WINDOWS-1254",
        "WINDOWS-1255",
        "WINDOWS-1256",
        "WINDOWS-1257",
        "WINDOWS-1258",
    ];
    names.sort_unstable();
    names.iter().map(|name| format!("{name}//\n")).collect()
}
