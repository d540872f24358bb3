//! What people and reviewers corrected, until it is distilled into preferences.

use std::sync::Arc;

use serde_json::Value;

use super::state::{State, Status};
use crate::json::Fields as _;

/// Corrections that wait at a time; of more, the oldest are forgotten.
const WAITING_MAX: usize = 50;
/// Characters of one that are kept.
const CHARS_MAX: usize = 2_000;

/// The field of a session's configuration that holds the preferences that it began with. Not on the wire.
pub const PREFERENCES_FIELD: &str = "_preferences";

/// Where the preferences are in their memory store.
pub const PREFERENCES_PATH: &str = "/preferences.md";

impl State {
    /// Returns the memory store that the session's preferences are kept in; none if it keeps none.
    pub fn preferences_store(&self) -> Option<&str> {
        preferences_store(&self.config)
    }

    /// Keeps a correction of the user's. `from` says of what it is.
    pub(super) fn correct(&mut self, from: &str, said: &str) {
        if self.preferences_store().is_some() {
            self.keep_correction(from, said);
        }
    }

    /// As [`State::correct`], of a reviewer: an agent, which may say what it read.
    pub(super) fn correct_as_reviewer(&mut self, from: &str, said: &str) {
        let rule = preferences_rule(&self.config);
        if rule.is_some_and(|rule| *rule.at("from") != "users") {
            self.keep_correction(from, said);
        }
    }

    fn keep_correction(&mut self, from: &str, said: &str) {
        if said.trim().is_empty() {
            return;
        }
        if self.corrections.len() == WAITING_MAX {
            self.corrections.remove(0);
        }
        let said: String = said.chars().take(CHARS_MAX).collect();
        self.corrections.push(Arc::new(format!("{from}: {said}")));
    }

    /// Forgets the oldest corrections: they were distilled.
    pub(super) fn distilled(&mut self, body: &Value) {
        let taken = body.at("corrections").as_u64().unwrap_or(0);
        let taken = usize::try_from(taken).unwrap_or(usize::MAX);
        self.corrections.drain(..taken.min(self.corrections.len()));
    }

    /// Tells whether there is something to distil, and nothing else to do.
    pub fn can_distil(&self) -> bool {
        !self.corrections.is_empty()
            && self.preferences_store().is_some()
            && self.status == Status::Idle
            && *self.stop_reason.at("type") == "end_turn"
    }
}

/// Returns the memory store that a session's configuration keeps preferences in: the session's own word, or its agent's.
pub fn preferences_store(config: &Value) -> Option<&str> {
    preferences_rule(config)?.at("memory_store_id").as_str()
}

fn preferences_rule(config: &Value) -> Option<&Value> {
    let blocks = [config.at("sinew"), config.at("agent").at("sinew")];
    let mut rules = blocks.into_iter().map(|block| block.at("preferences"));
    rules.find(|rule| rule.is_object())
}

/// Returns the texts of content blocks.
pub(super) fn texts(blocks: &[Value]) -> String {
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block.at("text").as_str())
        .collect();
    texts.join("\n")
}
