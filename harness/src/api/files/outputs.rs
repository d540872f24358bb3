//! Makes files of what sessions leave in their outputs, once they are idle.
//!
//! Collecting is the same however often it is done and wherever it was broken off: a record names the path
//! it came from and the hash of its content. A changed output becomes a new file in place of the old one; one
//! that a client deleted stays deleted until it changes; one that the agent removed stays a file.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use serde_json::json;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::record::{self, FILE_BYTES_MAX, NewFile, OUTPUT};
use super::session_files::{of_session, remove_of_session};
use crate::blobs::{BlobError, Blobs, Stored};
use crate::clock::Clock;
use crate::hands::{HandError, Hands, OutputFile};
use crate::ids::{FileId, SessionId};
use crate::json::Fields as _;
use crate::store::{
    Kind, LogGrew, ROWS_MAX, Resource, ResourceChange, SharedStore, StoreError, Write,
};

/// Most files of one session.
const FILES_MAX: usize = 1_000;
/// Most bytes of one session's files.
const BYTES_MAX: u64 = 4 << 30;
/// Sessions looked at side by side.
const SESSIONS_AT_ONCE: usize = 4;
/// Time between two rounds, in which hints gather.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a session is looked at anew whose files clients change meanwhile.
const ATTEMPTS_MAX: usize = 4;

/// Why a session's outputs could not all be collected; the next round tries again.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A content could not be kept.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The outputs could not be read.
    #[error(transparent)]
    Hand(#[from] HandError),
}

/// Collects outputs.
pub struct Collector {
    store: SharedStore,
    blobs: Blobs,
    clock: Arc<dyn Clock>,
    hands: Arc<dyn Hands>,
}

/// Sessions whose logs grew since the last round.
#[derive(Default)]
struct Grown {
    sessions: BTreeSet<String>,
    /// Hints were missed: any session may have grown.
    any: bool,
}

impl Collector {
    /// Returns a collector over the parts of one daemon.
    pub fn new(
        store: SharedStore,
        blobs: Blobs,
        clock: Arc<dyn Clock>,
        hands: Arc<dyn Hands>,
    ) -> Self {
        Self {
            store,
            blobs,
            clock,
            hands,
        }
    }

