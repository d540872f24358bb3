//! Which tools an agent has, and what its permission policies say about a call.
//!
//! Reads the stored wire form of the agent's `tools`, in which every default is filled in.

use serde_json::{Value, json};

use crate::json::Fields as _;
use crate::session::{CallKind, Permission};

/// The type of the built-in toolset.
pub const AGENT_TOOLSET: &str = "agent_toolset_20260401";

/// What the agent's configuration says about a tool that the model called.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluated {
    /// Where the call runs.
    pub kind: CallKind,
    /// Whether it runs.
    pub permission: Permission,
    /// The wire's `evaluation`, absent when the tool is not enabled.
    pub evaluation: Option<Value>,
}

/// Returns the definitions to offer to the model: the enabled ones of `built_in` (Messages API tool objects,
/// in a fixed order), then the agent's custom tools.
pub fn offered(agent: &Value, built_in: &[Value]) -> Vec<Value> {
    let mut tools = Vec::new();
    for set in tools_of(agent) {
        match set.at("type").as_str() {
            Some(AGENT_TOOLSET) => tools.extend(
                built_in
                    .iter()
                    .filter(|tool| is_enabled(set, tool.at("name").as_str().unwrap_or_default()))
                    .cloned(),
            ),
            Some("custom") => tools.push(json!({
                "name": set.at("name"),
                "description": set.at("description"),
                "input_schema": set.at("input_schema"),
            })),
            // MCP tools are offered once their server has answered.
            _ => {}
        }
    }
    tools
}

/// Evaluates a call of the tool `name`; `built_in` tells which built-in tools exist.
pub fn evaluate(agent: &Value, name: &str, built_in: &[Value]) -> Evaluated {
    for set in tools_of(agent) {
        match set.at("type").as_str() {
            Some("custom") if set.at("name") == name => {
                return Evaluated {
                    kind: CallKind::Custom,
                    permission: Permission::Allow,
                    evaluation: None,
                };
            }
            Some(AGENT_TOOLSET)
                if built_in.iter().any(|tool| tool.at("name") == name) && is_enabled(set, name) =>
            {
                let (permission, evaluation) = apply_policy(policy(set, name));
                return Evaluated {
                    kind: CallKind::BuiltIn,
                    permission,
                    evaluation: Some(evaluation),
                };
            }
            _ => {}
        }
    }
    Evaluated {
        kind: CallKind::BuiltIn,
        permission: Permission::Deny,
        evaluation: None,
    }
}

fn apply_policy(policy: &str) -> (Permission, Value) {
    match policy {
        "always_allow" => (Permission::Allow, json!({"type": "always_allow"})),
        // No judge has spoken, so the call waits for the client, as the wire has it for "no judgement".
        "auto" => (
            Permission::Ask,
            json!({
                "type": "auto",
                "evaluated_permission": {"type": "ask", "reason_code": "indeterminate"},
            }),
        ),
        _ => (Permission::Ask, json!({"type": "always_ask"})),
    }
}

fn tools_of(agent: &Value) -> impl Iterator<Item = &Value> {
    agent.at("tools").as_array().into_iter().flatten()
}

fn config<'a>(set: &'a Value, name: &str) -> Option<&'a Value> {
    set.at("configs")
        .as_array()?
        .iter()
        .find(|config| config.at("name") == name)
}

fn is_enabled(set: &Value, name: &str) -> bool {
    config(set, name)
        .and_then(|config| config.at("enabled").as_bool())
        .or_else(|| set.at("default_config").at("enabled").as_bool())
        .unwrap_or(true)
}

fn policy<'a>(set: &'a Value, name: &str) -> &'a str {
    config(set, name)
        .and_then(|config| config.at("permission_policy").at("type").as_str())
        .or_else(|| {
            set.at("default_config")
                .at("permission_policy")
                .at("type")
                .as_str()
        })
        .unwrap_or("always_allow")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(tools: Value) -> Value {
        json!({ "tools": tools })
    }

    #[test]
    fn default_and_per_tool_settings_decide() {
        let built_in = [json!({"name": "read"}), json!({"name": "write"})];
        let agent = agent(json!([
            {"type": AGENT_TOOLSET,
             "default_config": {"enabled": false, "permission_policy": {"type": "always_allow"}},
             "configs": [
                {"name": "read", "enabled": true, "permission_policy": {"type": "always_ask"}}]},
            {"type": "custom", "name": "lookup", "description": "d", "input_schema": {"type": "object"}},
        ]));
        let names: Vec<_> = offered(&agent, &built_in)
            .iter()
            .map(|tool| tool["name"].clone())
            .collect();
        assert_eq!(names, ["read", "lookup"]);
        let cases = [
            ("read", CallKind::BuiltIn, Permission::Ask, true),
            ("write", CallKind::BuiltIn, Permission::Deny, false),
            ("bash", CallKind::BuiltIn, Permission::Deny, false),
            ("lookup", CallKind::Custom, Permission::Allow, false),
        ];
        for (name, kind, permission, has_evaluation) in cases {
            let evaluated = evaluate(&agent, name, &built_in);
            assert_eq!(evaluated.kind, kind, "{name}");
            assert_eq!(evaluated.permission, permission, "{name}");
            assert_eq!(evaluated.evaluation.is_some(), has_evaluation, "{name}");
        }
    }
}
