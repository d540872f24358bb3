//! The order of processes.

use std::cmp::Ordering;

use process::Entry;

use crate::table;

use super::columns::{self, Kind};

/// Reads keys: `-pcpu,+pid`. None if one is not known.
pub(super) fn keys(text: &str) -> Option<Vec<(Kind, bool)>> {
    text.split(',')
        .map(|word| {
            let (name, is_reversed) = match word.strip_prefix('-') {
                Some(name) => (name, true),
                None => (word.strip_prefix('+').unwrap_or(word), false),
            };
            columns::kind(name).map(|kind| (kind, is_reversed))
        })
        .collect()
}

/// Sorts; processes that are equal keep their order.
pub(super) fn sort(keys: &[(Kind, bool)], entries: &mut [Entry]) {
    entries.sort_by(|one, other| {
        keys.iter()
            .map(|(kind, is_reversed)| {
                let order = compare(*kind, one, other);
                if *is_reversed { order.reverse() } else { order }
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
}

fn compare(kind: Kind, one: &Entry, other: &Entry) -> Ordering {
    match kind {
        Kind::Pid => one.pid.cmp(&other.pid),
        Kind::Parent => one.parent.cmp(&other.parent),
        Kind::Group => one.group.cmp(&other.group),
        Kind::Name => table::name(one).cmp(&table::name(other)),
        Kind::Command => table::command(one).cmp(&table::command(other)),
        Kind::Elapsed | Kind::ElapsedSeconds => other.started.cmp(&one.started),
        Kind::Started | Kind::LongStarted | Kind::StartTime | Kind::ShortStarted => {
            one.started.cmp(&other.started)
        }
        Kind::Time | Kind::ShortTime | Kind::TimeSeconds => {
            one.processor_ns.cmp(&other.processor_ns)
        }
        Kind::Share | Kind::WholeShare => table::share(one).cmp(&table::share(other)),
        Kind::MemoryShare | Kind::Resident | Kind::Virtual | Kind::Pages | Kind::AddressPages => {
            one.memory_bytes.cmp(&other.memory_bytes)
        }
        Kind::State => one.state.cmp(&other.state),
        // All processes of a hand are equal in these.
        Kind::User
        | Kind::UserNumber
        | Kind::GroupName
        | Kind::GroupNumber
        | Kind::Terminal
        | Kind::Nice
        | Kind::Priority
        | Kind::Constant(_) => Ordering::Equal,
    }
}
