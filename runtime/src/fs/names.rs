//! Operations on names: making, removing, linking, moving.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::AtFlags;

use super::books::OpenBooks;
use super::dirty::Dirt;
use super::mount::{Mount, OpenHow, WriteAccess};
use super::node::Node;
use super::resolve::{DirFd, Found, GuestPath, Lexical, PATH_BYTES_MAX, open_in};
use super::stat::{FileKind, Stat};
use super::tree::{Kind, VirtId};
use super::vfs::Vfs;
use super::walk::{self, Last, Level};
use super::{FsError, name_text};

/// What is going to happen to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Create,
    Remove,
    /// To be created or replaced, by a rename.
    Replace,
}

/// A name in a directory of a mount.
struct Site {
    mount: Arc<Mount>,
    dir: DirFd,
    name: String,
    /// The path ended in `/`.
    dir_only: bool,
    /// The true path of the directory, if that is known without asking.
    known: Option<PathBuf>,
}

impl Site {
    fn stat(&self) -> Result<Stat, FsError> {
        Ok(rustix::fs::statat(
            self.dir.as_fd(),
            &*name_text::to_host(&self.name),
            AtFlags::SYMLINK_NOFOLLOW,
        )?
        .into())
    }

    /// Leave to create the name; what exists is said to exist even where nothing may be created.
    fn create_access(&self) -> Result<WriteAccess<'_>, FsError> {
        self.change_access().map_err(|refusal| match self.stat() {
            Ok(_) => FsError::Exist,
            Err(_) => refusal,
        })
    }

    /// Leave to remove the name; what is missing is said to be missing even where nothing may be removed.
    fn remove_access(&self) -> Result<WriteAccess<'_>, FsError> {
        self.change_access().map_err(|refusal| match self.stat() {
            Err(FsError::NoEntry) => FsError::NoEntry,
            _ => refusal,
        })
    }

    /// Leave to change what names the directory has.
    fn change_access(&self) -> Result<WriteAccess<'_>, FsError> {
        let access = self.mount.write_access()?;
        Stat::from(rustix::fs::fstat(self.dir.as_fd())?).check_owner(false, true)?;
        Ok(access)
    }

    fn mark(&self, vfs: &Vfs, dirt: Dirt) {
        vfs.mark_name(
            &self.mount,
            self.dir.as_fd(),
            self.known.as_deref(),
            &self.name,
            dirt,
        );
    }
}

impl Vfs {
    /// Creates a directory. Paths are as for [`Vfs::open_at`], in this and all other operations.
    pub fn create_dir_at(self: &Arc<Self>, base: &Node, path: &str) -> Result<(), FsError> {
        self.create_dir_with_mode_at(base, path, 0o755)
    }

    /// Creates a directory with the given permission bits.
    pub fn create_dir_with_mode_at(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        mode: u32,
    ) -> Result<(), FsError> {
        let site = self.site(base, path, Intent::Create)?;
        let access = site.create_access()?;
        self.charging_inode(|| access.create_dir(site.dir.as_fd(), &site.name, mode))?;
        // One of that name may have moved away with all that was in it: nothing of it is in the new one.
        site.mark(self, Dirt::Subtree);
        Ok(())
    }

    /// Creates a FIFO with the given permission bits. It is a name on the disk; its bytes never are.
    pub fn create_fifo_at(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        mode: u32,
    ) -> Result<(), FsError> {
        let site = self.site(base, path, Intent::Create)?;
        if site.dir_only {
            return Err(FsError::NoEntry);
        }
        let access = site.create_access()?;
        self.charging_inode(|| access.create_fifo(site.dir.as_fd(), &site.name, mode))?;
        site.mark(self, Dirt::Entry);
        Ok(())
    }

    /// Removes an empty directory; a mount is [`FsError::Busy`].
    pub fn remove_dir_at(self: &Arc<Self>, base: &Node, path: &str) -> Result<(), FsError> {
        let site = self.site(base, path, Intent::Remove)?;
        site.remove_access()?
            .remove_dir(site.dir.as_fd(), &site.name)?;
        self.quota.refund_inode();
        site.mark(self, Dirt::Entry);
        Ok(())
    }

