//! `/v1/skills` over the store.

use super::files::form;
use super::*;
use crate::api::skills::resolve_skills;
use crate::archive::{self, Bounds, Entry};

fn skill_file(name: &str) -> String {
    format!("---\nname: {name}\ndescription: Does {name}.\n---\nDo it.\n")
}

impl Server {
    /// Uploads files with these paths, and returns the answer.
    async fn upload_skill(&self, path: &str, files: &[(&str, &str)], label: Option<&str>) -> Reply {
        let dispositions: Vec<String> = files
            .iter()
            .map(|(name, _)| format!("name=\"files[]\"; filename=\"{name}\""))
            .collect();
        let mut parts: Vec<(&str, Option<&str>, &[u8])> = Vec::new();
        for (disposition, (_, content)) in dispositions.iter().zip(files) {
            parts.push((disposition, None, content.as_bytes()));
        }
        if let Some(label) = label {
            parts.push(("name=\"display_name\"", None, label.as_bytes()));
        }
        self.send(form(path, &parts)).await
    }

    pub(super) async fn new_skill(&self, name: &str) -> Value {
        let text = skill_file(name);
        let reply = self
            .upload_skill("/v1/skills", &[("f/SKILL.md", &text)], None)
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }
}

fn path_of(skill: &Value) -> String {
    format!("/v1/skills/{}", skill["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_skill_and_its_version_have_every_field() {
    let server = Server::open();
    let text = skill_file("pdf");
    let files = [("any/SKILL.md", text.as_str()), ("any/x/run.py", "print()")];
    let skill = server
        .upload_skill("/v1/skills", &files, Some("PDF things"))
        .await
        .body;
    let at = skill["created_at"].clone();
    assert_eq!(
        skill,
        json!({
            "type": "skill", "id": skill["id"], "display_name": "PDF things", "source": {"type": "custom"},
            "latest_version_id": skill["latest_version_id"], "created_at": at, "updated_at": at,
        })
    );
    assert!(skill["id"].as_str().unwrap().starts_with("skill_"));
    assert_eq!(server.get(&path_of(&skill)).await.body, skill);
    let id = skill["latest_version_id"].as_str().unwrap();
    assert!(id.starts_with("skver_"));
    let versions = format!("{}/versions", path_of(&skill));
    let version = server.get(&format!("{versions}/latest")).await.body;
    assert_eq!(
        version,
        json!({
            "type": "skill_version", "id": id, "skill_id": skill["id"], "name": "pdf",
            "description": "Does pdf.", "created_at": version["created_at"],
        })
    );
    assert_eq!(server.get(&format!("{versions}/{id}")).await.body, version);
    let (status, headers, zip) = server.raw(&format!("{versions}/{id}/content")).await;
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &"application/zip".parse().unwrap())
    );
    let bounds = Bounds {
        bytes_max: 1_000,
        files_max: 10,
    };
    let entry = |path: &str, content: &str| Entry {
        path: path.to_owned(),
        content: content.as_bytes().to_vec(),
        is_executable: false,
    };
    assert_eq!(
        archive::unpack(&zip, bounds).unwrap(),
        [
            entry("pdf/SKILL.md", &text),
            entry("pdf/x/run.py", "print()")
        ]
    );
    assert_eq!(server.new_skill("other").await["display_name"], "other");
}

