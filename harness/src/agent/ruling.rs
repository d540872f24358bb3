//! What the rules of an agent and a session say of the calls in an answer, beside what its toolsets do.

use std::collections::HashMap;

use serde_json::Value;

use super::delegation;
use super::runner::Runner;
use super::session::DriverError;
use super::supervise::Watch;
use super::toolset::{Evaluated, Known, Rights};
use crate::json::Fields as _;
use crate::model::ModelAnswer;
use crate::rules::{CallFacts, On, Rules, Ruling, Verdict};
use crate::session::{CallCounts, CallKind, Permission};

/// The rulings by the id that the model gave each call.
pub(super) type Rulings = HashMap<String, Ruling>;

/// Returns what toolsets and rules say together of a call: a block of type `tool_use`.
pub(super) fn evaluate_call(
    rights: &Rights<'_>,
    call: &Value,
    known: Known<'_>,
    rulings: &Rulings,
) -> Evaluated {
    let name = call.at("name").as_str().unwrap_or_default();
    let evaluated = rights.evaluate(name, known);
    let ruling = rulings.get(call.at("id").as_str().unwrap_or_default());
    match ruling {
        Some(ruling) => apply(evaluated, ruling.clone()),
        None => evaluated,
    }
}

/// A tool that is not enabled stays so. The client runs custom tools, whether or not it is asked.
fn apply(evaluated: Evaluated, ruling: Ruling) -> Evaluated {
    let is_enabled = evaluated.kind == CallKind::Custom || evaluated.evaluation.is_some();
    if !is_enabled {
        return evaluated;
    }
    let permission = match ruling.verdict {
        Verdict::Deny => Permission::Deny,
        Verdict::Ask if evaluated.kind != CallKind::Custom => Permission::Ask,
        Verdict::Allow | Verdict::Ask => Permission::Allow,
    };
    // The wire's word on the toolset's policy is kept where it is what counts.
    let evaluation = evaluated
        .evaluation
        .filter(|evaluation| permission == evaluated.permission && evaluation.at("type") != "auto");
    Evaluated {
        permission,
        evaluation,
        ruling: Some(ruling),
        ..evaluated
    }
}

impl Runner {
    /// Returns what the session's rules say of the calls in an answer.
    pub(super) async fn rule(&mut self, answer: &ModelAnswer) -> Result<Rulings, DriverError> {
        let brain = self.brain.clone();
        let state = self.state();
        let rules = Rules::of(&state.config, state.agents_above(self.thread()?), On::Call);
        if rules.is_empty() {
            return Ok(Rulings::new());
        }
        let known = brain.known(state);
        let delegation = delegation::names(state, self.thread()?);
        let watch = Watch::new(state, self.thread()?);
        let (ids, facts) = calls_of(
            answer,
            &Rights::of(state, self.thread()?),
            known,
            &delegation,
            &watch,
            &state.calls_made,
        );
        let ruled = tokio::task::spawn_blocking(move || rules.rule(&facts)).await;
        let ruled = ruled.map_err(|_| DriverError::Panicked)?;
        let ruled = ids.into_iter().zip(ruled);
        Ok(ruled
            .filter_map(|(id, ruling)| Some((id, ruling?)))
            .collect())
    }
}

/// Returns the ids of an answer's calls, and what conditions see of each: calls before it in the same answer count.
fn calls_of(
    answer: &ModelAnswer,
    rights: &Rights<'_>,
    known: Known<'_>,
    delegation: &[&str],
    watch: &Watch<'_>,
    made: &CallCounts,
) -> (Vec<String>, Vec<CallFacts>) {
    let mut counts = made.clone();
    let blocks = answer.content.iter();
    let calls = blocks.filter(|block| block.at("type") == "tool_use");
    let facts = calls.map(|call| {
        // A validation is what the shell does with it.
        let shell = watch.as_shell(call);
        let is_own = shell.is_none() && watch.is_own(call.at("name").as_str().unwrap_or_default());
        let call = shell.as_ref().unwrap_or(call);
        let text = |name: &str| call.at(name).as_str().unwrap_or_default();
        let evaluated = rights.evaluate(text("name"), known);
        let is_delegation = evaluated.is_unknown() && delegation.contains(&text("name"));
        let (kind, server) = match &evaluated.kind {
            _ if is_own => ("supervision", ""),
            _ if is_delegation => ("delegation", ""),
            CallKind::BuiltIn | CallKind::Worker => ("built_in", ""),
            CallKind::Component => ("component", ""),
            CallKind::Mcp(server) => ("mcp", server.as_str()),
            CallKind::Custom => ("custom", ""),
            CallKind::Delegation => ("delegation", ""),
            CallKind::Supervision => ("supervision", ""),
        };
        let tool = evaluated.own_name.as_deref().unwrap_or(text("name"));
        let facts = CallFacts {
            tool: tool.to_owned(),
            kind,
            server: server.to_owned(),
            input: call.at("input").clone(),
            count: counts.of(server, tool),
            count_all: counts.all(),
        };
        counts.add(server, tool);
        (text("id").to_owned(), facts)
    });
    facts.unzip()
}