    /// Removes a name that is not one of a directory. The bytes are given back with the last name and handle.
    pub fn unlink_at(self: &Arc<Self>, base: &Node, path: &str) -> Result<(), FsError> {
        let site = self.site(base, path, Intent::Remove)?;
        let access = site.remove_access()?;
        {
            let books = self.books.lock();
            let stat = site.stat()?;
            match stat.kind {
                FileKind::Directory => return Err(FsError::IsDirectory),
                _ if site.dir_only => return Err(FsError::NotDirectory),
                _ => access.unlink(site.dir.as_fd(), &site.name)?,
            }
            self.refund_name(&books, &stat);
        }
        site.mark(self, Dirt::Entry);
        Ok(())
    }

    /// Creates a symbolic link. Any target may be written, also an absolute one or one that leads nowhere:
    /// it is read in the guest's tree alone.
    pub fn symlink_at(
        self: &Arc<Self>,
        target: &str,
        base: &Node,
        path: &str,
    ) -> Result<(), FsError> {
        if target.is_empty() {
            return Err(FsError::NoEntry);
        }
        if target.len() >= PATH_BYTES_MAX {
            return Err(FsError::NameTooLong);
        }
        if target.contains('\0') {
            return Err(FsError::Invalid);
        }
        let site = self.site(base, path, Intent::Create)?;
        if site.dir_only {
            return Err(FsError::NoEntry);
        }
        let access = site.create_access()?;
        let bytes = target.len() as u64;
        self.quota.charge_bytes(bytes)?;
        self.charging_inode(|| access.symlink(target, site.dir.as_fd(), &site.name))
            .inspect_err(|_| self.quota.refund_bytes(bytes))?;
        site.mark(self, Dirt::Entry);
        Ok(())
    }

    /// Returns the target of a symbolic link, as it was written.
    pub fn readlink_at(self: &Arc<Self>, base: &Node, path: &str) -> Result<String, FsError> {
        match self.open_found(base, path, false, &|_| Ok(OpenHow::path()))? {
            Found::Virtual(_) => Err(FsError::Invalid),
            Found::Real(opened) => {
                let target = match rustix::fs::readlinkat(&opened.fd, c"", Vec::new()) {
                    // The kernel's word for "not a link" when asked by handle.
                    Err(rustix::io::Errno::NOENT) => return Err(FsError::Invalid),
                    target => target?,
                };
                Ok(name_text::to_text(target.as_bytes()))
            }
        }
    }

    /// Gives a file another name in the same mount; `follow` says whether a link at the end of the old path
    /// is followed. A name counts as an inode in the quota.
    pub fn link_at(
        self: &Arc<Self>,
        old: (&Node, &str),
        follow: bool,
        new: (&Node, &str),
    ) -> Result<(), FsError> {
        let old = if follow {
            self.followed_site(old.0, old.1)?
        } else {
            self.site(old.0, old.1, Intent::Remove)?
        };
        let new = self.site(new.0, new.1, Intent::Create)?;
        let books = self.books.lock();
        let stat = old.stat()?;
        if stat.kind == FileKind::Directory {
            return Err(FsError::NotPermitted);
        }
        if old.dir_only || new.dir_only {
            return Err(FsError::NotDirectory);
        }
        if !Arc::ptr_eq(&old.mount, &new.mount) {
            return Err(FsError::CrossDevice);
        }
        let access = new.create_access()?;
        self.charging_inode(|| {
            access.link((old.dir.as_fd(), &old.name), (new.dir.as_fd(), &new.name))
        })?;
        drop(books);
        new.mark(self, Dirt::Entry);
        Ok(())
    }

    /// Moves a name, replacing what has the new one.
    ///
    /// Between two mounts, both writable and on one file system of the host, files and links move; a
    /// directory is [`FsError::CrossDevice`], for handles beneath it would keep the old mount.
    pub fn rename_at(
        self: &Arc<Self>,
        old: (&Node, &str),
        new: (&Node, &str),
    ) -> Result<(), FsError> {
        let old = self.site(old.0, old.1, Intent::Remove)?;
        let new = self.site(new.0, new.1, Intent::Replace)?;
        let out_of = old.remove_access()?;
        let into = new.change_access()?;
        {
            let books = self.books.lock();
            let moved = old.stat()?;
            if (old.dir_only || new.dir_only) && moved.kind != FileKind::Directory {
                return Err(FsError::NotDirectory);
            }
            let moves_mount = !Arc::ptr_eq(&old.mount, &new.mount);
            if moves_mount && !matches!(moved.kind, FileKind::Regular | FileKind::Symlink) {
                return Err(FsError::CrossDevice);
            }
            let replaced = new.stat().ok();
            out_of.rename(
                (old.dir.as_fd(), &old.name),
                into,
                (new.dir.as_fd(), &new.name),
            )?;
            // Between two names of one file the kernel does nothing.
            if let Some(replaced) = replaced.filter(|replaced| replaced.key() != moved.key()) {
                self.refund_name(&books, &replaced);
            }
        }
        old.mark(self, Dirt::Entry);
        new.mark(self, Dirt::Subtree);
        Ok(())
    }

