//! The environment of recipes.

use std::collections::{BTreeMap, BTreeSet};

use crate::maker::Maker;
use crate::place::Outcome;
use crate::variable::{Export, Frame, Origin, Variable};

impl Maker {
    /// Returns the environment of the commands that run in the frames now.
    pub(crate) fn exported(&mut self) -> Outcome<BTreeMap<Vec<u8>, Vec<u8>>> {
        let mut names: BTreeSet<Vec<u8>> = self.variables.keys().cloned().collect();
        for frame in &self.frames {
            match frame {
                Frame::Local(_) => {}
                Frame::Target(number, _) => {
                    if let Some(file) = self.files.get(*number) {
                        names.extend(file.variables.keys().cloned());
                    }
                }
                Frame::Pattern(number) => {
                    if let Some(known) = self.pattern_variables.get(*number) {
                        names.extend(known.variables.keys().cloned());
                    }
                }
            }
        }
        let mut environment = BTreeMap::new();
        for name in names {
            let Some(variable) = self.lookup(&name) else {
                continue;
            };
            if !self.is_exported(&name, &variable) {
                continue;
            }
            if name == b"SHELL" && variable.export != Export::Yes {
                continue;
            }
            let value = self.value_of(&name)?.unwrap_or_default();
            environment.insert(name, value);
        }
        if let Some(shell) = self.environment.get(b"SHELL".as_slice()) {
            environment
                .entry(b"SHELL".to_vec())
                .or_insert_with(|| shell.clone());
        }
        environment.insert(
            b"MAKELEVEL".to_vec(),
            (self.level + 1).to_string().into_bytes(),
        );
        Ok(environment)
    }

    fn is_exported(&self, name: &[u8], variable: &Variable) -> bool {
        let is_plain = name
            .first()
            .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
            && name
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        match variable.export {
            Export::Yes => true,
            Export::No => false,
            Export::Default => match variable.origin {
                Origin::Default | Origin::Automatic => false,
                Origin::Environment | Origin::EnvironmentOverride | Origin::CommandLine => {
                    // What came in goes out, whatever its name; what is set here needs a name for it.
                    is_plain || self.environment.contains_key(name)
                }
                Origin::File | Origin::Override => {
                    is_plain && (self.export_all || self.was_environment(name))
                }
            },
        }
    }

    /// Returns whether a variable of the makefile stands for one of the environment.
    fn was_environment(&self, name: &[u8]) -> bool {
        name != b"SHELL" && self.environment.contains_key(name)
    }
}
