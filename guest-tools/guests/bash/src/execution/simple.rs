//! Simple commands: assignments, words, redirections, and what the first word stands for.

use std::rc::Rc;

use bash_syntax::ast::{
    Argument, Assignment, AssignmentValue, Command, Redirection, RedirectionTarget, SimpleCommand,
};
use bstr::{BString, ByteSlice};

use super::call;
use super::compound::{before_command, note_status};
use super::lookup::Lookup;
use super::program::Afterwards;
use crate::builtins::{Builtin, Invocation, ListAssignment, Run};
use crate::expansion::Context;
use crate::redirection::Saved;
use crate::runtime::LocalFuture;
use crate::state::{Function, Outcome, SetOption, Shell, Stop};
use crate::variables::{Attributes, is_name};

/// What a command name was found to be.
enum Found {
    Function(Rc<Function>),
    Builtin(&'static Builtin),
    Program,
}

/// Runs a simple command.
pub async fn execute(shell: &mut Shell, command: &Command, simple: &SimpleCommand) -> Outcome {
    let afterwards = if std::mem::take(&mut shell.is_last_command) {
        Afterwards::End
    } else {
        Afterwards::Continue
    };
    if !before_command(shell, || bash_syntax::print_simple(command)).await? {
        return Ok(0);
    }
    shell.substitution_status = None;
    let substitutions = shell.substitutions.len();
    let outcome = run(shell, command, simple, afterwards).await;
    shell.close_substitutions(substitutions);
    if let Some((signal, pid)) = shell.killed_program.take() {
        let text = bash_syntax::print_simple(command);
        shell.report_signal(signal, pid, &text);
    }
    if !shell.output.is_empty() {
        shell.flush(b"").await?;
    }
    let status = outcome?;
    if let Some(signal) = shell.deadly_signal {
        return Err(Stop::Signal(signal));
    }
    note_status(shell, status);
    Ok(status)
}

async fn run(
    shell: &mut Shell,
    command: &Command,
    simple: &SimpleCommand,
    afterwards: Afterwards,
) -> Outcome {
    let invocation = expand_arguments(shell, &simple.arguments).await?;
    if invocation.words.is_empty() {
        return assign(shell, command, &simple.assignments).await;
    }
    if shell.options.has(SetOption::XTrace) && simple.assignments.is_empty() {
        trace(shell, &invocation).await?;
    }
    let last = invocation.words.last().cloned();
    let found = find(shell, invocation.name(), Lookup::ALL);
    if command.redirections.is_empty() {
        let outcome = prepared(shell, &simple.assignments, invocation, found, afterwards).await;
        if let Some(last) = last {
            shell.last_argument = last;
        }
        return outcome;
    }
    let is_exec = matches!(&found, Found::Builtin(builtin) if builtin.name == "exec");
    let is_special = matches!(&found, Found::Builtin(builtin) if builtin.class.is_special());
    let mut saved = Saved::default();
    let redirected = match found {
        Found::Program => redirect_program(shell, &command.redirections, &mut saved).await,
        _ => shell.redirect(&command.redirections, &mut saved).await,
    };
    let is_redirected = match redirected {
        Ok(is_redirected) => is_redirected,
        // A program's redirections are expanded by its own process: the shell survives what fails there.
        Err(Stop::Fatal(status) | Stop::Discard(status)) if matches!(found, Found::Program) => {
            shell.flush(b"").await?;
            shell.restore_descriptors(saved);
            return Ok(status);
        }
        Err(stop) => return Err(stop),
    };
    if !is_redirected {
        shell.flush(b"").await?;
        shell.restore_descriptors(saved);
        if is_special && shell.is_posix() {
            return Err(Stop::Exit(1));
        }
        return Ok(1);
    }
    let outcome = prepared(shell, &simple.assignments, invocation, found, afterwards).await;
    let flushed = shell.flush(b"").await;
    if !(is_exec && outcome.is_ok()) {
        shell.restore_descriptors(saved);
    }
    if let Some(last) = last {
        shell.last_argument = last;
    }
    flushed?;
    outcome
}

/// Carries out the redirections of a program: what a here-document assigns is gone with the program.
async fn redirect_program(
    shell: &mut Shell,
    redirections: &[Redirection],
    saved: &mut Saved,
) -> Result<bool, Stop> {
    let may_assign = redirections.iter().any(|redirection| {
        matches!(&redirection.target, RedirectionTarget::HereDocument(document)
            if !document.is_literal && document.text().contains(&b'=') && document.text().contains(&b'$'))
    });
    let before = may_assign.then(|| shell.variables.clone());
    let outcome = shell.redirect(redirections, saved).await;
    if let Some(before) = before {
        shell.variables = before;
    }
    outcome
}

/// Expands the words; arguments in the form of assignments stay whole.
async fn expand_arguments(shell: &mut Shell, arguments: &[Argument]) -> Result<Invocation, Stop> {
    let mut invocation = Invocation {
        words: Vec::with_capacity(arguments.len()),
        lists: Vec::new(),
    };
    for argument in arguments {
        match argument {
            Argument::Word(word) => shell.expand_fields(word, &mut invocation.words).await?,
            Argument::Assignment(assignment) => {
                expand_assignment(shell, assignment, &mut invocation).await?;
            }
        }
    }
    Ok(invocation)
}

async fn expand_assignment(
    shell: &mut Shell,
    assignment: &Assignment,
    invocation: &mut Invocation,
) -> Result<(), Stop> {
    let mut word = assignment.name.clone();
    if let Some(subscript) = &assignment.subscript {
        let text = shell.expand_text(subscript, Context::SINGLE).await?;
        word.push(b'[');
        word.extend_from_slice(&text);
        word.push(b']');
    }
    match &assignment.value {
        AssignmentValue::Scalar(value) => {
            let value = shell.expand_text(value, Context::ASSIGNMENT).await?;
            word.extend_from_slice(if assignment.is_append { b"+=" } else { b"=" });
            word.extend_from_slice(&value);
        }
        AssignmentValue::Array(elements) => {
            let elements = shell.expand_elements(&assignment.name, elements).await?;
            invocation.lists.push(ListAssignment {
                argument: invocation.words.len(),
                is_append: assignment.is_append,
                elements,
            });
        }
    }
    invocation.words.push(word);
    Ok(())
}

/// Carries out assignments without a command.
async fn assign(shell: &mut Shell, command: &Command, assignments: &[Assignment]) -> Outcome {
    for assignment in assignments {
        shell.perform(assignment).await?;
    }
    if !assignments.is_empty() {
        shell.last_argument.clear();
    }
    if !command.redirections.is_empty() {
        let mut saved = Saved::default();
        let is_redirected = shell.redirect(&command.redirections, &mut saved).await?;
        shell.flush(b"").await?;
        shell.restore_descriptors(saved);
        if !is_redirected {
            return Ok(1);
        }
    }
    Ok(shell.substitution_status.unwrap_or(0))
}

/// Prints a command as lines of the trace: the lists of a declaration come first, and what `export` and
/// `readonly` assign comes once more behind them.
async fn trace(shell: &mut Shell, invocation: &Invocation) -> Result<(), Stop> {
    for list in &invocation.lists {
        let name = invocation.words.get(list.argument);
        let text = list_text(name.map(|name| name.as_slice()).unwrap_or_default(), list);
        shell.trace(&text).await?;
    }
    shell.trace_words(&invocation.words).await?;
    if !matches!(invocation.name().as_bytes(), b"export" | b"readonly") {
        return Ok(());
    }
    for word in invocation.arguments() {
        let Some((name, value)) = word.split_once_str(b"=") else {
            continue;
        };
        let mut text = BString::from(name);
        text.push(b'=');
        text.extend_from_slice(&bash_text::quote::trace(value));
        if is_name(name.strip_suffix(b"+").unwrap_or(name)) {
            shell.trace(&text).await?;
        }
    }
    Ok(())
}

fn list_text(name: &[u8], list: &ListAssignment) -> BString {
    let mut text = BString::from(name);
    text.extend_from_slice(if list.is_append { b"+=(" } else { b"=(" });
    for (place, element) in list.elements.iter().enumerate() {
        if place > 0 {
            text.push(b' ');
        }
        if let Some(subscript) = &element.subscript {
            text.push(b'[');
            text.extend_from_slice(&bash_text::quote::single(subscript));
            text.extend_from_slice(if element.is_append { b"]+=" } else { b"]=" });
        }
        text.extend_from_slice(&bash_text::quote::single(&element.value));
    }
    text.push(b')');
    text
}

fn find(shell: &Shell, name: &[u8], lookup: Lookup) -> Found {
    if name.contains(&b'/') {
        if lookup.functions
            && let Some(function) = shell.function(name)
        {
            return Found::Function(Rc::clone(function));
        }
        return Found::Program;
    }
    let builtin = if lookup.builtins {
        shell.builtin(name)
    } else {
        None
    };
    if let Some(builtin) = builtin
        && builtin.class.is_special()
        && shell.is_posix()
    {
        return Found::Builtin(builtin);
    }
    if lookup.functions
        && let Some(function) = shell.function(name)
    {
        return Found::Function(Rc::clone(function));
    }
    match builtin {
        Some(builtin) => Found::Builtin(builtin),
        None => Found::Program,
    }
}

/// Binds the command's own assignments for as long as it runs.
async fn prepared(
    shell: &mut Shell,
    assignments: &[Assignment],
    invocation: Invocation,
    found: Found,
    afterwards: Afterwards,
) -> Outcome {
    if assignments.is_empty() {
        return match found {
            Found::Function(function) => call::call(shell, function, invocation.words).await,
            Found::Builtin(builtin) => run_named(shell, builtin, invocation).await,
            Found::Program => run_program(shell, &invocation.words, Lookup::ALL, afterwards).await,
        };
    }
    let stays =
        matches!(&found, Found::Builtin(builtin) if builtin.class.is_special()) && shell.is_posix();
    if stays {
        for assignment in assignments {
            shell.perform(assignment).await?;
            let variable = shell.variables.entry(&assignment.name);
            variable.attributes = variable.attributes.with(Attributes::EXPORT);
        }
        if let Found::Builtin(builtin) = found {
            return run_named(shell, builtin, invocation).await;
        }
    }
    shell.variables.push_temporary_scope();
    let bound = shell.bind_temporary(assignments).await;
    let traced = match bound {
        Ok(()) if shell.options.has(SetOption::XTrace) => trace(shell, &invocation).await,
        other => other,
    };
    if let Err(stop) = traced {
        shell.pop_temporary_scope();
        return Err(stop);
    }
    match found {
        Found::Function(function) => call::call_prepared(shell, function, invocation.words).await,
        Found::Builtin(builtin) => {
            let declared = match builtin.name {
                "local" | "declare" | "typeset" => invocation.words.clone(),
                _ => Vec::new(),
            };
            let outcome = run_named(shell, builtin, invocation).await;
            shell.keep_declared(&declared);
            shell.pop_temporary_scope();
            outcome
        }
        Found::Program => {
            let outcome = run_program(shell, &invocation.words, Lookup::ALL, afterwards).await;
            shell.pop_temporary_scope();
            outcome
        }
    }
}

/// Runs a builtin that was called by its name, not by way of `command`.
async fn run_named(
    shell: &mut Shell,
    builtin: &'static Builtin,
    invocation: Invocation,
) -> Outcome {
    let outcome = run_builtin(shell, builtin, invocation).await;
    // What runs no commands of its own has status 2 only after a wrong use of it, which ends a POSIX shell.
    match outcome {
        Ok(2)
            if builtin.class.is_special()
                && shell.is_posix()
                && !shell.is_interactive
                && shell.conditions == 0 =>
        {
            match builtin.name {
                "." | "source" | "eval" | "exec" => Ok(2),
                _ => Err(Stop::Exit(2)),
            }
        }
        outcome => outcome,
    }
}

async fn run_builtin(
    shell: &mut Shell,
    builtin: &'static Builtin,
    invocation: Invocation,
) -> Outcome {
    let outcome = match builtin.run {
        Run::Now(run) => run(shell, &invocation),
        Run::Waiting(run) => run(shell, &invocation).await,
    };
    if shell.output.is_empty() {
        return outcome;
    }
    let is_written = shell.flush(builtin.name.as_bytes()).await?;
    match outcome {
        Ok(0) if !is_written => Ok(1),
        outcome => outcome,
    }
}

async fn run_program(
    shell: &mut Shell,
    words: &[BString],
    lookup: Lookup,
    afterwards: Afterwards,
) -> Outcome {
    let name = words.first().cloned().unwrap_or_default();
    if let Some(path) = shell.find_program(&name, lookup.is_standard_path) {
        return shell.run_program(&path, words, afterwards).await;
    }
    if let Some(function) = shell.function(b"command_not_found_handle").map(Rc::clone) {
        let mut arguments = vec![BString::from("command_not_found_handle")];
        arguments.extend_from_slice(words);
        let mut subshell = shell.inline_subshell();
        let task = Rc::clone(&subshell.task);
        let outcome = call::call(&mut subshell, function, arguments).await;
        let ending = super::finish_subshell(&mut subshell, outcome).await;
        drop(subshell);
        shell.runtime.finish(&task, ending);
        shell.task.release(&task);
        return Ok(ending.status());
    }
    shell.report(format_args!("{}: command not found", name.as_bstr()));
    shell.flush(b"").await?;
    Ok(127)
}

/// Runs words that are expanded already.
pub fn run_words(
    shell: &mut Shell,
    words: Vec<BString>,
    lookup: Lookup,
) -> LocalFuture<'_, Outcome> {
    let invocation = Invocation {
        words,
        lists: Vec::new(),
    };
    run_invocation(shell, invocation, lookup)
}

/// As [`run_words`], with the lists of a declaration: `command declare x=(1 2)`.
pub fn run_invocation(
    shell: &mut Shell,
    invocation: Invocation,
    lookup: Lookup,
) -> LocalFuture<'_, Outcome> {
    Box::pin(async move {
        match find(shell, invocation.name(), lookup) {
            Found::Function(function) => call::call(shell, function, invocation.words).await,
            Found::Builtin(builtin) => run_builtin(shell, builtin, invocation).await,
            Found::Program if lookup.programs => {
                run_program(shell, &invocation.words, lookup, Afterwards::Continue).await
            }
            Found::Program => Ok(127),
        }
    })
}