    /// Gives back what a removed name cost.
    fn refund_name(&self, books: &OpenBooks<'_>, stat: &Stat) {
        self.quota.refund_inode();
        let has_bytes = matches!(stat.kind, FileKind::Regular | FileKind::Symlink);
        if has_bytes && stat.links == 1 && !books.lose_name(stat) {
            self.quota.refund_bytes(stat.size);
        }
    }

    fn charging_inode(&self, create: impl FnOnce() -> Result<(), FsError>) -> Result<(), FsError> {
        self.quota.charge_inode()?;
        create().inspect_err(|_| self.quota.refund_inode())
    }

    /// Resolves all of a path but its last name.
    fn site(self: &Arc<Self>, base: &Node, path: &str, intent: Intent) -> Result<Site, FsError> {
        let parsed = GuestPath::new(path)?;
        let start = match self.lexical(base, &parsed)? {
            Lexical::Missing { last: false } => return Err(FsError::NoEntry),
            Lexical::Missing { last: true } => return Err(refusal_of_missing(intent)),
            Lexical::Virtual(id) => return Err(self.refusal_of_present(id, intent)),
            Lexical::Real(start) => start,
        };
        let dir_only = parsed.dir_only;
        let (name, parents) = match start.rest.split_last() {
            Some((name, parents)) if *name != ".." => ((*name).to_owned(), parents),
            _ if intent == Intent::Create => return Err(FsError::Exist),
            _ => return Err(FsError::Invalid),
        };
        if parents.is_empty() {
            let known = start.known(parents, super::mount::Links::Refuse);
            return Ok(Site {
                mount: start.mount,
                dir: start.dir,
                name,
                dir_only,
                known,
            });
        }
        let permit = self.quota.handle()?;
        match open_in(&start, parents, &OpenHow::path_directory(), true) {
            Ok((fd, known)) => {
                let dir = DirFd::Owned {
                    fd,
                    _permit: permit,
                };
                Ok(Site {
                    mount: start.mount,
                    dir,
                    name,
                    dir_only,
                    known,
                })
            }
            Err(FsError::CrossDevice) => {
                let mut parents = parsed.clone();
                parents.names.pop();
                parents.dir_only = true;
                let walked = walk::walk(self, base, &parents, Last::Enter)?;
                self.site_at(walked.at, name, dir_only, intent)
            }
            Err(error) => Err(error),
        }
    }

    /// Resolves a path whole, and returns the name it ends at.
    fn followed_site(self: &Arc<Self>, base: &Node, path: &str) -> Result<Site, FsError> {
        let walked = walk::walk(self, base, &GuestPath::new(path)?, Last::Follow)?;
        // Without a name it is a directory, which has no second name.
        let name = walked.name.ok_or(FsError::NotPermitted)?;
        self.site_at(walked.at, name, walked.dir_only, Intent::Remove)
    }

    fn site_at(
        &self,
        at: Level,
        name: String,
        dir_only: bool,
        intent: Intent,
    ) -> Result<Site, FsError> {
        match at {
            Level::Real(mount, dir) => Ok(Site {
                mount,
                dir,
                name,
                dir_only,
                known: None,
            }),
            Level::Virtual(dir) => Err(match self.tree.child(dir, &name) {
                Some(id) => self.refusal_of_present(id, intent),
                None => refusal_of_missing(intent),
            }),
        }
    }

    /// Why a name of the virtual tree cannot be changed.
    fn refusal_of_present(&self, id: VirtId, intent: Intent) -> FsError {
        match self.tree.kind_ref(id) {
            _ if intent == Intent::Create => FsError::Exist,
            Some(Kind::Mount(_)) => FsError::Busy,
            _ => FsError::ReadOnly,
        }
    }
}

fn refusal_of_missing(intent: Intent) -> FsError {
    if intent == Intent::Remove {
        FsError::NoEntry
    } else {
        FsError::ReadOnly
    }
}
