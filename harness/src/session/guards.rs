//! Guards against agents that go round in circles: the same call again and again, or messages to and fro.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::State;
use super::thread::Thread;
use crate::json::Fields as _;
use crate::store::Hash;

/// The call that a thread made last, and how often in a row.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Repeated {
    call: Option<Hash>,
    /// Times in a row, the last one included.
    pub count: u32,
}

impl Repeated {
    /// Returns what it is behind another call: the fields of its event.
    pub fn behind(&self, body: &Value) -> Self {
        let [server, name, input] = ["mcp_server_name", "name", "input"].map(|name| body.at(name));
        let call = Hash::of(format!("{server}{name}{input}").as_bytes());
        Self {
            call: Some(call),
            count: match self.call == Some(call) {
                true => self.count.saturating_add(1),
                false => 1,
            },
        }
    }
}

/// The bounds that hold for a thread: the tightest of its session, its agent and those above.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Guards {
    /// Times that the same call is made in a row.
    pub same_call: Option<u32>,
    /// Messages that an agent gets from the one that started it, between two inputs of the user.
    pub messages: Option<u32>,
}

impl Guards {
    /// Returns those of a thread.
    pub fn of(state: &State, thread: &Thread) -> Self {
        let agents = state.agents_above(thread).into_iter();
        let blocks = agents
            .map(|agent| agent.at("sinew"))
            .chain([state.config.at("sinew")]);
        blocks.fold(Self::default(), |guards, block| {
            let bound = |name: &str| block.at("loops").at(name).as_u64();
            let bound =
                |name: &str| bound(name).map(|most| u32::try_from(most).unwrap_or(u32::MAX));
            let tighter = |one: Option<u32>, other: Option<u32>| match (one, other) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            Self {
                same_call: tighter(guards.same_call, bound("same_call")),
                messages: tighter(guards.messages, bound("messages")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_same_call_in_a_row_is_counted() {
        let call = |name: &str, input: Value| json!({"name": name, "input": input});
        let read = call("read", json!({"path": "a"}));
        let mut repeated = Repeated::default();
        for count in 1..4 {
            repeated = repeated.behind(&read);
            assert_eq!(repeated.count, count);
        }
        assert_eq!(
            repeated.behind(&call("read", json!({"path": "b"}))).count,
            1
        );
        assert_eq!(
            repeated.behind(&call("write", json!({"path": "a"}))).count,
            1
        );
        let mut of_server = read.clone();
        of_server["mcp_server_name"] = json!("files");
        assert_eq!(repeated.behind(&of_server).count, 1);
    }
}
