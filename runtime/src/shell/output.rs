//! What a shell's call writes: the end of it is kept, the whole goes to a file of the hand once it is long.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fs::{FsError, NoFds, Node, OpenOptions, Vfs};
use crate::kernel::Sink;

/// What is kept of a call's output, in bytes; more goes to the file alone.
pub(super) const KEPT_BYTES_MAX: usize = 100 << 10;

/// Folder in the hand's `/tmp` for whole outputs.
const FOLDER: &str = "/tmp/tool-output";

/// Hears what is written while it is written.
pub type Progress = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Collects the output of one shell, call by call.
pub(super) struct Output {
    vfs: Arc<Vfs>,
    state: Mutex<State>,
    /// Counts the shells; what programs of an earlier one still write while they die is nobody's.
    shell: AtomicU64,
}

/// Where the programs of one shell write.
pub(super) struct Writer {
    output: Arc<Output>,
    shell: u64,
}

#[derive(Default)]
struct State {
    kept: VecDeque<u8>,
    total_bytes: u64,
    whole: Whole,
    /// Names the file, if there is to be one.
    name: String,
    progress: Option<Progress>,
}

/// The file of the whole output.
#[derive(Default)]
enum Whole {
    #[default]
    NotNeeded,
    Open(Node, String),
    /// It could not be made or filled.
    Failed(FsError),
}

/// The output of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The last bytes.
    pub(super) kept: Vec<u8>,
    pub(super) is_cut: bool,
    /// Where the whole is, or why it is nowhere; none if nothing was cut.
    pub(super) whole: Option<Result<String, FsError>>,
}

impl Output {
    pub(super) fn new(vfs: Arc<Vfs>) -> Arc<Self> {
        Arc::new(Self {
            vfs,
            state: Mutex::default(),
            shell: AtomicU64::new(0),
        })
    }

    /// Returns where the programs of a new shell write.
    pub(super) fn writer(self: &Arc<Self>) -> Writer {
        Writer {
            output: Arc::clone(self),
            shell: self.shell.load(Ordering::Acquire),
        }
    }

    /// Hears no more of the shell that there was, from now on.
    pub(super) fn cut_off(&self) {
        // Under the lock, so that no write is half way.
        let _state = self.lock();
        self.shell.fetch_add(1, Ordering::AcqRel);
    }

    /// Begins a call. What came since the last one, from programs in the background, belongs to this one.
    pub(super) fn begin(&self, name: String, progress: Option<Progress>) {
        let mut state = self.lock();
        if let Some(progress) = &progress {
            let (first, second) = state.kept.as_slices();
            progress(first);
            progress(second);
        }
        state.name = name;
        state.progress = progress;
    }

    /// Ends a call and returns what was written.
    pub(super) fn end(&self) -> Written {
        let mut state = self.lock();
        let ended = std::mem::take(&mut *state);
        let is_cut = ended.total_bytes > KEPT_BYTES_MAX as u64;
        Written {
            kept: ended.kept.into(),
            is_cut,
            whole: is_cut.then_some(match ended.whole {
                Whole::Open(_, path) => Ok(path),
                Whole::Failed(error) => Err(error),
                Whole::NotNeeded => Err(FsError::Io),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the file and writes what is there already.
    fn begin_whole(&self, state: &State) -> Result<(Node, String), FsError> {
        let root = self.vfs.root();
        match self.vfs.create_dir_at(&root, FOLDER) {
            Ok(()) | Err(FsError::Exist) => {}
            Err(error) => return Err(error),
        }
        let name = if state.name.is_empty() {
            "background"
        } else {
            &state.name
        };
        let path = format!("{FOLDER}/{name}.txt");
        let options = OpenOptions {
            write: true,
            create: true,
            truncate: true,
            ..OpenOptions::default()
        };
        let node = self.vfs.open_at(&root, &path, options, &NoFds)?;
        let (first, second) = state.kept.as_slices();
        append_all(&node, first)?;
        append_all(&node, second)?;
        Ok((node, path))
    }
}

fn append_all(node: &Node, mut bytes: &[u8]) -> Result<(), FsError> {
    while !bytes.is_empty() {
        let count = node.append(bytes)?;
        match bytes.get(count..) {
            Some(rest) if count > 0 => bytes = rest,
            _ => return Err(FsError::Io),
        }
    }
    Ok(())
}

impl Sink for Writer {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.output.take(bytes, self.shell);
        Ok(bytes.len())
    }
}

impl Output {
    /// Takes everything, always: a full disk must not end the programs, whose end is still kept.
    fn take(&self, bytes: &[u8], shell: u64) {
        let mut state = self.lock();
        if self.shell.load(Ordering::Acquire) != shell {
            return;
        }
        let state = &mut *state;
        if let Some(progress) = &state.progress {
            progress(bytes);
        }
        if state.kept.len() + bytes.len() > KEPT_BYTES_MAX
            && matches!(state.whole, Whole::NotNeeded)
        {
            state.whole = match self.begin_whole(state) {
                Ok((node, path)) => Whole::Open(node, path),
                Err(error) => Whole::Failed(error),
            };
        }
        if let Whole::Open(node, _) = &state.whole
            && let Err(error) = append_all(node, bytes)
        {
            state.whole = Whole::Failed(error);
        }
        state.total_bytes = state.total_bytes.saturating_add(bytes.len() as u64);
        let (_, last) = bytes.split_at(bytes.len().saturating_sub(KEPT_BYTES_MAX));
        let too_many = (state.kept.len() + last.len()).saturating_sub(KEPT_BYTES_MAX);
        state.kept.drain(..too_many.min(state.kept.len()));
        state.kept.extend(last);
    }
}
