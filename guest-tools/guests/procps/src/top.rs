//! top in batch mode: the processes that take most, once or some times.

use std::time::Duration;

use gnu_options::{Item, Takes};

use crate::{report, table, w};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "bcd:Hhin:o:p:Su:U:vVw::1",
    long: &[("help", Takes::Nothing, 'h')],
};

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    if let Some(error) = error {
        report::complain(program, error);
        return 1;
    }
    let (mut is_batch, mut count, mut delay) = (false, None, 3.0);
    let mut shows_commands = false;
    let mut key = "%CPU".to_owned();
    let mut pids: Vec<u32> = Vec::new();
    for item in items {
        let Item::Option(letter, value, _) = item else {
            report::complain(program, "unknown argument");
            return 1;
        };
        let value = value.unwrap_or_default();
        match letter {
            'b' => is_batch = true,
            'c' => shows_commands = true,
            'n' => match value.parse::<u64>() {
                Ok(number) if number > 0 => count = Some(number),
                _ => {
                    report::complain(program, format_args!("bad iterations argument '{value}'"));
                    return 1;
                }
            },
            'd' => match value.parse::<f64>() {
                Ok(seconds) if (0.0..1e9).contains(&seconds) => delay = seconds,
                _ => {
                    report::complain(program, format_args!("bad delay interval '{value}'"));
                    return 1;
                }
            },
            'o' => key = value.trim_start_matches(['+', '-']).to_uppercase(),
            'p' => pids.extend(value.split(',').filter_map(|word| word.parse::<u32>().ok())),
            'h' | 'v' | 'V' => {
                return report::print(
                    program,
                    "top from procps-ng 4.0.2 (Sinew)\nUsage:\n  top -b [-n number] [-d seconds] [-o field] [-p pid,...] [-c]\n",
                );
            }
            _ => {}
        }
    }
    if !is_batch {
        report::complain(program, "failed tty get");
        return 1;
    }
    let mut done = 0;
    loop {
        let status = report::print(program, screen(&key, &pids, shows_commands));
        done += 1;
        if status != 0 || count.is_some_and(|count| done >= count) {
            return status;
        }
        process::wait(&[], Some(Duration::from_secs_f64(delay)));
        if report::print(program, "\n") != 0 {
            return 1;
        }
    }
}

fn screen(key: &str, pids: &[u32], shows_commands: bool) -> String {
    let mut entries = table::list();
    if !pids.is_empty() {
        entries.retain(|entry| pids.contains(&entry.pid));
    }
    entries.sort_by(|one, other| match key {
        "PID" => other.pid.cmp(&one.pid),
        "%MEM" | "RES" | "VIRT" => other.memory_bytes.cmp(&one.memory_bytes),
        "TIME" | "TIME+" => other.processor_ns.cmp(&one.processor_ns),
        "COMMAND" => table::name(other).cmp(&table::name(one)),
        _ => table::share(other).cmp(&table::share(one)),
    });
    let states = |wanted: char| entries.iter().filter(|entry| entry.state == wanted).count();
    let mut text = format!("top - {}\n", w::summary());
    text.push_str(&format!(
        "Tasks: {:3} total, {:3} running, {:3} sleeping, {:3} stopped, {:3} zombie\n",
        entries.len(),
        states('R'),
        states('S'),
        states('T'),
        states('Z')
    ));
    if let (Some(total), Some(free), Some(available)) = (
        table::memory("MemTotal"),
        table::memory("MemFree"),
        table::memory("MemAvailable"),
    ) {
        let mebibytes =
            |kilobytes: u64| format!("{}.{}", kilobytes >> 10, kilobytes * 10 / 1024 % 10);
        text.push_str(&format!(
            "MiB Mem : {:>8} total, {:>8} free, {:>8} used. {:>8} avail Mem \n",
            mebibytes(total),
            mebibytes(free),
            mebibytes(total.saturating_sub(available)),
            mebibytes(available)
        ));
    }
    text.push_str(
        "\n  PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n",
    );
    for entry in &entries {
        let kilobytes = entry.memory_bytes / 1024;
        let share = table::share(entry);
        let memory = (kilobytes * 1000)
            .checked_div(table::memory_total().unwrap_or(0))
            .unwrap_or(0);
        let hundredths = entry.processor_ns / 10_000_000;
        let time = format!(
            "{}:{:02}.{:02}",
            hundredths / 6000,
            hundredths / 100 % 60,
            hundredths % 100
        );
        let command = if shows_commands {
            table::command(entry)
        } else {
            table::short_name(entry)
        };
        text.push_str(&format!(
            "{:5} {:<8.8}  20   0 {kilobytes:7} {kilobytes:6} {:6} {} {:>5} {:>5} {time:>9} {command}\n",
            entry.pid,
            table::user(),
            0,
            entry.state,
            format!("{}.{}", share / 10, share % 10),
            format!("{}.{}", memory / 10, memory % 10),
        ));
    }
    text
}
