//! What the folder of a tool's sources says about itself: `tool.toml`, read by `sinew tool build`, written by
//! `sinew tool new`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use serde::Deserialize;
use thiserror::Error;

/// The file's name.
pub(super) const MANIFEST: &str = "tool.toml";
/// Largest one that is read.
const MANIFEST_BYTES_MAX: u64 = 64 << 10;
/// The name becomes one of a package in every language, and a part of file names.
const NAME_CHARACTERS_MAX: usize = 64;

/// Names that a compiler would trip over: of Rust the keywords and the crates that are always there, of WIT the
/// keywords. The same in all languages, so that a tool can move from one to another.
const WORDS: &str = "abstract alloc as async await become box break const continue core crate do dyn else enum extern \
    false final fn for gen if impl in let loop macro match mod move mut override priv proc-macro pub ref return self \
    static std struct super test trait true try type typeof union unsafe unsized use virtual where while wit-bindgen \
    yield bool borrow char constructor error-context export f32 f64 flags from func future import include interface \
    list map option own package record resource result s8 s16 s32 s64 stream string tuple u8 u16 u32 u64 variant with \
    world";

/// The language that a tool is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    /// With cargo
    Rust,
    /// With componentize-py
    Python,
    /// JavaScript, with componentize-js
    #[value(alias = "javascript")]
    Js,
    /// With zig or clang
    C,
}

impl Language {
    /// Returns the word for it in `tool.toml` and on the command line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Js => "js",
            Self::C => "c",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::Js => "JavaScript",
            Self::C => "C",
        })
    }
}

/// The name of a tool: words of lower-case letters and digits between hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ToolName(String);

/// Why a name is none for a tool.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum NameError {
    #[error("the name {0:?} has more than {NAME_CHARACTERS_MAX} characters")]
    Length(String),
    #[error(
        "{0:?} is no name of a tool: words of a-z and 0-9 that begin with a letter, a hyphen between them, as word-count"
    )]
    Form(String),
    #[error("{0:?} has a meaning in Rust or WIT, so it is no name of a tool; {0}-tool is one")]
    Word(String),
}

impl FromStr for ToolName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        if name.chars().count() > NAME_CHARACTERS_MAX {
            let start = name.chars().take(NAME_CHARACTERS_MAX).collect();
            return Err(NameError::Length(start));
        }
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        if !name.split('-').all(is_word) {
            return Err(NameError::Form(name.to_owned()));
        }
        if WORDS.split(' ').any(|word| word == name) {
            return Err(NameError::Word(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for ToolName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        name.parse()
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ToolName {
    /// Returns it as an identifier.
    pub(super) fn snake(&self) -> String {
        self.0.replace('-', "_")
    }
}

/// What `tool.toml` says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Name of the component's file, without its end.
    pub(super) name: ToolName,
    pub(super) language: Language,
    /// Folder of the WIT, relative to the file's own.
    #[serde(default = "wit_folder")]
    pub(super) wit: PathBuf,
    /// The world that the component is made for; needed where the WIT has several.
    pub(super) world: Option<String>,
}

fn wit_folder() -> PathBuf {
    PathBuf::from("wit")
}

/// Why `tool.toml` says nothing.
#[derive(Debug, Error)]
pub(super) enum ManifestError {
    #[error("there is no {MANIFEST} in {}; `sinew tool new` makes a folder with one", .0.display())]
    Absent(PathBuf),
    #[error("cannot read {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} is larger than {MANIFEST_BYTES_MAX} bytes", .0.display())]
    Large(PathBuf),
    #[error("{} is wrong", path.display())]
    Invalid {
        path: PathBuf,
        #[source]
        source: Box<toml::de::Error>,
    },
}

impl Manifest {
    /// Reads the one of a folder.
    pub(super) fn read(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(MANIFEST);
        let read = std::fs::metadata(&path).and_then(|about| match about.len() {
            0..=MANIFEST_BYTES_MAX => std::fs::read_to_string(&path).map(Some),
            _ => Ok(None),
        });
        let text = match read {
            Ok(Some(text)) => text,
            Ok(None) => return Err(ManifestError::Large(path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ManifestError::Absent(folder.to_owned()));
            }
            Err(source) => return Err(ManifestError::Unreadable { path, source }),
        };
        toml::from_str(&text).map_err(|error| ManifestError::Invalid {
            path,
            source: Box::new(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_between_hyphens() {
        let long = "a".repeat(NAME_CHARACTERS_MAX);
        for name in ["a", "words", "word-count2", "type-of", long.as_str()] {
            assert_eq!(name.parse().map(|name: ToolName| name.0), Ok(name.into()));
        }
        let form = |name: &str| NameError::Form(name.to_owned());
        for name in [
            "", "-a", "a-", "a--b", "1a", "a-1", "A", "a_b", "a b", "a.b", "a/b", "..", "ä", "a\n",
        ] {
            assert_eq!(name.parse::<ToolName>(), Err(form(name)));
        }
        for name in ["fn", "type", "async", "record", "std", "error-context"] {
            assert_eq!(
                name.parse::<ToolName>(),
                Err(NameError::Word(name.to_owned()))
            );
        }
        let longer = format!("{long}a");
        assert_eq!(longer.parse::<ToolName>(), Err(NameError::Length(long)));
    }

    #[test]
    fn a_manifest_has_the_known_keys_alone() {
        let read = |text: &str| toml::from_str::<Manifest>(text).map_err(|error| error.to_string());
        let manifest = read("name = \"words\"\nlanguage = \"js\"").unwrap();
        assert_eq!(manifest.language, Language::Js);
        assert_eq!((manifest.wit, manifest.world), (PathBuf::from("wit"), None));
        for (text, reason) in [
            (
                "name = \"words\"\nlanguage = \"js\"\nworlds = \"tool\"",
                "unknown field `worlds`",
            ),
            ("name = \"words\"", "missing field `language`"),
            ("name = \"words\"\nlanguage = \"cobol\"", "`cobol`"),
            ("name = \"Words\"\nlanguage = \"c\"", "is no name of a tool"),
            ("name = ", "line 1"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
