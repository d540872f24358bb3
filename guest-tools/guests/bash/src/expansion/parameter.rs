//! `$x` and `${...}`: a value, and what its operator makes of it.

use bash_syntax::ast::{
    CaseChange, Joining, Operation, Parameter, ParameterExpansion, RemoveSide, ReplaceAnchor,
    Special, Subscript as Index, UnsetAction, ValueExpansion, Word,
};
use bash_text::case::{Change, Reach, change};
use bash_text::characters;
use bash_text::pattern::{Options, Pattern, Replace};
use bstr::{BStr, BString, ByteSlice};

use super::field::Expanded;
use super::transform::{self, Removal, Replacement};
use super::value::{Place, Values};
use super::word::{Context, push_result};
use crate::runtime::LocalFuture;
use crate::state::{Refusal, SetOption, Shell, Shopt, Stop};
use crate::variables::Value;

/// A change of one value.
type Edit = Box<dyn Fn(&[u8]) -> BString>;

impl Shell {
    /// Expands a parameter and appends the result.
    pub(super) async fn expand_parameter(
        &mut self,
        expansion: &ParameterExpansion,
        context: Context,
        output: &mut Expanded,
    ) -> Result<(), Stop> {
        match expansion {
            ParameterExpansion::Value(value)
                if value.operation == Operation::Get && !value.is_indirect =>
            {
                // The everyday case, without a box.
                if let Parameter::Name(name) = &value.parameter
                    && !self.is_reference(name)
                {
                    if let Some(text) = self.get(name) {
                        push_result(&text, context, output);
                        return Ok(());
                    }
                    return self.push_values(value, Values::Unset, context, output);
                }
                let nested: LocalFuture<'_, _> = Box::pin(self.value_of(&value.parameter));
                let (values, _) = nested.await?;
                self.push_values(value, values, context, output)
            }
            ParameterExpansion::Value(value) => {
                let nested: LocalFuture<'_, _> = Box::pin(self.operate(value, context, output));
                nested.await
            }
            ParameterExpansion::Names { prefix, joining } => {
                let mut names: Vec<BString> = self
                    .variables
                    .sorted()
                    .into_iter()
                    .filter(|(name, variable)| name.starts_with(prefix) && variable.is_assigned())
                    .map(|(name, _)| BString::from(&**name))
                    .collect();
                if *joining == Joining::Joined && self.joiner().is_empty() {
                    names = vec![BString::from(bstr::concat(&names))];
                }
                self.push_many(names, *joining, context, output);
                Ok(())
            }
            ParameterExpansion::Keys { name, joining } => {
                let mut keys = self.keys(name);
                if *joining == Joining::Joined && !context.is_quoted && self.joiner().is_empty() {
                    keys = vec![BString::from(bstr::join(" ", &keys))];
                }
                self.push_many(keys, *joining, context, output);
                Ok(())
            }
            ParameterExpansion::Bad { text } => {
                Err(self.abandon(format_args!("${{{text}}}: bad substitution")))
            }
        }
    }

    /// Appends a value that nothing is done with; an unset one is an error under `set -u`.
    fn push_values(
        &mut self,
        expansion: &ValueExpansion,
        values: Values,
        context: Context,
        output: &mut Expanded,
    ) -> Result<(), Stop> {
        let is_element_reference = matches!(&expansion.parameter, Parameter::Name(name)
            if self.reference_element(name).is_some());
        match values {
            Values::Unset if self.options.has(SetOption::NoUnset) && !is_element_reference => {
                let name = parameter_name(&expansion.parameter);
                let dollar = match &expansion.parameter {
                    Parameter::Positional(_) if !expansion.is_braced => "$",
                    _ => "",
                };
                Err(self.fail(format_args!("{dollar}{name}: unbound variable")))
            }
            Values::Unset => {
                if context.is_quoted {
                    output.push(b"", false, true);
                }
                Ok(())
            }
            Values::One(text) => {
                push_result(&text, context, output);
                Ok(())
            }
            Values::Many(values, joining) => {
                self.push_many(values, joining, context, output);
                Ok(())
            }
        }
    }

    /// Appends several values as `$@` or `$*` stands there.
    pub(super) fn push_many(
        &self,
        values: Vec<BString>,
        joining: Joining,
        context: Context,
        output: &mut Expanded,
    ) {
        if context.is_quoted && joining == Joining::Joined {
            let text = if context.is_document {
                bstr::join(" ", &values).into()
            } else {
                self.join(&values)
            };
            output.push(&text, false, true);
            return;
        }
        if values.is_empty() {
            output.had_empty_list |= context.is_quoted;
            return;
        }
        if !context.is_split && joining == Joining::Joined {
            output.push(&self.join(&values), false, false);
            return;
        }
        // Where IFS begins with a mark, bash joins with it and splits again: empty values stay.
        let joiner = self.joiner();
        let is_marked = !context.is_quoted
            && context.is_split
            && joiner
                .first()
                .is_some_and(|byte| !matches!(byte, b' ' | b'\t' | b'\n'));
        for (place, value) in values.iter().enumerate() {
            if place > 0 && is_marked {
                push_result(&joiner, context, output);
            } else if place > 0 {
                output.push_break();
            }
            push_result(value, context, output);
        }
    }

