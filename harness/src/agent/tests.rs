//! Drivers over a real store and a real HTTP model, with hands that only answer.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::blobs::Blobs;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::content::{Content, Packs};
use crate::egress::EgressOptions;
use crate::hands::{CallOutcome, Hand, HandError, Hands, Mounts, OutputSink, ToolCall};
use crate::ids::{EventId, SessionId, ThreadId, WorkspaceId};
use crate::mcp::{CallLimits, Connector};
use crate::mock_model::{MockModel, Script, serve};
use crate::model::keys::ApiKey;
use crate::model::{Catalog, ProviderConfig, ProviderKind, Router, TokenUsage};
use crate::secrets::{Keyring, MasterKey};
use crate::session::Limits;
use crate::store::*;
use crate::vault::Vaults;
use std::sync::Arc;

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

struct Facts;

impl ModelFacts for Facts {
    fn price_nanocents(&self, _: &str, _: Option<&str>, usage: &TokenUsage) -> Option<u128> {
        Some(u128::from(usage.output_tokens) * 1_000_000)
    }

    fn input_tokens_max(&self, _: &str) -> u64 {
        100_000
    }

    fn takes_system_turns(&self, _: &str) -> bool {
        true
    }
}

/// Hands that answer with their call's name; the tool `broken` fails in the host.
#[derive(Default)]
struct EchoHands {
    provisioned: AtomicUsize,
    /// Model requests seen when the first hand was made.
    model: Mutex<Option<Arc<MockModel>>>,
    requests_before_first: AtomicUsize,
}

#[async_trait::async_trait]
impl Hands for EchoHands {
    fn definitions(&self) -> &[Value] {
        static TOOLS: std::sync::OnceLock<Vec<Value>> = std::sync::OnceLock::new();
        TOOLS.get_or_init(|| {
            ["broken", "echo"]
                .map(|name| json!({"name": name, "description": "d", "input_schema": {"type": "object"}}))
                .to_vec()
        })
    }

    async fn provision(
        &self,
        _: &SessionId,
        _: &Mounts,
        _: Option<Files>,
    ) -> Result<Box<dyn Hand>, HandError> {
        if self.provisioned.fetch_add(1, Ordering::SeqCst) == 0 {
            let model = self.model.lock().unwrap();
            let seen = model.as_ref().map_or(0, |model| model.requests().len());
            self.requests_before_first.store(seen, Ordering::SeqCst);
        }
        Ok(Box::new(EchoHand))
    }

    fn memory_folders(&self, _: &SessionId) -> Option<crate::memory::mount::Folders> {
        None
    }

    async fn condemn(&self, _: &SessionId) -> Result<(), HandError> {
        Ok(())
    }

    async fn discard(&self, _: &SessionId) -> Result<(), HandError> {
        Ok(())
    }
}

struct EchoHand;

#[async_trait::async_trait]
impl Hand for EchoHand {
    async fn execute(
        &self,
        call: &ToolCall,
        _: &OutputSink,
        _: &CancellationToken,
    ) -> Result<CallOutcome, HandError> {
        if call.name == "broken" {
            return Err(HandError::Host("a disk caught fire".to_owned()));
        }
        Ok(CallOutcome {
            content: vec![json!({"type": "text", "text": format!("echo {}", call.input)})],
            is_error: false,
        })
    }
}

struct World {
    _folder: tempfile::TempDir,
    store: SharedStore,
    model: Arc<MockModel>,
    hands: Arc<EchoHands>,
    drivers: Arc<Drivers>,
    session_id: SessionId,
}

impl World {
    async fn new(script: &str) -> Self {
        Self::with(script, ProviderKind::Anthropic, 3).await
    }

