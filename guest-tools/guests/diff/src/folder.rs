//! Two folders: their entries in order, side by side.

use std::collections::BTreeMap;
use std::io::{self, Write};

use posix_regex::{Options, Regex, Syntax};

use crate::diff::{self, Place};
use crate::options::Request;

/// Compares the entries of two folders, either of which may be absent where that is allowed.
pub(crate) fn compare(out: &mut impl Write, request: &Request, paths: [&str; 2]) -> io::Result<u8> {
    let mut names: BTreeMap<String, [bool; 2]> = BTreeMap::new();
    for (place, path) in paths.iter().enumerate() {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                eprintln!("diff: {path}: {}", process::message(&error));
                return Ok(2);
            }
        };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if request
                .exclude
                .iter()
                .any(|pattern| matches(pattern, &name))
            {
                continue;
            }
            if let Some(present) = names.entry(name).or_default().get_mut(place) {
                *present = true;
            }
        }
    }
    let [first, second] = paths.map(|path| path.strip_suffix('/').unwrap_or(path));
    let mut status = 0;
    for (name, present) in names {
        let one = match present {
            [true, false] if !request.new_file => {
                writeln!(out, "Only in {first}: {name}")?;
                1
            }
            [false, true] if !request.new_file && !request.absent_first => {
                writeln!(out, "Only in {second}: {name}")?;
                1
            }
            _ => diff::compare(
                out,
                request,
                [&format!("{first}/{name}"), &format!("{second}/{name}")],
                Place::Entry,
            )?,
        };
        status = status.max(one);
    }
    Ok(status)
}

/// Returns whether a shell pattern matches a name.
fn matches(pattern: &str, name: &str) -> bool {
    let mut text = String::from("^");
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' => {
                text.push('[');
                let rest = letters.as_str();
                if let Some(rest) = rest.strip_prefix('!') {
                    text.push('^');
                    letters = rest.chars();
                }
                for letter in letters.by_ref() {
                    text.push(letter);
                    if letter == ']' {
                        break;
                    }
                }
            }
            '.' | '^' | '$' | '+' | '(' | ')' | '{' | '}' | '|' | '\\' => {
                text.extend(['\\', letter])
            }
            _ => text.push(letter),
        }
    }
    text.push('$');
    Regex::new(text.as_bytes(), Syntax::Extended, &Options::default())
        .is_ok_and(|regex| regex.is_match(name.as_bytes()))
}
