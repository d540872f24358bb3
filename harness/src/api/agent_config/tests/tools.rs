//! Toolsets, web tools, custom tools.

use serde_json::json;

use super::*;

fn custom(name: &str) -> Value {
    json!({"type": "custom", "name": name, "description": "d", "input_schema": {"type": "object"}})
}

fn fetch(config: Value) -> Value {
    web("web_fetch", config)
}

fn web(name: &str, mut config: Value) -> Value {
    config["name"] = json!(name);
    json!({"type": "agent_toolset_20260401", "configs": [config]})
}

fn schema(input_schema: Value) -> Value {
    json!({"type": "custom", "name": "t", "description": "d", "input_schema": input_schema})
}

fn grant(enabled: bool, policy: &str) -> Value {
    json!({"enabled": enabled, "permission_policy": {"type": policy}})
}

#[test]
fn toolsets_show_every_default() {
    let config = create(json!({
        "mcp_servers": [{"type": "url", "name": "s", "url": "http://localhost:9/mcp"}],
        "tools": [
            {"type": "agent_toolset_20260401", "default_config": {"permission_policy": {"type": "always_ask"}},
             "configs": [
                {"name": "bash", "permission_policy": {"type": "auto"}},
                {"type": "read", "name": "read", "enabled": false, "permission_policy": null},
                {"name": "web_fetch", "allowed_domains": ["Docs.example.com"], "max_content_tokens": 9},
                {"name": "web_search", "blocked_domains": ["example.com/ads"],
                 "user_location": {"type": "approximate", "country": "DE", "city": null, "timezone": "Europe/Berlin"}},
             ]},
            {"type": "mcp_toolset", "mcp_server_name": "s", "configs": [{"name": "x", "enabled": false}]},
            {"type": "custom", "name": "t", "description": "d",
             "input_schema": {"type": "object", "properties": null, "required": null, "additionalProperties": false}},
        ],
    }));
    let ask = json!({"type": "always_ask"});
    assert_eq!(
        Value::Array(config.unwrap().tools),
        json!([
            {"type": "agent_toolset_20260401", "default_config": grant(true, "always_ask"), "configs": [
                {"name": "bash", "type": "bash", "enabled": true, "permission_policy": {"type": "auto"}},
                {"name": "read", "type": "read", "enabled": false, "permission_policy": ask},
                {"name": "web_fetch", "type": "web_fetch", "enabled": true, "permission_policy": ask,
                 "allowed_domains": ["Docs.example.com"], "max_content_tokens": 9, "url_sources": null},
                {"name": "web_search", "type": "web_search", "enabled": true, "permission_policy": ask,
                 "blocked_domains": ["example.com/ads"],
                 "user_location": {"type": "approximate", "country": "DE", "timezone": "Europe/Berlin"}},
            ]},
            {"type": "mcp_toolset", "mcp_server_name": "s", "default_config": grant(true, "always_ask"),
             "configs": [{"name": "x", "enabled": false, "permission_policy": ask}]},
            {"type": "custom", "name": "t", "description": "d",
             "input_schema": {"type": "object", "additionalProperties": false}},
        ])
    );
    let bare = create(json!({"tools": [{"type": "agent_toolset_20260401"}]})).unwrap();
    assert_eq!(bare.tools[0]["default_config"], grant(true, "always_allow"));
    assert_eq!(bare.tools[0]["configs"], json!([]));
}

