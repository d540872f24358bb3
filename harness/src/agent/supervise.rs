//! Supervision: what the model is told of its rules, what its calls come to under them, and the calls of their tools.
//!
//! The rules are `session`'s; here an answer's calls are held against them before any of them is recorded as allowed, and
//! a step of a plan is validated by a command in the hand, in a shell that the agent cannot have prepared.

use serde_json::{Value, json};

use super::runner::Runner;
use super::session::DriverError;
use super::tool_call::push_result;
use super::toolset::Evaluated;
use crate::hands::CallOutcome;
use crate::json::Fields as _;
use crate::rules::{Ruling, Verdict};
use crate::session::{
    ASK_USER, Barrier, Below, Call, CallKind, Confirmation, Draft, FINISH_STEP, MAKE_PLAN,
    Permission, PlanStep, State, Supervision, Thread, barrier, is_look, questions_in, read_plan,
    score_in, step_in, text_block,
};

/// The tool as which a validation runs.
const COMMAND: &str = "bash";

/// Returns the definitions of the tools that an agent has for its supervision.
pub(super) fn definitions(state: &State, thread: &Thread) -> Vec<Value> {
    let rules = Supervision::of(state, thread);
    let tools = rules.tools();
    tools
        .into_iter()
        .map(|name| definition(name, &rules))
        .collect()
}

fn definition(name: &str, rules: &Supervision) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let confidence = || {
        json!({
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "How sure you are, honestly, that it is right: 0 is not at all, 1 is certain.",
        })
    };
    let (description, properties, required) = match name {
        MAKE_PLAN => {
            let mut step =
                json!({"title": text("What is to be done, so that somebody else could do it.")});
            let mut required = vec!["title"];
            if rules.validation.is_some() {
                step.set("validation", text(
                    "A command that succeeds only once the step is done. It runs in /workspace, in a fresh shell: \
                     nothing that you set in yours is there.",
                ));
                if rules.commands(None).is_empty() {
                    required.push("validation");
                }
            }
            if rules.confidence.is_some() {
                step.set("confidence", confidence());
                required.push("confidence");
            }
            let steps = json!({
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": step,
                    "required": required,
                    "additionalProperties": false,
                },
            });
            (
                "Sets your plan: the steps in the order in which you will do them. Tools that change something may be \
                 used only while a step is open. A new plan takes the place of the one before.",
                json!({"steps": steps}),
                json!(["steps"]),
            )
        }
        FINISH_STEP => {
            let mut properties = json!({
                "step": {"type": "integer", "minimum": 1, "description": "The number of the step."},
                "outcome": {
                    "type": "string",
                    "enum": ["done", "given_up"],
                    "description": "Whether it is done, or cannot be done. Default: done.",
                },
                "summary": text("What was done, or what stands in the way."),
            });
            let mut required = vec!["step", "summary"];
            if rules.confidence.is_some() {
                properties.set("confidence", confidence());
                required.push("confidence");
            }
            (
                "Ends the step of your plan that you are at. Its validation is run now, if it has one: the step is done \
                 only if that succeeds.",
                properties,
                json!(required),
            )
        }
        _ => (
            "Asks the user, and returns the answers. Ask what decides how the work is to be done, and all of it at once.",
            json!({"questions": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "question": text("One question."),
                        "options": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "Answers to choose from, if there are some that suggest themselves.",
                        },
                    },
                    "required": ["question"],
                    "additionalProperties": false,
                },
            }}),
            json!(["questions"]),
        ),
    };
    json!({
        "name": name,
        "description": description,
        "input_schema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        },
    })
}