    async fn operate(
        &mut self,
        expansion: &ValueExpansion,
        context: Context,
        output: &mut Expanded,
    ) -> Result<(), Stop> {
        let mut resolved = expansion.parameter.clone();
        let mut means_nothing = false;
        let (values, place) = if expansion.is_indirect {
            match self.indirect(&expansion.parameter).await? {
                super::indirect::Meaning::Text(text) => (Values::One(text), None),
                super::indirect::Meaning::Parameter(parameter) => {
                    resolved = parameter;
                    self.value_of(&resolved).await?
                }
                super::indirect::Meaning::Unset => {
                    means_nothing = true;
                    (Values::Unset, None)
                }
            }
        } else {
            self.value_of(&expansion.parameter).await?
        };
        match &expansion.operation {
            Operation::Get => self.push_values(expansion, values, context, output),
            Operation::Length => {
                let is_element_reference = matches!(&expansion.parameter, Parameter::Name(name)
                    if self.reference_element(name).is_some());
                let length = match &values {
                    // As bash has it.
                    _ if is_element_reference => 0,
                    Values::Unset => return self.unset_length(expansion, context, output),
                    Values::One(text) if self.counts_bytes() => text.len(),
                    Values::One(text) => characters::count(text),
                    Values::Many(values, _) => values.len(),
                };
                push_result(length.to_string().as_bytes(), context, output);
                Ok(())
            }
            Operation::WhenUnset {
                action,
                or_empty,
                word,
            } => {
                self.when_unset(
                    &resolved,
                    (values, place),
                    (*action, *or_empty),
                    word,
                    context,
                    output,
                )
                .await
            }
            Operation::Substring { offset, length } => {
                let values = self
                    .substring(&resolved, values, offset, length.as_ref())
                    .await?;
                self.push_values(expansion, values, context, output)
            }
            Operation::Transform(_) if means_nothing => Ok(()),
            Operation::Transform(transformation) => {
                if values == Values::Unset && self.options.has(SetOption::NoUnset) {
                    return self.push_values(expansion, values, context, output);
                }
                let values = self
                    .transform_values(&resolved, values, *transformation)
                    .await?;
                match values {
                    Values::Unset => Ok(()),
                    values => self.push_values(expansion, values, context, output),
                }
            }
            operation => {
                let values = self.edit(values, operation).await?;
                self.push_values(expansion, values, context, output)
            }
        }
    }

    fn unset_length(
        &mut self,
        expansion: &ValueExpansion,
        context: Context,
        output: &mut Expanded,
    ) -> Result<(), Stop> {
        if self.options.has(SetOption::NoUnset) {
            return self.push_values(expansion, Values::Unset, context, output);
        }
        push_result(b"0", context, output);
        Ok(())
    }

