//! The records of pax: `LENGTH NAME=VALUE`, one a line, before the header that they speak of.

use std::collections::BTreeMap;

use super::entry::{Entry, Piece, Time};

/// Records by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Pieces of a file with holes, which are told by records that come again and again.
    pieces: Vec<Piece>,
}

impl Records {
    /// Adds what a block of records says; none if it is no such block.
    pub(crate) fn add(&mut self, mut text: &[u8]) -> Option<()> {
        while !text.is_empty() {
            let blank = text.iter().position(|byte| *byte == b' ')?;
            let length: usize = std::str::from_utf8(text.get(..blank)?).ok()?.parse().ok()?;
            let record = text.get(blank + 1..length)?.strip_suffix(b"\n")?;
            text = text.get(length..)?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (record.get(..equals)?, record.get(equals + 1..)?);
            match name {
                b"GNU.sparse.offset" => self.pieces.push(Piece {
                    offset: number(value)?,
                    length: 0,
                }),
                b"GNU.sparse.numbytes" => self.pieces.last_mut()?.length = number(value)?,
                b"GNU.sparse.map" => {
                    let numbers: Option<Vec<u64>> =
                        value.split(|byte| *byte == b',').map(number).collect();
                    self.pieces = numbers?
                        .chunks_exact(2)
                        .filter_map(|pair| match pair {
                            [offset, length] => Some(Piece {
                                offset: *offset,
                                length: *length,
                            }),
                            _ => None,
                        })
                        .collect();
                }
                _ if value.is_empty() => {
                    self.values.remove(name);
                }
                _ => {
                    self.values.insert(name.to_vec(), value.to_vec());
                }
            }
        }
        Some(())
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name.as_bytes()).map(Vec::as_slice)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(number)
    }

    /// Returns whether the member's data begins with the map of its pieces.
    pub(crate) fn has_map_in_data(&self) -> bool {
        self.get("GNU.sparse.major") == Some(b"1")
    }

    /// Changes a member to what the records say.
    pub(crate) fn apply(&self, entry: &mut Entry) {
        if let Some(name) = self.get("path") {
            entry.name = name.to_vec();
        }
        if let Some(link) = self.get("linkpath") {
            entry.link = link.to_vec();
        }
        if let Some(size) = self.number("size") {
            entry.size = size;
            entry.stored = size;
        }
        if let Some(user) = self.number("uid") {
            entry.user = user;
        }
        if let Some(group) = self.number("gid") {
            entry.group = group;
        }
        if let Some(name) = self.get("uname") {
            entry.user_name = name.to_vec();
        }
        if let Some(name) = self.get("gname") {
            entry.group_name = name.to_vec();
        }
        if let Some(time) = self.get("mtime").and_then(time) {
            entry.modified = time;
        }
        entry.accessed = self.get("atime").and_then(time);
        entry.changed = self.get("ctime").and_then(time);
        if let Some(name) = self.get("GNU.sparse.name") {
            entry.name = name.to_vec();
        }
        let size = self.number("GNU.sparse.realsize");
        if let Some(size) = size.or_else(|| self.number("GNU.sparse.size")) {
            entry.size = size;
            entry.pieces = Some(self.pieces.clone());
        }
    }
}

pub(crate) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn time(text: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let nanoseconds: u32 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    if whole.starts_with('-') && nanoseconds > 0 {
        return Some(Time {
            seconds: seconds.checked_sub(1)?,
            nanoseconds: 1_000_000_000 - nanoseconds,
        });
    }
    Some(Time {
        seconds,
        nanoseconds,
    })
}

fn show_time(time: Time) -> String {
    let (sign, seconds, nanoseconds) = if time.seconds < 0 && time.nanoseconds > 0 {
        ("-", -(time.seconds + 1), 1_000_000_000 - time.nanoseconds)
    } else {
        ("", time.seconds, time.nanoseconds)
    };
    if nanoseconds == 0 {
        return format!("{sign}{seconds}");
    }
    let part = format!("{nanoseconds:09}");
    format!("{sign}{seconds}.{}", part.trim_end_matches('0'))
}

/// Returns a record.
fn record(name: &str, value: &[u8]) -> Vec<u8> {
    // The length counts its own digits.
    let rest = name.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {name}=").as_bytes(), value, b"\n"].concat()
}

/// Returns the records that a member needs, in the order of GNU tar. `deleted`: names that are not wanted.
pub(crate) fn encode(entry: &Entry, deleted: &[String]) -> Vec<u8> {
    const OCTAL_7_MAX: u64 = 0o7_777_777;
    const OCTAL_11_MAX: u64 = 0o77_777_777_777;
    let mut all = Vec::new();
    let mut add = |name: &str, value: &[u8]| {
        if !deleted.iter().any(|deleted| deleted == name) {
            all.extend(record(name, value));
        }
    };
    if entry.name.len() > 100 || !entry.name.is_ascii() {
        add("path", &entry.name);
    }
    if entry.link.len() > 100 || !entry.link.is_ascii() {
        add("linkpath", &entry.link);
    }
    for (name, number) in [("uid", entry.user), ("gid", entry.group)] {
        if number > OCTAL_7_MAX {
            add(name, number.to_string().as_bytes());
        }
    }
    for (name, value) in [("uname", &entry.user_name), ("gname", &entry.group_name)] {
        if value.len() > 31 || !value.is_ascii() {
            add(name, value);
        }
    }
    if entry.stored > OCTAL_11_MAX {
        add("size", entry.stored.to_string().as_bytes());
    }
    let modified = entry.modified;
    if modified.nanoseconds > 0
        || u64::try_from(modified.seconds).map_or(true, |seconds| seconds > OCTAL_11_MAX)
    {
        add("mtime", show_time(modified).as_bytes());
    }
    if let Some(accessed) = entry.accessed {
        add("atime", show_time(accessed).as_bytes());
    }
    if let Some(changed) = entry.changed {
        add("ctime", show_time(changed).as_bytes());
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::tar::entry::Kind;

    #[test]
    fn records_come_back_as_they_were() {
        assert_eq!(record("atime", b"0"), b"11 atime=0\n");
        let mut entry = Entry::new(vec![b'n'; 120], Kind::Regular);
        entry.modified = Time {
            seconds: -2,
            nanoseconds: 500_000_000,
        };
        let text = encode(&entry, &[]);
        assert!(text.windows(10).any(|window| window == b"mtime=-1.5"));
        let mut records = Records::default();
        records.add(&text).unwrap();
        let mut read = Entry::new(b"short".to_vec(), Kind::Regular);
        records.apply(&mut read);
        assert_eq!((read.name, read.modified), (entry.name, entry.modified));
        assert_eq!(Records::default().add(b"99 path=x\n"), None);
    }
}
