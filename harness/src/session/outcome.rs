//! Outcomes: a task with a rubric, which a grader holds the agent's work against until it is satisfied.
//!
//! The grader is an agent of its own in a thread that nobody sees: it has the agent's files to read, and what its calls
//! change of them is undone. What it finds goes back to the agent, as often as the client allowed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::draft::text_block;
use crate::clock::{Timestamp, rfc3339};
use crate::ids::ThreadId;
use crate::json::Fields as _;

/// Cycles of evaluation and revision unless the client says otherwise, and the most that it may say.
pub const ITERATIONS_DEFAULT: u64 = 3;
/// See [`ITERATIONS_DEFAULT`].
pub const ITERATIONS_MAX: u64 = 20;
/// Outcomes that a session keeps; of more, the oldest are forgotten.
const KEPT_MAX: usize = 100;

/// Where an outcome stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Progress {
    /// The agent has not begun.
    Pending,
    /// The agent works.
    Running,
    /// The grader works.
    Evaluating,
    /// The work meets the rubric.
    Satisfied,
    /// It does not, and the agent has used up its attempts.
    MaxIterationsReached,
    /// The rubric does not fit the task.
    Failed,
    /// The client stopped it.
    Interrupted,
}

impl Progress {
    /// Returns the wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Progress::Pending => "pending",
            Progress::Running => "running",
            Progress::Evaluating => "evaluating",
            Progress::Satisfied => "satisfied",
            Progress::MaxIterationsReached => "max_iterations_reached",
            Progress::Failed => "failed",
            Progress::Interrupted => "interrupted",
        }
    }

    fn of_result(word: &str) -> Option<Self> {
        Some(match word {
            "satisfied" => Progress::Satisfied,
            "needs_revision" => Progress::Running,
            "max_iterations_reached" => Progress::MaxIterationsReached,
            "failed" => Progress::Failed,
            "interrupted" => Progress::Interrupted,
            _ => return None,
        })
    }
}

/// An outcome as the log describes it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Number of the event that defined it.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// The task.
    pub description: String,
    /// What the work is held against.
    pub rubric: String,
    /// Cycles of evaluation and revision.
    pub iterations_max: u64,
    /// The cycle, counted from 0.
    pub iteration: u64,
    /// Where it stands.
    pub progress: Progress,
    /// The grader's last word.
    pub explanation: Option<String>,
    /// The event with which the evaluation began that is under way.
    pub evaluation: Option<String>,
    /// The grader's thread.
    pub grader: Option<ThreadId>,
    /// When it became final.
    pub completed_at: Option<Timestamp>,
}

impl Outcome {
    /// Reads the event that defines it; what the API let through has every field.
    pub fn of_event(number: u64, body: &Value, private: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            number,
            id: text(body.at("outcome_id")),
            description: text(body.at("description")),
            rubric: text(private.at("rubric")),
            iterations_max: body
                .at("max_iterations")
                .as_u64()
                .unwrap_or(ITERATIONS_DEFAULT),
            iteration: 0,
            progress: Progress::Pending,
            explanation: None,
            evaluation: None,
            grader: None,
            completed_at: None,
        }
    }

    /// Tells whether it is not final.
    pub fn is_active(&self) -> bool {
        self.completed_at.is_none()
    }

    /// Returns what the agent is told to do.
    pub fn task(&self) -> Vec<Value> {
        let text = format!(
            "{}\n\nYour work will be held against this rubric by somebody else, who sees your files:\n\n{}",
            self.description, self.rubric
        );
        vec![text_block(&text)]
    }

    /// Takes the end of an evaluation, and returns what the agent is told of it, if it is to go on.
    pub fn evaluated(&mut self, body: &Value, at: Timestamp) -> Option<Vec<Value>> {
        let word = body.at("result").as_str().unwrap_or_default();
        let progress = Progress::of_result(word)?;
        let explanation = body
            .at("explanation")
            .as_str()
            .unwrap_or_default()
            .to_owned();
        self.progress = progress;
        self.evaluation = None;
        self.grader = None;
        let told = match progress {
            Progress::Running => {
                self.iteration = self.iteration.saturating_add(1);
                Some("The work does not meet the rubric yet. Revise it.")
            }
            Progress::MaxIterationsReached => Some(
                "The work does not meet the rubric, and it is not evaluated again. Mend what you can, and say what is left.",
            ),
            _ => None,
        };
        if progress != Progress::Running {
            self.completed_at = Some(at);
        }
        let told = told.map(|told| vec![text_block(&format!("{told}\n\n{explanation}"))]);
        if !explanation.is_empty() {
            self.explanation = Some(explanation);
        }
        told
    }

    /// Ends it, unless it is final.
    pub fn interrupt(&mut self, at: Timestamp) {
        if self.is_active() {
            self.progress = Progress::Interrupted;
            self.completed_at = Some(at);
            self.evaluation = None;
            self.grader = None;
        }
    }

    /// Returns the wire's OutcomeEvaluationResource.
    pub fn wire(&self) -> Value {
        json!({
            "type": "outcome_evaluation",
            "completed_at": self.completed_at.map(rfc3339),
            "description": self.description,
            "explanation": self.explanation,
            "iteration": self.iteration,
            "outcome_id": self.id,
            "result": self.progress.as_str(),
        })
    }

    /// Returns what the result of an evaluation is, with what the grader said last.
    pub fn result_of(&self, said: &str) -> (&'static str, String) {
        let (verdict, explanation) = verdict_in(said);
        let is_last = self.iteration.saturating_add(1) >= self.iterations_max;
        match verdict {
            Verdict::Satisfied => ("satisfied", explanation),
            Verdict::Failed => ("failed", explanation),
            Verdict::NeedsRevision if is_last => ("max_iterations_reached", explanation),
            Verdict::NeedsRevision => ("needs_revision", explanation),
        }
    }
}

