//! Policy as code: rules of an agent or a session about its tool calls and about the requests of its hand.
//!
//! A rule is a condition in the Common Expression Language (CEL) and a verdict. Of one owner's rules the first whose
//! condition holds counts; of several owners' the strictest verdict. What cannot be evaluated denies: a rule that
//! protects something must not stop doing so because a field is missing.
//!
//! Conditions come from clients and look at what models say, so they are bounded: in length, in the size of what they
//! look at, and in what loops may do. The parser and the interpreter recurse as deeply as an expression does; both run
//! on a stack that is large enough for the longest.

mod check;
mod facts;
#[cfg(test)]
mod tests;

use std::thread;

use cel::Program;
use serde_json::{Value, json};

pub use self::facts::{CallFacts, RequestFacts};
use self::facts::{Facts, Names, Seen};
use crate::json::Fields as _;

/// Most rules of one owner.
pub const RULES_MAX: usize = 50;
/// Longest condition in bytes.
pub const CONDITION_BYTES_MAX: usize = 1_000;
/// Longest reason in characters.
pub const REASON_CHARACTERS_MAX: usize = 500;
/// Stack of whoever parses and evaluates: an expression of [`CONDITION_BYTES_MAX`] that nests as deeply as it can needs
/// about half of it in a build without optimisation.
const STACK_BYTES: usize = 64 << 20;

/// What a rule says of what it holds for, from the mildest to the strictest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// It is made without asking anybody.
    Allow,
    /// The client decides.
    Ask,
    /// It is not made.
    Deny,
}

impl Verdict {
    /// Returns the word that stands for it in rules and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Ask => "ask",
            Verdict::Deny => "deny",
        }
    }

    fn parse(word: Option<&str>) -> Self {
        match word {
            Some("allow") => Verdict::Allow,
            Some("ask") => Verdict::Ask,
            _ => Verdict::Deny,
        }
    }
}

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    /// A tool call, before it is made.
    Call,
    /// An HTTP request of the hand, before it leaves.
    Request,
}

impl On {
    /// Returns the word that stands for it in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            On::Call => "call",
            On::Request => "request",
        }
    }

    fn names(self) -> Names {
        match self {
            On::Call => facts::CALL_NAMES,
            On::Request => facts::REQUEST_NAMES,
        }
    }
}

/// Why a condition cannot be one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleError {
    /// It has more than [`CONDITION_BYTES_MAX`] bytes.
    #[error("a condition has at most {CONDITION_BYTES_MAX} bytes")]
    TooLong,
    /// It does not parse; says where.
    #[error("not an expression of CEL: {0}")]
    Syntax(String),
    /// It uses something that there is not.
    #[error("{0}")]
    Unknown(String),
    /// It does something in a loop that has no bound.
    #[error(
        "within all() and exists() there is neither another loop nor +, matches() or in, and other loops there are none"
    )]
    Loop,
    /// It makes a pattern of what it looks at.
    #[error("the pattern of matches() is to be a text between quotes that is a regular expression")]
    Pattern,
    /// The host has no room for it.
    #[error("it could not be checked: {0}")]
    Host(String),
}

/// What the rules say of one call or request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// Whose rule it is: `agent` or `session`.
    pub owner: &'static str,
    /// Its place among the owner's rules, counted from 1.
    pub rule: usize,
    /// The rule's own words, or why it could not be evaluated; may be empty.
    pub reason: String,
}

impl Ruling {
    /// Returns it as events record it.
    pub fn to_json(&self) -> Value {
        json!({
            "verdict": self.verdict.as_str(),
            "owner": self.owner,
            "rule": self.rule,
            "reason": self.reason,
        })
    }
}

/// Checks a condition. Errors: see [`RuleError`].
pub fn check(condition: &str, on: On) -> Result<(), RuleError> {
    let checked = on_large_stack(|| Condition::new(condition, on).map(drop));
    checked.unwrap_or_else(|why| Err(RuleError::Host(why)))
}

/// A condition that may be evaluated.
struct Condition {
    program: Program,
    has_loops: bool,
}

impl Condition {
    /// Parses and checks it, wherever it comes from: an imported session was not checked here when it was made. Call it
    /// on a large stack.
    fn new(condition: &str, on: On) -> Result<Self, RuleError> {
        if condition.len() > CONDITION_BYTES_MAX {
            return Err(RuleError::TooLong);
        }
        let program = Program::compile(condition);
        let program = program.map_err(|errors| RuleError::Syntax(check::syntax(&errors)))?;
        let has_loops = check::program(&program, on.names())?;
        Ok(Self { program, has_loops })
    }

    /// Tells whether it holds. Errors: it cannot be evaluated.
    fn holds(&self, seen: &Seen) -> Result<bool, String> {
        if self.has_loops && seen.longest > facts::LOOPED_MAX {
            let most = facts::LOOPED_MAX;
            return Err(format!("it loops over more than {most} values"));
        }
        match self.program.execute(&seen.context) {
            Ok(cel::Value::Bool(holds)) => Ok(holds),
            Ok(other) => {
                let kind = other.type_of();
                Err(format!("it comes to {kind}, not to true or false"))
            }
            Err(error) => Err(facts::error_text(&error)),
        }
    }
}

