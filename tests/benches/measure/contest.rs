//! Subjects that do the same work in turn.

use std::time::Instant;

use anyhow::{Context, Result};

use super::{Group, Samples, Subject};

/// The work of a subject, done once per call.
type Work<'a> = Box<dyn FnMut() -> Result<()> + 'a>;

/// Subjects to be compared; the one added last is the baseline of all ratios.
pub struct Contest<'a> {
    title: String,
    subjects: Vec<(String, Work<'a>)>,
}

impl<'a> Contest<'a> {
    /// Returns a contest without subjects.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subjects: Vec::new(),
        }
    }

    /// Adds a subject.
    pub fn subject(
        mut self,
        name: impl Into<String>,
        work: impl FnMut() -> Result<()> + 'a,
    ) -> Self {
        self.subjects.push((name.into(), Box::new(work)));
        self
    }

    /// Lets each subject work once uncounted, then `calls` times in each round; another one begins each round.
    pub fn run(mut self, rounds: usize, calls: usize) -> Result<Group> {
        for (name, work) in &mut self.subjects {
            work().with_context(|| format!("{}: {name}", self.title))?;
        }
        let count = self.subjects.len();
        let mut samples = vec![Samples::default(); count];
        for round in 0..rounds {
            for turn in 0..count {
                let place = (round + turn) % count;
                let (Some((name, work)), Some(samples)) =
                    (self.subjects.get_mut(place), samples.get_mut(place))
                else {
                    continue;
                };
                samples.begin_round();
                for _ in 0..calls {
                    let start = Instant::now();
                    work().with_context(|| format!("{}: {name}", self.title))?;
                    samples.push(start.elapsed());
                }
            }
        }
        let subjects = self.subjects.into_iter().zip(samples);
        Ok(Group::new(
            self.title,
            subjects
                .map(|((name, _), samples)| Subject::new(name, samples))
                .collect(),
        ))
    }
}