#[test]
fn url_sources_come_back_as_objects() {
    let reference = |name: &str| json!({"type": "tool_reference", "name": name});
    let tools = json!([
        fetch(json!({"url_sources": {
            "user_input": "none",
            "client_tool_results": {"type": "only", "tools": [reference("t")]},
            "server_tool_results": null,
        }})),
        custom("t"),
    ]);
    let config = create(json!({"tools": tools})).unwrap();
    assert_eq!(
        config.tools[0]["configs"][0]["url_sources"],
        json!({
            "user_input": {"type": "none"},
            "client_tool_results": {"type": "only", "tools": [reference("t")]},
            "server_tool_results": null,
        })
    );
    for (sources, fragment) in [
        (
            json!({"user_input": "none", "client_tool_results": "none", "server_tool_results": {"type": "none"}}),
            "not all",
        ),
        (json!({"user_input": "some"}), "\"all\" or \"none\""),
        (
            json!({"user_input": {"type": "only", "tools": []}}),
            "\"all\" or \"none\"",
        ),
        (
            json!({"client_tool_results": {"type": "only", "tools": []}}),
            "at least one",
        ),
        (
            json!({"client_tool_results": {"type": "only", "tools": [reference("t"), reference("t")]}}),
            "twice",
        ),
        (
            json!({"client_tool_results": {"type": "except", "tools": [reference("bash")]}}),
            "not a custom tool",
        ),
        (
            json!({"server_tool_results": {"type": "only", "tools": [reference("t")]}}),
            "not web_fetch or web_search",
        ),
        (json!({"other": "all"}), "unknown field"),
    ] {
        let tools = json!({"tools": [fetch(json!({"url_sources": sources})), custom("t")]});
        let error = create(tools).expect_err(&sources.to_string());
        assert!(error.message.contains(fragment), "{sources}: {error}");
    }
}

#[test]
fn domains() {
    for (domain, is_site) in [
        ("example.com", true),
        ("a.b-c.example.co.uk", true),
        ("EXAMPLE.com", true),
        ("xn--bcher-kva.example", true),
        ("https://example.com", false),
        ("example.com:443", false),
        ("*.example.com", false),
        ("example.com/docs", false),
        ("com", false),
        ("co.uk", false),
        ("localhost", false),
        ("a.local", false),
        ("a.internal", false),
        ("10.0.0.1", false),
        ("[::1]", false),
        ("bücher.example", false),
        ("-a.example.com", false),
        ("a..example.com", false),
        ("example.com.", false),
        ("a_b.example.com", false),
        ("", false),
    ] {
        for list in ["allowed_domains", "blocked_domains"] {
            let result = create(json!({"tools": [fetch(json!({list: [domain]}))]}));
            assert_eq!(result.is_ok(), is_site, "{domain}: {result:?}");
        }
    }
    let search = |domain: &str| {
        create(json!({"tools": [web("web_search", json!({"allowed_domains": [domain]}))]}))
    };
    assert!(search("example.com/docs/a").is_ok());
    assert!(search("example.com/docs?a").is_err());
    assert!(search("co.uk/docs").is_err());
}

