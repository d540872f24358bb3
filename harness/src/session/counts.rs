//! How many calls a session made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most tools that are counted apart; names come from a model, and those of more tools count among all calls alone.
const TOOLS_MAX: usize = 1_000;

/// Calls that the model made and that were not denied at once, by the tool's own name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CallCounts {
    of_tool: BTreeMap<String, u64>,
    all: u64,
}

impl CallCounts {
    /// Counts a call.
    pub fn add(&mut self, tool: &str) {
        self.all = self.all.saturating_add(1);
        if let Some(count) = self.of_tool.get_mut(tool) {
            *count = count.saturating_add(1);
        } else if self.of_tool.len() < TOOLS_MAX {
            self.of_tool.insert(tool.to_owned(), 1);
        }
    }

    /// Returns the calls of one tool.
    pub fn of(&self, tool: &str) -> u64 {
        self.of_tool.get(tool).copied().unwrap_or(0)
    }

    /// Returns the calls of all tools.
    pub fn all(&self) -> u64 {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_counted_apart_up_to_a_bound() {
        let mut counts = CallCounts::default();
        for number in 0..TOOLS_MAX + 5 {
            counts.add(&number.to_string());
        }
        counts.add("7");
        assert_eq!(
            (counts.of("7"), counts.of("1003"), counts.of("x")),
            (2, 0, 0)
        );
        assert_eq!(counts.all(), TOOLS_MAX as u64 + 6);
    }
}
