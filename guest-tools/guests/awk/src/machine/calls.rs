//! Calls of the program's functions.

use crate::Error;
use crate::value::Value;

use super::{CALLS_MAX, Flow, Frame, Machine};

impl Machine {
    /// Enters a function; its arguments are on the stack.
    pub(super) fn call(&mut self, function: u32, count: usize) -> Result<(), Error> {
        let Some(code) = self.program.functions.get(function as usize) else {
            return Ok(());
        };
        if self.frames.len() >= CALLS_MAX {
            let what = format!(
                "function `{}' called too deep: more than {CALLS_MAX} levels",
                code.name
            );
            return Err(self.fatal(&what));
        }
        let (entry, parameters) = (code.entry as usize, code.parameters.len());
        let height = self.stack.len();
        let begin = height.saturating_sub(count);
        for value in self.stack.iter_mut().skip(begin) {
            if let Value::Slice(..) = value {
                *value = std::mem::take(value).into_kept();
            }
        }
        self.stack.resize_with(begin + parameters, || Value::Empty);
        self.frames.push(Frame {
            return_to: self.place,
            base: self.base,
            function,
        });
        self.base = begin;
        self.place = entry;
        Ok(())
    }

    /// Enters the function whose name lies below its arguments.
    pub(super) fn call_indirect(&mut self, count: usize) -> Result<(), Error> {
        let at = self.stack.len().saturating_sub(count + 1);
        let name = if at < self.stack.len() {
            self.stack.remove(at)
        } else {
            Value::Empty
        };
        let name =
            String::from_utf8_lossy(&name.to_bytes(&self.settings.number_format)).into_owned();
        if let Some(function) = self.function_of(&name) {
            let declared = self
                .program
                .functions
                .get(function as usize)
                .map_or(0, |code| code.parameters.len());
            if count > declared {
                return Err(self.fatal(&format!(
                    "function `{name}' called with more arguments than declared"
                )));
            }
            return self.call(function, count);
        }
        match crate::builtin::Builtin::of(&name) {
            Some(builtin) if builtin.takes(count) => self.call_builtin(builtin, count),
            Some(_) => Err(self.fatal(&format!(
                "{count} is invalid as number of arguments for {name}"
            ))),
            None => Err(self.fatal(&format!(
                "function called indirectly through `{name}' does not exist"
            ))),
        }
    }

    /// Returns the place of a function of the program.
    pub(super) fn function_of(&self, name: &str) -> Option<u32> {
        self.program
            .functions
            .iter()
            .zip(0..)
            .find(|(code, _)| code.name == name)
            .map(|(_, place)| place)
    }

    /// Leaves a function; the result is on the stack.
    pub(super) fn return_from_call(&mut self) {
        let result = self.pop();
        if let Some(frame) = self.frames.pop() {
            self.stack.truncate(self.base);
            self.base = frame.base;
            self.place = frame.return_to;
        }
        self.push(match result {
            // An array is no value that a function returns.
            Value::Array(_) | Value::Keys(_) => Value::Empty,
            result => result.into_kept(),
        });
    }

    /// Calls a function of the program from within a function of the language.
    pub(super) fn call_back(
        &mut self,
        function: u32,
        arguments: Vec<Value>,
    ) -> Result<Value, Error> {
        let place = self.place;
        let count = arguments.len();
        self.stack.extend(arguments);
        // A place behind all code, where the loop ends.
        self.place = usize::MAX;
        self.call(function, count)?;
        let entry = self.place as u32;
        let base = self.frames.last().map_or(0, |frame| frame.base);
        let flow = self.run(entry)?;
        self.base = base;
        self.place = place;
        match flow {
            Flow::Done => Ok(self.pop()),
            Flow::Exit | Flow::Next | Flow::NextFile => Err(self
                .fatal("a comparison function must return: `next' and `exit' cannot end a sort")),
        }
    }
}
