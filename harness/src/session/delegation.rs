//! Tools by which an agent starts others and speaks with them: their names, whom they reach, and when one that waits
//! has its answer.

use serde_json::Value;

use super::call::{Call, CallKind};
use super::state::{State, Status, roster_list};
use super::supervision;
use super::thread::{AgentOf, Thread};
use crate::json::Fields as _;

/// What a delegation tool does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delegation {
    /// Tells of the agents that can be started, and of those that were.
    List,
    /// Starts an agent in a thread of its own.
    Start,
    /// Sends a message to an agent that was started.
    Send,
    /// Waits until agents have done what they are at.
    Wait,
    /// Asks the advisor.
    Advise,
}

/// The tools by the names that models know them by. Never changed or reused.
pub const TOOLS: [(&str, Delegation); 5] = [
    ("list_agents", Delegation::List),
    ("start_agent", Delegation::Start),
    ("send_to_agent", Delegation::Send),
    ("wait_for_agents", Delegation::Wait),
    ("ask_advisor", Delegation::Advise),
];

impl Delegation {
    /// Returns the tool of this name.
    pub fn parse(name: &str) -> Option<Self> {
        let mut tools = TOOLS.iter();
        tools.find(|(own, _)| *own == name).map(|(_, tool)| *tool)
    }
}

/// An agent that another may start.
#[derive(Clone, PartialEq, Debug)]
pub struct Member<'a> {
    /// Its snapshot.
    pub agent: &'a Value,
    /// Where that stands, seen from the session's agent.
    pub place: AgentOf,
}

/// Whom an agent may start or ask.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Roster<'a> {
    /// Agents that were made before.
    pub members: Vec<Member<'a>>,
    /// Agents may be made up on the spot.
    pub has_inline: bool,
    /// The model that gives advice.
    pub advisor: Option<&'a str>,
    /// Levels that those who are started may have below them, where limits may be set for them.
    pub levels_below: Option<u32>,
}

impl Roster<'_> {
    /// Tells whether it reaches nobody.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && !self.has_inline && self.advisor.is_none()
    }
}

/// Returns whom the agent of a thread may start or ask. One that was made up may start whom its maker may.
pub fn roster<'a>(state: &'a State, thread: &'a Thread) -> Roster<'a> {
    let mut roster = of_agent(state, thread);
    if thread.grant.depth() == 0 {
        roster.members.clear();
        roster.has_inline = false;
    }
    let grant = &thread.grant;
    roster.levels_below = grant
        .is_narrowing()
        .then(|| grant.depth().saturating_sub(1));
    roster
}

fn of_agent<'a>(state: &'a State, thread: &'a Thread) -> Roster<'a> {
    let above: &[(String, usize)] = match &thread.agent {
        AgentOf::Session => &[],
        AgentOf::Listed(path) => path,
        AgentOf::Inline(_) => {
            let chain = state.chain(thread).into_iter().rev();
            let mut makers = chain.filter(|maker| !matches!(maker.agent, AgentOf::Inline(_)));
            let roster = makers.next().map(|maker| of_agent(state, maker));
            return Roster {
                advisor: None,
                ..roster.unwrap_or_default()
            };
        }
        AgentOf::Advisor(_) | AgentOf::Grader(_) => return Roster::default(),
    };
    let agent = state.agent_of(thread);
    let block = agent.at("multiagent");
    let mut roster = Roster::default();
    let list = match block.at("type").as_str() {
        Some("coordinator") => "agents",
        Some(_) => {
            let subagents = block.at("subagents");
            let is_enabled = *subagents.at("type") == "enabled";
            roster.has_inline =
                is_enabled && *subagents.at("inline_agents").at("type") == "enabled";
            roster.advisor = block.at("advisor").at("model").as_str();
            if !is_enabled {
                return roster;
            }
            "subagents"
        }
        None => return roster,
    };
    let entries = roster_list(agent, list).map_or(&[][..], Vec::as_slice);
    for (place, entry) in entries.iter().enumerate() {
        if *entry.at("type") == "advisor" {
            roster.advisor = entry.at("model").as_str();
            continue;
        }
        let mut path = above.to_vec();
        path.push((list.to_owned(), place));
        roster.members.push(Member {
            agent: entry,
            place: AgentOf::Listed(path),
        });
    }
    roster
}

/// Returns the threads that a call of [`Delegation::Wait`] waits for: those that it names and that are the caller's, or
/// all of the caller's.
pub fn targets<'a>(state: &'a State, thread: &'a Thread, call: &Call) -> Vec<&'a Thread> {
    let named = call.input.at("thread_ids").as_array();
    let is_named = |child: &&Thread| match named {
        Some(named) if !named.is_empty() => named.iter().any(|id| *id == *child.id.as_str()),
        _ => true,
    };
    state.children(&thread.id).filter(is_named).collect()
}

/// Tells whether an agent has not yet done what it is at: it works, or will go on once somebody did something, or an agent
/// that it started is busy, whose answer wakes it.
pub fn is_busy(state: &State, thread: &Thread) -> bool {
    if is_at_work(thread) || thread.grant.depth() == 0 {
        return is_at_work(thread);
    }
    let below = state.subtree(&thread.id).into_iter();
    below.filter(|below| below.is_started()).any(is_at_work)
}

/// Tells whether an agent works itself, or waits for the client or for money.
fn is_at_work(thread: &Thread) -> bool {
    match thread.status {
        Status::Running | Status::Rescheduling => true,
        Status::Idle => matches!(
            thread.stop_reason.at("type").as_str(),
            Some("requires_action" | "budget_reached")
        ),
        Status::Terminated => false,
    }
}

/// Tells whether a call has to wait for other threads.
pub(super) fn is_pending(state: &State, thread: &Thread, call: &Call) -> bool {
    match call.kind {
        _ if call.answer.is_some() => return false,
        CallKind::Supervision => return supervision::is_pending(state, call),
        CallKind::Delegation => {}
        _ => return false,
    }
    match Delegation::parse(&call.name) {
        Some(Delegation::Wait) => {
            let targets = targets(state, thread, call);
            let mut busy = targets.iter().filter(|child| is_busy(state, child));
            match *call.input.at("for") == "any" {
                true => !targets.is_empty() && busy.count() == targets.len(),
                false => busy.next().is_some(),
            }
        }
        Some(Delegation::Advise) => {
            let mut others = state.live_threads();
            others.any(|child| child.for_call.as_ref() == Some(&call.event_id))
        }
        _ => false,
    }
}
