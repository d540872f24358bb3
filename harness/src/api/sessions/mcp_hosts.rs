//! Whether an environment lets a session reach the MCP servers of its agents.

use serde_json::Value;
use url::Url;

use crate::api::environment_config::is_self_hosted;
use crate::egress::Policy;
use crate::json::Fields as _;

/// Returns the first MCP server of an agent, or of one of its roster, that the stored environment does not let a session
/// reach: its name and its host. `agent` is a configuration or a snapshot.
pub(in crate::api) fn blocked_server(
    environment: &Value,
    agent: &Value,
) -> Option<(String, String)> {
    if is_self_hosted(environment) {
        return None;
    }
    let networking = environment.at("config").at("networking");
    let mut servers = Vec::new();
    collect(agent, &mut servers);
    servers.into_iter().find_map(|server| {
        let text = |name: &str| server.at(name).as_str().unwrap_or_default();
        let url = Url::parse(text("url")).ok()?;
        let host = url.host_str().unwrap_or_default();
        let is_allowed = Policy::for_mcp_server(networking, host).allows(host);
        (!is_allowed).then(|| (text("name").to_owned(), host.to_owned()))
    })
}

/// Returns what is said of a server that is blocked.
pub(in crate::api) fn blocked_message((name, host): &(String, String)) -> String {
    format!(
        "the environment's networking does not allow the host {host:?} of the MCP server {name:?}: set \
         allow_mcp_servers, or add it to allowed_hosts"
    )
}

/// Collects the servers of an agent and of the agents of its roster, on all levels.
fn collect<'a>(agent: &'a Value, servers: &mut Vec<&'a Value>) {
    servers.extend(agent.at("mcp_servers").as_array().into_iter().flatten());
    let mut lists = Vec::new();
    let block = agent.at("multiagent");
    lists.push(block.at("agents"));
    for part in ["subagents", "workflows"] {
        lists.push(block.at(part).at("predefined_agents"));
    }
    for list in lists {
        for entry in list.as_array().into_iter().flatten() {
            collect(entry, servers);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_limited_environment_blocks_what_it_does_not_name() {
        let environment = |allow: bool| {
            json!({"config": {"type": "cloud", "networking": {
                "type": "limited", "allowed_hosts": ["a.test"], "allow_mcp_servers": allow}}})
        };
        let server = |host: &str| json!([{"type": "url", "name": "s", "url": format!("https://{host}/mcp")}]);
        let roster = json!({"mcp_servers": server("a.test"), "multiagent": {
            "subagents": {"predefined_agents": [{"multiagent": {
                "agents": [{"mcp_servers": server("b.test")}]}}]}}});
        let blocked = |allow, agent: &Value| blocked_server(&environment(allow), agent);
        assert_eq!(
            blocked(false, &json!({"mcp_servers": server("a.test")})),
            None
        );
        let b = Some(("s".to_owned(), "b.test".to_owned()));
        assert_eq!(blocked(false, &json!({"mcp_servers": server("b.test")})), b);
        assert_eq!(blocked(false, &roster), b);
        assert_eq!(blocked(true, &roster), None);
        let open = json!({"config": {"type": "cloud", "networking": {"type": "unrestricted"}}});
        assert_eq!(blocked_server(&open, &roster), None);
    }
}
