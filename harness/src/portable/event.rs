//! An event as bytes that are the same wherever it is written.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::{Timestamp, truncate};
use crate::ids::{EventId, ID_BYTES_MAX, ThreadId};
use crate::store::StoredEvent;

/// Most JSON values in one event: one costs much more memory than text.
const VALUES_MAX: usize = 1 << 20;

/// A stored event, its fields in order of their names, as those of every object in it are.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    at: Timestamp,
    body: Value,
    id: EventId,
    #[serde(default, skip_serializing_if = "is_false")]
    is_thread_only: bool,
    kind: String,
    number: u64,
    position: Option<u64>,
    private: Option<Value>,
    processed_at: Option<Timestamp>,
    thread_id: Option<ThreadId>,
}

/// Returns the canonical bytes of an event as it was at number `last` of its log.
pub fn canonical(mut event: StoredEvent, last: u64) -> serde_json::Result<Vec<u8>> {
    if event.position.is_some_and(|position| position > last) {
        event.position = None;
        event.processed_at = None;
    }
    serde_json::to_vec(&Fields {
        at: event.at,
        body: event.body,
        id: event.id,
        is_thread_only: event.is_thread_only,
        kind: event.kind,
        number: event.number,
        position: event.position,
        private: event.private,
        processed_at: event.processed_at,
        thread_id: event.thread_id,
    })
}

/// Reads canonical bytes. The error says what is wrong with them.
pub(super) fn parse(bytes: &[u8]) -> Result<StoredEvent, String> {
    if values(bytes) > VALUES_MAX {
        return Err(format!("it has more than {VALUES_MAX} values"));
    }
    let fields: Fields = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let is_id = |id: &str, prefix: &str| {
        let rest = id.strip_prefix(prefix).unwrap_or_default();
        !rest.is_empty()
            && id.len() <= ID_BYTES_MAX
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    // Ids become names of files and rows.
    let is_thread_id = |id: &ThreadId| is_id(id.as_str(), ThreadId::PREFIX);
    if !is_id(fields.id.as_str(), EventId::PREFIX) || !fields.thread_id.iter().all(is_thread_id) {
        return Err("it has an id that is none".to_owned());
    }
    if !fields.body.is_object() {
        return Err("its body is no object".to_owned());
    }
    let is_whole = |at: &Timestamp| truncate(*at) == *at;
    if !is_whole(&fields.at) || !fields.processed_at.iter().all(is_whole) {
        return Err("it has a time that no clock of ours tells".to_owned());
    }
    Ok(StoredEvent {
        number: fields.number,
        id: fields.id,
        thread_id: fields.thread_id,
        is_thread_only: fields.is_thread_only,
        kind: fields.kind,
        at: fields.at,
        position: fields.position,
        processed_at: fields.processed_at,
        body: fields.body,
        private: fields.private,
    })
}

/// What is not true is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Returns about how many values a JSON text has, without making them.
fn values(text: &[u8]) -> usize {
    let (mut count, mut is_text, mut is_escaped) = (1usize, false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> StoredEvent {
        let at: Timestamp = "2026-01-02T03:04:05.678901Z".parse().unwrap();
        StoredEvent {
            number: 7,
            id: EventId::from_text("sevt_7"),
            thread_id: Some(ThreadId::from_text("sthr_1")),
            is_thread_only: false,
            kind: "user.message".to_owned(),
            at,
            position: Some(9),
            processed_at: Some(at),
            body: json!({"z": 1, "a": {"y": [1.5, "é"], "b": null}}),
            private: Some(json!({"k": true})),
        }
    }

    #[test]
    fn an_event_is_read_as_it_is_written() {
        let written = canonical(event(), 9).unwrap();
        let text = String::from_utf8(written.clone()).unwrap();
        assert_eq!(
            text,
            r#"{"at":"2026-01-02T03:04:05.678901Z","body":{"a":{"b":null,"y":[1.5,"é"]},"z":1},"id":"sevt_7","kind":"user.message","number":7,"position":9,"private":{"k":true},"processed_at":"2026-01-02T03:04:05.678901Z","thread_id":"sthr_1"}"#
        );
        assert_eq!(parse(&written).unwrap(), event());
        let of_thread = StoredEvent {
            is_thread_only: true,
            ..event()
        };
        assert_eq!(
            parse(&canonical(of_thread.clone(), 9).unwrap()).unwrap(),
            of_thread
        );
        // What was taken from the queue later still waited then.
        let early = parse(&canonical(event(), 8).unwrap()).unwrap();
        assert_eq!((early.position, early.processed_at), (None, None));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let good = String::from_utf8(canonical(event(), 9).unwrap()).unwrap();
        for (what, text) in [
            ("an unknown field", good.replace("\"at\"", "\"x\":1,\"at\"")),
            ("a field too few", good.replace("\"number\":7,", "")),
            ("a path for an id", good.replace("sevt_7", "sevt_../../x")),
            ("a thread of another kind", good.replace("sthr_1", "sevt_1")),
            ("nanoseconds", good.replace("678901Z", "678901234Z")),
            (
                "a body that is a list",
                good.replace("{\"a\":{\"b\":null,\"y\":[1.5,\"é\"]},\"z\":1}", "[]"),
            ),
            ("no JSON", good.replace('}', "")),
        ] {
            assert_ne!(text, good, "{what}");
            assert!(parse(text.as_bytes()).is_err(), "{what}");
        }
        let many = format!("[{}1]", "1,".repeat(VALUES_MAX));
        assert!(parse(many.as_bytes()).unwrap_err().contains("values"));
        let deep = good.replace(
            "\"k\":true",
            &format!("\"k\":{}1{}", "[".repeat(500), "]".repeat(500)),
        );
        assert!(parse(deep.as_bytes()).is_err());
        assert_eq!(values(br#"{"a":"[,,{\"[","b":[1,2]}"#), 5);
    }
}
