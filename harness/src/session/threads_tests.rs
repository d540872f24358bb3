//! Several threads: what they say to one another, what the session says of all of them, and what each does next.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::ids::{EventId, SessionId, ThreadId};
use crate::json::Fields as _;
use crate::store::{NewEvent, StoredEvent};

/// A session of a coordinator with an agent `coder` and an advisor, under construction.
struct Log {
    events: Vec<StoredEvent>,
    state: State,
}

const PRIMARY: &str = "sthr_1";
const CHILD: &str = "sthr_2";

impl Log {
    fn new() -> Self {
        let config = json!({
            "agent": {
                "name": "lead", "model": {"id": "m"}, "tools": [],
                "multiagent": {"type": "coordinator", "agents": [
                    {"type": "agent", "id": "agent_1", "name": "coder", "model": {"id": "m"}, "tools": []},
                    {"type": "advisor", "model": "wise"},
                ]},
            },
            "budget": null,
        });
        let first = NewEvent {
            id: EventId::from_text("sevt_1"),
            thread_id: Some(ThreadId::from_text(PRIMARY)),
            is_thread_only: false,
            kind: "sinew.created".to_owned(),
            at: at(1),
            is_queued: false,
            body: config,
            private: None,
        }
        .at_number(1);
        let state = State::fold(
            &SessionId::from_text("sesn_1"),
            std::slice::from_ref(&first),
        )
        .unwrap();
        Self {
            events: vec![first],
            state,
        }
    }

    fn draft(&self, thread: &str) -> Draft {
        let thread = self.state.thread(thread).unwrap();
        Draft::new(at(self.state.last + 1), Speaker::of(&self.state, thread))
    }

    /// Commits a draft as a driver does, and returns the types of the events that it became.
    fn commit(&mut self, draft: Draft) -> Vec<String> {
        self.push_all(draft.into_events())
    }

    fn push_all(&mut self, events: Vec<NewEvent>) -> Vec<String> {
        let (ahead, events) = complete(&self.state, events).unwrap();
        let stored = (self.state.last + 1..)
            .zip(&events)
            .map(|(number, event)| event.at_number(number));
        self.events.extend(stored);
        self.state = ahead;
        let again = State::fold(&self.state.session_id, &self.events).unwrap();
        assert_eq!(again, self.state, "the same events fold to the same state");
        let kept = checkpoint(&self.state).unwrap();
        assert_eq!(
            from_checkpoint(&self.state.session_id, self.state.last, &kept).unwrap(),
            self.state
        );
        events.into_iter().map(|event| event.kind).collect()
    }

    fn input(&mut self, kind: &str, body: Value) -> EventId {
        let id = EventId::from_text(format!("sevt_{}", self.state.last + 1));
        let event = NewEvent {
            id: id.clone(),
            thread_id: Some(ThreadId::from_text(PRIMARY)),
            is_thread_only: false,
            kind: kind.to_owned(),
            at: at(self.state.last + 1),
            is_queued: true,
            body,
            private: None,
        };
        let stored = event.at_number(self.state.last + 1);
        self.state.apply(&stored).unwrap();
        self.events.push(stored);
        id
    }

    /// Has the user say something, and opens the turn.
    fn message(&mut self) {
        let id = self.input(
            "user.message",
            json!({"content": [{"type": "text", "text": "go"}]}),
        );
        let mut draft = self.draft(PRIMARY);
        draft.processed(&id, self.state.last);
        draft.running();
        self.commit(draft);
    }

    /// One request of a thread that ends with this text and these calls of delegation tools.
    fn answer(&mut self, thread: &str, text: &str, calls: &[(&str, Value)]) -> Vec<EventId> {
        let mut draft = self.draft(thread);
        let start = draft.thread(EventKind::SpanModelRequestStart, json!({}));
        self.commit(draft);
        let mut draft = self.draft(thread);
        let mut ids = Vec::new();
        for (name, input) in calls {
            let id = EventId::from_text(format!("sevt_call_{}_{name}", self.state.last));
            let private = Some(json!({"model_id": name}));
            let body = json!({"name": name, "input": input});
            draft.with_private(id.clone(), EventKind::Delegated, body, private);
            ids.push(id);
        }
        let content = json!([{"type": "text", "text": text}]);
        draft.with_private(
            EventId::from_text(format!("sevt_end_{}", self.state.last)),
            EventKind::SpanModelRequestEnd,
            json!({"is_error": false, "model_request_start_id": start.as_str()}),
            Some(json!({"content": content})),
        );
        self.commit(draft);
        ids
    }

