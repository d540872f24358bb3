//! The fold and the decision, fed with events and asked what comes next.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::ids::{EventId, SessionId, ThreadId};
use crate::store::StoredEvent;

/// A log under construction with the state it folds to.
struct Log {
    events: Vec<StoredEvent>,
    state: State,
}

impl Log {
    fn new() -> Self {
        Self::with(config())
    }

    fn with(config: Value) -> Self {
        let first = stored(1, "sinew.created", config, None);
        let session = SessionId::from_text("sesn_1");
        let state = State::fold(&session, std::slice::from_ref(&first)).unwrap();
        Self {
            events: vec![first],
            state,
        }
    }

    fn push(&mut self, kind: &str, body: Value) -> EventId {
        self.push_private(kind, body, None)
    }

    fn push_private(&mut self, kind: &str, body: Value, private: Option<Value>) -> EventId {
        let event = stored(self.state.last + 1, kind, body, private);
        self.state.apply(&event).unwrap();
        self.events.push(event.clone());
        event.id
    }

    fn take(&mut self, id: &EventId) {
        self.push(
            "sinew.processed",
            json!({"event_id": id.as_str(), "number": 0}),
        );
    }

    /// A user message that was taken, with the turn opened.
    fn message(&mut self, text: &str) {
        let id = self.push(
            "user.message",
            json!({"content": [{"type": "text", "text": text}]}),
        );
        self.take(&id);
        self.run();
    }

    fn run(&mut self) {
        self.push("session.thread_status_running", json!({}));
        self.push("session.status_running", json!({}));
    }

    fn start_request(&mut self) {
        self.push("span.model_request_start", json!({}));
    }

    fn end_request(&mut self, content: Value) {
        let private = json!({"usage": {"input_tokens": 10, "output_tokens": 5,
            "cache_read_input_tokens": 0, "cache_5m_input_tokens": 0, "cache_1h_input_tokens": 0},
            "cost_nanocents": "1000", "content": content});
        self.push_private(
            "span.model_request_end",
            json!({"is_error": false}),
            Some(private),
        );
    }

    fn fail_request(&mut self, private: Value) {
        self.push_private(
            "span.model_request_end",
            json!({"is_error": true}),
            Some(private),
        );
    }

    /// A call of a built-in tool with this permission.
    fn call(&mut self, name: &str, permission: &str) -> EventId {
        let body = json!({"name": name, "input": {}, "evaluated_permission": permission});
        self.push_private(
            "agent.tool_use",
            body,
            Some(json!({"model_id": format!("toolu_{name}")})),
        )
    }

    fn custom_call(&mut self, name: &str) -> EventId {
        let body = json!({"name": name, "input": {}});
        let private = json!({"model_id": format!("toolu_{name}")});
        self.push_private("agent.custom_tool_use", body, Some(private))
    }

    fn result(&mut self, id: &EventId) {
        self.push(
            "agent.tool_result",
            json!({"tool_use_id": id.as_str(),
            "content": [{"type": "text", "text": "done"}], "is_error": false}),
        );
    }

    fn idle(&mut self, reason: Value) {
        let stop = json!({"stop_reason": reason, "stop_details": null});
        self.push("session.thread_status_idle", stop.clone());
        self.push("session.status_idle", stop);
    }

    fn next(&self) -> Step {
        // Whatever the path, the same events fold to the same state.
        let again = State::fold(&self.state.session_id, &self.events).unwrap();
        assert_eq!(again, self.state);
        // So does a fold that goes on from a checkpoint, wherever that is.
        let session = &self.state.session_id;
        for cut in 1..self.events.len() {
            let (before, behind) = self.events.split_at(cut);
            let first = State::fold(session, before).unwrap();
            let kept = checkpoint(&first).unwrap();
            let mut state = from_checkpoint(session, cut as u64, &kept).unwrap();
            assert_eq!(state, first);
            behind.iter().for_each(|event| state.apply(event).unwrap());
            assert_eq!(state, self.state);
        }
        decide(&self.state, self.state.primary(), &Limits::default())
    }
}

fn config() -> Value {
    json!({"agent": {"name": "a", "model": {"id": "m"}, "tools": []}, "budget": null, "title": null})
}

