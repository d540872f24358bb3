//! Histories that branch: which events of a log still count, and what a session is where its history was cut.
//!
//! A rewind erases nothing. It is an event that names the number it goes back to: from then on the events up to
//! that number and those from the rewind on are the session's, and what lies between is only history. A fork
//! begins with another session's events and one of its own that says so.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::state::{State, Status};
use super::usage::Usage;
use crate::clock::Timestamp;
use crate::json::Fields as _;
use crate::store::StoredEvent;

/// A rewind in a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rewind {
    /// The number of the event.
    pub at: u64,
    /// The last number before it that still counts.
    pub to: u64,
}

/// Numbers from one to another, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// Returns what counts of a log up to `upto`, in order: a fold of these events is the session as of `upto`.
/// `rewinds` are all of the log's, in order.
pub fn counting(rewinds: &[Rewind], upto: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut last = upto;
    for rewind in rewinds.iter().rev() {
        // One beyond the point, or in a part that does not count itself, changes nothing.
        if rewind.at <= last {
            ranges.push(Range {
                first: rewind.at,
                last,
            });
            last = rewind.to;
        }
    }
    ranges.push(Range { first: 1, last });
    ranges.reverse();
    ranges
}

/// Returns the rewinds as the session's row has them.
pub fn rewinds_json(rewinds: &[Rewind]) -> Value {
    rewinds.iter().map(|r| json!([r.at, r.to])).collect()
}

/// Reads what [`rewinds_json`] made.
pub fn rewinds_of(value: &Value) -> Vec<Rewind> {
    let pairs = value.as_array().into_iter().flatten();
    let pair = |pair: &Value| {
        Some(Rewind {
            at: pair.get(0)?.as_u64()?,
            to: pair.get(1)?.as_u64()?,
        })
    };
    pairs.filter_map(pair).collect()
}

impl State {
    /// Ends what every thread does here and now: what was under way counts as cut off, what waited is dropped.
    fn cut(&mut self, at: Timestamp, why: &str) {
        if let Some(outcome) = self.outcomes.last_mut() {
            outcome.interrupt(at);
        }
        for thread in &mut self.threads {
            let thread = Arc::make_mut(thread);
            thread.cut(at, why);
            // They are asked once, for what is cut off.
            if thread.is_live() && (thread.is_grader() || thread.is_advisor()) {
                thread.end(at);
            }
        }
        self.running_since = None;
        self.status = Status::Idle;
        self.stop_reason = json!({"type": "end_turn"});
        self.stop_details = Value::Null;
        self.updated_at = at;
    }

    /// Applies a rewind, to the state as of the event that it goes back to. What the session has cost and how it
    /// is configured stay as they were before it, which the event tells.
    pub(super) fn rewind(&mut self, event: &StoredEvent) {
        let to = self.last;
        self.cut(
            event.at,
            "This call was cut off: the session was taken back to before it ended.",
        );
        let kept = event.private.as_ref().unwrap_or(&Value::Null);
        // Those between the two points are in no state that was folded up to here.
        self.rewinds = rewinds_of(kept.at("rewinds"));
        self.rewinds.push(Rewind {
            at: event.number,
            to,
        });
        if kept.at("config").is_object() {
            self.config = Arc::new(kept.at("config").clone());
        }
        if let Some(usage) = Usage::from_json(kept.at("usage")) {
            self.usage = usage;
        }
        self.was_idle = true;
    }

    /// Applies the beginning of a fork, to the state of the session that it comes from. It has cost nothing yet.
    pub(super) fn fork(&mut self, event: &StoredEvent) {
        let why = "This call was cut off: the session is a copy of another one as it was before the call ended.";
        self.begin_with(event, why);
    }

    /// Applies the beginning of a session that was imported, to the state of the one that was exported.
    pub(super) fn import(&mut self, event: &StoredEvent) {
        let why = "This call was cut off: the session was exported before the call ended, and goes on elsewhere.";
        self.begin_with(event, why);
    }

    /// What came before was another session.
    fn begin_with(&mut self, event: &StoredEvent, why: &str) {
        self.cut(event.at, why);
        let kept = event.private.as_ref().unwrap_or(&Value::Null);
        if kept.at("config").is_object() {
            self.config = Arc::new(kept.at("config").clone());
        }
        self.created_at = event.at;
        // They are the other session's to learn from.
        self.corrections.clear();
        for thread in &mut self.threads {
            let thread = Arc::make_mut(thread);
            thread.usage = Usage::default();
            thread.created_at = event.at;
            thread.first_ran_at = None;
            thread.was_idle = false;
        }
        self.usage = Usage::default();
        self.first_ran_at = None;
        self.ended_at = None;
        self.archived_at = None;
        self.was_idle = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_gone_back_behind_does_not_count() {
        let at = |at, to| Rewind { at, to };
        let ranges = |rewinds: &[Rewind], upto| -> Vec<(u64, u64)> {
            let ranges = counting(rewinds, upto);
            ranges
                .iter()
                .map(|range| (range.first, range.last))
                .collect()
        };
        assert_eq!(ranges(&[], 9), [(1, 9)]);
        let one = [at(10, 4)];
        assert_eq!(ranges(&one, 9), [(1, 9)], "before it happened");
        assert_eq!(ranges(&one, 10), [(1, 4), (10, 10)]);
        assert_eq!(ranges(&one, 15), [(1, 4), (10, 15)]);
        // Back behind the first, and to a point that had been given up.
        let more = [at(10, 4), at(16, 2), at(20, 8)];
        assert_eq!(ranges(&more, 18), [(1, 2), (16, 18)]);
        assert_eq!(ranges(&more, 25), [(1, 8), (20, 25)]);
        assert_eq!(ranges(&more, 12), [(1, 4), (10, 12)]);
        assert_eq!(rewinds_of(&rewinds_json(&more)), more);
        assert_eq!(rewinds_of(&Value::Null), []);
    }
}
