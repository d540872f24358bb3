//! Scripts: lines of SQL and of commands that begin with a point, from standard input or a file.

use std::io::{self, BufRead};
use std::time::{Duration, Instant};

use crate::complete;
use crate::dot;
use crate::execute::{Failure, Phase};
use crate::shell::Shell;

/// How deep `.read` may be within one another.
const DEPTH_MAX: usize = 25;

/// Runs a script to its end or to `.quit`. Returns how much of it failed.
pub(crate) fn run(shell: &mut Shell, source: &mut dyn BufRead, is_standard: bool) -> usize {
    if shell.depth >= DEPTH_MAX {
        shell.complain(format_args!(
            "Input nesting limit ({DEPTH_MAX}) reached at line {}. Check recursion.",
            shell.line
        ));
        return 1;
    }
    shell.depth += 1;
    let outer = std::mem::replace(&mut shell.line, 0);
    let failures = lines(shell, source, is_standard && shell.is_interactive);
    shell.depth -= 1;
    shell.line = outer;
    failures
}

fn lines(shell: &mut Shell, source: &mut dyn BufRead, is_interactive: bool) -> usize {
    let (mut sql, mut started, mut failures) = (Vec::new(), 0, 0);
    while failures == 0 || !shell.bails || is_interactive {
        if is_interactive {
            let [first, next] = shell.prompts.clone();
            shell.print(if sql.is_empty() { first } else { next });
        }
        shell.flush();
        let mut line = match read_line(source) {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => {
                shell.complain(format_args!(
                    "Error: cannot read: {}",
                    process::message(&error)
                ));
                failures += 1;
                break;
            }
        };
        shell.line += 1;
        if sql.is_empty() {
            let is_blank = is_blank(&line);
            if is_blank || matches!(line.first(), Some(b'.' | b'#')) {
                echo(shell, &line);
                match dot_line(shell, &line) {
                    Some(dot::Outcome::Quit) => return failures,
                    Some(dot::Outcome::Failed) => failures += 1,
                    _ => {}
                }
                continue;
            }
        }
        if is_terminator(&line) && complete::is_complete(&[sql.as_slice(), b";"].concat()) {
            line = b";".to_vec();
        }
        if sql.is_empty() {
            started = shell.line;
            sql = line.trim_ascii_start().to_vec();
        } else {
            sql.push(b'\n');
            sql.extend_from_slice(&line);
        }
        if ends_statement(&line) && complete::is_complete(&sql) {
            let text = std::mem::take(&mut sql);
            failures += usize::from(!one(shell, &text, started));
        }
    }
    if !sql.is_empty() && (failures == 0 || !shell.bails || is_interactive) {
        failures += usize::from(!one(shell, &sql, started));
    }
    failures
}

fn dot_line(shell: &mut Shell, line: &[u8]) -> Option<dot::Outcome> {
    (line.first() == Some(&b'.')).then(|| dot::run(shell, &String::from_utf8_lossy(line)))
}

/// Runs a statement of a script and says what is wrong with it.
fn one(shell: &mut Shell, sql: &[u8], line: usize) -> bool {
    echo(shell, sql);
    let started = shell.has_timer.then(Instant::now);
    let outcome = shell.execute(sql);
    if let Some(started) = started {
        let seconds = started.elapsed().as_secs_f64();
        let user = Duration::from_nanos(process::times().0).as_secs_f64();
        shell.print(format!(
            "Run Time: real {seconds:.3} user {user:.6} sys {:.6}\n",
            0.0
        ));
    }
    if shell.out.is_once {
        shell.out.reset();
    }
    if let Err(Failure { phase, message, .. }) = outcome {
        let kind = match phase {
            Phase::Prepare => "Parse error",
            Phase::Step => "Runtime error",
        };
        if shell.is_interactive {
            shell.complain(format_args!("{kind}: {message}"));
        } else {
            shell.complain(format_args!("{kind} near line {line}: {message}"));
        }
        return false;
    }
    if shell.counts_changes {
        let database = shell.database();
        let (changes, total) = (database.changes(), database.total_changes());
        shell.print(format!("changes: {changes}   total_changes: {total}\n"));
    }
    true
}

fn echo(shell: &mut Shell, text: &[u8]) {
    if shell.echoes {
        shell.print([text, b"\n"].concat());
    }
}

/// Returns a line without its end.
fn read_line(source: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if source.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(Some(line))
}

/// Returns whether there is nothing in a line but white space and comments.
fn is_blank(line: &[u8]) -> bool {
    let mut rest = line.trim_ascii();
    loop {
        if rest.is_empty() || rest.starts_with(b"--") {
            return true;
        }
        let Some(comment) = rest.strip_prefix(b"/*") else {
            return false;
        };
        let Some(end) = comment.windows(2).position(|pair| pair == b"*/") else {
            return false;
        };
        rest = comment.get(end + 2..).unwrap_or_default().trim_ascii();
    }
}

/// Returns whether a line ends statements as in other databases' shells: `/` or `go` alone.
fn is_terminator(line: &[u8]) -> bool {
    let word = line.trim_ascii();
    word == b"/" || word.eq_ignore_ascii_case(b"go")
}

/// Returns whether a line may end a statement; the rest of the text says whether it does.
fn ends_statement(line: &[u8]) -> bool {
    line.contains(&b';') || line.windows(2).any(|pair| pair == b"*/")
}
