//! Asking the model: the request's start in the log before it leaves, its answer or failure after.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Said;
use super::answer::{self, AnswerIds};
use super::attach::attach;
use super::brain::Brain;
use super::context;
use super::delegation;
use super::judge::{self, Judgements};
use super::live::{Preview, PreviewPart};
use super::ruling::Rulings;
use super::runner::{Runner, Woken};
use super::session::DriverError;
use super::toolset::Rights;
use crate::ids::{EventId, ThreadId};
use crate::json::Fields as _;
use crate::model::{ModelAnswer, ModelError, ModelRequest, Progress, StopReason, TokenUsage};
use crate::session::{Draft, EventKind, Room, State, complete, review_policy, room};
use crate::store::{NewEvent, StoreError};

/// How a request ended.
enum Asked {
    Answered(ModelAnswer),
    Failed(ModelError),
    Interrupted,
}

impl Runner {
    /// Asks the model to answer the conversation; `draft` holds what opens the turn, if anything.
    pub(super) async fn call_model(&mut self, draft: Draft) -> Result<(), DriverError> {
        if draft.is_empty() && !self.wait_for_retry().await? {
            return Ok(());
        }
        let Some(mut draft) = self.know_mcp_tools(draft).await? else {
            return Ok(());
        };
        self.is_resuming = false;
        let Some((ids, request)) = self.start_request(&mut draft, false).await? else {
            return Ok(());
        };
        match self.ask(&request, Some(&ids)).await? {
            // The interrupt is the next thing decided, and closes the request.
            Asked::Interrupted => Ok(()),
            Asked::Failed(error) => {
                self.record_failure(&ids.start, &request, &error, false)
                    .await
            }
            Asked::Answered(answer) => {
                let start = ids.start.clone();
                let rulings = self.rule(&answer).await?;
                let Some((judgements, judge_usage)) = self.judge(&answer, &rulings).await? else {
                    return Ok(());
                };
                let said = Said {
                    rulings: &rulings,
                    judgements: &judgements,
                    judge_usage,
                };
                match self.record_answer(ids, &request, &answer, said).await {
                    // An answer that cannot be stored (nested too deeply, too large) is no answer.
                    Err(DriverError::Store(StoreError::Invalid(why))) => {
                        let error = ModelError::Protocol(why);
                        self.record_failure(&start, &request, &error, false).await
                    }
                    recorded => recorded,
                }
            }
        }
    }

    /// Replaces a conversation that no longer fits by a summary of it.
    pub(super) async fn compact(&mut self, mut draft: Draft) -> Result<(), DriverError> {
        if !self.wait_for_retry().await? {
            return Ok(());
        }
        let Some((ids, request)) = self.start_request(&mut draft, true).await? else {
            return Ok(());
        };
        match self.ask(&request, None).await? {
            Asked::Interrupted => Ok(()),
            Asked::Failed(error) => {
                self.record_failure(&ids.start, &request, &error, true)
                    .await
            }
            Asked::Answered(answer) => {
                let summary: Vec<&str> = answer
                    .content
                    .iter()
                    .filter_map(|block| block.at("text").as_str())
                    .filter(|text| !text.trim().is_empty())
                    .collect();
                if summary.is_empty() || matches!(answer.stop_reason, StopReason::Refusal { .. }) {
                    let error = ModelError::Protocol("it gave no summary".to_owned());
                    return self
                        .record_failure(&ids.start, &request, &error, true)
                        .await;
                }
                let content = context::compacted_turn(self.thread()?, &summary.join("\n"));
                let mut draft = self.draft()?;
                let facts = self.brain.facts.clone();
                answer::summarised(&mut draft, &ids.start, &request, &answer, content, &*facts);
                self.commit(draft).await
            }
        }
    }

    /// Waits until the next attempt is due. Returns false when an interrupt came first.
    async fn wait_for_retry(&mut self) -> Result<bool, DriverError> {
        let now = self.brain.clock.now();
        let Some(due) = self.thread()?.retry_at else {
            return Ok(true);
        };
        let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
        if wait.is_zero() {
            return Ok(true);
        }
        let clock = self.brain.clock.clone();
        let woken = self.attend(async move { clock.sleep(wait).await }).await?;
        Ok(matches!(woken, Woken::Done(())))
    }

