//! Packs: hollow and small ones are written anew, rows that are too many become parts, files of nobody go.

use std::collections::HashSet;

use super::{CollectError, Collected, Rules};
use crate::clock::Timestamp;
use crate::content::{Content, ContentError, PackWriter};
use crate::store::{Hash, Listed, ROWS_MAX};

/// Bytes and parts of a pack that is written here: a file that is worth its place, in a write that commits do not
/// wait for long.
const PACK_BYTES_MAX: u64 = 64 << 20;
const PACK_PARTS_MAX: usize = 8_192;
/// A pack below this is small. Each call of a session that changes more than rows hold makes one.
const SMALL_BYTES_MAX: u64 = 4 << 20;
/// Small packs that may be; more of them are put together.
const SMALL_PACKS_MAX: usize = 64;
/// Packs that are written anew in one collection at most; their names are in memory meanwhile.
const PACKS_AT_ONCE: usize = 10_000;
/// Objects that are read together, and their bytes as stored.
const OBJECTS_AT_ONCE: usize = 256;
const BYTES_AT_ONCE: u64 = 8 << 20;

/// Tidies all packs.
pub(super) async fn tidy(
    content: &Content,
    rules: &Rules,
    now: Timestamp,
    done: &mut Collected,
) -> Result<(), CollectError> {
    let packs = worn_packs(content).await?;
    let row_bytes = content.index().row_bytes().await?;
    // A quarter below the bound, so that not every collection has some rows to move.
    let excess = match row_bytes > rules.row_bytes_max {
        true => row_bytes - rules.row_bytes_max / 4 * 3,
        false => 0,
    };
    if !packs.is_empty() || excess > 0 {
        done.moved = repack(content, &packs, excess).await?;
    }
    done.packs_removed = forget_empty(content).await?;
    done.strays_removed = remove_strays(content, rules, now).await?;
    Ok(())
}

/// Returns the packs to be written anew: those of which less than half lives, and small ones if there are many.
async fn worn_packs(content: &Content) -> Result<HashSet<String>, CollectError> {
    let mut worn = HashSet::new();
    let mut small = Vec::new();
    let mut after: Option<String> = None;
    while worn.len() + small.len() < PACKS_AT_ONCE {
        let page = content.index().packs(after.as_deref(), ROWS_MAX).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        for pack in page.into_iter().filter(|pack| pack.live_bytes > 0) {
            if pack.live_bytes < pack.bytes / 2 {
                worn.insert(pack.name);
            } else if pack.bytes < SMALL_BYTES_MAX {
                small.push(pack.name);
            }
        }
    }
    if small.len() > SMALL_PACKS_MAX {
        worn.extend(small);
    }
    Ok(worn)
}

/// Moves all objects of `packs`, and the oldest rows up to `row_bytes`, into new packs. Returns how many moved.
async fn repack(
    content: &Content,
    packs: &HashSet<String>,
    mut row_bytes: u64,
) -> Result<usize, CollectError> {
    let mut moving = Moving {
        content,
        chosen: Vec::new(),
        bytes: 0,
        pack: None,
        moved: 0,
    };
    let mut after = 0;
    loop {
        let page = content.index().objects(after, ROWS_MAX).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for listed in &page {
            let length = u64::from(listed.length);
            match &listed.pack {
                Some(pack) if packs.contains(pack) => moving.choose(listed).await?,
                None if row_bytes > 0 => {
                    row_bytes = row_bytes.saturating_sub(length);
                    moving.choose(listed).await?;
                }
                Some(_) | None => {}
            }
        }
    }
    moving.copy_chosen().await?;
    moving.end_pack().await?;
    Ok(moving.moved)
}

struct Moving<'a> {
    content: &'a Content,
    /// To be read and written next, with their bytes.
    chosen: Vec<Hash>,
    bytes: u64,
    pack: Option<PackWriter>,
    moved: usize,
}

