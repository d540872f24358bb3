//! Bad requests about sessions, their events and threads, environments and models.

use serde_json::{Value, json};

use super::{Case, INVALID, NOT_FOUND, body};

// One case on one line, where it fits.
#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    let create = "POST /v1/sessions";
    let session = |fields: Value| {
        let mut session = json!({"agent": "{agent}", "environment_id": "{environment}"});
        for (name, value) in fields.as_object().unwrap() {
            session[name.as_str()] = value.clone();
        }
        body(session)
    };
    let send = "POST /v1/sessions/{session}/events";
    let events = |events: Value| body(json!({ "events": events }));
    let text = json!([{"type": "text", "text": "hi"}]);
    let message = json!({"type": "user.message", "content": text});
    vec![
        (create, body(json!({"agent": "{agent}"})), (400, INVALID, "environment_id")),
        (create, session(json!({"agent": "agent_none"})), (404, NOT_FOUND, "agent_none")),
        (create, session(json!({"agent": {"type": "agent", "id": "{agent}", "version": 7}})),
            (404, NOT_FOUND, "version 7")),
        (create, session(json!({"agent": {"type": "butler", "id": "{agent}"}})), (400, INVALID, "agent.type")),
        (create, session(json!({"agent": {"type": "agent_with_overrides", "id": "{agent}", "model": null}})),
            (400, INVALID, "agent_model_required")),
        (create, session(json!({"environment_id": "env_none"})), (404, NOT_FOUND, "env_none")),
        (create, session(json!({"budget": {"type": "limit", "max_list_cost": {"amount": "01", "currency": "USD"}}})),
            (400, INVALID, "budget.max_list_cost.amount")),
        (create, session(json!({"initial_events": vec![message.clone(); 51]})), (400, INVALID, "initial_events")),
        (create, session(json!({"initial_events": [{"type": "user.interrupt"}]})), (400, INVALID, "initial_events.0")),
        (create, session(json!({"title": 1})), (400, INVALID, "title")),
        ("POST /v1/sessions/{session}", body(json!({"vault_ids": []})), (400, INVALID, "vault_ids")),
        (
            "POST /v1/sessions/{session}",
            body(json!({"budget": {"type": "limit",
            "max_list_cost": {"amount": "100", "currency": "USD"}}})),
            (400, INVALID, "budget_create_only"),
        ),
        ("GET /v1/sessions/sesn_none", None, (404, NOT_FOUND, "sesn_none")),
        ("GET /v1/sessions?statuses[]=asleep", None, (400, INVALID, "statuses")),
        ("GET /v1/sessions?order=up", None, (400, INVALID, "order")),
        ("GET /v1/sessions?agent_version=1", None, (400, INVALID, "agent_id")),
        (send, body(json!({})), (400, INVALID, "events")),
        (send, events(json!([])), (400, INVALID, "at least one")),
        (send, events(json!({})), (400, INVALID, "events: expected an array")),
        (send, events(json!([{"type": "agent.message", "content": text}])), (400, INVALID, "events.0.type")),
        (send, events(json!([{"content": text}])), (400, INVALID, "events.0")),
        (send, events(json!([{"type": "user.message", "content": "hi"}])), (400, INVALID, "events.0.content")),
        // One bad event refuses them all.
        (send, events(json!([message, {"type": "user.message", "content": []}])), (400, INVALID, "events.1.content")),
        (send, events(json!([{"type": "user.message", "content": [{"type": "text", "text": ""}]}])),
            (400, INVALID, "empty")),
        (send, events(json!([{"type": "user.message", "content": text, "colour": "red"}])), (400, INVALID, "colour")),
        (send, events(json!([{"type": "user.tool_confirmation", "tool_use_id": "sevt_none", "result": "allow"}])),
            (400, INVALID, "tool_use_id")),
        (send, events(json!([{"type": "user.custom_tool_result", "custom_tool_use_id": "sevt_none"}])),
            (400, INVALID, "custom_tool_use_id")),
        (send, events(json!([{"type": "user.interrupt", "session_thread_id": "sthr_none"}])),
            (400, INVALID, "session_thread_id")),
        ("POST /v1/sessions/sesn_none/events", events(json!([message])), (404, NOT_FOUND, "sesn_none")),
        ("POST /v1/sessions/{archived}/events", events(json!([message])), (400, INVALID, "archived")),
        ("POST /v1/sessions/{archived}", body(json!({"title": "late"})), (400, INVALID, "archived")),
        ("GET /v1/sessions/{session}/events?types[]=agent.poem", None, (400, INVALID, "types")),
        ("GET /v1/sessions/{session}/events?types[]=session.deleted", None, (400, INVALID, "types")),
        ("GET /v1/sessions/{session}/events?order=desc&page={events_page}", None, (400, INVALID, "order")),
        ("GET /v1/sessions/{archived}/events?page={events_page}", None, (400, INVALID, "another list")),
        ("GET /v1/sessions/{session}/events?limit=1001", None, (400, INVALID, "limit")),
        ("GET /v1/sessions/{session}/events/stream?event_deltas[]=agent.poem", None, (400, INVALID, "event_deltas")),
        ("GET /v1/sessions/sesn_none/events/stream", None, (404, NOT_FOUND, "sesn_none")),
        ("GET /v1/sessions/{session}/threads/sthr_none", None, (404, NOT_FOUND, "sthr_none")),
        ("GET /v1/sessions/{session}/threads/sthr_none/stream", None, (404, NOT_FOUND, "sthr_none")),
        ("GET /v1/sessions/{session}/threads/sthr_none/events", None, (404, NOT_FOUND, "sthr_none")),
        ("GET /v1/models/claude-none", None, (404, NOT_FOUND, "claude-none")),
        ("GET /v1/models?after_id=a&before_id=b", None, (400, INVALID, "")),
        ("POST /v1/environments", body(json!({"name": "e", "config": {"type": "moon"}})),
            (400, INVALID, "config.type")),
        (
            "POST /v1/environments",
            body(
                json!({"name": "e", "config": {"type": "cloud", "networking":
            {"type": "limited", "allowed_hosts": ["http://a"]}}}),
            ),
            (400, INVALID, "allowed_hosts"),
        ),
        ("POST /v1/environments/{environment}", body(json!({"config": {"type": "self_hosted"}})), (400, INVALID, "")),
        ("DELETE /v1/environments/env_none", None, (404, NOT_FOUND, "env_none")),
    ]
}
