//! Compound commands.

use std::rc::Rc;

use bash_syntax::ast::{
    ArithmeticFor, Case, CaseEnd, Command, CommandKind, Coprocess, For, If, Loop, Select, Word,
};
use bash_text::pattern::{Options, Pattern};
use bstr::{BString, ByteSlice};

use super::list::{Turn, execute_condition, execute_list, turn};
use super::subshell::{execute_subshell, finish_subshell};
use super::{condition, simple};
use crate::descriptors::Open;
use crate::expansion::Context;
use crate::redirection::Saved;
use crate::runtime::LocalFuture;
use crate::state::{Function, Outcome, Refusal, SetOption, Shell, Shopt, Stop};
use crate::traps::Condition;
use crate::variables::{IndexedArray, Value, Variable, is_name};

/// Runs a command.
pub async fn execute_command(shell: &mut Shell, command: &Command) -> Outcome {
    shell.look().await?;
    shell.line = command.line;
    if let CommandKind::Simple(words) = &command.kind {
        return simple::execute(shell, command, words).await;
    }
    // A task that is nothing but `( ... )` is that subshell: signals sent to it reach the traps set inside.
    let is_whole_task = std::mem::take(&mut shell.is_last_command);
    if is_whole_task
        && let CommandKind::Subshell(list) = &command.kind
        && command.redirections.is_empty()
    {
        shell.jobs.forget_inherited();
        return execute_list(shell, list).await;
    }
    if command.redirections.is_empty() {
        return execute_kind(shell, command).await;
    }
    let substitutions = shell.substitutions.len();
    let mut saved = Saved::default();
    let mut is_redirected = true;
    let outcome = if shell.redirect(&command.redirections, &mut saved).await? {
        execute_kind(shell, command).await
    } else {
        is_redirected = false;
        Ok(1)
    };
    let flushed = shell.flush(b"").await;
    shell.restore_descriptors(saved);
    shell.close_substitutions(substitutions);
    let outcome = outcome?;
    flushed?;
    // What failed inside was looked at inside; the subshell's failure is looked at by the list.
    if !is_redirected && !matches!(command.kind, CommandKind::Subshell(_)) {
        shell.after_failure(outcome).await?;
    }
    Ok(outcome)
}

async fn execute_kind(shell: &mut Shell, command: &Command) -> Outcome {
    match &command.kind {
        CommandKind::Simple(_) => Ok(0),
        CommandKind::Group(list) => execute_list(shell, list).await,
        CommandKind::Subshell(list) => {
            let running: LocalFuture<'_, _> = Box::pin(execute_subshell(shell, command, list));
            let status = running.await?;
            if shell.keeps_command_text {
                shell.command_text = Some(bash_syntax::print_command_line(command));
            }
            note_status(shell, status);
            Ok(status)
        }
        CommandKind::If(branches) => execute_if(shell, branches).await,
        CommandKind::While(parts) => execute_while(shell, parts, true).await,
        CommandKind::Until(parts) => execute_while(shell, parts, false).await,
        CommandKind::For(parts) => execute_for(shell, parts).await,
        CommandKind::ArithmeticFor(parts) => execute_arithmetic_for(shell, parts).await,
        CommandKind::Select(parts) => execute_select(shell, parts).await,
        CommandKind::Case(parts) => execute_case(shell, parts).await,
        CommandKind::Arithmetic(expression) => execute_arithmetic(shell, expression).await,
        CommandKind::Condition(expression) => {
            if !before_command(shell, || bash_syntax::print_command_line(command)).await? {
                return Ok(0);
            }
            let status = condition::execute(shell, expression).await?;
            note_status(shell, status);
            Ok(status)
        }
        CommandKind::Coprocess(parts) => Ok(start_coprocess(shell, parts)),
        CommandKind::Function(definition) => {
            let name = &definition.name;
            if name.find_byteset(b"$`'\"\\").is_some() {
                shell.report(format_args!("`{name}': not a valid identifier"));
                return Ok(1);
            }
            if shell.is_posix()
                && let Some(builtin) = crate::builtins::find(name)
                && builtin.class.is_special()
            {
                shell.report(format_args!("`{name}': is a special builtin"));
                return Err(Stop::Exit(2));
            }
            if shell
                .functions
                .get(name.as_slice())
                .is_some_and(|function| function.is_readonly)
            {
                shell.report(format_args!("{name}: readonly function"));
                return Ok(1);
            }
            let source = match (&shell.script, shell.calls.last()) {
                (_, Some(call)) => Rc::clone(&call.source),
                (Some(script), None) => Rc::clone(script),
                (None, None) if shell.is_command_string => Rc::new(BString::from("environment")),
                (None, None) => Rc::new(BString::from("main")),
            };
            let before = shell.functions.get(name.as_slice());
            let function = Function {
                definition: Rc::clone(definition),
                source,
                is_exported: before.is_some_and(|function| function.is_exported),
                is_traced: before.is_some_and(|function| function.is_traced),
                is_readonly: false,
            };
            Rc::make_mut(&mut shell.functions).insert(Rc::from(name.as_slice()), Rc::new(function));
            Ok(0)
        }
    }
}

