//! Functions on texts: regular expressions as Go has them, letters, parts.

use std::borrow::Cow;

use regex::{Captures, Regex};

use crate::arithmetic;
use crate::evaluate::{Machine, Scope};
use crate::functions::collect;
use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Style, Tree};
use crate::syntax::Expression;

/// Their names.
pub const NAMES: &[&str] = &[
    "@sh",
    "@uri",
    "@urid",
    "ascii_downcase",
    "ascii_upcase",
    "capture",
    "downcase",
    "endswith",
    "envsubst",
    "gsub",
    "join",
    "ltrim",
    "ltrimstr",
    "match",
    "rtrim",
    "rtrimstr",
    "split",
    "startswith",
    "sub",
    "test",
    "trim",
    "upcase",
];

/// Calls one of them on a node.
pub fn call(
    machine: &mut Machine,
    name: &str,
    arguments: &[Expression],
    node: Id,
    scope: &Scope,
) -> Outcome<Vec<Id>> {
    let target = machine.tree.follow(node);
    if name == "envsubst" {
        let options = match arguments.first() {
            Some(Expression::Literal(_, text)) => text.clone(),
            _ => String::new(),
        };
        let text = substitute(&machine.tree[target].value.clone(), &options)?;
        return Ok(vec![like(&mut machine.tree, target, &text)]);
    }
    let mut words = Vec::new();
    for argument in arguments {
        words.push(machine.first_text(argument, node, scope)?);
    }
    let word = words.first().map_or("", String::as_str);
    let tree = &mut machine.tree;
    if name == "join" {
        if tree[target].kind != Kind::Seq {
            return Err(Mistake::new(format!(
                "cannot join with {}, can only join arrays of scalars",
                tree[target].tag
            )));
        }
        let parts: Vec<String> = tree[target]
            .content
            .iter()
            .map(|item| {
                let item = &tree[tree.follow(*item)];
                if item.is_null() {
                    String::new()
                } else {
                    item.value.clone()
                }
            })
            .collect();
        return Ok(vec![tree.text(&parts.join(word))]);
    }
    if tree[target].kind != Kind::Scalar {
        return Err(Mistake::new(format!(
            "cannot {name} {}, can only be used with strings",
            tree[target].tag
        )));
    }
    if name == "split" && tree[target].is_null() {
        return Ok(vec![tree.null()]);
    }
    if !tree[target].is_text() && !matches!(name, "@sh" | "@uri" | "trim") {
        let node = &tree[target];
        return Err(Mistake::new(match name {
            "sub" | "gsub" => format!(
                "cannot substitute with {}, can only substitute strings. Hint: Most often you'll want to use '|=' over '=' for this operation",
                node.tag
            ),
            "split" => format!("cannot split {}, can only split strings", node.tag),
            "upcase" | "downcase" | "ascii_upcase" | "ascii_downcase" => format!(
                "cannot change case with {}, can only operate on strings. ",
                node.tag
            ),
            _ => format!(
                "cannot match with {}, can only match strings. Hint: Most often you'll want to use '|=' over '=' for this operation",
                node.tag
            ),
        }));
    }
    let text = tree[target].value.clone();
    let new = match name {
        "upcase" | "ascii_upcase" => text.to_uppercase(),
        "downcase" | "ascii_downcase" => text.to_lowercase(),
        "trim" => text.trim().to_owned(),
        "ltrim" => text.trim_start().to_owned(),
        "rtrim" => text.trim_end().to_owned(),
        "ltrimstr" => text.strip_prefix(word).unwrap_or(&text).to_owned(),
        "rtrimstr" => text.strip_suffix(word).unwrap_or(&text).to_owned(),
        "startswith" => return Ok(vec![tree.truth(text.starts_with(word))]),
        "endswith" => return Ok(vec![tree.truth(text.ends_with(word))]),
        "split" => return Ok(vec![arithmetic::split(tree, &text, word)]),
        "@sh" => shell_quoted(&text),
        "@uri" => percent(&text),
        "@urid" => unpercent(&text),
        "test" => {
            let is_match = pattern(word, words.get(1))?.is_match(&text);
            return Ok(vec![tree.truth(is_match)]);
        }
        "sub" | "gsub" => {
            let replacement = words.get(1).map_or("", String::as_str);
            pattern(word, words.get(2))?
                .replace_all(&text, replacement)
                .into_owned()
        }
        _ => return matches(tree, name, &text, word, words.get(1)),
    };
    Ok(vec![like(tree, target, &new)])
}

/// Returns a text that stands where another stood.
fn like(tree: &mut Tree, node: Id, text: &str) -> Id {
    let new = tree.text(text);
    let old = tree[node].clone();
    let own = &mut tree[new];
    if !old.tag.starts_with("!!") && !old.tag.is_empty() {
        (own.tag, own.is_tagged) = (old.tag, true);
    }
    own.style = if old.style == Style::Flow {
        Style::Plain
    } else {
        old.style
    };
    new
}

