//! The closed list of event types. Variants are added, never changed or reused.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Type of an event in a session's log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each variant is the wire name beside it")]
pub enum EventKind {
    UserMessage,
    UserInterrupt,
    UserToolConfirmation,
    UserCustomToolResult,
    UserToolResult,
    UserDefineOutcome,
    SystemMessage,
    AgentMessage,
    AgentThinking,
    AgentToolUse,
    AgentToolResult,
    AgentMcpToolUse,
    AgentMcpToolResult,
    AgentCustomToolUse,
    AgentThreadMessageSent,
    AgentThreadMessageReceived,
    AgentThreadContextCompacted,
    SessionStatusRunning,
    SessionStatusIdle,
    SessionStatusRescheduled,
    SessionStatusTerminated,
    SessionError,
    SessionUpdated,
    SessionUsage,
    SessionDeleted,
    SessionThreadCreated,
    SessionThreadStatusRunning,
    SessionThreadStatusIdle,
    SessionThreadStatusRescheduled,
    SessionThreadStatusTerminated,
    SpanModelRequestStart,
    SpanModelRequestEnd,
    SpanOutcomeEvaluationStart,
    SpanOutcomeEvaluationOngoing,
    SpanOutcomeEvaluationEnd,
    WorkflowRunCreated,
    WorkflowRunStatusRunning,
    WorkflowRunStatusIdle,
    WorkflowRunPhaseStarted,
    WorkflowRunPhaseEnded,
    WorkflowRunError,
    WorkflowRunStatusEnded,
    /// Ours: the session's configuration; always number 1.
    Created,
    /// Ours: a driver took a queued input from the queue.
    Processed,
    /// Ours: an open call that no result event can close (a custom one) was closed by the harness.
    CallClosed,
    /// Ours: a file was mounted into the living session; the body is the wire's resource.
    ResourceAdded,
    /// Ours: the session begins with another one's events; always the first of its own.
    Forked,
    /// Ours: the session begins with the events of a file that another daemon exported; always the first of its own.
    Imported,
    /// Ours: the session went back to an earlier event, whose number the body has as `to`.
    Rewound,
    /// Ours: a call ran on a copy of the files; the body is what is shown to whoever decides whether it lands.
    ReviewRequested,
    /// Ours: the host changed the session's files between two calls, as it does with memory.
    FilesSaved,
    /// Ours: the resource that the body names by `resource_id` was taken from the session.
    ResourceRemoved,
    /// Ours: requests that left the session's hand or were denied, each with what it came to and nothing that was in
    /// it; with the result of the call that made them.
    HttpRequests,
    /// Ours: what tools an MCP server of the session has from now on; none of one that cannot be used.
    McpListed,
    /// Ours: the call that the body names by `tool_use_id` is about to leave the host.
    CallStarted,
    /// Ours: a call of a tool that starts agents or speaks with them; the wire shows what comes of it.
    Delegated,
    /// Ours: an agent ended its turn while steps of its plan were open, and was told so.
    Reminded,
    /// Ours: what was corrected was distilled into the preferences, or could not be.
    PreferencesDistilled,
}

