//! The registry of awake sessions: one driver task each, woken by hints and by a scan of the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::brain::Brain;
use super::session::Driver;
use crate::ids::SessionId;

/// Time between two scans for sessions that have work but no driver.
const SCAN_PERIOD: Duration = Duration::from_secs(5);
/// Sessions taken from one scan.
const SCAN_MAX: usize = 256;

/// Wakes sessions.
pub struct Drivers {
    brain: Arc<Brain>,
    awake: Mutex<Awake>,
    shutdown: CancellationToken,
}

#[derive(Default)]
struct Awake {
    pokes: HashMap<SessionId, Arc<Poke>>,
    tasks: JoinSet<()>,
}

/// Removes a driver's entry at the end of its task, however that ends.
struct Forget {
    drivers: Arc<Drivers>,
    session_id: SessionId,
    poke: Arc<Poke>,
}

impl Drop for Forget {
    fn drop(&mut self) {
        let mut awake = self.drivers.awake.lock().unwrap_or_else(|e| e.into_inner());
        let is_ours = awake
            .pokes
            .get(&self.session_id)
            .is_some_and(|poke| Arc::ptr_eq(poke, &self.poke));
        if is_ours {
            awake.pokes.remove(&self.session_id);
        }
    }
}

/// Tells a driver that its log grew.
#[derive(Default)]
pub(super) struct Poke {
    /// Holds one permit, so a poke before the wait is not lost.
    pub(super) notify: Notify,
}

impl Drivers {
    /// Returns a registry without drivers. Needs [`Drivers::run`] to find work that nobody announced.
    pub fn new(brain: Arc<Brain>) -> Arc<Self> {
        Arc::new(Self {
            brain,
            awake: Mutex::default(),
            shutdown: CancellationToken::new(),
        })
    }

    /// Makes sure that a driver looks at the session's log from now on. Returns at once; calling it often,
    /// or for a session without work, does no harm.
    pub fn wake(self: &Arc<Self>, session_id: &SessionId) {
        if self.shutdown.is_cancelled() {
            return;
        }
        let mut awake = self.awake.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(poke) = awake.pokes.get(session_id) {
            poke.notify.notify_one();
            return;
        }
        let poke = Arc::new(Poke::default());
        awake.pokes.insert(session_id.clone(), poke.clone());
        // Finished tasks are reaped here, so the set stays as small as the number of awake sessions.
        while awake.tasks.try_join_next().is_some() {}
        let drivers = self.clone();
        let session_id = session_id.clone();
        awake.tasks.spawn(async move {
            // Also when the driver panics: the session must not wait for a task that is gone.
            let _forget = Forget {
                drivers: drivers.clone(),
                session_id: session_id.clone(),
                poke: poke.clone(),
            };
            let mut driver = Driver::new(
                drivers.brain.clone(),
                session_id.clone(),
                poke.clone(),
                drivers.shutdown.clone(),
            );
            loop {
                driver.run().await;
                if drivers.retire(&session_id, &poke) {
                    break;
                }
            }
        });
    }

    /// Removes a driver that has nothing to do, unless it was poked meanwhile.
    fn retire(&self, session_id: &SessionId, poke: &Arc<Poke>) -> bool {
        use futures::FutureExt;
        let mut awake = self.awake.lock().unwrap_or_else(|e| e.into_inner());
        let was_poked = poke.notify.notified().now_or_never().is_some();
        if was_poked && !self.shutdown.is_cancelled() {
            return false;
        }
        awake.pokes.remove(session_id);
        true
    }

    /// Scans for work until shutdown: what was left by a crash, and what nobody announced.
    pub async fn run(self: &Arc<Self>) {
        loop {
            let now = self.brain.clock.now();
            match self.brain.store.sessions_to_wake(now, SCAN_MAX).await {
                Ok(sessions) => sessions.iter().for_each(|session| self.wake(session)),
                Err(error) => tracing::error!(%error, "cannot scan for sessions to wake"),
            }
            tokio::select! {
                () = self.brain.clock.sleep(SCAN_PERIOD) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
    }

    /// Returns how many sessions have a driver.
    pub fn awake_count(&self) -> usize {
        let awake = self.awake.lock().unwrap_or_else(|e| e.into_inner());
        awake.pokes.len()
    }

    /// Stops every driver and waits for them. Work under way is given up; the next wake goes on from the
    /// log.
    pub async fn shut_down(&self) {
        self.shutdown.cancel();
        let mut tasks = {
            let mut awake = self.awake.lock().unwrap_or_else(|e| e.into_inner());
            std::mem::take(&mut awake.tasks)
        };
        while tasks.join_next().await.is_some() {}
    }
}
