//! An open file description of the shell, with what was read ahead of it.
//!
//! Bytes read ahead belong to the description, so every duplicate sees them. Before a program gets the
//! description they are given back: by seeking, or through a relay where the bytes came from a pipe. A pipe
//! that was given from outside is read byte by byte, since others may read it too.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Capture;
use crate::runtime::{Ending, Interest, Runtime};
use crate::sys;

/// How much is read ahead at a time.
const BLOCK: usize = 65_536;

/// Bytes read ahead.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    /// Returns the bytes not consumed yet.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Takes `count` bytes off the front.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.bytes.len());
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Puts bytes in front.
    pub fn put_back(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut all = bytes.to_vec();
        all.extend_from_slice(self.bytes());
        self.bytes = all;
        self.start = 0;
    }

    /// Takes everything.
    pub fn take(&mut self) -> Vec<u8> {
        let rest = self.bytes().to_vec();
        self.bytes.clear();
        self.start = 0;
        rest
    }
}

enum Kind {
    Host {
        descriptor: Rc<sys::Descriptor>,
        /// Whether the offset can be moved back; asked once.
        is_seekable: Cell<Option<bool>>,
        /// Whether processes other than our own children may read it.
        is_foreign: bool,
    },
    Capture(Rc<Capture>),
    /// Text to be read: a here-document. It becomes a pipe when a program gets it.
    Text(RefCell<Option<Rc<sys::Descriptor>>>),
}

/// An open file description.
pub struct Open {
    kind: Kind,
    buffer: RefCell<Buffer>,
}

impl Drop for Open {
    fn drop(&mut self) {
        match &self.kind {
            Kind::Capture(capture) => capture.close(),
            Kind::Host { is_foreign, .. } => {
                if *is_foreign {
                    self.give_back();
                }
            }
            Kind::Text(_) => {}
        }
    }
}

impl Open {
    /// Returns a description that the shell opened itself.
    pub fn new(descriptor: sys::Descriptor) -> Rc<Self> {
        Self::host(descriptor, false)
    }

    /// Returns a description that the shell was started with.
    pub fn foreign(descriptor: sys::Descriptor) -> Rc<Self> {
        Self::host(descriptor, true)
    }

    fn host(descriptor: sys::Descriptor, is_foreign: bool) -> Rc<Self> {
        Rc::new(Self {
            kind: Kind::Host {
                descriptor: Rc::new(descriptor),
                is_seekable: Cell::new(None),
                is_foreign,
            },
            buffer: RefCell::default(),
        })
    }

    /// Returns a description whose output goes to memory, and its receiving end.
    pub fn capture() -> (Rc<Self>, Rc<Capture>) {
        let capture = Rc::new(Capture::default());
        let open = Rc::new(Self {
            kind: Kind::Capture(Rc::clone(&capture)),
            buffer: RefCell::default(),
        });
        (open, capture)
    }

    /// Returns a description from which `text` can be read.
    pub fn text(text: Vec<u8>) -> Rc<Self> {
        Rc::new(Self {
            kind: Kind::Text(RefCell::new(None)),
            buffer: RefCell::new(Buffer {
                bytes: text,
                start: 0,
            }),
        })
    }

    /// Returns the host's descriptor, making one where output has only gone to memory so far.
    pub fn descriptor(&self, runtime: &Rc<Runtime>) -> Result<Rc<sys::Descriptor>, sys::Errno> {
        match &self.kind {
            Kind::Host { descriptor, .. } => Ok(Rc::clone(descriptor)),
            Kind::Capture(capture) => capture.writer(runtime),
            Kind::Text(reader) => {
                if let Some(reader) = &*reader.borrow() {
                    return Ok(Rc::clone(reader));
                }
                let (end, writer) = sys::pipe()?;
                let end = Rc::new(end);
                *reader.borrow_mut() = Some(Rc::clone(&end));
                let text = self.buffer.borrow_mut().take();
                feed(runtime, Self::new(writer), text);
                Ok(end)
            }
        }
    }

    /// Returns the host's descriptor if there is one.
    pub fn existing_descriptor(&self) -> Option<Rc<sys::Descriptor>> {
        match &self.kind {
            Kind::Host { descriptor, .. } => Some(Rc::clone(descriptor)),
            Kind::Capture(capture) => capture.existing_writer(),
            Kind::Text(reader) => reader.borrow().clone(),
        }
    }

    /// Returns whether it is text that no program has seen yet.
    pub fn is_text(&self) -> bool {
        matches!(&self.kind, Kind::Text(reader) if reader.borrow().is_none())
    }

