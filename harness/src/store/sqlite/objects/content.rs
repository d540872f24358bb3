//! Storing objects and finding them.
//!
//! Whatever is stored, or asked to stay, is touched: it carries the number of the newest collection, which
//! then leaves it alone.

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::packs::{Balance, check_pack, insert_pack};
use crate::store::sqlite::rows::{check_rows, execute, first, integer, natural};
use crate::store::{Hash, NewObjects, Place, ROW_BYTES_MAX, StoreError};

/// An object as the table has it.
pub(super) struct ObjectRow {
    pub(super) id: i64,
    pub(super) touched: i64,
    pub(super) length: i64,
    /// Its pack's row; none while it is a row itself.
    pub(super) pack: Option<i64>,
}

impl ObjectRow {
    /// Finds it.
    pub(super) fn find(db: &Connection, hash: &Hash) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT id, touched, length, pack FROM objects WHERE hash = ?1";
        first(db, sql, [&hash.0], |row| {
            Ok(Self {
                id: row.get(0)?,
                touched: row.get(1)?,
                length: row.get(2)?,
                pack: row.get(3)?,
            })
        })
    }
}

/// Returns the number of the newest collection.
pub(super) fn newest_collection(db: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT collection FROM object_totals";
    first(db, sql, (), |row| Ok(row.get(0)?))?
        .ok_or_else(|| StoreError::Failed("the totals of the objects are missing".to_owned()))
}

/// Returns the store's own name.
pub(super) fn store_name(db: &Connection) -> Result<String, StoreError> {
    let sql = "SELECT name FROM object_totals";
    first(db, sql, (), |row| Ok(row.get(0)?))?
        .ok_or_else(|| StoreError::Failed("the name of the store is missing".to_owned()))
}

/// Touches an object and tells whether it is stored.
fn touch(db: &Connection, hash: &Hash, collection: i64) -> Result<bool, StoreError> {
    let Some(object) = ObjectRow::find(db, hash)? else {
        return Ok(false);
    };
    // Between two collections only the first touch writes.
    if object.touched < collection {
        let sql = "UPDATE objects SET touched = ?2 WHERE id = ?1";
        execute(db, sql, (object.id, collection))?;
    }
    Ok(true)
}

/// Touches an object that must be stored.
pub(super) fn keep(db: &Connection, hash: &Hash, collection: i64) -> Result<(), StoreError> {
    if touch(db, hash, collection)? {
        Ok(())
    } else {
        Err(StoreError::Gone(*hash))
    }
}

/// Stores objects, or refuses for the first reason in the order that the trait gives.
pub(super) fn add(db: &Connection, new: &NewObjects) -> Result<(), StoreError> {
    if let Some((hash, content)) = new.rows.iter().find(|(_, c)| c.len() > ROW_BYTES_MAX) {
        return Err(StoreError::Invalid(format!(
            "object {hash} has {} bytes, more than the {ROW_BYTES_MAX} of a row",
            content.len()
        )));
    }
    if let Some(pack) = &new.pack {
        check_pack(pack)?;
    }
    let collection = newest_collection(db)?;
    let mut balance = Balance::default();
    if let Some(pack) = &new.pack {
        let id = insert_pack(db, pack)?;
        for (hash, start, length) in &pack.parts {
            if !touch(db, hash, collection)? {
                let (start, length) = (integer(*start), i64::from(*length));
                insert(db, hash, collection, length, Some((id, start)))?;
                balance.gain(Some(id), length);
            }
        }
    }
    for (hash, content) in &new.rows {
        if !touch(db, hash, collection)? {
            let length = content.len() as i64;
            let object = insert(db, hash, collection, length, None)?;
            let sql = "INSERT INTO object_rows (object, content) VALUES (?1, ?2)";
            execute(db, sql, params![object, content.as_ref()])?;
            balance.gain(None, length);
        }
    }
    for hash in &new.kept {
        keep(db, hash, collection)?;
    }
    balance.settle(db)
}

fn insert(
    db: &Connection,
    hash: &Hash,
    collection: i64,
    length: i64,
    part: Option<(i64, i64)>,
) -> Result<i64, StoreError> {
    let (pack, start) = part.unzip();
    execute(
        db,
        "INSERT INTO objects (hash, touched, length, pack, start) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![hash.0, collection, length, pack, start],
    )?;
    Ok(db.last_insert_rowid())
}

/// Returns where each object is.
pub(super) fn places(db: &Connection, hashes: &[Hash]) -> Result<Vec<Option<Place>>, StoreError> {
    check_rows(hashes.len())?;
    hashes.iter().map(|hash| place(db, hash)).collect()
}

fn place(db: &Connection, hash: &Hash) -> Result<Option<Place>, StoreError> {
    let sql = "SELECT p.name, o.start, o.length, r.content FROM objects o \
               LEFT JOIN packs p ON p.id = o.pack \
               LEFT JOIN object_rows r ON o.pack IS NULL AND r.object = o.id \
               WHERE o.hash = ?1";
    first(db, sql, [&hash.0], |row| {
        Ok(match row.get::<_, Option<String>>(0)? {
            Some(name) => Place::Pack {
                name,
                start: natural(row.get(1)?)?,
                length: row.get(2)?,
            },
            None => Place::Row(Bytes::from(row.get::<_, Vec<u8>>(3)?)),
        })
    })
}
