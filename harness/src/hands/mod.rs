//! Hands: whatever executes tool calls. The brain knows them only through this interface.
//!
//! Provisioning is lazy: a hand is made at the first call of a session and thrown away at will.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::ids::{EventId, SessionId};
use crate::memory::mount::Folders;
use crate::store::{Files, FilesChange};

mod built_in;
mod components;
mod folder_state;
mod folders;
mod grants;
mod masked;
mod mounts;
mod outputs;
mod session_files;
mod skill_sets;
mod spill;
mod uploads;
mod used;
mod wasm;
mod web;
mod webhook;

pub use built_in::{ENVIRONMENT, WEB, programs, tools};
pub use components::{ComponentCall, Components, ExamineError, Examined};
pub use grants::Grants;
pub use mounts::{Mounts, SKILLS, SkillMount, UPLOADS, UploadMount};
pub use spill::{OUTPUT_CHARS_MAX as LONG_OUTPUT_CHARS_MAX, cut};
pub use wasm::{WasmHands, WasmHandsOptions};
pub use web::{FETCH as WEB_FETCH, Search, WebTools, is_of_web};
pub use webhook::WebhookCall;

/// What a call came to, as the model and the log will see it.
#[derive(Clone, PartialEq, Debug)]
pub struct CallOutcome {
    /// Content blocks of the wire; never empty.
    pub content: Vec<Value>,
    /// The call failed.
    pub is_error: bool,
}

/// Why a hand could not even try: the operator's problem, told to the model in general terms only.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    /// The hand could not be made.
    #[error("cannot provision a hand for {session_id}: {reason}")]
    Provision {
        /// The session.
        session_id: SessionId,
        /// What failed.
        reason: String,
    },
    /// The host failed while the call ran.
    #[error("the host failed during a tool call: {0}")]
    Host(String),
    /// No space is left for what the call changed; it is undone, and can be made again.
    #[error("the disk is full")]
    Full,
    /// What the call changed cannot be kept, as the text tells the model; it is undone.
    #[error("the changes cannot be kept: {0}")]
    Unkeepable(String),
}

/// One call.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// The event that recorded the intent; names files and idempotency keys.
    pub event_id: EventId,
    /// Tool name.
    pub name: String,
    /// Arguments, a JSON object.
    pub input: Value,
    /// What runs it, if that is a registered component or a webhook.
    pub bound: Option<BoundCall>,
    /// What the agent's toolset says of the tool; null if nothing.
    pub settings: Value,
    /// Time and chance follow from the event, so that the call can be made again.
    pub is_deterministic: bool,
    /// It is the shell's and made in a fresh one, which neither knows nor changes what the session's is like.
    pub is_apart: bool,
}

/// What runs a call that no built-in tool does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BoundCall {
    /// A function of a registered component.
    Component(ComponentCall),
    /// A server.
    Webhook(WebhookCall),
}

/// What a session left in its outputs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outputs {
    /// The files.
    pub files: Vec<OutputFile>,
    /// There are more, or some whose names cannot be told.
    pub is_cut: bool,
}

/// A file in a session's outputs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputFile {
    /// Where it lies below the outputs, e.g. `reports/a.pdf`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Another text whenever its content may be another one.
    pub mark: String,
}

/// Makes hands. Those that keep no files need nothing for uploads and outputs.
#[async_trait]
pub trait Hands: Send + Sync + 'static {
    /// Returns the Messages API definitions of the built-in tools, in a fixed order. Needs no hand.
    fn definitions(&self) -> &[Value];

    /// Tells whether what a call changed of the files can be undone: not where they are a folder of the host's own.
    fn undoes(&self) -> bool {
        true
    }

    /// Returns how many names and bytes of files a session may have.
    fn files_max(&self) -> (u64, u64) {
        (1_000_000, 4 << 30)
    }

    /// Returns a hand for the session, with its mounts in place and its files as committed, whatever was there.
    /// Called at its first tool call, and again after a crash.
    async fn provision(
        &self,
        session_id: &SessionId,
        mounts: &Mounts,
        files: Option<Files>,
    ) -> Result<Box<dyn Hand>, HandError>;

    /// Puts the uploads of `mounts` in place of those that a living hand of the session shows.
    async fn place(&self, _session_id: &SessionId, _mounts: &Mounts) -> Result<(), HandError> {
        Ok(())
    }

    /// Returns the files in the session's outputs in order of their paths, at most `files_max`.
    async fn outputs(
        &self,
        _session_id: &SessionId,
        _files_max: usize,
    ) -> Result<Outputs, HandError> {
        Ok(Outputs::default())
    }

    /// Returns the content of one of the outputs as it is read; a failure of the stream is the file's.
    async fn read_output(
        &self,
        _session_id: &SessionId,
        path: &str,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, HandError> {
        Err(HandError::Host(format!("there is no output {path:?}")))
    }

    /// Returns where the memory stores of a session are to lie on this host; none for hands that cannot have
    /// any.
    fn memory_folders(&self, _session_id: &SessionId) -> Option<Folders> {
        None
    }

    /// Marks a session's files as to be removed, before its record is: should the daemon die between the
    /// two, the next start finishes the removal.
    async fn condemn(&self, session_id: &SessionId) -> Result<(), HandError>;

    /// Removes everything a deleted session left: workspace, scratch, outputs.
    async fn discard(&self, session_id: &SessionId) -> Result<(), HandError>;
}

/// Takes what a call writes while it runs, in no relation to lines or characters. Called on the hand's threads.
pub type OutputSink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Executes the tool calls of one session.
#[async_trait]
pub trait Hand: Send + Sync {
    /// Runs a call to its end. Once `cancel` is cancelled it ends soon, with whatever it came to.
    async fn execute(
        &self,
        call: &ToolCall,
        output: &OutputSink,
        cancel: &CancellationToken,
    ) -> Result<CallOutcome, HandError>;

    /// Returns what the calls since the last commit changed of the session's files, to be committed with their
    /// results; none if nothing. A hand whose changes are not committed is dropped: its successor undoes them.
    async fn save(&self) -> Result<Option<FilesChange>, HandError> {
        Ok(None)
    }

    /// Tells whether an earlier run of this call sent something over the network that may have changed what is there:
    /// it is not to be made again.
    fn has_sent(&self, _call: &EventId) -> bool {
        false
    }

    /// Returns the body of a `sinew.http_requests` event with the requests that ended since the last time, to be
    /// committed with the result of the call that made them; none without any.
    fn take_requests(&self) -> Option<Value> {
        None
    }

    /// Keeps a text that is too long for the model in a file of the session, named after its call, and returns what the
    /// model is shown of it.
    async fn keep_long(&self, _call: &EventId, text: String) -> Result<String, HandError> {
        Ok(cut(&text))
    }

    /// Hears that what was saved last is committed.
    async fn committed(&self) {}

    /// Tells whether the files had to be put back because an earlier hand's call was cut off.
    fn was_cut_off(&self) -> bool {
        false
    }

    /// Ends the hand and leaves the files as they are committed, so that the next one need not look at them.
    async fn rest(self: Box<Self>) {}
}
