//! What curl sends: the bodies of `-d`, `--json`, `-F` and `-T`.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use http_client::address::encoded;

/// A body that can be sent again, after a redirect or a failure.
pub(super) enum Body {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// Pieces of a form, files among them.
    Form(Vec<Piece>),
    /// A file.
    File(String),
    /// Standard input, which can be sent once.
    Input,
}

/// A piece of a form.
pub(super) enum Piece {
    Bytes(Vec<u8>),
    File(String),
}

impl Body {
    /// Returns its length, if it is known before it is sent.
    pub(super) fn length(&self) -> Option<u64> {
        let of_file = |name: &str| std::fs::metadata(name).ok().map(|data| data.len());
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::File(name) => of_file(name),
            Self::Input => None,
            Self::Form(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Bytes(bytes) => Some(bytes.len() as u64),
                    Piece::File(name) => of_file(name),
                })
                .sum(),
        }
    }

    /// Opens it, from this byte on.
    pub(super) fn open(&self, from: u64) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Self::Input => Box::new(io::stdin().lock()),
            Self::File(name) => {
                let mut file = File::open(name)?;
                file.seek(SeekFrom::Start(from))?;
                Box::new(file)
            }
            Self::Form(pieces) => {
                let mut whole: Box<dyn Read + '_> = Box::new(io::empty());
                for piece in pieces {
                    whole = match piece {
                        Piece::Bytes(bytes) => Box::new(whole.chain(Cursor::new(bytes))),
                        Piece::File(name) => Box::new(whole.chain(File::open(name)?)),
                    };
                }
                whole
            }
        })
    }
}

/// Reads a file whole, `-` being standard input.
pub(super) fn read(name: &str) -> io::Result<Vec<u8>> {
    if name != "-" {
        return std::fs::read(name);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns what `-d` adds: a file's content without its line ends, or the text.
pub(super) fn plain(value: &str) -> io::Result<Vec<u8>> {
    match value.strip_prefix('@') {
        None => Ok(value.as_bytes().to_vec()),
        Some(name) => {
            let mut bytes = read(name)?;
            bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
            Ok(bytes)
        }
    }
}

/// Returns what `--data-binary` and `--json` add.
pub(super) fn binary(value: &str) -> io::Result<Vec<u8>> {
    match value.strip_prefix('@') {
        None => Ok(value.as_bytes().to_vec()),
        Some(name) => read(name),
    }
}

/// Returns what `--data-urlencode` adds.
pub(super) fn urlencoded(value: &str) -> io::Result<Vec<u8>> {
    let at = value.find(['=', '@']);
    let (name, content) = match at.map(|at| value.split_at(at)) {
        None => ("", value.as_bytes().to_vec()),
        Some((name, rest)) => match rest.strip_prefix('@') {
            Some(file) => (name, read(file)?),
            None => (name, rest.get(1..).unwrap_or_default().as_bytes().to_vec()),
        },
    };
    Ok(match name {
        "" => encoded(&content),
        name => format!("{name}={}", encoded(&content)),
    }
    .into_bytes())
}

/// Adds the part of a form that `-F` (or, if `is_plain`, `--form-string`) describes. Errors are curl's words.
pub(super) fn add_part(
    pieces: &mut Vec<Piece>,
    boundary: &str,
    text: &str,
    is_plain: bool,
) -> Result<(), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("Illegally formatted input field".to_owned());
    };
    let mut head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
        quoted(name)
    );
    let source = match is_plain {
        true => None,
        false => value.chars().next().filter(|c| matches!(c, '@' | '<')),
    };
    let Some(source) = source else {
        let (value, kind) = match is_plain {
            true => (value, None),
            false => attributes(value, false),
        };
        if let Some(kind) = kind.and_then(|attributes| attributes.kind) {
            head.push_str(&format!("\r\nContent-Type: {kind}"));
        }
        head.push_str("\r\n\r\n");
        head.push_str(value);
        head.push_str("\r\n");
        pieces.push(Piece::Bytes(head.into_bytes()));
        return Ok(());
    };
    let (path, given) = attributes(value.get(1..).unwrap_or_default(), true);
    let given = given.unwrap_or_default();
    if source == '@' {
        let own = path.rsplit('/').next().unwrap_or(path);
        let shown = given.file_name.unwrap_or_else(|| own.to_owned());
        head.push_str(&format!("; filename=\"{}\"", quoted(&shown)));
        let kind = given.kind.unwrap_or_else(|| kind_of(&shown).to_owned());
        head.push_str(&format!("\r\nContent-Type: {kind}"));
    } else if let Some(kind) = given.kind {
        head.push_str(&format!("\r\nContent-Type: {kind}"));
    }
    head.push_str("\r\n\r\n");
    pieces.push(Piece::Bytes(head.into_bytes()));
    let missing = |error: io::Error| format!("failed to open {path}: {error}");
    match path {
        "-" => pieces.push(Piece::Bytes(read("-").map_err(missing)?)),
        path => {
            File::open(path).map_err(missing)?;
            pieces.push(Piece::File(path.to_owned()));
        }
    }
    pieces.push(Piece::Bytes(b"\r\n".to_vec()));
    Ok(())
}

