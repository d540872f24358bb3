//! Garbage: objects that no session needs any more are removed, and packs with little in them are written anew.
//!
//! A collection marks what all roots of all logs lead to, removes the other objects, and tidies the packs. Sessions
//! work meanwhile, so this is why nothing goes that one of them needs:
//!
//! * What an append stores, keeps or names as a root is touched in its commit, and what was touched since the
//!   collection began is not removed. Commits and removals come one after the other.
//! * An append may lead to older objects that it does not touch: those that its session's last tree leads to. That
//!   tree's root stands in the same log, or in the history that the log shares. Both go with the session, not before,
//!   and a log shares a history from its first event on: as long as a root stays, all before it in its log stay. So
//!   following roots back in a log comes to one that was there when the collection began, and that one was read and
//!   followed. Roots that come while roots are read may be missed; what they alone lead to was touched.
//! * A fork and a rewind name roots that stand in the log already, or share the events that do. A fork of a session
//!   that is deleted at the same time is made before it, and shares the roots, or is not made.
//! * A batch that finds an object instead of storing it names it as kept. If it went before the commit, the append is
//!   refused and nothing is lost. Mostly it does not go: [`Pins`](crate::content::Pins) keep what batches count on.
//! * Objects that are stored before their append, as for a review, are named by it as kept, each of them: a collection
//!   that began in between may have removed some. Then it is refused, and the call runs again.
//! * An object that moves to another pack is in the new one, durable, before the store says so, and the old file
//!   goes after that. A reader that asked before finds no file and asks again. One that has the file open reads on.
//! * A pack under way is nobody's garbage until its batch ends. A file that the store does not know goes once it is
//!   older than the grace period, and only after a write behind all writes that were queued when it was listed.
//! * If a list is missing, damaged or unreadable, what it leads to is not known: nothing is removed at all.
//!
//! One collection at a time, by the one daemon of a data folder. A collection that is cut off leaves nothing to be
//! put right: files without their packs go with the next one.
//!
//! Memory: 40 to 80 bytes for each list that is needed and half of that for each other object, besides some
//! megabytes. Ten million objects of which a third are lists take about half a gigabyte.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::content::{Content, ContentError};
use crate::store::{Hash, ROWS_MAX, Rooted, StoreError};

mod mark;
#[cfg(test)]
mod tests;
mod tidy;
mod verify;
mod worker;

use mark::{Marks, Visitor};
pub use verify::{Need, Problem, Report, Step, verify};
pub use worker::Worker;

/// Objects that are removed in one write; with more, a session's commit would wait long behind it.
const REMOVED_AT_ONCE: usize = 200;

/// What is kept where, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How old a pack must be that the store does not know.
    pub grace: Duration,
    /// Bytes of rows in the database beyond which the oldest move into packs.
    pub row_bytes_max: u64,
}

/// What a collection did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Collected {
    /// Objects that were removed.
    pub removed: usize,
    /// Objects that were moved into new packs.
    pub moved: usize,
    /// Packs that were removed.
    pub packs_removed: usize,
    /// Files of packs that the store did not know, and that were removed.
    pub strays_removed: usize,
}

/// Why a collection ended early.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// What a log needs cannot be followed to its end. Nothing was removed.
    #[error("no garbage is collected, since what session {session} needs cannot be followed: {reason}", session = session_of(root))]
    Broken {
        /// The object that cannot be followed.
        hash: Hash,
        /// The root that leads to it.
        root: Box<Rooted>,
        /// What is wrong with it.
        reason: String,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A pack could not be written or removed.
    #[error(transparent)]
    Content(#[from] ContentError),
}

fn session_of(root: &Rooted) -> &str {
    match &root.session_id {
        Some(session_id) => session_id.as_str(),
        None => "(deleted, shared by others)",
    }
}

/// Collects garbage once. `now` is the time against which files are old.
pub async fn collect(
    content: &Content,
    rules: &Rules,
    now: Timestamp,
) -> Result<Collected, CollectError> {
    let index = content.index();
    let token = index.begin_collection().await?;
    let mut marks = Marks::new(content.clone());
    let mut after = 0;
    loop {
        let roots = index.roots(after, ROWS_MAX).await?;
        let Some(last) = roots.last() else { break };
        after = last.position;
        marks.follow(&roots, &mut Strict).await?;
    }
    let mut done = Collected {
        removed: sweep(content, token, &marks).await?,
        ..Collected::default()
    };
    drop(marks);
    tidy::tidy(content, rules, now, &mut done).await?;
    Ok(done)
}

/// Ends a collection at the first list that cannot be followed.
struct Strict;

impl Visitor for Strict {
    type Stop = CollectError;

    fn content(&mut self, _: &Hash, _: &Rooted) {}

    fn broken(&mut self, hash: Hash, root: &Rooted, reason: String) -> Result<(), CollectError> {
        Err(CollectError::Broken {
            hash,
            root: Box::new(root.clone()),
            reason,
        })
    }
}

/// Removes what was not marked, and returns how much went.
async fn sweep(content: &Content, token: i64, marks: &Marks) -> Result<usize, CollectError> {
    let index = content.index();
    let mut removed = 0;
    let mut after = 0;
    loop {
        let page = index.objects(after, ROWS_MAX).await?;
        let Some(last) = page.last() else {
            return Ok(removed);
        };
        after = last.position;
        let unmet = page.iter().map(|listed| listed.hash);
        let unmet: Vec<Hash> = unmet.filter(|hash| !marks.has(hash)).collect();
        for some in unmet.chunks(REMOVED_AT_ONCE) {
            let removal = content.pins().removal(some);
            removed += index.remove_objects(token, removal.hashes()).await?;
        }
    }
}
