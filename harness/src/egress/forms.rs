//! The ways in which a secret may come back: as it is, and as the usual encodings write it.
//!
//! Deliberately absent: base64 in lines, and what only a peer that means to would do, such as sending it backwards or
//! in two responses. The secret goes to nobody but the hosts that its owner named.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Shortest secret that is looked for: a shorter one is in every other text by chance, and masking it would make
/// outputs useless. Whoever can choose it can guess it.
const SECRET_BYTES_MIN: usize = 5;
/// Longest secret whose encodings are looked for as well; they would make the search slow.
const ENCODED_BYTES_MAX: usize = 8 << 10;
/// Shortest encoding that is looked for, as above.
const ENCODED_BYTES_MIN: usize = 7;

/// Returns the texts to look for, the secret itself first; none of one that is too short.
pub(crate) fn of_secret(secret: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    let mut add = |form: Vec<u8>| {
        let form = Zeroizing::new(form);
        if !forms.contains(&form) {
            forms.push(form);
        }
    };
    if secret.len() < SECRET_BYTES_MIN {
        return forms;
    }
    add(secret.to_vec());
    if secret.len() > ENCODED_BYTES_MAX {
        return forms;
    }
    for form in [
        percent(secret, "%", true, is_unreserved),
        percent(secret, "%", false, is_unreserved),
        percent(secret, "%", true, is_path),
        form(secret),
        percent(secret, "", true, |_| false),
        percent(secret, "", false, |_| false),
    ]
    .into_iter()
    .chain(JSON_WRITERS.iter().map(|writer| json_by(secret, writer)))
    .chain(HTML_WRITERS.iter().map(|writer| html(secret, writer)))
    .chain(base64(secret))
    .filter(|form| form.len() >= ENCODED_BYTES_MIN)
    {
        add(form);
    }
    forms
}

pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// What browsers leave as it is in a path.
fn is_path(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@/".contains(&byte)
}

/// Returns it with all but some bytes as hexadecimal digits behind a mark.
pub(super) fn percent(
    secret: &[u8],
    mark: &str,
    is_upper: bool,
    is_kept: fn(u8) -> bool,
) -> Vec<u8> {
    let mut text = String::with_capacity(secret.len() * 3);
    for byte in secret {
        let _ = match (is_kept(*byte), is_upper) {
            (true, _) => write!(text, "{}", char::from(*byte)),
            (false, true) => write!(text, "{mark}{byte:02X}"),
            (false, false) => write!(text, "{mark}{byte:02x}"),
        };
    }
    text.into_bytes()
}

/// Returns it as a form's field has it.
fn form(secret: &[u8]) -> Vec<u8> {
    let text: String = url::form_urlencoded::byte_serialize(secret).collect();
    text.into_bytes()
}

/// What writers of JSON escape although they need not.
#[derive(Clone, Copy, Default)]
struct JsonWriter {
    /// `/` becomes `\/`, as in PHP.
    slashes: bool,
    /// `<`, `>` and `&` become `\u003c` and so on, as in Go.
    markup: bool,
    /// Everything beyond ASCII becomes `\uXXXX`, as in Python.
    beyond_ascii: bool,
}

const JSON_WRITERS: [JsonWriter; 5] = {
    let [slashes, markup, beyond_ascii] = [false; 3];
    let plain = JsonWriter {
        slashes,
        markup,
        beyond_ascii,
    };
    [
        plain,
        JsonWriter {
            slashes: true,
            ..plain
        },
        JsonWriter {
            markup: true,
            ..plain
        },
        JsonWriter {
            beyond_ascii: true,
            ..plain
        },
        JsonWriter {
            slashes: true,
            beyond_ascii: true,
            ..plain
        },
    ]
};

/// Returns it as it stands within a JSON string.
pub(super) fn json(secret: &[u8]) -> Vec<u8> {
    json_by(secret, &JsonWriter::default())
}