/// Returns the part of the system prompt that tells an agent of its rules; none where there are none.
pub(super) fn prompt(state: &State, thread: &Thread) -> Option<String> {
    let rules = Supervision::of(state, thread);
    if rules.is_empty() {
        return None;
    }
    let mut lines =
        vec!["You are supervised. These rules are enforced, whatever you decide:".to_owned()];
    if rules.questions > 0 {
        lines.push(format!(
            "- Before you change anything, ask the user at least {} clarifying question(s) with {ASK_USER}.",
            rules.questions
        ));
    }
    if rules.plan {
        let approved = if rules.is_approved {
            " A person approves it."
        } else {
            ""
        };
        lines.push(format!(
            "- Before you change anything, make a plan with {MAKE_PLAN}.{approved} Do its steps in order, and end each \
             with {FINISH_STEP} before you begin the next. Do not end your turn while a step is open."
        ));
    }
    if let Some(validation) = &rules.validation {
        lines.push(format!(
            "- A step is done only when its validation succeeds. After {} failure(s) in a row you may change nothing \
             more: stop then, and report what was tried and what the validation said.",
            validation.retries.saturating_add(1)
        ));
    }
    if let Some(confidence) = &rules.confidence {
        let whom = match confidence.below {
            Below::Person => "a person",
            Below::Advisor(_) => "a stronger model, and then a person,",
        };
        lines.push(format!(
            "- Say honestly how sure you are. Below {} {whom} is asked before you go on.",
            confidence.threshold
        ));
    }
    Some(lines.join("\n"))
}

/// Returns an agent's plan for the model that has forgotten it; none without one.
pub(super) fn told_plan(thread: &Thread) -> Option<String> {
    let steps = (1..).zip(&thread.supervised.plan).map(|(number, step)| {
        let number: usize = number;
        let validation = match &step.validation {
            Some(command) => format!(" Validation: {command}"),
            None => String::new(),
        };
        format!(
            "\n{number}. ({}) {}{validation}",
            step.status.as_str(),
            step.title
        )
    });
    let steps: String = steps.collect();
    (!steps.is_empty()).then(|| format!("Your plan, as it stands:{steps}"))
}

