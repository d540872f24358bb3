//! `/v1/organizations/webhooks`, and what is queued for whom.

use super::deployments::template;
use super::*;
use crate::api::deployments::{Trigger, attempt};
use crate::store::{Key, Kind};
use crate::webhooks::EVENT_TYPES;

const ENDPOINTS: &str = "/v1/organizations/webhooks";

async fn endpoint(server: &Server, events: Value) -> Value {
    let body = json!({"url": "https://example.com/hook", "enabled_events": events});
    server.made(ENDPOINTS, body).await
}

fn path(endpoint: &Value) -> String {
    format!("{ENDPOINTS}/{}", endpoint["id"].as_str().unwrap())
}

/// What was queued for an endpoint since it was made: types, oldest first.
async fn queued(server: &Server, endpoint: &Value) -> Vec<String> {
    let id = endpoint["id"].as_str().unwrap();
    let page = server
        .get(&format!("/sinew/v1/webhooks/{id}/deliveries?limit=1000"))
        .await;
    let mut types: Vec<String> = page
        .column("event")
        .iter()
        .map(|event| event["data"]["type"].as_str().unwrap().to_owned())
        .collect();
    types.reverse();
    types.sort();
    types
}

#[tokio::test]
async fn endpoints_are_made_changed_and_removed() {
    let server = Server::open();
    let mut made = endpoint(&server, json!(["agent.created", "agent.created"])).await;
    let secret = made
        .as_object_mut()
        .unwrap()
        .remove("signing_secret")
        .unwrap();
    assert!(secret.as_str().unwrap().starts_with("whsec_"));
    let at = made["created_at"].clone();
    assert_eq!(
        made,
        json!({
            "id": made["id"], "url": "https://example.com/hook", "name": "", "description": "",
            "enabled_events": ["agent.created"], "state": "enabled", "disabled_reason": "",
            "created_at": at, "updated_at": at,
        })
    );
    // The secret is shown once.
    let got = server.get(&path(&made)).await;
    assert_eq!(got.body, made);
    assert!(
        !server
            .get(ENDPOINTS)
            .await
            .body
            .to_string()
            .contains("whsec_")
    );
    let fresh = format!("{}/regenerate_signing_secret", path(&made));
    let fresh = server.made(&fresh, Value::Null).await;
    assert!(fresh["signing_secret"].is_string() && fresh["signing_secret"] != secret);

    let changed = server
        .made(
            &path(&made),
            json!({"name": "n", "description": "d", "state": "disabled", "enabled_events": ["vault.created"],
                "url": "http://127.0.0.1:8080/"}),
        )
        .await;
    assert_eq!(changed["state"], "disabled");
    assert_eq!(changed["url"], "http://127.0.0.1:8080/");
    assert_eq!(server.made(&path(&made), json!({})).await, changed);
    for (fields, fragment) in [
        (json!({"url": "nowhere"}), "url: expected an absolute URL"),
        (json!({"enabled_events": []}), "at least one"),
        (
            json!({"enabled_events": ["agent.sold"]}),
            "no webhook event \"agent.sold\"",
        ),
        (json!({"state": "on"}), "state"),
        (json!({"name": "x".repeat(257)}), "name"),
        (json!({"color": "red"}), "unknown field"),
    ] {
        server.post(&path(&made), fields).await.invalid(fragment);
    }
    server
        .post(ENDPOINTS, json!({"url": "https://example.com"}))
        .await
        .invalid("enabled_events");

    let gone = server.call("DELETE", &path(&made), None).await.body;
    assert_eq!(
        gone,
        json!({"id": made["id"], "type": "webhook_endpoint_deleted"})
    );
    server
        .get(&path(&made))
        .await
        .refused(404, "not_found_error", "webhook endpoint");
}

