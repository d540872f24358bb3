//! What an agent that was started may do at the most: a grant, which can only become less on the way down.
//!
//! A grant is made of the one above it and of limits, and there is no other way to make one, so nothing can widen it: not a
//! block of an agent further down, not what a model asks for, not a log that somebody changed. Mounts, hosts and secrets
//! are the session's: every agent of it works in the same hand, so they are equal for all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::state::State;
use super::thread::Thread;
use super::usage::NANOCENTS_PER_CENT;
use crate::ids::ThreadId;
use crate::json::Fields as _;

/// Agents that a session may have at a time beside its own, those that are idle included.
pub const LIVE_MAX: u32 = 25;
/// Levels below the session's own agent.
pub const DEPTH_MAX: u32 = 5;

/// Limits that somebody sets for an agent that is started, and for those below it. What is absent limits nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    /// Levels below whoever sets them.
    pub depth: Option<u32>,
    /// Agents that one agent may have started at a time.
    pub breadth: Option<u32>,
    /// Agents below one agent at a time, over all levels.
    pub agents: Option<u32>,
    /// What an agent with all below it may cost, in nano-cents.
    pub spend_nanocents: Option<u64>,
    /// How long an agent with all below it may run, in seconds.
    pub seconds: Option<u64>,
    /// Tools that may be used, by the names that models know.
    pub tools: Option<BTreeSet<String>>,
}

impl Bounds {
    /// Reads a `delegation` block as it is stored, or the `limits` of a call that starts an agent; what is not of their
    /// shape limits to nothing.
    pub fn read(block: &Value) -> Self {
        let whole = |name: &str| {
            let value = block.at(name);
            (!value.is_null()).then(|| value.as_u64().unwrap_or(0))
        };
        let count = |name: &str| whole(name).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let tools = block.at("tools");
        let spend = block.at("spend");
        let cents = spend
            .at("amount")
            .as_str()
            .and_then(|cents| cents.parse::<u64>().ok());
        Self {
            depth: count("depth"),
            breadth: count("breadth"),
            agents: count("agents"),
            spend_nanocents: (!spend.is_null()).then(|| {
                let unit = u64::try_from(NANOCENTS_PER_CENT).unwrap_or(u64::MAX);
                cents.unwrap_or(0).saturating_mul(unit)
            }),
            seconds: whole("seconds"),
            tools: (!tools.is_null()).then(|| {
                let names = tools.as_array().into_iter().flatten();
                names.filter_map(Value::as_str).map(str::to_owned).collect()
            }),
        }
    }

    /// Returns those of an agent's snapshot, for the agents that it starts.
    fn of_agent(agent: &Value) -> Self {
        Self::read(agent.at("sinew").at("delegation"))
    }
}

/// What the agent of a thread may do at the most.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Grant {
    depth: u32,
    breadth: u32,
    agents: u32,
    spend_nanocents: Option<u64>,
    seconds: Option<u64>,
    tools: Option<BTreeSet<String>>,
    is_narrowing: bool,
}

impl Grant {
    /// Returns one that grants nothing.
    pub fn nothing() -> Self {
        Self {
            depth: 0,
            breadth: 0,
            agents: 0,
            spend_nanocents: None,
            seconds: None,
            tools: None,
            is_narrowing: false,
        }
    }

    /// Returns what the agent that a session begins with has, by the session's configuration. Without a `delegation` block
    /// it starts agents of one level, each with the tools that it was made with.
    pub fn of_session(config: &Value) -> Self {
        let blocks = [config.at("sinew"), config.at("agent").at("sinew")];
        let blocks = blocks.map(|block| block.at("delegation"));
        let whole = Self {
            depth: DEPTH_MAX,
            breadth: LIVE_MAX,
            agents: LIVE_MAX,
            is_narrowing: blocks.iter().any(|block| block.is_object()),
            ..Self::nothing()
        };
        if !whole.is_narrowing {
            return Self { depth: 1, ..whole };
        }
        blocks.iter().fold(whole, |grant, block| {
            let bounds = Bounds::read(block);
            // What it costs, how long it runs and which tools it has is the session's own affair.
            grant.narrowed(&Bounds {
                spend_nanocents: None,
                seconds: None,
                tools: None,
                ..bounds
            })
        })
    }

