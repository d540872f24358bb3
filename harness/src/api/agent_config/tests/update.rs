//! Updates: absent keeps, null clears, values replace.

use serde_json::json;

use super::*;

fn stored() -> AgentConfig {
    create(json!({
        "model": {"id": "claude-opus-5", "effort": "max", "speed": "fast", "inference_geo": "us"},
        "description": "d", "system": "s", "metadata": {"a": "1", "b": "2"},
        "tools": [{"type": "agent_toolset_20260401"}, {"type": "mcp_toolset", "mcp_server_name": "s"}],
        "mcp_servers": [{"type": "url", "name": "s", "url": "https://mcp.example.com"}],
        "skills": [{"type": "anthropic", "skill_id": "xlsx"}],
        "execution_identity": {"type": "aws_role", "role_arn": "arn:aws:iam::1:role/r"},
    }))
    .unwrap()
}

#[test]
fn fields_merge_by_their_own_rules() {
    let service = json!({"type": "service_account"});
    let opus = |effort: &str| json!({"id": "claude-opus-5", "effort": {"type": effort}, "speed": "standard"});
    for (change, expected) in [
        (json!({}), json!({})),
        (json!({"name": "m"}), json!({"name": "m"})),
        (
            json!({"system": null, "description": ""}),
            json!({"system": null, "description": null}),
        ),
        (
            json!({"metadata": {"a": null, "c": "3"}}),
            json!({"metadata": {"b": "2", "c": "3"}}),
        ),
        (json!({"metadata": null}), json!({})),
        (
            json!({"execution_identity": null}),
            json!({"execution_identity": service}),
        ),
        (
            json!({"execution_identity": service}),
            json!({"execution_identity": service}),
        ),
        // The model is replaced as a whole, but the effort stays with the model it was chosen for.
        (
            json!({"model": "claude-opus-5"}),
            json!({"model": opus("max")}),
        ),
        (
            json!({"model": {"id": "claude-opus-5", "effort": "low"}}),
            json!({"model": opus("low")}),
        ),
        (
            json!({"model": {"id": "haiku"}}),
            json!({"model": {"id": "haiku", "effort": {"type": "medium"}, "speed": "standard"}}),
        ),
        (json!({"skills": []}), json!({"skills": []})),
        (
            json!({"skills": null, "tools": null, "mcp_servers": []}),
            json!({"skills": [], "tools": [], "mcp_servers": []}),
        ),
    ] {
        let mut whole = stored().to_body();
        for (key, value) in expected.as_object().unwrap() {
            whole[key] = value.clone();
        }
        let updated = update(&stored(), change.clone(), &Roster::new())
            .unwrap_or_else(|error| panic!("{change}: {error}"));
        assert_eq!(updated.to_body(), whole, "{change}");
    }
}

#[test]
fn refusals() {
    for (change, path, fragment) in [
        (json!({"name": null}), "name", "cannot be cleared"),
        (json!({"name": ""}), "name", "empty"),
        (json!({"model": null}), "model", "cannot be cleared"),
        // Rules that span fields hold for the result.
        (json!({"tools": []}), "mcp_servers", "no mcp_toolset"),
        (json!({"mcp_servers": null}), "tools", "not in mcp_servers"),
        (
            json!({"tools": [], "mcp_servers": []}),
            "skills",
            "need the tool read",
        ),
        (json!({"id": "agent_x"}), "the request", "unknown field"),
    ] {
        refused(
            update(&stored(), change.clone(), &Roster::new()),
            path,
            fragment,
            &change,
        );
    }
}
