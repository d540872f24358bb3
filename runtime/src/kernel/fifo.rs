//! The FIFOs of a hand: a name on the disk, the bytes here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::description::Description;
use super::pipe::Pipe;

/// The FIFOs that are open or hold bytes, by device and inode number.
#[derive(Debug, Default)]
pub(crate) struct Fifos(Mutex<BTreeMap<(u64, u64), Arc<Pipe>>>);

impl Fifos {
    /// Opens an end, or both as one description.
    pub(crate) fn open(&self, key: (u64, u64), read: bool, write: bool) -> Arc<Description> {
        let mut fifos = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody holds any more is not kept, so there are never more than descriptors.
        fifos.retain(|_, pipe| !pipe.is_idle());
        let pipe = fifos.entry(key).or_default();
        Arc::new(match (read, write) {
            (true, true) => Description::Both(pipe.open_reader(), pipe.open_writer()),
            (false, true) => Description::Writer(pipe.open_writer()),
            _ => Description::Reader(pipe.open_reader()),
        })
    }
}