    async fn when_unset(
        &mut self,
        parameter: &Parameter,
        (values, place): (Values, Option<Place>),
        (action, or_empty): (UnsetAction, bool),
        word: &Word,
        context: Context,
        output: &mut Expanded,
    ) -> Result<(), Stop> {
        let is_there = match &values {
            Values::Unset => false,
            // `"$*"` counts as one text.
            Values::Many(values, Joining::Joined) if context.is_quoted && or_empty => {
                !self.join(values).is_empty()
            }
            Values::One(text) => !(or_empty && text.is_empty()),
            Values::Many(values, _) => match values.as_slice() {
                [] => false,
                [only] => !(or_empty && only.is_empty()),
                _ => true,
            },
        };
        let inner = Context {
            is_result: true,
            has_tilde: !context.is_quoted,
            ..context
        };
        match action {
            UnsetAction::Alternate if is_there => {
                self.expand_parts(&word.parts, inner, output).await?;
                if word.parts.is_empty() && context.is_quoted {
                    output.push(b"", false, true);
                }
                Ok(())
            }
            UnsetAction::Alternate => {
                if context.is_quoted && !matches!(values, Values::Many(..)) {
                    output.push(b"", false, true);
                }
                output.had_empty_list |=
                    context.is_quoted && matches!(values, Values::Many(_, Joining::Separate));
                Ok(())
            }
            _ if is_there => {
                match values {
                    Values::One(text) => push_result(&text, context, output),
                    Values::Many(values, joining) => {
                        self.push_many(values, joining, context, output)
                    }
                    Values::Unset => {}
                }
                Ok(())
            }
            UnsetAction::Default => self.expand_parts(&word.parts, inner, output).await,
            UnsetAction::Assign => {
                let single = Context {
                    is_split: false,
                    ..inner
                };
                let mut expanded = Expanded::default();
                self.expand_parts(&word.parts, single, &mut expanded)
                    .await?;
                let text = expanded.joined();
                let Some(place) = place else {
                    let name = parameter_name(parameter);
                    return Err(self.abandon(format_args!("${name}: cannot assign in this way")));
                };
                if let Err(refusal) =
                    self.assign_element(&place.name, &place.subscript, &text, false)
                {
                    return Err(self.refused(&refusal));
                }
                let now = self.element(&place.name, &place.subscript).ok().flatten();
                push_result(&now.unwrap_or(text), context, output);
                Ok(())
            }
            UnsetAction::Fail => {
                let single = Context {
                    is_split: false,
                    ..inner
                };
                let mut expanded = Expanded::default();
                self.expand_parts(&word.parts, single, &mut expanded)
                    .await?;
                let mut text = expanded.joined();
                if text.is_empty() {
                    text = BString::from(if or_empty {
                        "parameter null or not set"
                    } else {
                        "parameter not set"
                    });
                }
                let name = parameter_name(parameter);
                Err(self.fail(format_args!("{name}: {text}")))
            }
        }
    }

    async fn substring(
        &mut self,
        parameter: &Parameter,
        values: Values,
        offset: &Word,
        length: Option<&Word>,
    ) -> Result<Values, Stop> {
        let offset = self.number_of(offset).await?;
        let length = match length {
            Some(length) => Some((self.number_of(length).await?, length)),
            None => None,
        };
        let negative = |shell: &mut Self, length: i64| {
            let message = format!("{length}: substring expression < 0");
            shell.refused(&Refusal::Arithmetic(message))
        };
        match values {
            Values::Unset => Ok(Values::Unset),
            Values::One(text) => {
                match characters::substring(&text, offset, length.map(|(length, _)| length)) {
                    Ok(part) => Ok(Values::One(BString::from(part))),
                    Err(length) => Err(negative(self, length)),
                }
            }
            Values::Many(values, joining) => {
                let length = match length {
                    Some((length, _)) if length < 0 => return Err(negative(self, length)),
                    Some((length, _)) => usize::try_from(length).unwrap_or(usize::MAX),
                    None => usize::MAX,
                };
                let chosen: Vec<BString> = match parameter {
                    Parameter::Special(Special::At | Special::Star) => {
                        let all = std::iter::once(BString::from(self.name.to_vec())).chain(values);
                        let count = i64::try_from(self.positional.len() + 1).unwrap_or(i64::MAX);
                        match usize::try_from(if offset < 0 { count + offset } else { offset }) {
                            Ok(start) => all.skip(start).take(length).collect(),
                            Err(_) => Vec::new(),
                        }
                    }
                    Parameter::Element { name, .. } => self.slice(name, offset, length),
                    _ => Vec::new(),
                };
                Ok(Values::Many(chosen, joining))
            }
        }
    }

    fn slice(&self, name: &[u8], offset: i64, length: usize) -> Vec<BString> {
        let Some(variable) = self.variable(name) else {
            return Vec::new();
        };
        match &*self.whole(variable) {
            Value::Indexed(array) => {
                let end = i64::try_from(array.end()).unwrap_or(i64::MAX);
                let start = if offset < 0 { end + offset } else { offset };
                let Ok(start) = u64::try_from(start) else {
                    return Vec::new();
                };
                array
                    .iter()
                    .filter(|(index, _)| *index >= start)
                    .take(length)
                    .map(|(_, value)| value.clone())
                    .collect()
            }
            Value::Associative(array) => {
                let count = i64::try_from(array.len()).unwrap_or(i64::MAX);
                let start = if offset < 0 { count + offset } else { offset };
                // bash counts from 1 here; 0 is the same as 1.
                let start = usize::try_from(start)
                    .unwrap_or(usize::MAX)
                    .saturating_sub(1);
                array.values().skip(start).take(length).cloned().collect()
            }
            Value::Scalar(text) if offset == 0 && length > 0 => vec![text.clone()],
            Value::Scalar(_) | Value::Unset => Vec::new(),
        }
    }

    /// Evaluates a word as arithmetic.
    pub(crate) async fn number_of(&mut self, word: &Word) -> Result<i64, Stop> {
        let text = self.expand_text(word, Context::QUOTED).await?;
        match self.evaluate(&text) {
            Ok(number) => Ok(number),
            Err(refusal) => Err(self.refused(&refusal)),
        }
    }