pub(super) fn stored(number: u64, kind: &str, body: Value, private: Option<Value>) -> StoredEvent {
    let at = Timestamp::from_second(1_000 + number as i64).unwrap();
    StoredEvent {
        number,
        id: EventId::from_text(format!("sevt_{number}")),
        thread_id: Some(ThreadId::from_text("sthr_1")),
        is_thread_only: false,
        kind: kind.to_owned(),
        at,
        position: Some(number),
        processed_at: Some(at),
        body,
        private,
    }
}

fn idle_reason(step: Step) -> Value {
    match step {
        Step::GoIdle(reason, _, _) => reason,
        other => panic!("expected the session to go idle, got {other:?}"),
    }
}

#[test]
fn a_turn_with_a_tool() {
    let mut log = Log::new();
    assert_eq!(log.next(), Step::Sleep);
    let message = log.push(
        "user.message",
        json!({"content": [{"type": "text", "text": "hi"}]}),
    );
    assert_eq!(log.next(), Step::TakeInput(vec![message.clone()]));
    log.take(&message);
    assert_eq!(log.next(), Step::CallModel);
    log.run();
    log.start_request();
    let call = log.call("read", "allow");
    let use_block = json!({"type": "tool_use", "id": "toolu_read", "name": "read", "input": {}});
    log.end_request(json!([use_block]));
    assert_eq!(log.next(), Step::RunTool(call.clone()));
    log.result(&call);
    assert_eq!(log.next(), Step::CallModel);
    log.start_request();
    log.end_request(json!([{"type": "text", "text": "bye"}]));
    assert_eq!(idle_reason(log.next()), json!({"type": "end_turn"}));
    log.idle(json!({"type": "end_turn"}));
    assert_eq!(log.next(), Step::Sleep);

    let roles: Vec<&str> = log
        .state
        .primary()
        .conversation
        .iter()
        .map(|turn| match &**turn {
            Turn::User(_) => "user",
            Turn::Assistant(_) => "assistant",
            Turn::ToolResults(_) => "results",
            Turn::System(_) => "system",
        })
        .collect();
    assert_eq!(roles, ["user", "assistant", "results", "assistant"]);
    assert_eq!(log.state.usage.tokens.input_tokens, 20);
    assert!(log.state.usage.active_micros > 0);
}

#[test]
fn a_request_lost_in_a_crash_is_closed_and_asked_again() {
    let mut log = Log::new();
    log.message("hi");
    log.start_request();
    assert!(matches!(log.next(), Step::CloseLostRequest(_)));
    log.fail_request(json!({"is_lost": true}));
    assert_eq!(log.next(), Step::CallModel);
    assert_eq!(
        log.state.primary().failures,
        0,
        "a crash is not the provider's failure"
    );
}

#[test]
fn failures_are_counted_until_the_turn_fails() {
    let mut log = Log::new();
    log.message("hi");
    for _ in 0..Limits::default().attempts_max {
        assert_eq!(log.next(), Step::CallModel);
        log.start_request();
        log.fail_request(json!({"retry_at": "2026-01-01T00:00:00Z"}));
    }
    assert_eq!(
        idle_reason(log.next()),
        json!({"type": "retries_exhausted"})
    );
    log.idle(json!({"type": "retries_exhausted"}));
    assert_eq!(log.next(), Step::Sleep);
    log.message("again");
    assert_eq!(log.next(), Step::CallModel);
}

#[test]
fn an_interrupt_jumps_the_queue_and_ends_the_turn() {
    let mut log = Log::new();
    log.message("hi");
    log.start_request();
    let queued = log.push(
        "user.message",
        json!({"content": [{"type": "text", "text": "next"}]}),
    );
    let interrupt = log.push("user.interrupt", json!({}));
    assert_eq!(log.next(), Step::Interrupt(vec![interrupt.clone()]));
    log.take(&interrupt);
    log.fail_request(json!({"is_interrupt": true}));
    log.idle(json!({"type": "end_turn"}));
    assert_eq!(log.next(), Step::TakeInput(vec![queued]));
}

