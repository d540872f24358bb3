//! The rules of supervision, read from the blocks that hold for a thread.

use serde_json::Value;

use super::super::state::State;
use super::super::thread::Thread;
use super::plan::Supervised;
use super::{ASK_USER, Barrier, FINISH_STEP, MAKE_PLAN};
use crate::json::Fields as _;

/// Who is asked where an agent is less sure than it has to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Below {
    /// A person.
    Person,
    /// A stronger model, and a person if that did not help.
    Advisor(String),
}

/// How sure an agent has to be.
#[derive(Clone, PartialEq, Debug)]
pub struct Confidence {
    /// From 0 to 1.
    pub threshold: f64,
    /// Who is asked below it.
    pub below: Below,
}

/// How steps are validated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Validation {
    /// Failures in a row after which it is tried again.
    pub retries: u32,
    /// Commands of the operator's that have to succeed at each step, beside the step's own.
    pub commands: Vec<String>,
}

/// The rules that hold for the agent of a thread.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Supervision {
    /// It has to have a plan with an open step before it may act.
    pub plan: bool,
    /// A person has to approve the plan.
    pub is_approved: bool,
    /// Tools that it may use without a plan beside those that only look, by the names that the model knows.
    pub free_tools: Vec<String>,
    /// Questions that it has to ask the user before it may act.
    pub questions: u32,
    /// How sure it has to be of each step.
    pub confidence: Option<Confidence>,
    /// How its steps are validated.
    pub validation: Option<Validation>,
}

impl Supervision {
    /// Returns the rules of a thread: its agent's, and the session's where it is the primary one.
    pub fn of(state: &State, thread: &Thread) -> Self {
        if thread.is_grader() || thread.is_advisor() {
            return Self::default();
        }
        let own = state.agent_of(thread).at("sinew");
        let sessions = match thread.is_primary() {
            true => state.config.at("sinew"),
            false => &Value::Null,
        };
        Self::of_block(own).joined(Self::of_block(sessions))
    }

    /// Reads a block as it is stored.
    pub(super) fn of_block(block: &Value) -> Self {
        let whole = |value: &Value| value.as_u64().map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let [plan, confidence, validation] =
            ["plan", "confidence", "validation"].map(|name| block.at(name));
        let free = plan.at("free_tools").as_array().into_iter().flatten();
        Self {
            plan: plan.is_object() || confidence.is_object() || validation.is_object(),
            is_approved: *plan.at("approval") == "person",
            free_tools: free.filter_map(Value::as_str).map(str::to_owned).collect(),
            questions: whole(block.at("questions").at("min")).unwrap_or(0),
            confidence: confidence
                .at("threshold")
                .as_f64()
                .map(|threshold| Confidence {
                    threshold,
                    below: match confidence.at("below").at("model").as_str() {
                        Some(model) => Below::Advisor(model.to_owned()),
                        None => Below::Person,
                    },
                }),
            validation: validation.is_object().then(|| Validation {
                retries: whole(validation.at("retries")).unwrap_or(0),
                commands: validation
                    .at("command")
                    .as_str()
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
            }),
        }
    }

    /// Returns the rules that keep both: of two words the stricter one.
    pub(super) fn joined(self, other: Self) -> Self {
        let free_tools = match (self.plan, other.plan) {
            (true, true) => {
                let is_both = |tool: &String| other.free_tools.contains(tool);
                self.free_tools.into_iter().filter(is_both).collect()
            }
            (true, false) => self.free_tools,
            (false, _) => other.free_tools,
        };
        let confidence = match (self.confidence, other.confidence) {
            (Some(one), Some(two)) => Some(Confidence {
                threshold: one.threshold.max(two.threshold),
                below: match (one.below, two.below) {
                    (Below::Advisor(model), Below::Advisor(_)) => Below::Advisor(model),
                    _ => Below::Person,
                },
            }),
            (one, two) => one.or(two),
        };
        let validation = match (self.validation, other.validation) {
            (Some(one), Some(two)) => Some(Validation {
                retries: one.retries.min(two.retries),
                commands: one.commands.into_iter().chain(two.commands).collect(),
            }),
            (one, two) => one.or(two),
        };
        Self {
            plan: self.plan || other.plan,
            is_approved: self.is_approved || other.is_approved,
            free_tools,
            questions: self.questions.max(other.questions),
            confidence,
            validation,
        }
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        !self.plan && self.questions == 0
    }

    /// Returns the names of the tools that an agent has for them.
    pub fn tools(&self) -> Vec<&'static str> {
        let mut tools = Vec::new();
        if self.plan {
            tools.extend([MAKE_PLAN, FINISH_STEP]);
        }
        if !self.is_empty() {
            tools.push(ASK_USER);
        }
        tools
    }

    /// Returns what keeps an agent from calling a tool that acts.
    pub(super) fn barrier(&self, supervised: &Supervised, tool: &str) -> Option<Barrier> {
        match self.questions.checked_sub(supervised.answered) {
            Some(0) | None => {}
            Some(missing) => return Some(Barrier::Questions(missing)),
        }
        if !self.plan || self.free_tools.iter().any(|free| free == tool) {
            return None;
        }
        if supervised.is_stopped {
            return Some(Barrier::Stopped);
        }
        supervised.open_step().is_none().then_some(Barrier::Plan)
    }

    /// Returns who has to be asked about something of this score; none where it is enough. `advices` is how often the
    /// stronger model was asked already.
    pub fn below(&self, score: f64, advices: u32) -> Option<&Below> {
        let confidence = self.confidence.as_ref()?;
        // A number that is none is not enough.
        if score >= confidence.threshold {
            return None;
        }
        match &confidence.below {
            Below::Advisor(_) if advices > 0 => Some(&Below::Person),
            below => Some(below),
        }
    }

    /// Returns the commands that have to succeed before a step is done.
    pub fn commands(&self, own: Option<&str>) -> Vec<String> {
        let Some(validation) = &self.validation else {
            return Vec::new();
        };
        let own = own.map(str::to_owned);
        own.into_iter()
            .chain(validation.commands.iter().cloned())
            .collect()
    }

    /// Returns how often a validation may fail in a row and be tried again.
    pub fn retries(&self) -> u32 {
        self.validation
            .as_ref()
            .map_or(0, |validation| validation.retries)
    }
}
