//! Which encoding text is in.

/// How much is looked at.
const BYTES_MAX: usize = 64 << 10;

/// What the bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ascii,
    Utf8,
    Utf8WithMark,
    Utf16 { is_big: bool },
    Utf32 { is_big: bool },
    Latin1,
    Extended,
    Binary,
}

#[derive(Clone, Debug)]
pub(super) struct Encoding {
    pub(super) kind: Kind,
    /// Zeros at the end, which no text has, do not make it binary.
    has_zeros: bool,
    /// The characters; each byte one where they are not Unicode.
    pub(super) letters: Vec<char>,
}

impl Encoding {
    pub(super) fn is_text(&self) -> bool {
        self.kind != Kind::Binary
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Ascii => "ASCII",
            Kind::Utf8 => "Unicode text, UTF-8",
            Kind::Utf8WithMark => "Unicode text, UTF-8 (with BOM)",
            Kind::Utf16 { is_big: true } => "Unicode text, UTF-16, big-endian",
            Kind::Utf16 { is_big: false } => "Unicode text, UTF-16, little-endian",
            Kind::Utf32 { is_big: true } => "Unicode text, UTF-32, big-endian",
            Kind::Utf32 { is_big: false } => "Unicode text, UTF-32, little-endian",
            Kind::Latin1 => "ISO-8859",
            Kind::Extended => "Non-ISO extended-ASCII",
            Kind::Binary => "data",
        }
    }

    pub(super) fn charset(&self) -> &'static str {
        match self.kind {
            _ if self.has_zeros => "binary",
            Kind::Ascii => "us-ascii",
            Kind::Utf8 | Kind::Utf8WithMark => "utf-8",
            Kind::Utf16 { is_big: true } => "utf-16be",
            Kind::Utf16 { is_big: false } => "utf-16le",
            Kind::Utf32 { is_big: true } => "utf-32be",
            Kind::Utf32 { is_big: false } => "utf-32le",
            Kind::Latin1 => "iso-8859-1",
            Kind::Extended => "unknown-8bit",
            Kind::Binary => "binary",
        }
    }
}

/// Finds the encoding of bytes.
pub(super) fn find(bytes: &[u8]) -> Encoding {
    let head = bytes.get(..BYTES_MAX).unwrap_or(bytes);
    let end = head
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    let trimmed = head.get(..end).unwrap_or(head);
    let wide = if bytes.len() > 1 { wide(head) } else { None };
    if wide.is_none()
        && trimmed.len() > 1
        && !head.starts_with(b"SQLite format 3\0")
        && let Some((kind, letters)) = narrow(trimmed)
    {
        return Encoding {
            kind,
            has_zeros: end < bytes.len() && bytes.len() <= BYTES_MAX,
            letters,
        };
    }
    let (kind, letters) = wide.unwrap_or((Kind::Binary, Vec::new()));
    Encoding {
        kind,
        has_zeros: false,
        letters,
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, 7..=13 | 27 | 32..=126)
}

/// Encodings whose ASCII characters are bytes.
fn narrow(bytes: &[u8]) -> Option<(Kind, Vec<char>)> {
    let plain = || bytes.iter().copied().map(char::from).collect();
    // The line end of EBCDIC's heirs counts as ASCII, oddly.
    if bytes.iter().all(|byte| is_text(*byte) || *byte == 0x85) {
        return Some((Kind::Ascii, plain()));
    }
    let (kind, content) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(content) => (Kind::Utf8WithMark, content),
        None => (Kind::Utf8, bytes),
    };
    if let Some(letters) = utf8(content) {
        return Some((kind, letters));
    }
    if bytes
        .iter()
        .all(|byte| is_text(*byte) || *byte == 0x85 || *byte >= 0xa0)
    {
        return Some((Kind::Latin1, plain()));
    }
    bytes
        .iter()
        .all(|byte| is_text(*byte) || *byte >= 0x80)
        .then(|| (Kind::Extended, plain()))
}

fn utf8(bytes: &[u8]) -> Option<Vec<char>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The end may be cut within a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let is_fine =
        |letter: char| u8::try_from(letter).map_or(true, |byte| byte >= 0x80 || is_text(byte));
    text.chars().all(is_fine).then(|| text.chars().collect())
}

/// UTF-16 and UTF-32 with their marks.
fn wide(bytes: &[u8]) -> Option<(Kind, Vec<char>)> {
    let (kind, size, is_big) = match bytes {
        [0xff, 0xfe, 0, 0, ..] => (Kind::Utf32 { is_big: false }, 4, false),
        [0, 0, 0xfe, 0xff, ..] => (Kind::Utf32 { is_big: true }, 4, true),
        [0xff, 0xfe, ..] => (Kind::Utf16 { is_big: false }, 2, false),
        [0xfe, 0xff, ..] => (Kind::Utf16 { is_big: true }, 2, true),
        _ => return None,
    };
    let units: Vec<u32> = bytes
        .chunks_exact(size)
        .skip(1)
        .map(|unit| {
            let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
            if is_big {
                unit.iter().fold(0, add)
            } else {
                unit.iter().rev().fold(0, add)
            }
        })
        .collect();
    let is_fine = |unit: &u32| match u8::try_from(*unit) {
        Ok(byte) => byte >= 0x80 || is_text(byte),
        Err(_) => *unit != 0xfffe && *unit != 0xffff,
    };
    if !units.iter().all(is_fine) {
        return None;
    }
    let letters = units
        .into_iter()
        .map(|unit| char::from_u32(unit).unwrap_or('\u{fffd}'))
        .collect();
    Some((kind, letters))
}
