//! Which daemon dies where: named points in turn, and instants by chance, from a seed that repeats them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sinew::crash_point;

/// Longest life of a daemon that is killed at an instant, after it began to listen.
const LIFE_MS_MAX: u64 = 700;
/// Longest life of a daemon that does not come to the point at which it is to die.
const PATIENCE_MS: u64 = 6_000;
/// The same for points that only a start comes to.
const START_PATIENCE_MS: u64 = 1_500;
/// The highest arrival at a point that is a death.
const ARRIVAL_MAX: u64 = 9;
/// Lives in which a point may be missed. Some are only come to if the daemon before died in the right call.
const LIVES_MAX: usize = 10;

/// How one daemon dies.
#[derive(Clone, Debug)]
pub enum Death {
    /// At the nth arrival at a point, or else after some time.
    At {
        point: &'static str,
        nth: u64,
        /// Daemons that did not come there.
        missed: usize,
    },
    /// After so many milliseconds.
    After(u64),
}

impl Death {
    /// Returns the value of the variable that arms a point.
    pub fn armed(&self) -> Option<String> {
        match self {
            Self::At { point, nth, .. } => Some(format!("{point}:{nth}")),
            Self::After(_) => None,
        }
    }

    /// Returns when the daemon is killed from outside, in milliseconds.
    pub fn life_ms_max(&self) -> u64 {
        match self {
            Self::At { point, .. } if needs_cut_call(point) => START_PATIENCE_MS,
            Self::At { .. } => PATIENCE_MS,
            Self::After(ms) => *ms,
        }
    }
}

/// Tells whether a point is only come to where the daemon before died while a call was at work.
fn needs_cut_call(point: &str) -> bool {
    point.starts_with("restore-") || point.starts_with("trash-")
}

/// The deaths of a whole test, shared by all daemons.
pub struct Plan(Mutex<Inner>);

struct Inner {
    random: StdRng,
    left: VecDeque<Death>,
    kills_min: usize,
    /// How many died at each point; those at an instant under an empty name.
    died: BTreeMap<&'static str, usize>,
}

impl Plan {
    /// Plans at least `kills` deaths: each point by turns, and after each turn some instants.
    pub fn new(kills: usize, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut left = VecDeque::new();
        let mut turn = 0;
        while left.len() < kills {
            let mut points = crash_point::ALL.to_vec();
            points.shuffle(&mut random);
            for point in points {
                let nth = match turn {
                    0 => 1,
                    _ => random.random_range(1..=ARRIVAL_MAX),
                };
                if needs_cut_call(point) {
                    left.push_back(cut_call(&mut random));
                }
                left.push_back(Death::At {
                    point,
                    nth: if needs_cut_call(point) {
                        nth.div_ceil(3)
                    } else {
                        nth
                    },
                    missed: 0,
                });
            }
            for _ in 0..5 {
                left.push_back(Death::After(random.random_range(0..LIFE_MS_MAX)));
            }
            turn += 1;
        }
        Self(Mutex::new(Inner {
            random,
            left,
            kills_min: kills,
            died: BTreeMap::new(),
        }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Returns an instant: what a daemon dies of that is already running.
    pub fn instant(&self) -> Death {
        let mut inner = self.inner();
        Death::After(inner.random.random_range(0..LIFE_MS_MAX))
    }

    /// Returns the next death; none once there were enough.
    pub fn next(&self) -> Option<Death> {
        let mut inner = self.inner();
        inner.left.pop_front()
    }

    /// Takes back a death that the sessions' end came before: an earlier arrival must do.
    pub fn take_back(&self, death: Death) -> Result<()> {
        match death {
            Death::After(_) => self.inner().left.push_front(death),
            Death::At { point, nth, missed } => {
                if missed >= LIVES_MAX {
                    // Whether it may be missed is the check's to say.
                    return Ok(());
                }
                self.inner().left.push_back(Death::At {
                    point,
                    nth: nth.div_ceil(2),
                    missed: missed + 1,
                });
            }
        }
        Ok(())
    }

    /// Notes a death, or that a daemon lived on: then the point is tried again.
    pub fn note(&self, death: Death, is_dead_there: bool) -> Result<()> {
        let mut inner = self.inner();
        let point = match &death {
            Death::At { point, .. } if is_dead_there => *point,
            Death::At { .. } | Death::After(_) => "",
        };
        *inner.died.entry(point).or_default() += 1;
        let Death::At { point, nth, missed } = death else {
            return Ok(());
        };
        // One that was reached at all need not be reached so often.
        if is_dead_there || inner.died.contains_key(point) {
            return Ok(());
        }
        if missed >= LIVES_MAX {
            // Whether it may be missed is the check's to say.
            return Ok(());
        }
        if needs_cut_call(point) {
            let cut = cut_call(&mut inner.random);
            inner.left.push_back(cut);
        }
        inner.left.push_back(Death::At {
            point,
            nth: nth.min(1),
            missed: missed + 1,
        });
        Ok(())
    }

    /// Refuses a test that missed a point or had too few deaths, and returns how many died of what.
    pub fn check(&self) -> Result<String> {
        let inner = self.inner();
        let missed: Vec<&&str> = crash_point::ALL
            .iter()
            .filter(|point| !inner.died.contains_key(**point) && !needs_cut_call(point))
            .collect();
        ensure!(missed.is_empty(), "nothing died at {missed:?}");
        let total: usize = inner.died.values().sum();
        ensure!(total >= inner.kills_min, "only {total} daemons died");
        let counted: Vec<String> = inner
            .died
            .iter()
            .map(|(point, count)| match *point {
                "" => format!("{count} at an instant"),
                point => format!("{count} {point}"),
            })
            .collect();
        Ok(format!("{total} deaths: {}", counted.join(", ")))
    }
}

/// Returns the death of a daemon whose successor has something to put right.
fn cut_call(random: &mut StdRng) -> Death {
    Death::At {
        point: "call-after-run",
        nth: random.random_range(1..=ARRIVAL_MAX),
        missed: 0,
    }
}
