//! From a handle to its true path, and from there to a dirty mark.
//!
//! A path that the kernel resolved without meeting a link or `..` is true as it stands. For all others, and
//! for handles whose directory may have been renamed since, the kernel is asked where the handle lies now.

use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dirty::Dirt;
use super::file::OpenFile;
use super::mount::{Mount, host_path_of};
use super::name_text;
use super::stat::{FileKind, Stat};
use super::vfs::Vfs;

/// What the kernel puts behind the path of a handle whose name is gone.
const GONE: &[u8] = b" (deleted)";

impl Vfs {
    /// Marks a name in a directory. `known` is the true path of the directory, if that is known.
    pub(super) fn mark_name(
        &self,
        mount: &Mount,
        dir: BorrowedFd<'_>,
        known: Option<&Path>,
        name: &str,
        dirt: Dirt,
    ) {
        let name = name_text::to_host(name);
        if let Some(parent) = known.filter(|_| !mount.is_part) {
            self.dirty()
                .mark(&mount.guest_path, parent.join(&*name), dirt);
            return;
        }
        match self.true_path(dir) {
            Some((mount, parent)) => {
                self.dirty()
                    .mark(&mount.guest_path, parent.join(&*name), dirt)
            }
            None => self.mark_everything(),
        }
    }

    /// Marks what a handle stands for.
    pub(super) fn mark_handle(&self, mount: &Mount, fd: BorrowedFd<'_>, known: Option<PathBuf>) {
        let Ok(stat) = rustix::fs::fstat(fd).map(Stat::from) else {
            self.mark_everything();
            return;
        };
        if stat.links == 0 {
            return;
        }
        let found = match known.filter(|_| !mount.is_part) {
            Some(path) => Some((mount.guest_path.as_str(), path)),
            None => self
                .true_path(fd)
                .map(|(mount, path)| (mount.guest_path.as_str(), path)),
        };
        let Some((guest_path, path)) = found else {
            self.mark_everything();
            return;
        };
        let mut dirty = self.dirty();
        let is_file = stat.kind != FileKind::Directory;
        // The name it was opened by may be gone while another one lives.
        if is_file && (stat.links > 1 || path.as_os_str().as_bytes().ends_with(GONE)) {
            dirty.mark_inode(guest_path, stat.key());
        }
        dirty.mark(guest_path, path, Dirt::Entry);
    }

    pub(super) fn mark_open_file(&self, file: &OpenFile) {
        self.mark_handle(&file.mount, file.fd(), None);
    }

    /// For changes whose place cannot be told: the snapshot then looks everywhere.
    fn mark_everything(&self) {
        let mut dirty = self.dirty();
        for mount in self.whole.iter().filter(|mount| mount.is_writable()) {
            dirty.mark(&mount.guest_path, PathBuf::new(), Dirt::Subtree);
        }
    }

    /// Returns the mount in which a handle lies now, and its path there.
    fn true_path(&self, fd: BorrowedFd<'_>) -> Option<(&Arc<Mount>, PathBuf)> {
        let path = host_path_of(fd).ok()?;
        if let Some(found) = self.within_mount(&path) {
            return Some(found);
        }
        for mount in &self.whole {
            mount.refresh_host_path().ok()?;
        }
        self.within_mount(&host_path_of(fd).ok()?)
    }

    /// Chooses the innermost mount, should one lie within another on the host; among views of one directory
    /// the writable one.
    fn within_mount(&self, path: &Path) -> Option<(&Arc<Mount>, PathBuf)> {
        let inside = self.whole.iter().filter_map(|mount| {
            let host_path = mount.host_path();
            let rest = path.strip_prefix(&*host_path).ok()?.to_owned();
            Some((mount, rest, host_path.as_os_str().len()))
        });
        let (mount, rest, _) =
            inside.max_by_key(|(mount, _, length)| (*length, mount.is_writable()))?;
        Some((mount, rest))
    }
}
