//! Chance that follows from a seed, and how rough a seed is.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// A source of chance of its own for each part of a simulation, so that one part's draws are not another's.
pub struct Chance(StdRng);

impl Chance {
    /// Returns the source of the part `name`.
    pub fn new(seed: u64, name: &str) -> Self {
        let mut mixed = seed ^ 0x9e37_79b9_7f4a_7c15;
        for byte in name.bytes() {
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(StdRng::seed_from_u64(mixed))
    }

    /// Returns a source that follows from this one.
    pub fn split(&mut self) -> Self {
        Self(StdRng::seed_from_u64(self.0.next_u64()))
    }

    /// Tells whether something with this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    /// Returns a number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(0..bound)
    }

    /// Returns a time of at least one and at most `most` microseconds; short ones are as likely as long ones.
    pub fn wait(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX).max(2);
        let bits = self.0.random_range(1..=64 - most.leading_zeros());
        let bound = most.min((1u64 << bits.min(62)) - 1).max(1);
        Duration::from_micros(self.0.random_range(1..=bound))
    }

    /// Returns one of `choices`, which are at least one.
    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// How likely what goes wrong is, as a seed has it.
#[derive(Clone, Copy, Debug)]
pub struct Roughness {
    /// A read or write fails before it begins.
    pub io_error: f64,
    /// A commit comes to nothing.
    pub lost_commit: f64,
    /// A commit is durable, but said to have failed.
    pub untold_commit: f64,
    /// An operation of the store takes seconds.
    pub slow_store: f64,
    /// The model's provider fails, or its answer is cut off.
    pub model: f64,
    /// A hand cannot be made, or the host fails during a call.
    pub hand: f64,
    /// The mean time between two blows to whole processes.
    pub blows: Duration,
    /// How many processes there are.
    pub processes: usize,
    /// How many sessions begin.
    pub sessions: usize,
    /// Until when things go wrong.
    pub lasts: Duration,
}

impl Roughness {
    /// Tells whether no process and no write of the store ever comes to harm.
    pub fn is_gentle(&self) -> bool {
        let store = self.io_error + self.lost_commit + self.untold_commit + self.slow_store;
        store == 0.0 && self.blows > self.lasts * 4
    }

    /// Returns a seed's. Most have a few kinds of trouble, some all, some none.
    pub fn of(chance: &mut Chance) -> Self {
        let mut rate = |most: f64| match chance.below(3) {
            0 => 0.0,
            1 => most / 10.0,
            _ => most,
        };
        let (io_error, lost_commit) = (rate(0.05), rate(0.05));
        let (untold_commit, slow_store) = (rate(0.05), rate(0.02));
        let (model, hand) = (rate(0.3), rate(0.2));
        let blows = chance.of(&[3, 10, 30, 100_000]);
        Self {
            io_error,
            lost_commit,
            untold_commit,
            slow_store,
            model,
            hand,
            blows: Duration::from_secs(blows),
            processes: chance.of(&[1, 2, 2, 3]),
            sessions: chance.of(&[1, 1, 1, 2]),
            lasts: Duration::from_secs(chance.of(&[6, 12, 40])),
        }
    }
}
