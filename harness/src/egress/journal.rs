//! What a session's requests came to, for the log.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use sinew_runtime::EgressError;

use crate::clock::Timestamp;
use crate::ids::EventId;

/// Most requests that go with one append; of further ones only the number is kept.
const REQUESTS_MAX: usize = 1_000;
/// Longest path that is kept, in bytes.
const PATH_BYTES_MAX: usize = 512;
/// Longest error that is kept, in characters.
const ERROR_CHARACTERS_MAX: usize = 300;

/// One request, with everything about it but what was in it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct HttpRequest {
    /// When it was sent.
    pub at: Timestamp,
    /// The call that it belongs to; none for what runs in the background between calls.
    pub tool_use_id: Option<EventId>,
    /// GET, POST, ...
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// The host's name.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// Without the query, which may say more than a journal should know; cut at 512 bytes.
    pub path: String,
    /// The response's status, if there was one.
    pub status: Option<u16>,
    /// What went wrong, if something did: with the request, or with a body behind a status.
    pub error: Option<String>,
    /// The setting that would allow it, for a denied one.
    pub setting: Option<String>,
    /// Bytes of the body that was sent.
    pub bytes_up: u64,
    /// Bytes of the body that came back.
    pub bytes_down: u64,
    /// From the request to the end of the response.
    pub duration_ms: u64,
    /// The credentials whose secrets were put in.
    pub credential_ids: BTreeSet<String>,
}

impl HttpRequest {
    /// Returns a TCP connection of a guest's own, as the journal has it: `CONNECT` over `tcp`.
    pub(super) fn connection(at: Timestamp, address: SocketAddr) -> Self {
        Self {
            at,
            tool_use_id: None,
            method: "CONNECT".to_owned(),
            scheme: "tcp".to_owned(),
            host: address.ip().to_string(),
            port: Some(address.port()),
            path: String::new(),
            status: None,
            error: None,
            setting: None,
            bytes_up: 0,
            bytes_down: 0,
            duration_ms: 0,
            credential_ids: BTreeSet::new(),
        }
    }

    /// Notes what went wrong.
    pub(super) fn fail(&mut self, error: &EgressError) {
        let text = error.to_string();
        self.error = Some(text.chars().take(ERROR_CHARACTERS_MAX).collect());
    }

    /// Returns a path as it is kept.
    pub(super) fn kept_path(path: &str) -> String {
        let mut end = path.len().min(PATH_BYTES_MAX);
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        path.get(..end).unwrap_or_default().to_owned()
    }
}

/// The requests of one hand that are not yet in the log.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    requests: Vec<HttpRequest>,
    omitted: u64,
    call: Option<EventId>,
}

impl Journal {
    pub(super) fn add(&self, request: HttpRequest) {
        let mut kept = self.lock();
        match kept.requests.len() < REQUESTS_MAX {
            true => kept.requests.push(request),
            false => kept.omitted += 1,
        }
    }

    /// Says which call requests belong to from now on.
    pub(super) fn begin_call(&self, call: Option<EventId>) {
        self.lock().call = call;
    }

    pub(super) fn call(&self) -> Option<EventId> {
        self.lock().call.clone()
    }

    /// Returns the body of the event that has them, and forgets them; none without any.
    pub(super) fn take(&self) -> Option<Value> {
        let mut kept = self.lock();
        let requests = std::mem::take(&mut kept.requests);
        let omitted = std::mem::take(&mut kept.omitted);
        let is_empty = requests.is_empty() && omitted == 0;
        (!is_empty).then(|| json!({"requests": requests, "omitted": omitted}))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
