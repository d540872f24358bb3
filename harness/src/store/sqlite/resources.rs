//! Resources: creating, reading, replacing and removing one, and its kept versions.

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use super::history;
use super::log::{self, EventRow};
use super::rows::{
    HANDLE_MAX, collect, execute, first, instant, integer, json_text, json_value, micros, natural,
};
use super::writer::Unit;
use crate::clock::truncate;
use crate::ids::{SessionId, WorkspaceId};
use crate::store::{
    History, Key, Kind, NewResource, ROWS_MAX, Resource, ResourceChange, StoreError, Write,
};

/// The columns that [`resource`] reads, of a table named `r`.
pub(super) const COLUMNS: &str = "r.workspace, r.id, r.body, r.version, r.revision, r.status, \
                                  r.created_at, r.updated_at, r.archived_at";

/// Reads a row of [`COLUMNS`].
pub(super) fn resource(row: &Row<'_>, kind: Kind) -> Result<Resource, StoreError> {
    Ok(Resource {
        key: Key {
            workspace: WorkspaceId::from_text(row.get::<_, String>(0)?),
            kind,
            id: row.get(1)?,
        },
        body: json_value(row, 2)?,
        version: natural(row.get(3)?)?,
        revision: natural(row.get(4)?)?,
        status: row.get(5)?,
        created_at: instant(row.get(6)?)?,
        updated_at: instant(row.get(7)?)?,
        archived_at: row.get::<_, Option<i64>>(8)?.map(instant).transpose()?,
    })
}

/// A [`NewResource`] as it is written.
pub(super) struct ResourceRow {
    key: Key,
    body: String,
    unique_name: Option<String>,
    status: Option<String>,
    labels: Vec<(String, String)>,
    at: i64,
    events: Vec<EventRow>,
    needs_wake: bool,
    history: Option<History>,
}

impl ResourceRow {
    /// Checks and converts.
    pub(super) fn new(new: &NewResource) -> Result<Self, StoreError> {
        let has_log = new.needs_wake || !new.events.is_empty() || new.history.is_some();
        if new.key.kind != Kind::Session && has_log {
            return Err(StoreError::Invalid(
                "only a session has events or a history, and can be woken".to_owned(),
            ));
        }
        Ok(Self {
            key: new.key.clone(),
            body: json_text(&new.body)?,
            unique_name: new.unique_name.clone(),
            status: new.status.clone(),
            labels: new.labels.clone(),
            at: micros(new.at),
            events: new
                .events
                .iter()
                .map(EventRow::new)
                .collect::<Result<_, _>>()?,
            needs_wake: new.needs_wake,
            history: new.history.clone(),
        })
    }
}

/// Returns what is stored for `new` once its row is written.
pub(super) fn created(new: NewResource) -> Resource {
    Resource {
        key: new.key,
        body: new.body,
        version: 1,
        revision: 1,
        status: new.status,
        created_at: truncate(new.at),
        updated_at: truncate(new.at),
        archived_at: None,
    }
}

/// Writes a new resource, and for a session its log.
pub(super) fn create(unit: &mut Unit<'_>, new: &ResourceRow) -> Result<(), StoreError> {
    let db = unit.db;
    let (workspace, kind) = (new.key.workspace.as_str(), new.key.kind.as_str());
    let taken = "SELECT 1 FROM resources WHERE kind = ?1 AND id = ?2";
    if first(db, taken, (kind, &new.key.id), |_| Ok(()))?.is_some() {
        return Err(StoreError::AlreadyExists);
    }
    check_name(db, &new.key, new.unique_name.as_deref(), None)?;
    // Before the row is there: a session is no history of itself.
    let shared = match &new.history {
        Some(history) => history::shared_stretches(db, &new.key.workspace, history)?,
        None => Vec::new(),
    };
    execute(
        db,
        "INSERT INTO resources (workspace, kind, id, version, revision, unique_name, status, \
                                created_at, updated_at, body) \
         VALUES (?1, ?2, ?3, 1, 1, ?4, ?5, ?6, ?6, ?7)",
        params![
            workspace,
            kind,
            new.key.id,
            new.unique_name,
            new.status,
            new.at,
            new.body
        ],
    )?;
    let handle = db.last_insert_rowid();
    insert_labels(db, &new.key, handle, new.at, &new.labels)?;
    if new.key.kind == Kind::Session {
        if handle > HANDLE_MAX {
            return Err(StoreError::Failed(
                "the store has had too many resources".to_owned(),
            ));
        }
        let last = shared.last().map_or(0, |stretch| stretch.last);
        execute(
            db,
            "INSERT INTO sessions (handle, id, wake_since, shared) VALUES (?1, ?2, ?3, ?4)",
            params![
                handle,
                new.key.id,
                new.needs_wake.then_some(new.at),
                integer(last)
            ],
        )?;
        history::share(db, handle, &shared)?;
        log::insert(db, handle, last, &new.events)?;
        let grown = last + new.events.len() as u64;
        if grown > 0 {
            unit.grew(&SessionId::from_text(new.key.id.as_str()), grown);
        }
    }
    Ok(())
}

