//! Bodies on their way: bounded in size and time, counted, one part at a time, so that whoever reads slowly slows the
//! other side down and nothing is heaped up in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use futures::stream::try_unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use sinew_runtime::{EgressBody, EgressError};
use tokio::time::{Instant, timeout_at};

/// Bounds of one body.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyBounds {
    /// Most bytes.
    pub(super) bytes_max: u64,
    /// Longest wait for the next part.
    pub(super) between: Duration,
    /// When the whole exchange must be over.
    pub(super) deadline: Instant,
}

/// Returns the parts of a body within its bounds. Trailers are no part: nobody reads them, and they would be headers
/// that were not checked.
pub(super) fn parts(
    body: EgressBody,
    bounds: BodyBounds,
) -> impl Stream<Item = Result<Bytes, EgressError>> + Send {
    try_unfold(
        (body, bounds.bytes_max),
        move |(mut body, left)| async move {
            loop {
                let until = bounds.deadline.min(Instant::now() + bounds.between);
                let frame = timeout_at(until, body.frame())
                    .await
                    .map_err(|_| EgressError::Timeout)?;
                let Some(frame) = frame.transpose()? else {
                    return Ok(None);
                };
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                let Some(left) = left.checked_sub(data.len() as u64) else {
                    return Err(EgressError::TooLarge);
                };
                return Ok(Some((data, (body, left))));
            }
        },
    )
}

/// Returns a body of these parts.
pub(super) fn of_parts(
    parts: impl Stream<Item = Result<Bytes, EgressError>> + Send + 'static,
) -> EgressBody {
    use futures::StreamExt as _;
    StreamBody::new(parts.map(|part| part.map(Frame::data))).boxed_unsync()
}

/// Counts the bytes of a body as they pass, and keeps `held` until its last part has passed or nobody reads on.
pub(super) fn counted<H: Send + 'static>(
    body: EgressBody,
    count: Arc<AtomicU64>,
    held: H,
    failed: impl Fn(&mut H, &EgressError) + Send + 'static,
) -> EgressBody {
    let parts = try_unfold(
        (body, count, held, failed),
        |(mut body, count, mut held, failed)| async move {
            loop {
                let frame = match body.frame().await.transpose() {
                    Ok(Some(frame)) => frame,
                    Ok(None) => return Ok(None),
                    Err(error) => {
                        failed(&mut held, &error);
                        return Err(error);
                    }
                };
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                count.fetch_add(data.len() as u64, Ordering::Relaxed);
                return Ok(Some((data, (body, count, held, failed))));
            }
        },
    );
    of_parts(parts)
}