    /// Starts the coder as the delegation tool does.
    fn start(&mut self, call: &EventId) -> Vec<String> {
        let mut draft = self.draft(PRIMARY);
        let child = Speaker {
            thread_id: ThreadId::from_text(CHILD),
            agent_name: "coder".to_owned(),
            is_primary: false,
            is_hidden: false,
        };
        let content = json!([{"type": "text", "text": "write it"}]);
        let primary = Speaker::of(&self.state, self.state.primary());
        draft.speak_as(child.clone());
        let agent = AgentOf::Listed(vec![("agents".to_owned(), 0)]);
        let private = json!({"agent": agent.to_json(), "parent_thread_id": PRIMARY});
        draft.shared(
            EventKind::SessionThreadCreated,
            json!({"session_thread_id": CHILD, "agent_name": "coder"}),
            Some(private),
        );
        draft.running();
        draft.thread(
            EventKind::AgentThreadMessageReceived,
            primary.as_sender(&content),
        );
        draft.speak_as(primary);
        draft.thread(
            EventKind::CallClosed,
            json!({"tool_use_id": call.as_str(), "content": [], "is_error": false}),
        );
        self.commit(draft)
    }

    fn idle(&mut self, thread: &str, reason: &str) -> Vec<String> {
        let mut draft = self.draft(thread);
        draft.idle(&json!({"type": reason}), &Value::Null);
        self.commit(draft)
    }

    fn next(&self, thread: &str) -> Step {
        decide(
            &self.state,
            self.state.thread(thread).unwrap(),
            &Limits::default(),
        )
    }
}

fn at(number: u64) -> Timestamp {
    Timestamp::from_second(1_000 + i64::try_from(number).unwrap()).unwrap()
}

/// A session whose coder works, with its coordinator at a further request.
fn delegated() -> Log {
    let mut log = Log::new();
    log.message();
    let calls = log.answer(
        PRIMARY,
        "I delegate.",
        &[(
            "start_agent",
            json!({"agent": "coder", "message": "write it"}),
        )],
    );
    assert_eq!(log.next(PRIMARY), Step::RunTool(calls[0].clone()));
    let kinds = log.start(&calls[0]);
    assert!(
        !kinds.contains(&"session.status_running".to_owned()),
        "it runs already: {kinds:?}"
    );
    log
}

#[test]
fn a_report_wakes_the_coordinator_and_the_session_is_never_idle_between() {
    let mut log = delegated();
    assert_eq!(log.next(CHILD), Step::CallModel);
    let child = log.state.thread(CHILD).unwrap();
    assert_eq!(
        (log.state.name_of(child), child.is_primary()),
        ("coder", false)
    );
    log.answer(PRIMARY, "It is at work.", &[]);
    let kinds = log.idle(PRIMARY, "end_turn");
    assert_eq!(
        kinds,
        ["session.thread_status_idle"],
        "another thread works"
    );
    assert_eq!(log.state.status, Status::Running);

    log.answer(CHILD, "It is written.", &[]);
    let kinds = log.idle(CHILD, "end_turn");
    assert_eq!(
        kinds,
        [
            "agent.thread_message_sent",
            "agent.thread_message_received",
            "session.thread_status_running",
            "session.thread_status_idle",
        ]
    );
    assert_eq!(log.state.status, Status::Running);
    assert_eq!(log.next(PRIMARY), Step::CallModel);
    assert_eq!(log.next(CHILD), Step::Sleep);
    let turns = &log.state.primary().conversation;
    let Turn::User(message) = &**turns.last().unwrap() else {
        unreachable!("a message is the user's turn: {turns:?}");
    };
    let text: Vec<&str> = message
        .iter()
        .filter_map(|block| block.at("text").as_str())
        .collect();
    assert_eq!(
        text,
        [
            "Message of the agent \"coder\" (thread sthr_2):",
            "It is written."
        ]
    );

    log.answer(PRIMARY, "Done.", &[]);
    let kinds = log.idle(PRIMARY, "end_turn");
    assert_eq!(
        kinds,
        [
            "session.thread_status_idle",
            "session.usage",
            "session.status_idle"
        ]
    );
    assert!(!has_work(&log.state, &Limits::default()));
}

