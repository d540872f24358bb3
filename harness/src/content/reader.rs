//! Reading objects, checked, from wherever they are.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::codec::decode;
use super::examine::unreadable;
use super::{Batch, ContentError, Packs, Pins};
use crate::blobs::BlobError;
use crate::store::{Hash, Objects, Place, ROWS_MAX, SharedStore};

/// Bytes of objects kept in memory because they were read or written lately: mostly the lists of folders, which
/// every snapshot looks at again.
const CACHE_BYTES_MAX: usize = 64 << 20;
/// Looks for an object whose pack is gone. An object moves at most once in a collection, so a second look finds it
/// unless whole collections come in between.
const LOOKS_MAX: usize = 3;
/// A larger object is not kept.
const CACHED_OBJECT_BYTES_MAX: usize = 256 << 10;

/// The objects of one daemon. Cheap to clone.
#[derive(Clone)]
pub struct Content {
    store: SharedStore,
    packs: Packs,
    pins: Pins,
    cache: Arc<Mutex<Cache>>,
}

/// Reads objects from blocking threads.
#[derive(Clone)]
pub struct Blocking {
    pub(super) content: Content,
    pub(super) runtime: tokio::runtime::Handle,
}

impl Blocking {
    /// Waits for something of the daemon's.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// As [`Content::get`].
    pub fn get(&self, hash: Hash) -> Result<Bytes, ContentError> {
        match self.content.cached(&hash) {
            Some(found) => Ok(found),
            None => self.runtime.block_on(self.content.get(hash)),
        }
    }

    /// As [`Content::get_all_once`].
    pub fn get_all_once(&self, hashes: &[Hash]) -> Result<Vec<Bytes>, ContentError> {
        self.runtime.block_on(self.content.get_all_once(hashes))
    }

    /// As [`Content::get_all`].
    pub fn get_all(&self, hashes: &[Hash]) -> Result<Vec<Bytes>, ContentError> {
        self.runtime.block_on(self.content.get_all(hashes))
    }
}

/// Two generations: when the younger is full it becomes the older, whose objects are dropped unless they were
/// asked for meanwhile.
#[derive(Default)]
struct Cache {
    young: HashMap<Hash, Bytes>,
    old: HashMap<Hash, Bytes>,
    young_bytes: usize,
}

impl Cache {
    fn get(&mut self, hash: &Hash) -> Option<Bytes> {
        if let Some(found) = self.young.get(hash) {
            return Some(found.clone());
        }
        let found = self.old.remove(hash)?;
        self.put(*hash, found.clone());
        Some(found)
    }

    fn put(&mut self, hash: Hash, content: Bytes) {
        if content.len() > CACHED_OBJECT_BYTES_MAX {
            return;
        }
        if self.young_bytes > CACHE_BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += content.len();
        self.young.insert(hash, content);
    }
}

impl Content {
    /// Returns the objects whose places `store` knows, with their packs.
    pub fn new(store: SharedStore, packs: Packs) -> Self {
        Self {
            store,
            packs,
            pins: Pins::default(),
            cache: Arc::default(),
        }
    }

    /// Returns the store's part that knows the objects.
    pub fn index(&self) -> &dyn Objects {
        self.store.files()
    }

    /// Returns the packs.
    pub fn packs(&self) -> &Packs {
        &self.packs
    }

    /// Returns what batches count on.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Returns a reader for blocking threads. Must be called within a tokio runtime, or a thread of its.
    pub fn blocking(&self) -> Blocking {
        Blocking {
            content: self.clone(),
            runtime: tokio::runtime::Handle::current(),
        }
    }

    /// Starts a collection of new objects; as [`Content::blocking`].
    pub fn batch(&self) -> Batch {
        Batch::new(self.clone())
    }

    /// Returns an object.
    pub async fn get(&self, hash: Hash) -> Result<Bytes, ContentError> {
        if let Some(found) = self.cached(&hash) {
            return Ok(found);
        }
        let mut found = self.get_all(&[hash]).await?;
        found.pop().ok_or(ContentError::Missing(hash))
    }

    /// As [`Content::get_all`], of objects that nobody is likely to ask for again soon: they are not remembered.
    pub async fn get_all_once(&self, hashes: &[Hash]) -> Result<Vec<Bytes>, ContentError> {
        self.read(hashes, false).await
    }

    /// Returns objects in the order of their names. All of them are in memory at the same time, so ask for few.
    pub async fn get_all(&self, hashes: &[Hash]) -> Result<Vec<Bytes>, ContentError> {
        self.read(hashes, true).await
    }

    async fn read(&self, hashes: &[Hash], remember: bool) -> Result<Vec<Bytes>, ContentError> {
        let mut found: HashMap<Hash, Bytes> = HashMap::with_capacity(hashes.len());
        let mut wanted = Vec::new();
        for hash in hashes {
            match self.cached(hash) {
                Some(content) => {
                    found.insert(*hash, content);
                }
                None => wanted.push(*hash),
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        for page in wanted.chunks(ROWS_MAX) {
            let mut looks = 1;
            loop {
                match self.read_page(page, remember, &mut found).await {
                    // A pack may be replaced by another one between the two steps; then the places are asked anew.
                    Err(ContentError::Unreadable {
                        error: BlobError::NotFound,
                        ..
                    }) if looks < LOOKS_MAX => looks += 1,
                    read => break read?,
                }
            }
        }
        hashes
            .iter()
            .map(|hash| found.get(hash).cloned().ok_or(ContentError::Missing(*hash)))
            .collect()
    }

    async fn read_page(
        &self,
        page: &[Hash],
        remember: bool,
        found: &mut HashMap<Hash, Bytes>,
    ) -> Result<(), ContentError> {
        let places = self.index().places(page).await?;
        let mut packed: BTreeMap<String, Vec<(Hash, u64, u32)>> = BTreeMap::new();
        for (hash, place) in page.iter().zip(places) {
            match place.ok_or(ContentError::Missing(*hash))? {
                Place::Row(stored) => {
                    found.insert(*hash, self.opened(*hash, &stored, remember)?);
                }
                Place::Pack {
                    name,
                    start,
                    length,
                } => packed.entry(name).or_default().push((*hash, start, length)),
            }
        }
        for (name, mut parts) in packed {
            parts.sort_unstable_by_key(|(_, start, _)| *start);
            let ranges: Vec<_> = parts
                .iter()
                .map(|(_, start, length)| *start..*start + u64::from(*length))
                .collect();
            let read = self.packs.read(&name, &ranges).await.map_err(|error| {
                let hash = parts.first().map_or(Hash([0; 32]), |(hash, _, _)| *hash);
                unreadable(hash, &name, error)
            })?;
            for ((hash, _, _), stored) in parts.iter().zip(read) {
                found.insert(*hash, self.opened(*hash, &stored, remember)?);
            }
        }
        Ok(())
    }

    fn opened(&self, hash: Hash, stored: &Bytes, remember: bool) -> Result<Bytes, ContentError> {
        let content = decode(hash, stored)?;
        if remember {
            self.remember(hash, content.clone());
        }
        Ok(content)
    }

    fn cached(&self, hash: &Hash) -> Option<Bytes> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(hash)
    }

    /// Keeps an object in memory for the next reader.
    pub(super) fn remember(&self, hash: Hash, content: Bytes) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(hash, content);
    }
}
