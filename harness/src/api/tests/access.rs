//! What each credential opens, over every endpoint of the contract.

use super::work::Queue;
use super::*;
use crate::api::contract::Contract;
use crate::api::{Role, create_key};
use crate::clock::Clock as _;

/// Returns every endpoint of the contract as method and path.
fn endpoints() -> Vec<(String, String)> {
    let listed = Contract::get().endpoints.iter();
    listed
        .filter(|endpoint| endpoint.segments[0] == "v1")
        .map(|endpoint| (endpoint.method.clone(), endpoint.path()))
        .collect()
}

const QUEUE: [&str; 6] = [
    "GET /v1/environments/{environment_id}/work",
    "GET /v1/environments/{environment_id}/work/poll",
    "GET /v1/environments/{environment_id}/work/stats",
    "POST /v1/environments/{environment_id}/work/{work_id}/ack",
    "POST /v1/environments/{environment_id}/work/{work_id}/heartbeat",
    "POST /v1/environments/{environment_id}/work/{work_id}/stop",
];

const TOKEN: [&str; 20] = [
    "DELETE /v1/memory_stores/{memory_store_id}/memories/{memory_id}",
    "GET /v1/memory_stores/{memory_store_id}",
    "GET /v1/memory_stores/{memory_store_id}/memories",
    "GET /v1/memory_stores/{memory_store_id}/memories/{memory_id}",
    "GET /v1/sessions/{session_id}",
    "GET /v1/sessions/{session_id}/events",
    "GET /v1/sessions/{session_id}/events/stream",
    "GET /v1/sessions/{session_id}/resources",
    "GET /v1/sessions/{session_id}/resources/{resource_id}",
    "GET /v1/sessions/{session_id}/threads",
    "GET /v1/sessions/{session_id}/threads/{thread_id}",
    "GET /v1/sessions/{session_id}/threads/{thread_id}/events",
    "GET /v1/sessions/{session_id}/threads/{thread_id}/stream",
    "GET /v1/skills/{skill_id}/versions/{version}",
    "GET /v1/skills/{skill_id}/versions/{version}/content",
    "POST /v1/environments/{environment_id}/work/{work_id}/heartbeat",
    "POST /v1/environments/{environment_id}/work/{work_id}/stop",
    "POST /v1/memory_stores/{memory_store_id}/memories",
    "POST /v1/memory_stores/{memory_store_id}/memories/{memory_id}",
    "POST /v1/sessions/{session_id}/events",
];

const WORKERS_ONLY: [&str; 4] = [
    "GET /v1/environments/{environment_id}/work",
    "GET /v1/environments/{environment_id}/work/poll",
    "POST /v1/environments/{environment_id}/work/{work_id}/ack",
    "POST /v1/environments/{environment_id}/work/{work_id}/heartbeat",
];

/// Returns the endpoints that are not refused with 403.
async fn opened(queue: &Queue, key: &str, ids: &[(&str, &str)]) -> Vec<String> {
    let mut opened = Vec::new();
    let mut endpoints = endpoints();
    // A stop ends the item, and with it what its token opens.
    endpoints.sort_by_key(|(_, path)| path.ends_with("/stop"));
    for (method, pattern) in endpoints {
        let mut path = pattern.clone();
        for (name, id) in ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let status = queue.status(key, &method, &path, "{}").await;
        assert_ne!(status, 401, "{method} {path}");
        if status != 403 {
            opened.push(format!("{method} {pattern}"));
        }
    }
    opened.sort();
    opened
}

#[tokio::test]
async fn workers_open_their_rows_and_nothing_else() {
    let queue = Queue::new().await;
    queue.session("sesn_own", json!({})).await;
    let (work_id, token) = queue.claim().await;
    let own = [
        ("environment_id", queue.environment.as_str()),
        ("work_id", work_id.as_str()),
        ("session_id", "sesn_own"),
        ("skill_id", "skill_own"),
        ("memory_store_id", "memstore_own"),
    ];
    assert_eq!(opened(&queue, &queue.key, &own).await, QUEUE);
    // The stop among them has ended the item; the next poll notes it.
    queue.server.clock.advance(Duration::from_secs(10));
    assert_eq!(queue.poll().await, Value::Null);
    queue
        .send(&token, "GET", "/v1/sessions/sesn_own", "")
        .await
        .refused(403, "permission_error", "stopped");
    queue.ensure("sesn_own").await;
    let (work_id, fresh) = queue.claim().await;
    let mut own = own;
    own[1].1 = &work_id;
    assert_eq!(opened(&queue, &fresh, &own).await, TOKEN);
    queue.server.clock.advance(Duration::from_secs(10));
    assert_eq!(queue.poll().await, Value::Null);
    queue.ensure("sesn_own").await;
    let (work_id, fresh) = queue.claim().await;

    // Another's ids are answered as ids that do not exist.
    for (path, id) in [
        ("/v1/sessions/ID", "sesn_other"),
        ("/v1/sessions/ID/events/stream", "sesn_other"),
        ("/v1/skills/ID/versions/1/content", "skill_other"),
        ("/v1/memory_stores/ID/memories", "memstore_other"),
    ] {
        let reply = queue.send(&fresh, "GET", &path.replace("ID", id), "").await;
        reply.refused(404, "not_found_error", id);
    }
    let path = queue.path("/work_other/heartbeat");
    queue
        .send(&fresh, "POST", &path, "")
        .await
        .refused(404, "not_found_error", "work_other");
    let read_only = "/v1/memory_stores/memstore_read/memories";
    queue
        .send(&fresh, "POST", read_only, "{}")
        .await
        .refused(403, "permission_error", "read-only");
    assert_ne!(queue.send(&fresh, "GET", read_only, "").await.status, 403);
    for forged in ["sk-sinew-work-", "sk-sinew-work-QUJD", "sk-sinew-env-x"] {
        queue
            .send(forged, "GET", "/v1/sessions/sesn_own", "")
            .await
            .refused(401, "authentication_error", "unknown");
    }
    queue
        .send(&fresh, "GET", "//v1/sessions/sesn_own", "")
        .await
        .refused(403, "permission_error", "");
    queue
        .send(&fresh, "GET", "/v1/sessions/", "")
        .await
        .refused(403, "permission_error", "");
    let stop = queue.path(&format!("/{work_id}/stop"));
    assert_eq!(queue.send(&fresh, "POST", &stop, "").await.status, 200);
}

#[tokio::test]
async fn roles_narrow_what_api_keys_open() {
    let mut queue = Queue::new().await;
    queue.server.state.auth = AuthMode::Keys;
    queue.server.router = router(queue.server.state.clone(), Router::new());
    let workspace = WorkspaceId::from_text("wrkspc_roles");
    let all: Vec<String> = endpoints()
        .into_iter()
        .map(|(method, path)| format!("{method} {path}"))
        .filter(|row| !WORKERS_ONLY.contains(&row.as_str()))
        .collect();
    for role in Role::ALL {
        let now = queue.server.clock.now();
        let key = create_key(&*queue.server.store, &workspace, "", role, now)
            .await
            .unwrap();
        let mut expected: Vec<String> = all
            .iter()
            .filter(|row| role == Role::Admin || !row.contains(" /v1/organizations/"))
            .filter(|row| role != Role::ReadOnly || row.starts_with("GET "))
            .cloned()
            .collect();
        expected.sort();
        assert_eq!(
            opened(&queue, key.reveal(), &[]).await,
            expected,
            "{role:?}"
        );
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
    assert_eq!(Role::parse("owner"), None);
}