    /// Collects what an earlier daemon did not come to, and then what `hints` of the store tell of, until
    /// `stop`.
    pub async fn run(self, mut hints: broadcast::Receiver<LogGrew>, stop: CancellationToken) {
        let mut grown = Grown {
            any: true,
            ..Grown::default()
        };
        let this = &self;
        let mut round = None;
        loop {
            if round.is_none() && (grown.any || !grown.sessions.is_empty()) {
                round = Some(this.round(std::mem::take(&mut grown)).boxed());
            }
            let ended = async {
                match round.as_mut() {
                    Some(round) => round.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                hint = hints.recv() => match hint {
                    // A session's end: nothing of it is left to be collected.
                    Ok(grew) if grew.last == u64::MAX => {}
                    Ok(grew) => {
                        grown.sessions.insert(grew.session_id.as_str().to_owned());
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => grown.any = true,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                () = ended => round = None,
                () = stop.cancelled() => return,
            }
        }
    }

    async fn round(&self, grown: Grown) {
        if grown.any
            && let Err(error) = self.collect_all().await
        {
            tracing::error!(%error, "cannot look for outputs of all sessions");
        }
        let sessions = futures::stream::iter(grown.sessions);
        sessions
            .for_each_concurrent(SESSIONS_AT_ONCE, |id| async move {
                self.collect_told(&SessionId::from_text(id)).await;
            })
            .await;
        self.clock.sleep(PAUSE).await;
    }

    async fn collect_all(&self) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let sessions = self
                .store
                .scan(Kind::Session, after.as_deref(), ROWS_MAX)
                .await?;
            for session in &sessions {
                self.collect_told(&SessionId::from_text(session.key.id.clone()))
                    .await;
            }
            after = sessions.last().map(|session| session.key.id.clone());
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn collect_told(&self, session_id: &SessionId) {
        if let Err(error) = self.collect(session_id).await {
            tracing::error!(session = %session_id, %error, "a session's outputs could not be collected");
        }
    }

    /// Makes files of a session's outputs, unless it works just now.
    pub async fn collect(&self, session_id: &SessionId) -> Result<(), CollectError> {
        for _ in 0..ATTEMPTS_MAX {
            let session = match self.store.session(session_id).await {
                Ok(session) => session,
                Err(StoreError::NotFound) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if !matches!(session.status.as_deref(), Some("idle" | "terminated")) {
                return Ok(());
            }
            match self.collect_once(session_id, &session).await {
                // A client changed one of the files meanwhile.
                Err(CollectError::Store(
                    StoreError::NotFound | StoreError::RevisionConflict { .. },
                )) => {}
                collected => return collected,
            }
        }
        Ok(())
    }

    async fn collect_once(
        &self,
        session_id: &SessionId,
        session: &Resource,
    ) -> Result<(), CollectError> {
        let outputs = self.hands.outputs(session_id, FILES_MAX).await?;
        if outputs.is_cut {
            tracing::warn!(session = %session_id, files_max = FILES_MAX,
                "the session has more outputs than are kept as files; the rest stays in its folder");
        }
        if outputs.files.is_empty() {
            return Ok(());
        }
        let known = self.known(session_id, session).await?;
        let (mut bytes, mut left_out) = (0u64, 0usize);
        for output in &outputs.files {
            if output.bytes > FILE_BYTES_MAX || bytes.saturating_add(output.bytes) > BYTES_MAX {
                left_out += 1;
                continue;
            }
            bytes += output.bytes;
            let before = known.get(&output.path);
            if before.is_none_or(|file| file.body.at(OUTPUT).at("mark") != &json!(output.mark)) {
                self.take(session_id, session, output, before).await?;
            }
        }
        if left_out > 0 {
            tracing::warn!(session = %session_id, left_out, file_bytes_max = FILE_BYTES_MAX,
                bytes_max = BYTES_MAX, "outputs are too large to be kept as files; they stay in the session's folder");
        }
        // Deleted meanwhile: whoever deleted it may have looked before we wrote.
        if let Err(StoreError::NotFound) = self.store.session(session_id).await {
            let workspace = &session.key.workspace;
            remove_of_session(&*self.store, &self.blobs, workspace, session_id.as_str()).await?;
        }
        Ok(())
    }

    /// Returns the records of outputs by path, also of those whose content a client deleted.
    async fn known(
        &self,
        session_id: &SessionId,
        session: &Resource,
    ) -> Result<HashMap<String, Resource>, StoreError> {
        let mut known = HashMap::new();
        let mut after = None;
        loop {
            let workspace = &session.key.workspace;
            let page = of_session(&*self.store, workspace, session_id.as_str(), after).await?;
            after = page
                .last()
                .map(|last| (last.created_at, last.key.id.clone()));
            if after.is_none() {
                return Ok(known);
            }
            for file in page {
                if let Some(path) = file.body.at(OUTPUT).at("path").as_str() {
                    known.insert(path.to_owned(), file);
                }
            }
        }
    }

    /// Keeps one output that may have changed since `before`.
    async fn take(
        &self,
        session_id: &SessionId,
        session: &Resource,
        output: &OutputFile,
        before: Option<&Resource>,
    ) -> Result<(), CollectError> {
        let now = self.clock.now();
        let id = FileId::fresh(now);
        let content = self.hands.read_output(session_id, &output.path).await?;
        let stored = match self.blobs.put(id.as_str(), content, FILE_BYTES_MAX).await {
            Ok(stored) => stored,
            // It grew or went away since it was listed; its own change brings the next round.
            Err(BlobError::TooLarge { .. } | BlobError::Source(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let kept = self
            .record(session_id, session, output, before, id.clone(), stored)
            .await;
        match (&kept, before) {
            (Ok(true), Some(before)) => record::drop_content(&self.blobs, &before.key.id).await,
            (Ok(true), None) => {}
            (Ok(false) | Err(_), _) => record::drop_content(&self.blobs, id.as_str()).await,
        }
        kept.map(|_| ()).map_err(CollectError::from)
    }

    /// Writes what is known of an output now. Returns whether it became a new file.
    async fn record(
        &self,
        session_id: &SessionId,
        session: &Resource,
        output: &OutputFile,
        before: Option<&Resource>,
        id: FileId,
        stored: Stored,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let place = json!({"path": output.path, "mark": output.mark});
        if let Some(before) = before
            && *before.body.at("_sha256") == *stored.sha256
        {
            let mut body = before.body.clone();
            body.set(OUTPUT, place);
            let change = ResourceChange {
                body,
                new_version: false,
                unique_name: None,
                status: None,
                archived_at: before.archived_at,
                at: now,
            };
            self.store
                .update(&before.key, before.revision, change)
                .await?;
            return Ok(false);
        }
        let base = output.path.rsplit('/').next().unwrap_or_default();
        let name = record::allowed_name(base);
        let file = NewFile {
            id,
            mime_type: record::guessed_type(&name),
            name,
            stored,
            is_downloadable: true,
            expires_at: None,
            session: Some(session_id.clone()),
            output: place,
        };
        let mut writes: Vec<Write> = before
            .map(|before| Write::Delete(before.key.clone()))
            .into_iter()
            .collect();
        writes.push(Write::Create(file.record(&session.key.workspace, now)));
        self.store.write(writes).await?;
        Ok(true)
    }
}
