//! Delegation beyond one level: whatever agents, blocks and calls say, nobody has more than the one above.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::grant::{Bounds, Grant};
use super::tests::stored;
use super::{AgentOf, State};
use crate::ids::{SessionId, ThreadId};
use crate::json::Fields as _;
use crate::model::TokenUsage;

fn delegation() -> impl Strategy<Value = Value> {
    let count = || prop::option::of(0u64..8);
    let tools = prop::option::of(prop::sample::subsequence(
        vec!["bash", "read", "write", "s__put"],
        0..=4,
    ));
    let spend = prop::option::of(1u64..500);
    (count(), count(), count(), count(), spend, tools).prop_map(
        |(depth, breadth, agents, seconds, spend, tools)| {
            let mut block = json!({
                "depth": depth, "breadth": breadth, "agents": agents, "seconds": seconds, "tools": tools,
            });
            if let Some(cents) = spend {
                block.set("spend", json!({"amount": cents.to_string(), "currency": "USD"}));
            }
            block
        },
    )
}

/// What a damaged or hostile log may have in the place of limits.
fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        delegation(),
        Just(Value::Null),
        Just(json!("all")),
        Just(json!({"depth": -1, "tools": "bash", "spend": 7, "seconds": "long"})),
        Just(
            json!({"depth": 99, "breadth": 1e30, "tools": [1, 2], "spend": {"amount": "99999999999999999999"}})
        ),
    ]
}

fn agent(block: &Value) -> Value {
    json!({"name": "a", "sinew": {"delegation": block}})
}

proptest! {
    #[test]
    fn nobody_has_more_than_the_one_above(
        session in delegation(),
        levels in prop::collection::vec((anything(), anything(), anything()), 1..8),
    ) {
        let config = json!({"agent": agent(&session)});
        let mut above = Grant::of_session(&config);
        for (starter, own, asked) in levels {
            let below = above.below(&agent(&starter), &agent(&own), &asked);
            prop_assert!(above.covers(&below), "{above:?} {below:?}");
            prop_assert!(below.depth() < above.depth().max(1));
            let bounds = Bounds::read(&asked);
            prop_assert!(bounds.tools.is_none_or(|tools| below.tools().is_some_and(|own| own.is_subset(&tools))));
            prop_assert!(bounds.spend_nanocents.is_none_or(|spend| below.spend_nanocents() <= Some(spend)));
            prop_assert!(bounds.seconds.is_none_or(|seconds| below.seconds() <= Some(seconds)));
            above = below;
        }
    }

    /// Threads of a log with any parents, in any order, with anything as their limits.
    #[test]
    fn no_log_widens_a_grant(
        session in delegation(),
        threads in prop::collection::vec((0usize..6, anything()), 1..8),
    ) {
        let mut state = state(&session);
        for (number, (parent, limits)) in threads.iter().enumerate() {
            let parent = match parent.checked_sub(1) {
                None => state.primary().id.as_str().to_owned(),
                Some(parent) => format!("sthr_{parent}"),
            };
            let of = AgentOf::Inline(agent(limits).into());
            begin(&mut state, number, &parent, &of, limits);
        }
        for thread in &state.threads {
            if let Some(parent) = thread.parent.as_ref().and_then(|id| state.thread(id.as_str())) {
                prop_assert!(parent.grant.covers(&thread.grant), "{:?} {:?}", parent.grant, thread.grant);
            }
            prop_assert!(state.chain(thread).len() <= state.threads.len() + 1);
        }
    }
}

fn state(delegation: &Value) -> State {
    let mut first = stored(
        1,
        "sinew.created",
        json!({"agent": agent(delegation)}),
        None,
    );
    first.thread_id = Some(ThreadId::from_text("sthr_primary"));
    State::start(&SessionId::from_text("sesn_1"), &first).unwrap()
}

fn begin(state: &mut State, number: usize, parent: &str, of: &AgentOf, limits: &Value) {
    let made = stored(
        state.last + 1,
        "session.thread_created",
        json!({"session_thread_id": format!("sthr_{number}"), "agent_name": "a", "workflow_run_id": null}),
        Some(json!({"agent": of.to_json(), "parent_thread_id": parent, "limits": limits})),
    );
    state.apply(&made).unwrap();
}

#[test]
fn without_a_block_there_is_one_level() {
    let grant = Grant::of_session(&json!({"agent": {"name": "a"}}));
    assert_eq!(
        (grant.depth(), grant.breadth(), grant.is_narrowing()),
        (1, 25, false)
    );
    let below = grant.below(&json!({}), &agent(&json!({"depth": 5})), &Value::Null);
    assert_eq!((below.depth(), below.tools()), (0, None));
}

#[test]
fn what_somebody_below_uses_is_used_above() {
    use super::{Room, room};
    let mut state = state(
        &json!({"depth": 3, "spend": {"amount": "10", "currency": "USD"}, "agents": 2, "breadth": 1}),
    );
    let agent = AgentOf::Inline(agent(&json!({"seconds": 5})).into());
    let primary = state.primary().id.as_str().to_owned();
    begin(&mut state, 0, &primary, &agent, &Value::Null);
    assert!(
        state
            .no_room_below(state.primary())
            .unwrap()
            .contains("1 agents already")
    );
    let lead = state.thread("sthr_0").unwrap();
    assert_eq!(state.no_room_below(lead), None);
    begin(&mut state, 1, "sthr_0", &agent, &Value::Null);
    let worker = state.thread("sthr_1").unwrap();
    assert!(
        state
            .no_room_below(worker)
            .unwrap()
            .contains("2 agents already")
    );
    assert_eq!((worker.grant.depth(), worker.grant.seconds()), (1, Some(5)));
    assert_eq!(room(&state, worker), Room::Free);

    // Eleven cents of the worker's are the lead's as well, and not the session's.
    let usage =
        json!({"usage": TokenUsage::default(), "cost_nanocents": "11000000000", "content": []});
    let mut ended = stored(
        state.last + 1,
        "span.model_request_end",
        json!({"is_error": false}),
        Some(usage),
    );
    ended.thread_id = Some(worker.id.clone());
    state.apply(&ended).unwrap();
    for (id, is_free) in [
        ("sthr_1", false),
        ("sthr_0", false),
        (primary.as_str(), true),
    ] {
        let thread = state.thread(id).unwrap();
        assert_eq!(room(&state, thread) == Room::Free, is_free, "{id}");
    }
}
