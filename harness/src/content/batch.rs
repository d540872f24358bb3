//! New objects on their way into the store, together with the append that needs them.

use std::collections::HashSet;

use bytes::Bytes;

use super::codec::{encode, plain};
use super::packs::{Claim, PackWriter};
use super::pins::Pinned;
use super::{Blocking, Content, ContentError};
use crate::store::{Hash, NewObjects, ROW_BYTES_MAX, ROWS_MAX};

/// Bytes of rows that one append takes with it. What comes behind them goes into a pack, whose one sync is then
/// cheaper than a larger commit.
const ROWS_BYTES_MAX: usize = 1 << 20;

/// Bytes and number of objects that are looked up in the store together before they go into the pack.
const WINDOW_BYTES_MAX: usize = 4 << 20;
const WINDOW_OBJECTS_MAX: usize = 512;

/// Collects objects. Used from blocking threads, one at a time.
pub struct Batch {
    reader: Blocking,
    met: HashSet<Hash>,
    objects: NewObjects,
    row_bytes: usize,
    /// Encoded, for the pack unless they are stored already.
    window: Vec<(Hash, Bytes)>,
    window_bytes: usize,
    pack: Option<PackWriter>,
    pinned: Pinned,
}

/// Objects that are durable or will be with their append.
#[derive(Debug, Default)]
pub struct Finished {
    /// What the append takes with it.
    pub objects: NewObjects,
    /// To be kept until the append is made.
    _claim: Option<Claim>,
    /// What was found in the store stays there until then.
    _pinned: Option<Pinned>,
}

impl Batch {
    /// Must be called within a tokio runtime.
    pub(super) fn new(content: Content) -> Self {
        Self {
            pinned: content.pins().none(),
            reader: content.blocking(),
            met: HashSet::new(),
            objects: NewObjects::default(),
            row_bytes: 0,
            window: Vec::new(),
            window_bytes: 0,
            pack: None,
        }
    }

    /// Adds an object of at most 64 MiB and returns its name.
    pub fn put(&mut self, content: Bytes) -> Result<Hash, ContentError> {
        let hash = Hash::of(&content);
        self.put_named(hash, content)?;
        Ok(hash)
    }

    /// As [`Batch::put`], of a small object on the way of a call that hardly compresses; whoever packs it later does that.
    pub fn put_plain(&mut self, content: Bytes) -> Result<Hash, ContentError> {
        let hash = Hash::of(&content);
        self.add(hash, content, plain)?;
        Ok(hash)
    }

    /// As [`Batch::put`], of a content whose hash is known.
    pub fn put_named(&mut self, hash: Hash, content: Bytes) -> Result<(), ContentError> {
        self.add(hash, content, encode)
    }

    fn add(
        &mut self,
        hash: Hash,
        content: Bytes,
        form: fn(&[u8]) -> Bytes,
    ) -> Result<(), ContentError> {
        if !self.met.insert(hash) {
            return Ok(());
        }
        let stored = form(&content);
        let is_row =
            stored.len() <= ROW_BYTES_MAX && self.row_bytes + stored.len() <= ROWS_BYTES_MAX;
        if is_row {
            self.reader.content.remember(hash, content);
            self.row_bytes += stored.len();
            self.objects.rows.push((hash, stored));
            return Ok(());
        }
        self.window_bytes += stored.len();
        self.window.push((hash, stored));
        if self.window_bytes < WINDOW_BYTES_MAX && self.window.len() < WINDOW_OBJECTS_MAX {
            return Ok(());
        }
        self.empty_window()
    }

    /// Adds to the pack what is not stored yet.
    fn empty_window(&mut self) -> Result<(), ContentError> {
        let window = std::mem::take(&mut self.window);
        self.window_bytes = 0;
        if window.is_empty() {
            return Ok(());
        }
        let hashes: Vec<Hash> = window.iter().map(|(hash, _)| *hash).collect();
        let Blocking { content, runtime } = self.reader.clone();
        runtime.block_on(async {
            // Pinned before the look: what is found then is still there when the append is made.
            content.pins().pin(&hashes, &mut self.pinned);
            let present = content.present(&hashes).await?;
            for (hash, stored) in window {
                if present.contains(&hash) && self.pinned.has(&hash) {
                    self.objects.kept.push(hash);
                    continue;
                }
                let pack = match &mut self.pack {
                    Some(pack) => pack,
                    None => self.pack.insert(content.packs().begin()),
                };
                pack.add(hash, stored).await?;
            }
            Ok(())
        })
    }

    /// Returns a reader that also finds the rows of this batch.
    pub fn reader(&self) -> &Blocking {
        &self.reader
    }

    /// Makes what must be durable before the append so.
    pub fn finish(mut self) -> Result<Finished, ContentError> {
        self.empty_window()?;
        let mut finished = Finished::default();
        if let Some(pack) = self.pack.take() {
            let (pack, claim) = self.reader.runtime.block_on(pack.finish())?;
            self.objects.pack = Some(pack);
            finished._claim = Some(claim);
        }
        finished.objects = self.objects;
        finished._pinned = Some(self.pinned);
        Ok(finished)
    }
}

impl Content {
    /// Returns which of the objects are stored.
    pub async fn present(&self, hashes: &[Hash]) -> Result<HashSet<Hash>, ContentError> {
        let mut present = HashSet::new();
        for page in hashes.chunks(ROWS_MAX) {
            let places = self.index().places(page).await?;
            let found = page.iter().zip(places).filter(|(_, place)| place.is_some());
            present.extend(found.map(|(hash, _)| *hash));
        }
        Ok(present)
    }
}
