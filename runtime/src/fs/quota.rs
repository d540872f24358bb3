//! What one hand may use of the host's disk and descriptors, counted for all its processes together.
//!
//! The counts are of growth since the hand began: what it writes and creates is charged, what it truncates
//! and removes is given back, never below zero. A refusal is remembered, so that the runtime can say which
//! limit ended a call: guests mostly turn the error into "I/O error".

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::FsError;

/// The bounds of one file system. Every bound holds for all processes of the hand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsLimits {
    /// Bytes by which files and link targets may grow; without it a guest fills the host's disk.
    pub bytes_max: u64,
    /// Names that may be created, hard links included; without it a guest fills the host's inode table.
    pub inodes_max: u64,
    /// Descriptors, directory listings and streams open at once; each may be a host descriptor.
    pub handles_max: u64,
}

impl Default for FsLimits {
    /// Returns 1 GiB, 200,000 names and 2,048 handles.
    fn default() -> Self {
        Self {
            bytes_max: 1 << 30,
            inodes_max: 200_000,
            handles_max: 2_048,
        }
    }
}

/// The limit that a hand ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FsLimit {
    /// [`FsLimits::bytes_max`].
    Bytes,
    /// [`FsLimits::inodes_max`].
    Inodes,
    /// [`FsLimits::handles_max`].
    Handles,
}

/// What a hand uses at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsUsage {
    /// Bytes of growth.
    pub bytes: u64,
    /// Names created and not removed.
    pub inodes: u64,
    /// Handles open now.
    pub handles: u64,
}

#[derive(Debug)]
pub(super) struct Quota {
    limits: FsLimits,
    bytes: AtomicU64,
    inodes: AtomicU64,
    handles: AtomicU64,
    /// The first limit hit since it was last cleared: 0 for none, else its place in [`FsLimit`] plus one.
    hit: AtomicU8,
}

/// One open handle; dropping it gives the handle back.
#[derive(Debug)]
pub(super) struct HandlePermit(Arc<Quota>);

impl Drop for HandlePermit {
    fn drop(&mut self) {
        give_back(&self.0.handles, 1);
    }
}

impl Quota {
    pub(super) fn new(limits: FsLimits) -> Self {
        Self {
            limits,
            bytes: AtomicU64::new(0),
            inodes: AtomicU64::new(0),
            handles: AtomicU64::new(0),
            hit: AtomicU8::new(0),
        }
    }

    pub(super) fn charge_bytes(&self, count: u64) -> Result<(), FsError> {
        self.charge(
            &self.bytes,
            count,
            self.limits.bytes_max,
            FsLimit::Bytes,
            FsError::NoSpace,
        )
    }

    pub(super) fn refund_bytes(&self, count: u64) {
        give_back(&self.bytes, count);
    }

    pub(super) fn charge_inode(&self) -> Result<(), FsError> {
        self.charge(
            &self.inodes,
            1,
            self.limits.inodes_max,
            FsLimit::Inodes,
            FsError::NoSpace,
        )
    }

    pub(super) fn refund_inode(&self) {
        give_back(&self.inodes, 1);
    }

    pub(super) fn handle(self: &Arc<Self>) -> Result<HandlePermit, FsError> {
        self.charge(
            &self.handles,
            1,
            self.limits.handles_max,
            FsLimit::Handles,
            FsError::NoMemory,
        )?;
        Ok(HandlePermit(Arc::clone(self)))
    }

    /// Refuses when no byte is left once `freed` bytes are given back: a guest sees the cause of a failed
    /// write only as EIO, but that of a failed open as it is.
    pub(super) fn check_room(&self, freed: u64) -> Result<(), FsError> {
        if self.bytes.load(Ordering::Relaxed).saturating_sub(freed) < self.limits.bytes_max {
            return Ok(());
        }
        self.record(FsLimit::Bytes);
        Err(FsError::NoSpace)
    }

    pub(super) fn usage(&self) -> FsUsage {
        FsUsage {
            bytes: self.bytes.load(Ordering::Relaxed),
            inodes: self.inodes.load(Ordering::Relaxed),
            handles: self.handles.load(Ordering::Relaxed),
        }
    }

    pub(super) fn set_usage(&self, bytes: u64, inodes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        self.inodes.store(inodes, Ordering::Relaxed);
    }

    pub(super) fn limit_hit(&self) -> Option<FsLimit> {
        match self.hit.load(Ordering::Relaxed) {
            1 => Some(FsLimit::Bytes),
            2 => Some(FsLimit::Inodes),
            3 => Some(FsLimit::Handles),
            _ => None,
        }
    }

    pub(super) fn clear_limit_hit(&self) {
        self.hit.store(0, Ordering::Relaxed);
    }

    fn charge(
        &self,
        used: &AtomicU64,
        count: u64,
        max: u64,
        limit: FsLimit,
        refusal: FsError,
    ) -> Result<(), FsError> {
        if count == 0 {
            return Ok(());
        }
        let charged = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
            now.checked_add(count).filter(|after| *after <= max)
        });
        if charged.is_err() {
            self.record(limit);
            return Err(refusal);
        }
        Ok(())
    }

    fn record(&self, limit: FsLimit) {
        let code = match limit {
            FsLimit::Bytes => 1,
            FsLimit::Inodes => 2,
            FsLimit::Handles => 3,
        };
        // The first limit is the cause; what fails after it is mostly a consequence.
        let _ = self
            .hit
            .compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn give_back(used: &AtomicU64, count: u64) {
    // The closure always returns `Some`, so there is no failure to handle.
    let _ = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
        Some(now.saturating_sub(count))
    });
}
