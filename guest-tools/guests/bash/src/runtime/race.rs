//! Two futures of which the first to end counts.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

/// Which one ended first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first.
    First(A),
    /// The second.
    Second(B),
}

/// Waits for whichever ends first and drops the other; the first wins when both are there.
pub async fn race<A: Future, B: Future>(first: A, second: B) -> Either<A::Output, B::Output> {
    let mut first = pin!(first);
    let mut second = pin!(second);
    std::future::poll_fn(move |context| {
        if let Poll::Ready(value) = first.as_mut().poll(context) {
            return Poll::Ready(Either::First(value));
        }
        if let Poll::Ready(value) = second.as_mut().poll(context) {
            return Poll::Ready(Either::Second(value));
        }
        Poll::Pending
    })
    .await
}
