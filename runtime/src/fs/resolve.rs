//! From a guest's path to a place on a disk or in the virtual tree.
//!
//! The way to a mount is found by names. In the mount the kernel resolves in one call, beneath the mount. Only
//! where the path leaves the mount (an absolute link, `..`) and may do so, it is walked here, one name at a
//! time, over handles: no step follows a link by itself, so a rename elsewhere can make the walk fail or end
//! at another place of the guest's tree, never outside it.
//!
//! Paths that start at `/` may wander through the guest's whole tree. Paths that start at any other directory
//! stay beneath it, as WASI demands, for a component may hand that directory to another one.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use super::mount::{Links, Mount, OpenHow, open_beneath};
use super::node::{Node, OpenDir};
use super::quota::HandlePermit;
use super::tree::{Kind, ROOT, VirtId};
use super::vfs::Vfs;
use super::{FsError, name_text, walk};

/// Longest path, in bytes, as on the host.
pub(super) const PATH_BYTES_MAX: usize = 4_096;

/// A path in pieces.
#[derive(Debug, Clone)]
pub(super) struct GuestPath<'p> {
    /// Names and `..`; neither empty ones nor `.`.
    pub(super) names: Vec<&'p str>,
    /// The path ends in `/` or `.`: what it names must be a directory, and a last link is followed.
    pub(super) dir_only: bool,
    /// The path begins with `/`.
    pub(super) absolute: bool,
}

impl<'p> GuestPath<'p> {
    pub(super) fn new(path: &'p str) -> Result<Self, FsError> {
        if path.is_empty() {
            return Err(FsError::NoEntry);
        }
        if path.len() >= PATH_BYTES_MAX {
            return Err(FsError::NameTooLong);
        }
        if path.contains('\0') {
            return Err(FsError::Invalid);
        }
        let dir_only = path.ends_with('/') || path.ends_with("/.") || path == ".";
        let names = path
            .split('/')
            .filter(|name| !matches!(*name, "" | "."))
            .collect();
        Ok(Self {
            names,
            dir_only,
            absolute: path.starts_with('/'),
        })
    }
}

/// A directory of a mount to resolve from.
#[derive(Debug)]
pub(super) enum DirFd {
    /// The mount's own.
    Mount(Arc<Mount>),
    /// A guest's handle.
    Handle(Arc<OpenDir>),
    /// Opened on the way.
    Owned { fd: OwnedFd, _permit: HandlePermit },
}

impl AsFd for DirFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Mount(mount) => mount.dir.as_fd(),
            Self::Handle(dir) => dir.fd.as_fd(),
            Self::Owned { fd, .. } => fd.as_fd(),
        }
    }
}

/// How far the names alone lead.
pub(super) enum Lexical<'p> {
    /// To a virtual node; or, if it is of a mount, to the mount's own directory.
    Virtual(VirtId),
    /// To a name that a virtual directory does not have.
    Missing {
        /// Whether it is the last one.
        last: bool,
    },
    /// Into a mount.
    Real(Start<'p>),
}

/// A place in a mount, and the names that remain.
pub(super) struct Start<'p> {
    pub(super) mount: Arc<Mount>,
    pub(super) dir: DirFd,
    pub(super) rest: Vec<&'p str>,
}

impl Start<'_> {
    /// Returns the true path of `rest`'s first names, if the kernel found no link among them.
    pub(super) fn known(&self, names: &[&str], links: Links) -> Option<PathBuf> {
        let is_mount = matches!(self.dir, DirFd::Mount(_));
        (is_mount && links == Links::Refuse && !names.contains(&".."))
            .then(|| names.iter().map(|name| name_text::to_host(name)).collect())
    }
}

/// An opened descriptor and where it lies.
pub(super) struct Opened {
    pub(super) mount: Arc<Mount>,
    pub(super) fd: OwnedFd,
    /// The true path in the mount, if that is known without asking.
    pub(super) known: Option<PathBuf>,
    pub(super) permit: HandlePermit,
}

/// What a path to something existing leads to.
pub(super) enum Found {
    Virtual(VirtId),
    Real(Opened),
}

/// How to open what is found: for reading, or by leave of the mount in which it is found.
pub(super) type HowFor<'f> = &'f dyn Fn(&Mount) -> Result<OpenHow, FsError>;

