//! Files in the database: objects, packs, the roots and snapshots of logs, checkpoints.
//!
//! What happens inside a transaction is in the files beside this one: `content` stores and finds objects,
//! `packs` keeps count of what lies where, `collection` lists and removes, `snapshots` and `checkpoints` hang
//! on events. Every call costs what its own lists hold, however many objects there are.
//! Deliberately absent: the packs themselves, which are files of whoever asks.

use async_trait::async_trait;
use bytes::Bytes;

use super::SqliteStore;
use crate::ids::SessionId;
use crate::store::{
    Files, Hash, Listed, NewObjects, NewPack, Objects, Pack, Place, Rooted, StoreError,
};

mod checkpoints;
mod collection;
mod content;
mod packs;
mod snapshots;

pub(super) use snapshots::change;

#[async_trait]
impl Objects for SqliteStore {
    async fn places(&self, hashes: &[Hash]) -> Result<Vec<Option<Place>>, StoreError> {
        let hashes = hashes.to_vec();
        self.reading(move |db| content::places(db, &hashes)).await
    }

    async fn add_objects(&self, objects: NewObjects) -> Result<(), StoreError> {
        self.writing(move |unit| content::add(unit.db, &objects))
            .await
    }

    async fn files_at(
        &self,
        session_id: &SessionId,
        number: u64,
    ) -> Result<Option<Files>, StoreError> {
        let session_id = session_id.clone();
        self.reading(move |db| snapshots::files_at(db, &session_id, number))
            .await
    }

    async fn snapshots(
        &self,
        session_id: &SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Files)>, StoreError> {
        let session_id = session_id.clone();
        self.reading(move |db| snapshots::list(db, &session_id, after, limit))
            .await
    }

    async fn begin_collection(&self) -> Result<i64, StoreError> {
        self.writing(|unit| collection::begin(unit.db)).await
    }

    async fn roots(&self, after: i64, limit: usize) -> Result<Vec<Rooted>, StoreError> {
        self.reading(move |db| collection::roots(db, after, limit))
            .await
    }

    async fn objects(&self, after: i64, limit: usize) -> Result<Vec<Listed>, StoreError> {
        self.reading(move |db| collection::objects(db, after, limit))
            .await
    }

    async fn remove_objects(&self, token: i64, hashes: &[Hash]) -> Result<usize, StoreError> {
        let hashes = hashes.to_vec();
        self.writing(move |unit| collection::remove(unit.db, token, &hashes))
            .await
    }

    async fn move_objects(&self, pack: NewPack) -> Result<(), StoreError> {
        self.writing(move |unit| packs::move_objects(unit.db, &pack))
            .await
    }

    async fn packs(&self, after: Option<&str>, limit: usize) -> Result<Vec<Pack>, StoreError> {
        let after = after.unwrap_or_default().to_owned();
        self.reading(move |db| packs::list(db, &after, limit)).await
    }

    async fn forget_pack(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writing(move |unit| packs::forget(unit.db, &name))
            .await
    }

    async fn name(&self) -> Result<String, StoreError> {
        self.reading(content::store_name).await
    }

    async fn row_bytes(&self) -> Result<u64, StoreError> {
        self.reading(packs::row_bytes).await
    }

    async fn put_checkpoint(
        &self,
        session_id: &SessionId,
        number: u64,
        body: Bytes,
    ) -> Result<(), StoreError> {
        let session_id = session_id.clone();
        self.writing(move |unit| checkpoints::put(unit.db, &session_id, number, &body))
            .await
    }

    async fn checkpoint(
        &self,
        session_id: &SessionId,
        number: u64,
    ) -> Result<Option<(u64, Bytes)>, StoreError> {
        let session_id = session_id.clone();
        self.reading(move |db| checkpoints::newest(db, &session_id, number))
            .await
    }
}
