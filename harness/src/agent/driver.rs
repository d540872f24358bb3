//! One awake session: hold the lease, fold the log, decide, perform, append, again.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::brain::Brain;
use super::drivers::Poke;
use super::fold::{LoadError, PAGE as FOLD_PAGE, fold_from_kept, goes_back, keep, rewinds};
use super::mcp::{Servers, may_have_happened};
use crate::clock::Timestamp;
use crate::crash_point;
use crate::hands::{Hand, Mounts};
use crate::ids::{EventId, SessionId};
use crate::json::Fields as _;
use crate::session::{
    Call, CallKind, CallState, Draft, EventKind, FoldError, State, Status, Step, decide, project,
    text_block,
};
use crate::store::{Append, FilesChange, Lease, NewEvent, StoreError};

/// How long a driver stays with a session that has nothing to do, before it gives the lease back.
const LINGER: Duration = Duration::from_secs(20);
/// Events behind the last checkpoint that a session at rest, or at work, has before there is another one: so many
/// are folded at most when it is woken.
const EVENTS_KEPT_AT_REST: u64 = 500;
const EVENTS_KEPT_AT_WORK: u64 = 2_000;
/// Times a log is read again because its session went back meanwhile.
const LOADS_MAX: usize = 5;
/// Longest wait for an interrupted call to say what it came to.
const INTERRUPT_PATIENCE: Duration = Duration::from_secs(10);
/// Wait after a store failure before the session is looked at again.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// Why a driver stops before its session is asleep.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriverError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The daemon is going down.
    #[error("shutting down")]
    Shutdown,
}

impl From<LoadError> for DriverError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            LoadError::Fold(error) => Self::Fold(error),
        }
    }
}

/// What ended a wait for something else.
pub(super) enum Woken<T> {
    /// The thing waited for.
    Done(T),
    /// An interrupt came.
    Interrupted,
}

pub(super) struct Driver {
    pub(super) brain: Arc<Brain>,
    pub(super) session_id: SessionId,
    poke: Arc<Poke>,
    shutdown: CancellationToken,
    lease: Option<(Lease, Timestamp)>,
    pub(super) state: Option<State>,
    /// The session's hand, once a call needed one.
    pub(super) hand: Option<Box<dyn Hand>>,
    /// What that hand shows.
    pub(super) mounts: Mounts,
    /// The connections to the session's MCP servers.
    pub(super) servers: Servers,
    /// Number of the event at which the state was kept last, here or by whoever kept the one that was loaded.
    kept_at: u64,
    /// The model was not asked since the log was loaded: an open call may have begun before.
    pub(super) is_resuming: bool,
    /// What calls changed of the files, to go with the next append.
    pub(super) unsaved: Option<Box<FilesChange>>,
    /// What calls sent over the network, to go with the next append: bodies of events.
    pub(super) requests: Vec<Value>,
}

