//! Stored events as the wire shows them.

use serde_json::{Value, json};

use crate::clock::rfc3339;
use crate::store::StoredEvent;

/// Returns the wire's event.
pub(super) fn event(stored: &StoredEvent) -> Value {
    let mut wire = stored.body.clone();
    wire["id"] = json!(stored.id.as_str());
    wire["type"] = json!(stored.kind);
    wire["processed_at"] = json!(stored.processed_at.map(rfc3339));
    wire
}
