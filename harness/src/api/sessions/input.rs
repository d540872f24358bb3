//! Events that a client sends: their shape, and whether the session takes them now.

use serde_json::{Value, json};

use super::content::{Accepts, blocks};
use crate::agent::named;
use crate::api::body::{Invalid, Spot};
use crate::json::Fields as _;
use crate::session::{EventKind, ITERATIONS_DEFAULT, ITERATIONS_MAX};

/// Longest `deny_message` in characters.
const DENY_MESSAGE_CHARACTERS_MAX: usize = 10_000;
/// Most files that a confirmation names, and the longest name in characters.
const LANDING_FILES_MAX: usize = 1_000;
const LANDING_CHARACTERS_MAX: usize = 4_096;
/// Longest description of an outcome, and longest rubric, in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 100_000;
pub(super) const RUBRIC_CHARACTERS_MAX: usize = 262_144;
/// Inputs that may wait in one session's queue.
pub(super) const QUEUED_MAX: u64 = 1_000;

/// A well-formed input.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::api) struct Input {
    pub(in crate::api) kind: EventKind,
    /// Its wire fields.
    pub(in crate::api) body: Value,
    /// Where it stands in the request, for messages.
    pub(super) path: String,
}

impl Input {
    /// Tells whether it waits for its turn; results are taken on receipt.
    pub(super) fn is_queued(&self) -> bool {
        !self.is_result() && self.kind != EventKind::UserDefineOutcome
    }

    /// Returns the file that holds its rubric, if one does.
    pub(super) fn rubric_file(&self) -> Option<&str> {
        let is_outcome = self.kind == EventKind::UserDefineOutcome;
        self.body
            .at("rubric")
            .at("file_id")
            .as_str()
            .filter(|_| is_outcome)
    }

    /// Returns the files that its blocks name, each with its block's type.
    pub(super) fn named_files(&self) -> impl Iterator<Item = (&str, &str)> {
        let blocks = self.body.at("content").as_array();
        named(blocks.map_or(&[][..], Vec::as_slice))
    }

    /// Tells whether it is the result of a call.
    pub(super) fn is_result(&self) -> bool {
        matches!(
            self.kind,
            EventKind::UserCustomToolResult | EventKind::UserToolResult
        )
    }
}

/// Reads one event of a request.
pub(super) fn read(spot: Spot) -> Result<Input, Invalid> {
    let path = spot.path.clone();
    let (tag, mut fields) = spot.tagged()?;
    let name = tag.one_of(&[
        "user.message",
        "user.interrupt",
        "user.tool_confirmation",
        "user.custom_tool_result",
        "user.tool_result",
        "user.define_outcome",
        "system.message",
    ])?;
    let (kind, body) = match name {
        "user.message" => {
            let content = blocks(fields.required("content")?, Accepts::Message, 1)?;
            (EventKind::UserMessage, json!({ "content": content }))
        }
        "user.interrupt" => {
            let thread = match fields.take("session_thread_id").given() {
                Some(thread) => Some(thread.text(1, 128)?),
                None => None,
            };
            (
                EventKind::UserInterrupt,
                json!({ "session_thread_id": thread }),
            )
        }
        "user.tool_confirmation" => {
            let id = fields.required("tool_use_id")?.text(1, 128)?;
            let result = fields.required("result")?.one_of(&["allow", "deny"])?;
            let message = match fields.take("deny_message").given() {
                Some(spot) if result == "allow" => {
                    return Err(spot.refuse("a deny_message goes with result \"deny\" only"));
                }
                Some(spot) => Some(spot.text(0, DENY_MESSAGE_CHARACTERS_MAX)?),
                None => None,
            };
            let mut body = json!({"tool_use_id": id, "result": result, "deny_message": message});
            if let Some(spot) = fields.take("sinew").given() {
                if result == "deny" {
                    return Err(spot.refuse("files are named with result \"allow\" only"));
                }
                let mut ours = spot.object()?;
                let files = ours.required("files")?.array(LANDING_FILES_MAX)?;
                let files = files
                    .into_iter()
                    .map(|file| file.text(1, LANDING_CHARACTERS_MAX));
                let files = files.collect::<Result<Vec<_>, _>>()?;
                ours.finish()?;
                body.set("sinew", json!({ "files": files }));
            }
            (EventKind::UserToolConfirmation, body)
        }
        "user.custom_tool_result" | "user.tool_result" => {
            let (kind, id_field) = match name {
                "user.tool_result" => (EventKind::UserToolResult, "tool_use_id"),
                _ => (EventKind::UserCustomToolResult, "custom_tool_use_id"),
            };
            let id = fields.required(id_field)?.text(1, 128)?;
            let content = match fields.take("content").given() {
                Some(spot) => blocks(spot, Accepts::Result, 0)?,
                None => Vec::new(),
            };
            let is_error = match fields.take("is_error").given() {
                Some(spot) => spot.boolean()?,
                None => false,
            };
            let mut body = json!({"content": content, "is_error": is_error});
            body.set(id_field, json!(id));
            (kind, body)
        }
        "system.message" => {
            let content = blocks(fields.required("content")?, Accepts::System, 1)?;
            (EventKind::SystemMessage, json!({ "content": content }))
        }
        _ => {
            let description = fields.required("description")?;
            let description = description.text(1, DESCRIPTION_CHARACTERS_MAX)?;
            let rubric = rubric(fields.required("rubric")?)?;
            let iterations = match fields.take("max_iterations").given() {
                Some(spot) => spot.integer(1, ITERATIONS_MAX)?,
                None => ITERATIONS_DEFAULT,
            };
            let body = json!({
                "description": description,
                "rubric": rubric,
                "max_iterations": iterations,
            });
            (EventKind::UserDefineOutcome, body)
        }
    };
    fields.finish()?;
    Ok(Input { kind, body, path })
}

