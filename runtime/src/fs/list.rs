//! Listing directories.
//!
//! A name on the host that is not UTF-8 is shown with U+FFFD in place of what cannot be told, and cannot be
//! opened by what is shown: guests cannot make such names, and to hide them would make a directory look empty
//! that cannot be removed.

use std::os::fd::AsFd as _;

use rustix::fs::AtFlags;

use super::FsError;
use super::fds::FdTable;
use super::name_text;
use super::node::{Node, virtual_stat};
use super::quota::HandlePermit;
use super::stat::{FileKind, Stat};
use super::tree::{Kind, VirtId};
use super::vfs::Vfs;

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name.
    pub name: String,
    /// What it is; a link is not followed.
    pub kind: FileKind,
}

/// The names of a directory, without `.` and `..`, read bit by bit. Ends after an error.
#[derive(Debug)]
pub struct DirList {
    names: Names,
    _permit: HandlePermit,
}

#[derive(Debug)]
enum Names {
    Real(rustix::fs::Dir),
    Virtual(std::vec::IntoIter<DirEntry>),
    Ended,
}

impl Vfs {
    /// Lists a directory from its beginning; a listing counts as an open handle.
    pub fn list(&self, node: &Node, fds: &dyn FdTable) -> Result<DirList, FsError> {
        let permit = self.quota.handle()?;
        let names = match node {
            Node::File(_) | Node::Fifo(_) => return Err(FsError::NotDirectory),
            Node::Dir(dir) => Names::Real(rustix::fs::Dir::read_from(&dir.fd)?),
            Node::Virtual(node) => Names::Virtual(self.virtual_names(&node.kind, fds)?.into_iter()),
        };
        Ok(DirList {
            names,
            _permit: permit,
        })
    }

    pub(super) fn virtual_names(
        &self,
        kind: &Kind,
        fds: &dyn FdTable,
    ) -> Result<Vec<DirEntry>, FsError> {
        let entry = |name: String, id: VirtId, kind: &Kind| DirEntry {
            name,
            kind: virtual_stat(id, kind).kind,
        };
        match kind {
            Kind::Dir(children) => Ok(children
                .iter()
                .filter(|(_, id)| match self.tree.kind_ref(**id) {
                    Some(Kind::Fd(number)) => fds.is_open(*number),
                    _ => true,
                })
                .filter_map(|(name, id)| Some(entry(name.clone(), *id, self.tree.kind_ref(*id)?)))
                .collect()),
            Kind::FdDir => {
                let numbers = fds.numbers().into_iter();
                Ok(numbers
                    .map(|n| entry(n.to_string(), VirtId::Fd(n), &Kind::Fd(n)))
                    .collect())
            }
            Kind::ProgramDir => Ok(self
                .tree
                .programs()
                .iter()
                .map(|program| DirEntry {
                    name: program.name.to_string(),
                    kind: FileKind::Regular,
                })
                .collect()),
            _ => Err(FsError::NotDirectory),
        }
    }
}

impl Iterator for DirList {
    type Item = Result<DirEntry, FsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.names {
            Names::Ended => None,
            Names::Virtual(entries) => entries.next().map(Ok),
            Names::Real(dir) => next_real(dir),
        };
        if !matches!(next, Some(Ok(_))) {
            self.names = Names::Ended;
        }
        next
    }
}

fn next_real(dir: &mut rustix::fs::Dir) -> Option<Result<DirEntry, FsError>> {
    loop {
        let entry = match dir.read()? {
            Ok(entry) => entry,
            Err(errno) => return Some(Err(errno.into())),
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match FileKind::from(entry.file_type()) {
            // Some file systems of the host do not say.
            FileKind::Unknown => dir
                .fd()
                .and_then(|fd| rustix::fs::statat(fd.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW))
                .map_or(FileKind::Unknown, |stat| Stat::from(stat).kind),
            kind => kind,
        };
        return Some(Ok(DirEntry {
            name: name_text::to_text(name.to_bytes()),
            kind,
        }));
    }
}
