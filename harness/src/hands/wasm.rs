//! The default hand: Wasm components over the session's folders.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::{Value, json};
use sinew_runtime::fs::Rights;
use sinew_runtime::typed::Content;
use sinew_runtime::{
    CallOptions, Execution, Limits, LoadedComponent, Outcome, Programs, ProvisionError, Resources,
    Runtime,
};
use tokio_util::sync::CancellationToken;

use super::built_in::ENVIRONMENT;
use super::mounts::{Mounts, SKILLS, UPLOADS};
use super::shell_state::ShellState;
use super::skill_sets::SkillSets;
use super::spill::shorten;
use super::used::{Used, count};
use super::{CallOutcome, Hand, HandError, Hands, OutputSink, Outputs, ToolCall, outputs, uploads};
use crate::blobs::Blobs;
use crate::data_dir::make_private;
use crate::ids::SessionId;
use crate::memory::mount::{self, Mount};
use crate::session::text_block;

/// Marks a session's folder as to be removed; beside the folders that guests see, not in one of them.
const CONDEMNED: &str = "to-be-removed";

/// The folder of a session's outputs.
const OUTPUTS: &str = "outputs";
/// The folder of a session's memory stores.
const MEMORY: &str = "memory";

/// How hands are made.
pub struct WasmHandsOptions {
    /// Runs the components.
    pub runtime: Runtime,
    /// The built-in tools.
    pub components: Vec<Arc<LoadedComponent>>,
    /// The programs that every hand has; with `bash` among them it has a shell.
    pub programs: Arc<Programs>,
    /// Folder that holds a folder for each session.
    pub sessions: PathBuf,
    /// Folder of this maker's own for unpacked skills; it is emptied.
    pub skills: PathBuf,
    /// The contents of mounted files and skills.
    pub blobs: Blobs,
    /// A folder of the host that every session works in, in place of its own.
    pub workspace: Option<PathBuf>,
    /// Bounds of each hand.
    pub limits: Limits,
    /// Longest call.
    pub call_timeout: Duration,
}

/// Makes Wasm hands.
pub struct WasmHands {
    options: WasmHandsOptions,
    definitions: Vec<Value>,
    skill_sets: SkillSets,
}

impl WasmHands {
    /// Returns the maker. Errors: two components have a tool of one name.
    pub fn new(options: WasmHandsOptions) -> Result<Self, ProvisionError> {
        // A hand without any grant knows its tools all the same.
        let bare = options
            .runtime
            .provision(tools(&options.components, &options.programs))?;
        let definitions = bare
            .definitions()
            .into_iter()
            .map(|tool| {
                json!({
                    "name": tool.name,
                    "description": tool.description,
                    "input_schema": tool.input_schema,
                })
            })
            .collect();
        Ok(Self {
            skill_sets: SkillSets::in_folder(options.skills.clone()),
            options,
            definitions,
        })
    }

    /// Returns the sessions whose files were marked as to be removed and are still there.
    pub async fn condemned(&self) -> Vec<SessionId> {
        let folder = self.options.sessions.clone();
        let listed = tokio::task::spawn_blocking(move || {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .filter(|entry| entry.path().join(CONDEMNED).exists())
                .filter_map(|entry| entry.file_name().into_string().ok())
                .map(SessionId::from_text)
                .collect()
        });
        listed.await.unwrap_or_default()
    }

    fn folder(&self, session_id: &SessionId) -> PathBuf {
        self.options.sessions.join(session_id.as_str())
    }

    /// Returns the folder of a session's skills, if it has any.
    async fn skills(&self, mounts: &Mounts) -> Result<Option<Dir>, String> {
        if mounts.skills.is_empty() {
            return Ok(None);
        }
        let unpacked = self
            .skill_sets
            .folder_of(&self.options.blobs, &mounts.skills);
        let folder = unpacked
            .await
            .map_err(|error| format!("its skills could not be unpacked: {error}"))?;
        let opened = Dir::open_ambient_dir(folder, ambient_authority());
        opened.map(Some).map_err(|error| error.to_string())
    }
}

fn tools(components: &[Arc<LoadedComponent>], programs: &Arc<Programs>) -> Resources {
    let resources = components
        .iter()
        .fold(Resources::default(), |resources, component| {
            resources.component(component.clone())
        })
        .programs(Arc::clone(programs));
    if programs.names().any(|name| name == "bash") {
        resources.shell()
    } else {
        resources
    }
}

#[async_trait]
impl Hands for WasmHands {
    fn definitions(&self) -> &[Value] {
        &self.definitions
    }

