//! Running a call in the session's hand. The intent is in the log before; the result is one append.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::component_tools;
use super::memory::Memory;
use super::review::Policy;
use super::runner::{INTERRUPTED, Runner, Woken};
use super::session::DriverError;
use super::supervise::{validated, validation_of};
use super::tool_output;
use super::toolset::settings_along;
use super::url_sources::is_contributed;
use crate::crash_point;
use crate::hands::{CallOutcome, Hand, HandError, Mounts, ToolCall, WEB_FETCH};
use crate::ids::EventId;
use crate::json::Fields as _;
use crate::session::{
    Call, CallKind, Draft, EventKind, State, Thread, is_deterministic, review_policy, text_block,
};
use crate::store::StoreError;

/// The result of a call that is not made again.
const OUTCOME_UNKNOWN: &str = "The outcome of this call is unknown: it was cut off after it had sent something over the \
     network, so it was not made again. What it changed in the sandbox was undone. Find out what became of its requests \
     before you repeat it.";

/// Returns a call as its hand gets it.
pub fn call_of(state: &State, thread: &Thread, call: &Call) -> ToolCall {
    let validation = validation_of(state, thread, call);
    let is_apart = validation.is_some();
    let (name, input) = match validation {
        Some(script) => ("bash".to_owned(), json!({"command": script})),
        None => (call.name.clone(), call.input.clone()),
    };
    ToolCall {
        bound: match call.kind {
            CallKind::Component => component_tools::call_of(state, thread, &name),
            _ => None,
        },
        event_id: call.event_id.clone(),
        settings: settings_along(&state.agents_above(thread), &name),
        name,
        input,
        is_deterministic: is_deterministic(&state.config),
        is_apart,
    }
}

/// Tells whether a result says that its call was cut off or could not be made, whatever the tool would have said.
pub fn is_of_no_run(text: &str) -> bool {
    [
        INTERRUPTED,
        "The outcome of this call is unknown",
        "The sandbox failed",
        "What this call changed cannot be kept",
        "The result cannot be kept",
    ]
    .iter()
    .any(|start| text.starts_with(start))
}

/// The result of a fetch whose URL the agent made up, or has from where it may not have it.
const URL_NOT_CONTRIBUTED: &str = "url_not_allowed: this URL stands in no part of the conversation that may \
     contribute URLs. Fetch one that the user or a tool named.";

