//! What a guest's handle stands for. Every node carries its file system and, if it is on a disk, its mount.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::FsError;
use super::fds::FifoEnds;
use super::file::OpenFile;
use super::mount::Mount;
use super::quota::HandlePermit;
use super::stat::{FileKind, FileTime, Stat};
use super::tree::{Kind, VirtId};

/// The device number of virtual nodes, which no file system of the host has.
const VIRTUAL_DEVICE: u64 = u64::MAX;
/// Inode numbers of `/dev/fd/N` begin here, above those of the tree.
const FD_INODE_BASE: u64 = 1 << 32;
/// Those of programs above these.
const PROGRAM_INODE_BASE: u64 = 1 << 33;

/// Something open.
#[derive(Debug, Clone)]
pub enum Node {
    /// A file of a mount.
    File(Arc<OpenFile>),
    /// A directory of a mount.
    Dir(Arc<OpenDir>),
    /// A FIFO of a mount.
    Fifo(Arc<FifoNode>),
    /// A directory, device or file that is on no disk.
    Virtual(Arc<VirtNode>),
}

/// A directory of a mount, open.
#[derive(Debug)]
pub struct OpenDir {
    pub(super) mount: Arc<Mount>,
    pub(super) fd: OwnedFd,
    pub(super) _permit: HandlePermit,
}

/// A FIFO, open. Its bytes are the affair of whoever runs the processes.
#[derive(Debug)]
pub struct FifoNode {
    pub(super) mount: Arc<Mount>,
    /// Stands for the name's file and was never opened on the host.
    pub(super) fd: OwnedFd,
    pub(super) ends: FifoEnds,
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) _permit: HandlePermit,
}

/// An open node of the virtual tree.
#[derive(Debug)]
pub struct VirtNode {
    pub(super) id: VirtId,
    pub(super) kind: Kind,
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) _permit: Option<HandlePermit>,
}

impl Node {
    /// Returns the metadata of the node.
    pub fn stat(&self) -> Result<Stat, FsError> {
        match self {
            Self::File(file) => file.stat(),
            Self::Dir(dir) => Ok(rustix::fs::fstat(&dir.fd)?.into()),
            Self::Fifo(fifo) => Ok(Stat {
                // As the virtual devices, and for the same reason.
                kind: FileKind::VirtualDevice,
                ..Stat::from(rustix::fs::fstat(&fifo.fd)?)
            }),
            Self::Virtual(node) => Ok(virtual_stat(node.id, &node.kind)),
        }
    }

    /// Returns whether the node is a directory.
    pub fn is_dir(&self) -> bool {
        match self {
            Self::File(_) | Self::Fifo(_) => false,
            Self::Dir(_) => true,
            Self::Virtual(node) => is_virtual_dir(&node.kind),
        }
    }