    /// Commits the start of a request and returns the request.
    async fn start_request(
        &mut self,
        draft: &mut Draft,
        is_summary: bool,
    ) -> Result<Option<(AnswerIds, ModelRequest)>, DriverError> {
        // Made again after a wait, so that the events carry the time at which they happen.
        let mut opening = if draft.is_empty() {
            self.draft()?
        } else {
            let empty = self.draft()?;
            std::mem::replace(draft, empty)
        };
        self.open_turn(&mut opening)?;
        let start = opening.thread(EventKind::SpanModelRequestStart, json!({}));
        let hands = self.brain.hands.clone();
        let thread_id = self.thread_id.clone();
        let request_of = move |state: &State| {
            let thread = state.thread(thread_id.as_str()).unwrap_or(state.primary());
            context::of(state, thread, hands.definitions(), is_summary)
        };
        // Whoever replays the log makes the same request again, and sees that it is the same.
        let mut made = None;
        let seal = |ahead: &State, events: &mut [NewEvent]| {
            let request = made.insert(request_of(ahead));
            let digest = context::digest(request).to_string();
            let opened = events.iter_mut().filter(|event| event.id == start);
            for event in opened {
                let private = event.private.get_or_insert_with(|| json!({}));
                private.set("request", json!(digest));
                private.set("is_summary", json!(is_summary));
            }
        };
        let (brain, thread_id) = (self.brain.clone(), self.thread_id.clone());
        let make = |state: &State| {
            with_reserve(
                &brain,
                state,
                &thread_id,
                opening.events(),
                &start,
                &request_of,
            )
        };
        // The session may have ended meanwhile, or another thread took what was left of the budget.
        if !self.commit_made(make, seal).await? {
            return Ok(None);
        }
        let request = match made {
            Some(request) => request,
            None => request_of(self.state()),
        };
        let now = self.brain.clock.now();
        let ids = AnswerIds {
            start,
            thinking: EventId::fresh(now),
            message: EventId::fresh(now),
        };
        Ok(Some((ids, request)))
    }

    /// Makes one attempt; shows previews under `ids` when given.
    async fn ask(
        &mut self,
        request: &ModelRequest,
        ids: Option<&AnswerIds>,
    ) -> Result<Asked, DriverError> {
        let previews = ids.map(|ids| Previews {
            live: self.brain.live.clone(),
            session_id: self.session_id.clone(),
            after: self.state().last,
            thread_id: self.thread_id.clone(),
            thinking: ids.thinking.clone(),
            message: ids.message.clone(),
            shown: Mutex::default(),
        });
        let attached = attach(&self.brain, &self.session_id, request).await?;
        let request = attached.as_ref().unwrap_or(request);
        let model = self.brain.model.clone();
        let sink = |progress: Progress| {
            if let Some(previews) = &previews {
                previews.show(progress);
            }
        };
        let woken = self.attend(model.ask(request, &sink)).await?;
        Ok(match woken {
            Woken::Interrupted => Asked::Interrupted,
            Woken::Done(Ok(answer)) => Asked::Answered(answer),
            Woken::Done(Err(error)) => Asked::Failed(error),
        })
    }

    /// Has the calls of an answer judged whose policy asks for it. Returns `None` when an interrupt came.
    /// A judge that fails has said nothing.
    async fn judge(
        &mut self,
        answer: &ModelAnswer,
        rulings: &Rulings,
    ) -> Result<Option<(Judgements, TokenUsage)>, DriverError> {
        let brain = self.brain.clone();
        let state = self.state();
        let known = brain.known(state);
        let calls = judge::to_judge(answer, &Rights::of(state, self.thread()?), known, rulings);
        if calls.is_empty() {
            return Ok(Some(Default::default()));
        }
        let request = judge::request(state, self.thread()?, &calls);
        Ok(match self.ask(&request, None).await? {
            Asked::Interrupted => None,
            Asked::Answered(judged) => Some((judge::read(&judged, &calls), judged.usage)),
            Asked::Failed(error) => {
                tracing::warn!(session = %self.session_id, %error, "calls were not judged");
                Some(Default::default())
            }
        })
    }

    async fn record_answer(
        &mut self,
        ids: AnswerIds,
        request: &ModelRequest,
        answer: &ModelAnswer,
        said: Said<'_>,
    ) -> Result<(), DriverError> {
        let mut draft = self.draft()?;
        let brain = self.brain.clone();
        let state = self.state();
        answer::answered(
            &mut draft,
            ids,
            &answer::Asked {
                request,
                rights: &Rights::of(state, self.thread()?),
                known: brain.known(state),
                facts: &*brain.facts,
                delegation: &delegation::names(state, self.thread()?),
                is_reviewed: review_policy(&state.config).is_some(),
                is_unseen: self.thread()?.is_grader(),
                state,
                thread: self.thread()?,
                said,
            },
            answer,
        );
        if let StopReason::Refusal {
            category,
            explanation,
        } = &answer.stop_reason
        {
            let details =
                json!({"type": "refusal", "category": category, "explanation": explanation});
            draft.idle(&json!({"type": "refusal"}), &details);
        } else {
            self.push_idle_if_next(&mut draft)?;
        }
        self.commit(draft).await
    }

