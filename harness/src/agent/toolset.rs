//! Which tools an agent has, and what its permission policies say about a call.
//!
//! Reads the stored wire form of the agent's `tools`, in which every default is filled in.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::component_tools;
use crate::json::Fields as _;
use crate::mcp::model_name;
use crate::rules::Ruling;
use crate::session::{CallKind, Permission, State, Thread};

/// The type of the built-in toolset.
pub const AGENT_TOOLSET: &str = "agent_toolset_20260401";
/// The tools that it may have.
const BUILT_IN: [&str; 8] = [
    "bash",
    "read",
    "write",
    "edit",
    "glob",
    "grep",
    "web_fetch",
    "web_search",
];
/// The type of the toolset of an MCP server.
pub const MCP_TOOLSET: &str = "mcp_toolset";

/// Which tools there are beside the agent's custom ones.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Definitions of the built-in tools: Messages API tool objects, in a fixed order.
    pub built_in: &'a [Value],
    /// What the MCP servers told of theirs, see [`crate::session::State::mcp_lists`].
    pub mcp_lists: &'a [Arc<Value>],
    /// What the session keeps of registered components.
    pub components: &'a [Value],
}

impl<'a> Known<'a> {
    /// Returns the tools of a server of the agent's, as far as they are known.
    pub fn of_server(&self, agent: &Value, server: &str) -> &'a [Value] {
        let servers = agent.at("mcp_servers").as_array();
        let url = servers
            .into_iter()
            .flatten()
            .find(|entry| entry.at("name") == server)
            .map(|entry| entry.at("url"));
        // A server that was put in another's place has the other's tools no more.
        let mut lists = self.mcp_lists.iter();
        let list =
            lists.find(|list| list.at("mcp_server_name") == server && Some(list.at("url")) == url);
        let tools = list.and_then(|list| list.at("tools").as_array());
        tools.map_or(&[], Vec::as_slice)
    }
}

/// What the agent's configuration says about a tool that the model called.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluated {
    /// Where the call runs.
    pub kind: CallKind,
    /// The tool's own name, where the model knows it by another.
    pub own_name: Option<String>,
    /// Whether it runs.
    pub permission: Permission,
    /// The wire's `evaluation`, absent when the tool is not enabled or a rule decided otherwise.
    pub evaluation: Option<Value>,
    /// What a rule said, if one did.
    pub ruling: Option<Ruling>,
}

impl Evaluated {
    /// Tells whether the agent has no tool of that name.
    pub fn is_unknown(&self) -> bool {
        self.kind == CallKind::BuiltIn
            && self.permission == Permission::Deny
            && self.evaluation.is_none()
            && self.ruling.is_none()
    }

    /// Returns what is said of a call of a delegation tool that the agent has.
    pub fn delegation() -> Self {
        Self {
            kind: CallKind::Delegation,
            own_name: None,
            permission: Permission::Allow,
            evaluation: None,
            ruling: None,
        }
    }
}

/// What an agent may call: what its own toolsets say, and where what is delegated can only become less, what those of every
/// agent above it say too.
pub(super) struct Rights<'a> {
    own: &'a Value,
    above: Vec<&'a Value>,
    ceiling: Option<&'a BTreeSet<String>>,
}

/// Tells whether those above a thread bound what it may do.
pub(super) fn is_narrowed(thread: &Thread) -> bool {
    thread.grant.is_narrowing() && thread.is_started()
}

impl<'a> Rights<'a> {
    /// Returns those of the agent of a thread.
    pub(super) fn of(state: &'a State, thread: &'a Thread) -> Self {
        let own = state.agent_of(thread);
        if !is_narrowed(thread) {
            return Self::alone(own);
        }
        let mut above = state.agents_above(thread);
        above.pop();
        Self::in_chain(own, above, thread.grant.tools())
    }

    /// Returns those of an agent with nobody above it.
    pub(super) fn alone(own: &'a Value) -> Self {
        Self::in_chain(own, Vec::new(), None)
    }