/// Runs the DEBUG trap before a command that counts as one, and remembers the command's text where somebody may
/// ask. False when the trap says, under extdebug, that the command is not to run.
pub async fn before_command(
    shell: &mut Shell,
    text: impl FnOnce() -> BString,
) -> Result<bool, Stop> {
    let is_asked_for = shell.keeps_command_text || !shell.traps.is_empty();
    if shell.traps.is_running(Condition::Debug) || !is_asked_for {
        return Ok(true);
    }
    // A trap speaks of the command that it interrupts.
    if !shell.traps.is_any_running() {
        shell.command_text = Some(text());
    }
    if std::mem::take(&mut shell.was_debugged) || !shell.traps.is_set(Condition::Debug) {
        return Ok(true);
    }
    let line = shell.line;
    let trap: LocalFuture<'_, _> = Box::pin(shell.run_trap(Condition::Debug));
    let status = trap.await?;
    shell.line = line;
    if status == 0 || !shell.options.has_shopt(Shopt::ExtDebug) {
        return Ok(true);
    }
    if status == 2 && shell.function_depth > 0 {
        return Err(Stop::Return(shell.status));
    }
    Ok(false)
}

/// Returns the head of a `for` command as DEBUG and the trace show it: `for i in 1 2`.
fn for_head(parts: &For) -> BString {
    listing_head(b"for ", &parts.name, parts.words.as_ref())
}

fn listing_head(keyword: &[u8], name: &[u8], words: Option<&Vec<Word>>) -> BString {
    let mut text = BString::from(keyword);
    text.extend_from_slice(name);
    text.extend_from_slice(b" in ");
    match words {
        Some(words) => {
            let texts: Vec<BString> = words.iter().map(bash_syntax::print_word).collect();
            text.extend_from_slice(&bstr::join(" ", &texts));
        }
        None => text.extend_from_slice(b"\"$@\""),
    }
    text
}

/// Notes a status in PIPESTATUS.
pub fn note_status(shell: &mut Shell, status: u8) {
    if shell.pipe_status.len() != 1 || shell.pipe_status.first() != Some(&status) {
        shell.pipe_status = Rc::from([status].as_slice());
    }
}

async fn execute_if(shell: &mut Shell, branches: &If) -> Outcome {
    for branch in &branches.branches {
        if execute_condition(shell, &branch.condition).await? == 0 {
            return execute_list(shell, &branch.body).await;
        }
    }
    match &branches.otherwise {
        Some(body) => execute_list(shell, body).await,
        None => Ok(0),
    }
}

async fn execute_while(shell: &mut Shell, parts: &Loop, runs_while: bool) -> Outcome {
    let mut status = 0;
    shell.loops += 1;
    let outcome = async {
        loop {
            let mut held = 0;
            let condition = execute_condition(shell, &parts.condition).await;
            let is_plain = condition.is_ok();
            match turn(condition, &mut held)? {
                Turn::Leave => return Ok(()),
                // `continue` in a condition succeeds: it begins another turn of `while` and ends `until`.
                Turn::Next if !is_plain && runs_while => continue,
                Turn::Next if !is_plain => return Ok(()),
                Turn::Next => {}
            }
            if (held == 0) != runs_while {
                return Ok(());
            }
            if let Turn::Leave = turn(execute_list(shell, &parts.body).await, &mut status)? {
                return Ok(());
            }
        }
    }
    .await;
    shell.loops -= 1;
    outcome.map(|()| status)
}

async fn words_of(shell: &mut Shell, words: Option<&Vec<Word>>) -> Result<Vec<BString>, Stop> {
    match words {
        Some(words) => shell.expand_words(words).await,
        None => Ok(shell.positional.values().to_vec()),
    }
}

