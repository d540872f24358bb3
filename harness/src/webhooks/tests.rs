//! The courier against receivers of its own, on a clock that is moved by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::sign::Secret;
use super::{Courier, Sender, UrlRules};
use crate::api::tests::Server;
use crate::clock::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A webhook as it arrived.
#[derive(Debug)]
struct Arrived {
    headers: HeaderMap,
    body: String,
}

impl Arrived {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
struct Answers {
    arrived: mpsc::UnboundedSender<Arrived>,
    /// Statuses of the next answers; 200 behind them, 0 never answers.
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

/// A server that receives webhooks.
struct Receiver {
    url: String,
    arrived: mpsc::UnboundedReceiver<Arrived>,
}

impl Receiver {
    async fn new(statuses: &[u16]) -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let answers = Answers {
            arrived: sender,
            statuses: Arc::new(Mutex::new(statuses.iter().copied().collect())),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/hook", post(receive))
            .with_state(answers);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, arrived }
    }
}

async fn receive(State(answers): State<Answers>, headers: HeaderMap, body: String) -> Response {
    let status = answers.statuses.lock().unwrap().pop_front().unwrap_or(200);
    answers.arrived.send(Arrived { headers, body }).unwrap();
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let status = StatusCode::from_u16(status).unwrap();
    // A redirect must lead nowhere.
    (status, [(header::LOCATION, "http://127.0.0.1:9/")]).into_response()
}

/// A server whose courier runs.
struct World {
    server: Server,
    stopping: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl World {
    fn new() -> Self {
        let world = Self {
            server: Server::open(),
            stopping: CancellationToken::new(),
        };
        world.start(true);
        world
    }

    fn start(&self, allow_private: bool) {
        let courier = Courier::new(
            self.server.store.clone(),
            self.server.queue.clone(),
            self.server.clock.clone(),
            self.server.state.secrets.clone(),
            Sender::new(UrlRules { allow_private }).unwrap(),
        );
        tokio::spawn(courier.run(self.stopping.clone()));
    }

    /// Makes an endpoint that hears of new agents.
    async fn endpoint(&self, url: &str) -> Value {
        let body = json!({"url": url, "enabled_events": ["agent.created"]});
        self.server.made("/v1/organizations/webhooks", body).await
    }

    /// Makes something to be told of, and returns its id.
    async fn happen(&self) -> Value {
        let body = json!({"name": "a", "model": "m1"});
        self.server.made("/v1/agents", body).await["id"].clone()
    }

    /// Moves the clock until a webhook arrives.
    async fn next(&self, receiver: &mut Receiver) -> Arrived {
        self.until(async { receiver.arrived.recv().await.unwrap() })
            .await
    }

    /// Moves the clock until `happens` does.
    async fn until<T>(&self, happens: impl Future<Output = T>) -> T {
        tokio::pin!(happens);
        loop {
            tokio::select! {
                biased;
                happened = &mut happens => return happened,
                () = tokio::task::yield_now() => self.server.clock.advance(Duration::from_millis(5)),
            }
        }
    }

    async fn deliveries(&self, endpoint: &Value) -> Vec<Value> {
        let id = endpoint["id"].as_str().unwrap();
        let page = self
            .server
            .get(&format!("/sinew/v1/webhooks/{id}/deliveries"))
            .await;
        page.body["data"].as_array().unwrap().clone()
    }

    /// Waits until the newest delivery of an endpoint has this state, and returns it.
    async fn newest(&self, endpoint: &Value, status: &str) -> Value {
        self.until(async {
            loop {
                let deliveries = self.deliveries(endpoint).await;
                if let Some(newest) = deliveries
                    .first()
                    .filter(|newest| newest["status"] == status)
                {
                    return newest.clone();
                }
            }
        })
        .await
    }

    /// Counts the deliveries that were tried. One that was written as the endpoint was switched off never is.
    async fn tried(&self, endpoint: &Value) -> usize {
        let deliveries = self.deliveries(endpoint).await;
        let is_tried = |delivery: &&Value| !delivery["attempts"].as_array().unwrap().is_empty();
        deliveries.iter().filter(is_tried).count()
    }

    async fn now(&self, endpoint: &Value) -> Value {
        let id = endpoint["id"].as_str().unwrap();
        self.server
            .get(&format!("/v1/organizations/webhooks/{id}"))
            .await
            .body
    }

    /// Waits until an endpoint is switched off, and returns why.
    async fn off(&self, endpoint: &Value) -> String {
        self.until(async {
            loop {
                let now = self.now(endpoint).await;
                if now["state"] == "disabled" {
                    return now["disabled_reason"].as_str().unwrap().to_owned();
                }
            }
        })
        .await
    }
}

#[tokio::test]
async fn what_happens_arrives_signed() {
    let world = World::new();
    let mut receiver = Receiver::new(&[]).await;
    let endpoint = world.endpoint(&receiver.url).await;
    let agent = world.happen().await;
    let arrived = world.next(&mut receiver).await;
    let event = arrived.event();
    assert_eq!(event["data"]["id"], agent);
    assert_eq!(arrived.header("webhook-id"), event["id"]);
    let at: i64 = arrived.header("webhook-timestamp").parse().unwrap();
    let secret = Secret::from_stored(endpoint["signing_secret"].as_str().unwrap());
    let at = Timestamp::from_second(at).unwrap();
    let expected = secret.signature(arrived.header("webhook-id"), at, &arrived.body);
    assert_eq!(arrived.header("webhook-signature"), expected);
    let delivery = world.newest(&endpoint, "delivered").await;
    assert_eq!(delivery["attempts"][0]["status"], 200);

    // A new secret signs what comes next.
    let path = format!(
        "/v1/organizations/webhooks/{}/regenerate_signing_secret",
        endpoint["id"].as_str().unwrap()
    );
    let fresh = world.server.made(&path, Value::Null).await;
    let secret = Secret::from_stored(fresh["signing_secret"].as_str().unwrap());
    world.happen().await;
    let arrived = world.next(&mut receiver).await;
    let at = Timestamp::from_second(arrived.header("webhook-timestamp").parse().unwrap()).unwrap();
    let expected = secret.signature(arrived.header("webhook-id"), at, &arrived.body);
    assert_eq!(arrived.header("webhook-signature"), expected);
}

#[tokio::test]
async fn a_failure_is_tried_again_under_the_same_id_and_three_are_enough() {
    let world = World::new();
    let mut receiver = Receiver::new(&[500, 404, 204, 500, 500, 503]).await;
    let endpoint = world.endpoint(&receiver.url).await;
    for (last, statuses) in [("delivered", [500, 404, 204]), ("failed", [500, 500, 503])] {
        world.happen().await;
        let first = world.next(&mut receiver).await;
        for _ in 0..2 {
            let again = world.next(&mut receiver).await;
            assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
            assert_eq!(again.body, first.body);
        }
        let delivery = world.newest(&endpoint, last).await;
        let attempts = delivery["attempts"].as_array().unwrap();
        let got: Vec<&Value> = attempts.iter().map(|attempt| &attempt["status"]).collect();
        assert_eq!(got, statuses);
        let at: Vec<Timestamp> = attempts
            .iter()
            .map(|attempt| attempt["at"].as_str().unwrap().parse().unwrap())
            .collect();
        assert!(at[1].duration_since(at[0]).as_secs() >= 5);
        assert!(at[2].duration_since(at[1]).as_secs() >= 40);
    }
    assert_eq!(world.now(&endpoint).await["state"], "enabled");
    // Nothing else was sent.
    assert!(receiver.arrived.try_recv().is_err());
}

#[tokio::test]
async fn a_day_of_failures_switches_an_endpoint_off() {
    let world = World::new();
    let mut receiver = Receiver::new(&[500; 6]).await;
    let endpoint = world.endpoint(&receiver.url).await;
    for wait in [DAY, Duration::ZERO] {
        world.happen().await;
        for _ in 0..3 {
            world.next(&mut receiver).await;
        }
        world.newest(&endpoint, "failed").await;
        world.server.clock.advance(wait);
    }
    assert!(world.off(&endpoint).await.contains("for a day"));
    world.happen().await;
    assert_eq!(world.tried(&endpoint).await, 2);
}

#[tokio::test]
async fn a_redirect_switches_an_endpoint_off_at_once() {
    let world = World::new();
    let mut receiver = Receiver::new(&[302]).await;
    let endpoint = world.endpoint(&receiver.url).await;
    world.happen().await;
    world.next(&mut receiver).await;
    assert!(world.off(&endpoint).await.contains("redirect"));
    assert_eq!(
        world.newest(&endpoint, "failed").await["attempts"][0]["status"],
        302
    );
    world.happen().await;
    assert_eq!(world.tried(&endpoint).await, 1);
    // Switched on again, it hears what comes from now on.
    let path = format!(
        "/v1/organizations/webhooks/{}",
        endpoint["id"].as_str().unwrap()
    );
    let on = world.server.made(&path, json!({"state": "enabled"})).await;
    assert_eq!(on["disabled_reason"], "");
    let agent = world.happen().await;
    assert_eq!(world.next(&mut receiver).await.event()["data"]["id"], agent);
}

#[tokio::test]
async fn nothing_is_sent_inwards() {
    let world = World {
        server: Server::open(),
        stopping: CancellationToken::new(),
    };
    let mut receiver = Receiver::new(&[]).await;
    let endpoint = world.endpoint(&receiver.url).await;
    world.happen().await;
    world.happen().await;
    // The endpoint was saved under rules that allowed it; these do not.
    world.start(false);
    assert!(!world.off(&endpoint).await.is_empty());
    let states = world.until(async {
        loop {
            let states: Vec<Value> = world
                .deliveries(&endpoint)
                .await
                .iter()
                .map(|delivery| delivery["status"].clone())
                .collect();
            if !states.contains(&json!("pending")) {
                return states;
            }
        }
    });
    assert!(states.await.contains(&json!("failed")));
    assert!(receiver.arrived.try_recv().is_err());
}

#[tokio::test]
async fn a_slow_endpoint_delays_no_other() {
    let world = World::new();
    let mut slow = Receiver::new(&[0; 4]).await;
    let mut quick = Receiver::new(&[]).await;
    let slow_endpoint = world.endpoint(&slow.url).await;
    world.endpoint(&quick.url).await;
    for _ in 0..5 {
        let agent = world.happen().await;
        assert_eq!(world.next(&mut quick).await.event()["data"]["id"], agent);
    }
    world.next(&mut slow).await;
    let waiting = world.deliveries(&slow_endpoint).await;
    assert!(
        waiting
            .iter()
            .all(|delivery| delivery["status"] == "pending")
    );
}

#[tokio::test]
async fn what_waited_is_sent_by_the_next_daemon() {
    let mut world = World {
        server: Server::open(),
        stopping: CancellationToken::new(),
    };
    let mut receiver = Receiver::new(&[]).await;
    let endpoint = world.endpoint(&receiver.url).await;
    let agent = world.happen().await;
    assert_eq!(world.deliveries(&endpoint).await.len(), 1);
    // The next one knows nothing but the store.
    world.server.queue = Arc::default();
    world.start(true);
    assert_eq!(world.next(&mut receiver).await.event()["data"]["id"], agent);
    world.newest(&endpoint, "delivered").await;
}