    async fn record_failure(
        &mut self,
        start: &EventId,
        request: &ModelRequest,
        error: &ModelError,
        is_summary: bool,
    ) -> Result<(), DriverError> {
        tracing::warn!(session = %self.session_id, model = %request.model, %error, "a model request failed");
        let mut draft = self.draft()?;
        if matches!(error, ModelError::ContextTooLong(_)) {
            // Not an error of the session: the conversation is summarised and asked again.
            answer::too_long(&mut draft, start, request, error, is_summary);
            return self.commit(draft).await;
        }
        let failures = self.thread()?.failures.saturating_add(1);
        let kind = answer::error_kind(error);
        if error.is_retryable() && failures < self.brain.limits.attempts_max {
            let wait = self.brain.backoff.wait(failures, error.retry_after());
            let due = self.brain.clock.now().checked_add(wait).ok();
            answer::failed(&mut draft, start, request, error, due);
            draft.error(kind, &error.to_string(), "retrying");
            draft.rescheduled();
        } else {
            answer::failed(&mut draft, start, request, error, None);
            draft.error(kind, &error.to_string(), "exhausted");
            let reason = json!({"type": "retries_exhausted"});
            draft.idle(&reason, &Value::Null);
        }
        self.commit(draft).await
    }
}

/// Returns the events that open a request; where the session has a budget, with what the request may cost at most,
/// and none while there is no room for it.
fn with_reserve(
    brain: &Brain,
    state: &State,
    thread_id: &ThreadId,
    events: &[NewEvent],
    start: &EventId,
    request_of: &dyn Fn(&State) -> ModelRequest,
) -> Result<Vec<NewEvent>, DriverError> {
    let mut events = events.to_vec();
    let Some(thread) = state.thread(thread_id.as_str()) else {
        return Err(DriverError::WentBack);
    };
    if !state.is_counted(thread) {
        return Ok(events);
    }
    if room(state, thread) != Room::Free {
        return Ok(Vec::new());
    }
    let (ahead, _) = complete(state, events.clone())?;
    let request = request_of(&ahead);
    let cost = answer::cost_max(&request, &*brain.facts);
    for event in events.iter_mut().filter(|event| event.id == *start) {
        event.private = Some(json!({"reserved_nanocents": cost}));
    }
    Ok(events)
}

/// Turns a provider's progress into previews of the events to come.
struct Previews {
    live: std::sync::Arc<super::live::Live>,
    session_id: crate::ids::SessionId,
    thread_id: ThreadId,
    after: u64,
    thinking: EventId,
    message: EventId,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    has_thinking: bool,
    has_message: bool,
    /// Text blocks that began and got text; the event has none that are empty or white space alone.
    blocks: usize,
    block_has_text: bool,
    /// White space at the start of a block, held back until other text shows that the block counts.
    held: String,
}

impl Previews {
    fn show(&self, progress: Progress) {
        let mut shown = self.shown.lock().unwrap_or_else(|e| e.into_inner());
        match progress {
            Progress::ThinkingStarted if !shown.has_thinking => {
                shown.has_thinking = true;
                self.send(&self.thinking, PreviewPart::Start("agent.thinking"));
            }
            Progress::TextStarted => {
                shown.block_has_text = false;
                shown.held.clear();
            }
            Progress::TextDelta(text) if !shown.block_has_text && text.trim().is_empty() => {
                shown.held.push_str(&text);
            }
            Progress::TextDelta(text) if !text.is_empty() => {
                let text = std::mem::take(&mut shown.held) + &text;
                if !shown.has_message {
                    shown.has_message = true;
                    self.send(&self.message, PreviewPart::Start("agent.message"));
                }
                if !shown.block_has_text {
                    shown.block_has_text = true;
                    shown.blocks += 1;
                }
                let index = shown.blocks.saturating_sub(1);
                self.send(&self.message, PreviewPart::Delta { index, text });
            }
            Progress::Started
            | Progress::ThinkingStarted
            | Progress::ThinkingDelta(_)
            | Progress::TextDelta(_)
            | Progress::ToolUseStarted(_) => {}
        }
    }

    fn send(&self, event_id: &EventId, part: PreviewPart) {
        let preview = Preview {
            after: self.after,
            thread_id: self.thread_id.clone(),
            event_id: event_id.clone(),
            part,
        };
        self.live.preview(&self.session_id, preview);
    }
}
