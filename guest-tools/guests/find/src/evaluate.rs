//! Evaluates the expression for a file.

use std::fs;

use process::{Errno, Kind, Moment, Stat, argument_bytes};

use crate::entry::Entry;
use crate::execute::Batches;
use crate::expression::{Access, Count, Expression, Nanoseconds, Permission, Search, Time};
use crate::messages::{quoted, reason, report, words};

/// The state of a search while it goes on.
pub struct Evaluation {
    /// What is searched.
    pub search: Search,
    /// Whether `-quit` was met.
    pub has_quit: bool,
    /// The files gathered for `-exec ... +`.
    pub batches: Batches,
    /// Whether most files' status will be asked for, and nothing that is done meanwhile changes it.
    pub asks_status: bool,
    status: u8,
    is_pruned: bool,
}

/// Returns a moment in nanoseconds.
pub fn nanoseconds(moment: Moment) -> Nanoseconds {
    Nanoseconds::from(moment.seconds) * 1_000_000_000 + Nanoseconds::from(moment.nanoseconds)
}

/// Returns one of a file's times.
pub fn time_of(stat: &Stat, time: Time) -> Moment {
    match time {
        Time::Accessed => stat.accessed,
        Time::Changed => stat.changed,
        Time::Modified => stat.modified,
    }
}

impl Evaluation {
    /// Begins a search.
    pub fn new(search: Search) -> Self {
        let batches = Batches::new(search.batches);
        let asks_status = search.expression.asks_status() && !search.expression.may_change_files();
        Self {
            asks_status,
            search,
            has_quit: false,
            batches,
            status: 0,
            is_pruned: false,
        }
    }

    /// Says what went wrong; the exit status becomes 1.
    pub fn fail(&mut self, message: &str) {
        self.search.output.flush();
        report("find", message);
        self.status = 1;
    }

    /// Makes the exit status 1 without a word.
    pub fn fail_quietly(&mut self) {
        self.status = 1;
    }

    /// Evaluates the expression for a file, if it is deep enough; returns whether it is not to be entered.
    pub fn visit(&mut self, entry: &Entry) -> bool {
        if entry.depth < self.search.depth_min {
            return false;
        }
        self.is_pruned = false;
        // The tree is taken out while it is walked, since actions change the rest of the state.
        let expression = std::mem::replace(&mut self.search.expression, Expression::True);
        self.evaluate(&expression, entry);
        self.search.expression = expression;
        self.is_pruned
    }

    /// Ends the search: runs what is gathered, writes what is left, and returns the exit status.
    pub fn finish(mut self) -> u8 {
        let expression = std::mem::replace(&mut self.search.expression, Expression::True);
        self.run_batches(&expression);
        self.status.max(self.search.output.finish())
    }

    fn evaluate(&mut self, expression: &Expression, entry: &Entry) -> bool {
        match expression {
            Expression::And(parts) => {
                for part in parts {
                    if !self.evaluate(part, entry) || self.has_quit {
                        return false;
                    }
                }
                true
            }
            Expression::Or(parts) => parts
                .iter()
                .any(|part| self.evaluate(part, entry) || self.has_quit),
            Expression::List(parts) => {
                let mut last = false;
                for part in parts {
                    last = self.evaluate(part, entry);
                    if self.has_quit {
                        return false;
                    }
                }
                last
            }
            Expression::Not(inner) => !self.evaluate(inner, entry),
            Expression::True => true,
            Expression::False => false,
            Expression::Name(pattern) => pattern.matches(entry.name().as_bytes()),
            Expression::Path(pattern) => pattern.matches(entry.path.as_bytes()),
            Expression::LinkName(pattern) => {
                let is_link = entry.kind() == Ok(Kind::Symlink);
                is_link
                    && entry
                        .link()
                        .is_some_and(|goal| pattern.matches(goal.as_bytes()))
            }
            Expression::Regex(regex) => {
                let path = entry.path.as_bytes();
                regex.find_at(path, 0) == Some((0, path.len()))
            }
            Expression::Kind(kinds) => self.kind(entry).is_some_and(|kind| kinds.contains(&kind)),
            Expression::OtherKind(kinds) => {
                other_kind(entry).is_some_and(|kind| kinds.contains(&kind))
            }
            Expression::Empty => self.is_empty(entry),
            // No file system of a hand has a name.
            Expression::FileSystem(name) => name == "unknown",
            Expression::Access(access) => is_accessible(entry, *access),
            Expression::Prune => {
                self.is_pruned = true;
                true
            }
            Expression::Quit => {
                self.has_quit = true;
                true
            }
            Expression::Print(place, end) => {
                if let Some(output) = self.search.output.get(*place) {
                    let buffer = output.buffer();
                    buffer.extend_from_slice(entry.path.as_bytes());
                    buffer.push(*end);
                    output.filled();
                }
                true
            }
            Expression::Printf(place, format) => {
                let mut text = Vec::new();
                format.append(entry, &mut text);
                if let Some(output) = self.search.output.get(*place) {
                    output.print(&text);
                    if format.flushes() {
                        output.flush();
                    }
                }
                true
            }
            Expression::Details(place) => {
                let Some(stat) = self.stat(entry) else {
                    return true;
                };
                let line = crate::list::line(entry, &stat);
                if let Some(output) = self.search.output.get(*place) {
                    output.print(&line);
                }
                true
            }
            Expression::Delete => self.delete(entry),
            Expression::Execute(execution) => self.execute(execution, entry),
            _ => self
                .stat(entry)
                .is_some_and(|stat| tests_status(expression, &stat)),
        }
    }

