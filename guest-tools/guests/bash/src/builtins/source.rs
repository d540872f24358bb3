//! `source` and `.`: run a file in this shell.

use bstr::BString;

use super::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::source_file;
use crate::runtime::LocalFuture;
use crate::state::{Outcome, Shell, Shopt, Stop};
use crate::sys;

/// `source`
pub const SOURCE: Builtin = Builtin {
    name: "source",
    usage: "source filename [arguments]",
    class: Class::Special,
    run: Run::Waiting(run),
};

/// `.`
pub const DOT: Builtin = Builtin {
    name: ".",
    usage: ". filename [arguments]",
    class: Class::Special,
    run: Run::Waiting(run),
};

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let builtin = if invocation.name() == "." {
            &DOT
        } else {
            &SOURCE
        };
        let mut flags = Flags::new(invocation, "");
        if let Some(Err(status)) = flags.next(shell, builtin) {
            return Ok(status);
        }
        let Some((name, arguments)) = flags.rest().split_first() else {
            shell.report_for(invocation.name(), "filename argument required");
            return Ok(shell.usage(builtin));
        };
        let path = found(shell, name);
        let stat = sys::stat(shell.absolute(&path), true);
        if stat.is_ok_and(|stat| stat.kind == sys::Kind::Directory) {
            shell.report_for(invocation.name(), format_args!("{path}: is a directory"));
            return Ok(1);
        }
        let is_there = sys::stat(shell.absolute(&path), true).is_ok() || path.starts_with(b"/dev/");
        if !is_there && shell.is_posix() {
            shell.report_for(invocation.name(), format_args!("{path}: file not found"));
            return Err(Stop::Exit(1));
        }
        let arguments = (!arguments.is_empty()).then(|| arguments.to_vec());
        source_file(shell, &path, arguments).await
    })
}

/// Looks a name without slash up in PATH, then in the working directory.
fn found(shell: &Shell, name: &BString) -> BString {
    if name.contains(&b'/') || !shell.options.has_shopt(Shopt::SourcePath) {
        return name.clone();
    }
    let path = shell.get_string("PATH").unwrap_or_default();
    for directory in path
        .split(|byte| *byte == b':')
        .filter(|directory| !directory.is_empty())
    {
        let mut candidate = directory.to_vec();
        candidate.push(b'/');
        candidate.extend_from_slice(name);
        let stat = sys::stat(shell.absolute(&candidate), true);
        if stat.is_ok_and(|stat| stat.kind == sys::Kind::Regular) {
            return BString::from(candidate);
        }
    }
    name.clone()
}
