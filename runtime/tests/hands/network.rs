//! The way out: only through the hand's egress, and never a failure of the host.

use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use serde_json::json;
use sinew_runtime::typed::Content;
use sinew_runtime::{
    CallOptions, ComponentSource, Egress, EgressBody, EgressError, EgressTimeouts, Execution, Hand,
    HostFault, Outcome, Resources, Trust,
};

use super::http_guest::{self, ERRORS};
use super::{Fixture, fixture};

/// Answers what it is told, and remembers what it was asked.
struct Script {
    asked: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Egress for Script {
    async fn send(
        &self,
        request: http::Request<EgressBody>,
        _: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        let (parts, body) = request.into_parts();
        assert!(body.collect().await.unwrap().to_bytes().is_empty());
        let asked = format!("{} {}", parts.method, parts.uri);
        self.asked.lock().unwrap().push(asked);
        let host = parts.uri.host().unwrap_or_default();
        match host {
            "open.example" => {
                let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
                Ok(http::Response::builder().status(204).body(body).unwrap())
            }
            "bug.example" => panic!("a bug in the egress"),
            "shut.example" => Err(EgressError::Denied {
                reason: format!("grant {host}"),
            }),
            _ => Err(EgressError::NameNotFound),
        }
    }
}

async fn hand(fixture: &Fixture, resources: Resources) -> Hand {
    let source = ComponentSource {
        name: "fetch".to_owned(),
        wasm: http_guest::fetch().into(),
        digest: None,
        wit: None,
        trust: Trust::Embedded,
    };
    let component = fixture.runtime.add(source).await.unwrap();
    let resources = resources.component(component);
    fixture.runtime.provision(resources).unwrap()
}

async fn fetch(hand: &Hand, host: &str) -> Execution {
    hand.execute("fetch", &json!({"host": host}), CallOptions::default())
        .await
}

fn assert_answer(execution: &Execution, number: u32) {
    let Outcome::Result(content) = &execution.outcome else {
        panic!("{execution:?}");
    };
    assert_eq!(content, &[Content::Text(number.to_string())]);
}

/// Cases of `wasi:http`'s error-code.
const NOT_FOUND: u32 = ERRORS + 2;
const DENIED: u32 = ERRORS + 15;

#[tokio::test]
async fn nothing_leaves_without_a_grant() {
    let fixture = fixture();
    let hand = hand(&fixture, Resources::default()).await;
    let execution = fetch(&hand, "open.example").await;
    assert_answer(&execution, DENIED);
    assert!(
        execution.stderr.contains("open.example") && execution.stderr.contains("no network"),
        "{}",
        execution.stderr
    );
}

#[tokio::test]
async fn the_egress_decides_and_its_failures_stay_with_the_call() {
    let fixture = fixture();
    let script = Arc::new(Script {
        asked: Mutex::default(),
    });
    let egress: Arc<dyn Egress> = script.clone();
    let hand = hand(&fixture, Resources::default().egress(egress)).await;
    assert_answer(&fetch(&hand, "open.example").await, 204);
    assert_answer(&fetch(&hand, "nowhere.example").await, NOT_FOUND);
    let shut = fetch(&hand, "shut.example").await;
    assert_answer(&shut, DENIED);
    assert!(
        shut.stderr.contains("grant shut.example"),
        "{}",
        shut.stderr
    );

    let bug = fetch(&hand, "bug.example").await.outcome;
    assert!(
        matches!(bug, Outcome::HostFault(HostFault::Panicked(_))),
        "{bug:?}"
    );
    assert_answer(&fetch(&hand, "open.example").await, 204);
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0], "GET https://open.example/");
    assert_eq!(asked.len(), 5);
}
