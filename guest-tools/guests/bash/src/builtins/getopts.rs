//! `getopts`: reads options one by one.

use bstr::ByteSlice;

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};
use crate::variables::is_name;

/// `getopts`
pub const GETOPTS: Builtin = Builtin {
    name: "getopts",
    usage: "getopts optstring name [arg ...]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut words = invocation.arguments();
    if let Some((first, rest)) = words.split_first()
        && first.starts_with(b"-")
        && first.len() > 1
    {
        if first.as_slice() != b"--" {
            let letter = first.get(1..2).unwrap_or_default().as_bstr();
            shell.report_for(invocation.name(), format_args!("-{letter}: invalid option"));
            return Ok(shell.usage(&GETOPTS));
        }
        words = rest;
    }
    let [specification, name, rest @ ..] = words else {
        return Ok(shell.usage(&GETOPTS));
    };
    let is_reporting = shell
        .get(b"OPTERR")
        .is_none_or(|text| bash_text::arithmetic::parse_integer(&text) != Some(0));
    let positional = shell.positional.clone();
    let given = if rest.is_empty() {
        positional.values()
    } else {
        rest
    };
    let arguments: Vec<&[u8]> = given.iter().map(|word| word.as_slice()).collect();
    let mut state = shell.getopts;
    let step = bash_text::getopts::next(&mut state, specification, &arguments, is_reporting);
    let index = state.index.to_string();
    let mut outcome = shell.set(b"OPTIND", index.as_bytes());
    match &step.argument {
        Some(argument) => outcome = outcome.and_then(|()| shell.set(b"OPTARG", argument)),
        None => {
            let _ = shell.unset(b"OPTARG");
        }
    }
    // Setting OPTIND made the shell begin anew; this was no beginning.
    shell.getopts = state;
    if let Some(diagnostic) = &step.diagnostic {
        let line = format!("{}: {diagnostic}\n", shell.name);
        shell.print_error(line.as_bytes());
    }
    if !is_name(name) {
        shell.report_for(
            invocation.name(),
            format_args!("`{name}': not a valid identifier"),
        );
        return Ok(1);
    }
    if let Err(refusal) = outcome.and_then(|()| shell.set(name, &[step.name])) {
        shell.report(refusal);
        return Ok(1);
    }
    Ok(u8::from(step.is_end))
}
