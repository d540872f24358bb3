//! What the collector of garbage asks: all roots, all objects, and the removal of what nothing needs.

use rusqlite::Connection;

use super::content::{ObjectRow, newest_collection};
use super::packs::Balance;
use crate::ids::SessionId;
use crate::store::sqlite::rows::{NUMBER_BITS, check_rows, collect, execute, number_in};
use crate::store::{Hash, Listed, ROWS_MAX, Root, Rooted, StoreError};

/// Begins a collection: whatever is touched from now on carries its number.
pub(super) fn begin(db: &Connection) -> Result<i64, StoreError> {
    execute(
        db,
        "UPDATE object_totals SET collection = collection + 1",
        (),
    )?;
    newest_collection(db)
}

/// Reads roots in the order of their rows. A root that comes while they are read may be missed; what it
/// leads to has been touched.
pub(super) fn roots(db: &Connection, after: i64, limit: usize) -> Result<Vec<Rooted>, StoreError> {
    collect(
        db,
        &format!(
            "SELECT r.id, r.hash, r.is_list, r.slot, s.id FROM roots r \
             LEFT JOIN sessions s ON s.handle = r.slot >> {NUMBER_BITS} \
             WHERE r.id > ?1 ORDER BY r.id LIMIT ?2"
        ),
        (after, limit.min(ROWS_MAX) as i64),
        |row| {
            Ok(Rooted {
                position: row.get(0)?,
                root: Root {
                    hash: Hash(row.get(1)?),
                    is_list: row.get(2)?,
                },
                number: number_in(row.get(3)?),
                session_id: row.get::<_, Option<String>>(4)?.map(SessionId::from_text),
            })
        },
    )
}

/// Reads objects in the order of their rows.
pub(super) fn objects(
    db: &Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<Listed>, StoreError> {
    collect(
        db,
        "SELECT o.id, o.hash, o.length, p.name FROM objects o LEFT JOIN packs p ON p.id = o.pack \
         WHERE o.id > ?1 ORDER BY o.id LIMIT ?2",
        (after, limit.min(ROWS_MAX) as i64),
        |row| {
            Ok(Listed {
                position: row.get(0)?,
                hash: Hash(row.get(1)?),
                length: row.get(2)?,
                pack: row.get(3)?,
            })
        },
    )
}

/// Removes objects that nobody has touched since the collection began.
pub(super) fn remove(db: &Connection, token: i64, hashes: &[Hash]) -> Result<usize, StoreError> {
    check_rows(hashes.len())?;
    let mut balance = Balance::default();
    let mut removed = 0;
    for hash in hashes {
        let Some(object) = ObjectRow::find(db, hash)? else {
            continue;
        };
        if object.touched >= token {
            continue;
        }
        execute(db, "DELETE FROM objects WHERE id = ?1", [object.id])?;
        if object.pack.is_none() {
            execute(db, "DELETE FROM object_rows WHERE object = ?1", [object.id])?;
        }
        balance.lose(object.pack, object.length);
        removed += 1;
    }
    balance.settle(db)?;
    Ok(removed)
}
