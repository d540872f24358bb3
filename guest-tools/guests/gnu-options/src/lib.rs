//! Command lines as GNU's `getopt_long` reads them.
//!
//! Options may stand behind operands, letters may stand together, long names may be cut short where that leaves one
//! possibility, and `--` ends the options. What is wrong is told in getopt's words.

pub mod named;

use std::collections::VecDeque;

/// Whether an option has an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// None.
    Nothing,
    /// In the same word only: `-iSUFFIX`, `--color=WHEN`.
    Optional,
    /// In the same word or the next.
    Argument,
}

/// A long option: its name, what it takes, and the letter it stands for. An option without a short form has a
/// character of its own that no short option has.
pub type Long = (&'static str, Takes, char);

/// The options of a program.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Short options as getopt has them: `:` behind a letter that takes an argument, `::` behind one that may.
    pub short: &'static str,
    /// Long options.
    pub long: &'static [Long],
}

/// A part of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An option by its letter, its argument, and the number of the word it stood in.
    Option(char, Option<String>, usize),
    /// What is no option.
    Operand(String),
}

/// Reads the words behind a program's name. All items before the first error come with it.
#[must_use]
pub fn parse(options: &Options, words: &[String]) -> (Vec<Item>, Option<String>) {
    let mut items = Vec::new();
    let mut words: VecDeque<(usize, &String)> = words.iter().enumerate().collect();
    while let Some((place, word)) = words.pop_front() {
        let result = match word.strip_prefix("--") {
            Some("") => {
                items.extend(words.drain(..).map(|(_, word)| Item::Operand(word.clone())));
                break;
            }
            Some(long) => read_long(options, long, place, &mut words, &mut items),
            None => match word.strip_prefix('-') {
                None | Some("") => {
                    items.push(Item::Operand(word.clone()));
                    Ok(())
                }
                Some(letters) => read_short(options, letters, place, &mut words, &mut items),
            },
        };
        if let Err(error) = result {
            return (items, Some(error));
        }
    }
    (items, None)
}

fn read_short(
    options: &Options,
    letters: &str,
    place: usize,
    words: &mut VecDeque<(usize, &String)>,
    items: &mut Vec<Item>,
) -> Result<(), String> {
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        let takes =
            takes(options.short, letter).ok_or_else(|| format!("invalid option -- '{letter}'"))?;
        let attached = rest.as_str();
        let argument = match takes {
            Takes::Nothing => {
                items.push(Item::Option(letter, None, place));
                continue;
            }
            Takes::Optional => (!attached.is_empty()).then(|| attached.to_owned()),
            Takes::Argument if !attached.is_empty() => Some(attached.to_owned()),
            Takes::Argument => {
                let (_, word) = words
                    .pop_front()
                    .ok_or_else(|| format!("option requires an argument -- '{letter}'"))?;
                Some(word.clone())
            }
        };
        items.push(Item::Option(letter, argument, place));
        break;
    }
    Ok(())
}

fn takes(short: &str, letter: char) -> Option<Takes> {
    let (_, behind) = short.split_once(letter).filter(|_| letter != ':')?;
    Some(match (behind.starts_with("::"), behind.starts_with(':')) {
        (true, _) => Takes::Optional,
        (false, true) => Takes::Argument,
        (false, false) => Takes::Nothing,
    })
}

fn read_long(
    options: &Options,
    word: &str,
    place: usize,
    words: &mut VecDeque<(usize, &String)>,
    items: &mut Vec<Item>,
) -> Result<(), String> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word, None),
    };
    let (name, takes, letter) = find_long(options, name, word)?;
    let argument = match (takes, value) {
        (Takes::Nothing, Some(_)) => {
            return Err(format!("option '--{name}' doesn't allow an argument"));
        }
        (Takes::Argument, None) => {
            let (_, word) = words
                .pop_front()
                .ok_or_else(|| format!("option '--{name}' requires an argument"))?;
            Some(word.clone())
        }
        (_, value) => value,
    };
    items.push(Item::Option(letter, argument, place));
    Ok(())
}

fn find_long(options: &Options, name: &str, word: &str) -> Result<Long, String> {
    if let Some(exact) = options.long.iter().find(|(known, ..)| *known == name) {
        return Ok(*exact);
    }
    let mut possible = options
        .long
        .iter()
        .filter(|(known, ..)| known.starts_with(name));
    let Some(first) = possible.next() else {
        return Err(format!("unrecognized option '--{word}'"));
    };
    let others: Vec<&Long> = possible.collect();
    // Several names of one option are no ambiguity.
    if others
        .iter()
        .all(|(_, takes, letter)| (*takes, *letter) == (first.1, first.2))
    {
        return Ok(*first);
    }
    let mut message = format!("option '--{word}' is ambiguous; possibilities:");
    for (name, ..) in std::iter::once(&first).chain(&others) {
        message.push_str(&format!(" '--{name}'"));
    }
    Err(message)
}

#[cfg(test)]
mod tests;
