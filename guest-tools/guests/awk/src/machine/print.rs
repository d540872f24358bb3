//! `print` and `printf`.

use crate::Error;
use crate::syntax::Redirect;

use super::Machine;

impl Machine {
    pub(super) fn print_record(&mut self) -> Result<(), Error> {
        self.refresh_record();
        let (record, end) = (&self.record, &self.settings.record_end);
        let result = self.streams.print(|into| {
            into.extend_from_slice(record.text());
            into.extend_from_slice(end);
        });
        result.map_err(|message| self.fatal(&message))
    }

    /// Prints the values on top of the stack, the goal of a redirection above them.
    pub(super) fn print(&mut self, count: usize, redirect: Option<Redirect>) -> Result<(), Error> {
        let goal =
            redirect.map(|redirect| (redirect, self.pop().to_bytes(&self.settings.number_format)));
        let from = self.stack.len().saturating_sub(count);
        let (settings, stack) = (&self.settings, &self.stack);
        let fill = |into: &mut Vec<u8>| {
            for (place, value) in stack.iter().skip(from).enumerate() {
                if place > 0 {
                    into.extend_from_slice(&settings.output_separator);
                }
                value.append_to(into, &settings.print_format);
            }
            into.extend_from_slice(&settings.record_end);
        };
        let result = match goal {
            None => self.streams.print(fill),
            Some((redirect, goal)) => self.streams.print_to(redirect, &goal, fill),
        };
        self.stack.truncate(from);
        result.map_err(|message| self.fatal(&message))
    }

    /// Formats the values on top of the stack and prints the result.
    pub(super) fn printf(&mut self, count: usize, redirect: Option<Redirect>) -> Result<(), Error> {
        let goal =
            redirect.map(|redirect| (redirect, self.pop().to_bytes(&self.settings.number_format)));
        let text = self.formatted(count)?;
        let result = match goal {
            None => self.streams.print(|into| into.extend_from_slice(&text)),
            Some((redirect, goal)) => self
                .streams
                .print_to(redirect, &goal, |into| into.extend_from_slice(&text)),
        };
        result.map_err(|message| self.fatal(&message))
    }

    /// Replaces the values on top of the stack, the format the lowest, by the text they make.
    pub(super) fn formatted(&mut self, count: usize) -> Result<Vec<u8>, Error> {
        let from = self.stack.len().saturating_sub(count);
        let values = self.stack.split_off(from);
        let Some((format, values)) = values.split_first() else {
            return Ok(Vec::new());
        };
        let number_format = &self.settings.number_format;
        let result = format.with_bytes(number_format, |format| {
            crate::format::format(format, values, number_format)
        });
        result.map_err(|message| self.fatal(&message))
    }
}
