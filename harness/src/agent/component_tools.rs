//! Tools that a function of a registered component or a webhook runs, and what a call of one is granted.
//!
//! The agent's block `sinew` names components whose functions are tools, and binds custom tools to functions or webhooks.
//! Versions are pinned when the session begins, and what they offer is kept with its configuration. An agent that others
//! started has no more of a component than each of them.

use serde_json::Value;

use super::toolset::{Known, is_narrowed};
use crate::hands::{BoundCall, ComponentCall, Grants, WebhookCall};
use crate::json::Fields as _;
use crate::session::{State, TOOLS_FIELD, Thread};

/// One function of a component, as an agent has it.
#[derive(Clone, Copy)]
pub(super) struct ComponentTool<'a> {
    /// What the agent says of the component: a toolset, or the binding of a custom tool.
    pub(super) set: &'a Value,
    /// The version that it means.
    component: &'a Value,
    /// What the function offers.
    pub(super) definition: &'a Value,
}

impl<'a> ComponentTool<'a> {
    /// Returns the name that the model knows it by.
    pub(super) fn name(&self) -> String {
        if let Some(custom) = self.set.at("tool").as_str() {
            return custom.to_owned();
        }
        let prefix = self.set.at("prefix").as_str().unwrap_or_default();
        format!("{prefix}{}", self.own_name())
    }

    /// Returns its name in the component.
    pub(super) fn own_name(&self) -> &'a str {
        self.definition.at("name").as_str().unwrap_or_default()
    }

    fn is_same(&self, other: &ComponentTool<'_>) -> bool {
        self.component.at("version_id") == other.component.at("version_id")
            && self.own_name() == other.own_name()
    }
}

/// What runs the calls of a tool.
#[derive(Clone, Copy)]
pub(super) enum Bound<'a> {
    /// A function of a component.
    Function(ComponentTool<'a>),
    /// A server, as the binding names it.
    Webhook(&'a Value),
}

impl<'a> Bound<'a> {
    /// Tells whether two agents mean the same function of the same version, or the same server.
    pub(super) fn is_same(&self, other: &Bound<'_>) -> bool {
        match (self, other) {
            (Self::Function(own), Bound::Function(theirs)) => own.is_same(theirs),
            (Self::Webhook(own), Bound::Webhook(theirs)) => own.at("url") == theirs.at("url"),
            _ => false,
        }
    }

    /// Returns what the agent says of it, and its name there.
    pub(super) fn settings(&self) -> (&'a Value, &'a str) {
        match self {
            Self::Function(tool) => (tool.set, tool.own_name()),
            Self::Webhook(binding) => (binding, ""),
        }
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
        let component = component_of(set, known);
        component.into_iter().flat_map(move |component| {
            let definitions = component.at("tools").as_array().into_iter().flatten();
            definitions.map(move |definition| ComponentTool {
                set,
                component,
                definition,
            })
        })
    })
}

fn component_of<'a>(set: &Value, known: Known<'a>) -> Option<&'a Value> {
    known.components.iter().find(|component| {
        component.at("name") == set.at("name") && component.at("version") == set.at("version")
    })
}

/// Returns what a binding of a custom tool means; none of a function that its version lacks.
fn bound_by<'a>(binding: &'a Value, known: Known<'a>) -> Option<Bound<'a>> {
    if *binding.at("type") == "webhook" {
        return Some(Bound::Webhook(binding));
    }
    let component = component_of(binding, known)?;
    let mut definitions = component.at("tools").as_array()?.iter();
    let definition = definitions.find(|own| own.at("name") == binding.at("function"))?;
    Some(Bound::Function(ComponentTool {
        set: binding,
        component,
        definition,
    }))
}

fn bindings(agent: &Value) -> impl Iterator<Item = &Value> {
    let bindings = agent.at("sinew").at("bindings").as_array();
    bindings.into_iter().flatten()
}

/// Returns what runs the calls of the tool that an agent's model knows by a name; none if nothing here does.
pub(super) fn named<'a>(agent: &'a Value, known: Known<'a>, name: &str) -> Option<Bound<'a>> {
    if let Some(binding) = bindings(agent).find(|binding| *binding.at("tool") == *name) {
        return bound_by(binding, known);
    }
    let tool = of_agent(agent, known).find(|tool| tool.name() == name);
    tool.map(Bound::Function)
}

/// Returns the same of another agent's, by whatever name that has it.
pub(super) fn same<'a>(agent: &'a Value, known: Known<'a>, own: &Bound<'_>) -> Option<Bound<'a>> {
    let bound = bindings(agent).filter_map(|binding| bound_by(binding, known));
    let tools = of_agent(agent, known).map(Bound::Function);
    bound.chain(tools).find(|theirs| own.is_same(theirs))
}

/// Returns what a hand must know of a call that a component or a webhook runs; none of any other tool.
pub(super) fn call_of(state: &State, thread: &Thread, name: &str) -> Option<BoundCall> {
    let known = Known {
        built_in: &[],
        mcp_lists: &[],
        components: kept(state),
    };
    let own = named(state.agent_of(thread), known, name)?;
    let tool = match own {
        Bound::Webhook(binding) => return Some(BoundCall::Webhook(webhook(binding))),
        Bound::Function(tool) => tool,
    };
    let mut grants = Grants::read(tool.set.at("grants"));
    if is_narrowed(thread) {
        let mut above = state.agents_above(thread);
        above.pop();
        for agent in above {
            let theirs = same(agent, known, &own).map(|theirs| theirs.settings().0);
            let theirs = theirs.map_or_else(Grants::default, |set| Grants::read(set.at("grants")));
            grants = grants.within(&theirs);
        }
    }
    let text = |name: &str| {
        let text = tool.component.at(name).as_str();
        text.unwrap_or_default().to_owned()
    };
    Some(BoundCall::Component(ComponentCall {
        name: text("name"),
        version_id: text("version_id"),
        function: tool.own_name().to_owned(),
        grants,
    }))
}

fn webhook(binding: &Value) -> WebhookCall {
    let headers = binding.at("headers").as_object().into_iter().flatten();
    WebhookCall {
        url: binding.at("url").as_str().unwrap_or_default().to_owned(),
        headers: headers
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
        timeout_ms: binding.at("timeout_ms").as_u64().unwrap_or(0),
    }
}
