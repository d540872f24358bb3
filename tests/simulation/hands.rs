//! Hands whose one tool appends a line to the session's one file, in two steps that a death can part.
//!
//! A line names the call and how many lines there were before it, so the file tells which calls had an effect, how
//! often, and on what they ran.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use sinew::clock::Clock as _;
use sinew::hands::{CallOutcome, Hand, HandError, Hands, Mounts, OutputSink, ToolCall};
use sinew::ids::SessionId;
use sinew::store::{Files, FilesChange, Hash, NewObjects, Place, SharedStore};
use tokio_util::sync::CancellationToken;

use crate::power::Power;

/// The name of the tool.
pub const TOOL: &str = "bash";
/// What a stored file starts with; others are not of these hands, and empty.
const MARK: &str = "simulated\n";
/// Longest time of a step.
const STEP: Duration = Duration::from_secs(8);

/// What lies in the folders of one machine. It outlives the machine's processes.
pub type Disk = Arc<Mutex<HashMap<SessionId, String>>>;

/// Returns the lines of a file that an object holds.
pub fn lines_of(object: &[u8]) -> String {
    let text = String::from_utf8_lossy(object);
    text.strip_prefix(MARK).unwrap_or_default().to_owned()
}

pub struct SimHands {
    pub power: Arc<Power>,
    pub disk: Disk,
    pub store: SharedStore,
    definitions: Vec<Value>,
}

impl SimHands {
    pub fn new(power: Arc<Power>, disk: Disk, store: SharedStore) -> Self {
        let tool = json!({"name": TOOL, "description": "d", "input_schema": {"type": "object"}});
        Self {
            power,
            disk,
            store,
            definitions: vec![tool],
        }
    }

    async fn committed(&self, files: Option<Files>) -> Result<String, HandError> {
        let Some(files) = files else {
            return Ok(String::new());
        };
        let places = self.store.files().places(&[files.root]).await;
        let places = places.map_err(|error| HandError::Host(error.to_string()))?;
        match places.first() {
            Some(Some(Place::Row(object))) => Ok(lines_of(object)),
            other => Err(HandError::Host(format!("the root is {other:?}"))),
        }
    }
}

#[async_trait::async_trait]
impl Hands for SimHands {
    fn definitions(&self) -> &[Value] {
        &self.definitions
    }

    async fn provision(
        &self,
        session_id: &SessionId,
        _: &Mounts,
        files: Option<Files>,
    ) -> Result<Box<dyn Hand>, HandError> {
        self.power.work(STEP).await;
        if self.power.fails(self.power.weather.roughness.hand) {
            return Err(HandError::Provision {
                session_id: session_id.clone(),
                reason: "no memory is left".to_owned(),
            });
        }
        let committed = self.committed(files).await?;
        self.power.alive().await;
        let was = lock(&self.disk).insert(session_id.clone(), committed.clone());
        let was_cut_off = was.is_some_and(|was| was != committed);
        Ok(Box::new(SimHand {
            power: self.power.clone(),
            disk: self.disk.clone(),
            session_id: session_id.clone(),
            kept: Mutex::new(Kept {
                committed,
                saved: None,
            }),
            was_cut_off,
        }))
    }

    async fn condemn(&self, _: &SessionId) -> Result<(), HandError> {
        Ok(())
    }

    async fn discard(&self, session_id: &SessionId) -> Result<(), HandError> {
        self.power.alive().await;
        lock(&self.disk).remove(session_id);
        Ok(())
    }
}

struct SimHand {
    power: Arc<Power>,
    disk: Disk,
    session_id: SessionId,
    kept: Mutex<Kept>,
    was_cut_off: bool,
}

struct Kept {
    committed: String,
    saved: Option<String>,
}

impl SimHand {
    fn file(&self) -> String {
        lock(&self.disk)
            .get(&self.session_id)
            .cloned()
            .unwrap_or_default()
    }

    fn write(&self, text: String) {
        lock(&self.disk).insert(self.session_id.clone(), text);
    }
}

#[async_trait::async_trait]
impl Hand for SimHand {
    async fn execute(
        &self,
        call: &ToolCall,
        _: &OutputSink,
        cancel: &CancellationToken,
    ) -> Result<CallOutcome, HandError> {
        self.power.work(STEP).await;
        let before = self.file();
        let number = before.lines().count();
        let line = format!("{} {number}\n", call.event_id);
        let half = line.len() / 2;
        self.write(before.clone() + &line[..half]);
        self.power.work(STEP).await;
        if self.power.fails(self.power.weather.roughness.hand) {
            return Err(HandError::Host("the host is out of luck".to_owned()));
        }
        if cancel.is_cancelled() {
            self.write(before);
            return Ok(outcome("stopped", true));
        }
        self.write(before + &line);
        self.power.work(STEP).await;
        // Validations fail now and then.
        let fails = call.is_apart && self.power.draw(|chance| chance.happens(0.4));
        Ok(outcome(&format!("line {number}"), fails))
    }

    async fn save(&self) -> Result<Option<FilesChange>, HandError> {
        self.power.work(STEP).await;
        if self.power.weather.is_full(self.power.clock.now()) {
            return Err(HandError::Full);
        }
        let file = self.file();
        let mut kept = lock(&self.kept);
        if file == kept.committed {
            return Ok(None);
        }
        let object = Bytes::from(format!("{MARK}{file}"));
        let root = Hash::of(&object);
        kept.saved = Some(file);
        Ok(Some(FilesChange {
            files: Files {
                root,
                digest: root,
                shell: None,
            },
            also: Vec::new(),
            objects: NewObjects {
                rows: vec![(root, object)],
                ..NewObjects::default()
            },
        }))
    }

    async fn committed(&self) {
        self.power.alive().await;
        let mut kept = lock(&self.kept);
        if let Some(saved) = kept.saved.take() {
            kept.committed = saved;
        }
    }

    fn was_cut_off(&self) -> bool {
        self.was_cut_off
    }
}

fn outcome(text: &str, is_error: bool) -> CallOutcome {
    CallOutcome {
        content: vec![json!({"type": "text", "text": text})],
        is_error,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