impl Moving<'_> {
    async fn choose(&mut self, listed: &Listed) -> Result<(), CollectError> {
        self.chosen.push(listed.hash);
        self.bytes += u64::from(listed.length);
        if self.chosen.len() < OBJECTS_AT_ONCE && self.bytes < BYTES_AT_ONCE {
            return Ok(());
        }
        self.copy_chosen().await
    }

    async fn copy_chosen(&mut self) -> Result<(), CollectError> {
        let chosen = std::mem::take(&mut self.chosen);
        self.bytes = 0;
        let mut found = self.content.examine(&chosen).await?;
        for hash in chosen {
            let stored = match found.remove(&hash) {
                Some(Ok(found)) => found.stored,
                Some(Err(error)) => {
                    // It stays where it is, and its pack with it: somebody may still save something.
                    tracing::error!(%error, "an object is not moved");
                    continue;
                }
                None => continue,
            };
            let pack = match &mut self.pack {
                Some(pack) => pack,
                None => self.pack.insert(self.content.packs().begin()),
            };
            pack.add(hash, stored).await?;
            let (parts, bytes) = pack.size();
            if parts >= PACK_PARTS_MAX || bytes >= PACK_BYTES_MAX {
                self.end_pack().await?;
            }
        }
        Ok(())
    }

    /// Makes the new pack durable and then known.
    async fn end_pack(&mut self) -> Result<(), CollectError> {
        let Some(pack) = self.pack.take() else {
            return Ok(());
        };
        let (pack, _claim) = pack.finish().await?;
        self.moved += pack.parts.len();
        self.content.index().move_objects(pack).await?;
        Ok(())
    }
}

/// Forgets packs in which nothing lives, and then removes their files.
async fn forget_empty(content: &Content) -> Result<usize, CollectError> {
    let mut removed = 0;
    let mut after: Option<String> = None;
    loop {
        let page = content.index().packs(after.as_deref(), ROWS_MAX).await?;
        let Some(last) = page.last() else {
            return Ok(removed);
        };
        after = Some(last.name.clone());
        for pack in page.iter().filter(|pack| pack.live_bytes == 0) {
            removed += usize::from(remove_pack(content, &pack.name).await?);
        }
    }
}

/// Removes the files of packs that the store does not know.
async fn remove_strays(
    content: &Content,
    rules: &Rules,
    now: Timestamp,
) -> Result<usize, CollectError> {
    let grace = i64::try_from(rules.grace.as_millis()).unwrap_or(i64::MAX);
    let end = now.as_millisecond().saturating_sub(grace);
    let mut strays = content.packs().list().await.map_err(ContentError::from)?;
    strays.retain(|file| file.written <= end);
    // Asked behind the listing: what was under way then and is known by now is no stray.
    let known = known_packs(content).await?;
    strays.retain(|file| !known.contains(&file.name));
    let mut removed = 0;
    for file in strays {
        removed += usize::from(remove_pack(content, &file.name).await?);
    }
    Ok(removed)
}

/// Returns the names of all packs that the store knows.
pub(super) async fn known_packs(content: &Content) -> Result<HashSet<String>, CollectError> {
    let mut known = HashSet::new();
    let mut after: Option<String> = None;
    loop {
        let page = content.index().packs(after.as_deref(), ROWS_MAX).await?;
        let Some(last) = page.last() else {
            return Ok(known);
        };
        after = Some(last.name.clone());
        known.extend(page.into_iter().map(|pack| pack.name));
    }
}

/// Removes a pack unless something lives in it. Its name goes before its file, in a write of its own, so no commit
/// is under way that would give it parts again.
async fn remove_pack(content: &Content, name: &str) -> Result<bool, CollectError> {
    if !content.index().forget_pack(name).await? {
        return Ok(false);
    }
    let removed = content.packs().remove(name).await;
    removed.map_err(ContentError::from)?;
    Ok(true)
}
