//! Open files, pipes and devices.
//!
//! A descriptor stands for an open file description as POSIX has it: duplicates, and children that inherit it,
//! share its offset. Its plain calls never block; those named `_blocking` wait.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::{Errno, Event, Stat, backend, wait};

/// How a path is opened, or how a descriptor was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenHow {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Makes the file where there is none.
    pub create: bool,
    /// Fails where there is one already.
    pub exclusive: bool,
    /// Empties the file.
    pub truncate: bool,
    /// Every write goes to the end.
    pub append: bool,
    /// Fails if it is no directory.
    pub directory: bool,
    /// Fails if it is a symbolic link.
    pub no_follow: bool,
}

impl OpenHow {
    /// As `<` does.
    pub const READ: Self = Self {
        read: true,
        write: false,
        create: false,
        exclusive: false,
        truncate: false,
        append: false,
        directory: false,
        no_follow: false,
    };
    /// As `>` does.
    pub const WRITE: Self = Self {
        read: false,
        write: true,
        create: true,
        truncate: true,
        ..Self::READ
    };
    /// As `>>` does.
    pub const APPEND: Self = Self {
        read: false,
        write: true,
        create: true,
        append: true,
        ..Self::READ
    };
    /// As `<>` does.
    pub const READ_WRITE: Self = Self {
        write: true,
        create: true,
        ..Self::READ
    };
}

/// What an offset is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The beginning.
    Start,
    /// The offset now.
    Current,
    /// The end of the file.
    End,
}

/// An open file, pipe or device. Dropping it closes it.
#[derive(Debug)]
pub struct Descriptor(pub(crate) backend::Descriptor);

impl Descriptor {
    /// Reads up to `max` bytes. Nothing at the end; [`Errno::Again`] where a pipe is empty but has writers.
    pub fn read(&self, max: usize) -> Result<Vec<u8>, Errno> {
        self.0.read(max)
    }

    /// Writes what fits and returns how much; [`Errno::Again`] where a pipe is full.
    ///
    /// A pipe without readers ends the process as SIGPIPE does, or gives [`Errno::BrokenPipe`] if the process
    /// handles or ignores that.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        self.0.write(bytes)
    }

    /// Moves the shared offset and returns it.
    pub fn seek(&self, offset: i64, whence: Whence) -> Result<u64, Errno> {
        self.0.seek(offset, whence)
    }

    /// Cuts or grows a file.
    pub fn set_size(&self, size: u64) -> Result<(), Errno> {
        self.0.set_size(size)
    }

    /// Returns what it stands for.
    pub fn stat(&self) -> Result<Stat, Errno> {
        self.0.stat()
    }

    /// Returns another handle of the same description.
    pub fn duplicate(&self) -> Result<Self, Errno> {
        self.0.duplicate().map(Self)
    }

    /// Returns how it was opened: `read`, `write` and `append` of it.
    pub fn access(&self) -> OpenHow {
        self.0.access()
    }

    /// Returns whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    /// Reads up to `max` bytes, waiting for the first; nothing at the end.
    pub fn read_blocking(&self, max: usize) -> Result<Vec<u8>, Errno> {
        loop {
            match self.read(max) {
                Err(Errno::Again) => {
                    wait(&[Event::Readable(self)], None);
                }
                outcome => return outcome,
            }
        }
    }

    /// Reads to the end.
    pub fn read_to_end_blocking(&self) -> Result<Vec<u8>, Errno> {
        let mut all = self.read_blocking(65_536)?;
        if all.is_empty() {
            return Ok(all);
        }
        loop {
            let more = self.read_blocking(65_536)?;
            if more.is_empty() {
                return Ok(all);
            }
            all.extend_from_slice(&more);
        }
    }

    /// Writes what fits, waiting until something does, and returns how much.
    pub fn write_blocking(&self, bytes: &[u8]) -> Result<usize, Errno> {
        loop {
            match self.write(bytes) {
                Err(Errno::Again) => {
                    wait(&[Event::Writable(self)], None);
                }
                Ok(0) if !bytes.is_empty() => {
                    wait(&[Event::Writable(self)], None);
                }
                outcome => return outcome,
            }
        }
    }

    /// Writes everything.
    pub fn write_all_blocking(&self, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            let written = self.write_blocking(bytes)?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Returns a descriptor that the process was given under a number. To be called once for a number.
pub fn take(number: u32) -> Option<Descriptor> {
    backend::take(number).map(Descriptor)
}

/// Returns the numbers of the descriptors that the process was given, in order.
pub fn given() -> Vec<u32> {
    backend::given()
}

thread_local! {
    static TAKEN: RefCell<BTreeMap<u32, Option<Rc<Descriptor>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Returns the descriptor with a number that the process was given, any number of times: 0 is the standard input.
///
/// For programs that start others with [`crate::Program`]; one that manages its descriptors by itself calls
/// [`take`] instead.
pub fn standard(number: u32) -> Option<Rc<Descriptor>> {
    TAKEN.with(|taken| match taken.try_borrow_mut() {
        Ok(mut taken) => taken
            .entry(number)
            .or_insert_with(|| take(number).map(Rc::new))
            .clone(),
        Err(_) => None,
    })
}
