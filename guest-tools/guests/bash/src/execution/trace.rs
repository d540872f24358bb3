//! `set -x`: the trace of commands.

use bstr::BString;

use crate::runtime::LocalFuture;
use crate::state::{SetOption, Shell, Stop};

impl Shell {
    /// Prints a line of the trace: PS4, its first character once per level of subshell and `eval`, and the text.
    pub async fn trace(&mut self, text: &[u8]) -> Result<(), Stop> {
        let prompt = self
            .get_string("PS4")
            .unwrap_or_else(|| BString::from("+ "));
        self.options.put(SetOption::XTrace, false);
        let (status, substitution) = (self.status, self.substitution_status);
        let expanding: LocalFuture<'_, _> = Box::pin(self.expand_prompt(&prompt));
        let expanded = expanding.await;
        self.status = status;
        self.substitution_status = substitution;
        self.options.put(SetOption::XTrace, true);
        // What cannot be expanded stands there as it is.
        let prompt = expanded.unwrap_or(prompt);
        let mut line = Vec::new();
        let length = bash_text::characters::length_of_first(&prompt);
        let first = prompt.get(..length).unwrap_or_default();
        for _ in 0..self.trace_depth() {
            line.extend_from_slice(first);
        }
        line.extend_from_slice(&prompt);
        line.extend_from_slice(text);
        line.push(b'\n');
        let number = self
            .get(b"BASH_XTRACEFD")
            .and_then(|text| bash_text::arithmetic::parse_integer(&text))
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| self.descriptors.get(*number).is_some())
            .unwrap_or(2);
        self.output.push(number, &line);
        self.flush(b"").await?;
        Ok(())
    }

    /// Prints the words of a command as a line of the trace.
    pub async fn trace_words(&mut self, words: &[BString]) -> Result<(), Stop> {
        let mut text = Vec::new();
        for (place, word) in words.iter().enumerate() {
            if place > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(&bash_text::quote::trace(word));
        }
        self.trace(&text).await
    }

    fn trace_depth(&self) -> u32 {
        self.text_depth + self.substitution_depth
    }
}