    fn stat(&mut self, entry: &Entry) -> Option<Stat> {
        match entry.stat() {
            Ok(stat) => Some(stat),
            Err(errno) => {
                self.fail(&format!("{}: {}", quoted(&entry.path), words(errno)));
                None
            }
        }
    }

    fn kind(&mut self, entry: &Entry) -> Option<Kind> {
        match entry.kind() {
            Ok(kind) => Some(kind),
            Err(errno) => {
                self.fail(&format!("{}: {}", quoted(&entry.path), words(errno)));
                None
            }
        }
    }

    fn is_empty(&mut self, entry: &Entry) -> bool {
        match entry.kind() {
            Ok(Kind::Regular) => self.stat(entry).is_some_and(|stat| stat.size == 0),
            Ok(Kind::Directory) => match fs::read_dir(&entry.path) {
                Ok(mut listing) => listing.next().is_none(),
                Err(error) => {
                    self.fail(&format!("{}: {}", quoted(&entry.path), reason(&error)));
                    false
                }
            },
            _ => false,
        }
    }

    fn delete(&mut self, entry: &Entry) -> bool {
        // As GNU: `.` stays, without a word.
        if entry.path == "." {
            return true;
        }
        let is_folder = match process::stat(argument_bytes(&entry.path), false) {
            Ok(stat) => stat.kind == Kind::Directory,
            Err(_) => entry.kind() == Ok(Kind::Directory),
        };
        let result = if is_folder {
            fs::remove_dir(&entry.path)
        } else {
            fs::remove_file(&entry.path)
        };
        match result {
            Ok(()) => true,
            Err(error) => {
                self.fail(&format!(
                    "cannot delete {}: {}",
                    quoted(&entry.path),
                    reason(&error)
                ));
                false
            }
        }
    }
}

/// Evaluates a test that needs nothing but the status.
fn tests_status(expression: &Expression, stat: &Stat) -> bool {
    match expression {
        Expression::Size(count, unit) => count.is_met(stat.size.div_ceil(*unit)),
        Expression::Newer(time, than) => nanoseconds(time_of(stat, *time)) > *than,
        Expression::Within(time, count, window) => {
            let moment = nanoseconds(time_of(stat, *time));
            match count {
                Count::More(boundary) => moment < *boundary,
                Count::Less(boundary) => moment > *boundary,
                Count::Exactly(boundary) => moment > *boundary && moment <= *boundary + *window,
            }
        }
        Expression::Used(count) => {
            let days = nanoseconds(stat.accessed) - nanoseconds(stat.changed);
            count.is_met(days.div_euclid(86_400_000_000_000))
        }
        Expression::Permission(Permission::Exactly(mode)) => stat.mode & 0o7777 == *mode,
        Expression::Permission(Permission::All(mode)) => stat.mode & *mode == *mode,
        Expression::Permission(Permission::Any(mode)) => *mode == 0 || stat.mode & *mode != 0,
        Expression::User(count) => count.is_met(u64::from(crate::messages::USER)),
        Expression::Group(count) => count.is_met(u64::from(crate::messages::GROUP)),
        Expression::Links(count) => count.is_met(stat.links),
        Expression::Inode(count) => count.is_met(stat.inode),
        Expression::SameFile(device, inode) => stat.device == *device && stat.inode == *inode,
        // Everything in a hand belongs to a user and a group that have names.
        _ => false,
    }
}

/// Returns what `-xtype` asks about: what a link leads to or, where links are followed, the link.
pub fn other_kind(entry: &Entry) -> Option<Kind> {
    if entry.is_followed {
        return process::stat(argument_bytes(&entry.path), false)
            .ok()
            .map(|stat| stat.kind);
    }
    match entry.kind() {
        Ok(Kind::Symlink) => match process::stat(argument_bytes(&entry.path), true) {
            Ok(stat) => Some(stat.kind),
            Err(Errno::NoEntry | Errno::Loop | Errno::NotDirectory) => Some(Kind::Symlink),
            Err(_) => None,
        },
        kind => kind.ok(),
    }
}

fn is_accessible(entry: &Entry, access: Access) -> bool {
    let Ok(stat) = process::stat(argument_bytes(&entry.path), true) else {
        return false;
    };
    let bit = match access {
        Access::Read => 0o400,
        Access::Write => 0o200,
        Access::Execute => 0o100,
    };
    stat.mode & bit != 0
}
