//! Opening and creating.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::AtFlags;

use super::file::OpenFile;
use super::mount::{Links, Mount, OpenHow, open_beneath};
use super::node::{FifoNode, Node, OpenDir, VirtNode, virtual_stat};
use super::resolve::{Found, GuestPath, HowFor, Lexical, Opened};
use super::stat::{FileKind, Stat};
use super::tree::{Kind, VirtId};
use super::vfs::Vfs;
use super::walk::{self, Last, Level, Walked};
use super::{FsError, fds::FdTable, name_text};

/// How often opening starts over because a name comes and goes meanwhile.
const OPEN_RETRIES_MAX: usize = 16;

/// How to open a path; by default for reading, not following a link at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "these are the independent flags of open(2)"
)]
pub struct OpenOptions {
    /// Reading is wanted; also given if writing is not wanted.
    pub read: bool,
    /// Writing is wanted.
    pub write: bool,
    /// A missing file is created.
    pub create: bool,
    /// With `create`: it must be missing.
    pub exclusive: bool,
    /// The file is cut to nothing.
    pub truncate: bool,
    /// It must be a directory.
    pub directory: bool,
    /// A symbolic link at the end is followed.
    pub follow: bool,
    /// Permission bits of a file that is created; 0o644 by default.
    pub mode: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            read: false,
            write: false,
            create: false,
            exclusive: false,
            truncate: false,
            directory: false,
            follow: false,
            mode: 0o644,
        }
    }
}

impl OpenOptions {
    fn reads(self) -> bool {
        self.read || !self.write
    }
}

impl Vfs {
    /// Opens a path that starts at a directory.
    ///
    /// From [`Vfs::root`] the path may be absolute and wander through the whole guest tree; from another
    /// directory it may not leave that one ([`FsError::NotPermitted`]). `fds` tells which of `/dev/fd` exist.
    /// Errors with [`FsError::ReadOnly`] if the mount does not allow what is wanted, [`FsError::NoSpace`] if
    /// the quota of bytes or names is spent, [`FsError::NoMemory`] if too much is open.
    pub fn open_at(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        options: OpenOptions,
        fds: &dyn FdTable,
    ) -> Result<Node, FsError> {
        if options.directory && (options.create || options.truncate) {
            return Err(FsError::Invalid);
        }
        for _ in 0..OPEN_RETRIES_MAX {
            if !(options.create && options.exclusive) {
                match self.open_existing(base, path, options, fds) {
                    Err(FsError::NoEntry) if options.create => {}
                    ended => return ended,
                }
            }
            match self.open_new(base, path, options, fds) {
                Err(FsError::Exist) if !options.exclusive => {}
                ended => return ended,
            }
        }
        Err(FsError::Busy)
    }

    /// Returns the metadata of what is at a path. Errors as [`Vfs::open_at`] does.
    pub fn stat_at(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        follow: bool,
        fds: &dyn FdTable,
    ) -> Result<Stat, FsError> {
        // As whoever reads a directory asks for each of its names: no way to resolve, so nothing to open.
        if let Node::Dir(dir) = base
            && !follow
            && is_single_name(path)
        {
            let name = name_text::to_host(path);
            return Ok(rustix::fs::statat(&dir.fd, &*name, AtFlags::SYMLINK_NOFOLLOW)?.into());
        }
        match self.open_found(base, path, follow, &|_| Ok(OpenHow::path()))? {
            Found::Real(opened) => Ok(rustix::fs::fstat(&opened.fd)?.into()),
            Found::Virtual(id) => Ok(virtual_stat(id, &self.present(id, fds)?)),
        }
    }

    fn open_existing(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        options: OpenOptions,
        fds: &dyn FdTable,
    ) -> Result<Node, FsError> {
        let writes = options.write || options.truncate;
        let how = |mount: &Mount| {
            let how = if writes {
                mount.write_access()?.open_how(options.reads(), true)
            } else {
                OpenHow::read()
            };
            Ok(how.directory(options.directory))
        };
        let how: HowFor<'_> = &how;
        let found = match self.open_found(base, path, options.follow, how) {
            // The host's word for a FIFO that nobody on the host reads.
            Err(FsError::NoSuchDevice) if writes => {
                self.open_found(base, path, options.follow, &|mount| {
                    mount.write_access().map(|_| OpenHow::path())
                })?
            }
            found => found?,
        };
        match found {
            Found::Virtual(id) => self.adopt_virtual(id, options, fds),
            Found::Real(opened) => self.adopt(opened, options, (writes, false), fds),
        }
    }