    /// Returns those of an agent below others, the highest first, that may use these tools at the most.
    pub(super) fn in_chain(
        own: &'a Value,
        above: Vec<&'a Value>,
        ceiling: Option<&'a BTreeSet<String>>,
    ) -> Self {
        Self {
            own,
            above,
            ceiling,
        }
    }

    /// Returns the definitions to offer to the model.
    pub(super) fn offered(&self, known: Known<'_>) -> Vec<Value> {
        let mut offered = offered(self.own, known);
        if !self.above.is_empty() || self.ceiling.is_some() {
            offered.retain(|tool| {
                let name = tool.at("name").as_str().unwrap_or_default();
                self.evaluate(name, known).permission != Permission::Deny
            });
        }
        offered
    }

    /// Evaluates a call of the tool that the model knows as `name`: the strictest word of all counts.
    pub(super) fn evaluate(&self, name: &str, known: Known<'_>) -> Evaluated {
        let own = evaluate(self.own, name, known);
        if own.permission == Permission::Deny {
            return own;
        }
        if self.ceiling.is_some_and(|ceiling| !ceiling.contains(name)) {
            return denied(own.kind, own.own_name);
        }
        let words = self
            .above
            .iter()
            .map(|above| self.word(above, name, &own, known));
        let strictest = words.max_by_key(|word| *word as u8);
        match strictest {
            Some(Permission::Deny) => denied(own.kind, own.own_name),
            Some(Permission::Ask)
                if own.permission == Permission::Allow && own.kind != CallKind::Custom =>
            {
                Evaluated {
                    permission: Permission::Ask,
                    evaluation: Some(json!({"type": "always_ask"})),
                    ..own
                }
            }
            _ => own,
        }
    }

    /// Returns what an agent above says of a call of this one's. A server is the same by its address, whatever it is called.
    fn word(&self, above: &Value, name: &str, own: &Evaluated, known: Known<'_>) -> Permission {
        if own.kind == CallKind::Component {
            // The same is what is of the same version, or at the same server, by whatever name.
            let same = component_tools::named(self.own, known, name)
                .and_then(|tool| component_tools::same(above, known, &tool));
            let Some((set, name)) = same.map(|same| same.settings()) else {
                return Permission::Deny;
            };
            return match is_enabled(set, name) {
                true => apply_policy(policy(set, name)).0,
                false => Permission::Deny,
            };
        }
        let CallKind::Mcp(server) = &own.kind else {
            let theirs = evaluate(above, name, known);
            // Another kind of tool by the same name is another tool.
            return match theirs.kind == own.kind {
                true => theirs.permission,
                false => Permission::Deny,
            };
        };
        let url_of = |agent: &Value, server: &str| {
            let servers = agent.at("mcp_servers").as_array().into_iter().flatten();
            let mut servers = servers.filter(|entry| entry.at("name") == server);
            servers.next().map(|entry| entry.at("url").clone())
        };
        let Some(url) = url_of(self.own, server) else {
            return Permission::Deny;
        };
        let tool = own.own_name.as_deref().unwrap_or(name);
        let sets = tools_of(above).filter(|set| *set.at("type") == MCP_TOOLSET);
        let mut same = sets.filter(|set| {
            let server = set.at("mcp_server_name").as_str().unwrap_or_default();
            url_of(above, server).as_ref() == Some(&url)
        });
        match same.next() {
            Some(set) if is_enabled(set, tool) => apply_policy(policy(set, tool)).0,
            _ => Permission::Deny,
        }
    }
}