    /// Returns what is left of it under limits.
    #[must_use]
    pub fn narrowed(&self, by: &Bounds) -> Self {
        let least = |own: Option<u64>, by: Option<u64>| match (own, by) {
            (Some(own), Some(by)) => Some(own.min(by)),
            (own, by) => own.or(by),
        };
        Self {
            depth: by.depth.map_or(self.depth, |by| by.min(self.depth)),
            breadth: by.breadth.map_or(self.breadth, |by| by.min(self.breadth)),
            agents: by.agents.map_or(self.agents, |by| by.min(self.agents)),
            spend_nanocents: least(self.spend_nanocents, by.spend_nanocents),
            seconds: least(self.seconds, by.seconds),
            tools: match (&self.tools, &by.tools) {
                (Some(own), Some(by)) => Some(own.intersection(by).cloned().collect()),
                (own, by) => own.clone().or_else(|| by.clone()),
            },
            is_narrowing: self.is_narrowing,
        }
    }

    /// Returns what an agent has that one with this grant starts: one level less, under the limits of the agent that starts
    /// it, of its own block as far as those it may start are concerned, and of the call.
    #[must_use]
    pub fn below(&self, starter: &Value, started: &Value, asked: &Value) -> Self {
        if !self.is_narrowing {
            return Self::nothing();
        }
        let own = Bounds::of_agent(started);
        let one_less = Bounds {
            depth: Some(self.depth.saturating_sub(1)),
            ..Bounds::default()
        };
        // What a starter says of depth is about levels below itself.
        let starters = Bounds::of_agent(starter);
        let starters = Bounds {
            depth: starters.depth.map(|depth| depth.saturating_sub(1)),
            ..starters
        };
        let own = Bounds {
            depth: own.depth,
            breadth: own.breadth,
            agents: own.agents,
            ..Bounds::default()
        };
        self.narrowed(&one_less)
            .narrowed(&starters)
            .narrowed(&own)
            .narrowed(&Bounds::read(asked))
    }

    /// Levels of agents that it may start.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Agents that it may have started at a time.
    pub fn breadth(&self) -> u32 {
        self.breadth
    }

    /// Agents that there may be below it at a time.
    pub fn agents(&self) -> u32 {
        self.agents
    }

    /// What it may cost with all below it, in nano-cents.
    pub fn spend_nanocents(&self) -> Option<u64> {
        self.spend_nanocents
    }

    /// How long it may run with all below it, in seconds.
    pub fn seconds(&self) -> Option<u64> {
        self.seconds
    }

    /// Tools that it may use; all if none are named.
    pub fn tools(&self) -> Option<&BTreeSet<String>> {
        self.tools.as_ref()
    }

    /// Agents that are started may do nothing that those above them may not.
    pub fn is_narrowing(&self) -> bool {
        self.is_narrowing
    }

    /// Tells whether another one grants nothing that this one does not.
    pub fn covers(&self, other: &Self) -> bool {
        let at_most = |own: Option<u64>, other: Option<u64>| match (own, other) {
            (Some(own), Some(other)) => other <= own,
            (Some(_), None) => false,
            (None, _) => true,
        };
        other.depth <= self.depth
            && other.breadth <= self.breadth
            && other.agents <= self.agents
            && at_most(self.spend_nanocents, other.spend_nanocents)
            && at_most(self.seconds, other.seconds)
            && match (&self.tools, &other.tools) {
                (Some(own), Some(other)) => other.is_subset(own),
                (Some(_), None) => false,
                (None, _) => true,
            }
            && (other.is_narrowing || !self.is_narrowing)
    }

    /// Returns what a call may not ask for, if it asks for more than this; `asked` are its limits.
    pub fn exceeded(&self, asked: &Bounds) -> Option<String> {
        let levels = self.depth.saturating_sub(1);
        if asked.depth.is_some_and(|depth| depth > levels) {
            return Some(format!(
                "An agent that you start may have {levels} level(s) below it at the most."
            ));
        }
        if let (Some(most), Some(asked)) = (self.seconds, asked.seconds)
            && asked > most
        {
            return Some(format!("You have {most} seconds yourself."));
        }
        if let (Some(most), Some(asked)) = (self.spend_nanocents, asked.spend_nanocents)
            && asked > most
        {
            let cents = u128::from(most) / NANOCENTS_PER_CENT;
            return Some(format!("You have {cents} cents yourself."));
        }
        let (Some(own), Some(asked)) = (&self.tools, &asked.tools) else {
            return None;
        };
        let foreign: Vec<&str> = asked.difference(own).map(String::as_str).collect();
        (!foreign.is_empty())
            .then(|| format!("You may not use these yourself: {}.", foreign.join(", ")))
    }

    /// Returns it as the API shows it.
    pub fn wire(&self) -> Value {
        let cents = self
            .spend_nanocents
            .map(|spend| u128::from(spend) / NANOCENTS_PER_CENT);
        json!({
            "depth": self.depth,
            "breadth": self.breadth,
            "agents": self.agents,
            "spend": cents.map(|cents| json!({"amount": cents.to_string(), "currency": "USD"})),
            "seconds": self.seconds,
            "tools": self.tools,
        })
    }
}

