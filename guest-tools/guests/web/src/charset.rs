//! Bytes of any encoding to text.
//!
//! As browsers do: a byte order mark counts more than the header, the header more than what the page says of itself.
//! Where nobody says anything it is UTF-8, or Windows-1252 if it cannot be.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far into a page its own word on its encoding is looked for, in bytes, as the HTML standard has it.
const HEAD_BYTES: usize = 1024;

/// Returns the text of a body whose `Content-Type` names an encoding, or whose head may.
pub fn decoded(bytes: &[u8], header: Option<&str>, has_head: bool) -> String {
    let named = |name: &str| Encoding::for_label(name.as_bytes());
    let encoding = Encoding::for_bom(bytes)
        .map(|(encoding, _)| encoding)
        .or_else(|| header.and_then(named))
        .or_else(|| in_head(bytes).filter(|_| has_head))
        .unwrap_or_else(|| match std::str::from_utf8(bytes) {
            Err(error) if error.error_len().is_some() => WINDOWS_1252,
            _ => UTF_8,
        });
    let (text, _, _) = encoding.decode(bytes);
    text.into_owned()
}

/// Returns what `<meta charset>` or the XML declaration says.
fn in_head(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let declared = head.strip_prefix("<?xml").and_then(|rest| {
        let declaration = rest.split('>').next()?;
        value_after(declaration, "encoding")
    });
    let meta = head
        .split("<meta")
        .skip(1)
        .filter_map(|rest| value_after(rest.split('>').next()?, "charset"))
        .next();
    let encoding = Encoding::for_label(declared.or(meta)?.as_bytes())?;
    // It could not have been read if it were true.
    Some(match encoding == UTF_16LE || encoding == UTF_16BE {
        true => UTF_8,
        false => encoding,
    })
}

fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(name)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let rest = rest.trim_start_matches(['"', '\'']);
    rest.split(|c: char| c.is_whitespace() || "\"';?/>".contains(c))
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_it_best_is_believed() {
        for (bytes, header, expected) in [
            ("grün".as_bytes(), None, "grün"),
            (b"gr\xfcn", None, "grün"),
            (b"gr\xfcn", Some("iso-8859-1"), "grün"),
            (b"\xef\xbb\xbfgr\xc3\xbcn", Some("iso-8859-1"), "grün"),
            (b"\xff\xfea\0", None, "a"),
            (b"\x8a\xbf\x8e\x9a", Some("Shift_JIS"), "漢字"),
            (b"gr\xfcn", Some("no such"), "grün"),
            (
                b"<meta charset=\"koi8-r\">\xd2",
                None,
                "<meta charset=\"koi8-r\">р",
            ),
            (
                b"<META http-equiv=x content='text/html; charset=koi8-r'>\xd2",
                None,
                "<META http-equiv=x content='text/html; charset=koi8-r'>р",
            ),
            (
                b"<?xml version='1.0' encoding='iso-8859-2'?>\xe8",
                None,
                "<?xml version='1.0' encoding='iso-8859-2'?>č",
            ),
            (
                b"<meta charset=utf-16>\xc3\xbc",
                None,
                "<meta charset=utf-16>ü",
            ),
        ] {
            assert_eq!(decoded(bytes, header, true), expected);
        }
    }

    #[test]
    fn broken_text_stays_text() {
        assert_eq!(decoded(b"a\xff", Some("utf-8"), false), "a\u{fffd}");
        assert_eq!(decoded(b"cut\xc3", None, false), "cut\u{fffd}");
    }
}