impl Runner {
    pub(super) async fn run_tool(&mut self, event_id: &EventId) -> Result<(), DriverError> {
        let mut opening = self.draft()?;
        self.open_turn(&mut opening)?;
        self.commit(opening).await?;
        // What was mounted by now is there for this call.
        self.catch_up().await?;
        let Some(call) = self.thread()?.call(event_id.as_str()) else {
            return Ok(());
        };
        if let CallKind::Mcp(server) = &call.kind {
            let (call, server) = (call.clone(), server.clone());
            return self.call_server(&call, &server).await;
        }
        if call.kind == CallKind::Delegation {
            let call = call.clone();
            return self.delegate(&call).await;
        }
        if call.kind == CallKind::Supervision {
            let call = call.clone();
            if !self.supervise(&call).await? {
                return Ok(());
            }
        }
        let Some(call) = self.thread()?.call(event_id.as_str()) else {
            return Ok(());
        };
        if let Some(review) = call.review.clone() {
            let landing = call.landing.clone();
            if let Woken::Interrupted = self.take_slot().await? {
                return Ok(());
            }
            return self.land(event_id, &review, landing.as_deref()).await;
        }
        let recorded = call.clone();
        let call = call_of(self.state(), self.thread()?, call);
        let url = call.input.at("url").as_str().unwrap_or_default();
        if call.name == WEB_FETCH
            && !is_contributed(self.state(), self.thread()?, &call.settings, url)
        {
            return self.answer(event_id, failure(URL_NOT_CONTRIBUTED)).await;
        }
        if let Woken::Interrupted = self.take_slot().await? {
            return Ok(());
        }
        let memory = self.memory();
        let mounts = Mounts::of_session(&self.state().config);
        let is_new = self.slot().await.hand.is_none();
        let hand = match self.lend_hand(&mounts).await? {
            Woken::Done(Ok(hand)) => hand,
            Woken::Interrupted => return Ok(()),
            Woken::Done(Err(error)) => {
                return self.answer(event_id, self.told(&call, error)?).await;
            }
        };
        if hand.has_sent(event_id) {
            self.slot().await.hand = Some(hand);
            return self.answer(event_id, failure(OUTCOME_UNKNOWN)).await;
        }
        // After a crash the call sees the memory that its first run saw.
        let is_second_run = self.is_resuming && hand.was_cut_off();
        let memory_in = memory.as_ref().filter(|_| !is_second_run);
        // What runs in the background must not be undone with what a grader changes.
        // Where what a call changes is reviewed, what a validation changes is undone as well.
        let is_undone = self.thread()?.is_grader()
            || (call.is_apart && review_policy(&self.state().config).is_some());
        if (memory_in.is_some() || is_new || is_undone)
            && let Err(text) = self.bring_in(memory_in, &*hand).await?
        {
            self.slot().await.hand = Some(hand);
            return self.answer(event_id, failure(text)).await;
        }
        let cancel = CancellationToken::new();
        let _on_drop = cancel.clone().drop_guard();
        let output = match self.thread()?.is_grader() {
            true => Arc::new(|_: &[u8]| {}),
            false => tool_output::to_watchers(
                self.brain.live.clone(),
                self.session_id.clone(),
                self.thread_id.clone(),
                self.state().last,
                event_id.clone(),
            ),
        };
        crash_point::reach("call-before-run");
        let work = hand.execute(&call, &output, &cancel);
        let (done, is_interrupted) = self.attend_to_end(work, &cancel).await?;
        self.slot().await.note_requests(&*hand);
        crash_point::reach("call-after-run");
        let mut outcome = match done {
            Some(Ok(outcome)) => outcome,
            // The hand is gone with what it changed; the interrupt answers the call.
            None => return Ok(()),
            Some(Err(error)) => {
                let outcome = self.told(&call, error)?;
                drop(hand);
                return match is_interrupted {
                    true => Ok(()),
                    false => self.answer(event_id, outcome).await,
                };
            }
        };
        let mut ours = Value::Null;
        if call.is_apart {
            (outcome, ours) = validated(self.state(), self.thread()?, &recorded, outcome);
        }
        if is_undone {
            // It looks at the work. What it changed is undone, at once, for others see what lies in the outputs; where it
            // changed nothing, what runs in the background goes on.
            if matches!(hand.save().await, Ok(None)) {
                self.slot().await.hand = Some(hand);
            } else {
                drop(hand);
                self.slot().await.drop_hand();
                match self.lend_hand(&mounts).await? {
                    Woken::Done(Ok(hand)) => self.slot().await.hand = Some(hand),
                    Woken::Interrupted => return Ok(()),
                    Woken::Done(Err(error)) => {
                        tracing::warn!(session = %self.session_id, %error, "what a grader changed is undone later");
                    }
                }
            }
            return match is_interrupted {
                true => Ok(()),
                false => self.answer_with(event_id, outcome, ours).await,
            };
        }
        let mut saved = Ok(None);
        if !is_interrupted && let Some(policy) = Policy::of(&self.state().config) {
            saved = hand.save().await;
            if let Ok(Some(change)) = &mut saved
                && self
                    .ask_for_review(&policy, event_id, change, &outcome)
                    .await?
            {
                return Ok(());
            }
        }
        if saved.is_ok() {
            if let Some(memory) = &memory {
                self.bring_back_memory(memory, &mut outcome).await;
            }
            // What was saved for a look is a part of what is saved now.
            saved = hand
                .save()
                .await
                .map(|change| change.or(saved.unwrap_or_default()));
        }
        match saved {
            Ok(change) => {
                crash_point::reach("call-after-save");
                let slot = self.slot().await;
                slot.unsaved = change.map(Box::new);
                slot.hand = Some(hand);
            }
            Err(error) => {
                outcome = self.told(&call, error)?;
                drop(hand);
            }
        }
        if is_interrupted {
            // The interrupt's own events answer the call, and what it changed goes with them.
            return Ok(());
        }
        let answered = self.answer_with(event_id, outcome, ours).await;
        if let (Ok(()), Some(memory)) = (&answered, &memory) {
            self.forget_memory_notes(memory).await;
        }
        answered
    }