async fn execute_for(shell: &mut Shell, parts: &For) -> Outcome {
    if !is_name(&parts.name) {
        shell.report(format_args!("`{}': not a valid identifier", parts.name));
        return Ok(1);
    }
    let words = words_of(shell, parts.words.as_ref()).await?;
    let mut status = 0;
    let line = shell.line;
    shell.loops += 1;
    let outcome = async {
        for word in words {
            shell.line = line;
            if !before_command(shell, || for_head(parts)).await? {
                return Ok(());
            }
            if shell.options.has(SetOption::XTrace) {
                let text = for_head(parts);
                shell.trace(&text).await?;
            }
            if shell.is_reference(&parts.name) {
                shell.variables.entry(&parts.name).value = Value::Scalar(word);
            } else if let Err(refusal) = shell.set(&parts.name, &word) {
                shell.report(&refusal);
                status = 1;
                return Ok(());
            }
            if let Turn::Leave = turn(execute_list(shell, &parts.body).await, &mut status)? {
                return Ok(());
            }
        }
        Ok(())
    }
    .await;
    shell.loops -= 1;
    outcome.map(|()| status)
}

/// Evaluates an expression of `((...))`; an error is said in its name.
async fn arithmetic(shell: &mut Shell, expression: &Word) -> Result<Option<i64>, Stop> {
    let text = shell.expand_text(expression, Context::QUOTED).await?;
    if shell.options.has(SetOption::XTrace) {
        let mut line = BString::from("(( ");
        line.extend_from_slice(text.trim_ascii());
        line.extend_from_slice(b" ))");
        shell.trace(&line).await?;
    }
    match shell.evaluate(&text) {
        Ok(number) => Ok(Some(number)),
        Err(refusal @ Refusal::Unbound(_)) => Err(shell.refused(&refusal)),
        Err(refusal) => {
            match refusal {
                Refusal::ReadOnly(_) => shell.report(&refusal),
                _ => shell.report(format_args!("((: {refusal}")),
            }
            Ok(None)
        }
    }
}

async fn execute_arithmetic(shell: &mut Shell, expression: &Word) -> Outcome {
    if !before_command(shell, || arithmetic_text(expression)).await? {
        return Ok(0);
    }
    let status = match arithmetic(shell, expression).await? {
        Some(number) => u8::from(number == 0),
        None => 1,
    };
    note_status(shell, status);
    Ok(status)
}

fn arithmetic_text(expression: &Word) -> BString {
    let mut text = BString::from("((");
    text.extend_from_slice(&bash_syntax::print_word(expression));
    text.extend_from_slice(b"))");
    text
}

/// Evaluates an expression of `for ((...))`, which is at the line of the `for`.
async fn step(shell: &mut Shell, expression: &Word, line: u32) -> Result<Option<i64>, Stop> {
    shell.line = line;
    before_command(shell, || arithmetic_text(expression)).await?;
    arithmetic(shell, expression).await
}

async fn execute_arithmetic_for(shell: &mut Shell, parts: &ArithmeticFor) -> Outcome {
    let mut status = 0;
    let line = shell.line;
    if step(shell, &parts.start, line).await?.is_none() {
        return Ok(1);
    }
    shell.loops += 1;
    let outcome = async {
        loop {
            if !parts.condition.parts.is_empty() {
                match step(shell, &parts.condition, line).await? {
                    Some(0) => return Ok(()),
                    Some(_) => {}
                    None => {
                        status = 1;
                        return Ok(());
                    }
                }
            }
            if let Turn::Leave = turn(execute_list(shell, &parts.body).await, &mut status)? {
                return Ok(());
            }
            if step(shell, &parts.step, line).await?.is_none() {
                status = 1;
                return Ok(());
            }
        }
    }
    .await;
    shell.loops -= 1;
    outcome.map(|()| status)
}

