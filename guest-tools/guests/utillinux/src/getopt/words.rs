//! The words that a script was called with, by the options it names.

use gnu_options::Takes;

/// Where operands go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Behind the options.
    Last,
    /// The first ends the options.
    FirstOnly,
    /// Where they stand.
    InPlace,
}

#[derive(Debug)]
pub(super) struct Choice {
    short: String,
    pub(super) long: Vec<(String, Takes)>,
    pub(super) name: String,
    pub(super) order: Order,
    pub(super) is_quiet: bool,
    pub(super) is_alternative: bool,
    pub(super) is_unquoted: bool,
    pub(super) is_csh: bool,
}

#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) text: String,
    pub(super) errors: Vec<String>,
}

impl Choice {
    pub(super) fn new(short: &str, name: &str) -> Self {
        let is_posix = std::env::var_os("POSIXLY_CORRECT").is_some();
        let (order, short) = match (short.strip_prefix('+'), short.strip_prefix('-')) {
            (Some(short), _) => (Order::FirstOnly, short),
            (_, Some(short)) => (Order::InPlace, short),
            _ if is_posix => (Order::FirstOnly, short),
            _ => (Order::Last, short),
        };
        Self {
            short: short.to_owned(),
            long: Vec::new(),
            name: name.to_owned(),
            order,
            is_quiet: short.starts_with(':'),
            is_alternative: false,
            is_unquoted: false,
            is_csh: false,
        }
    }

    fn quote(&self, text: &str) -> String {
        if self.is_unquoted {
            return text.to_owned();
        }
        let mut out = String::from("'");
        for letter in text.chars() {
            match letter {
                '\'' => out.push_str("'\\''"),
                '!' if self.is_csh => out.push_str("'\\!'"),
                '\\' if self.is_csh => out.push_str("\\\\"),
                '\n' if self.is_csh => out.push_str("\\n"),
                _ if self.is_csh && letter.is_ascii_whitespace() => {
                    out.push_str("'\\");
                    out.push(letter);
                    out.push('\'');
                }
                _ => out.push(letter),
            }
        }
        out.push('\'');
        out
    }

    fn short_takes(&self, letter: char) -> Option<Takes> {
        let (_, behind) = self
            .short
            .split_once(letter)
            .filter(|_| letter != ':' && letter != ';')?;
        Some(match (behind.starts_with("::"), behind.starts_with(':')) {
            (true, _) => Takes::Optional,
            (_, true) => Takes::Argument,
            _ => Takes::Nothing,
        })
    }

    /// Returns whether a word behind one `-` is read as a long option.
    fn is_long(&self, word: &str) -> bool {
        let mut letters = word.chars();
        let is_short = letters
            .next()
            .is_some_and(|letter| self.short_takes(letter).is_some());
        let is_single = letters.as_str().is_empty();
        let name = word.split('=').next().unwrap_or(word);
        let is_known = self.long.iter().any(|(known, _)| known.starts_with(name));
        self.is_alternative && !(is_short && (is_single || !is_known))
    }
}

/// Reads a list of long options: `all,size:,color::`.
pub(super) fn long_options(text: &str) -> Result<Vec<(String, Takes)>, String> {
    let mut options = Vec::new();
    for word in text
        .split([',', ' ', '\t', '\n'])
        .filter(|word| !word.is_empty())
    {
        let (name, takes) = match (word.strip_suffix("::"), word.strip_suffix(':')) {
            (Some(name), _) => (name, Takes::Optional),
            (_, Some(name)) => (name, Takes::Argument),
            _ => (word, Takes::Nothing),
        };
        if name.is_empty() {
            return Err("empty long option after -l or --long argument".to_owned());
        }
        options.push((name.to_owned(), takes));
    }
    Ok(options)
}

