//! Times as listings show them, in the zone that `TZ` names (universal time if there is none).

use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use calendar::Zone;

thread_local! {
    static ZONE: Zone = Zone::from_environment();
}

/// Returns the time now: seconds and nanoseconds.
pub(crate) fn now() -> (i64, u32) {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => (
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            since.subsec_nanos(),
        ),
        Err(_) => (0, 0),
    }
}

/// Shows a time in a format of strftime(3).
pub(crate) fn show(seconds: i64, pattern: &str) -> String {
    ZONE.with(|zone| calendar::format(pattern, zone, (seconds, 0)))
}

/// Returns the time that a text means: seconds and nanoseconds.
pub(crate) fn parse(text: &str) -> Option<(i64, u32)> {
    ZONE.with(|zone| calendar::parse(text, now(), zone))
}

/// Sets when something was last changed; of a link its own time.
pub(crate) fn set(path: &Path, seconds: i64, nanoseconds: u32) -> io::Result<()> {
    let times = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        },
        last_modification: rustix::fs::Timespec {
            tv_sec: seconds,
            // A type of its own on each target.
            tv_nsec: nanoseconds as _,
        },
    };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    Ok(rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags)?)
}