/// Adds an outcome to those of a session.
pub fn add(outcomes: &mut Vec<Outcome>, outcome: Outcome) {
    if outcomes.len() >= KEPT_MAX {
        outcomes.remove(0);
    }
    outcomes.push(outcome);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Satisfied,
    NeedsRevision,
    Failed,
}

/// Reads the grader's last text: a JSON object, which may stand in a code fence. Whatever is no clear word is no leave to
/// stop.
fn verdict_in(said: &str) -> (Verdict, String) {
    let object = said.find('{').zip(said.rfind('}'));
    let object = object.and_then(|(start, end)| said.get(start..=end));
    let object: Value = object
        .and_then(|object| serde_json::from_str(object).ok())
        .unwrap_or(Value::Null);
    let explanation = match object.at("explanation").as_str() {
        Some(text) if !text.trim().is_empty() => text.to_owned(),
        _ if !said.trim().is_empty() => said.to_owned(),
        _ => "The grader said nothing.".to_owned(),
    };
    let verdict = match object.at("result").as_str() {
        Some("satisfied") => Verdict::Satisfied,
        Some("failed") => Verdict::Failed,
        _ => Verdict::NeedsRevision,
    };
    (verdict, explanation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(iterations_max: u64) -> Outcome {
        let body = json!({"outcome_id": "outc_1", "description": "Write it.", "max_iterations": iterations_max});
        Outcome::of_event(2, &body, &json!({"rubric": "It adds."}))
    }

    #[test]
    fn only_a_clear_word_ends_it() {
        for (said, result) in [
            (
                r#"{"result": "satisfied", "explanation": "good"}"#,
                "satisfied",
            ),
            (
                "```json\n{\"result\": \"failed\", \"explanation\": \"no fit\"}\n```",
                "failed",
            ),
            (
                r#"{"result": "needs_revision", "explanation": "x"}"#,
                "needs_revision",
            ),
            ("It is satisfied.", "needs_revision"),
            (r#"{"result": "SATISFIED"}"#, "needs_revision"),
            ("", "needs_revision"),
            ("}{", "needs_revision"),
        ] {
            assert_eq!(outcome(3).result_of(said).0, result, "{said}");
        }
        let unclear = r#"{"result": "perhaps"}"#;
        assert_eq!(outcome(1).result_of(unclear).0, "max_iterations_reached");
    }

    #[test]
    fn iterations_are_counted_and_the_end_is_final() {
        let mut outcome = outcome(2);
        let at = Timestamp::UNIX_EPOCH;
        let told = outcome.evaluated(
            &json!({"result": "needs_revision", "explanation": "a test is missing"}),
            at,
        );
        let told = told.unwrap_or_default();
        assert!(
            told.iter()
                .any(|block| block.to_string().contains("a test is missing"))
        );
        assert_eq!((outcome.iteration, outcome.is_active()), (1, true));
        assert_eq!(outcome.result_of("{}").0, "max_iterations_reached");
        assert!(
            outcome
                .evaluated(
                    &json!({"result": "max_iterations_reached", "explanation": "still"}),
                    at
                )
                .is_some()
        );
        assert!(!outcome.is_active());
        assert_eq!(outcome.wire()["result"], "max_iterations_reached");
        assert_eq!(outcome.wire()["iteration"], 1);
    }
}