impl Vfs {
    /// Follows names through the virtual tree.
    pub(super) fn lexical<'p>(
        &self,
        base: &Node,
        path: &GuestPath<'p>,
    ) -> Result<Lexical<'p>, FsError> {
        let from = match base {
            Node::File(_) | Node::Fifo(_) => return Err(FsError::NotDirectory),
            Node::Dir(_) if path.absolute => return Err(FsError::NotPermitted),
            Node::Dir(dir) => {
                let start = DirFd::Handle(Arc::clone(dir));
                return Ok(Lexical::Real(Start {
                    mount: Arc::clone(&dir.mount),
                    dir: start,
                    rest: path.names.clone(),
                }));
            }
            Node::Virtual(node) => node.id,
        };
        if path.absolute && from != ROOT {
            return Err(FsError::NotPermitted);
        }
        let mut at = from;
        for (place, name) in path.names.iter().enumerate() {
            match self.tree.kind_ref(at) {
                Some(Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir) => {}
                Some(Kind::Mount(index)) => {
                    let mount = self.mounts.get(*index).ok_or(FsError::Io)?;
                    let rest = path.names.get(place..).unwrap_or_default().to_vec();
                    let dir = DirFd::Mount(Arc::clone(mount));
                    return Ok(Lexical::Real(Start {
                        mount: Arc::clone(mount),
                        dir,
                        rest,
                    }));
                }
                _ => return Err(FsError::NotDirectory),
            }
            if *name == ".." {
                if at == from && from != ROOT {
                    return Err(FsError::NotPermitted);
                }
                at = self.tree.parent(at);
                continue;
            }
            match self.tree.child(at, name) {
                Some(id) => at = id,
                None => {
                    return Ok(Lexical::Missing {
                        last: place + 1 == path.names.len(),
                    });
                }
            }
        }
        Ok(Lexical::Virtual(at))
    }

    /// Opens what exists at a path.
    ///
    /// `how` is asked with the mount in which the path ends, which by an absolute link may be another one than
    /// the one in which it begins.
    pub(super) fn open_found(
        self: &Arc<Self>,
        base: &Node,
        path: &str,
        follow: bool,
        how: HowFor<'_>,
    ) -> Result<Found, FsError> {
        let parsed = GuestPath::new(path)?;
        let follow = follow || parsed.dir_only;
        let start = match self.lexical(base, &parsed)? {
            Lexical::Missing { .. } => return Err(FsError::NoEntry),
            Lexical::Virtual(id) => return self.open_virtual(id, parsed.dir_only, how),
            Lexical::Real(start) => start,
        };
        // If this mount refuses, the path may still end in one that does not.
        if let Ok(how) = how(&start.mount) {
            let permit = self.quota.handle()?;
            let how = how.directory(parsed.dir_only).follow(follow);
            match open_in(&start, &start.rest, &how, follow) {
                Ok((fd, known)) => {
                    return Ok(Found::Real(Opened {
                        mount: start.mount,
                        fd,
                        known,
                        permit,
                    }));
                }
                Err(FsError::CrossDevice) => {}
                Err(error) => return Err(error),
            }
        }
        walk::open(self, base, &parsed, follow, how)
    }

    /// Opens a mount's own directory, or names a virtual node.
    pub(super) fn open_virtual(
        self: &Arc<Self>,
        id: VirtId,
        dir_only: bool,
        how: HowFor<'_>,
    ) -> Result<Found, FsError> {
        match self.tree.kind_ref(id) {
            Some(Kind::Mount(index)) => {
                let mount = Arc::clone(self.mounts.get(*index).ok_or(FsError::Io)?);
                let permit = self.quota.handle()?;
                let fd = open_beneath(
                    mount.dir.as_fd(),
                    ".",
                    &how(&mount)?.follow(true),
                    Links::Refuse,
                )?;
                Ok(Found::Real(Opened {
                    mount,
                    fd,
                    known: Some(PathBuf::new()),
                    permit,
                }))
            }
            Some(Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir) => Ok(Found::Virtual(id)),
            _ if dir_only => Err(FsError::NotDirectory),
            _ => Ok(Found::Virtual(id)),
        }
    }
}

/// Opens names beneath a place: first refusing links, so that success tells the true path; then following.
///
/// Errors with [`FsError::CrossDevice`] where the path leaves the place.
pub(super) fn open_in(
    start: &Start<'_>,
    names: &[&str],
    how: &OpenHow,
    follow: bool,
) -> Result<(OwnedFd, Option<PathBuf>), FsError> {
    let joined = if names.is_empty() {
        ".".to_owned()
    } else {
        names.join("/")
    };
    let dir = start.dir.as_fd();
    match open_beneath(dir, &joined, how, Links::Refuse) {
        Ok(fd) => return Ok((fd, start.known(names, Links::Refuse))),
        Err(FsError::Loop) => {}
        Err(error) => return Err(error),
    }
    let how = how.follow(follow);
    open_beneath(dir, &joined, &how, Links::Follow).map(|fd| (fd, None))
}
