//! Fetching over real sockets.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_client::message::{Failure, Request, Response};
use http_client::transport;

use super::*;
use crate::client::{RECEIVED_BYTES_MAX, REDIRECTS_MAX, UNPACKED_BYTES_MAX};
use crate::pdf::tests::file;
use crate::server::{Asked, serve};

fn settings() -> Settings {
    Settings::read(|_| None).unwrap()
}

fn get(url: &str) -> Result<Content, String> {
    fetch(&mut *transport::own(), &settings(), url).map_err(|error| error.to_string())
}

fn text(url: &str) -> String {
    match get(url) {
        Ok(Content::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

fn answer(asked: &Asked) -> (u16, String, Vec<u8>) {
    let typed = |kind: &str| format!("Content-Type: {kind}\r\n");
    let (html, plain) = (typed("text/html; charset=ISO-8859-1"), typed("text/plain"));
    let moved = |to: &str| (302, format!("Location: {to}\r\n"), Vec::new());
    if let Some(number) = asked.path.strip_prefix("/hop/") {
        let left: usize = number.parse().unwrap();
        return match left {
            0 => moved("/page"),
            left => moved(&format!("/hop/{}", left - 1)),
        };
    }
    match asked.path.as_str() {
        "/page" => (200, html, b"<title>T</title><p>gr\xfcn".to_vec()),
        "/loop" => moved("/loop"),
        "/away" => moved("ftp://a.example/"),
        "/text" => (200, plain, b"just text".to_vec()),
        "/empty" => (200, plain, Vec::new()),
        "/asked" => (200, plain, asked.headers.join("\n").into_bytes()),
        "/json" => (200, typed("application/json"), b"{ \"a\":1 }".to_vec()),
        "/xml" => (200, typed("application/xml"), b"<a>b</a>".to_vec()),
        "/feed" => {
            let feed = "<rss><channel><item><title>N</title><link>/n</link></item></channel></rss>";
            (200, typed("application/rss+xml"), feed.into())
        }
        "/gzip" => (
            200,
            format!("{plain}Content-Encoding: gzip\r\n"),
            packed(b"unpacked"),
        ),
        "/bomb" => {
            let zeros = vec![b' '; UNPACKED_BYTES_MAX as usize + 1];
            (
                200,
                format!("{plain}Content-Encoding: gzip\r\n"),
                packed(&zeros),
            )
        }
        "/layers" => {
            let zeros = vec![b' '; UNPACKED_BYTES_MAX as usize + 1];
            let head = format!("{plain}Content-Encoding: gzip, gzip, gzip\r\n");
            (200, head, packed(&packed(&packed(&zeros))))
        }
        "/torn" => {
            let mut torn = packed(b"some words");
            torn.truncate(torn.len() - 6);
            (200, format!("{plain}Content-Encoding: gzip\r\n"), torn)
        }
        "/odd" => (
            200,
            format!("{plain}Content-Encoding: zstd\r\n"),
            b"x".to_vec(),
        ),
        "/large" => (200, plain, vec![b'x'; RECEIVED_BYTES_MAX as usize + 1]),
        "/png" => (200, typed("image/png"), PNG.to_vec()),
        "/largepng" => {
            let mut body = PNG.to_vec();
            body.resize(IMAGE_BYTES_MAX + 1, 0);
            (200, typed("image/png"), body)
        }
        "/zip" => (200, typed("application/zip"), b"PK\x03\x04".to_vec()),
        "/pdf" => {
            let page = "BT /F1 12 Tf 50 700 Td (Hello PDF) Tj ET";
            (200, typed("application/pdf"), file(&[page]))
        }
        "/scan" => (200, typed("application/pdf"), file(&["0 0 9 9 re f"])),
        "/nopdf" => (200, plain, b"%PDF-1.4 nothing".to_vec()),
        "/gone" => (404, html, b"<title>Gone</title><p>No such page".to_vec()),
        "/down" => (503, plain, vec![b'x'; 100_000]),
        path => panic!("{path}"),
    }
}

#[test]
fn pages_and_texts() {
    let url = serve(answer);
    for (path, expected) in [
        ("/page", "# T\n\ngrün"),
        ("/text", "just text"),
        ("/empty", "(no output)"),
        ("/json", "{ \"a\":1 }"),
        ("/xml", "<a>b</a>"),
        ("/gzip", "unpacked"),
        ("/pdf", "PDF file, 1 page\n\n## Page 1\n\nHello PDF"),
    ] {
        assert_eq!(text(&format!("{url}{path}")), expected);
    }
    assert_eq!(text(&format!("{url}/feed")), format!("- [N]({url}/n)"));
    let headers = text(&format!("{url}/asked"));
    assert!(
        headers.contains(&format!("User-Agent: {USER_AGENT}")),
        "{headers}"
    );
    assert!(headers.contains("Accept: text/markdown"), "{headers}");
    // Credentials are not sent.
    let headers = text(&format!("{}/asked", url.replace("://", "://me:pass@")));
    assert!(!headers.contains("uthorization"), "{headers}");
}

#[test]
fn redirects_are_followed_and_told() {
    let url = serve(answer);
    let expected = format!("# T\n\nURL: {url}/page\n\ngrün");
    assert_eq!(text(&format!("{url}/hop/0")), expected);
    assert_eq!(text(&format!("{url}/hop/{}", REDIRECTS_MAX - 1)), expected);
    for path in [format!("/hop/{REDIRECTS_MAX}"), "/loop".to_owned()] {
        assert_eq!(
            get(&format!("{url}{path}")),
            Err(format!("cannot fetch {url}{path}: more than 10 redirects"))
        );
    }
    let error = get(&format!("{url}/away")).unwrap_err();
    assert!(error.contains("ftp://a.example/"), "{error}");
}

#[test]
fn media() {
    let url = serve(answer);
    assert_eq!(
        get(&format!("{url}/png")),
        Ok(Content::Image("image/png", PNG.to_vec()))
    );
    let document = get(&format!("{url}/scan")).unwrap();
    assert!(
        matches!(document, Content::Document("application/pdf", _)),
        "{document:?}"
    );
    for (path, expected) in [
        (
            "/largepng",
            "3932161 bytes, and only 3932160 can be shown; download it with curl",
        ),
        (
            "/zip",
            "application/zip, 4 bytes, which web_fetch cannot show; download it with curl",
        ),
        ("/nopdf", "cannot read the PDF file"),
    ] {
        let error = get(&format!("{url}{path}")).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn sizes_are_bounded() {
    let url = serve(answer);
    for (path, expected) in [
        ("/large", "it is larger than 16 MiB"),
        ("/bomb", "unpacked it is larger than 16 MiB"),
        ("/layers", "unpacked it is larger than 16 MiB"),
        ("/odd", "its content encoding \"zstd\" is not known"),
        ("/torn", "the body is broken"),
    ] {
        let error = get(&format!("{url}{path}")).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let mut settings = settings();
    settings.characters_max = 4;
    let content = fetch(&mut *transport::own(), &settings, &format!("{url}/text"));
    let expected = "just\n\n[cut: the first 4 of 9 characters are shown]";
    assert_eq!(content.unwrap(), Content::Text(expected.to_owned()));
}

#[test]
fn errors_of_servers_are_told_with_their_words() {
    let url = serve(answer);
    assert_eq!(
        get(&format!("{url}/gone")),
        Err(format!(
            "{url}/gone answered with status 404 Not Found:\n\n# Gone\n\nNo such page"
        ))
    );
    let error = get(&format!("{url}/down")).unwrap_err();
    assert!(
        error.len() < 3_000 && error.contains("status 503"),
        "{error}"
    );
}

/// Refuses everything, as the host does what its policy denies.
struct Refusing(Failure);

impl Transport for Refusing {
    fn send(
        &mut self,
        _: &Request,
        _: Option<&mut dyn std::io::Read>,
    ) -> Result<Response, Failure> {
        Err(self.0.clone())
    }
}

#[test]
fn what_the_host_says_is_passed_on() {
    for (failure, expected) in [
        (
            Failure::Denied,
            "the network policy denies requests to a.example",
        ),
        (
            Failure::Broken("denied: a.example is not allowed".to_owned()),
            "denied: a.example is not allowed",
        ),
        (Failure::NameNotFound, "the name a.example is not known"),
        (Failure::TimedOut, "a.example did not answer in time"),
    ] {
        let found = fetch(&mut Refusing(failure), &settings(), "a.example/x");
        assert_eq!(
            found.unwrap_err().to_string(),
            format!("cannot fetch https://a.example/x: {expected}")
        );
    }
}

#[test]
fn urls() {
    for (url, expected) in [
        ("a.example", "https://a.example/"),
        ("a.example:8080/x", "https://a.example:8080/x"),
        (" http://a.example/x#y ", "http://a.example/x"),
        ("HTTPS://u:p@a.example", "https://a.example/"),
        (
            "a.example/?to=http://b.example",
            "https://a.example/?to=http://b.example",
        ),
        ("[::1]/x", "https://[::1]/x"),
    ] {
        assert_eq!(address(url).unwrap().to_string(), expected, "{url}");
    }
    for (url, expected) in [
        ("", "web_fetch: url is empty"),
        (
            "ftp://a.example/",
            "only http and https can be fetched, not ftp",
        ),
        (
            "file:///etc/passwd",
            "only http and https can be fetched, not file",
        ),
        (
            "mailto:a@b.example",
            "only http and https can be fetched, not mailto",
        ),
        (
            "javascript:alert(1)",
            "only http and https can be fetched, not javascript",
        ),
        ("http://", "no proper host"),
        ("two words", "a space"),
    ] {
        let error = address(url).unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
    }
    let long = format!("a.example/{}", "x".repeat(URL_CHARACTERS_MAX));
    assert!(address(&long).is_err());
}
