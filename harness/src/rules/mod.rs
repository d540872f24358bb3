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

use cel::{Context, Program};
use serde_json::{Value, json};

pub use self::facts::{CallFacts, RequestFacts};
use self::facts::{Facts, Names};
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
        "within all() and exists() there is neither another loop nor +, and other loops there are none"
    )]
    Loop,
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
    if condition.len() > CONDITION_BYTES_MAX {
        return Err(RuleError::TooLong);
    }
    on_large_stack(|| {
        let program = compile(condition)?;
        check::program(&program, on.names())
    })
    .unwrap_or_else(|why| Err(RuleError::Host(why)))
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
    owners: Vec<Owned>,
}

impl Rules {
    /// Reads those of a session's configuration: of its agent, and its own.
    pub fn of_session(config: &Value, on: On) -> Self {
        let owners = [
            ("agent", config.at("agent").at("sinew").at("policy")),
            ("session", config.at("sinew").at("policy")),
        ];
        let owners = owners.map(|(owner, rules)| Owned {
            owner,
            rules: of_list(rules, on),
        });
        let has_rules = |owned: &Owned| !owned.rules.is_empty();
        Self {
            owners: owners.into_iter().filter(has_rules).collect(),
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
            let compiled: Vec<_> = self.owners.iter().map(Compiled::new).collect();
            let strictest = |facts: &F| {
                let context = facts.context();
                let rulings = compiled.iter().filter_map(|owned| owned.rule(&context));
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
    (1..)
        .zip(rules)
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
        .collect()
}

/// Rules with their conditions parsed; one that does not parse any more denies everything.
struct Compiled<'a> {
    owned: &'a Owned,
    programs: Vec<Result<Program, RuleError>>,
}

impl<'a> Compiled<'a> {
    fn new(owned: &'a Owned) -> Self {
        let programs = owned.rules.iter().map(|rule| compile(&rule.condition));
        Self {
            owned,
            programs: programs.collect(),
        }
    }

    /// Returns the first ruling, if there is one.
    fn rule(&self, context: &Result<Context<'_, '_>, String>) -> Option<Ruling> {
        let rules = self.owned.rules.iter().zip(&self.programs);
        let mut rulings = rules.filter_map(|(rule, program)| {
            let (verdict, reason) = match holds(program, context) {
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

fn holds(
    program: &Result<Program, RuleError>,
    context: &Result<Context<'_, '_>, String>,
) -> Result<bool, String> {
    let program = program.as_ref().map_err(RuleError::to_string)?;
    let context = context.as_ref().map_err(String::clone)?;
    match program.execute(context) {
        Ok(cel::Value::Bool(holds)) => Ok(holds),
        Ok(other) => Err(format!(
            "it comes to {}, not to true or false",
            other.type_of()
        )),
        Err(error) => Err(facts::error_text(&error)),
    }
}

fn compile(condition: &str) -> Result<Program, RuleError> {
    Program::compile(condition).map_err(|errors| RuleError::Syntax(check::syntax(&errors)))
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
