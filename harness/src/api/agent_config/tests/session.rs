//! Overrides, snapshots, and updates of a session's agent.

use serde_json::json;

use super::super::{Reference, RosterAgent, apply_overrides, replace_tools, session_agent};
use super::*;

fn base() -> AgentConfig {
    create(json!({
        "model": {"id": "opus", "effort": "max", "inference_geo": "us"},
        "system": "s", "metadata": {"a": "1"},
        "tools": [{"type": "agent_toolset_20260401"}, {"type": "mcp_toolset", "mcp_server_name": "s"}],
        "mcp_servers": [{"type": "url", "name": "s", "url": "https://mcp.example.com"}],
        "skills": [{"type": "anthropic", "skill_id": "xlsx"}],
    }))
    .unwrap()
}

#[test]
fn overrides() {
    for (change, expected) in [
        (json!({}), json!({})),
        (json!({"system": null}), json!({"system": null})),
        (json!({"skills": null}), json!({"skills": []})),
        (
            json!({"skills": [], "tools": [], "mcp_servers": null}),
            json!({"skills": [], "tools": [], "mcp_servers": []}),
        ),
        // Effort is ignored, an absent region cleared.
        (
            json!({"model": {"id": "opus", "effort": "low"}}),
            json!({"model": {"id": "opus", "effort": {"type": "high"}, "speed": "standard"}}),
        ),
        (
            json!({"model": {"id": "opus", "inference_geo": "global"}}),
            json!({"model": {"id": "opus", "effort": {"type": "high"}, "speed": "standard", "inference_geo": "global"}}),
        ),
    ] {
        let mut whole = base().to_body();
        for (key, value) in expected.as_object().unwrap() {
            whole[key] = value.clone();
        }
        let mut fields = fields(change.clone());
        let config = apply_overrides(&base(), &mut fields, &models())
            .unwrap_or_else(|error| panic!("{change}: {error}"));
        assert_eq!(config.to_body(), whole, "{change}");
        fields.finish().unwrap();
    }
    for (change, path, fragment) in [
        (json!({"model": null}), "model", "agent_model_required"),
        (
            json!({"tools": [], "mcp_servers": []}),
            "skills",
            "need the tool read",
        ),
        (json!({"mcp_servers": []}), "tools", "not in mcp_servers"),
        (json!({"system": "x".repeat(100_001)}), "system", "at most"),
    ] {
        refused(
            apply_overrides(&base(), &mut fields(change.clone()), &models()),
            path,
            fragment,
            &change,
        );
    }
}

#[test]
fn snapshots_unfold_the_roster() {
    let mut config = base();
    let mut other = base();
    other.name = "other".to_owned();
    let reference = |id: &str| json!({"type": "agent", "id": id, "version": 2});
    config.multiagent = json!({"type": "coordinator", "agents": [
        {"type": "advisor", "model": "opus"}, reference("agent_b"), reference("agent_own"),
    ]});
    assert_eq!(config.roster_references().len(), 2);
    let agent = RosterAgent {
        version: 2,
        is_archived: true,
        config: other.clone(),
    };
    let roster = Roster::from([(Reference::pinned("agent_b", 2), agent)]);
    let snapshot = session_agent("agent_own", 2, &config, &roster).unwrap();

    assert_eq!(snapshot["id"], "agent_own");
    assert_eq!(snapshot["version"], 2);
    assert_eq!(snapshot.get("metadata"), None);
    let agents = snapshot["multiagent"]["agents"].as_array().unwrap();
    assert_eq!(agents[0]["name"], "other");
    assert_eq!(agents[0].get("multiagent"), None);
    assert_eq!(agents[1]["id"], "agent_own");
    assert_eq!(agents[1]["tools"], snapshot["tools"]);
    assert_eq!(
        agents[2],
        json!({"type": "advisor", "model": "opus"}),
        "the advisor stands last"
    );

    let moved = AgentConfig {
        model: create(json!({})).unwrap().model,
        ..config.clone()
    };
    refused(
        session_agent("agent_own", 2, &moved, &roster),
        "agent",
        "inference_geo",
        &json!("moved"),
    );
    refused(
        session_agent("agent_own", 2, &config, &Roster::new()),
        "agent",
        "no longer exists",
        &json!("gone"),
    );

    // A session's own update reaches its copies, and nobody else.
    let toolset = json!({"type": "agent_toolset_20260401", "default_config": {"permission_policy": {"type": "always_ask"}}});
    let mut change = fields(json!({"tools": [toolset], "mcp_servers": []}));
    let changed = replace_tools(&snapshot, &mut change).unwrap();
    assert_eq!(changed["tools"].as_array().unwrap().len(), 1);
    assert_eq!(changed["mcp_servers"], json!([]));
    let agents = changed["multiagent"]["agents"].as_array().unwrap();
    assert_eq!(agents[1]["tools"], changed["tools"]);
    assert_eq!(agents[0]["tools"], snapshot["tools"]);
    let mut kept = snapshot.clone();
    kept["tools"] = changed["tools"].clone();
    let clears_used = json!({"mcp_servers": []});
    refused(
        replace_tools(&snapshot, &mut fields(clears_used.clone())),
        "tools",
        "not in mcp_servers",
        &clears_used,
    );
}
