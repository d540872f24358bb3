//! A plan and how far it is.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::json::Fields as _;

/// Most steps of a plan.
pub const STEPS_MAX: usize = 50;
/// Characters of a step's title.
const TITLE_CHARS_MAX: usize = 500;
/// Bytes of a step's command.
const VALIDATION_BYTES_MAX: usize = 4_000;
/// Most questions at once, and characters of one.
const QUESTIONS_MAX: usize = 10;
const QUESTION_CHARS_MAX: usize = 1_000;

/// How far a step is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum StepStatus {
    /// It is to be done.
    Open,
    /// It is done.
    Done,
    /// The agent said that it cannot be done.
    GivenUp,
}

impl StepStatus {
    /// Returns the word that stands for it.
    pub fn as_str(self) -> &'static str {
        match self {
            StepStatus::Open => "open",
            StepStatus::Done => "done",
            StepStatus::GivenUp => "given_up",
        }
    }
}

/// A step of a plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PlanStep {
    /// What is to be done.
    pub title: String,
    /// The command that succeeds once it is.
    pub validation: Option<String>,
    /// How sure the agent is of it, from 0 to 1: when it planned, and since it is done when it did it.
    pub confidence: Option<f64>,
    /// How far it is.
    pub status: StepStatus,
}

/// How an agent stands to the rules of its supervision.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Supervised {
    /// Its plan; empty without one.
    pub plan: Vec<PlanStep>,
    /// Questions that the user answered.
    pub answered: u32,
    /// Validations that failed in a row.
    pub failures: u32,
    /// It may do nothing but report.
    pub is_stopped: bool,
    /// Times in a row that it was told of open steps.
    pub reminders: u32,
    /// Times that a stronger model was asked since the plan was made or a step was done.
    pub advices: u32,
}

impl Supervised {
    /// Returns the first step that is open, with its number, counted from 1.
    pub fn open_step(&self) -> Option<(usize, &PlanStep)> {
        let mut steps = (1..).zip(&self.plan);
        steps.find(|(_, step)| step.status == StepStatus::Open)
    }

    /// Begins anew with what somebody gave the agent to do; the plan and the answers stay.
    pub(in crate::session) fn begin_turn(&mut self) {
        self.failures = 0;
        self.is_stopped = false;
        self.reminders = 0;
    }

    pub(super) fn finish(&mut self, input: &Value) {
        let Some(number) = step_in(input) else {
            return;
        };
        let Some(step) = number.checked_sub(1).and_then(|at| self.plan.get_mut(at)) else {
            return;
        };
        if *input.at("outcome") == "given_up" {
            step.status = StepStatus::GivenUp;
            self.is_stopped = true;
        } else {
            step.status = StepStatus::Done;
        }
        if let Some(score) = score_in(input) {
            step.confidence = Some(score);
        }
        self.failures = 0;
        self.reminders = 0;
        self.advices = 0;
    }

    /// Returns it as the API shows it.
    pub fn wire(&self) -> Value {
        let steps = (1..).zip(&self.plan).map(|(number, step)| {
            let number: usize = number;
            json!({
                "step": number,
                "title": step.title,
                "validation": step.validation,
                "confidence": step.confidence,
                "status": step.status.as_str(),
            })
        });
        json!({
            "steps": steps.collect::<Vec<_>>(),
            "is_stopped": self.is_stopped,
            "failed_validations": self.failures,
            "questions_answered": self.answered,
        })
    }
}

/// Returns the number of the step that a call is about.
pub fn step_in(input: &Value) -> Option<usize> {
    let number = input.at("step").as_u64()?;
    usize::try_from(number).ok()
}

/// Returns the score of something, from 0 to 1.
pub fn score_in(object: &Value) -> Option<f64> {
    let score = object.at("confidence").as_f64()?;
    (0.0..=1.0).contains(&score).then_some(score)
}

/// Reads the steps of a plan. Errors say to the model what is wrong.
pub fn read_plan(input: &Value) -> Result<Vec<PlanStep>, String> {
    let steps = input.at("steps").as_array().map_or(&[][..], Vec::as_slice);
    if steps.is_empty() || steps.len() > STEPS_MAX {
        return Err(format!("steps must be a list of 1 to {STEPS_MAX} steps."));
    }
    (1..)
        .zip(steps)
        .map(|(number, step)| read_step(number, step))
        .collect()
}

fn read_step(number: usize, step: &Value) -> Result<PlanStep, String> {
    let title = step.at("title").as_str().unwrap_or_default().trim();
    if title.is_empty() || title.chars().count() > TITLE_CHARS_MAX {
        return Err(format!(
            "The title of step {number} must be a text of 1 to {TITLE_CHARS_MAX} characters."
        ));
    }
    let validation = match step.at("validation") {
        Value::Null => None,
        Value::String(command) if command.trim().is_empty() => None,
        Value::String(command) if command.len() <= VALIDATION_BYTES_MAX => Some(command.clone()),
        _ => {
            return Err(format!(
                "The validation of step {number} must be a command of at most {VALIDATION_BYTES_MAX} bytes."
            ));
        }
    };
    let confidence = score_in(step);
    if confidence.is_none() && !step.at("confidence").is_null() {
        return Err(format!(
            "The confidence of step {number} must be a number from 0 to 1."
        ));
    }
    Ok(PlanStep {
        title: title.to_owned(),
        validation,
        confidence,
        status: StepStatus::Open,
    })
}

/// Returns the questions of a call. Errors say to the model what is wrong.
pub fn questions_in(input: &Value) -> Result<Vec<&str>, String> {
    let questions = input
        .at("questions")
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let texts: Option<Vec<&str>> = questions
        .iter()
        .map(|question| {
            let text = question.at("question").as_str()?.trim();
            let is_fit = !text.is_empty() && text.chars().count() <= QUESTION_CHARS_MAX;
            is_fit.then_some(text)
        })
        .collect();
    let texts = texts.filter(|texts| !texts.is_empty() && texts.len() <= QUESTIONS_MAX);
    let mut texts = texts.ok_or_else(|| {
        format!(
            "questions must be a list of 1 to {QUESTIONS_MAX}, each with a question of 1 to {QUESTION_CHARS_MAX} \
             characters."
        )
    })?;
    // The same one twice is one.
    texts.sort_unstable();
    texts.dedup();
    Ok(texts)
}
