//! Why an operation failed, with the words of the C library: what tools print after the colon.

use std::fmt;
use std::io;

macro_rules! errors {
    ($($name:ident, $words:literal, $linux:literal, $wasi:literal, $kind:ident;)*) => {
        /// Why an operation failed, in POSIX's terms.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Errno {
            $(#[doc = $words] $name,)*
            /// Any other.
            Other,
        }

        impl Errno {
            /// Returns what the C library says of it.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                    Self::Other => "Unknown error",
                }
            }

            /// Returns the error with the number that Linux, or WASI where this runs on WASI, gives it.
            pub(crate) fn from_number(number: i32) -> Self {
                if cfg!(target_family = "wasm") {
                    match number { $($wasi => Self::$name,)* _ => Self::Other }
                } else {
                    match number { $($linux => Self::$name,)* _ => Self::Other }
                }
            }

            #[cfg(unix)]
            fn number(self) -> Option<i32> {
                match self { $(Self::$name => Some($linux),)* Self::Other => None }
            }

            fn kind(self) -> io::ErrorKind {
                match self { $(Self::$name => io::ErrorKind::$kind,)* Self::Other => io::ErrorKind::Other }
            }
        }
    };
}

// Name, words, Linux's number, WASI's number, std's kind.
errors! {
    Access, "Permission denied", 13, 2, PermissionDenied;
    Again, "Resource temporarily unavailable", 11, 6, WouldBlock;
    BadDescriptor, "Bad file descriptor", 9, 8, Other;
    BrokenPipe, "Broken pipe", 32, 64, BrokenPipe;
    Busy, "Device or resource busy", 16, 10, ResourceBusy;
    CrossDevice, "Invalid cross-device link", 18, 75, CrossesDevices;
    ExecFormat, "Exec format error", 8, 45, Other;
    Exists, "File exists", 17, 20, AlreadyExists;
    FileTooLarge, "File too large", 27, 22, FileTooLarge;
    Invalid, "Invalid argument", 22, 28, InvalidInput;
    Io, "Input/output error", 5, 29, Other;
    IsDirectory, "Is a directory", 21, 31, IsADirectory;
    Loop, "Too many levels of symbolic links", 40, 32, Other;
    NameTooLong, "File name too long", 36, 37, InvalidFilename;
    NoDevice, "No such device or address", 6, 60, Other;
    NoEntry, "No such file or directory", 2, 44, NotFound;
    NoMemory, "Cannot allocate memory", 12, 48, OutOfMemory;
    NoProcess, "No such process", 3, 71, Other;
    NoSpace, "No space left on device", 28, 51, StorageFull;
    NotDirectory, "Not a directory", 20, 54, NotADirectory;
    NotEmpty, "Directory not empty", 39, 55, DirectoryNotEmpty;
    NotPermitted, "Operation not permitted", 1, 63, PermissionDenied;
    NotSupported, "Operation not supported", 95, 58, Unsupported;
    ReadOnly, "Read-only file system", 30, 69, ReadOnlyFilesystem;
    SeekPipe, "Illegal seek", 29, 70, NotSeekable;
    TooManyFiles, "Too many open files", 24, 33, Other;
    // EAGAIN of fork has no number of its own; the one here is used by nobody.
    TooManyProcesses, "Resource temporarily unavailable", 4011, 4011, WouldBlock;
    IllegalByteSequence, "Invalid or incomplete multibyte or wide character", 84, 25, Other;
}

impl fmt::Display for Errno {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

impl std::error::Error for Errno {}

impl From<&io::Error> for Errno {
    fn from(error: &io::Error) -> Self {
        if let Some(errno) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Self>())
        {
            return *errno;
        }
        if let Some(number) = error.raw_os_error() {
            return Self::from_number(number);
        }
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoEntry,
            io::ErrorKind::PermissionDenied => Self::Access,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::WouldBlock => Self::Again,
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            io::ErrorKind::InvalidInput => Self::Invalid,
            io::ErrorKind::IsADirectory => Self::IsDirectory,
            io::ErrorKind::NotADirectory => Self::NotDirectory,
            io::ErrorKind::DirectoryNotEmpty => Self::NotEmpty,
            io::ErrorKind::StorageFull => Self::NoSpace,
            io::ErrorKind::Unsupported => Self::NotSupported,
            io::ErrorKind::OutOfMemory => Self::NoMemory,
            _ => Self::Other,
        }
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        #[cfg(unix)]
        if let Some(number) = errno.number()
            && errno != Errno::TooManyProcesses
        {
            return Self::from_raw_os_error(number);
        }
        Self::new(errno.kind(), errno)
    }
}

/// Returns what the C library says of an error of std: `No such file or directory`, without a number.
pub fn message(error: &io::Error) -> String {
    match Errno::from(error) {
        Errno::Other => {
            let text = error.to_string();
            match text.find(" (os error") {
                Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
                None => text,
            }
        }
        errno => errno.words().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn errors_of_std_get_the_words_of_the_c_library() {
        let missing = std::fs::read("/no/such/file").unwrap_err();
        assert_eq!(message(&missing), "No such file or directory");
        let folder = std::fs::read("/").unwrap_err();
        assert_eq!(message(&folder), "Is a directory");
        assert_eq!(message(&io::Error::other("x y")), "x y");
        for errno in [
            Errno::NoEntry,
            Errno::TooManyProcesses,
            Errno::IllegalByteSequence,
        ] {
            assert_eq!(Errno::from(io::Error::from(errno)), errno);
        }
    }
}
