//! Two folders: their entries in order, side by side.

use std::collections::BTreeMap;
use std::io::{self, Write};

use posix_regex::{Options, Regex, Syntax};

use crate::diff::{self, Place};
use crate::options::Request;

/// Compares the entries of two folders, either of which may be absent where that is allowed.
pub(crate) fn compare(
    out: &mut impl Write,
    request: &Request,
    paths: [&str; 2],
    place: Place,
) -> io::Result<u8> {
    let Some(names) = names(request, paths, place)? else {
        return Ok(2);
    };
    let [first, second] = paths.map(|path| path.strip_suffix('/').unwrap_or(path));
    let mut status = 0;
    for sides in names.into_values() {
        let one = match sides {
            [Some(name), None] if !request.new_file => {
                writeln!(out, "Only in {first}: {name}")?;
                1
            }
            [None, Some(name)] if !request.new_file && !request.absent_first => {
                writeln!(out, "Only in {second}: {name}")?;
                1
            }
            [one, other] => {
                let name = one.as_deref().or(other.as_deref()).unwrap_or_default();
                let [left, right] = [(first, &one), (second, &other)]
                    .map(|(folder, side)| format!("{folder}/{}", side.as_deref().unwrap_or(name)));
                diff::compare(out, request, [&left, &right], Place::Entry)?
            }
        };
        status = status.max(one);
    }
    Ok(status)
}

/// The names in two folders, by what makes them equal.
type Names = BTreeMap<String, [Option<String>; 2]>;

fn names(request: &Request, paths: [&str; 2], place: Place) -> io::Result<Option<Names>> {
    let mut names = Names::new();
    let fold = |name: &str| {
        if request.ignore_name_case {
            name.to_lowercase()
        } else {
            name.to_owned()
        }
    };
    for (place, path) in paths.iter().enumerate() {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                diff::tell(path, &error);
                return Ok(None);
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
            let key = fold(&name);
            if let Some(side) = names.entry(key).or_default().get_mut(place) {
                *side = Some(name);
            }
        }
    }
    if place == Place::Operand
        && let Some(start) = &request.starting_file
    {
        names = names.split_off(&fold(start));
    }
    Ok(Some(names))
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
