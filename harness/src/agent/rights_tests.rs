//! Whatever agents stand in a chain, none may do what the one above it may not.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::toolset::{AGENT_TOOLSET, Known, MCP_TOOLSET, Rights};
use crate::mcp::model_name;
use crate::rules::{CallFacts, On, Rules};
use crate::session::{Grant, Permission};

const BUILT_IN: [&str; 3] = ["bash", "read", "write"];
const SERVERS: [&str; 2] = ["https://a.test/mcp", "https://b.test/mcp"];

fn policy() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["always_allow", "always_ask", "auto"])
}

/// A toolset of the built-in tools, each as it comes.
fn toolset() -> impl Strategy<Value = Value> {
    let config = (prop::sample::select(BUILT_IN.to_vec()), any::<bool>(), policy()).prop_map(|(name, enabled, policy)| {
        json!({"name": name, "enabled": enabled, "permission_policy": {"type": policy}})
    });
    (any::<bool>(), policy(), prop::collection::vec(config, 0..3)).prop_map(
        |(enabled, policy, configs)| {
            json!({
                "type": AGENT_TOOLSET,
                "default_config": {"enabled": enabled, "permission_policy": {"type": policy}},
                "configs": configs,
            })
        },
    )
}

/// An agent with some of the tools that there may be; its servers have names of its own.
fn agent() -> impl Strategy<Value = Value> {
    let server = (
        prop::sample::select(SERVERS.to_vec()),
        any::<bool>(),
        policy(),
    );
    let customs = prop::sample::subsequence(vec!["lookup", "bash"], 0..=2);
    let rule = prop::option::of(prop::sample::select(vec![
        "tool == 'bash'",
        "tool == 'read'",
        "kind == 'custom'",
    ]));
    (
        prop::option::of(toolset()),
        prop::option::of(server),
        customs,
        rule,
    )
        .prop_map(|(set, server, customs, rule)| {
            let mut tools: Vec<Value> = set.into_iter().collect();
            // One name is one tool's.
            let has_bash = !tools.is_empty();
            let customs = customs
                .into_iter()
                .filter(|name| *name != "bash" || !has_bash);
            tools.extend(customs.map(
                |name| json!({"type": "custom", "name": name, "input_schema": {"type": "object"}}),
            ));
            let mut servers = Vec::new();
            if let Some((url, enabled, policy)) = server {
                servers.push(json!({"name": "s", "url": url}));
                tools.push(json!({
                    "type": MCP_TOOLSET,
                    "mcp_server_name": "s",
                    "default_config": {"enabled": enabled, "permission_policy": {"type": policy}},
                }));
            }
            let rules = rule
                .map(|when| json!([{"on": "call", "when": when, "then": "deny", "reason": ""}]));
            json!({"tools": tools, "mcp_servers": servers, "sinew": {"policy": rules}})
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn nobody_may_do_what_the_one_above_may_not(
        chain in prop::collection::vec(agent(), 2..5),
        ceilings in prop::collection::vec(prop::option::of(prop::sample::subsequence(vec!["bash", "read", "lookup"], 0..=3)), 4),
    ) {
        let built_in = BUILT_IN.map(|name| json!({"name": name}));
        let lists: Vec<Arc<Value>> = SERVERS
            .iter()
            .map(|url| Arc::new(json!({"mcp_server_name": "s", "url": url, "tools": [{"name": "put"}]})))
            .collect();
        let known = Known { built_in: &built_in, mcp_lists: &lists, components: &[] };
        let mut grant = Grant::of_session(&json!({"sinew": {"delegation": {"depth": 5}}}));
        let mut before: Option<Vec<Permission>> = None;
        let put = model_name("s", "put");
        let names = ["bash", "read", "write", "lookup", put.as_str()];
        for (place, own) in chain.iter().enumerate() {
            let above: Vec<&Value> = chain.iter().take(place).collect();
            if place > 0 {
                let ceiling = ceilings.get(place - 1).cloned().flatten();
                let asked = json!({"tools": ceiling});
                grant = grant.below(&json!({}), own, &asked);
            }
            let ceiling: Option<BTreeSet<String>> = grant.tools().cloned();
            let rights = Rights::in_chain(own, above, ceiling.as_ref());
            let now: Vec<Permission> = names.iter().map(|name| rights.evaluate(name, known).permission).collect();
            let offered: BTreeSet<String> = rights
                .offered(known)
                .iter()
                .filter_map(|tool| tool["name"].as_str().map(str::to_owned))
                .collect();
            for (name, permission) in names.iter().zip(&now) {
                let is_offered = offered.contains(*name);
                prop_assert_eq!(is_offered, *permission != Permission::Deny, "{} of {}", name, own);
            }
            if let Some(before) = &before {
                for ((name, above), below) in names.iter().zip(before).zip(&now) {
                    prop_assert!(*below as u8 >= *above as u8, "{name}: {above:?} above, {below:?} below");
                }
            }
            before = Some(now);
            // What a rule above denies is denied below.
            let all = chain.iter().take(place + 1);
            let rules = Rules::of(&json!({}), all, On::Call);
            for above in 0..=place {
                let facts = CallFacts {
                    tool: "bash".to_owned(),
                    kind: "built_in",
                    server: String::new(),
                    input: json!({}),
                    count: 0,
                    count_all: 0,
                };
                let theirs = Rules::of(&json!({}), chain.iter().take(above + 1), On::Call);
                let (theirs, ours) = (theirs.rule(std::slice::from_ref(&facts)), rules.rule(std::slice::from_ref(&facts)));
                prop_assert!(theirs[0].is_none() || ours[0].is_some());
            }
        }
    }
}
