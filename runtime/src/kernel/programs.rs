//! The programs of a hand: what it finds under `/usr/bin` and `/bin`.
//!
//! One table serves any number of hands. A component can be several programs; it tells by its first argument which
//! one it is to be.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::component::LoadedComponent;
use crate::fs::ProgramFile;

/// The names of programs and what runs them.
#[derive(Default)]
pub struct Programs {
    programs: BTreeMap<String, Program>,
    /// Made once for all hands.
    files: OnceLock<Arc<[ProgramFile]>>,
}

/// A program.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) component: Arc<LoadedComponent>,
    /// What a guest reads when it opens the program as a file.
    pub(crate) file: Bytes,
}

/// A component cannot be a program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProgramError {
    /// It does not export `wasi:cli/run`.
    #[error("{component} is no program: it does not export wasi:cli/run")]
    NoProgram {
        /// The component.
        component: String,
    },
    /// Not a file name.
    #[error("{name:?} cannot be the name of a program")]
    Name {
        /// The name.
        name: String,
    },
}

impl Programs {
    /// Adds programs that `component` is under each of `names`; the last one of a name wins. `file` is what reading the
    /// program's file gives.
    pub fn add<'n>(
        &mut self,
        component: &Arc<LoadedComponent>,
        names: impl IntoIterator<Item = &'n str>,
        file: &Bytes,
    ) -> Result<(), ProgramError> {
        if component.program().is_none() {
            return Err(ProgramError::NoProgram {
                component: component.name().to_owned(),
            });
        }
        for name in names {
            if name.is_empty()
                || name.len() > 255
                || name.contains(['/', '\0'])
                || name.starts_with('.')
            {
                return Err(ProgramError::Name {
                    name: name.to_owned(),
                });
            }
            let program = Program {
                component: Arc::clone(component),
                file: file.clone(),
            };
            self.programs.insert(name.to_owned(), program);
            self.files = OnceLock::new();
        }
        Ok(())
    }

    /// Returns the names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.programs.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Program> {
        self.programs.get(name)
    }

    /// Returns the files of the programs, sorted by name.
    pub(crate) fn files(&self) -> Arc<[ProgramFile]> {
        let files = self.files.get_or_init(|| {
            let programs = self.programs.iter();
            programs
                .map(|(name, program)| ProgramFile {
                    name: Arc::from(name.as_str()),
                    content: program.file.clone(),
                })
                .collect()
        });
        Arc::clone(files)
    }
}