#[test]
fn a_message_waits_until_the_conversation_can_take_it() {
    let mut log = delegated();
    // The coordinator's request is under way when the report comes.
    let mut draft = log.draft(PRIMARY);
    draft.thread(EventKind::SpanModelRequestStart, json!({}));
    log.commit(draft);
    log.answer(CHILD, "early", &[]);
    log.idle(CHILD, "end_turn");
    assert_eq!(log.state.primary().inbox.len(), 1);
    let calls = [("list_agents", json!({}))];
    let mut draft = log.draft(PRIMARY);
    let call = EventId::from_text("sevt_list");
    draft.with_private(
        call.clone(),
        EventKind::Delegated,
        json!({"name": calls[0].0, "input": {}}),
        Some(json!({"model_id": "l"})),
    );
    draft.with_private(
        EventId::from_text("sevt_end"),
        EventKind::SpanModelRequestEnd,
        json!({"is_error": false}),
        Some(json!({"content": [{"type": "tool_use", "id": "l", "name": "list_agents", "input": {}}]})),
    );
    log.commit(draft);
    assert_eq!(
        log.state.primary().inbox.len(),
        1,
        "its call has no result yet"
    );
    assert_eq!(log.next(PRIMARY), Step::RunTool(call.clone()));
    let mut draft = log.draft(PRIMARY);
    draft.thread(
        EventKind::CallClosed,
        json!({"tool_use_id": call.as_str(), "content": [], "is_error": false}),
    );
    log.commit(draft);
    let kinds: Vec<&str> = log
        .state
        .primary()
        .conversation
        .iter()
        .rev()
        .take(2)
        .map(|turn| match &**turn {
            Turn::User(_) => "user",
            Turn::ToolResults(_) => "results",
            Turn::Assistant(_) | Turn::System(_) => "other",
        })
        .collect();
    assert_eq!(kinds, ["user", "results"]);
    assert!(log.state.primary().inbox.is_empty());
}

#[test]
fn a_message_that_comes_beside_a_refusal_is_answered() {
    let mut log = delegated();
    for (reports, next) in [(true, Step::CallModel), (false, Step::Sleep)] {
        let mut draft = log.draft(PRIMARY);
        draft.running();
        draft.thread(EventKind::SpanModelRequestStart, json!({}));
        log.commit(draft);
        if reports {
            log.answer(CHILD, "early", &[]);
            log.idle(CHILD, "end_turn");
        }
        let mut draft = log.draft(PRIMARY);
        let (end, id) = (EventKind::SpanModelRequestEnd, EventId::fresh(draft.at()));
        draft.with_private(
            id,
            end,
            json!({"is_error": false}),
            Some(json!({"content": []})),
        );
        draft.idle(&json!({"type": "refusal"}), &json!({"type": "refusal"}));
        log.commit(draft);
        assert_eq!(log.next(PRIMARY), next);
    }
}

