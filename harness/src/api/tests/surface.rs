//! What holds for every endpoint: envelopes, headers, bodies, keys, workspaces.

use super::*;
use crate::api::{BODY_BYTES_MAX, Role, create_key, list_keys, revoke_key};

fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

#[tokio::test]
async fn every_failure_has_the_envelope() {
    let server = Server::open();
    server
        .get("/v1/nothing")
        .await
        .refused(404, "not_found_error", "no such endpoint");
    server
        .get("/")
        .await
        .refused(404, "not_found_error", "no such endpoint");
    server
        .get("/v1/agents/agent_x")
        .await
        .refused(404, "not_found_error", "\"agent_x\"");
    let reply = server.call("DELETE", "/v1/agents/agent_x", None).await;
    reply.refused(405, "invalid_request_error", "method");
    assert!(reply.headers["allow"].to_str().unwrap().contains("POST"));
    server
        .get("/v1/agents/%ff")
        .await
        .refused(400, "invalid_request_error", "");
    let reply = server.get("/v1/panics").await;
    reply.refused(500, "api_error", "server failed");
    assert!(
        !reply.body.to_string().contains("on purpose"),
        "our words stay in our log"
    );
}

#[tokio::test]
async fn bodies_are_json_objects_within_bounds() {
    let server = Server::open();
    let json_type = ("content-type", "application/json");
    let beta = ("anthropic-beta", BETA);
    for (content_type, body, fragment) in [
        (Some("application/json"), "{\"name\": ", "not valid JSON"),
        (Some("application/json"), "", "needs a JSON body"),
        (
            Some("application/json; charset=utf-8"),
            "[]",
            "must be a JSON object, got an array",
        ),
        (
            Some("application/json"),
            "{\"name\": 1e999}",
            "not valid JSON",
        ),
        (Some("text/plain"), "{}", "content-type"),
        (None, "{}", "content-type"),
        (
            Some("application/json"),
            "{\"name\": \"\\ud800\"}",
            "not valid JSON",
        ),
    ] {
        let mut headers = vec![beta];
        headers.extend(content_type.map(|value| ("content-type", value)));
        server
            .send(request("POST", "/v1/agents", &headers, body))
            .await
            .invalid(fragment);
    }
    for deep in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
        server
            .send(request("POST", "/v1/agents", &[beta, json_type], deep))
            .await
            .invalid("not valid JSON");
    }
    let many = format!("{{\"tools\":[{}0]}}", "0,".repeat(300_000));
    server
        .send(request("POST", "/v1/agents", &[beta, json_type], many))
        .await
        .invalid("JSON values");
    let large = vec![b' '; BODY_BYTES_MAX + 1];
    let reply = server
        .send(request("POST", "/v1/agents", &[beta, json_type], large))
        .await;
    reply.refused(413, "request_too_large", "33554432 bytes");
}

#[tokio::test]
async fn protocol_headers_are_checked_on_every_path() {
    let server = Server::open();
    let send = |headers: &'static [(&'static str, &'static str)]| {
        server.send(request("GET", "/v1/agents", headers, ""))
    };
    send(&[]).await.refused(404, "not_found_error", "in beta");
    send(&[("anthropic-beta", "agents-9")])
        .await
        .invalid("unknown beta");
    send(&[
        ("anthropic-beta", BETA),
        ("anthropic-version", "2020-01-01"),
    ])
    .await
    .invalid("anthropic-version");
    assert_eq!(
        send(&[
            ("anthropic-beta", BETA),
            ("anthropic-version", "2023-06-01")
        ])
        .await
        .status,
        200
    );
    assert_eq!(server.get("/v1/agents?beta=true").await.status, 200);
}