    /// Reads at an offset; 0 bytes mean the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, FsError> {
        match self {
            Self::File(file) => file.read_at(buffer, offset),
            Self::Dir(_) => Err(FsError::IsDirectory),
            Self::Fifo(_) => Err(FsError::InvalidSeek),
            Self::Virtual(node) => node.read_at(buffer, offset),
        }
    }

    /// Reads up to `size` bytes at an offset. Returns them, and whether the file ends behind them.
    pub fn read_part(&self, offset: u64, size: usize) -> Result<(Vec<u8>, bool), FsError> {
        if let Self::File(file) = self {
            return file.read_part(offset, size);
        }
        let mut bytes = vec![0; size];
        let count = self.read_at(&mut bytes, offset)?;
        bytes.truncate(count);
        Ok((bytes, count == 0 && size > 0))
    }

    /// Writes at an offset; a device takes the bytes anywhere.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> Result<usize, FsError> {
        match self {
            Self::File(file) => file.write_at(bytes, offset),
            Self::Dir(_) => Err(FsError::IsDirectory),
            Self::Fifo(_) => Err(FsError::InvalidSeek),
            Self::Virtual(node) => node.write(bytes),
        }
    }

    /// Writes at the end.
    pub fn append(&self, bytes: &[u8]) -> Result<usize, FsError> {
        match self {
            Self::File(file) => file.append(bytes),
            Self::Dir(_) => Err(FsError::IsDirectory),
            Self::Fifo(_) => Err(FsError::InvalidSeek),
            Self::Virtual(node) => node.write(bytes),
        }
    }

    /// Cuts or grows a file.
    pub fn set_size(&self, size: u64) -> Result<(), FsError> {
        match self {
            Self::File(file) => file.set_size(size),
            Self::Dir(_) => Err(FsError::IsDirectory),
            Self::Fifo(_) => Err(FsError::Invalid),
            Self::Virtual(node) => node.set_size(),
        }
    }

    /// Returns whether the handle may read; a directory may always be listed.
    pub fn is_readable(&self) -> bool {
        match self {
            Self::File(file) => file.is_readable(),
            Self::Dir(_) => true,
            Self::Fifo(fifo) => fifo.read,
            Self::Virtual(node) => node.read,
        }
    }

    /// Returns whether the handle may write bytes.
    pub fn is_writable(&self) -> bool {
        match self {
            Self::File(file) => file.is_writable(),
            Self::Dir(_) => false,
            Self::Fifo(fifo) => fifo.write,
            Self::Virtual(node) => node.write,
        }
    }

    /// Returns the number of the process's descriptor that this stands for, beneath `/dev`; its bytes are the
    /// process's own affair.
    pub fn process_fd(&self) -> Option<u32> {
        match self {
            Self::Virtual(node) => node.fd(),
            _ => None,
        }
    }

    /// Returns what is open of the FIFO that this is.
    pub fn fifo(&self) -> Option<FifoEnds> {
        match self {
            Self::Fifo(fifo) => Some(fifo.ends.clone()),
            _ => None,
        }
    }

    /// Returns the name of the program that this is the file of.
    pub fn program(&self) -> Option<Arc<str>> {
        match self {
            Self::Virtual(node) => match &node.kind {
                Kind::Program(program) => Some(Arc::clone(&program.name)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns whether names in this directory, or what is beneath it, may be changed.
    pub fn is_mutable_dir(&self) -> bool {
        matches!(self, Self::Dir(dir) if dir.mount.is_writable())
    }
}

impl VirtNode {
    /// Returns whether the handle may read.
    pub fn is_readable(&self) -> bool {
        self.read
    }

    /// Returns whether the handle may write.
    pub fn is_writable(&self) -> bool {
        self.write
    }

    /// Returns the number of the process's descriptor that this node stands for; its bytes are the process's
    /// own affair.
    pub fn fd(&self) -> Option<u32> {
        match self.kind {
            Kind::Fd(number) => Some(number),
            _ => None,
        }
    }

    /// Reads at an offset; 0 bytes mean the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, FsError> {
        if !self.read {
            return Err(FsError::BadDescriptor);
        }
        match &self.kind {
            Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir | Kind::Mount(_) => {
                Err(FsError::IsDirectory)
            }
            Kind::Text(text) => Ok(copy_from(text, buffer, offset)),
            Kind::Program(program) => Ok(copy_from(&program.content, buffer, offset)),
            Kind::Null => Ok(0),
            Kind::Zero | Kind::Full => {
                buffer.fill(0);
                Ok(buffer.len())
            }
            Kind::Random(device) => device.read(buffer),
            Kind::Tty => Err(FsError::Io),
            Kind::Fd(_) => Err(FsError::InvalidSeek),
        }
    }

    /// Writes; devices have no offsets.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, FsError> {
        if !self.write {
            return Err(FsError::BadDescriptor);
        }
        match &self.kind {
            Kind::Null | Kind::Zero | Kind::Random(_) => Ok(bytes.len()),
            Kind::Full => Err(FsError::NoSpace),
            Kind::Fd(_) => Err(FsError::InvalidSeek),
            Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir | Kind::Mount(_) => {
                Err(FsError::IsDirectory)
            }
            Kind::Text(_) | Kind::Program(_) => Err(FsError::ReadOnly),
            Kind::Tty => Err(FsError::Io),
        }
    }

    /// Accepts any size for a device, as a host does for its own, and refuses it for a file.
    pub fn set_size(&self) -> Result<(), FsError> {
        match &self.kind {
            _ if !self.write => Err(FsError::BadDescriptor),
            Kind::Text(_) | Kind::Program(_) => Err(FsError::ReadOnly),
            _ => Ok(()),
        }
    }
}

pub(super) fn is_virtual_dir(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir | Kind::Mount(_)
    )
}

/// Copies what of a fixed content lies behind an offset, and returns how much.
fn copy_from(content: &[u8], buffer: &mut [u8], offset: u64) -> usize {
    let start = usize::try_from(offset)
        .unwrap_or(usize::MAX)
        .min(content.len());
    let rest = content.get(start..).unwrap_or_default();
    let count = rest.len().min(buffer.len());
    for (to, from) in buffer.iter_mut().zip(rest) {
        *to = *from;
    }
    count
}

pub(super) fn virtual_stat(id: VirtId, kind: &Kind) -> Stat {
    let (file_kind, mode, size) = match kind {
        Kind::Dir(_) | Kind::FdDir | Kind::ProgramDir | Kind::Mount(_) => {
            (FileKind::Directory, 0o755, 0)
        }
        Kind::Text(text) => (FileKind::Regular, 0o444, text.len() as u64),
        Kind::Program(program) => (FileKind::Regular, 0o755, program.content.len() as u64),
        Kind::Null | Kind::Zero | Kind::Full | Kind::Random(_) | Kind::Tty | Kind::Fd(_) => {
            (FileKind::VirtualDevice, 0o666, 0)
        }
    };
    let inode = match id {
        VirtId::Entry(index) => index as u64 + 1,
        VirtId::Fd(number) => FD_INODE_BASE + u64::from(number),
        VirtId::Program(place) => PROGRAM_INODE_BASE + place as u64,
    };
    let epoch = FileTime::default();
    Stat {
        kind: file_kind,
        mode,
        links: 1,
        size,
        blocks: size.div_ceil(512),
        accessed: epoch,
        modified: epoch,
        changed: epoch,
        device: VIRTUAL_DEVICE,
        inode,
    }
}