#[test]
fn who_only_waits_for_others_does_not_work() {
    let mut log = delegated();
    let calls = log.answer(PRIMARY, "I wait.", &[("wait_for_agents", json!({}))]);
    assert_eq!(log.next(PRIMARY), Step::Sleep);
    assert_eq!(log.state.status, Status::Running, "the coder works");

    // The coder's call needs the client: so does the session.
    let mut draft = log.draft(CHILD);
    let start = draft.thread(EventKind::SpanModelRequestStart, json!({}));
    log.commit(draft);
    let mut draft = log.draft(CHILD);
    let ask = EventId::from_text("sevt_ask");
    let body = json!({"name": "write", "input": {}, "evaluated_permission": "ask"});
    draft.with_private(
        ask.clone(),
        EventKind::AgentToolUse,
        body,
        Some(json!({"model_id": "w"})),
    );
    draft.with_private(
        EventId::from_text("sevt_end"),
        EventKind::SpanModelRequestEnd,
        json!({"is_error": false, "model_request_start_id": start.as_str()}),
        Some(json!({"content": [{"type": "tool_use", "id": "w", "name": "write", "input": {}}]})),
    );
    log.commit(draft);
    let Step::GoIdle(reason, _, None) = log.next(CHILD) else {
        unreachable!("it waits for the client");
    };
    let mut draft = log.draft(CHILD);
    draft.idle(&reason, &Value::Null);
    let kinds = log.commit(draft);
    assert_eq!(
        kinds,
        [
            "session.thread_status_idle",
            "session.usage",
            "session.status_idle"
        ]
    );
    assert_eq!(
        log.state.stop_reason,
        json!({"type": "requires_action", "event_ids": ["sevt_ask"]})
    );
    assert_eq!(log.next(PRIMARY), Step::Sleep, "the coder will go on");

    // It is answered, and the coder goes on.
    let confirm = log.input(
        "user.tool_confirmation",
        json!({"tool_use_id": "sevt_ask", "result": "deny"}),
    );
    assert_eq!(log.next(CHILD), Step::TakeInput(vec![confirm.clone()]));
    let mut draft = log.draft(CHILD);
    draft.processed(&confirm, log.state.last);
    log.commit(draft);
    assert_eq!(log.next(CHILD), Step::RejectCall(ask.clone()));
    let mut draft = log.draft(CHILD);
    draft.running();
    draft.thread(
        EventKind::AgentToolResult,
        json!({"tool_use_id": ask.as_str(), "content": [], "is_error": true}),
    );
    let kinds = log.commit(draft);
    assert_eq!(
        kinds[..2],
        ["session.thread_status_running", "session.status_running"]
    );
    log.answer(CHILD, "No writing, then.", &[]);
    log.idle(CHILD, "end_turn");
    assert_eq!(
        log.next(PRIMARY),
        Step::RunTool(calls[0].clone()),
        "nobody works any more"
    );
    assert_eq!(log.state.status, Status::Running);
}

#[test]
fn an_interrupt_of_all_stops_all_and_nobody_reports() {
    let mut log = delegated();
    log.answer(PRIMARY, "It is at work.", &[]);
    log.idle(PRIMARY, "end_turn");
    let interrupt = log.input("user.interrupt", json!({"session_thread_id": null}));
    assert_eq!(log.next(PRIMARY), Step::Interrupt(vec![interrupt.clone()]));
    assert_eq!(log.next(CHILD), Step::Interrupt(vec![interrupt.clone()]));
    // A turn that ends by itself at that moment does not wake the coordinator again.
    log.answer(CHILD, "Done.", &[]);
    let kinds = log.idle(CHILD, "end_turn");
    assert_eq!(
        kinds,
        [
            "session.thread_status_idle",
            "session.usage",
            "session.status_idle"
        ]
    );
    assert_eq!(log.next(CHILD), Step::Sleep, "it has stopped");
    let mut draft = log.draft(PRIMARY);
    draft.processed(&interrupt, log.state.last);
    log.commit(draft);
    assert!(!has_work(&log.state, &Limits::default()));
    assert_eq!(log.state.stop_reason, json!({"type": "end_turn"}));
    let told = log
        .events
        .iter()
        .any(|event| event.kind == "agent.thread_message_sent");
    assert!(!told, "nobody reports");
}

#[test]
fn what_a_failed_agent_came_to_is_told() {
    let mut log = delegated();
    log.answer(PRIMARY, "It is at work.", &[]);
    log.idle(PRIMARY, "end_turn");
    log.idle(CHILD, "retries_exhausted");
    assert_eq!(log.next(PRIMARY), Step::CallModel);
    let turn = format!("{:?}", log.state.primary().conversation.last());
    assert!(turn.contains("could not go on"), "{turn}");
}

