//! What `read` answers, case by case.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use super::*;
use crate::sandbox::Sandbox;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n rest";

/// The answer as one line: text as it is, media as kind, type and size.
fn shown(sandbox: &Sandbox, path: &str, range: Option<(i64, i64)>) -> String {
    sandbox.shown(
        read(&sandbox.workdir(), path, range).map(|content| match content {
            Content::Text(text) => text,
            Content::Image(media_type, data) => format!("image {media_type} {}", data.len()),
            Content::Document(media_type, data) => format!("document {media_type} {}", data.len()),
        }),
    )
}

#[test]
fn files_are_read_as_what_they_are() {
    let sandbox = Sandbox::with(&[
        ("a.txt", b"one\ntwo\n"),
        ("crlf.txt", b"\xef\xbb\xbfone\r\ntwo"),
        ("empty.txt", b""),
        ("nul.txt", b"a\0b"),
        ("latin1.txt", b"caf\xe9"),
        ("src/", b""),
        ("p.png", PNG),
        ("P.PNG", PNG),
        ("j.jpg", b"\xff\xd8\xff\xe0 jpeg"),
        ("j.jpeg", b"\xff\xd8\xff\xe1 jpeg"),
        ("g.gif", b"GIF89a ..."),
        ("w.webp", b"RIFF\x10\0\0\0WEBPVP8 "),
        ("d.pdf", b"%PDF-1.7\n"),
        ("late.pdf", b"junk before\n%PDF-1.4\n"),
        ("is-png.jpg", PNG),
        ("text.png", b"no picture"),
        ("broken.gif", b"\xfe\xff\0\x01"),
        ("png", PNG),
        ("empty.png", b""),
    ]);
    for (path, expected) in [
        ("a.txt", "one\ntwo\n"),
        ("./src/../a.txt", "one\ntwo\n"),
        ("crlf.txt", "\u{feff}one\r\ntwo"),
        ("empty.txt", "(no output)"),
        ("nul.txt", "a\0b"),
        ("p.png", "image image/png 13"),
        ("P.PNG", "image image/png 13"),
        ("j.jpg", "image image/jpeg 9"),
        ("j.jpeg", "image image/jpeg 9"),
        ("g.gif", "image image/gif 10"),
        ("w.webp", "image image/webp 16"),
        ("d.pdf", "document application/pdf 9"),
        ("late.pdf", "document application/pdf 21"),
        ("is-png.jpg", "image image/png 13"),
        ("text.png", "no picture"),
        ("empty.png", "(no output)"),
        ("", "error: read: file_path must not be empty"),
        ("nowhere", "error: read: nowhere: no such file or directory"),
        ("a.txt/b", "error: read: a.txt/b: not a directory"),
        ("a\0b", "error: read: a\0b: invalid path"),
        (
            "src",
            "error: read: src: is a directory; use glob to list it",
        ),
        (
            "latin1.txt",
            "error: read: latin1.txt: not valid UTF-8 text (binary files are only supported for image/PDF extensions)",
        ),
        (
            "broken.gif",
            "error: read: broken.gif: not valid UTF-8 text (binary files are only supported for image/PDF extensions)",
        ),
        (
            "png",
            "error: read: png: not valid UTF-8 text (binary files are only supported for image/PDF extensions)",
        ),
    ] {
        assert_eq!(shown(&sandbox, path, None), expected, "{path}");
    }
    let absolute = sandbox.path("a.txt");
    assert_eq!(
        shown(&sandbox, absolute.to_str().unwrap(), None),
        "one\ntwo\n"
    );
}

