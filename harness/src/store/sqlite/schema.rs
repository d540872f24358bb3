//! The database file: how it is opened, what is in it, and how an older one is brought up to date.
//!
//! A step of [`MIGRATIONS`] that has been released is never changed; a new one is added behind it.
//! A file made by something else, or by a newer release, is refused and left as it was.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::SqliteOptions;
use crate::store::StoreError;

/// Marks the file as ours ("Sinw"), so that another program's database is not taken for an empty store.
pub(super) const APPLICATION_ID: i64 = 0x5369_6e77;
/// How long to wait for another process's lock, e.g. that of a backup, before giving up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection. All fixed ones fit, beside the commonest listings.
const STATEMENTS_MAX: usize = 96;
/// Page cache of the writer, KiB.
const WRITER_CACHE_KIB: i64 = 16 << 10;
/// Page cache of each reader, KiB.
const READER_CACHE_KIB: i64 = 4 << 10;
/// The write-ahead log is cut back to this after it was longer, e.g. after a very large event.
const WAL_BYTES_KEPT: i64 = 64 << 20;
/// Size of a database page; fixed when a file is made.
const PAGE_BYTES: u64 = 4096;

/// `MIGRATIONS[n]` takes a database from version `n` to `n + 1`.
pub(super) const MIGRATIONS: &[&str] = &[V1, V2, V3, V4];