/// A limit that is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UsedUp {
    /// What an agent with all below it may cost.
    Spend,
    /// How long they may run.
    Time,
}

impl UsedUp {
    /// Says so, and what can be done.
    pub fn message(self) -> &'static str {
        match self {
            UsedUp::Spend => {
                "the agent, with those that it started, has used up what it may cost; raise spend in sinew.delegation of \
                 the agent that starts it, or have another one started"
            }
            UsedUp::Time => {
                "the agent, with those that it started, has used up its time; raise seconds in sinew.delegation of the \
                 agent that starts it, or have another one started"
            }
        }
    }
}

/// What the limits of an agent and those above it leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// Enough.
    Enough,
    /// Requests under way may use up the rest.
    Taken,
    /// Nothing.
    Nothing(UsedUp),
}

impl State {
    /// Returns the threads from the primary one to this one.
    pub fn chain<'a>(&'a self, thread: &'a Thread) -> Vec<&'a Thread> {
        let mut chain = vec![thread];
        let mut of = thread;
        // A log that somebody changed may have circles.
        while let Some(parent) = of.parent.as_ref().and_then(|id| self.thread(id.as_str()))
            && chain.len() <= self.threads.len()
        {
            chain.push(parent);
            of = parent;
        }
        chain.reverse();
        chain
    }

    /// Returns a thread and those of all agents below it, those that have ended included.
    pub fn subtree<'a>(&'a self, of: &'a ThreadId) -> Vec<&'a Thread> {
        // An agent is started after the one that starts it.
        let mut ids = BTreeSet::from([of]);
        let threads = self.threads.iter().map(AsRef::as_ref);
        threads
            .filter(|thread: &&Thread| {
                let is_below = thread.id == *of
                    || thread
                        .parent
                        .as_ref()
                        .is_some_and(|parent| ids.contains(parent));
                if is_below {
                    ids.insert(&thread.id);
                }
                is_below
            })
            .collect()
    }

    /// Returns what the limits of the agents above a thread, and its own, leave for a request of it.
    pub fn left(&self, thread: &Thread) -> Left {
        let mut left = Left::Enough;
        for limited in self.chain(thread) {
            let grant = &limited.grant;
            if grant.seconds.is_none() && grant.spend_nanocents.is_none() {
                continue;
            }
            let (mut used, mut reserved, mut micros) = (0u128, 0u128, 0u64);
            for part in self.subtree(&limited.id) {
                used = used.saturating_add(part.usage.total_nanocents());
                micros = micros
                    .saturating_add(part.usage.active_micros)
                    .saturating_add(part.running_micros(self.updated_at));
                if part.id != thread.id {
                    reserved = reserved.saturating_add(u128::from(part.reserved_nanocents));
                }
            }
            if let Some(spend) = grant.spend_nanocents.map(u128::from) {
                if used >= spend {
                    return Left::Nothing(UsedUp::Spend);
                }
                if reserved > 0 && used.saturating_add(reserved) >= spend {
                    left = Left::Taken;
                }
            }
            if grant
                .seconds
                .is_some_and(|seconds| micros / 1_000_000 >= seconds)
            {
                return Left::Nothing(UsedUp::Time);
            }
        }
        left
    }

    /// Tells whether what a request of a thread may cost has to be known before it begins.
    pub fn is_counted(&self, thread: &Thread) -> bool {
        let mut chain = self.chain(thread).into_iter();
        !self.config.at("budget").is_null()
            || chain.any(|above| above.grant.spend_nanocents.is_some())
    }

    /// Returns the agents that an agent may not start more of, if there is no room for another one below it.
    pub fn no_room_below(&self, thread: &Thread) -> Option<String> {
        if thread.grant.depth == 0 {
            return Some("You may start no agents: no level below you is allowed.".to_owned());
        }
        let started = u32::try_from(self.children(&thread.id).count()).unwrap_or(u32::MAX);
        if started >= thread.grant.breadth {
            return Some(format!(
                "You have {started} agents already, and may have no more. Go on with one of them."
            ));
        }
        self.chain(thread).into_iter().find_map(|above| {
            let below = self.subtree(&above.id).into_iter();
            let live = below.filter(|below| below.is_live() && below.is_started() && below.id != above.id);
            let live = u32::try_from(live.count()).unwrap_or(u32::MAX);
            let most = above.grant.agents;
            (live >= most).then(|| {
                format!(
                    "There are {live} agents already where {most} are allowed. Go on with one of them, or end your turn \
                     and have one archived."
                )
            })
        })
    }
}