    /// Returns whether the locale is one in which every byte is a character.
    fn counts_bytes(&self) -> bool {
        let locale = [b"LC_ALL".as_slice(), b"LC_CTYPE", b"LANG"]
            .into_iter()
            .find_map(|name| self.get(name).filter(|value| !value.is_empty()));
        locale.is_some_and(|name| matches!(name.as_ref(), b"C" | b"POSIX"))
    }

    /// Compiles a word as a pattern.
    pub(crate) async fn pattern_of(
        &mut self,
        word: &Word,
        extglob: bool,
        ignore_case: bool,
    ) -> Result<Pattern, Stop> {
        let expanded = self.expand(word, Context::SINGLE).await?;
        let options = Options {
            extglob,
            ignore_case,
        };
        Ok(Pattern::compile(&expanded.pieces(), options))
    }

    /// Applies an operator that changes each value by itself.
    async fn edit(&mut self, values: Values, operation: &Operation) -> Result<Values, Stop> {
        let extglob = self.options.has_shopt(Shopt::ExtGlob);
        let edit: Edit = match operation {
            Operation::Remove {
                side,
                is_longest,
                pattern,
            } => {
                let pattern = self.pattern_of(pattern, extglob, false).await?;
                let removal = match (side, is_longest) {
                    (RemoveSide::Prefix, false) => Removal::ShortestPrefix,
                    (RemoveSide::Prefix, true) => Removal::LongestPrefix,
                    (RemoveSide::Suffix, false) => Removal::ShortestSuffix,
                    (RemoveSide::Suffix, true) => Removal::LongestSuffix,
                };
                Box::new(move |text| BString::from(transform::remove(text, &pattern, removal)))
            }
            Operation::Replace {
                anchor,
                pattern,
                replacement,
            } => {
                let ignore_case = self.options.has_shopt(Shopt::NoCaseMatch);
                let pattern = self.pattern_of(pattern, extglob, ignore_case).await?;
                let inner = Context {
                    is_split: false,
                    is_result: false,
                    has_tilde: true,
                    is_assignment: false,
                    is_quoted: false,
                    is_document: false,
                };
                let replacement = match replacement {
                    Some(word) => self.expand(word, inner).await?,
                    None => Expanded::default(),
                };
                let which = match anchor {
                    ReplaceAnchor::First => Replace::First,
                    ReplaceAnchor::All => Replace::All,
                    ReplaceAnchor::Prefix => Replace::Prefix,
                    ReplaceAnchor::Suffix => Replace::Suffix,
                };
                let has_ampersand = self.options.has_shopt(Shopt::PatsubReplacement);
                Box::new(move |text| {
                    let replacement = Replacement {
                        pieces: replacement.pieces(),
                        has_ampersand,
                    };
                    transform::replace(text, &pattern, which, &replacement)
                })
            }
            Operation::ChangeCase {
                change: kind,
                is_all,
                pattern,
            } => {
                let pattern = match pattern {
                    Some(word) => Some(self.pattern_of(word, extglob, false).await?),
                    None => None,
                };
                let kind = match kind {
                    CaseChange::Upper => Change::Upper,
                    CaseChange::Lower => Change::Lower,
                    CaseChange::Toggle => Change::Toggle,
                };
                let reach = if *is_all { Reach::All } else { Reach::First };
                Box::new(move |text| change(text, kind, reach, pattern.as_ref()))
            }
            _ => return Ok(values),
        };
        Ok(match values {
            Values::Unset => Values::Unset,
            Values::One(text) => Values::One(edit(&text)),
            Values::Many(values, joining) => {
                Values::Many(values.iter().map(|text| edit(text)).collect(), joining)
            }
        })
    }
}

/// Returns a parameter's name for messages.
pub(super) fn parameter_name(parameter: &Parameter) -> BString {
    match parameter {
        Parameter::Name(name) => name.clone(),
        Parameter::Positional(number) => number.to_string().into(),
        Parameter::Special(special) => BString::from(match special {
            Special::At => "@",
            Special::Star => "*",
            Special::Count => "#",
            Special::Status => "?",
            Special::Flags => "-",
            Special::ProcessId => "$",
            Special::BackgroundId => "!",
            Special::Zero => "0",
        }),
        Parameter::Element { name, subscript } => {
            let mut text = name.clone();
            text.push(b'[');
            match subscript {
                Index::All(Joining::Separate) => text.push(b'@'),
                Index::All(Joining::Joined) => text.push(b'*'),
                Index::Index(word) => text.extend_from_slice(&bash_syntax::print_word(word)),
            }
            text.push(b']');
            let _: &BStr = text.as_bstr();
            text
        }
    }
}