/// Returns the definitions to offer to the model, in the order of the agent's toolsets: the enabled ones of the known
/// tools, and the custom tools; behind them those of its components.
fn offered(agent: &Value, known: Known<'_>) -> Vec<Value> {
    let mut tools = Vec::new();
    for set in tools_of(agent) {
        match set.at("type").as_str() {
            Some(AGENT_TOOLSET) => tools.extend(
                known
                    .built_in
                    .iter()
                    .filter(|tool| is_enabled(set, tool.at("name").as_str().unwrap_or_default()))
                    .cloned(),
            ),
            Some("custom") => tools.push(json!({
                "name": set.at("name"),
                "description": set.at("description"),
                "input_schema": set.at("input_schema"),
            })),
            Some(MCP_TOOLSET) => {
                let server = set.at("mcp_server_name").as_str().unwrap_or_default();
                let of_server = known.of_server(agent, server).iter();
                let enabled = of_server
                    .filter(|tool| is_enabled(set, tool.at("name").as_str().unwrap_or_default()));
                tools.extend(enabled.map(|tool| {
                    json!({
                        "name": model_name(server, tool.at("name").as_str().unwrap_or_default()),
                        "description": tool.at("description"),
                        "input_schema": tool.at("input_schema"),
                    })
                }));
            }
            _ => {}
        }
    }
    let components = component_tools::of_agent(agent, known);
    let enabled = components.filter(|tool| is_enabled(tool.set, tool.own_name()));
    tools.extend(enabled.map(|tool| {
        json!({
            "name": tool.name(),
            "description": tool.definition.at("description"),
            "input_schema": tool.definition.at("input_schema"),
        })
    }));
    tools
}

/// Evaluates a call of the tool that the model knows as `name`.
fn evaluate(agent: &Value, name: &str, known: Known<'_>) -> Evaluated {
    for set in tools_of(agent) {
        match set.at("type").as_str() {
            Some("custom") if set.at("name") == name => {
                if let Some(tool) = component_tools::named(agent, known, name) {
                    let (set, own_name) = tool.settings();
                    return evaluated(CallKind::Component, None, set, own_name);
                }
                return Evaluated {
                    kind: CallKind::Custom,
                    own_name: None,
                    permission: Permission::Allow,
                    evaluation: None,
                    ruling: None,
                };
            }
            Some(AGENT_TOOLSET) => {
                let is_known = known.built_in.iter().any(|tool| tool.at("name") == name);
                if is_known && is_enabled(set, name) {
                    return evaluated(CallKind::BuiltIn, None, set, name);
                }
            }
            Some(MCP_TOOLSET) => {
                let server = set.at("mcp_server_name").as_str().unwrap_or_default();
                let mut own = known
                    .of_server(agent, server)
                    .iter()
                    .filter_map(|tool| tool.at("name").as_str());
                if let Some(own) = own.find(|own| model_name(server, own) == name) {
                    let kind = CallKind::Mcp(server.to_owned());
                    return evaluated(kind, Some(own.to_owned()), set, own);
                }
            }
            _ => {}
        }
    }
    if let Some(tool) = component_tools::named(agent, known, name) {
        let (set, own_name) = tool.settings();
        return evaluated(CallKind::Component, None, set, own_name);
    }
    denied(CallKind::BuiltIn, None)
}

/// Returns what a toolset says of its tool `name`.
fn evaluated(kind: CallKind, own_name: Option<String>, set: &Value, name: &str) -> Evaluated {
    if !is_enabled(set, name) {
        return denied(kind, own_name);
    }
    let (permission, evaluation) = apply_policy(policy(set, name));
    Evaluated {
        kind,
        own_name,
        permission,
        evaluation: Some(evaluation),
        ruling: None,
    }
}

