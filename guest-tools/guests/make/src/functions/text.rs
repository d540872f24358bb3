//! The functions about text and names.

use crate::expand::substituted;
use crate::pattern::Pattern;
use crate::place::shown;
use crate::words::{join, trim, words};

/// Runs a function.
pub(super) fn apply(name: &str, arguments: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let get = |number: usize| arguments.get(number).map_or(&[][..], Vec::as_slice);
    let (first, second, third) = (get(0), get(1), get(2));
    Ok(match name {
        "subst" => replaced(first, second, third),
        "patsubst" => {
            if first.contains(&b'%') {
                substituted(third, first, second)
            } else {
                join(words(third).map(|word| if word == first { second } else { word }))
            }
        }
        "strip" => join(words(first)),
        "findstring" => {
            if first.is_empty() || second.windows(first.len()).any(|part| part == first) {
                first.to_vec()
            } else {
                Vec::new()
            }
        }
        "filter" | "filter-out" => {
            let patterns: Vec<Pattern> = words(first).map(Pattern::new).collect();
            let wanted = name == "filter";
            join(words(second).filter(|word| {
                patterns.iter().any(|pattern| pattern.stem(word).is_some()) == wanted
            }))
        }
        "sort" => {
            let mut sorted: Vec<&[u8]> = words(first).collect();
            sorted.sort_unstable();
            sorted.dedup();
            join(sorted)
        }
        "word" => {
            let number = number(first, "first", "word")?;
            if number == 0 {
                return Err("first argument to 'word' function must be greater than 0".to_owned());
            }
            words(second).nth(number - 1).unwrap_or_default().to_vec()
        }
        "wordlist" => {
            let start = number(first, "first", "wordlist")?;
            let end = number(second, "second", "wordlist")?;
            if start == 0 {
                return Err(format!(
                    "invalid first argument to 'wordlist' function: '{}'",
                    shown(first)
                ));
            }
            join(
                words(third)
                    .skip(start - 1)
                    .take((end + 1).saturating_sub(start)),
            )
        }
        "words" => words(first).count().to_string().into_bytes(),
        "firstword" => words(first).next().unwrap_or_default().to_vec(),
        "lastword" => words(first).last().unwrap_or_default().to_vec(),
        "dir" => join(words(first).map(|word| match slash(word) {
            Some(place) => word.get(..=place).unwrap_or_default().to_vec(),
            None => b"./".to_vec(),
        })),
        "notdir" => join_kept(words(first).map(base)),
        "suffix" => {
            let suffixes = words(first).filter_map(|word| {
                let dot = dot(word)?;
                word.get(dot..)
            });
            join(suffixes)
        }
        "basename" => join(words(first).map(|word| match dot(word) {
            Some(dot) => word.get(..dot).unwrap_or_default(),
            None => word,
        })),
        "addsuffix" => join(words(second).map(|word| [word, first].concat())),
        "addprefix" => join(words(second).map(|word| [first, word].concat())),
        "join" => {
            let (mut left, mut right) = (words(first), words(second));
            let mut joined = Vec::new();
            loop {
                match (left.next(), right.next()) {
                    (None, None) => break,
                    (one, other) => {
                        joined.push([one.unwrap_or_default(), other.unwrap_or_default()].concat());
                    }
                }
            }
            join(joined)
        }
        _ => Vec::new(),
    })
}

/// Joins words, of which those without a last component are left out.
fn join_kept<'a>(names: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    join(names.filter(|name| !name.is_empty()))
}

fn number(text: &[u8], place: &str, function: &str) -> Result<usize, String> {
    let text = shown(trim(text));
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "non-numeric {place} argument to '{function}' function: '{text}'"
        ));
    }
    Ok(text.parse().unwrap_or(usize::MAX))
}

fn slash(word: &[u8]) -> Option<usize> {
    word.iter().rposition(|byte| *byte == b'/')
}

fn base(word: &[u8]) -> &[u8] {
    match slash(word) {
        Some(place) => word.get(place + 1..).unwrap_or_default(),
        None => word,
    }
}

/// Returns where the suffix of the last component begins.
fn dot(word: &[u8]) -> Option<usize> {
    let start = slash(word).map_or(0, |place| place + 1);
    let last = word.iter().rposition(|byte| *byte == b'.')?;
    (last >= start).then_some(last)
}

fn replaced(from: &[u8], to: &[u8], text: &[u8]) -> Vec<u8> {
    if from.is_empty() {
        return [text, to].concat();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.windows(from.len()).position(|part| part == from) {
        out.extend_from_slice(rest.get(..place).unwrap_or_default());
        out.extend_from_slice(to);
        rest = rest.get(place + from.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}
