//! What a file turned out to be.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) mime: String,
    pub(super) charset: &'static str,
}

impl Answer {
    /// Returns an answer for what is no text.
    pub(super) fn binary(text: impl Into<String>, mime: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            mime: mime.into(),
            charset: "binary",
        }
    }
}

/// Returns the usual extensions of files of a type, as libmagic lists them.
pub(super) fn extensions(mime: &str) -> &'static str {
    match mime {
        "image/png" => "png",
        "image/gif" => "gif",
        "image/jpeg" => "jpeg/jpg/jpe/jfif",
        "image/bmp" => "bmp",
        "image/svg+xml" => "svg",
        "image/tiff" => "tif/tiff",
        "application/pdf" => "pdf",
        "application/gzip" => "gz/tgz/tpz/zabw/svgz/adz/kmy/xcfgz",
        "application/x-bzip2" => "bz2",
        "application/zip" => "zip/cbz",
        "application/x-7z-compressed" => "7z/cb7",
        "application/vnd.sqlite3" => "sqlite/sqlite3/db/dbe",
        "text/rtf" => "rtf",
        _ => "???",
    }
}

/// Numbers and text in bytes, none beyond their end.
pub(super) trait Bytes {
    fn slice(&self, at: usize, length: usize) -> Option<&[u8]>;

    fn byte(&self, at: usize) -> Option<u8> {
        self.slice(at, 1)?.first().copied()
    }

    /// Little-endian.
    fn little(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.slice(at, length)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(bytes.iter().rev().fold(0, add))
    }

    /// Big-endian.
    fn big(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.slice(at, length)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(bytes.iter().fold(0, add))
    }

    fn has(&self, at: usize, text: &[u8]) -> bool {
        self.slice(at, text.len()) == Some(text)
    }

    /// The text up to a zero.
    fn text(&self, at: usize, length_max: usize) -> String;
}

impl Bytes for [u8] {
    fn slice(&self, at: usize, length: usize) -> Option<&[u8]> {
        self.get(at..at.checked_add(length)?)
    }

    fn text(&self, at: usize, length_max: usize) -> String {
        let rest = self.get(at..).unwrap_or(&[]);
        let rest = rest.get(..length_max).unwrap_or(rest);
        let end = rest
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(rest.len());
        String::from_utf8_lossy(rest.get(..end).unwrap_or(rest)).into_owned()
    }
}

/// Finds bytes in others.
pub(super) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}
