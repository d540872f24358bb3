//! `mcp_oauth_validate`, and with it how tokens are refreshed: against a server and a token endpoint on this machine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;

use axum::Json;

use super::*;
use crate::mcp::{Refreshed, Refresher};
use crate::secrets::Secret;
use crate::vault::Vaults;

/// What no answer, event or log may hold.
const CANARY: &str = "canary-5b1e77a2-token";

/// An MCP server and its token endpoint, which hands out a token and a refresh token that count once each.
#[derive(Default)]
struct Issuer {
    /// The number in the tokens that count now.
    number: AtomicUsize,
    /// What the token endpoint was sent.
    asked: Mutex<Vec<(Option<String>, String)>>,
    refuses: AtomicBool,
    fails: AtomicBool,
}

impl Issuer {
    async fn start() -> (Arc<Self>, String) {
        let issuer = Arc::new(Self::default());
        let router = Router::new()
            .route("/mcp", post(Self::mcp))
            .route("/token", post(Self::token))
            .with_state(issuer.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (issuer, url)
    }

    async fn mcp(State(issuer): State<Arc<Self>>, headers: HeaderMap, body: String) -> Response {
        let number = issuer.number.load(Ordering::SeqCst);
        let given = headers.get("authorization").map(|v| v.to_str().unwrap());
        if given != Some(&format!("Bearer {CANARY}-access-{number}")) {
            let said = format!("not {given:?}");
            return (StatusCode::UNAUTHORIZED, said).into_response();
        }
        let message: Value = serde_json::from_str(&body).unwrap();
        let result = match message["method"].as_str().unwrap() {
            "initialize" => json!({
                "protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                "serverInfo": {"name": "s", "version": "1"},
            }),
            "tools/list" => json!({"tools": []}),
            _ => return StatusCode::ACCEPTED.into_response(),
        };
        Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response()
    }

    async fn token(State(issuer): State<Arc<Self>>, headers: HeaderMap, body: String) -> Response {
        let basic = headers.get("authorization");
        let basic = basic.map(|value| value.to_str().unwrap().to_owned());
        issuer.asked.lock().unwrap().push((basic, body.clone()));
        if issuer.fails.load(Ordering::SeqCst) {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let number = issuer.number.load(Ordering::SeqCst);
        let is_fresh = body.contains(&format!("refresh_token={CANARY}-refresh-{number}"));
        if issuer.refuses.load(Ordering::SeqCst) || !is_fresh {
            let said = json!({"error": "invalid_grant", "error_description": body});
            return (StatusCode::BAD_REQUEST, Json(said)).into_response();
        }
        // Whoever asks at the same time has the time to.
        tokio::task::yield_now().await;
        let number = issuer.number.fetch_add(1, Ordering::SeqCst) + 1;
        Json(json!({
            "access_token": format!("{CANARY}-access-{number}"), "expires_in": "3600",
            "refresh_token": format!("{CANARY}-refresh-{number}"), "token_type": "Bearer",
        }))
        .into_response()
    }

    fn asked(&self) -> Vec<(Option<String>, String)> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Makes a credential with the issuer's first tokens; returns its path.
async fn credential(server: &Server, url: &str, auth: Value, expires_at: Value) -> String {
    let vault = json!({"display_name": "v"});
    let vault = server.made("/v1/vaults", vault).await;
    let path = format!("/v1/vaults/{}/credentials", vault["id"].as_str().unwrap());
    let body = json!({"auth": {
        "type": "mcp_oauth", "mcp_server_url": format!("{url}/mcp"), "expires_at": expires_at,
        "access_token": format!("{CANARY}-access-0"),
        "refresh": {
            "client_id": "the client", "refresh_token": format!("{CANARY}-refresh-0"),
            "token_endpoint": format!("{url}/token"), "token_endpoint_auth": auth,
            "scope": "read write", "resource": format!("{url}/mcp"),
        },
    }});
    let made = server.made(&path, body).await;
    format!("{path}/{}", made["id"].as_str().unwrap())
}

async fn validate(server: &Server, path: &str) -> Value {
    let path = format!("{path}/mcp_oauth_validate");
    let reply = server.call("POST", &path, None).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(!reply.body.to_string().contains(CANARY), "{}", reply.body);
    reply.body
}

#[tokio::test]
async fn a_token_is_tried_refreshed_and_kept() {
    let server = Server::open();
    let (issuer, url) = Issuer::start().await;
    let path = credential(&server, &url, json!({"type": "none"}), Value::Null).await;
    let found = validate(&server, &path).await;
    assert_eq!(
        (&found["status"], &found["mcp_probe"], &found["refresh"]),
        (&json!("valid"), &Value::Null, &Value::Null)
    );
    assert!(issuer.asked().is_empty());

    // One that has run out is refreshed before it is sent, and what the endpoint gave is what counts next.
    let change = json!({"auth": {"type": "mcp_oauth", "expires_at": "2020-01-01T00:00:00Z"}});
    server.made(&path, change.clone()).await;
    for round in 0..2 {
        let found = validate(&server, &path).await;
        assert_eq!(found["status"], "valid");
        assert_eq!(
            found["refresh"],
            json!({"status": "succeeded", "http_response": null})
        );
        let asked = issuer.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        let form = format!(
            "grant_type=refresh_token&refresh_token={CANARY}-refresh-{round}&client_id=the+client&scope=read+write&\
             resource={}",
            url::form_urlencoded::byte_serialize(format!("{url}/mcp").as_bytes())
                .collect::<String>()
        );
        assert_eq!(asked[0], (None, form));
        let shown = server.get(&path).await.body;
        assert!(
            shown["auth"]["expires_at"].as_str().unwrap() > "2027",
            "{shown}"
        );
        server.made(&path, change.clone()).await;
    }
    // One that the server refuses is refreshed too, whatever is known of its end.
    let change = json!({"auth": {"type": "mcp_oauth", "expires_at": null, "access_token": "stale-access-token"}});
    server.made(&path, change).await;
    let found = validate(&server, &path).await;
    assert_eq!(
        (&found["status"], &found["refresh"]["status"]),
        (&json!("valid"), &json!("succeeded"))
    );
}

#[tokio::test]
async fn clients_say_who_they_are_as_the_endpoint_wants_it() {
    let server = Server::open();
    let (issuer, url) = Issuer::start().await;
    let past = json!("2020-01-01T00:00:00Z");
    let basic = json!({"type": "client_secret_basic", "client_secret": "a secret:+"});
    let path = credential(&server, &url, basic, past.clone()).await;
    assert_eq!(validate(&server, &path).await["status"], "valid");
    let (header, form) = issuer.asked().remove(0);
    // Of "the+client:a+secret%3A%2B".
    assert_eq!(
        header.as_deref(),
        Some("Basic dGhlK2NsaWVudDphK3NlY3JldCUzQSUyQg==")
    );
    assert!(!form.contains("client_id"), "{form}");
    issuer.number.store(0, Ordering::SeqCst);
    let post = json!({"type": "client_secret_post", "client_secret": "a secret"});
    let path = credential(&server, &url, post, past).await;
    assert_eq!(validate(&server, &path).await["status"], "valid");
    let (header, form) = issuer.asked().remove(0);
    assert_eq!(header, None);
    assert!(
        form.contains("&client_id=the+client&client_secret=a+secret&"),
        "{form}"
    );
}

#[tokio::test]
async fn a_refresh_that_fails_is_told_once_and_shown_without_secrets() {
    let server = Server::open();
    let (issuer, url) = Issuer::start().await;
    let hook = json!({"url": "https://example.com/h", "enabled_events": ["vault_credential.refresh_failed"]});
    let hook = server.made("/v1/organizations/webhooks", hook).await;
    let past = json!("2020-01-01T00:00:00Z");
    let path = credential(&server, &url, json!({"type": "none"}), past).await;
    issuer.number.store(7, Ordering::SeqCst);
    issuer.fails.store(true, Ordering::SeqCst);
    let found = validate(&server, &path).await;
    assert_eq!(
        (&found["status"], &found["refresh"]["status"]),
        (&json!("unknown"), &json!("connect_error"))
    );
    issuer.fails.store(false, Ordering::SeqCst);
    issuer.refuses.store(true, Ordering::SeqCst);
    let found = validate(&server, &path).await;
    assert_eq!(found["status"], "invalid");
    let refresh = &found["refresh"];
    assert_eq!(
        (&refresh["status"], &refresh["http_response"]["status_code"]),
        (&json!("failed"), &json!(400))
    );
    let body = refresh["http_response"]["body"].as_str().unwrap();
    assert!(
        body.contains("invalid_grant") && body.contains("[redacted]"),
        "{body}"
    );
    let probe = &found["mcp_probe"];
    assert_eq!(
        (&probe["method"], &probe["http_response"]["status_code"]),
        (&json!("initialize"), &json!(401))
    );
    let told = async || {
        let id = hook["id"].as_str().unwrap();
        let path = format!("/sinew/v1/webhooks/{id}/deliveries?limit=100");
        server.get(&path).await.column("event")
    };
    let first = told().await;
    assert_eq!(first.len(), 1, "{first:?}");
    let data = &first[0]["data"];
    assert_eq!(data["type"], "vault_credential.refresh_failed");
    assert!(
        path.ends_with(data["id"].as_str().unwrap()) && data["vault_id"].is_string(),
        "{data}"
    );

    // The user connects the server again: the next failure is news again.
    let change = json!({"auth": {"type": "mcp_oauth", "refresh": {"refresh_token": format!("{CANARY}-other")}}});
    server.made(&path, change).await;
    assert_eq!(validate(&server, &path).await["status"], "invalid");
    assert_eq!(told().await.len(), 2);

    let without = json!({"auth": {"type": "mcp_oauth", "refresh": null, "expires_at": null}});
    server.made(&path, without).await;
    let found = validate(&server, &path).await;
    assert_eq!(
        (&found["status"], &found["refresh"]["status"]),
        (&json!("invalid"), &json!("no_refresh_token"))
    );
    assert_eq!(found["has_refresh_token"], false);
}

#[tokio::test]
async fn many_who_want_a_new_token_ask_for_one_alone() {
    let server = Server::open();
    let (issuer, url) = Issuer::start().await;
    let path = credential(&server, &url, json!({"type": "none"}), Value::Null).await;
    let id = path.rsplit('/').next().unwrap();
    let vaults = Vaults::new(server.store.clone(), server.state.secrets.clone());
    let options = EgressOptions {
        private_hosts: vec!["127.0.0.1".parse().unwrap()],
        ..EgressOptions::default()
    };
    let egress = crate::egress::Client::new(options).unwrap();
    let refresher = Refresher::new(vaults, egress, server.clock.clone());
    let workspace = WorkspaceId::from_text(DEFAULT_WORKSPACE);
    let refused = Secret::from_text(format!("{CANARY}-access-0"));
    let many = || (0..16).map(|_| refresher.refresh(&workspace, id, &refused));
    // They share a failure as well.
    issuer.fails.store(true, Ordering::SeqCst);
    for refreshed in futures::future::join_all(many()).await {
        assert!(matches!(refreshed, Ok(Refreshed::Failed(_))));
    }
    assert_eq!(issuer.asked().len(), 1);
    issuer.fails.store(false, Ordering::SeqCst);
    for refreshed in futures::future::join_all(many()).await {
        let Ok(Refreshed::Token(token)) = refreshed else {
            panic!("no token");
        };
        assert_eq!(token.expose_text(), Some(&*format!("{CANARY}-access-1")));
    }
    assert_eq!(issuer.asked().len(), 1);
    // One that nobody waits for any more is stored all the same: its refresh token is spent.
    let refused = Secret::from_text(format!("{CANARY}-access-1"));
    let given_up = refresher.refresh(&workspace, id, &refused);
    assert!(futures::FutureExt::now_or_never(given_up).is_none());
    let stored = async {
        loop {
            let refreshed = refresher.refresh(&workspace, id, &refused).await;
            if let Ok(Refreshed::Token(token)) = refreshed {
                return token.expose_text() == Some(&*format!("{CANARY}-access-2"));
            }
        }
    };
    assert!(stored.await);
    assert_eq!(issuer.asked().len(), 1);
}
