//! The default hand: Wasm components over the session's folders.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use futures::stream::BoxStream;
use serde_json::{Value, json};
use sinew_runtime::fs::{DirtySet, Rights};
use sinew_runtime::typed::Content as Block;
use sinew_runtime::{
    CallOptions, Ending, Execution, Fixed, Limits, LoadedComponent, Outcome, Programs,
    ProvisionError, Resources, Runtime,
};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::built_in::ENVIRONMENT;
use super::folder_state::change_time_now;
use super::folders::Folders;
use super::masked::{Masked, masked};
use super::mounts::{Mounts, SKILLS, UPLOADS};
use super::session_files::{MEMORY, OUTPUTS, SessionFiles, TMP, Touched, WORKSPACE};
use super::skill_sets::SkillSets;
use super::spill::{FOLDER as SPILL_FOLDER, OUTPUT_CHARS_MAX, shorten};
use super::web::{WebTools, is_of_web};
use super::{
    BoundCall, CallOutcome, Components, Hand, HandError, Hands, OutputSink, Outputs, ToolCall,
    WebhookCall, outputs, uploads,
};
use crate::blobs::Blobs;
use crate::content::Content;
use crate::egress::{Networks, SessionEgress};
use crate::ids::{self, EventId, SessionId};
use crate::json::Fields as _;
use crate::memory::mount;
use crate::session::text_block;
use crate::store::{Files, FilesChange, Hash, StoreError};
use crate::tree::{TreeError, blocking, remove_folder};
use crate::vault::VaultError;

/// Marks a session's folder as to be removed; beside the folders that guests see, not in one of them.
const CONDEMNED: &str = "to-be-removed";

/// Longest wait for the end of what a hand that is gone still runs.
const ENDING_PATIENCE: Duration = Duration::from_secs(30);

/// How hands are made.
pub struct WasmHandsOptions {
    /// Runs the components.
    pub runtime: Runtime,
    /// The built-in tools that work on files.
    pub components: Vec<Arc<LoadedComponent>>,
    /// Those of the web, if there are any.
    pub web: Option<WebTools>,
    /// The programs that every hand has; with `bash` among them it has a shell.
    pub programs: Arc<Programs>,
    /// Folder that holds a folder for each session.
    pub sessions: PathBuf,
    /// Folder of this maker's own for unpacked skills; it is emptied.
    pub skills: PathBuf,
    /// The contents of mounted files and skills.
    pub blobs: Blobs,
    /// What the sessions' own files are kept as.
    pub content: Content,
    /// A folder of the host that every session works in, in place of its own.
    pub workspace: Option<PathBuf>,
    /// Bounds of each hand.
    pub limits: Limits,
    /// Longest call.
    pub call_timeout: Duration,
    /// The registered components, if there are any.
    pub registered: Option<Arc<Components>>,
    /// The ways out of the sessions' hands; without it nothing leaves.
    pub networks: Option<Networks>,
}

/// What tells that nothing of a hand is left.
#[derive(Clone, Default)]
struct Last {
    /// Held by whoever reads or writes the session's folders on the host's side.
    files: Arc<tokio::sync::Mutex<()>>,
    processes: Option<Ending>,
}

/// Makes Wasm hands.
pub struct WasmHands {
    options: WasmHandsOptions,
    web: Option<Arc<WebTools>>,
    definitions: Vec<Value>,
    skill_sets: SkillSets,
    /// The newest hand of each session, whose work may outlive it for a moment.
    last: Mutex<HashMap<SessionId, Last>>,
}

