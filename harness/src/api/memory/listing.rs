//! The list of a store's memories: in order of their paths, below a prefix, with folders where they are asked for.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::memories::{content, wire};
use super::{failed, home, is_full, page_limit};
use crate::api::body::Invalid;
use crate::api::collection::Answer;
use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::{ApiState, Caller};
use crate::memory::{MemoryRow, PATH_BYTES_MAX};
use crate::store::Order;

/// One entry of the list.
enum Item {
    Memory(MemoryRow),
    /// A folder with memories below it; ends with `/`.
    Prefix(String),
}

impl Item {
    fn path(&self) -> &str {
        match self {
            Item::Memory(row) => &row.path,
            Item::Prefix(path) => path,
        }
    }
}

/// Returns a page of memories, and at depth 1 of folders.
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    Path(store_id): Path<String>,
    query: Query,
) -> Answer {
    let is_full = is_full(&query, false)?;
    let limit = page_limit(&query, is_full)?;
    let is_flat = query.integer("depth", 0, 1)?.unwrap_or(0) == 0;
    let prefix = prefix(&query)?;
    let list = format!("memories/{store_id}");
    let after = match page::cursor(&query, &list, Order::Ascending)? {
        None => None,
        Some(Cursor {
            position: Position::Text(path),
            ..
        }) => Some(path),
        Some(_) => return Err(Invalid::at("page", "the cursor is malformed or expired").into()),
    };
    let home = home(&api, &caller, &store_id);
    let rows = match home.row().await {
        Ok(_) => home.memories().await,
        Err(error) => Err(error),
    };
    let rows = rows.map_err(|error| failed(error, &store_id, ""))?;
    let mut items = items(rows, &prefix, is_flat);
    if let Some(after) = after {
        items.retain(|item| item.path() > after.as_str());
    }
    let is_more = page::cut(&mut items, limit);
    let next = items.last().filter(|_| is_more).map(|last| {
        let place = Position::Text(last.path().to_owned());
        Cursor::next(&list, Order::Ascending, place)
    });
    let mut data = Vec::with_capacity(items.len());
    for item in items {
        data.push(match item {
            Item::Prefix(path) => json!({"type": "memory_prefix", "path": path}),
            Item::Memory(row) => {
                let content: Option<String> = if is_full {
                    Some(content(&home, &store_id, &row).await?)
                } else {
                    None
                };
                wire(&store_id, &row, content)
            }
        });
    }
    Ok(Json(page::cursor_page(data, next)))
}

fn prefix(query: &Query) -> Result<String, Invalid> {
    let Some(prefix) = query.text("path_prefix")? else {
        return Ok("/".to_owned());
    };
    let is_good = prefix.starts_with('/')
        && prefix.ends_with('/')
        && prefix.len() <= PATH_BYTES_MAX
        && !prefix.contains("//");
    if is_good {
        return Ok(prefix.to_owned());
    }
    let message = "expected whole segments between a / at the beginning and one at the end";
    Err(Invalid::at("path_prefix", message))
}

/// Returns the entries below `prefix`, in order of their paths.
fn items(rows: Vec<MemoryRow>, prefix: &str, is_flat: bool) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for row in rows {
        let Some(rest) = row.path.strip_prefix(prefix) else {
            continue;
        };
        match rest.split_once('/') {
            Some((folder, _)) if !is_flat => {
                let path = format!("{prefix}{folder}/");
                let is_new = !matches!(items.last(), Some(Item::Prefix(last)) if *last == path);
                if is_new {
                    items.push(Item::Prefix(path));
                }
            }
            _ => items.push(Item::Memory(row)),
        }
    }
    items.sort_by(|one, other| one.path().cmp(other.path()));
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn row(path: &str) -> MemoryRow {
        MemoryRow::for_tests(path, Timestamp::UNIX_EPOCH)
    }

    fn shown(prefix: &str, is_flat: bool) -> Vec<String> {
        let paths = ["/a", "/b/c", "/b/d/e", "/b-", "/bc/x", "/z"];
        let rows = paths.map(row).to_vec();
        let items = items(rows, prefix, is_flat);
        items.iter().map(|item| item.path().to_owned()).collect()
    }

    #[test]
    fn folders_stand_for_what_is_below_them() {
        assert_eq!(shown("/", true).len(), 6);
        assert_eq!(shown("/", false), ["/a", "/b-", "/b/", "/bc/", "/z"]);
        assert_eq!(shown("/b/", true), ["/b/c", "/b/d/e"]);
        assert_eq!(shown("/b/", false), ["/b/c", "/b/d/"]);
        assert!(shown("/nothing/", false).is_empty());
    }
}
