//! `pushd`, `popd` and `dirs`: the stack of directories, whose top is the working directory.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, SetOption, Shell};

/// `pushd`
pub const PUSHD: Builtin = Builtin {
    name: "pushd",
    usage: "pushd [-n] [+N | -N | dir]",
    class: Class::Regular,
    run: Run::Now(pushd),
};

/// `popd`
pub const POPD: Builtin = Builtin {
    name: "popd",
    usage: "popd [-n] [+N | -N]",
    class: Class::Regular,
    run: Run::Now(popd),
};

/// `dirs`
pub const DIRS: Builtin = Builtin {
    name: "dirs",
    usage: "dirs [-clpv] [+N] [-N]",
    class: Class::Regular,
    run: Run::Now(dirs),
};

/// What an argument of one of the three is.
enum Word<'a> {
    /// A place in the stack, counted from the top; none when there is none.
    Place(Option<usize>),
    /// A letter with `-`.
    Option(&'a [u8]),
    /// Anything else.
    Other,
}

fn read<'a>(shell: &Shell, word: &'a BString) -> Word<'a> {
    let Some((sign, rest)) = word
        .split_first()
        .filter(|(sign, _)| matches!(sign, b'+' | b'-'))
    else {
        return Word::Other;
    };
    if !rest.is_empty() && rest.iter().all(u8::is_ascii_digit) {
        let size = shell.directory_stack.len() + 1;
        let number = std::str::from_utf8(rest)
            .ok()
            .and_then(|text| text.parse::<usize>().ok());
        let place = number.and_then(|number| {
            if *sign == b'+' {
                Some(number)
            } else {
                size.checked_sub(number + 1)
            }
        });
        return Word::Place(place.filter(|place| *place < size));
    }
    if *sign == b'-' {
        Word::Option(rest)
    } else {
        Word::Other
    }
}

/// Says that a place does not exist.
fn out_of_range(shell: &mut Shell, name: &[u8], word: &BString) -> u8 {
    if shell.directory_stack.is_empty() {
        shell.report_for(name, "directory stack empty");
    } else {
        shell.report_for(
            name,
            format_args!("{word}: directory stack index out of range"),
        );
    }
    1
}

fn invalid(shell: &mut Shell, builtin: &Builtin, word: &BString, what: &str) -> u8 {
    shell.report_for(
        builtin.name.as_bytes(),
        format_args!("{word}: invalid {what}"),
    );
    shell.usage(builtin)
}

fn whole(shell: &Shell) -> Vec<BString> {
    std::iter::once((*shell.directory).clone())
        .chain(shell.directory_stack.iter().cloned())
        .collect()
}

fn change(shell: &mut Shell, name: &[u8], directory: &BString) -> bool {
    let is_physical = shell.options.has(SetOption::Physical);
    match shell.change_directory(directory, is_physical) {
        Ok(()) => true,
        Err(error) => {
            shell.report_for(name, format_args!("{directory}: {error}"));
            false
        }
    }
}

fn pushd(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut words = invocation.arguments();
    let mut stays = false;
    let mut target = None;
    while let Some((word, rest)) = words.split_first() {
        words = rest;
        match read(shell, word) {
            Word::Option(b"n") => stays = true,
            Word::Option(b"-") => {
                target = words.first();
                break;
            }
            Word::Option(b"") => {
                target = Some(word);
                break;
            }
            Word::Option(_) => return Ok(invalid(shell, &PUSHD, word, "number")),
            Word::Place(None) => return Ok(out_of_range(shell, b"pushd", word)),
            Word::Place(Some(place)) => return Ok(rotate(shell, place, stays)),
            Word::Other => {
                if !rest.is_empty() {
                    shell.report_for(b"pushd", "too many arguments");
                    return Ok(1);
                }
                target = Some(word);
                break;
            }
        }
    }
    let Some(target) = target else {
        if stays {
            return Ok(0);
        }
        if shell.directory_stack.is_empty() {
            shell.report_for(b"pushd", "no other directory");
            return Ok(1);
        }
        let mut stack = whole(shell);
        stack.swap(0, 1);
        return Ok(take_over(shell, stack, false));
    };
    if stays {
        Rc::make_mut(&mut shell.directory_stack).insert(0, target.clone());
        print(shell, &Style::default());
        return Ok(0);
    }
    let target = if target.as_slice() == b"-" {
        match shell.get_string("OLDPWD") {
            Some(old) => old,
            None => {
                shell.report_for(b"pushd", "OLDPWD not set");
                return Ok(1);
            }
        }
    } else {
        target.clone()
    };
    let old = Rc::clone(&shell.directory);
    if !change(shell, b"pushd", &target) {
        return Ok(1);
    }
    Rc::make_mut(&mut shell.directory_stack).insert(0, (*old).clone());
    print(shell, &Style::default());
    Ok(0)
}

