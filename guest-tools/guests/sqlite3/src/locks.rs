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
    let is_another = |entry: &process::Entry| {
        let name = entry.arguments.first().map_or("", String::as_str);
        let name = name.rsplit('/').next().unwrap_or(name);
        // Shells and pipelines of coreutils know no databases.
        entry.pid != process::pid() && entry.state != 'Z' && !matches!(name, "bash" | "sh" | "")
    };
    let may_own = |entry: &process::Entry| {
        is_another(entry) && !process::programs().contains(&base(entry)) || base(entry) == "sqlite3"
    };
    let others = process::list();
    let has_owner = others
        .iter()
        .any(|entry| entry.pid != process::pid() && may_own(entry));
    if !has_owner {
        // If it is gone by now, so much the better.
        let _ = std::fs::remove_dir(&lock);
    }
}

#[cfg(target_family = "wasm")]
fn base(entry: &process::Entry) -> String {
    let name = entry.arguments.first().map_or("", String::as_str);
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

/// Does nothing: natively SQLite has the locks of the kernel.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn clear(_file: &str) {}