    /// Returns the session's hand, with `mounts` in place, to whoever holds the slot.
    pub(super) async fn lend_hand(
        &mut self,
        mounts: &Mounts,
    ) -> Result<Woken<Result<Box<dyn Hand>, HandError>>, DriverError> {
        let (hands, session_id) = (self.brain.hands.clone(), self.session_id.clone());
        // It comes back only when it survived the call.
        let Some(hand) = self.slot().await.hand.take() else {
            let last = self.state().last;
            let files = self.brain.store.files().files_at(&session_id, last).await?;
            crash_point::reach("hand-before-provision");
            let made = hands.provision(&session_id, mounts, files);
            let made = self.attend(made).await?;
            crash_point::reach("hand-after-provision");
            self.slot().await.mounts = mounts.clone();
            return Ok(made);
        };
        if self.slot().await.mounts == *mounts {
            return Ok(Woken::Done(Ok(hand)));
        }
        let placed = match self.attend(hands.place(&session_id, mounts)).await? {
            Woken::Done(placed) => placed,
            Woken::Interrupted => {
                self.slot().await.hand = Some(hand);
                return Ok(Woken::Interrupted);
            }
        };
        self.slot().await.mounts = mounts.clone();
        Ok(Woken::Done(placed.map(|()| hand)))
    }

    /// Brings the session's memory stores into its folders, and keeps what that changed and what was there before
    /// the first hand: a call that is cut off later runs again on the same. The inner error is for the model.
    pub(super) async fn bring_in(
        &mut self,
        memory: Option<&Memory>,
        hand: &dyn Hand,
    ) -> Result<Result<(), &'static str>, DriverError> {
        // What it has to tell comes again with what the call does.
        if let Some(memory) = memory
            && let Err(error) = self.sync_memory(memory).await
        {
            tracing::error!(session = %self.session_id, %error, "memory could not be brought in");
            return Ok(Err(
                "The memory below /mnt/memory could not be brought in, so the call was not made; the operator was \
                 told. Try again.",
            ));
        }
        match hand.save().await {
            Ok(None) => Ok(Ok(())),
            Ok(Some(change)) => {
                self.commit_files(change).await?;
                if self.slot().await.unsaved.is_none() {
                    hand.committed().await;
                }
                Ok(Ok(()))
            }
            Err(HandError::Full) => Err(StoreError::Full.into()),
            Err(error) => {
                tracing::error!(session = %self.session_id, %error, "files could not be kept");
                Ok(Err(
                    "The sandbox failed, so the call was not made; the operator was told. Try again.",
                ))
            }
        }
    }

    /// Returns what the model is told of a hand's failure. A full disk is nothing to tell: the call is made
    /// again once there is space.
    fn told(&self, call: &ToolCall, error: HandError) -> Result<CallOutcome, DriverError> {
        match error {
            HandError::Full => Err(StoreError::Full.into()),
            HandError::Unkeepable(why) => Ok(failure(&format!(
                "What this call changed cannot be kept, so it was undone: {why}."
            ))),
            error => {
                tracing::error!(session = %self.session_id, tool = %call.name, %error, "a hand failed");
                Ok(failure(
                    "The sandbox failed while running this call, so what it changed was undone; the operator was \
                     told. Try again, or go on without it.",
                ))
            }
        }
    }

    /// Appends the result of a call, with what it changed.
    pub(super) async fn answer(
        &mut self,
        event_id: &EventId,
        outcome: CallOutcome,
    ) -> Result<(), DriverError> {
        self.answer_with(event_id, outcome, Value::Null).await
    }

    /// As [`Runner::answer`], with what is ours to say of the result.
    async fn answer_with(
        &mut self,
        event_id: &EventId,
        outcome: CallOutcome,
        ours: Value,
    ) -> Result<(), DriverError> {
        let mut draft = self.draft()?;
        push_result(&mut draft, event_id, outcome, ours);
        match self.commit(draft).await {
            // A result that cannot be stored is told, not tried again for ever.
            Err(DriverError::Store(StoreError::Invalid(why))) => {
                let mut draft = self.draft()?;
                let text = format!("The result cannot be kept: {why}. Ask for less at a time.");
                push_result(&mut draft, event_id, failure(&text), Value::Null);
                self.commit(draft).await
            }
            committed => committed,
        }
    }
}

fn failure(text: &str) -> CallOutcome {
    CallOutcome {
        content: vec![text_block(text)],
        is_error: true,
    }
}

/// Adds the result of a call, with what is ours to say of it.
pub(super) fn push_result(
    draft: &mut Draft,
    event_id: &EventId,
    outcome: CallOutcome,
    ours: Value,
) {
    let mut body = json!({
        "tool_use_id": event_id.as_str(),
        "content": outcome.content,
        "is_error": outcome.is_error,
    });
    if ours.is_object() {
        body.set("sinew", ours);
    }
    draft.thread(EventKind::AgentToolResult, body);
}
