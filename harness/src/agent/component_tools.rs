//! The functions of registered components that an agent has as tools, and what a call of one is granted.
//!
//! The agent's block `sinew` names components, each pinned to a version when the session began; what the versions offer
//! is kept with the session's configuration. An agent that others started has no more of a component than each of them.

use serde_json::Value;

use super::toolset::{Known, is_narrowed};
use crate::hands::{ComponentCall, Grants};
use crate::json::Fields as _;
use crate::session::{State, TOOLS_FIELD, Thread};

/// One function of a component, as an agent has it.
#[derive(Clone, Copy)]
pub(super) struct ComponentTool<'a> {
    /// What the agent says of the component.
    pub(super) set: &'a Value,
    /// The version that it means.
    pub(super) component: &'a Value,
    /// What the function offers.
    pub(super) definition: &'a Value,
}

impl<'a> ComponentTool<'a> {
    /// Returns the name that the model knows it by.
    pub(super) fn name(&self) -> String {
        let prefix = self.set.at("prefix").as_str().unwrap_or_default();
        format!("{prefix}{}", self.own_name())
    }

    /// Returns its name in the component.
    pub(super) fn own_name(&self) -> &'a str {
        self.definition.at("name").as_str().unwrap_or_default()
    }

    /// Tells whether two agents mean the same function of the same version.
    pub(super) fn is_same(&self, other: &ComponentTool<'_>) -> bool {
        self.component.at("version_id") == other.component.at("version_id")
            && self.own_name() == other.own_name()
    }
}

/// Returns what a session keeps of the components that its agents have.
pub(super) fn kept(state: &State) -> &[Value] {
    let kept = state.config.at(TOOLS_FIELD).as_array();
    kept.map_or(&[], Vec::as_slice)
}

/// Returns the functions that an agent has of the components in `known`, enabled or not.
pub(super) fn of_agent<'a>(
    agent: &'a Value,
    known: Known<'a>,
) -> impl Iterator<Item = ComponentTool<'a>> {
    let sets = agent.at("sinew").at("tools").as_array();
    sets.into_iter().flatten().flat_map(move |set| {
        let is_meant = |component: &&Value| {
            component.at("name") == set.at("name") && component.at("version") == set.at("version")
        };
        let component = known.components.iter().find(is_meant);
        component.into_iter().flat_map(move |component| {
            let definitions = component.at("tools").as_array();
            definitions
                .into_iter()
                .flatten()
                .map(move |definition| ComponentTool {
                    set,
                    component,
                    definition,
                })
        })
    })
}

/// Returns the function that an agent's model knows by a name.
pub(super) fn named<'a>(
    agent: &'a Value,
    known: Known<'a>,
    name: &str,
) -> Option<ComponentTool<'a>> {
    of_agent(agent, known).find(|tool| tool.name() == name)
}

/// Returns what a hand must know of a call of a component's function; none of any other tool.
pub(super) fn call_of(state: &State, thread: &Thread, name: &str) -> Option<ComponentCall> {
    let known = Known {
        built_in: &[],
        mcp_lists: &[],
        components: kept(state),
    };
    let own = named(state.agent_of(thread), known, name)?;
    let mut grants = Grants::read(own.set.at("grants"));
    if is_narrowed(thread) {
        let mut above = state.agents_above(thread);
        above.pop();
        for agent in above {
            let theirs = of_agent(agent, known).find(|tool| tool.is_same(&own));
            let theirs = theirs.map(|tool| Grants::read(tool.set.at("grants")));
            grants = grants.within(&theirs.unwrap_or_default());
        }
    }
    let text = |name: &str| {
        let text = own.component.at(name).as_str();
        text.unwrap_or_default().to_owned()
    };
    Some(ComponentCall {
        name: text("name"),
        version_id: text("version_id"),
        function: own.own_name().to_owned(),
        grants,
    })
}
