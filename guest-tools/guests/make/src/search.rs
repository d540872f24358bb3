//! Where files are looked for beside their own names: `VPATH`, `vpath`, libraries.

use crate::file::{NEW, OLD, Time};
use crate::maker::Maker;
use crate::pattern::Pattern;
use crate::words::words;

/// Returns when a file was changed.
fn changed(path: &[u8]) -> Time {
    let stat = process::stat(path, true).ok()?;
    Some(i128::from(stat.modified.seconds) * 1_000_000_000 + i128::from(stat.modified.nanoseconds))
}

impl Maker {
    /// Returns where a file that is not under its name is found.
    pub(crate) fn search(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        if name.starts_with(b"/") {
            return None;
        }
        if let Some(library) = name.strip_prefix(b"-l") {
            return self.library(library);
        }
        let mut folders: Vec<Vec<u8>> = Vec::new();
        for (pattern, paths) in &self.search_paths {
            if pattern.stem(name).is_some() {
                folders.extend(paths.iter().cloned());
            }
        }
        let general = self.value_of(b"VPATH").ok().flatten().unwrap_or_default();
        folders.extend(split_path(&general));
        folders
            .into_iter()
            .map(|folder| [folder.as_slice(), b"/", name].concat())
            .find(|path| changed(path).is_some() || self.is_named(path))
    }

    fn is_named(&self, path: &[u8]) -> bool {
        self.by_name
            .get(path)
            .and_then(|number| self.files.get(*number))
            .is_some_and(|file| file.is_target)
    }

    fn library(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        let patterns = self.value_of(b".LIBPATTERNS").ok().flatten()?;
        let general = self.value_of(b"VPATH").ok().flatten().unwrap_or_default();
        for pattern in words(&patterns) {
            let file = Pattern::new(pattern).with(name);
            if changed(&file).is_some() {
                return Some(file);
            }
            let mut folders = split_path(&general);
            folders.extend([
                b"/lib".to_vec(),
                b"/usr/lib".to_vec(),
                b"/usr/local/lib".to_vec(),
            ]);
            for folder in folders {
                let path = [folder.as_slice(), b"/", &file].concat();
                if changed(&path).is_some() {
                    return Some(path);
                }
            }
        }
        None
    }

    /// Returns whether a file is there, under its name or where files are looked for.
    pub(crate) fn is_there(&mut self, name: &[u8]) -> bool {
        changed(name).is_some() || self.search(name).is_some()
    }

    /// Returns when a file was changed, looking for it the first time.
    pub(crate) fn time(&mut self, number: usize) -> Time {
        let file = self.files.get(number)?;
        if let Some(time) = file.time {
            return time;
        }
        if file.phony {
            return None;
        }
        let name = file.name.clone();
        if self.options.old.iter().any(|old| old.as_bytes() == name) {
            self.with(number, |file| file.time = Some(OLD));
            return OLD;
        }
        if self.options.new.iter().any(|new| new.as_bytes() == name) {
            self.with(number, |file| file.time = Some(NEW));
            return NEW;
        }
        let mut time = changed(&name);
        if time.is_none()
            && let Some(found) = self.search(&name)
        {
            time = changed(&found);
            self.with(number, |file| file.found = Some(found));
        }
        self.look_at_clock(number, time);
        self.with(number, |file| file.time = Some(time));
        time
    }

    /// Warns, once, of a file that was changed later than now.
    fn look_at_clock(&mut self, number: usize, time: Time) {
        let Some(time) = time.filter(|_| !self.clock_is_wrong) else {
            return;
        };
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |now| i128::try_from(now.as_nanos()).unwrap_or(0));
        // Files are stamped by a clock that may be a tick ahead.
        let ahead = time - now;
        if ahead <= 10_000_000 {
            return;
        }
        self.clock_is_wrong = true;
        let seconds = ahead / 1_000_000_000;
        let shown_time = if seconds >= 99 {
            seconds.to_string()
        } else {
            format!("{}.{}", seconds, ahead / 100_000_000 % 10)
        };
        let name = crate::place::shown(self.path(number));
        self.complain(
            None,
            &format!("Warning: File '{name}' has modification time {shown_time} s in the future"),
        );
    }

    /// Says at the end that times were wrong.
    pub(crate) fn warn_of_clock(&mut self) {
        if self.clock_is_wrong {
            self.complain(
                None,
                "warning:  Clock skew detected.  Your build may be incomplete.",
            );
        }
    }

    /// Forgets when a file was changed: its recipe ran.
    pub(crate) fn forget_time(&mut self, number: usize) {
        self.with(number, |file| file.time = None);
    }
}

/// Splits a path of folders at colons and blanks.
pub(crate) fn split_path(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|byte| *byte == b':' || crate::words::is_blank(*byte))
        .filter(|folder| !folder.is_empty())
        .map(|folder| {
            let end = folder
                .iter()
                .rposition(|byte| *byte != b'/')
                .map_or(1, |last| last + 1);
            folder.get(..end).unwrap_or(folder).to_vec()
        })
        .collect()
}