impl Driver {
    pub(super) fn new(
        brain: Arc<Brain>,
        session_id: SessionId,
        poke: Arc<Poke>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            brain,
            session_id,
            poke,
            shutdown,
            lease: None,
            state: None,
            hand: None,
            mounts: Mounts::default(),
            servers: Servers::default(),
            kept_at: 0,
            is_resuming: true,
            unsaved: None,
            requests: Vec::new(),
        }
    }

    /// Drives the session until it sleeps, is lost to another driver, or the daemon goes down.
    pub(super) async fn run(&mut self) {
        let end = self.drive().await;
        match end {
            Ok(()) | Err(DriverError::Shutdown) => {
                self.release().await;
            }
            // Another driver has the session; it must not notice us.
            Err(DriverError::Store(StoreError::LeaseLost | StoreError::LeaseHeld { .. })) => {
                tracing::debug!(session = %self.session_id, "another driver has the session");
                self.lease = None;
                self.drop_hand();
                self.state = None;
            }
            Err(DriverError::Store(StoreError::NotFound)) => {
                self.drop_hand();
                self.state = None;
            }
            Err(error) => {
                tracing::error!(session = %self.session_id, %error, "a session's driver stopped");
                let is_released = self.release().await;
                tokio::select! {
                    () = self.brain.clock.sleep(FAILURE_PAUSE) => {}
                    () = self.shutdown.cancelled() => {}
                }
                if !is_released {
                    // No scan finds a session before its lease has run out, so it is looked at again here.
                    self.poke.notify.notify_one();
                }
            }
        }
    }

    async fn drive(&mut self) -> Result<(), DriverError> {
        self.hold_lease().await?;
        self.load().await?;
        loop {
            if self.shutdown.is_cancelled() {
                return Err(DriverError::Shutdown);
            }
            self.hold_lease().await?;
            match decide(self.state()?, &self.brain.limits) {
                Step::Sleep => {
                    self.keep_state(EVENTS_KEPT_AT_REST).await?;
                    if !self.linger().await? {
                        return Ok(());
                    }
                }
                step => {
                    self.keep_state(EVENTS_KEPT_AT_WORK).await?;
                    self.perform(step).await?;
                }
            }
        }
    }

    /// Keeps the state for the next wake, if so many events have come since it was kept last.
    async fn keep_state(&mut self, events: u64) -> Result<(), DriverError> {
        let state = self.state()?;
        let last = state.last;
        if last.saturating_sub(self.kept_at) >= events {
            keep(&*self.brain.store, state).await;
            self.kept_at = last;
        }
        Ok(())
    }

    async fn perform(&mut self, step: Step) -> Result<(), DriverError> {
        let mut draft = self.draft()?;
        match step {
            Step::Sleep => Ok(()),
            Step::Interrupt(ids) => self.interrupt(&ids).await,
            Step::CloseLostRequest(start) => {
                super::answer::lost_request(&mut draft, &start);
                self.commit(draft).await
            }
            Step::TakeInput(ids) => {
                self.take_input(&mut draft, &ids)?;
                match decide(&self.ahead(&draft)?, &self.brain.limits) {
                    // Both go into one commit: one fsync less before the model is asked.
                    Step::CallModel => self.call_model(draft).await,
                    // Some calls still wait: the session says which.
                    Step::GoIdle(reason, details, None) => {
                        self.push_idle(&mut draft, &reason, &details)?;
                        self.commit(draft).await
                    }
                    _ => self.commit(draft).await,
                }
            }
            Step::CallModel => self.call_model(draft).await,
            Step::Compact => self.compact(draft).await,
            Step::RunTool(id) => self.run_tool(&id).await,
            Step::RejectCall(id) => {
                if let Some(call) = self.state()?.call(id.as_str()) {
                    let text = call.rejection();
                    self.open_turn(&mut draft)?;
                    close_call(&mut draft, &call.kind.clone(), &id, &text);
                }
                self.commit(draft).await
            }
            Step::GoIdle(reason, details, failure) => {
                if let Some(failure) = failure {
                    draft.error(failure.kind, &failure.message, "exhausted");
                }
                self.push_idle(&mut draft, &reason, &details)?;
                self.commit(draft).await
            }
        }
    }

    fn take_input(&self, draft: &mut Draft, ids: &[EventId]) -> Result<(), DriverError> {
        for input in &self.state()?.queue {
            if ids.contains(&input.event_id) {
                draft.processed(&input.event_id, input.number);
            }
        }
        Ok(())
    }

    /// Adds the events that open a turn, where none is open.
    pub(super) fn open_turn(&self, draft: &mut Draft) -> Result<(), DriverError> {
        if self.ahead(draft)?.status != Status::Running {
            draft.running();
        }
        Ok(())
    }

    async fn interrupt(&mut self, ids: &[EventId]) -> Result<(), DriverError> {
        let mut draft = self.draft()?;
        let state = self.state()?;
        for input in &state.queue {
            if ids.contains(&input.event_id) {
                draft.processed(&input.event_id, input.number);
            }
        }
        if let Some(start) = &state.open_request {
            super::answer::interrupted_request(&mut draft, start);
        }
        let was_at_work = state.status != Status::Idle || !state.calls.is_empty();
        for call in &state.calls {
            if call.state() != CallState::Answered {
                interrupt_call(&mut draft, state, call);
            }
        }
        if was_at_work {
            let reason = serde_json::json!({"type": "end_turn"});
            self.push_idle(&mut draft, &reason, &Value::Null)?;
        }
        self.commit(draft).await
    }

    /// Adds the events that end a turn, with the usage as of the instant of the draft, at which the clock of
    /// the running time stops.
    pub(super) fn push_idle(
        &self,
        draft: &mut Draft,
        reason: &Value,
        details: &Value,
    ) -> Result<(), DriverError> {
        let ahead = self.ahead(draft)?;
        let usage = ahead.usage.wire(ahead.running_micros(draft.at()));
        draft.idle(reason, details, usage, ahead.config.at("budget").clone());
        Ok(())
    }

    /// Adds the events that end a turn if that is what comes next: one commit instead of two.
    pub(super) fn push_idle_if_next(&self, draft: &mut Draft) -> Result<(), DriverError> {
        if let Step::GoIdle(reason, details, None) = decide(&self.ahead(draft)?, &self.brain.limits)
        {
            self.push_idle(draft, &reason, &details)?;
        }
        Ok(())
    }

    pub(super) fn draft(&self) -> Result<Draft, DriverError> {
        let state = self.state()?;
        Ok(Draft::new(
            self.brain.clock.now(),
            state.thread_id.clone(),
            state.agent_name().to_owned(),
        ))
    }

    pub(super) fn state(&self) -> Result<&State, DriverError> {
        self.state.as_ref().ok_or(DriverError::Shutdown)
    }

    /// Returns the state as it will be once `draft` is committed.
    pub(super) fn ahead(&self, draft: &Draft) -> Result<State, DriverError> {
        self.apply_ahead(draft.events())
    }

    fn apply_ahead(&self, events: &[NewEvent]) -> Result<State, DriverError> {
        let mut state = self.state()?.clone();
        for event in events {
            let stored = event.at_number(state.last + 1);
            state.apply(&stored)?;
        }
        Ok(state)
    }

    /// Appends the events with the row that follows from them. Input that arrived meanwhile is folded in
    /// first; it never makes what was done untrue.
    pub(super) async fn commit(&mut self, mut draft: Draft) -> Result<(), DriverError> {
        let told = self.requests.len();
        for body in &self.requests {
            draft.session(EventKind::HttpRequests, body.clone());
        }
        self.commit_sealed(draft, |_, _| {}).await?;
        self.requests.drain(..told.min(self.requests.len()));
        Ok(())
    }

    /// Takes what the hand sent over the network since the last time.
    pub(super) fn note_requests(&mut self, hand: &dyn Hand) {
        self.requests.extend(hand.take_requests());
    }

    /// As [`Driver::commit`], of events that say something of the state that they lead to: `seal` writes it into
    /// them once that is known. No fold may depend on it.
    pub(super) async fn commit_sealed(
        &mut self,
        draft: Draft,
        mut seal: impl FnMut(&State, &mut [NewEvent]) + Send,
    ) -> Result<(), DriverError> {
        let mut events = draft.into_events();
        if events.is_empty() {
            return Ok(());
        }
        loop {
            // Times of a log never go back: what others appended meanwhile came first.
            let newest = self.state()?.updated_at;
            for event in &mut events {
                event.at = event.at.max(newest);
            }
            let ahead = self.apply_ahead(&events)?;
            seal(&ahead, &mut events);
            let append = Append {
                session_id: self.session_id.clone(),
                expected: self.state()?.last,
                lease: self.lease.as_ref().map(|(lease, _)| lease.clone()),
                events: events.clone(),
                projection: Some(project(&ahead, &self.brain.limits)),
                files: self.unsaved.clone(),
            };
            match self.brain.store.append(append).await {
                Ok(_) => {
                    self.state = Some(ahead);
                    if self.unsaved.take().is_some()
                        && let Some(hand) = &self.hand
                    {
                        crash_point::reach("append-before-committed");
                        hand.committed().await;
                        crash_point::reach("append-after-committed");
                    }
                    return Ok(());
                }
                Err(StoreError::LogMoved { .. }) => {
                    self.catch_up().await?;
                    // Archived meanwhile: nothing may follow the end of a session.
                    if self.state()?.status == Status::Terminated {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn load(&mut self) -> Result<(), DriverError> {
        self.is_resuming = true;
        let store = &*self.brain.store;
        let mut loads = 1;
        loop {
            let row = store.session(&self.session_id).await?;
            match fold_from_kept(store, &self.session_id, &rewinds(&row), u64::MAX).await {
                // It went back between the two reads: the row tells now.
                Err(LoadError::Fold(FoldError::Gap { .. })) if loads < LOADS_MAX => loads += 1,
                folded => {
                    let (state, kept_at) = folded?;
                    self.state = Some(state);
                    self.kept_at = kept_at;
                    return Ok(());
                }
            }
        }
    }

    /// Folds in what others appended.
    pub(super) async fn catch_up(&mut self) -> Result<(), DriverError> {
        loop {
            let after = self.state()?.last;
            let events = self
                .brain
                .store
                .read(&self.session_id, after, FOLD_PAGE)
                .await?;
            if goes_back(&events) {
                // Neither the state nor the files are the session's any more.
                self.drop_hand();
                return self.load().await;
            }
            let is_end = events.len() < FOLD_PAGE;
            if let Some(state) = self.state.as_mut() {
                for event in &events {
                    state.apply(event)?;
                }
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// Waits for a poke. Returns false when none came for a while.
    async fn linger(&mut self) -> Result<bool, DriverError> {
        let poke = self.poke.clone();
        tokio::select! {
            biased;
            () = poke.notify.notified() => {}
            () = self.brain.clock.sleep(LINGER) => return Ok(false),
            () = self.shutdown.cancelled() => return Err(DriverError::Shutdown),
        }
        self.hold_lease().await?;
        self.catch_up().await?;
        Ok(true)
    }

    /// Waits for `work` while listening for interrupts and keeping the lease.
    pub(super) async fn attend<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<Woken<T>, DriverError> {
        tokio::pin!(work);
        self.attend_pinned(work).await
    }

    /// As [`Driver::attend`], but an interrupt cancels the work and waits for what it comes to, for a while.
    pub(super) async fn attend_to_end<T>(
        &mut self,
        work: impl Future<Output = T>,
        cancel: &CancellationToken,
    ) -> Result<(Option<T>, bool), DriverError> {
        tokio::pin!(work);
        match self.attend_pinned(work.as_mut()).await? {
            Woken::Done(done) => Ok((Some(done), false)),
            Woken::Interrupted => {
                cancel.cancel();
                let clock = self.brain.clock.clone();
                tokio::select! {
                    biased;
                    done = &mut work => Ok((Some(done), true)),
                    () = clock.sleep(INTERRUPT_PATIENCE) => Ok((None, true)),
                    () = self.shutdown.cancelled() => Err(DriverError::Shutdown),
                }
            }
        }
    }

    async fn attend_pinned<T>(
        &mut self,
        mut work: Pin<&mut impl Future<Output = T>>,
    ) -> Result<Woken<T>, DriverError> {
        let poke = self.poke.clone();
        let shutdown = self.shutdown.clone();
        let clock = self.brain.clock.clone();
        let renewal = self.brain.lease.ttl / 3;
        let mut due = clock.sleep(renewal);
        loop {
            // In this order, so that the same instants lead to the same events.
            tokio::select! {
                biased;
                done = &mut work => return Ok(Woken::Done(done)),
                () = poke.notify.notified() => {
                    self.catch_up().await?;
                    let queue = &self.state()?.queue;
                    if queue.iter().any(|input| input.kind == EventKind::UserInterrupt) {
                        return Ok(Woken::Interrupted);
                    }
                }
                () = &mut due => {
                    self.hold_lease().await?;
                    due = clock.sleep(renewal);
                }
                () = shutdown.cancelled() => return Err(DriverError::Shutdown),
            }
        }
    }

    /// Lets the hand go with everything that is not committed; the next one undoes that.
    pub(super) fn drop_hand(&mut self) {
        self.hand = None;
        self.unsaved = None;
    }

    /// Commits what processes in the background changed since the last call, before the hand goes.
    async fn keep_background_changes(&mut self) -> Result<(), DriverError> {
        let (Some(hand), None, Some(state)) = (&self.hand, &self.unsaved, &self.state) else {
            return Ok(());
        };
        if state.status == Status::Terminated {
            return Ok(());
        }
        let requests = hand.take_requests();
        match hand.save().await {
            Ok(change) => {
                self.requests.extend(requests);
                match change {
                    Some(change) => self.commit_files(change).await,
                    None => {
                        let draft = self.draft()?;
                        self.commit(draft).await
                    }
                }
            }
            Err(error) => Err(StoreError::Failed(error.to_string()).into()),
        }
    }

    /// Commits a change of the files that no call answers for.
    pub(super) async fn commit_files(&mut self, change: FilesChange) -> Result<(), DriverError> {
        self.unsaved = Some(Box::new(change));
        let mut draft = self.draft()?;
        draft.session(EventKind::FilesSaved, serde_json::json!({}));
        self.commit(draft).await
    }

    /// Takes the lease, or renews it when half of its time has passed.
    async fn hold_lease(&mut self) -> Result<(), DriverError> {
        let options = &self.brain.lease;
        let now = self.brain.clock.now();
        let until = now.checked_add(options.ttl).unwrap_or(Timestamp::MAX);
        let lease = match self.lease.take() {
            Some((lease, ends)) => {
                let left = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
                if left > options.ttl / 2 {
                    self.lease = Some((lease, ends));
                    return Ok(());
                }
                self.brain.store.renew_lease(&lease, until).await?;
                lease
            }
            None => {
                self.brain
                    .store
                    .acquire_lease(&self.session_id, &options.holder, now, until)
                    .await?
            }
        };
        self.lease = Some((lease, until));
        Ok(())
    }

    /// Lets go of the session, and tells whether others can have it at once.
    async fn release(&mut self) -> bool {
        self.servers.close().await;
        if let Err(error) = self.keep_background_changes().await {
            tracing::warn!(session = %self.session_id, %error,
                "what ran in the background changed files that could not be kept; it is undone");
            self.drop_hand();
        }
        match (self.hand.take(), self.unsaved.take()) {
            (Some(hand), None) => hand.rest().await,
            _ => self.drop_hand(),
        }
        self.state = None;
        if let Some((lease, _)) = self.lease.take()
            && let Err(error) = self.brain.store.release_lease(&lease).await
        {
            tracing::warn!(session = %self.session_id, %error, "cannot release a lease; it will run out");
            return false;
        }
        true
    }
}

/// The result of a call which an interrupt stopped.
pub(super) const INTERRUPTED: &str =
    "Tool execution was interrupted before completion. Please retry.";

/// Adds the event that closes an open call which an interrupt stopped.
fn interrupt_call(draft: &mut Draft, state: &State, call: &Call) {
    let (event_id, text) = (&call.event_id, INTERRUPTED);
    if may_have_happened(state, call) {
        let text = format!("{text} It may have taken effect: check that before you repeat it.");
        return close_call(draft, &call.kind, event_id, &text);
    }
    if call.kind != CallKind::Worker {
        return close_call(draft, &call.kind, event_id, text);
    }
    // Workers run whatever call has no result of their own kind, also one that they meet much later.
    let body = serde_json::json!({
        "tool_use_id": event_id.as_str(),
        "content": [text_block(text)],
        "is_error": true,
    });
    draft.thread(EventKind::UserToolResult, body);
}

/// Adds the event that closes an open call with an error text.
pub(super) fn close_call(draft: &mut Draft, kind: &CallKind, event_id: &EventId, text: &str) {
    let content = [text_block(text)];
    let (event, id_field) = match kind {
        CallKind::BuiltIn | CallKind::Worker => (EventKind::AgentToolResult, "tool_use_id"),
        CallKind::Mcp(_) => (EventKind::AgentMcpToolResult, "mcp_tool_use_id"),
        CallKind::Custom => (EventKind::CallClosed, "tool_use_id"),
    };
    let mut body = serde_json::json!({"content": content, "is_error": true});
    body.set(id_field, serde_json::json!(event_id.as_str()));
    draft.thread(event, body);
}