/// Reads `{type: text, content}` or `{type: file, file_id}`.
fn rubric(spot: Spot) -> Result<Value, Invalid> {
    let (tag, mut fields) = spot.tagged()?;
    let rubric = match tag.one_of(&["text", "file"])? {
        "text" => {
            let content = fields.required("content")?.text(1, RUBRIC_CHARACTERS_MAX)?;
            json!({"type": "text", "content": content})
        }
        _ => json!({"type": "file", "file_id": fields.required("file_id")?.text(1, 128)?}),
    };
    fields.finish()?;
    Ok(rubric)
}

/// Refuses a `system.message` that stands where none may: at most one in a request, the last event of it, and
/// right behind a user's message or a result where there are others. While the session waits for action
/// (`is_waiting`) it goes with a result alone.
pub(super) fn check_system_message(inputs: &[Input], is_waiting: bool) -> Result<(), Invalid> {
    let is_system = |input: &Input| input.kind == EventKind::SystemMessage;
    let Some(at) = inputs.iter().position(is_system) else {
        return Ok(());
    };
    let refuse = |message: &str| {
        let path = inputs.get(at).map(|input| input.path.clone());
        Err(Invalid::at(path.unwrap_or_default(), message))
    };
    if at + 1 != inputs.len() {
        return refuse(
            "a system.message is the last event of its request, and there is one at most",
        );
    }
    match at.checked_sub(1).and_then(|before| inputs.get(before)) {
        Some(before) if before.is_result() => Ok(()),
        _ if is_waiting => refuse(
            "the session waits for action: a system.message goes right behind a tool result of the same \
             request",
        ),
        None => Ok(()),
        Some(before) if before.kind == EventKind::UserMessage => Ok(()),
        Some(_) => refuse("a system.message stands right behind a user.message or a tool result"),
    }
}

