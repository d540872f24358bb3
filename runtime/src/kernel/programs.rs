//! The programs of a hand: what it finds under `/usr/bin` and `/bin`.
//!
//! One table serves any number of hands. A component can be several programs; it tells by its first argument which
//! one it is to be. A component is loaded when it is first started, or before by [`Programs::load_all`], which is how a
//! daemon makes sure that nothing is compiled on the way of a request.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::OnceCell;

use crate::component::{ComponentSource, LoadedComponent};
use crate::component_store::LoadError;
use crate::fs::ProgramFile;
use crate::runtime::{Progress, Runtime, Shared};

/// The names of programs and what runs them.
#[derive(Default)]
pub struct Programs {
    components: Vec<Arc<Program>>,
    by_name: BTreeMap<String, Arc<Program>>,
    /// Made once for all hands.
    files: OnceLock<Arc<[ProgramFile]>>,
}

/// A component that is one or several programs.
pub(crate) struct Program {
    source: ComponentSource,
    loaded: OnceCell<Arc<LoadedComponent>>,
}

/// A component cannot be a program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It cannot be loaded.
    #[error("the program {component} cannot be loaded: {error}")]
    Load {
        /// The component.
        component: String,
        /// Why.
        error: LoadError,
    },
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
    /// Adds programs that a component is under each of `names`; the last one of a name wins.
    pub fn add<'n>(
        &mut self,
        source: ComponentSource,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), ProgramError> {
        let program = Arc::new(Program {
            source,
            loaded: OnceCell::new(),
        });
        for name in names {
            let is_hidden = name.starts_with('.');
            if name.is_empty() || name.len() > 255 || name.contains(['/', '\0']) || is_hidden {
                return Err(ProgramError::Name {
                    name: name.to_owned(),
                });
            }
            self.by_name.insert(name.to_owned(), Arc::clone(&program));
        }
        self.components.push(program);
        self.files = OnceLock::new();
        Ok(())
    }

    /// Returns the names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Loads every component, compiling what was never compiled; `progress` is called as each becomes ready.
    pub async fn load_all(
        &self,
        runtime: &Runtime,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<(), ProgramError> {
        // One after the other: one compilation takes all processors by itself.
        for (done, program) in self.components.iter().enumerate() {
            program.load(runtime.shared()).await?;
            progress(Progress {
                name: &program.source.name,
                done: done + 1,
                total: self.components.len(),
            });
        }
        Ok(())
    }

    /// Returns how many components there are.
    pub fn components(&self) -> usize {
        self.components.len()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Program>> {
        self.by_name.get(name)
    }

    /// Returns the files of the programs, sorted by name.
    pub(crate) fn files(&self) -> Arc<[ProgramFile]> {
        let files = self.files.get_or_init(|| {
            let programs = self.by_name.iter();
            programs
                .map(|(name, program)| ProgramFile {
                    name: Arc::from(name.as_str()),
                    content: program.source.wasm.clone(),
                })
                .collect()
        });
        Arc::clone(files)
    }
}

impl Program {
    /// Returns the component, loaded.
    pub(crate) async fn load(
        &self,
        runtime: &Shared,
    ) -> Result<Arc<LoadedComponent>, ProgramError> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(Arc::clone(loaded));
        }
        let name = || self.source.name.clone();
        let load = async || {
            let loaded = runtime.load(self.source.clone()).await;
            let loaded = loaded.map_err(|error| ProgramError::Load {
                component: name(),
                error,
            })?;
            match loaded.program() {
                Some(_) => Ok(loaded),
                None => Err(ProgramError::NoProgram { component: name() }),
            }
        };
        self.loaded.get_or_try_init(load).await.map(Arc::clone)
    }
}