#[test]
fn calls_that_need_the_client_wait_and_the_others_run() {
    let mut log = Log::new();
    log.message("hi");
    log.start_request();
    let ask = log.call("write", "ask");
    let run = log.call("read", "allow");
    let custom = log.custom_call("lookup");
    log.end_request(json!([{"type": "tool_use", "id": "x", "name": "write", "input": {}}]));
    assert_eq!(log.next(), Step::RunTool(run.clone()));
    log.result(&run);
    let both = json!({"type": "requires_action", "event_ids": [ask.as_str(), custom.as_str()]});
    assert_eq!(idle_reason(log.next()), both);
    log.idle(both);
    assert_eq!(log.next(), Step::Sleep);

    log.push(
        "user.custom_tool_result",
        json!({"custom_tool_use_id": custom.as_str(), "content": []}),
    );
    let rest = json!({"type": "requires_action", "event_ids": [ask.as_str()]});
    assert_eq!(idle_reason(log.next()), rest);
    log.idle(rest);

    let confirm = log.push(
        "user.tool_confirmation",
        json!({"tool_use_id": ask.as_str(),
        "result": "deny", "deny_message": "not now"}),
    );
    assert_eq!(log.next(), Step::TakeInput(vec![confirm.clone()]));
    log.take(&confirm);
    assert_eq!(log.next(), Step::RejectCall(ask.clone()));
    assert!(
        log.state
            .call(ask.as_str())
            .unwrap()
            .1
            .rejection()
            .contains("not now")
    );
    log.push(
        "agent.tool_result",
        json!({"tool_use_id": ask.as_str(), "content": [], "is_error": true}),
    );
    assert_eq!(log.next(), Step::CallModel);
    let Turn::ToolResults(results) = &**log.state.primary().conversation.last().unwrap() else {
        panic!("the last turn holds the results");
    };
    let order: Vec<_> = results
        .iter()
        .map(|result| result["tool_use_id"].clone())
        .collect();
    assert_eq!(
        order,
        ["toolu_write", "toolu_read", "toolu_lookup"],
        "in the order of the calls"
    );
}

#[test]
fn confirmed_calls_go_on_once_everything_is_answered() {
    let mut log = Log::new();
    log.message("hi");
    log.start_request();
    let first = log.call("write", "ask");
    let second = log.call("edit", "ask");
    log.end_request(json!([{"type": "tool_use", "id": "x", "name": "write", "input": {}}]));
    log.idle(idle_reason(log.next()));
    let allow = |id: &EventId| json!({"tool_use_id": id.as_str(), "result": "allow"});
    let one = log.push("user.tool_confirmation", allow(&first));
    // Told as confirmed from the moment it is queued: a second confirmation is refused.
    let row = project(&log.state, &Limits::default());
    assert_eq!(
        row.body[PROJECTION_PRIVATE]["open_calls"][0]["is_confirmed"],
        true
    );
    log.take(&one);
    let rest = json!({"type": "requires_action", "event_ids": [second.as_str()]});
    assert_eq!(idle_reason(log.next()), rest);
    log.idle(rest);
    let other = log.push("user.tool_confirmation", allow(&second));
    log.take(&other);
    assert_eq!(log.next(), Step::RunTool(first));
}

#[test]
fn a_summary_that_does_not_fit_is_not_asked_for_ever() {
    let mut log = Log::new();
    log.message("hi");
    log.start_request();
    log.fail_request(json!({"context_too_long": true}));
    for _ in 0..Limits::default().compactions_max {
        assert_eq!(log.next(), Step::Compact);
        log.start_request();
        log.fail_request(json!({"context_too_long": true, "is_summary": true}));
    }
    assert_eq!(
        idle_reason(log.next()),
        json!({"type": "retries_exhausted"})
    );
}

#[test]
fn a_budget_stops_before_the_next_request_and_resumes_when_raised() {
    let mut log = Log::new();
    log.push(
        "session.updated",
        json!({"budget": {"type": "limit",
        "max_list_cost": {"amount": "1", "currency": "USD"}}}),
    );
    log.message("hi");
    assert_eq!(log.next(), Step::CallModel);
    log.start_request();
    let call = log.call("read", "allow");
    let private = json!({"cost_nanocents": "1000000000", "usage": {"input_tokens": 1,
        "output_tokens": 1, "cache_read_input_tokens": 0, "cache_5m_input_tokens": 0,
        "cache_1h_input_tokens": 0}, "content": [{"type": "tool_use", "id": "x"}]});
    log.push_private(
        "span.model_request_end",
        json!({"is_error": false}),
        Some(private),
    );
    log.result(&call);
    assert_eq!(idle_reason(log.next()), json!({"type": "budget_reached"}));
    log.idle(json!({"type": "budget_reached"}));
    assert_eq!(log.next(), Step::Sleep);
    log.push("session.updated", json!({"budget": null}));
    assert_eq!(log.next(), Step::CallModel);
}

