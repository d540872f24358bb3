//! What the model is told of the rules that it is under, and of its plan.

use serde_json::{Value, json};

use crate::json::Fields as _;
use crate::session::{ASK_USER, Below, FINISH_STEP, MAKE_PLAN, State, Supervision, Thread};

/// Returns the definitions of the tools that an agent has for its supervision.
pub(in crate::agent) fn definitions(state: &State, thread: &Thread) -> Vec<Value> {
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
pub(in crate::agent) fn prompt(state: &State, thread: &Thread) -> Option<String> {
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
pub(in crate::agent) fn told_plan(thread: &Thread) -> Option<String> {
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
