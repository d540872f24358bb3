//! The table of processes, from `/proc` where there is one.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Entry, Moment};

/// The kernel's clock ticks a second: Linux has 100 everywhere.
const TICKS: u64 = 100;

pub(crate) fn list() -> Vec<Entry> {
    let Ok(folder) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut entries: Vec<Entry> = folder
        .filter_map(|item| item.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(entry)
        .collect();
    entries.sort_unstable_by_key(|entry| entry.pid);
    entries
}

fn entry(pid: u32) -> Option<Entry> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything, parentheses too.
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |place: usize| {
        fields
            .get(place)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let state = match fields.first()?.chars().next()? {
        'R' => 'R',
        'T' | 't' => 'T',
        'Z' | 'X' => 'Z',
        _ => 'S',
    };
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments = command
        .strip_suffix(b"\0")
        .map(|command| command.split(|byte| *byte == 0))
        .into_iter()
        .flatten()
        .map(|argument| String::from_utf8_lossy(argument).into_owned());
    Some(Entry {
        pid,
        parent: u32::try_from(number(1)).unwrap_or(0),
        group: u32::try_from(number(2)).unwrap_or(0),
        state,
        started: started(number(19)),
        processor_ns: (number(11) + number(12)).saturating_mul(1_000_000_000 / TICKS),
        memory_bytes: number(20),
        arguments: arguments.collect(),
    })
}

fn started(ticks: u64) -> Moment {
    let since_start = fs::read_to_string("/proc/uptime")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(0.0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |now| now.as_secs_f64());
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "whole seconds of this century"
    )]
    let seconds = (now - since_start + ticks as f64 / TICKS as f64) as i64;
    Moment {
        seconds,
        nanoseconds: 0,
    }
}