async fn execute_case(shell: &mut Shell, parts: &Case) -> Outcome {
    let text = || {
        let mut text = BString::from("case ");
        text.extend_from_slice(&bash_syntax::print_word(&parts.subject));
        text.extend_from_slice(b" in ");
        text
    };
    if !before_command(shell, text).await? {
        return Ok(0);
    }
    if shell.options.has(SetOption::XTrace) {
        let text = text();
        shell.trace(text.trim_end()).await?;
    }
    let subject = shell.expand_text(&parts.subject, Context::SINGLE).await?;
    let options = Options {
        extglob: shell.options.has_shopt(Shopt::ExtGlob),
        ignore_case: shell.options.has_shopt(Shopt::NoCaseMatch),
    };
    let mut status = 0;
    let mut falls_through = false;
    for clause in &parts.clauses {
        let mut is_match = falls_through;
        for word in &clause.patterns {
            if is_match {
                break;
            }
            let expanded = shell.expand(word, Context::SINGLE).await?;
            is_match = Pattern::compile(&expanded.pieces(), options).matches(&subject);
        }
        if !is_match {
            continue;
        }
        status = execute_list(shell, &clause.body).await?;
        match clause.end {
            CaseEnd::Leave => return Ok(status),
            CaseEnd::FallThrough => falls_through = true,
            CaseEnd::Continue => falls_through = false,
        }
    }
    Ok(status)
}

async fn execute_select(shell: &mut Shell, parts: &Select) -> Outcome {
    let words = words_of(shell, parts.words.as_ref()).await?;
    if words.is_empty() {
        return Ok(0);
    }
    let mut menu = Vec::new();
    let width = words.len().to_string().len();
    for (place, word) in words.iter().enumerate() {
        menu.extend_from_slice(format!("{:width$}) {word}\n", place + 1).as_bytes());
    }
    if shell.options.has(SetOption::XTrace) {
        let text = listing_head(b"select ", &parts.name, parts.words.as_ref());
        shell.trace(&text).await?;
    }
    let mut status = 0;
    let mut shows_menu = true;
    shell.loops += 1;
    let outcome = async {
        loop {
            if std::mem::take(&mut shows_menu) {
                shell.print_error(&menu);
            }
            let prompt = shell
                .get_string("PS3")
                .unwrap_or_else(|| BString::from("#? "));
            shell.print_error(&prompt);
            shell.flush(b"").await?;
            let Some(line) = shell.read_line().await else {
                shell.print(b"\n");
                status = 1;
                return Ok(());
            };
            let _ = shell.set(b"REPLY", &line);
            if line.is_empty() {
                shows_menu = true;
                continue;
            }
            let chosen = bash_text::arithmetic::parse_integer(line.trim_ascii())
                .and_then(|number| usize::try_from(number).ok())
                .and_then(|number| words.get(number.checked_sub(1)?))
                .cloned()
                .unwrap_or_default();
            let _ = shell.set(&parts.name, &chosen);
            if let Turn::Leave = turn(execute_list(shell, &parts.body).await, &mut status)? {
                return Ok(());
            }
        }
    }
    .await;
    shell.loops -= 1;
    outcome.map(|()| status)
}

fn start_coprocess(shell: &mut Shell, parts: &Coprocess) -> u8 {
    if !is_name(&parts.name) {
        shell.report(format_args!("`{}': not a valid identifier", parts.name));
        return 1;
    }
    let (Ok((output, inner_output)), Ok((inner_input, input))) =
        (crate::sys::pipe(), crate::sys::pipe())
    else {
        shell.report("cannot make pipe for coprocess");
        return 1;
    };
    let task = shell.runtime.new_task(None);
    let mut subshell = shell.subshell(Rc::clone(&task));
    subshell.descriptors.put(0, Some(Open::new(inner_input)));
    subshell.descriptors.put(1, Some(Open::new(inner_output)));
    subshell.is_last_command = matches!(parts.command.kind, CommandKind::Simple(_));
    let command = Rc::clone(&parts.command);
    shell.runtime.start(
        &task,
        Box::pin(async move {
            let running: LocalFuture<'_, _> = Box::pin(execute_command(&mut subshell, &command));
            let outcome = running.await;
            finish_subshell(&mut subshell, outcome).await
        }),
    );
    shell.runtime.poll_now(&task);
    let read = shell.descriptors.free_downwards();
    shell.descriptors.put(read, Some(Open::new(output)));
    let write = shell.descriptors.free_downwards();
    shell.descriptors.put(write, Some(Open::new(input)));
    let ends = vec![
        BString::from(read.to_string()),
        BString::from(write.to_string()),
    ];
    let array = Variable {
        value: Value::Indexed(IndexedArray::from_values(ends)),
        ..Variable::default()
    };
    shell.variables.insert(&parts.name, array);
    let pid = task.pid();
    let mut variable = parts.name.clone();
    variable.extend_from_slice(b"_PID");
    let _ = shell.set(&variable, pid.to_string().as_bytes());
    let text = bash_syntax::print_command_line(&parts.command);
    shell.jobs.add(task, pid, text);
    shell.last_background = Some(pid);
    0
}
