//! What the daemon adds to the time until a model's first piece of text: from the client's message to the
//! first `event_delta` on its stream, beside asking the same model directly.
//!
//! Daemon and mock model are processes of their own; every message is durable before the model is asked.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

#[path = "../measure/mod.rs"]
mod measure;
mod mock;
mod sessions;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use sinew_tests::client::Client;
use sinew_tests::daemon::{Daemon, Options as DaemonOptions};

use measure::{Group, Options, Report, Samples, Subject};
use mock::Mock;
use sessions::{Live, Template};

/// The model that is asked for; the mock model answers to any name.
const MODEL: &str = "claude-opus-4-8";

/// What is said in every message.
const TEXT: &str =
    "Where is the quota of a hand checked, and what happens when a write fails half way?";

/// Messages that one session takes before the next one is made, so that all conversations stay short.
const MESSAGES_PER_SESSION: usize = 10;

/// Time between two messages of all live sessions together.
const SPACING: Duration = Duration::from_millis(50);

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sinew-under-test");

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("first_token");
    tokio::runtime::Runtime::new()?.block_on(run(options, &mut report))?;
    report.note("added: each message less the median of asking the model directly");
    report
        .note("first messages find no driver awake: it takes the session's lease, one commit more");
    report.note("a message costs two commits, its own and the start of the request; see the disk");
    report.print(options);
    Ok(())
}

async fn run(options: Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mock = Arc::new(Mock::start(PROGRAM, folder.path())?);
    let data = folder.path().join("data");
    let daemon = Daemon::start(&DaemonOptions::new(PROGRAM, &data, &mock.url))?;
    let client = Client::new(&daemon.url)?;
    for has_tools in [false, true] {
        let with = if has_tools {
            "with tools"
        } else {
            "without tools"
        };
        let template = Template::new(&client, has_tools).await?;
        let times = one_session(options, &client, &template, &mock, folder.path()).await?;
        times.report(report, &format!("1 session, {with}"));
        let count = options.pick(10, 200);
        let times = many_sessions(options, &client, &template, &mock, count).await?;
        let title = format!("{count} live sessions, {with}, a message every 50 ms");
        times.report(report, &title);
    }
    let status = daemon.stop()?;
    anyhow::ensure!(status.success(), "the daemon ended with {status}");
    Ok(())
}

/// What was measured of one setting.
#[derive(Default)]
struct Times {
    first: Samples,
    next: Samples,
    direct: Samples,
    disk: Samples,
}

impl Times {
    fn begin_round(&mut self) {
        for samples in [
            &mut self.first,
            &mut self.next,
            &mut self.direct,
            &mut self.disk,
        ] {
            samples.begin_round();
        }
    }

    fn push(&mut self, is_first: bool, time: Duration) {
        let samples = if is_first {
            &mut self.first
        } else {
            &mut self.next
        };
        samples.push(time);
    }

    fn report(self, report: &mut Report, title: &str) {
        let model = self.direct.percentile(50);
        let (first_added, next_added) = (self.first.minus(model), self.next.minus(model));
        let mut subjects = vec![
            Subject::new("added to a first message", first_added),
            Subject::new("added to a next message", next_added),
            Subject::new("first message", self.first),
            Subject::new("next message", self.next),
        ];
        if self.disk.count() > 0 {
            subjects.push(Subject::new("disk: write + fdatasync of 4 kB", self.disk));
        }
        subjects.push(Subject::new("the model alone", self.direct));
        report.add(Group::new(format!("first token, {title}"), subjects));
    }
}

/// One session at a time, one message at a time; the model alone and the disk in turn with it.
async fn one_session(
    options: Options,
    client: &Client,
    template: &Template,
    mock: &Mock,
    folder: &Path,
) -> Result<Times> {
    let mut times = Times::default();
    let mut file = std::fs::File::create(folder.join("disk"))?;
    for _ in 0..options.pick(2, 40) {
        times.begin_round();
        let mut live = Live::new(client, template).await?;
        for message in 0..options.pick(3, MESSAGES_PER_SESSION) {
            times.push(message == 0, live.first_token(TEXT).await?);
            times.direct.push(mock.first_token(TEXT).await?);
            let start = Instant::now();
            file.write_all(&[message as u8; 4096])?;
            file.sync_data()?;
            times.disk.push(start.elapsed());
        }
    }
    Ok(times)
}

/// All sessions at once, each with its stream open; messages come at a fixed rate whatever the answers take.
async fn many_sessions(
    options: Options,
    client: &Client,
    template: &Template,
    mock: &Arc<Mock>,
    count: usize,
) -> Result<Times> {
    let messages = options.pick(2, 4);
    let mut lives = Vec::with_capacity(count);
    for _ in 0..count {
        lives.push(Live::new(client, template).await?);
    }
    let start = tokio::time::Instant::now() + SPACING;
    let slot = move |place: usize, message: usize| {
        let number = u32::try_from(message * count + place).unwrap_or(u32::MAX);
        start + SPACING * number
    };
    let mut tasks = Vec::with_capacity(count);
    for (place, mut live) in lives.into_iter().enumerate() {
        let mock = Arc::clone(mock);
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::with_capacity(messages);
            for message in 0..messages {
                tokio::time::sleep_until(slot(place, message)).await;
                let ours = live.first_token(TEXT).await?;
                tokio::time::sleep_until(slot(place, message) + SPACING / 2).await;
                took.push((ours, mock.first_token(TEXT).await?));
            }
            anyhow::Ok(took)
        }));
    }
    let mut times = Times::default();
    times.begin_round();
    for task in tasks {
        for (message, (ours, direct)) in task.await??.into_iter().enumerate() {
            times.push(message == 0, ours);
            times.direct.push(direct);
        }
    }
    Ok(times)
}
