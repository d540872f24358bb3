//! Sends a reply piece by piece, with the pauses, breaks and waits that the script asks for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream;

use super::Shared;
use super::script::Step;
use super::wire::{Format, Frame};

/// What happens instead of the rest, and before which frame.
enum Event {
    Cut,
    End,
    Hang,
    Error(Frame),
}

/// A reply on its way.
pub(super) struct Play {
    frames: std::vec::IntoIter<Frame>,
    sent: usize,
    events: Vec<(usize, Event)>,
    delay: Duration,
    has_ended: bool,
    shared: Arc<Shared>,
}

impl Play {
    pub(super) fn new(
        frames: Vec<Frame>,
        step: &Step,
        format: Format,
        delay: Duration,
        shared: Arc<Shared>,
    ) -> Self {
        let mut events = Vec::new();
        let mut plan = |after: usize, event: Event| {
            events.extend(frame_after(&frames, after).map(|at| (at, event)));
        };
        // A wait comes before a break at the same place: the break is what the release sets off.
        if let Some(after) = step.hang_after {
            plan(after, Event::Hang);
        }
        if let Some(after) = step.cut_after {
            plan(after, Event::Cut);
        }
        if let Some(after) = step.end_after {
            plan(after, Event::End);
        }
        if let Some(error) = &step.stream_error {
            let frame = format.error_frame(&error.kind, &error.message);
            plan(error.after, Event::Error(frame));
        }
        Self {
            frames: frames.into_iter(),
            sent: 0,
            events,
            delay,
            has_ended: false,
            shared,
        }
    }

    /// Returns the reply as the body of a response.
    pub(super) fn body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut play| async move {
            let next = play.next().await?;
            Some((next, play))
        }))
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        while let Some(at) = self.events.iter().position(|(at, _)| *at == self.sent) {
            match self.events.remove(at).1 {
                Event::Hang => self.shared.hang().await,
                Event::End => {
                    self.has_ended = true;
                    self.events.clear();
                }
                Event::Cut => return self.end(Err(io::Error::other("cut by the script"))),
                Event::Error(frame) => return self.end(Ok(frame.text.into())),
            }
        }
        if self.has_ended {
            return None;
        }
        let frame = self.frames.next()?;
        if frame.is_piece && !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.sent += 1;
        Some(Ok(frame.text.into()))
    }

    fn end(&mut self, last: io::Result<Bytes>) -> Option<io::Result<Bytes>> {
        self.has_ended = true;
        self.events.clear();
        Some(last)
    }
}

/// Finds the frame before which `pieces` pieces have been sent; none if there are fewer.
fn frame_after(frames: &[Frame], pieces: usize) -> Option<usize> {
    match pieces.checked_sub(1) {
        // Before the first piece, but after the answer began.
        None => frames.iter().position(|frame| frame.is_piece),
        Some(before) => {
            let mut at = frames
                .iter()
                .enumerate()
                .filter(|(_, frame)| frame.is_piece);
            at.nth(before).map(|(index, _)| index + 1)
        }
    }
}
