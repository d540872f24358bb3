//! The mock model in a process of its own, and how long it takes by itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use serde_json::{Value, json};
use sinew::model::sse::SseDecoder;

/// What the model says to everything. Its pieces come apart, as a real model's do: an answer that is whole at
/// once is shown without previews.
const SCRIPT: &str = "
delay_ms: 3
otherwise:
  text: The quota is checked before anything is written, and given back where the write fails. Two places need a change.
";

/// A running mock model; dropping it ends it.
pub struct Mock {
    child: Child,
    /// Where it answers.
    pub url: String,
    http: reqwest::Client,
}

impl Mock {
    /// Starts it on a free port; `folder` holds its script.
    pub fn start(program: &str, folder: &Path) -> Result<Self> {
        let script = folder.join("script.yaml");
        std::fs::write(&script, SCRIPT)?;
        let mut child = Command::new(program)
            .arg("mock-model")
            .arg(&script)
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the mock model")?;
        let stdout = child
            .stdout
            .take()
            .context("the mock model has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = lines.next().context("the mock model ended")??;
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .with_context(|| format!("no address in {line:?}"))?
            .to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        sinew::model::install_tls();
        Ok(Self {
            child,
            url,
            http: reqwest::Client::builder().no_proxy().build()?,
        })
    }

    /// Asks the model and returns how long its first piece of text took.
    pub async fn first_token(&self, text: &str) -> Result<Duration> {
        let body = json!({
            "model": super::MODEL,
            "max_tokens": 1_024,
            "stream": true,
            "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
        });
        let start = Instant::now();
        let response = self
            .http
            .post(format!("{}/v1/messages", self.url))
            .header("content-type", "application/json")
            .header("x-api-key", "test-key")
            .header("anthropic-version", "2023-06-01")
            .body(body.to_string())
            .send()
            .await?;
        ensure!(
            response.status() == 200,
            "the mock model: {}",
            response.status()
        );
        let mut first = None;
        let mut chunks = response.bytes_stream();
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        while let Some(chunk) = chunks.next().await {
            decoder.push(&chunk?, &mut events)?;
            for event in events.drain(..) {
                let value: Value = serde_json::from_str(&event.data)?;
                if value["type"] == "content_block_delta" {
                    first.get_or_insert_with(|| start.elapsed());
                }
            }
        }
        match first {
            Some(first) => Ok(first),
            None => bail!("the mock model said nothing"),
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