#[test]
fn an_advisor_answers_the_call_that_asked_and_is_gone() {
    let mut log = Log::new();
    log.message();
    let calls = log.answer(
        PRIMARY,
        "I ask.",
        &[("ask_advisor", json!({"question": "how?"}))],
    );
    let mut draft = log.draft(PRIMARY);
    draft.speak_as(Speaker {
        thread_id: ThreadId::from_text("sthr_9"),
        agent_name: "anthropic.advisor".to_owned(),
        is_primary: false,
        is_hidden: false,
    });
    let agent =
        AgentOf::Advisor(json!({"name": "anthropic.advisor", "model": {"id": "wise"}}).into());
    draft.shared(
        EventKind::SessionThreadCreated,
        json!({"session_thread_id": "sthr_9", "agent_name": "anthropic.advisor"}),
        Some(json!({
            "agent": agent.to_json(), "parent_thread_id": PRIMARY, "for_call": calls[0].as_str(),
            "prompt": [{"type": "text", "text": "how?"}],
        })),
    );
    draft.running();
    log.commit(draft);
    assert_eq!(
        (log.next(PRIMARY), log.next("sthr_9")),
        (Step::Sleep, Step::CallModel)
    );
    log.answer("sthr_9", "Like this.", &[]);
    let kinds = log.idle("sthr_9", "end_turn");
    assert_eq!(
        kinds,
        [
            "agent.thread_message_received",
            "sinew.call_closed",
            "session.thread_status_idle",
            "session.thread_status_terminated",
        ]
    );
    assert_eq!(log.next(PRIMARY), Step::CallModel);
    assert!(!log.state.thread("sthr_9").unwrap().is_live());
    let turn = format!("{:?}", log.state.primary().conversation.last());
    assert!(
        turn.contains("Like this."),
        "the advice is the call's result: {turn}"
    );
    assert!(log.state.primary().inbox.is_empty());
}

#[test]
fn requests_beside_one_another_cannot_use_up_the_budget_twice() {
    let mut log = delegated();
    let budget = json!({"type": "limit", "max_list_cost": {"amount": "2", "currency": "USD"}});
    let mut draft = log.draft(PRIMARY);
    draft.session(EventKind::SessionUpdated, json!({ "budget": budget }));
    log.commit(draft);
    let room_of = |log: &Log, thread: &str| room(&log.state, log.state.thread(thread).unwrap());
    assert_eq!(room_of(&log, CHILD), Room::Free);
    let mut draft = log.draft(PRIMARY);
    let start = EventId::from_text("sevt_start");
    let reserve = Some(json!({"reserved_nanocents": 2_000_000_000_u64}));
    draft.with_private(
        start.clone(),
        EventKind::SpanModelRequestStart,
        json!({}),
        reserve,
    );
    log.commit(draft);
    assert_eq!(room_of(&log, CHILD), Room::Taken);
    assert_eq!(log.next(CHILD), Step::Sleep, "until that request has ended");
    let mut draft = log.draft(PRIMARY);
    let usage = json!({"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": 0,
        "cache_5m_input_tokens": 0, "cache_1h_input_tokens": 0});
    draft.with_private(
        EventId::from_text("sevt_end"),
        EventKind::SpanModelRequestEnd,
        json!({"is_error": false, "model_request_start_id": "sevt_start"}),
        Some(json!({"cost_nanocents": "500000000", "usage": usage, "content": []})),
    );
    log.commit(draft);
    assert_eq!(
        (room_of(&log, CHILD), log.next(CHILD)),
        (Room::Free, Step::CallModel)
    );
    assert_eq!(log.state.usage.cost_nanocents, 500_000_000);
    assert_eq!(log.state.primary().usage.cost_nanocents, 500_000_000);
    assert_eq!(log.state.thread(CHILD).unwrap().usage.cost_nanocents, 0);
}

#[test]
fn an_archived_thread_is_waited_for_no_more() {
    let mut log = delegated();
    let calls = log.answer(
        PRIMARY,
        "I wait.",
        &[("wait_for_agents", json!({"thread_ids": [CHILD]}))],
    );
    log.answer(CHILD, "", &[]);
    let mut draft = log.draft(CHILD);
    draft.interrupted(false);
    log.commit(draft);
    assert_eq!(log.next(PRIMARY), Step::RunTool(calls[0].clone()));
    let mut draft = log.draft(CHILD);
    draft.thread_terminated();
    let kinds = log.commit(draft);
    assert_eq!(kinds, ["session.thread_status_terminated"]);
    assert_eq!(log.state.live_threads().count(), 1);
    assert_eq!(log.next(PRIMARY), Step::RunTool(calls[0].clone()));
}

