//! Work queues over the store: claims, leases, ends, and who may ask.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::api::work::{ensure, forget_session};
use crate::api::{create_environment_key, list_environment_keys, revoke_environment_key};
use crate::clock::Clock as _;
use crate::ids::{EnvironmentId, EnvironmentKeyId};
use crate::session::{PROJECTION_PRIVATE, SELF_HOSTED};
use crate::store::{Key, Kind, NewResource, ResourceChange};

/// A self-hosted environment with a key for its workers.
pub(super) struct Queue {
    pub(super) server: Server,
    pub(super) environment: String,
    pub(super) key: String,
    pub(super) key_id: EnvironmentKeyId,
}

impl Queue {
    pub(super) async fn new() -> Self {
        let server = Server::open();
        let body = json!({"name": "e", "config": {"type": "self_hosted"}});
        let environment = server.made("/v1/environments", body).await;
        let environment = environment["id"].as_str().unwrap().to_owned();
        let id = EnvironmentId::from_text(environment.clone());
        let workspace = WorkspaceId::from_text(DEFAULT_WORKSPACE);
        let now = server.clock.now();
        let key = create_environment_key(&*server.store, &workspace, &id, "k", now)
            .await
            .unwrap();
        Self {
            environment,
            key: key.reveal().to_owned(),
            key_id: key.id,
            server,
        }
    }

    /// Stores a session in this state, with a queued item.
    pub(super) async fn session(&self, id: &str, private: Value) -> String {
        let at = self.server.clock.now();
        let new = NewResource {
            key: self.session_key(id),
            body: json!({
                "environment_id": self.environment,
                SELF_HOSTED: true,
                "agent": {"skills": [{"type": "custom", "skill_id": "skill_own", "version": "1"}]},
                "resources": [
                    {"type": "memory_store", "memory_store_id": "memstore_own", "access": "read_write"},
                    {"type": "memory_store", "memory_store_id": "memstore_read", "access": "read_only"},
                ],
                PROJECTION_PRIVATE: private,
            }),
            unique_name: None,
            status: Some("idle".to_owned()),
            labels: Vec::new(),
            at,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        };
        self.server.store.create(new).await.unwrap();
        self.ensure(id).await;
        id.to_owned()
    }

    fn session_key(&self, id: &str) -> Key {
        Key {
            workspace: WorkspaceId::from_text(DEFAULT_WORKSPACE),
            kind: Kind::Session,
            id: id.to_owned(),
        }
    }

    pub(super) async fn ensure(&self, session: &str) {
        let workspace = WorkspaceId::from_text(DEFAULT_WORKSPACE);
        ensure(&self.server.state, &workspace, &self.environment, session)
            .await
            .unwrap();
    }

    pub(super) async fn send(&self, key: &str, method: &str, path: &str, body: &str) -> Reply {
        self.server
            .send(self.request(key, method, path, body))
            .await
    }

    /// Returns the status of an answer and reads no more of it: a stream has no end.
    pub(super) async fn status(&self, key: &str, method: &str, path: &str, body: &str) -> u16 {
        let request = self.request(key, method, path, body);
        let response = self.server.router.clone().oneshot(request).await.unwrap();
        response.status().as_u16()
    }

