//! Named instants at which a test lets this process die as a power cut would: by SIGKILL, with nothing cleaned up.
//!
//! Without the feature `crash-points` a point is nothing at all. With it, a point does nothing until
//! [`arm`] was called, which no program that ships does.

/// Every point, in the order in which a call's result comes by; the tests let a daemon die at each of them.
pub const ALL: &[&str] = &[
    // The store's thread: around a transaction that holds one or more writes.
    "commit-before-begin",
    "commit-after-command",
    "commit-before-commit",
    "commit-after-commit",
    // A hand is made: the session's folders are put to the committed tree.
    "hand-before-provision",
    "hand-after-provision",
    "restore-after-removal",
    "restore-after-folder",
    "restore-after-file",
    "trash-after-take",
    "trash-after-removal",
    "trash-after-emptying",
    // A call runs, and what it changed becomes a tree.
    "call-before-run",
    "call-after-run",
    "memory-before-push",
    "memory-after-push",
    "memory-before-manifest",
    "memory-after-manifest",
    "pack-after-first-write",
    "pack-before-finish",
    "pack-after-finish",
    "call-after-save",
    // The result is committed.
    "append-before-committed",
    "append-after-committed",
    "folder-note-before-write",
    "folder-note-after-write",
];

/// Marks an instant at which the process may die; `name` is one of [`ALL`].
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub(crate) fn reach(_name: &'static str) {}

#[cfg(feature = "crash-points")]
pub use armed::arm;
#[cfg(feature = "crash-points")]
pub(crate) use armed::reach;

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// Says where to die: `<point>:<n>`, at the nth arrival.
    const VARIABLE: &str = "SINEW_CRASH_AT";

    struct Armed {
        point: String,
        /// Arrivals that are survived.
        left: AtomicU64,
    }

    /// One for the whole process, since it is the process that dies.
    static ARMED: OnceLock<Armed> = OnceLock::new();

    /// Arms the point that `SINEW_CRASH_AT` names, if it names one. Only for programs that exist to be killed.
    pub fn arm() {
        let Ok(text) = std::env::var(VARIABLE) else {
            return;
        };
        let parsed = text.split_once(':').and_then(|(point, nth)| {
            let nth: u64 = nth.parse().ok()?;
            Some((super::ALL.contains(&point).then_some(point)?, nth))
        });
        let Some((point, nth)) = parsed else {
            tracing::error!("{VARIABLE} is not <point>:<n>, so it is ignored: {text}");
            return;
        };
        // Armed twice it stays as it is.
        let _ = ARMED.set(Armed {
            point: point.to_owned(),
            left: AtomicU64::new(nth.saturating_sub(1)),
        });
    }

    /// Marks an instant at which the process may die; `name` is one of [`super::ALL`].
    pub(crate) fn reach(name: &'static str) {
        let Some(armed) = ARMED.get().filter(|armed| armed.point == name) else {
            return;
        };
        let survives = armed
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        if survives.is_ok() {
            return;
        }
        let killed = kill_process(getpid(), Signal::KILL);
        // Nothing may come after the point, also not until the signal arrives.
        while killed.is_ok() {
            std::thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::ALL;

    /// Collects the points that the files below a folder name.
    fn named(folder: &Path, points: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, points);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for call in text.split("crash_point::reach(\"").skip(1) {
                    points.insert(call.split('"').next().unwrap().to_owned());
                }
            }
        }
    }

    #[test]
    fn the_list_holds_every_point_of_the_code_and_no_other() {
        let mut points = BTreeSet::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for entry in std::fs::read_dir(source).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, &mut points);
            }
        }
        let listed: BTreeSet<String> = ALL.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(listed.len(), ALL.len(), "a point is listed twice");
        assert_eq!(points, listed);
    }
}
