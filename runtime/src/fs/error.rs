//! The one error type of the file system core, and how the host's errno becomes it.
//!
//! The names are POSIX's meanings, because the reader is a guest's libc. Nothing here carries a host path.

use rustix::io::Errno;

/// Why an operation on the guest's file system did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FsError {
    /// EACCES.
    #[error("permission denied")]
    Access,
    /// EBADF: the handle was not opened for this.
    #[error("bad descriptor")]
    BadDescriptor,
    /// EBUSY: a mount point, or a name that changes too fast to be resolved.
    #[error("resource busy")]
    Busy,
    /// EXDEV: the two names lie in mounts between which this cannot move.
    #[error("cross-device link")]
    CrossDevice,
    /// EEXIST.
    #[error("file exists")]
    Exist,
    /// EFBIG.
    #[error("file too large")]
    FileTooLarge,
    /// EILSEQ: a name on the host that is not UTF-8.
    #[error("illegal byte sequence")]
    IllegalByteSequence,
    /// EINVAL.
    #[error("invalid argument")]
    Invalid,
    /// EIO, and every host error without a better name.
    #[error("input/output error")]
    Io,
    /// EISDIR.
    #[error("is a directory")]
    IsDirectory,
    /// ELOOP.
    #[error("too many levels of symbolic links")]
    Loop,
    /// ENAMETOOLONG.
    #[error("file name too long")]
    NameTooLong,
    /// ENOENT.
    #[error("no such file or directory")]
    NoEntry,
    /// ENOMEM; also too many open handles, for which WASI has no code of its own.
    #[error("out of memory or open handles")]
    NoMemory,
    /// ENOSPC, of the host or of the hand's own limits.
    #[error("no space left")]
    NoSpace,
    /// ENXIO: there is no terminal behind `/dev/tty`.
    #[error("no such device")]
    NoSuchDevice,
    /// ENOTDIR.
    #[error("not a directory")]
    NotDirectory,
    /// ENOTEMPTY.
    #[error("directory not empty")]
    NotEmpty,
    /// EPERM; also a path that leaves the handle it starts from.
    #[error("operation not permitted")]
    NotPermitted,
    /// EOVERFLOW.
    #[error("value too large")]
    Overflow,
    /// EPIPE.
    #[error("broken pipe")]
    Pipe,
    /// EROFS: the mount was granted for reading only, or the node is virtual.
    #[error("read-only file system")]
    ReadOnly,
    /// ESPIPE.
    #[error("invalid seek")]
    InvalidSeek,
    /// ETXTBSY.
    #[error("text file busy")]
    TextFileBusy,
    /// EMLINK.
    #[error("too many links")]
    TooManyLinks,
    /// ENOTSUP: a FIFO, socket or device on the host, or an operation that has no meaning here.
    #[error("not supported")]
    Unsupported,
}

impl From<Errno> for FsError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ACCESS => Self::Access,
            Errno::BADF => Self::BadDescriptor,
            Errno::BUSY | Errno::AGAIN => Self::Busy,
            Errno::XDEV => Self::CrossDevice,
            Errno::EXIST => Self::Exist,
            Errno::FBIG => Self::FileTooLarge,
            Errno::ILSEQ => Self::IllegalByteSequence,
            Errno::INVAL => Self::Invalid,
            Errno::ISDIR => Self::IsDirectory,
            Errno::LOOP => Self::Loop,
            Errno::NAMETOOLONG => Self::NameTooLong,
            Errno::NOENT => Self::NoEntry,
            Errno::NOMEM | Errno::MFILE | Errno::NFILE => Self::NoMemory,
            Errno::NOSPC | Errno::DQUOT => Self::NoSpace,
            Errno::NXIO | Errno::NODEV => Self::NoSuchDevice,
            Errno::NOTDIR => Self::NotDirectory,
            Errno::NOTEMPTY => Self::NotEmpty,
            Errno::PERM => Self::NotPermitted,
            Errno::OVERFLOW => Self::Overflow,
            Errno::PIPE => Self::Pipe,
            Errno::ROFS => Self::ReadOnly,
            Errno::SPIPE => Self::InvalidSeek,
            Errno::TXTBSY => Self::TextFileBusy,
            Errno::MLINK => Self::TooManyLinks,
            Errno::NOTSUP | Errno::NOSYS => Self::Unsupported,
            _ => Self::Io,
        }
    }
}
