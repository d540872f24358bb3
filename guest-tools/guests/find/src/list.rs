//! The lines of `-ls`, and permission bits as text.

use std::time::{SystemTime, UNIX_EPOCH};

use process::{Kind, Stat};

use crate::date::Date;
use crate::entry::Entry;
use crate::messages::{GROUP, USER};

/// Half a year: older files show the year instead of the time.
const RECENT_SECONDS: i64 = 31_556_952 / 2;

/// Returns the letter of a kind, as `ls` and `-printf %y` have it (`-` and `f` differ for plain files).
pub fn kind_letter(kind: Kind, plain: char) -> char {
    match kind {
        Kind::Regular => plain,
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
        Kind::Fifo => 'p',
        Kind::CharacterDevice => 'c',
        Kind::BlockDevice => 'b',
        Kind::Socket => 's',
        _ => 'U',
    }
}

/// Returns `-rw-r--r--`.
pub fn mode_text(stat: &Stat) -> String {
    let mut text = String::with_capacity(10);
    text.push(kind_letter(stat.kind, '-'));
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = stat.mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        let is_special = stat.mode & special != 0;
        text.push(match (is_special, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Returns the name of a user, or its number.
pub fn user_name(user: u32) -> String {
    process::user_name(user).map_or_else(|| user.to_string(), str::to_owned)
}

/// Returns the name of a group, or its number.
pub fn group_name(group: u32) -> String {
    process::group_name(group).map_or_else(|| group.to_string(), str::to_owned)
}

/// Returns the line of `-ls` for a file.
pub fn line(entry: &Entry, stat: &Stat) -> Vec<u8> {
    let date = Date::of(stat.modified.seconds);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs() as i64);
    let is_recent = (now - RECENT_SECONDS..=now).contains(&stat.modified.seconds);
    let when = if is_recent {
        format!("{:02}:{:02}", date.hour, date.minute)
    } else {
        format!(" {:4}", date.year)
    };
    let mut line = format!(
        "{:9} {:6} {} {:3} {:<8} {:<8} {:8} {} {:2} {when} {}",
        stat.inode,
        stat.blocks.div_ceil(2),
        mode_text(stat),
        stat.links,
        user_name(USER),
        group_name(GROUP),
        stat.size,
        date.month_name(),
        date.day,
        escaped(&entry.path)
    );
    if stat.kind == Kind::Symlink
        && let Some(goal) = entry.link()
    {
        line.push_str(" -> ");
        line.push_str(&escaped(&goal));
    }
    line.push('\n');
    line.into_bytes()
}

/// `-ls` shows names so that each stays on its line.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '"' => text.push_str("\\\""),
            ' ' => text.push_str("\\ "),
            other if other.is_control() => {
                for byte in other.to_string().bytes() {
                    text.push_str(&format!("\\{byte:03o}"));
                }
            }
            other => text.push(other),
        }
    }
    text
}
