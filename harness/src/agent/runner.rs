//! Runs one thread of an awake session: decide, perform, append, again, until it has nothing to do.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::brain::Brain;
use super::mcp::{Servers, may_have_happened};
use super::session::{DriverError, HandSlot, Session};
use crate::crash_point;
use crate::ids::{EventId, SessionId, ThreadId};
use crate::json::Fields as _;
use crate::session::{
    Call, CallKind, CallState, Draft, EventKind, Speaker, State, Status, Step, Thread, complete,
    decide, text_block,
};
use crate::store::{FilesChange, NewEvent, StoreError};

/// Longest wait for an interrupted call to say what it came to.
const INTERRUPT_PATIENCE: Duration = Duration::from_secs(10);

/// What ended a wait for something else.
pub(super) enum Woken<T> {
    /// The thing waited for.
    Done(T),
    /// An interrupt came.
    Interrupted,
}

pub(super) struct Runner {
    pub(super) brain: Arc<Brain>,
    pub(super) session: Arc<Session>,
    pub(super) session_id: SessionId,
    pub(super) thread_id: ThreadId,
    /// The session as it was when it was looked at last.
    state: Arc<State>,
    /// The session's hand, while a step uses it.
    slot: Option<OwnedMutexGuard<HandSlot>>,
    /// The connections to the MCP servers of this thread's agent.
    pub(super) servers: Servers,
    /// The model was not asked since the log was loaded: an open call may have begun before.
    pub(super) is_resuming: bool,
}

impl Runner {
    pub(super) fn new(session: Arc<Session>, thread_id: ThreadId) -> Self {
        Self {
            brain: session.brain.clone(),
            session_id: session.session_id.clone(),
            thread_id,
            state: session.newest(),
            session,
            slot: None,
            servers: Servers::default(),
            is_resuming: true,
        }
    }

    /// Runs the thread until it has nothing to do.
    pub(super) async fn run(mut self: Box<Self>) -> (Box<Self>, Result<(), DriverError>) {
        let end = self.steps().await;
        // What is not committed by now is not to go with another thread's commit.
        if end.is_err()
            && let Some(slot) = &mut self.slot
        {
            slot.drop_hand();
        }
        self.slot = None;
        (self, end)
    }

    async fn steps(&mut self) -> Result<(), DriverError> {
        loop {
            if self.session.shutdown.is_cancelled() {
                return Err(DriverError::Shutdown);
            }
            self.look();
            let step = decide(&self.state, self.thread()?, &self.brain.limits);
            if step == Step::Sleep {
                return Ok(());
            }
            self.perform(step).await?;
            // Between two calls another thread may have the hand; but what an interrupted one changed and sent goes with
            // the interrupt, which comes next.
            let is_clean = |slot: &OwnedMutexGuard<HandSlot>| {
                slot.unsaved.is_none() && slot.requests.is_empty()
            };
            if self.slot.as_ref().is_none_or(is_clean) {
                self.slot = None;
            }
        }
    }