    fn open_new(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        options: OpenOptions,
        fds: &dyn FdTable,
    ) -> Result<Node, FsError> {
        if options.write {
            self.quota.check_room(0)?;
        }
        self.quota.charge_inode()?;
        let opened = self
            .create(base, path, options)
            .inspect_err(|_| self.quota.refund_inode())?;
        self.adopt(
            opened,
            OpenOptions {
                truncate: false,
                ..options
            },
            (options.write, true),
            fds,
        )
    }

    fn create(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        options: OpenOptions,
    ) -> Result<Opened, FsError> {
        let parsed = GuestPath::new(path)?;
        let start = match self.lexical(base, &parsed)? {
            Lexical::Virtual(_) => return Err(FsError::Exist),
            Lexical::Missing { last: true } => return Err(FsError::ReadOnly),
            Lexical::Missing { last: false } => return Err(FsError::NoEntry),
            Lexical::Real(start) if start.rest.is_empty() => return Err(FsError::Exist),
            Lexical::Real(_) if parsed.dir_only => return Err(FsError::IsDirectory),
            Lexical::Real(start) => start,
        };
        let Some((name, parents)) = start.rest.split_last() else {
            return Err(FsError::Exist);
        };
        if let Ok(access) = start.mount.write_access()
            && *name != ".."
        {
            let permit = self.quota.handle()?;
            let how = access.create_how(options.reads(), options.write, options.mode);
            let parent = match parents {
                [] => Ok(None),
                parents => open_beneath(
                    start.dir.as_fd(),
                    &parents.join("/"),
                    &OpenHow::path_directory(),
                    Links::Refuse,
                )
                .map(Some),
            };
            let created = parent.and_then(|parent| {
                let dir = parent.as_ref().map_or(start.dir.as_fd(), |dir| dir.as_fd());
                create_in(dir, name, &how)
            });
            match created {
                Ok(fd) => {
                    let known = start.known(&start.rest, Links::Refuse);
                    self.mark_handle(&start.mount, fd.as_fd(), known.clone());
                    return Ok(Opened {
                        mount: start.mount,
                        fd,
                        known,
                        permit,
                    });
                }
                Err(FsError::Exist) if options.exclusive => return Err(FsError::Exist),
                // A link on the way, or one at the end that leads to nothing yet.
                Err(FsError::Loop | FsError::Exist | FsError::CrossDevice) => {}
                Err(error) => return Err(error),
            }
        }
        self.create_walking(base, &parsed, options)
    }

    fn create_walking(
        self: &Arc<Self>,
        base: &Node,
        path: &GuestPath<'_>,
        options: OpenOptions,
    ) -> Result<Opened, FsError> {
        let last = if options.follow && !options.exclusive {
            Last::Follow
        } else {
            Last::Keep
        };
        let Walked { at, name, dir_only } = walk::walk(self, base, path, last)?;
        let name = name.ok_or(FsError::Exist)?;
        let (mount, dir) = match at {
            Level::Virtual(dir) if self.tree.child(dir, &name).is_some() => {
                return Err(FsError::Exist);
            }
            Level::Virtual(_) => return Err(FsError::ReadOnly),
            Level::Real(mount, dir) => (mount, dir),
        };
        if dir_only {
            return Err(FsError::IsDirectory);
        }
        let permit = self.quota.handle()?;
        let how = match mount.write_access() {
            Ok(access) => access.create_how(options.reads(), options.write, options.mode),
            Err(refusal) => {
                let there = open_beneath(dir.as_fd(), &name, &OpenHow::path(), Links::Refuse);
                return Err(if there.is_ok() {
                    FsError::Exist
                } else {
                    refusal
                });
            }
        };
        let fd = create_in(dir.as_fd(), &name, &how)?;
        self.mark_handle(&mount, fd.as_fd(), None);
        Ok(Opened {
            mount,
            fd,
            known: None,
            permit,
        })
    }