const NAMES: [(EventKind, &str); 58] = [
    (EventKind::UserMessage, "user.message"),
    (EventKind::UserInterrupt, "user.interrupt"),
    (EventKind::UserToolConfirmation, "user.tool_confirmation"),
    (EventKind::UserCustomToolResult, "user.custom_tool_result"),
    (EventKind::UserToolResult, "user.tool_result"),
    (EventKind::UserDefineOutcome, "user.define_outcome"),
    (EventKind::SystemMessage, "system.message"),
    (EventKind::AgentMessage, "agent.message"),
    (EventKind::AgentThinking, "agent.thinking"),
    (EventKind::AgentToolUse, "agent.tool_use"),
    (EventKind::AgentToolResult, "agent.tool_result"),
    (EventKind::AgentMcpToolUse, "agent.mcp_tool_use"),
    (EventKind::AgentMcpToolResult, "agent.mcp_tool_result"),
    (EventKind::AgentCustomToolUse, "agent.custom_tool_use"),
    (
        EventKind::AgentThreadMessageSent,
        "agent.thread_message_sent",
    ),
    (
        EventKind::AgentThreadMessageReceived,
        "agent.thread_message_received",
    ),
    (
        EventKind::AgentThreadContextCompacted,
        "agent.thread_context_compacted",
    ),
    (EventKind::SessionStatusRunning, "session.status_running"),
    (EventKind::SessionStatusIdle, "session.status_idle"),
    (
        EventKind::SessionStatusRescheduled,
        "session.status_rescheduled",
    ),
    (
        EventKind::SessionStatusTerminated,
        "session.status_terminated",
    ),
    (EventKind::SessionError, "session.error"),
    (EventKind::SessionUpdated, "session.updated"),
    (EventKind::SessionUsage, "session.usage"),
    (EventKind::SessionDeleted, "session.deleted"),
    (EventKind::SessionThreadCreated, "session.thread_created"),
    (
        EventKind::SessionThreadStatusRunning,
        "session.thread_status_running",
    ),
    (
        EventKind::SessionThreadStatusIdle,
        "session.thread_status_idle",
    ),
    (
        EventKind::SessionThreadStatusRescheduled,
        "session.thread_status_rescheduled",
    ),
    (
        EventKind::SessionThreadStatusTerminated,
        "session.thread_status_terminated",
    ),
    (EventKind::SpanModelRequestStart, "span.model_request_start"),
    (EventKind::SpanModelRequestEnd, "span.model_request_end"),
    (
        EventKind::SpanOutcomeEvaluationStart,
        "span.outcome_evaluation_start",
    ),
    (
        EventKind::SpanOutcomeEvaluationOngoing,
        "span.outcome_evaluation_ongoing",
    ),
    (
        EventKind::SpanOutcomeEvaluationEnd,
        "span.outcome_evaluation_end",
    ),
    (EventKind::WorkflowRunCreated, "workflow_run.created"),
    (
        EventKind::WorkflowRunStatusRunning,
        "workflow_run.status_running",
    ),
    (EventKind::WorkflowRunStatusIdle, "workflow_run.status_idle"),
    (
        EventKind::WorkflowRunPhaseStarted,
        "workflow_run.phase_started",
    ),
    (EventKind::WorkflowRunPhaseEnded, "workflow_run.phase_ended"),
    (EventKind::WorkflowRunError, "workflow_run.error"),
    (
        EventKind::WorkflowRunStatusEnded,
        "workflow_run.status_ended",
    ),
    (EventKind::Created, "sinew.created"),
    (EventKind::Processed, crate::store::PROCESSED),
    (EventKind::CallClosed, "sinew.call_closed"),
    (EventKind::ResourceAdded, "sinew.resource_added"),
    (EventKind::Forked, "sinew.forked"),
    (EventKind::Imported, "sinew.imported"),
    (EventKind::Rewound, "sinew.rewound"),
    (EventKind::ReviewRequested, "sinew.review_requested"),
    (EventKind::FilesSaved, "sinew.files_saved"),
    (EventKind::ResourceRemoved, "sinew.resource_removed"),
    (EventKind::HttpRequests, "sinew.http_requests"),
    (EventKind::McpListed, "sinew.mcp_listed"),
    (EventKind::CallStarted, "sinew.call_started"),
    (EventKind::Delegated, "sinew.delegated"),
    (EventKind::Reminded, "sinew.reminded"),
    (
        EventKind::PreferencesDistilled,
        "sinew.preferences_distilled",
    ),
];

impl Serialize for EventKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for EventKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("an unknown type of event"))
    }
}

impl EventKind {
    /// Returns the name stored with each event and sent on the wire.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }

    /// Returns the type with this name, if it is one.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, candidate)| *candidate == name)
            .map(|(kind, _)| *kind)
    }

    /// Returns the names that a client may use in the `types[]` filter, for messages.
    pub fn filterable() -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .map(|(_, name)| *name)
            .filter(|name| !name.starts_with("sinew.") && *name != "session.deleted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_name() {
        for (kind, name) in NAMES {
            assert_eq!(EventKind::parse(name), Some(kind));
            assert_eq!(kind.name(), name);
        }
        assert_eq!(EventKind::filterable().count(), 41);
    }
}
