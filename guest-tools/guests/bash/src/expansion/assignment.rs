//! Assignments: expanding them and carrying them out.

use bash_syntax::ast::{ArrayElement, Assignment, AssignmentValue};
use bstr::{BString, ByteSlice};

use super::word::Context;
use crate::builtins::{ListAssignment, ListElement};
use crate::state::{SetOption, Shell, Stop, Subscript};
use crate::variables::{Attributes, Value};

impl Shell {
    /// Carries out an assignment that stays.
    pub async fn perform(&mut self, assignment: &Assignment) -> Result<(), Stop> {
        let name = &assignment.name;
        match &assignment.value {
            AssignmentValue::Scalar(word) => {
                let value = self.expand_text(word, Context::ASSIGNMENT).await?;
                let subscript = match &assignment.subscript {
                    None => Subscript::None,
                    Some(word) => {
                        let text = self.expand_text(word, Context::SINGLE).await?;
                        if word.parts.is_empty() {
                            return Err(self.abandon(format_args!("{name}[]: bad array subscript")));
                        }
                        match self.subscript(name, &text) {
                            Ok(Subscript::Key(key)) if key.is_empty() => {
                                let message = format!("{name}[]: bad array subscript");
                                return Err(self.abandon(message));
                            }
                            Ok(subscript) => subscript,
                            Err(refusal) => return Err(self.refused(&refusal)),
                        }
                    }
                };
                if self.options.has(SetOption::XTrace) {
                    self.trace_assignment(assignment, &value).await?;
                }
                let outcome = self.assign_element(name, &subscript, &value, assignment.is_append);
                outcome.map_err(|refusal| match self.refused(&refusal) {
                    Stop::Discard(_) if self.is_posix() && !self.is_interactive => Stop::Exit(1),
                    stop => stop,
                })
            }
            AssignmentValue::Array(elements) => {
                if assignment.subscript.is_some() {
                    let text = bash_syntax::print_word(&assignment.to_word());
                    let place = text.split(|byte| *byte == b'=').next().unwrap_or_default();
                    let place = BString::from(place);
                    return Err(
                        self.abandon(format_args!("{place}: cannot assign list to array member"))
                    );
                }
                let elements = self.expand_elements(name, elements).await?;
                let list = ListAssignment {
                    argument: 0,
                    is_append: assignment.is_append,
                    elements,
                };
                if self.options.has(SetOption::XTrace) {
                    let whole = bash_syntax::print_word(&assignment.to_word());
                    self.trace(&whole).await?;
                }
                let outcome = self.assign_list(name, &list);
                outcome.map_err(|refusal| self.refused(&refusal))
            }
        }
    }

    async fn trace_assignment(
        &mut self,
        assignment: &Assignment,
        value: &[u8],
    ) -> Result<(), Stop> {
        let mut text = assignment.name.clone();
        if let Some(subscript) = &assignment.subscript {
            text.push(b'[');
            text.extend_from_slice(&bash_syntax::print_word(subscript));
            text.push(b']');
        }
        text.extend_from_slice(if assignment.is_append { b"+=" } else { b"=" });
        if !value.is_empty() {
            text.extend_from_slice(&bash_text::quote::trace(value));
        }
        self.trace(&text).await
    }

    /// Expands the elements of `name=(...)`.
    pub async fn expand_elements(
        &mut self,
        name: &[u8],
        elements: &[ArrayElement],
    ) -> Result<Vec<ListElement>, Stop> {
        let is_associative = self
            .variable(name)
            .is_some_and(|variable| matches!(variable.value, Value::Associative(_)));
        let mut expanded = Vec::with_capacity(elements.len());
        for element in elements {
            match &element.key {
                Some(key) => {
                    let subscript = self.expand_text(key, Context::SINGLE).await?;
                    // As bash 5.2 has it, the values of an associative array know no tilde.
                    let context = Context {
                        has_tilde: !is_associative,
                        ..Context::ASSIGNMENT
                    };
                    let value = self.expand_text(&element.value, context).await?;
                    expanded.push(ListElement {
                        subscript: Some(subscript),
                        is_append: element.is_append,
                        value,
                    });
                }
                None if is_associative => {
                    let value = self.expand_text(&element.value, Context::SINGLE).await?;
                    expanded.push(plain(value));
                }
                None => {
                    let mut fields = Vec::new();
                    self.expand_fields(&element.value, &mut fields).await?;
                    expanded.extend(fields.into_iter().map(plain));
                }
            }
        }
        Ok(expanded)
    }

    /// Binds the assignments before a command for as long as the innermost scope lasts.
    pub async fn bind_temporary(&mut self, assignments: &[Assignment]) -> Result<(), Stop> {
        for assignment in assignments {
            if assignment.subscript.is_some() {
                let word = bash_syntax::print_word(&assignment.to_word());
                let place = word.split(|byte| *byte == b'=').next().unwrap_or_default();
                let place = place.strip_suffix(b"+").unwrap_or(place);
                self.report(format_args!(
                    "`{}': not a valid identifier",
                    place.as_bstr()
                ));
                continue;
            }
            let value = match &assignment.value {
                AssignmentValue::Scalar(word) => {
                    self.expand_text(word, Context::ASSIGNMENT).await?
                }
                // The environment holds the list as it is written, expanded.
                AssignmentValue::Array(_) => {
                    let whole = assignment.to_word();
                    let text = self.expand_text(&whole, Context::SINGLE).await?;
                    let start = text.find_byte(b'(').unwrap_or(text.len());
                    BString::from(text.get(start..).unwrap_or_default())
                }
            };
            if self.options.has(SetOption::XTrace) {
                self.trace_assignment(assignment, &value).await?;
            }
            let name = match self.resolve(&assignment.name) {
                Ok(Some(name)) => name,
                _ => assignment.name.clone(),
            };
            let current = self.variables.get(&name).cloned();
            let attributes = current
                .as_ref()
                .map(|variable| variable.attributes)
                .unwrap_or_default();
            if attributes.has(Attributes::READONLY) {
                self.report(format_args!("{name}: readonly variable"));
                continue;
            }
            let before = current.as_ref().and_then(|variable| variable.text());
            let value = match self.transformed(attributes, &value, before, assignment.is_append) {
                Ok(value) => value,
                Err(refusal) => return Err(self.refused(&refusal)),
            };
            let variable = self.variables.bind_temporary(&name);
            variable.value = Value::Scalar(value);
            variable.attributes = attributes.with(Attributes::EXPORT);
            variable.is_declared_only = false;
            self.after_change(&name);
        }
        Ok(())
    }
}

fn plain(value: BString) -> ListElement {
    ListElement {
        subscript: None,
        is_append: false,
        value,
    }
}
