//! free: the memory of the machine, where that is known.

use gnu_options::{Item, Takes};

use crate::{report, table};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "bkmghtlwVc:s:",
    long: &[
        ("bytes", Takes::Nothing, 'b'),
        ("gibi", Takes::Nothing, 'g'),
        ("help", Takes::Nothing, 'H'),
        ("human", Takes::Nothing, 'h'),
        ("kibi", Takes::Nothing, 'k'),
        ("mebi", Takes::Nothing, 'm'),
        ("si", Takes::Nothing, 'S'),
        ("total", Takes::Nothing, 't'),
        ("version", Takes::Nothing, 'V'),
    ],
};

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let (mut shift, mut is_human, mut has_total) = (1, false, false);
    for item in items {
        match item {
            Item::Option('b', ..) => shift = 0,
            Item::Option('k', ..) => shift = 1,
            Item::Option('m', ..) => shift = 2,
            Item::Option('g', ..) => shift = 3,
            Item::Option('h', ..) => is_human = true,
            Item::Option('t', ..) => has_total = true,
            Item::Option('H', ..) => {
                return report::print(program, "Usage: free [-b|-k|-m|-g|-h] [-t]\n");
            }
            Item::Option('V', ..) => {
                return report::print(program, "free from procps-ng 4.0.2 (Sinew)\n");
            }
            Item::Option(letter, ..) => {
                report::complain(
                    program,
                    format_args!("the option -{letter} is not supported"),
                );
                return 1;
            }
            Item::Operand(word) => {
                report::complain(program, format_args!("unexpected argument: {word}"));
                return 1;
            }
        }
    }
    let (Some(total), Some(free), Some(available)) = (
        table::memory("MemTotal"),
        table::memory("MemFree"),
        table::memory("MemAvailable"),
    ) else {
        report::complain(
            program,
            "the memory of the machine is not known in a hand; `ps -eo rss` shows what processes have",
        );
        return 1;
    };
    let cached = ["Buffers", "Cached", "SReclaimable"]
        .into_iter()
        .filter_map(table::memory)
        .sum();
    let shared = table::memory("Shmem").unwrap_or(0);
    let used = total.saturating_sub(available);
    let swap = table::memory("SwapTotal").unwrap_or(0);
    let swap_free = table::memory("SwapFree").unwrap_or(0);
    let show = |kilobytes: u64| {
        if is_human {
            human(kilobytes)
        } else {
            match shift {
                0 => (kilobytes * 1024).to_string(),
                1 => kilobytes.to_string(),
                2 => (kilobytes >> 10).to_string(),
                _ => (kilobytes >> 20).to_string(),
            }
        }
    };
    let line = |name: &str, numbers: &[u64]| {
        let cells: Vec<String> = numbers
            .iter()
            .map(|number| format!("{:>11}", show(*number)))
            .collect();
        format!("{name:<9}{}\n", cells.join(" "))
    };
    let mut text = String::from(
        "               total        used        free      shared  buff/cache   available\n",
    );
    text.push_str(&line(
        "Mem:",
        &[total, used, free, shared, cached, available],
    ));
    text.push_str(&line("Swap:", &[swap, swap - swap_free, swap_free]));
    if has_total {
        text.push_str(&line(
            "Total:",
            &[total + swap, used + swap - swap_free, free + swap_free],
        ));
    }
    report::print(program, text)
}

fn human(kilobytes: u64) -> String {
    if kilobytes == 0 {
        return "0B".to_owned();
    }
    let mut unit = 1_u64;
    for name in ["Ki", "Mi", "Gi", "Ti"] {
        let whole = kilobytes / unit;
        if whole < 10 && unit > 1 {
            return format!("{whole}.{}{name}", kilobytes * 10 / unit % 10);
        }
        if whole < 1000 {
            return format!("{whole}{name}");
        }
        unit <<= 10;
    }
    format!("{}Pi", kilobytes / unit)
}
