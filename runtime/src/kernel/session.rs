//! The calls of a hand's persistent shell: how they get in, how they are broken off, what they report.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;

use super::waiters::Waiters;

/// Longest state that a shell may report, in bytes; it is kept with every call.
const STATE_BYTES_MAX: usize = 16 << 20;

/// The hand's side of the persistent shell.
#[derive(Clone)]
pub(crate) struct Session(Arc<Mutex<State>>);

/// What the shell waits for: a call, or that the one it runs is broken off.
#[derive(Clone)]
pub(crate) struct Notice(Session);

#[derive(Default)]
struct State {
    next: Option<String>,
    is_broken_off: bool,
    done: Option<Done>,
    restored: Option<Bytes>,
    shell: Waiters,
    hand: Waiters,
}

/// The end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) status: u8,
    pub(crate) state: Bytes,
    /// The shell itself is over.
    pub(crate) is_over: bool,
}

impl Session {
    pub(crate) fn new(restored: Option<Bytes>) -> Self {
        Self(Arc::new(Mutex::new(State {
            restored,
            ..State::default()
        })))
    }

    pub(crate) fn notice(&self) -> Notice {
        Notice(self.clone())
    }

    /// Gives the shell its next call.
    pub(crate) fn call(&self, script: String) {
        let mut state = self.lock();
        state.next = Some(script);
        state.is_broken_off = false;
        state.done = None;
        state.shell.wake();
    }

    /// Tells the shell to end the call that runs.
    pub(crate) fn break_off(&self) {
        let mut state = self.lock();
        state.next = None;
        state.is_broken_off = true;
        state.shell.wake();
    }

    /// Returns what the shell reports at the end of the call.
    pub(crate) async fn done(&self) -> Done {
        std::future::poll_fn(|context| {
            let mut state = self.lock();
            match state.done.take() {
                Some(done) => Poll::Ready(done),
                None => {
                    state.hand.add(context.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    pub(super) fn take_next(&self) -> Option<String> {
        self.lock().next.take()
    }

    pub(super) fn is_broken_off(&self) -> bool {
        self.lock().is_broken_off
    }

    pub(super) fn restored(&self) -> Option<Bytes> {
        self.lock().restored.clone()
    }

    /// Records the end of a call. A state that is too long to be kept is left out: the one before stays.
    pub(super) fn report(&self, status: u8, state_text: Vec<u8>, is_over: bool) {
        let mut state = self.lock();
        let kept = if state_text.len() <= STATE_BYTES_MAX {
            Bytes::from(state_text)
        } else {
            tracing::warn!(
                bytes = state_text.len(),
                "a shell's state is too long to be kept"
            );
            state.restored.clone().unwrap_or_default()
        };
        state.restored = Some(kept.clone());
        state.is_broken_off = false;
        state.done = Some(Done {
            status,
            state: kept,
            is_over,
        });
        state.hand.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notice {
    pub(super) fn is_given(&self) -> bool {
        let state = self.0.lock();
        state.next.is_some() || state.is_broken_off
    }

    pub(super) fn poll_given(&self, waker: &Waker) -> bool {
        let mut state = self.0.lock();
        let is_given = state.next.is_some() || state.is_broken_off;
        if !is_given {
            state.shell.add(waker);
        }
        is_given
    }
}
