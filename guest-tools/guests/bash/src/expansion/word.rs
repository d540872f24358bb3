//! One word: its parts expanded from left to right into runs of text.

use bash_syntax::ast::{Word, WordPart};
use bstr::BString;

use super::field::{Expanded, Fragment};
use crate::runtime::LocalFuture;
use crate::state::{Shell, Stop};
use crate::variables::is_name;

/// Where a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Inside double quotes.
    pub is_quoted: bool,
    /// The word becomes fields: the elements of an unquoted `$@` stay apart.
    pub is_split: bool,
    /// Tilde prefixes stand also after `:` (and `=`): the value of an assignment.
    pub is_assignment: bool,
    /// Tilde prefixes are expanded at all.
    pub has_tilde: bool,
    /// The text of a here-document: `$*` is joined with spaces there, whatever IFS is.
    pub is_document: bool,
    /// The word of `${x:-word}`: its literal text is the result of an expansion, hence split.
    pub is_result: bool,
}

impl Context {
    /// A word that becomes fields.
    pub const FIELDS: Self = Self {
        is_quoted: false,
        is_split: true,
        is_assignment: false,
        has_tilde: true,
        is_document: false,
        is_result: false,
    };
    /// A word that stays one: `case`, here-strings, `[[`, redirections.
    pub const SINGLE: Self = Self {
        is_split: false,
        ..Self::FIELDS
    };
    /// The value of an assignment.
    pub const ASSIGNMENT: Self = Self {
        is_assignment: true,
        ..Self::SINGLE
    };
    /// The inside of double quotes, here-documents, arithmetic.
    pub const QUOTED: Self = Self {
        is_quoted: true,
        is_split: false,
        is_assignment: false,
        has_tilde: false,
        is_document: false,
        is_result: false,
    };
    /// The text of a here-document.
    pub const DOCUMENT: Self = Self {
        is_document: true,
        ..Self::QUOTED
    };
}

impl Shell {
    /// Expands a word without splitting it.
    pub async fn expand(&mut self, word: &Word, context: Context) -> Result<Expanded, Stop> {
        let mut expanded = Expanded::default();
        self.expand_parts(&word.parts, context, &mut expanded)
            .await?;
        Ok(expanded)
    }

    /// Expands a word to one text.
    pub async fn expand_text(&mut self, word: &Word, context: Context) -> Result<BString, Stop> {
        match word.parts.as_slice() {
            [] => return Ok(BString::default()),
            [WordPart::Literal(text)] if !text.contains(&b'~') => return Ok(text.clone()),
            [WordPart::SingleQuoted(text) | WordPart::AnsiQuoted(text)] => return Ok(text.clone()),
            _ => {}
        }
        let expanded = self.expand(word, context).await?;
        Ok(expanded.joined())
    }