#[test]
fn refusals_name_the_tool() {
    let toolset = json!({"type": "agent_toolset_20260401"});
    let many = |count: usize| {
        (0..count)
            .map(|i| custom(&format!("t{i}")))
            .collect::<Vec<_>>()
    };
    assert!(create(json!({"tools": many(256)})).is_ok());
    let hosts: Vec<String> = (0..65).map(|i| format!("h{i}.example.com")).collect();
    let config = "tools.0.configs.0";
    for (tools, path, fragment) in [
        (json!(many(257)), "tools", "at most 256"),
        (json!([{"type": "computer"}]), "tools.0.type", "\"custom\""),
        (json!([{"name": "bash"}]), "tools.0.type", "required"),
        (json!(["bash"]), "tools.0", "expected an object"),
        (json!([toolset, toolset]), "tools.1", "one agent_toolset"),
        (
            json!([{"type": "agent_toolset_20260401", "configs": [{"name": "bash"}, {"name": "bash"}]}]),
            "tools.0.configs.1",
            "same tool",
        ),
        (
            web("python", json!({})),
            "tools.0.configs.0.name",
            "\"bash\"",
        ),
        (
            web("bash", json!({"type": "read"})),
            "tools.0.configs.0.type",
            "\"bash\"",
        ),
        (
            web("bash", json!({"allowed_domains": ["example.com"]})),
            config,
            "unknown field",
        ),
        (
            web("bash", json!({"enabled": "yes"})),
            "tools.0.configs.0.enabled",
            "true or false",
        ),
        (
            web("bash", json!({"permission_policy": "auto"})),
            "tools.0.configs.0.permission_policy",
            "expected an object",
        ),
        (
            web("bash", json!({"permission_policy": {"type": "never"}})),
            "tools.0.configs.0.permission_policy.type",
            "always_ask",
        ),
        (
            fetch(json!({"allowed_domains": []})),
            "tools.0.configs.0.allowed_domains",
            "not be empty",
        ),
        (
            fetch(json!({"allowed_domains": hosts})),
            "tools.0.configs.0.allowed_domains",
            "at most 64",
        ),
        (
            fetch(json!({"allowed_domains": ["a.com", "A.com"]})),
            "tools.0.configs.0.allowed_domains.1",
            "twice",
        ),
        (
            fetch(json!({"allowed_domains": ["a.com"], "blocked_domains": ["b.com"]})),
            config,
            "exclude",
        ),
        (
            fetch(json!({"max_content_tokens": 0})),
            "tools.0.configs.0.max_content_tokens",
            "whole number from 1",
        ),
        (
            fetch(json!({"user_location": {"type": "approximate"}})),
            config,
            "unknown field",
        ),
        (
            web(
                "web_search",
                json!({"user_location": {"type": "approximate", "country": "de"}}),
            ),
            "tools.0.configs.0.user_location.country",
            "two upper-case",
        ),
        (
            web(
                "web_search",
                json!({"user_location": {"type": "approximate", "timezone": "a b"}}),
            ),
            "tools.0.configs.0.user_location.timezone",
            "time zone",
        ),
        (
            json!([{"type": "mcp_toolset", "mcp_server_name": ""}]),
            "tools.0.mcp_server_name",
            "empty",
        ),
        (
            json!([{"type": "mcp_toolset", "mcp_server_name": "s"}, {"type": "mcp_toolset", "mcp_server_name": "s"}]),
            "tools.1",
            "this MCP server",
        ),
        (json!([custom("t"), custom("t")]), "tools.1", "this name"),
        (json!([custom("web_search")]), "tools.0.name", "built-in"),
        (json!([custom("mcp__x")]), "tools.0.name", "reserved"),
        (json!([custom("ant__x")]), "tools.0.name", "reserved"),
        (json!([custom("a b")]), "tools.0.name", "letters"),
        (
            json!([custom(&"a".repeat(129))]),
            "tools.0.name",
            "1 to 128",
        ),
        (
            json!([{"type": "custom", "name": "t", "description": "", "input_schema": {"type": "object"}}]),
            "tools.0.description",
            "empty",
        ),
        (
            schema(json!({"type": "array"})),
            "tools.0.input_schema.type",
            "\"object\"",
        ),
        (
            schema(json!({"type": "object", "properties": {"a b": {}}})),
            "tools.0.input_schema.properties",
            "property names",
        ),
        (
            schema(json!({"type": "object", "properties": {("a".repeat(65)): {}}})),
            "tools.0.input_schema.properties",
            "1 to 64",
        ),
        (
            schema(json!({"type": "object", "required": "a"})),
            "tools.0.input_schema.required",
            "an array",
        ),
        (
            schema(json!({"type": "object", "required": [1]})),
            "tools.0.input_schema.required.0",
            "a string",
        ),
        (
            schema(json!({"type": "object", "oneOf": []})),
            "tools.0.input_schema",
            "oneOf",
        ),
        (
            schema(json!({"type": "object", "properties": {"a": {"items": [{"$ref": "#/x"}]}}})),
            "tools.0.input_schema",
            "$ref",
        ),
    ] {
        let tools = if tools.is_array() {
            tools
        } else {
            json!([tools])
        };
        refused(create(json!({"tools": tools})), path, fragment, &tools);
    }
    // Data that only looks like a reference is none.
    let data = json!({"type": "object", "properties": {"a": {
        "anyOf": [{"type": "object", "properties": {"$ref": {"type": "string"}}}],
        "default": {"$ref": "#/x"}, "enum": [{"$ref": "x"}],
    }}});
    assert_eq!(
        create(json!({"tools": [schema(data.clone())]}))
            .unwrap()
            .tools[0]["input_schema"],
        data
    );
}
