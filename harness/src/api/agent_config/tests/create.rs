//! Top-level fields, models, skills, servers, identities.

use serde_json::json;

use super::*;

#[test]
fn defaults_are_filled_in() {
    assert_eq!(
        create(json!({})).unwrap().to_body(),
        json!({
            "name": "n",
            "description": null,
            "model": {"id": "opus", "effort": {"type": "high"}, "speed": "standard"},
            "system": null,
            "tools": [],
            "mcp_servers": [],
            "skills": [],
            "multiagent": null,
            "metadata": {},
            "execution_identity": {"type": "service_account"},
        })
    );
    // Null in a creation is the same as absent.
    let nulls = json!({
        "description": null, "system": null, "tools": null, "mcp_servers": null, "skills": null,
        "multiagent": null, "metadata": null, "execution_identity": null,
    });
    assert_eq!(create(nulls).unwrap(), create(json!({})).unwrap());
}

#[test]
fn models() {
    for (model, expected) in [
        (
            json!("haiku"),
            json!({"id": "haiku", "effort": {"type": "medium"}, "speed": "standard"}),
        ),
        (
            json!({"id": "claude-opus-5", "effort": "max", "speed": "fast", "inference_geo": "us"}),
            json!({"id": "claude-opus-5", "effort": {"type": "max"}, "speed": "fast", "inference_geo": "us"}),
        ),
        (
            json!({"id": "opus", "effort": {"type": "xhigh"}, "speed": null, "inference_geo": null}),
            json!({"id": "opus", "effort": {"type": "xhigh"}, "speed": "standard"}),
        ),
        // Not in the catalog: providers serve more than we know.
        (
            json!("qwen3:32b"),
            json!({"id": "qwen3:32b", "effort": {"type": "high"}, "speed": "standard"}),
        ),
    ] {
        let config = create(json!({"model": model})).unwrap();
        assert_eq!(config.to_body()["model"], expected);
        assert_eq!(AgentConfig::from_stored(&config.to_body()).unwrap(), config);
    }
}

#[test]
fn limits_count_characters() {
    for (field, max) in [("name", 256), ("description", 2_048), ("system", 100_000)] {
        assert!(create(json!({field: "é".repeat(max)})).is_ok(), "{field}");
        let over = json!({field: "é".repeat(max + 1)});
        refused(create(over), field, "at most", &json!(field));
    }
}

#[test]
fn refusals_name_the_field() {
    let toolset = json!({"type": "agent_toolset_20260401"});
    let server = json!({"type": "url", "name": "s", "url": "https://mcp.example.com/x"});
    let uses = json!({"type": "mcp_toolset", "mcp_server_name": "s"});
    for (extra, path, fragment) in [
        (json!({"name": null}), "name", "required"),
        (json!({"name": ""}), "name", "empty"),
        (
            json!({"name": 3}),
            "name",
            "expected a string, got a number",
        ),
        (json!({"model": null}), "model", "required"),
        (json!({"model": 3}), "model", "model id"),
        (json!({"model": ""}), "model", "empty"),
        (json!({"model": {"effort": "low"}}), "model.id", "required"),
        (
            json!({"model": {"id": "opus", "effort": "huge"}}),
            "model.effort",
            "\"xhigh\" or \"max\"",
        ),
        (
            json!({"model": {"id": "opus", "effort": {"type": "low", "x": 1}}}),
            "model.effort",
            "unknown field \"x\"",
        ),
        (
            json!({"model": {"id": "haiku", "speed": "fast"}}),
            "model.speed",
            "no speed",
        ),
        (
            json!({"model": {"id": "opus", "inference_geo": "eu"}}),
            "model.inference_geo",
            "global",
        ),
        (
            json!({"model": {"id": "opus", "temperature": 1}}),
            "model",
            "unknown field",
        ),
        (
            json!({"nmae": "x"}),
            "the request",
            "unknown field \"nmae\"",
        ),
        (json!({"version": 1}), "the request", "unknown field"),
        (json!({"tools": {}}), "tools", "expected an array"),
        (
            json!({"metadata": {"a": 1}}),
            "metadata",
            "must be a string",
        ),
        (
            json!({"execution_identity": {"type": "root"}}),
            "execution_identity.type",
            "aws_role",
        ),
        (
            json!({"execution_identity": {"type": "aws_role"}}),
            "execution_identity.role_arn",
            "required",
        ),
        (
            json!({"execution_identity": {"type": "aws_role", "role_arn": "x"}}),
            "execution_identity.role_arn",
            "ARN",
        ),
        (
            json!({"skills": [{"type": "custom", "skill_id": "a"}]}),
            "skills",
            "need the tool read",
        ),
        (
            json!({"skills": [{"type": "custom", "skill_id": "a"}], "tools": [{"type": "agent_toolset_20260401",
                "default_config": {"enabled": false}, "configs": [{"name": "bash", "enabled": true}]}]}),
            "skills",
            "need the tool read",
        ),
        (
            json!({"tools": [toolset], "skills": [{"type": "custom", "skill_id": "a"}, {"type": "custom", "skill_id": "a", "version": "1"}]}),
            "skills.1",
            "twice",
        ),
        (
            json!({"tools": [toolset], "skills": [{"type": "git", "skill_id": "a"}]}),
            "skills.0.type",
            "anthropic",
        ),
        (
            json!({"mcp_servers": [server]}),
            "mcp_servers",
            "no mcp_toolset",
        ),
        (json!({"tools": [uses]}), "tools", "not in mcp_servers"),
        (
            json!({"mcp_servers": [server, server], "tools": [uses]}),
            "mcp_servers.1",
            "this name",
        ),
        (
            json!({"mcp_servers": [{"type": "url", "name": "s", "url": "ftp://x"}]}),
            "mcp_servers.0.url",
            "http",
        ),
        (
            json!({"mcp_servers": [{"type": "url", "name": "s", "url": "https://u:p@x"}]}),
            "mcp_servers.0.url",
            "credentials",
        ),
        (
            json!({"mcp_servers": [{"type": "stdio", "name": "s"}]}),
            "mcp_servers.0.type",
            "\"url\"",
        ),
        (
            json!({"mcp_servers": vec![&server; 21]}),
            "mcp_servers",
            "at most 20",
        ),
    ] {
        refused(create(extra.clone()), path, fragment, &extra);
    }
}

#[test]
fn skills_need_only_the_read_tool() {
    let config = create(json!({
        "tools": [{"type": "agent_toolset_20260401", "default_config": {"enabled": false},
            "configs": [{"name": "read", "enabled": true}]}],
        "skills": [{"type": "anthropic", "skill_id": "xlsx"}, {"type": "custom", "skill_id": "xlsx", "version": "3"}],
    }));
    assert_eq!(
        config.unwrap().skills,
        [
            json!({"type": "anthropic", "skill_id": "xlsx", "version": "latest"}),
            json!({"type": "custom", "skill_id": "xlsx", "version": "3"}),
        ]
    );
}
