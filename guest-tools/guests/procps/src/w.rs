//! w: who is logged in. In a hand nobody is; its processes have no terminal.

use gnu_options::{Item, Takes};

use crate::{clock, report, table};

const W: gnu_options::Options = gnu_options::Options {
    short: "hufsoiV",
    long: &[
        ("no-header", Takes::Nothing, 'h'),
        ("short", Takes::Nothing, 's'),
        ("version", Takes::Nothing, 'V'),
    ],
};
/// Runs w.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&W, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    if items
        .iter()
        .any(|item| matches!(item, Item::Option('h', ..)))
    {
        return 0;
    }
    let first = format!(" {}\n", summary());
    report::print(
        program,
        first + "USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n",
    )
}

/// Returns the first line of w, uptime and top.
pub(crate) fn summary() -> String {
    format!(
        "{} up {},  0 user,  load average: 0.00, 0.00, 0.00",
        clock::show("%H:%M:%S", clock::now()),
        clock::up(table::up())
    )
}
