//! Running a call in the session's hand. The intent is in the log before; the result is one append.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::driver::{Driver, DriverError, Woken};
use super::tool_output;
use crate::hands::{CallOutcome, Hand, HandError, Mounts, ToolCall};
use crate::ids::EventId;
use crate::session::{Draft, EventKind, text_block};
use crate::store::StoreError;

impl Driver {
    pub(super) async fn run_tool(&mut self, event_id: &EventId) -> Result<(), DriverError> {
        let mut opening = self.draft()?;
        self.open_turn(&mut opening)?;
        self.commit(opening).await?;
        // What was mounted by now is there for this call.
        self.catch_up().await?;
        let Some(call) = self.state()?.call(event_id.as_str()) else {
            return Ok(());
        };
        let call = ToolCall {
            event_id: event_id.clone(),
            name: call.name.clone(),
            input: call.input.clone(),
        };
        let memory = self.memory()?;
        if let Some(memory) = &memory {
            // What it has to tell comes again with what the call does.
            if let Err(error) = self.sync_memory(memory).await {
                tracing::error!(session = %self.session_id, %error, "memory could not be brought in");
                let text = "The memory below /mnt/memory could not be brought in, so the call was not made; the \
                            operator was told. Try again.";
                let mut draft = self.draft()?;
                push_result(&mut draft, event_id, failure(text));
                return self.commit(draft).await;
            }
        }
        // The hand is lent to the call and comes back only when it survived it.
        let hand = self.hand.take();
        let cancel = CancellationToken::new();
        let on_drop = cancel.clone().drop_guard();
        let hands = self.brain.hands.clone();
        let output = tool_output::to_watchers(
            self.brain.live.clone(),
            self.session_id.clone(),
            self.state()?.last,
            event_id.clone(),
        );
        let session_id = self.session_id.clone();
        let mounts = Mounts::of_session(&self.state()?.config);
        let are_placed = self.mounts == mounts;
        let work = async {
            let hand: Box<dyn Hand> = match hand {
                Some(hand) if are_placed => hand,
                Some(hand) => {
                    hands.place(&session_id, &mounts).await?;
                    hand
                }
                None => hands.provision(&session_id, &mounts).await?,
            };
            let outcome = hand.execute(&call, &output, &cancel).await?;
            Ok::<_, HandError>((hand, outcome))
        };
        let woken = self.attend(work).await?;
        drop(on_drop);
        let mut outcome = match woken {
            Woken::Interrupted => {
                if let Some(memory) = &memory {
                    // What the model must know waits for the next call's result.
                    let mut unseen = failure("");
                    self.bring_back_memory(memory, &mut unseen).await;
                }
                return Ok(());
            }
            Woken::Done(Ok((hand, outcome))) => {
                self.hand = Some(hand);
                self.mounts = mounts;
                outcome
            }
            Woken::Done(Err(error)) => {
                tracing::error!(session = %self.session_id, tool = %call.name, %error, "a hand failed");
                failure(
                    "The sandbox failed while running this call; the operator was told. \
                     Try again, or go on without it.",
                )
            }
        };
        if let Some(memory) = &memory {
            self.bring_back_memory(memory, &mut outcome).await;
        }
        let mut draft = self.draft()?;
        push_result(&mut draft, event_id, outcome);
        let committed = match self.commit(draft).await {
            // A result that cannot be stored is told, not tried again for ever.
            Err(DriverError::Store(StoreError::Invalid(why))) => {
                let mut draft = self.draft()?;
                let text = format!("The result cannot be kept: {why}. Ask for less at a time.");
                push_result(&mut draft, event_id, failure(&text));
                self.commit(draft).await
            }
            committed => committed,
        };
        if let (Ok(()), Some(memory)) = (&committed, &memory) {
            self.forget_memory_notes(memory).await;
        }
        committed
    }
}

fn failure(text: &str) -> CallOutcome {
    CallOutcome {
        content: vec![text_block(text)],
        is_error: true,
    }
}

fn push_result(draft: &mut Draft, event_id: &EventId, outcome: CallOutcome) {
    draft.thread(
        EventKind::AgentToolResult,
        json!({
            "tool_use_id": event_id.as_str(),
            "content": outcome.content,
            "is_error": outcome.is_error,
        }),
    );
}
