//! One awake session: its lease, its state, and the runners of its threads, all at the same time.
//!
//! Every thread that has something to do has a runner, a task of its own. What they share is here: the newest state,
//! which one append after the other changes, and the session's hand, which one call after the other uses. So the log has
//! one order, and what a call changed of the files goes into the commit of its result with nothing of another's between.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::brain::Brain;
use super::drivers::Poke;
use super::fold::{LoadError, PAGE as FOLD_PAGE, fold_from_kept, goes_back, keep, rewinds};
use super::runner::Runner;
use crate::clock::Timestamp;
use crate::hands::{Hand, Mounts};
use crate::ids::{SessionId, ThreadId};
use crate::session::{FoldError, State, Status, Step, complete, decide, project};
use crate::store::{Append, FilesChange, Lease, NewEvent, StoreError};

/// How long a driver stays with a session that has nothing to do, before it gives the lease back.
const LINGER: Duration = Duration::from_secs(20);
/// Events behind the last checkpoint that a session at rest, or at work, has before there is another one: so many
/// are folded at most when it is woken.
const EVENTS_KEPT_AT_REST: u64 = 500;
const EVENTS_KEPT_AT_WORK: u64 = 2_000;
/// Times a log is read again because its session went back meanwhile.
const LOADS_MAX: usize = 5;
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
    /// The session was taken back to an earlier event: neither its state nor its files are what they were.
    #[error("the session went back")]
    WentBack,
    /// A defect of ours.
    #[error("the runner of a thread ended in a panic")]
    Panicked,
}

impl From<LoadError> for DriverError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            LoadError::Fold(error) => Self::Fold(error),
        }
    }
}

/// The session's one hand; whoever has the lock has the session's files.
#[derive(Default)]
pub(super) struct HandSlot {
    /// The hand, once a call needed one. It comes back only when it survived the call.
    pub(super) hand: Option<Box<dyn Hand>>,
    /// What that hand shows.
    pub(super) mounts: Mounts,
    /// What calls changed of the files, to go with the next append of whoever has the lock.
    pub(super) unsaved: Option<Box<FilesChange>>,
    /// What calls sent over the network, to go with that append too: bodies of events.
    pub(super) requests: Vec<Value>,
}

impl HandSlot {
    /// Lets the hand go with everything that is not committed; the next one undoes that.
    pub(super) fn drop_hand(&mut self) {
        self.hand = None;
        self.unsaved = None;
    }

    /// Takes what the hand sent over the network since the last time.
    pub(super) fn note_requests(&mut self, hand: &dyn Hand) {
        self.requests.extend(hand.take_requests());
    }
}

/// What the runners of a session share.
pub(super) struct Session {
    pub(super) brain: Arc<Brain>,
    pub(super) session_id: SessionId,
    /// The runners are to end.
    pub(super) shutdown: CancellationToken,
    pub(super) hand: Arc<Mutex<HandSlot>>,
    /// Held while the log is appended to or read on: its holder alone changes the state.
    lease: Mutex<Option<(Lease, Timestamp)>>,
    newest: watch::Sender<Arc<State>>,
}

impl Session {
    /// Returns the state as of the newest event that is known.
    pub(super) fn newest(&self) -> Arc<State> {
        self.newest.borrow().clone()
    }

