//! Objects, roots and checkpoints in the database.

use async_trait::async_trait;
use bytes::Bytes;

use super::SqliteStore;
use crate::ids::SessionId;
use crate::store::{
    Files, Hash, Listed, NewObjects, NewPack, Objects, Pack, Place, Rooted, StoreError,
};

fn missing<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("not there yet".to_owned()))
}

#[async_trait]
impl Objects for SqliteStore {
    async fn places(&self, _hashes: &[Hash]) -> Result<Vec<Option<Place>>, StoreError> {
        missing()
    }
    async fn add_objects(&self, _objects: NewObjects) -> Result<(), StoreError> {
        missing()
    }
    async fn files_at(&self, _: &SessionId, _: u64) -> Result<Option<Files>, StoreError> {
        missing()
    }
    async fn begin_collection(&self) -> Result<i64, StoreError> {
        missing()
    }
    async fn roots(&self, _: i64, _: usize) -> Result<Vec<Rooted>, StoreError> {
        missing()
    }
    async fn objects(&self, _: i64, _: usize) -> Result<Vec<Listed>, StoreError> {
        missing()
    }
    async fn remove_objects(&self, _: i64, _: &[Hash]) -> Result<usize, StoreError> {
        missing()
    }
    async fn move_objects(&self, _: NewPack) -> Result<(), StoreError> {
        missing()
    }
    async fn packs(&self, _: Option<&str>, _: usize) -> Result<Vec<Pack>, StoreError> {
        missing()
    }
    async fn forget_pack(&self, _: &str) -> Result<bool, StoreError> {
        missing()
    }
    async fn row_bytes(&self) -> Result<u64, StoreError> {
        missing()
    }
    async fn put_checkpoint(&self, _: &SessionId, _: u64, _: Bytes) -> Result<(), StoreError> {
        missing()
    }
    async fn checkpoint(&self, _: &SessionId, _: u64) -> Result<Option<(u64, Bytes)>, StoreError> {
        missing()
    }
}