    async fn with(script: &str, kind: ProviderKind, attempts_max: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("test.db"));
        let store: SharedStore = Arc::new(SqliteStore::open(options).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let model = Arc::new(serve(listener, Script::parse(script).unwrap()).unwrap());
        let base = match kind {
            ProviderKind::Anthropic => model.url(),
            ProviderKind::Openai => format!("{}/v1", model.url()),
        };
        let provider = ProviderConfig {
            base_url: Some(base),
            api_keys: ApiKey::new("key").into_iter().collect(),
            ..ProviderConfig::new(kind)
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let catalog = Arc::new(Catalog::with_overrides(&Default::default()));
        let router = Router::new(&[provider], &|_| None, catalog, clock.clone()).unwrap();
        let hands = Arc::new(EchoHands::default());
        *hands.model.lock().unwrap() = Some(model.clone());
        let brain = Arc::new(Brain {
            live: Live::follow(&store),
            store: store.clone(),
            blobs: Blobs::in_folder(&folder.path().join("blobs")).unwrap(),
            content: Content::new(
                store.clone(),
                Packs::in_folder(&folder.path().join("packs")).unwrap(),
            ),
            clock,
            model: Arc::new(router),
            facts: Arc::new(Facts),
            hands: hands.clone(),
            mcp: Arc::new(Connector::new(
                crate::egress::Client::new(EgressOptions::default()).unwrap(),
                Vaults::new(
                    store.clone(),
                    Arc::new(Keyring::of(MasterKey::fresh().unwrap())),
                ),
                Arc::new(SystemClock),
                CallLimits {
                    quiet_max: PATIENCE,
                    total_max: PATIENCE,
                },
            )),
            limits: Limits {
                attempts_max,
                ..Limits::default()
            },
            backoff: Backoff {
                first: Duration::from_millis(1),
                max: Duration::from_millis(5),
                ..Backoff::default()
            },
            lease: LeaseOptions {
                holder: "test".to_owned(),
                ttl: Duration::from_secs(60),
            },
        });
        let session_id = create(&store).await;
        Self {
            _folder: folder,
            store,
            model,
            hands,
            drivers: Drivers::new(brain),
            session_id,
        }
    }

    /// Queues an input as the API does, and wakes the driver.
    async fn input(&self, kind: &str, body: Value) {
        let now = SystemClock.now();
        loop {
            let row = self.store.session(&self.session_id).await.unwrap();
            let expected = self.store.last_number(&self.session_id).await.unwrap();
            let event = NewEvent {
                id: EventId::fresh(now),
                thread_id: Some(ThreadId::from_text("sthr_1")),
                is_thread_only: false,
                kind: kind.to_owned(),
                at: now,
                is_queued: true,
                body: body.clone(),
                private: None,
            };
            let projection = Projection {
                body: row.body,
                status: row.status.unwrap_or_default(),
                archived_at: None,
                needs_wake: true,
            };
            let appended = self.store.append(Append {
                session_id: self.session_id.clone(),
                expected,
                lease: None,
                events: vec![event],
                projection: Some(projection),
                files: None,
            });
            match appended.await {
                Ok(_) => break,
                Err(StoreError::LogMoved { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        self.drivers.wake(&self.session_id);
    }

    async fn message(&self, text: &str) {
        let body = json!({"content": [{"type": "text", "text": text}]});
        self.input("user.message", body).await;
    }

    /// Waits until the log's end satisfies `is_there`, and returns the log.
    async fn until(&self, is_there: impl Fn(&[StoredEvent]) -> bool) -> Vec<StoredEvent> {
        let mut growth = self.store.subscribe();
        let waiting = async {
            loop {
                let events = self.store.read(&self.session_id, 0, 1_000).await.unwrap();
                if is_there(&events) {
                    return events;
                }
                growth.recv().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("the session gets there")
    }

    /// Waits for the end of the turn; returns the stop reason and the log.
    async fn idle(&self) -> (String, Vec<StoredEvent>) {
        let events = self
            .until(|events| {
                events
                    .last()
                    .is_some_and(|last| last.kind == "session.status_idle")
            })
            .await;
        let reason = events.last().unwrap().body["stop_reason"]["type"].clone();
        (reason.as_str().unwrap().to_owned(), events)
    }
}

async fn create(store: &SharedStore) -> SessionId {
    let now: Timestamp = SystemClock.now();
    let session_id = SessionId::fresh(now);
    let agent = json!({"name": "tester", "model": {"id": "claude-sonnet-4-6"},
        "tools": [{"type": AGENT_TOOLSET, "configs": [],
            "default_config": {"enabled": true, "permission_policy": {"type": "always_allow"}}}]});
    let config = json!({"agent": agent, "budget": null});
    let created = NewEvent {
        id: EventId::fresh(now),
        thread_id: Some(ThreadId::from_text("sthr_1")),
        is_thread_only: false,
        kind: "sinew.created".to_owned(),
        at: now,
        is_queued: false,
        body: config.clone(),
        private: None,
    };
    let key = Key {
        workspace: WorkspaceId::from_text("wrkspc_1"),
        kind: Kind::Session,
        id: session_id.as_str().to_owned(),
    };
    store
        .create(NewResource {
            key,
            body: config,
            unique_name: None,
            status: Some("idle".to_owned()),
            labels: Vec::new(),
            at: now,
            events: vec![created],
            needs_wake: false,
            history: None,
        })
        .await
        .unwrap();
    session_id
}

fn count(events: &[StoredEvent], kind: &str) -> usize {
    events.iter().filter(|event| event.kind == kind).count()
}

fn errors(events: &[StoredEvent]) -> Vec<String> {
    let errors = events.iter().filter(|event| event.kind == "session.error");
    errors
        .map(|event| {
            let error = &event.body["error"];
            format!(
                "{} {}",
                error["type"].as_str().unwrap(),
                error["retry_status"]["type"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn transient_failures_are_tried_again_and_told() {
    let world = World::new(
        "rules: [{when: {request: 1}, error: {status: 529}}, {when: {request: 2}, error: {status: 500}}]\n\
         turns: [{text: done}]",
    )
    .await;
    world.message("hi").await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "end_turn");
    assert_eq!(
        errors(&events),
        [
            "model_overloaded_error retrying",
            "model_request_failed_error retrying"
        ]
    );
    assert_eq!(count(&events, "session.status_rescheduled"), 2);
    assert_eq!(count(&events, "session.status_running"), 3);
    assert_eq!(count(&events, "span.model_request_end"), 3);
    assert_eq!(count(&events, "agent.message"), 1);
}

#[tokio::test]
async fn a_turn_fails_when_its_attempts_are_used_up_and_the_next_one_works() {
    let world = World::new(
        "rules: [{when: {request: [1, 2, 3]}, error: {status: 500}}]\nturns: [{text: done}]",
    )
    .await;
    world.message("hi").await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "retries_exhausted");
    assert_eq!(
        errors(&events).last().unwrap(),
        "model_request_failed_error exhausted"
    );
    world.message("again").await;
    let events = world
        .until(|events| count(events, "session.status_idle") == 2)
        .await;
    assert_eq!(
        events.last().unwrap().body["stop_reason"]["type"],
        "end_turn"
    );
}

#[tokio::test]
async fn a_refused_request_is_not_repeated() {
    let world =
        World::new("rules: [{when: {request: 1}, error: {status: 404}}]\nturns: [{text: done}]")
            .await;
    world.message("hi").await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "retries_exhausted");
    assert_eq!(errors(&events), ["model_request_failed_error exhausted"]);
    assert_eq!(world.model.requests().len(), 1);
}

#[tokio::test]
async fn a_refusal_ends_the_turn_with_its_details() {
    let world = World::new("turns: [{refusal: {category: cyber, explanation: not that}}]").await;
    world.message("hi").await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "refusal");
    let details = &events.last().unwrap().body["stop_details"];
    assert_eq!(details["category"], "cyber");
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_summarised_and_goes_on() {
    let world = World::new(
        "rules:\n\
         - {when: {request: 2}, error: {status: 400, message: \"prompt is too long: 300000 tokens > 200000 maximum\"}}\n\
         - {when: {system_contains: You summarise}, text: the user wants an echo}\n\
         - {when: {first_user_text_contains: the user wants an echo}, text: done after all}\n\
         turns: [{tools: [{name: echo, input: {a: 1}}]}]",
    )
    .await;
    world.message("echo please").await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "end_turn");
    assert_eq!(count(&events, "agent.thread_context_compacted"), 1);
    assert_eq!(
        errors(&events),
        Vec::<String>::new(),
        "the user need not hear of it"
    );
    let last = world.model.requests().last().unwrap().body.to_string();
    assert!(
        last.contains("echo please"),
        "the newest message is kept word for word"
    );
}

#[tokio::test]
async fn an_answer_cut_at_the_output_limit_goes_on() {
    let world =
        World::new("turns: [{text: first half, stop: max_tokens}, {text: second half}]").await;
    world.message("hi").await;
    let (reason, events) = world.idle().await;
    assert_eq!(
        (reason.as_str(), count(&events, "agent.message")),
        ("end_turn", 2)
    );
}

#[tokio::test]
async fn a_hand_that_fails_is_a_failed_call_and_the_next_call_gets_a_new_hand() {
    let world = World::new(
        "turns: [{tools: [{name: broken, input: {}}, {name: echo, input: {}}]}, {text: done}]",
    )
    .await;
    world.message("hi").await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "end_turn");
    let results: Vec<_> = events
        .iter()
        .filter(|event| event.kind == "agent.tool_result")
        .map(|event| event.body["is_error"].clone())
        .collect();
    assert_eq!(results, [json!(true), json!(false)]);
    assert!(
        !format!("{events:?}").contains("caught fire"),
        "the reason is the operator's"
    );
    assert_eq!(world.hands.provisioned.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_model_is_asked_before_any_hand_exists() {
    let world = World::new("turns: [{tools: [{name: echo, input: {}}]}, {text: done}]").await;
    world.message("hi").await;
    world.idle().await;
    assert_eq!(world.hands.requests_before_first.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_interrupt_stops_a_model_that_hangs() {
    let world = World::new("turns: [{text: abcdef, chunk_chars: 1, hang_after: 2}]").await;
    world.message("hi").await;
    world
        .until(|events| {
            events
                .last()
                .is_some_and(|last| last.kind == "span.model_request_start")
        })
        .await;
    world.input("user.interrupt", json!({})).await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "end_turn");
    assert_eq!(count(&events, "agent.message"), 0);
    assert_eq!(count(&events, "span.model_request_end"), 1);
    let interrupt = events
        .iter()
        .find(|event| event.kind == "user.interrupt")
        .unwrap();
    assert!(interrupt.processed_at.is_some());
}

#[tokio::test]
async fn a_driver_that_lost_its_lease_stops_without_a_trace() {
    let world = World::new("turns: [{text: abcdef, hang: true}]").await;
    world.message("hi").await;
    world
        .until(|events| {
            events
                .last()
                .is_some_and(|last| last.kind == "span.model_request_start")
        })
        .await;
    world.model.wait_hanging(1).await;
    // Another process of the same name takes over, as after a crash that was none.
    let now = SystemClock.now();
    let until = now.checked_add(PATIENCE).unwrap();
    let lease = world
        .store
        .acquire_lease(&world.session_id, "test", now, until)
        .await
        .unwrap();
    let before = world.store.last_number(&world.session_id).await.unwrap();
    world.model.release();
    // The old driver retires when it finds its token stale.
    tokio::time::timeout(PATIENCE, async {
        while world.drivers.awake_count() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the old driver stops");
    assert_eq!(
        world.store.last_number(&world.session_id).await.unwrap(),
        before
    );
    world.store.release_lease(&lease).await.unwrap();
}

#[tokio::test]
async fn a_session_left_by_a_crash_is_found_and_finished() {
    let world = World::new("turns: [{text: hello}]").await;
    // The log of a daemon that died in the middle of a model request.
    let now = SystemClock.now();
    let message = NewEvent {
        id: EventId::from_text("sevt_message"),
        thread_id: Some(ThreadId::from_text("sthr_1")),
        is_thread_only: false,
        kind: "user.message".to_owned(),
        at: now,
        is_queued: true,
        body: json!({"content": [{"type": "text", "text": "hi"}]}),
        private: None,
    };
    let mut events = vec![message];
    for (kind, body) in [
        (PROCESSED, json!({"event_id": "sevt_message", "number": 2})),
        ("session.thread_status_running", json!({})),
        ("session.status_running", json!({})),
        ("span.model_request_start", json!({})),
    ] {
        events.push(NewEvent {
            id: EventId::fresh(now),
            thread_id: None,
            is_thread_only: false,
            kind: kind.to_owned(),
            at: now,
            is_queued: false,
            body,
            private: None,
        });
    }
    let row = world.store.session(&world.session_id).await.unwrap();
    world
        .store
        .append(Append {
            session_id: world.session_id.clone(),
            expected: 1,
            lease: None,
            events,
            projection: Some(Projection {
                body: row.body,
                status: "running".to_owned(),
                archived_at: None,
                needs_wake: true,
            }),
            files: None,
        })
        .await
        .unwrap();
    // Nobody announces it: the scan finds it.
    let drivers = world.drivers.clone();
    let scan = tokio::spawn(async move { drivers.run().await });
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "end_turn");
    assert_eq!(count(&events, "span.model_request_start"), 2);
    assert_eq!(count(&events, "span.model_request_end"), 2);
    assert_eq!(count(&events, "agent.message"), 1);
    world.drivers.shut_down().await;
    scan.await.unwrap();
}

#[tokio::test]
async fn chat_completions_drive_a_session_too() {
    let script =
        "turns: [{tools: [{name: echo, input: {a: 1}}]}, {text: \"heard ${last_tool_result}\"}]";
    let world = World::with(script, ProviderKind::Openai, 3).await;
    world.message("hi").await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "end_turn");
    let message = events
        .iter()
        .find(|event| event.kind == "agent.message")
        .unwrap();
    assert_eq!(message.body["content"][0]["text"], "heard echo {\"a\":1}");
}

#[tokio::test]
async fn many_messages_sent_while_the_agent_works_are_all_taken() {
    let world =
        World::new("turns: [{text: one}, {text: two}, {text: three}]\notherwise: {text: more}")
            .await;
    for number in 0..20 {
        world.message(&format!("message {number}")).await;
    }
    let events = world
        .until(|events| {
            count(events, PROCESSED) == 20
                && events
                    .last()
                    .is_some_and(|last| last.kind == "session.status_idle")
        })
        .await;
    let asked = world.model.requests().last().unwrap().body.to_string();
    for number in 0..20 {
        assert!(
            asked.contains(&format!("message {number}\"")),
            "message {number}"
        );
    }
    let numbers: Vec<u64> = events.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn calls_of_a_refused_answer_are_not_run() {
    let script = "turns: [{tools: [{name: echo, input: {}}], refusal: {category: cyber}}]";
    let world = World::new(script).await;
    world.message("hi").await;
    let (reason, events) = world.idle().await;
    assert_eq!(reason, "refusal");
    assert_eq!(count(&events, "agent.tool_use"), 0);
    assert_eq!(world.hands.provisioned.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nothing_follows_the_end_of_a_session_that_was_archived_at_work() {
    let world = World::new("turns: [{text: abcdef, hang: true}]").await;
    world.message("hi").await;
    let events = world
        .until(|events| {
            events
                .last()
                .is_some_and(|last| last.kind == "span.model_request_start")
        })
        .await;
    let row = world.store.session(&world.session_id).await.unwrap();
    let ended = NewEvent {
        id: EventId::from_text("sevt_end"),
        thread_id: None,
        is_thread_only: false,
        kind: "session.status_terminated".to_owned(),
        at: SystemClock.now(),
        is_queued: false,
        body: json!({}),
        private: None,
    };
    world
        .store
        .append(Append {
            session_id: world.session_id.clone(),
            expected: events.len() as u64,
            lease: None,
            events: vec![ended],
            projection: Some(Projection {
                body: row.body,
                status: "terminated".to_owned(),
                archived_at: None,
                needs_wake: false,
            }),
            files: None,
        })
        .await
        .unwrap();
    world.model.release();
    world.drivers.shut_down().await;
    let events = world.store.read(&world.session_id, 0, 1_000).await.unwrap();
    assert_eq!(events.last().unwrap().kind, "session.status_terminated");
}

#[tokio::test]
async fn watching_leaves_nothing_behind() {
    let world = World::new("turns: [{text: hello}]").await;
    let live = Live::follow(&world.store);
    let session = SessionId::from_text("sesn_other");
    let (one, two) = (live.watch(&session), live.watch(&session));
    assert_eq!(live.watched_count(), 1);
    drop(one);
    assert_eq!(live.watched_count(), 1);
    drop(two);
    assert_eq!(live.watched_count(), 0);
}