/// One rule.
struct Rule {
    place: usize,
    condition: String,
    verdict: Verdict,
    reason: String,
}

/// The rules of one owner.
struct Owned {
    owner: &'static str,
    rules: Vec<Rule>,
}

/// The rules of a session about calls or about requests.
pub struct Rules {
    on: On,
    owners: Vec<Owned>,
}

impl Rules {
    /// Reads those of a session's configuration, and those of the agents that they are to hold for.
    pub fn of<'a>(config: &Value, agents: impl IntoIterator<Item = &'a Value>, on: On) -> Self {
        let agents = agents.into_iter();
        let of_agents = agents.map(|agent| ("agent", agent.at("sinew").at("policy")));
        let owners = of_agents.chain([("session", config.at("sinew").at("policy"))]);
        let owners = owners.map(|(owner, rules)| Owned {
            owner,
            rules: of_list(rules, on),
        });
        Self {
            on,
            owners: owners.filter(|owned| !owned.rules.is_empty()).collect(),
        }
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Returns what they say of each of these; none where no rule's condition holds. It parses and evaluates: run it
    /// where blocking is allowed.
    pub fn rule<F: Facts + Sync>(&self, all: &[F]) -> Vec<Option<Ruling>> {
        let ruled = on_large_stack(|| {
            let compiled = self
                .owners
                .iter()
                .map(|owned| Compiled::new(owned, self.on));
            let compiled: Vec<_> = compiled.collect();
            let strictest = |facts: &F| {
                let seen = facts.seen();
                let rulings = compiled.iter().filter_map(|owned| owned.rule(&seen));
                rulings.max_by_key(|ruling| ruling.verdict)
            };
            all.iter().map(strictest).collect()
        });
        ruled.unwrap_or_else(|why| {
            let owner = self.owners.first().map_or("agent", |owned| owned.owner);
            let ruling = Ruling {
                verdict: Verdict::Deny,
                owner,
                rule: 0,
                reason: format!("the rules could not be evaluated: {why}"),
            };
            vec![Some(ruling); all.len()]
        })
    }
}

fn of_list(rules: &Value, on: On) -> Vec<Rule> {
    let rules = rules.as_array().into_iter().flatten();
    // What comes with an imported session may have more; those behind the last that counts deny.
    let surplus = rules.clone().nth(RULES_MAX).map(|_| Rule {
        place: RULES_MAX + 1,
        condition: "true".to_owned(),
        verdict: Verdict::Deny,
        reason: format!("there are more than {RULES_MAX} rules"),
    });
    (1..)
        .zip(rules)
        .take(RULES_MAX)
        .filter(|(_, rule)| *rule.at("on") == on.as_str())
        .map(|(place, rule)| {
            let text = |name: &str| rule.at(name).as_str().unwrap_or_default().to_owned();
            Rule {
                place,
                condition: text("when"),
                verdict: Verdict::parse(rule.at("then").as_str()),
                reason: text("reason"),
            }
        })
        .chain(surplus)
        .collect()
}

/// Rules with their conditions parsed; one that does not parse any more denies everything.
struct Compiled<'a> {
    owned: &'a Owned,
    conditions: Vec<Result<Condition, RuleError>>,
}

impl<'a> Compiled<'a> {
    fn new(owned: &'a Owned, on: On) -> Self {
        let rules = owned.rules.iter();
        let conditions = rules.map(|rule| Condition::new(&rule.condition, on));
        Self {
            owned,
            conditions: conditions.collect(),
        }
    }

    /// Returns the first ruling, if there is one.
    fn rule(&self, seen: &Result<Seen, String>) -> Option<Ruling> {
        let rules = self.owned.rules.iter().zip(&self.conditions);
        let mut rulings = rules.filter_map(|(rule, condition)| {
            let holds = match (condition, seen) {
                (Ok(condition), Ok(seen)) => condition.holds(seen),
                (Err(error), _) => Err(error.to_string()),
                (_, Err(why)) => Err(why.clone()),
            };
            let (verdict, reason) = match holds {
                Ok(true) => (rule.verdict, rule.reason.clone()),
                Ok(false) => return None,
                Err(why) => (Verdict::Deny, format!("it could not be evaluated: {why}")),
            };
            Some(Ruling {
                verdict,
                owner: self.owned.owner,
                rule: rule.place,
                reason,
            })
        });
        rulings.next()
    }
}

/// Runs something on a stack of its own. Errors: there is no thread to be had, or it panicked.
fn on_large_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, String> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("rules".to_owned());
        let thread = builder.stack_size(STACK_BYTES).spawn_scoped(scope, run);
        let thread = thread.map_err(|error| error.to_string())?;
        thread
            .join()
            .map_err(|_| "the interpreter failed".to_owned())
    })
}
