//! Hands with a shell and all programs, as the daemon makes them, over folders of a test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};
use sinew_runtime::fs::Rights;
use sinew_runtime::typed::Content;
use sinew_runtime::{
    CallOptions, CompilerCommand, CompilerLimits, Hand, Limits, Outcome, Programs, Resources,
    Runtime, RuntimeConfig,
};
use tempfile::TempDir;

/// A runtime with every program loaded.
pub struct Shells {
    /// Runs them.
    pub runtime: Runtime,
    /// What every hand has.
    pub programs: Arc<Programs>,
}

/// A hand of its own folders.
pub struct Handful {
    /// The hand.
    pub hand: Hand,
    folder: TempDir,
}

/// What a call of the tool `bash` came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The call failed.
    pub is_error: bool,
    /// What the model reads.
    pub text: String,
}

impl Shells {
    /// Loads everything; `program` is the daemon under test, whose compiler takes what guests bring.
    pub async fn new(program: &str) -> Result<Self> {
        let compiler = CompilerCommand {
            program: program.into(),
            args: vec!["compile-worker".into()],
            limits: CompilerLimits::default(),
        };
        let runtime = Runtime::new(RuntimeConfig::new(crate::daemon::cache(), compiler))?;
        let programs = sinew::hands::programs()?;
        programs.load_all(&runtime, |_| {}).await?;
        Ok(Self {
            runtime,
            programs: Arc::new(programs),
        })
    }

    /// Makes a hand with empty folders.
    pub fn hand(&self, limits: Limits) -> Result<Handful> {
        let folder = tempfile::tempdir()?;
        for name in ["workspace", "tmp"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        self.hand_in(folder, limits)
    }

    /// Makes another hand in the folders of one that is thrown away.
    pub fn hand_after(&self, old: Handful, limits: Limits) -> Result<Handful> {
        let Handful { hand, folder } = old;
        drop(hand);
        self.hand_in(folder, limits)
    }

    fn hand_in(&self, folder: TempDir, limits: Limits) -> Result<Handful> {
        let open =
            |name: &str| Dir::open_ambient_dir(folder.path().join(name), ambient_authority());
        let resources = sinew::hands::ENVIRONMENT
            .iter()
            .fold(Resources::default(), |all, (name, value)| {
                all.env(*name, *value)
            })
            .programs(Arc::clone(&self.programs))
            .shell()
            .limits(limits)
            .mount("/workspace", open("workspace")?, Rights::ReadWrite)
            .mount("/tmp", open("tmp")?, Rights::ReadWrite);
        Ok(Handful {
            hand: self.runtime.provision(resources)?,
            folder,
        })
    }
}

impl Handful {
    /// Returns the host's folder behind `/workspace`.
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// Returns the host's folder behind the hand's `/tmp`.
    pub fn tmp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// Runs a script in the hand's shell.
    pub async fn bash(&self, script: &str) -> Result<Answer> {
        self.call(&json!({"command": script}), CallOptions::default())
            .await
    }

    /// Calls the tool `bash`.
    pub async fn call(&self, input: &Value, options: CallOptions) -> Result<Answer> {
        let execution = self.hand.execute("bash", input, options).await;
        let (content, is_error) = match execution.outcome {
            Outcome::Result(content) => (content, false),
            Outcome::ToolError(content) => (content, true),
            other => bail!("{input} ended with {other:?}"),
        };
        match content.as_slice() {
            [Content::Text(text)] => Ok(Answer {
                is_error,
                text: text.clone(),
            }),
            other => bail!("{input} answered {other:?}"),
        }
    }

    /// Returns whether a file is in the workspace.
    pub fn has(&self, name: impl AsRef<Path>) -> bool {
        self.workspace().join(name).exists()
    }
}
