//! What differs between two trees, as people and programs read it: unified text, sizes of what is no text.
//!
//! The text is a patch that `git apply` and `patch -p1` take, with paths as the guest has them, without the first
//! slash.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use similar::{ChangeTag, TextDiff};

use super::TreeError;
use super::diff::{Change, changes};
use super::file::content;
use super::node::{Entry, Folder, Kind};
use crate::content::Blocking;

/// Lines around each change, unless others are asked for.
pub const CONTEXT_LINES: usize = 3;
/// Most names that one comparison tells of.
pub const CHANGES_MAX: usize = 10_000;
/// Largest file that is compared line by line.
const TEXT_BYTES_MAX: u64 = 1 << 20;
/// Bytes of patches of one comparison; what comes behind them is told without.
const PATCH_BYTES_MAX: usize = 8 << 20;
/// Time for one file; what takes longer is told as replaced as a whole.
const FILE_TIME_MAX: Duration = Duration::from_secs(1);
/// Bytes at the start of a file that are looked at for whether it is text.
const LOOKED_AT: usize = 8_000;

/// A comparison of the folders of two roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What differs, by path.
    pub files: Vec<FileDiff>,
    /// There is more than is told: more names, or patches that were left out.
    pub is_cut: bool,
}

/// One name that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiff {
    /// The guest's path.
    pub path: String,
    /// What it was.
    pub old: Option<Entry>,
    /// What it is.
    pub new: Option<Entry>,
    /// The patch's hunks; none for folders, pipes, and what is too large or no text.
    pub hunks: Option<String>,
    /// Lines that came.
    pub additions: usize,
    /// Lines that went.
    pub deletions: usize,
}

/// Compares the folders of two roots, which are named by their guest paths.
pub fn compare(
    reader: &Blocking,
    old: &BTreeMap<String, Folder>,
    new: &BTreeMap<String, Folder>,
    context_lines: usize,
) -> Result<Comparison, TreeError> {
    let mut comparison = Comparison::default();
    let mut patch_bytes = 0;
    let roots: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for root in roots {
        let left = CHANGES_MAX.saturating_sub(comparison.files.len());
        let (found, is_cut) = changes(reader, old.get(root), new.get(root), left)?;
        comparison.is_cut |= is_cut;
        for change in found {
            let mut diff = FileDiff::of(root, change);
            if patch_bytes < PATCH_BYTES_MAX {
                diff.compare(reader, context_lines)?;
                patch_bytes += diff.hunks.as_ref().map_or(0, String::len);
            } else {
                comparison.is_cut = true;
            }
            comparison.files.push(diff);
        }
    }
    Ok(comparison)
}

impl FileDiff {
    fn of(root: &str, change: Change) -> Self {
        let mut path = root.to_owned();
        for name in &change.path {
            path.push('/');
            path.push_str(&String::from_utf8_lossy(name));
        }
        Self {
            path,
            old: change.old,
            new: change.new,
            hunks: None,
            additions: 0,
            deletions: 0,
        }
    }

    fn compare(&mut self, reader: &Blocking, context_lines: usize) -> Result<(), TreeError> {
        let is_same = match (&self.old, &self.new) {
            (Some(old), Some(new)) => old.is_like(&Entry {
                mode: old.mode,
                ..new.clone()
            }),
            _ => false,
        };
        let sides = (text_of(reader, &self.old)?, text_of(reader, &self.new)?);
        let (Side::Text(old), Side::Text(new)) = sides else {
            return Ok(());
        };
        if is_same {
            return Ok(());
        }
        let diff = TextDiff::configure()
            .timeout(FILE_TIME_MAX)
            .diff_lines(&old, &new);
        for change in diff.iter_all_changes() {
            match change.tag() {
                ChangeTag::Insert => self.additions += 1,
                ChangeTag::Delete => self.deletions += 1,
                ChangeTag::Equal => {}
            }
        }
        let hunks = diff
            .unified_diff()
            .context_radius(context_lines)
            .to_string();
        self.hunks = Some(hunks);
        Ok(())
    }

    /// Returns `added`, `removed` or `modified`.
    pub fn change(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "modified",
        }
    }

    /// Returns this difference as a part of a patch; empty for folders, which patches do not know.
    pub fn patch(&self) -> String {
        let mode = |entry: &Entry| match &entry.kind {
            Kind::Link(_) => Some("120000"),
            Kind::File { .. } if entry.mode & 0o100 != 0 => Some("100755"),
            Kind::File { .. } => Some("100644"),
            Kind::Folder(_) | Kind::Fifo => None,
        };
        let old = self.old.as_ref().and_then(mode);
        let new = self.new.as_ref().and_then(mode);
        if old.is_none() && new.is_none() {
            return String::new();
        }
        let (a, b) = (quoted('a', &self.path), quoted('b', &self.path));
        let mut text = format!("diff --git {a} {b}\n");
        // Writing to a string cannot fail.
        let _ = match (old, new) {
            (None, Some(new)) => writeln!(text, "new file mode {new}"),
            (Some(old), None) => writeln!(text, "deleted file mode {old}"),
            (Some(old), Some(new)) if old != new => {
                writeln!(text, "old mode {old}\nnew mode {new}")
            }
            _ => Ok(()),
        };
        let a = if old.is_some() {
            a
        } else {
            "/dev/null".to_owned()
        };
        let b = if new.is_some() {
            b
        } else {
            "/dev/null".to_owned()
        };
        match &self.hunks {
            Some(hunks) if !hunks.is_empty() => {
                let _ = write!(text, "--- {a}\n+++ {b}\n{hunks}");
            }
            Some(_) => text.push_str(match (old, new) {
                (None, _) => "index 0000000..e69de29\n",
                (_, None) => "index e69de29..0000000\n",
                _ => "",
            }),
            None if self.is_content_changed() => {
                let _ = writeln!(text, "Binary files {a} and {b} differ");
            }
            None => {}
        }
        text
    }

    fn is_content_changed(&self) -> bool {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => !old.is_like(&Entry {
                mode: old.mode,
                ..new.clone()
            }),
            _ => true,
        }
    }
}

enum Side {
    Text(String),
    Other,
}

fn text_of(reader: &Blocking, entry: &Option<Entry>) -> Result<Side, TreeError> {
    let Some(entry) = entry else {
        return Ok(Side::Text(String::new()));
    };
    let bytes: Bytes = match &entry.kind {
        Kind::Link(target) => target.clone().into(),
        Kind::File { bytes, .. } if *bytes > TEXT_BYTES_MAX => return Ok(Side::Other),
        Kind::File { .. } => match content(reader, entry, TEXT_BYTES_MAX)? {
            Some(content) => content,
            None => return Ok(Side::Other),
        },
        Kind::Folder(_) | Kind::Fifo => return Ok(Side::Other),
    };
    if bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0) {
        return Ok(Side::Other);
    }
    Ok(match String::from_utf8(bytes.to_vec()) {
        Ok(text) => Side::Text(text),
        Err(_) => Side::Other,
    })
}

/// Returns a path with its prefix as patches have it: in quotes where it has signs that would end it.
fn quoted(prefix: char, path: &str) -> String {
    let plain = format!("{prefix}{path}");
    if !plain.contains(['"', '\\', '\n', '\t', '\r']) {
        return plain;
    }
    let mut text = String::from("\"");
    for c in plain.chars() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
