//! Runs one case in a fresh hand, as `bash -c` in an empty folder.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sinew_runtime::fs::Rights;
use sinew_runtime::{
    CompilerCommand, CompilerLimits, ProgramEnd, Programs, Resources, RunProgram, Runtime,
    RuntimeConfig, Sink,
};
use tokio_util::sync::CancellationToken;

use super::case::Case;

/// When a case that hangs is ended; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// As `record.py` has it.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/bin:/bin"),
    ("HOME", "/workspace"),
    ("USER", "agent"),
    ("LANG", "C.UTF-8"),
    ("TERM", "dumb"),
    ("TZ", "UTC"),
    ("PWD", "/workspace"),
    ("SHELL", "/bin/bash"),
];

/// What a case answered.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// -1 for a case that did not end.
    pub(super) status: i32,
}

/// A runtime with all programs, loaded once for all cases.
pub(super) struct Bench {
    runtime: Runtime,
    programs: Arc<Programs>,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let compiler = CompilerCommand {
            program: crate::PROGRAM.into(),
            args: vec!["compile-worker".into()],
            limits: CompilerLimits::default(),
        };
        let cache = sinew_tests::daemon::cache();
        let runtime = Runtime::new(RuntimeConfig::new(cache, compiler)).unwrap();
        let programs = sinew::hands::programs().unwrap();
        programs.load_all(&runtime, |_| {}).await.unwrap();
        Self {
            runtime,
            programs: Arc::new(programs),
        }
    }

    pub(super) async fn run(&self, case: &Case) -> Answer {
        let folder = tempfile::tempdir().unwrap();
        let open = |path: &Path| Dir::open_ambient_dir(path, ambient_authority()).unwrap();
        let made = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let (workspace, tmp) = (made("workspace"), made("tmp"));
        case.lay_files(&workspace);
        let resources = Resources::default()
            .programs(Arc::clone(&self.programs))
            .mount("/workspace", open(&workspace), Rights::ReadWrite)
            .mount("/tmp", open(&tmp), Rights::ReadWrite);
        let hand = self.runtime.provision(resources).unwrap();
        let (stdout, stderr) = (Arc::<Kept>::default(), Arc::<Kept>::default());
        let own = |text: &str| text.to_owned();
        let ended = hand
            .run_program(RunProgram {
                program: own("/usr/bin/bash"),
                arguments: vec![own("bash"), own("-c"), case.script.clone()],
                environment: ENVIRONMENT
                    .iter()
                    .map(|(name, value)| (own(name), own(value)))
                    .collect(),
                directory: own("/workspace"),
                stdin: case
                    .stdin
                    .clone()
                    .map(|text| Box::new(Cursor::new(text.into_bytes())) as Box<dyn Read + Send>),
                stdout: Arc::<Kept>::clone(&stdout),
                stderr: Arc::<Kept>::clone(&stderr),
                deadline: Some(Instant::now() + PATIENCE),
                cancel: CancellationToken::new(),
            })
            .await
            .unwrap();
        Answer {
            stdout: stdout.take(),
            stderr: stderr.take(),
            status: match ended {
                ProgramEnd::Ended(ended) => i32::from(ended.status()),
                ProgramEnd::TimedOut | ProgramEnd::Cancelled => -1,
            },
        }
    }
}

#[derive(Default)]
struct Kept(Mutex<Vec<u8>>);

impl Kept {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Sink for Kept {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
}
