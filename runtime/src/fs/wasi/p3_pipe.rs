//! The byte and entry streams of WASI 0.3, with the future that tells how they ended.
//!
//! Every end sends its result exactly once, when it closes or when it is dropped: a future without a sender
//! would be a trap in the guest.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Destination, Source, StreamConsumer, StreamProducer, StreamResult, VecBuffer,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, StreamError};
use wasmtime_wasi::p3::bindings::filesystem::types::{DirectoryEntry, ErrorCode};

use super::convert::p3_kind;
use super::{READ_BYTES_MAX, WRITE_BYTES_MAX};
use crate::fs::{DirList, FsError};

/// Entries handed over at once when the guest does not say how many it takes.
const ENTRIES_AT_ONCE: usize = 64;

type Produced = Poll<wasmtime::Result<StreamResult>>;

/// How a stream ended, to be said once.
pub(super) struct Ending(Option<oneshot::Sender<Result<(), ErrorCode>>>);

impl Ending {
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<(), ErrorCode>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    pub(super) fn send(&mut self, result: Result<(), ErrorCode>) {
        if let Some(sender) = self.0.take() {
            // The guest may have dropped the future: then nobody wants to know.
            let _ = sender.send(result);
        }
    }

    fn closed(&mut self, error: StreamError) -> Produced {
        self.send(match error {
            StreamError::Closed => Ok(()),
            StreamError::LastOperationFailed(error) => Err(error
                .downcast_ref::<FsError>()
                .copied()
                .unwrap_or(FsError::Io)
                .into()),
            StreamError::Trap(error) => return Poll::Ready(Err(error)),
        });
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.send(Ok(()));
    }
}

type Waiting<S> = Pin<Box<dyn Future<Output = S> + Send>>;

/// A stream of `wasi:io`, at hand or waiting to be ready.
enum Turn<S> {
    Idle(S),
    Waiting(Waiting<S>),
    Gone,
}

/// Reads a stream of `wasi:io`.
pub(super) struct Producer {
    turn: Turn<DynInputStream>,
    ending: Ending,
}

impl Producer {
    pub(super) fn new(stream: DynInputStream, ending: Ending) -> Self {
        Self {
            turn: Turn::Idle(stream),
            ending,
        }
    }
}

impl<D> StreamProducer<D> for Producer {
    type Item = u8;
    type Buffer = VecBuffer<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, u8, VecBuffer<u8>>,
        finish: bool,
    ) -> Produced {
        let wanted = destination.remaining(&mut store).unwrap_or(READ_BYTES_MAX);
        if wanted == 0 {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        loop {
            match std::mem::replace(&mut self.turn, Turn::Gone) {
                Turn::Gone => return Poll::Ready(Ok(StreamResult::Dropped)),
                Turn::Idle(mut stream) => match stream.read(wanted.min(READ_BYTES_MAX)) {
                    Err(error) => return self.ending.closed(error),
                    Ok(bytes) if bytes.is_empty() => {
                        self.turn = Turn::Waiting(Box::pin(async move {
                            stream.ready().await;
                            stream
                        }));
                    }
                    Ok(bytes) => {
                        destination.set_buffer(Vec::from(bytes).into());
                        self.turn = Turn::Idle(stream);
                        return Poll::Ready(Ok(StreamResult::Completed));
                    }
                },
                Turn::Waiting(mut waiting) => match waiting.as_mut().poll(cx) {
                    Poll::Ready(stream) => self.turn = Turn::Idle(stream),
                    Poll::Pending => {
                        self.turn = Turn::Waiting(waiting);
                        return pending(finish);
                    }
                },
            }
        }
    }
}

/// Writes a stream of `wasi:io`.
pub(super) struct Consumer {
    turn: Turn<DynOutputStream>,
    ending: Ending,
}

impl Consumer {
    pub(super) fn new(stream: DynOutputStream, ending: Ending) -> Self {
        Self {
            turn: Turn::Idle(stream),
            ending,
        }
    }
}

impl<D> StreamConsumer<D> for Consumer {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Produced {
        let mut source = source.as_direct(store);
        if source.remaining().is_empty() {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        loop {
            match std::mem::replace(&mut self.turn, Turn::Gone) {
                Turn::Gone => return Poll::Ready(Ok(StreamResult::Dropped)),
                Turn::Idle(mut stream) => {
                    let room = match stream.check_write() {
                        Err(StreamError::Closed) => {
                            self.ending.send(Err(ErrorCode::Pipe));
                            return Poll::Ready(Ok(StreamResult::Dropped));
                        }
                        Err(error) => return self.ending.closed(error),
                        Ok(room) => room.min(WRITE_BYTES_MAX),
                    };
                    if room == 0 {
                        self.turn = Turn::Waiting(Box::pin(async move {
                            stream.ready().await;
                            stream
                        }));
                        continue;
                    }
                    let bytes = source.remaining();
                    let bytes = bytes.get(..room).unwrap_or(bytes).to_vec();
                    let count = bytes.len();
                    if let Err(error) = stream.write(bytes.into()) {
                        return self.ending.closed(error);
                    }
                    source.mark_read(count);
                    self.turn = Turn::Idle(stream);
                    return Poll::Ready(Ok(StreamResult::Completed));
                }
                Turn::Waiting(mut waiting) => match waiting.as_mut().poll(cx) {
                    Poll::Ready(stream) => self.turn = Turn::Idle(stream),
                    Poll::Pending => {
                        self.turn = Turn::Waiting(waiting);
                        return pending(finish);
                    }
                },
            }
        }
    }
}

fn pending(finish: bool) -> Produced {
    if finish {
        Poll::Ready(Ok(StreamResult::Cancelled))
    } else {
        Poll::Pending
    }
}

/// Lists a directory.
pub(super) struct Entries {
    list: DirList,
    ending: Ending,
}

impl Entries {
    pub(super) fn new(list: DirList, ending: Ending) -> Self {
        Self { list, ending }
    }
}

impl<D> StreamProducer<D> for Entries {
    type Item = DirectoryEntry;
    type Buffer = VecBuffer<DirectoryEntry>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, DirectoryEntry, VecBuffer<DirectoryEntry>>,
        _finish: bool,
    ) -> Produced {
        let wanted = destination.remaining(&mut store).unwrap_or(ENTRIES_AT_ONCE);
        let mut entries = Vec::new();
        let mut result = StreamResult::Completed;
        while entries.len() < wanted.min(ENTRIES_AT_ONCE) {
            match self.list.next() {
                Some(Ok(entry)) => {
                    entries.push(DirectoryEntry {
                        type_: p3_kind(entry.kind),
                        name: entry.name,
                    });
                }
                ended => {
                    self.ending.send(match ended {
                        Some(Err(error)) => Err(error.into()),
                        _ => Ok(()),
                    });
                    result = StreamResult::Dropped;
                    break;
                }
            }
        }
        if !entries.is_empty() {
            destination.set_buffer(entries.into());
        }
        Poll::Ready(Ok(result))
    }
}
