//! One process's way to its disk: slow, failing, full, stopped, or dead.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sinew::clock::{Clock, Timestamp};
use sinew::store::{Device, Fate, StoreError};

use crate::chance::{Chance, Roughness};
use crate::clock::SimClock;

/// Longest usual time of an operation.
const QUICK: Duration = Duration::from_millis(4);
/// Longest time of a slow one.
const SLOW: Duration = Duration::from_secs(20);

/// What is the same for all processes.
pub struct Weather {
    pub roughness: Roughness,
    is_calm: AtomicBool,
    full_until: Mutex<Timestamp>,
}

impl Weather {
    pub fn new(roughness: Roughness) -> Self {
        Self {
            roughness,
            is_calm: AtomicBool::new(false),
            full_until: Mutex::new(Timestamp::MIN),
        }
    }

    /// Ends everything that goes wrong.
    pub fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    pub fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// Leaves no space until an instant.
    pub fn fill(&self, until: Timestamp) {
        *self.full_until.lock().unwrap_or_else(|e| e.into_inner()) = until;
    }

    pub fn is_full(&self, now: Timestamp) -> bool {
        let until = *self.full_until.lock().unwrap_or_else(|e| e.into_inner());
        !self.is_calm() && now < until
    }
}

/// A process's power. Once it is cut, nothing that the process does has an effect.
pub struct Power {
    pub clock: Arc<SimClock>,
    pub weather: Arc<Weather>,
    is_dead: AtomicBool,
    stopped_until: Mutex<Timestamp>,
    chance: Mutex<Chance>,
}

impl Power {
    pub fn new(clock: Arc<SimClock>, weather: Arc<Weather>, chance: Chance) -> Arc<Self> {
        Arc::new(Self {
            clock,
            weather,
            is_dead: AtomicBool::new(false),
            stopped_until: Mutex::new(Timestamp::MIN),
            chance: Mutex::new(chance),
        })
    }

    /// Kills the process.
    pub fn cut(&self) {
        self.is_dead.store(true, Ordering::Relaxed);
    }

    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    /// Stops the process until an instant, at which it goes on as if nothing had been.
    pub fn stop(&self, until: Timestamp) {
        *self.stopped_until.lock().unwrap_or_else(|e| e.into_inner()) = until;
    }

    /// Returns once the process may do something; never, if it is dead.
    pub async fn alive(&self) {
        loop {
            if self.is_dead() {
                pending::<()>().await;
            }
            let until = *self.stopped_until.lock().unwrap_or_else(|e| e.into_inner());
            let left = until.duration_since(self.clock.now());
            match Duration::try_from(left) {
                Ok(left) if !left.is_zero() => self.clock.sleep(left).await,
                _ => return,
            }
        }
    }

    /// Lets at most `most` pass, and then as much as the process is stopped for.
    pub async fn work(&self, most: Duration) {
        let wait = self.draw(|chance| chance.wait(most));
        self.clock.sleep(wait).await;
        self.alive().await;
    }

    /// Draws from the process's chance.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut Chance) -> T) -> T {
        draw(&mut self.chance.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// Tells whether trouble of this probability comes.
    pub fn fails(&self, probability: f64) -> bool {
        !self.weather.is_calm() && self.draw(|chance| chance.happens(probability))
    }
}

fn io_error() -> StoreError {
    StoreError::Failed("disk I/O error".to_owned())
}

#[async_trait::async_trait]
impl Device for Power {
    async fn begin(&self, _is_write: bool) -> Result<(), StoreError> {
        let roughness = &self.weather.roughness;
        let most = match self.fails(roughness.slow_store) {
            true => SLOW,
            false => QUICK,
        };
        self.alive().await;
        self.work(most).await;
        match self.fails(roughness.io_error) {
            true => Err(io_error()),
            false => Ok(()),
        }
    }

    fn commit(&self) -> Fate {
        let roughness = &self.weather.roughness;
        if self.weather.is_full(self.clock.now()) {
            Fate::Lost(StoreError::Full)
        } else if self.fails(roughness.lost_commit) {
            Fate::Lost(io_error())
        } else if self.fails(roughness.untold_commit) {
            Fate::KeptUntold(io_error())
        } else {
            Fate::Kept
        }
    }

    async fn end(&self) {
        self.work(QUICK).await;
    }
}

/// A device on which nothing goes wrong and nothing takes time: of whoever looks on.
pub struct Steady;

#[async_trait::async_trait]
impl Device for Steady {
    async fn begin(&self, _is_write: bool) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&self) -> Fate {
        Fate::Kept
    }

    async fn end(&self) {}
}
