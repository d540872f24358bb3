//! Bad requests about agents, lists and paths.

use serde_json::{Value, json};

use super::{Case, INVALID, NOT_FOUND, body};

// One case on one line, where it fits.
#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    let agent = |fields: Value| {
        let mut agent = json!({"name": "n", "model": "claude-sonnet-4-6"});
        for (name, value) in fields.as_object().unwrap() {
            agent[name.as_str()] = value.clone();
        }
        body(agent)
    };
    let tools = |tools: Value| agent(json!({ "tools": tools }));
    let toolset =
        |configs: Value| tools(json!([{"type": "agent_toolset_20260401", "configs": configs}]));
    let custom = |name: &str, schema: Value| json!({"type": "custom", "name": name, "description": "d", "input_schema": schema});
    let create = "POST /v1/agents";
    vec![
        (create, None, (400, INVALID, "content-type")),
        (create, Some(String::new()), (400, INVALID, "needs a JSON body")),
        (create, Some("{".into()), (400, INVALID, "not valid JSON")),
        (create, Some("[]".into()), (400, INVALID, "must be a JSON object, got an array")),
        (create, Some("null".into()), (400, INVALID, "got null")),
        (create, Some(format!("{}1{}", "[".repeat(500), "]".repeat(500))), (400, INVALID, "not valid JSON")),
        (create, Some(r#"{"name": "\ud800"}"#.into()), (400, INVALID, "not valid JSON")),
        (create, body(json!({"model": "m"})), (400, INVALID, "name")),
        (create, body(json!({"name": "n"})), (400, INVALID, "model")),
        (create, agent(json!({"name": ""})), (400, INVALID, "name")),
        (create, agent(json!({"name": "x".repeat(257)})), (400, INVALID, "256")),
        (create, agent(json!({"name": 7})), (400, INVALID, "name: expected a string, got a number")),
        (create, agent(json!({"nmae": "typo"})), (400, INVALID, "nmae")),
        (create, agent(json!({"system": "x".repeat(100_001)})), (400, INVALID, "system")),
        (create, agent(json!({"description": "x".repeat(2_049)})), (400, INVALID, "description")),
        (create, agent(json!({"metadata": {"k": 1}})), (400, INVALID, "metadata")),
        (create, agent(json!({"metadata": {"k".repeat(65): "v"}})), (400, INVALID, "metadata")),
        (create, agent(json!({"model": {"id": "m", "effort": "utmost"}})), (400, INVALID, "model.effort")),
        (create, tools(json!({"type": "custom"})), (400, INVALID, "tools: expected an array")),
        (create, tools(json!([{"type": "agent_toolset_20990101"}])), (400, INVALID, "tools.0.type")),
        (create, toolset(json!([{"name": "teleport"}])), (400, INVALID, "tools.0.configs.0.name")),
        (create, toolset(json!([{"name": "read"}, {"name": "read"}])), (400, INVALID, "the same tool")),
        (create, toolset(json!([{"name": "read", "permission_policy": {"type": "always_maybe"}}])),
            (400, INVALID, "permission_policy")),
        (create, tools(json!([custom("bash", json!({"type": "object"}))])), (400, INVALID, "built-in")),
        (create, tools(json!([custom("a b", json!({"type": "object"}))])), (400, INVALID, "tools.0.name")),
        (create, tools(json!([custom("a", json!({"type": "array"}))])), (400, INVALID, "input_schema")),
        (create, tools(json!([custom("a", json!({"type": "object", "$ref": "#"}))])), (400, INVALID, "$ref")),
        (create, tools(json!([{"type": "mcp_toolset", "mcp_server_name": "none"}])),
            (400, INVALID, "not in mcp_servers")),
        (create, tools(vec![custom("x", json!({"type": "object"})); 300].into()), (400, INVALID, "256")),
        ("GET /v1/agents/agent_none", None, (404, NOT_FOUND, "agent_none")),
        ("GET /v1/agents/{session}", None, (404, NOT_FOUND, "was not found")),
        ("GET /v1/agents/{agent}?version=0", None, (400, INVALID, "version")),
        ("GET /v1/agents/{agent}?version=2", None, (404, NOT_FOUND, "version 2")),
        ("POST /v1/agents/{agent}", body(json!({"name": null})), (400, INVALID, "name: cannot be cleared")),
        ("POST /v1/agents/{agent}", body(json!({"version": 9})), (409, "conflict_error", "version 1")),
        ("POST /v1/agents/{agent}", body(json!({"version": "1"})), (400, INVALID, "version")),
        ("GET /v1/agents?limit=0", None, (400, INVALID, "limit")),
        ("GET /v1/agents?limit=101", None, (400, INVALID, "limit")),
        ("GET /v1/agents?limit=ten", None, (400, INVALID, "limit")),
        ("GET /v1/agents?include_archived=yes", None, (400, INVALID, "include_archived")),
        ("GET /v1/agents?created_at[gte]=yesterday", None, (400, INVALID, "created_at[gte]")),
        ("GET /v1/agents?page=none", None, (400, INVALID, "cursor")),
        ("GET /v1/agents?page=%00%ff", None, (400, INVALID, "cursor")),
        ("GET /v1/agents?page={events_page}", None, (400, INVALID, "another list")),
        ("GET /v1/agents/{agent}/versions?page={agents_page}", None, (400, INVALID, "another list")),
        ("GET /v1/sessions?page={agents_page}", None, (400, INVALID, "another list")),
        ("GET /v1/agents?created_at[gte]=2999-01-01T00:00:00Z&page={agents_page}", None, (400, INVALID, "excludes")),
        ("DELETE /v1/agents/{agent}", None, (405, INVALID, "method")),
        ("PUT /v1/agents", body(json!({})), (405, INVALID, "method")),
        ("GET /v1/agentss", None, (404, NOT_FOUND, "no such endpoint")),
        ("GET /", None, (404, NOT_FOUND, "no such endpoint")),
    ]
}
