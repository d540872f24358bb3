//! How a listing is sorted. The last resort is always the bytes of the name, as in C.UTF-8.

use std::cmp::Ordering;

use crate::version_order;

use super::entry::Entry;
use super::layout;
use super::settings::{Settings, Sort, Time};

/// Sorts a listing.
pub(crate) fn sort(entries: &mut [Entry], settings: &Settings) {
    if settings.sort == Sort::None {
        if settings.directories_first {
            entries.sort_by_key(|entry| !entry.is_directory_or_leads_to_one());
        }
        return;
    }
    entries.sort_by(|left, right| {
        let ordering = compare(left, right, settings);
        let ordering = if settings.reverse {
            ordering.reverse()
        } else {
            ordering
        };
        if settings.directories_first {
            let folders = right
                .is_directory_or_leads_to_one()
                .cmp(&left.is_directory_or_leads_to_one());
            folders.then(ordering)
        } else {
            ordering
        }
    });
}

fn compare(left: &Entry, right: &Entry, settings: &Settings) -> Ordering {
    let by_name = || left.name.cmp(&right.name);
    match settings.sort {
        Sort::Name | Sort::None => by_name(),
        Sort::Size => size(right).cmp(&size(left)).then_with(by_name),
        Sort::Time => time(right, settings.time)
            .cmp(&time(left, settings.time))
            .then_with(by_name),
        Sort::Extension => extension(&left.name)
            .cmp(extension(&right.name))
            .then_with(by_name),
        Sort::Version => version_order::compare(&left.name, &right.name).then_with(by_name),
        Sort::Width => {
            let width = |entry: &Entry| layout::name_width(entry, settings);
            width(left).cmp(&width(right)).then_with(by_name)
        }
    }
}

fn size(entry: &Entry) -> u64 {
    entry.status.as_ref().map_or(0, |status| status.size)
}

fn time(entry: &Entry, which: Time) -> Option<crate::system::Moment> {
    entry.status.as_ref().map(|status| which.of(status))
}

/// Returns the end of the name from its last dot on.
fn extension(name: &[u8]) -> &[u8] {
    let dot = name.iter().rposition(|byte| *byte == b'.');
    dot.and_then(|dot| name.get(dot..)).unwrap_or(&[])
}