/// Refuses an input that the session does not take in the state that `private`, the row's own part,
/// describes. Accepted ones change it as they will change the session, so that the next input of the same
/// request is judged by what is true after this one.
pub(super) fn admit(input: &Input, private: &mut Value) -> Result<Admission, Invalid> {
    let refuse = |message: &str| Err(Invalid::at(input.path.clone(), message));
    let stop_reason = private
        .at("stop_reason")
        .at("type")
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let is_capped = stop_reason == "budget_reached";
    match input.kind {
        EventKind::UserMessage => {
            if private
                .at("open_calls")
                .as_array()
                .is_some_and(|calls| calls.iter().any(waits_for_client))
                && stop_reason == "requires_action"
            {
                return refuse(
                    "the session waits for action: answer the events in its stop_reason, or send a \
                     user.interrupt first",
                );
            }
            if is_capped {
                return refuse("the session has reached its budget: raise or remove it first");
            }
            grow_queue(input, private)?;
        }
        EventKind::SystemMessage => {
            if is_capped {
                return refuse("the session has reached its budget: raise or remove it first");
            }
            grow_queue(input, private)?;
        }
        EventKind::UserDefineOutcome => {
            if is_capped {
                return refuse("the session has reached its budget: raise or remove it first");
            }
            let is_active = |outcome: &Value| outcome.at("completed_at").is_null();
            let mut outcomes = private.at("outcomes").as_array().into_iter().flatten();
            if outcomes.any(is_active) {
                return refuse(
                    "an outcome is under way already: one at a time; send a user.interrupt to end it",
                );
            }
        }
        EventKind::UserInterrupt => {
            let thread = input.body.at("session_thread_id").as_str();
            let thread = thread.filter(|thread| private.at("thread_id") != *thread);
            let is_live = |thread: &&str| {
                let mut live = private.at("threads").as_array().into_iter().flatten();
                live.any(|live| *live.at("id") == **thread)
            };
            if thread.is_some_and(|thread| !is_live(&thread)) {
                return refuse(
                    "session_thread_id names no thread of this session that has not ended",
                );
            }
            if is_capped {
                return Ok(Admission::Ignored);
            }
            let thread = thread.map(str::to_owned);
            grow_queue(input, private)?;
            return Ok(Admission::Stored(thread));
        }
        EventKind::UserToolConfirmation => {
            let id = input.body.at("tool_use_id").clone();
            let call = open_call(private, &id);
            let Some(call) = call
                .filter(|call| call.at("permission") == "ask" && call.at("is_confirmed") == false)
            else {
                return refuse(
                    "tool_use_id names no open call that waits for confirmation; it is the id of an \
                     agent.tool_use event whose evaluated_permission is \"ask\"",
                );
            };
            if input.body.at("sinew").is_object() && !call.at("review").is_object() {
                return refuse(
                    "sinew.files names what is to land of a call under review; this call is none",
                );
            }
            call.set("is_confirmed", json!(true));
            call.set("is_allowed", json!(*input.body.at("result") == "allow"));
            let thread = thread_of(call);
            grow_queue(input, private)?;
            return Ok(Admission::Stored(thread));
        }
        EventKind::UserCustomToolResult => {
            let id = input.body.at("custom_tool_use_id").clone();
            let call = open_call(private, &id).filter(|call| *call.at("is_custom") == true);
            let Some(thread) = call.map(|call| thread_of(call)) else {
                return refuse(
                    "custom_tool_use_id names no open custom tool call; it is the id of an \
                     agent.custom_tool_use event that has no result yet",
                );
            };
            close(private, &id);
            return Ok(Admission::Stored(thread));
        }
        EventKind::UserToolResult => {
            let id = input.body.at("tool_use_id").clone();
            let is_open = |call: &Value| {
                call.at("is_worker") == true
                    && (call.at("permission") != "ask" || call.at("is_allowed") == true)
            };
            let call = open_call(private, &id).filter(|call| is_open(call));
            let Some(thread) = call.map(|call| thread_of(call)) else {
                return refuse(
                    "tool_use_id names no open call of a worker's tool; it is the id of an \
                     agent.tool_use event that has no result yet and does not wait for confirmation",
                );
            };
            close(private, &id);
            return Ok(Admission::Stored(thread));
        }
        _ => return refuse("this event is made by the server"),
    }
    Ok(Admission::Stored(None))
}

/// What happens to an accepted input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Admission {
    /// It goes into the log; of a thread that is not the primary one, with that thread's id.
    Stored(Option<String>),
    /// It has no effect and is not stored.
    Ignored,
}

fn waits_for_client(call: &Value) -> bool {
    call.at("is_custom") == true
        || call.at("is_worker") == true
        || (call.at("permission") == "ask" && call.at("is_confirmed") == false)
}

/// Returns the thread of an open call, if that is not the primary one.
fn thread_of(call: &Value) -> Option<String> {
    call.at("thread_id").as_str().map(str::to_owned)
}

fn close(private: &mut Value, id: &Value) {
    if let Some(calls) = private.at_mut("open_calls").as_array_mut() {
        calls.retain(|call| call.at("event_id") != id);
    }
}

fn open_call<'a>(private: &'a mut Value, id: &Value) -> Option<&'a mut Value> {
    private
        .at_mut("open_calls")
        .as_array_mut()?
        .iter_mut()
        .find(|call| *call.at("event_id") == *id)
}

