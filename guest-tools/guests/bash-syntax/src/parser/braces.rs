//! `${...}`.

use bstr::{BString, ByteSlice};

use super::assignment::is_name_byte;
use super::dollar::special;
use super::input::Input;
use super::quoted::QuotedStop;
use super::reader::{Parsed, Reader};
use super::unquoted::Stop;
use crate::ast::{
    CaseChange, Joining, Operation, Parameter, ParameterExpansion, RemoveSide, ReplaceAnchor,
    Special, Subscript, Transformation, UnsetAction, ValueExpansion, Word,
};
use crate::print::print_word;

impl Reader<'_> {
    /// Reads `${...}`, of which the brace is next.
    pub(super) fn read_braces(&mut self, is_quoted: bool) -> Parsed<ParameterExpansion> {
        let line = self.input.line();
        self.input.advance();
        self.enter()?;
        let start = self.input.clone();
        let place = self.input.place();
        if place.is_some_and(|place| self.dead_ends.contains(&place)) {
            self.leave();
            return self.read_bad(start, is_quoted, line);
        }
        let expansion = self.read_inside(is_quoted)?;
        self.leave();
        match expansion {
            Some(expansion) if self.input.accept(b'}') => Ok(expansion),
            Some(_) if self.input.peek().is_none() => Err(self.error_unclosed("}", line)),
            _ => {
                self.dead_ends.extend(place);
                self.read_bad(start, is_quoted, line)
            }
        }
    }

    /// Reads to the closing brace what is no expansion.
    fn read_bad(&mut self, start: Input, is_quoted: bool, line: u32) -> Parsed<ParameterExpansion> {
        self.input = start.clone();
        let word = self.read_brace_word(is_quoted)?;
        let text = self
            .input
            .since(&start)
            .map_or_else(|| print_word(&word), BString::from);
        if !self.input.accept(b'}') {
            return Err(self.error_unclosed("}", line));
        }
        Ok(ParameterExpansion::Bad { text })
    }

    fn read_brace_word(&mut self, is_quoted: bool) -> Parsed<Word> {
        if is_quoted {
            self.read_quoted(QuotedStop::Brace)
        } else {
            self.read_unquoted(Stop::Brace)
        }
    }

    /// Reads what stands between the braces; `None` when it is no expansion.
    fn read_inside(&mut self, is_quoted: bool) -> Parsed<Option<ParameterExpansion>> {
        self.input.skip_continuations();
        match self.input.peek() {
            Some(b'#') => {
                let start = self.input.clone();
                self.input.advance();
                if let Some(parameter) = self.read_parameter()?
                    && self.input.peek() == Some(b'}')
                {
                    return Ok(Some(value(parameter, false, Operation::Length)));
                }
                self.input = start;
            }
            // Neither a length nor a suffix of `$!`.
            Some(b'!')
                if self.input.peek_at(1) == Some(b'#')
                    && self.input.peek_at(2).is_some_and(is_name_byte) =>
            {
                return Ok(None);
            }
            Some(b'!') => {
                let start = self.input.clone();
                self.input.advance();
                if let Some(expansion) = self.read_indirect(is_quoted)? {
                    return Ok(Some(expansion));
                }
                self.input = start;
            }
            _ => {}
        }
        let Some(parameter) = self.read_parameter()? else {
            return Ok(None);
        };
        let operation = self.read_operation(is_quoted)?;
        Ok(operation.map(|operation| value(parameter, false, operation)))
    }

    /// Reads what follows `${!`; `None` when the parameter is `!` itself.
    fn read_indirect(&mut self, is_quoted: bool) -> Parsed<Option<ParameterExpansion>> {
        let first = self.input.peek();
        let is_special = first.is_some_and(|byte| special(byte).is_some());
        if is_special && self.input.peek_at(1) != Some(b'}') && !matches!(first, Some(b'@' | b'*'))
        {
            return Ok(None);
        }
        let Some(parameter) = self.read_parameter()? else {
            return Ok(None);
        };
        let next = (self.input.peek(), self.input.peek_at(1));
        match (parameter, next) {
            (Parameter::Name(prefix), (Some(sign @ (b'*' | b'@')), Some(b'}'))) => {
                self.input.advance();
                let joining = joining(sign);
                Ok(Some(ParameterExpansion::Names { prefix, joining }))
            }
            (
                Parameter::Element {
                    name,
                    subscript: Subscript::All(joining),
                },
                (Some(b'}'), _),
            ) => Ok(Some(ParameterExpansion::Keys { name, joining })),
            (parameter, _) => {
                let operation = self.read_operation(is_quoted)?;
                Ok(operation.map(|operation| value(parameter, true, operation)))
            }
        }
    }

    /// Reads a parameter with its subscript; `None` when there is none.
    pub(super) fn read_parameter(&mut self) -> Parsed<Option<Parameter>> {
        let Some(first) = self.input.peek() else {
            return Ok(None);
        };
        if first.is_ascii_digit() {
            let rest = self.input.rest();
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let digits = rest.get(..length).unwrap_or_default();
            let number = digits
                .to_str()
                .ok()
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(usize::MAX);
            self.input.skip(length);
            return Ok(Some(match number {
                0 => Parameter::Special(Special::Zero),
                number => Parameter::Positional(number),
            }));
        }
        if let Some(special) = special(first) {
            self.input.advance();
            return Ok(Some(Parameter::Special(special)));
        }
        if !is_name_byte(first) {
            return Ok(None);
        }
        let name = self.read_name();
        if self.input.peek() != Some(b'[') {
            return Ok(Some(Parameter::Name(name)));
        }
        self.input.advance();
        if let (Some(sign @ (b'@' | b'*')), Some(b']')) = (self.input.peek(), self.input.peek_at(1))
        {
            self.input.skip(1);
            self.input.peek();
            self.input.skip(1);
            let subscript = Subscript::All(joining(sign));
            return Ok(Some(Parameter::Element { name, subscript }));
        }
        let index = self.read_unquoted(Stop::Bracket)?;
        if index.parts.is_empty() || !self.input.accept(b']') {
            return Ok(None);
        }
        Ok(Some(Parameter::Element {
            name,
            subscript: Subscript::Index(index),
        }))
    }

    /// Reads what follows the parameter; `None` when it is nothing known.
    fn read_operation(&mut self, is_quoted: bool) -> Parsed<Option<Operation>> {
        self.input.skip_continuations();
        let Some(sign) = self.input.peek() else {
            return Ok(Some(Operation::Get));
        };
        if sign == b'}' {
            return Ok(Some(Operation::Get));
        }
        self.input.advance();
        self.input.skip_continuations();
        match sign {
            b':' => match self.input.peek().and_then(unset_action) {
                Some(action) => {
                    self.input.advance();
                    self.read_when_unset(action, true, is_quoted)
                }
                // `${x:}` is nothing, `${x: }` is all of it.
                None if self.input.peek() == Some(b'}') => Ok(None),
                None => self.read_substring(),
            },
            b'-' | b'=' | b'?' | b'+' => match unset_action(sign) {
                Some(action) => self.read_when_unset(action, false, is_quoted),
                None => Ok(None),
            },
            b'#' | b'%' => {
                let is_longest = self.input.accept(sign);
                let side = if sign == b'#' {
                    RemoveSide::Prefix
                } else {
                    RemoveSide::Suffix
                };
                let pattern = self.read_unquoted(Stop::Brace)?;
                Ok(Some(Operation::Remove {
                    side,
                    is_longest,
                    pattern,
                }))
            }
            b'/' => self.read_replace(is_quoted),
            b'^' | b',' | b'~' => {
                let change = match sign {
                    b'^' => CaseChange::Upper,
                    b',' => CaseChange::Lower,
                    _ => CaseChange::Toggle,
                };
                let is_all = self.input.accept(sign);
                let pattern = self.read_unquoted(Stop::Brace)?;
                Ok(Some(Operation::ChangeCase {
                    change,
                    is_all,
                    pattern: Some(pattern).filter(|pattern| !pattern.parts.is_empty()),
                }))
            }
            b'@' => {
                let transformation = self.input.peek().and_then(transformation);
                let is_alone = self.input.peek_at(1) == Some(b'}');
                Ok(transformation.filter(|_| is_alone).map(|transformation| {
                    self.input.advance();
                    Operation::Transform(transformation)
                }))
            }
            _ => Ok(None),
        }
    }

    fn read_when_unset(
        &mut self,
        action: UnsetAction,
        or_empty: bool,
        is_quoted: bool,
    ) -> Parsed<Option<Operation>> {
        let word = self.read_brace_word(is_quoted)?;
        Ok(Some(Operation::WhenUnset {
            action,
            or_empty,
            word,
        }))
    }

    fn read_substring(&mut self) -> Parsed<Option<Operation>> {
        let offset = self.read_quoted(QuotedStop::BraceOrColon)?;
        let length = if self.input.accept(b':') {
            Some(self.read_quoted(QuotedStop::BraceOrColon)?)
        } else {
            None
        };
        Ok(Some(Operation::Substring { offset, length }))
    }

    fn read_replace(&mut self, is_quoted: bool) -> Parsed<Option<Operation>> {
        let anchor = match self.input.peek() {
            Some(b'/') => ReplaceAnchor::All,
            Some(b'#') => ReplaceAnchor::Prefix,
            Some(b'%') => ReplaceAnchor::Suffix,
            _ => ReplaceAnchor::First,
        };
        if anchor != ReplaceAnchor::First {
            self.input.advance();
        }
        // A slash right behind the second one is the pattern: `${x////_}` replaces slashes.
        let mut parts = super::parts::Parts::default();
        if anchor == ReplaceAnchor::All && self.input.accept(b'/') {
            parts.push_byte(b'/');
        }
        self.read_unquoted_into(Stop::BraceOrSlash, &mut parts)?;
        let pattern = parts.into_word();
        let replacement = if !self.input.accept(b'/') {
            None
        } else if is_quoted {
            Some(self.read_quoted(QuotedStop::Replacement)?)
        } else {
            Some(self.read_unquoted(Stop::Brace)?)
        };
        Ok(Some(Operation::Replace {
            anchor,
            pattern,
            replacement,
        }))
    }
}

fn value(parameter: Parameter, is_indirect: bool, operation: Operation) -> ParameterExpansion {
    ParameterExpansion::Value(ValueExpansion {
        parameter,
        is_indirect,
        operation,
        is_braced: true,
    })
}

fn joining(sign: u8) -> Joining {
    if sign == b'*' {
        Joining::Joined
    } else {
        Joining::Separate
    }
}

fn unset_action(sign: u8) -> Option<UnsetAction> {
    Some(match sign {
        b'-' => UnsetAction::Default,
        b'=' => UnsetAction::Assign,
        b'?' => UnsetAction::Fail,
        b'+' => UnsetAction::Alternate,
        _ => return None,
    })
}

fn transformation(letter: u8) -> Option<Transformation> {
    Some(match letter {
        b'Q' => Transformation::Quote,
        b'E' => Transformation::Escapes,
        b'P' => Transformation::Prompt,
        b'A' => Transformation::Assignment,
        b'K' => Transformation::KeysQuoted,
        b'k' => Transformation::Keys,
        b'a' => Transformation::Attributes,
        b'u' => Transformation::UpperFirst,
        b'U' => Transformation::Upper,
        b'L' => Transformation::Lower,
        _ => return None,
    })
}