fn pattern(text: &str, flags: Option<&String>) -> Outcome<Regex> {
    let flags: String = flags
        .map(|flags| {
            flags
                .chars()
                .filter(|flag| "imsx".contains(*flag))
                .collect()
        })
        .unwrap_or_default();
    let whole = if flags.is_empty() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("(?{flags}){text}"))
    };
    Regex::new(&whole).map_err(|error| {
        let reason = error.to_string();
        let last = reason
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        Mistake::new(format!("error parsing regexp: {last}: `{text}`"))
    })
}

fn matches(
    tree: &mut Tree,
    name: &str,
    text: &str,
    word: &str,
    flags: Option<&String>,
) -> Outcome<Vec<Id>> {
    let is_global = flags.is_some_and(|flags| flags.contains('g'));
    let pattern = pattern(word, flags)?;
    let count = if is_global { usize::MAX } else { 1 };
    let mut all = Vec::new();
    for captures in pattern.captures_iter(text).take(count) {
        all.push(if name == "capture" {
            capture(tree, &pattern, &captures)
        } else {
            describe(tree, &pattern, &captures, text)
        });
    }
    Ok(all)
}

fn capture(tree: &mut Tree, pattern: &Regex, captures: &Captures<'_>) -> Id {
    let map = tree.map();
    for name in pattern.capture_names().flatten() {
        let value = match captures.name(name) {
            Some(part) => tree.text(part.as_str()),
            None => tree.null(),
        };
        tree.put_text(map, name, value);
    }
    map
}

fn describe(tree: &mut Tree, pattern: &Regex, captures: &Captures<'_>, text: &str) -> Id {
    let mut parts = Vec::new();
    for (number, name) in pattern.capture_names().enumerate() {
        let map = tree.map();
        let (part, offset, length) = match captures.get(number) {
            Some(part) => (
                tree.text(part.as_str()),
                text.get(..part.start())
                    .map_or(0, |before| before.chars().count() as i64),
                part.as_str().chars().count() as i64,
            ),
            None => (tree.null(), -1, 0),
        };
        let (offset, length) = (tree.int(offset), tree.int(length));
        tree.put_text(map, "string", part);
        tree.put_text(map, "offset", offset);
        tree.put_text(map, "length", length);
        if let Some(name) = name {
            let name = tree.text(name);
            tree.put_text(map, "name", name);
        }
        parts.push(map);
    }
    let mut parts = parts.into_iter();
    let whole = parts.next().unwrap_or_else(|| tree.map());
    let rest: Vec<Id> = parts.collect();
    let captures = collect(tree, &rest);
    tree.put_text(whole, "captures", captures);
    whole
}

fn shell_quoted(text: &str) -> String {
    let is_plain =
        |character: char| character.is_alphanumeric() || "_@%+=:,./-".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn unpercent(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let code = rest
            .get(1..3)
            .filter(|_| first == '%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let length = match code {
            Some(byte) => {
                out.push(byte);
                3
            }
            None => {
                let plain = if first == '+' { ' ' } else { first };
                out.extend(plain.encode_utf8(&mut [0; 4]).bytes());
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Puts in variables of the environment: `$A`, `${A}`, `${A:-otherwise}`.
fn substitute(text: &str, options: &str) -> Outcome<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('$') {
        out.push_str(rest.get(..place).unwrap_or_default());
        let after = rest.get(place + 1..).unwrap_or_default();
        let inner = after
            .strip_prefix('{')
            .and_then(|inner| inner.find('}').and_then(|end| inner.get(..end)));
        let (expression, length) = match inner {
            Some(inner) => (inner, inner.len() + 2),
            None => {
                let end = after
                    .find(|character: char| {
                        !(character.is_ascii_alphanumeric() || character == '_')
                    })
                    .unwrap_or(after.len());
                (after.get(..end).unwrap_or_default(), end)
            }
        };
        let end = expression
            .find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
            .unwrap_or(expression.len());
        let (name, rule) = expression.split_at(end);
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            out.push('$');
            rest = after;
            continue;
        }
        rest = after.get(length..).unwrap_or_default();
        let value = std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let (is_colon, rule) = match rule.strip_prefix(':') {
            Some(rule) => (true, rule),
            None => (false, rule),
        };
        let is_there = value
            .as_ref()
            .is_some_and(|value| !(is_colon && value.is_empty()));
        if let Some(otherwise) = rule.strip_prefix(['-', '=']) {
            out.push_str(if is_there {
                value.as_deref().unwrap_or_default()
            } else {
                otherwise
            });
            continue;
        }
        if let Some(otherwise) = rule.strip_prefix('+') {
            out.push_str(if is_there { otherwise } else { "" });
            continue;
        }
        match value {
            None if options.contains("nu") => {
                return Err(Mistake::new(format!("variable ${{{name}}} not set")));
            }
            Some(value) if value.is_empty() && options.contains("ne") => {
                return Err(Mistake::new(format!("variable ${{{name}}} set but empty")));
            }
            value => out.push_str(&value.unwrap_or_default()),
        }
    }
    out.push_str(rest);
    Ok(out)
}
