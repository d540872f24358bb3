//! `test` and `[`: questions about files, texts and numbers.

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::World;
use crate::state::{Outcome, Shell};

/// `test`
pub const TEST: Builtin = Builtin {
    name: "test",
    usage: "test [expr]",
    class: Class::Regular,
    run: Run::Now(run),
};

/// `[`
pub const BRACKET: Builtin = Builtin {
    name: "[",
    usage: "[ arg... ]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let arguments: Vec<&[u8]> = invocation
        .arguments()
        .iter()
        .map(|word| word.as_slice())
        .collect();
    let mut world = World { shell };
    let answer = if invocation.name() == "[" {
        bash_text::test::bracket(&arguments, &mut world)
    } else {
        bash_text::test::evaluate(&arguments, &mut world)
    };
    match answer {
        Ok(is_true) => Ok(u8::from(!is_true)),
        Err(error) => {
            shell.report_for(invocation.name(), error);
            Ok(2)
        }
    }
}