/// Returns what getopt writes, without the newline, and what is wrong.
pub(super) fn read(choice: &Choice, words: &[String]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut operands: Vec<&String> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words.by_ref());
            break;
        }
        let Some(rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            match choice.order {
                Order::Last => operands.push(word),
                Order::InPlace => {
                    outcome.text.push(' ');
                    outcome.text.push_str(&choice.quote(word));
                }
                Order::FirstOnly => {
                    operands.push(word);
                    operands.extend(words.by_ref());
                    break;
                }
            }
            continue;
        };
        if let Some(long) = rest.strip_prefix('-') {
            read_long(choice, long, "--", &mut words, &mut outcome);
        } else if choice.is_long(rest) {
            read_long(choice, rest, "-", &mut words, &mut outcome);
        } else {
            read_short(choice, rest, &mut words, &mut outcome);
        }
    }
    outcome.text.push_str(" --");
    for operand in operands {
        outcome.text.push(' ');
        outcome.text.push_str(&choice.quote(operand));
    }
    outcome
}

fn read_short<'a>(
    choice: &Choice,
    letters: &str,
    words: &mut impl Iterator<Item = &'a String>,
    outcome: &mut Outcome,
) {
    let mut letters = letters.chars();
    while let Some(letter) = letters.next() {
        let attached = letters.as_str();
        let argument = match choice.short_takes(letter) {
            None => {
                let message = format!("invalid option -- '{letter}'");
                outcome.errors.push(message);
                continue;
            }
            Some(Takes::Nothing) => None,
            Some(Takes::Optional) => Some(attached.to_owned()),
            Some(Takes::Argument) if !attached.is_empty() => Some(attached.to_owned()),
            Some(Takes::Argument) => match words.next() {
                Some(word) => Some(word.clone()),
                None => {
                    let message = format!("option requires an argument -- '{letter}'");
                    outcome.errors.push(message);
                    return;
                }
            },
        };
        outcome.text.push_str(&format!(" -{letter}"));
        if let Some(argument) = argument {
            outcome.text.push(' ');
            outcome.text.push_str(&choice.quote(&argument));
            return;
        }
    }
}

fn read_long<'a>(
    choice: &Choice,
    word: &str,
    dashes: &str,
    words: &mut impl Iterator<Item = &'a String>,
    outcome: &mut Outcome,
) {
    match long_option(choice, word, dashes, words) {
        Ok((name, argument)) => {
            outcome.text.push_str(&format!(" --{name}"));
            if let Some(argument) = argument {
                outcome.text.push(' ');
                outcome.text.push_str(&choice.quote(&argument));
            }
        }
        Err(message) => outcome.errors.push(message),
    }
}

/// Returns the whole name of a long option and its argument.
fn long_option<'a, 'b>(
    choice: &'b Choice,
    word: &str,
    dashes: &str,
    words: &mut impl Iterator<Item = &'a String>,
) -> Result<(&'b str, Option<String>), String> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word, None),
    };
    let exact = choice.long.iter().find(|(known, _)| known == name);
    let possible: Vec<&(String, Takes)> = choice
        .long
        .iter()
        .filter(|(known, _)| known.starts_with(name))
        .collect();
    let (known, takes) = match (exact, possible.as_slice()) {
        (Some(found), _) => found,
        (None, [found]) => *found,
        (None, []) => return Err(format!("unrecognized option '{dashes}{word}'")),
        (None, several) => {
            let names: Vec<String> = several
                .iter()
                .map(|(known, _)| format!(" '{dashes}{known}'"))
                .collect();
            return Err(format!(
                "option '{dashes}{word}' is ambiguous; possibilities:{}",
                names.concat()
            ));
        }
    };
    let argument = match (takes, value) {
        (Takes::Nothing, Some(_)) => {
            return Err(format!(
                "option '{dashes}{known}' doesn't allow an argument"
            ));
        }
        (Takes::Nothing, None) => None,
        (Takes::Optional, value) => Some(value.unwrap_or_default()),
        (Takes::Argument, Some(value)) => Some(value),
        (Takes::Argument, None) => match words.next() {
            Some(word) => Some(word.clone()),
            None => return Err(format!("option '{dashes}{known}' requires an argument")),
        },
    };
    Ok((known, argument))
}
