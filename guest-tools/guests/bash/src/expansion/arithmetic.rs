//! Arithmetic over the shell's variables, with expressions parsed once.

use std::borrow::Cow;
use std::rc::Rc;

use bash_text::arithmetic::{self, Expression, Value as Number};
use bstr::BString;

use crate::state::{Refusal, SetOption, Shell, Subscript};
use crate::variables::{NameMap, Value};

/// Bounds the expressions kept parsed; a script that makes new ones for ever must not grow.
const EXPRESSIONS_MAX: usize = 1024;

/// Parsed expressions by their text.
#[derive(Debug, Default, Clone)]
pub struct Expressions(NameMap<Rc<Expression>>);

impl Expressions {
    fn get(&mut self, text: &[u8]) -> Rc<Expression> {
        if let Some(expression) = self.0.get(text) {
            return Rc::clone(expression);
        }
        if self.0.len() >= EXPRESSIONS_MAX {
            self.0.clear();
        }
        let expression = Rc::new(Expression::parse(text));
        self.0.insert(Rc::from(text), Rc::clone(&expression));
        expression
    }
}

/// The shell's variables as an expression reads and writes them.
struct Access<'a> {
    shell: &'a mut Shell,
}

impl arithmetic::Variables for Access<'_> {
    type Error = Refusal;

    fn is_associative(&mut self, name: &[u8]) -> bool {
        self.shell.variable(name).is_some_and(|variable| {
            matches!(variable.value, Value::Associative(_))
                || variable
                    .dynamic
                    .is_some_and(|dynamic| dynamic.is_associative())
        })
    }

    fn get(
        &mut self,
        name: &[u8],
        subscript: arithmetic::Subscript<'_>,
    ) -> Result<Number<'_>, Refusal> {
        let text = match subscript {
            arithmetic::Subscript::None => match self.shell.get(name) {
                Some(Cow::Borrowed(text)) => return Ok(number(Cow::Borrowed(text))),
                Some(Cow::Owned(text)) => Some(BString::from(text)),
                None => None,
            },
            arithmetic::Subscript::Index(index) => {
                match self.shell.element(name, &Subscript::Index(index)) {
                    // Reading before the start is only a warning.
                    Err(refusal @ Refusal::Subscript(_)) => {
                        self.shell.report(refusal);
                        return Ok(Number::Unset);
                    }
                    element => element?,
                }
            }
            arithmetic::Subscript::Key(key) => {
                let key = self.shell.expanded_key(name, key)?;
                self.shell.element(name, &key)?
            }
        };
        match text {
            Some(text) => Ok(number(Cow::Owned(text.into()))),
            None if self.shell.options.has(SetOption::NoUnset) => {
                Err(Refusal::Unbound(BString::from(name)))
            }
            None => Ok(Number::Unset),
        }
    }

    fn expand(&mut self, text: &[u8]) -> Result<Option<BString>, Refusal> {
        if !text.iter().any(|byte| matches!(byte, b'$' | b'`')) {
            return Ok(None);
        }
        self.shell.expand_text_now(text).map(Some)
    }

    fn set(
        &mut self,
        name: &[u8],
        subscript: arithmetic::Subscript<'_>,
        value: i64,
    ) -> Result<(), Refusal> {
        let text = value.to_string();
        match subscript {
            arithmetic::Subscript::None => self.shell.assign(name, text.as_bytes(), false),
            arithmetic::Subscript::Index(index) => {
                let subscript = Subscript::Index(index);
                self.shell
                    .assign_element(name, &subscript, text.as_bytes(), false)
            }
            arithmetic::Subscript::Key(key) => {
                let key = self.shell.expanded_key(name, key)?;
                self.shell
                    .assign_element(name, &key, text.as_bytes(), false)
            }
        }
    }
}

fn number(text: Cow<'_, [u8]>) -> Number<'_> {
    match arithmetic::parse_integer(&text) {
        Some(value) => Number::Integer(value),
        None => Number::Text(text),
    }
}

impl Shell {
    /// Evaluates an arithmetic expression whose expansions are done.
    pub fn evaluate(&mut self, text: &[u8]) -> Result<i64, Refusal> {
        if let Some(value) = arithmetic::parse_integer(text) {
            return Ok(value);
        }
        let expression = self.expressions.borrow_mut().get(text);
        expression
            .evaluate(&mut Access { shell: self })
            .map_err(|error| match error {
                arithmetic::Error::Expression(error) => Refusal::Arithmetic(error.to_string()),
                arithmetic::Error::Variables(refusal) => refusal,
            })
    }

    /// As [`Self::subscript`], with text that was not expanded yet: `unset 'a[$i]'`.
    pub fn subscript_of(&mut self, name: &[u8], text: &[u8]) -> Result<Subscript, Refusal> {
        if !is_expandable(text) {
            return self.subscript(name, text);
        }
        match self.expand_text_now(text) {
            Ok(expanded) => self.subscript(name, &expanded),
            Err(Refusal::Said) => Err(Refusal::Said),
            // No word: a key that holds quotes.
            Err(_) => self.subscript(name, text),
        }
    }

    /// Reads the text between brackets for the array `name`: a key, or an arithmetic expression.
    pub fn subscript(&mut self, name: &[u8], text: &[u8]) -> Result<Subscript, Refusal> {
        let is_associative = self.variable(name).is_some_and(|variable| {
            matches!(variable.value, Value::Associative(_))
                || variable
                    .dynamic
                    .is_some_and(|dynamic| dynamic.is_associative())
        });
        if is_associative {
            return Ok(Subscript::Key(BString::from(text)));
        }
        Ok(Subscript::Index(self.evaluate(text)?))
    }

    /// Expands the subscript of an associative array that stands in an expression.
    fn expanded_key(&mut self, name: &[u8], key: &[u8]) -> Result<Subscript, Refusal> {
        let text = if is_expandable(key) {
            self.expand_text_now(key)?
        } else {
            BString::from(key)
        };
        if text.is_empty() {
            let mut whole = name.to_vec();
            whole.extend_from_slice(b"[");
            whole.extend_from_slice(key);
            whole.extend_from_slice(b"]");
            return Err(Refusal::Subscript(whole.into()));
        }
        Ok(Subscript::Key(text))
    }
}

/// Returns whether expanding the text may change it.
fn is_expandable(text: &[u8]) -> bool {
    text.iter()
        .any(|byte| matches!(byte, b'$' | b'`' | b'"' | b'\'' | b'\\'))
}
