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
    pub fn add(&mut self, server: &str, tool: &str) {
        self.all = self.all.saturating_add(1);
        let name = name(server, tool);
        if let Some(count) = self.of_tool.get_mut(&name) {
            *count = count.saturating_add(1);
        } else if self.of_tool.len() < TOOLS_MAX {
            self.of_tool.insert(name, 1);
        }
    }

    /// Returns the calls of one tool: of an MCP server's, or with an empty server of another.
    pub fn of(&self, server: &str, tool: &str) -> u64 {
        self.of_tool.get(&name(server, tool)).copied().unwrap_or(0)
    }

    /// Returns the calls of all tools.
    pub fn all(&self) -> u64 {
        self.all
    }
}

/// Names of servers come from clients and hold no line break that would matter: the tool's is behind the first.
fn name(server: &str, tool: &str) -> String {
    format!("{}\n{tool}", server.replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_counted_apart_up_to_a_bound() {
        let mut counts = CallCounts::default();
        for number in 0..TOOLS_MAX + 5 {
            counts.add("", &number.to_string());
        }
        counts.add("", "7");
        assert_eq!(
            (
                counts.of("", "7"),
                counts.of("", "1003"),
                counts.of("server", "7")
            ),
            (2, 0, 0)
        );
        assert_eq!(counts.all(), TOOLS_MAX as u64 + 6);
    }
}
