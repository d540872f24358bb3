//! Running text: the script itself, `eval`, `source`, traps.

use std::collections::BTreeMap;
use std::rc::Rc;

use bash_syntax::{Aliases, Parser, Recovery, SyntaxError};
use bstr::{BString, ByteSlice};

use super::list::execute_list;
use crate::runtime::LocalFuture;
use crate::state::{Call, CallKind, Outcome, Positional, SetOption, Shell, Shopt, Stop};
use crate::sys;
use crate::traps::Condition;

/// Where text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The commands of the shell itself: an error abandons a command, not the text.
    Main,
    /// `eval`.
    Eval,
    /// A trap.
    Trap,
    /// `source`.
    Source,
}

pub(crate) struct AliasTable(pub(crate) Rc<BTreeMap<BString, BString>>);

impl Aliases for AliasTable {
    fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.get(name.as_bstr()).map(|value| value.as_slice())
    }
}

/// Runs text; its status is that of the last command, 0 when there is none.
pub fn run_text<'a>(
    shell: &'a mut Shell,
    text: &'a [u8],
    origin: Origin,
) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        if text.contains_str("BASH_COMMAND") {
            shell.keeps_command_text = true;
        }
        let mut parser = Parser::new(text, &shell.parse_options());
        if matches!(origin, Origin::Eval | Origin::Trap) {
            parser.set_line(shell.line);
            shell.text_depth += 1;
        }
        let outcome = run_parsed(shell, &mut parser, text, origin).await;
        if matches!(origin, Origin::Eval | Origin::Trap) {
            shell.text_depth -= 1;
        }
        outcome
    })
}

async fn run_parsed(
    shell: &mut Shell,
    parser: &mut Parser,
    text: &[u8],
    origin: Origin,
) -> Outcome {
    let mut status = 0;
    let (conditions, loops) = (shell.conditions, shell.loops);
    loop {
        parser.set_options(&shell.parse_options());
        let aliases = AliasTable(Rc::clone(&shell.aliases));
        let before = parser.position();
        let next = parser.next(&aliases);
        for warning in parser.take_warnings() {
            let line = std::mem::replace(&mut shell.line, warning.line);
            shell.report_bytes(&warning.message);
            shell.line = line;
        }
        match next {
            Ok(None) => return Ok(status),
            Ok(Some(list)) => {
                if shell.options.has(SetOption::Verbose) {
                    let read = text.get(before..parser.position()).unwrap_or_default();
                    shell.print_error(read);
                }
                if shell.options.has(SetOption::NoExec) {
                    continue;
                }
                if origin == Origin::Main {
                    shell.command_number += u64::from(!shell.is_command_string);
                    if shell.options.has(SetOption::History) {
                        let read = text.get(before..parser.position()).unwrap_or_default();
                        shell.remember(read);
                    }
                }
                match execute_list(shell, &list).await {
                    Ok(ended) => status = ended,
                    Err(Stop::Discard(ended)) if !shell.is_subshell => {
                        shell.conditions = conditions;
                        shell.loops = loops;
                        shell.status = ended;
                        status = ended;
                        shell.flush(b"").await?;
                    }
                    Err(stop) => return Err(stop),
                }
            }
            Err(error) => {
                report_syntax(shell, &error, origin);
                shell.flush(b"").await?;
                match error.recovery {
                    Recovery::EndsAsBefore if origin == Origin::Main => return Ok(shell.status),
                    Recovery::NextLine if !shell.is_subshell => status = 1,
                    Recovery::NextLine => {
                        shell.status = 1;
                        return Err(Stop::Discard(1));
                    }
                    Recovery::Ends | Recovery::EndsAsBefore => {
                        shell.status = 2;
                        return Ok(2);
                    }
                }
                shell.status = status;
            }
        }
    }
}

/// Says a syntax error as bash does.
pub fn report_syntax(shell: &mut Shell, error: &SyntaxError, origin: Origin) {
    let mut prefix = shell.source_name().to_vec();
    if origin == Origin::Eval {
        prefix.extend_from_slice(b": eval");
    } else if shell.is_command_string && origin == Origin::Main {
        prefix.extend_from_slice(b": -c");
    }
    prefix.extend_from_slice(format!(": line {}: ", error.line).as_bytes());
    let mut text = prefix.clone();
    text.extend_from_slice(&error.message);
    text.push(b'\n');
    if let Some(line) = &error.source_line {
        text.extend_from_slice(&prefix);
        text.push(b'`');
        text.extend_from_slice(line);
        text.extend_from_slice(b"'\n");
    }
    shell.print_error(&text);
}

/// Runs a file in this shell: `source`. `arguments` replace the positional parameters when there are any.
pub async fn source_file(
    shell: &mut Shell,
    path: &[u8],
    arguments: Option<Vec<BString>>,
) -> Outcome {
    let open = match shell.open_file(path, sys::OpenHow::READ) {
        Ok(open) => open,
        Err(error) => {
            shell.report(format_args!("{}: {error}", path.as_bstr()));
            return Ok(1);
        }
    };
    let text = match open.read_all(&shell.runtime).await {
        Ok(text) => text,
        Err(error) => {
            shell.report_for(b"source", format_args!("{}: {error}", path.as_bstr()));
            return Ok(1);
        }
    };
    drop(open);
    let kept = match &arguments {
        Some(arguments) if shell.options.has_shopt(Shopt::ExtDebug) => arguments.clone(),
        _ => Vec::new(),
    };
    let given = arguments.map(Positional::new);
    let positional = shell.positional.clone();
    let has_own = given.is_some();
    if let Some(given) = given {
        shell.positional = given;
    }
    let line = shell.line;
    shell.calls.push(Rc::new(Call {
        kind: CallKind::Source,
        name: BString::from("source"),
        source: Rc::new(BString::from(path)),
        line,
        saved_options: None,
        arguments: kept,
    }));
    shell.source_depth += 1;
    let mut outcome = run_text(shell, &text, Origin::Source).await;
    if let Err(Stop::Return(status)) = outcome {
        outcome = Ok(status);
    }
    shell.source_depth -= 1;
    shell.calls.pop();
    if let Ok(status) = outcome
        && shell.traps.is_set(Condition::Return)
    {
        shell.status = status;
        if let Err(stop) = shell.run_trap(Condition::Return).await {
            outcome = Err(stop);
        }
    }
    shell.line = line;
    if has_own {
        shell.positional = positional;
    }
    outcome
}