fn denied(kind: CallKind, own_name: Option<String>) -> Evaluated {
    Evaluated {
        kind,
        own_name,
        permission: Permission::Deny,
        evaluation: None,
        ruling: None,
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

/// Tells whether an agent may use a built-in tool without anybody being asked.
pub fn is_allowed(agent: &Value, name: &str) -> bool {
    let mut sets = tools_of(agent).filter(|set| *set.at("type") == AGENT_TOOLSET);
    sets.any(|set| is_enabled(set, name) && policy(set, name) == "always_allow")
}

/// Returns a built-in toolset with these of its tools alone; what is said of each of them stays.
pub fn narrowed(set: &Value, wanted: &[&str]) -> Value {
    let is_wanted = |name: &&&str| wanted.contains(name) && is_enabled(set, name);
    let kept = BUILT_IN.iter().filter(is_wanted).map(|name| {
        let mut kept = config(set, name).cloned().unwrap_or_else(|| json!({}));
        kept.set("type", json!(name));
        kept.set("name", json!(name));
        kept.set("enabled", json!(true));
        kept.set("permission_policy", json!({"type": policy(set, name)}));
        kept
    });
    let mut default = set.at("default_config").clone();
    if !default.is_object() {
        default = json!({"permission_policy": {"type": "always_allow"}});
    }
    default.set("enabled", json!(false));
    json!({
        "type": set.at("type"),
        "default_config": default,
        "configs": kept.collect::<Vec<_>>(),
    })
}

fn tools_of(agent: &Value) -> impl Iterator<Item = &Value> {
    agent.at("tools").as_array().into_iter().flatten()
}

/// Returns what the agent's toolset says of a built-in tool; null if nothing.
pub fn settings_of<'a>(agent: &'a Value, name: &str) -> &'a Value {
    let mut sets = tools_of(agent).filter(|set| set.at("type") == AGENT_TOOLSET);
    sets.find_map(|set| config(set, name))
        .unwrap_or(&Value::Null)
}

/// As [`settings_of`], of an agent that others above it started: their lists of domains hold for it too. What is allowed is
/// what all of them allow, what is blocked what any of them blocks.
pub fn settings_along(agents: &[&Value], name: &str) -> Value {
    let Some((own, above)) = agents.split_last() else {
        return Value::Null;
    };
    let mut settings = settings_of(own, name).clone();
    let list = |settings: &Value, name: &str| -> Option<Vec<String>> {
        let domains = settings.at(name).as_array()?.iter();
        Some(
            domains
                .filter_map(|domain| domain.as_str().map(str::to_owned))
                .collect(),
        )
    };
    for agent in above {
        let others = settings_of(agent, name);
        if let Some(theirs) = list(others, "allowed_domains") {
            let joint = match list(&settings, "allowed_domains") {
                Some(ours) => common(&ours, &theirs),
                None => theirs,
            };
            set_list(&mut settings, "allowed_domains", joint);
        }
        if let Some(theirs) = list(others, "blocked_domains") {
            let mut joint = list(&settings, "blocked_domains").unwrap_or_default();
            joint.extend(theirs);
            set_list(&mut settings, "blocked_domains", joint);
        }
    }
    settings
}

fn set_list(settings: &mut Value, name: &str, domains: Vec<String>) {
    if !settings.is_object() {
        *settings = json!({});
    }
    settings.set(name, json!(domains));
}

