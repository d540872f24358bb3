//! Folders and files in few calls of the host, for programs that walk trees.

use std::ffi::OsString;
use std::io::{self, Read};

use crate::{Descriptor, Errno, Kind, Stat, backend};

/// A name in a folder.
#[derive(Debug)]
pub struct Listed {
    /// The name, as std's `DirEntry` gives it.
    pub name: OsString,
    /// What it is; a link is not followed.
    pub kind: Kind,
    /// What is there, if that was asked for; a link is not followed.
    pub stat: Option<Result<Stat, Errno>>,
}

/// The names in a folder, without `.` and `..`, in no order. There are no more after an error.
#[derive(Debug)]
pub struct Folder(backend::Folder);

impl Folder {
    /// Opens a folder. In a hand many names cost one call, with their stats if those are asked for.
    pub fn open(path: impl AsRef<[u8]>, with_stats: bool) -> Result<Self, Errno> {
        backend::Folder::open(path.as_ref(), with_stats).map(Self)
    }
}

impl Iterator for Folder {
    type Item = Result<Listed, Errno>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// A file that is read from its beginning to its end. In a hand a small one costs one call.
#[derive(Debug)]
pub struct Contents {
    /// What was read when it was opened.
    begin: Vec<u8>,
    /// How much of that is read.
    at: usize,
    /// Goes on behind it.
    rest: Option<Descriptor>,
}

impl Contents {
    /// Opens a file and reads up to `piece` bytes of it, of which the host may give fewer.
    ///
    /// That what was opened cannot be read, a folder for one, the first read tells.
    pub fn open(path: impl AsRef<[u8]>, piece: usize) -> Result<Self, Errno> {
        let (begin, rest) = backend::begin(path.as_ref(), piece)?;
        Ok(Self {
            begin,
            at: 0,
            rest: rest.map(Descriptor),
        })
    }
}

impl Read for Contents {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.begin.get(self.at..).unwrap_or_default();
        if left.is_empty()
            && let Some(rest) = &self.rest
        {
            self.begin = rest.read_blocking(buffer.len())?;
            self.at = 0;
        }
        let mut left = self.begin.get(self.at..).unwrap_or_default();
        let count = left.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}
