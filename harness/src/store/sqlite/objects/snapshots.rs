//! The files of a session as of its events, and the roots that keep them.

use rusqlite::{Connection, Row, params};

use super::content::{add, keep, newest_collection};
use crate::ids::SessionId;
use crate::store::sqlite::history::newest;
use crate::store::sqlite::log::SessionRow;
use crate::store::sqlite::rows::{collect, execute, first, number_in};
use crate::store::{Files, FilesChange, Hash, ROWS_MAX, Root, StoreError};

/// Writes what an append changes, at the slot of its last event.
pub(in crate::store::sqlite) fn change(
    db: &Connection,
    slot: i64,
    change: &FilesChange,
) -> Result<(), StoreError> {
    add(db, &change.objects)?;
    let collection = newest_collection(db)?;
    let files = &change.files;
    let root = Root {
        hash: files.root,
        is_list: true,
    };
    let shell = files.shell.map(|hash| Root {
        hash,
        is_list: false,
    });
    for Root { hash, is_list } in [root].iter().chain(&shell).chain(&change.also) {
        // A root that is met after a collection has read the roots is not among them, so it is touched.
        keep(db, hash, collection)?;
        let sql = "INSERT INTO roots (slot, hash, is_list) VALUES (?1, ?2, ?3)";
        execute(db, sql, params![slot, hash.0, is_list])?;
    }
    execute(
        db,
        "INSERT INTO snapshots (slot, root, digest, shell) VALUES (?1, ?2, ?3, ?4)",
        params![
            slot,
            files.root.0,
            files.digest.0,
            files.shell.map(|hash| hash.0)
        ],
    )?;
    Ok(())
}

/// Reads a session's files as of an event.
pub(super) fn files_at(
    db: &Connection,
    session_id: &SessionId,
    number: u64,
) -> Result<Option<Files>, StoreError> {
    let stretches = SessionRow::find(db, session_id)?.stretches(db)?;
    let last =
        "SELECT slot FROM snapshots WHERE slot > ?1 AND slot <= ?2 ORDER BY slot DESC LIMIT 1";
    let Some(slot) = newest(db, &stretches, number, last)? else {
        return Ok(None);
    };
    let sql = "SELECT root, digest, shell FROM snapshots WHERE slot = ?1";
    first(db, sql, [slot], files)
}

/// Reads a row of root, digest and shell.
fn files(row: &Row<'_>) -> Result<Files, StoreError> {
    Ok(Files {
        root: Hash(row.get(0)?),
        digest: Hash(row.get(1)?),
        shell: row.get::<_, Option<_>>(2)?.map(Hash),
    })
}

/// Reads a session's files behind an event.
pub(super) fn list(
    db: &Connection,
    session_id: &SessionId,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, Files)>, StoreError> {
    let stretches = SessionRow::find(db, session_id)?.stretches(db)?;
    let limit = limit.min(ROWS_MAX);
    let sql = "SELECT root, digest, shell, slot FROM snapshots \
               WHERE slot > ?1 AND slot <= ?2 ORDER BY slot LIMIT ?3";
    let mut found = Vec::new();
    for stretch in stretches {
        let Some(slots) = stretch.slots(after, u64::MAX) else {
            continue;
        };
        let wanted = (limit - found.len()) as i64;
        found.extend(collect(
            db,
            sql,
            (slots.above, slots.upto, wanted),
            |row| Ok((number_in(row.get(3)?), files(row)?)),
        )?);
    }
    Ok(found)
}
