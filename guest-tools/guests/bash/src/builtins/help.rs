//! `help`: what the builtins are for, in a line each.

use bash_text::pattern::{Options, Pattern};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};

/// `help`
pub const HELP: Builtin = Builtin {
    name: "help",
    usage: "help [-dms] [pattern ...]",
    class: Class::Regular,
    run: Run::Now(run),
};

/// What each builtin does, by name.
const PURPOSES: &[(&str, &str)] = &[
    (".", "Run the commands of a file in this shell."),
    (":", "Do nothing, successfully."),
    ("[", "Test a condition; the last argument must be ]."),
    ("alias", "Define or show aliases."),
    ("bg", "Let jobs go on in the background."),
    ("bind", "Set keys of the line editor; without effect here."),
    ("break", "Leave loops."),
    (
        "builtin",
        "Run a builtin even where a function has its name.",
    ),
    ("caller", "Show where the running function was called."),
    ("cd", "Change the shell working directory."),
    (
        "command",
        "Run a command ignoring functions, or tell what a name is.",
    ),
    ("compgen", "Show possible completions."),
    (
        "complete",
        "Say how arguments are completed; without effect here.",
    ),
    (
        "compopt",
        "Change options of a completion; without effect here.",
    ),
    ("continue", "Go on with the next turn of a loop."),
    (
        "declare",
        "Set variables and their attributes, or show them.",
    ),
    ("dirs", "Show the stack of directories."),
    ("disown", "Take jobs out of the list of jobs."),
    ("echo", "Write the arguments."),
    ("enable", "Turn builtins on and off."),
    ("eval", "Run the arguments as a command."),
    (
        "exec",
        "Replace the shell by a command, or change its descriptors.",
    ),
    ("exit", "End the shell."),
    ("export", "Hand variables or functions to programs."),
    ("false", "Do nothing, unsuccessfully."),
    ("fc", "Show or run commands of the history."),
    (
        "fg",
        "Wait for a job as if it had been started in the foreground.",
    ),
    ("getopts", "Read options one by one."),
    ("hash", "Remember or show where programs are."),
    ("help", "Show what builtins are for."),
    ("history", "Show or change the history."),
    ("jobs", "Show jobs and their state."),
    ("kill", "Send a signal to processes or jobs."),
    ("let", "Evaluate arithmetic expressions."),
    ("local", "Make variables of a function."),
    ("logout", "End a login shell."),
    ("mapfile", "Read lines into an array."),
    ("popd", "Remove a directory from the stack."),
    ("printf", "Write the arguments as a format says."),
    ("pushd", "Add a directory to the stack."),
    ("pwd", "Show the working directory."),
    ("read", "Read a line and split it into variables."),
    ("readarray", "Read lines into an array."),
    ("readonly", "Make variables unchangeable."),
    ("return", "Return from a function or sourced file."),
    (
        "set",
        "Set options and positional parameters, or show variables.",
    ),
    ("shift", "Drop positional parameters."),
    ("shopt", "Set or show further options of the shell."),
    ("source", "Run the commands of a file in this shell."),
    ("suspend", "Stop the shell."),
    ("test", "Test a condition."),
    ("times", "Show the processor time used."),
    ("trap", "Say what runs at signals and other events."),
    ("true", "Do nothing, successfully."),
    ("type", "Tell what a name would run."),
    (
        "typeset",
        "Set variables and their attributes, or show them.",
    ),
    ("ulimit", "Show or set limits of resources."),
    ("umask", "Show or set the mask of the modes of new files."),
    ("unalias", "Remove aliases."),
    ("unset", "Remove variables or functions."),
    ("wait", "Wait for jobs."),
];

fn purpose(name: &str) -> &'static str {
    let found = PURPOSES.iter().find(|(known, _)| *known == name);
    found.map_or("A builtin of the shell.", |(_, purpose)| purpose)
}

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "dms");
    let (mut is_short, mut is_purpose, mut is_page) = (false, false, false);
    while let Some(flag) = flags.next(shell, &HELP) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => match flag.letter {
                b'd' => is_purpose = true,
                b'm' => is_page = true,
                _ => is_short = true,
            },
        }
    }
    if flags.rest().is_empty() {
        shell.print(b"Builtins of the shell; `help NAME' tells more of one.\n\n");
        for builtin in super::all() {
            shell.print(format!("{}\n", builtin.usage).as_bytes());
        }
        return Ok(0);
    }
    let mut has_found = false;
    for word in flags.rest() {
        let pattern = Pattern::from_text(word, Options::default());
        let is_exact = super::find(word).is_some();
        for builtin in super::all() {
            let name = builtin.name.as_bytes();
            let is_meant = if is_exact {
                name == word.as_slice()
            } else {
                name.starts_with(word) || pattern.matches(name)
            };
            if !is_meant {
                continue;
            }
            has_found = true;
            let (name, usage, purpose) = (builtin.name, builtin.usage, purpose(builtin.name));
            let text = if is_purpose {
                format!("{name} - {purpose}\n")
            } else if is_short {
                format!("{name}: {usage}\n")
            } else if is_page {
                format!(
                    "NAME\n    {name} - {purpose}\n\nSYNOPSIS\n    {usage}\n\nDESCRIPTION\n    {purpose}\n"
                )
            } else {
                format!("{name}: {usage}\n    {purpose}\n")
            };
            shell.print(text.as_bytes());
        }
    }
    if has_found {
        return Ok(0);
    }
    let word = flags.rest().last().cloned().unwrap_or_default();
    let message = format!(
        "no help topics match `{word}'.  Try `help help' or `man -k {word}' or `info {word}'."
    );
    shell.report_for(invocation.name(), message);
    Ok(1)
}
