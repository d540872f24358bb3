//! The command line of diff.

use gnu_options::{Item, Long, Options, Takes, parse};
use posix_regex::{Regex, Syntax};

use crate::output::Form;
use crate::text::{Equality, Space};

/// What diff was asked.
#[derive(Default)]
pub(crate) struct Request {
    pub(crate) form: Option<Form>,
    pub(crate) context: Option<usize>,
    pub(crate) equality: Equality,
    pub(crate) brief: bool,
    pub(crate) report_identical: bool,
    pub(crate) recursive: bool,
    /// An absent file is an empty one: on either side, or on the first only.
    pub(crate) new_file: bool,
    pub(crate) absent_first: bool,
    pub(crate) text: bool,
    pub(crate) no_dereference: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) function: Option<Regex>,
    pub(crate) exclude: Vec<String>,
    /// The options as they are repeated before each file of a folder.
    pub(crate) repeated: String,
    pub(crate) operands: Vec<String>,
}

const LONG: &[Long] = &[
    ("normal", Takes::Nothing, '1'),
    ("unified", Takes::Optional, '3'),
    ("context", Takes::Optional, '4'),
    ("ed", Takes::Nothing, 'e'),
    ("forward-ed", Takes::Nothing, 'f'),
    ("rcs", Takes::Nothing, 'n'),
    ("brief", Takes::Nothing, 'q'),
    ("report-identical-files", Takes::Nothing, 's'),
    ("recursive", Takes::Nothing, 'r'),
    ("new-file", Takes::Nothing, 'N'),
    ("unidirectional-new-file", Takes::Nothing, 'P'),
    ("text", Takes::Nothing, 'a'),
    ("ignore-case", Takes::Nothing, 'i'),
    ("ignore-all-space", Takes::Nothing, 'w'),
    ("ignore-space-change", Takes::Nothing, 'b'),
    ("ignore-blank-lines", Takes::Nothing, 'B'),
    ("ignore-trailing-space", Takes::Nothing, 'Z'),
    ("ignore-tab-expansion", Takes::Nothing, 'E'),
    ("ignore-matching-lines", Takes::Argument, 'I'),
    ("label", Takes::Argument, 'L'),
    ("show-c-function", Takes::Nothing, 'p'),
    ("show-function-line", Takes::Argument, 'F'),
    ("exclude", Takes::Argument, 'x'),
    ("exclude-from", Takes::Argument, 'X'),
    ("minimal", Takes::Nothing, 'd'),
    ("speed-large-files", Takes::Nothing, 'H'),
    ("horizon-lines", Takes::Argument, '5'),
    ("strip-trailing-cr", Takes::Nothing, '6'),
    ("no-dereference", Takes::Nothing, '7'),
    ("tabsize", Takes::Argument, '8'),
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'v'),
];
const SHORT: &str = "0123456789uU:cC:efnqsrNPaiwbBZEI:L:pF:x:X:dHv";

/// Reads the words behind the name.
pub(crate) fn read(words: &[String]) -> Result<Request, String> {
    // Digits are options of their own in GNU's, and names without a short form here: neither is taken for the other.
    let (items, error) = parse(
        &Options {
            short: SHORT,
            long: LONG,
        },
        words,
    );
    let mut request = Request::default();
    request.equality.tab = 8;
    for item in items {
        let (letter, argument, place) = match item {
            Item::Option(letter, argument, place) => (letter, argument, place),
            Item::Operand(operand) => {
                request.operands.push(operand);
                continue;
            }
        };
        let long = words.get(place).is_some_and(|word| word.starts_with("--"));
        if letter.is_ascii_digit() && !long {
            let digit = letter.to_digit(10).unwrap_or(0) as usize;
            request.context = Some(request.context.unwrap_or(0) * 10 + digit);
            continue;
        }
        apply(&mut request, letter, argument.unwrap_or_default())?;
    }
    if let Some(error) = error {
        return Err(error);
    }
    // Operands stand behind what else has the same text more often than before it.
    let mut shown: Vec<&String> = words.iter().filter(|word| *word != "--").collect();
    for operand in request.operands.iter().rev() {
        if let Some(place) = shown.iter().rposition(|word| *word == operand) {
            shown.remove(place);
        }
    }
    request.repeated = shown.iter().map(|word| format!(" {word}")).collect();
    Ok(request)
}

fn number(text: &str, what: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("invalid {what} '{text}'"))
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(
        text.as_bytes(),
        Syntax::Basic,
        &posix_regex::Options::default(),
    )
    .map_err(|error| format!("{text}: {error}"))
}

fn form(request: &mut Request, form: Form) -> Result<(), String> {
    match request.form.replace(form) {
        Some(before) if before != form => Err("conflicting output style options".to_owned()),
        _ => Ok(()),
    }
}

fn apply(request: &mut Request, letter: char, argument: String) -> Result<(), String> {
    let equality = &mut request.equality;
    match letter {
        '1' => form(request, Form::Normal)?,
        'u' | 'U' | '3' => {
            if !argument.is_empty() {
                request.context = Some(number(&argument, "context length")?);
            }
            form(request, Form::Unified)?;
        }
        'c' | 'C' | '4' => {
            if !argument.is_empty() {
                request.context = Some(number(&argument, "context length")?);
            }
            form(request, Form::Context)?;
        }
        'e' => form(request, Form::Ed)?,
        'f' => form(request, Form::ForwardEd)?,
        'n' => form(request, Form::Rcs)?,
        'q' => request.brief = true,
        's' => request.report_identical = true,
        'r' => request.recursive = true,
        'N' => request.new_file = true,
        'P' => request.absent_first = true,
        'a' => request.text = true,
        'i' => equality.ignore_case = true,
        'w' => equality.space = Space::Nothing,
        'b' => equality.space = equality.space.max(Space::Change),
        'B' => equality.blank_lines = true,
        'Z' => {
            equality.space = match equality.space {
                Space::TabExpansion => Space::TabAndTrailing,
                space => space.max(Space::Trailing),
            }
        }
        'E' => {
            equality.space = match equality.space {
                Space::Trailing => Space::TabAndTrailing,
                space => space.max(Space::TabExpansion),
            }
        }
        'I' => equality.pattern = Some(pattern(&argument)?),
        'L' => request.labels.push(argument),
        'p' => request.function = Some(pattern("^[[:alpha:]$_]")?),
        'F' => request.function = Some(pattern(&argument)?),
        'x' => request.exclude.push(argument),
        'X' => {
            let text = std::fs::read_to_string(&argument)
                .map_err(|error| format!("{argument}: {}", process::message(&error)))?;
            request.exclude.extend(text.lines().map(str::to_owned));
        }
        'd' => equality.minimal = true,
        '5' => equality.horizon = number(&argument, "horizon length")?,
        '6' => equality.strip_return = true,
        '7' => request.no_dereference = true,
        '8' => equality.tab = number(&argument, "tabsize")?.max(1),
        'h' => return Err("help is in the manual: diff [OPTION]... FILES".to_owned()),
        _ => {}
    }
    Ok(())
}
