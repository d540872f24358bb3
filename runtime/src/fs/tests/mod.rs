//! Tests of the core on real temporary directories, one area per file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod bulk;
mod confinement;
mod dirty;
mod quota;
mod race;
mod resolution;
mod rights;
mod virtual_tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tempfile::TempDir;

use super::{
    FsError, FsLimits, NewTime, NoFds, Node, OpenFile, OpenOptions, Rights, Vfs, VfsBuilder,
};

/// For reading, following links.
const READ: OpenOptions = OpenOptions {
    read: true,
    write: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: true,
    mode: 0o644,
};
const WRITE: OpenOptions = OpenOptions {
    write: true,
    ..READ
};
const CREATE: OpenOptions = OpenOptions {
    create: true,
    ..WRITE
};
const TRUNCATE: OpenOptions = OpenOptions {
    truncate: true,
    ..CREATE
};

/// A host with `/workspace` and `/tmp` (writable), `/ro` (not), and things outside that nobody may reach.
struct World {
    host: TempDir,
    vfs: Arc<Vfs>,
    root: Node,
}

impl World {
    fn new() -> Self {
        Self::with_limits(FsLimits::default())
    }

    fn with_limits(limits: FsLimits) -> Self {
        let host = TempDir::new().unwrap();
        for dir in ["workspace", "tmp", "ro/dir", "outside"] {
            std::fs::create_dir_all(host.path().join(dir)).unwrap();
        }
        std::fs::write(host.path().join("outside/secret"), "secret").unwrap();
        std::fs::write(host.path().join("ro/file"), "fixed").unwrap();
        let vfs = VfsBuilder::default()
            .mount(
                "/workspace",
                open(&host.path().join("workspace")),
                Rights::ReadWrite,
            )
            .mount("/tmp", open(&host.path().join("tmp")), Rights::ReadWrite)
            .mount("/ro", open(&host.path().join("ro")), Rights::ReadOnly)
            .limits(limits)
            .build()
            .unwrap();
        let root = vfs.root();
        Self { host, vfs, root }
    }

    fn host(&self, path: &str) -> PathBuf {
        self.host.path().join(path)
    }

    /// Puts a link on the host's side, as an earlier run might have left it.
    fn host_link(&self, target: impl AsRef<Path>, path: &str) {
        std::os::unix::fs::symlink(target, self.host(path)).unwrap();
    }

    fn open(&self, path: &str, options: OpenOptions) -> Result<Node, FsError> {
        self.vfs.open_at(&self.root, path, options, &NoFds)
    }

    fn file(&self, path: &str, options: OpenOptions) -> Result<Arc<OpenFile>, FsError> {
        match self.open(path, options)? {
            Node::File(file) => Ok(file),
            other => panic!("{path} is {other:?}"),
        }
    }

    fn write(&self, path: &str, content: &str) -> Result<(), FsError> {
        let file = self.file(path, TRUNCATE)?;
        assert_eq!(file.write_at(content.as_bytes(), 0)?, content.len());
        Ok(())
    }

    fn read(&self, path: &str) -> Result<String, FsError> {
        self.read_from(&self.root, path)
    }

    fn read_from(&self, base: &Node, path: &str) -> Result<String, FsError> {
        let mut buffer = [0; 4096];
        let count = match self.vfs.open_at(base, path, READ, &NoFds)? {
            Node::File(file) => file.read_at(&mut buffer, 0)?,
            Node::Virtual(node) => node.read_at(&mut buffer, 0)?,
            Node::Dir(_) => return Err(FsError::IsDirectory),
            Node::Fifo(_) => panic!("{path} is a FIFO, and nobody is here who has it open"),
        };
        Ok(String::from_utf8(buffer[..count].to_vec()).unwrap())
    }

    fn names(&self, path: &str) -> Vec<String> {
        let dir = self.open(path, READ).unwrap();
        let mut names: Vec<_> = self
            .vfs
            .list(&dir, &NoFds)
            .unwrap()
            .map(|entry| entry.unwrap().name)
            .collect();
        names.sort();
        names
    }

    fn touch(&self, path: &str) -> Result<(), FsError> {
        self.vfs
            .set_times_at(&self.root, path, true, NewTime::Now, NewTime::Now)
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), FsError> {
        self.vfs.rename_at((&self.root, old), (&self.root, new))
    }

    fn link(&self, old: &str, new: &str) -> Result<(), FsError> {
        self.vfs
            .link_at((&self.root, old), false, (&self.root, new))
    }

    fn symlink(&self, target: &str, path: &str) -> Result<(), FsError> {
        self.vfs.symlink_at(target, &self.root, path)
    }

    fn mkdir(&self, path: &str) -> Result<(), FsError> {
        self.vfs.create_dir_at(&self.root, path)
    }

    fn unlink(&self, path: &str) -> Result<(), FsError> {
        self.vfs.unlink_at(&self.root, path)
    }

    fn rmdir(&self, path: &str) -> Result<(), FsError> {
        self.vfs.remove_dir_at(&self.root, path)
    }
}

fn open(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

/// Everything in a directory of the host: path, type, mode, size, time of change, content or target.
fn picture(path: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let mut lines = Vec::new();
    let mut todo = vec![path.to_owned()];
    while let Some(path) = todo.pop() {
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let content = if meta.is_dir() {
            todo.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            String::new()
        } else if meta.is_symlink() {
            std::fs::read_link(&path).unwrap().display().to_string()
        } else {
            std::fs::read_to_string(&path).unwrap()
        };
        let times = (
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
        );
        lines.push(format!(
            "{} {:o} {} {times:?} {content}",
            path.display(),
            meta.mode(),
            meta.nlink()
        ));
    }
    lines.sort();
    lines
}
