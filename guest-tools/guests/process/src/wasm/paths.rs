//! Paths: the host takes absolute ones.

use std::borrow::Cow;

use super::Descriptor;
use super::bindings::sinew::process::descriptors as host;
use crate::name::to_text;
use crate::{Errno, Moment, OpenHow, Stat};

pub(super) fn absolute(path: &[u8]) -> Result<Cow<'_, str>, Errno> {
    match path.first() {
        None => Err(Errno::NoEntry),
        Some(b'/') => Ok(to_text(path)),
        Some(_) => Ok(Cow::Owned(to_text(&crate::absolute(path)).into_owned())),
    }
}

pub(crate) fn open(path: &[u8], how: OpenHow, mode: u32) -> Result<Descriptor, Errno> {
    let mut flags = host::OpenFlags::empty();
    for (is_on, flag) in [
        (how.read, host::OpenFlags::READ),
        (how.write, host::OpenFlags::WRITE),
        (how.create, host::OpenFlags::CREATE),
        (how.exclusive, host::OpenFlags::EXCLUSIVE),
        (how.truncate, host::OpenFlags::TRUNCATE),
        (how.append, host::OpenFlags::APPEND),
        (how.directory, host::OpenFlags::DIRECTORY),
        (how.no_follow, host::OpenFlags::NO_FOLLOW),
    ] {
        if is_on {
            flags |= flag;
        }
    }
    host::open(&absolute(path)?, flags, mode)
        .map(Descriptor)
        .map_err(Errno::from)
}

pub(crate) fn stat(path: &[u8], follow: bool) -> Result<Stat, Errno> {
    host::stat_at(&absolute(path)?, follow)
        .map(|stat| convert(&stat))
        .map_err(Errno::from)
}

pub(crate) fn chmod(path: &[u8], mode: u32) -> Result<(), Errno> {
    host::chmod_at(&absolute(path)?, mode).map_err(Errno::from)
}

pub(crate) fn mkfifo(path: &[u8], mode: u32) -> Result<(), Errno> {
    host::mkfifo_at(&absolute(path)?, mode).map_err(Errno::from)
}

pub(super) fn convert(stat: &host::Stat) -> Stat {
    Stat {
        kind: stat.kind.into(),
        mode: stat.mode,
        links: stat.links,
        size: stat.size,
        blocks: stat.blocks,
        device: stat.device,
        inode: stat.inode,
        accessed: moment(stat.accessed),
        modified: moment(stat.modified),
        changed: moment(stat.changed),
    }
}

pub(super) fn moment(moment: host::Moment) -> Moment {
    Moment {
        seconds: moment.seconds,
        nanoseconds: moment.nanoseconds,
    }
}
