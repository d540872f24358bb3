//! Time and chance of a call, made up: whoever makes the same call again sees the same ones.
//!
//! Each process of the call has clocks and random bytes of its own, which follow from the call's and from how many
//! processes the call had started before it, so what one process reads changes nothing for another. The wall clock
//! stands at the call's time and goes on by a tick with every look. The monotonic clock begins at zero and does the
//! same, and it also follows real time in steps of [`STEP`], since a program that sleeps waits for it to go on.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::TryRng;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

/// What a clock goes on by with every look.
const TICK: Duration = Duration::from_millis(1);
/// What the monotonic clock sees of real time. A call that is over before is not touched by it.
const STEP: Duration = Duration::from_millis(100);

/// The time of a call, and what its random bytes follow from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fixed {
    /// Since the beginning of 1970.
    pub time: Duration,
    /// Another one for every call.
    pub seed: [u8; 32],
}

/// What the processes of a hand that are started now see.
#[derive(Default)]
pub(crate) struct Surroundings(Mutex<Option<(Fixed, u64)>>);

impl Surroundings {
    /// Begins a call; none for one that sees the real time.
    pub(crate) fn begin(&self, fixed: Option<Fixed>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = fixed.map(|fixed| (fixed, 0));
    }

    /// Returns what the next process sees; none for the real time.
    pub(crate) fn of_next_process(&self) -> Option<Fixed> {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (fixed, number) = now.as_mut()?;
        *number += 1;
        Some(Fixed {
            time: fixed.time,
            seed: *blake3::keyed_hash(&fixed.seed, &number.to_le_bytes()).as_bytes(),
        })
    }
}

impl Fixed {
    /// Gives a process its clocks and random bytes.
    pub(crate) fn give(&self, wasi: &mut WasiCtxBuilder) {
        let bytes = |use_of: &[u8]| {
            let mut hasher = blake3::Hasher::new_keyed(&self.seed);
            hasher.update(use_of);
            Bytes(hasher.finalize_xof())
        };
        let mut seed = [0; 16];
        bytes(b"seed").0.fill(&mut seed);
        wasi.wall_clock(Wall {
            start: self.time,
            looks: AtomicU64::new(0),
        })
        .monotonic_clock(Monotonic {
            start: Instant::now(),
            looks: AtomicU64::new(0),
        })
        .secure_random(bytes(b"secure"))
        .insecure_random(bytes(b"insecure"))
        .insecure_random_seed(u128::from_le_bytes(seed));
    }
}

fn ticks(looks: &AtomicU64) -> Duration {
    let looks = looks.fetch_add(1, Ordering::Relaxed);
    TICK.saturating_mul(u32::try_from(looks).unwrap_or(u32::MAX))
}

struct Wall {
    start: Duration,
    looks: AtomicU64,
}

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        TICK
    }

    fn now(&self) -> Duration {
        self.start.saturating_add(ticks(&self.looks))
    }
}

struct Monotonic {
    start: Instant,
    looks: AtomicU64,
}

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        nanoseconds(TICK)
    }

    fn now(&self) -> u64 {
        let passed = self.start.elapsed().as_millis() / STEP.as_millis();
        let passed = STEP.saturating_mul(u32::try_from(passed).unwrap_or(u32::MAX));
        nanoseconds(passed.saturating_add(ticks(&self.looks)))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Bytes that follow from a key.
struct Bytes(blake3::OutputReader);

impl Bytes {
    fn array<const LENGTH: usize>(&mut self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl TryRng for Bytes {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_has_its_own_and_every_call_the_same() {
        let fixed = |seed| Fixed {
            time: Duration::from_secs(7),
            seed: [seed; 32],
        };
        let surroundings = Surroundings::default();
        assert_eq!(surroundings.of_next_process(), None);
        let mut seen = Vec::new();
        for seed in [1, 2, 1] {
            surroundings.begin(Some(fixed(seed)));
            let both = [
                surroundings.of_next_process(),
                surroundings.of_next_process(),
            ];
            let [one, two] = &both;
            assert_ne!(one, two);
            seen.push(both);
        }
        let (first, other, again) = (seen.first(), seen.get(1), seen.get(2));
        assert_eq!(first, again);
        assert_ne!(first, other);
        surroundings.begin(None);
        assert_eq!(surroundings.of_next_process(), None);
    }

    #[test]
    fn clocks_go_on_with_every_look() {
        let wall = Wall {
            start: Duration::from_secs(7),
            looks: AtomicU64::new(0),
        };
        assert_eq!(wall.now(), Duration::from_millis(7_000));
        assert_eq!(wall.now(), Duration::from_millis(7_001));
        let monotonic = Monotonic {
            start: Instant::now(),
            looks: AtomicU64::new(0),
        };
        let first = monotonic.now();
        assert!(monotonic.now() > first);
    }
}
