//! The calls of an answer, held against the rules before any of them is recorded as allowed.

use serde_json::{Value, json};

use super::{COMMAND, step_of};
use crate::agent::toolset::Evaluated;
use crate::json::Fields as _;
use crate::rules::{Ruling, Verdict};
use crate::session::{
    ASK_USER, Barrier, Below, CallKind, FINISH_STEP, MAKE_PLAN, Permission, PlanStep, State,
    Supervision, Thread, barrier, is_look, questions_in, read_plan, score_in, step_in,
};

/// What is said of a call beside its permission.
#[derive(Debug)]
pub(in crate::agent) struct Remark {
    /// What the model is told of a call that is denied, if it is something else than that.
    pub(in crate::agent) denial: Option<String>,
    /// What the event says of it: a name and a value for its field `sinew`.
    pub(in crate::agent) told: (&'static str, Value),
}

/// Looks at the calls of one answer, in their order.
pub(in crate::agent) struct Watch<'a> {
    state: &'a State,
    thread: &'a Thread,
    rules: Supervision,
    /// A call of the answer comes before, whose result decides what may follow.
    awaited: Option<&'static str>,
}

impl<'a> Watch<'a> {
    pub(in crate::agent) fn new(state: &'a State, thread: &'a Thread) -> Self {
        Self {
            state,
            thread,
            rules: Supervision::of(state, thread),
            awaited: None,
        }
    }

    /// Tells whether a tool is one that the agent has for its supervision.
    pub(in crate::agent) fn is_own(&self, name: &str) -> bool {
        self.rules.tools().contains(&name)
    }

    /// Returns the call of the shell that a call makes, if it ends a step that has a validation of the agent's own: what
    /// that may do is what the shell may.
    pub(in crate::agent) fn as_shell(&self, call: &Value) -> Option<Value> {
        let input = call.at("input");
        if *call.at("name") != FINISH_STEP || !self.rules.plan || *input.at("outcome") == "given_up"
        {
            return None;
        }
        self.rules.validation.as_ref()?;
        let step = step_of(self.thread, input)?;
        let command = step.validation.as_ref()?;
        Some(json!({"id": call.at("id"), "name": COMMAND, "input": {"command": command}}))
    }

    /// Returns what comes of a call that is not one of supervision: denied where a rule forbids it.
    pub(in crate::agent) fn other(&self, name: &str, evaluated: &mut Evaluated) -> Option<Remark> {
        if evaluated.kind == CallKind::Delegation || evaluated.permission == Permission::Deny {
            return None;
        }
        let found = barrier(self.state, self.thread, &evaluated.kind, name);
        let (denial, rule) = match (found, self.awaited) {
            (Some((barrier, is_above)), _) => (denial(barrier, is_above, name), barrier.as_str()),
            (None, Some(awaited))
                if !is_look(&evaluated.kind, name)
                    && !self.rules.free_tools.iter().any(|tool| tool == name) =>
            {
                (
                    format!(
                        "{name} was not called: what {awaited} comes to decides whether it may be. Call it then."
                    ),
                    "order",
                )
            }
            _ => return None,
        };
        deny(evaluated);
        Some(Remark {
            denial: Some(denial),
            told: ("supervision", json!({"rule": rule})),
        })
    }

    /// Returns what comes of a call of a supervision tool. `shell` is what the rules say of the command that it runs, and
    /// `ruling` what they say of the call itself.
    pub(in crate::agent) fn own(
        &mut self,
        call: &Value,
        shell: Option<Evaluated>,
        ruling: Option<&Ruling>,
    ) -> (Evaluated, Option<Remark>) {
        let (name, input) = (
            call.at("name").as_str().unwrap_or_default(),
            call.at("input"),
        );
        let mut evaluated = Evaluated {
            kind: match name {
                ASK_USER => CallKind::Custom,
                _ => CallKind::Supervision,
            },
            own_name: None,
            permission: Permission::Allow,
            evaluation: None,
            ruling: None,
        };
        let looked = match name {
            ASK_USER => questions_in(input).map(|_| None),
            MAKE_PLAN => self.plan(input),
            _ => self.finish(input, shell.as_ref()),
        };
        self.awaited.get_or_insert(match name {
            ASK_USER => ASK_USER,
            MAKE_PLAN => MAKE_PLAN,
            _ => FINISH_STEP,
        });
        let remark = match looked {
            Err(why) => {
                deny(&mut evaluated);
                Some(Remark {
                    denial: Some(why),
                    told: ("supervision", json!({"rule": "plan"})),
                })
            }
            Ok(Some(told)) => {
                evaluated.permission = Permission::Ask;
                Some(Remark { denial: None, told })
            }
            Ok(None) => None,
        };
        let ruling = ruling.filter(|_| evaluated.permission != Permission::Deny);
        if let Some(ruling) = ruling.filter(|ruling| ruling.verdict == Verdict::Deny) {
            evaluated.permission = Permission::Deny;
            evaluated.ruling = Some(ruling.clone());
            return (evaluated, None);
        }
        (evaluated, remark)
    }