#[test]
fn a_turn_does_not_end_over_a_message_that_came_meanwhile() {
    let mut log = delegated();
    let mut draft = log.draft(PRIMARY);
    let start = draft.thread(EventKind::SpanModelRequestStart, json!({}));
    log.commit(draft);
    // The coordinator's answer is in, and it would end its turn with it; but the report is committed first.
    let mut end = log.draft(PRIMARY);
    end.with_private(
        EventId::from_text("sevt_end"),
        EventKind::SpanModelRequestEnd,
        json!({"is_error": false, "model_request_start_id": start.as_str()}),
        Some(json!({"content": [{"type": "text", "text": "It is at work."}]})),
    );
    end.idle(&json!({"type": "end_turn"}), &Value::Null);
    log.answer(CHILD, "Done already.", &[]);
    log.idle(CHILD, "end_turn");
    let kinds = log.commit(end);
    assert_eq!(kinds, ["span.model_request_end"], "its turn goes on");
    assert_eq!(log.state.status, Status::Running);
    assert_eq!(log.next(PRIMARY), Step::CallModel);
}

#[test]
fn a_thread_that_runs_does_not_begin_to_and_one_that_ends_leaves_nothing_in_its_queue() {
    let mut log = delegated();
    let mut draft = log.draft(CHILD);
    draft.running();
    assert_eq!(log.commit(draft), Vec::<String>::new());
    log.answer(CHILD, "Done.", &[]);
    log.idle(CHILD, "end_turn");
    let interrupt = log.input("user.interrupt", json!({"session_thread_id": CHILD}));
    let mut draft = log.draft(CHILD);
    draft.thread_terminated();
    let kinds = log.commit(draft);
    assert_eq!(
        kinds,
        ["sinew.processed", "session.thread_status_terminated"]
    );
    assert_eq!(log.state.thread(CHILD).unwrap().queue, []);
    let taken = log
        .events
        .iter()
        .rev()
        .find(|event| event.kind == "sinew.processed");
    assert_eq!(taken.unwrap().body.at("event_id"), interrupt.as_str());
}

#[test]
fn further_work_begins_a_new_turn_whatever_its_thread_does() {
    let mut log = delegated();
    log.answer(CHILD, "One.", &[]);
    assert_eq!(log.state.thread(CHILD).unwrap().requests_in_turn, 1);
    let content = json!([{"type": "text", "text": "And another."}]);
    let primary = Speaker::of(&log.state, log.state.primary());
    let mut draft = log.draft(CHILD);
    draft.thread(
        EventKind::AgentThreadMessageReceived,
        primary.as_sender(&content),
    );
    log.commit(draft);
    let child = log.state.thread(CHILD).unwrap();
    assert_eq!(
        (child.requests_in_turn, child.newest_text()),
        (0, String::new())
    );
    assert_eq!(json!(*child.newest_input), content);
}

