//! Locks of database files.
//!
//! On Wasm SQLite locks `FILE` by making the folder `FILE.lock`, since WASI has no locks: one process at a time,
//! reading or writing. So a process waits for another one by default, and a lock whose owner was killed is removed
//! by the next one, if no other process of the hand could have it.

/// How long a lock is waited for unless `.timeout` says otherwise.
pub(crate) const TIMEOUT_MS: u64 = if cfg!(target_family = "wasm") {
    5_000
} else {
    0
};

/// Removes a lock that nobody has.
#[cfg(target_family = "wasm")]
pub(crate) fn clear(file: &str) {
    let lock = format!("{file}.lock");
    if !std::path::Path::new(&lock).is_dir() {
        return;
    }
    let programs = process::programs();
    // No other program of the hand knows databases, but a component of the workspace may.
    let may_own = |entry: &process::Entry| {
        let name = entry.arguments.first().map_or("", String::as_str);
        let name = name.rsplit('/').next().unwrap_or(name);
        let is_alive = entry.pid != process::pid() && entry.state != 'Z';
        is_alive && (name == "sqlite3" || !programs.iter().any(|program| program == name))
    };
    if !process::list().iter().any(may_own) {
        // If it is gone by now, so much the better.
        let _ = std::fs::remove_dir(&lock);
    }
}

/// Does nothing: natively SQLite has the locks of the kernel.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn clear(_file: &str) {}
