//! Hands bytes read ahead from a pipe on to a program.
//!
//! The program gets a pipe of its own, into which a task writes what was read ahead and then what the first pipe
//! still brings. When the program has ended, what it did not read goes back in front of the first pipe: the
//! bytes are seen by exactly one reader, as if nothing had been read ahead.

use std::cell::RefCell;
use std::rc::Rc;

use super::Open;
use crate::runtime::{Ending, Interest, Runtime, Task};
use crate::sys;

/// A running relay.
pub struct Relay {
    source: Rc<Open>,
    reader: Rc<sys::Descriptor>,
    /// Bytes taken from the source and not yet in the program's pipe.
    in_flight: Rc<RefCell<Vec<u8>>>,
    task: Rc<Task>,
}

impl Relay {
    /// Starts relaying `source`.
    pub fn start(runtime: &Rc<Runtime>, source: &Rc<Open>) -> Result<Self, sys::Errno> {
        let (reader, writer) = sys::pipe()?;
        let in_flight = Rc::new(RefCell::new(source.buffer().take()));
        let task = runtime.new_task(None);
        let pump = pump(
            Rc::clone(runtime),
            Rc::clone(source),
            Rc::new(writer),
            Rc::clone(&in_flight),
        );
        runtime.start(
            &task,
            Box::pin(async move {
                pump.await;
                Ending::Exited(0)
            }),
        );
        runtime.poll_now(&task);
        Ok(Self {
            source: Rc::clone(source),
            reader: Rc::new(reader),
            in_flight,
            task,
        })
    }

    /// Returns the descriptor for the program.
    pub fn reader(&self) -> &Rc<sys::Descriptor> {
        &self.reader
    }

    /// Takes back what the program left unread.
    pub fn finish(self, runtime: &Runtime) {
        // The task ends first: it holds the writing end, without which the rest of the pipe has an end.
        runtime.cancel(&self.task, 15);
        let mut rest = Vec::new();
        while let Ok(block) = self.reader.read(65_536) {
            if block.is_empty() {
                break;
            }
            rest.extend_from_slice(&block);
        }
        rest.extend(self.in_flight.take());
        self.source.buffer().put_back(&rest);
    }
}

async fn pump(
    runtime: Rc<Runtime>,
    source: Rc<Open>,
    writer: Rc<sys::Descriptor>,
    in_flight: Rc<RefCell<Vec<u8>>>,
) {
    loop {
        loop {
            let outcome = {
                let bytes = in_flight.borrow();
                if bytes.is_empty() {
                    break;
                }
                writer.write(&bytes)
            };
            match outcome {
                Ok(count) => {
                    in_flight.borrow_mut().drain(..count);
                }
                Err(sys::Errno::Again) => {
                    runtime.until(Interest::Writable(Rc::clone(&writer))).await;
                }
                Err(_) => return,
            }
        }
        match source.fill(&runtime).await {
            Ok(true) => in_flight.borrow_mut().extend(source.buffer().take()),
            _ => return,
        }
    }
}
