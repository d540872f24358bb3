//! Starting a process: finding what a path stands for, and giving it what it may have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::entry::{Ended, Entry, NewEntry};
use super::{Description, Descriptors, Kernel, ProgramError, Session, run};
use crate::component::{ComponentSource, LoadedComponent};
use crate::component_store::{LoadError, Trust};
use crate::egress::Log;
use crate::fs::{FileKind, FsError, NoFds, Node, OpenOptions};
use crate::limits::Account;
use crate::process::{Grants, Process};

/// Tells programs of ours that the variable `PWD` is there for the working directory alone.
const DIRECTORY_MARK: &str = "SINEW_PWD";
/// Interpreters of interpreters, as on Linux.
const INTERPRETERS_MAX: usize = 4;
/// The longest line that names an interpreter, in bytes, as on Linux.
const INTERPRETER_LINE_BYTES_MAX: usize = 256;
/// Arguments and environment together, in bytes, as on Linux with its default stack.
const ARGUMENTS_BYTES_MAX: usize = 2 << 20;
/// Largest component that a workspace may start, in bytes.
const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// The first bytes of every WebAssembly binary.
const WASM_MAGIC: &[u8] = b"\0asm";

/// What to start.
pub(crate) struct Start {
    /// Absolute path of the program.
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: String,
    pub(crate) descriptors: BTreeMap<u32, Arc<Description>>,
    /// None: the parent's; 0: a new one.
    pub(crate) group: Option<u32>,
    pub(crate) umask: u32,
    pub(crate) ignored: u64,
    /// Makes it the persistent shell.
    pub(crate) session: Option<Session>,
}

