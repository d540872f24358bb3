//! Measured times, kept by round.

use std::time::Duration;

/// Times of one subject in nanoseconds, one list for each round.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    rounds: Vec<Vec<u64>>,
}

impl Samples {
    /// Begins a round; what is pushed from now on belongs to it.
    pub fn begin_round(&mut self) {
        self.rounds.push(Vec::new());
    }

    /// Adds a time to the current round.
    pub fn push(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        match self.rounds.last_mut() {
            Some(round) => round.push(nanos),
            None => self.rounds.push(vec![nanos]),
        }
    }

    /// Returns how many times there are.
    pub fn count(&self) -> usize {
        self.rounds.iter().map(Vec::len).sum()
    }

    /// Returns the smallest time that `percent` of all times do not exceed, in nanoseconds; 0 without times.
    pub fn percentile(&self, percent: usize) -> u64 {
        percentile(self.rounds.iter().flatten().copied().collect(), percent)
    }

    /// Returns these times less `base` nanoseconds each, never below 0.
    pub fn minus(&self, base: u64) -> Self {
        let less = |round: &Vec<u64>| round.iter().map(|time| time.saturating_sub(base)).collect();
        Self {
            rounds: self.rounds.iter().map(less).collect(),
        }
    }

    /// Returns the median over the rounds of this median divided by `base`'s; none if no round has both.
    pub fn ratio(&self, base: &Self) -> Option<f64> {
        let mut ratios: Vec<f64> = self
            .rounds
            .iter()
            .zip(&base.rounds)
            .filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty())
            .map(|(ours, theirs)| {
                let theirs = percentile(theirs.clone(), 50).max(1);
                percentile(ours.clone(), 50) as f64 / theirs as f64
            })
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied()
    }
}

fn percentile(mut times: Vec<u64>, percent: usize) -> u64 {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(rank).copied().unwrap_or(0)
}