    /// Expands a word from inside another one.
    pub fn expand_nested<'a>(
        &'a mut self,
        word: &'a Word,
        context: Context,
    ) -> LocalFuture<'a, Result<Expanded, Stop>> {
        Box::pin(self.expand(word, context))
    }

    /// Expands parts and appends what they become.
    pub async fn expand_parts(
        &mut self,
        parts: &[WordPart],
        context: Context,
        output: &mut Expanded,
    ) -> Result<(), Stop> {
        for (place, part) in parts.iter().enumerate() {
            match part {
                WordPart::DoubleQuoted(inner) | WordPart::LocaleQuoted(inner) => {
                    self.expand_quoted(inner, context, output).await?;
                }
                WordPart::Literal(text) if context.has_tilde && !context.is_quoted => {
                    let is_last = place + 1 == parts.len();
                    self.expand_literal(text, place == 0, is_last, context, output);
                }
                _ => self.expand_part(part, context, output).await?,
            }
        }
        Ok(())
    }

    async fn expand_quoted(
        &mut self,
        inner: &[WordPart],
        context: Context,
        output: &mut Expanded,
    ) -> Result<(), Stop> {
        let quoted = Context {
            is_quoted: true,
            ..context
        };
        let before = output.fragments.len();
        let had_empty_list = std::mem::take(&mut output.had_empty_list);
        // Text pushed inside must not be joined with a quoted neighbour before we know that it exists.
        for part in inner {
            self.expand_part(part, quoted, output).await?;
        }
        if output.had_empty_list
            && output.fragments.len() == before + 1
            && matches!(output.fragments.last(), Some(Fragment::Text { text, .. }) if text.is_empty())
        {
            output.fragments.truncate(before);
        }
        let is_nothing = output.fragments.len() == before;
        // `""` is a field; `"$@"` without parameters is none.
        if is_nothing && !output.had_empty_list {
            output.push(b"", false, true);
        }
        output.had_empty_list = had_empty_list;
        Ok(())
    }

    /// Appends unquoted text with its tilde prefixes expanded.
    fn expand_literal(
        &self,
        text: &[u8],
        is_first: bool,
        is_last: bool,
        context: Context,
        output: &mut Expanded,
    ) {
        let is_splittable = context.is_result && context.is_split;
        if !text.contains(&b'~') {
            output.push(text, is_splittable, false);
            return;
        }
        let mut rest = text;
        let mut at_start = is_first;
        let mut is_value = context.is_assignment;
        // An argument in the form of an assignment has tilde prefixes in its value, except in POSIX mode.
        if is_first
            && context.is_split
            && !context.is_result
            && !self.is_posix()
            && let Some(place) = text.iter().position(|byte| *byte == b'=')
            && let Some((name, value)) = text.split_at_checked(place + 1)
            && is_name(name.strip_suffix(b"=").unwrap_or(name))
        {
            output.push(name, false, false);
            rest = value;
            is_value = true;
        }
        loop {
            if at_start && let Some(after) = rest.strip_prefix(b"~") {
                let end = after
                    .iter()
                    .position(|byte| matches!(byte, b'/' | b':'))
                    .unwrap_or(after.len());
                let (prefix, tail) = after.split_at_checked(end).unwrap_or((after, b""));
                // A prefix that runs into a quoted part is none.
                let is_whole = !tail.is_empty() || is_last;
                match self.tilde(prefix).filter(|_| is_whole) {
                    Some(directory) => output.push(&directory, false, true),
                    None => {
                        output.push(b"~", false, false);
                        output.push(prefix, false, false);
                    }
                }
                rest = tail;
            }
            if !is_value {
                output.push(rest, is_splittable, false);
                return;
            }
            let Some(colon) = rest.iter().position(|byte| *byte == b':') else {
                output.push(rest, false, false);
                return;
            };
            let (head, tail) = rest.split_at_checked(colon + 1).unwrap_or((rest, b""));
            output.push(head, false, false);
            rest = tail;
            at_start = true;
            if rest.is_empty() {
                return;
            }
        }
    }

    async fn expand_part(
        &mut self,
        part: &WordPart,
        context: Context,
        output: &mut Expanded,
    ) -> Result<(), Stop> {
        match part {
            WordPart::Literal(text) => {
                let is_splittable = context.is_result && context.is_split && !context.is_quoted;
                output.push(text, is_splittable, context.is_quoted);
            }
            WordPart::Escaped(text) | WordPart::SingleQuoted(text) | WordPart::AnsiQuoted(text) => {
                output.push(text, false, true);
            }
            // Only in the words of operators inside quotes, where quotes do not nest.
            WordPart::DoubleQuoted(inner) | WordPart::LocaleQuoted(inner) => {
                let nested: LocalFuture<'_, _> =
                    Box::pin(self.expand_quoted(inner, context, output));
                nested.await?;
            }
            WordPart::Parameter(parameter) => {
                self.expand_parameter(parameter, context, output).await?;
            }
            WordPart::Command(substitution) => {
                let text = self.substitute(substitution).await?;
                push_result(&text, context, output);
            }
            WordPart::Arithmetic(arithmetic) => {
                let expanding = self.expand_nested(&arithmetic.expression, Context::QUOTED);
                let text = expanding.await?.joined();
                let value = match self.evaluate(&text) {
                    Ok(value) => value,
                    Err(refusal) => return Err(self.refused(&refusal)),
                };
                push_result(value.to_string().as_bytes(), context, output);
            }
            WordPart::Process(process) => {
                let path = self.substitute_process(process)?;
                output.push(&path, false, true);
            }
        }
        Ok(())
    }
}

/// Appends the result of an expansion.
pub fn push_result(text: &[u8], context: Context, output: &mut Expanded) {
    output.push(
        text,
        context.is_split && !context.is_quoted,
        context.is_quoted,
    );
}