#[test]
fn ranges_are_lines_counted_from_one_with_both_ends() {
    let sandbox = Sandbox::with(&[
        ("f", b"1\n2\r\n3\n"),
        ("open", b"1\n2"),
        ("p.png", PNG),
        ("half", b"ok\n\xff\n"),
    ]);
    for (path, range, expected) in [
        ("f", (1, 1), "1"),
        ("f", (1, 2), "1\n2\r"),
        ("f", (2, 3), "2\r\n3"),
        ("f", (1, 3), "1\n2\r\n3"),
        ("f", (1, 4), "1\n2\r\n3\n"),
        ("f", (1, 99), "1\n2\r\n3\n"),
        ("f", (2, 0), "2\r\n3\n"),
        ("f", (3, -1), "3\n"),
        ("f", (0, 1), "1"),
        ("f", (-5, -5), "1\n2\r\n3\n"),
        ("f", (i64::MIN, i64::MAX), "1\n2\r\n3\n"),
        ("f", (3, 2), "(no output)"),
        ("f", (99, -1), "(no output)"),
        ("open", (2, 2), "2"),
        ("open", (1, -1), "1\n2"),
        ("half", (1, 1), "ok"),
        (
            "half",
            (1, 2),
            "error: read: half: not valid UTF-8 text (binary files are only supported for image/PDF extensions)",
        ),
        (
            "p.png",
            (1, 2),
            "error: read: view_range is not supported for image/PDF files",
        ),
    ] {
        assert_eq!(
            shown(&sandbox, path, Some(range)),
            expected,
            "{path} {range:?}"
        );
    }
}

#[test]
fn limits_hold_and_say_the_way_out() {
    let limit = TEXT_BYTES_MAX as usize;
    // Lines of eight bytes, so that they do not end where a chunk does.
    let long: Vec<u8> = (0..limit / 8 + 1)
        .flat_map(|line| format!("{line:07}\n").into_bytes())
        .collect();
    let image_limit = (IMAGE_BASE64_BYTES_MAX / 4 * 3) as usize;
    let padded = |head: &[u8], size: usize| [head, &vec![b' '; size - head.len()]].concat();
    let sandbox = Sandbox::with(&[
        ("full", &vec![b'x'; limit]),
        ("line", &vec![b'x'; limit + 1]),
        ("long", &long),
        ("full.png", &padded(PNG, image_limit)),
        ("over.png", &padded(PNG, image_limit + 1)),
        ("over.pdf", &padded(b"%PDF-", PDF_BYTES_MAX as usize + 1)),
    ]);
    assert_eq!(shown(&sandbox, "full", None).len(), limit);
    assert_eq!(shown(&sandbox, "full.png", None), "image image/png 3932160");
    assert_eq!(
        shown(&sandbox, "long", Some((8191, 8193))),
        "0008190\n0008191\n0008192"
    );
    assert_eq!(shown(&sandbox, "long", Some((1, 32768))).len(), limit - 1);
    for (path, range, expected) in [
        (
            "long",
            None,
            "error: read: long is 262152 bytes, exceeds 262144-byte limit. \
             Use the view_range parameter to read specific line ranges, e.g. view_range: [1, 500].",
        ),
        (
            "long",
            Some((1, -1)),
            "error: read: view_range [1, -1] of long exceeds 262144-byte limit. \
             Narrow the view_range to read a smaller portion.",
        ),
        (
            "line",
            Some((1, 1)),
            "error: read: line 1 of line alone exceeds 262144-byte limit. \
             The read tool cannot return part of a line; use grep or a shell command to look into it.",
        ),
        (
            "over.png",
            None,
            "error: read: over.png is 3932161 bytes, exceeds 3932160-byte limit for image/PDF files.",
        ),
        (
            "over.pdf",
            None,
            "error: read: over.pdf is 20971521 bytes, exceeds 20971520-byte limit for image/PDF files.",
        ),
    ] {
        assert_eq!(shown(&sandbox, path, range), expected);
    }
}

#[test]
fn a_file_that_reports_no_size_is_bounded_too() {
    let sandbox = Sandbox::with(&[]);
    let endless = io::repeat(b'x');
    let outcome = whole(endless, "endless", 0).map(|_| String::new());
    assert!(
        sandbox
            .shown(outcome)
            .starts_with("error: read: endless is 262145 bytes, exceeds")
    );
    let outcome = Lines::new("endless", (1, -1))
        .collect(io::repeat(b'\n'))
        .map(|_| String::new());
    assert!(
        sandbox
            .shown(outcome)
            .starts_with("error: read: view_range [1, -1] of endless exceeds")
    );
}
