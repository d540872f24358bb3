//! Looking for a secret that must be nowhere.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A secret, in the forms in which it could lie in a file or stand in an answer.
pub struct Canary {
    forms: Vec<Vec<u8>>,
}

impl Canary {
    /// Returns the forms of a secret: plain, as UTF-16, escaped as JSON, percent-encoded, and in base64 at each
    /// alignment.
    pub fn new(secret: &str) -> Self {
        let json = serde_json::Value::from(secret).to_string();
        let percent = secret.bytes().map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        });
        let mut forms = vec![
            secret.as_bytes().to_vec(),
            secret.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            json.trim_matches('"').as_bytes().to_vec(),
            percent.collect::<String>().into_bytes(),
        ];
        for shift in 0..3 {
            let text = format!("{}{secret}", "x".repeat(shift));
            for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                // What the neighbours share a group of characters with is cut off.
                let inner = encoded.as_bytes().get(4..encoded.len() - 4);
                forms.push(inner.unwrap_or_default().to_vec());
            }
        }
        forms.retain(|form| !form.is_empty());
        Self { forms }
    }

    /// Tells whether bytes hold it.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let is_there = |form: &Vec<u8>| bytes.windows(form.len()).any(|window| window == form);
        self.forms.iter().any(is_there)
    }
}

/// Returns the regular files below a folder.
pub fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => found.extend(files_below(&entry.path())?),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    Ok(found)
}
