//! What tasks wait for outside the shell, and the single blocking wait for all of it.
//!
//! A future that is dropped takes its interest back, so nothing is waited for on behalf of a task that is gone.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::Runtime;
use crate::sys;

/// Something outside the shell to wait for.
#[derive(Clone)]
pub enum Interest {
    /// Bytes, or the end, can be read.
    Readable(Rc<sys::Descriptor>),
    /// Bytes can be written, or nobody reads any more.
    Writable(Rc<sys::Descriptor>),
    /// The program ended or stopped.
    Changed(Rc<sys::Child>),
    /// A point in time.
    At(Instant),
}

/// All interests.
#[derive(Default)]
pub struct Waiting {
    interests: BTreeMap<u64, (Interest, Waker)>,
    next: u64,
}

impl Waiting {
    /// Waits and returns whom to wake; their interests are gone from the list.
    pub(super) fn wait(waiting: &RefCell<Self>, only_look: bool) -> Vec<Waker> {
        let interests: Vec<(u64, Interest)> = waiting
            .borrow()
            .interests
            .iter()
            .map(|(number, (interest, _))| (*number, interest.clone()))
            .collect();
        if only_look && interests.is_empty() {
            return Vec::new();
        }
        let mut events = Vec::with_capacity(interests.len());
        let mut numbers = Vec::with_capacity(interests.len());
        let mut deadline: Option<Instant> = None;
        for (number, interest) in &interests {
            match interest {
                Interest::Readable(descriptor) => events.push(sys::Event::Readable(descriptor)),
                Interest::Writable(descriptor) => events.push(sys::Event::Writable(descriptor)),
                Interest::Changed(child) => events.push(sys::Event::Changed(child)),
                Interest::At(at) => {
                    deadline = Some(deadline.map_or(*at, |other| other.min(*at)));
                    continue;
                }
            }
            numbers.push(*number);
        }
        let timeout = if only_look {
            Some(Duration::ZERO)
        } else {
            deadline.map(|at| at.saturating_duration_since(Instant::now()))
        };
        let mut there: Vec<u64> = if events.is_empty() && only_look {
            Vec::new()
        } else {
            sys::wait(&events, timeout)
                .into_iter()
                .filter_map(|place| numbers.get(place).copied())
                .collect()
        };
        if deadline.is_some() {
            let now = Instant::now();
            there.extend(
                interests
                    .iter()
                    .filter_map(|(number, interest)| match interest {
                        Interest::At(at) if *at <= now => Some(*number),
                        _ => None,
                    }),
            );
        }
        let mut waiting = waiting.borrow_mut();
        there
            .into_iter()
            .filter_map(|number| waiting.interests.remove(&number))
            .map(|(_, waker)| waker)
            .collect()
    }

    fn add(&mut self, interest: Interest, waker: Waker) -> u64 {
        let number = self.next;
        self.next += 1;
        self.interests.insert(number, (interest, waker));
        number
    }
}

/// Waits for one interest.
pub struct Until<'a> {
    runtime: &'a Runtime,
    interest: Interest,
    number: Option<u64>,
}

impl<'a> Until<'a> {
    pub(super) fn new(runtime: &'a Runtime, interest: Interest) -> Self {
        Self {
            runtime,
            interest,
            number: None,
        }
    }
}

impl Future for Until<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.runtime.waiting().borrow_mut();
        match self.number {
            None => {
                let number = waiting.add(self.interest.clone(), context.waker().clone());
                drop(waiting);
                self.number = Some(number);
                Poll::Pending
            }
            // The wait took the entry out: the event is there.
            Some(number) => match waiting.interests.get_mut(&number) {
                None => Poll::Ready(()),
                Some((_, waker)) => {
                    waker.clone_from(context.waker());
                    Poll::Pending
                }
            },
        }
    }
}

impl Drop for Until<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.runtime
                .waiting()
                .borrow_mut()
                .interests
                .remove(&number);
        }
    }
}
