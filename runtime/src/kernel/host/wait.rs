//! Waiting for any of several events at once, of the interface `processes`.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::kernel::Description;
use crate::kernel::entry::Entry;

/// Something to wait for.
pub(super) enum Waited {
    Readable(Arc<Description>),
    Writable(Arc<Description>),
    Changed(Arc<Entry>),
}

impl Waited {
    fn is_there(&self, context: &Context<'_>) -> bool {
        match self {
            Self::Readable(description) => description.poll_readable(context.waker()),
            Self::Writable(description) => description.poll_writable(context.waker()),
            Self::Changed(entry) => entry.poll_changed(context.waker()).is_some(),
        }
    }
}

/// Returns the places of the events that are there, as soon as there is one, a signal is pending for `process`, or the
/// time is over.
pub(super) async fn wait(
    events: Vec<Waited>,
    process: Option<Arc<Entry>>,
    timeout_ns: Option<u64>,
) -> Vec<u32> {
    let mut there = std::future::poll_fn(|context| {
        let places: Vec<u32> = (0u32..)
            .zip(&events)
            .filter(|(_, event)| event.is_there(context))
            .map(|(place, _)| place)
            .collect();
        let has_signal = process.as_ref().is_some_and(|entry| {
            let mut signals = entry.signals();
            let has_signal = signals.has_pending();
            if !has_signal {
                signals.waiters.add(context.waker());
            }
            has_signal
        });
        if places.is_empty() && !has_signal {
            Poll::Pending
        } else {
            Poll::Ready(places)
        }
    });
    match timeout_ns {
        None => there.await,
        Some(0) => {
            // Only looks.
            futures::FutureExt::now_or_never(&mut there).unwrap_or_default()
        }
        Some(nanoseconds) => {
            let time = Duration::from_nanos(nanoseconds);
            let there = pin!(there);
            tokio::time::timeout(time, there).await.unwrap_or_default()
        }
    }
}
