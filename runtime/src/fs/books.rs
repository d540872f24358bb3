//! Which files are open, so that sizes are charged exactly and no change is missed.
//!
//! Every system call that changes a file's size runs under its [`Inode::size`] lock, every one that removes a
//! name under the books' own. So no order of two processes' calls can give the same bytes back twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::file::OpenFile;
use super::stat::Stat;

/// Device and inode number.
type Key = (u64, u64);

/// One file that is open, however often.
#[derive(Debug)]
pub(super) struct Inode {
    key: Key,
    /// Held from asking for the size until the change of the size is accounted for.
    size: Mutex<()>,
    /// Bytes given back before it was opened: its last name went between the opening and the booking.
    forgiven: u64,
    /// Whether its last name went; set under the books' lock. Only then its bytes go with its last handle,
    /// and the kernel need not be asked at every other close.
    is_unnamed: AtomicBool,
}

impl Inode {
    pub(super) fn lock_size(&self) -> MutexGuard<'_, ()> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the last name went while the file was open.
    pub(super) fn is_unnamed(&self) -> bool {
        self.is_unnamed.load(Ordering::Relaxed)
    }

    /// Returns how much of a size is charged.
    pub(super) fn billable(&self, size: u64) -> u64 {
        size.max(self.forgiven)
    }
}

#[derive(Debug)]
struct Booked {
    inode: Arc<Inode>,
    opens: usize,
    /// The handles that can write.
    writers: Vec<Weak<OpenFile>>,
}

#[derive(Debug, Default)]
pub(super) struct Books(Mutex<HashMap<Key, Booked>>);

/// The books, locked: nobody can remove a name or open a file meanwhile.
pub(super) struct OpenBooks<'b>(MutexGuard<'b, HashMap<Key, Booked>>);

impl Books {
    pub(super) fn lock(&self) -> OpenBooks<'_> {
        OpenBooks(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl OpenBooks<'_> {
    /// Books one more opening of the file that `stat`, asked under the lock, describes.
    pub(super) fn enter(&mut self, stat: &Stat) -> Arc<Inode> {
        let booked = self.0.entry(stat.key()).or_insert_with(|| {
            let forgiven = if stat.links == 0 { stat.size } else { 0 };
            let inode = Arc::new(Inode {
                key: stat.key(),
                size: Mutex::new(()),
                forgiven,
                is_unnamed: AtomicBool::new(stat.links == 0),
            });
            Booked {
                inode,
                opens: 0,
                writers: Vec::new(),
            }
        });
        booked.opens += 1;
        Arc::clone(&booked.inode)
    }

    /// Remembers a handle that can write, of an opening that was booked.
    pub(super) fn attach(&mut self, inode: &Inode, file: &Arc<OpenFile>) {
        if let Some(booked) = self.0.get_mut(&inode.key) {
            booked.writers.push(Arc::downgrade(file));
        }
    }

    /// Ends one opening. Returns whether it was the last of the file.
    pub(super) fn leave(&mut self, inode: &Inode) -> bool {
        let Some(booked) = self.0.get_mut(&inode.key) else {
            return false;
        };
        booked.writers.retain(|file| file.strong_count() > 0);
        booked.opens = booked.opens.saturating_sub(1);
        if booked.opens > 0 {
            return false;
        }
        self.0.remove(&inode.key);
        true
    }

    /// Notes that the last name of the file goes. Returns whether the file is open, and so keeps its bytes.
    pub(super) fn lose_name(&self, stat: &Stat) -> bool {
        let Some(booked) = self.0.get(&stat.key()) else {
            return false;
        };
        booked.inode.is_unnamed.store(true, Ordering::Relaxed);
        true
    }

    /// Returns one handle of every file that is open for writing. Drop them after the books: the last drop
    /// of a handle needs them.
    pub(super) fn files(&self) -> Vec<Arc<OpenFile>> {
        self.0
            .values()
            .filter_map(|booked| booked.writers.iter().find_map(Weak::upgrade))
            .collect()
    }
}
