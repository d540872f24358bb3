//! Everything that can come into a hand's memory from outside: its environment, the heads and the parts of responses,
//! the texts of errors. What is in none of them is in no linear memory, however it is scanned.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use serde_json::json;
use sinew_runtime::{Egress as _, EgressError, EgressTimeouts};
use tempfile::TempDir;

use super::{Client, options, serve, whole};
use crate::clock::{Clock as _, SystemClock};
use crate::egress::{Networks, SessionEgress};
use crate::ids::{CredentialId, EventId, SessionId, WorkspaceId};
use crate::secrets::{
    Bundle, Context, Keyring, MasterKey, SEALED_FIELD, Secret, UNIQUE_NAME_FIELD,
};
use crate::store::{Key, Kind, NewEvent, NewResource, SharedStore, SqliteOptions, SqliteStore};
use crate::vault::{self, SECRET_VALUE, VAULT_LABEL};

const CANARY: &str = "canary/77+0f\"x";

struct Fixture {
    egress: SessionEgress,
    url: String,
    placeholder: String,
    _folder: TempDir,
}

/// Answers with what it got in a header and in the body: as it is, in base64, and escaped.
async fn echo(request: Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let own = head.headers.get("x-own").map(|own| own.as_bytes().to_vec());
    let said = String::from_utf8([own.unwrap_or_default(), body.to_vec()].concat()).unwrap();
    let told = format!(
        "{said} {} {} {}",
        STANDARD.encode(&said),
        STANDARD.encode(format!("-{said}")),
        serde_json::to_string(&said).unwrap()
    );
    ([("x-echo", said)], told)
}

async fn fixture() -> Fixture {
    let address = serve(Router::new().fallback(echo)).await;
    let folder = tempfile::tempdir().unwrap();
    let now = SystemClock.now();
    let database = SqliteStore::open(SqliteOptions::new(folder.path().join("db"))).unwrap();
    let store: SharedStore = Arc::new(database);
    let keyring = Arc::new(Keyring::of(MasterKey::fresh().unwrap()));
    let workspace = WorkspaceId::from_text("wrkspc_a");
    let row = |kind, id: &str, body, labels, events| NewResource {
        key: Key {
            workspace: workspace.clone(),
            kind,
            id: id.to_owned(),
        },
        body,
        unique_name: None,
        status: None,
        labels,
        at: now,
        events,
        needs_wake: false,
        history: None,
    };
    let config = json!({"config": {"networking": {"type": "unrestricted"}}});
    let environment = row(Kind::Environment, "env_1", config, Vec::new(), Vec::new());
    store.create(environment).await.unwrap();
    let id = CredentialId::fresh(now);
    let mut bundle = Bundle::default();
    bundle.set(SECRET_VALUE, Secret::from_text(CANARY.to_owned()));
    let context = Context::of_credential(workspace.as_str(), "vlt_1", id.as_str());
    let credential = json!({
        "vault_id": "vlt_1",
        "auth": {
            "type": "environment_variable",
            "secret_name": "TOKEN",
            "networking": {"type": "limited", "allowed_hosts": ["127.0.0.1"]},
            "injection_location": {"header": true, "body": true},
        },
        UNIQUE_NAME_FIELD: null,
        SEALED_FIELD: vault::seal(&keyring, &context, &bundle).unwrap(),
    });
    let labels = vec![(VAULT_LABEL.to_owned(), "vlt_1".to_owned())];
    let credential = row(
        Kind::Credential,
        id.as_str(),
        credential,
        labels,
        Vec::new(),
    );
    store.create(credential).await.unwrap();
    let session_id = SessionId::fresh(now);
    let first = NewEvent {
        id: EventId::fresh(now),
        thread_id: None,
        is_thread_only: false,
        kind: "sinew.created".to_owned(),
        at: now,
        is_queued: false,
        body: json!({}),
        private: None,
    };
    let body = json!({"environment_id": "env_1", "vault_ids": ["vlt_1"]});
    let session = row(
        Kind::Session,
        session_id.as_str(),
        body,
        Vec::new(),
        vec![first],
    );
    store.create(session).await.unwrap();
    let client = Client::new(options(&[address.to_string()])).unwrap();
    let networks = Networks::new(client, store, keyring, Arc::new(SystemClock));
    let networks = networks.await.unwrap();
    let egress = networks
        .of_session(&session_id, folder.path())
        .await
        .unwrap();
    let variables = egress.variables().await.unwrap();
    let [(name, placeholder)] = variables.as_slice() else {
        panic!("{variables:?}");
    };
    assert_eq!(name, "TOKEN");
    Fixture {
        url: format!("http://{address}/"),
        placeholder: placeholder.clone(),
        egress,
        _folder: folder,
    }
}

/// Tells whether the secret is in there, in any of the ways in which the server writes it.
fn holds_secret(bytes: &[u8]) -> bool {
    let mut forms = vec![
        CANARY.as_bytes().to_vec(),
        CANARY.replace('"', "\\\"").into_bytes(),
    ];
    for before in ["", "x", "xy"] {
        let text = STANDARD.encode(format!("{before}{CANARY}"));
        forms.push(text.as_bytes()[4..text.len() - 4].to_vec());
    }
    forms
        .iter()
        .any(|form| bytes.windows(form.len()).any(|window| window == form))
}

#[tokio::test]
async fn no_secret_comes_into_a_hands_memory() {
    let fixture = fixture().await;
    let mut memory = fixture.placeholder.clone().into_bytes();
    for (in_header, in_body) in [(true, false), (false, true), (true, true)] {
        let mut request = http::Request::post(&fixture.url);
        if in_header {
            request = request.header("x-own", format!("<{}>", fixture.placeholder));
        }
        let body = match in_body {
            true => format!("it is {}.", fixture.placeholder),
            false => "nothing".to_owned(),
        };
        let request = request.body(whole(body)).unwrap();
        let response = fixture.egress.send(request, EgressTimeouts::default());
        let response = response.await.unwrap();
        // What is in its place has its length.
        let echoed = response.headers()["x-echo"].to_str().unwrap();
        assert!(echoed.contains(&"*".repeat(CANARY.len())), "{echoed}");
        for (name, value) in response.headers() {
            memory.extend_from_slice(name.as_str().as_bytes());
            memory.extend_from_slice(value.as_bytes());
        }
        let mut parts = response.into_body().into_data_stream();
        while let Some(part) = parts.next().await {
            memory.extend_from_slice(&part.unwrap());
        }
    }
    let url = format!("{}?{}", fixture.url, fixture.placeholder);
    let request = http::Request::get(url).body(whole("")).unwrap();
    let refused = fixture.egress.send(request, EgressTimeouts::default());
    let Err(EgressError::Denied { reason }) = refused.await else {
        panic!("a placeholder left in a URL");
    };
    memory.extend_from_slice(reason.as_bytes());
    assert!(memory.len() > 500 && !holds_secret(&memory));
    assert!(holds_secret(
        STANDARD.encode(format!("-{CANARY}")).as_bytes()
    ));
    // Nor is it in what the log gets.
    let told = fixture.egress.take_requests().unwrap();
    assert_eq!(told["requests"].as_array().unwrap().len(), 4);
    assert!(!holds_secret(told.to_string().as_bytes()));
    assert!(fixture.egress.take_requests().is_none());
    let masked = fixture.egress.masker().text(format!("it was {CANARY}"));
    assert!(!holds_secret(masked.as_bytes()), "{masked}");
}
