//! `echo`: prints its arguments.

use bash_text::echo::{After, write_echo};

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell, Shopt};

/// `echo`
pub const ECHO: Builtin = Builtin {
    name: "echo",
    usage: "echo [-neE] [arg ...]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let xpg = shell.options.has_shopt(Shopt::XpgEcho);
    let mut has_newline = true;
    let mut has_escapes = xpg;
    let mut words = invocation.arguments();
    // With xpg_echo in POSIX mode nothing is an option.
    while !(xpg && shell.is_posix())
        && let Some((first, rest)) = words.split_first()
        && let Some(letters) = first.strip_prefix(b"-")
        && !letters.is_empty()
        && letters
            .iter()
            .all(|letter| matches!(letter, b'n' | b'e' | b'E'))
    {
        for letter in letters {
            match letter {
                b'n' => has_newline = false,
                b'e' => has_escapes = true,
                _ => has_escapes = false,
            }
        }
        words = rest;
    }
    let mut line = Vec::with_capacity(words.iter().map(|word| word.len() + 1).sum());
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            line.push(b' ');
        }
        if !has_escapes {
            line.extend_from_slice(word);
        } else if write_echo(word, &mut line) == After::Stop {
            has_newline = false;
            break;
        }
    }
    if has_newline {
        line.push(b'\n');
    }
    shell.print(&line);
    Ok(0)
}
