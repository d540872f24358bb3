//! A server that remembers what it was sent, and sends it back in every way that it knows.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::stream;
use tokio::net::TcpListener;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// The server.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Log,
}

impl Server {
    pub(super) async fn start() -> Result<Self> {
        let seen = Log::default();
        let router = Router::new().fallback(answer).with_state(seen.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, seen })
    }

    /// Returns the requests that arrived since the last time.
    pub(super) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Returns the one request that arrived since the last time.
    pub(super) fn one(&self) -> Seen {
        let mut seen = self.take();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

async fn answer(State(log): State<Log>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let seen = Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    // What of it may be a secret: the last word of a header of the request's own, and the body.
    let own = seen.header("x-own").to_owned();
    let said = format!("{own}{}", seen.body);
    log.lock().unwrap().push(seen);
    let path = head.uri.path().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    match path.as_str() {
        "/redirect" => (StatusCode::FOUND, [("location", query)]).into_response(),
        "/header" => ([("x-echo", said)], "ok").into_response(),
        "/base64" => format!(
            "{} {} {}",
            STANDARD.encode(&said),
            STANDARD.encode(format!("x{said}")),
            URL_SAFE_NO_PAD.encode(format!("xy{said}z"))
        )
        .into_response(),
        "/json" => axum::Json(serde_json::json!({"said": said})).into_response(),
        "/percent" => percent(&said).into_response(),
        "/error" => (StatusCode::INTERNAL_SERVER_ERROR, said).into_response(),
        "/bytewise" => {
            let bytes: Vec<u8> = said.into_bytes();
            let parts = bytes
                .into_iter()
                .map(|byte| Ok::<_, Infallible>(Bytes::from(vec![byte])));
            Body::from_stream(stream::iter(parts.collect::<Vec<_>>())).into_response()
        }
        // As if nobody had asked for it otherwise.
        "/packed" => ([("content-encoding", "gzip")], gzip(said.as_bytes())).into_response(),
        "/file.gz" => (
            [("content-type", "application/gzip")],
            gzip(said.as_bytes()),
        )
            .into_response(),
        _ => said.into_response(),
    }
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Returns a gzip file that stores the bytes as they come, in blocks too short to hold a secret in one piece.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let mut blocks = bytes.chunks(4).peekable();
    if blocks.peek().is_none() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(crc32(bytes).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
