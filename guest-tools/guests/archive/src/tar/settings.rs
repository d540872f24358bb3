//! What a command line asks for.

use std::path::PathBuf;

use super::block::Format as Dialect;
use super::entry::Time;
use super::patterns::{Excluded, Matching, Tag};
use super::transform::Transform;
use crate::codec::{Format, How};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Extract,
    List,
    Append,
    Update,
    Compare,
    Concatenate,
    Delete,
    TestLabel,
}

/// How the archive is compressed.
#[derive(Clone, Debug)]
pub(crate) enum Compression {
    /// Not at all; reading finds out.
    Unknown,
    Known(How),
    /// A program that compresses, and with `-d` the other way.
    Program(Vec<String>),
}

/// What happens to files that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// They are removed first.
    Replace,
    /// Written over in place.
    Overwrite,
    /// `-k`: an error.
    Keep,
    /// Left without a word.
    Skip,
    /// Left if they are newer.
    KeepNewer,
}

/// A name on the command line or in a list.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) name: Vec<u8>,
    /// Where it is: what `-C` said before it.
    pub(crate) folder: PathBuf,
    pub(crate) recursive: bool,
    pub(crate) matching: Matching,
    /// How many patterns of what to leave out stand before it: those behind do not hold for it.
    pub(crate) excluded: usize,
    /// As that, of tags.
    pub(crate) tags: usize,
}

/// A user or group that members get.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) name: Option<String>,
    pub(crate) id: Option<u64>,
}

/// How members' names are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    Escape,
    Literal,
    C,
    Shell,
    ShellAlways,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) action: Action,
    pub(crate) archive: String,
    pub(crate) compression: Compression,
    pub(crate) names: Vec<Name>,
    /// Whether the names came from a list, which may be empty.
    pub(crate) has_list: bool,
    pub(crate) folder: PathBuf,
    /// Options behind the last name, which hold for nothing where files are added.
    pub(crate) trailing: Vec<String>,
    pub(crate) verbose: u32,
    pub(crate) dialect: Dialect,
    pub(crate) record_bytes: u64,
    pub(crate) excluded: Excluded,
    pub(crate) tags: Vec<Tag>,
    pub(crate) transforms: Vec<Transform>,
    pub(crate) strip: usize,
    pub(crate) show_transformed: bool,
    pub(crate) absolute: bool,
    pub(crate) dereference: bool,
    pub(crate) hard_dereference: bool,
    pub(crate) user: Owner,
    pub(crate) group: Owner,
    pub(crate) mode: Option<String>,
    pub(crate) modified: Option<Time>,
    pub(crate) clamp: bool,
    pub(crate) numeric_owner: bool,
    pub(crate) newer: Option<Time>,
    pub(crate) ignore_failed_read: bool,
    pub(crate) remove_files: bool,
    pub(crate) existing: Existing,
    pub(crate) unlink_first: bool,
    pub(crate) keep_folder_links: bool,
    pub(crate) overwrite_folder: bool,
    pub(crate) recursive_unlink: bool,
    pub(crate) keep_modes: bool,
    pub(crate) touch: bool,
    pub(crate) to_stdout: bool,
    pub(crate) to_command: Option<String>,
    pub(crate) ignore_command_error: bool,
    pub(crate) top_level: Option<String>,
    pub(crate) backup: bool,
    pub(crate) suffix: String,
    pub(crate) ignore_zeros: bool,
    pub(crate) occurrence: Option<u64>,
    pub(crate) starting: Option<Vec<u8>>,
    pub(crate) full_time: bool,
    pub(crate) utc: bool,
    pub(crate) block_number: bool,
    pub(crate) quoting: Quoting,
    pub(crate) totals: bool,
    pub(crate) checkpoint: Option<u64>,
    pub(crate) checkpoint_actions: Vec<String>,
    pub(crate) label: Option<String>,
    pub(crate) verify: bool,
    pub(crate) deleted_records: Vec<String>,
    pub(crate) one_file_system: bool,
    /// Warnings that are not wanted.
    pub(crate) silenced: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        const RECORD_BYTES: u64 = 10_240;
        Self {
            action: Action::List,
            archive: "-".to_owned(),
            compression: Compression::Unknown,
            names: Vec::new(),
            has_list: false,
            folder: PathBuf::new(),
            trailing: Vec::new(),
            verbose: 0,
            dialect: Dialect::Gnu,
            record_bytes: RECORD_BYTES,
            excluded: Excluded::default(),
            tags: Vec::new(),
            transforms: Vec::new(),
            strip: 0,
            show_transformed: false,
            absolute: false,
            dereference: false,
            hard_dereference: false,
            user: Owner::default(),
            group: Owner::default(),
            mode: None,
            modified: None,
            clamp: false,
            numeric_owner: false,
            newer: None,
            ignore_failed_read: false,
            remove_files: false,
            existing: Existing::Replace,
            unlink_first: false,
            keep_folder_links: false,
            overwrite_folder: true,
            recursive_unlink: false,
            keep_modes: false,
            touch: false,
            to_stdout: false,
            to_command: None,
            ignore_command_error: false,
            top_level: None,
            backup: false,
            suffix: "~".to_owned(),
            ignore_zeros: false,
            occurrence: None,
            starting: None,
            full_time: false,
            utc: false,
            block_number: false,
            quoting: Quoting::Escape,
            totals: false,
            checkpoint: None,
            checkpoint_actions: Vec::new(),
            label: None,
            verify: false,
            deleted_records: Vec::new(),
            one_file_system: false,
            silenced: Vec::new(),
        }
    }
}

impl Settings {
    /// Returns whether a kind of warning is wanted.
    pub(crate) fn warns(&self, keyword: &str) -> bool {
        !self
            .silenced
            .iter()
            .any(|silenced| silenced == keyword || silenced == "all")
    }
}

/// Returns the format that a file's name tells.
pub(crate) fn format_of_name(name: &str) -> Option<Format> {
    let suffix = name.rsplit('/').next()?.rsplit_once('.')?.1;
    Some(match suffix {
        "gz" | "tgz" | "taz" => Format::Gzip,
        "bz2" | "tbz" | "tbz2" | "tz2" => Format::Bzip2,
        "xz" | "txz" => Format::Xz,
        "lzma" | "tlz" => Format::Lzma,
        "zst" | "tzst" => Format::Zstd,
        _ => return None,
    })
}
