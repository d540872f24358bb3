//! `${!x}`: the value of a parameter names the one that is meant.

use bash_syntax::ast::Parameter;
use bash_syntax::{ParseOptions, parse_parameter};
use bstr::BString;

use super::parameter::parameter_name;
use super::value::Values;
use crate::state::{Shell, Shopt, Stop};

/// What an indirection means.
pub enum Meaning {
    /// A text: the target of a name reference.
    Text(BString),
    /// A parameter.
    Parameter(Parameter),
    /// Nothing, without an error.
    Unset,
}

impl Shell {
    /// Returns the options with which text is parsed now.
    pub fn parse_options(&self) -> ParseOptions {
        ParseOptions {
            extglob: self.options.has_shopt(Shopt::ExtGlob),
            posix: self.is_posix(),
            expand_aliases: self.options.has_shopt(Shopt::ExpandAliases),
            comments: true,
        }
    }

    pub(super) async fn indirect(&mut self, parameter: &Parameter) -> Result<Meaning, Stop> {
        if let Parameter::Name(name) = parameter
            && self.is_reference(name)
        {
            return Ok(match self.resolve(name) {
                Ok(Some(target)) => Meaning::Text(target),
                _ => Meaning::Unset,
            });
        }
        let (values, _) = self.value_of(parameter).await?;
        let text = match values {
            Values::Unset => {
                let name = parameter_name(parameter);
                let is_declared = matches!(parameter, Parameter::Name(name)
                    if self.variable(name).is_some());
                if matches!(parameter, Parameter::Name(_) | Parameter::Positional(_))
                    && !is_declared
                {
                    return Err(self.abandon(format_args!("{name}: invalid indirect expansion")));
                }
                return Ok(Meaning::Unset);
            }
            Values::One(text) => text,
            Values::Many(values, _) => BString::from(bstr::join(" ", &values)),
        };
        match parse_parameter(&text, &self.parse_options()) {
            Some(parameter) => Ok(Meaning::Parameter(parameter)),
            None => Err(self.abandon(format_args!("{text}: invalid variable name"))),
        }
    }

    /// Expands text that stands where only a value may stand now: subscripts inside arithmetic. A command
    /// substitution that would have to wait is an error.
    pub fn expand_text_now(&mut self, text: &[u8]) -> Result<BString, crate::state::Refusal> {
        use crate::state::Refusal;
        use std::task::{Context as Poller, Poll, Waker};
        let options = self.parse_options();
        let word = bash_syntax::parse_word(text, bash_syntax::WordContext::Unquoted, &options)
            .map_err(|_| Refusal::Subscript(BString::from(text)))?;
        let mut future = Box::pin(self.expand_text(&word, super::Context::SINGLE));
        match future.as_mut().poll(&mut Poller::from_waker(Waker::noop())) {
            Poll::Ready(Ok(text)) => Ok(text),
            Poll::Ready(Err(_)) => Err(Refusal::Said),
            Poll::Pending => Err(Refusal::Subscript(BString::from(text))),
        }
    }

    /// Returns whether a variable or element is set, expanding its subscript: `-v`.
    pub fn is_set_expanded(&mut self, text: &[u8]) -> bool {
        let Some(open) = text.iter().position(|byte| *byte == b'[') else {
            return self.is_set(text);
        };
        let (Some(name), Some(inside)) = (
            text.get(..open),
            text.get(open + 1..)
                .and_then(|rest| rest.strip_suffix(b"]")),
        ) else {
            return false;
        };
        if matches!(inside, b"@" | b"*") {
            return self.is_set(text);
        }
        let key = match self.expand_text_now(inside) {
            Ok(key) => key,
            Err(_) => return false,
        };
        match self.subscript(name, &key) {
            Ok(subscript) => matches!(self.element(name, &subscript), Ok(Some(_))),
            Err(_) => false,
        }
    }
}
