//! Regular expressions: what `match`, `test`, `sub` and the like are made of.

use fancy_regex::{Captures, Regex, RegexBuilder};

use crate::value::{Error, Members, Val, ValR};

/// The letters behind an expression.
#[derive(Clone, Copy, Default)]
struct Flags {
    is_global: bool,
    skips_empty: bool,
    ignores_case: bool,
    is_extended: bool,
    dot_is_all: bool,
}

fn text<'v>(value: &'v Val, what: &str) -> Result<&'v str, Error> {
    match value {
        Val::Str(text) => Ok(text),
        value => Err(Error::str(format_args!("{}{what}", value.shown()))),
    }
}

fn flags(value: &Val) -> Result<Flags, Error> {
    let mut flags = Flags::default();
    if matches!(value, Val::Null) {
        return Ok(flags);
    }
    let letters = text(value, " is not a string")?;
    for letter in letters.chars() {
        match letter {
            'g' => flags.is_global = true,
            'n' => flags.skips_empty = true,
            'i' => flags.ignores_case = true,
            'x' => flags.is_extended = true,
            'p' => flags.dot_is_all = true,
            // Single line is what there is, and the longest match is not looked for.
            's' | 'l' => {}
            _ => {
                return Err(Error::str(format_args!(
                    "{letters} is not a valid modifier string"
                )));
            }
        }
    }
    Ok(flags)
}

fn compile(pattern: &str, flags: Flags) -> Result<Regex, Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(flags.ignores_case)
        .verbose_mode(flags.is_extended)
        .dot_matches_new_line(flags.dot_is_all)
        .build()
        .map_err(|error| {
            Error::str(format_args!(
                "{pattern} (at offset 0) is not a valid regex: {error}"
            ))
        })
}

/// Counts characters up to a byte, which never goes back.
struct Counter<'t> {
    text: &'t str,
    byte: usize,
    count: usize,
}

impl Counter<'_> {
    fn at(&mut self, byte: usize) -> usize {
        if byte < self.byte {
            (self.byte, self.count) = (0, 0);
        }
        let between = self.text.get(self.byte..byte).unwrap_or_default();
        self.count += between.chars().count();
        self.byte = byte;
        self.count
    }
}

fn groups(regex: &Regex, captures: &Captures<'_, str>, counter: &mut Counter<'_>) -> Val {
    let mut all = Vec::new();
    for (number, name) in regex.capture_names().enumerate() {
        let mut members = Members::new();
        match captures.get(number) {
            Some(part) => {
                members.insert("offset".into(), Val::from(counter.at(part.start())));
                members.insert("length".into(), Val::from(part.as_str().chars().count()));
                members.insert("string".into(), Val::text(part.as_str()));
            }
            None => {
                members.insert("offset".into(), Val::Num(-1.0));
                members.insert("string".into(), Val::Null);
                members.insert("length".into(), Val::Num(0.0));
            }
        }
        if number > 0 {
            members.insert("name".into(), name.map_or(Val::Null, Val::text));
        }
        all.push(Val::object(members));
    }
    Val::array(all)
}

/// Returns the matches, each with its groups, and what is between them; or only one of both.
pub fn run(
    value: &Val,
    pattern: &Val,
    letters: &Val,
    with_between: bool,
    with_matches: bool,
) -> ValR {
    let (pattern, letters) = match pattern {
        // Both in an array, in place of the expression.
        Val::Arr(both) => match both.as_slice() {
            [pattern] => (pattern, letters),
            [pattern, letters, ..] => (pattern, letters),
            [] => return Err(Error::str("array () not a string or array")),
        },
        pattern => (pattern, letters),
    };
    let own = text(value, " cannot be matched, as it is not a string")?;
    let pattern = match pattern {
        Val::Str(pattern) => pattern,
        other => {
            return Err(Error::str(format_args!(
                "{} not a string or array",
                other.kind()
            )));
        }
    };
    let flags = flags(letters)?;
    let regex = compile(pattern, flags)?;
    let mut counter = Counter {
        text: own,
        byte: 0,
        count: 0,
    };
    let mut all = Vec::new();
    let mut last = 0;
    for captures in regex.captures_iter(own) {
        let captures = captures.map_err(|error| {
            Error::str(format_args!(
                "{own} (at offset 0) is not a valid regex: {error}"
            ))
        })?;
        let Some(whole) = captures.get(0) else {
            continue;
        };
        if flags.skips_empty && whole.as_str().is_empty() {
            continue;
        }
        if with_between {
            all.push(Val::text(own.get(last..whole.start()).unwrap_or_default()));
            last = whole.end();
        }
        if with_matches {
            all.push(groups(&regex, &captures, &mut counter));
        }
        if !flags.is_global {
            break;
        }
    }
    if with_between {
        all.push(Val::text(own.get(last..).unwrap_or_default()));
    }
    Ok(Val::array(all))
}
