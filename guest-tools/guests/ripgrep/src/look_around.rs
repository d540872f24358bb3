//! `-P`: patterns with look-around and back-references, as ripgrep's libraries want a matcher.

use grep_matcher::{Captures, Match, Matcher, NoError};
use posix_regex::{Options, Regex, Syntax};

use crate::flags::{Boundary, Case, Flags};

/// A compiled pattern and the names of its groups.
#[derive(Clone, Debug)]
pub(crate) struct LookAround {
    regex: Regex,
    names: Vec<(String, usize)>,
}

impl LookAround {
    pub(crate) fn new(flags: &Flags, patterns: &[String]) -> Result<Self, String> {
        let texts: Vec<String> = patterns
            .iter()
            .map(|pattern| {
                if flags.is_fixed {
                    quoted(pattern)
                } else {
                    pattern.clone()
                }
            })
            .collect();
        let text = match texts.as_slice() {
            [text] => text.clone(),
            texts => {
                let groups: Vec<String> = texts.iter().map(|text| format!("(?:{text})")).collect();
                groups.join("|")
            }
        };
        let has_capitals = patterns
            .iter()
            .any(|pattern| pattern.chars().any(char::is_uppercase));
        let options = Options {
            ignore_case: match flags.case {
                Case::Sensitive => false,
                Case::Insensitive => true,
                Case::Smart => !has_capitals,
            },
            multi_line: true,
            dot_newline: flags.is_multiline && flags.dot_matches_all,
            whole_word: flags.boundary == Boundary::Word,
            whole_line: flags.boundary == Boundary::Line,
            utf8: !flags.no_unicode,
            ..Options::default()
        };
        let regex = Regex::new(text.as_bytes(), Syntax::Perl, &options)
            .map_err(|error| format!("PCRE2: error compiling pattern: {error}"))?;
        Ok(Self {
            regex,
            names: names(&text),
        })
    }
}

fn quoted(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if letter.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

/// Returns the names of groups with their numbers.
fn names(pattern: &str) -> Vec<(String, usize)> {
    let (mut names, mut number) = (Vec::new(), 0);
    let mut is_class = false;
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        match letter {
            '\\' => {
                let skipped = rest.chars().next().map_or(0, char::len_utf8);
                rest = rest.get(skipped..).unwrap_or_default();
            }
            '[' => is_class = true,
            ']' => is_class = false,
            '(' if !is_class => {
                let named = ["?P<", "?<", "?'"].iter().find_map(|start| {
                    let name = rest.strip_prefix(start)?;
                    let is_look = name.starts_with(['=', '!']);
                    let end = name.find(['>', '\'']).filter(|_| !is_look)?;
                    name.get(..end)
                });
                if named.is_some() || !rest.starts_with(['?', '*']) {
                    number += 1;
                }
                names.extend(named.map(|name| (name.to_owned(), number)));
            }
            _ => {}
        }
    }
    names
}

/// The places of a match's groups.
#[derive(Clone, Debug)]
pub(crate) struct Groups(Vec<Option<(usize, usize)>>);

impl Captures for Groups {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, index: usize) -> Option<Match> {
        let (start, end) = self.0.get(index).copied().flatten()?;
        Some(Match::new(start, end))
    }
}

impl Matcher for LookAround {
    type Captures = Groups;
    type Error = NoError;

    fn find_at(&self, text: &[u8], at: usize) -> Result<Option<Match>, NoError> {
        let found = self.regex.find_at(text, at);
        Ok(found.map(|(start, end)| Match::new(start, end)))
    }

    fn new_captures(&self) -> Result<Groups, NoError> {
        Ok(Groups(vec![None; self.capture_count()]))
    }

    fn capture_count(&self) -> usize {
        self.regex.groups() + 1
    }

    fn capture_index(&self, name: &str) -> Option<usize> {
        self.names
            .iter()
            .find_map(|(known, number)| (known == name).then_some(*number))
    }

    fn captures_at(&self, text: &[u8], at: usize, groups: &mut Groups) -> Result<bool, NoError> {
        match self.regex.captures_at(text, at) {
            Some(found) => {
                groups.0 = found;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_the_numbers_of_their_parentheses() {
        let found = names(r"(a)(?:b)(?<x>c)\((?=d)(?P<y>[(])(?<!e)");
        assert_eq!(found, [("x".to_owned(), 2), ("y".to_owned(), 3)]);
    }
}
