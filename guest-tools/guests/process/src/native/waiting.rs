//! The wait: one poll(2) over descriptors and the socket that signals write to.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::signals;
use crate::{Event, signal};

/// How long a child's ending may go unnoticed where another thread took the signal's wake-up; a program has one
/// thread, tests have several.
const CHILD_LOOK_MS: u64 = 20;

pub(crate) fn wait(events: &[Event<'_>], timeout: Option<Duration>) -> Vec<usize> {
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let has_children = events
        .iter()
        .any(|event| matches!(event, Event::Changed(_)));
    signals::choose(signal::CHLD);
    loop {
        signals::drain();
        let ended = changed(events);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let pause = if !ended.is_empty() || signals::has_pending() {
            Some(Duration::ZERO)
        } else if has_children {
            let look = Duration::from_millis(CHILD_LOOK_MS);
            Some(left.map_or(look, |left| left.min(look)))
        } else {
            left
        };
        let mut there = ready(events, pause);
        there.extend(if ended.is_empty() {
            changed(events)
        } else {
            ended
        });
        let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if !there.is_empty() || is_over || signals::has_pending() {
            there.sort_unstable();
            return there;
        }
    }
}

/// Returns the places of children that ended or stopped.
fn changed(events: &[Event<'_>]) -> Vec<usize> {
    let is_changed =
        |event: &Event<'_>| matches!(event, Event::Changed(child) if child.status().is_some());
    let numbered = events.iter().enumerate();
    numbered
        .filter(|(_, event)| is_changed(event))
        .map(|(place, _)| place)
        .collect()
}

fn ready(events: &[Event<'_>], pause: Option<Duration>) -> Vec<usize> {
    let mut places = Vec::with_capacity(events.len());
    let mut fds = Vec::with_capacity(events.len() + 1);
    for (place, event) in events.iter().enumerate() {
        let (descriptor, flags) = match event {
            Event::Readable(descriptor) => (descriptor, PollFlags::IN),
            Event::Writable(descriptor) => (descriptor, PollFlags::OUT),
            Event::Changed(_) => continue,
        };
        places.push(place);
        fds.push(PollFd::from_borrowed_fd(descriptor.0.as_fd(), flags));
    }
    if let Some(wake) = signals::wake() {
        fds.push(PollFd::from_borrowed_fd(wake, PollFlags::IN));
    }
    let pause = pause.map(|pause| Timespec {
        tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(pause.subsec_nanos()),
    });
    if poll(&mut fds, pause.as_ref()).is_err() {
        return Vec::new();
    }
    // The signals' socket is the last, beyond the places.
    let numbered = places.into_iter().zip(&fds);
    numbered
        .filter(|(_, fd)| !fd.revents().is_empty())
        .map(|(place, _)| place)
        .collect()
}
