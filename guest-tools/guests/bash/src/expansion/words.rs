//! Words to fields: the arguments of commands, the lists of `for` and of arrays.

use bash_syntax::ast::{Word, WordPart};
use bash_text::{brace, pattern};
use bstr::BString;

use super::field::Expanded;
use super::word::Context;
use crate::state::{SetOption, Shell, Shopt, Stop};

impl Shell {
    /// Expands words to fields.
    pub async fn expand_words(&mut self, words: &[Word]) -> Result<Vec<BString>, Stop> {
        let mut fields = Vec::with_capacity(words.len());
        for word in words {
            self.expand_fields(word, &mut fields).await?;
        }
        Ok(fields)
    }

    /// Expands one word and appends its fields.
    pub async fn expand_fields(
        &mut self,
        word: &Word,
        fields: &mut Vec<BString>,
    ) -> Result<(), Stop> {
        match word.parts.as_slice() {
            [WordPart::Literal(text)] if is_plain(text) => {
                fields.push(text.clone());
                return Ok(());
            }
            [WordPart::SingleQuoted(text) | WordPart::AnsiQuoted(text)] => {
                fields.push(text.clone());
                return Ok(());
            }
            _ => {}
        }
        let has_braces = self.options.has(SetOption::BraceExpand)
            && word
                .parts
                .iter()
                .any(|part| matches!(part, WordPart::Literal(text) if brace::is_candidate(text)));
        if !has_braces {
            return self.expand_one(word, fields).await;
        }
        let words = match super::braces::expand(word) {
            Ok(words) => words,
            Err(error) => return Err(self.abandon(error)),
        };
        for word in words {
            self.expand_one(&word, fields).await?;
        }
        Ok(())
    }

    async fn expand_one(&mut self, word: &Word, fields: &mut Vec<BString>) -> Result<(), Stop> {
        let expanded = self.expand(word, Context::FIELDS).await?;
        self.push_fields(&expanded, fields)
    }

    /// Splits an expanded word, expands pathnames, and appends the fields.
    pub fn push_fields(
        &mut self,
        expanded: &Expanded,
        fields: &mut Vec<BString>,
    ) -> Result<(), Stop> {
        let separators = std::rc::Rc::clone(&self.separators);
        let has_glob = !self.options.has(SetOption::NoGlob);
        let extglob = self.options.has_shopt(Shopt::ExtGlob);
        for runs in expanded.split(&separators) {
            let mut text = BString::default();
            for run in &runs {
                text.extend_from_slice(run.text);
            }
            if !has_glob
                || !text
                    .iter()
                    .any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'('))
            {
                fields.push(text);
                continue;
            }
            let pieces: Vec<pattern::Piece<'_>> = runs
                .iter()
                .map(|run| pattern::Piece {
                    text: run.text,
                    is_quoted: run.is_quoted,
                })
                .collect();
            if !pattern::is_active(&pieces, extglob) {
                fields.push(text);
                continue;
            }
            let paths = self.matching_paths(&pieces);
            if !paths.is_empty() {
                fields.extend(paths);
            } else if self.options.has_shopt(Shopt::FailGlob) {
                return Err(self.abandon(format_args!("no match: {text}")));
            } else if !self.options.has_shopt(Shopt::NullGlob) {
                fields.push(text);
            }
        }
        Ok(())
    }
}

/// Returns whether unquoted text stands for itself in every respect.
fn is_plain(text: &[u8]) -> bool {
    !text
        .iter()
        .any(|byte| matches!(byte, b'~' | b'*' | b'?' | b'[' | b'{' | b'(' | b'\\'))
}
