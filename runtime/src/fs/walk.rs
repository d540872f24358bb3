//! The walk in user space: one name at a time, over handles on a stack, links read and never followed.
//!
//! Needed where a path crosses the border of a mount. `..` goes back on the stack and so never above where
//! the walk began; an absolute link begins again at the guest's `/`, if that is where the walk began.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::mount::{Links, Mount, OpenHow, open_beneath};
use super::node::Node;
use super::resolve::{DirFd, Found, GuestPath, HowFor, Opened};
use super::stat::{FileKind, Stat};
use super::tree::{Kind, ROOT, VirtId};
use super::vfs::Vfs;
use super::{FsError, name_text};

/// Links followed in one path, as on the host.
const LINKS_MAX: usize = 40;
/// Directories open at once in one walk; each is a descriptor of the host.
const DEPTH_MAX: usize = 256;
/// How often a path is walked again because its last name became a link meanwhile.
const WALKS_MAX: usize = 16;

/// A directory the walk has come to.
#[derive(Debug)]
pub(super) enum Level {
    Virtual(VirtId),
    Real(Arc<Mount>, DirFd),
}

/// What to do with a path's last name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// It is a directory to be entered.
    Enter,
    /// Take it as it stands, a link too.
    Keep,
    /// If it is a link, go on.
    Follow,
}

/// Where a walk ended.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) at: Level,
    /// The last name, which may not exist; or none, if the path ends at the directory itself.
    pub(super) name: Option<String>,
    /// The name must be one of a directory.
    pub(super) dir_only: bool,
}

/// Walks a path.
pub(super) fn walk(
    vfs: &Arc<Vfs>,
    base: &Node,
    path: &GuestPath<'_>,
    last: Last,
) -> Result<Walked, FsError> {
    let base = match base {
        Node::File(_) | Node::Fifo(_) => return Err(FsError::NotDirectory),
        Node::Dir(dir) => Level::Real(Arc::clone(&dir.mount), DirFd::Handle(Arc::clone(dir))),
        Node::Virtual(node) => Level::Virtual(node.id),
    };
    let is_root = matches!(base, Level::Virtual(ROOT));
    if path.absolute && !is_root {
        return Err(FsError::NotPermitted);
    }
    let mut walk = Walk {
        vfs,
        stack: vec![base],
        todo: path
            .names
            .iter()
            .rev()
            .map(|name| (*name).to_owned())
            .collect(),
        links: 0,
        is_root,
        dir_only: path.dir_only,
    };
    let name = walk.run(last)?;
    let at = walk.stack.pop().ok_or(FsError::Io)?;
    Ok(Walked {
        at,
        name,
        dir_only: walk.dir_only,
    })
}

struct Walk<'v> {
    vfs: &'v Arc<Vfs>,
    /// Never empty: its first level is where the walk began.
    stack: Vec<Level>,
    /// The names that remain, the next one last.
    todo: Vec<String>,
    links: usize,
    is_root: bool,
    dir_only: bool,
}

