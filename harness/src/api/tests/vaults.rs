//! Vaults and credentials over the router; no secret comes out anywhere.

use super::*;

const CANARY: &str = "canary-7d1f5a90-secret";

fn bearer(url: &str) -> Value {
    json!({"auth": {"type": "static_bearer", "token": CANARY, "mcp_server_url": url}})
}

fn variable(name: &str) -> Value {
    json!({"auth": {
        "type": "environment_variable", "secret_name": name, "secret_value": CANARY,
        "networking": {"type": "limited", "allowed_hosts": ["api.example.com", "*.example.org", "10.0.0.1"]},
    }})
}

fn oauth(url: &str) -> Value {
    json!({"display_name": "o", "metadata": {"a": "1"}, "auth": {
        "type": "mcp_oauth", "access_token": CANARY, "mcp_server_url": url, "expires_at": "2030-01-01T00:00:00Z",
        "refresh": {
            "client_id": "id", "refresh_token": format!("{CANARY}-r"), "token_endpoint": "https://auth.example.com/t",
            "token_endpoint_auth": {"type": "client_secret_basic", "client_secret": format!("{CANARY}-c")},
            "scope": "read", "resource": null,
        },
    }})
}

async fn vault(server: &Server) -> String {
    let vault = server
        .made("/v1/vaults", json!({"display_name": "v"}))
        .await;
    format!("/v1/vaults/{}", vault["id"].as_str().unwrap())
}

async fn credential(server: &Server, vault: &str, body: Value) -> (String, Value) {
    let made = server.made(&format!("{vault}/credentials"), body).await;
    (
        format!("{vault}/credentials/{}", made["id"].as_str().unwrap()),
        made,
    )
}

#[tokio::test]
async fn vaults_live_and_end() {
    let server = Server::open();
    let body = json!({"display_name": "é".repeat(255), "metadata": {"a": "1"}});
    let made = server.made("/v1/vaults", body).await;
    let path = format!("/v1/vaults/{}", made["id"].as_str().unwrap());
    assert!(made["id"].as_str().unwrap().starts_with("vlt_"));
    assert_eq!(
        (&made["type"], &made["archived_at"]),
        (&json!("vault"), &Value::Null)
    );
    assert_eq!(server.get(&path).await.body, made);
    let changed = json!({"display_name": "w", "metadata": {"a": null, "b": ""}});
    let changed = server.made(&path, changed).await;
    assert_eq!(
        (&changed["display_name"], &changed["metadata"]),
        (&json!("w"), &json!({"b": ""}))
    );
    assert_ne!(changed["updated_at"], made["updated_at"]);
    assert_eq!(
        server.made(&path, json!({"display_name": null})).await,
        changed
    );
    for (body, fragment) in [
        (json!({}), "display_name: this field is required"),
        (json!({"display_name": ""}), "must not be empty"),
        (json!({"display_name": "x".repeat(256)}), "at most 255"),
        (json!({"display_name": "v", "name": "v"}), "unknown field"),
        (
            json!({"display_name": "v", "metadata": {"a": 1}}),
            "must be a string",
        ),
    ] {
        server.post("/v1/vaults", body).await.invalid(fragment);
    }
    let mut ids = vec![made["id"].clone()];
    for _ in 0..4 {
        let more = server
            .made("/v1/vaults", json!({"display_name": "same"}))
            .await;
        ids.insert(0, more["id"].clone());
    }
    let first = server.get("/v1/vaults?limit=3").await;
    assert_eq!(first.column("id"), ids[..3]);
    let next = first.body["next_page"].as_str().unwrap();
    let second = server.get(&format!("/v1/vaults?limit=3&page={next}")).await;
    assert_eq!(
        (second.column("id"), &second.body["next_page"]),
        (ids[3..].to_vec(), &Value::Null)
    );
    server.get("/v1/vaults?limit=101").await.invalid("limit");

    let archive = format!("{path}/archive");
    let archived = server.call("POST", &archive, None).await.body;
    assert!(archived["archived_at"].is_string());
    assert_eq!(server.call("POST", &archive, None).await.body, archived);
    server
        .post(&path, json!({"display_name": "x"}))
        .await
        .invalid("archived");
    let create = format!("{path}/credentials");
    server
        .post(&create, variable("A"))
        .await
        .invalid("archived");
    assert_eq!(server.get("/v1/vaults").await.column("id"), ids[..4]);
    assert_eq!(
        server
            .get("/v1/vaults?include_archived=true")
            .await
            .column("id"),
        ids
    );
    let deleted = server.call("DELETE", &path, None).await.body;
    assert_eq!(deleted, json!({"id": made["id"], "type": "vault_deleted"}));
    for (method, path) in [
        ("GET", &path),
        ("DELETE", &path),
        ("POST", &archive),
        ("GET", &create),
    ] {
        server
            .call(method, path, None)
            .await
            .refused(404, "not_found_error", "vault");
    }
}

