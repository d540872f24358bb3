//! Folders and files read in few calls, for guests that walk trees.
//!
//! A call of a guest costs more than most system calls, and so does resolving a path. So a batch has all names that
//! the kernel gives at a time, with what is known of them asked relative to their open directory; and a file that is
//! small is opened, read and closed at once.

use std::ffi::CStr;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, RawDir};
use rustix::io::{pread, retry_on_intr};

use super::fds::FdTable;
use super::list::DirEntry;
use super::mount::OpenHow;
use super::node::{Node, OpenDir};
use super::resolve::{Found, Opened};
use super::stat::{FileKind, Stat};
use super::vfs::Vfs;
use super::{FsError, OpenOptions, name_text};

/// What the kernel writes names into, in bytes; a name takes 24 at least.
const KERNEL_BYTES: usize = 32 * 1024;
/// A batch with this many names gets no more, once what the kernel gave is used up.
const BATCH_NAMES: usize = 2_048;
/// Most bytes of a file that is read whole; without it a guest chooses the host's memory.
const WHOLE_BYTES_MAX: u64 = 1 << 20;

/// Some of the names in a directory, without `.` and `..`.
#[derive(Debug, Default)]
pub struct DirBatch {
    /// The names, each ended by a zero byte.
    pub names: String,
    /// What each name is; a link is not followed.
    pub kinds: Vec<FileKind>,
    /// What is at each name, if that was asked for; a link is not followed.
    pub stats: Vec<Result<Stat, FsError>>,
}

/// The names of a directory, read in batches. Ends after an error.
#[derive(Debug)]
pub struct DirBatches {
    vfs: Arc<Vfs>,
    node: Node,
    with_stats: bool,
    left: Left,
}

#[derive(Debug)]
enum Left {
    /// What the kernel has not yet given: the directory was opened for this listing alone.
    Real(Arc<OpenDir>),
    Virtual(std::vec::IntoIter<DirEntry>),
    /// An error that came when there were names already.
    Error(FsError),
    Nothing,
}

/// The beginning of what was opened.
#[derive(Debug)]
pub enum Begun {
    /// All of a regular file, which is closed again.
    Whole(Vec<u8>),
    /// It is still to be read.
    Open(Node),
}

impl Vfs {
    /// Opens a directory to read its names; `with_stats` asks for more than their kinds.
    ///
    /// Path and errors are those of [`Vfs::open_at`]. It counts as an open handle.
    pub fn batches_at(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        with_stats: bool,
        fds: &dyn FdTable,
    ) -> Result<DirBatches, FsError> {
        let options = OpenOptions {
            read: true,
            directory: true,
            follow: true,
            ..OpenOptions::default()
        };
        let node = self.open_at(base, path, options, fds)?;
        let left = match &node {
            Node::Dir(dir) => Left::Real(Arc::clone(dir)),
            Node::Virtual(node) => Left::Virtual(self.virtual_names(&node.kind, fds)?.into_iter()),
            Node::File(_) | Node::Fifo(_) => return Err(FsError::NotDirectory),
        };
        Ok(DirBatches {
            vfs: Arc::clone(self),
            node,
            with_stats,
            left,
        })
    }

    /// Opens a path for reading, and reads it whole if it is a regular file of up to `max` bytes, and up to 1 MiB.
    ///
    /// Path and errors are those of [`Vfs::open_at`], following a link at the end.
    pub fn begin_at(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        max: usize,
        fds: &dyn FdTable,
    ) -> Result<Begun, FsError> {
        let options = OpenOptions {
            read: true,
            follow: true,
            ..OpenOptions::default()
        };
        let opened = match self.open_found(base, path, true, &|_| Ok(OpenHow::read()))? {
            Found::Virtual(id) => return self.adopt_virtual(id, options, fds).map(Begun::Open),
            Found::Real(opened) => opened,
        };
        match read_whole(&opened, max)? {
            Some(bytes) => Ok(Begun::Whole(bytes)),
            None => {
                let node = self.adopt(opened, options, (false, false), fds);
                node.map(Begun::Open)
            }
        }
    }
}

