//! Orchestration blocks: shapes, pinning, merging.

use serde_json::json;

use super::super::{Reference, RosterAgent};
use super::*;

/// `agent_a` (versions 1 and 5), `agent_b`, an archived one, one with a block, one that runs elsewhere.
fn roster() -> Roster {
    let agent = |version, is_archived, extra| RosterAgent {
        version,
        is_archived,
        config: create(extra).unwrap(),
    };
    let newest = |id: &str| Reference {
        id: id.to_owned(),
        version: None,
    };
    let nested = json!({"multiagent": {"type": "multiagent_20261001"}});
    let elsewhere = json!({"model": {"id": "opus", "inference_geo": "us"}});
    Roster::from([
        (newest("agent_a"), agent(5, false, json!({}))),
        (Reference::pinned("agent_a", 1), agent(1, false, json!({}))),
        (Reference::pinned("agent_a", 5), agent(5, false, json!({}))),
        (newest("agent_b"), agent(2, false, json!({}))),
        (newest("agent_archived"), agent(1, true, json!({}))),
        (newest("agent_nested"), agent(1, false, nested)),
        (newest("agent_elsewhere"), agent(1, false, elsewhere)),
    ])
}

fn pinned(id: &str, version: u64) -> Value {
    json!({"type": "agent", "id": id, "version": version})
}

fn block(multiagent: Value) -> Result<AgentConfig, Invalid> {
    create_with(json!({"multiagent": multiagent}), &roster())
}

fn enabled(agents: Value) -> Value {
    json!({"type": "enabled", "inline_agents": {"type": "enabled"}, "predefined_agents": agents})
}

#[test]
fn references_are_pinned() {
    let coordinator = block(json!({"type": "coordinator", "agents": [
        {"type": "advisor", "model": "haiku"}, "agent_a", {"type": "self"}, {"type": "agent", "id": "agent_b"},
    ]}));
    assert_eq!(
        coordinator.unwrap().multiagent,
        json!({"type": "coordinator", "agents": [
            {"type": "advisor", "model": "haiku"}, pinned("agent_a", 5), pinned("agent_own", 1), pinned("agent_b", 2),
        ]})
    );
    let members = block(json!({
        "type": "multiagent_20261001",
        "advisor": {"type": "enabled", "model": "opus"},
        "subagents": {"type": "enabled", "inline_agents": {"type": "disabled"},
            "predefined_agents": [{"type": "agent", "id": "agent_a", "version": 1}]},
        "workflows": {"type": "disabled"},
    }));
    assert_eq!(
        members.unwrap().multiagent,
        json!({
            "type": "multiagent_20261001",
            "advisor": {"type": "enabled", "model": "opus"},
            "subagents": {"type": "enabled", "inline_agents": {"type": "disabled"}, "predefined_agents": [pinned("agent_a", 1)]},
            "workflows": {"type": "disabled"},
        })
    );
    let defaults = json!({
        "type": "multiagent_20261001", "advisor": {"type": "disabled"},
        "subagents": enabled(json!([])), "workflows": enabled(json!([])),
    });
    for short in [
        json!({"type": "multiagent_20261001"}),
        json!({"type": "multiagent_20261001", "advisor": null, "subagents": null, "workflows": {"type": "enabled", "inline_agents": null, "predefined_agents": null}}),
    ] {
        assert_eq!(block(short).unwrap().multiagent, defaults);
    }
}

#[test]
fn refusals() {
    let agents = |agents: Value| json!({"type": "coordinator", "agents": agents});
    let members = |subagents: Value| json!({"type": "multiagent_20261001", "subagents": subagents});
    let myself = json!({"type": "self"});
    let advisor = json!({"type": "advisor", "model": "opus"});
    for (multiagent, path, fragment) in [
        (json!({"type": "swarm"}), "multiagent.type", "coordinator"),
        (
            json!({"type": "coordinator"}),
            "multiagent.agents",
            "required",
        ),
        (agents(json!([])), "multiagent.agents", "at least one"),
        (
            agents(json!(vec!["agent_a"; 21])),
            "multiagent.agents",
            "at most 20",
        ),
        (
            agents(json!(["agent_a", {"type": "agent", "id": "agent_a", "version": 1}])),
            "multiagent.agents.1",
            "twice",
        ),
        (
            agents(json!([myself, myself])),
            "multiagent.agents.1",
            "twice",
        ),
        (
            agents(json!([advisor, advisor])),
            "multiagent.agents.1",
            "at most one advisor",
        ),
        (
            agents(json!([{"type": "advisor", "model": ""}])),
            "multiagent.agents.0.model",
            "empty",
        ),
        (
            agents(json!(["agent_gone"])),
            "multiagent.agents.0",
            "does not exist",
        ),
        (
            agents(json!([{"type": "agent", "id": "agent_b", "version": 9}])),
            "multiagent.agents.0",
            "version 9 does not exist",
        ),
        (
            agents(json!([{"type": "agent", "id": "agent_b", "version": 0}])),
            "multiagent.agents.0.version",
            "from 1",
        ),
        (
            agents(json!(["agent_archived"])),
            "multiagent.agents.0",
            "archived",
        ),
        (
            agents(json!(["agent_nested"])),
            "multiagent.agents.0",
            "one level",
        ),
        (
            agents(json!(["agent_elsewhere"])),
            "multiagent.agents.0",
            "inference_geo",
        ),
        (
            members(json!({"inline_agents": null})),
            "multiagent.subagents.type",
            "required",
        ),
        (
            members(json!({"type": "enabled", "inline_agents": {"type": "disabled"}})),
            "multiagent.subagents",
            "at least one",
        ),
        (
            members(json!({"type": "enabled", "predefined_agents": [advisor]})),
            "multiagent.subagents.predefined_agents.0.type",
            "\"self\"",
        ),
        (
            members(json!({"type": "disabled", "predefined_agents": []})),
            "multiagent.subagents",
            "unknown field",
        ),
        (
            json!({"type": "multiagent_20261001", "advisor": {"type": "enabled"}}),
            "multiagent.advisor.model",
            "required",
        ),
    ] {
        refused(block(multiagent.clone()), path, fragment, &multiagent);
    }
}

