//! What a command name stands for: a function, a builtin, or a program in PATH.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use crate::builtins::{self, Builtin};
use crate::state::{Function, HashEntry, SetOption, Shell, Shopt};
use crate::sys;

/// The directories searched when PATH is to be a safe one: `command -p`.
const STANDARD_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a command name may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookup {
    /// Functions count.
    pub functions: bool,
    /// Builtins count.
    pub builtins: bool,
    /// Programs count.
    pub programs: bool,
    /// Programs are searched in the standard directories instead of PATH.
    pub is_standard_path: bool,
}

impl Lookup {
    /// All that a command word may be.
    pub const ALL: Self = Self {
        functions: true,
        builtins: true,
        programs: true,
        is_standard_path: false,
    };
}

impl Shell {
    /// Returns the builtin of that name unless `enable -n` turned it off.
    pub fn builtin(&self, name: &[u8]) -> Option<&'static Builtin> {
        let builtin = builtins::find(name)?;
        let is_off = self.disabled_builtins.contains(&builtin.name);
        (!is_off).then_some(builtin)
    }

    /// Returns the function of that name.
    pub fn function(&self, name: &[u8]) -> Option<&Rc<Function>> {
        self.functions.get(name)
    }

    /// Returns the path of the program that `name` stands for, remembering it as `hash` shows it.
    pub fn find_program(&mut self, name: &[u8], is_standard_path: bool) -> Option<BString> {
        if name.contains(&b'/') {
            return Some(BString::from(name));
        }
        if is_standard_path {
            return self.search(name, STANDARD_PATH);
        }
        if let Some(entry) = self.hash.get(name.as_bstr()) {
            let path = entry.path.clone();
            let is_stale = self.options.has_shopt(Shopt::CheckHash) && !self.is_program(&path);
            if !is_stale {
                if let Some(entry) = Rc::make_mut(&mut self.hash).get_mut(name.as_bstr()) {
                    entry.hits += 1;
                }
                return Some(path);
            }
        }
        let path = self.get_string("PATH")?;
        let found = self.search(name, &path)?;
        if self.options.has(SetOption::HashAll) && !found.starts_with(b"./") {
            let entry = HashEntry {
                path: found.clone(),
                hits: 1,
            };
            Rc::make_mut(&mut self.hash).insert(BString::from(name), entry);
        }
        Some(found)
    }

    /// Returns every place in PATH where `name` is a program, without remembering: `type -a`.
    pub fn programs_named(&self, name: &[u8], is_standard_path: bool) -> Vec<BString> {
        if name.contains(&b'/') {
            return if self.is_program(name) {
                vec![BString::from(name)]
            } else {
                Vec::new()
            };
        }
        let path = if is_standard_path {
            BString::from(STANDARD_PATH)
        } else {
            self.get_string("PATH").unwrap_or_default()
        };
        candidates(name, &path)
            .filter(|candidate| self.is_program(candidate))
            .collect()
    }

    /// Returns where `name` is found in PATH, as a program or else as a file that is none: `type`.
    pub fn program_named(&self, name: &[u8], is_standard_path: bool) -> Option<BString> {
        if name.contains(&b'/') || is_standard_path {
            return self
                .programs_named(name, is_standard_path)
                .into_iter()
                .next();
        }
        self.search(name, &self.get_string("PATH")?)
    }

    /// Returns the first executable file in `path`, else the first file that is none, which cannot be run but
    /// tells why.
    fn search(&self, name: &[u8], path: &[u8]) -> Option<BString> {
        if name.is_empty() {
            return None;
        }
        let mut other = None;
        for candidate in candidates(name, path) {
            let absolute = self.absolute(&candidate);
            let Ok(stat) = sys::stat(&absolute, true) else {
                continue;
            };
            if stat.kind == sys::Kind::Directory {
                continue;
            }
            if sys::may(&absolute, &stat, b'x') {
                return Some(candidate);
            }
            other.get_or_insert(candidate);
        }
        other
    }

    /// Returns whether there is an executable file at `path`.
    pub fn is_program(&self, path: &[u8]) -> bool {
        let absolute = self.absolute(path);
        sys::stat(&absolute, true)
            .is_ok_and(|stat| stat.kind != sys::Kind::Directory && sys::may(&absolute, &stat, b'x'))
    }
}

fn candidates<'a>(name: &'a [u8], path: &'a [u8]) -> impl Iterator<Item = BString> + 'a {
    path.split(|byte| *byte == b':').map(move |directory| {
        let mut candidate = if directory.is_empty() {
            b".".to_vec()
        } else {
            directory.to_vec()
        };
        if candidate.last() != Some(&b'/') {
            candidate.push(b'/');
        }
        candidate.extend_from_slice(name);
        BString::from(candidate)
    })
}
