//! Colours of names: `LS_COLORS`, or what GNU ls has built in.

use std::cell::Cell;
use std::collections::HashMap;
use std::env;

use crate::glob;
use crate::system::{Kind, Stat};

use super::entry::{Entry, Target};

/// Ends a colour.
pub(crate) const RESET: &[u8] = b"\x1b[0m";

/// The colours in force.
pub(crate) struct Colors {
    kinds: HashMap<&'static str, String>,
    /// Ends of names (`.tar`) with their colours; the last one that fits wins.
    suffixes: Vec<(Vec<u8>, String)>,
    /// Whether a colour was printed already.
    begun: Cell<bool>,
}

const DEFAULTS: &[(&str, &str)] = &[
    ("bd", "01;33"),
    ("ca", ""),
    ("cd", "01;33"),
    ("di", "01;34"),
    ("do", "01;35"),
    ("ex", "01;32"),
    ("fi", ""),
    ("ln", "01;36"),
    ("mh", ""),
    ("mi", ""),
    ("no", ""),
    ("or", ""),
    ("ow", "34;42"),
    ("pi", "33"),
    ("sg", "30;43"),
    ("so", "01;35"),
    ("st", "37;44"),
    ("su", "37;41"),
    ("tw", "30;42"),
];

/// Terminals that show colours, by the patterns of dircolors.
const TERMINALS: &[&str] = &[
    "Eterm",
    "ansi",
    "*color*",
    "con[0-9]*x[0-9]*",
    "cons25",
    "console",
    "cygwin",
    "*direct*",
    "dtterm",
    "gnome",
    "hurd",
    "jfbterm",
    "konsole",
    "kterm",
    "linux",
    "linux-c",
    "mlterm",
    "putty",
    "rxvt*",
    "screen*",
    "st",
    "terminator",
    "tmux*",
    "vt100",
    "xterm*",
];

impl Colors {
    /// Returns whether the environment lets names be coloured at all: a known terminal or colours of its own.
    pub(crate) fn are_known() -> bool {
        let value = |name| env::var(name).unwrap_or_default();
        let terminal = value("TERM");
        let is_known = TERMINALS
            .iter()
            .any(|known| glob::matches(known.as_bytes(), terminal.as_bytes(), false));
        !value("LS_COLORS").is_empty() || !value("COLORTERM").is_empty() || is_known
    }

    pub(crate) fn from_environment() -> Self {
        let mut colors = Colors {
            kinds: DEFAULTS
                .iter()
                .map(|(kind, code)| (*kind, (*code).to_owned()))
                .collect(),
            suffixes: Vec::new(),
            begun: Cell::new(false),
        };
        for (key, code) in env::var("LS_COLORS")
            .unwrap_or_default()
            .split(':')
            .filter_map(|part| part.split_once('='))
        {
            if let Some(suffix) = key.strip_prefix('*') {
                colors
                    .suffixes
                    .push((suffix.as_bytes().to_vec(), code.to_owned()));
            } else if let Some((kind, _)) = DEFAULTS.iter().find(|(kind, _)| *kind == key) {
                colors.kinds.insert(kind, code.to_owned());
            }
        }
        colors
    }

    /// Returns whether this is the first colour.
    pub(crate) fn begin(&self) -> bool {
        !self.begun.replace(true)
    }

    fn code(&self, kind: &str) -> Option<&str> {
        let code = self.kinds.get(kind)?.as_str();
        (!matches!(code, "" | "0" | "00")).then_some(code)
    }

    /// Returns the colour of a name.
    pub(crate) fn of(&self, entry: &Entry) -> Option<&str> {
        let link_is_broken = entry
            .target
            .as_ref()
            .is_some_and(|target| target.status.is_none());
        if entry.kind == Some(Kind::Symlink) {
            if self.kinds.get("ln").is_some_and(|code| code == "target") {
                return match entry
                    .target
                    .as_ref()
                    .and_then(|target| target.status.as_ref())
                {
                    Some(status) => self.of_file(&entry.name, Some(status.kind), Some(status)),
                    None => self.code("or"),
                };
            }
            let broken = self.code("or").filter(|_| link_is_broken);
            return broken.or_else(|| self.code("ln"));
        }
        self.of_file(&entry.name, entry.kind, entry.status.as_ref())
    }

    /// Returns the colour of what a link points to.
    pub(crate) fn of_target(&self, target: &Target) -> Option<&str> {
        // As GNU: without a colour for broken links nobody looks at targets.
        if self.code("or").is_none() && self.code("mi").is_none() {
            return None;
        }
        match &target.status {
            Some(status) => self.of_file(&target.name, Some(status.kind), Some(status)),
            None => self.code("mi").or_else(|| self.code("or")),
        }
    }

    fn of_file(&self, name: &[u8], kind: Option<Kind>, status: Option<&Stat>) -> Option<&str> {
        let mode = status.map_or(0, |status| status.mode);
        match kind? {
            Kind::Directory => {
                let special = match (mode & 0o1000 != 0, mode & 0o002 != 0) {
                    (true, true) => self.code("tw"),
                    (false, true) => self.code("ow"),
                    (true, false) => self.code("st"),
                    (false, false) => None,
                };
                special.or_else(|| self.code("di"))
            }
            Kind::Symlink => self.code("ln"),
            Kind::Fifo => self.code("pi"),
            Kind::Socket => self.code("so"),
            Kind::BlockDevice => self.code("bd"),
            Kind::CharacterDevice => self.code("cd"),
            Kind::Unknown => None,
            Kind::Regular => {
                let special = [
                    (mode & 0o4000 != 0, "su"),
                    (mode & 0o2000 != 0, "sg"),
                    (mode & 0o111 != 0, "ex"),
                    (status.is_some_and(|status| status.links > 1), "mh"),
                ];
                let special = special
                    .iter()
                    .filter(|(is, _)| *is)
                    .find_map(|(_, kind)| self.code(kind));
                special
                    .or_else(|| self.of_suffix(name))
                    .or_else(|| self.code("fi"))
            }
        }
    }

    fn of_suffix(&self, name: &[u8]) -> Option<&str> {
        let fits = |suffix: &[u8]| {
            let end = name
                .len()
                .checked_sub(suffix.len())
                .and_then(|at| name.get(at..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        };
        let found = self.suffixes.iter().rev().find(|(suffix, _)| fits(suffix));
        found.map(|(_, code)| code.as_str())
    }
}