    async fn provision(
        &self,
        session_id: &SessionId,
        mounts: &Mounts,
    ) -> Result<Box<dyn Hand>, HandError> {
        let failed = |reason: String| HandError::Provision {
            session_id: session_id.clone(),
            reason,
        };
        let folder = self.folder(session_id);
        self.place(session_id, mounts).await?;
        let skills = self.skills(mounts).await.map_err(failed)?;
        let workspace = self.options.workspace.clone();
        // A few system calls; they go to the blocking pool because a folder may lie on a slow disk.
        let shell_state = ShellState::in_folder(&folder);
        let memory = mounts.memory.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let mut folders = Folders::open(&folder, workspace)?;
            for mount in memory.iter().filter(|mount| mount.is_writable) {
                count(&folder.join(MEMORY).join(&mount.slug), &mut folders.used);
            }
            let memory = memory.iter().map(|mount| open_memory(&folder, mount));
            let memory = memory.collect::<std::io::Result<Vec<_>>>()?;
            let state = shell_state.read()?;
            Ok::<_, std::io::Error>((folders, memory, shell_state, state))
        });
        let (folders, memory, shell_state, state) = opened
            .await
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        let tmp = folders
            .tmp
            .try_clone()
            .map_err(|error| failed(error.to_string()))?;
        let used = folders.used;
        let resources = tools(&self.options.components, &self.options.programs);
        let resources = ENVIRONMENT
            .iter()
            .fold(resources, |resources, (name, value)| {
                resources.env(*name, *value)
            })
            .limits(self.options.limits.clone())
            .mount("/workspace", folders.workspace, Rights::ReadWrite)
            .mount("/tmp", folders.tmp, Rights::ReadWrite)
            .mount("/mnt/session/outputs", folders.outputs, Rights::ReadWrite)
            .mount(UPLOADS, folders.uploads, Rights::ReadOnly);
        let resources = match skills {
            Some(skills) => resources.mount(SKILLS, skills, Rights::ReadOnly),
            None => resources,
        };
        let resources = memory
            .into_iter()
            .fold(resources, |resources, (path, folder, rights)| {
                resources.mount(path, folder, rights)
            });
        let hand = self
            .options
            .runtime
            .provision(resources)
            .map_err(|error| failed(error.to_string()))?;
        hand.vfs().set_usage(used.bytes, used.names);
        if let Some(state) = &state {
            hand.restore_shell(state.clone()).await;
        }
        Ok(Box::new(WasmHand {
            hand,
            tmp: Arc::new(tmp),
            shell_state: Arc::new(shell_state),
            kept: Mutex::new(state),
            session_id: session_id.clone(),
            call_timeout: self.options.call_timeout,
        }))
    }

    async fn place(&self, session_id: &SessionId, mounts: &Mounts) -> Result<(), HandError> {
        let folder = self.folder(session_id);
        let placed = uploads::place(&folder, &self.options.blobs, &mounts.uploads).await;
        placed.map_err(|error| HandError::Provision {
            session_id: session_id.clone(),
            reason: format!("its files could not be mounted: {error}"),
        })
    }

    async fn outputs(
        &self,
        session_id: &SessionId,
        files_max: usize,
    ) -> Result<Outputs, HandError> {
        let folder = self.folder(session_id).join(OUTPUTS);
        let listed = tokio::task::spawn_blocking(move || outputs::list(&folder, files_max));
        match listed.await {
            Ok(listed) => listed.map_err(|error| HandError::Host(error.to_string())),
            Err(error) => Err(HandError::Host(error.to_string())),
        }
    }

    async fn read_output(
        &self,
        session_id: &SessionId,
        path: &str,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, HandError> {
        let (folder, path) = (self.folder(session_id).join(OUTPUTS), path.to_owned());
        let opened = tokio::task::spawn_blocking(move || outputs::read(&folder, &path)).await;
        Ok(match opened {
            Ok(Ok(content)) => content,
            // Told by the stream, since it is the file's: it may be gone by now.
            Ok(Err(error)) => stream::once(async { Err(error) }).boxed(),
            Err(error) => return Err(HandError::Host(error.to_string())),
        })
    }

    fn memory_folders(&self, session_id: &SessionId) -> Option<mount::Folders> {
        let folder = self.folder(session_id);
        Some(mount::Folders {
            memory: folder.join(MEMORY),
            tmp: folder.join("tmp"),
        })
    }

    async fn condemn(&self, session_id: &SessionId) -> Result<(), HandError> {
        let folder = self.folder(session_id);
        let marked = tokio::task::spawn_blocking(move || {
            if folder.exists() {
                std::fs::write(folder.join(CONDEMNED), "")?;
            }
            Ok::<_, std::io::Error>(())
        });
        match marked.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(HandError::Host(error.to_string())),
            Err(error) => Err(HandError::Host(error.to_string())),
        }
    }

    async fn discard(&self, session_id: &SessionId) -> Result<(), HandError> {
        let folder = self.folder(session_id);
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await;
        match removed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Ok(Err(error)) => Err(HandError::Host(error.to_string())),
            Err(error) => Err(HandError::Host(error.to_string())),
        }
    }
}

