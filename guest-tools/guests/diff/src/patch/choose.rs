//! Which file a patch is for, and whether it seems to be applied already.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use process::Kind;

use super::names;
use super::say::{say, say_part};
use super::session::{Session, Work, absent};
use crate::options::quoted;

impl Session {
    /// Chooses the file that the patch is for among the names that it gives.
    pub(super) fn choose(&mut self, work: &mut Work) {
        let found = &work.found;
        let mut index = found.index.as_deref();
        if found.old.name.is_some() || found.new.name.is_some() {
            index = None;
        }
        let mut all = [found.old.name.as_deref(), found.new.name.as_deref(), index];
        for place in &mut all {
            if let Some(name) = *place
                && (names::is_dangerous(name) || leads_out(name))
            {
                if !self.is_silent() && process::stat(name, false).is_ok() {
                    say!(
                        self,
                        "Ignoring potentially dangerous file name {}",
                        quoted(name)
                    );
                }
                *place = None;
            }
        }
        let all = all.map(|name| name.map(str::to_owned));
        if let Some(git) = &found.git
            && (git.renames || git.copies)
        {
            let [old, new, _] = &all;
            if old.is_none() || new.is_none() {
                say!(
                    self,
                    "Cannot {} file without two valid file names",
                    if git.renames { "rename" } else { "copy" }
                );
                work.skip = true;
                return;
            }
            let (from, to) = if work.reverse { (new, old) } else { (old, new) };
            let is_there = |name: &Option<String>| {
                name.as_deref()
                    .is_some_and(|name| process::stat(name, false).is_ok())
            };
            // A copy is not copied back; what was renamed before is patched where it is.
            let is_settled =
                (git.copies && work.reverse) || (git.renames && !is_there(from) && is_there(to));
            work.input = if is_settled { to.clone() } else { from.clone() };
            work.already = from.clone().filter(|_| is_settled && git.renames);
            return;
        }
        let stats = all.each_ref().map(|name| {
            name.as_deref()
                .and_then(|name| process::stat(name, false).ok())
        });
        let existing: Vec<Option<&str>> = all
            .iter()
            .zip(&stats)
            .map(|(name, stat)| stat.as_ref().and(name.as_deref()))
            .collect();
        let mut chosen = names::best(&existing);
        let last = all.iter().rposition(Option::is_some);
        if let Some(last) = last {
            let place = chosen.unwrap_or(last);
            let stat = stats.get(place).copied().flatten();
            let is_regular = stat.is_none_or(|stat| stat.kind == Kind::Regular);
            let name = all.get(place).cloned().flatten().unwrap_or_default();
            let is_empty = stat.is_none_or(|stat| stat.size == 0);
            if is_regular
                && self.seems_reversed(work, &name, chosen.is_none(), is_empty)
                && chosen.is_none()
            {
                chosen = Some(last);
            }
        }
        if chosen.is_none() && absent(&work.found, work.reverse) > 0 {
            let new_folders = |name: &str| {
                Path::new(name)
                    .ancestors()
                    .skip(1)
                    .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
                    .count()
            };
            let fewest = all.iter().flatten().map(|name| new_folders(name)).min();
            let candidates: Vec<Option<&str>> = all
                .iter()
                .map(|name| {
                    name.as_deref()
                        .filter(|name| Some(new_folders(name)) == fewest)
                })
                .collect();
            chosen = names::best(&candidates);
        }
        work.input = chosen.and_then(|place| all.get(place).cloned().flatten());
    }

    /// Looks whether the patch makes a file that is there, or empties one that is not; asks, and says whether so.
    fn seems_reversed(
        &mut self,
        work: &mut Work,
        name: &str,
        nonexistent: bool,
        is_empty: bool,
    ) -> bool {
        let says = |side: bool| absent(&work.found, side);
        let is_reversed = u8::from(!is_empty) < says(work.reverse ^ is_empty);
        if is_empty
            && says(work.reverse ^ nonexistent) == 1
            && says(!work.reverse ^ nonexistent) == 2
        {
            return false;
        }
        if is_reversed {
            let (does, is) = if nonexistent {
                ("delete", "does not exist")
            } else if is_empty {
                ("empty out", "is already empty")
            } else {
                ("create", "already exists")
            };
            let reversed = if work.reverse { ", when reversed," } else { "" };
            let question = format!(
                "The next patch{reversed} would {does} the file {},\nwhich {is}!",
                quoted(name)
            );
            if self.is_reverse_accepted(work, &question) {
                work.reverse = !work.reverse;
            }
        }
        is_reversed
    }

    /// Decides about a patch that seems to be applied already.
    pub(super) fn is_reverse_accepted(&self, work: &mut Work, what: &str) -> bool {
        let request = &self.request;
        if request.forward || !(request.force && self.is_silent()) {
            say_part!(self, "{what}");
        }
        if request.forward {
            say!(self, "  Skipping patch.");
            work.skip = true;
            return false;
        }
        if request.force {
            if !self.is_silent() {
                say!(self, "  Applying it anyway.");
            }
            return false;
        }
        if request.batch {
            if !self.is_silent() {
                say!(
                    self,
                    "{}",
                    if work.reverse {
                        "  Ignoring -R."
                    } else {
                        "  Assuming -R."
                    }
                );
            }
            return true;
        }
        // There is no terminal to ask at: the answers are the defaults.
        say!(
            self,
            "{}",
            if work.reverse {
                "  Ignore -R? [n] "
            } else {
                "  Assume -R? [n] "
            }
        );
        say!(self, "Apply anyway? [n] ");
        if !self.is_silent() {
            say!(self, "Skipping patch.");
        }
        work.skip = true;
        false
    }
}

/// Returns whether a name leads out of the working directory through a symbolic link.
fn leads_out(name: &str) -> bool {
    let Some(folder) = Path::new(name)
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    else {
        return false;
    };
    let Ok(here) = std::fs::canonicalize(".") else {
        return false;
    };
    let existing: Option<PathBuf> = folder
        .ancestors()
        .find(|folder| !folder.as_os_str().is_empty() && folder.exists())
        .map(Path::to_path_buf);
    existing.is_some_and(|folder| {
        std::fs::canonicalize(folder).is_ok_and(|folder| !folder.starts_with(&here))
    })
}
