//! Headers that may cross: those of the message, none of the connection's.
//!
//! The guest's own `Content-Length` is kept, since it tells a server how much will come and the HTTP client holds the
//! body to it; how the message is framed, and for whom, is the host's alone to say.

use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName};
use url::Url;

use super::policy::Denial;

/// Most headers, and the most bytes of their names and values: servers take no more.
const HEADERS_MAX: usize = 128;
const HEADER_BYTES_MAX: usize = 128 << 10;

/// What belongs to one connection.
const HOP_BY_HOP: [HeaderName; 11] = [
    http::header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    http::header::PROXY_AUTHENTICATE,
    http::header::PROXY_AUTHORIZATION,
    http::header::TE,
    http::header::TRAILER,
    http::header::TRANSFER_ENCODING,
    http::header::UPGRADE,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("expect"),
];

/// Makes a request's headers fit to leave for `url`.
pub(super) fn clean_request(headers: &mut HeaderMap, url: &Url) -> Result<(), Denial> {
    let refuse = |reason: &str| Err(Denial::new(reason, ""));
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
        return refuse("the request has too many or too long headers");
    }
    // Another name would let one host that is allowed stand before another that is not.
    let authority = url.authority();
    let host = url.host_str().unwrap_or_default();
    for value in headers.get_all(HOST) {
        let is_own = |own: &str| value.as_bytes().eq_ignore_ascii_case(own.as_bytes());
        if !is_own(authority) && !is_own(host) {
            return refuse("the Host header names another host than the URL");
        }
    }
    headers.remove(HOST);
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next() {
        let is_number = !length.is_empty()
            && length.len() <= 19
            && length.as_bytes().iter().all(u8::is_ascii_digit);
        if !is_number || lengths.next().is_some() {
            return refuse("the Content-Length header is not one number");
        }
        if headers.contains_key(http::header::TRANSFER_ENCODING) {
            return refuse("Content-Length and Transfer-Encoding contradict each other");
        }
    }
    remove_hop_by_hop(headers);
    Ok(())
}

/// Takes from a response's headers what the guest's side has no connection for.
pub(super) fn clean_response(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // A connection's own headers are those that it names, too.
    let named: Vec<HeaderName> = headers
        .get_all(http::header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    // The length is the message's, whoever names it.
    let named = named.iter().filter(|name| **name != CONTENT_LENGTH);
    for name in named.chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn cleaned(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, Denial> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        clean_request(
            &mut headers,
            &Url::parse("https://a.test:8443/x?y").unwrap(),
        )?;
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)));
        Ok(pairs.collect())
    }

    #[test]
    fn what_is_the_connections_does_not_cross() {
        let kept = cleaned(&[
            ("x-own", "1"),
            ("x-hop", "1"),
            ("connection", "close, x-hop, content-length"),
            ("keep-alive", "1"),
            ("proxy-authorization", "Basic x"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("http2-settings", "x"),
            ("host", "A.test:8443"),
            ("content-length", "5"),
        ]);
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            kept.unwrap(),
            [own("x-own", "1"), own("content-length", "5")]
        );
    }

    #[test]
    fn smuggling_is_refused() {
        for pairs in [
            &[("content-length", "5"), ("content-length", "6")][..],
            &[("content-length", "5"), ("content-length", "5")],
            &[("content-length", "+5")],
            &[("content-length", "5, 5")],
            &[("content-length", "-1")],
            &[("content-length", "")],
            &[("content-length", "5"), ("transfer-encoding", "chunked")],
            &[("host", "b.test")],
            &[("host", "a.test:8443"), ("host", "b.test")],
            &[("host", "a.test:8443, b.test")],
        ] {
            assert!(cleaned(pairs).is_err(), "{pairs:?}");
        }
        let many: Vec<_> = (0..HEADERS_MAX + 1).map(|_| ("x-a", "1")).collect();
        assert!(cleaned(&many).is_err());
        // A line of its own cannot even be written down.
        assert!(HeaderValue::from_str("a\r\nx: y").is_err());
    }
}
