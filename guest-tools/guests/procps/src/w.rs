//! w and who: who is logged in. In a hand nobody is; its processes have no terminal.

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
const WHO: gnu_options::Options = gnu_options::Options {
    short: "abdHlmpqrstTuw",
    long: &[
        ("all", Takes::Nothing, 'a'),
        ("count", Takes::Nothing, 'q'),
        ("heading", Takes::Nothing, 'H'),
        ("users", Takes::Nothing, 'u'),
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

/// Runs who.
pub(crate) fn who(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&WHO, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let has = |wanted: char| {
        items
            .iter()
            .any(|item| matches!(item, Item::Option(letter, ..) if *letter == wanted))
    };
    if has('q') {
        return report::print(program, "\n# users=0\n");
    }
    if has('H') {
        return report::print(program, "NAME     LINE         TIME             COMMENT\n");
    }
    0
}
