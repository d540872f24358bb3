//! What the egress adds to a request: a GET of 1 KB beside the same with the bare HTTP client, one after the other and
//! 64 at once, and the throughput of a download of 100 MB.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

mod measure;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::json;
use sinew::clock::{Clock, SystemClock};
use sinew::egress::{Client, EgressOptions, Networks, SessionEgress, whole};
use sinew::ids::{EventId, SessionId, WorkspaceId};
use sinew::secrets::{Keyring, MasterKey};
use sinew::store::{Key, Kind, NewEvent, NewResource, SharedStore, SqliteOptions, SqliteStore};
use sinew_runtime::{Egress as _, EgressTimeouts};
use tokio::net::TcpListener;

use measure::{Group, Options, Report, Samples, Subject};

/// Bytes of a small response.
const SMALL_BYTES: usize = 1 << 10;
/// Requests at the same time.
const AT_ONCE: usize = 64;
/// Bytes of a part of the download.
const PART_BYTES: usize = 64 << 10;

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("egress");
    tokio::runtime::Runtime::new()?.block_on(run(options, &mut report))?;
    report.note("egress: policy and credentials read from the store for each request; a session without vaults");
    report.note("bare: reqwest with its own resolver; both over plain HTTP to a server in the bench's process");
    report.print(options);
    Ok(())
}

async fn run(options: Options, report: &mut Report) -> Result<()> {
    let address = serve(options.pick(1 << 20, 100_000_000)).await?;
    let folder = tempfile::tempdir()?;
    let egress = session(folder.path(), address).await?;
    let bare = reqwest::Client::builder().no_proxy().build()?;
    let small = format!("http://{address}/small");
    for at_once in [1, AT_ONCE] {
        let (mut ours, mut theirs) = (Samples::default(), Samples::default());
        for _ in 0..options.pick(1, 5) {
            let each = options.pick(2, 2_000 / at_once.min(8));
            let get_bare = |_: usize| async {
                let bytes = bare.get(&small).send().await?.bytes().await?;
                anyhow::Ok(bytes.len())
            };
            let get_ours = |_: usize| fetch(&egress, &small);
            load(at_once, each, &mut theirs, get_bare).await?;
            load(at_once, each, &mut ours, get_ours).await?;
        }
        let subjects = vec![Subject::new("egress", ours), Subject::new("bare", theirs)];
        let title = format!("GET of 1 KB, {at_once} at once");
        report.add(Group::new(title, subjects));
    }
    let large = format!("http://{address}/large");
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..options.pick(1, 5) {
        let start = Instant::now();
        let mut parts = bare.get(&large).send().await?.bytes_stream();
        let mut bytes = 0;
        while let Some(part) = parts.next().await {
            bytes += part?.len();
        }
        theirs += start.elapsed();
        let start = Instant::now();
        ensure!(fetch(&egress, &large).await? == bytes, "another length");
        ours += start.elapsed();
    }
    report.note(format!(
        "a large download takes {:.2} of the bare client's time",
        ours.as_secs_f64() / theirs.as_secs_f64()
    ));
    Ok(())
}

async fn fetch(egress: &SessionEgress, url: &str) -> Result<usize> {
    let request = http_request(url)?;
    let response = egress.send(request, EgressTimeouts::default()).await?;
    let mut parts = sinew::egress::parts_of(response.into_body());
    let mut bytes = 0;
    while let Some(part) = parts.next().await {
        bytes += part?.len();
    }
    Ok(bytes)
}

fn http_request(url: &str) -> Result<axum::http::Request<sinew_runtime::EgressBody>> {
    Ok(axum::http::Request::get(url).body(whole(""))?)
}

/// Makes `each` requests on each of `at_once` lanes.
async fn load<F, Fut>(at_once: usize, each: usize, samples: &mut Samples, get: F) -> Result<()>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Result<usize>>,
{
    samples.begin_round();
    let lane = |number| {
        let get = &get;
        async move {
            let mut times = Vec::with_capacity(each);
            for _ in 0..each {
                let start = Instant::now();
                ensure!(get(number).await? == SMALL_BYTES, "another length");
                times.push(start.elapsed());
            }
            anyhow::Ok(times)
        }
    };
    let lanes = stream::iter((0..at_once).map(lane)).buffer_unordered(at_once);
    let lanes: Vec<Result<Vec<Duration>>> = lanes.collect().await;
    for times in lanes {
        times?.into_iter().for_each(|time| samples.push(time));
    }
    Ok(())
}

async fn serve(large: usize) -> Result<SocketAddr> {
    let small = Bytes::from(vec![b'x'; SMALL_BYTES]);
    let part = Bytes::from(vec![b'y'; PART_BYTES]);
    let download = move || {
        let part = part.clone();
        let parts =
            (0..large.div_ceil(PART_BYTES)).map(move |_| Ok::<_, std::io::Error>(part.clone()));
        async move { Body::from_stream(stream::iter(parts)) }
    };
    let router = Router::new()
        .route("/small", get(move || std::future::ready(small.clone())))
        .route("/large", get(download));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Returns the way out of a session that may reach everything.
async fn session(folder: &std::path::Path, address: SocketAddr) -> Result<SessionEgress> {
    let clock = SystemClock;
    let now = clock.now();
    let store: SharedStore = Arc::new(SqliteStore::open(SqliteOptions::new(folder.join("db")))?);
    let workspace = WorkspaceId::from_text("default");
    let row = |kind, id: &str, body, events| NewResource {
        key: Key {
            workspace: workspace.clone(),
            kind,
            id: id.to_owned(),
        },
        body,
        unique_name: None,
        status: None,
        labels: Vec::new(),
        at: now,
        events,
        needs_wake: false,
        history: None,
    };
    let config = json!({"config": {"networking": {"type": "unrestricted"}}});
    store
        .create(row(Kind::Environment, "env_1", config, Vec::new()))
        .await?;
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
    let body = json!({"environment_id": "env_1", "vault_ids": []});
    store
        .create(row(Kind::Session, session_id.as_str(), body, vec![first]))
        .await?;
    let client = Client::new(EgressOptions {
        private_hosts: vec![address.to_string().parse().context("no host")?],
        exchanges_per_hand_max: AT_ONCE,
        ..EgressOptions::default()
    })?;
    let keyring = Arc::new(Keyring::of(MasterKey::fresh()?));
    let networks = Networks::new(client, store, keyring, Arc::new(SystemClock)).await?;
    Ok(networks.of_session(&session_id, folder).await?)
}
