//! Memory stores, memories and versions over the router.

use super::*;
use crate::api::Role;
use crate::blobs::sha256;
use crate::clock::Clock as _;
use crate::memory::sweep;
use crate::store::Kind;

async fn store(server: &Server) -> String {
    let store = server
        .made("/v1/memory_stores", json!({"name": "Notes"}))
        .await;
    format!("/v1/memory_stores/{}", store["id"].as_str().unwrap())
}

async fn memory(server: &Server, store: &str, path: &str, content: &str) -> (String, Value) {
    let body = json!({"path": path, "content": content});
    let made = server.made(&format!("{store}/memories"), body).await;
    (
        format!("{store}/memories/{}", made["id"].as_str().unwrap()),
        made,
    )
}

fn hash(content: &str) -> String {
    sha256(content.as_bytes())
}

#[tokio::test]
async fn stores_live_and_end() {
    let server = Server::open();
    let body = json!({"name": "Notes", "description": "d".repeat(1_024), "metadata": {"a": "1"}});
    let made = server.made("/v1/memory_stores", body).await;
    let path = format!("/v1/memory_stores/{}", made["id"].as_str().unwrap());
    assert!(made["id"].as_str().unwrap().starts_with("memstore_"));
    assert_eq!(made["type"], "memory_store");
    assert_eq!(server.get(&path).await.body, made);
    let changed = json!({"name": "Other", "description": null, "metadata": {"a": null}});
    let changed = server.made(&path, changed).await;
    assert_eq!(
        (
            &changed["name"],
            &changed["description"],
            &changed["metadata"]
        ),
        (&json!("Other"), &json!(""), &json!({}))
    );
    assert_eq!(server.made(&path, json!({"name": null})).await, changed);
    for (body, fragment) in [
        (json!({}), "name: this field is required"),
        (json!({"name": ""}), "must not be empty"),
        (
            json!({"name": "n", "description": "x".repeat(1_025)}),
            "at most 1024",
        ),
        (json!({"name": "n", "color": 1}), "unknown field"),
    ] {
        server
            .post("/v1/memory_stores", body)
            .await
            .invalid(fragment);
    }
    let (memory, _) = memory(&server, &path, "/a", "x").await;
    // A memory is no change of the store that anyone sees.
    assert_eq!(server.get(&path).await.body, changed);
    let archive = format!("{path}/archive");
    let archived = server.call("POST", &archive, None).await.body;
    assert!(archived["archived_at"].is_string());
    assert_eq!(server.call("POST", &archive, None).await.body, archived);
    server
        .post(&path, json!({"name": "x"}))
        .await
        .invalid("archived");
    let create = format!("{path}/memories");
    server
        .post(&create, json!({"path": "/b", "content": ""}))
        .await
        .invalid("archived");
    server
        .post(&memory, json!({"content": "y"}))
        .await
        .invalid("archived");
    server
        .call("DELETE", &memory, None)
        .await
        .invalid("archived");
    assert_eq!(server.get(&memory).await.body["content"], "x");
    let newer = server
        .made("/v1/memory_stores", json!({"name": "Other"}))
        .await;
    assert_eq!(
        server.get("/v1/memory_stores").await.column("id"),
        [newer["id"].clone()]
    );
    let all = server
        .get("/v1/memory_stores?include_archived=true&limit=1")
        .await;
    assert_eq!(all.column("id"), [newer["id"].clone()]);
    let next = all.body["next_page"].as_str().unwrap();
    let rest = server
        .get(&format!(
            "/v1/memory_stores?include_archived=true&page={next}"
        ))
        .await;
    assert_eq!(rest.column("id"), [made["id"].clone()]);
    let late = "/v1/memory_stores?include_archived=true&created_at[gte]=2030-01-01T00:00:00Z";
    assert_eq!(server.get(late).await.column("id").len(), 0);

    let deleted = server.call("DELETE", &path, None).await.body;
    assert_eq!(
        deleted,
        json!({"id": made["id"], "type": "memory_store_deleted"})
    );
    for path in [
        path.clone(),
        create,
        memory,
        format!("{path}/memory_versions"),
    ] {
        server
            .get(&path)
            .await
            .refused(404, "not_found_error", "memory store");
    }
    server
        .call("DELETE", &path, None)
        .await
        .refused(404, "not_found_error", "memory store");
    for kind in [Kind::Memory, Kind::MemoryVersion, Kind::MemoryContent] {
        assert!(server.store.scan(kind, None, 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn memories_are_made_changed_and_removed() {
    let server = Server::open();
    let store = store(&server).await;
    let (path, made) = memory(&server, &store, "/notes/a.md", "héllo").await;
    assert_eq!(made["content_sha256"], hash("héllo"));
    assert_eq!(
        (&made["content_size_bytes"], &made["content"], &made["path"]),
        (&json!(6), &json!("héllo"), &json!("/notes/a.md"))
    );
    assert_eq!(server.get(&path).await.body, made);
    assert_eq!(
        server.get(&format!("{path}?view=basic")).await.body["content"],
        Value::Null
    );
    server
        .get(&format!("{path}?view=all"))
        .await
        .invalid("view");
    let create = format!("{store}/memories");
    let basic = format!("{create}?view=basic");
    let empty = server
        .made(&basic, json!({"path": "/empty", "content": null}))
        .await;
    assert_eq!(
        (&empty["content"], &empty["content_size_bytes"]),
        (&Value::Null, &json!(0))
    );
    let largest = "x".repeat(102_400);
    memory(&server, &store, "/largest", &largest).await;
    for (body, fragment) in [
        (json!({"content": "x"}), "path: this field is required"),
        (json!({"path": "/x"}), "content: this field is required"),
        (
            json!({"path": "/x", "content": format!("{largest}x")}),
            "content: a memory holds at most 102400",
        ),
        (
            json!({"path": "x", "content": ""}),
            "path: must begin with /",
        ),
        (
            json!({"path": "/x/", "content": ""}),
            "path: must not have empty",
        ),
        (
            json!({"path": "/x", "content": "", "id": "mem_x"}),
            "unknown field",
        ),
    ] {
        server.post(&create, body).await.invalid(fragment);
    }
    for taken in ["/notes/a.md", "/notes", "/notes/a.md/b"] {
        let reply = server
            .post(&create, json!({"path": taken, "content": "x"}))
            .await;
        reply.refused(409, "memory_path_conflict_error", "/notes/a.md");
        assert_eq!(
            reply.body["error"]["details"]["conflicting_memory_id"],
            made["id"]
        );
        assert_eq!(reply.headers["x-should-retry"], "false");
    }
    let changed = server.made(&path, json!({"content": "two"})).await;
    assert_eq!(
        (&changed["id"], &changed["content"]),
        (&made["id"], &json!("two"))
    );
    assert_ne!(changed["memory_version_id"], made["memory_version_id"]);
    assert_eq!(changed["created_at"], made["created_at"]);
    let same = server
        .made(&path, json!({"content": "two", "path": null}))
        .await;
    assert_eq!(same, changed, "what changes nothing makes no version");
    let moved = server.made(&path, json!({"path": "/b.md"})).await;
    assert_eq!(
        (&moved["id"], &moved["path"], &moved["content"]),
        (&made["id"], &json!("/b.md"), &json!("two"))
    );
    server.post(&path, json!({"path": "/empty"})).await.refused(
        409,
        "memory_path_conflict_error",
        "/empty",
    );
    server.post(&path, json!({"path": "/b.md/below"})).await;
    let reply = server
        .call(
            "PATCH",
            &path,
            Some(json!({"path": "/c.md", "content": "three"})),
        )
        .await;
    assert_eq!((reply.status, &reply.body["path"]), (200, &json!("/c.md")));
    memory(&server, &store, "/notes/a.md", "again").await;
    let deleted = server.call("DELETE", &path, None).await.body;
    assert_eq!(deleted, json!({"id": made["id"], "type": "memory_deleted"}));
    server
        .get(&path)
        .await
        .refused(404, "not_found_error", "memory");
    server
        .post(&path, json!({}))
        .await
        .refused(404, "not_found_error", "memory");
    let other = self::store(&server).await;
    let (inside, _) = memory(&server, &store, "/in", "x").await;
    server
        .get(&inside.replace(&store, &other))
        .await
        .refused(404, "not_found_error", "memory");
}

#[tokio::test]
async fn preconditions_hold_or_refuse() {
    let server = Server::open();
    let store = store(&server).await;
    let (path, made) = memory(&server, &store, "/a", "one").await;
    let with = |content: &str, sha: String| json!({"content": content, "precondition": {"type": "content_sha256", "content_sha256": sha}});
    let two = server.made(&path, with("two", hash("one"))).await;
    assert_eq!(two["content"], "two");
    let reply = server.post(&path, with("three", hash("one"))).await;
    reply.refused(409, "memory_precondition_failed_error", &hash("two"));
    assert_eq!(reply.headers["x-should-retry"], "false");
    assert_eq!(
        server.made(&path, with("two", hash("one"))).await,
        two,
        "it is so already"
    );
    let moved = json!({"path": "/b", "content": "two", "precondition": {"type": "content_sha256", "content_sha256": hash("one")}});
    server
        .post(&path, moved)
        .await
        .refused(409, "memory_precondition_failed_error", "");
    let open = json!({"content": "three", "precondition": {"type": "content_sha256"}});
    server.made(&path, open).await;
    server
        .post(&path, with("x", "ABC".to_owned()))
        .await
        .invalid("precondition.content_sha256");
    let other = json!({"content": "x", "precondition": {"type": "version"}});
    server.post(&path, other).await.invalid("precondition.type");
    let delete = format!("{path}?expected_content_sha256=");
    let reply = server
        .call("DELETE", &format!("{delete}{}", hash("two")), None)
        .await;
    reply.refused(409, "memory_precondition_failed_error", "");
    server
        .call("DELETE", &format!("{delete}x"), None)
        .await
        .invalid("expected_content_sha256");
    let deleted = server
        .call("DELETE", &format!("{delete}{}", hash("three")), None)
        .await;
    assert_eq!(deleted.body["id"], made["id"]);
}

#[tokio::test]
async fn writers_at_the_same_time_lose_nothing() {
    let server = Server::open();
    let store = store(&server).await;
    let (path, _) = memory(&server, &store, "/a", "0").await;
    let same = json!({"path": "/same", "content": "x"});
    let create = format!("{store}/memories");
    let creates =
        futures::future::join_all((0..6).map(|_| server.post(&create, same.clone()))).await;
    assert_eq!(
        creates.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    assert_eq!(
        creates.iter().filter(|reply| reply.status == 409).count(),
        5
    );
    let body = |n: i32| json!({"content": n.to_string(), "precondition": {"type": "content_sha256", "content_sha256": hash("0")}});
    let updates = futures::future::join_all((1..7).map(|n| server.post(&path, body(n)))).await;
    assert_eq!(
        updates.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    let versions = server.get(&format!("{store}/memory_versions")).await;
    assert_eq!(
        versions.column("operation"),
        ["modified", "created", "created"]
    );
}

#[tokio::test]
async fn lists_go_by_path() {
    let server = Server::open();
    let store = store(&server).await;
    let paths = ["/z", "/b/d/e", "/b/c", "/a", "/bc/x"];
    for path in paths {
        memory(&server, &store, path, path).await;
    }
    let list = format!("{store}/memories");
    assert_eq!(
        server.get(&list).await.column("path"),
        ["/a", "/b/c", "/b/d/e", "/bc/x", "/z"]
    );
    assert_eq!(
        server.get(&list).await.column("content"),
        vec![Value::Null; 5]
    );
    let full = server
        .get(&format!("{list}?view=full&path_prefix=/b/"))
        .await;
    assert_eq!(full.column("content"), ["/b/c", "/b/d/e"]);
    let folders = server.get(&format!("{list}?depth=1")).await;
    assert_eq!(folders.column("path"), ["/a", "/b/", "/bc/", "/z"]);
    assert_eq!(
        folders.column("type"),
        ["memory", "memory_prefix", "memory_prefix", "memory"]
    );
    assert_eq!(
        folders.body["data"][1],
        json!({"type": "memory_prefix", "path": "/b/"})
    );
    let mut seen = Vec::new();
    let mut query = format!("{list}?depth=1&limit=1");
    loop {
        let page = server.get(&query).await;
        seen.extend(page.column("path"));
        match page.body["next_page"].as_str() {
            Some(next) => query = format!("{list}?depth=1&limit=1&page={next}"),
            None => break,
        }
    }
    assert_eq!(seen, folders.column("path"));
    for (query, fragment) in [
        ("depth=2", "depth"),
        ("path_prefix=/b", "path_prefix"),
        ("path_prefix=b/", "path_prefix"),
        ("limit=101", "limit"),
        ("limit=0", "limit"),
        ("page=x", "page"),
    ] {
        server
            .get(&format!("{list}?{query}"))
            .await
            .invalid(fragment);
    }
    for n in 0..20 {
        memory(&server, &store, &format!("/many/{n}"), "x").await;
    }
    let full = server.get(&format!("{list}?view=full&limit=100")).await;
    assert_eq!(
        full.column("path").len(),
        20,
        "pages with contents are short"
    );
    assert_eq!(
        server
            .get(&format!("{list}?limit=100"))
            .await
            .column("path")
            .len(),
        25
    );
}

#[tokio::test]
async fn versions_tell_the_history_and_can_be_wiped() {
    let server = Server::open();
    let store = store(&server).await;
    let (path, made) = memory(&server, &store, "/a", "one").await;
    let (_, other) = memory(&server, &store, "/other", "x").await;
    let two = server.made(&path, json!({"content": "two"})).await;
    server.call("DELETE", &path, None).await;
    let list = format!("{store}/memory_versions");
    let all = server.get(&list).await;
    assert_eq!(
        all.column("operation"),
        ["deleted", "modified", "created", "created"]
    );
    assert_eq!(all.column("content"), vec![Value::Null; 4]);
    let of = server
        .get(&format!(
            "{list}?view=full&memory_id={}",
            made["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        of.column("content"),
        [Value::Null, json!("two"), json!("one")]
    );
    assert_eq!(of.column("path"), ["/a", "/a", "/a"]);
    assert_eq!(of.column("content_sha256")[1], hash("two"));
    let deleted = server.get(&format!("{list}?operation=deleted")).await;
    assert_eq!(deleted.column("memory_id"), [made["id"].clone()]);
    assert_eq!(
        server
            .get(&format!("{list}?session_id=sesn_x"))
            .await
            .column("id")
            .len(),
        0
    );
    server
        .get(&format!("{list}?operation=renamed"))
        .await
        .invalid("operation");
    let first = server.get(&format!("{list}?limit=3")).await;
    let next = first.body["next_page"].as_str().unwrap();
    let rest = server.get(&format!("{list}?limit=3&page={next}")).await;
    assert_eq!(rest.column("id"), [made["memory_version_id"].clone()]);
    let id = two["memory_version_id"].as_str().unwrap();
    let version = format!("{list}/{id}");
    assert_eq!(server.get(&version).await.body["content"], "two");
    assert_eq!(
        server.get(&format!("{version}?view=basic")).await.body["content"],
        Value::Null
    );

    let redact = format!("{version}/redact");
    let redacted = server.call("POST", &redact, None).await.body;
    for field in ["content", "path", "content_sha256", "content_size_bytes"] {
        assert_eq!(redacted[field], Value::Null, "{field}");
    }
    assert!(redacted["redacted_at"].is_string() && redacted["operation"] == "modified");
    assert_eq!(server.call("POST", &redact, None).await.body, redacted);
    assert_eq!(server.get(&version).await.body, redacted);
    let head = format!(
        "{list}/{}/redact",
        other["memory_version_id"].as_str().unwrap()
    );
    server.call("POST", &head, None).await.invalid("newest");
    let last = all.body["data"][0]["id"].as_str().unwrap();
    assert_eq!(
        server
            .call("POST", &format!("{list}/{last}/redact"), None)
            .await
            .status,
        200
    );
    let unknown = format!("{list}/memver_x");
    server
        .get(&unknown)
        .await
        .refused(404, "not_found_error", "memory version");
    server
        .call("POST", &format!("{unknown}/redact"), None)
        .await
        .refused(404, "not_found_error", "memver_x");
}

#[tokio::test]
async fn a_key_is_the_actor() {
    let server = Server::new(AuthMode::Keys);
    let workspace = WorkspaceId::from_text("wrkspc_a");
    let now = Timestamp::from_second(1).unwrap();
    let key = crate::api::create_key(&*server.store, &workspace, "k", Role::Member, now)
        .await
        .unwrap();
    let send = async |method: &str, path: &str, body: Value| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("anthropic-beta", "agent-memory-2026-07-22")
            .header("x-api-key", key.reveal())
            .header("content-type", "application/json");
        let reply = server
            .send(request.body(Body::from(body.to_string())).unwrap())
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply
    };
    let store = send("POST", "/v1/memory_stores", json!({"name": "n"}))
        .await
        .body;
    let store = format!("/v1/memory_stores/{}", store["id"].as_str().unwrap());
    send(
        "POST",
        &format!("{store}/memories"),
        json!({"path": "/a", "content": "x"}),
    )
    .await;
    let actor = json!({"type": "api_actor", "api_key_id": key.id.as_str()});
    let list = format!("{store}/memory_versions?api_key_id={}", key.id);
    assert_eq!(
        send("GET", &list, json!({})).await.column("created_by"),
        [actor]
    );
}

#[tokio::test]
async fn old_versions_end() {
    let server = Server::open();
    let store = store(&server).await;
    let (kept, _) = memory(&server, &store, "/kept", "0").await;
    for n in 1..9 {
        server.made(&kept, json!({"content": n.to_string()})).await;
    }
    let (gone, _) = memory(&server, &store, "/gone", "x").await;
    server.call("DELETE", &gone, None).await;
    let list = format!("{store}/memory_versions?limit=100");
    assert_eq!(sweep(&*server.store, server.clock.now()).await.unwrap(), 0);
    server.clock.advance(Duration::from_secs(29 * 24 * 60 * 60));
    assert_eq!(sweep(&*server.store, server.clock.now()).await.unwrap(), 0);
    server.made(&kept, json!({"content": "9"})).await;
    server.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    assert_eq!(sweep(&*server.store, server.clock.now()).await.unwrap(), 7);
    let left = server.get(&list).await;
    assert_eq!(
        left.column("operation"),
        vec!["modified"; 5],
        "the newest of a live memory stay"
    );
    assert_eq!(server.get(&kept).await.body["content"], "9");
    assert_eq!(
        server
            .store
            .scan(Kind::MemoryContent, None, 99)
            .await
            .unwrap()
            .len(),
        5
    );
    assert_eq!(sweep(&*server.store, server.clock.now()).await.unwrap(), 0);
}

#[tokio::test]
async fn other_workspaces_see_no_memory() {
    let server = Server::open();
    let store = store(&server).await;
    let (path, made) = memory(&server, &store, "/a", "x").await;
    let version = format!(
        "{store}/memory_versions/{}",
        made["memory_version_id"].as_str().unwrap()
    );
    for (method, path) in [
        ("GET", store.clone()),
        ("POST", store.clone()),
        ("DELETE", store.clone()),
        ("POST", format!("{store}/archive")),
        ("GET", format!("{store}/memories")),
        ("GET", path.clone()),
        ("POST", path.clone()),
        ("DELETE", path.clone()),
        ("GET", format!("{store}/memory_versions")),
        ("GET", version.clone()),
        ("POST", format!("{version}/redact")),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header("anthropic-beta", BETA)
            .header("anthropic-workspace-id", "wrkspc_other")
            .header("content-type", "application/json");
        let reply = server.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(reply.status, 404, "{method} {path}");
    }
    assert_eq!(server.get(&path).await.status, 200);
}
