//! The heads that git writes before the lines that change: modes, renames, new and deleted files.

use super::names::{self, Named};

/// What such a head says.
#[derive(Clone, Debug, Default)]
pub(super) struct Git {
    pub(super) renames: bool,
    pub(super) copies: bool,
    pub(super) is_binary: bool,
    pub(super) modes: [Option<u32>; 2],
    /// Something stood there that is to be done even if no line changes.
    pub(super) is_extended: bool,
}

/// The two sides of a head: names, and how much it says that the file is not there.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides {
    pub(super) named: [Named; 2],
    /// 0: it is there; 1: it is empty or not there; 2: it is not there.
    pub(super) absent: [u8; 2],
}

impl Sides {
    fn name(&mut self, side: usize, text: &str, strip: Option<usize>) {
        if let Some(place) = self.named.get_mut(side)
            && let Some(named) = names::read(text.as_bytes(), strip)
        {
            *place = named;
        }
    }

    pub(super) fn set_absent(&mut self, side: usize, value: u8) {
        if let Some(place) = self.absent.get_mut(side) {
            *place = value;
        }
    }
}

impl Git {
    /// Reads `a/x b/x`, the names behind `diff --git`.
    pub(super) fn names(sides: &mut Sides, text: &str, strip: Option<usize>) {
        let text = text.trim_end_matches(['\n', '\r']);
        if text.starts_with('"') {
            if let Some((first, rest)) = names::unquoted(text) {
                let rest = rest.trim_start();
                let second = names::unquoted(rest).map_or(rest.to_owned(), |(name, _)| name);
                set(sides, [&first, &second], strip);
            }
            return;
        }
        // Both names are the same behind their first components; otherwise other lines say them.
        for (place, _) in text.match_indices(' ') {
            let (Some(first), Some(second)) = (text.get(..place), text.get(place + 1..)) else {
                continue;
            };
            let tail = |name: &str| name.split_once('/').map(|(_, tail)| tail.to_owned());
            if tail(first) == tail(second) && tail(first).is_some() {
                set(sides, [first, second], strip);
                return;
            }
        }
        if let Some((first, second)) = text.split_once(' ') {
            set(sides, [first, second], strip);
        }
    }

    /// Reads a line of the head; returns whether it was one.
    pub(super) fn line(&mut self, sides: &mut Sides, line: &str, strip: Option<usize>) -> bool {
        let line = line.trim_end_matches(['\n', '\r']);
        let inner = strip.map(|strip| strip.saturating_sub(1));
        let mode = |text: &str| {
            u32::from_str_radix(text.trim(), 8)
                .ok()
                .map(|mode| mode & 0o7777)
        };
        let [old_mode, new_mode] = &mut self.modes;
        if let Some(rest) = line.strip_prefix("index ") {
            let (hashes, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let Some((old, new)) = hashes.split_once("..") else {
                return false;
            };
            sides.absent = [old, new].map(|hash| {
                if hash.bytes().all(|byte| byte == b'0') {
                    2
                } else if EMPTY.starts_with(hash) {
                    1
                } else {
                    0
                }
            });
            if let Some(mode) = mode(rest) {
                *old_mode = Some(mode);
                *new_mode = Some(mode);
            }
        } else if let Some(rest) = line.strip_prefix("old mode ") {
            *old_mode = mode(rest);
        } else if let Some(rest) = line.strip_prefix("new mode ") {
            *new_mode = mode(rest);
        } else if let Some(rest) = line.strip_prefix("deleted file mode ") {
            *old_mode = mode(rest);
            sides.set_absent(1, 2);
        } else if let Some(rest) = line.strip_prefix("new file mode ") {
            *new_mode = mode(rest);
            sides.set_absent(0, 2);
        } else if let Some(rest) = line.strip_prefix("rename from ") {
            sides.name(0, rest, inner);
            self.renames = true;
        } else if let Some(rest) = line.strip_prefix("rename to ") {
            sides.name(1, rest, inner);
            self.renames = true;
        } else if let Some(rest) = line.strip_prefix("copy from ") {
            sides.name(0, rest, inner);
            self.copies = true;
        } else if let Some(rest) = line.strip_prefix("copy to ") {
            sides.name(1, rest, inner);
            self.copies = true;
        } else if line == "GIT binary patch" {
            self.is_binary = true;
        } else {
            return false;
        }
        self.is_extended = true;
        true
    }
}

/// The hash of a file without content.
const EMPTY: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

fn set(sides: &mut Sides, names: [&str; 2], strip: Option<usize>) {
    for (place, name) in sides.named.iter_mut().zip(names) {
        *place = Named {
            name: names::stripped(name, strip),
            ..Named::default()
        };
    }
}