#[tokio::test]
async fn endpoints_are_paged_by_ids() {
    let server = Server::open();
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(endpoint(&server, json!(["agent.created"])).await["id"].clone());
    }
    let text = |n: usize| ids[n].as_str().unwrap();
    for (query, expected, has_more) in [
        ("?limit=3".to_owned(), vec![3, 2, 1], true),
        ("?order=asc".to_owned(), vec![0, 1, 2, 3], false),
        (format!("?after_id={}&limit=2", text(2)), vec![1, 0], false),
        (format!("?before_id={}&limit=1", text(1)), vec![2], true),
        (
            format!("?before_id={}&order=asc", text(2)),
            vec![0, 1],
            false,
        ),
    ] {
        let page = server.get(&format!("{ENDPOINTS}{query}")).await;
        let expected: Vec<Value> = expected
            .into_iter()
            .map(|n: usize| ids[n].clone())
            .collect();
        assert_eq!(page.column("id"), expected, "{query}");
        assert_eq!(page.body["has_more"], has_more, "{query}");
        assert_eq!(page.body["first_id"], expected[0]);
    }
    server
        .get(&format!("{ENDPOINTS}?after_id=x"))
        .await
        .invalid("no webhook endpoint");
    for _ in 4..100 {
        endpoint(&server, json!(["agent.created"])).await;
    }
    let body = json!({"url": "https://example.com", "enabled_events": ["agent.created"]});
    server
        .post(ENDPOINTS, body)
        .await
        .invalid("100 webhook endpoints");
}

#[tokio::test]
async fn every_change_is_told_of_once() {
    let server = Server::open();
    let all = endpoint(&server, json!(EVENT_TYPES.as_slice())).await;
    let runs = endpoint(&server, json!(["deployment_run.succeeded"])).await;
    let body = template(&server).await;
    let deployment = server.made("/v1/deployments", body.clone()).await;
    assert_eq!(
        queued(&server, &all).await,
        ["agent.created", "deployment.created", "environment.created"]
    );

    let agent = format!("/v1/agents/{}", body["agent"].as_str().unwrap());
    let path = format!("/v1/deployments/{}", deployment["id"].as_str().unwrap());
    for (call, body, expected) in [
        (agent.clone(), json!({"system": "s"}), vec!["agent.updated"]),
        (agent.clone(), json!({"system": "s"}), vec![]),
        (
            path.clone(),
            json!({"name": "n"}),
            vec!["deployment.updated"],
        ),
        (
            format!("{path}/pause"),
            Value::Null,
            vec!["deployment.paused"],
        ),
        (format!("{path}/pause"), Value::Null, vec![]),
        // By hand: the session is told of, the run is not.
        (
            format!("{path}/run"),
            Value::Null,
            vec![
                "session.created",
                "session.running",
                "session.status_run_started",
            ],
        ),
        (
            format!("{path}/unpause"),
            Value::Null,
            vec!["deployment.unpaused"],
        ),
        (
            format!("{agent}/archive"),
            Value::Null,
            vec!["agent.archived", "deployment.archived"],
        ),
    ] {
        let before = queued(&server, &all).await;
        server.made(&call, body).await;
        let mut left = queued(&server, &all).await;
        for kind in before {
            let at = left.iter().position(|left| *left == kind).unwrap();
            left.remove(at);
        }
        assert_eq!(left, expected, "{call}");
    }
    let environment = format!(
        "/v1/environments/{}",
        body["environment_id"].as_str().unwrap()
    );
    server.call("DELETE", &environment, None).await;
    assert!(
        queued(&server, &all)
            .await
            .contains(&"environment.deleted".to_owned())
    );

    // By schedule: the run is told of, also when it fails and pauses the deployment.
    let mut body = template_again(&server).await;
    body["schedule"] = json!({"type": "cron", "expression": "0 * * * *", "timezone": "UTC"});
    let scheduled = server.made("/v1/deployments", body.clone()).await;
    let key = Key {
        workspace: server.state.default_workspace.clone(),
        kind: Kind::Deployment,
        id: scheduled["id"].as_str().unwrap().to_owned(),
    };
    let hour =
        |n: i64| Trigger::Schedule(Timestamp::from_second(1_800_000_000 + n * 3_600).unwrap());
    attempt(&server.deployments, &key, hour(1)).await.unwrap();
    assert_eq!(queued(&server, &runs).await, ["deployment_run.succeeded"]);
    let environment = format!(
        "/v1/environments/{}/archive",
        body["environment_id"].as_str().unwrap()
    );
    server.made(&environment, Value::Null).await;
    attempt(&server.deployments, &key, hour(2)).await.unwrap();
    let told = queued(&server, &all).await;
    let count = |kind: &str| told.iter().filter(|told| *told == kind).count();
    assert_eq!(
        (
            count("deployment_run.started"),
            count("deployment_run.failed"),
            count("deployment.paused")
        ),
        (2, 1, 2)
    );
    assert_eq!(count("deployment.updated"), 1, "a run is no update");
}