#[tokio::test]
async fn credentials_show_everything_but_their_secrets() {
    let server = Server::open();
    let vault = vault(&server).await;
    let (path, made) = credential(&server, &vault, oauth("https://mcp.example.com/x/")).await;
    assert_eq!(
        made["auth"],
        json!({
            "type": "mcp_oauth", "mcp_server_url": "https://mcp.example.com/x/", "expires_at": "2030-01-01T00:00:00.000000Z",
            "refresh": {
                "client_id": "id", "token_endpoint": "https://auth.example.com/t", "scope": "read", "resource": null,
                "token_endpoint_auth": {"type": "client_secret_basic"},
            },
        })
    );
    assert_eq!(
        (&made["type"], &made["display_name"]),
        (&json!("vault_credential"), &json!("o"))
    );
    assert_eq!(server.get(&path).await.body, made);
    let (_, plain) = credential(&server, &vault, bearer("http://localhost:8080")).await;
    assert_eq!(
        plain["auth"],
        json!({"type": "static_bearer", "mcp_server_url": "http://localhost:8080"})
    );
    let (_, open) = credential(&server, &vault, variable("KEY")).await;
    assert_eq!(
        open["auth"]["injection_location"],
        json!({"header": true, "body": true})
    );
    assert_eq!(
        open["auth"]["networking"],
        variable("KEY")["auth"]["networking"]
    );
    let listed = server.get(&format!("{vault}/credentials?limit=2")).await;
    assert_eq!(
        listed.column("id"),
        [open["id"].clone(), plain["id"].clone()]
    );

    let validation = server
        .call("POST", &format!("{path}/mcp_oauth_validate"), None)
        .await;
    assert_eq!(validation.status, 200);
    assert_eq!(validation.body["status"], "unknown");
    assert_eq!(validation.body["has_refresh_token"], true);
    assert_eq!(
        validation.body["mcp_probe"],
        json!({"method": "initialize", "http_response": null})
    );
    let id = plain["id"].as_str().unwrap();
    let other = format!("{vault}/credentials/{id}/mcp_oauth_validate");
    server.call("POST", &other, None).await.invalid("mcp_oauth");
}

