//! From members' names to files' paths: what makes a name absolute, or leads out of the folder, goes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use crate::names::path;

use super::report::Report;

/// Returns where a name is below a folder.
pub(crate) fn below(folder: &Path, name: &[u8]) -> io::Result<PathBuf> {
    let name = path(name)?;
    Ok(if folder.as_os_str().is_empty() {
        name.to_owned()
    } else {
        folder.join(name)
    })
}

/// Returns whether a name has a component `..`.
pub(crate) fn has_parent(name: &[u8]) -> bool {
    name.split(|byte| *byte == b'/').any(|part| part == b"..")
}

/// Returns a name without its first components; none if there are no more.
pub(crate) fn strip(name: &[u8], mut count: usize) -> Option<&[u8]> {
    let mut rest = name;
    while let [b'/', tail @ ..] = rest {
        rest = tail;
    }
    while count > 0 {
        let slash = rest.iter().position(|byte| *byte == b'/')?;
        rest = rest.get(slash..)?;
        while let [b'/', tail @ ..] = rest {
            rest = tail;
        }
        count -= 1;
    }
    if rest.is_empty() {
        return None;
    }
    Some(if rest.len() == name.len() { name } else { rest })
}

/// Makes names safe and says once what it takes away.
#[derive(Default)]
pub(crate) struct Safe {
    told: RefCell<BTreeSet<(Vec<u8>, bool)>>,
}

impl Safe {
    /// Returns a name without what is before it: slashes, and all up to the last `..`. `is_link`: it is what a hard
    /// link leads to.
    pub(crate) fn name<'a>(&self, name: &'a [u8], is_link: bool, report: &Report) -> Cow<'a, [u8]> {
        let mut prefix = 0;
        let mut place = 0;
        while place < name.len() {
            let rest = name.get(place..).unwrap_or_default();
            let is_parent = rest == b".." || rest.starts_with(b"../");
            if is_parent {
                prefix = place + 2;
            }
            let end = rest.iter().position(|byte| *byte == b'/');
            place += end.map_or(rest.len(), |end| end + 1);
        }
        while name.get(prefix) == Some(&b'/') {
            prefix += 1;
        }
        let (before, rest) = name.split_at_checked(prefix).unwrap_or((b"", name));
        let mut told = self.told.borrow_mut();
        if !before.is_empty() && told.insert((before.to_vec(), is_link)) {
            let what = if is_link {
                "hard link targets"
            } else {
                "member names"
            };
            let before = String::from_utf8_lossy(before);
            report.warning(&format!("Removing leading `{before}' from {what}"));
        }
        if !rest.is_empty() {
            return Cow::Borrowed(rest);
        }
        if told.insert((Vec::new(), is_link)) {
            let what = if is_link {
                "hard link target"
            } else {
                "member name"
            };
            report.warning(&format!("Substituting `.' for empty {what}"));
        }
        Cow::Borrowed(if name.ends_with(b"/") { b"./" } else { b"." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        let safe = Safe::default();
        let report = Report::default();
        for (name, expected) in [
            ("/a/b", "a/b"),
            ("../f", "f"),
            ("a/../../b/c", "b/c"),
            ("a/b..c", "a/b..c"),
            ("/", "./"),
            ("..", "."),
        ] {
            let got = safe.name(name.as_bytes(), false, &report);
            assert_eq!(got, expected.as_bytes(), "{name}");
        }
        assert!(has_parent(b"a/../b") && !has_parent(b"a..b"));
        assert_eq!(strip(b"a/b/c", 1), Some(&b"b/c"[..]));
        assert_eq!(strip(b"a/", 1), None);
        assert_eq!(strip(b"a", 1), None);
    }
}