impl WasmHands {
    /// Returns the maker. Errors: two components have a tool of one name.
    pub fn new(mut options: WasmHandsOptions) -> Result<Self, ProvisionError> {
        let web = options.web.take().map(Arc::new);
        // A hand without any grant knows its tools all the same.
        let resources = tools(&options.components, &options.programs);
        let resources = match &web {
            Some(web) => resources.component(Arc::clone(web.component())),
            None => resources,
        };
        let bare = options.runtime.provision(resources)?;
        let is_offered = |name: &str| web.as_ref().is_none_or(|web| web.offers(name));
        let definitions = bare
            .definitions()
            .into_iter()
            .filter(|tool| is_offered(&tool.name))
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
            last: Mutex::default(),
            options,
            web,
            definitions,
        })
    }

    /// Returns the registered components, if there are any.
    pub fn registered(&self) -> Option<Arc<Components>> {
        self.options.registered.clone()
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

    fn last(&self) -> MutexGuard<'_, HashMap<SessionId, Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nothing of an earlier hand of the session is left: it would change what is put right now.
    /// Returns what keeps the next one waiting in its turn.
    async fn turn(&self, session_id: &SessionId) -> Result<OwnedMutexGuard<()>, HandError> {
        let last = self.last().entry(session_id.clone()).or_default().clone();
        let wait = async {
            if let Some(processes) = &last.processes {
                processes.ended().await;
            }
            last.files.lock_owned().await
        };
        let turn = tokio::time::timeout(ENDING_PATIENCE, wait).await;
        turn.map_err(|_| HandError::Provision {
            session_id: session_id.clone(),
            reason: "its last hand does not end".to_owned(),
        })
    }

    /// Returns the session's files as committed.
    async fn committed(&self, session_id: &SessionId) -> Result<Option<Files>, HandError> {
        let index = self.options.content.index();
        match index.files_at(session_id, u64::MAX).await {
            Ok(files) => Ok(files),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(HandError::Host(error.to_string())),
        }
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

    fn undoes(&self) -> bool {
        self.options.workspace.is_none()
    }

    fn files_max(&self) -> (u64, u64) {
        let limits = &self.options.limits.fs;
        (limits.inodes_max, limits.bytes_max)
    }

    async fn provision(
        &self,
        session_id: &SessionId,
        mounts: &Mounts,
        files: Option<Files>,
    ) -> Result<Box<dyn Hand>, HandError> {
        let failed = |reason: String| HandError::Provision {
            session_id: session_id.clone(),
            reason,
        };
        let turn = self.turn(session_id).await?;
        self.place(session_id, mounts).await?;
        let skills = self.skills(mounts).await.map_err(failed)?;
        let (folder, content) = (self.folder(session_id), self.options.content.clone());
        let (workspace, memory) = (self.options.workspace.clone(), mounts.memory.clone());
        // System calls, reads of the store, and all of a large tree after a power cut.
        let opened = blocking(move || {
            let kept = SessionFiles::open(&content, &folder, workspace.is_some(), files, turn)?;
            let folders = Folders::open(&folder, workspace, &memory, &kept);
            Ok((kept, folders.map_err(disk)?))
        });
        let (kept, folders) = opened
            .await
            .map_err(|error| provision_error(session_id, error))?;
        let egress = match &self.options.networks {
            Some(networks) => {
                let egress = networks
                    .of_session(session_id, &self.folder(session_id))
                    .await;
                Some(egress.map_err(|error| failed(error.to_string()))?)
            }
            None => None,
        };
        let resources = tools(&self.options.components, &self.options.programs);
        let resources = connected(resources, egress.as_ref())
            .await
            .map_err(|error| failed(format!("its credentials cannot be read: {error}")))?;
        let resources = resources
            .limits(self.options.limits.clone())
            .mount(WORKSPACE.0, folders.workspace, Rights::ReadWrite)
            .mount(TMP.0, folders.tmp, Rights::ReadWrite)
            .mount(OUTPUTS.0, folders.outputs, Rights::ReadWrite)
            .mount(UPLOADS, folders.uploads, Rights::ReadOnly);
        let resources = match skills {
            Some(skills) => resources.mount(SKILLS, skills, Rights::ReadOnly),
            None => resources,
        };
        let resources = folders
            .memory
            .into_iter()
            .fold(resources, |resources, (path, folder, rights)| {
                resources.mount(path, folder, rights)
            });
        let hand = self
            .options
            .runtime
            .provision(resources)
            .map_err(|error| failed(error.to_string()))?;
        let processes = Some(hand.ending());
        self.last().entry(session_id.clone()).or_default().processes = processes;
        hand.vfs().set_usage(folders.used.bytes, folders.used.names);
        if let Some(state) = kept.shell() {
            hand.restore_shell(state).await;
        }
        Ok(Box::new(WasmHand {
            hand,
            tmp: Arc::new(folders.spill),
            unsaved: Mutex::new(kept.has_unseen.then(Unsaved::begin)),
            files: Arc::new(kept),
            has_memory: !mounts.memory.is_empty(),
            session_id: session_id.clone(),
            call_timeout: self.options.call_timeout,
            web: self.web.clone(),
            registered: self.options.registered.clone(),
            egress,
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
        let content = self.options.content.clone();
        match self.committed(session_id).await? {
            Some(files) => blocking(move || outputs::list(&content.blocking(), &files, files_max))
                .await
                .map_err(host),
            None => Ok(Outputs::default()),
        }
    }

    async fn read_output(
        &self,
        session_id: &SessionId,
        path: &str,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, HandError> {
        let (content, path) = (self.options.content.clone(), path.to_owned());
        let Some(files) = self.committed(session_id).await? else {
            return Ok(outputs::missing());
        };
        let reader = content.clone();
        let pieces = blocking(move || outputs::pieces_of(&reader.blocking(), &files, &path));
        match pieces.await.map_err(host)? {
            Some(pieces) => Ok(outputs::read(content, pieces)),
            // Told by the stream, since it is the file's: it may be gone by now.
            None => Ok(outputs::missing()),
        }
    }

    fn memory_folders(&self, session_id: &SessionId) -> Option<mount::Folders> {
        let folder = self.folder(session_id);
        Some(mount::Folders {
            memory: folder.join(MEMORY.1),
            tmp: folder.join(TMP.1),
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
        self.last().remove(session_id);
        let folder = self.folder(session_id);
        let removed = blocking(move || match std::fs::symlink_metadata(&folder) {
            Ok(_) => remove_folder(&folder),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(disk(error)),
        });
        removed.await.map_err(host)
    }
}

/// Gives a hand its environment and its way out. A credential with the name of a variable that every hand has is in
/// no hand's environment: programs rely on those.
async fn connected(
    resources: Resources,
    egress: Option<&SessionEgress>,
) -> Result<Resources, VaultError> {
    let mut resources = ENVIRONMENT
        .iter()
        .fold(resources, |resources, (name, value)| {
            resources.env(*name, *value)
        });
    let Some(egress) = egress else {
        return Ok(resources);
    };
    for (name, placeholder) in egress.variables().await? {
        if ENVIRONMENT.iter().all(|(own, _)| *own != name) {
            resources = resources.env(name, placeholder);
        }
    }
    Ok(resources.egress(Arc::new(egress.clone())))
}

fn disk(error: std::io::Error) -> TreeError {
    TreeError::Disk {
        what: "cannot open the session's folders".to_owned(),
        error,
    }
}

/// Returns what a failure with the files means for a call.
fn host(error: TreeError) -> HandError {
    match error {
        error if error.is_full() => HandError::Full,
        TreeError::TooDeep(_) => HandError::Unkeepable(error.to_string()),
        error => HandError::Host(error.to_string()),
    }
}

fn provision_error(session_id: &SessionId, error: TreeError) -> HandError {
    match error.is_full() {
        true => HandError::Full,
        false => HandError::Provision {
            session_id: session_id.clone(),
            reason: error.to_string(),
        },
    }
}

struct WasmHand {
    hand: sinew_runtime::Hand,
    tmp: Arc<Dir>,
    files: Arc<SessionFiles>,
    unsaved: Mutex<Option<Unsaved>>,
    has_memory: bool,
    session_id: SessionId,
    call_timeout: Duration,
    web: Option<Arc<WebTools>>,
    registered: Option<Arc<Components>>,
    egress: Option<SessionEgress>,
}

/// What the calls since the last commit may have changed.
struct Unsaved {
    dirty: DirtySet,
    /// An instant before all of it.
    since: i64,
    spilled: Vec<(&'static str, PathBuf)>,
}

impl Unsaved {
    /// Returns that nothing is known to have changed until now.
    fn begin() -> Self {
        Self {
            dirty: DirtySet::default(),
            since: change_time_now(),
            spilled: Vec::new(),
        }
    }
}

#[async_trait]
impl Hand for WasmHand {
    async fn execute(
        &self,
        call: &ToolCall,
        output: &OutputSink,
        cancel: &CancellationToken,
    ) -> Result<CallOutcome, HandError> {
        if let Some(egress) = &self.egress {
            let begun = egress.begin_call(&call.event_id).await;
            begun.map_err(|error| HandError::Host(error.to_string()))?;
        }
        if let Some(BoundCall::Webhook(webhook)) = &call.bound {
            return self.ask(call, webhook, cancel).await;
        }
        let output = Masked::new(self.egress.as_ref(), output);
        let options = CallOptions {
            timeout: Some(self.call_timeout),
            cancel: cancel.clone(),
            output_name: call.event_id.as_str().to_owned(),
            progress: Some(output.sink()),
            fixed: call.is_deterministic.then(|| fixed(&call.event_id)),
            is_apart: call.is_apart,
        };
        let since = change_time_now();
        let Execution {
            outcome,
            metrics,
            dirty,
            ..
        } = match self.run(call, options).await? {
            Ok(execution) => execution,
            Err(error) => {
                if let Some(egress) = &self.egress {
                    egress.end_call();
                }
                let text = format!("This tool cannot have what the agent grants it: {error}.");
                return Ok(failure(text));
            }
        };
        tracing::debug!(session = %self.session_id, tool = %call.name, ?metrics, "a call ended");
        self.note(dirty, since, None);
        output.finish();
        if let Some(egress) = &self.egress {
            egress.end_call();
        }
        match outcome {
            Outcome::Result(content) => self.shown(call, content, false).await,
            Outcome::ToolError(content) => self.shown(call, content, true).await,
            Outcome::Trapped { message } => {
                let message = masked(self.egress.as_ref(), message);
                Ok(failure(format!("The tool crashed: {message}")))
            }
            Outcome::LimitHit(limit) => Ok(failure(format!(
                "The call was ended: {limit} (limit {}).",
                limit.name()
            ))),
            Outcome::Cancelled => Ok(failure("The call was interrupted.".to_owned())),
            Outcome::HostFault(fault) => Err(HandError::Host(fault.to_string())),
        }
    }

    async fn save(&self) -> Result<Option<FilesChange>, HandError> {
        let since = change_time_now();
        // What runs in the background changes files between calls too.
        let dirty = self.hand.vfs().take_dirty();
        if !dirty.is_empty() {
            self.note(dirty, since, None);
        }
        let shell = self.hand.shell_state().await;
        let unsaved = self.unsaved().take();
        if unsaved.is_none() && !self.has_memory && shell == self.files.shell() {
            return Ok(None);
        }
        let unsaved = unsaved.unwrap_or_else(Unsaved::begin);
        let mut touched = Touched {
            names: unsaved.spilled,
            memory: self.has_memory,
        };
        if self.has_memory {
            // What could not be saved there is put aside by the host.
            touched
                .names
                .push((TMP.0, PathBuf::from(mount::CONFLICTS_NAME)));
        }
        let files = self.files.clone();
        blocking(move || files.save(&unsaved.dirty, &touched, shell, unsaved.since))
            .await
            .map_err(host)
    }

    fn has_sent(&self, call: &EventId) -> bool {
        self.egress
            .as_ref()
            .is_some_and(|egress| egress.has_sent(call))
    }

    fn take_requests(&self) -> Option<Value> {
        self.egress.as_ref()?.take_requests()
    }

    async fn keep_long(&self, call: &EventId, text: String) -> Result<String, HandError> {
        let (name, tmp) = (call.clone(), self.tmp.clone());
        let since = change_time_now();
        let shown = tokio::task::spawn_blocking(move || shorten(text, name.as_str(), &tmp));
        let shown = shown
            .await
            .map_err(|error| HandError::Host(error.to_string()))?;
        let folder = PathBuf::from(SPILL_FOLDER);
        self.note(DirtySet::default(), since, Some((TMP.0, folder)));
        Ok(shown)
    }

    async fn committed(&self) {
        let files = self.files.clone();
        self.told(move || files.commit()).await;
    }

    fn was_cut_off(&self) -> bool {
        self.files.was_cut_off
    }

    async fn rest(self: Box<Self>) {
        let is_saved = self.unsaved().is_none();
        let ending = self.hand.ending();
        let (files, session_id) = (self.files.clone(), self.session_id.clone());
        let is_quiet = self.hand.is_quiet() && is_saved && self.hand.vfs().take_dirty().is_empty();
        drop(self);
        if !is_quiet
            || tokio::time::timeout(ENDING_PATIENCE, ending.ended())
                .await
                .is_err()
        {
            return;
        }
        let rested = tokio::task::spawn_blocking(move || files.rest()).await;
        if !matches!(rested, Ok(Ok(()))) {
            tracing::warn!(session = %session_id, "a session's folder could not be left at rest; it is checked before its next call");
        }
    }
}

impl WasmHand {
    /// Has a server run a call.
    async fn ask(
        &self,
        call: &ToolCall,
        webhook: &WebhookCall,
        cancel: &CancellationToken,
    ) -> Result<CallOutcome, HandError> {
        let egress = self.egress.as_ref();
        let egress = egress.ok_or_else(|| HandError::Host("there is no network".to_owned()))?;
        let asked = webhook.execute(&self.session_id, egress, call, cancel);
        let asked = asked.await;
        egress.end_call();
        let mut outcome = asked?;
        for block in &mut outcome.content {
            let text = block.at("text").as_str().unwrap_or_default();
            if text.chars().nth(OUTPUT_CHARS_MAX).is_some() {
                *block = text_block(&self.keep_long(&call.event_id, text.to_owned()).await?);
            }
        }
        Ok(outcome)
    }

    /// Runs a call where its tool is. The inner error is for the model: what is granted is not there.
    async fn run(
        &self,
        call: &ToolCall,
        options: CallOptions,
    ) -> Result<Result<Execution, ProvisionError>, HandError> {
        if let Some(BoundCall::Component(component)) = &call.bound {
            let registered = self.registered.as_ref();
            let registered =
                registered.ok_or_else(|| HandError::Host("there is no registry".to_owned()))?;
            return registered
                .execute(&self.hand, self.egress.as_ref(), call, component, options)
                .await;
        }
        let Some(web) = self.web.as_ref().filter(|_| is_of_web(&call.name)) else {
            return Ok(Ok(self
                .hand
                .execute(&call.name, &call.input, options)
                .await));
        };
        let egress = self.egress.as_ref();
        let egress = egress.ok_or_else(|| HandError::Host("there is no network".to_owned()))?;
        web.execute(call, egress, options)
            .await
            .map(Ok)
            .map_err(|error| HandError::Host(error.to_string()))
    }

    fn unsaved(&self) -> MutexGuard<'_, Option<Unsaved>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a call may have changed.
    fn note(&self, dirty: DirtySet, since: i64, spilled: Option<(&'static str, PathBuf)>) {
        let mut unsaved = self.unsaved();
        let unsaved = unsaved.get_or_insert_with(|| Unsaved {
            dirty: DirtySet::default(),
            since,
            spilled: Vec::new(),
        });
        unsaved.dirty.extend(dirty);
        unsaved.spilled.extend(spilled);
    }

    /// Runs a note about the folder; without it the next hand only has more to look at.
    async fn told(&self, work: impl FnOnce() -> std::io::Result<()> + Send + 'static) {
        let done = tokio::task::spawn_blocking(work).await;
        if let Ok(Err(error)) = done {
            tracing::warn!(session = %self.session_id, %error, "the state of a session's folder could not be noted");
        }
    }

    /// Returns the outcome as the log has it. A result may be tens of megabytes, so it is shaped off the
    /// daemon's own threads.
    async fn shown(
        &self,
        call: &ToolCall,
        content: Vec<Block>,
        is_error: bool,
    ) -> Result<CallOutcome, HandError> {
        let (name, tmp) = (call.event_id.clone(), self.tmp.clone());
        let egress = self.egress.clone();
        let shaped = tokio::task::spawn_blocking(move || {
            let mut has_spilled = false;
            let mut shape = |block| match block {
                Block::Text(text) => {
                    let text = masked(egress.as_ref(), text);
                    has_spilled |= text.chars().nth(OUTPUT_CHARS_MAX).is_some();
                    text_block(&shorten(text, name.as_str(), &tmp))
                }
                Block::Image { media_type, data } => media("image", &media_type, &data),
                Block::Document { media_type, data } => media("document", &media_type, &data),
            };
            let mut blocks: Vec<Value> = content.into_iter().map(&mut shape).collect();
            if blocks.is_empty() {
                blocks.push(text_block(""));
            }
            let outcome = CallOutcome {
                content: blocks,
                is_error,
            };
            (outcome, has_spilled)
        });
        let (outcome, has_spilled) = shaped
            .await
            .map_err(|error| HandError::Host(error.to_string()))?;
        if has_spilled {
            let folder = PathBuf::from(SPILL_FOLDER);
            self.note(
                DirtySet::default(),
                change_time_now(),
                Some((TMP.0, folder)),
            );
        }
        Ok(outcome)
    }
}

/// Returns the time and the chance of the call that an event records.
fn fixed(event_id: &EventId) -> Fixed {
    let made_at = ids::made_at(event_id.as_str()).unwrap_or_default();
    let milliseconds = u64::try_from(made_at.as_millisecond()).unwrap_or(0);
    Fixed {
        time: Duration::from_millis(milliseconds),
        seed: Hash::of(event_id.as_str().as_bytes()).0,
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
