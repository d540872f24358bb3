//! Messages on standard error, and writing out what is pending.

use std::fmt::Display;

use bstr::{BStr, BString, ByteSlice};

use super::{Shell, Stop};
use crate::sys;

impl Shell {
    /// Says something on standard error with the prefix that bash gives: `name: line N: `.
    pub fn report(&mut self, message: impl Display) {
        let mut text = self.message_prefix();
        text.extend_from_slice(message.to_string().as_bytes());
        text.push(b'\n');
        self.output.push(2, &text);
    }

    /// As [`Self::report`], for text that need not be UTF-8.
    pub fn report_bytes(&mut self, message: &[u8]) {
        let mut text = self.message_prefix();
        text.extend_from_slice(message);
        text.push(b'\n');
        self.output.push(2, &text);
    }

    fn message_prefix(&self) -> Vec<u8> {
        let mut text = self.source_name().to_vec();
        if self.is_interactive {
            text.extend_from_slice(b": ");
        } else {
            text.extend_from_slice(format!(": line {}: ", self.line).as_bytes());
        }
        text
    }

    /// Returns the name of what is being run: the sourced file, the function's file, the script, or `$0`.
    pub fn source_name(&self) -> &BStr {
        match self.calls.last() {
            Some(call) if !call.source.is_empty() => call.source.as_bstr(),
            _ => self.name.as_bstr(),
        }
    }

    /// Appends bytes to what is to be written to standard output.
    pub fn print(&mut self, bytes: &[u8]) {
        self.output.push(1, bytes);
    }

    /// Appends bytes to what is to be written to standard error.
    pub fn print_error(&mut self, bytes: &[u8]) {
        self.output.push(2, bytes);
    }

    /// Writes out what is pending. A reader that is gone ends the shell as SIGPIPE would; any other failure is
    /// said in the name of `command`, and the answer is false.
    pub async fn flush(&mut self, command: &[u8]) -> Result<bool, Stop> {
        if self.output.is_empty() {
            return Ok(true);
        }
        let mut is_written = true;
        for (number, bytes) in self.output.take() {
            let outcome = match self.descriptors.get(number) {
                Some(open) => {
                    let open = std::rc::Rc::clone(open);
                    open.write_all(&self.runtime, &bytes).await
                }
                None => Err(sys::Errno::BadDescriptor),
            };
            match outcome {
                Ok(()) => {}
                Err(sys::Errno::BrokenPipe) if !self.traps.handles(sys::SIGPIPE) => {
                    return Err(Stop::Signal(sys::SIGPIPE));
                }
                Err(error) if number == 1 => {
                    is_written = false;
                    let mut message = BString::from(command);
                    if !message.is_empty() {
                        message.extend_from_slice(b": ");
                    }
                    message.extend_from_slice(b"write error: ");
                    message.extend_from_slice(sys::words(error).as_bytes());
                    let mut text = self.message_prefix();
                    text.extend_from_slice(&message);
                    text.push(b'\n');
                    if let Some(open) = self.descriptors.get(2) {
                        let _ = open.write_some(&text);
                    }
                }
                Err(_) => {}
            }
        }
        Ok(is_written)
    }
}
