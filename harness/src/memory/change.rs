//! Changing memories: each change one commit of the store's row, the memory, the version and its content.

use serde_json::{Value, json};

use super::path::{check_path, clash};
use super::{Actor, CONTENT_BYTES_MAX, MEMORIES_MAX, MemoryError, STORE_LABEL};
use crate::blobs::sha256;
use crate::clock::{Clock, Timestamp};
use crate::ids::{MemoryId, MemoryVersionId, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{
    Key, Kind, NewResource, Order, ROWS_MAX, Resource, ResourceChange, ResourceQuery, Store,
    StoreError, TimeRange, Write,
};

/// How often a change is decided anew when others change the store meanwhile.
const ATTEMPTS_MAX: usize = 64;
/// The field of a store's row that counts its memories.
const COUNT: &str = "_memories";

/// A memory without its content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryRow {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub path: String,
    /// SHA-256 of its content in lower-case hexadecimal.
    pub sha256: String,
    /// Size of its content in bytes.
    pub size: u64,
    /// Its newest version, which has the content.
    pub version_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    revision: u64,
}

impl MemoryRow {
    fn read(row: &Resource) -> Result<Self, MemoryError> {
        let text = |name: &str| {
            let value = row.body.at(name).as_str().map(str::to_owned);
            value.ok_or_else(|| MemoryError::Unreadable(row.key.id.clone()))
        };
        Ok(Self {
            id: row.key.id.clone(),
            path: text("path")?,
            sha256: text("sha256")?,
            size: row.body.at("size").as_u64().unwrap_or(0),
            version_id: text("version_id")?,
            created_at: row.created_at,
            updated_at: row.updated_at,
            revision: row.revision,
        })
    }
}

#[cfg(test)]
impl MemoryRow {
    /// Returns a row that no store has.
    pub(crate) fn for_tests(path: &str, at: Timestamp) -> Self {
        Self {
            id: format!("mem_{path}"),
            path: path.to_owned(),
            sha256: sha256(b""),
            size: 0,
            version_id: "memver_1".to_owned(),
            created_at: at,
            updated_at: at,
            revision: 1,
        }
    }
}

/// One memory store, as one actor sees it.
pub struct MemoryHome<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) clock: &'a dyn Clock,
    pub(super) workspace: &'a WorkspaceId,
    pub(super) id: &'a str,
    pub(super) actor: Actor,
}

/// What a change makes of a memory.
struct Next<'a> {
    path: &'a str,
    /// None for a deletion.
    content: Option<&'a str>,
    operation: &'static str,
}

impl<'a> MemoryHome<'a> {
    /// Returns a store, which need not exist.
    pub fn new(
        store: &'a dyn Store,
        clock: &'a dyn Clock,
        workspace: &'a WorkspaceId,
        id: &'a str,
        actor: Actor,
    ) -> Self {
        Self {
            store,
            clock,
            workspace,
            id,
            actor,
        }
    }

