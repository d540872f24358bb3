//! Folders and files in few calls.

use super::Descriptor;
use super::bindings::sinew::process::bulk as host;
use super::paths::{absolute, convert};
use crate::{Errno, Listed};

#[derive(Debug)]
pub(crate) struct Folder {
    batch: host::Batch,
    /// How far the batch is used up: bytes of names, and names.
    at: (usize, usize),
    rest: Option<host::Folder>,
}

impl Folder {
    pub(crate) fn open(path: &[u8], with_stats: bool) -> Result<Self, Errno> {
        let (batch, rest) = host::list_at(&absolute(path)?, with_stats)?;
        Ok(Self {
            batch,
            at: (0, 0),
            rest,
        })
    }

    pub(crate) fn next(&mut self) -> Option<Result<Listed, Errno>> {
        let (mut begin, mut place) = self.at;
        if place >= self.batch.kinds.len() {
            match self.rest.as_ref()?.next() {
                Ok(batch) if !batch.kinds.is_empty() => self.batch = batch,
                ended => {
                    self.rest = None;
                    return ended.err().map(|errno| Err(errno.into()));
                }
            }
            (begin, place) = (0, 0);
        }
        let names = self.batch.names.get(begin..).unwrap_or_default();
        let name = names.split('\0').next().unwrap_or_default();
        self.at = (begin + name.len() + 1, place + 1);
        Some(Ok(Listed {
            name: name.into(),
            kind: (*self.batch.kinds.get(place)?).into(),
            stat: self.batch.stats.get(place).map(|stat| match stat {
                Ok(stat) => Ok(convert(stat)),
                Err(errno) => Err((*errno).into()),
            }),
        }))
    }
}

pub(crate) fn begin(path: &[u8], max: usize) -> Result<(Vec<u8>, Option<Descriptor>), Errno> {
    let max = u32::try_from(max).unwrap_or(u32::MAX);
    let (bytes, rest) = host::read_at(&absolute(path)?, max)?;
    Ok((bytes, rest.map(Descriptor)))
}