fn rotate(shell: &mut Shell, place: usize, stays: bool) -> u8 {
    let mut stack = whole(shell);
    stack.rotate_left(place);
    take_over(shell, stack, stays)
}

/// Makes `stack` the stack, going to its top unless the working directory stays.
fn take_over(shell: &mut Shell, mut stack: Vec<BString>, stays: bool) -> u8 {
    if stack.is_empty() {
        return 1;
    }
    let top = stack.remove(0);
    if !stays && !change(shell, b"pushd", &top) {
        return 1;
    }
    shell.directory_stack = Rc::new(stack);
    print(shell, &Style::default());
    0
}

fn popd(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut stays = false;
    let mut place = 0;
    for word in invocation.arguments() {
        match read(shell, word) {
            Word::Option(b"n") => stays = true,
            Word::Option(b"-") => break,
            Word::Place(Some(found)) => place = found,
            Word::Place(None) => return Ok(out_of_range(shell, b"popd", word)),
            Word::Option(_) | Word::Other => {
                let what = if word.starts_with(b"-") {
                    "number"
                } else {
                    "argument"
                };
                return Ok(invalid(shell, &POPD, word, what));
            }
        }
    }
    if shell.directory_stack.is_empty() {
        shell.report_for(b"popd", "directory stack empty");
        return Ok(1);
    }
    if place == 0 && !stays {
        let top = shell.directory_stack.first().cloned().unwrap_or_default();
        if !change(shell, b"popd", &top) {
            return Ok(1);
        }
        place = 1;
    }
    let stack = Rc::make_mut(&mut shell.directory_stack);
    let place = place.saturating_sub(1);
    if place < stack.len() {
        stack.remove(place);
    }
    print(shell, &Style::default());
    Ok(0)
}

/// How the stack is shown.
#[derive(Default)]
struct Style {
    is_long: bool,
    is_vertical: bool,
    is_numbered: bool,
}

fn dirs(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut style = Style::default();
    let mut place = None;
    for word in invocation.arguments() {
        match read(shell, word) {
            Word::Option(b"-") => break,
            Word::Option(letters)
                if !letters.is_empty() && letters.iter().all(|letter| b"clpv".contains(letter)) =>
            {
                for letter in letters {
                    match letter {
                        b'c' => shell.directory_stack = Rc::default(),
                        b'l' => style.is_long = true,
                        b'p' => style.is_vertical = true,
                        _ => {
                            style.is_vertical = true;
                            style.is_numbered = true;
                        }
                    }
                }
                if letters.contains(&b'c') {
                    return Ok(0);
                }
            }
            Word::Place(Some(found)) => place = Some(found),
            Word::Place(None) => return Ok(out_of_range(shell, b"dirs", word)),
            Word::Option(_) => return Ok(invalid(shell, &DIRS, word, "number")),
            Word::Other => return Ok(invalid(shell, &DIRS, word, "option")),
        }
    }
    match place {
        None => print(shell, &style),
        Some(place) => {
            let directory = whole(shell).into_iter().nth(place).unwrap_or_default();
            let mut line = Vec::new();
            if style.is_numbered {
                line.extend_from_slice(format!("{place:2}  ").as_bytes());
            }
            line.extend_from_slice(&shown(shell, &directory, &style));
            line.push(b'\n');
            shell.print(&line);
        }
    }
    Ok(0)
}

fn print(shell: &mut Shell, style: &Style) {
    let mut text = Vec::new();
    for (place, directory) in whole(shell).iter().enumerate() {
        if place > 0 {
            text.push(if style.is_vertical { b'\n' } else { b' ' });
        }
        if style.is_numbered {
            text.extend_from_slice(format!("{place:2}  ").as_bytes());
        }
        text.extend_from_slice(&shown(shell, directory, style));
    }
    text.push(b'\n');
    shell.print(&text);
}

/// Returns a directory with `~` for HOME, unless the long form is asked for.
fn shown(shell: &Shell, directory: &BString, style: &Style) -> BString {
    if !style.is_long
        && let Some(home) = shell.get_string("HOME").filter(|home| home.len() > 1)
        && let Some(rest) = directory.strip_prefix(home.as_bytes())
        && (rest.is_empty() || rest.starts_with(b"/"))
    {
        return BString::from([b"~", rest].concat());
    }
    directory.clone()
}