/// Reads a regular file that is small. None is for all others, and for one that changes or cannot be read, of which
/// the handle is to tell.
fn read_whole(opened: &Opened, max: usize) -> Result<Option<Vec<u8>>, FsError> {
    // Not booked as open: nobody writes through this handle, and it is closed before anything could rely on it.
    let stat = Stat::from(rustix::fs::fstat(&opened.fd)?);
    if stat.kind != FileKind::Regular || stat.size > WHOLE_BYTES_MAX.min(max as u64) {
        return Ok(None);
    }
    stat.check_owner(true, false)?;
    let size = usize::try_from(stat.size).map_err(|_| FsError::Overflow)?;
    // With room for one byte more, by which a file shows that it has grown.
    let mut bytes = Vec::with_capacity(size + 1);
    let read = retry_on_intr(|| pread(&opened.fd, spare_capacity(&mut bytes), 0));
    Ok((read == Ok(size)).then_some(bytes))
}

impl DirBatches {
    /// Returns the next names, a few thousand at most; none at the end.
    pub fn next(&mut self, fds: &dyn FdTable) -> Result<DirBatch, FsError> {
        let mut batch = DirBatch::default();
        match std::mem::replace(&mut self.left, Left::Nothing) {
            Left::Nothing => {}
            Left::Error(error) => return Err(error),
            Left::Virtual(mut entries) => {
                for entry in entries.by_ref().take(BATCH_NAMES) {
                    self.push_virtual(&mut batch, &entry, fds);
                }
                if entries.len() > 0 {
                    self.left = Left::Virtual(entries);
                }
            }
            Left::Real(dir) => match read_names(&dir, self.with_stats, &mut batch) {
                Ok(true) => {}
                Ok(false) => self.left = Left::Real(dir),
                Err(error) if batch.kinds.is_empty() => return Err(error),
                Err(error) => self.left = Left::Error(error),
            },
        }
        Ok(batch)
    }

    /// Returns whether the next batch is certain to be empty.
    pub fn is_ended(&self) -> bool {
        matches!(self.left, Left::Nothing)
    }

    fn push_virtual(&self, batch: &mut DirBatch, entry: &DirEntry, fds: &dyn FdTable) {
        if self.with_stats {
            let stat = self.vfs.stat_at(&self.node, &entry.name, false, fds);
            batch.stats.push(stat);
        }
        batch.names.push_str(&entry.name);
        batch.names.push('\0');
        batch.kinds.push(entry.kind);
    }
}

/// Reads names until the batch is full or the directory ends, and returns whether it did.
fn read_names(dir: &OpenDir, with_stats: bool, batch: &mut DirBatch) -> Result<bool, FsError> {
    let mut buffer = Vec::with_capacity(KERNEL_BYTES);
    let mut names = RawDir::new(&dir.fd, buffer.spare_capacity_mut());
    loop {
        if names.is_buffer_empty() && batch.kinds.len() >= BATCH_NAMES {
            return Ok(false);
        }
        let Some(entry) = names.next() else {
            return Ok(true);
        };
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            let kind = FileKind::from(entry.file_type());
            push_real(dir, name, kind, with_stats, batch);
        }
    }
}

fn push_real(dir: &OpenDir, name: &CStr, kind: FileKind, with_stats: bool, batch: &mut DirBatch) {
    let stat = || {
        rustix::fs::statat(&dir.fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .map(Stat::from)
            .map_err(FsError::from)
    };
    // Some file systems of the host do not say the kind.
    let stat = (with_stats || kind == FileKind::Unknown).then(stat);
    let kind = match &stat {
        Some(Ok(stat)) => stat.kind,
        _ => kind,
    };
    name_text::push_text(name.to_bytes(), &mut batch.names);
    batch.names.push('\0');
    batch.kinds.push(kind);
    if with_stats {
        batch.stats.extend(stat);
    }
}