    /// Takes up what has happened.
    fn look(&mut self) {
        self.state = self.session.newest();
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
                match self.next(&draft)? {
                    // Both go into one commit: one fsync less before the model is asked.
                    Step::CallModel => self.call_model(draft).await,
                    // Some calls still wait: the session says which.
                    Step::GoIdle(reason, details, None) => {
                        draft.idle(&reason, &details);
                        self.commit(draft).await
                    }
                    _ => self.commit(draft).await,
                }
            }
            Step::CallModel => self.call_model(draft).await,
            Step::Compact => self.compact(draft).await,
            Step::Evaluate => self.evaluate().await,
            Step::Distil => self.distil().await,
            Step::Remind(text) => {
                draft.thread(EventKind::Reminded, serde_json::json!({"text": text}));
                self.commit(draft).await
            }
            Step::RunTool(id) => self.run_tool(&id).await,
            Step::RejectCall(id) => {
                if let Some(call) = self.thread()?.call(id.as_str()) {
                    let text = call.rejection();
                    let kind = call.kind.clone();
                    self.open_turn(&mut draft)?;
                    close_call(&mut draft, &kind, &id, &text);
                }
                self.commit(draft).await
            }
            Step::GoIdle(reason, details, failure) => {
                if let Some(failure) = failure {
                    draft.error(failure.kind, &failure.message, "exhausted");
                }
                draft.idle(&reason, &details);
                self.commit(draft).await
            }
        }
    }

    fn take_input(&self, draft: &mut Draft, ids: &[EventId]) -> Result<(), DriverError> {
        for input in &self.thread()?.queue {
            if ids.contains(&input.event_id) && !input.is_copy {
                draft.processed(&input.event_id, input.number);
            }
        }
        Ok(())
    }

    /// Adds the event that opens a turn, where none is open.
    pub(super) fn open_turn(&self, draft: &mut Draft) -> Result<(), DriverError> {
        let ahead = self.ahead(draft)?;
        if self.own(&ahead)?.status != Status::Running {
            draft.running();
        }
        Ok(())
    }

    async fn interrupt(&mut self, ids: &[EventId]) -> Result<(), DriverError> {
        let mut draft = self.draft()?;
        self.take_input(&mut draft, ids)?;
        let thread = self.thread()?;
        if let Some(start) = &thread.open_request {
            super::answer::interrupted_request(&mut draft, start);
        }
        let is_older = |number: u64| {
            let mut queue = thread
                .queue
                .iter()
                .filter(|input| ids.contains(&input.event_id));
            queue.any(|interrupt| number < interrupt.number)
        };
        let outcome = self.state.active_outcome().filter(|_| thread.is_primary());
        let ends_outcome = outcome.is_some_and(|outcome| is_older(outcome.number));
        let was_at_work = thread.status != Status::Idle
            || !thread.calls.is_empty()
            || thread.queue.iter().any(|input| input.is_copy)
            || ends_outcome;
        for call in &thread.calls {
            if call.state() != CallState::Answered {
                interrupt_call(&mut draft, &self.state, thread, call);
            }
        }
        if was_at_work {
            draft.interrupted(ends_outcome);
        }
        self.commit(draft).await
    }

    /// Adds the event that ends a turn if that is what comes next: one commit instead of two.
    pub(super) fn push_idle_if_next(&self, draft: &mut Draft) -> Result<(), DriverError> {
        if let Step::GoIdle(reason, details, None) = self.next(draft)? {
            draft.idle(&reason, &details);
        }
        Ok(())
    }

    /// Returns what comes next once `draft` is committed.
    fn next(&self, draft: &Draft) -> Result<Step, DriverError> {
        let ahead = self.ahead(draft)?;
        Ok(decide(&ahead, self.own(&ahead)?, &self.brain.limits))
    }

    pub(super) fn draft(&self) -> Result<Draft, DriverError> {
        let speaker = Speaker::of(&self.state, self.thread()?);
        Ok(Draft::new(self.brain.clock.now(), speaker))
    }

    /// Returns the session as it was when it was looked at last.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Returns this thread as it was then.
    pub(super) fn thread(&self) -> Result<&Thread, DriverError> {
        self.own(&self.state)
    }

    /// Returns this thread in a state.
    pub(super) fn own<'a>(&self, state: &'a State) -> Result<&'a Thread, DriverError> {
        // A thread that was there is gone where the session went back behind its beginning.
        state
            .thread(self.thread_id.as_str())
            .ok_or(DriverError::WentBack)
    }

    /// Returns the snapshot of this thread's agent.
    pub(super) fn agent(&self) -> Result<&Value, DriverError> {
        Ok(self.state.agent_of(self.thread()?))
    }

    /// Returns the state as it will be once `draft` is committed.
    pub(super) fn ahead(&self, draft: &Draft) -> Result<State, DriverError> {
        let (ahead, _) = complete(&self.state, draft.events().to_vec())?;
        Ok(ahead)
    }

    /// Appends the events with the row that follows from them. What arrived meanwhile is folded in first; it never
    /// makes what was done untrue.
    pub(super) async fn commit(&mut self, draft: Draft) -> Result<(), DriverError> {
        self.commit_sealed(draft, |_, _| {}).await
    }

    /// As [`Runner::commit`], of events that say something of the state that they lead to: `seal` writes it into
    /// them once that is known. No fold may depend on it.
    pub(super) async fn commit_sealed(
        &mut self,
        draft: Draft,
        seal: impl FnMut(&State, &mut [NewEvent]) + Send,
    ) -> Result<(), DriverError> {
        let events = draft.into_events();
        self.commit_made(|_| Ok(events.clone()), seal).await?;
        Ok(())
    }

    /// As [`Runner::commit_sealed`], of events that depend on the newest state: `make` makes them of it, or none. Tells
    /// whether they were appended. What the hand's holder has changed and sent goes with them.
    pub(super) async fn commit_made(
        &mut self,
        mut make: impl FnMut(&State) -> Result<Vec<NewEvent>, DriverError> + Send,
        seal: impl FnMut(&State, &mut [NewEvent]) + Send,
    ) -> Result<bool, DriverError> {
        let mut told = Draft::new(
            self.brain.clock.now(),
            Speaker::of(&self.state, self.thread()?),
        );
        let requests = self
            .slot
            .as_ref()
            .map_or(&[][..], |slot| slot.requests.as_slice());
        for body in requests {
            told.session(EventKind::HttpRequests, body.clone());
        }
        let (count, told) = (requests.len(), told.into_events());
        let files = self.slot.as_ref().and_then(|slot| slot.unsaved.as_deref());
        let own = self.thread_id.clone();
        let make = move |state: &State| {
            // Nothing follows the end of a thread, which may have come meanwhile.
            let thread = state.thread(own.as_str());
            if !thread.is_some_and(Thread::is_live) {
                return Ok(Vec::new());
            }
            let mut events = make(state)?;
            if !events.is_empty() {
                events.extend(told.iter().cloned());
            }
            Ok(events)
        };
        let is_appended = self.session.append(files, make, seal).await?;
        self.state = self.session.newest();
        let Some(slot) = self.slot.as_mut().filter(|_| is_appended) else {
            return Ok(is_appended);
        };
        let count = count.min(slot.requests.len());
        slot.requests.drain(..count);
        if slot.unsaved.take().is_some()
            && let Some(hand) = &slot.hand
        {
            crash_point::reach("append-before-committed");
            hand.committed().await;
            crash_point::reach("append-after-committed");
        }
        Ok(is_appended)
    }

    /// Folds in what others appended.
    pub(super) async fn catch_up(&mut self) -> Result<(), DriverError> {
        self.session.catch_up().await?;
        self.look();
        Ok(())
    }

    /// Returns the session's hand for the rest of this step; other threads wait meanwhile.
    pub(super) async fn slot(&mut self) -> &mut HandSlot {
        let slot = match self.slot.take() {
            Some(slot) => slot,
            None => self.session.hand.clone().lock_owned().await,
        };
        self.slot.insert(slot)
    }

    /// As [`Runner::slot`], where another thread's call may take its time: an interrupt ends the wait.
    pub(super) async fn take_slot(&mut self) -> Result<Woken<()>, DriverError> {
        if self.slot.is_some() {
            return Ok(Woken::Done(()));
        }
        let hand = self.session.hand.clone();
        if let Ok(slot) = hand.clone().try_lock_owned() {
            self.slot = Some(slot);
            self.look();
            return Ok(Woken::Done(()));
        }
        Ok(match self.attend(hand.lock_owned()).await? {
            Woken::Done(slot) => {
                self.slot = Some(slot);
                // Whoever had it may have changed the files.
                self.look();
                Woken::Done(())
            }
            Woken::Interrupted => Woken::Interrupted,
        })
    }

    /// Waits for `work` while listening for interrupts.
    pub(super) async fn attend<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<Woken<T>, DriverError> {
        tokio::pin!(work);
        self.attend_pinned(work).await
    }

    /// As [`Runner::attend`], but an interrupt cancels the work and waits for what it comes to, for a while.
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
                    () = self.session.shutdown.cancelled() => Err(DriverError::Shutdown),
                }
            }
        }
    }

    /// Waits for `work` while the session is at rest: none of it once there is something to do.
    pub(super) async fn attend_at_rest<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, DriverError> {
        tokio::pin!(work);
        let shutdown = self.session.shutdown.clone();
        let mut news = self.session.watch();
        loop {
            self.state = news.borrow_and_update().clone();
            if !self.state.can_distil() || !self.thread()?.queue.is_empty() {
                return Ok(None);
            }
            tokio::select! {
                biased;
                done = &mut work => return Ok(Some(done)),
                _ = news.changed() => {}
                () = shutdown.cancelled() => return Err(DriverError::Shutdown),
            }
        }
    }

    async fn attend_pinned<T>(
        &mut self,
        mut work: Pin<&mut impl Future<Output = T>>,
    ) -> Result<Woken<T>, DriverError> {
        let shutdown = self.session.shutdown.clone();
        let mut news = self.session.watch();
        loop {
            self.state = news.borrow_and_update().clone();
            if self.thread()?.is_interrupted() {
                return Ok(Woken::Interrupted);
            }
            // In this order, so that the same instants lead to the same events.
            tokio::select! {
                biased;
                done = &mut work => return Ok(Woken::Done(done)),
                _ = news.changed() => {}
                () = shutdown.cancelled() => return Err(DriverError::Shutdown),
            }
        }
    }

    /// Commits what processes in the background changed since the last call, before the hand goes.
    pub(super) async fn keep_background_changes(&mut self) -> Result<(), DriverError> {
        if self.state.status == Status::Terminated {
            return Ok(());
        }
        let slot = self.slot().await;
        let (Some(hand), None) = (&slot.hand, &slot.unsaved) else {
            return Ok(());
        };
        let requests = hand.take_requests();
        let change = hand
            .save()
            .await
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        slot.requests.extend(requests);
        match change {
            Some(change) => self.commit_files(change).await,
            None => self.commit_requests().await,
        }
    }

    /// Commits what was sent over the network, if anything was.
    async fn commit_requests(&mut self) -> Result<(), DriverError> {
        let mut draft = self.draft()?;
        for body in std::mem::take(&mut self.slot().await.requests) {
            draft.session(EventKind::HttpRequests, body);
        }
        self.commit(draft).await
    }

    /// Commits a change of the files that no call answers for.
    pub(super) async fn commit_files(&mut self, change: FilesChange) -> Result<(), DriverError> {
        self.slot().await.unsaved = Some(Box::new(change));
        let mut draft = self.draft()?;
        draft.session(EventKind::FilesSaved, serde_json::json!({}));
        self.commit(draft).await
    }
}

