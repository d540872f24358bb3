//! `/v1/agents` over the store: versions, conflicts, archives, pages, sessions' snapshots.

use super::*;
use crate::api::body::Spot;
use crate::api::{ApiError, SessionAgent, resolve_session_agent};

async fn agent(server: &Server, name: &str) -> (String, Value) {
    let agent = server
        .made("/v1/agents", json!({"name": name, "model": "opus"}))
        .await;
    (
        format!("/v1/agents/{}", agent["id"].as_str().unwrap()),
        agent,
    )
}

#[tokio::test]
async fn a_new_agent_has_every_field() {
    let server = Server::open();
    let (path, agent) = agent(&server, "n").await;
    let mut names: Vec<&str> = agent
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "archived_at",
            "created_at",
            "description",
            "execution_identity",
            "id",
            "mcp_servers",
            "metadata",
            "model",
            "multiagent",
            "name",
            "skills",
            "system",
            "tools",
            "type",
            "updated_at",
            "version",
        ]
    );
    assert!(agent["id"].as_str().unwrap().starts_with("agent_"));
    assert_eq!(
        (&agent["type"], &agent["version"]),
        (&json!("agent"), &json!(1))
    );
    assert_eq!(agent["created_at"], "2027-01-15T08:00:01.000000Z");
    assert_eq!(agent["archived_at"], Value::Null);
    assert_eq!(server.get(&path).await.body, agent);
}

