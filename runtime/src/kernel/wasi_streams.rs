//! The descriptors that a process was given, as WASI sees them: standard streams and `/dev/fd`.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::description::{Description, IoError};
use super::entry::{Ended, Entry};
use super::fifo::Fifos;
use super::run::ProcessEnd;
use super::signal::PIPE;
use crate::fs::{FdTable, FifoEnds, FsError, ProcessFds};

/// The descriptors of one process, by number.
#[derive(Clone)]
pub(crate) struct Descriptors {
    numbered: Arc<BTreeMap<u32, Arc<Description>>>,
    /// A tool's own process has none: it would wait for itself.
    fifos: Option<Arc<Fifos>>,
    /// Who they belong to; a tool's own process is in no table.
    owner: Option<Arc<Entry>>,
}

impl Descriptors {
    pub(crate) fn new(
        numbered: BTreeMap<u32, Arc<Description>>,
        owner: Option<(Arc<Entry>, Arc<Fifos>)>,
    ) -> Self {
        let (owner, fifos) = owner.unzip();
        Self {
            numbered: Arc::new(numbered),
            fifos,
            owner,
        }
    }

    pub(crate) fn get(&self, number: u32) -> Option<Arc<Description>> {
        self.numbered.get(&number).map(Arc::clone)
    }

    /// Returns the stream of a descriptor; of a number that is not open one that fails.
    pub(crate) fn stream(&self, number: u32) -> Stream {
        let description = self.get(number);
        self.stream_of(description.unwrap_or_else(|| Arc::new(Description::Closed)))
    }

    fn stream_of(&self, description: Arc<Description>) -> Stream {
        Stream {
            description,
            owner: self.owner.clone(),
            waits_to_write: false,
            held: Bytes::new(),
        }
    }
}

impl FdTable for Descriptors {
    fn numbers(&self) -> Vec<u32> {
        self.numbered.keys().copied().collect()
    }

    fn is_open(&self, number: u32) -> bool {
        self.numbered.contains_key(&number)
    }

    fn open_fifo(&self, key: (u64, u64), read: bool, write: bool) -> Option<FifoEnds> {
        let fifos = self.fifos.as_ref()?;
        Some(FifoEnds(fifos.open(key, read, write)))
    }
}

impl ProcessFds for Descriptors {
    fn input(&self, number: u32) -> Option<DynInputStream> {
        let is_readable = self.numbered.get(&number)?.is_readable();
        is_readable.then(|| Box::new(self.stream(number)) as DynInputStream)
    }

    fn output(&self, number: u32) -> Option<DynOutputStream> {
        let is_writable = self.numbered.get(&number)?.is_writable();
        is_writable.then(|| {
            let mut stream = self.stream(number);
            stream.waits_to_write = true;
            Box::new(stream) as DynOutputStream
        })
    }

    fn fifo_input(&self, ends: &FifoEnds) -> Option<DynInputStream> {
        Some(Box::new(self.stream_of(fifo_description(ends)?)))
    }

    fn fifo_output(&self, ends: &FifoEnds) -> Option<DynOutputStream> {
        let mut stream = self.stream_of(fifo_description(ends)?);
        stream.waits_to_write = true;
        Some(Box::new(stream))
    }
}

/// Returns what [`Fifos::open`] opened.
pub(super) fn fifo_description(ends: &FifoEnds) -> Option<Arc<Description>> {
    Arc::clone(&ends.0).downcast().ok()
}

/// One way of a description.
#[derive(Clone)]
pub(crate) struct Stream {
    description: Arc<Description>,
    owner: Option<Arc<Entry>>,
    /// What being ready means: room to write, or something to read.
    waits_to_write: bool,
    /// Written and told to fit, but another process filled the pipe first; goes out before anything else.
    held: Bytes,
}

impl Stream {
    /// What a write to a broken pipe does to its process.
    fn broken(&self) -> StreamError {
        let dies = self
            .owner
            .as_ref()
            .is_none_or(|owner| owner.signals().dies_of_pipe());
        if dies {
            StreamError::Trap(ProcessEnd(Ended::Signaled(PIPE)).into())
        } else {
            StreamError::LastOperationFailed(FsError::Pipe.into())
        }
    }
}

impl Stream {
    fn write_held(&mut self) -> StreamResult<()> {
        while !self.held.is_empty() {
            match self.description.write(&self.held) {
                Ok(count) => drop(self.held.split_to(count.min(self.held.len()))),
                Err(IoError::WouldBlock) => return Ok(()),
                Err(IoError::BrokenPipe) => return Err(self.broken()),
                Err(IoError::Fs(error)) => {
                    return Err(StreamError::LastOperationFailed(error.into()));
                }
            }
        }
        Ok(())
    }
}

impl InputStream for Stream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        match self.description.read(size) {
            Ok(bytes) if bytes.is_empty() => Err(StreamError::Closed),
            Ok(bytes) => Ok(bytes.into()),
            Err(IoError::WouldBlock) => Ok(Bytes::new()),
            Err(IoError::BrokenPipe) => Err(self.broken()),
            Err(IoError::Fs(error)) => Err(StreamError::LastOperationFailed(error.into())),
        }
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        debug_assert!(self.held.is_empty(), "it was told that nothing fits");
        self.held = bytes;
        self.write_held()
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.write_held()?;
        Ok(if self.held.is_empty() {
            self.description.room()
        } else {
            0
        })
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        std::future::poll_fn(|context| {
            let is_ready = if self.waits_to_write {
                self.description.poll_writable(context.waker())
            } else {
                self.description.poll_readable(context.waker())
            };
            if is_ready {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        let mut stream = self.clone();
        stream.waits_to_write = true;
        Box::new(stream)
    }
}

fn io_error(error: IoError) -> std::io::Error {
    match error {
        IoError::WouldBlock => std::io::ErrorKind::WouldBlock.into(),
        IoError::BrokenPipe => std::io::ErrorKind::BrokenPipe.into(),
        IoError::Fs(error) => std::io::Error::other(error),
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.description.poll_readable(context.waker()) {
            return Poll::Pending;
        }
        match self.description.read(buffer.remaining()) {
            Ok(bytes) => {
                buffer.put_slice(&bytes);
                Poll::Ready(Ok(()))
            }
            // Another reader of the same pipe was faster.
            Err(IoError::WouldBlock) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(io_error(error))),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if !self.description.poll_writable(context.waker()) {
            return Poll::Pending;
        }
        match self.description.write(bytes) {
            Ok(count) => Poll::Ready(Ok(count)),
            Err(IoError::WouldBlock) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Err(IoError::BrokenPipe) => {
                if let Some(owner) = &self.owner {
                    owner.signal(PIPE);
                }
                Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()))
            }
            Err(error) => Poll::Ready(Err(io_error(error))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
