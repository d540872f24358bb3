//! Files that the kernel cannot run: scripts without `#!`, which the shell runs itself.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::source::{Origin, run_text};
use super::subshell::finish_subshell;
use crate::runtime::LocalFuture;
use crate::state::{Outcome, Positional, Shell};
use crate::sys;

/// Runs a file as a script in a subshell.
pub async fn run_file(shell: &mut Shell, path: &[u8], words: &[BString]) -> Outcome {
    let text = match shell.open_file(path, sys::OpenHow::READ) {
        Ok(open) => open.read_all(&shell.runtime).await,
        Err(error) => Err(error),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            shell.report(format_args!("{}: {error}", path.as_bstr()));
            return Ok(126);
        }
    };
    let head = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if head.contains(&0) {
        shell.report(format_args!(
            "{}: cannot execute binary file: Exec format error",
            path.as_bstr()
        ));
        return Ok(126);
    }
    let mut subshell = shell.inline_subshell();
    let task = Rc::clone(&subshell.task);
    subshell.name = Rc::new(BString::from(path));
    subshell.script = Some(Rc::clone(&subshell.name));
    subshell.is_command_string = false;
    subshell.calls.clear();
    subshell.function_depth = 0;
    subshell.positional = Positional::new(words.get(1..).unwrap_or_default().to_vec());
    let running: LocalFuture<'_, _> = run_text(&mut subshell, &text, Origin::Main);
    let outcome = running.await;
    let ending = finish_subshell(&mut subshell, outcome).await;
    drop(subshell);
    shell.runtime.finish(&task, ending);
    shell.task.release(&task);
    Ok(ending.status())
}