/// Why a process was not started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("not executable")]
    NotExecutable,
    #[error("neither a program nor a script with an interpreter")]
    Format,
    #[error("argument list too long")]
    TooLong,
    #[error("too many processes")]
    TooManyProcesses,
    #[error("{0}")]
    Fs(#[from] FsError),
    #[error("{0}")]
    Component(#[from] LoadError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("the hand is closed")]
    Closed,
}

/// What a path stands for.
enum Target {
    Component(Arc<LoadedComponent>),
    /// Its interpreter, and the one argument it may be given.
    Script(String, Option<String>),
}

impl Kernel {
    /// Starts a process. `parent` is none for one that the hand itself starts.
    pub(crate) async fn start(
        self: &Arc<Self>,
        parent: Option<&Arc<Entry>>,
        mut start: Start,
    ) -> Result<Arc<Entry>, StartError> {
        let bytes = start.arguments.iter().map(String::len).sum::<usize>()
            + start
                .environment
                .iter()
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>();
        if bytes > ARGUMENTS_BYTES_MAX {
            return Err(StartError::TooLong);
        }
        let mut component = None;
        for _ in 0..INTERPRETERS_MAX {
            match self.target(&start.program).await? {
                Target::Component(found) => {
                    component = Some(found);
                    break;
                }
                Target::Script(interpreter, argument) => {
                    let script = std::mem::replace(&mut start.program, interpreter.clone());
                    // The name by which it was called, where that is a path, is what it should see as its own.
                    let called = start.arguments.first();
                    let script = match called.filter(|called| called.contains('/')) {
                        Some(called) => called.clone(),
                        None => script,
                    };
                    let mut arguments = vec![interpreter];
                    arguments.extend(argument);
                    arguments.push(script);
                    arguments.extend(start.arguments.into_iter().skip(1));
                    start.arguments = arguments;
                }
            }
        }
        let component = component.ok_or(FsError::Loop)?;
        self.launch(parent, &component, start)
    }

    fn launch(
        self: &Arc<Self>,
        parent: Option<&Arc<Entry>>,
        component: &Arc<LoadedComponent>,
        start: Start,
    ) -> Result<Arc<Entry>, StartError> {
        let account = Account::open(Arc::clone(&self.limits), Arc::clone(&self.usage))
            .map_err(|_| StartError::TooManyProcesses)?;
        let entry = self.enter(parent, &start, account.usage())?;
        let stderr = start.descriptors.get(&2).map(Arc::clone);
        let mut environment = start.environment;
        // wasi-libc begins at the root; guests made for us go where this says, and forget it if it is not theirs.
        let has_directory = environment.iter().any(|(name, _)| name == "PWD");
        environment.retain(|(name, _)| name != "PWD");
        environment.push(("PWD".to_owned(), start.directory));
        if !has_directory {
            environment.push((DIRECTORY_MARK.to_owned(), String::new()));
        }
        let grants = Grants {
            arguments: start.arguments,
            environment: Arc::new(environment),
            egress: Arc::clone(&self.egress),
            vfs: Arc::clone(&self.vfs),
            limits: Arc::clone(&self.limits),
            descriptors: Descriptors::new(
                start.descriptors,
                Some((Arc::clone(&entry), Arc::clone(&self.fifos))),
            ),
            process: Some((Arc::clone(self), Arc::clone(&entry))),
            session: start.session,
            log: Log::Program(stderr.clone()),
            fixed: self.surroundings.of_next_process(),
            progress: None,
        };
        let store = Process::store(&self.runtime.engine, grants, account);
        let task = run::run(
            Arc::clone(self),
            Arc::clone(&entry),
            Arc::clone(component),
            store,
            stderr,
        );
        if !self.runtime.spawn_detached(task) {
            self.end(&entry, Ended::Signaled(super::signal::KILL));
            return Err(StartError::Closed);
        }
        Ok(entry)
    }

    /// Enters a process into the table.
    fn enter(
        &self,
        parent: Option<&Arc<Entry>>,
        start: &Start,
        usage: Arc<crate::limits::ProcessUsage>,
    ) -> Result<Arc<Entry>, StartError> {
        let mut table = self.table();
        // A parent that is not in the table any more was killed and only does not know it yet.
        let is_orphaned = parent.is_some_and(|parent| {
            let known = table.processes.get(&parent.pid);
            !known.is_some_and(|known| Arc::ptr_eq(known, parent))
        });
        if table.is_closed || is_orphaned {
            return Err(StartError::Closed);
        }
        // Numbers are not used again before all have been: whoever remembers one must not meet another process.
        let mut pid = table.last_pid;
        loop {
            pid = if pid >= i32::MAX.unsigned_abs() {
                1
            } else {
                pid + 1
            };
            if !table.processes.contains_key(&pid) {
                break;
            }
        }
        table.last_pid = pid;
        let group = match start.group {
            Some(0) => pid,
            Some(group) => group,
            None => parent.map_or(pid, |parent| parent.group()),
        };
        let entry = Arc::new(Entry::new(NewEntry {
            pid,
            parent: parent.map_or(0, |parent| parent.pid),
            group,
            arguments: start.arguments.clone(),
            usage,
            umask: start.umask & 0o777,
            ignored: start.ignored,
        }));
        table.processes.insert(pid, Arc::clone(&entry));
        Ok(entry)
    }

    /// Records a process's end: its children belong to the first process from now on.
    pub(super) fn end(&self, entry: &Arc<Entry>, ended: Ended) {
        let mut table = self.table();
        // After `end_all` it may be gone, and another process may have its number.
        if table
            .processes
            .get(&entry.pid)
            .is_some_and(|known| Arc::ptr_eq(known, entry))
        {
            table.processes.remove(&entry.pid);
        }
        let nanos = u64::try_from(entry.cpu_time.get().as_nanos()).unwrap_or(u64::MAX);
        let nanos = nanos.saturating_add(entry.children_cpu_nanos.load(Ordering::Relaxed));
        if let Some(parent) = table.processes.get(&entry.parent()) {
            parent
                .children_cpu_nanos
                .fetch_add(nanos, Ordering::Relaxed);
        }
        for orphan in table.processes.values() {
            if orphan.parent() == entry.pid {
                orphan.parent.store(1, Ordering::Relaxed);
            }
        }
        let parent = table.processes.get(&entry.parent()).map(Arc::clone);
        drop(table);
        entry.set_ended(ended);
        if let Some(parent) = parent {
            parent.signal(super::signal::CHLD);
        }
    }

    async fn target(self: &Arc<Self>, path: &str) -> Result<Target, StartError> {
        if let Some(name) = program_name(path)
            && let Some(program) = self.programs.get(name)
        {
            return Ok(Target::Component(program.load(&self.runtime).await?));
        }
        let options = OpenOptions {
            read: true,
            follow: true,
            ..OpenOptions::default()
        };
        let root = self.vfs.root();
        let node = self.vfs.open_at(&root, path, options, &NoFds)?;
        if let Some(name) = node.program() {
            // By another way to the same place: `/bin/../usr/bin/ls`, or a link.
            let program = self.programs.get(&name).ok_or(FsError::NoEntry)?;
            return Ok(Target::Component(program.load(&self.runtime).await?));
        }
        let stat = node.stat()?;
        if stat.kind != FileKind::Regular || stat.mode & 0o111 == 0 {
            return Err(StartError::NotExecutable);
        }
        let (head, _) = node.read_part(0, INTERPRETER_LINE_BYTES_MAX)?;
        if head.starts_with(WASM_MAGIC) {
            return Ok(Target::Component(
                self.compile(path, &node, stat.size).await?,
            ));
        }
        interpreter(&head).ok_or(StartError::Format)
    }

    async fn compile(
        self: &Arc<Self>,
        path: &str,
        node: &Node,
        size: u64,
    ) -> Result<Arc<LoadedComponent>, StartError> {
        if size > COMPONENT_BYTES_MAX {
            return Err(FsError::FileTooLarge.into());
        }
        let wasm = read_whole(node)?;
        let source = ComponentSource {
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            wasm,
            digest: None,
            wit: None,
            trust: Trust::Untrusted,
        };
        let component = self.runtime.load(source).await?;
        if component.program().is_none() {
            return Err(StartError::Format);
        }
        Ok(component)
    }
}

fn read_whole(node: &Node) -> Result<Bytes, FsError> {
    let mut bytes = Vec::new();
    loop {
        let (part, _) = node.read_part(bytes.len() as u64, 1 << 20)?;
        if part.is_empty() {
            return Ok(bytes.into());
        }
        bytes.extend_from_slice(&part);
        if bytes.len() as u64 > COMPONENT_BYTES_MAX {
            return Err(FsError::FileTooLarge);
        }
    }
}

/// Returns the program that a path names in its plainest form.
fn program_name(path: &str) -> Option<&str> {
    let name = path
        .strip_prefix("/usr/bin/")
        .or_else(|| path.strip_prefix("/bin/"))?;
    (!name.contains('/')).then_some(name)
}

/// Reads the `#!` line, as Linux does: one argument at most, with its inner blanks.
fn interpreter(head: &[u8]) -> Option<Target> {
    let line = head.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim();
    let (interpreter, argument) = match line.split_once([' ', '\t']) {
        Some((interpreter, argument)) => (interpreter, Some(argument.trim().to_owned())),
        None => (line, None),
    };
    interpreter
        .starts_with('/')
        .then(|| Target::Script(interpreter.to_owned(), argument))
}
