//! Packs: files of many objects, each written once, under a name of its own, and durable before anything names it.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};

use super::ContentError;
use super::codec::compact;
use crate::blobs::BlobError;
use crate::clock::Timestamp;
use crate::crash_point;
use crate::data_dir::make_private;
use crate::ids::fresh;
use crate::place::Place;
use crate::store::{Hash, NewPack};

/// Bytes sent to the object store at a time.
const PART_BYTES: usize = 5 << 20;
/// Parts under way at a time, beside the one that fills.
const PARTS_MAX: usize = 2;

/// What names of packs start with.
const PREFIX: &str = "pack_";

/// A pack that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, in milliseconds of Unix time.
    pub written: i64,
}

/// Where packs lie.
#[derive(Clone)]
pub struct Packs {
    store: Arc<dyn ObjectStore>,
    /// Packs of this process that the store does not know yet: nobody's garbage.
    under_way: Arc<Mutex<HashSet<String>>>,
}

impl Packs {
    /// Returns the packs of a place, as [`Packs::in_folder`] or in a part of a bucket that is theirs alone.
    pub fn at(place: &Place) -> Result<Self, ContentError> {
        match place {
            Place::Folder(folder) => Self::in_folder(folder),
            Place::Bucket(store) => Ok(Self::in_store(store.clone())),
        }
    }

    /// Returns the packs in a folder of this machine, which is made if it is missing.
    pub fn in_folder(folder: &Path) -> Result<Self, ContentError> {
        make_private(folder).map_err(BlobError::from_io)?;
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(BlobError::from)?
            .with_fsync(true);
        Ok(Self::in_store(Arc::new(store)))
    }

    /// Returns the packs in an object store that is theirs alone.
    pub fn in_store(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            under_way: Arc::default(),
        }
    }

    /// Starts a pack.
    pub fn begin(&self) -> PackWriter {
        let name = fresh(PREFIX, Timestamp::now());
        let claim = Claim {
            name: name.clone(),
            under_way: self.under_way.clone(),
        };
        self.under_way().insert(name.clone());
        PackWriter {
            store: self.store.clone(),
            held: Vec::new(),
            writer: None,
            pack: NewPack {
                name,
                bytes: 0,
                parts: Vec::new(),
            },
            claim,
        }
    }

    /// Tells whether there is none.
    pub async fn is_empty(&self) -> Result<bool, BlobError> {
        Ok(self.store.list(None).try_next().await?.is_none())
    }

    /// Reads parts of a pack.
    pub(super) async fn read(
        &self,
        name: &str,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, BlobError> {
        Ok(self.store.get_ranges(&place(name), ranges).await?)
    }

    /// Removes a pack that the store has forgotten.
    pub async fn remove(&self, name: &str) -> Result<(), BlobError> {
        match self.store.delete(&place(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the packs that exist and are not under way.
    pub async fn list(&self) -> Result<Vec<PackFile>, BlobError> {
        let listed = self.store.list(None).try_filter_map(|meta| {
            let name = meta.location.filename().unwrap_or_default().to_owned();
            // Whatever else lies there is somebody's.
            let is_pack = name.starts_with(PREFIX) && meta.location == place(&name);
            let listed = is_pack.then(|| PackFile {
                name,
                bytes: meta.size,
                written: meta.last_modified.timestamp_millis(),
            });
            std::future::ready(Ok(listed))
        });
        let mut listed: Vec<_> = listed.try_collect().await?;
        let under_way = self.under_way();
        listed.retain(|file: &PackFile| !under_way.contains(&file.name));
        Ok(listed)
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes what a dead daemon was still writing in its folder of packs. The local store writes beside the final name,
/// behind a `#` that no pack's name has.
pub fn remove_unfinished(folder: &Path) -> std::io::Result<()> {
    let shards = match std::fs::read_dir(folder) {
        Ok(shards) => shards,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for shard in shards {
        let shard = shard?;
        if !shard.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(shard.path())? {
            let file = file?;
            let name = file.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(PREFIX) && name.contains('#') {
                std::fs::remove_file(file.path())?;
            }
        }
    }
    Ok(())
}

/// Spreads packs over folders by the end of their names, which is random.
fn place(name: &str) -> Name {
    let shard = name.get(name.len().saturating_sub(2)..).unwrap_or("00");
    Name::from(format!("{shard}/{name}"))
}

/// Keeps a pack from being taken for garbage until its objects are known to the store, or given up.
#[derive(Debug)]
pub struct Claim {
    name: String,
    under_way: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.remove(&self.name);
    }
}

/// A pack that is being written. Dropped before its end it leaves nothing under its name.
pub struct PackWriter {
    store: Arc<dyn ObjectStore>,
    /// What it holds as long as that is less than one part: then it takes one request.
    held: Vec<Bytes>,
    writer: Option<WriteMultipart>,
    pack: NewPack,
    claim: Claim,
}

impl PackWriter {
    /// Adds an object, in its smaller form.
    pub async fn add(&mut self, hash: Hash, stored: Bytes) -> Result<(), ContentError> {
        let stored = compact(stored);
        let length = u32::try_from(stored.len()).unwrap_or(u32::MAX);
        self.pack.parts.push((hash, self.pack.bytes, length));
        self.pack.bytes += u64::from(length);
        if self.pack.parts.len() == 1 {
            crash_point::reach("pack-after-first-write");
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                self.held.push(stored);
                if self.pack.bytes < PART_BYTES as u64 {
                    return Ok(());
                }
                let upload = self.store.put_multipart(&place(&self.pack.name)).await;
                let upload = upload.map_err(BlobError::from)?;
                let writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
                let writer = self.writer.insert(writer);
                self.held.drain(..).for_each(|held| writer.put(held));
                return Ok(());
            }
        };
        let capacity = writer.wait_for_capacity(PARTS_MAX).await;
        capacity.map_err(BlobError::from)?;
        writer.put(stored);
        Ok(())
    }

    /// Returns how many objects and bytes are in it.
    pub fn size(&self) -> (usize, u64) {
        (self.pack.parts.len(), self.pack.bytes)
    }

    /// Makes the pack durable. To be known to the store before the claim ends.
    pub async fn finish(self) -> Result<(NewPack, Claim), ContentError> {
        crash_point::reach("pack-before-finish");
        let written = match self.writer {
            Some(writer) => writer.finish().await,
            None => {
                let content = PutPayload::from_iter(self.held);
                self.store.put(&place(&self.pack.name), content).await
            }
        };
        written.map_err(BlobError::from)?;
        crash_point::reach("pack-after-finish");
        Ok((self.pack, self.claim))
    }
}
