//! `/v1/environments` over the store.

use super::*;

fn no_packages() -> Value {
    json!({"type": "packages", "apt": [], "cargo": [], "gem": [], "go": [], "npm": [], "pip": []})
}

fn cloud(networking: Value) -> Value {
    json!({"type": "cloud", "networking": networking, "packages": no_packages()})
}

async fn environment(server: &Server, body: Value) -> (String, Value) {
    let environment = server.made("/v1/environments", body).await;
    (
        format!("/v1/environments/{}", environment["id"].as_str().unwrap()),
        environment,
    )
}

#[tokio::test]
async fn a_new_environment_has_every_field() {
    let server = Server::open();
    let (path, environment) = environment(&server, json!({"name": "e", "description": ""})).await;
    let at = environment["created_at"].clone();
    assert_eq!(
        environment,
        json!({
            "type": "environment", "id": environment["id"], "name": "e", "description": "",
            "config": cloud(json!({"type": "unrestricted"})), "metadata": {}, "scope": "organization",
            "created_at": at, "updated_at": at, "archived_at": null,
        })
    );
    assert!(environment["id"].as_str().unwrap().starts_with("env_"));
    assert_eq!(server.get(&path).await.body, environment);
}

#[tokio::test]
async fn updates_keep_what_they_leave_out() {
    let server = Server::open();
    let limited =
        json!({"type": "limited", "allowed_hosts": ["example.com", "*.example.org", "localhost"]});
    let body = json!({"name": "e", "description": "d", "metadata": {"a": "1"},
        "config": {"type": "cloud", "networking": limited, "packages": {"pip": [], "apt": null}}});
    let (path, environment) = environment(&server, body).await;
    let network = |mcp: bool, hosts: Value| {
        cloud(
            json!({"type": "limited", "allow_mcp_servers": mcp, "allow_package_managers": false, "allowed_hosts": hosts}),
        )
    };
    let hosts = limited["allowed_hosts"].clone();
    assert_eq!(environment["config"], network(false, hosts.clone()));
    for nothing in [
        json!({}),
        json!({"name": null, "config": null, "scope": null}),
        json!({"config": {"type": "cloud", "networking": null, "packages": null}}),
        json!({"config": {"type": "cloud", "networking": {"type": "limited"}}}),
    ] {
        assert_eq!(server.made(&path, nothing).await, environment);
    }
    let change = |networking: Value| json!({"config": {"type": "cloud", "networking": networking}});
    let more = server
        .made(
            &path,
            change(json!({"type": "limited", "allow_mcp_servers": true})),
        )
        .await;
    assert_eq!(more["config"], network(true, hosts));
    let open = server
        .made(&path, change(json!({"type": "unrestricted"})))
        .await;
    assert_eq!(open["config"], cloud(json!({"type": "unrestricted"})));
    let shut = server.made(&path, change(json!({"type": "limited"}))).await;
    assert_eq!(shut["config"], network(false, json!([])));
    let renamed = json!({"name": "f", "description": null, "metadata": {"a": "", "b": "2"}});
    let renamed = server.made(&path, renamed).await;
    assert_eq!(
        (&renamed["description"], &renamed["metadata"]),
        (&Value::Null, &json!({"b": "2"}))
    );
    environment_is_free(&server, "e").await;
}