#[test]
fn what_is_cut_off_takes_an_outcome_and_those_who_are_asked_once_with_it() {
    let mut log = Log::new();
    let defined = NewEvent {
        id: EventId::from_text("sevt_outcome"),
        thread_id: Some(ThreadId::from_text(PRIMARY)),
        is_thread_only: false,
        kind: "user.define_outcome".to_owned(),
        at: at(2),
        is_queued: false,
        body: json!({"outcome_id": "outc_1", "description": "Write.", "max_iterations": 2}),
        private: Some(json!({"rubric": "It is written."})),
    };
    log.push_all(vec![defined]);
    assert_eq!(log.next(PRIMARY), Step::CallModel);
    let mut draft = log.draft(PRIMARY);
    draft.running();
    log.commit(draft);
    log.answer(PRIMARY, "Written.", &[]);
    assert_eq!(log.next(PRIMARY), Step::Evaluate);
    let mut draft = log.draft(PRIMARY);
    let grader = json!({"thread_id": "sthr_g", "agent": {"name": "grader", "model": {"id": "m"}, "tools": []},
        "prompt": [{"type": "text", "text": "Look."}]});
    draft.with_private(
        EventId::from_text("sevt_evaluation"),
        EventKind::SpanOutcomeEvaluationStart,
        json!({"outcome_id": "outc_1", "iteration": 0}),
        Some(json!({ "grader": grader })),
    );
    log.commit(draft);
    assert_eq!(
        (log.next(PRIMARY), log.next("sthr_g")),
        (Step::Sleep, Step::CallModel)
    );
    let forked = NewEvent {
        id: EventId::from_text("sevt_fork"),
        thread_id: None,
        is_thread_only: false,
        kind: "sinew.forked".to_owned(),
        at: at(50),
        is_queued: false,
        body: json!({}),
        private: None,
    };
    let mut fork = log.state.clone();
    fork.apply(&forked.at_number(fork.last + 1)).unwrap();
    assert!(fork.active_outcome().is_none() && !has_work(&fork, &Limits::default()));
    assert!(!fork.thread("sthr_g").unwrap().is_live());

    // In the session itself the grader goes on, and its word ends the outcome.
    log.answer(
        "sthr_g",
        r#"{"result": "satisfied", "explanation": "It is."}"#,
        &[],
    );
    let kinds = log.idle("sthr_g", "end_turn");
    assert_eq!(
        kinds,
        [
            "span.outcome_evaluation_end",
            "session.thread_status_idle",
            "session.thread_status_terminated",
        ]
    );
    assert_eq!(
        log.next(PRIMARY),
        Step::GoIdle(json!({"type": "end_turn"}), Value::Null, None)
    );
}

#[test]
fn an_outcome_does_not_wake_an_agent_that_cannot_go_on() {
    let mut log = Log::new();
    log.message();
    let limits = Limits::default();
    let fail = |log: &mut Log, is_summary: bool| {
        let mut draft = log.draft(PRIMARY);
        draft.thread(EventKind::SpanModelRequestStart, json!({}));
        log.commit(draft);
        let mut draft = log.draft(PRIMARY);
        let id = EventId::from_text(format!("sevt_f{}", log.state.last));
        let private = json!({"context_too_long": true, "is_summary": is_summary});
        draft.with_private(
            id,
            EventKind::SpanModelRequestEnd,
            json!({"is_error": true}),
            Some(private),
        );
        log.commit(draft);
    };
    fail(&mut log, false);
    for _ in 0..limits.compactions_max {
        fail(&mut log, true);
    }
    let defined = NewEvent {
        id: EventId::from_text("sevt_outcome"),
        thread_id: Some(ThreadId::from_text(PRIMARY)),
        is_thread_only: false,
        kind: "user.define_outcome".to_owned(),
        at: at(90),
        is_queued: false,
        body: json!({"outcome_id": "outc_1", "description": "Write.", "max_iterations": 2}),
        private: Some(json!({"rubric": "It is written."})),
    };
    log.push_all(vec![defined]);
    let Step::GoIdle(reason, _, Some(_)) = log.next(PRIMARY) else {
        unreachable!("it cannot go on");
    };
    let mut draft = log.draft(PRIMARY);
    draft.idle(&reason, &Value::Null);
    log.commit(draft);
    assert_eq!(log.next(PRIMARY), Step::Sleep);
}

#[test]
fn an_outcome_behind_an_interrupt_is_what_comes_next() {
    let mut log = Log::new();
    log.message();
    let interrupt = log.input("user.interrupt", json!({"session_thread_id": null}));
    let defined = NewEvent {
        id: EventId::from_text("sevt_outcome"),
        thread_id: Some(ThreadId::from_text(PRIMARY)),
        is_thread_only: false,
        kind: "user.define_outcome".to_owned(),
        at: at(9),
        is_queued: false,
        body: json!({"outcome_id": "outc_1", "description": "Write.", "max_iterations": 2}),
        private: Some(json!({"rubric": "It is written."})),
    };
    log.push_all(vec![defined]);
    assert_eq!(log.next(PRIMARY), Step::Interrupt(vec![interrupt.clone()]));
    let mut draft = log.draft(PRIMARY);
    draft.processed(&interrupt, 5);
    draft.interrupted(false);
    log.commit(draft);
    assert!(log.state.active_outcome().is_some());
    assert_eq!(log.next(PRIMARY), Step::CallModel);
}