/// Reads a resource, or one version of it.
pub(super) fn get(
    db: &Connection,
    key: &Key,
    version: Option<u64>,
) -> Result<Resource, StoreError> {
    let (_, newest) = find(db, key)?;
    match version {
        None => Ok(newest),
        Some(version) if version == newest.version => Ok(newest),
        Some(version) => versions(db, key, version.checked_add(1), 1)?
            .pop()
            .filter(|found| found.version == version)
            .ok_or(StoreError::NotFound),
    }
}

/// A [`Write`] as it is made.
pub(super) enum WriteRow {
    Create(ResourceRow),
    Update(Key, u64, ChangeRow),
    Delete(Key),
    Relabel(Key, Vec<(String, String)>),
}

impl WriteRow {
    /// Checks and converts.
    pub(super) fn new(write: Write) -> Result<Self, StoreError> {
        Ok(match write {
            Write::Create(new) => Self::Create(ResourceRow::new(&new)?),
            Write::Update {
                key,
                revision,
                change,
            } => Self::Update(key, revision, ChangeRow::new(change)?),
            Write::Delete(key) => Self::Delete(key),
            Write::Relabel { key, labels } => Self::Relabel(key, labels),
        })
    }
}

/// Makes one write and returns what is stored after it.
pub(super) fn write(unit: &mut Unit<'_>, row: &WriteRow) -> Result<Option<Resource>, StoreError> {
    match row {
        WriteRow::Create(new) => {
            create(unit, new)?;
            Ok(Some(find(unit.db, &new.key)?.1))
        }
        WriteRow::Update(key, revision, change) => update(unit, key, *revision, change).map(Some),
        WriteRow::Delete(key) => delete(unit, key).map(|()| None),
        WriteRow::Relabel(key, labels) => relabel(unit.db, key, labels).map(Some),
    }
}

fn relabel(
    db: &Connection,
    key: &Key,
    labels: &[(String, String)],
) -> Result<Resource, StoreError> {
    let (handle, found) = find(db, key)?;
    execute(db, "DELETE FROM labels WHERE resource = ?1", [handle])?;
    insert_labels(db, key, handle, micros(found.created_at), labels)?;
    Ok(found)
}

fn insert_labels(
    db: &Connection,
    key: &Key,
    handle: i64,
    created_at: i64,
    labels: &[(String, String)],
) -> Result<(), StoreError> {
    let (workspace, kind) = (key.workspace.as_str(), key.kind.as_str());
    for (name, value) in labels {
        execute(
            db,
            "INSERT OR IGNORE INTO labels (workspace, kind, name, value, created_at, id, resource) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![workspace, kind, name, value, created_at, key.id, handle],
        )?;
    }
    Ok(())
}

/// Reads live resources of every workspace in order of their ids.
pub(super) fn scan(
    db: &Connection,
    kind: Kind,
    after: &str,
    limit: usize,
) -> Result<Vec<Resource>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM resources r \
         WHERE r.kind = ?1 AND r.id > ?2 AND r.archived_at IS NULL ORDER BY r.id LIMIT ?3"
    );
    let limit = limit.min(ROWS_MAX) as i64;
    collect(db, &sql, (kind.as_str(), after, limit), |row| {
        resource(row, kind)
    })
}

/// Reads a session by its id alone.
pub(super) fn session(db: &Connection, session_id: &SessionId) -> Result<Resource, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM resources r WHERE r.kind = ?1 AND r.id = ?2");
    let kind = Kind::Session;
    first(db, &sql, (kind.as_str(), session_id.as_str()), |row| {
        resource(row, kind)
    })?
    .ok_or(StoreError::NotFound)
}

