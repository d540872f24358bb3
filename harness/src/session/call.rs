//! A tool call of the model, from the event that records it to its answer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::review::Review;
use super::shared;
use super::supervision::is_own_tool;

use crate::ids::EventId;
use crate::json::Fields as _;

/// Where a call runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum CallKind {
    /// In the session's hand.
    BuiltIn,
    /// In the session's hand too: a function of a registered component, with what the agent grants it.
    Component,
    /// At the worker of the session's self-hosted environment.
    Worker,
    /// On a remote MCP server of this name.
    Mcp(String),
    /// At the client.
    Custom,
    /// In the session itself: it starts another agent's thread, or speaks with one.
    Delegation,
    /// In the session itself: it makes a plan or ends a step of it, which may run a command in the hand.
    Supervision,
}

/// The built-in tools that work on the session's files, and run where those are.
const FILE_TOOLS: [&str; 6] = ["bash", "read", "write", "edit", "glob", "grep"];

/// The built-in tools that reach the web.
const WEB_TOOLS: [&str; 2] = ["web_fetch", WEB_SEARCH];

/// The built-in tool whose calls are counted as usage.
pub const WEB_SEARCH: &str = "web_search";

impl CallKind {
    /// Returns where a call that an `agent.tool_use` records runs, in a session with or without a self-hosted environment.
    pub fn of_tool_use(name: &str, is_self_hosted: bool) -> Self {
        if is_own_tool(name) {
            CallKind::Supervision
        } else if FILE_TOOLS.contains(&name) {
            match is_self_hosted {
                true => CallKind::Worker,
                false => CallKind::BuiltIn,
            }
        } else if WEB_TOOLS.contains(&name) {
            CallKind::BuiltIn
        } else {
            CallKind::Component
        }
    }
}

/// What the permission policy said when the call was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Permission {
    /// Runs.
    Allow,
    /// Waits for the client.
    Ask,
    /// Does not run.
    Deny,
}

impl Permission {
    /// Returns the wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::Allow => "allow",
            Permission::Ask => "ask",
            Permission::Deny => "deny",
        }
    }

    /// Reads the wire word; absent means allow (custom calls carry none).
    pub fn parse(word: Option<&str>) -> Self {
        match word {
            Some("ask") => Permission::Ask,
            Some("deny") => Permission::Deny,
            _ => Permission::Allow,
        }
    }
}

/// The client's word on a call that asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Confirmation {
    /// Run it.
    Allowed,
    /// Do not run it; the text goes to the model.
    Denied(Option<String>),
}

/// What a call came to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Content blocks.
    pub content: Vec<Value>,
    /// The call failed.
    pub is_error: bool,
}

/// One call of the newest assistant turn.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Id of the event that records the intent.
    pub event_id: EventId,
    /// Id that the model gave the call.
    pub model_id: String,
    /// Tool name.
    pub name: String,
    /// Arguments, a JSON object.
    pub input: Value,
    /// Where it runs.
    pub kind: CallKind,
    /// The policy's word.
    pub permission: Permission,
    /// The client's word, once given. Of a call under review it is the word on what it would change.
    pub confirmation: Option<Confirmation>,
    /// What it would change, once it ran on a copy.
    #[serde(with = "shared::each")]
    pub review: Option<Arc<Review>>,
    /// The paths that the client lets land, if it named some.
    pub landing: Option<Vec<String>>,
    /// It is on its way out of the host, or was when its driver died: nobody here can tell whether it arrived.
    pub has_left: bool,
    /// The result, once there.
    pub answer: Option<Answer>,
}

/// What has to happen next with a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallState {
    /// The harness must run it.
    Runnable,
    /// The harness must answer that it was rejected.
    Rejected,
    /// The client must act.
    Waiting,
    /// It has its result.
    Answered,
}

impl Call {
    /// Tells what has to happen next.
    pub fn state(&self) -> CallState {
        if self.answer.is_some() {
            return CallState::Answered;
        }
        if self.review.is_some() {
            return match &self.confirmation {
                None => CallState::Waiting,
                Some(Confirmation::Allowed) => CallState::Runnable,
                Some(Confirmation::Denied(_)) => CallState::Rejected,
            };
        }
        match (&self.kind, self.permission, &self.confirmation) {
            (CallKind::Custom, _, _) => CallState::Waiting,
            (_, Permission::Deny, _) | (_, Permission::Ask, Some(Confirmation::Denied(_))) => {
                CallState::Rejected
            }
            (_, Permission::Ask, None) => CallState::Waiting,
            // Allowed or not in question: its worker runs it and sends the result.
            (CallKind::Worker, _, _) => CallState::Waiting,
            (_, Permission::Allow, _) | (_, Permission::Ask, Some(Confirmation::Allowed)) => {
                CallState::Runnable
            }
        }
    }

    /// Tells whether it waits for nobody but other threads, if it waits.
    pub fn is_of_threads(&self) -> bool {
        match self.kind {
            CallKind::Delegation => true,
            CallKind::Supervision => self.permission != Permission::Ask,
            CallKind::BuiltIn
            | CallKind::Component
            | CallKind::Worker
            | CallKind::Mcp(_)
            | CallKind::Custom => false,
        }
    }

    /// Returns the text of the result that a rejected call gets.
    pub fn rejection(&self) -> String {
        let why = match &self.confirmation {
            Some(Confirmation::Denied(Some(message))) => format!(": {message}"),
            _ => ".".to_owned(),
        };
        if self.review.is_some() {
            return format!(
                "The user looked at what this call of {} would change and rejected it{why}\nNothing was changed.",
                self.name
            );
        }
        match &self.confirmation {
            Some(Confirmation::Denied(Some(message))) => {
                format!("The user rejected this call of {}: {message}", self.name)
            }
            Some(_) => format!("The user rejected this call of {}.", self.name),
            None => format!("Permission to use {} has been denied.", self.name),
        }
    }

    /// Returns the Messages API block that gives the answer to the model.
    pub fn tool_result_block(&self) -> Value {
        let (content, is_error) = match &self.answer {
            Some(answer) => (answer.content.clone(), answer.is_error),
            None => (Vec::new(), true),
        };
        let mut block = json!({
            "type": "tool_result",
            "tool_use_id": self.model_id,
            "content": content,
        });
        if is_error {
            block.set("is_error", Value::Bool(true));
        }
        block
    }
}
