//! The clock that interrupts guests.
//!
//! One thread advances the engine's epoch every millisecond while a guest computes, and for a short while after, so
//! that guests which come and go do not wake it each time. With all guests waiting it sleeps: an idle daemon does not
//! wake a thousand times a second. A running guest notices the new epoch at its next loop or call and gives its thread
//! back to the executor. A guest can be ended only then, so the thread outlives its owner until no guest computes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// Longest time that a guest runs before it gives its thread back.
const EPOCH_MS: u64 = 1;

/// Epochs that pass without any guest before the thread sleeps.
const LINGER_EPOCHS: u32 = 100;

/// Owns the thread; after it is dropped the thread ends as soon as no guest computes.
pub struct Ticker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Guests that occupy a thread at the moment.
    running: AtomicUsize,
    /// The thread sleeps, or is about to.
    is_asleep: AtomicBool,
    /// Nobody will come any more.
    is_stopped: Mutex<bool>,
    changed: Condvar,
}

/// Keeps the epoch advancing for as long as it lives; for the time in which a guest occupies a thread.
pub struct Ticking<'t>(&'t Shared);

/// What makes [`Ticking`]s; outlives the [`Ticker`].
#[derive(Clone)]
pub struct Epochs(Arc<Shared>);

impl Ticker {
    /// Starts the thread, which waits until something runs.
    pub fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("sinew-epoch".to_owned())
            .spawn(move || tick(&engine, &theirs))?;
        Ok(Self(shared))
    }

    /// Returns the maker of guards.
    pub fn epochs(&self) -> Epochs {
        Epochs(Arc::clone(&self.0))
    }
}

impl Epochs {
    /// Keeps the epoch advancing until the guard is dropped.
    pub fn run(&self) -> Ticking<'_> {
        let shared = &*self.0;
        shared.running.fetch_add(1, Ordering::SeqCst);
        // The thread looks at the number after it said that it sleeps, so one of the two sees the other.
        if shared.is_asleep.load(Ordering::SeqCst) {
            shared.wake();
        }
        Ticking(shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        *self
            .0
            .is_stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_one();
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shared {
    fn wake(&self) {
        // Under the lock, so that the thread is not between its look and its sleep.
        let stopped = self
            .is_stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.is_asleep.store(false, Ordering::SeqCst);
        drop(stopped);
        self.changed.notify_one();
    }

    /// Sleeps until a guest runs. Returns false when none will.
    fn sleep(&self) -> bool {
        let mut stopped = self
            .is_stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.is_asleep.store(true, Ordering::SeqCst);
        while self.running.load(Ordering::SeqCst) == 0 && self.is_asleep.load(Ordering::SeqCst) {
            if *stopped {
                return false;
            }
            stopped = self
                .changed
                .wait(stopped)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.is_asleep.store(false, Ordering::SeqCst);
        true
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    while shared.sleep() {
        let mut idle_epochs = 0;
        while idle_epochs < LINGER_EPOCHS {
            std::thread::sleep(Duration::from_millis(EPOCH_MS));
            engine.increment_epoch();
            if shared.running.load(Ordering::SeqCst) == 0 {
                idle_epochs += 1;
            } else {
                idle_epochs = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_sleeping_thread_wakes_for_a_guest_and_ends_without_an_owner() {
        let ticker = Ticker::start(Engine::default()).unwrap();
        let epochs = ticker.epochs();
        for _ in 0..100 {
            let running = epochs.run();
            while epochs.0.is_asleep.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            drop(running);
        }
        drop(ticker);
        // The thread holds the only other share.
        while Arc::strong_count(&epochs.0) > 1 {
            std::thread::yield_now();
        }
    }
}