impl Walk<'_> {
    fn run(&mut self, last: Last) -> Result<Option<String>, FsError> {
        while let Some(name) = self.todo.pop() {
            if name == ".." {
                if self.stack.len() > 1 {
                    self.stack.pop();
                } else if !self.is_root {
                    return Err(FsError::NotPermitted);
                }
                continue;
            }
            let is_last = self.todo.is_empty();
            let ended = match self.stack.last() {
                Some(Level::Virtual(id)) => self.step_virtual(*id, &name, is_last, last)?,
                Some(Level::Real(..)) => self.step_real(&name, is_last, last)?,
                None => return Err(FsError::Io),
            };
            if ended {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Returns whether the walk ends with this name.
    fn step_virtual(
        &mut self,
        dir: VirtId,
        name: &str,
        is_last: bool,
        last: Last,
    ) -> Result<bool, FsError> {
        let may_lack = is_last && last != Last::Enter;
        let Some(id) = self.vfs.tree.child(dir, name) else {
            return if may_lack {
                Ok(true)
            } else {
                Err(FsError::NoEntry)
            };
        };
        match self.vfs.tree.kind_ref(id) {
            Some(Kind::Mount(index)) => {
                let mount = self.vfs.mounts.get(*index).ok_or(FsError::Io)?;
                self.stack.push(Level::Real(
                    Arc::clone(mount),
                    DirFd::Mount(Arc::clone(mount)),
                ));
                Ok(false)
            }
            Some(Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir) => {
                self.stack.push(Level::Virtual(id));
                Ok(false)
            }
            _ if may_lack && !self.dir_only => Ok(true),
            _ => Err(FsError::NotDirectory),
        }
    }

    /// Returns whether the walk ends with this name.
    fn step_real(&mut self, name: &str, is_last: bool, last: Last) -> Result<bool, FsError> {
        let Some(Level::Real(mount, dir)) = self.stack.last() else {
            return Err(FsError::Io);
        };
        let may_end = is_last && last != Last::Enter;
        let permit = self.vfs.quota.handle()?;
        let fd = match open_beneath(dir.as_fd(), name, &OpenHow::path(), Links::Refuse) {
            Err(FsError::NoEntry) if may_end => return Ok(true),
            opened => opened?,
        };
        match Stat::from(rustix::fs::fstat(&fd)?).kind {
            FileKind::Symlink if may_end && last == Last::Keep && !self.dir_only => Ok(true),
            FileKind::Symlink => {
                let target = rustix::fs::readlinkat(&fd, c"", Vec::new())?;
                let target = name_text::to_text(target.as_bytes());
                self.follow(&target, is_last)?;
                Ok(false)
            }
            FileKind::Directory if may_end => Ok(true),
            FileKind::Directory if self.stack.len() >= DEPTH_MAX => Err(FsError::NameTooLong),
            FileKind::Directory => {
                let level = Level::Real(
                    Arc::clone(mount),
                    DirFd::Owned {
                        fd,
                        _permit: permit,
                    },
                );
                self.stack.push(level);
                Ok(false)
            }
            _ if may_end && !self.dir_only => Ok(true),
            _ => Err(FsError::NotDirectory),
        }
    }

    fn follow(&mut self, target: &str, is_last: bool) -> Result<(), FsError> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(FsError::Loop);
        }
        let target = GuestPath::new(target)?;
        if target.absolute {
            if !self.is_root {
                return Err(FsError::NotPermitted);
            }
            self.stack.truncate(1);
        }
        self.dir_only |= is_last && target.dir_only;
        self.todo
            .extend(target.names.iter().rev().map(|name| (*name).to_owned()));
        Ok(())
    }
}

/// Opens what exists at a path, by walking it.
pub(super) fn open(
    vfs: &Arc<Vfs>,
    base: &Node,
    path: &GuestPath<'_>,
    follow: bool,
    how: HowFor<'_>,
) -> Result<Found, FsError> {
    let last = if follow { Last::Follow } else { Last::Keep };
    for _ in 0..WALKS_MAX {
        let Walked { at, name, dir_only } = walk(vfs, base, path, last)?;
        let (mount, dir, name) = match (at, name) {
            (Level::Virtual(id), None) => return vfs.open_virtual(id, dir_only, how),
            (Level::Virtual(dir), Some(name)) => {
                let id = vfs.tree.child(dir, &name).ok_or(FsError::NoEntry)?;
                return vfs.open_virtual(id, dir_only, how);
            }
            (Level::Real(mount, dir), name) => (mount, dir, name),
        };
        let permit = vfs.quota.handle()?;
        let known = (matches!(dir, DirFd::Mount(_)))
            .then(|| name.as_deref().map_or_else(PathBuf::new, PathBuf::from));
        let dir_only = dir_only || name.is_none();
        let name = name.unwrap_or_else(|| ".".to_owned());
        let how = match how(&mount) {
            Ok(how) => how.directory(dir_only).follow(false),
            Err(refusal) => {
                // What is not there is missing before it is forbidden.
                open_beneath(dir.as_fd(), &name, &OpenHow::path(), Links::Refuse)?;
                return Err(refusal);
            }
        };
        match open_beneath(dir.as_fd(), &name, &how, Links::Refuse) {
            Err(FsError::Loop) if follow => {}
            opened => {
                return opened.map(|fd| {
                    Found::Real(Opened {
                        mount,
                        fd,
                        known,
                        permit,
                    })
                });
            }
        }
    }
    Err(FsError::Busy)
}