fn grow_queue(input: &Input, private: &mut Value) -> Result<(), Invalid> {
    let queued = private.at("queued").as_u64().unwrap_or(0);
    if queued >= QUEUED_MAX {
        return Err(Invalid::at(
            input.path.clone(),
            format!("{QUEUED_MAX} events are waiting already; let the session work them off"),
        ));
    }
    private.set("queued", json!(queued + 1));
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn event(value: Value) -> Result<Input, Invalid> {
        read(Spot {
            path: "events.0".to_owned(),
            value,
        })
    }

    fn waiting() -> Value {
        json!({
            "thread_id": "sthr_1",
            "stop_reason": {"type": "requires_action"},
            "queued": 0,
            "open_calls": [
                {"event_id": "sevt_ask", "permission": "ask", "is_custom": false, "is_confirmed": false},
                {"event_id": "sevt_custom", "permission": "allow", "is_custom": true, "is_confirmed": false},
            ],
        })
    }

    #[test]
    fn malformed_events_are_refused_with_their_path() {
        let text = json!([{"type": "text", "text": "hi"}]);
        for (value, fragment) in [
            (json!({"type": "user.message"}), "events.0.content"),
            (
                json!({"type": "user.message", "content": []}),
                "at least one",
            ),
            (
                json!({"type": "user.message", "content": "hi"}),
                "expected an array",
            ),
            (
                json!({"type": "user.message", "content": [{"type": "text", "text": ""}]}),
                "empty",
            ),
            (
                json!({"type": "user.message", "content": [{"type": "redacted"}]}),
                "made by the server",
            ),
            (
                json!({"type": "user.message", "content": text, "extra": 1}),
                "unknown field",
            ),
            (
                json!({"type": "agent.message", "content": text}),
                "events.0.type",
            ),
            (
                json!({"type": "user.tool_confirmation", "tool_use_id": "x", "result": "maybe"}),
                "result",
            ),
            (
                json!({"type": "user.tool_confirmation", "tool_use_id": "x", "result": "allow",
                    "deny_message": "no"}),
                "deny_message",
            ),
            (
                json!({"type": "user.message", "content": [{"type": "image", "source":
                    {"type": "base64", "media_type": "image/png", "data": "%%%"}}]}),
                "base64",
            ),
            (
                json!({"type": "system.message", "content": [{"type": "image"}]}),
                "events.0.content.0.type",
            ),
        ] {
            let error = event(value.clone()).unwrap_err().to_string();
            assert!(error.contains(fragment), "{value}: {error}");
        }
    }

    #[test]
    fn admission_depends_on_what_the_session_waits_for() {
        let message = json!({"type": "user.message", "content": [{"type": "text", "text": "hi"}]});
        let confirm = |id: &str| json!({"type": "user.tool_confirmation", "tool_use_id": id, "result": "allow"});
        let custom =
            |id: &str| json!({"type": "user.custom_tool_result", "custom_tool_use_id": id});
        let result = |id: &str| json!({"type": "user.tool_result", "tool_use_id": id});
        let mut at_worker = json!({
            "queued": 0,
            "open_calls": [
                {"event_id": "sevt_run", "permission": "allow", "is_worker": true, "is_confirmed": false},
                {"event_id": "sevt_ask", "permission": "ask", "is_worker": true, "is_confirmed": false},
                {"event_id": "sevt_no", "permission": "ask", "is_worker": true, "is_confirmed": false},
                {"event_id": "sevt_ours", "permission": "allow", "is_worker": false, "is_confirmed": false},
            ],
        });
        let mut admit_one =
            |value: Value| admit(&event(value).unwrap(), &mut at_worker).map(|_| ());
        assert!(admit_one(result("sevt_ours")).is_err());
        assert!(admit_one(result("sevt_ask")).is_err(), "not confirmed");
        assert!(admit_one(custom("sevt_run")).is_err());
        assert!(admit_one(result("sevt_run")).is_ok());
        assert!(admit_one(result("sevt_run")).is_err(), "only once");
        assert!(admit_one(confirm("sevt_ask")).is_ok());
        assert!(admit_one(result("sevt_ask")).is_ok());
        let deny =
            json!({"type": "user.tool_confirmation", "tool_use_id": "sevt_no", "result": "deny"});
        assert!(admit_one(deny).is_ok());
        assert!(admit_one(result("sevt_no")).is_err(), "it was denied");

        let mut state = waiting();
        let mut admit_one = |value: Value| admit(&event(value).unwrap(), &mut state).map(|_| ());
        assert!(admit_one(message.clone()).is_err());
        assert!(admit_one(confirm("sevt_custom")).is_err());
        assert!(admit_one(confirm("sevt_ask")).is_ok());
        assert!(admit_one(confirm("sevt_ask")).is_err(), "only once");
        assert!(admit_one(custom("sevt_ask")).is_err());
        assert!(admit_one(custom("sevt_custom")).is_ok());
        assert!(admit_one(custom("sevt_custom")).is_err(), "only once");
        assert!(admit_one(message).is_ok(), "all is answered");

        let mut capped = waiting();
        capped["stop_reason"] = json!({"type": "budget_reached"});
        let interrupt = event(json!({"type": "user.interrupt"})).unwrap();
        assert_eq!(admit(&interrupt, &mut capped).unwrap(), Admission::Ignored);
    }
}
