//! Texts as the modes of output write them: for SQL, C, CSV, HTML and JSON.

use std::io::{self, Write};

/// Words of SQL: a name that is one must be quoted.
const KEYWORDS: &str = " abort action add after all alter always analyze and as asc attach autoincrement before begin \
    between by cascade case cast check collate column commit conflict constraint create cross current current_date \
    current_time current_timestamp database default deferrable deferred delete desc detach distinct do drop each else \
    end escape except exclude exclusive exists explain fail filter first following for foreign from full generated \
    glob group groups having if ignore immediate in index indexed initially inner insert instead intersect into is \
    isnull join key last left like limit match materialized natural no not nothing notnull null nulls of offset on or \
    order others outer over partition plan pragma preceding primary query raise range recursive references regexp \
    reindex release rename replace restrict returning right rollback row rows savepoint select set table temp \
    temporary then ties to transaction trigger unbounded union unique update using vacuum values view virtual when \
    where window with without ";

/// Returns whether a name means itself only in quotes.
pub(crate) fn needs_quotes(name: &[u8]) -> bool {
    let plain = name
        .first()
        .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if !plain {
        return true;
    }
    let word = String::from_utf8_lossy(name).to_ascii_lowercase();
    KEYWORDS.contains(&format!(" {word} "))
}

/// Returns a name as SQL: in double quotes if it needs them.
pub(crate) fn name(name: &[u8]) -> Vec<u8> {
    if needs_quotes(name) {
        doubled(name, b'"')
    } else {
        name.to_vec()
    }
}

/// Returns a text within a quotation mark, with that doubled in it.
pub(crate) fn doubled(text: &[u8], mark: u8) -> Vec<u8> {
    let mut quoted = vec![mark];
    for byte in text {
        if *byte == mark {
            quoted.push(mark);
        }
        quoted.push(*byte);
    }
    quoted.push(mark);
    quoted
}

/// Returns a text for SQL whose line ends are written as `char(10)` and `char(13)`.
pub(crate) fn on_one_line(text: &[u8]) -> Vec<u8> {
    let feed = contains(text, b"\n").then(|| unused(text, "\\n", "\\012"));
    let carriage = contains(text, b"\r").then(|| unused(text, "\\r", "\\015"));
    if feed.is_none() && carriage.is_none() {
        return doubled(text, b'\'');
    }
    let mut line = Vec::new();
    for _ in [&feed, &carriage].into_iter().flatten() {
        line.extend_from_slice(b"replace(");
    }
    line.push(b'\'');
    for byte in text {
        match (byte, &feed, &carriage) {
            (b'\n', Some(mark), _) | (b'\r', _, Some(mark)) => {
                line.extend_from_slice(mark.as_bytes());
            }
            (b'\'', ..) => line.extend_from_slice(b"''"),
            _ => line.push(*byte),
        }
    }
    line.push(b'\'');
    for (mark, code) in [(&carriage, 13), (&feed, 10)] {
        if let Some(mark) = mark {
            line.extend_from_slice(format!(",'{mark}',char({code}))").as_bytes());
        }
    }
    line
}

/// Returns a mark that does not occur in the text.
fn unused(text: &[u8], first: &str, second: &str) -> String {
    for mark in [first, second] {
        if !contains(text, mark.as_bytes()) {
            return mark.to_owned();
        }
    }
    let mut count = 0;
    loop {
        let mark = format!("({first}{count})");
        if !contains(text, mark.as_bytes()) {
            return mark;
        }
        count += 1;
    }
}

pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}

/// Returns bytes as SQL: `X'...'`.
pub(crate) fn blob(bytes: &[u8]) -> Vec<u8> {
    let mut text = b"X'".to_vec();
    for byte in bytes {
        text.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    text.push(b'\'');
    text
}

/// Returns a field of a CSV file.
pub(crate) fn csv(text: &[u8], separator: &[u8]) -> Vec<u8> {
    let special = |byte: &u8| !(0x21..=0x7e).contains(byte) || matches!(byte, b'"' | b'\'');
    if text.is_empty() || text.iter().any(special) || contains(text, separator) {
        doubled(text, b'"')
    } else {
        text.to_vec()
    }
}

/// Writes a text as C and Tcl have it.
pub(crate) fn c(out: &mut dyn Write, text: &[u8]) -> io::Result<()> {
    out.write_all(b"\"")?;
    for byte in text {
        match byte {
            b'\\' => out.write_all(b"\\\\")?,
            b'"' => out.write_all(b"\\\"")?,
            b'\t' => out.write_all(b"\\t")?,
            b'\n' => out.write_all(b"\\n")?,
            b'\r' => out.write_all(b"\\r")?,
            0x20..=0x7e => out.write_all(&[*byte])?,
            _ => write!(out, "\\{byte:03o}")?,
        }
    }
    out.write_all(b"\"")
}

/// Writes a text for HTML.
pub(crate) fn html(out: &mut dyn Write, text: &[u8]) -> io::Result<()> {
    for byte in text {
        match byte {
            b'<' => out.write_all(b"&lt;")?,
            b'&' => out.write_all(b"&amp;")?,
            b'>' => out.write_all(b"&gt;")?,
            b'"' => out.write_all(b"&quot;")?,
            b'\'' => out.write_all(b"&#39;")?,
            _ => out.write_all(&[*byte])?,
        }
    }
    Ok(())
}

/// Writes a text as JSON has it. Bytes are left as they are but for what JSON forbids.
pub(crate) fn json(out: &mut dyn Write, text: &[u8]) -> io::Result<()> {
    out.write_all(b"\"")?;
    for byte in text {
        match byte {
            b'"' | b'\\' => out.write_all(&[b'\\', *byte])?,
            0x08 => out.write_all(b"\\b")?,
            0x0c => out.write_all(b"\\f")?,
            b'\n' => out.write_all(b"\\n")?,
            b'\r' => out.write_all(b"\\r")?,
            b'\t' => out.write_all(b"\\t")?,
            0..=0x1f => write!(out, "\\u{byte:04x}")?,
            _ => out.write_all(&[*byte])?,
        }
    }
    out.write_all(b"\"")
}