    /// Returns the store's row. Errors: `NoStore`.
    pub async fn row(&self) -> Result<Resource, MemoryError> {
        let key = self.key(Kind::MemoryStore, self.id);
        match self.store.get(&key, None).await {
            Ok(row) => Ok(row),
            Err(StoreError::NotFound) => Err(MemoryError::NoStore),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns a memory. Errors: `NoMemory`, also for one of another store.
    pub async fn memory(&self, id: &str) -> Result<MemoryRow, MemoryError> {
        match self.store.get(&self.key(Kind::Memory, id), None).await {
            Ok(row) if *row.body.at(STORE_LABEL) == self.id => MemoryRow::read(&row),
            Ok(_) | Err(StoreError::NotFound) => Err(MemoryError::NoMemory),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns every memory, in order of their paths.
    pub async fn memories(&self) -> Result<Vec<MemoryRow>, MemoryError> {
        let rows = self.rows(Kind::Memory).await?;
        let mut memories = rows
            .iter()
            .map(MemoryRow::read)
            .collect::<Result<Vec<_>, _>>()?;
        memories.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(memories)
    }

    /// Returns the content that a version has; none for a deletion and a redacted one.
    pub async fn content(&self, version_id: &str) -> Result<Option<String>, MemoryError> {
        let key = self.key(Kind::MemoryContent, version_id);
        match self.store.get(&key, None).await {
            Ok(row) => Ok(row.body.at("content").as_str().map(str::to_owned)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a memory. Errors: `BadPath`, `TooLarge`, `PathTaken`, `Full`, `Archived`, `NoStore`.
    pub async fn create(&self, path: &str, content: &str) -> Result<MemoryRow, MemoryError> {
        check_path(path).map_err(MemoryError::BadPath)?;
        check_size(content)?;
        for _ in 0..ATTEMPTS_MAX {
            let home = self.live_row().await?;
            let memories = self.memories().await?;
            check_free(&memories, path, None)?;
            if memories.len() >= MEMORIES_MAX {
                return Err(MemoryError::Full);
            }
            let now = self.clock.now();
            let id = MemoryId::fresh(now).to_string();
            let next = Next {
                path,
                content: Some(content),
                operation: "created",
            };
            let (version_id, version) = self.version(&id, &next, now);
            let mut writes = vec![touch(&home, 1)];
            writes.push(Write::Create(NewResource {
                key: self.key(Kind::Memory, &id),
                body: self.memory_body(path, content, &version_id),
                unique_name: Some(self.unique_name(path)),
                status: None,
                labels: vec![(STORE_LABEL.to_owned(), self.id.to_owned())],
                at: now,
                events: Vec::new(),
                needs_wake: false,
                history: None,
            }));
            writes.extend(version);
            if self.commit(writes).await? {
                return self.memory(&id).await;
            }
        }
        Err(MemoryError::Busy)
    }

    /// Changes a memory's content, its path, or both. What changes nothing makes no version and meets every
    /// precondition. Errors: as [`MemoryHome::create`], `NoMemory`, and `Changed` when the content has
    /// another hash than `expected`.
    pub async fn update(
        &self,
        id: &str,
        content: Option<&str>,
        path: Option<&str>,
        expected: Option<&str>,
    ) -> Result<MemoryRow, MemoryError> {
        if let Some(path) = path {
            check_path(path).map_err(MemoryError::BadPath)?;
        }
        content.map(check_size).transpose()?;
        for _ in 0..ATTEMPTS_MAX {
            let home = self.live_row().await?;
            let memory = self.memory(id).await?;
            let is_same = content.is_none_or(|content| sha256(content.as_bytes()) == memory.sha256)
                && path.is_none_or(|path| path == memory.path);
            if is_same {
                return Ok(memory);
            }
            check_expected(&memory, expected)?;
            let path = path.unwrap_or(&memory.path);
            if path != memory.path {
                check_free(&self.memories().await?, path, Some(id))?;
            }
            let kept;
            let content = match content {
                Some(content) => content,
                None => {
                    let found = self.content(&memory.version_id).await?;
                    kept = found.ok_or_else(|| MemoryError::Unreadable(id.to_owned()))?;
                    &kept
                }
            };
            let now = self.clock.now();
            let next = Next {
                path,
                content: Some(content),
                operation: "modified",
            };
            let (version_id, version) = self.version(id, &next, now);
            let mut writes = vec![touch(&home, 0)];
            writes.push(Write::Update {
                key: self.key(Kind::Memory, id),
                revision: memory.revision,
                change: ResourceChange {
                    body: self.memory_body(path, content, &version_id),
                    new_version: false,
                    unique_name: Some(self.unique_name(path)),
                    status: None,
                    archived_at: None,
                    at: now,
                },
            });
            writes.extend(version);
            if self.commit(writes).await? {
                return self.memory(id).await;
            }
        }
        Err(MemoryError::Busy)
    }

    /// Removes a memory; its versions stay. Errors: `NoMemory`, `Changed`, `Archived`, `NoStore`.
    pub async fn delete(&self, id: &str, expected: Option<&str>) -> Result<(), MemoryError> {
        for _ in 0..ATTEMPTS_MAX {
            let home = self.live_row().await?;
            let memory = self.memory(id).await?;
            check_expected(&memory, expected)?;
            let next = Next {
                path: &memory.path,
                content: None,
                operation: "deleted",
            };
            let (_, version) = self.version(id, &next, self.clock.now());
            let mut writes = vec![touch(&home, -1), Write::Delete(self.key(Kind::Memory, id))];
            writes.extend(version);
            if self.commit(writes).await? {
                return Ok(());
            }
        }
        Err(MemoryError::Busy)
    }

    /// Commits, and tells whether it did: false when others were faster.
    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<bool, MemoryError> {
        match self.store.write(writes).await {
            Ok(_) => Ok(true),
            Err(
                StoreError::RevisionConflict { .. }
                | StoreError::NotFound
                | StoreError::NameTaken(_),
            ) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the store's row, if it may be changed.
    pub(super) async fn live_row(&self) -> Result<Resource, MemoryError> {
        let row = self.row().await?;
        match row.archived_at {
            Some(_) => Err(MemoryError::Archived),
            None => Ok(row),
        }
    }

    /// Returns every row of a kind that belongs to the store.
    pub(super) async fn rows(&self, kind: Kind) -> Result<Vec<Resource>, MemoryError> {
        let mut all: Vec<Resource> = Vec::new();
        loop {
            let page = self
                .store
                .list(&ResourceQuery {
                    workspace: self.workspace.clone(),
                    kind,
                    include_archived: true,
                    created_at: TimeRange::default(),
                    statuses: Vec::new(),
                    labels: vec![(STORE_LABEL.to_owned(), self.id.to_owned())],
                    order: Order::Ascending,
                    after: all
                        .last()
                        .map(|last| (last.created_at, last.key.id.clone())),
                    limit: ROWS_MAX,
                })
                .await?;
            let is_end = page.len() < ROWS_MAX;
            all.extend(page);
            if is_end {
                return Ok(all);
            }
        }
    }

    pub(super) fn key(&self, kind: Kind, id: &str) -> Key {
        Key {
            workspace: self.workspace.clone(),
            kind,
            id: id.to_owned(),
        }
    }

    fn unique_name(&self, path: &str) -> String {
        format!("{} {path}", self.id)
    }

    fn memory_body(&self, path: &str, content: &str, version_id: &str) -> Value {
        json!({
            STORE_LABEL: self.id,
            "path": path,
            "sha256": sha256(content.as_bytes()),
            "size": content.len(),
            "version_id": version_id,
        })
    }

    /// Returns a new version's id, and the writes that make it.
    fn version(&self, memory_id: &str, next: &Next<'_>, now: Timestamp) -> (String, Vec<Write>) {
        let id = MemoryVersionId::fresh(now).to_string();
        let mut labels = vec![
            (STORE_LABEL.to_owned(), self.id.to_owned()),
            ("memory_id".to_owned(), memory_id.to_owned()),
            ("operation".to_owned(), next.operation.to_owned()),
        ];
        labels.extend(self.actor.label());
        let create = |kind, body, labels| {
            Write::Create(NewResource {
                key: self.key(kind, &id),
                body,
                unique_name: None,
                status: None,
                labels,
                at: now,
                events: Vec::new(),
                needs_wake: false,
                history: None,
            })
        };
        let body = json!({
            STORE_LABEL: self.id,
            "memory_id": memory_id,
            "operation": next.operation,
            "path": next.path,
            "sha256": next.content.map(|content| sha256(content.as_bytes())),
            "size": next.content.map(str::len),
            "created_by": self.actor.wire(),
        });
        let mut writes = vec![create(Kind::MemoryVersion, body, labels)];
        if let Some(content) = next.content {
            let body = json!({"content": content});
            writes.push(create(Kind::MemoryContent, body, Vec::new()));
        }
        (id, writes)
    }
}

/// A write of the store's row: nothing that anyone sees changes but the number of memories.
pub(super) fn touch(home: &Resource, more: i64) -> Write {
    let mut body = home.body.clone();
    let count = body.at(COUNT).as_i64().unwrap_or(0);
    body.set(COUNT, json!(count + more));
    Write::Update {
        key: home.key.clone(),
        revision: home.revision,
        change: ResourceChange {
            body,
            new_version: false,
            unique_name: None,
            status: home.status.clone(),
            archived_at: home.archived_at,
            at: home.updated_at,
        },
    }
}

fn check_size(content: &str) -> Result<(), MemoryError> {
    if content.len() > CONTENT_BYTES_MAX {
        return Err(MemoryError::TooLarge(content.len() as u64));
    }
    Ok(())
}

fn check_expected(memory: &MemoryRow, expected: Option<&str>) -> Result<(), MemoryError> {
    match expected {
        Some(expected) if expected != memory.sha256 => Err(MemoryError::Changed {
            actual: memory.sha256.clone(),
        }),
        _ => Ok(()),
    }
}

fn check_free(memories: &[MemoryRow], path: &str, own: Option<&str>) -> Result<(), MemoryError> {
    let other = memories
        .iter()
        .find(|memory| Some(memory.id.as_str()) != own && clash(&memory.path, path));
    match other {
        Some(other) => Err(MemoryError::PathTaken {
            memory_id: other.id.clone(),
            path: other.path.clone(),
        }),
        None => Ok(()),
    }
}
