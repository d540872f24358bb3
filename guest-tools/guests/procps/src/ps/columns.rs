//! The columns that ps knows: names, headers, widths.

use process::Entry;

use crate::{clock, table};

/// A column of the output.
#[derive(Clone, Debug)]
pub(super) struct Column {
    kind: Kind,
    pub(super) header: String,
    pub(super) width: usize,
    pub(super) is_right: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pid,
    Parent,
    Group,
    User,
    UserNumber,
    GroupName,
    GroupNumber,
    Name,
    Command,
    Elapsed,
    ElapsedSeconds,
    Time,
    ShortTime,
    TimeSeconds,
    State,
    Share,
    WholeShare,
    MemoryShare,
    Resident,
    Virtual,
    Pages,
    AddressPages,
    Terminal,
    Started,
    LongStarted,
    StartTime,
    ShortStarted,
    Nice,
    Priority,
    Constant(&'static str),
}

type Known = (&'static [&'static str], &'static str, usize, bool, Kind);

/// Names, header, width, whether it is aligned to the right, and what it shows.
const KNOWN: &[Known] = &[
    (
        &["pid", "tgid", "tid", "lwp", "spid"],
        "PID",
        5,
        true,
        Kind::Pid,
    ),
    (&["ppid"], "PPID", 5, true, Kind::Parent),
    (&["pgid", "pgrp"], "PGID", 5, true, Kind::Group),
    (
        &["user", "euser", "uname", "ruser", "suser", "fuser"],
        "USER",
        8,
        false,
        Kind::User,
    ),
    (
        &["uid", "euid", "ruid", "suid", "fuid"],
        "UID",
        5,
        true,
        Kind::UserNumber,
    ),
    (
        &["group", "egroup", "rgroup", "sgroup", "fgroup"],
        "GROUP",
        8,
        false,
        Kind::GroupName,
    ),
    (
        &["gid", "egid", "rgid", "sgid", "fgid"],
        "GID",
        5,
        true,
        Kind::GroupNumber,
    ),
    (
        &["comm", "ucmd", "ucomm", "exe"],
        "COMMAND",
        15,
        false,
        Kind::Name,
    ),
    (
        &["args", "command", "cmd"],
        "COMMAND",
        27,
        false,
        Kind::Command,
    ),
    (&["etime"], "ELAPSED", 11, true, Kind::Elapsed),
    (&["etimes"], "ELAPSED", 7, true, Kind::ElapsedSeconds),
    (&["time", "cputime"], "TIME", 8, true, Kind::Time),
    (&["bsdtime"], "TIME", 6, true, Kind::ShortTime),
    (&["times", "cputimes"], "TIME", 8, true, Kind::TimeSeconds),
    (&["stat"], "STAT", 4, false, Kind::State),
    (&["s", "state"], "S", 1, false, Kind::State),
    (&["pcpu", "%cpu"], "%CPU", 4, true, Kind::Share),
    (&["c"], "C", 2, true, Kind::WholeShare),
    (&["pmem", "%mem"], "%MEM", 4, true, Kind::MemoryShare),
    (&["rss", "rssize", "rsz"], "RSS", 5, true, Kind::Resident),
    (&["vsz", "vsize"], "VSZ", 6, true, Kind::Virtual),
    (&["size"], "SIZE", 5, true, Kind::Virtual),
    (&["sz"], "SZ", 5, true, Kind::Pages),
    (&["tname"], "TTY", 8, false, Kind::Terminal),
    (&["tt", "tty"], "TT", 8, false, Kind::Terminal),
    (&["start"], "STARTED", 8, true, Kind::Started),
    (&["lstart"], "STARTED", 24, true, Kind::LongStarted),
    (&["stime"], "STIME", 5, false, Kind::StartTime),
    (&["start_time"], "START", 5, false, Kind::StartTime),
    (&["bsdstart"], "START", 6, true, Kind::ShortStarted),
    (&["ni", "nice"], "NI", 3, true, Kind::Nice),
    (&["pri"], "PRI", 3, true, Kind::Priority),
    (&["opri"], "PRI", 3, true, Kind::Constant("80")),
    (&["wchan"], "WCHAN", 6, false, Kind::Constant("-")),
    (&["f", "flag", "flags"], "F", 1, true, Kind::Constant("0")),
    (&["nlwp", "thcount"], "NLWP", 4, true, Kind::Constant("1")),
    (&["psr"], "PSR", 3, true, Kind::Constant("0")),
    (&["addr"], "ADDR", 4, false, Kind::Constant("-")),
    // The two stand closer together in the long format.
    (&["addr_sz"], "ADDR SZ", 7, true, Kind::AddressPages),
    (
        &["cls", "class", "policy"],
        "CLS",
        3,
        true,
        Kind::Constant("TS"),
    ),
    (
        &["label", "context"],
        "LABEL",
        31,
        false,
        Kind::Constant("-"),
    ),
];

/// Reads one word of a format: `NAME`, `NAME:WIDTH`, `NAME=HEADER`.
pub(super) fn read(word: &str) -> Option<Column> {
    let (name, header) = match word.split_once('=') {
        Some((name, header)) => (name, Some(header)),
        None => (word, None),
    };
    let (name, width) = match name.split_once(':') {
        Some((name, width)) => (
            name,
            Some(width.parse::<usize>().ok().filter(|width| *width > 0)?),
        ),
        None => (name, None),
    };
    let (names, known_header, known_width, is_right, kind) =
        KNOWN.iter().find(|(names, ..)| names.contains(&name))?;
    let header = match header {
        Some(header) => header.to_owned(),
        // Names of one thing may have headers of their own.
        None if *names == ["args", "command", "cmd"] && name == "cmd" => "CMD".to_owned(),
        None if name == "ucmd" => "CMD".to_owned(),
        None => match name {
            "euser" | "ruser" | "suser" | "fuser" | "euid" | "ruid" | "suid" | "fuid"
            | "egroup" | "rgroup" | "sgroup" | "fgroup" | "egid" | "rgid" | "sgid" | "fgid"
            | "tgid" | "tid" | "lwp" | "spid" => name.to_uppercase(),
            "pgrp" => "PGRP".to_owned(),
            _ => (*known_header).to_owned(),
        },
    };
    let width = width.unwrap_or(*known_width).max(header.chars().count());
    Some(Column {
        kind: *kind,
        header,
        width,
        is_right: *is_right,
    })
}

/// Returns what is compared to sort by a column.
pub(super) fn kind(name: &str) -> Option<Kind> {
    KNOWN
        .iter()
        .find(|(names, ..)| names.contains(&name))
        .map(|(.., kind)| *kind)
}

impl Column {
    pub(super) fn is_command(&self) -> bool {
        matches!(self.kind, Kind::Command | Kind::Name)
    }