#[derive(Default)]
struct Attributes {
    kind: Option<String>,
    file_name: Option<String>,
}

/// Splits `value;type=...;filename=...`.
fn attributes(value: &str, is_file: bool) -> (&str, Option<Attributes>) {
    let mut parts = value.split(';');
    let first = parts.next().unwrap_or_default();
    let mut found = Attributes::default();
    for part in parts {
        match part.trim().split_once('=') {
            Some(("type", kind)) => found.kind = Some(kind.to_owned()),
            Some(("filename", name)) if is_file => {
                found.file_name = Some(name.trim_matches('"').to_owned());
            }
            // A value may have a semicolon of its own.
            _ if !is_file && found.kind.is_none() => return (value, None),
            _ => {}
        }
    }
    (first.trim_matches('"'), Some(found))
}

fn quoted(text: &str) -> String {
    text.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain",
        "htm" | "html" => "text/html",
        "pdf" => "application/pdf",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_read_as_curl_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "a b\r\nc\n").unwrap();
        let path = path.to_str().unwrap();
        let text = |bytes: io::Result<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
        assert_eq!(text(plain("x=@1")), "x=@1");
        assert_eq!(text(plain(&format!("@{path}"))), "a bc");
        assert_eq!(text(binary(&format!("@{path}"))), "a b\r\nc\n");
        for (given, expected) in [
            ("a b&", "a%20b%26"),
            ("=a=b", "a%3Db"),
            ("n=a b", "n=a%20b"),
            (&format!("@{path}"), "a%20b%0D%0Ac%0A"),
            (&format!("n@{path}"), "n=a%20b%0D%0Ac%0A"),
        ] {
            assert_eq!(text(urlencoded(given)), expected, "{given}");
        }
        assert!(plain("@/nowhere").is_err());
    }

    #[test]
    fn forms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.txt");
        std::fs::write(&path, "content").unwrap();
        let path = path.to_str().unwrap();
        let form = |text: &str, is_plain: bool| {
            let mut pieces = Vec::new();
            add_part(&mut pieces, "B", text, is_plain).unwrap();
            let mut read = String::new();
            let body = Body::Form(pieces);
            body.open(0).unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(body.length(), Some(read.len() as u64));
            read
        };
        let head = "--B\r\nContent-Disposition: form-data; name=\"n\"";
        assert_eq!(form("n=v;w", false), format!("{head}\r\n\r\nv;w\r\n"));
        assert_eq!(
            form("n=v;type=a/b", false),
            format!("{head}\r\nContent-Type: a/b\r\n\r\nv\r\n")
        );
        assert_eq!(form("n=@x", true), format!("{head}\r\n\r\n@x\r\n"));
        assert_eq!(
            form(&format!("n=@{path}"), false),
            format!("{head}; filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n")
        );
        assert_eq!(
            form(&format!("n=@{path};filename=g;type=x/y"), false),
            format!("{head}; filename=\"g\"\r\nContent-Type: x/y\r\n\r\ncontent\r\n")
        );
        assert_eq!(
            form(&format!("n=<{path}"), false),
            format!("{head}\r\n\r\ncontent\r\n")
        );
        assert!(add_part(&mut Vec::new(), "B", "n", false).is_err());
        assert!(add_part(&mut Vec::new(), "B", "n=@/nowhere", false).is_err());
    }
}