    fn plan(&self, input: &Value) -> Result<Option<(&'static str, Value)>, String> {
        let supervised = &self.thread.supervised;
        if supervised.is_stopped {
            return Err(STOPPED.to_owned());
        }
        if supervised.failures > 0 {
            return Err(
                "The validation of a step failed: mend that, or give the step up, before you make another plan."
                    .to_owned(),
            );
        }
        let steps = read_plan(input)?;
        let lacks =
            |wanted: &dyn Fn(&PlanStep) -> bool| steps.iter().position(wanted).map(|at| at + 1);
        if self.rules.validation.is_some()
            && self.rules.commands(None).is_empty()
            && let Some(number) = lacks(&|step| step.validation.is_none())
        {
            return Err(format!(
                "Step {number} has no validation: every step needs a command that shows that it is done."
            ));
        }
        if self.rules.confidence.is_some()
            && let Some(number) = lacks(&|step| step.confidence.is_none())
        {
            return Err(format!(
                "Step {number} has no confidence: say of every step how sure you are."
            ));
        }
        let least = steps
            .iter()
            .filter_map(|step| step.confidence)
            .fold(f64::INFINITY, f64::min);
        if self.rules.confidence.is_some()
            && let Some(Below::Person) = self.rules.below(least, supervised.advices)
        {
            return Ok(Some(self.unsure(least)));
        }
        Ok(self
            .rules
            .is_approved
            .then(|| ("plan", json!({"approval": "person"}))))
    }

    fn finish(
        &self,
        input: &Value,
        shell: Option<&Evaluated>,
    ) -> Result<Option<(&'static str, Value)>, String> {
        let supervised = &self.thread.supervised;
        if supervised.is_stopped {
            return Err(STOPPED.to_owned());
        }
        let Some((open, _)) = supervised.open_step() else {
            return Err(format!(
                "No step is open: make a plan with {MAKE_PLAN} first."
            ));
        };
        if self.awaited.is_some() {
            return Err(
                "One step at a time: wait for the result of the call before this one.".to_owned(),
            );
        }
        if step_in(input) != Some(open) {
            return Err(format!(
                "Steps are done in their order, and step {open} is open: end that one."
            ));
        }
        if *input.at("outcome") == "given_up" {
            return Ok(None);
        }
        let score = score_in(input);
        if self.rules.confidence.is_some() {
            let score = score.ok_or(
                "confidence is missing: say from 0 to 1 how sure you are that the step is done.",
            )?;
            if let Some(Below::Person) = self.rules.below(score, supervised.advices) {
                return Ok(Some(self.unsure(score)));
            }
        }
        let command = step_of(self.thread, input).and_then(|step| step.validation.clone());
        match shell.map(|shell| shell.permission) {
            Some(Permission::Deny) => Err(format!(
                "The validation of step {open} may not be run: you may not use {COMMAND} for it."
            )),
            Some(Permission::Ask) => Ok(Some(("validation", json!({"command": command})))),
            Some(Permission::Allow) | None => Ok(None),
        }
    }

    fn unsure(&self, score: f64) -> (&'static str, Value) {
        let threshold = self
            .rules
            .confidence
            .as_ref()
            .map(|confidence| confidence.threshold);
        (
            "confidence",
            json!({"score": score, "threshold": threshold}),
        )
    }
}

const STOPPED: &str = "You were stopped: change nothing more. End your turn with a report of what was tried, what the \
     validation said, and what is in the way.";

fn deny(evaluated: &mut Evaluated) {
    evaluated.permission = Permission::Deny;
    evaluated.evaluation = None;
    evaluated.ruling = None;
}

fn denial(barrier: Barrier, is_above: bool, name: &str) -> String {
    if is_above {
        let why = match barrier {
            Barrier::Questions(_) => "has not asked the user all that it has to ask",
            Barrier::Plan => "has no plan with an open step",
            Barrier::Stopped => "was stopped",
        };
        return format!(
            "{name} may not be used: an agent that you work for {why}. End your turn and report that to it."
        );
    }
    match barrier {
        Barrier::Questions(missing) => format!(
            "{name} may not be used yet: ask the user first, with {ASK_USER}. {missing} more question(s) have to be \
             asked and answered."
        ),
        Barrier::Plan => format!(
            "{name} may be used only while a step of your plan is open: make a plan with {MAKE_PLAN} first."
        ),
        Barrier::Stopped => STOPPED.to_owned(),
    }
}