    /// Makes a handle of a descriptor. `writes` says whether the descriptor can write. A file that is new may be
    /// opened whatever its mode is, and is marked already.
    pub(super) fn adopt(
        self: &Arc<Self>,
        opened: Opened,
        options: OpenOptions,
        (writes, is_new): (bool, bool),
        fds: &dyn FdTable,
    ) -> Result<Node, FsError> {
        let Opened {
            mount,
            fd,
            known,
            permit,
        } = opened;
        // Asked under the lock, so that no name of it goes before it is booked.
        let books = self.books.lock();
        let stat = Stat::from(rustix::fs::fstat(&fd)?);
        if !is_new && stat.kind != FileKind::Directory {
            stat.check_owner(options.reads(), writes)?;
        }
        match stat.kind {
            FileKind::Directory if options.write => return Err(FsError::IsDirectory),
            FileKind::Directory => {
                stat.check_owner(true, false)?;
                return Ok(Node::Dir(Arc::new(OpenDir {
                    mount,
                    fd,
                    _permit: permit,
                })));
            }
            FileKind::Regular => {}
            FileKind::Fifo => {
                let (read, write) = (options.reads(), options.write);
                let ends = fds.open_fifo(stat.key(), read, write);
                return Ok(Node::Fifo(Arc::new(FifoNode {
                    mount,
                    fd,
                    ends: ends.ok_or(FsError::Unsupported)?,
                    read,
                    write,
                    _permit: permit,
                })));
            }
            // A device is not a guest's to touch.
            _ => return Err(FsError::Unsupported),
        }
        if writes {
            self.quota
                .check_room(if options.truncate { stat.size } else { 0 })?;
        }
        let file = OpenFile::new(
            self,
            books,
            &stat,
            (&mount, fd, permit),
            (options.reads(), options.write, writes),
        );
        if options.truncate && stat.size > 0 {
            file.truncate()?;
        }
        if writes && !is_new {
            self.mark_handle(&mount, file.fd(), known);
        }
        Ok(Node::File(file))
    }

    pub(super) fn adopt_virtual(
        self: &Arc<Self>,
        id: VirtId,
        options: OpenOptions,
        fds: &dyn FdTable,
    ) -> Result<Node, FsError> {
        let kind = self.present(id, fds)?;
        match &kind {
            Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir | Kind::Mount(_) if options.write => {
                return Err(FsError::IsDirectory);
            }
            Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir | Kind::Mount(_) => {}
            _ if options.directory => return Err(FsError::NotDirectory),
            Kind::Text(_) | Kind::Program(_) if options.write || options.truncate => {
                return Err(FsError::ReadOnly);
            }
            // As for a process without a controlling terminal.
            Kind::Tty => return Err(FsError::NoSuchDevice),
            _ => {}
        }
        let permit = Some(self.quota.handle()?);
        let (read, write) = (options.reads(), options.write);
        Ok(Node::Virtual(Arc::new(VirtNode {
            id,
            kind,
            read,
            write,
            _permit: permit,
        })))
    }

    /// Returns the kind of a virtual node, if the process has it.
    fn present(&self, id: VirtId, fds: &dyn FdTable) -> Result<Kind, FsError> {
        let kind = self.tree.kind(id).ok_or(FsError::NoEntry)?;
        match kind {
            Kind::Fd(number) if !fds.is_open(number) => Err(FsError::NoEntry),
            kind => Ok(kind),
        }
    }
}

/// Returns whether a path is one name in a directory, and not the directory itself or the one above it.
fn is_single_name(path: &str) -> bool {
    !matches!(path, "" | "." | "..") && !path.contains(['/', '\0'])
}

/// Creates a file in a directory, of which its owner must be allowed to change the names.
fn create_in(dir: BorrowedFd<'_>, name: &str, how: &OpenHow) -> Result<OwnedFd, FsError> {
    let may = Stat::from(rustix::fs::fstat(dir)?).check_owner(false, true);
    if let Err(refusal) = may {
        let there = open_beneath(dir, name, &OpenHow::path(), Links::Refuse);
        return Err(if there.is_ok() {
            FsError::Exist
        } else {
            refusal
        });
    }
    open_beneath(dir, name, how, Links::Refuse)
}