    fn request(&self, key: &str, method: &str, path: &str, body: &str) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("anthropic-beta", BETA)
            .header("content-type", "application/json")
            .header("anthropic-worker-id", "worker-1");
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("/v1/environments/{}/work{rest}", self.environment)
    }

    async fn worker(&self, method: &str, rest: &str) -> Reply {
        self.send(&self.key, method, &self.path(rest), "").await
    }

    pub(super) async fn poll(&self) -> Value {
        let reply = self.worker("GET", "/poll").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    /// Polls what must be there; returns the item's id and its token.
    pub(super) async fn claim(&self) -> (String, String) {
        let item = self.poll().await;
        (text(&item["id"]), token_of(&item))
    }

    /// Claims, acknowledges and sends the first heartbeat; returns id, token and heartbeat.
    async fn serve(&self) -> (String, String, String) {
        let (id, token) = self.claim().await;
        assert_eq!(self.worker("POST", &format!("/{id}/ack")).await.status, 200);
        let beat = self.beat(&token, &id, "NO_HEARTBEAT").await;
        assert_eq!(beat.status, 200, "{}", beat.body);
        (id, token, text(&beat.body["last_heartbeat"]))
    }

    async fn beat(&self, key: &str, id: &str, expected: &str) -> Reply {
        let path = self.path(&format!(
            "/{id}/heartbeat?expected_last_heartbeat={expected}"
        ));
        self.send(key, "POST", &path, "").await
    }

    async fn state(&self, id: &str) -> String {
        let reply = self.server.get(&self.path(&format!("/{id}"))).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        text(&reply.body["state"])
    }

    async fn stats(&self) -> Value {
        self.server.get(&self.path("/stats")).await.body
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn token_of(item: &Value) -> String {
    let secret = URL_SAFE_NO_PAD.decode(text(&item["secret"])).unwrap();
    let secret: Value = serde_json::from_slice(&secret).unwrap();
    text(&secret["sessions_token"])
}

fn waiting_for_worker() -> Value {
    json!({"open_calls": [{"event_id": "sevt_1", "is_worker": true}]})
}

#[tokio::test]
async fn an_item_goes_from_the_queue_to_its_end() {
    let queue = Queue::new().await;
    assert_eq!(queue.poll().await, Value::Null);
    queue.session("sesn_1", json!({})).await;
    queue.ensure("sesn_1").await;
    let stats = queue.stats().await;
    assert_eq!(
        (
            &stats["depth"],
            &stats["pending"],
            &stats["workers_polling"]
        ),
        (&json!(1), &json!(0), &json!(1)),
        "queued twice, but one item: {stats}"
    );
    assert!(stats["oldest_queued_at"].is_string());

    let item = queue.poll().await;
    assert_eq!(item["data"], json!({"type": "session", "id": "sesn_1"}));
    assert_eq!(
        (&item["state"], &item["type"]),
        (&json!("queued"), &json!("work"))
    );
    let (id, token) = (text(&item["id"]), token_of(&item));
    let stats = queue.stats().await;
    assert_eq!((&stats["depth"], &stats["pending"]), (&json!(0), &json!(1)));
    assert_eq!(queue.poll().await, Value::Null, "handed out once");

    let acknowledged = queue.worker("POST", &format!("/{id}/ack")).await.body;
    assert_eq!(acknowledged["state"], "starting");
    assert_eq!(acknowledged["secret"], Value::Null, "only a poll shows it");
    assert_eq!(
        queue.worker("POST", &format!("/{id}/ack")).await.body,
        acknowledged
    );
    assert_eq!(queue.stats().await["oldest_queued_at"], Value::Null);

    let first = queue.beat(&token, &id, "NO_HEARTBEAT").await.body;
    assert_eq!(
        first,
        json!({"type": "work_heartbeat", "last_heartbeat": first["last_heartbeat"],
            "lease_extended": true, "state": "active", "ttl_seconds": 300})
    );
    let path = queue.path(&format!(
        "/{id}/heartbeat?desired_ttl_seconds=9000&expected_last_heartbeat="
    ));
    let second = queue
        .send(
            &token,
            "POST",
            &format!("{path}{}", text(&first["last_heartbeat"])),
            "",
        )
        .await
        .body;
    assert_ne!(second["last_heartbeat"], first["last_heartbeat"]);
    assert_eq!(second["ttl_seconds"], 3600, "cut to the longest lease");
    let last = text(&second["last_heartbeat"]);

    let stopping = queue
        .server
        .post(&queue.path(&format!("/{id}/stop")), json!({}))
        .await;
    assert_eq!(stopping.body["state"], "stopping");
    assert!(
        stopping.body["stop_requested_at"].is_string() && stopping.body["stopped_at"].is_null()
    );
    let beat = queue.beat(&token, &id, &last).await.body;
    assert_eq!(
        (&beat["state"], &beat["lease_extended"]),
        (&json!("stopping"), &json!(true))
    );
    let stop = queue.path(&format!("/{id}/stop"));
    let stopped = queue
        .send(&token, "POST", &stop, r#"{"force": true}"#)
        .await;
    assert_eq!(stopped.body["state"], "stopped");
    queue
        .send(&token, "POST", &stop, "")
        .await
        .refused(409, "conflict_error", "stopped already");
    let beat = queue
        .beat(&token, &id, &text(&beat["last_heartbeat"]))
        .await
        .body;
    assert_eq!(
        (&beat["state"], &beat["lease_extended"]),
        (&json!("stopped"), &json!(false))
    );
    queue
        .worker("POST", &format!("/{id}/ack"))
        .await
        .refused(409, "conflict_error", "stopped");

    // Input of the session queues it again.
    queue.ensure("sesn_1").await;
    assert_ne!(queue.claim().await.0, id);
}

#[tokio::test]
async fn pollers_that_ask_at_once_get_different_items() {
    let queue = Queue::new().await;
    for session in 0..20 {
        queue.session(&format!("sesn_{session}"), json!({})).await;
    }
    // The clock moves with every request, so nothing may be taken back meanwhile.
    let poll = || queue.worker("GET", "/poll?reclaim_older_than_ms=3600000");
    let polls = (0..30).map(|_| async { poll().await.body });
    let items = futures::future::join_all(polls).await;
    let mut ids: Vec<String> = items
        .iter()
        .filter(|item| !item.is_null())
        .map(|item| text(&item["id"]))
        .collect();
    // A poll that lost every race may go empty; the next one finds what is left.
    while let Value::Object(item) = poll().await.body {
        ids.push(text(&item["id"]));
    }
    assert_eq!(ids.len(), 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20, "no item twice");
}

#[tokio::test]
async fn a_poll_waits_for_work_as_long_as_it_says() {
    let queue = Queue::new().await;
    for bad in [
        "block_ms=0",
        "block_ms=1000",
        "reclaim_older_than_ms=-1",
        "block_ms=x",
    ] {
        queue
            .worker("GET", &format!("/poll?{bad}"))
            .await
            .invalid(bad.split('=').next().unwrap());
    }
    let polling = queue.worker("GET", "/poll?block_ms=999");
    let queueing = async {
        while queue
            .server
            .state
            .work
            .workers_polling(&queue.environment, queue.server.clock.now())
            == 0
        {
            tokio::task::yield_now().await;
        }
        queue.session("sesn_1", json!({})).await;
    };
    let (reply, ()) = tokio::join!(polling, queueing);
    assert_eq!(reply.body["data"]["id"], "sesn_1");
    let mut polling = std::pin::pin!(queue.worker("GET", "/poll?block_ms=5"));
    let reply = loop {
        tokio::select! {
            reply = &mut polling => break reply,
            () = tokio::task::yield_now() => queue.server.clock.advance(Duration::from_millis(1)),
        }
    };
    assert_eq!((reply.status, reply.body), (200, Value::Null));
}

#[tokio::test]
async fn an_item_whose_worker_is_lost_goes_to_another_and_the_first_is_told() {
    let queue = Queue::new().await;
    queue.session("sesn_1", json!({})).await;
    let (id, never_acknowledged) = queue.claim().await;
    queue.server.clock.advance(Duration::from_secs(5));
    let (again, first) = queue.claim().await;
    assert_eq!(again, id);
    queue
        .beat(&never_acknowledged, &id, "NO_HEARTBEAT")
        .await
        .refused(412, "invalid_request_error", "another worker");
    queue.worker("POST", &format!("/{id}/ack")).await;
    let beat = queue.beat(&first, &id, "NO_HEARTBEAT").await.body;
    let last = text(&beat["last_heartbeat"]);
    let reply = queue.beat(&first, &id, "NO_HEARTBEAT").await;
    reply.refused(412, "invalid_request_error", "lease");
    assert_eq!(
        reply.body["error"]["details"],
        json!({"error_code": "heartbeat_precondition_failed", "current_state":
            {"last_heartbeat": last, "lease_extended": false, "state": "active", "ttl_seconds": 300}})
    );
    // Kept by heartbeats, however long.
    queue.server.clock.advance(Duration::from_secs(250));
    let beat = queue.beat(&first, &id, &last).await.body;
    queue.server.clock.advance(Duration::from_secs(250));
    assert_eq!(queue.poll().await, Value::Null);
    queue.server.clock.advance(Duration::from_secs(60));
    let (again, second) = queue.claim().await;
    assert_eq!(again, id, "the lease ran out");
    let reply = queue
        .beat(&first, &id, &text(&beat["last_heartbeat"]))
        .await;
    reply.refused(412, "invalid_request_error", "lease");
    assert_eq!(reply.headers["x-should-retry"], "false");
    let stop = queue.path(&format!("/{id}/stop"));
    queue
        .send(&first, "POST", &stop, r#"{"force":true}"#)
        .await
        .refused(409, "conflict_error", "another worker");
    queue
        .send(&first, "GET", "/v1/sessions/sesn_1", "")
        .await
        .refused(403, "permission_error", "another worker");
    queue.worker("POST", &format!("/{id}/ack")).await;
    assert_eq!(queue.beat(&second, &id, "NO_HEARTBEAT").await.status, 200);
}

#[tokio::test]
async fn what_a_worker_leaves_undone_is_queued_again_and_what_an_operator_stops_is_not() {
    let queue = Queue::new().await;
    queue.session("sesn_1", waiting_for_worker()).await;
    let (id, token, _) = queue.serve().await;
    let stop = |id: &str| queue.path(&format!("/{id}/stop"));
    let force = r#"{"force": true}"#;
    queue.send(&token, "POST", &stop(&id), force).await;
    assert_eq!(queue.state(&id).await, "stopped");
    // The input may have come while the worker left: at once. Then later and later.
    let (second, token, _) = queue.serve().await;
    assert_ne!(second, id);
    queue.send(&token, "POST", &stop(&second), force).await;
    assert_eq!(queue.poll().await, Value::Null);
    assert_eq!(queue.stats().await["depth"], 1);
    queue.server.clock.advance(Duration::from_secs(2));
    let (third, token, _) = queue.serve().await;
    // A peaceful stop by the worker itself: it is not heard of again.
    queue.send(&token, "POST", &stop(&third), "").await;
    assert_eq!(queue.state(&third).await, "stopping");
    queue.server.clock.advance(Duration::from_secs(6));
    assert_eq!(queue.poll().await, Value::Null);
    assert_eq!(queue.state(&third).await, "stopped");
    // Somebody sends input: now.
    queue.ensure("sesn_1").await;
    let (fourth, ..) = queue.serve().await;
    assert!(fourth != third);
    queue
        .server
        .post(&stop(&fourth), json!({"force": true}))
        .await;
    queue.server.clock.advance(Duration::from_secs(1_000));
    assert_eq!(queue.poll().await, Value::Null, "an operator stopped it");
    assert_eq!(queue.stats().await["depth"], 0);
    // An item that nobody has needs nobody's consent.
    queue.ensure("sesn_1").await;
    let (fifth, _) = queue.claim().await;
    let stopped = queue.server.post(&stop(&fifth), json!({})).await;
    assert_eq!(stopped.body["state"], "stopped");
    queue
        .server
        .post(&stop(&fifth), json!({"force": 1}))
        .await
        .invalid("force");
}

#[tokio::test]
async fn ended_sessions_are_nobodys_work() {
    let queue = Queue::new().await;
    queue.session("sesn_1", json!({})).await;
    queue.session("sesn_2", json!({})).await;
    let session = queue
        .server
        .store
        .get(&queue.session_key("sesn_1"), None)
        .await
        .unwrap();
    let change = ResourceChange {
        body: session.body.clone(),
        new_version: false,
        unique_name: None,
        status: Some("terminated".to_owned()),
        archived_at: Some(queue.server.clock.now()),
        at: queue.server.clock.now(),
    };
    let store = &queue.server.store;
    store
        .update(&session.key, session.revision, change)
        .await
        .unwrap();
    store.delete(&queue.session_key("sesn_2")).await.unwrap();
    assert_eq!(queue.poll().await, Value::Null);
    let workspace = WorkspaceId::from_text(DEFAULT_WORKSPACE);
    forget_session(&queue.server.state, &workspace, "sesn_2")
        .await
        .unwrap();
    let list = queue.worker("GET", "").await;
    let sessions: Vec<_> = list
        .column("data")
        .iter()
        .map(|data| data["id"].clone())
        .collect();
    assert_eq!(sessions, ["sesn_1"]);
    assert_eq!(list.column("state"), ["stopped"]);
}

#[tokio::test]
async fn items_are_listed_in_pages_and_carry_metadata() {
    let queue = Queue::new().await;
    for session in 0..3 {
        queue.session(&format!("sesn_{session}"), json!({})).await;
        queue.server.clock.advance(Duration::from_secs(1));
    }
    let first = queue.worker("GET", "?limit=2").await;
    assert_eq!(first.column("data")[0]["id"], "sesn_2", "newest first");
    let next = text(&first.body["next_page"]);
    let second = queue.worker("GET", &format!("?limit=2&page={next}")).await;
    assert_eq!(second.column("data")[0]["id"], "sesn_0");
    assert_eq!(second.body["next_page"], Value::Null);

    let path = queue.path(&format!("/{}", text(&first.column("id")[0])));
    let patched = queue
        .server
        .post(&path, json!({"metadata": {"a": "1", "b": ""}}))
        .await;
    assert_eq!(patched.body["metadata"], json!({"a": "1", "b": ""}));
    let patched = queue
        .server
        .post(&path, json!({"metadata": {"a": null}}))
        .await;
    assert_eq!(patched.body["metadata"], json!({"b": ""}));
    assert_eq!(queue.server.get(&path).await.body, patched.body);
    queue
        .server
        .post(&path, json!({}))
        .await
        .invalid("metadata");
    queue
        .server
        .post(&path, json!({"metadata": {"k".repeat(65): "v"}}))
        .await
        .invalid("64 characters");
    // An item is found under its own environment alone.
    let other = json!({"name": "f", "config": {"type": "self_hosted"}});
    let other = queue.server.made("/v1/environments", other).await;
    let id = path.rsplit('/').next().unwrap();
    queue
        .server
        .get(&format!(
            "/v1/environments/{}/work/{id}",
            text(&other["id"])
        ))
        .await
        .refused(404, "not_found_error", "work item");
    queue
        .server
        .call(
            "DELETE",
            &format!("/v1/environments/{}", queue.environment),
            None,
        )
        .await;
    queue
        .server
        .get(&path)
        .await
        .refused(404, "not_found_error", "environment");
}

#[tokio::test]
async fn environment_keys_work_until_they_are_revoked() {
    let queue = Queue::new().await;
    let store = &*queue.server.store;
    let id = EnvironmentId::from_text(queue.environment.clone());
    let listed = list_environment_keys(store, Some(&id), 10).await.unwrap();
    assert_eq!(listed[0]["id"], queue.key_id.as_str());
    assert!(!format!("{listed:?}").contains(&queue.key));
    assert_eq!(queue.poll().await, Value::Null);
    // Elsewhere it opens nothing, and tells nothing of what is there.
    let body = json!({"name": "f", "config": {"type": "self_hosted"}});
    let other = text(&queue.server.made("/v1/environments", body).await["id"]);
    for environment in [other.as_str(), "env_nothing"] {
        let path = format!("/v1/environments/{environment}/work/poll");
        let reply = queue.send(&queue.key, "GET", &path, "").await;
        reply.refused(404, "not_found_error", environment);
    }
    revoke_environment_key(store, &queue.key_id).await.unwrap();
    queue
        .worker("GET", "/poll")
        .await
        .refused(401, "authentication_error", "revoked");
    let cloud = queue
        .server
        .made("/v1/environments", json!({"name": "c"}))
        .await;
    let workspace = WorkspaceId::from_text(DEFAULT_WORKSPACE);
    for (environment, fragment) in [
        (text(&cloud["id"]), "not self-hosted"),
        ("env_no".to_owned(), "not found"),
    ] {
        let id = EnvironmentId::from_text(environment);
        let made =
            create_environment_key(store, &workspace, &id, "", queue.server.clock.now()).await;
        let error = made.err().expect("refused").to_string();
        assert!(error.contains(fragment), "{error}");
    }
}
