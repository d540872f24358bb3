//! What a hand is made of: the grants, each a visible call.

use std::sync::Arc;

use cap_std::fs::Dir;

use crate::component::LoadedComponent;
use crate::egress::Egress;
use crate::fs::{BuildError, Rights, VfsBuilder};
use crate::kernel::Programs;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::typed::NAME_BYTES_MAX;

/// What a hand is given. The default is nothing: no tools, no files, no environment, no network.
#[derive(Default)]
pub struct Resources {
    /// Each with the prefix of its tools' names.
    pub(crate) components: Vec<(Arc<LoadedComponent>, String)>,
    pub(crate) files: VfsBuilder,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) limits: Limits,
    pub(crate) egress: Option<Arc<dyn Egress>>,
    pub(crate) programs: Arc<Programs>,
    pub(crate) has_shell: bool,
}

impl Resources {
    /// Adds a component's tools.
    pub fn component(self, component: Arc<LoadedComponent>) -> Self {
        self.component_with_prefix(component, "")
    }

    /// Adds a component's tools, with `prefix` before each name; the way out where names of two components clash.
    pub fn component_with_prefix(
        mut self,
        component: Arc<LoadedComponent>,
        prefix: impl Into<String>,
    ) -> Self {
        self.components.push((component, prefix.into()));
        self
    }

    /// Shows a directory of the host at an absolute guest path.
    pub fn mount(mut self, guest_path: impl Into<String>, dir: Dir, rights: Rights) -> Self {
        self.files = self.files.mount(guest_path, dir, rights);
        self
    }

    /// Shows a read-only file of fixed content at an absolute guest path.
    pub fn file(mut self, guest_path: impl Into<String>, content: impl Into<Arc<[u8]>>) -> Self {
        self.files = self.files.file(guest_path, content);
        self
    }

    /// Sets an environment variable of all processes.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Replaces the default limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Gives the hand programs, which it finds under `/usr/bin` and `/bin`.
    pub fn programs(mut self, programs: Arc<Programs>) -> Self {
        self.files = self.files.programs(programs.files());
        self.programs = programs;
        self
    }

    /// Gives the hand the tool `bash`, a persistent shell. It needs the program of this name.
    pub fn shell(mut self) -> Self {
        self.has_shell = true;
        self
    }

    /// Lets the hand's HTTP requests go to `egress`.
    pub fn egress(mut self, egress: Arc<dyn Egress>) -> Self {
        self.egress = Some(egress);
        self
    }
}

/// Why a hand cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// Two components have a tool of the same name.
    #[error("the tool {tool} is in {first} and in {second}")]
    ToolNameClash {
        /// The tool's name.
        tool: String,
        /// One component.
        first: String,
        /// The other one.
        second: String,
    },
    /// A name is too long or has letters that model providers refuse.
    #[error(
        "{name:?} cannot be a tool's name; names have 1 to {NAME_BYTES_MAX} letters, digits, _ and -"
    )]
    ToolName {
        /// The name, with its prefix.
        name: String,
    },
    /// The mounts do not fit together, or the host cannot resolve paths in them.
    #[error(transparent)]
    Files(#[from] BuildError),
    /// The hand is to have a shell, but not the program.
    #[error("a hand with a shell needs a program called bash")]
    NoShell,
    /// A component that names its tools when it is asked did not do so.
    #[error("{component} does not tell which tools it has: {outcome:?}")]
    ToolsUnknown {
        /// The component.
        component: String,
        /// How asking it ended.
        outcome: Box<Outcome>,
    },
}
