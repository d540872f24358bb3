//! The core utilities that need more than WASI has: modes, links, owners, processes, the host.
//!
//! One program that is called by many names; each command is a file of its own.

mod child;
mod chmod;
mod chown;
mod clock;
mod copy;
mod cp;
mod cut;
mod date;
mod dd;
mod detached;
mod df;
mod disk;
mod du;
mod encode;
mod env;
mod flock;
mod fmt;
mod fold;
mod folders;
mod glob;
mod host;
mod identity;
mod input;
mod install;
mod kill;
mod ln;
mod ls;
mod mknod;
mod mode;
mod mv;
mod owner;
mod quoting;
mod ranges;
mod report;
mod schedule;
mod signal;
mod size;
mod sort;
mod stat;
mod system;
mod tac;
mod tail;
mod test;
mod timeout;
mod touch;
mod tree;
mod version_order;
mod wc;

type Run = fn(&str, &[String]) -> u8;

/// The commands by name, in order.
const COMMANDS: &[(&str, Run)] = &[
    ("[", test::run),
    ("arch", host::arch),
    ("base32", encode::run),
    ("base64", encode::run),
    ("basenc", encode::run),
    ("chgrp", chown::run),
    ("chmod", chmod::run),
    ("chown", chown::run),
    ("chrt", schedule::chrt),
    ("cp", cp::run),
    ("cut", cut::run),
    ("date", date::run),
    ("dd", dd::run),
    ("df", df::run),
    ("dir", ls::run),
    ("du", du::run),
    ("env", env::run),
    ("false", host::fail),
    ("flock", flock::run),
    ("fmt", fmt::run),
    ("fold", fold::run),
    ("groups", identity::groups),
    ("hostid", host::hostid),
    ("hostname", host::hostname),
    ("id", identity::id),
    ("install", install::run),
    ("ionice", schedule::ionice),
    ("kill", kill::run),
    ("ln", ln::run),
    ("logname", identity::logname),
    ("ls", ls::run),
    ("mkdir", folders::mkdir),
    ("mkfifo", folders::mkfifo),
    ("mknod", mknod::run),
    ("mv", mv::run),
    ("nice", detached::nice),
    ("nohup", detached::nohup),
    ("nproc", host::nproc),
    ("setsid", detached::setsid),
    ("sort", sort::run),
    ("stat", stat::run),
    ("stdbuf", detached::stdbuf),
    ("sync", host::sync),
    ("tac", tac::run),
    ("tail", tail::run),
    ("taskset", schedule::taskset),
    ("test", test::run),
    ("timeout", timeout::run),
    ("touch", touch::run),
    ("true", host::succeed),
    ("uname", host::uname),
    ("uptime", host::uptime),
    ("users", identity::nobody),
    ("vdir", ls::run),
    ("wc", wc::run),
    ("who", identity::nobody),
    ("whoami", identity::whoami),
];

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

/// Runs the command that `arguments` begins with; `sysutils NAME ...` runs NAME.
pub fn run(arguments: &[String]) -> u8 {
    let Some((called, rest)) = arguments.split_first() else {
        eprintln!("sysutils: missing argument");
        return 1;
    };
    let name = called.rsplit('/').next().unwrap_or(called);
    if let Some(command) = find(name) {
        return command(name, rest);
    }
    match rest.split_first() {
        Some((name, rest)) if find(name).is_some() => {
            find(name).map_or(1, |command| command(name, rest))
        }
        Some((option, _)) if option == "--list" => {
            names().for_each(|name| println!("{name}"));
            0
        }
        _ => {
            eprintln!("sysutils: unknown program '{name}'");
            1
        }
    }
}

fn find(name: &str) -> Option<Run> {
    let place = COMMANDS
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()?;
    COMMANDS.get(place).map(|(_, command)| *command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_programs_is_complete_and_in_order() {
        let listed: Vec<&str> = include_str!("../programs").lines().collect();
        assert!(names().eq(listed), "programs lists other names");
        assert!(
            names().is_sorted(),
            "a name that is out of order is never found"
        );
    }
}
