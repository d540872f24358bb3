//! What is known of a session's folder on this host, kept beside what guests see.
//!
//! The folder is a cache of the session's tree. The note says which tree it was, since when it may have changed, and
//! whether it was left at rest. It is written in place and never synced: it only has to outlive the process, since
//! nothing on disk is trusted once the machine was restarted.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::crash_point;
use crate::store::Hash;

/// The note, in the session's folder.
const FILE: &str = "folder-state";
/// Room for the note: within one page, so that it is written whole or not at all as long as the machine runs.
const NOTE_BYTES: usize = 512;
/// How far the clock may have been moved against the machine's own time before times of change mean nothing.
const CLOCK_MOVED_NANOS_MAX: i64 = 100_000_000;
/// The grain of the kernel's times of change, and more.
const GRAIN_NANOS: i64 = 50_000_000;

/// What is known of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The root that the folder was; empty for a session without files.
    root: String,
    /// The instant since when it may have changed, in nanoseconds of Unix time.
    since: i64,
    /// Nothing has changed since, and nothing runs.
    is_at_rest: bool,
    /// The machine's start that this is about.
    boot: String,
    /// The clock's distance from the machine's own time then.
    clock_offset: i64,
}

/// What can be said of a folder's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    Nothing,
    /// It was this root (none: empty) at an instant, and may have changed since.
    Was(Option<Hash>, i64),
    /// It is this root.
    Is(Option<Hash>),
}

/// The note of one folder.
pub(super) struct FolderState {
    file: File,
    boot: String,
    note: Option<Note>,
    /// There was no note: the folder is new, or an older release left it.
    is_new: bool,
}

impl FolderState {
    /// Reads the note, which is made if it is missing.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join(FILE))?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut &file, &mut bytes)?;
        Ok(Self {
            boot: boot_id()?,
            note: serde_json::from_slice(&bytes).ok(),
            is_new: bytes.is_empty(),
            file,
        })
    }

    /// Tells whether there was no note.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns what can be said of the folder.
    pub(super) fn known(&self) -> Known {
        let Some(note) = &self.note else {
            return Known::Nothing;
        };
        let root = match note.root.as_str() {
            "" => None,
            text => match Hash::parse(text) {
                Some(root) => Some(root),
                None => return Known::Nothing,
            },
        };
        let moved = clock_offset().saturating_sub(note.clock_offset);
        if note.boot != self.boot || moved.abs() > CLOCK_MOVED_NANOS_MAX {
            return Known::Nothing;
        }
        match note.is_at_rest {
            true => Known::Is(root),
            false => Known::Was(root, note.since),
        }
    }

    /// Notes that the folder is `root` as of `since`, and whether it stays so.
    pub(super) fn set(
        &mut self,
        root: Option<Hash>,
        since: i64,
        is_at_rest: bool,
    ) -> io::Result<()> {
        let note = Note {
            root: root.map(|root| root.to_string()).unwrap_or_default(),
            since,
            is_at_rest,
            boot: self.boot.clone(),
            clock_offset: clock_offset(),
        };
        self.write(note)
    }

    /// Notes that the folder changes from now on.
    pub(super) fn stir(&mut self) -> io::Result<()> {
        match &self.note {
            Some(note) if note.is_at_rest => {
                let note = Note {
                    is_at_rest: false,
                    ..note.clone()
                };
                self.write(note)
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, note: Note) -> io::Result<()> {
        if self.note.as_ref() == Some(&note) {
            return Ok(());
        }
        let mut bytes = serde_json::to_vec(&note)?;
        bytes.resize(NOTE_BYTES.max(bytes.len()), b' ');
        crash_point::reach("folder-note-before-write");
        self.file.write_all_at(&bytes, 0)?;
        crash_point::reach("folder-note-after-write");
        self.note = Some(note);
        Ok(())
    }
}

/// Returns an instant before which nothing of what happens from now on can be dated.
pub(super) fn change_time_now() -> i64 {
    nanos(ClockId::Realtime).saturating_sub(GRAIN_NANOS)
}

fn clock_offset() -> i64 {
    nanos(ClockId::Realtime).saturating_sub(nanos(ClockId::Boottime))
}

fn nanos(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec)
}

fn boot_id() -> io::Result<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_outlives_whoever_wrote_it_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let root = Some(Hash::of(b"root"));
        let mut state = FolderState::open(folder.path()).unwrap();
        assert!(state.is_new());
        assert_eq!(state.known(), Known::Nothing);
        state.set(root, 7, true).unwrap();
        state.set(None, 9, true).unwrap();
        let again = FolderState::open(folder.path()).unwrap();
        assert!(!again.is_new());
        assert_eq!(again.known(), Known::Is(None));
        state.set(root, 8, true).unwrap();
        state.stir().unwrap();
        let mut again = FolderState::open(folder.path()).unwrap();
        assert_eq!(again.known(), Known::Was(root, 8));
        // Another start of the machine; a clock that was moved; a note that cannot be read.
        again.boot = "another".to_owned();
        assert_eq!(again.known(), Known::Nothing);
        let mut moved = FolderState::open(folder.path()).unwrap();
        moved.note.as_mut().unwrap().clock_offset += 2 * CLOCK_MOVED_NANOS_MAX;
        assert_eq!(moved.known(), Known::Nothing);
        std::fs::write(folder.path().join(FILE), "{\"root\"").unwrap();
        let torn = FolderState::open(folder.path()).unwrap();
        assert_eq!((torn.known(), torn.is_new()), (Known::Nothing, false));
    }
}
