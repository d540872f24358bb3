//! `/v1/files` over the store.

use super::*;
use crate::api::files::Sweeper;
use crate::clock::Clock;
use crate::ids::SessionId;

/// A part of a form: its disposition behind `form-data; `, its type, its content.
type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// Returns a request with these parts.
pub(super) fn form(path: &str, parts: &[Part<'_>]) -> Request<Body> {
    let mut body = Vec::new();
    for (disposition, content_type, content) in parts {
        body.extend(format!("--b0\r\ncontent-disposition: form-data; {disposition}\r\n").bytes());
        if let Some(content_type) = content_type {
            body.extend(format!("content-type: {content_type}\r\n").bytes());
        }
        body.extend(b"\r\n");
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--b0--\r\n");
    Request::builder()
        .method("POST")
        .uri(path)
        .header("content-type", "multipart/form-data; boundary=b0")
        .body(Body::from(body))
        .unwrap()
}

impl Server {
    pub(super) async fn upload(&self, name: &str, content: &[u8]) -> Value {
        let disposition = format!("name=\"file\"; filename=\"{name}\"");
        let reply = self
            .send(form("/v1/files", &[(&disposition, None, content)]))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    async fn refused_upload(&self, parts: &[Part<'_>]) -> Reply {
        let reply = self.send(form("/v1/files", parts)).await;
        assert_ne!(reply.status, 200, "{}", reply.body);
        let left = self.state.blobs.names().await.unwrap();
        assert_eq!(left, [""; 0], "a refused upload leaves nothing");
        reply
    }

    /// Sends a request whose answer is no JSON.
    pub(super) async fn raw(&self, path: &str) -> (u16, HeaderMap, Vec<u8>) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, bytes.to_vec())
    }
}

fn path_of(file: &Value) -> String {
    format!("/v1/files/{}", file["id"].as_str().unwrap())
}

#[tokio::test]
async fn an_upload_has_every_field() {
    let server = Server::open();
    let request = form(
        "/v1/files",
        &[
            ("name=\"expires_in_seconds\"", None, b"3600"),
            ("name=\"file\"; filename=\"a b.csv\"", None, b"1,2\r\n3,4"),
        ],
    );
    let file = server.send(request).await.body;
    let (id, at) = (file["id"].clone(), file["created_at"].clone());
    let created: Timestamp = at.as_str().unwrap().parse().unwrap();
    let expires = created.checked_add(Duration::from_secs(3_600)).unwrap();
    assert_eq!(
        file,
        json!({
            "type": "file", "id": id, "filename": "a b.csv", "mime_type": "text/csv", "size_bytes": 8,
            "downloadable": false, "expires_at": crate::clock::rfc3339(expires), "scope": null,
            "created_at": at,
        })
    );
    assert!(id.as_str().unwrap().starts_with("file_"));
    assert_eq!(server.get(&path_of(&file)).await.body, file);
    let stored = server.state.blobs.bytes(id.as_str().unwrap(), 100).await;
    assert_eq!(stored.unwrap(), b"1,2\r\n3,4".as_slice());
    let content = server.get(&format!("{}/content", path_of(&file))).await;
    content.invalid("was uploaded");
    assert_eq!(
        content.body["error"]["details"]["error_code"],
        "file_not_downloadable"
    );

    let deleted = server.call("DELETE", &path_of(&file), None).await;
    assert_eq!(deleted.body, json!({"id": id, "type": "file_deleted"}));
    for (method, path) in [
        ("GET", path_of(&file)),
        ("GET", format!("{}/content", path_of(&file))),
        ("DELETE", path_of(&file)),
    ] {
        let reply = server.call(method, &path, None).await;
        reply.refused(404, "not_found_error", "was not found");
    }
    assert_eq!(server.state.blobs.names().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn names_and_types_are_said_or_found() {
    let server = Server::open();
    for (disposition, said, name, mime_type) in [
        (
            "filename=\"C:\\\\tmp\\\\x.json\"",
            None,
            "x.json",
            "application/json",
        ),
        (
            "filename=\"dir/x.bin\"",
            Some("text/x-log"),
            "x.bin",
            "text/x-log",
        ),
        ("filename=\"\"", Some("text/csv"), "unnamed.csv", "text/csv"),
        (
            "filename=\"none\"",
            None,
            "none",
            "application/octet-stream",
        ),
        (
            "filename=\"p.png\"",
            Some("application/octet-stream"),
            "p.png",
            "image/png",
        ),
    ] {
        let disposition = format!("name=\"file\"; {disposition}");
        let reply = server
            .send(form("/v1/files", &[(&disposition, said, b"")]))
            .await;
        assert_eq!(
            (&reply.body["filename"], &reply.body["mime_type"]),
            (&json!(name), &json!(mime_type)),
            "{disposition}: {}",
            reply.body
        );
        assert_eq!(reply.body["size_bytes"], 0);
    }
}

#[tokio::test]
async fn bad_uploads_leave_nothing() {
    let server = Server::open();
    let file: Part<'_> = ("name=\"file\"; filename=\"a\"", None, b"x");
    let expires = |text: &'static [u8]| ("name=\"expires_in_seconds\"", None, text);
    let long = format!("name=\"file\"; filename=\"{}\"", "x".repeat(256));
    for (parts, fragment) in [
        (&[][..], "file: this part is required"),
        (&[expires(b"3600")], "file: this part is required"),
        (&[file, expires(b"3599")], "from 3600 to 7776000"),
        (&[file, expires(b"7776001")], "from 3600 to 7776000"),
        (&[file, expires(b"soon")], "from 3600 to 7776000"),
        (&[file, expires(&[b'1'; 33])], "at most 32 bytes"),
        (&[file, file], "only once"),
        (&[file, ("name=\"purpose\"", None, b"x")], "unknown part"),
        (
            &[("name=\"file\"; filename=\"a:b\"", None, b"x")],
            "none of",
        ),
        (&[("name=\"file\"; filename=\"a?\"", None, b"x")], "none of"),
        (&[(long.as_str(), None, b"x")], "1 to 255 characters"),
    ] {
        server.refused_upload(parts).await.invalid(fragment);
    }
    let cut = Request::builder()
        .method("POST")
        .uri("/v1/files")
        .header("content-type", "multipart/form-data; boundary=b0")
        .body(Body::from(
            "--b0\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf",
        ))
        .unwrap();
    server.send(cut).await.invalid("cannot be read");
    let plain = server.post("/v1/files", json!({"file": "x"})).await;
    plain.invalid("multipart/form-data");
    assert_eq!(server.state.blobs.names().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn lists_are_read_by_cursor_by_ids_and_by_name() {
    let server = Server::open();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(server.upload(&format!("{n}"), b"x").await["id"].clone());
    }
    ids.reverse();
    let first = server.get("/v1/files?limit=2").await;
    assert_eq!(first.column("id"), ids[..2]);
    assert_eq!(
        (
            &first.body["has_more"],
            &first.body["first_id"],
            &first.body["last_id"]
        ),
        (&json!(true), &ids[0], &ids[1])
    );
    let page = first.body["next_page"].as_str().unwrap();
    assert!(page.starts_with("page_"), "{page}");
    let second = server.get(&format!("/v1/files?limit=2&page={page}")).await;
    assert_eq!(second.column("id"), ids[2..4]);
    let page = second.body["next_page"].as_str().unwrap();
    let third = server.get(&format!("/v1/files?limit=2&page={page}")).await;
    assert_eq!(
        (third.column("id"), &third.body["next_page"]),
        (ids[4..].to_vec(), &Value::Null)
    );

    let text = |id: &Value| id.as_str().unwrap().to_owned();
    let after = server
        .get(&format!("/v1/files?limit=2&after_id={}", text(&ids[1])))
        .await;
    assert_eq!(
        (after.column("id"), &after.body["has_more"]),
        (ids[2..4].to_vec(), &json!(true))
    );
    let before = server
        .get(&format!("/v1/files?limit=2&before_id={}", text(&ids[3])))
        .await;
    assert_eq!(
        (before.column("id"), &before.body["has_more"]),
        (ids[1..3].to_vec(), &json!(true))
    );

    let query = format!(
        "ids[]={}&ids[]=file_none&ids[]={}",
        text(&ids[3]),
        text(&ids[1])
    );
    let named = server.get(&format!("/v1/files?{query}")).await;
    assert_eq!(named.column("id"), [ids[1].clone(), ids[3].clone()]);
    assert_eq!(named.body["next_page"], Value::Null);
    for (query, fragment) in [
        (
            format!("{query}&limit=2"),
            "limit: this parameter excludes ids[]",
        ),
        (
            format!("{query}&page=page_x"),
            "page: this parameter excludes ids[]",
        ),
        ("ids[]=a&".repeat(101), "at most 100 values"),
        ("limit=0".to_owned(), "from 1 to 1000"),
        ("limit=1001".to_owned(), "from 1 to 1000"),
        ("page=nonsense".to_owned(), "malformed"),
        ("page=page_nonsense".to_owned(), "malformed"),
        (
            format!("after_id={}&before_id={}", text(&ids[0]), text(&ids[1])),
            "exclude each other",
        ),
    ] {
        server
            .get(&format!("/v1/files?{query}"))
            .await
            .invalid(fragment);
    }
    server
        .get("/v1/files?after_id=file_none")
        .await
        .refused(404, "not_found_error", "file");
    assert_eq!(
        server
            .get("/v1/files?scope_id=sesn_none")
            .await
            .column("id"),
        [""; 0]
    );
}

#[tokio::test]
async fn another_workspace_sees_no_files() {
    let server = Server::open();
    let file = server.upload("a", b"x").await;
    for (method, path) in [
        ("GET", path_of(&file)),
        ("GET", format!("{}/content", path_of(&file))),
        ("DELETE", path_of(&file)),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header("anthropic-workspace-id", "wrkspc_other")
            .body(Body::empty())
            .unwrap();
        let reply = server.send(request).await;
        reply.refused(404, "not_found_error", "was not found");
    }
    let request = Request::builder()
        .uri(format!("/v1/files?ids[]={}", file["id"].as_str().unwrap()))
        .header("anthropic-workspace-id", "wrkspc_other")
        .body(Body::empty())
        .unwrap();
    assert_eq!(server.send(request).await.column("id"), [""; 0]);
    assert_eq!(server.get(&path_of(&file)).await.status, 200);
}

#[tokio::test]
async fn what_has_expired_is_removed() {
    let server = Server::open();
    let request = form(
        "/v1/files",
        &[
            ("name=\"file\"; filename=\"a\"", None, b"x"),
            ("name=\"expires_in_seconds\"", None, b"7200"),
        ],
    );
    let short = server.send(request).await.body;
    let long = server.upload("b", b"y").await;
    let state = &server.state;
    let mut sweeper = Sweeper::new(
        state.store.clone(),
        state.blobs.clone(),
        state.clock.clone(),
    )
    .await
    .unwrap();
    let hour = Duration::from_secs(3_600);
    assert_eq!(
        sweeper.look().await.unwrap(),
        hour,
        "nothing sooner can expire"
    );
    server.clock.advance(hour);
    let wait = sweeper.look().await.unwrap();
    assert!(wait < hour && wait > Duration::from_secs(3_500), "{wait:?}");
    assert_eq!(server.get(&path_of(&short)).await.status, 200);
    server.clock.advance(wait);
    let content = server.get(&format!("{}/content", path_of(&short))).await;
    content.refused(404, "not_found_error", "has expired");
    assert_eq!(
        content.body["error"]["details"]["error_code"],
        "file_expired"
    );
    sweeper.look().await.unwrap();
    assert_eq!(
        server.get("/v1/files").await.column("id"),
        [long["id"].clone()]
    );
    assert_eq!(
        state.blobs.names().await.unwrap(),
        [long["id"].as_str().unwrap()]
    );
}

#[tokio::test]
async fn what_a_dead_daemon_left_is_removed() {
    let server = Server::open();
    let file = server.upload("a", b"x").await;
    let state = &server.state;
    let skill = server.new_skill("one").await;
    let version = skill["latest_version_id"].as_str().unwrap();
    // Contents without a record, a copy for a session that was never made, and a name of another's.
    for name in ["file_orphan", "skver_orphan", "other_1"] {
        state.blobs.put_bytes(name, "x".into()).await.unwrap();
    }
    let workspace = WorkspaceId::from_text(DEFAULT_WORKSPACE);
    let session = SessionId::fresh(server.clock.now());
    let id = file["id"].as_str().unwrap();
    let copy = crate::api::files::copy_into(state, &workspace, id, &session, server.clock.now())
        .await
        .unwrap();
    state.store.create(copy.record).await.unwrap();
    let mut sweeper = Sweeper::new(
        state.store.clone(),
        state.blobs.clone(),
        state.clock.clone(),
    )
    .await
    .unwrap();
    let late = server.upload("late", b"z").await;
    sweeper.look().await.unwrap();
    let mut names = state.blobs.names().await.unwrap();
    names.sort();
    let mut expected = [id, late["id"].as_str().unwrap(), "other_1", version];
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(
        server.get("/v1/files").await.column("id"),
        [late["id"].clone(), file["id"].clone()]
    );
}

#[tokio::test]
async fn an_upload_may_be_larger_than_other_bodies_but_not_endless() {
    let server = Server::open();
    let file = server
        .upload("large", &vec![7; super::super::BODY_BYTES_MAX + 1])
        .await;
    assert_eq!(file["size_bytes"], super::super::BODY_BYTES_MAX + 1);
    server.call("DELETE", &path_of(&file), None).await;
    // The body is made as it is read: neither side has it whole.
    let head = "--b0\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let zeros = bytes::Bytes::from(vec![0; 1 << 20]);
    let parts = (0..501).map(move |_| Ok::<_, std::convert::Infallible>(zeros.clone()));
    let head = futures::stream::iter([Ok(bytes::Bytes::from_static(head.as_bytes()))]);
    let body = futures::StreamExt::chain(head, futures::stream::iter(parts));
    let request = Request::builder()
        .method("POST")
        .uri("/v1/files")
        .header("content-type", "multipart/form-data; boundary=b0")
        .body(Body::from_stream(body))
        .unwrap();
    let reply = server.send(request).await;
    reply.refused(413, "request_too_large", "exceeds");
    assert_eq!(server.state.blobs.names().await.unwrap(), [""; 0]);
}
