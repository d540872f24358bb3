//! Compiling a filter, with jq's messages for what is wrong with it.

use jaq_core::compile::Undefined;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::load::{self, Arena, File, Loader, parse};
use jaq_core::ops::Math;
use jaq_core::{Compiler, Filter};

use crate::functions::{Kind, definitions, functions};

/// Returns the compiled filter, or everything to be said on standard error.
pub fn compile(code: &str, variables: &[String]) -> Result<Filter<Kind>, String> {
    let joined = joined_surrogates(code);
    let code = joined.as_str();
    if is_division_by_zero(code) {
        let message = "Division by zero? at <top-level>, line 1:".to_owned();
        return Err(report(code, &[message]));
    }
    let arena = Arena::default();
    let loader = Loader::new(definitions());
    let modules = loader
        .load(&arena, File { path: (), code })
        .map_err(|errors| {
            let mut messages = Vec::new();
            for (file, error) in errors {
                match error {
                    load::Error::Io(all) => messages.extend(
                        all.iter()
                            .map(|(name, error)| format!("module not found: {name}: {error}")),
                    ),
                    load::Error::Lex(all) => {
                        messages
                            .extend(all.iter().map(|(_, found)| syntax(file.code, found, false)));
                    }
                    load::Error::Parse(all) => {
                        messages.extend(all.iter().map(|(expected, found)| {
                            syntax(file.code, found, matches!(expected, parse::Expect::Nothing))
                        }))
                    }
                }
            }
            report(code, &messages)
        })?;
    load::import(&modules, |_| Err("modules are not supported".into())).map_err(|_| {
        report(
            code,
            &["modules are not supported at <top-level>, line 1:".to_owned()],
        )
    })?;
    Compiler::default()
        .with_funs(functions())
        .with_global_vars(variables.iter().map(String::as_str))
        .compile(modules)
        .map_err(|errors| {
            let mut messages = Vec::new();
            for (file, all) in errors {
                for (found, undefined) in all {
                    let name = match undefined {
                        Undefined::Filter(arity) => format!("{found}/{arity}"),
                        Undefined::Label => format!("$*label-{}", found.trim_start_matches('$')),
                        _ => found.to_owned(),
                    };
                    messages.push(format!(
                        "{name} is not defined at <top-level>, line {}:",
                        line_of(file.code, found)
                    ));
                }
            }
            report(code, &messages)
        })
}

fn report(code: &str, messages: &[String]) -> String {
    let mut text: String = messages
        .iter()
        .map(|message| format!("jq: error: {message}\n{code}\n"))
        .collect();
    let plural = if messages.len() == 1 { "" } else { "s" };
    text.push_str(&format!("jq: {} compile error{plural}\n", messages.len()));
    text
}

/// Returns the line that a part of the code begins in.
fn line_of(code: &str, part: &str) -> usize {
    let offset = (part.as_ptr() as usize).wrapping_sub(code.as_ptr() as usize);
    let before = code.get(..offset).unwrap_or_default();
    before.matches('\n').count() + 1
}

fn syntax(code: &str, found: &str, is_over: bool) -> String {
    let token = match found.chars().next() {
        None => "$end".to_owned(),
        Some(first) if first.is_ascii_alphabetic() || first == '_' => {
            let word: String = found
                .chars()
                .take_while(|character| character.is_ascii_alphanumeric() || *character == '_')
                .collect();
            match word.as_str() {
                "if" | "then" | "elif" | "else" | "end" | "as" | "def" | "reduce" | "foreach"
                | "try" | "catch" | "and" | "or" | "label" | "import" | "include" => word,
                _ => "IDENT".to_owned(),
            }
        }
        Some('0'..='9') => "LITERAL".to_owned(),
        Some('"') => "QQSTRING_START".to_owned(),
        Some(first) if ";,:|.()[]{}=<>+-*/%$?".contains(first) => format!("'{first}'"),
        Some(_) => "INVALID_CHARACTER".to_owned(),
    };
    let expecting = if is_over { ", expecting $end" } else { "" };
    format!(
        "syntax error, unexpected {token}{expecting} (Unix shell quoting issues?) at <top-level>, line {}:",
        line_of(code, found)
    )
}

/// Returns whether a filter is one number divided by 0, which is found without running it.
fn is_division_by_zero(code: &str) -> bool {
    let Some(term) = parse(code, |parser| parser.term()) else {
        return false;
    };
    let Term::BinOp(left, BinaryOp::Math(Math::Div), right) = &term else {
        return false;
    };
    match (&**left, &**right) {
        (Term::Num(_), Term::Num(right)) => right.parse() == Ok(0.0),
        _ => false,
    }
}

/// Puts characters in place of pairs of `\u` escapes, which the language below knows only alone.
fn joined_surrogates(code: &str) -> String {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(place) = rest.find('\\') {
        let (before, escape) = rest.split_at(place);
        out.push_str(before);
        let high = unit(escape).filter(|unit| (0xd800..0xe000).contains(unit));
        let low = escape
            .get(6..)
            .and_then(unit)
            .filter(|unit| (0xdc00..0xe000).contains(unit));
        let length = match (high, low) {
            (Some(high @ ..0xdc00), Some(low)) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                out.extend(char::from_u32(code));
                12
            }
            (Some(_), _) => {
                out.push(char::REPLACEMENT_CHARACTER);
                6
            }
            (None, _) => {
                let next = escape.chars().nth(1).map_or(0, char::len_utf8);
                out.push_str(escape.get(..=next).unwrap_or(escape));
                1 + next
            }
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
