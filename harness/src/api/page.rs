//! Pages of lists: opaque cursors and the three envelopes.
//!
//! A cursor names the list it was made for and its order, so it cannot be used on another list or in
//! another direction; clients must not read it. It holds positions only, never anything that the holder
//! could not see, so it needs no signature.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::api::body::Invalid;
use crate::api::query::Query;
use crate::clock::Timestamp;
use crate::store::{Order, ROWS_MAX, TimeRange};

/// Longest cursor that is read: the longest path of a memory, escaped in JSON, and what goes around it.
const CURSOR_BYTES_MAX: usize = 8_192;
/// Version of the cursors' content. A cursor of another version is refused as expired.
const CURSOR_VERSION: u64 = 1;

/// A place in a list, from which the next page starts strictly behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Position {
    /// In a list by (creation time, id).
    Created(Timestamp, String),
    /// In a list by number: versions, or events by their position.
    Number(u64),
    /// In a list by name.
    Text(String),
    /// Among a log's queued events, by their number.
    Queued(u64),
}

/// Which way a page lies, seen from the cursor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Behind it in the list's order.
    Next,
    /// Before it in the list's order.
    Previous,
}

/// What an opaque cursor holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The list, e.g. `agents` or `agent_versions/agent_...`.
    pub list: String,
    /// The list's order.
    pub order: Order,
    /// Where the page lies.
    pub direction: Direction,
    /// The place.
    pub position: Position,
}

impl Cursor {
    /// Returns the cursor of the page behind `position`.
    pub fn next(list: &str, order: Order, position: Position) -> Self {
        Self {
            list: list.to_owned(),
            order,
            direction: Direction::Next,
            position,
        }
    }

    /// Returns the cursor's text.
    pub fn encode(&self) -> String {
        let mut content = json!({
            "v": CURSOR_VERSION,
            "l": self.list,
            "o": order_name(self.order),
        });
        if let Some(content) = content.as_object_mut() {
            if self.direction == Direction::Previous {
                content.insert("b".to_owned(), json!(true));
            }
            match &self.position {
                Position::Created(at, id) => {
                    content.insert("t".to_owned(), json!(at.as_microsecond()));
                    content.insert("i".to_owned(), json!(id));
                }
                Position::Text(text) => {
                    content.insert("s".to_owned(), json!(text));
                }
                Position::Number(number) => {
                    content.insert("n".to_owned(), json!(number));
                }
                Position::Queued(number) => {
                    content.insert("q".to_owned(), json!(number));
                }
            }
        }
        URL_SAFE_NO_PAD.encode(content.to_string())
    }

    fn decode(text: &str) -> Option<Self> {
        if text.len() > CURSOR_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let content: Value = serde_json::from_slice(&bytes).ok()?;
        if content.get("v")?.as_u64()? != CURSOR_VERSION {
            return None;
        }
        let number = |key: &str| content.get(key).and_then(Value::as_u64);
        let position = if let Some(number) = number("n") {
            Position::Number(number)
        } else if let Some(number) = number("q") {
            Position::Queued(number)
        } else if let Some(text) = content.get("s").and_then(Value::as_str) {
            Position::Text(text.to_owned())
        } else {
            let at = Timestamp::from_microsecond(content.get("t")?.as_i64()?).ok()?;
            Position::Created(at, content.get("i")?.as_str()?.to_owned())
        };
        let direction = match content.get("b").and_then(Value::as_bool) {
            Some(true) => Direction::Previous,
            _ => Direction::Next,
        };
        Some(Self {
            list: content.get("l")?.as_str()?.to_owned(),
            order: match content.get("o")?.as_str()? {
                "asc" => Order::Ascending,
                "desc" => Order::Descending,
                _ => return None,
            },
            direction,
            position,
        })
    }
}

/// Reads the parameter `page` for the list `list` in `order`.
pub fn cursor(query: &Query, list: &str, order: Order) -> Result<Option<Cursor>, Invalid> {
    let Some(text) = query.text("page")? else {
        return Ok(None);
    };
    let Some(cursor) = Cursor::decode(text) else {
        return Err(Invalid::at("page", "the cursor is malformed or expired"));
    };
    if cursor.list != list {
        return Err(Invalid::at("page", "the cursor belongs to another list"));
    }
    if cursor.order != order {
        let message = format!(
            "the cursor was made with order {}, not {}",
            order_name(cursor.order),
            order_name(order)
        );
        return Err(Invalid::at("page", message));
    }
    Ok(Some(cursor))
}

/// Reads the parameter `page` of a list by (creation time, id) whose items all lie within `range`.
pub fn created_cursor(
    query: &Query,
    list: &str,
    order: Order,
    range: &TimeRange,
) -> Result<Option<(Timestamp, String)>, Invalid> {
    match cursor(query, list, order)?.map(|cursor| cursor.position) {
        None => Ok(None),
        Some(Position::Created(at, id)) if range.contains(at) => Ok(Some((at, id))),
        Some(Position::Created(..)) => Err(Invalid::at(
            "page",
            "the created_at filter excludes the cursor's position",
        )),
        Some(Position::Number(_) | Position::Queued(_) | Position::Text(_)) => {
            Err(Invalid::at("page", "the cursor is malformed or expired"))
        }
    }
}