async fn template_again(server: &Server) -> Value {
    let agent = server
        .made("/v1/agents", json!({"name": "b", "model": "m1"}))
        .await;
    let environment = server.made("/v1/environments", json!({"name": "e2"})).await;
    json!({
        "name": "d", "agent": agent["id"], "environment_id": environment["id"],
        "initial_events": [{"type": "user.message", "content": [{"type": "text", "text": "go"}]}],
    })
}

#[tokio::test]
async fn the_life_of_a_session_is_told() {
    let server = Server::open();
    let body = template(&server).await;
    let told = endpoint(&server, json!(EVENT_TYPES.as_slice())).await;
    let new = json!({"agent": body["agent"], "environment_id": body["environment_id"]});
    let session = server.made("/v1/sessions", new).await;
    let path = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
    server.made(&path, json!({"title": "t"})).await;
    server.made(&format!("{path}/archive"), Value::Null).await;
    server.call("DELETE", &path, None).await;
    assert_eq!(
        queued(&server, &told).await,
        [
            "session.archived",
            "session.created",
            "session.deleted",
            "session.status_terminated",
            "session.thread_terminated",
            "session.updated",
        ]
    );
    let id = told["id"].as_str().unwrap();
    let page = server
        .get(&format!("/sinew/v1/webhooks/{id}/deliveries"))
        .await;
    let first = page.body["data"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        first["event"],
        json!({
            "type": "event", "id": first["id"], "created_at": first["created_at"],
            "data": {"type": "session.created", "id": session["id"], "organization_id": "org_1",
                "workspace_id": "wrkspc_default"},
        })
    );
    let threads = page.body["data"].as_array().unwrap();
    let thread = threads
        .iter()
        .find(|d| d["event"]["data"]["type"] == "session.thread_terminated");
    assert!(thread.unwrap()["event"]["data"]["session_thread_id"].is_string());
}

#[tokio::test]
async fn only_who_asked_and_may_hear_hears() {
    let server = Server::open();
    let own = endpoint(&server, json!(["agent.created"])).await;
    let deaf = endpoint(&server, json!(["vault.created"])).await;
    let off = endpoint(&server, json!(["agent.created"])).await;
    server.made(&path(&off), json!({"state": "disabled"})).await;
    let call = |method: &'static str, path: String, body: Value| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("anthropic-beta", BETA)
            .header("content-type", "application/json")
            .header("anthropic-workspace-id", "wrkspc_other");
        server.send(request.body(Body::from(body.to_string())).unwrap())
    };
    let elsewhere = call(
        "POST",
        "/v1/agents".to_owned(),
        json!({"name": "a", "model": "m1"}),
    )
    .await;
    assert_eq!(elsewhere.status, 200);
    for endpoint in [&own, &deaf, &off] {
        assert!(queued(&server, endpoint).await.is_empty());
    }
    server
        .made("/v1/agents", json!({"name": "a", "model": "m1"}))
        .await;
    assert_eq!(queued(&server, &own).await, ["agent.created"]);
    assert!(queued(&server, &deaf).await.is_empty());
    assert!(queued(&server, &off).await.is_empty());

    for (method, path) in [
        ("GET", path(&own)),
        ("POST", path(&own)),
        ("DELETE", path(&own)),
        ("POST", format!("{}/regenerate_signing_secret", path(&own))),
        (
            "GET",
            format!(
                "/sinew/v1/webhooks/{}/deliveries",
                own["id"].as_str().unwrap()
            ),
        ),
    ] {
        let refused = call(method, path, json!({})).await;
        refused.refused(404, "not_found_error", "whep_");
    }
    assert!(
        call("GET", ENDPOINTS.to_owned(), json!({}))
            .await
            .column("id")
            .is_empty()
    );
}
