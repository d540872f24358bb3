//! Time that passes only when nothing else can happen.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sinew::clock::{Clock, Timestamp};

/// Where every simulation begins, in seconds since 1970.
const BEGINNING: i64 = 1_800_000_000;

/// A clock that its runtime moves, from one sleeper to the next, whenever no task can run.
pub struct SimClock {
    inner: Mutex<Inner>,
}

struct Inner {
    now: Timestamp,
    made: u64,
    /// By time and then by the order in which they went to sleep.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl SimClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner {
                now: Timestamp::from_second(BEGINNING).unwrap_or(Timestamp::UNIX_EPOCH),
                made: 0,
                sleepers: BTreeMap::new(),
            }),
        })
    }

    /// Moves to the next sleeper and wakes it alone: of two that are due at one instant, one comes first.
    pub fn step(&self) {
        let next = {
            let mut inner = self.lock();
            let next = inner.sleepers.pop_first();
            if let Some(((due, _), _)) = &next {
                inner.now = inner.now.max(*due);
            }
            next
        };
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[async_trait::async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    async fn sleep(&self, duration: Duration) {
        let due = self.now().checked_add(duration).unwrap_or(Timestamp::MAX);
        Sleep {
            clock: self,
            due,
            number: None,
        }
        .await;
    }
}

struct Sleep<'a> {
    clock: &'a SimClock,
    due: Timestamp,
    /// Given at the first poll.
    number: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let due = self.due;
        let mut inner = self.clock.lock();
        match self.number {
            Some(number) => match inner.sleepers.get_mut(&(due, number)) {
                Some(waker) => {
                    waker.clone_from(context.waker());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            },
            None if due <= inner.now => Poll::Ready(()),
            None => {
                inner.made += 1;
                let number = inner.made;
                inner
                    .sleepers
                    .insert((due, number), context.waker().clone());
                drop(inner);
                self.number = Some(number);
                Poll::Pending
            }
        }
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.clock.lock().sleepers.remove(&(self.due, number));
        }
    }
}