    pub(super) fn is_user(&self) -> bool {
        self.kind == Kind::User
    }

    /// Returns what the column shows of a process.
    pub(super) fn show(&self, entry: &Entry) -> String {
        let kilobytes = entry.memory_bytes / 1024;
        match self.kind {
            Kind::Pid => entry.pid.to_string(),
            Kind::Parent => entry.parent.to_string(),
            Kind::Group => entry.group.to_string(),
            Kind::User => table::user(),
            Kind::UserNumber => table::user_number().to_string(),
            Kind::GroupName => match table::user_number() {
                0 => "root".to_owned(),
                _ => process::GROUP_NAME.to_owned(),
            },
            Kind::GroupNumber => match table::user_number() {
                0 => "0".to_owned(),
                _ => process::GROUP.to_string(),
            },
            Kind::Name if entry.state == 'Z' => format!("{} <defunct>", table::short_name(entry)),
            Kind::Name => table::short_name(entry),
            Kind::Command => table::command(entry),
            Kind::Elapsed => clock::elapsed(table::age(entry)),
            Kind::ElapsedSeconds => table::age(entry).to_string(),
            Kind::Time => clock::long(table::processor(entry)),
            Kind::ShortTime => clock::short(table::processor(entry)),
            Kind::TimeSeconds => table::processor(entry).to_string(),
            Kind::State => entry.state.to_string(),
            Kind::Share => {
                let share = table::share(entry);
                match share {
                    // Four places are all there is.
                    1000.. => (share / 10).to_string(),
                    _ => format!("{}.{}", share / 10, share % 10),
                }
            }
            Kind::WholeShare => (table::share(entry) / 10).min(99).to_string(),
            Kind::MemoryShare => {
                let total = table::memory_total().unwrap_or(0);
                let share = (kilobytes * 1000).checked_div(total).unwrap_or(0).min(999);
                format!("{}.{}", share / 10, share % 10)
            }
            Kind::Resident | Kind::Virtual => kilobytes.to_string(),
            Kind::Pages => (kilobytes / 4).to_string(),
            Kind::AddressPages => format!("- {:5}", kilobytes / 4),
            Kind::Terminal => "?".to_owned(),
            Kind::Started => clock::show(
                if table::age(entry) < 86_400 {
                    "%H:%M:%S"
                } else {
                    "  %b %d"
                },
                entry.started.seconds,
            ),
            Kind::LongStarted => clock::show("%a %b %e %H:%M:%S %Y", entry.started.seconds),
            Kind::StartTime => clock::started(entry.started),
            Kind::ShortStarted => clock::show(
                if table::age(entry) < 86_400 {
                    "%H:%M"
                } else {
                    "%b %e"
                },
                entry.started.seconds,
            ),
            Kind::Nice => "0".to_owned(),
            Kind::Priority => "19".to_owned(),
            Kind::Constant(text) => text.to_owned(),
        }
    }
}