    fn is_seekable(&self) -> bool {
        let Kind::Host {
            descriptor,
            is_seekable,
            ..
        } = &self.kind
        else {
            return false;
        };
        if let Some(known) = is_seekable.get() {
            return known;
        }
        let known = descriptor
            .stat()
            .is_ok_and(|stat| stat.kind == sys::Kind::Regular);
        is_seekable.set(Some(known));
        known
    }

    /// Writes all of `bytes`, waiting where the reader is slow.
    pub async fn write_all(&self, runtime: &Runtime, bytes: &[u8]) -> Result<(), sys::Errno> {
        let mut rest = match self.write_some(bytes)? {
            written if written == bytes.len() => return Ok(()),
            written => bytes.get(written..).unwrap_or_default(),
        };
        while !rest.is_empty() {
            let Some(descriptor) = self.existing_descriptor() else {
                return Err(sys::Errno::BadDescriptor);
            };
            runtime.until(Interest::Writable(descriptor)).await;
            let written = self.write_some(rest)?;
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Writes what fits and returns how much.
    pub fn write_some(&self, bytes: &[u8]) -> Result<usize, sys::Errno> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if let Kind::Capture(capture) = &self.kind
            && capture.append(bytes)
        {
            return Ok(bytes.len());
        }
        let Some(descriptor) = self.existing_descriptor() else {
            return Err(sys::Errno::BadDescriptor);
        };
        if !self.buffer.borrow().bytes().is_empty() {
            self.give_back();
        }
        let mut written = 0;
        while let Some(rest) = bytes.get(written..)
            && !rest.is_empty()
        {
            match descriptor.write(rest) {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(sys::Errno::Again) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Returns what was read ahead, for taking bytes from it.
    pub fn buffer(&self) -> std::cell::RefMut<'_, Buffer> {
        self.buffer.borrow_mut()
    }

    /// Waits until the buffer holds bytes; false at the end of the file.
    pub async fn fill(&self, runtime: &Runtime) -> Result<bool, sys::Errno> {
        self.fill_at_most(runtime, BLOCK).await
    }

    /// As [`Self::fill`], but reads no more than `wanted` bytes where reading ahead is not possible.
    pub async fn fill_at_most(&self, runtime: &Runtime, wanted: usize) -> Result<bool, sys::Errno> {
        if !self.buffer.borrow().bytes().is_empty() {
            return Ok(true);
        }
        let (descriptor, is_foreign) = match &self.kind {
            Kind::Host {
                descriptor,
                is_foreign,
                ..
            } => (Rc::clone(descriptor), *is_foreign),
            Kind::Text(reader) => match &*reader.borrow() {
                Some(reader) => (Rc::clone(reader), false),
                None => return Ok(false),
            },
            Kind::Capture(_) => return Err(sys::Errno::BadDescriptor),
        };
        let size = if is_foreign && !self.is_seekable() {
            wanted.min(1)
        } else {
            wanted
        };
        loop {
            match descriptor.read(size) {
                Ok(block) => {
                    if block.is_empty() {
                        return Ok(false);
                    }
                    let mut buffer = self.buffer.borrow_mut();
                    buffer.bytes = block;
                    buffer.start = 0;
                    return Ok(true);
                }
                Err(sys::Errno::Again) => {
                    runtime
                        .until(Interest::Readable(Rc::clone(&descriptor)))
                        .await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads everything up to the end of the file.
    pub async fn read_all(&self, runtime: &Runtime) -> Result<Vec<u8>, sys::Errno> {
        let mut all = Vec::new();
        while self.fill(runtime).await? {
            all.extend(self.buffer.borrow_mut().take());
        }
        Ok(all)
    }

    /// Gives bytes read ahead back to a file by moving its offset. Returns false for a pipe with such bytes.
    pub fn give_back(&self) -> bool {
        let ahead = self.buffer.borrow().bytes().len();
        if ahead == 0 {
            return true;
        }
        if !self.is_seekable() {
            return false;
        }
        if let Kind::Host { descriptor, .. } = &self.kind {
            let distance = i64::try_from(ahead).unwrap_or(i64::MAX);
            let _ = descriptor.seek(-distance, sys::Whence::Current);
            self.buffer.borrow_mut().take();
        }
        true
    }
}

/// Writes `text` into a pipe as its reader takes it.
fn feed(runtime: &Rc<Runtime>, writer: Rc<Open>, text: Vec<u8>) {
    let rest = match writer.write_some(&text) {
        Ok(written) => text.get(written..).unwrap_or_default().to_vec(),
        Err(_) => return,
    };
    if rest.is_empty() {
        return;
    }
    let task = runtime.new_task(None);
    let own_runtime = Rc::clone(runtime);
    runtime.start(
        &task,
        Box::pin(async move {
            let _ = writer.write_all(&own_runtime, &rest).await;
            Ending::Exited(0)
        }),
    );
}