/// Opens the folder of a memory store below a session's own.
fn open_memory(folder: &Path, mount: &Mount) -> std::io::Result<(String, Dir, Rights)> {
    let path = folder.join(MEMORY).join(&mount.slug);
    make_private(&path)?;
    let folder = Dir::open_ambient_dir(&path, ambient_authority())?;
    let rights = match mount.is_writable {
        true => Rights::ReadWrite,
        false => Rights::ReadOnly,
    };
    Ok((mount.path(), folder, rights))
}

/// The folders of one session, opened once; guests never see a path of the host.
struct Folders {
    /// What is in the folders already that the session may write to; a folder of the host's is not counted.
    used: Used,
    workspace: Dir,
    tmp: Dir,
    outputs: Dir,
    uploads: Dir,
}

impl Folders {
    fn open(folder: &Path, workspace: Option<PathBuf>) -> std::io::Result<Self> {
        let open = |path: &Path| Dir::open_ambient_dir(path, ambient_authority());
        let mut used = Used::default();
        for name in ["workspace", "tmp", OUTPUTS] {
            count(&folder.join(name), &mut used);
        }
        let own = |name: &str| {
            let path = folder.join(name);
            make_private(&path)?;
            open(&path)
        };
        Ok(Self {
            used,
            workspace: match workspace {
                Some(path) => open(&path)?,
                None => own("workspace")?,
            },
            tmp: own("tmp")?,
            outputs: own(OUTPUTS)?,
            uploads: own("uploads")?,
        })
    }
}

struct WasmHand {
    hand: sinew_runtime::Hand,
    tmp: Arc<Dir>,
    shell_state: Arc<ShellState>,
    /// What `shell_state` holds.
    kept: Mutex<Option<Bytes>>,
    session_id: SessionId,
    call_timeout: Duration,
}

#[async_trait]
impl Hand for WasmHand {
    async fn execute(
        &self,
        call: &ToolCall,
        output: &OutputSink,
        cancel: &CancellationToken,
    ) -> Result<CallOutcome, HandError> {
        let options = CallOptions {
            timeout: Some(self.call_timeout),
            cancel: cancel.clone(),
            output_name: call.event_id.as_str().to_owned(),
            progress: Some(output.clone()),
        };
        let Execution {
            outcome, metrics, ..
        } = self.hand.execute(&call.name, &call.input, options).await;
        tracing::debug!(session = %self.session_id, tool = %call.name, ?metrics, "a call ended");
        self.keep_shell_state().await?;
        match outcome {
            Outcome::Result(content) => self.shown(call, content, false).await,
            Outcome::ToolError(content) => self.shown(call, content, true).await,
            Outcome::Trapped { message } => Ok(failure(format!("The tool crashed: {message}"))),
            Outcome::LimitHit(limit) => Ok(failure(format!(
                "The call was ended: {limit} (limit {}).",
                limit.name()
            ))),
            Outcome::Cancelled => Err(HandError::Cancelled),
            Outcome::HostFault(fault) => Err(HandError::Host(fault.to_string())),
        }
    }
}

impl WasmHand {
    /// Keeps the shell's state for the next hand, if the call changed it.
    async fn keep_shell_state(&self) -> Result<(), HandError> {
        let state = self.hand.shell_state().await;
        let Some(state) = state.filter(|state| self.kept().as_ref() != Some(state)) else {
            return Ok(());
        };
        let (file, written) = (self.shell_state.clone(), state.clone());
        let failed =
            |reason: String| HandError::Host(format!("the shell's state cannot be kept: {reason}"));
        tokio::task::spawn_blocking(move || file.write(&written))
            .await
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        *self.kept() = Some(state);
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Option<Bytes>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the outcome as the log has it. A result may be tens of megabytes, so it is shaped off the
    /// daemon's own threads.
    async fn shown(
        &self,
        call: &ToolCall,
        content: Vec<Content>,
        is_error: bool,
    ) -> Result<CallOutcome, HandError> {
        let (name, tmp) = (call.event_id.clone(), self.tmp.clone());
        tokio::task::spawn_blocking(move || {
            let shape = |block| match block {
                Content::Text(text) => text_block(&shorten(text, name.as_str(), &tmp)),
                Content::Image { media_type, data } => media("image", &media_type, &data),
                Content::Document { media_type, data } => media("document", &media_type, &data),
            };
            let mut blocks: Vec<Value> = content.into_iter().map(shape).collect();
            if blocks.is_empty() {
                blocks.push(text_block(""));
            }
            CallOutcome {
                content: blocks,
                is_error,
            }
        })
        .await
        .map_err(|error| HandError::Host(error.to_string()))
    }
}

fn media(kind: &str, media_type: &str, data: &[u8]) -> Value {
    json!({
        "type": kind,
        "source": {"type": "base64", "media_type": media_type, "data": STANDARD.encode(data)},
    })
}

fn failure(text: String) -> CallOutcome {
    CallOutcome {
        content: vec![text_block(&text)],
        is_error: true,
    }
}
