//! Doing a session again: every model request made anew from the log, every call of a built-in tool run again, and
//! both held against what the log has. No model is asked.
//!
//! A request follows from the log alone, so it must be the same. A call starts from the files and the shell that the
//! log has before it, in a fresh hand; where the session is deterministic its result must be the same too. Not run
//! again: calls that never ran or were cut off, calls that somebody reviewed, and those of tools that are not ours.

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{PortableError, Staged};
use crate::agent::{LoadError, call_of, request_digest};
use crate::hands::{HandError, Hands, Mounts, ToolCall, is_of_web};
use crate::ids::{EventId, SessionId};
use crate::json::Fields as _;
use crate::session::{
    Call, CallKind, CallState, EventKind, FoldError, State, counting, is_deterministic,
    review_policy,
};
use crate::store::{Files, Store, StoreError, StoredEvent};

/// Events read at once.
const EVENTS_AT_ONCE: usize = 100;
/// What is shown of something that differs.
const SHOWN_CHARS_MAX: usize = 2_000;

/// Why a session could not be done again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A call could not be run.
    #[error(transparent)]
    Hand(#[from] HandError),
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] PortableError),
}

impl From<LoadError> for ReplayError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            LoadError::Fold(error) => Self::Fold(error),
        }
    }
}

/// What came of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Replayed {
    /// Events that count.
    pub events: u64,
    /// Calls that were run again.
    pub calls: u64,
    /// Of those, the ones of a session that is not deterministic: they may differ by time or chance alone.
    pub uncertain: u64,
    /// Calls that were not run again.
    pub skipped: u64,
    /// Requests that were made again.
    pub requests: u64,
    /// Requests of which the log has no digest.
    pub unrecorded: u64,
    /// The first thing that is not the same; nothing behind it was looked at.
    pub difference: Option<Difference>,
}

/// Something that is not the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The number of the event that has it.
    pub number: u64,
    /// The event's id.
    pub event_id: EventId,
    /// What it is: `request`, `result`, `files` or `shell`.
    pub what: &'static str,
    /// What the log has, cut where it is long.
    pub expected: String,
    /// What came now.
    pub got: String,
    /// The call may differ by time or chance alone.
    pub is_uncertain: bool,
}

/// Does a staged log again. Stops at the first difference.
pub async fn replay(
    store: &dyn Store,
    hands: &dyn Hands,
    staged: &Staged,
) -> Result<Replayed, ReplayError> {
    let mut replay = Replay {
        store,
        hands,
        session_id: staged.id(),
        done: Replayed::default(),
    };
    let mut state: Option<State> = None;
    for range in counting(&staged.rewinds, staged.head.last) {
        let mut after = range.first - 1;
        while after < range.last {
            let wanted = usize::try_from(range.last - after).unwrap_or(EVENTS_AT_ONCE);
            let events = store.read(&replay.session_id, after, wanted.min(EVENTS_AT_ONCE));
            let events = events.await?;
            let Some(last) = events.last() else { break };
            after = last.number;
            for event in &events {
                state = Some(replay.event(state.take(), event).await?);
                if replay.done.difference.is_some() {
                    return Ok(replay.done);
                }
            }
        }
    }
    Ok(replay.done)
}

struct Replay<'a> {
    store: &'a dyn Store,
    hands: &'a dyn Hands,
    session_id: SessionId,
    done: Replayed,
}

