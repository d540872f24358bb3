//! The clock that interrupts guests.
//!
//! One thread advances the engine's epoch every millisecond while at least one call runs, and sleeps otherwise, so an
//! idle daemon does not wake a thousand times a second. A running guest notices the new epoch at its next loop or
//! call and gives its thread back to the executor. A guest can be ended only then, so the thread outlives its owner
//! until the last call is gone.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// Longest time that a guest runs before it gives its thread back.
const EPOCH_MS: u64 = 1;

/// Owns the thread; after it is dropped the thread ends with the last call.
pub struct Ticker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Calls that need the epoch to advance.
    running: usize,
    stopped: bool,
}

/// Keeps the epoch advancing for as long as it lives.
pub struct Ticking(Arc<Shared>);

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

    /// Keeps the epoch advancing until the guard is dropped.
    pub fn run(&self) -> Ticking {
        self.0.update(|state| state.running += 1);
        Ticking(Arc::clone(&self.0))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.update(|state| state.stopped = true);
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.update(|state| state.running -= 1);
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    while !state.stopped || state.running > 0 {
        if state.running == 0 {
            state = shared
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        } else {
            drop(state);
            std::thread::sleep(Duration::from_millis(EPOCH_MS));
            engine.increment_epoch();
            state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        }
    }
}
