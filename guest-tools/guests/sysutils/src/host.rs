//! uname, arch, hostname, hostid, nproc, uptime, sync, true and false: what a hand says of itself.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::clock;
use crate::quoting;
use crate::report::{self, complain, finish, reason, usage};
use crate::system::{self, stat};
use gnu_options::named::{self, Item, Order};

const KERNEL_RELEASE: &str = "6.8.0";
const KERNEL_VERSION: &str = "#1 SMP PREEMPT_DYNAMIC";
const MACHINE: &str = "x86_64";

/// Runs true.
pub(crate) fn succeed(program: &str, arguments: &[String]) -> u8 {
    about_or(
        program,
        arguments,
        "Exit with a status code indicating success.",
        0,
    )
}

/// Runs false.
pub(crate) fn fail(program: &str, arguments: &[String]) -> u8 {
    about_or(
        program,
        arguments,
        "Exit with a status code indicating failure.",
        1,
    )
}

fn about_or(program: &str, arguments: &[String], about: &str, status: u8) -> u8 {
    match arguments {
        [option] if option == "--help" => report::help(&format!(
            "Usage: {program} [ignored command line arguments]\n  or:  {program} OPTION\n{about}\n"
        ))
        .max(status),
        [option] if option == "--version" => report::version(program).max(status),
        _ => status,
    }
}

