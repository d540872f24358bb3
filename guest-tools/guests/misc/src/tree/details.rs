//! What is told of a file besides its name.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use process::{Kind, Moment};

use super::node::Node;
use super::options::Settings;

/// Times older than this are shown with their year.
const RECENT_SECONDS: i64 = 6 * 31 * 24 * 60 * 60;

/// Returns the details in brackets, nothing if none were asked for.
pub(super) fn bracket(settings: &Settings, node: &Node) -> String {
    let mut text = String::new();
    let Some(stat) = node.stat else {
        return text;
    };
    if settings.inode {
        text.push_str(&format!(" {:7}", stat.inode));
    }
    if settings.device {
        text.push_str(&format!(" {:3}", stat.device));
    }
    if settings.permissions {
        text.push_str(&format!(" {}", permissions(node)));
    }
    if settings.user {
        text.push_str(&format!(" {:<8.32}", user()));
    }
    if settings.group {
        text.push_str(&format!(" {:<8.32}", group()));
    }
    if settings.size {
        text.push_str(&size(settings, node.bytes));
    }
    if settings.date {
        text.push_str(&format!(" {}", date(settings, node)));
    }
    match text.get(1..) {
        Some(rest) => format!("[{rest}]  "),
        None => text,
    }
}

/// Returns the name of the user to whom everything in a hand belongs.
pub(super) fn user() -> String {
    std::env::var("USER").unwrap_or_else(|_| process::USER_NAME.to_owned())
}

/// Returns the name of the group to which it belongs.
pub(super) fn group() -> &'static str {
    match user().as_str() {
        "root" => "root",
        _ => process::GROUP_NAME,
    }
}

pub(super) fn permissions(node: &Node) -> String {
    let mode = node.stat.map_or(0, |stat| stat.mode);
    let mut text = String::from(match node.kind() {
        Kind::Directory => "d",
        Kind::Symlink => "l",
        Kind::Fifo => "p",
        Kind::Socket => "s",
        Kind::CharacterDevice => "c",
        Kind::BlockDevice => "b",
        _ => "-",
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift & 7;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Returns a size with a blank before it.
pub(super) fn size(settings: &Settings, bytes: u64) -> String {
    if !settings.is_human {
        return format!(" {bytes:11}");
    }
    let unit = settings.unit();
    let mut rest = bytes;
    let mut power = usize::from(rest >= unit);
    while rest >= unit * unit {
        rest /= unit;
        power += 1;
    }
    if power == 0 {
        return format!(" {rest:4}");
    }
    let letters = if settings.is_si {
        "dkMGTPEZY"
    } else {
        "BKMGTPEZY"
    };
    let letter = letters.chars().nth(power).unwrap_or('?');
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    let number = rest as f64 / unit as f64;
    if rest / unit >= 10 {
        format!(" {number:3.0}{letter}")
    } else {
        format!(" {number:3.1}{letter}")
    }
}

pub(super) fn date(settings: &Settings, node: &Node) -> String {
    let time = node.stat.map_or(Moment::default(), |stat| {
        if settings.uses_changed {
            stat.changed
        } else {
            stat.modified
        }
    });
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(0);
    let form = match &settings.date_form {
        Some(form) => form.as_str(),
        None if time.seconds > now || time.seconds + RECENT_SECONDS < now => "%b %e  %Y",
        None => "%b %e %H:%M",
    };
    let Ok(stamp) = jiff::Timestamp::from_second(time.seconds) else {
        return time.seconds.to_string();
    };
    let zoned = stamp.to_zoned(TimeZone::system());
    jiff::fmt::strtime::format(form, &zoned).unwrap_or_else(|_| form.to_owned())
}
