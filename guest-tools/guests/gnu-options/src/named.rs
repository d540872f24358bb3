//! Options by their names, for programs whose options are many and most of them simple.
//!
//! A specification is a text such as `"a/all l w/width= color=?"`: short and long spelling, `=` for an option
//! with an argument, `=?` for one that may have it. An option is reported by its long spelling if it has one,
//! else by its short one.

use std::collections::VecDeque;

/// One thing found on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An option by its name in the specification, with its argument.
    Option(&'static str, Option<String>),
    /// Anything else.
    Operand(String),
}

/// Whether options may come after the first operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Anywhere before `--`.
    Any,
    /// Only before the first operand, as for commands that run another one.
    First,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Maybe,
}

struct Known {
    short: Option<char>,
    long: Option<&'static str>,
    takes: Takes,
}

impl Known {
    fn read(word: &'static str) -> Self {
        let (spelling, takes) = if let Some(spelling) = word.strip_suffix("=?") {
            (spelling, Takes::Maybe)
        } else if let Some(spelling) = word.strip_suffix('=') {
            (spelling, Takes::Value)
        } else {
            (word, Takes::Nothing)
        };
        let single = |text: &str| {
            text.chars()
                .next()
                .filter(|one| one.len_utf8() == text.len())
        };
        let (short, long) = match spelling.split_once('/') {
            Some((short, long)) => (single(short), Some(long)),
            None if single(spelling).is_some() => (single(spelling), None),
            None => (None, Some(spelling)),
        };
        Known { short, long, takes }
    }
}

fn known(specification: &'static str) -> impl Iterator<Item = (Known, &'static str)> {
    let words = specification.split_ascii_whitespace();
    words.chain(["help", "version"]).map(|word| {
        let spelling = word.trim_end_matches(['=', '?']);
        (
            Known::read(word),
            spelling.split_once('/').map_or(spelling, |(_, long)| long),
        )
    })
}

/// Splits the arguments (without the program's name) into options and operands. The error is the message that
/// follows `PROGRAM: `.
pub fn parse(
    arguments: &[String],
    specification: &'static str,
    order: Order,
) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut left: VecDeque<&String> = arguments.iter().collect();
    while let Some(argument) = left.pop_front() {
        if argument == "--" {
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            items.push(long_option(long, &mut left, specification)?);
        } else if let Some(cluster) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            short_options(cluster, &mut left, specification, &mut items)?;
        } else {
            items.push(Item::Operand(argument.clone()));
            if order == Order::First {
                break;
            }
        }
    }
    items.extend(left.into_iter().cloned().map(Item::Operand));
    Ok(items)
}

fn long_option(
    text: &str,
    left: &mut VecDeque<&String>,
    specification: &'static str,
) -> Result<Item, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    let matches: Vec<_> = known(specification)
        .filter(|(option, _)| option.long.is_some_and(|long| long.starts_with(name)))
        .collect();
    let exact = matches.iter().find(|(option, _)| option.long == Some(name));
    let (option, id) = match (exact, matches.as_slice()) {
        (Some(found), _) | (None, [found]) => found,
        (None, []) => return Err(format!("unrecognized option '--{name}'")),
        (None, several) => {
            let names: Vec<String> = several
                .iter()
                .filter_map(|(option, _)| Some(format!(" '--{}'", option.long?)))
                .collect();
            let names = names.concat();
            return Err(format!(
                "option '--{text}' is ambiguous; possibilities:{names}"
            ));
        }
    };
    let long = option.long.unwrap_or(name);
    let value = match (option.takes, value) {
        (Takes::Nothing, Some(_)) => {
            return Err(format!("option '--{long}' doesn't allow an argument"));
        }
        (Takes::Value, None) => match left.pop_front() {
            Some(next) => Some(next.clone()),
            None => return Err(format!("option '--{long}' requires an argument")),
        },
        (_, value) => value,
    };
    Ok(Item::Option(id, value))
}

fn short_options(
    cluster: &str,
    left: &mut VecDeque<&String>,
    specification: &'static str,
    items: &mut Vec<Item>,
) -> Result<(), String> {
    let mut letters = cluster.chars();
    while let Some(letter) = letters.next() {
        let Some((option, id)) =
            known(specification).find(|(option, _)| option.short == Some(letter))
        else {
            return Err(format!("invalid option -- '{letter}'"));
        };
        if option.takes == Takes::Nothing {
            items.push(Item::Option(id, None));
            continue;
        }
        let attached = Some(letters.as_str().to_owned()).filter(|rest| !rest.is_empty());
        let value = match (option.takes, attached) {
            (Takes::Value, None) => match left.pop_front() {
                Some(next) => Some(next.clone()),
                None => return Err(format!("option requires an argument -- '{letter}'")),
            },
            (_, attached) => attached,
        };
        items.push(Item::Option(id, value));
        break;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const SPECIFICATION: &str = "a/all almost-all l w/width= color=? x=";

    fn shown(line: &str, order: Order) -> String {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match parse(&arguments, SPECIFICATION, order) {
            Err(message) => message,
            Ok(items) => {
                let shown: Vec<String> = items
                    .into_iter()
                    .map(|item| match item {
                        Item::Option(name, None) => format!("-{name}"),
                        Item::Option(name, Some(value)) => format!("-{name}:{value}"),
                        Item::Operand(operand) => operand,
                    })
                    .collect();
                shown.join(" ")
            }
        }
    }

    #[test]
    fn reads_as_getopt_long() {
        let any = [
            ("-al f -w5", "-all -l f -width:5"),
            ("-lw 5 f", "-l -width:5 f"),
            ("--wid=7 --wid 8", "-width:7 -width:8"),
            ("--color --color=x f", "-color -color:x f"),
            ("-x-l - -- -l", "-x:-l - -l"),
            ("--all", "-all"),
            (
                "--al",
                "option '--al' is ambiguous; possibilities: '--all' '--almost-all'",
            ),
            ("-z", "invalid option -- 'z'"),
            ("--zz=1", "unrecognized option '--zz'"),
            ("--all=1", "option '--all' doesn't allow an argument"),
            ("-w", "option requires an argument -- 'w'"),
            ("--width", "option '--width' requires an argument"),
        ];
        for (line, expected) in any {
            assert_eq!(shown(line, Order::Any), expected, "{line}");
        }
        assert_eq!(shown("-l cmd -a", Order::First), "-l cmd -a");
        assert_eq!(shown("-l -- -a -l", Order::First), "-l -a -l");
    }
}
