//! Commands from standard input.
//!
//! Only whole commands are taken: what follows belongs to whatever the commands read.

use std::rc::Rc;

use bash_syntax::{ErrorKind, Parser, Recovery};

use crate::execution::{AliasTable, Origin, execute_list, report_syntax};
use crate::state::{Outcome, SetOption, Shell, Stop};

/// Runs the commands on standard input.
pub async fn run(shell: &mut Shell) -> Outcome {
    let mut parser = Parser::new("", &shell.parse_options());
    parser.set_is_open(true);
    let mut status = 0;
    let mut is_at_end = false;
    // The lines of the command that is being read.
    let mut read = Vec::new();
    loop {
        parser.set_options(&shell.parse_options());
        let aliases = AliasTable(Rc::clone(&shell.aliases));
        let next = parser.next(&aliases);
        for warning in parser.take_warnings() {
            let line = std::mem::replace(&mut shell.line, warning.line);
            shell.report_bytes(&warning.message);
            shell.line = line;
        }
        match next {
            Ok(None) if is_at_end => return Ok(status),
            Ok(None) => {
                read.clear();
                is_at_end = !more(shell, &mut parser, &mut read).await;
            }
            Ok(Some(list)) => {
                if shell.options.has(SetOption::NoExec) {
                    read.clear();
                    continue;
                }
                shell.command_number += 1;
                shell.remember(&read);
                read.clear();
                match execute_list(shell, &list).await {
                    Ok(ended) => status = ended,
                    Err(Stop::Discard(ended)) => {
                        shell.conditions = 0;
                        shell.loops = 0;
                        shell.status = ended;
                        status = ended;
                        shell.flush(b"").await?;
                    }
                    Err(stop) => return Err(stop),
                }
                if shell.options.has(SetOption::OneCommand) {
                    return Ok(status);
                }
            }
            Err(error) if error.kind == ErrorKind::Incomplete && !is_at_end => {
                is_at_end = !more(shell, &mut parser, &mut read).await;
            }
            Err(error) => {
                report_syntax(shell, &error, Origin::Main);
                match error.recovery {
                    Recovery::EndsAsBefore if !shell.is_interactive => return Ok(shell.status),
                    Recovery::NextLine => status = 1,
                    _ => status = 2,
                }
                shell.status = status;
                if !shell.is_interactive && error.recovery != Recovery::NextLine {
                    return Ok(status);
                }
            }
        }
    }
}

/// Gives the parser the next line; false at the end.
async fn more(shell: &mut Shell, parser: &mut Parser, read: &mut Vec<u8>) -> bool {
    let line = read_line(shell).await;
    if line.is_empty() {
        parser.set_is_open(false);
        return false;
    }
    if bstr::ByteSlice::contains_str(line.as_slice(), "BASH_COMMAND") {
        shell.keeps_command_text = true;
    }
    if shell.options.has(SetOption::Verbose) {
        shell.print_error(&line);
    }
    read.extend_from_slice(&line);
    parser.push(&line);
    true
}

/// Reads one line with its newline; empty at the end.
async fn read_line(shell: &mut Shell) -> Vec<u8> {
    let mut line = Vec::new();
    let Some(open) = shell.descriptors.get(0).map(Rc::clone) else {
        return line;
    };
    while let Ok(true) = open.fill(&shell.runtime).await {
        let mut buffer = open.buffer();
        let end = buffer.bytes().iter().position(|byte| *byte == b'\n');
        match end {
            Some(end) => {
                line.extend_from_slice(buffer.bytes().get(..=end).unwrap_or_default());
                buffer.consume(end + 1);
                break;
            }
            None => line.extend(buffer.take()),
        }
    }
    line
}
