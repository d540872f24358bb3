//! The session of tests: frames on descriptors 3 and 4, as [`crate::session`] describes them.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::Descriptor;
use crate::{Errno, Event, wait};

#[derive(Default)]
struct Session {
    is_open: bool,
    input: Option<crate::Descriptor>,
    output: Option<crate::Descriptor>,
    restored: Option<Vec<u8>>,
    calls: VecDeque<String>,
    is_broken_off: bool,
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

/// The default stands for a call from within another; there is none.
fn with<T: Default>(action: impl FnOnce(&mut Session) -> T) -> T {
    SESSION.with(|session| match session.try_borrow_mut() {
        Ok(mut session) => {
            session.open();
            action(&mut session)
        }
        Err(_) => T::default(),
    })
}

impl Session {
    fn open(&mut self) {
        if self.is_open {
            return;
        }
        self.is_open = true;
        if std::env::var_os("SINEW_SESSION").is_some() {
            self.input = crate::take(3);
            self.output = crate::take(4);
        }
    }

    /// Takes the frames that have come.
    fn look(&mut self) {
        while let Some(input) = &self.input {
            let Ok(head) = input.read(1) else { return };
            let Some((letter, body)) = head.first().copied().zip(body(input).ok()) else {
                // The driver is gone: there will be no call.
                self.input = None;
                return;
            };
            match letter {
                b'r' => self.restored = Some(body),
                b'c' => self
                    .calls
                    .push_back(String::from_utf8_lossy(&body).into_owned()),
                _ => self.is_broken_off = true,
            }
        }
    }
}

fn exactly(input: &crate::Descriptor, size: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    while bytes.len() < size {
        let more = input.read_blocking(size - bytes.len())?;
        if more.is_empty() {
            return Err(Errno::Io);
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

fn body(input: &crate::Descriptor) -> Result<Vec<u8>, Errno> {
    let size = exactly(input, 4)?;
    let size = size.as_slice().try_into().map_or(0, u32::from_le_bytes);
    exactly(input, size as usize)
}

pub(crate) fn next() -> Option<String> {
    with(|session| {
        session.look();
        session.calls.pop_front()
    })
}

pub(crate) fn notify() -> Option<Descriptor> {
    with(|session| {
        session
            .input
            .as_ref()?
            .duplicate()
            .ok()
            .map(|input| input.0)
    })
}

pub(crate) fn is_broken_off() -> bool {
    with(|session| {
        session.look();
        session.is_broken_off
    })
}

pub(crate) fn done(status: u8, state: &[u8], ended: bool) {
    with(|session| {
        session.is_broken_off = false;
        let Some(output) = &session.output else {
            return;
        };
        let size = u32::try_from(state.len() + 2).unwrap_or(u32::MAX);
        let mut frame = vec![b'd'];
        frame.extend_from_slice(&size.to_le_bytes());
        frame.extend_from_slice(&[status, u8::from(ended)]);
        frame.extend_from_slice(state);
        let _ = output.write_all_blocking(&frame);
    });
}

pub(crate) fn restored() -> Option<Vec<u8>> {
    with(|session| {
        // The first frame says whether there is a state: it must have come.
        if let Some(input) = &session.input
            && session.calls.is_empty()
        {
            wait(&[Event::Readable(input)], None);
        }
        session.look();
        session.restored.take()
    })
}