/// What is said of a call beside its permission.
#[derive(Debug)]
pub(super) struct Remark {
    /// What the model is told of a call that is denied, if it is something else than that.
    pub(super) denial: Option<String>,
    /// What the event says of it: a name and a value for its field `sinew`.
    pub(super) told: (&'static str, Value),
}

/// Looks at the calls of one answer, in their order.
pub(super) struct Watch<'a> {
    state: &'a State,
    thread: &'a Thread,
    rules: Supervision,
    /// A call of the answer comes before, whose result decides what may follow.
    awaited: Option<&'static str>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(state: &'a State, thread: &'a Thread) -> Self {
        Self {
            state,
            thread,
            rules: Supervision::of(state, thread),
            awaited: None,
        }
    }

    /// Tells whether a tool is one that the agent has for its supervision.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.rules.tools().contains(&name)
    }

    /// Returns the call of the shell that a call makes, if it ends a step that has a validation of the agent's own: what
    /// that may do is what the shell may.
    pub(super) fn as_shell(&self, call: &Value) -> Option<Value> {
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
    pub(super) fn other(&self, name: &str, evaluated: &mut Evaluated) -> Option<Remark> {
        if evaluated.kind == CallKind::Delegation || evaluated.permission == Permission::Deny {
            return None;
        }
        let found = barrier(self.state, self.thread, name);
        let (denial, rule) = match (found, self.awaited) {
            (Some((barrier, is_above)), _) => (denial(barrier, is_above, name), barrier.as_str()),
            (None, Some(awaited))
                if !is_look(name) && !self.rules.free_tools.iter().any(|tool| tool == name) =>
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
    pub(super) fn own(
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

/// Returns the step that a call ends.
fn step_of<'a>(thread: &'a Thread, input: &Value) -> Option<&'a PlanStep> {
    let place = step_in(input)?.checked_sub(1)?;
    thread.supervised.plan.get(place)
}

/// Returns the script that validates the step which a call ends; none of a call that validates nothing.
pub(super) fn validation_of(state: &State, thread: &Thread, call: &Call) -> Option<String> {
    if call.kind != CallKind::Supervision
        || call.name != FINISH_STEP
        || *call.input.at("outcome") == "given_up"
    {
        return None;
    }
    let step = step_of(thread, &call.input)?;
    let commands = Supervision::of(state, thread).commands(step.validation.as_deref());
    // Each by itself: what one says cannot change what the next one is.
    let apart = |command: &String| format!("( eval '{}' )", command.replace('\'', r"'\''"));
    let script: Vec<String> = commands.iter().map(apart).collect();
    (!script.is_empty()).then(|| script.join(" &&\n"))
}

impl Runner {
    /// Makes a call of a supervision tool; tells whether it goes on in the hand, with a validation.
    pub(super) async fn supervise(&mut self, call: &Call) -> Result<bool, DriverError> {
        let (state, thread) = (self.state(), self.thread()?);
        let rules = Supervision::of(state, thread);
        let supervised = &thread.supervised;
        let is_given_up = *call.input.at("outcome") == "given_up";
        let score = match call.name.as_str() {
            MAKE_PLAN => read_plan(&call.input).ok().map(|steps| {
                let scores = steps.iter().filter_map(|step| step.confidence);
                scores.fold(f64::INFINITY, f64::min)
            }),
            _ => score_in(&call.input).filter(|_| !is_given_up),
        };
        let below = score.and_then(|score| rules.below(score, supervised.advices));
        if let Some(Below::Advisor(model)) = below
            && call.confirmation != Some(Confirmation::Allowed)
        {
            let question = format!(
                "I am less sure than I have to be of this call of {}: {}\nIs it right? If not, what is to be done?",
                call.name, call.input
            );
            let model = model.clone();
            self.consult(call, &model, &question).await?;
            return Ok(false);
        }
        if validation_of(state, thread, call).is_some() {
            return match state.is_self_hosted() {
                false => Ok(true),
                true => {
                    let text =
                        "Steps cannot be validated here: the tools run on a machine of the user's.";
                    let draft = self.result(call, text, true, Value::Null)?;
                    self.commit(draft).await?;
                    Ok(false)
                }
            };
        }
        let text = match call.name.as_str() {
            MAKE_PLAN => {
                let first = read_plan(&call.input)
                    .ok()
                    .and_then(|steps| steps.first().cloned());
                let title = first.map(|step| step.title).unwrap_or_default();
                format!("The plan is set. Step 1 is open: {title}")
            }
            _ if is_given_up => {
                "The step is given up. Change nothing more, and report what is in the way."
                    .to_owned()
            }
            _ => finished(thread, call),
        };
        let draft = self.result(call, &text, false, Value::Null)?;
        self.commit(draft).await?;
        Ok(false)
    }

    fn result(
        &self,
        call: &Call,
        text: &str,
        is_error: bool,
        ours: Value,
    ) -> Result<Draft, DriverError> {
        let mut draft = self.draft()?;
        let outcome = CallOutcome {
            content: vec![text_block(text)],
            is_error,
        };
        push_result(&mut draft, &call.event_id, outcome, ours);
        Ok(draft)
    }
}

/// Returns what the run of a validation makes of the call that ends a step.
pub(super) fn validated(
    state: &State,
    thread: &Thread,
    call: &Call,
    outcome: CallOutcome,
) -> (CallOutcome, Value) {
    let retries = Supervision::of(state, thread).retries();
    let failures = thread.supervised.failures.saturating_add(1);
    let (text, word) = match outcome.is_error {
        false => (finished(thread, call), "passed"),
        true if failures > retries => (
            format!(
                "The step is not done: its validation failed, {failures} time(s) in a row now. You are stopped. Change \
                 nothing more: end your turn with a report of what was tried and what the validation says:"
            ),
            "failed",
        ),
        true => (
            format!(
                "The step is not done: its validation failed ({failures} of {} attempts). Mend what it says, and end \
                 the step again:",
                retries.saturating_add(1)
            ),
            "failed",
        ),
    };
    let mut content = vec![text_block(&text)];
    content.extend(outcome.content);
    let outcome = CallOutcome {
        content,
        is_error: outcome.is_error,
    };
    (outcome, json!({"validation": word}))
}

fn finished(thread: &Thread, call: &Call) -> String {
    let number = step_in(&call.input).unwrap_or_default();
    let next = thread.supervised.plan.get(number);
    match next {
        Some(step) => format!(
            "Step {number} is done. Step {} is open: {}",
            number + 1,
            step.title
        ),
        None => format!("Step {number} is done, and with it the plan."),
    }
}