    /// Returns what changes whenever the state does.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.newest.subscribe()
    }

    /// Appends the events that `make` makes of the newest state, with those that follow from them and the row that
    /// follows from all; it is asked again where the log grew meanwhile. `seal` writes into them what they say of the
    /// state that they lead to; no fold may depend on it. Tells whether anything was appended.
    pub(super) async fn append(
        &self,
        files: Option<&FilesChange>,
        mut make: impl FnMut(&State) -> Result<Vec<NewEvent>, DriverError> + Send,
        mut seal: impl FnMut(&State, &mut [NewEvent]) + Send,
    ) -> Result<bool, DriverError> {
        let held = self.lease.lock().await;
        // Without one anybody could append.
        let Some((lease, _)) = &*held else {
            return Err(StoreError::LeaseLost.into());
        };
        loop {
            let state = self.newest();
            // Archived meanwhile: nothing may follow the end of a session.
            if state.status == Status::Terminated {
                return Ok(false);
            }
            let mut events = make(&state)?;
            if events.is_empty() {
                return Ok(false);
            }
            // Times of a log never go back: what others appended meanwhile came first.
            for event in &mut events {
                event.at = event.at.max(state.updated_at);
            }
            let (ahead, mut events) = complete(&state, events)?;
            // All of it was overtaken by what came meanwhile.
            if events.is_empty() {
                return Ok(false);
            }
            seal(&ahead, &mut events);
            let append = Append {
                session_id: self.session_id.clone(),
                expected: state.last,
                lease: Some(lease.clone()),
                events,
                projection: Some(project(&ahead, &self.brain.limits)),
                files: files.map(|files| Box::new(files.clone())),
            };
            match self.brain.store.append(append).await {
                Ok(_) => {
                    self.newest.send_replace(Arc::new(ahead));
                    return Ok(true);
                }
                Err(StoreError::LogMoved { .. }) => self.read_on().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Folds in what others appended.
    pub(super) async fn catch_up(&self) -> Result<(), DriverError> {
        let _order = self.lease.lock().await;
        self.read_on().await
    }

    /// As [`Session::catch_up`], of whoever holds the lock.
    async fn read_on(&self) -> Result<(), DriverError> {
        loop {
            let mut state = self.newest();
            let store = &self.brain.store;
            let events = store.read(&self.session_id, state.last, FOLD_PAGE).await?;
            if goes_back(&events) {
                return Err(DriverError::WentBack);
            }
            let is_end = events.len() < FOLD_PAGE;
            if !events.is_empty() {
                let next = Arc::make_mut(&mut state);
                events.iter().try_for_each(|event| next.apply(event))?;
                self.newest.send_replace(state);
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// Renews the lease when half of its time has passed.
    async fn hold_lease(&self) -> Result<(), DriverError> {
        let options = &self.brain.lease;
        let now = self.brain.clock.now();
        let until = now.checked_add(options.ttl).unwrap_or(Timestamp::MAX);
        let mut held = self.lease.lock().await;
        let lease = match &*held {
            Some((lease, ends)) => {
                let left = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
                if left > options.ttl / 2 {
                    return Ok(());
                }
                self.brain.store.renew_lease(lease, until).await?;
                lease.clone()
            }
            None => return Err(StoreError::LeaseLost.into()),
        };
        *held = Some((lease, until));
        Ok(())
    }
}

type Ended = (Box<Runner>, Result<(), DriverError>);

/// Drives one session.
pub(super) struct Driver {
    brain: Arc<Brain>,
    session_id: SessionId,
    poke: Arc<Poke>,
    shutdown: CancellationToken,
    /// What its runners share, once its log was read.
    session: Option<Arc<Session>>,
    /// Runners of threads that have nothing to do, with what they keep open.
    resting: HashMap<ThreadId, Box<Runner>>,
    running: JoinSet<Ended>,
    at_work: Vec<ThreadId>,
    /// Number of the event at which the state was kept last, here or by whoever kept the one that was loaded.
    kept_at: u64,
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
            session: None,
            resting: HashMap::new(),
            running: JoinSet::new(),
            at_work: Vec::new(),
            kept_at: 0,
        }
    }

    /// Drives the session until it sleeps, is lost to another driver, or the daemon goes down.
    pub(super) async fn run(&mut self) {
        let end = self.drive().await;
        match end {
            Ok(()) | Err(DriverError::Shutdown) => {
                self.end_runners().await;
                self.release().await;
            }
            // Another driver has the session; it must not notice us.
            Err(DriverError::Store(
                error @ (StoreError::LeaseLost
                | StoreError::LeaseHeld { .. }
                | StoreError::NotFound),
            )) => {
                tracing::debug!(session = %self.session_id, %error, "the session is not ours any more");
                self.end_runners().await;
                self.forget().await;
            }
            Err(DriverError::WentBack) => {
                self.end_runners().await;
                self.drop_hand().await;
                self.release().await;
                // What it is now is read anew.
                self.poke.notify.notify_one();
            }
            Err(error) => {
                tracing::error!(session = %self.session_id, %error, "a session's driver stopped");
                self.end_runners().await;
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
        let session = self.open().await?;
        let mut news = session.watch();
        loop {
            if self.shutdown.is_cancelled() {
                return Err(DriverError::Shutdown);
            }
            session.hold_lease().await?;
            // Marked as seen before it is looked at: what changes from now on wakes the wait below.
            let state = news.borrow_and_update().clone();
            self.start_runners(&session, &state);
            if self.running.is_empty() {
                self.keep_state(&state, EVENTS_KEPT_AT_REST).await;
                if !self.linger(&session).await? {
                    return Ok(());
                }
                continue;
            }
            self.keep_state(&state, EVENTS_KEPT_AT_WORK).await;
            let poke = self.poke.clone();
            // In this order, so that the same instants lead to the same events.
            tokio::select! {
                biased;
                Some(ended) = self.running.join_next() => self.park(ended)?,
                () = poke.notify.notified() => session.catch_up().await?,
                _ = news.changed() => {}
                () = self.brain.clock.sleep(self.brain.lease.ttl / 3) => {}
                () = self.shutdown.cancelled() => return Err(DriverError::Shutdown),
            }
        }
    }

    /// Starts a runner for every thread that has something to do and has none.
    fn start_runners(&mut self, session: &Arc<Session>, state: &State) {
        for thread in state.live_threads() {
            if self.at_work.contains(&thread.id)
                || decide(state, thread, &self.brain.limits) == Step::Sleep
            {
                continue;
            }
            let runner = self.resting.remove(&thread.id);
            let runner =
                runner.unwrap_or_else(|| Box::new(Runner::new(session.clone(), thread.id.clone())));
            self.at_work.push(thread.id.clone());
            self.running.spawn(runner.run());
        }
        // Threads that have ended keep nothing open.
        self.resting.retain(|id, _| {
            state
                .thread(id.as_str())
                .is_some_and(|thread| thread.is_live())
        });
    }

    fn park(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Result<(), DriverError> {
        let (runner, end) = ended.map_err(|_| DriverError::Panicked)?;
        self.at_work.retain(|id| *id != runner.thread_id);
        self.resting.insert(runner.thread_id.clone(), runner);
        end
    }

    /// Has the runners end where they may, and waits for that: not in the middle of what has to be whole.
    async fn end_runners(&mut self) {
        if let Some(session) = &self.session {
            session.shutdown.cancel();
        }
        while let Some(ended) = self.running.join_next().await {
            if let Ok((runner, _)) = ended {
                self.resting.insert(runner.thread_id.clone(), runner);
            }
        }
        self.at_work.clear();
    }

    /// Keeps the state for the next wake, if so many events have come since it was kept last.
    async fn keep_state(&mut self, state: &State, events: u64) {
        if state.last.saturating_sub(self.kept_at) >= events {
            keep(&*self.brain.store, state).await;
            self.kept_at = state.last;
        }
    }

    /// Takes the lease and reads the log.
    async fn open(&mut self) -> Result<Arc<Session>, DriverError> {
        // A lease that was held before is one that the last run could not give back.
        let options = &self.brain.lease;
        let now = self.brain.clock.now();
        let until = now.checked_add(options.ttl).unwrap_or(Timestamp::MAX);
        let store = &*self.brain.store;
        let lease = store
            .acquire_lease(&self.session_id, &options.holder, now, until)
            .await?;
        let (state, kept_at) = match self.load().await {
            Ok(loaded) => loaded,
            Err(error) => {
                if let Err(error) = store.release_lease(&lease).await {
                    tracing::warn!(session = %self.session_id, %error, "cannot release a lease; it will run out");
                }
                return Err(error);
            }
        };
        self.kept_at = kept_at;
        let session = Arc::new(Session {
            brain: self.brain.clone(),
            session_id: self.session_id.clone(),
            shutdown: self.shutdown.child_token(),
            hand: Arc::default(),
            lease: Mutex::new(Some((lease, until))),
            newest: watch::Sender::new(Arc::new(state)),
        });
        self.session = Some(session.clone());
        Ok(session)
    }

    async fn load(&self) -> Result<(State, u64), DriverError> {
        let store = &*self.brain.store;
        let mut loads = 1;
        loop {
            let row = store.session(&self.session_id).await?;
            match fold_from_kept(store, &self.session_id, &rewinds(&row), u64::MAX).await {
                // It went back between the two reads: the row tells now.
                Err(LoadError::Fold(FoldError::Gap { .. })) if loads < LOADS_MAX => loads += 1,
                folded => return Ok(folded?),
            }
        }
    }

    /// Waits for a poke. Returns false when none came for a while.
    async fn linger(&mut self, session: &Session) -> Result<bool, DriverError> {
        let poke = self.poke.clone();
        tokio::select! {
            biased;
            () = poke.notify.notified() => {}
            () = self.brain.clock.sleep(LINGER) => return Ok(false),
            () = self.shutdown.cancelled() => return Err(DriverError::Shutdown),
        }
        session.hold_lease().await?;
        session.catch_up().await?;
        Ok(true)
    }

    async fn drop_hand(&self) {
        if let Some(session) = &self.session {
            session.hand.lock().await.drop_hand();
        }
    }

    /// Lets everything go without a trace in the log.
    async fn forget(&mut self) {
        self.drop_hand().await;
        self.resting.clear();
        self.session = None;
    }

    /// Lets go of the session, and tells whether others can have it at once.
    async fn release(&mut self) -> bool {
        for (_, mut runner) in self.resting.drain() {
            runner.servers.close().await;
        }
        let Some(session) = self.session.take() else {
            return true;
        };
        let primary = session.newest().primary().id.clone();
        let mut runner = Runner::new(session.clone(), primary);
        if let Err(error) = runner.keep_background_changes().await {
            tracing::warn!(session = %self.session_id, %error,
                "what ran in the background changed files that could not be kept; it is undone");
            runner.slot().await.drop_hand();
        }
        let (hand, unsaved) = {
            let slot = runner.slot().await;
            (slot.hand.take(), slot.unsaved.take())
        };
        match (hand, unsaved) {
            (Some(hand), None) => hand.rest().await,
            (hand, _) => drop(hand),
        }
        drop(runner);
        let lease = session.lease.lock().await.take();
        if let Some((lease, _)) = lease
            && let Err(error) = self.brain.store.release_lease(&lease).await
        {
            tracing::warn!(session = %self.session_id, %error, "cannot release a lease; it will run out");
            return false;
        }
        true
    }
}
