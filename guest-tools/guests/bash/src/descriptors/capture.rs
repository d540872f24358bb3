//! Output taken into memory: the body of `$(...)`.
//!
//! While only the shell itself writes, no pipe exists. The first program that gets the descriptor turns it into
//! one, which everybody writes to from then on, so the order of bytes is that of the writes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::runtime::{Ending, Interest, Runtime};
use crate::sys;

/// How much is read from the pipe at a time.
const BLOCK: usize = 65_536;

/// The receiving end of a captured output.
#[derive(Default)]
pub struct Capture {
    bytes: RefCell<Vec<u8>>,
    /// The writing end, once there is a pipe.
    writer: RefCell<Option<Rc<sys::Descriptor>>>,
    /// Whether a pump still reads the pipe.
    is_pumping: Cell<bool>,
    /// Whether the last descriptor of the shell for it is gone.
    is_closed: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Capture {
    /// Appends bytes, unless there is a pipe.
    pub(super) fn append(&self, bytes: &[u8]) -> bool {
        if self.writer.borrow().is_some() {
            return false;
        }
        self.bytes.borrow_mut().extend_from_slice(bytes);
        true
    }

    /// Returns the writing end of the pipe; makes it when there is none.
    pub(super) fn writer(
        self: &Rc<Self>,
        runtime: &Rc<Runtime>,
    ) -> Result<Rc<sys::Descriptor>, sys::Errno> {
        if let Some(writer) = &*self.writer.borrow() {
            return Ok(Rc::clone(writer));
        }
        let (reader, writer) = sys::pipe()?;
        let writer = Rc::new(writer);
        *self.writer.borrow_mut() = Some(Rc::clone(&writer));
        self.is_pumping.set(true);
        let pump = runtime.new_task(None);
        let capture = Rc::clone(self);
        let own_runtime = Rc::clone(runtime);
        runtime.start(
            &pump,
            Box::pin(async move {
                capture.pump(&own_runtime, Rc::new(reader)).await;
                Ending::Exited(0)
            }),
        );
        Ok(writer)
    }

    pub(super) fn existing_writer(&self) -> Option<Rc<sys::Descriptor>> {
        self.writer.borrow().clone()
    }

    async fn pump(&self, runtime: &Runtime, reader: Rc<sys::Descriptor>) {
        loop {
            match reader.read(BLOCK) {
                Ok(block) if block.is_empty() => break,
                Ok(block) => self.bytes.borrow_mut().extend_from_slice(&block),
                Err(sys::Errno::Again) => {
                    runtime.until(Interest::Readable(Rc::clone(&reader))).await;
                }
                Err(_) => break,
            }
        }
        self.is_pumping.set(false);
        self.wake();
    }

    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.writer.borrow_mut().take();
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Waits until nobody can write any more, and returns all bytes.
    pub async fn finished(&self) -> Vec<u8> {
        std::future::poll_fn(|context| {
            if self.is_closed.get() && !self.is_pumping.get() {
                return Poll::Ready(());
            }
            *self.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
        self.bytes.take()
    }
}