#[tokio::test]
async fn an_open_server_answers_no_foreign_pages() {
    let server = Server::open();
    for (name, value, status) in [
        ("host", "127.0.0.1:4100", 200),
        ("host", "rebound.example", 403),
        ("origin", "http://localhost:4100", 200),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
    ] {
        let headers = [("anthropic-beta", BETA), (name, value)];
        let reply = server
            .send(request("GET", "/v1/agents", &headers, ""))
            .await;
        assert_eq!(reply.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn keys_open_their_workspace_until_they_are_revoked() {
    let server = Server::new(AuthMode::Keys);
    let now = Timestamp::from_second(1).unwrap();
    let (ours, theirs) = (
        WorkspaceId::from_text("wrkspc_a"),
        WorkspaceId::from_text("wrkspc_b"),
    );
    let key = create_key(&*server.store, &ours, "ours", Role::Admin, now)
        .await
        .unwrap();
    let other = create_key(&*server.store, &theirs, "theirs", Role::Admin, now)
        .await
        .unwrap();
    let stored = format!("{:?}", list_keys(&*server.store, 10).await.unwrap());
    assert!(stored.contains("wrkspc_a") && !stored.contains(key.reveal()));

    let bearer = format!("Bearer {}", key.reveal());
    let send = async |headers: &[(&str, &str)]| {
        let mut headers = headers.to_vec();
        headers.push(("anthropic-beta", BETA));
        server
            .send(request("GET", "/v1/agents", &headers, ""))
            .await
    };
    let reply = send(&[("authorization", &bearer)]).await;
    assert_eq!(
        (reply.status, &reply.headers["anthropic-workspace-id"]),
        (200, &"wrkspc_a".parse().unwrap())
    );
    assert_eq!(send(&[("x-api-key", key.reveal())]).await.status, 200);
    assert_eq!(
        send(&[
            ("x-api-key", key.reveal()),
            ("anthropic-workspace-id", "wrkspc_a")
        ])
        .await
        .status,
        200
    );
    let reply = send(&[
        ("x-api-key", key.reveal()),
        ("anthropic-workspace-id", "wrkspc_b"),
    ])
    .await;
    reply.refused(403, "permission_error", "another workspace");
    // The hash is no key: who reads the database cannot call.
    let hash = blake3::hash(key.reveal().as_bytes()).to_hex();
    for headers in [
        &[][..],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer sk-sinew-nonsense")],
        &[("authorization", key.reveal())],
        &[("x-api-key", hash.as_str())],
        &[("x-api-key", &"k".repeat(5_000))],
    ] {
        send(headers)
            .await
            .refused(401, "authentication_error", "API key");
    }
    revoke_key(&*server.store, &key.id).await.unwrap();
    send(&[("authorization", &bearer)])
        .await
        .refused(401, "authentication_error", "revoked");
    assert_eq!(send(&[("x-api-key", other.reveal())]).await.status, 200);
}

#[tokio::test]
async fn workspaces_see_nothing_of_each_other() {
    let server = Server::open();
    let agent = server
        .made("/v1/agents", json!({"name": "n", "model": "opus"}))
        .await;
    let environment = server.made("/v1/environments", json!({"name": "e"})).await;
    let agent_path = format!("/v1/agents/{}", agent["id"].as_str().unwrap());
    let environment_path = format!("/v1/environments/{}", environment["id"].as_str().unwrap());
    let elsewhere = [
        ("anthropic-beta", BETA),
        ("anthropic-workspace-id", "wrkspc_other"),
        ("content-type", "application/json"),
    ];
    for (method, path) in [
        ("GET", agent_path.clone()),
        ("GET", format!("{agent_path}?version=1")),
        ("POST", agent_path.clone()),
        ("POST", format!("{agent_path}/archive")),
        ("GET", format!("{agent_path}/versions")),
        ("GET", environment_path.clone()),
        ("POST", environment_path.clone()),
        ("POST", format!("{environment_path}/archive")),
        ("DELETE", environment_path.clone()),
    ] {
        let reply = server.send(request(method, &path, &elsewhere, "{}")).await;
        assert_eq!(reply.status, 404, "{method} {path}: {}", reply.body);
    }
    for path in ["/v1/agents", "/v1/environments"] {
        let reply = server.send(request("GET", path, &elsewhere, "")).await;
        assert_eq!(reply.body["data"], json!([]));
    }
    // Nor may a roster name what is elsewhere.
    let roster = json!({"name": "m", "model": "opus", "multiagent": {"type": "coordinator", "agents": [agent["id"]]}});
    let reply = server
        .send(request(
            "POST",
            "/v1/agents",
            &elsewhere,
            roster.to_string(),
        ))
        .await;
    reply.invalid("does not exist");
    assert_eq!(server.get(&agent_path).await.status, 200);
    for bad in ["wrkspc_keyring", "nonsense", ""] {
        let headers = [("anthropic-beta", BETA), ("anthropic-workspace-id", bad)];
        server
            .send(request("GET", "/v1/agents", &headers, ""))
            .await
            .invalid("anthropic-workspace-id");
    }
}
