//! Crashes: the daemon is killed and started again on the same port and data; the client does nothing but
//! connect again. Nothing it saw may be gone, nothing may be there twice, and the work goes on to its end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod full_disk;
mod lane;
mod lock;
mod many_deaths;
mod mcp;
mod memory;
mod outputs;
mod paused;
mod plan;
mod points;
mod random;
mod session;
mod stored;
mod supervision;
mod threads;
mod workload;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sinew_tests::client::Client;
use tokio::task::JoinHandle;

/// The daemon under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sinew-under-test");

/// Variable that repeats a run.
const SEED_VARIABLE: &str = "SINEW_TEST_SEED";

/// Returns the seed of a run, and says how to repeat it.
fn seed() -> anyhow::Result<u64> {
    let seed = match std::env::var(SEED_VARIABLE) {
        Ok(text) => text.parse()?,
        Err(_) => rand::random(),
    };
    println!("to repeat: {SEED_VARIABLE}={seed}");
    Ok(seed)
}

/// Everything that clients saw of one session, by event id, whichever daemon showed it.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeMap<String, Value>>>);

impl Seen {
    /// Follows a session's stream to its end in the background.
    async fn follow(&self, client: &Client, session: &str) -> anyhow::Result<JoinHandle<()>> {
        let mut stream = client.stream(session, "").await?;
        let seen = self.clone();
        Ok(tokio::spawn(async move {
            while let Ok(Some(event)) = stream.next().await {
                seen.add(&event);
            }
        }))
    }

    fn add(&self, event: &Value) {
        if let Some(id) = event["id"].as_str() {
            self.0.lock().unwrap().insert(id.to_owned(), event.clone());
        }
    }

    /// Everything that was seen is in `events`, as it was seen (an input may have got its time since).
    fn check(&self, events: &[Value]) {
        let listed: BTreeMap<&str, &Value> = events
            .iter()
            .map(|event| (event["id"].as_str().unwrap(), event))
            .collect();
        for (id, seen) in self.0.lock().unwrap().iter() {
            let Some(listed) = listed.get(id.as_str()) else {
                panic!("an event that a client saw is lost: {seen}");
            };
            let mut listed = (*listed).clone();
            if seen["processed_at"].is_null() {
                listed["processed_at"] = Value::Null;
            }
            assert_eq!(*seen, listed, "an event changed after a client saw it");
        }
    }

    fn ids(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}
