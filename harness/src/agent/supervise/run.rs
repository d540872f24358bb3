//! The calls of the tools of supervision, and the validation of a step: a command in the hand, in a shell that the agent cannot
//! have prepared.

use serde_json::{Value, json};

use super::step_of;
use crate::agent::runner::Runner;
use crate::agent::session::DriverError;
use crate::agent::tool_call::push_result;
use crate::hands::CallOutcome;
use crate::json::Fields as _;
use crate::session::{
    Below, Call, CallKind, Confirmation, Draft, FINISH_STEP, MAKE_PLAN, State, Supervision, Thread,
    read_plan, score_in, step_in, text_block,
};

/// Returns the script that validates the step which a call ends; none of a call that validates nothing.
pub(in crate::agent) fn validation_of(
    state: &State,
    thread: &Thread,
    call: &Call,
) -> Option<String> {
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
    pub(in crate::agent) async fn supervise(&mut self, call: &Call) -> Result<bool, DriverError> {
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
pub(in crate::agent) fn validated(
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