#[test]
fn updates_merge_into_a_block_of_the_same_type() {
    let stored = block(json!({
        "type": "multiagent_20261001",
        "advisor": {"type": "enabled", "model": "opus"},
        "subagents": {"type": "enabled", "inline_agents": {"type": "disabled"},
            "predefined_agents": [{"type": "agent", "id": "agent_a", "version": 1}]},
        "workflows": {"type": "disabled"},
    }))
    .unwrap();
    let only_a = json!([pinned("agent_a", 1)]);
    let quiet = json!({"type": "enabled", "inline_agents": {"type": "disabled"}, "predefined_agents": only_a});
    let off = json!({"type": "disabled"});
    let advisor = json!({"type": "enabled", "model": "opus"});
    for (change, expected) in [
        (json!({}), [advisor.clone(), quiet.clone(), off.clone()]),
        (
            json!({"advisor": null}),
            [off.clone(), quiet.clone(), off.clone()],
        ),
        (
            json!({"workflows": null}),
            [advisor.clone(), quiet.clone(), enabled(json!([]))],
        ),
        (
            json!({"workflows": {"type": "enabled"}}),
            [advisor.clone(), quiet.clone(), enabled(json!([]))],
        ),
        (
            json!({"subagents": {"type": "enabled", "inline_agents": null}}),
            [advisor.clone(), enabled(only_a.clone()), off.clone()],
        ),
        (
            json!({"subagents": {"type": "enabled", "predefined_agents": ["agent_b"]}}),
            [
                advisor.clone(),
                json!({"type": "enabled", "inline_agents": {"type": "disabled"}, "predefined_agents": [pinned("agent_b", 2)]}),
                off.clone(),
            ],
        ),
        (
            json!({"subagents": {"type": "disabled"}}),
            [advisor.clone(), off.clone(), off.clone()],
        ),
    ] {
        let mut sent = change.clone();
        sent["type"] = json!("multiagent_20261001");
        let updated = update(&stored, json!({"multiagent": sent}), &roster())
            .unwrap_or_else(|error| panic!("{change}: {error}"));
        let [advisor, subagents, workflows] = expected;
        assert_eq!(
            updated.multiagent,
            json!({"type": "multiagent_20261001", "advisor": advisor, "subagents": subagents, "workflows": workflows}),
            "{change}"
        );
    }
    // What is kept is checked as merged: without its one agent, the stored member may do nothing.
    let empties = json!({"multiagent": {"type": "multiagent_20261001", "subagents": {"type": "enabled", "predefined_agents": []}}});
    refused(
        update(&stored, empties.clone(), &roster()),
        "multiagent.subagents",
        "at least one",
        &empties,
    );

    let replaced = json!({"multiagent": {"type": "coordinator", "agents": ["agent_b"]}});
    let replaced = update(&stored, replaced, &roster()).unwrap();
    assert_eq!(
        replaced.multiagent,
        json!({"type": "coordinator", "agents": [pinned("agent_b", 2)]})
    );
    let back = update(
        &replaced,
        json!({"multiagent": {"type": "multiagent_20261001"}}),
        &roster(),
    )
    .unwrap();
    assert_eq!(back.multiagent["subagents"], enabled(json!([])));
    assert_eq!(
        update(&back, json!({"multiagent": null}), &roster())
            .unwrap()
            .multiagent,
        Value::Null
    );
}

#[test]
fn pins_stay_and_self_moves_on() {
    let mut stored =
        block(json!({"type": "coordinator", "agents": ["agent_a", {"type": "self"}]})).unwrap();
    // As the agent stands at version 3.
    stored.multiagent["agents"][1]["version"] = json!(3);
    // By now agent_a is archived: that does not hinder a change of the name.
    let mut roster = roster();
    for agent in roster.values_mut() {
        agent.is_archived = true;
    }
    let updated = update(&stored, json!({"name": "m"}), &roster).unwrap();
    assert_eq!(
        updated.multiagent["agents"],
        json!([pinned("agent_a", 5), pinned("agent_own", 4)])
    );
    // Its own id means itself, in every form.
    let by_id = json!({"multiagent": {"type": "coordinator", "agents": ["agent_own"]}});
    let by_id = update(&stored, by_id, &roster).unwrap();
    assert_eq!(by_id.multiagent["agents"], json!([pinned("agent_own", 4)]));
    let both =
        json!({"multiagent": {"type": "coordinator", "agents": ["agent_own", {"type": "self"}]}});
    refused(
        update(&stored, both.clone(), &roster),
        "multiagent.agents.1",
        "twice",
        &both,
    );
    // The region is compared with kept agents too.
    let moved = json!({"model": {"id": "opus", "inference_geo": "us"}});
    refused(
        update(&stored, moved.clone(), &roster),
        "multiagent",
        "inference_geo",
        &moved,
    );
}
