//! Stored events as the wire shows them.

use serde_json::{Value, json};

use crate::clock::rfc3339;
use crate::json::Fields as _;
use crate::store::StoredEvent;

/// Returns the wire's event as it was when it arrived: an input that a driver took from the queue since then
/// is still without its time, because the event that took it comes later in the log.
pub(super) fn event_on_arrival(stored: &StoredEvent) -> Value {
    let mut wire = event(stored);
    if stored
        .position
        .is_some_and(|position| position > stored.number)
    {
        wire.set("processed_at", Value::Null);
    }
    wire
}

/// Returns an event as its own thread has it: there nothing needs to say which thread a call is of.
pub(super) fn in_thread(mut wire: Value) -> Value {
    let is_call = matches!(
        wire.at("type").as_str(),
        Some("agent.tool_use" | "agent.mcp_tool_use" | "agent.custom_tool_use")
    );
    if is_call && let Some(fields) = wire.as_object_mut() {
        fields.remove("session_thread_id");
    }
    wire
}

/// Returns the wire's event.
pub(super) fn event(stored: &StoredEvent) -> Value {
    let mut wire = stored.body.clone();
    wire.set("id", json!(stored.id.as_str()));
    wire.set("type", json!(stored.kind));
    wire.set("processed_at", json!(stored.processed_at.map(rfc3339)));
    wire
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::ids::EventId;

    #[test]
    fn a_taken_input_arrives_without_its_time() {
        let at = Timestamp::UNIX_EPOCH;
        let mut input = StoredEvent {
            number: 2,
            id: EventId::from_text("sevt_1"),
            thread_id: None,
            is_thread_only: false,
            kind: "user.message".to_owned(),
            at,
            position: None,
            processed_at: None,
            body: json!({}),
            private: None,
        };
        for (position, shown_on_arrival) in [(None, false), (Some(2), true), (Some(5), false)] {
            input.position = position;
            input.processed_at = position.map(|_| at);
            let arrived = event_on_arrival(&input);
            assert_eq!(
                !arrived["processed_at"].is_null(),
                shown_on_arrival,
                "{position:?}"
            );
            assert_eq!(!event(&input)["processed_at"].is_null(), position.is_some());
        }
    }
}