/// Reads versions below `before`, newest first.
pub(super) fn versions(
    db: &Connection,
    key: &Key,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Resource>, StoreError> {
    let (handle, newest) = find(db, key)?;
    let limit = limit.min(ROWS_MAX);
    let mut found = Vec::new();
    if limit > 0 && before.is_none_or(|before| newest.version < before) {
        found.push(newest.clone());
    }
    let before = before.map_or(i64::MAX, integer);
    let older = collect(
        db,
        "SELECT body, version, updated_at FROM versions \
         WHERE resource = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3",
        (handle, before, (limit - found.len()) as i64),
        |row| {
            Ok(Resource {
                body: json_value(row, 0)?,
                version: natural(row.get(1)?)?,
                updated_at: instant(row.get(2)?)?,
                ..newest.clone()
            })
        },
    )?;
    found.extend(older);
    Ok(found)
}

/// A [`ResourceChange`] as it is written.
pub(super) struct ChangeRow {
    body: String,
    change: ResourceChange,
}

impl ChangeRow {
    /// Checks and converts.
    pub(super) fn new(mut change: ResourceChange) -> Result<Self, StoreError> {
        let body = json_text(&change.body)?;
        change.body = Value::Null;
        Ok(Self { body, change })
    }
}

/// Replaces a resource and returns it as it is now.
pub(super) fn update(
    unit: &mut Unit<'_>,
    key: &Key,
    revision: u64,
    row: &ChangeRow,
) -> Result<Resource, StoreError> {
    let (db, change) = (unit.db, &row.change);
    let (handle, old) = find(db, key)?;
    if old.revision != revision {
        return Err(StoreError::RevisionConflict {
            actual: old.revision,
        });
    }
    if change.archived_at.is_none() {
        check_name(db, key, change.unique_name.as_deref(), Some(handle))?;
    }
    if change.new_version && key.kind == Kind::Agent {
        execute(
            db,
            "INSERT INTO versions (resource, version, updated_at, body) \
             SELECT handle, version, updated_at, body FROM resources WHERE handle = ?1",
            [handle],
        )?;
    }
    execute(
        db,
        "UPDATE resources SET version = version + ?2, revision = revision + 1, unique_name = ?3, \
                              status = ?4, updated_at = ?5, archived_at = ?6, body = ?7 \
         WHERE handle = ?1",
        params![
            handle,
            i64::from(change.new_version),
            change.unique_name,
            change.status,
            micros(change.at),
            change.archived_at.map(micros),
            row.body,
        ],
    )?;
    Ok(find(db, key)?.1)
}

/// Removes a resource and all that hangs on it.
pub(super) fn delete(unit: &mut Unit<'_>, key: &Key) -> Result<(), StoreError> {
    let (handle, _) = find(unit.db, key)?;
    let sources = history::sources(unit.db, handle)?;
    // Versions, labels and the session's row with its segments go with it by their foreign keys.
    execute(unit.db, "DELETE FROM resources WHERE handle = ?1", [handle])?;
    if key.kind == Kind::Session {
        history::release(unit.db, handle, &sources)?;
        unit.grew(&SessionId::from_text(key.id.as_str()), u64::MAX);
    }
    Ok(())
}

/// Returns a resource with its handle.
fn find(db: &Connection, key: &Key) -> Result<(i64, Resource), StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, r.handle FROM resources r \
         WHERE r.kind = ?1 AND r.id = ?2 AND r.workspace = ?3"
    );
    let names = (key.kind.as_str(), &key.id, key.workspace.as_str());
    first(db, &sql, names, |row| {
        Ok((row.get(9)?, resource(row, key.kind)?))
    })?
    .ok_or(StoreError::NotFound)
}

/// Refuses a name that a live resource other than `own` has.
fn check_name(
    db: &Connection,
    key: &Key,
    name: Option<&str>,
    own: Option<i64>,
) -> Result<(), StoreError> {
    let Some(name) = name else {
        return Ok(());
    };
    let owner = first(
        db,
        "SELECT handle FROM resources WHERE workspace = ?1 AND kind = ?2 AND unique_name = ?3 \
         AND archived_at IS NULL",
        (key.workspace.as_str(), key.kind.as_str(), name),
        |row| Ok(row.get::<_, i64>(0)?),
    )?;
    match owner {
        Some(owner) if Some(owner) != own => Err(StoreError::NameTaken(name.to_owned())),
        Some(_) | None => Ok(()),
    }
}
