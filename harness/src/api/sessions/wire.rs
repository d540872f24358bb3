//! Stored events as the wire shows them.

use serde_json::{Value, json};

use crate::clock::rfc3339;
use crate::json::Fields as _;
use crate::store::StoredEvent;

/// Returns the wire's event.
pub(super) fn event(stored: &StoredEvent) -> Value {
    let mut wire = stored.body.clone();
    wire.set("id", json!(stored.id.as_str()));
    wire.set("type", json!(stored.kind));
    wire.set("processed_at", json!(stored.processed_at.map(rfc3339)));
    wire
}
