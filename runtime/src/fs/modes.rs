//! Permission bits: those that the guest sees, and those that the host's files have.
//!
//! The host must always be able to read a file and to look into a directory and clean it up, whatever a guest takes
//! from itself. So the owner keeps those rights on the host, and that the guest's owner lacks them is written into bits
//! that mean nothing there: of a file the sticky bit, of a directory the set-user-id bit alone (no right to write) or
//! with the sticky bit (none at all). The set-id and sticky bits themselves are not a guest's to set: they would act on
//! the host, where the files are the daemon's.

use super::FsError;
use super::stat::{FileKind, Stat};

const STICKY: u32 = 0o1000;
const SET_USER: u32 = 0o4000;
const READ: u32 = 0o400;
const WRITE: u32 = 0o200;
const OWNER: u32 = 0o700;
/// The bits that a guest may set.
const GUEST_BITS: u32 = 0o777;

/// Returns the bits that a file of the host gets where a guest sets `mode`.
pub(super) fn to_host(is_directory: bool, mode: u32) -> u32 {
    let mode = mode & GUEST_BITS;
    match mode & OWNER {
        OWNER => mode,
        0o500 if is_directory => mode | OWNER | SET_USER,
        _ if is_directory => mode | OWNER | SET_USER | STICKY,
        owner if owner & READ == 0 => mode | READ | STICKY,
        _ => mode,
    }
}

/// Returns the bits that a guest sees of a file of the host.
pub(super) fn to_guest(kind: FileKind, mode: u32) -> u32 {
    let hides = |bits| mode & bits == bits;
    match kind {
        FileKind::Directory if hides(SET_USER | STICKY) => mode & !(SET_USER | STICKY | OWNER),
        FileKind::Directory if hides(SET_USER) => mode & !(SET_USER | WRITE),
        FileKind::Regular | FileKind::Fifo if hides(STICKY) => mode & !(STICKY | READ),
        _ => mode,
    }
}

impl Stat {
    /// Checks what the owner may do, who every guest is.
    pub(super) fn check_owner(&self, read: bool, write: bool) -> Result<(), FsError> {
        let wanted = if read { READ } else { 0 } | if write { WRITE } else { 0 };
        if self.mode & wanted == wanted {
            Ok(())
        } else {
            Err(FsError::Access)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_sets_it_sees_and_the_host_can_read() {
        for mode in [
            0o000, 0o044, 0o200, 0o333, 0o400, 0o444, 0o644, 0o755, 0o777,
        ] {
            let host = to_host(false, mode);
            assert_eq!(to_guest(FileKind::Regular, host), mode, "{mode:o}");
            assert_eq!(host & READ, READ, "{mode:o}");
        }
        for mode in [0o000, 0o055, 0o500, 0o555, 0o700, 0o755, 0o777] {
            let host = to_host(true, mode);
            assert_eq!(to_guest(FileKind::Directory, host), mode, "{mode:o}");
            assert_eq!(host & OWNER, OWNER, "{mode:o}");
        }
        // Rights to a directory that make no sense alone are none.
        assert_eq!(to_guest(FileKind::Directory, to_host(true, 0o611)), 0o011);
        assert_eq!(
            to_guest(FileKind::Directory, 0o1777),
            0o1777,
            "the host's /tmp"
        );
    }
}