/// `slot` is `session handle << 32 | number`: a log is one contiguous run of the table, in order, with no
/// index beside the table's own. `position_slot` is the slot of the event that gave the event its
/// position, null while it is queued. Indexes that listings use carry every column their filters
/// look at, so a filter never reads a body.
const V1: &str = "
CREATE TABLE resources (
    handle INTEGER PRIMARY KEY,
    workspace TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    unique_name TEXT,
    status TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    archived_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX resources_by_id ON resources (kind, id);
CREATE UNIQUE INDEX resources_by_name ON resources (workspace, kind, unique_name)
    WHERE unique_name IS NOT NULL AND archived_at IS NULL;
CREATE INDEX resources_by_time ON resources (workspace, kind, created_at, id);
CREATE INDEX resources_live ON resources (workspace, kind, created_at, id) WHERE archived_at IS NULL;
CREATE INDEX resources_by_status ON resources (workspace, kind, status, created_at, id, archived_at);

CREATE TABLE versions (
    resource INTEGER NOT NULL REFERENCES resources (handle) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (resource, version)
) STRICT;

CREATE TABLE labels (
    workspace TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    id TEXT NOT NULL,
    resource INTEGER NOT NULL REFERENCES resources (handle) ON DELETE CASCADE,
    PRIMARY KEY (workspace, kind, name, value, created_at, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_by_resource ON labels (resource, name, value);

CREATE TABLE sessions (
    handle INTEGER PRIMARY KEY REFERENCES resources (handle) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    wake_since INTEGER,
    lease_token INTEGER NOT NULL DEFAULT 0,
    lease_holder TEXT,
    lease_until INTEGER
) STRICT;
CREATE INDEX sessions_to_wake ON sessions (wake_since, handle, lease_until) WHERE wake_since IS NOT NULL;

CREATE TABLE events (
    slot INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    thread_id TEXT,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    position_slot INTEGER,
    processed_at INTEGER,
    is_hidden INTEGER NOT NULL,
    body TEXT NOT NULL,
    private TEXT
) STRICT;
CREATE INDEX events_by_position ON events (position_slot, processed_at) WHERE is_hidden = 0;
CREATE INDEX events_by_kind ON events (kind, position_slot, processed_at, thread_id) WHERE is_hidden = 0;
CREATE INDEX events_by_thread ON events (thread_id, position_slot, processed_at) WHERE is_hidden = 0;
CREATE INDEX events_queued ON events (slot, kind, thread_id) WHERE position_slot IS NULL AND is_hidden = 0;
CREATE INDEX events_queued_by_id ON events (id) WHERE position_slot IS NULL;
";

/// A session's `shared` is the last number that it shares with others; `segments` says whose events those are,
/// each row those up to its number. All that hangs on events goes by their slots. Objects are found by hash and
/// listed by row, and touching one rewrites its row: so contents lie in a table of their own.
const V2: &str = "
ALTER TABLE sessions ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;

CREATE TABLE segments (
    session INTEGER NOT NULL REFERENCES sessions (handle) ON DELETE CASCADE,
    upto INTEGER NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (session, upto)
) STRICT, WITHOUT ROWID;
CREATE INDEX segments_by_source ON segments (source, upto);

CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    touched INTEGER NOT NULL,
    length INTEGER NOT NULL,
    pack INTEGER,
    start INTEGER
) STRICT;
CREATE TABLE object_rows (
    object INTEGER PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;
CREATE TABLE object_totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    collection INTEGER NOT NULL,
    row_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO object_totals (one, collection, row_bytes) VALUES (1, 0, 0);

CREATE TABLE packs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    live_bytes INTEGER NOT NULL DEFAULT 0,
    live_parts INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE snapshots (
    slot INTEGER PRIMARY KEY,
    root BLOB NOT NULL,
    digest BLOB NOT NULL,
    shell BLOB
) STRICT;
CREATE TABLE roots (
    id INTEGER PRIMARY KEY,
    slot INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX roots_by_slot ON roots (slot);

CREATE TABLE checkpoints (
    slot INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
";

/// A root says whether it is a list: of those written before, all but the shells are. The store's name tells what
/// belongs to it where several stores keep their packs.
const V3: &str = "
ALTER TABLE roots ADD COLUMN is_list INTEGER NOT NULL DEFAULT 1;
UPDATE roots SET is_list = 0 WHERE EXISTS (
    SELECT 1 FROM snapshots s WHERE s.slot = roots.slot AND s.shell = roots.hash AND s.root <> roots.hash);
ALTER TABLE object_totals ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE object_totals SET name = lower(hex(randomblob(8)));
";

/// `is_hidden` is 2 of an event that is in the lists of its thread alone.
const V4: &str = "
DROP INDEX events_by_thread;
CREATE INDEX events_by_thread ON events (thread_id, position_slot, processed_at) WHERE is_hidden <> 1;
DROP INDEX events_by_kind;
CREATE INDEX events_by_kind ON events (kind, position_slot, processed_at, thread_id, is_hidden)
    WHERE is_hidden <> 1;
";

/// Opens the one connection that writes, making or migrating the database first.
pub(super) fn open_writer(options: &SqliteOptions) -> Result<Connection, StoreError> {
    create_private_file(&options.path)?;
    let mut db = Connection::open_with_flags(
        &options.path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    check_owner(&db, &options.path)?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Failed(format!(
            "{} is on a file system without shared memory maps; use a local disk",
            options.path.display()
        )));
    }
    // A commit is on disk when it returns, not only ordered before the next one.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    db.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    if let Some(bytes_max) = options.bytes_max {
        let pages = i64::try_from(bytes_max / PAGE_BYTES).unwrap_or(i64::MAX);
        db.pragma_update(None, "max_page_count", pages.max(1))?;
    }
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    migrate(&mut db, &options.path)?;
    Ok(db)
}

/// Opens a new database in memory.
pub(super) fn open_memory() -> Result<Connection, StoreError> {
    let mut db = Connection::open_in_memory()?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    migrate(&mut db, Path::new(":memory:"))?;
    Ok(db)
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(db)
}

/// Makes the file if there is none, readable by its owner alone; its journals inherit that.
fn create_private_file(path: &Path) -> Result<(), StoreError> {
    let mut open = OpenOptions::new();
    open.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    match open.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(StoreError::Failed(format!(
            "cannot open {}: {error}",
            path.display()
        ))),
    }
}

fn version_of(db: &Connection) -> Result<usize, StoreError> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| StoreError::Failed(format!("schema version {version}")))
}

fn check_owner(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if application != APPLICATION_ID && (tables > 0 || application != 0) {
        return Err(StoreError::Failed(format!(
            "{} is another program's database; choose another data folder",
            path.display()
        )));
    }
    let version = version_of(db)?;
    if version > MIGRATIONS.len() {
        return Err(StoreError::Failed(format!(
            "{} has schema version {version}, but this release knows versions up to {}; \
             use the release that wrote it, or choose another data folder",
            path.display(),
            MIGRATIONS.len()
        )));
    }
    Ok(())
}

/// Brings the database to the newest version, one transaction for all steps.
fn migrate(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    if version_of(db)? == MIGRATIONS.len() {
        return Ok(());
    }
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Looked at again under the lock: another process may have been faster.
    check_owner(&tx, path)?;
    for step in MIGRATIONS.iter().skip(version_of(&tx)?) {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    tx.commit()?;
    Ok(())
}