#[tokio::test]
async fn only_real_changes_make_versions() {
    let server = Server::open();
    let (path, first) = agent(&server, "n").await;
    for nothing in [
        json!({}),
        json!({"name": "n"}),
        json!({"model": "opus", "tools": [], "system": ""}),
        json!({"version": 1}),
    ] {
        assert_eq!(server.made(&path, nothing).await, first);
    }
    let second = server.made(&path, json!({"name": "m", "version": 1})).await;
    assert_eq!(
        (&second["version"], &second["name"]),
        (&json!(2), &json!("m"))
    );
    assert_eq!(second["created_at"], first["created_at"]);
    assert_ne!(second["updated_at"], first["updated_at"]);

    for stale in [
        json!({"name": "x", "version": 1}),
        json!({"version": 1}),
        json!({"name": "m", "version": 3}),
    ] {
        let reply = server.post(&path, stale).await;
        reply.refused(409, "conflict_error", "at version 2");
        assert_eq!(reply.headers["x-should-retry"], "false");
    }
    server
        .post(&path, json!({"version": 0}))
        .await
        .invalid("version");
    server
        .post(&path, json!({"name": "x", "color": 1}))
        .await
        .invalid("unknown field \"color\"");

    assert_eq!(
        server.get(&format!("{path}?version=1")).await.body["name"],
        "n"
    );
    assert_eq!(server.get(&format!("{path}?version=2")).await.body, second);
    server
        .get(&format!("{path}?version=3"))
        .await
        .refused(404, "not_found_error", "version 3");
    server
        .get(&format!("{path}?version=0"))
        .await
        .invalid("version");
    assert_eq!(server.get(&path).await.body, second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_at_the_same_time_all_count() {
    let server = Server::open();
    let (path, _) = agent(&server, "n").await;
    let keys = ["a", "b", "c", "d"];
    let updates = keys.map(|key| server.made(&path, json!({"metadata": {key: "1"}})));
    futures::future::join_all(updates).await;
    let agent = server.get(&path).await.body;
    assert_eq!(
        agent["metadata"],
        json!({"a": "1", "b": "1", "c": "1", "d": "1"})
    );
    assert_eq!(agent["version"], 5);
}

#[tokio::test]
async fn archived_agents_stay_as_they_are() {
    let server = Server::open();
    let (path, _) = agent(&server, "n").await;
    let archive = format!("{path}/archive");
    let archived = server.call("POST", &archive, None).await.body;
    assert!(archived["archived_at"].is_string());
    assert_eq!(archived["version"], 1);
    assert_eq!(server.call("POST", &archive, None).await.body, archived);
    server
        .post(&path, json!({"name": "m"}))
        .await
        .invalid("archived");
    assert_eq!(server.get(&path).await.body, archived);
    assert_eq!(server.get("/v1/agents").await.body["data"], json!([]));
    assert_eq!(
        server.get("/v1/agents?include_archived=true").await.body["data"],
        json!([archived])
    );
}

#[tokio::test]
async fn lists_turn_pages() {
    let server = Server::open();
    let mut created = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        created.push(agent(&server, name).await.1);
    }
    let mut names = Vec::new();
    let mut path = "/v1/agents?limit=2".to_owned();
    let mut cursors = Vec::new();
    loop {
        let page = server.get(&path).await;
        names.extend(page.column("name"));
        let Some(cursor) = page.body["next_page"].as_str() else {
            assert_eq!(page.body["next_page"], Value::Null);
            break;
        };
        cursors.push(cursor.to_owned());
        path = format!("/v1/agents?limit=2&page={cursor}");
    }
    assert_eq!(names, ["e", "d", "c", "b", "a"]);
    assert_eq!(cursors.len(), 2);

    let bound = created[2]["created_at"].as_str().unwrap();
    let from = server
        .get(&format!("/v1/agents?created_at%5Bgte%5D={bound}"))
        .await;
    assert_eq!(from.column("name"), ["e", "d", "c"]);
    let until = server
        .get(&format!("/v1/agents?created_at[lte]={bound}"))
        .await;
    assert_eq!(until.column("name"), ["c", "b", "a"]);

    let cursor = &cursors[1];
    let excluded = format!(
        "/v1/agents?page={cursor}&created_at[gte]={}",
        created[4]["created_at"].as_str().unwrap()
    );
    server.get(&excluded).await.invalid("excludes");
    server
        .get(&format!("/v1/environments?page={cursor}"))
        .await
        .invalid("another list");
    for bad in [
        "limit=0",
        "limit=101",
        "limit=x",
        "page=zzz",
        "include_archived=yes",
        "created_at[gte]=now",
    ] {
        server.get(&format!("/v1/agents?{bad}")).await.invalid("");
    }
}

#[tokio::test]
async fn versions_turn_pages() {
    let server = Server::open();
    let (path, _) = agent(&server, "v1").await;
    for name in ["v2", "v3"] {
        server.made(&path, json!({"name": name})).await;
    }
    let first = server.get(&format!("{path}/versions?limit=2")).await;
    assert_eq!(first.column("name"), ["v3", "v2"]);
    assert_eq!(first.column("version"), [3, 2]);
    let cursor = first.body["next_page"].as_str().unwrap();
    let last = server
        .get(&format!("{path}/versions?limit=2&page={cursor}"))
        .await;
    assert_eq!(
        (last.column("name"), &last.body["next_page"]),
        (vec![json!("v1")], &Value::Null)
    );
    let (other, _) = agent(&server, "o").await;
    server
        .get(&format!("{other}/versions?page={cursor}"))
        .await
        .invalid("another list");
    server
        .get("/v1/agents/agent_x/versions")
        .await
        .refused(404, "not_found_error", "agent_x");
}

#[tokio::test]
async fn rosters_are_pinned_when_saved() {
    let server = Server::open();
    let (helper_path, helper) = agent(&server, "helper").await;
    let (_, other) = agent(&server, "other").await;
    let coordinator = |agents: Value| json!({"name": "c", "model": "opus", "multiagent": {"type": "coordinator", "agents": agents}});
    let own = server
        .made(
            "/v1/agents",
            coordinator(json!([helper["id"], {"type": "self"}])),
        )
        .await;
    let path = format!("/v1/agents/{}", own["id"].as_str().unwrap());
    let entry = |agent: &Value, version: u64| json!({"type": "agent", "id": agent["id"], "version": version});
    assert_eq!(
        own["multiagent"]["agents"],
        json!([entry(&helper, 1), entry(&own, 1)])
    );

    server.made(&helper_path, json!({"system": "newer"})).await;
    // Saving the same again is no change, also for the entry of the agent itself.
    let again = json!({"multiagent": {"type": "coordinator", "agents": [entry(&helper, 1), {"type": "self"}]}});
    assert_eq!(server.made(&path, again).await, own);
    let renamed = server.made(&path, json!({"name": "d"})).await;
    assert_eq!(
        renamed["multiagent"]["agents"],
        json!([entry(&helper, 1), entry(&own, 2)])
    );
    let replaced =
        json!({"multiagent": {"type": "coordinator", "agents": [helper["id"], other["id"]]}});
    let replaced = server.made(&path, replaced).await;
    assert_eq!(
        replaced["multiagent"]["agents"],
        json!([entry(&helper, 2), entry(&other, 1)])
    );

    server
        .post("/v1/agents", coordinator(json!([own["id"]])))
        .await
        .invalid("one level");
    server
        .post(&format!("{helper_path}/archive"), json!({}))
        .await;
    server
        .post("/v1/agents", coordinator(json!([helper["id"]])))
        .await
        .invalid("archived");
}

#[tokio::test]
async fn sessions_resolve_their_agent() {
    let server = Server::open();
    let (path, agent) = agent(&server, "n").await;
    server.made(&path, json!({"system": "s"})).await;
    let id = &agent["id"];
    let resolve = async |value: Value| -> Result<SessionAgent, ApiError> {
        let spot = Spot {
            path: "agent".to_owned(),
            value,
        };
        let workspace = WorkspaceId::from_text(DEFAULT_WORKSPACE);
        resolve_session_agent(&server.state, &workspace, spot).await
    };
    let newest = resolve(id.clone()).await.unwrap();
    assert_eq!(
        (newest.version, &newest.snapshot["system"]),
        (2, &json!("s"))
    );
    let pinned = resolve(json!({"type": "agent", "id": id, "version": 1}))
        .await
        .unwrap();
    assert_eq!(
        (pinned.version, &pinned.snapshot["system"]),
        (1, &Value::Null)
    );
    let overridden =
        json!({"type": "agent_with_overrides", "id": id, "system": "o", "model": "haiku"});
    let overridden = resolve(overridden).await.unwrap().snapshot;
    assert_eq!(
        (&overridden["system"], &overridden["model"]["id"]),
        (&json!("o"), &json!("haiku"))
    );
    assert_eq!((&overridden["id"], &overridden["version"]), (id, &json!(2)));

    for (value, status, fragment) in [
        (json!("agent_x"), 404, "agent_x"),
        (
            json!({"type": "agent", "id": id, "version": 9}),
            404,
            "version 9",
        ),
        (
            json!({"type": "agent", "id": id, "system": "x"}),
            400,
            "unknown field",
        ),
        (
            json!({"type": "agent_with_overrides", "id": id, "name": "x"}),
            400,
            "unknown field",
        ),
        (
            json!({"type": "agent_with_overrides", "id": id, "model": null}),
            400,
            "agent_model_required",
        ),
        (json!(7), 400, "agent: expected an object"),
    ] {
        let error = resolve(value.clone()).await.expect_err(&value.to_string());
        assert_eq!(error.status().as_u16(), status, "{value}: {error}");
        assert!(error.message().contains(fragment), "{value}: {error}");
    }
    server.post(&format!("{path}/archive"), json!({})).await;
    assert!(
        resolve(id.clone())
            .await
            .unwrap_err()
            .message()
            .contains("archived")
    );
}