#[tokio::test]
async fn changes_keep_the_key_and_the_type() {
    let server = Server::open();
    let vault = vault(&server).await;
    let (path, made) = credential(&server, &vault, oauth("https://mcp.example.com")).await;
    let nothing = json!({"auth": {"type": "mcp_oauth", "access_token": null}, "metadata": null});
    assert_eq!(server.made(&path, nothing).await, made);
    let change = json!({"display_name": null, "auth": {"type": "mcp_oauth", "access_token": "new", "expires_at": null,
        "refresh": {"refresh_token": "new", "scope": "", "token_endpoint_auth": {"type": "client_secret_post"}}}});
    let changed = server.made(&path, change).await;
    assert_eq!(
        (&changed["display_name"], &changed["auth"]["expires_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(changed["auth"]["refresh"]["scope"], Value::Null);
    assert_eq!(
        changed["auth"]["refresh"]["token_endpoint_auth"],
        json!({"type": "client_secret_post"})
    );
    let without = server
        .made(
            &path,
            json!({"auth": {"type": "mcp_oauth", "refresh": null}}),
        )
        .await;
    assert_eq!(without["auth"]["refresh"], Value::Null);
    let validation = server
        .call("POST", &format!("{path}/mcp_oauth_validate"), None)
        .await;
    assert_eq!(validation.body["has_refresh_token"], false);
    for (auth, fragment) in [
        (json!({"type": "static_bearer"}), "stays so"),
        (
            json!({"type": "mcp_oauth", "mcp_server_url": "https://x.example"}),
            "fixed",
        ),
        (
            json!({"type": "mcp_oauth", "refresh": {"scope": "x"}}),
            "without refresh",
        ),
        (
            json!({"type": "mcp_oauth", "access_token": ""}),
            "must not be empty",
        ),
        (json!({"type": "mcp_oauth", "color": 1}), "unknown field"),
    ] {
        server
            .post(&path, json!({"auth": auth}))
            .await
            .invalid(fragment);
    }
    let (path, _) = credential(&server, &vault, variable("KEY")).await;
    let of =
        |part: Value| json!({"auth": {"type": "environment_variable", "injection_location": part}});
    let narrowed = server.made(&path, of(json!({"body": false}))).await;
    assert_eq!(
        narrowed["auth"]["injection_location"],
        json!({"header": true, "body": false})
    );
    server
        .post(&path, of(json!({"header": false})))
        .await
        .invalid("at least one");
    server.post(&path, of(Value::Null)).await.invalid("null");
    let open = json!({"auth": {"type": "environment_variable", "secret_value": "x", "networking": {"type": "unrestricted"}}});
    let open = server.made(&path, open).await;
    assert_eq!(open["auth"]["networking"], json!({"type": "unrestricted"}));
    assert_eq!(
        open["auth"]["injection_location"],
        json!({"header": true, "body": false})
    );
}

#[tokio::test]
async fn keys_are_unique_among_the_live_credentials_of_a_vault() {
    let server = Server::open();
    let vault = vault(&server).await;
    let create = format!("{vault}/credentials");
    let (path, _) = credential(&server, &vault, bearer("https://MCP.example.com:443/a/")).await;
    for same in [
        bearer("https://mcp.example.com/a"),
        oauth("HTTPS://mcp.EXAMPLE.com/a#x"),
    ] {
        let reply = server.post(&create, same).await;
        reply.refused(409, "conflict_error", "mcp_server_url");
        assert_eq!(reply.headers["x-should-retry"], "false");
    }
    credential(&server, &vault, bearer("https://mcp.example.com/A")).await;
    let (named, _) = credential(&server, &vault, variable("KEY")).await;
    let reply = server.post(&create, variable("KEY")).await;
    reply.refused(409, "conflict_error", "secret_name");
    credential(&server, &vault, variable("key")).await;
    // A change leaves the key taken; an archive frees it.
    server.made(&named, json!({"display_name": "n"})).await;
    assert_eq!(server.post(&create, variable("KEY")).await.status, 409);
    let archived = server
        .call("POST", &format!("{path}/archive"), None)
        .await
        .body;
    assert!(archived["archived_at"].is_string());
    assert_eq!(
        server
            .call("POST", &format!("{path}/archive"), None)
            .await
            .body,
        archived
    );
    credential(&server, &vault, bearer("https://mcp.example.com/a/")).await;
    server
        .post(&path, json!({"display_name": "n"}))
        .await
        .invalid("archived");
    assert_eq!(server.get(&create).await.column("id").len(), 4);
    assert_eq!(
        server
            .get(&format!("{create}?include_archived=true"))
            .await
            .column("id")
            .len(),
        5
    );
    let other = self::vault(&server).await;
    credential(&server, &other, variable("KEY")).await;
}

#[tokio::test]
async fn a_vault_holds_twenty_credentials_also_when_they_come_at_once() {
    let server = Server::open();
    let vault = vault(&server).await;
    let create = format!("{vault}/credentials");
    for n in 0..18 {
        credential(&server, &vault, variable(&format!("KEY_{n}"))).await;
    }
    let more = (0..4).map(|n| server.post(&create, variable(&format!("MORE_{n}"))));
    let more = futures::future::join_all(more).await;
    let refused: Vec<&Reply> = more.iter().filter(|reply| reply.status != 200).collect();
    assert_eq!(refused.len(), 2);
    for reply in refused {
        reply.invalid("20 credentials");
    }
    let all = server
        .get(&format!("{create}?limit=100"))
        .await
        .column("id");
    let gone = format!("{create}/{}", all[0].as_str().unwrap());
    let deleted = server.call("DELETE", &gone, None).await.body;
    assert_eq!(
        deleted,
        json!({"id": all[0], "type": "vault_credential_deleted"})
    );
    credential(&server, &vault, variable("LAST")).await;

    // The vault's archive takes them along, its deletion removes them.
    server.call("POST", &format!("{vault}/archive"), None).await;
    assert_eq!(server.get(&create).await.column("id").len(), 0);
    let archived = server
        .get(&format!("{create}?include_archived=true&limit=100"))
        .await;
    assert_eq!(archived.column("id").len(), 20);
    assert!(archived.column("archived_at").iter().all(Value::is_string));
    assert!(
        server
            .store
            .scan(crate::store::Kind::Credential, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    server.call("DELETE", &vault, None).await;
    for id in archived.column("id") {
        let path = format!("{create}/{}", id.as_str().unwrap());
        server
            .get(&path)
            .await
            .refused(404, "not_found_error", "credential");
    }
}

#[tokio::test]
async fn refusals_of_credentials() {
    let server = Server::open();
    let vault = vault(&server).await;
    let create = format!("{vault}/credentials");
    let with = |base: Value, pointer: &str, value: Value| {
        let mut body = base;
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let url = "https://mcp.example.com";
    for (body, fragment) in [
        (json!({}), "auth: this field is required"),
        (json!({"auth": {"type": "password"}}), "auth.type"),
        (
            with(bearer(url), "/auth/token", json!(7)),
            "auth.token: expected a string",
        ),
        (with(bearer(url), "/auth/token", Value::Null), "auth.token"),
        (
            with(bearer(url), "/auth/token", json!("x".repeat(65_537))),
            "at most 65536",
        ),
        (bearer("ftp://mcp.example.com"), "http or https"),
        (bearer("https://user:pw@mcp.example.com"), "credentials"),
        (bearer("nonsense"), "auth.mcp_server_url"),
        (
            with(oauth(url), "/auth/expires_at", json!("tomorrow")),
            "auth.expires_at",
        ),
        (
            with(oauth(url), "/auth/refresh/client_id", Value::Null),
            "auth.refresh.client_id",
        ),
        (
            with(
                oauth(url),
                "/auth/refresh/token_endpoint_auth",
                json!({"type": "none", "client_secret": "x"}),
            ),
            "unknown field",
        ),
        (
            with(
                oauth(url),
                "/auth/refresh/token_endpoint_auth",
                json!({"type": "client_secret_post"}),
            ),
            "client_secret",
        ),
        (variable("9LIVES"), "auth.secret_name"),
        (variable("A-B"), "auth.secret_name"),
        (
            with(variable("A"), "/auth/networking/allowed_hosts", json!([])),
            "at least one host",
        ),
        (
            with(
                variable("A"),
                "/auth/networking/allowed_hosts",
                json!(["https://x.example"]),
            ),
            "allowed_hosts.0",
        ),
        (
            with(
                variable("A"),
                "/auth/networking/allowed_hosts",
                json!(vec!["a.example"; 17]),
            ),
            "at most 16",
        ),
        (
            with(variable("A"), "/auth/networking", Value::Null),
            "auth.networking",
        ),
    ] {
        let reply = server.post(&create, body).await;
        reply.invalid(fragment);
        assert!(!reply.body.to_string().contains(CANARY));
    }
    let mut location = variable("A");
    location["auth"]["injection_location"] = json!({});
    server
        .post(&create, location.clone())
        .await
        .invalid("at least one");
    location["auth"]["injection_location"] = json!({"header": true});
    let (_, made) = credential(&server, &vault, location).await;
    assert_eq!(
        made["auth"]["injection_location"],
        json!({"header": true, "body": false})
    );
    let long = json!({"display_name": "x".repeat(256), "auth": variable("B")["auth"]});
    server.post(&create, long).await.invalid("display_name");
    // One of another vault is not here.
    let (path, _) = credential(&server, &vault, variable("C")).await;
    let other = self::vault(&server).await;
    let elsewhere = path.replace(&vault, &other);
    for (method, path) in [
        ("GET", elsewhere.clone()),
        ("DELETE", elsewhere.clone()),
        ("POST", format!("{elsewhere}/archive")),
        ("POST", format!("{elsewhere}/mcp_oauth_validate")),
    ] {
        server
            .call(method, &path, None)
            .await
            .refused(404, "not_found_error", "credential");
    }
}

#[tokio::test]
async fn other_workspaces_see_no_vault() {
    let server = Server::open();
    let vault = vault(&server).await;
    let (path, _) = credential(&server, &vault, oauth("https://mcp.example.com")).await;
    for (method, path) in [
        ("GET", vault.clone()),
        ("POST", vault.clone()),
        ("DELETE", vault.clone()),
        ("POST", format!("{vault}/archive")),
        ("GET", format!("{vault}/credentials")),
        ("GET", path.clone()),
        ("POST", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/archive")),
        ("POST", format!("{path}/mcp_oauth_validate")),
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

#[tokio::test]
async fn what_is_stored_opens_again_and_holds_no_secret() {
    let server = Server::open();
    let vault = vault(&server).await;
    let (path, made) = credential(&server, &vault, oauth("https://mcp.example.com")).await;
    let change = json!({"auth": {"type": "mcp_oauth", "refresh": {"refresh_token": format!("{CANARY}-r2")}}});
    server.made(&path, change).await;
    let row = server
        .store
        .scan(crate::store::Kind::Credential, None, 1)
        .await
        .unwrap()
        .remove(0);
    assert!(!row.body.to_string().contains(CANARY));
    let context = crate::secrets::Context::of_credential(
        row.key.workspace.as_str(),
        made["vault_id"].as_str().unwrap(),
        made["id"].as_str().unwrap(),
    );
    let sealed = serde_json::from_value(row.body[crate::secrets::SEALED_FIELD].clone()).unwrap();
    let opened = crate::secrets::open(&server.state.secrets, &context, &sealed).unwrap();
    let bundle = crate::secrets::Bundle::from_secret(&opened).unwrap();
    let text = |name: &str| bundle.get(name).unwrap().expose_text().unwrap().to_owned();
    assert_eq!(text("access_token"), CANARY, "what is not replaced stays");
    assert_eq!(text("refresh_token"), format!("{CANARY}-r2"));
    assert_eq!(text("client_secret"), format!("{CANARY}-c"));
}
