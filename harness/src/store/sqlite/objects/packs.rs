//! Packs: what lies in them, what of it is needed, and moving objects into one.
//!
//! How much of a pack lives, and how many bytes all rows have, is kept with every change instead of counted:
//! counting would read an index as long as the list of objects, while keeping it costs one update for each
//! pack that a write touches.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::content::ObjectRow;
use crate::store::sqlite::rows::{collect, execute, first, integer, natural};
use crate::store::{NewPack, Pack, ROWS_MAX, StoreError};

/// How the weights of packs and rows change in one write.
#[derive(Default)]
pub(super) struct Balance {
    row_bytes: i64,
    /// Bytes and parts, by the pack's row.
    packs: BTreeMap<i64, (i64, i64)>,
}

impl Balance {
    /// Notes an object that now lies in `pack`, or is a row.
    pub(super) fn gain(&mut self, pack: Option<i64>, length: i64) {
        self.change(pack, length, 1);
    }

    /// Notes an object that lies there no more.
    pub(super) fn lose(&mut self, pack: Option<i64>, length: i64) {
        self.change(pack, -length, -1);
    }

    fn change(&mut self, pack: Option<i64>, bytes: i64, parts: i64) {
        match pack {
            None => self.row_bytes += bytes,
            Some(pack) => {
                let change = self.packs.entry(pack).or_default();
                *change = (change.0 + bytes, change.1 + parts);
            }
        }
    }

    /// Writes the changes.
    pub(super) fn settle(self, db: &Connection) -> Result<(), StoreError> {
        for (pack, (bytes, parts)) in self.packs {
            let sql = "UPDATE packs SET live_bytes = live_bytes + ?2, live_parts = live_parts + ?3 \
                       WHERE id = ?1";
            execute(db, sql, (pack, bytes, parts))?;
        }
        if self.row_bytes != 0 {
            let sql = "UPDATE object_totals SET row_bytes = row_bytes + ?1";
            execute(db, sql, [self.row_bytes])?;
        }
        Ok(())
    }
}

/// Refuses a pack that its parts do not fit into.
pub(super) fn check_pack(pack: &NewPack) -> Result<(), StoreError> {
    let fits = |start: u64, length: u32| {
        start
            .checked_add(u64::from(length))
            .is_some_and(|end| end <= pack.bytes)
    };
    match pack.parts.iter().find(|part| !fits(part.1, part.2)) {
        Some((hash, ..)) => Err(StoreError::Invalid(format!(
            "object {hash} lies beyond the end of pack {}",
            pack.name
        ))),
        None => Ok(()),
    }
}

/// Makes a new pack known, with nothing in it, and returns its row.
pub(super) fn insert_pack(db: &Connection, pack: &NewPack) -> Result<i64, StoreError> {
    let sql = "INSERT INTO packs (name, bytes) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    if execute(db, sql, params![pack.name, integer(pack.bytes)])? == 0 {
        return Err(StoreError::AlreadyExists);
    }
    Ok(db.last_insert_rowid())
}

/// Moves stored objects into a new pack.
pub(super) fn move_objects(db: &Connection, pack: &NewPack) -> Result<(), StoreError> {
    check_pack(pack)?;
    let id = insert_pack(db, pack)?;
    let mut balance = Balance::default();
    for (hash, start, length) in &pack.parts {
        let Some(object) = ObjectRow::find(db, hash)? else {
            continue;
        };
        let length = i64::from(*length);
        execute(
            db,
            "UPDATE objects SET pack = ?2, start = ?3, length = ?4 WHERE id = ?1",
            (object.id, id, integer(*start), length),
        )?;
        if object.pack.is_none() {
            execute(db, "DELETE FROM object_rows WHERE object = ?1", [object.id])?;
        }
        balance.lose(object.pack, object.length);
        balance.gain(Some(id), length);
    }
    balance.settle(db)
}

/// Reads packs in order of name.
pub(super) fn list(db: &Connection, after: &str, limit: usize) -> Result<Vec<Pack>, StoreError> {
    collect(
        db,
        "SELECT name, bytes, live_bytes FROM packs WHERE name > ?1 ORDER BY name LIMIT ?2",
        (after, limit.min(ROWS_MAX) as i64),
        |row| {
            Ok(Pack {
                name: row.get(0)?,
                bytes: natural(row.get(1)?)?,
                live_bytes: natural(row.get(2)?)?,
            })
        },
    )
}

/// Forgets a pack without live parts. Parts are counted beside their bytes, since a part may have none.
pub(super) fn forget(db: &Connection, name: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM packs WHERE name = ?1 AND live_parts = 0";
    if execute(db, sql, [name])? > 0 {
        return Ok(true);
    }
    let known = "SELECT 1 FROM packs WHERE name = ?1";
    Ok(first(db, known, [name], |_| Ok(()))?.is_none())
}

/// Returns how many bytes all rows have together.
pub(super) fn row_bytes(db: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT row_bytes FROM object_totals";
    Ok(first(db, sql, (), |row| natural(row.get(0)?))?.unwrap_or(0))
}