#[tokio::test]
async fn versions_come_and_go_but_one_stays() {
    let server = Server::open();
    let skill = server.new_skill("pdf").await;
    let versions = format!("{}/versions", path_of(&skill));
    let mut ids = vec![skill["latest_version_id"].clone()];
    let text = skill_file("pdf");
    for _ in 0..2 {
        let reply = server
            .upload_skill(&versions, &[("f/SKILL.md", &text)], None)
            .await;
        assert_eq!(reply.body["type"], "skill_version", "{}", reply.body);
        ids.insert(0, reply.body["id"].clone());
    }
    let latest = async || server.get(&path_of(&skill)).await.body["latest_version_id"].clone();
    assert_eq!(latest().await, ids[0]);
    let first = server.get(&format!("{versions}?limit=2")).await;
    assert_eq!(first.column("id"), ids[..2]);
    let page = first.body["next_page"].as_str().unwrap();
    let second = server.get(&format!("{versions}?limit=2&page={page}")).await;
    assert_eq!(second.column("id"), ids[2..]);

    let other = skill_file("other");
    let renamed = server
        .upload_skill(&versions, &[("f/SKILL.md", &other)], None)
        .await;
    renamed.invalid("every version of this skill is named");
    server
        .upload_skill(&versions, &[("f/SKILL.md", &text)], Some("label"))
        .await
        .invalid("unknown part \"display_name\"");

    let delete = async |id: &Value| {
        let path = format!("{versions}/{}", id.as_str().unwrap());
        server.call("DELETE", &path, None).await
    };
    assert_eq!(
        delete(&ids[0]).await.body,
        json!({"id": ids[0], "type": "skill_version_deleted"})
    );
    assert_eq!(latest().await, ids[1]);
    assert_eq!(delete(&ids[2]).await.status, 200);
    assert_eq!(latest().await, ids[1]);
    delete(&ids[2])
        .await
        .refused(404, "not_found_error", "version");
    delete(&ids[1]).await.invalid("only version");
    assert_eq!(
        server.state.blobs.names().await.unwrap(),
        [ids[1].as_str().unwrap()]
    );
    let deleted = server.call("DELETE", &path_of(&skill), None).await;
    assert_eq!(
        deleted.body,
        json!({"id": skill["id"], "type": "skill_deleted"})
    );
    for path in [
        path_of(&skill),
        versions.clone(),
        format!("{versions}/latest"),
    ] {
        server
            .get(&path)
            .await
            .refused(404, "not_found_error", "skill");
    }
    assert_eq!(server.state.blobs.names().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn lists_tell_sources_apart() {
    let server = Server::open();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.insert(0, server.new_skill(name).await["id"].clone());
    }
    let first = server.get("/v1/skills?limit=2&source=custom").await;
    assert_eq!(first.column("id"), ids[..2]);
    let page = first.body["next_page"].as_str().unwrap();
    let second = server.get(&format!("/v1/skills?page={page}")).await;
    assert_eq!(second.column("id"), ids[2..]);
    assert_eq!(
        server.get("/v1/skills?source=anthropic").await.column("id"),
        [""; 0]
    );
    server
        .get("/v1/skills?source=mine")
        .await
        .invalid("source: expected");
    server.get("/v1/skills?limit=1001").await.invalid("limit");
}

#[tokio::test]
async fn bad_uploads_leave_nothing() {
    let server = Server::open();
    let text = skill_file("a");
    let good = ("f/SKILL.md", text.as_str());
    for (files, label, fragment) in [
        (&[][..], None, "at least one file"),
        (&[("SKILL.md", text.as_str())], None, "one top folder"),
        (&[good, ("f/../../x", "")], None, "empty, . or .."),
        (&[good, good], None, "is there twice"),
        (&[("f/SKILL.md", "nothing")], None, "front matter"),
        (&[good], Some(""), "display_name"),
        (&[good], Some("two\nlines"), "display_name"),
    ] {
        let reply = server.upload_skill("/v1/skills", files, label).await;
        reply.invalid(fragment);
    }
    let long = "x".repeat(256);
    let reply = server
        .upload_skill("/v1/skills", &[good], Some(&long))
        .await;
    reply.invalid("1 to 255 characters, got 256");
    let bomb = archive::pack(&[Entry {
        path: "f/SKILL.md".to_owned(),
        content: vec![b'x'; (30 << 20) + 1],
        is_executable: false,
    }]);
    let disposition = "name=\"files[]\"; filename=\"a.zip\"";
    let reply = server
        .send(form("/v1/skills", &[(disposition, None, &bomb.unwrap())]))
        .await;
    reply.invalid("more than 31457280 bytes");
    let large = "x".repeat((30 << 20) + 1);
    let reply = server
        .upload_skill("/v1/skills", &[good, ("f/large", &large)], None)
        .await;
    reply.refused(413, "request_too_large", "31457280 bytes");
    assert_eq!(server.state.blobs.names().await.unwrap(), [""; 0]);
    assert_eq!(server.get("/v1/skills").await.column("id"), [""; 0]);
}

#[tokio::test]
async fn another_workspace_sees_no_skills() {
    let server = Server::open();
    let skill = server.new_skill("a").await;
    let path = path_of(&skill);
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("GET", format!("{path}/versions")),
        ("GET", format!("{path}/versions/latest")),
        ("GET", format!("{path}/versions/latest/content")),
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
    assert_eq!(server.get(&path).await.status, 200);
}

#[tokio::test]
async fn agents_name_skills_that_exist() {
    let server = Server::open();
    let skill = server.new_skill("pdf").await;
    let agent = |skill: Value| {
        json!({"name": "a", "model": "opus", "tools": [{"type": "agent_toolset_20260401"}],
            "skills": [skill]})
    };
    let custom =
        |id: &Value, version: &str| json!({"type": "custom", "skill_id": id, "version": version});
    for (reference, fragment) in [
        (
            json!({"type": "anthropic", "skill_id": "pptx"}),
            "not available on this server",
        ),
        (
            custom(&json!("skill_none"), "latest"),
            "skills.0: skill \"skill_none\"",
        ),
        (
            custom(&skill["id"], "skver_none"),
            "skills.0: version \"skver_none\"",
        ),
    ] {
        let reply = server.post("/v1/agents", agent(reference)).await;
        reply.invalid(fragment);
    }
    let made = server
        .made(
            "/v1/agents",
            agent(json!({"type": "custom", "skill_id": skill["id"]})),
        )
        .await;
    assert_eq!(made["skills"], json!([custom(&skill["id"], "latest")]));
    let path = format!("/v1/agents/{}", made["id"].as_str().unwrap());
    let none = custom(&json!("skill_none"), "latest");
    server
        .post(&path, json!({"version": 1, "skills": [none]}))
        .await
        .invalid("skill_none");
    assert_eq!(
        server.made(&path, json!({"version": 1, "name": "b"})).await["version"],
        2
    );

    // A session pins what `latest` means, also in its roster, and gives each skill a folder.
    let twin = server.new_skill("pdf").await;
    let workspace = WorkspaceId::from_text(DEFAULT_WORKSPACE);
    let mut snapshot = json!({
        "skills": [custom(&skill["id"], "latest"), custom(&twin["id"], "latest")],
        "multiagent": {"type": "coordinator", "agents": [{"skills": [custom(&skill["id"], "latest")]}]},
    });
    let kept = resolve_skills(&server.state, &workspace, &mut snapshot)
        .await
        .unwrap();
    let latest = |skill: &Value| skill["latest_version_id"].as_str().unwrap().to_owned();
    let pinned = custom(&skill["id"], &latest(&skill));
    assert_eq!(
        snapshot,
        json!({
            "skills": [pinned, custom(&twin["id"], &latest(&twin))],
            "multiagent": {"type": "coordinator", "agents": [{"skills": [pinned]}]},
        })
    );
    let of = |skill: &Value, folder: &str| {
        json!({"skill_id": skill["id"], "version": latest(skill), "folder": folder, "name": "pdf",
            "description": "Does pdf."})
    };
    assert_eq!(kept, [of(&skill, "pdf"), of(&twin, "pdf-2")]);
}