impl Replay<'_> {
    /// Holds one event against the state before it, and returns the state after it.
    async fn event(
        &mut self,
        state: Option<State>,
        event: &StoredEvent,
    ) -> Result<State, ReplayError> {
        self.done.events += 1;
        let Some(mut state) = state else {
            return Ok(State::start(&self.session_id, event)?);
        };
        if event.kind == EventKind::AgentToolResult.name() {
            let of = event.body.at("tool_use_id").as_str().unwrap_or_default();
            match state.call(of) {
                Some((thread, call)) if is_run(call, event) => {
                    let call = call_of(&state, thread, call);
                    let is_undone = call.is_apart && review_policy(&state.config).is_some();
                    let keeps_files = !thread.is_grader() && !is_undone;
                    self.call(&state, &call, keeps_files, event).await?;
                }
                _ => self.done.skipped += 1,
            }
        }
        state.apply(event)?;
        if event.kind == EventKind::SpanModelRequestStart.name() {
            self.request(&state, event);
        }
        Ok(state)
    }

    fn request(&mut self, state: &State, event: &StoredEvent) {
        let private = event.private.as_ref().unwrap_or(&Value::Null);
        let Some(expected) = private.at("request").as_str() else {
            self.done.unrecorded += 1;
            return;
        };
        self.done.requests += 1;
        let is_summary = *private.at("is_summary") == true;
        let definitions = self.hands.definitions();
        let got = request_digest(state, event.thread_id.as_ref(), definitions, is_summary);
        let got = got.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
        if got != expected {
            self.differs(event, "request", expected.to_owned(), got, false);
        }
    }

    async fn call(
        &mut self,
        state: &State,
        call: &ToolCall,
        keeps_files: bool,
        event: &StoredEvent,
    ) -> Result<(), ReplayError> {
        let is_uncertain = !is_deterministic(&state.config);
        self.done.calls += 1;
        self.done.uncertain += u64::from(is_uncertain);
        let index = self.store.files();
        let before = index.files_at(&self.session_id, event.number - 1).await?;
        let after = index.files_at(&self.session_id, event.number).await?;
        let mounts = Mounts::default();
        let hand = self.hands.provision(&self.session_id, &mounts, before);
        let hand = hand.await?;
        let unheard: crate::hands::OutputSink = std::sync::Arc::new(|_: &[u8]| {});
        let cancel = CancellationToken::new();
        let outcome = hand.execute(call, &unheard, &cancel).await?;
        let saved = hand.save().await?;
        // Not committed: the next hand begins where the log says.
        drop(hand);
        let mut content = event.body.at("content").clone();
        if let Some(blocks) = content.as_array_mut().filter(|_| call.is_apart) {
            // What the harness says of a validation comes before what it said.
            blocks.drain(..blocks.len().min(1));
        }
        let expected = (&content, *event.body.at("is_error") == true);
        let got = (Value::Array(outcome.content), outcome.is_error);
        if expected != (&got.0, got.1) {
            let shown = |(content, is_error): (&Value, bool)| match is_error {
                true => format!("an error: {}", text(content)),
                false => text(content),
            };
            let sides = (shown(expected), shown((&got.0, got.1)));
            self.differs(event, "result", sides.0, sides.1, is_uncertain);
            return Ok(());
        }
        if !keeps_files {
            // What it changed was undone.
            return Ok(());
        }
        let now = saved.map(|change| change.files).or(before);
        let digest = |files: Option<Files>| match files {
            Some(files) => files.digest.to_string(),
            None => "none".to_owned(),
        };
        if digest(now) != digest(after) {
            self.differs(event, "files", digest(after), digest(now), is_uncertain);
            return Ok(());
        }
        let shell = |files: Option<Files>| match files.and_then(|files| files.shell) {
            Some(shell) => shell.to_string(),
            None => "none".to_owned(),
        };
        if shell(now) != shell(after) {
            self.differs(event, "shell", shell(after), shell(now), is_uncertain);
        }
        Ok(())
    }

    fn differs(
        &mut self,
        event: &StoredEvent,
        what: &'static str,
        expected: String,
        got: String,
        is_uncertain: bool,
    ) {
        let (expected, got) = around_difference(&expected, &got);
        self.done.difference = Some(Difference {
            number: event.number,
            event_id: event.id.clone(),
            what,
            expected,
            got,
            is_uncertain,
        });
    }
}

/// Tells whether a result is that of a run which can be made again.
fn is_run(call: &Call, result: &StoredEvent) -> bool {
    let was_cut = || {
        let text = text(result.body.at("content"));
        *result.body.at("is_error") == true && crate::agent::is_of_no_run(&text)
    };
    let is_validation =
        call.kind == CallKind::Supervision && result.body.at("sinew").at("validation").is_string();
    (call.kind == CallKind::BuiltIn || is_validation)
        && !is_of_web(&call.name)
        && call.state() == CallState::Runnable
        && call.review.is_none()
        && !was_cut()
}

/// Returns the texts of content blocks, and of other blocks their JSON.
fn text(content: &Value) -> String {
    let blocks = content.as_array().into_iter().flatten();
    let texts = blocks.map(|block| match block.at("text").as_str() {
        Some(text) => text.to_owned(),
        None => block.to_string(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Cuts two texts to where they begin to differ.
fn around_difference(expected: &str, got: &str) -> (String, String) {
    let same = expected.chars().zip(got.chars());
    let same = same.take_while(|(a, b)| a == b).count();
    let from = match same > SHOWN_CHARS_MAX / 2 {
        true => same - SHOWN_CHARS_MAX / 4,
        false => 0,
    };
    let cut = |text: &str| {
        let mut rest = text.chars().skip(from);
        let mut shown: String = rest.by_ref().take(SHOWN_CHARS_MAX).collect();
        if from > 0 {
            shown.insert_str(0, "[...] ");
        }
        if rest.next().is_some() {
            shown.push_str(" [...]");
        }
        shown
    };
    (cut(expected), cut(got))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_to_where_they_differ() {
        assert_eq!(
            around_difference("a", "b"),
            ("a".to_owned(), "b".to_owned())
        );
        let long = "x".repeat(10_000);
        let (expected, got) = around_difference(&format!("{long}1{long}"), &format!("{long}2"));
        assert!(
            expected.contains('1')
                && expected.starts_with("[...] ")
                && expected.ends_with(" [...]")
        );
        assert!(expected.chars().count() < SHOWN_CHARS_MAX + 20);
        assert!(got.ends_with('2'));
    }
}
