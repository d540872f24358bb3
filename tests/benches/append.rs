//! Durable appends through the store, beside writing and syncing the same bytes to a file of the same disk.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

mod measure;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sinew::clock::Timestamp;
use sinew::ids::{EventId, SessionId, WorkspaceId};
use sinew::store::{
    Append, Key, Kind, NewEvent, NewResource, SharedStore, SqliteOptions, SqliteStore,
};

use measure::{Group, Options, Report, Samples, Subject};

/// Text of one event, in bytes: a short answer of a model.
const TEXT_BYTES: usize = 600;

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("append");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sinew.db");
    let store: SharedStore = Arc::new(SqliteStore::open(SqliteOptions::new(path))?);
    let tokio = tokio::runtime::Runtime::new()?;
    for writers in [1, 8, 64] {
        let group = compare(options, &tokio, &store, folder.path(), writers)?;
        report.add(group);
    }
    report.note("one event of 0.6 kB per append, each writer with a session of its own");
    report.note(
        "bare: as many threads append the same bytes to one file and call fdatasync each time",
    );
    report.print(options);
    Ok(())
}

fn compare(
    options: Options,
    tokio: &tokio::runtime::Runtime,
    store: &SharedStore,
    folder: &Path,
    writers: usize,
) -> Result<Group> {
    let rounds = options.pick(2, 10);
    let appends = options.pick(4, if writers == 1 { 100 } else { 30 });
    let mut logs = tokio.block_on(logs(store, writers))?;
    let mut ours = Measured::default();
    let mut bare = Measured::default();
    for round in 0..rounds {
        for turn in [round % 2, 1 - round % 2] {
            let start = Instant::now();
            if turn == 0 {
                let times = tokio.block_on(append_all(store, &mut logs, appends))?;
                ours.add(start, times);
            } else {
                let times = sync_all(&folder.join("bare"), writers, appends)?;
                bare.add(start, times);
            }
        }
    }
    let noun = if writers == 1 { "writer" } else { "writers" };
    Ok(Group::new(
        format!("durable append, {writers} {noun}"),
        vec![
            ours.subject("store"),
            bare.subject("bare write + fdatasync"),
        ],
    ))
}

/// Times of one subject, and how long its rounds took together.
#[derive(Default)]
struct Measured {
    samples: Samples,
    wall: Duration,
}

impl Measured {
    fn add(&mut self, start: Instant, times: Vec<Duration>) {
        self.wall += start.elapsed();
        self.samples.begin_round();
        times.into_iter().for_each(|time| self.samples.push(time));
    }

    fn subject(self, name: &str) -> Subject {
        let rate = self.samples.count() as f64 / self.wall.as_secs_f64();
        Subject::new(name, self.samples).per_second(rate)
    }
}

/// A session's log and its last number.
struct Log {
    session_id: SessionId,
    last: u64,
}

async fn logs(store: &SharedStore, count: usize) -> Result<Vec<Log>> {
    let mut logs = Vec::with_capacity(count);
    for _ in 0..count {
        let now = Timestamp::now();
        let session_id = SessionId::fresh(now);
        store
            .create(NewResource {
                key: Key {
                    workspace: WorkspaceId::from_text("wrkspc_bench"),
                    kind: Kind::Session,
                    id: session_id.as_str().to_owned(),
                },
                body: json!({}),
                unique_name: None,
                status: None,
                labels: Vec::new(),
                at: now,
                events: Vec::new(),
                needs_wake: false,
                history: None,
            })
            .await?;
        logs.push(Log {
            session_id,
            last: 0,
        });
    }
    Ok(logs)
}

fn body() -> Value {
    json!({"content": [{"type": "text", "text": "x".repeat(TEXT_BYTES)}]})
}

/// Lets a task for each log append so often, and returns how long each append took.
async fn append_all(
    store: &SharedStore,
    logs: &mut Vec<Log>,
    appends: usize,
) -> Result<Vec<Duration>> {
    let tasks: Vec<_> = std::mem::take(logs)
        .into_iter()
        .map(|log| tokio::spawn(append_to(store.clone(), log, appends)))
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        let (log, took) = task.await??;
        logs.push(log);
        times.extend(took);
    }
    Ok(times)
}

async fn append_to(
    store: SharedStore,
    mut log: Log,
    appends: usize,
) -> Result<(Log, Vec<Duration>)> {
    let mut times = Vec::with_capacity(appends);
    for _ in 0..appends {
        let now = Timestamp::now();
        let append = Append {
            session_id: log.session_id.clone(),
            expected: log.last,
            lease: None,
            events: vec![NewEvent {
                id: EventId::fresh(now),
                thread_id: None,
                is_thread_only: false,
                kind: "agent.message".to_owned(),
                at: now,
                is_queued: false,
                body: body(),
                private: None,
            }],
            projection: None,
            files: None,
        };
        let start = Instant::now();
        store.append(append).await?;
        times.push(start.elapsed());
        log.last += 1;
    }
    Ok((log, times))
}

/// Lets so many threads append to one file and sync it, and returns how long each write took.
fn sync_all(path: &Path, writers: usize, appends: usize) -> Result<Vec<Duration>> {
    let bytes = body().to_string().into_bytes();
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|_| scope.spawn(|| sync(&file, &bytes, appends)))
            .collect();
        let mut times = Vec::new();
        for thread in threads {
            let took = thread.join().ok().context("a writer panicked")??;
            times.extend(took);
        }
        Ok(times)
    })
}

fn sync(mut file: &File, bytes: &[u8], appends: usize) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(appends);
    for _ in 0..appends {
        let start = Instant::now();
        file.write_all(bytes)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    Ok(times)
}