/// Returns the domains that are of both lists: each that is one of the other's, or below one.
fn common(ours: &[String], theirs: &[String]) -> Vec<String> {
    let is_below = |domain: &str, above: &str| {
        let (domain, above) = (domain.to_lowercase(), above.to_lowercase());
        domain == above
            || domain
                .strip_suffix(&above)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    let below = |some: &[String], others: &[String]| -> Vec<String> {
        let is_in = |domain: &&String| others.iter().any(|other| is_below(domain, other));
        some.iter().filter(is_in).cloned().collect()
    };
    let mut both = below(ours, theirs);
    both.extend(below(theirs, ours));
    both.sort();
    both.dedup();
    if both.is_empty() {
        // An empty list would be none.
        both.push("nowhere.invalid".to_owned());
    }
    both
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
        // A binding is of one tool alone.
        .or_else(|| set.at("enabled").as_bool())
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
        .or_else(|| set.at("permission_policy").at("type").as_str())
        .unwrap_or(match set.at("type").as_str() {
            Some(MCP_TOOLSET) => "always_ask",
            _ => "always_allow",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(tools: Value) -> Value {
        json!({ "tools": tools })
    }

    fn known(built_in: &[Value]) -> Known<'_> {
        Known {
            built_in,
            mcp_lists: &[],
            components: &[],
        }
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
        let names: Vec<_> = offered(&agent, known(&built_in))
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
            let evaluated = evaluate(&agent, name, known(&built_in));
            assert_eq!(evaluated.kind, kind, "{name}");
            assert_eq!(evaluated.permission, permission, "{name}");
            assert_eq!(evaluated.evaluation.is_some(), has_evaluation, "{name}");
        }
    }

    #[test]
    fn domains_of_all_above_apply() {
        let of = |settings: Value| {
            let mut config = settings;
            config["name"] = json!("web_fetch");
            agent(json!([{"type": AGENT_TOOLSET, "configs": [config]}]))
        };
        let free = agent(json!([{"type": AGENT_TOOLSET, "configs": []}]));
        let docs = of(json!({"allowed_domains": ["Example.com", "a.org"]}));
        let narrow = of(
            json!({"allowed_domains": ["docs.example.com", "b.org"], "blocked_domains": ["x.com"]}),
        );
        let not = of(json!({"blocked_domains": ["evil.com"]}));
        let other = of(json!({"allowed_domains": ["c.org"]}));
        let along = |agents: &[&Value]| {
            let settings = settings_along(agents, "web_fetch");
            (
                settings["allowed_domains"].clone(),
                settings["blocked_domains"].clone(),
            )
        };
        let null = Value::Null;
        assert_eq!(along(&[&free]), (null.clone(), null.clone()));
        assert_eq!(
            along(&[&docs, &free]),
            (json!(["Example.com", "a.org"]), null.clone())
        );
        assert_eq!(
            along(&[&docs, &narrow]),
            (json!(["docs.example.com"]), json!(["x.com"]))
        );
        assert_eq!(
            along(&[&narrow, &not, &docs]),
            (json!(["docs.example.com"]), json!(["x.com", "evil.com"]))
        );
        assert_eq!(
            along(&[&docs, &other]).0,
            json!(["nowhere.invalid"]),
            "nothing is left"
        );
    }

    #[test]
    fn an_agent_made_up_gets_no_more_than_its_maker_has() {
        let set = json!({
            "type": AGENT_TOOLSET,
            "default_config": {"enabled": false, "permission_policy": {"type": "always_ask"}},
            "configs": [{"type": "read", "name": "read", "enabled": true}],
        });
        let narrowed = narrowed(&set, &["read", "bash", "read", "no_tool"]);
        assert_eq!(
            narrowed["configs"],
            json!([{"type": "read", "name": "read", "enabled": true, "permission_policy": {"type": "always_ask"}}])
        );
        assert_eq!(narrowed["default_config"]["enabled"], false);
    }

    #[test]
    fn tools_of_a_server_are_offered_by_another_name_and_ask() {
        let schema = json!({"type": "object"});
        let tool = |name: &str| json!({"name": name, "description": "d", "input_schema": schema});
        let list = |server: &str, url: &str, names: &[&str]| {
            let tools: Vec<Value> = names.iter().copied().map(tool).collect();
            Arc::new(json!({"mcp_server_name": server, "url": url, "tools": tools}))
        };
        let lists = [
            list("tracker", "https://t", &["create", "delete", "list items"]),
            // The agent names another URL by now.
            list("wiki", "https://old", &["search"]),
        ];
        let known = Known {
            built_in: &[],
            mcp_lists: &lists,
            components: &[],
        };
        let agent = json!({
            "mcp_servers": [
                {"type": "url", "name": "tracker", "url": "https://t"},
                {"type": "url", "name": "wiki", "url": "https://new"},
            ],
            "tools": [
                {"type": MCP_TOOLSET, "mcp_server_name": "tracker",
                 "default_config": {"enabled": true, "permission_policy": {"type": "always_ask"}},
                 "configs": [
                    {"name": "delete", "enabled": false},
                    {"name": "create", "enabled": true, "permission_policy": {"type": "always_allow"}}]},
                {"type": MCP_TOOLSET, "mcp_server_name": "wiki"},
            ],
        });
        let names: Vec<String> = offered(&agent, known)
            .iter()
            .filter_map(|tool| Some(tool["name"].as_str()?.to_owned()))
            .collect();
        let odd = model_name("tracker", "list items");
        assert_eq!(names, ["mcp__tracker__create".to_owned(), odd.clone()]);
        let of = |name: &str| evaluate(&agent, name, known);
        let server = CallKind::Mcp("tracker".to_owned());
        let create = of("mcp__tracker__create");
        assert_eq!(
            (&create.kind, create.permission),
            (&server, Permission::Allow)
        );
        assert_eq!(create.own_name.as_deref(), Some("create"));
        let delete = of("mcp__tracker__delete");
        assert_eq!(
            (&delete.kind, delete.permission),
            (&server, Permission::Deny)
        );
        assert_eq!(delete.evaluation, None);
        let listed = of(&odd);
        assert_eq!(
            (listed.own_name.as_deref(), listed.permission),
            (Some("list items"), Permission::Ask)
        );
        let gone = of("mcp__wiki__search");
        assert_eq!(
            (gone.kind, gone.permission),
            (CallKind::BuiltIn, Permission::Deny)
        );
    }

    /// What one above lacks, asks for or has under another name, nobody below has.
    #[test]
    fn the_strictest_word_along_the_chain_counts() {
        let built_in = [json!({"name": "bash"}), json!({"name": "read"})];
        let lists = [Arc::new(json!({
            "mcp_server_name": "files", "url": "https://a.test/mcp", "tools": [{"name": "put"}],
        }))];
        let known = Known {
            built_in: &built_in,
            mcp_lists: &lists,
            components: &[],
        };
        let custom =
            json!({"type": "custom", "name": "lookup", "input_schema": {"type": "object"}});
        let server = |name: &str, url: &str| json!([{"name": name, "url": url}]);
        let mcp = |name: &str, policy: &str| {
            json!({"type": MCP_TOOLSET, "mcp_server_name": name,
                "default_config": {"permission_policy": {"type": policy}}})
        };
        let all = json!({"type": AGENT_TOOLSET});
        let own = json!({
            "tools": [all, custom, mcp("files", "always_allow")],
            "mcp_servers": server("files", "https://a.test/mcp"),
        });
        let ask = json!({"type": AGENT_TOOLSET, "configs": [
            {"name": "bash", "permission_policy": {"type": "always_ask"}}, {"name": "read", "enabled": false}]});
        let renamed = json!({"type": "custom", "name": "bash", "input_schema": {"type": "object"}});
        let above =
            |tools: Value, url: &str| json!({"tools": tools, "mcp_servers": server("others", url)});
        let ceiling: BTreeSet<String> = ["lookup".to_owned()].into();
        let permissions = |above: Vec<&Value>, ceiling| {
            let rights = Rights::in_chain(&own, above, ceiling);
            let put = model_name("files", "put");
            let names = ["bash", "read", "lookup", &put];
            names.map(|name| rights.evaluate(name, known).permission)
        };
        use Permission::{Allow, Ask, Deny};
        let same = above(
            json!([all, custom, mcp("others", "always_allow")]),
            "https://a.test/mcp",
        );
        assert_eq!(permissions(vec![], None), [Allow; 4]);
        assert_eq!(permissions(vec![&same], None), [Allow; 4]);
        assert_eq!(
            permissions(vec![&same], Some(&ceiling)),
            [Deny, Deny, Allow, Deny]
        );
        let strict = above(
            json!([ask, mcp("others", "always_ask")]),
            "https://a.test/mcp",
        );
        assert_eq!(
            permissions(vec![&strict, &same], None),
            [Ask, Deny, Deny, Ask]
        );
        let other = above(
            json!([renamed, mcp("others", "always_allow")]),
            "https://b.test/mcp",
        );
        assert_eq!(permissions(vec![&same, &other], None), [Deny; 4]);
    }
}
