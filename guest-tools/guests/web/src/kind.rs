//! What a body is: by its first bytes where those are sure, otherwise by what the server says.

use crate::client::Fetched;

/// How far into a body its kind is looked for, in bytes.
const HEAD_BYTES: usize = 1024;

/// What can be done with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture of this media type that a model can look at.
    Image(&'static str),
    /// A PDF file.
    Pdf,
    /// A page.
    Html,
    /// XML, which may be a feed.
    Xml,
    /// JSON, which may be a feed.
    Json,
    /// Other text.
    Text,
    /// Anything else.
    Binary,
}

/// Returns what a body is.
pub fn of(fetched: &Fetched) -> Kind {
    let body = &fetched.body;
    let head = body.get(..HEAD_BYTES).unwrap_or(body);
    if let Some(kind) = by_mark(head) {
        return kind;
    }
    let media_type = fetched.media_type.as_str();
    let kind = match media_type {
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "text/xml" | "application/xml" => Kind::Xml,
        "application/json" | "text/json" => Kind::Json,
        "application/javascript"
        | "application/x-javascript"
        | "application/ecmascript"
        | "application/yaml"
        | "application/x-yaml"
        | "application/toml"
        | "application/sql"
        | "application/graphql"
        | "application/x-sh"
        | "application/x-httpd-php"
        | "application/rtf"
        | "application/x-ndjson"
        | "application/jsonlines"
        | "application/x-www-form-urlencoded"
        | "application/x-tex"
        | "application/x-latex"
        | "message/rfc822" => Kind::Text,
        // Servers say the second of what they do not know.
        "" | "application/octet-stream" | "binary/octet-stream" => by_look(head),
        other if other.ends_with("+xml") => Kind::Xml,
        other if other.ends_with("+json") => Kind::Json,
        other if other.starts_with("text/") => Kind::Text,
        _ => Kind::Binary,
    };
    let is_text = matches!(kind, Kind::Text | Kind::Json | Kind::Xml | Kind::Html);
    match is_text && is_binary(head, fetched.charset.as_deref()) {
        true => Kind::Binary,
        false => kind,
    }
}

/// Returns what only one kind of file begins with.
fn by_mark(head: &[u8]) -> Option<Kind> {
    match head {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Kind::Image("image/png")),
        [0xff, 0xd8, 0xff, ..] => Some(Kind::Image("image/jpeg")),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Kind::Image("image/gif")),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(Kind::Image("image/webp")),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some(Kind::Pdf),
        _ => None,
    }
}

/// Returns what a body of unknown type looks like.
fn by_look(head: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let start: String = text
        .chars()
        .take(14)
        .collect::<String>()
        .to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        Kind::Html
    } else if start.starts_with("<?xml") {
        Kind::Xml
    } else if start.starts_with(['{', '[']) {
        Kind::Json
    } else {
        Kind::Text
    }
}

/// Tells whether a body that is called text is none: text has no such control characters, unless it is UTF-16.
fn is_binary(head: &[u8], charset: Option<&str>) -> bool {
    let is_wide = head.starts_with(b"\xff\xfe")
        || head.starts_with(b"\xfe\xff")
        || charset.is_some_and(|name| name.to_ascii_lowercase().starts_with("utf-16"));
    !is_wide && head.iter().any(|byte| matches!(byte, 0..=8 | 0x0e..=0x1a))
}

#[cfg(test)]
mod tests {
    use http_client::address::Address;

    use super::*;

    fn check(media_type: &str, body: &[u8], expected: Kind) {
        let fetched = Fetched {
            address: Address::parse("https://a.example/").unwrap(),
            is_redirected: false,
            status: 200,
            media_type: media_type.to_owned(),
            charset: None,
            body: body.to_vec(),
        };
        assert_eq!(of(&fetched), expected, "{media_type} {body:?}");
    }

    #[test]
    fn kinds() {
        check("text/html", b"hello", Kind::Html);
        check("text/html", b"%PDF-1.7", Kind::Pdf);
        check("text/plain", b"\xff\xd8\xff\xe0", Kind::Image("image/jpeg"));
        check("image/png", b"no picture", Kind::Binary);
        check("image/svg+xml", b"<svg/>", Kind::Xml);
        check("application/ld+json", b"{}", Kind::Json);
        check("text/markdown", b"# x", Kind::Text);
        check("text/plain", b"a\0b", Kind::Binary);
        check("text/plain", b"\xff\xfea\0", Kind::Text);
        check("", b"  <!DOCTYPE HTML>", Kind::Html);
        check("", b"<?xml version='1.0'?>", Kind::Xml);
        check("application/octet-stream", b"[1]", Kind::Json);
        check("application/octet-stream", b"PK\x03\x04", Kind::Binary);
        check("application/zip", b"PK\x03\x04", Kind::Binary);
        check("", b"plain", Kind::Text);
    }
}