async fn environment_is_free(server: &Server, name: &str) {
    assert_eq!(
        server
            .post("/v1/environments", json!({"name": name}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn refusals() {
    let server = Server::open();
    let limited = |hosts: Value| json!({"type": "cloud", "networking": {"type": "limited", "allowed_hosts": hosts}});
    for (extra, fragment) in [
        (json!({"name": null}), "name: this field is required"),
        (json!({"name": "x".repeat(257)}), "name: at most 256"),
        (json!({"scope": "account"}), "no accounts"),
        (json!({"scope": "all"}), "scope: expected"),
        (json!({"config": {"networking": null}}), "config.type"),
        (
            json!({"config": {"type": "self_hosted", "packages": {}}}),
            "unknown field \"packages\"",
        ),
        (
            json!({"config": {"type": "cloud", "packages": {"pip": ["numpy"]}}}),
            "config.packages.pip: this server's hands cannot install",
        ),
        (
            json!({"config": {"type": "cloud", "packages": {"conda": []}}}),
            "unknown field \"conda\"",
        ),
        (
            json!({"config": {"type": "cloud", "networking": {"type": "none"}}}),
            "config.networking.type",
        ),
        (
            json!({"config": {"type": "cloud", "networking": {"type": "unrestricted", "allowed_hosts": []}}}),
            "unknown field",
        ),
        (
            json!({"config": limited(json!(["https://example.com"]))}),
            "allowed_hosts.0: expected a bare host",
        ),
        (
            json!({"config": limited(json!(["a.*.com"]))}),
            "allowed_hosts.0",
        ),
        (
            json!({"config": limited(json!(["example.com:443"]))}),
            "allowed_hosts.0",
        ),
        (json!({"config": limited(json!(["*"]))}), "allowed_hosts.0"),
        (json!({"color": "red"}), "unknown field \"color\""),
    ] {
        let mut body = json!({"name": "e"});
        for (key, value) in extra.as_object().unwrap() {
            body[key] = value.clone();
        }
        server
            .post("/v1/environments", body)
            .await
            .invalid(fragment);
    }
    let reply = server
        .post(
            "/v1/environments",
            json!({"name": "e", "metadata": {"a": 1}}),
        )
        .await;
    assert_eq!(
        reply.invalid("metadata").body["error"]["details"],
        json!({"error_code": "invalid_metadata"})
    );
    let (path, _) = environment(&server, json!({"name": "e"})).await;
    let reply = server
        .post(&path, json!({"config": {"type": "self_hosted"}}))
        .await;
    assert_eq!(
        reply.invalid("stays so").body["error"]["details"]["error_code"],
        "invalid_config_type_change"
    );
    let reply = server.get("/v1/environments/env_x").await;
    reply.refused(404, "not_found_error", "env_x");
    assert_eq!(
        reply.body["error"]["details"]["error_code"],
        "environment_not_found"
    );
}

#[tokio::test]
async fn names_are_unique_among_the_living() {
    let server = Server::open();
    let (path, first) = environment(&server, json!({"name": "e"})).await;
    let (other, _) = environment(&server, json!({"name": "f"})).await;
    for (path, body) in [
        ("/v1/environments", json!({"name": "e"})),
        (other.as_str(), json!({"name": "e"})),
    ] {
        let reply = server.post(path, body).await;
        reply.refused(409, "conflict_error", "\"e\" is taken");
        assert_eq!(reply.headers["x-should-retry"], "false");
    }
    let archive = format!("{path}/archive");
    let archived = server.call("POST", &archive, None).await.body;
    assert!(archived["archived_at"].is_string());
    assert_eq!(
        server.call("POST", &archive, None).await.body,
        archived,
        "again changes nothing"
    );
    let reply = server.post(&path, json!({"name": "g"})).await;
    assert_eq!(
        reply.invalid("archived").body["error"]["details"]["error_code"],
        "environment_archived"
    );
    environment_is_free(&server, "e").await;
    assert_eq!(
        server.get("/v1/environments").await.column("name"),
        ["e", "f"]
    );
    let all = server.get("/v1/environments?include_archived=true").await;
    assert_eq!(all.column("name"), ["e", "f", "e"]);

    let deleted = server.call("DELETE", &path, None).await;
    assert_eq!(
        deleted.body,
        json!({"id": first["id"], "type": "environment_deleted"})
    );
    server
        .call("DELETE", &path, None)
        .await
        .refused(404, "not_found_error", "environment");
    server
        .get(&path)
        .await
        .refused(404, "not_found_error", "environment");
}
