//! Putting secrets in the place of their placeholders: in the values of headers and in the body, nowhere else.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use super::forms;
use super::policy::Denial;
use super::rewrite::{Table, With};
use crate::secrets::Secret;

/// Longest value of a header with secrets in it, in bytes: servers take no longer ones.
const VALUE_BYTES_MAX: usize = 128 << 10;

/// Most bytes of encoded secrets that are looked for at a time: the search's tables are many times as large.
const FORMS_BYTES_MAX: usize = 4 << 20;

/// A secret that may be put into one request.
pub(super) struct Injection<'a> {
    pub(super) placeholder: &'a str,
    pub(super) secret: &'a Secret,
    /// What the caller knows the credential by.
    pub(super) tag: usize,
}

/// What came of it, and the tags of the secrets in it.
type PutIn = (Zeroizing<Vec<u8>>, BTreeSet<usize>);

/// How a body writes texts, so that a secret is put in as its sender would have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Syntax {
    Json,
    Form,
    Plain,
}

impl Syntax {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next();
        let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            "application/json" => Self::Json,
            kind if kind.ends_with("+json") => Self::Json,
            _ => Self::Plain,
        }
    }

    fn write(self, secret: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Json => forms::json(secret),
            Self::Form => forms::percent(secret, "%", true, forms::is_unreserved),
            Self::Plain => secret.to_vec(),
        })
    }
}

/// Returns the table that puts these in.
pub(super) fn table(injections: &[Injection<'_>], syntax: Syntax) -> Table {
    Table::new(injections.iter().map(|injection| {
        (
            Zeroizing::new(injection.placeholder.as_bytes().to_vec()),
            With::Bytes(syntax.write(injection.secret.expose())),
            injection.tag,
        )
    }))
}

/// Puts secrets into the values of headers, also into the user and password of basic authentication, and returns the
/// tags of those that were.
pub(super) fn headers(headers: &mut HeaderMap, table: &Table) -> Result<BTreeSet<usize>, Denial> {
    let mut used = BTreeSet::new();
    if table.is_empty() {
        return Ok(used);
    }
    for (name, value) in headers.iter_mut() {
        let put_in = match table.is_in(value.as_bytes()) {
            true => table.whole_within(value.as_bytes(), VALUE_BYTES_MAX),
            false if name == AUTHORIZATION => match basic(value.as_bytes(), table) {
                Some(done) => done,
                None => continue,
            },
            false => continue,
        };
        let Some((new, found)) = put_in else {
            let reason = format!("with the credential's secret the header {name} is too long");
            return Err(Denial::new(reason, ""));
        };
        let Ok(mut new) = HeaderValue::from_bytes(&new) else {
            let reason = format!(
                "the credential's secret has bytes that a header cannot have, and the header {name} asks for it"
            );
            return Err(Denial::new(reason, ""));
        };
        // Compressed headers of HTTP/2 would keep it in the connection's table.
        new.set_sensitive(true);
        *value = new;
        used.extend(found);
    }
    Ok(used)
}

/// Returns the value of `Basic` with everything replaced, or that it would be too long; none if nothing is to be.
fn basic(value: &[u8], table: &Table) -> Option<Option<PutIn>> {
    let (scheme, rest) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = STANDARD.decode(rest.trim_ascii()).ok()?;
    if !table.is_in(&decoded) {
        return None;
    }
    let put_in = table.whole_within(&decoded, VALUE_BYTES_MAX);
    Some(put_in.map(|(pair, found)| {
        let value = format!("Basic {}", STANDARD.encode(&*pair));
        (Zeroizing::new(value.into_bytes()), found)
    }))
}

/// Returns the table that masks these secrets wherever they turn up. `tag` is the same for all. Of secrets beyond
/// [`FORMS_BYTES_MAX`], the last ones, no encodings are looked for.
pub(super) fn masks<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Table {
    let mut left = FORMS_BYTES_MAX;
    let forms = secrets.into_iter().flat_map(move |secret| {
        let mut forms = forms::of_secret(secret);
        let bytes: usize = forms.iter().map(|form| form.len()).sum();
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            // The secret itself is the first.
            None => forms.truncate(1),
        }
        forms
    });
    Table::new(forms.map(|form| (form, With::Mask, 0)))
}

/// Masks the values of a response's headers.
pub(super) fn mask_headers(headers: &mut HeaderMap, masks: &Table) {
    for value in headers.values_mut() {
        if masks.is_in(value.as_bytes()) {
            let (masked, _) = masks.whole(value.as_bytes());
            *value =
                HeaderValue::from_bytes(&masked).unwrap_or_else(|_| HeaderValue::from_static("*"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_into_headers() {
        let (token, other) = (
            Secret::from_text("t0ken-canary".to_owned()),
            Secret::from_text("a\nb".to_owned()),
        );
        let injection = |placeholder, secret, tag| Injection {
            placeholder,
            secret,
            tag,
        };
        let injections = [injection("PH1", &token, 4), injection("PH2", &other, 5)];
        let table = table(&injections, Syntax::Plain);
        let injected = |name: &'static str, value: &str| {
            let mut map = HeaderMap::new();
            map.insert(name, HeaderValue::from_str(value).unwrap());
            let used = headers(&mut map, &table)?;
            let value = map[name].to_str().unwrap().to_owned();
            Ok::<_, Denial>((value, used.into_iter().collect::<Vec<_>>()))
        };
        let expect = |value: &str, used: &[usize]| Ok((value.to_owned(), used.to_vec()));
        assert_eq!(
            injected("authorization", "Bearer PH1"),
            expect("Bearer t0ken-canary", &[4])
        );
        assert_eq!(injected("x-key", "aPH1b"), expect("at0ken-canaryb", &[4]));
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert_eq!(
            injected("authorization", &basic("user:PH1")),
            expect(&basic("user:t0ken-canary"), &[4])
        );
        assert_eq!(
            injected("authorization", &basic("user:x")),
            expect(&basic("user:x"), &[])
        );
        assert!(injected("x-key", "PH2").is_err(), "it has a line break");
    }

    #[test]
    fn a_body_stays_what_it_is() {
        let secret = Secret::from_text("a\"b&c".to_owned());
        let injections = [Injection {
            placeholder: "PH",
            secret: &secret,
            tag: 0,
        }];
        for (kind, expected) in [
            ("application/json; charset=utf-8", "{\"k\":\"a\\\"b&c\"}"),
            ("application/problem+json", "{\"k\":\"a\\\"b&c\"}"),
            ("text/plain", "{\"k\":\"a\"b&c\"}"),
            ("application/x-www-form-urlencoded", "{\"k\":\"a%22b%26c\"}"),
        ] {
            let mut map = HeaderMap::new();
            map.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            let table = table(&injections, Syntax::of(&map));
            let (body, _) = table.whole(b"{\"k\":\"PH\"}");
            assert_eq!(String::from_utf8(body).unwrap(), expected, "{kind}");
        }
    }

    #[test]
    fn what_comes_back_is_masked() {
        let masks = masks([&b"t0ken-canary"[..]]);
        let mut map = HeaderMap::new();
        map.insert("x-echo", HeaderValue::from_static("<t0ken-canary>"));
        mask_headers(&mut map, &masks);
        assert_eq!(map["x-echo"], "<************>");
    }
}