/// Runs uname.
pub(crate) fn uname(program: &str, arguments: &[String]) -> u8 {
    let specification = "a/all s/kernel-name sysname n/nodename r/kernel-release release v/kernel-version m/machine \
        p/processor i/hardware-platform o/operating-system";
    let items = match named::parse(arguments, specification, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let host = host_name();
    let fields: [(&str, &str); 8] = [
        ("kernel-name", "Linux"),
        ("nodename", &host),
        ("kernel-release", KERNEL_RELEASE),
        ("kernel-version", KERNEL_VERSION),
        ("machine", MACHINE),
        ("processor", "unknown"),
        ("hardware-platform", "unknown"),
        ("operating-system", "GNU/Linux"),
    ];
    let mut wanted = Vec::new();
    for item in items {
        match item {
            Item::Operand(extra) => {
                return usage(
                    program,
                    format_args!("extra operand {}", quoting::curly(&extra)),
                    1,
                );
            }
            Item::Option("help", _) => {
                return report::help(
                    "Usage: uname [OPTION]...\nPrint certain system information: -a, -s, -n, -r, -v, -m, -p, -i, -o.\n",
                );
            }
            Item::Option("version", _) => return report::version(program),
            // What is unknown is left out of everything.
            Item::Option("all", _) => wanted.extend(
                fields
                    .iter()
                    .filter(|(_, value)| *value != "unknown")
                    .map(|(name, _)| *name),
            ),
            Item::Option("sysname", _) => wanted.push("kernel-name"),
            Item::Option("release", _) => wanted.push("kernel-release"),
            Item::Option(name, _) => wanted.push(name),
        }
    }
    if wanted.is_empty() {
        wanted.push("kernel-name");
    }
    let shown: Vec<&str> = fields
        .iter()
        .filter(|(name, _)| wanted.contains(name))
        .map(|(_, value)| *value)
        .collect();
    println!("{}", shown.join(" "));
    finish(program, Ok(()))
}

/// Runs arch.
pub(crate) fn arch(program: &str, arguments: &[String]) -> u8 {
    line(program, arguments, "Print machine architecture.", MACHINE)
}

/// Runs hostid.
pub(crate) fn hostid(program: &str, arguments: &[String]) -> u8 {
    line(
        program,
        arguments,
        "Print the numeric identifier for the current host.",
        "007f0100",
    )
}

fn line(program: &str, arguments: &[String], about: &str, text: &str) -> u8 {
    match named::parse(arguments, "", Order::Any).as_deref() {
        Err(message) => usage(program, message, 1),
        Ok([]) => {
            println!("{text}");
            finish(program, Ok(()))
        }
        Ok([Item::Operand(extra), ..]) => usage(
            program,
            format_args!("extra operand {}", quoting::curly(extra)),
            1,
        ),
        Ok([Item::Option("version", _), ..]) => report::version(program),
        Ok(_) => report::help(&format!("Usage: {program} [OPTION]...\n{about}\n")),
    }
}

/// Runs hostname.
pub(crate) fn hostname(program: &str, arguments: &[String]) -> u8 {
    let specification = "a/alias A/all-fqdns d/domain f/fqdn long F/file= i/ip-address I/all-ip-addresses s/short y/yp nis";
    let items = match named::parse(arguments, specification, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let host = host_name();
    let mut shown = host.clone();
    for item in items {
        match item {
            Item::Operand(_) | Item::Option("file", _) => {
                complain(program, "you must be root to change the host name");
                return 1;
            }
            Item::Option("help", _) => {
                return report::help(
                    "Usage: hostname [-s|-f|-d|-i|-I]\nShow the system's host name.\n",
                );
            }
            Item::Option("version", _) => return report::version(program),
            Item::Option("short", _) => shown = host.split('.').next().unwrap_or(&host).to_owned(),
            Item::Option("domain", _) => {
                shown = host
                    .split_once('.')
                    .map_or("", |(_, domain)| domain)
                    .to_owned()
            }
            Item::Option("ip-address" | "all-ip-addresses", _) => shown = "127.0.0.1".to_owned(),
            Item::Option("alias", _) => shown.clear(),
            Item::Option(..) => {}
        }
    }
    println!("{shown}");
    finish(program, Ok(()))
}

/// Returns the name of the host: what the environment or `/etc/hostname` says.
fn host_name() -> String {
    let name = std::env::var("HOSTNAME")
        .ok()
        .filter(|name| !name.is_empty());
    name.or_else(|| {
        Some(fs::read_to_string("/etc/hostname").ok()?.trim().to_owned())
            .filter(|name| !name.is_empty())
    })
    .unwrap_or_else(|| "sinew".to_owned())
}

/// Runs nproc.
pub(crate) fn nproc(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, "all ignore=", Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    // A program of a hand is one thread, so one processor is all it can use, whatever the host has.
    let mut count = std::thread::available_parallelism().map_or(1, usize::from);
    for item in items {
        match item {
            Item::Operand(extra) => {
                return usage(
                    program,
                    format_args!("extra operand {}", quoting::curly(&extra)),
                    1,
                );
            }
            Item::Option("help", _) => {
                return report::help(
                    "Usage: nproc [--all] [--ignore=N]\nPrint the number of processing units available.\n",
                );
            }
            Item::Option("version", _) => return report::version(program),
            Item::Option("ignore", value) => {
                let text = value.unwrap_or_default();
                match text.parse::<usize>() {
                    Ok(ignored) => count = count.saturating_sub(ignored).max(1),
                    Err(_) => {
                        return usage(
                            program,
                            format_args!("invalid number: {}", quoting::curly(&text)),
                            1,
                        );
                    }
                }
            }
            Item::Option(..) => {}
        }
    }
    println!("{count}");
    finish(program, Ok(()))
}

/// Runs uptime. A hand keeps no load averages: they are zero.
pub(crate) fn uptime(program: &str, arguments: &[String]) -> u8 {
    let up = fs::read_to_string("/proc/uptime").ok();
    let up = up
        .and_then(|text| text.split('.').next()?.parse::<u64>().ok())
        .unwrap_or(0);
    let (days, hours, minutes) = (up / 86_400, up / 3600 % 24, up / 60 % 60);
    let time = match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours:2}:{minutes:02}"),
        (1, _) => format!("1 day, {hours:2}:{minutes:02}"),
        _ => format!("{days} days, {hours:2}:{minutes:02}"),
    };
    let now = clock::now();
    match named::parse(arguments, "p/pretty s/since", Order::Any) {
        Err(message) => usage(program, message, 1),
        Ok(items) if items.contains(&Item::Option("version", None)) => report::version(program),
        Ok(items) if items.contains(&Item::Option("help", None)) => {
            report::help("Usage: uptime [-p|-s]\nTell how long the system has been running.\n")
        }
        Ok(items) if items.contains(&Item::Option("since", None)) => {
            let start = system::Moment {
                seconds: now.seconds.saturating_sub_unsigned(up),
                nanoseconds: 0,
            };
            println!("{}", clock::show(start, "%Y-%m-%d %H:%M:%S"));
            finish(program, Ok(()))
        }
        Ok(items) if items.contains(&Item::Option("pretty", None)) => {
            println!("up {hours} hours, {minutes} minutes");
            finish(program, Ok(()))
        }
        Ok(_) => {
            println!(
                " {} up {time},  0 users,  load average: 0.00, 0.00, 0.00",
                clock::show(now, "%H:%M:%S")
            );
            finish(program, Ok(()))
        }
    }
}

/// Runs sync: what a program wrote is in the files already, so only the names are looked at.
pub(crate) fn sync(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, "d/data f/file-system", Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut status = 0;
    for item in items {
        match item {
            Item::Option("help", _) => {
                return report::help(
                    "Usage: sync [OPTION] [FILE]...\nSynchronize cached writes to persistent storage.\n",
                );
            }
            Item::Option("version", _) => return report::version(program),
            Item::Option(..) => {}
            Item::Operand(path) => {
                let synced = stat(Path::new(&path), true).map(|_| {
                    // Not every kind of file can be synced; those that cannot hold no data.
                    let _ = fs::File::open(&path).and_then(|file| file.sync_all());
                });
                if let Err(error) = synced {
                    complain(
                        program,
                        format_args!(
                            "error opening {}: {}",
                            quoting::quoted(&path),
                            reason(&error)
                        ),
                    );
                    status = 1;
                }
            }
        }
    }
    let flushed = io::stdout().flush();
    finish(program, flushed).max(status)
}