/// The result of a call which an interrupt stopped.
pub(super) const INTERRUPTED: &str =
    "Tool execution was interrupted before completion. Please retry.";

/// Adds the event that closes an open call which an interrupt stopped.
fn interrupt_call(draft: &mut Draft, state: &State, thread: &Thread, call: &Call) {
    let (event_id, text) = (&call.event_id, INTERRUPTED);
    if may_have_happened(state, thread, call) {
        let text = format!("{text} It may have taken effect: check that before you repeat it.");
        return close_call(draft, &call.kind, event_id, &text);
    }
    if call.kind != CallKind::Worker {
        return close_call(draft, &call.kind, event_id, text);
    }
    // Workers run whatever call has no result of their own kind, also one that they meet much later.
    let mut body = serde_json::json!({
        "tool_use_id": event_id.as_str(),
        "content": [text_block(text)],
        "is_error": true,
    });
    if let Some(thread) = draft.told_thread() {
        let thread = serde_json::json!(thread.as_str());
        body.set("session_thread_id", thread);
    }
    draft.shared(EventKind::UserToolResult, body, None);
}

/// Returns the event that gives a call its result, and its field that names the call.
pub(super) fn result_kind(kind: &CallKind) -> (EventKind, &'static str) {
    match kind {
        CallKind::BuiltIn | CallKind::Component | CallKind::Worker | CallKind::Supervision => {
            (EventKind::AgentToolResult, "tool_use_id")
        }
        CallKind::Mcp(_) => (EventKind::AgentMcpToolResult, "mcp_tool_use_id"),
        CallKind::Custom | CallKind::Delegation => (EventKind::CallClosed, "tool_use_id"),
    }
}

/// Adds the event that closes an open call with an error text.
pub(super) fn close_call(draft: &mut Draft, kind: &CallKind, event_id: &EventId, text: &str) {
    let content = [text_block(text)];
    let (event, id_field) = result_kind(kind);
    let mut body = serde_json::json!({"content": content, "is_error": true});
    body.set(id_field, serde_json::json!(event_id.as_str()));
    draft.thread(event, body);
}