fn order_name(order: Order) -> &'static str {
    match order {
        Order::Ascending => "asc",
        Order::Descending => "desc",
    }
}

/// Returns how many rows to ask the store for, to fill a page of `limit` and learn whether there are more.
pub fn rows_to_fetch(limit: usize) -> usize {
    (limit + 1).min(ROWS_MAX)
}

/// Cuts `rows`, fetched with [`rows_to_fetch`], to `limit`, and tells whether there are (or, for a page as
/// large as the store's own maximum, may be) more.
pub fn cut<T>(rows: &mut Vec<T>, limit: usize) -> bool {
    let is_more = rows.len() > limit || (limit >= ROWS_MAX && rows.len() >= ROWS_MAX);
    rows.truncate(limit);
    is_more
}

/// Returns a page of a list that is read forward only.
pub fn cursor_page(data: Vec<Value>, next: Option<Cursor>) -> Value {
    json!({ "data": data, "next_page": next.map(|cursor| cursor.encode()) })
}

/// Returns a page of a list that is read both ways.
pub fn two_way_page(data: Vec<Value>, next: Option<Cursor>, previous: Option<Cursor>) -> Value {
    json!({
        "data": data,
        "next_page": next.map(|cursor| cursor.encode()),
        "prev_page": previous.map(|cursor| cursor.encode()),
    })
}

/// Returns a page of a list that is read by ids.
pub fn ids_page(data: Vec<Value>, has_more: bool) -> Value {
    let id = |item: Option<&Value>| item.and_then(|item| item.get("id")).cloned();
    let (first, last) = (id(data.first()), id(data.last()));
    json!({ "data": data, "has_more": has_more, "first_id": first, "last_id": last })
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;

    fn page(text: &str) -> Query {
        Query::parse(&format!("page={text}"))
    }

    #[test]
    fn cursors_come_back_as_they_went() {
        let at = Timestamp::from_microsecond(1_700_000_000_123_456).unwrap();
        for position in [
            Position::Created(at, "agent_1".to_owned()),
            Position::Number(7),
            Position::Queued(9),
            Position::Text("/\"".repeat(512)),
        ] {
            for direction in [Direction::Next, Direction::Previous] {
                let sent = Cursor {
                    list: "agents".to_owned(),
                    order: Order::Ascending,
                    direction,
                    position: position.clone(),
                };
                let got = cursor(&page(&sent.encode()), "agents", Order::Ascending).unwrap();
                assert_eq!(got, Some(sent));
            }
        }
        assert_eq!(
            cursor(&Query::parse(""), "agents", Order::Ascending).unwrap(),
            None
        );
    }

    #[test]
    fn cursors_are_bound_to_list_order_and_filter() {
        let at = Timestamp::from_second(100).unwrap();
        let text = Cursor::next(
            "agents",
            Order::Descending,
            Position::Created(at, "a".to_owned()),
        )
        .encode();
        let whole = TimeRange::default();
        let read = |text: &str, list, order, range| created_cursor(&page(text), list, order, range);
        assert!(
            read(&text, "agents", Order::Descending, &whole)
                .unwrap()
                .is_some()
        );
        let later = TimeRange {
            gte: Some(Timestamp::from_second(101).unwrap()),
            ..whole
        };
        let number = Cursor::next("agents", Order::Descending, Position::Number(1)).encode();
        for (text, list, order, range, fragment) in [
            (
                text.as_str(),
                "environments",
                Order::Descending,
                &whole,
                "another list",
            ),
            (&text, "agents", Order::Ascending, &whole, "with order desc"),
            (&text, "agents", Order::Descending, &later, "excludes"),
            (&number, "agents", Order::Descending, &whole, "malformed"),
            (
                "nonsense!",
                "agents",
                Order::Descending,
                &whole,
                "malformed",
            ),
            ("e30", "agents", Order::Descending, &whole, "malformed"),
            (
                &"A".repeat(10_000),
                "agents",
                Order::Descending,
                &whole,
                "malformed",
            ),
        ] {
            let error = read(text, list, order, range).unwrap_err();
            assert_eq!(error.path, "page");
            assert!(error.message.contains(fragment), "{error}");
        }
    }

    #[test]
    fn a_page_knows_whether_more_follow() {
        for (rows, limit, kept, is_more) in [
            (3, 2, 2, true),
            (2, 2, 2, false),
            (0, 2, 0, false),
            (ROWS_MAX, ROWS_MAX, ROWS_MAX, true),
            (ROWS_MAX - 1, ROWS_MAX, ROWS_MAX - 1, false),
        ] {
            let mut list: Vec<usize> = (0..rows).collect();
            assert_eq!((cut(&mut list, limit), list.len()), (is_more, kept));
        }
        assert_eq!(rows_to_fetch(ROWS_MAX), ROWS_MAX);
    }
}
