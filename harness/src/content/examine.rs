//! Reading objects where they lie, past memory, each with what came of it: for those who collect, move and verify.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use bytes::Bytes;

use super::codec::decode;
use super::{Content, ContentError};
use crate::blobs::BlobError;
use crate::store::{Hash, Place, ROWS_MAX, StoreError};

/// Reads in a row that may fail before the rest of a pack counts as unreadable too: each of them may take long.
const FAILURES_MAX: usize = 3;

/// An object that was read.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its bytes as they are stored.
    pub stored: Bytes,
    /// Its content, which its name is the hash of.
    pub content: Bytes,
}

impl Content {
    /// Reads objects and returns what came of each. All are in memory at once, so ask for few.
    /// Must not run while objects are moved. Errors: the store's.
    pub async fn examine(
        &self,
        hashes: &[Hash],
    ) -> Result<HashMap<Hash, Result<Found, ContentError>>, StoreError> {
        let mut found = HashMap::with_capacity(hashes.len());
        for page in hashes.chunks(ROWS_MAX) {
            let mut packed: BTreeMap<String, Vec<(Hash, Range<u64>)>> = BTreeMap::new();
            let places = self.index().places(page).await?;
            for (hash, place) in page.iter().zip(places) {
                match place {
                    None => {
                        found.insert(*hash, Err(ContentError::Missing(*hash)));
                    }
                    Some(Place::Row(stored)) => {
                        found.insert(*hash, opened(*hash, stored));
                    }
                    Some(Place::Pack {
                        name,
                        start,
                        length,
                    }) => {
                        let range = start..start + u64::from(length);
                        packed.entry(name).or_default().push((*hash, range));
                    }
                }
            }
            for (pack, mut parts) in packed {
                parts.sort_unstable_by_key(|(_, range)| range.start);
                self.examine_pack(&pack, &parts, &mut found).await;
            }
        }
        Ok(found)
    }

    async fn examine_pack(
        &self,
        pack: &str,
        parts: &[(Hash, Range<u64>)],
        found: &mut HashMap<Hash, Result<Found, ContentError>>,
    ) {
        let ranges: Vec<_> = parts.iter().map(|(_, range)| range.clone()).collect();
        let mut last = match self.packs().read(pack, &ranges).await {
            Ok(read) => {
                let read = parts.iter().zip(read);
                found.extend(read.map(|((hash, _), stored)| (*hash, opened(*hash, stored))));
                return;
            }
            Err(error) => error,
        };
        let mut failures = match last {
            BlobError::NotFound => FAILURES_MAX,
            _ => 0,
        };
        for (hash, range) in parts {
            if failures < FAILURES_MAX {
                match self.packs().read(pack, std::slice::from_ref(range)).await {
                    Ok(mut read) => {
                        let stored = read.pop().unwrap_or_default();
                        found.insert(*hash, opened(*hash, stored));
                        failures = 0;
                        continue;
                    }
                    Err(error) => {
                        last = error;
                        failures += 1;
                    }
                }
            }
            found.insert(*hash, Err(unreadable(*hash, pack, last.clone())));
        }
    }
}

fn opened(hash: Hash, stored: Bytes) -> Result<Found, ContentError> {
    let content = decode(hash, &stored)?;
    Ok(Found { stored, content })
}

/// Returns that an object's pack could not be read.
pub(super) fn unreadable(hash: Hash, pack: &str, error: BlobError) -> ContentError {
    ContentError::Unreadable {
        hash,
        pack: pack.to_owned(),
        error,
    }
}
