//! `${x@...}`: transformations, of which some tell about the variable rather than its value.

use bash_syntax::ast::{Parameter, Subscript as Index, Transformation};
use bash_syntax::{WordContext, parse_word};
use bash_text::quote;
use bstr::BString;

use super::transform::transform;
use super::value::Values;
use super::word::Context;
use crate::snapshot;
use crate::state::{Shell, Stop};
use crate::variables::Value;

impl Shell {
    pub(super) async fn transform_values(
        &mut self,
        parameter: &Parameter,
        values: Values,
        transformation: Transformation,
    ) -> Result<Values, Stop> {
        let name = match parameter {
            Parameter::Name(name) | Parameter::Element { name, .. } => Some(name.clone()),
            _ => None,
        };
        let is_whole = matches!(
            parameter,
            Parameter::Element {
                subscript: Index::All(_),
                ..
            }
        );
        let operator = match transformation {
            Transformation::Upper => b'U',
            Transformation::UpperFirst => b'u',
            Transformation::Lower => b'L',
            Transformation::Quote => b'Q',
            Transformation::Escapes => b'E',
            Transformation::Prompt => return self.prompt_values(values).await,
            Transformation::Attributes => {
                return Ok(self.attribute_values(name, values));
            }
            Transformation::Assignment => {
                return Ok(self.assignment_value(name, values, is_whole));
            }
            Transformation::KeysQuoted | Transformation::Keys if is_whole => {
                let is_quoted = transformation == Transformation::KeysQuoted;
                return Ok(self.keys_and_values(name, values, is_quoted));
            }
            Transformation::KeysQuoted | Transformation::Keys => b'Q',
        };
        let change = |text: &BString| transform(text, operator).unwrap_or_else(|| text.clone());
        Ok(match values {
            Values::Unset => Values::Unset,
            Values::One(text) => Values::One(change(&text)),
            Values::Many(values, joining) => {
                Values::Many(values.iter().map(change).collect(), joining)
            }
        })
    }

    async fn prompt_values(&mut self, values: Values) -> Result<Values, Stop> {
        Ok(match values {
            Values::Unset => Values::Unset,
            Values::One(text) => Values::One(self.expand_prompt(&text).await?),
            Values::Many(values, joining) => {
                let mut decoded = Vec::new();
                for text in values {
                    decoded.push(self.expand_prompt(&text).await?);
                }
                Values::Many(decoded, joining)
            }
        })
    }

    /// Decodes a prompt's escapes and makes its expansions.
    pub async fn expand_prompt(&mut self, text: &[u8]) -> Result<BString, Stop> {
        let decoded = self.decode_prompt(text);
        if !self.options.has_shopt(crate::state::Shopt::PromptVars)
            || !decoded
                .iter()
                .any(|byte| matches!(byte, b'$' | b'`' | b'\\'))
        {
            return Ok(decoded);
        }
        match parse_word(&decoded, WordContext::DoubleQuoted, &self.parse_options()) {
            Ok(word) => Ok(self.expand_nested(&word, Context::QUOTED).await?.joined()),
            Err(_) => Ok(decoded),
        }
    }

    fn attribute_values(&self, name: Option<BString>, values: Values) -> Values {
        let letters = name
            .and_then(|name| {
                let variable = self.variable(&name)?;
                let mut letters = snapshot::attribute_letters(variable);
                letters.retain(|letter| *letter != b'-');
                Some(BString::from(letters))
            })
            .unwrap_or_default();
        match values {
            Values::Unset if letters.is_empty() => Values::Unset,
            Values::Unset | Values::One(_) => Values::One(letters),
            Values::Many(values, joining) => {
                Values::Many(values.iter().map(|_| letters.clone()).collect(), joining)
            }
        }
    }

    fn assignment_value(&self, name: Option<BString>, values: Values, is_whole: bool) -> Values {
        let Some(name) = name else {
            let Values::Many(values, _) = values else {
                return Values::Unset;
            };
            let mut text = BString::from("set --");
            for value in values {
                text.push(b' ');
                text.extend_from_slice(&quote::single_or_ansi(&value));
            }
            return Values::One(text);
        };
        let target = self.resolve(&name).ok().flatten().unwrap_or(name);
        let Some(variable) = self.variables.get(&target) else {
            return Values::Unset;
        };
        if variable.is_array() && is_whole {
            return Values::One(snapshot::declaration(&target, variable, true));
        }
        let letters = snapshot::attribute_letters(variable);
        let mut text = BString::default();
        if letters != b"-" {
            text.extend_from_slice(b"declare -");
            text.extend_from_slice(&letters);
            text.push(b' ');
        }
        text.extend_from_slice(&target);
        match values {
            Values::One(value) => {
                text.push(b'=');
                text.extend_from_slice(&quote::single_or_ansi(&value));
            }
            _ if letters == b"-" => return Values::Unset,
            _ => {}
        }
        Values::One(text)
    }

    fn keys_and_values(&self, name: Option<BString>, values: Values, is_quoted: bool) -> Values {
        let Values::Many(elements, joining) = values else {
            return Values::Unset;
        };
        let is_associative = name
            .as_ref()
            .and_then(|name| self.variable(name))
            .is_some_and(|variable| matches!(variable.value, Value::Associative(_)));
        let keys = name.map(|name| self.keys(&name)).unwrap_or_default();
        if !is_quoted {
            let pairs = keys
                .into_iter()
                .zip(elements)
                .flat_map(|(key, value)| [key, value]);
            return Values::Many(pairs.collect(), joining);
        }
        let mut text = BString::default();
        for (key, value) in keys.iter().zip(&elements) {
            if !text.is_empty() && !is_associative {
                text.push(b' ');
            }
            text.extend_from_slice(&if is_associative {
                quote::key(key)
            } else {
                key.clone()
            });
            text.push(b' ');
            text.extend_from_slice(&quote::double_or_ansi(value));
            if is_associative {
                text.push(b' ');
            }
        }
        Values::One(text)
    }
}