fn json_by(secret: &[u8], writer: &JsonWriter) -> Vec<u8> {
    let text = String::from_utf8_lossy(secret);
    let quoted = serde_json::to_string(&text).unwrap_or_default();
    let inner = quoted.strip_prefix('"').unwrap_or(&quoted);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut out = String::with_capacity(inner.len());
    for one in inner.chars() {
        match one {
            '/' if writer.slashes => out.push_str("\\/"),
            '<' | '>' | '&' if writer.markup => {
                let _ = write!(out, "\\u{:04x}", u32::from(one));
            }
            _ if writer.beyond_ascii && !one.is_ascii() => {
                for unit in one.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(one),
        }
    }
    out.into_bytes()
}

/// How writers of HTML escape quotes and `+`; the rest is the same everywhere.
struct HtmlWriter {
    double: &'static str,
    single: &'static str,
    plus: &'static str,
}

const HTML_WRITERS: [HtmlWriter; 4] = [
    HtmlWriter {
        double: "&quot;",
        single: "'",
        plus: "+",
    },
    HtmlWriter {
        double: "&quot;",
        single: "&#x27;",
        plus: "+",
    },
    HtmlWriter {
        double: "&quot;",
        single: "&#39;",
        plus: "+",
    },
    HtmlWriter {
        double: "&#34;",
        single: "&#39;",
        plus: "&#43;",
    },
];

fn html(secret: &[u8], writer: &HtmlWriter) -> Vec<u8> {
    let mut out = Vec::with_capacity(secret.len());
    for byte in secret {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(writer.double.as_bytes()),
            b'\'' => out.extend_from_slice(writer.single.as_bytes()),
            b'+' => out.extend_from_slice(writer.plus.as_bytes()),
            other => out.push(*other),
        }
    }
    out
}

/// Returns what is in base64 of every text that holds it: its bytes may begin at each of three places in a group of
/// four digits, and the digits at both ends depend on what is beside it.
fn base64(secret: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..3usize).flat_map(move |before| {
        let mut padded = Zeroizing::new(vec![0; before]);
        padded.extend_from_slice(secret);
        let own_bits = padded.len() * 8;
        let first = (before * 8).div_ceil(6);
        let last = own_bits / 6;
        [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].map(|alphabet| {
            let text = alphabet.encode(&*padded);
            text.as_bytes()
                .get(first..last)
                .unwrap_or_default()
                .to_vec()
        })
    })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    #[test]
    fn every_encoding_holds_a_form() {
        let secret = b"s3cr\"t/v&lue?>~\xc3\xbf";
        let forms = of_secret(secret);
        let is_found = |text: &[u8]| {
            forms
                .iter()
                .any(|form| text.windows(form.len()).any(|window| window == &form[..]))
        };
        for before in 0..7 {
            for after in 0..7 {
                let mut text = vec![b'x'; before];
                text.extend_from_slice(secret);
                text.extend(vec![b'y'; after]);
                assert!(is_found(&text));
                assert!(
                    is_found(STANDARD.encode(&text).as_bytes()),
                    "{before} {after}"
                );
                assert!(is_found(URL_SAFE.encode(&text).as_bytes()));
            }
        }
        let text = String::from_utf8(secret.to_vec()).unwrap();
        assert!(is_found(serde_json::to_string(&text).unwrap().as_bytes()));
        assert!(is_found(b"a=s3cr%22t%2Fv%26lue%3F%3E~%C3%BF"));
        assert!(is_found(b"a=s3cr%22t%2fv%26lue%3f%3e~%c3%bf"));
        for text in [
            "s3cr&quot;t/v&amp;lue?&gt;~ÿ",
            "s3cr&#34;t/v&amp;lue?&gt;~ÿ",
            r#"{"go":"s3cr\"t/v\u0026lue?\u003e~ÿ"}"#,
            r#"{"python":"s3cr\"t/v&lue?>~\u00ff"}"#,
            r#"{"php":"s3cr\"t\/v&lue?>~\u00ff"}"#,
            "form=s3cr%22t%2Fv%26lue%3F%3E%7E%C3%BF",
        ] {
            assert!(is_found(text.as_bytes()), "{text}");
        }
        let quoted = of_secret("it's+1 \u{1f511}".as_bytes());
        let has = |form: &[u8]| quoted.iter().any(|one| one[..] == *form);
        assert!(has("it&#x27;s+1 \u{1f511}".as_bytes()));
        assert!(has("it&#39;s&#43;1 \u{1f511}".as_bytes()));
        assert!(has(br"it's+1 \ud83d\udd11"));
        assert!(has(b"it%27s%2B1+%F0%9F%94%91"));
        assert!(!is_found(b"s3cr"));
        assert!(of_secret(b"abcd").is_empty());
        assert_eq!(of_secret(&[b'a'; ENCODED_BYTES_MAX + 1]).len(), 1);
    }
}
