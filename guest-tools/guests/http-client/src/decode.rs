//! Bodies that came compressed, unpacked as they come.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// What can be unpacked, as `Accept-Encoding` has it.
pub const ENCODINGS: &str = "deflate, gzip";

/// Times that a body may be packed.
const LAYERS_MAX: usize = 3;

/// Returns the body unpacked as `Content-Encoding` says; none if it says something unknown.
pub fn decoded(mut body: Box<dyn Read>, encoding: &str) -> Option<Box<dyn Read>> {
    let names = encoding.split(',').map(str::trim);
    let names: Vec<String> = names
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
        .map(str::to_ascii_lowercase)
        .collect();
    if names.len() > LAYERS_MAX {
        return None;
    }
    for name in names.iter().rev() {
        body = match name.as_str() {
            "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(BufReader::new(body))),
            "deflate" => Box::new(Deflate::Unknown(Some(BufReader::new(body)))),
            _ => return None,
        };
    }
    Some(body)
}

/// `deflate` means zlib, and some servers send it without zlib's head.
enum Deflate<R: BufRead> {
    Unknown(Option<R>),
    Zlib(ZlibDecoder<R>),
    Raw(DeflateDecoder<R>),
}

impl<R: BufRead> Read for Deflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Unknown(body) = self
            && let Some(mut body) = body.take()
        {
            let is_zlib = match body.fill_buf()? {
                [first, second, ..] => {
                    first & 0x0f == 8 && (u16::from(*first) * 256 + u16::from(*second)) % 31 == 0
                }
                _ => true,
            };
            *self = match is_zlib {
                true => Self::Zlib(ZlibDecoder::new(body)),
                false => Self::Raw(DeflateDecoder::new(body)),
            };
        }
        match self {
            Self::Zlib(decoder) => decoder.read(buffer),
            Self::Raw(decoder) => decoder.read(buffer),
            Self::Unknown(_) => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    #[test]
    fn what_was_packed_comes_back() {
        let text = "hello ".repeat(1_000);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(text.as_bytes()).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(text.as_bytes()).unwrap();
        for (bytes, name) in [
            (gzip.finish().unwrap(), "GZIP"),
            (zlib.finish().unwrap(), "deflate"),
            (raw.finish().unwrap(), "identity, deflate"),
        ] {
            let mut read = String::new();
            let body = decoded(Box::new(io::Cursor::new(bytes)), name).unwrap();
            BufReader::new(body).read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
        assert!(decoded(Box::new(io::empty()), "br").is_none());
    }
}
