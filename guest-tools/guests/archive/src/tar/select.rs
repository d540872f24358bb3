//! Which members of an archive are meant by the names on the command line.

use std::cell::{Cell, RefCell};

use super::patterns::{Matcher, has_wildcard};
use super::report::{Report, quoted};
use super::settings::{Name, Settings};

/// The names, and which of them were found.
pub(crate) struct Selection<'a> {
    settings: &'a Settings,
    names: Vec<Wanted<'a>>,
    /// The member to begin with, until it is there.
    starting: RefCell<Option<&'a [u8]>>,
}

struct Wanted<'a> {
    name: &'a Name,
    matcher: Matcher,
    found: Cell<u64>,
}

impl<'a> Selection<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        let names = settings.names.iter().map(|name| Wanted {
            name,
            matcher: Matcher::new(&name.name, name.matching),
            found: Cell::new(0),
        });
        Self {
            settings,
            names: names.collect(),
            starting: RefCell::new(settings.starting.as_deref()),
        }
    }

    /// Returns whether a member is meant, and where it belongs.
    pub(crate) fn find(&self, member: &[u8]) -> Option<&'a std::path::Path> {
        let plain = member.strip_suffix(b"/").unwrap_or(member);
        if self
            .starting
            .borrow()
            .is_some_and(|starting| starting != plain)
        {
            return None;
        }
        self.starting.replace(None);
        if self.settings.excluded.has(member) {
            return None;
        }
        if self.names.is_empty() && !self.settings.has_list {
            return Some(&self.settings.folder);
        }
        for wanted in &self.names {
            if !wanted.matcher.matches(member, wanted.name.recursive) {
                continue;
            }
            let found = wanted.found.get() + 1;
            wanted.found.set(found);
            if self
                .settings
                .occurrence
                .is_some_and(|number| number != found)
            {
                return None;
            }
            return Some(&wanted.name.folder);
        }
        None
    }

    /// Returns whether nothing more can be found.
    pub(crate) fn is_done(&self) -> bool {
        self.settings.occurrence.is_some_and(|number| {
            !self.names.is_empty() && self.names.iter().all(|wanted| wanted.found.get() >= number)
        })
    }

    /// Complains about names that were not found.
    pub(crate) fn finish(&self, report: &Report) {
        let missing = self
            .names
            .iter()
            .filter(|wanted| wanted.found.get() < self.settings.occurrence.unwrap_or(1));
        let missing: Vec<&Wanted<'_>> = missing.collect();
        let is_suspect = missing
            .iter()
            .any(|wanted| !wanted.name.matching.wildcards && has_wildcard(&wanted.name.name));
        if is_suspect {
            report.warning("Pattern matching characters used in file names");
            report.warning(
                "Use --wildcards to enable pattern matching, or --no-wildcards to suppress this warning",
            );
        }
        for wanted in missing {
            let name = quoted(&wanted.name.name);
            let text = if wanted.found.get() > 0 {
                format!("{name}: Required occurrence not found in archive")
            } else {
                format!("{name}: Not found in archive")
            };
            report.error(&text);
        }
    }
}