#[test]
fn a_context_that_is_too_long_is_compacted_but_not_for_ever() {
    let mut log = Log::new();
    log.message("hi");
    for _ in 0..Limits::default().compactions_max {
        log.start_request();
        log.fail_request(json!({"context_too_long": true}));
        assert_eq!(log.next(), Step::Compact);
        log.start_request();
        log.push_private(
            "span.model_request_end",
            json!({"is_error": false}),
            Some(json!({"is_summary": true})),
        );
        let summary = json!({"content": [{"type": "text", "text": "summary"}]});
        log.push_private("agent.thread_context_compacted", json!({}), Some(summary));
        assert_eq!(log.next(), Step::CallModel);
        assert_eq!(log.state.primary().conversation.len(), 1);
    }
    log.start_request();
    log.fail_request(json!({"context_too_long": true}));
    let Step::GoIdle(reason, _, Some(failure)) = log.next() else {
        panic!("the turn fails");
    };
    assert_eq!(reason["type"], "retries_exhausted");
    assert_eq!(failure.kind, "compaction_limit_reached_error");
}

#[test]
fn damaged_logs_are_told_apart() {
    let session = SessionId::from_text("sesn_1");
    let first = stored(1, "sinew.created", config(), None);
    let gap = [first.clone(), stored(3, "agent.thinking", json!({}), None)];
    assert_eq!(
        State::fold(&session, &gap),
        Err(FoldError::Gap { last: 1, got: 3 })
    );
    let strange = [first, stored(2, "agent.dreamt", json!({}), None)];
    assert!(matches!(
        State::fold(&session, &strange),
        Err(FoldError::UnknownKind { .. })
    ));
    assert!(matches!(
        State::fold(&session, &[]),
        Err(FoldError::Damaged { .. })
    ));
}

#[test]
fn on_a_self_hosted_environment_the_worker_runs_what_works_on_files() {
    let mut config = config();
    config[SELF_HOSTED] = json!(true);
    let mut log = Log::with(config);
    log.message("go");
    log.start_request();
    let (bash, ask) = (log.call("bash", "allow"), log.call("write", "ask"));
    let web = log.call("web_fetch", "allow");
    log.end_request(json!([]));
    assert_eq!(log.next(), Step::RunTool(web.clone()), "not the worker's");
    log.result(&web);
    let both = json!({"type": "requires_action", "event_ids": [bash.as_str(), ask.as_str()]});
    assert_eq!(idle_reason(log.next()), both);
    log.idle(both);
    assert_eq!(log.next(), Step::Sleep);
    let allow = json!({"tool_use_id": ask.as_str(), "result": "allow"});
    let allow = log.push("user.tool_confirmation", allow);
    log.take(&allow);
    assert_eq!(log.next(), Step::Sleep, "allowed, so the worker's");
    let result = |id: &EventId| json!({"tool_use_id": id.as_str(), "content": []});
    log.push("user.tool_result", result(&bash));
    let rest = json!({"type": "requires_action", "event_ids": [ask.as_str()]});
    assert_eq!(idle_reason(log.next()), rest);
    log.push("user.tool_result", result(&ask));
    assert_eq!(log.next(), Step::CallModel);
}

#[test]
fn a_checkpoint_that_is_not_ours_is_none() {
    let log = Log::new();
    let session = &log.state.session_id;
    let kept = checkpoint(&log.state).unwrap();
    assert_eq!(from_checkpoint(session, 1, &kept), Some(log.state.clone()));
    let other = SessionId::from_text("sesn_2");
    let forked = from_checkpoint(&other, 1, &kept).unwrap();
    assert_eq!(forked.session_id, other);
    assert_eq!(from_checkpoint(session, 2, &kept), None);
    for at in 0..kept.len() {
        let mut wrong = kept.to_vec();
        wrong[at] ^= 0x55;
        // Whatever is read of it is no panic; what the frame's own check lets pass is the same state.
        let _ = from_checkpoint(session, 1, &wrong);
        assert_eq!(from_checkpoint(session, 1, &kept[..at]), None);
    }
}
