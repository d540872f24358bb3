//! The state machine of the `getopts` builtin.

use bstr::BString;

/// Where the next call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// OPTIND: the number of the next argument, from 1.
    pub index: usize,
    /// The byte within that argument when several letters share it; 0 to start afresh. An assignment to
    /// OPTIND resets it.
    pub offset: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            index: 1,
            offset: 0,
        }
    }
}

/// What one call of `getopts` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The value for the name variable: a letter, `?` or `:`.
    pub name: u8,
    /// The value for OPTARG; `None` unsets it.
    pub argument: Option<BString>,
    /// The message for standard error, without the shell's prefix: `illegal option -- x`.
    pub diagnostic: Option<BString>,
    /// Whether the options are at an end: status 1.
    pub is_end: bool,
}

/// Looks at the next option of `arguments`. `is_reporting` is OPTERR != 0.
pub fn next(
    state: &mut State,
    specification: &[u8],
    arguments: &[&[u8]],
    is_reporting: bool,
) -> Step {
    let end = Step {
        name: b'?',
        argument: None,
        diagnostic: None,
        is_end: true,
    };
    let (is_silent, letters) = match specification.split_first() {
        Some((b':', rest)) => (true, rest),
        _ => (false, specification),
    };
    state.index = state.index.max(1);
    let Some(argument) = arguments.get(state.index - 1) else {
        state.index = arguments.len() + 1;
        return end;
    };
    if state.offset == 0 {
        match argument {
            [b'-', b'-'] => {
                state.index += 1;
                return end;
            }
            [b'-', _, ..] => state.offset = 1,
            _ => return end,
        }
    }
    let Some(letter) = argument.get(state.offset).copied() else {
        // The arguments changed under way: the next one is a fresh one.
        *state = State {
            index: state.index + 1,
            offset: 0,
        };
        return next(state, specification, arguments, is_reporting);
    };
    state.offset += 1;
    let rest = argument.get(state.offset..).unwrap_or_default();
    let wants_argument = match letters
        .iter()
        .position(|known| *known == letter)
        .filter(|_| letter != b':')
    {
        Some(at) => letters.get(at + 1) == Some(&b':'),
        None => {
            advance_when_done(state, rest);
            return wrong(b'?', "illegal option", letter, is_silent, is_reporting);
        }
    };
    if !wants_argument {
        advance_when_done(state, rest);
        return Step {
            name: letter,
            argument: None,
            diagnostic: None,
            is_end: false,
        };
    }
    *state = State {
        index: state.index + 1,
        offset: 0,
    };
    let value = if rest.is_empty() {
        let value = arguments.get(state.index - 1).copied();
        state.index += usize::from(value.is_some());
        value
    } else {
        Some(rest)
    };
    match value {
        Some(value) => Step {
            name: letter,
            argument: Some(BString::from(value)),
            diagnostic: None,
            is_end: false,
        },
        None => wrong(
            b':',
            "option requires an argument",
            letter,
            is_silent,
            is_reporting,
        ),
    }
}

fn advance_when_done(state: &mut State, rest: &[u8]) {
    if rest.is_empty() {
        *state = State {
            index: state.index + 1,
            offset: 0,
        };
    }
}

/// An option that is not right: with a leading colon the script is told, otherwise the user.
fn wrong(name: u8, message: &str, letter: u8, is_silent: bool, is_reporting: bool) -> Step {
    let text = BString::from(vec![letter]);
    let diagnostic =
        (!is_silent && is_reporting).then(|| BString::from(format!("{message} -- {text}")));
    Step {
        name: if is_silent { name } else { b'?' },
        argument: is_silent.then_some(text),
        diagnostic,
        is_end: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_in_turn() {
        let arguments: [&[u8]; 5] = [b"-ab", b"x", b"-by", b"-z", b"rest"];
        let mut state = State::default();
        let found: Vec<(u8, Option<BString>, usize)> = std::iter::from_fn(|| {
            let step = next(&mut state, b":ab:", &arguments, true);
            (!step.is_end).then_some((step.name, step.argument, state.index))
        })
        .collect();
        let expected = [
            (b'a', None, 1),
            (b'b', Some("x".into()), 3),
            (b'b', Some("y".into()), 4),
            (b'?', Some("z".into()), 5),
        ];
        assert_eq!(found, expected);
        let step = next(&mut State::default(), b"a:", &[b"-a"], true);
        assert_eq!(
            (step.name, step.diagnostic),
            (b'?', Some("option requires an argument -- a".into()))
        );
    }
}
