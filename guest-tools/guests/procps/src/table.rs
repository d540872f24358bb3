//! The processes of the hand with what the programs ask of them.

use process::Entry;

use crate::clock;

/// The length of a name as the kernel keeps it.
const NAME_MAX: usize = 15;

/// Returns all processes, by number.
pub(crate) fn list() -> Vec<Entry> {
    let mut entries = process::list();
    entries.sort_unstable_by_key(|entry| entry.pid);
    entries
}

/// Returns the name of what a process runs.
pub(crate) fn name(entry: &Entry) -> String {
    let first = entry.arguments.first().map_or("", String::as_str);
    let first = first.strip_prefix('-').unwrap_or(first);
    first.rsplit('/').next().unwrap_or(first).to_owned()
}

/// Returns the name as the kernel would keep it: not longer than 15 characters.
pub(crate) fn short_name(entry: &Entry) -> String {
    name(entry).chars().take(NAME_MAX).collect()
}

/// Returns the command line; a process without one has its name in brackets.
pub(crate) fn command(entry: &Entry) -> String {
    if entry.state == 'Z' {
        return format!("[{}] <defunct>", name(entry));
    }
    if entry.arguments.is_empty() {
        return "[]".to_owned();
    }
    // Lines of a list stay lines.
    entry
        .arguments
        .join(" ")
        .replace(|letter: char| letter.is_control(), "?")
}

/// Returns the user to whom all processes of a hand belong.
pub(crate) fn user() -> String {
    std::env::var("USER")
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| process::USER_NAME.to_owned())
}

/// Returns the number of that user.
pub(crate) fn user_number() -> u32 {
    if user() == "root" { 0 } else { process::USER }
}

/// Returns whether a word names the user.
pub(crate) fn is_user(word: &str) -> bool {
    word == user() || word == user_number().to_string()
}

/// Returns the seconds since a process was started.
pub(crate) fn age(entry: &Entry) -> u64 {
    u64::try_from(clock::now() - entry.started.seconds).unwrap_or(0)
}

/// Returns the processor time in seconds.
pub(crate) fn processor(entry: &Entry) -> u64 {
    entry.processor_ns / 1_000_000_000
}

/// Returns the share of a processor that a process had, in tenths of a percent.
pub(crate) fn share(entry: &Entry) -> u64 {
    (entry.processor_ns / 1_000_000) / age(entry).max(1)
}

/// Returns the kilobytes of memory of the machine, if it is known.
pub(crate) fn memory_total() -> Option<u64> {
    memory("MemTotal")
}

/// Returns a line of `/proc/meminfo`, in kilobytes.
pub(crate) fn memory(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let rest = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Returns the seconds since the first process was started.
pub(crate) fn up() -> u64 {
    list().iter().map(age).max().unwrap_or(0)
}
