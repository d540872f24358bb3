//! Keeps compiled components on disk, so that each is compiled once.
//!
//! Whoever writes machine code that the daemon loads owns the daemon, and wasmtime does not check what it loads. So an
//! artefact is loaded only with a seal: a keyed hash over the component's key, the machine code and the tool list, made
//! with a secret that lies in the data folder for the daemon alone. What has no right seal is compiled again: changed,
//! foreign and half-written artefacts cost time and nothing else, which is also why nothing here is synced to disk.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::compile::{
    CompileError, Compiled, CompilerCommand, TOOLS_BYTES_MAX, bounded, check_size, compile,
};
use crate::component::ComponentSource;
use crate::component_witness::{is_settled, is_witnessed, witness};
use crate::engine;
use crate::typed::ToolSet;
use crate::typed::docs::{self, DocsError};

/// Compilations of untrusted components at the same time; each may take gigabytes.
const UNTRUSTED_COMPILATIONS_MAX: usize = 1;

const ARTEFACT: &str = "artefact.cwasm";
const TOOLS: &str = "tools.json";
const SEAL: &str = "seal";
const WITNESS: &str = "witness";
const SEAL_KEY: &str = "seal.key";

/// Who answers for a component, which decides where it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It ships inside this program: compiled in this process.
    Embedded,
    /// It came from somebody: compiled in a confined child process, one at a time.
    Untrusted,
}

/// Why a component could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It asks for a larger table, more modules or the like than any process gets.
    #[error("the component asks for more than a process can have: {0}")]
    TooDemanding(String),
    /// It imports something that this runtime does not offer.
    #[error("the component asks for something that does not exist here: {0}")]
    Unlinkable(String),
    /// The documentation sent with it cannot be read.
    #[error(transparent)]
    Docs(#[from] DocsError),
    /// The data folder cannot be used.
    #[error("the component store cannot {action} {}", path.display())]
    Storage {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Why what the store has of a component is not used.
enum Unusable {
    /// It is half-written, or was changed.
    Damaged(String),
    /// The engine does not run such a component.
    Unfit(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Damaged(reason) | Self::Unfit(reason)) = self;
        f.write_str(reason)
    }
}

/// A component as the store hands it out.
pub(crate) struct Stored {
    pub(crate) component: Component,
    pub(crate) tools: ToolSet,
}

/// The components of one data folder, for one engine.
pub(crate) struct ComponentStore(Arc<Inner>);

struct Inner {
    engine: Engine,
    /// What machine code depends on besides the component.
    fingerprint: [u8; 32],
    folder: PathBuf,
    seal_key: [u8; 32],
    compiler: CompilerCommand,
    untrusted: Semaphore,
    compilations: AtomicU64,
}

impl ComponentStore {
    /// Opens the store in `folder`, which is created for this user alone.
    pub(crate) fn open(
        engine: Engine,
        folder: PathBuf,
        compiler: CompilerCommand,
    ) -> Result<Self, LoadError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(storage("create", &folder))?;
        let path = folder.join(SEAL_KEY);
        let seal_key = seal_key(&path).map_err(storage("make or read", &path))?;
        Ok(Self(Arc::new(Inner {
            fingerprint: engine::fingerprint(&engine),
            engine,
            folder,
            seal_key,
            compiler,
            untrusted: Semaphore::new(UNTRUSTED_COMPILATIONS_MAX),
            compilations: AtomicU64::new(0),
        })))
    }

    /// Returns how many components were compiled, rather than found, since the store was opened.
    pub(crate) fn compilations(&self) -> u64 {
        self.0.compilations.load(Ordering::Relaxed)
    }

    /// Loads a component, compiling it if the store does not have it.
    ///
    /// Documentation becomes a part of the component: with other documentation it is another one.
    pub(crate) async fn load(&self, source: ComponentSource) -> Result<Stored, LoadError> {
        let ComponentSource {
            wasm,
            digest,
            wit,
            trust,
            ..
        } = source;
        check_size(&wasm)?;
        let (wasm, digest) = match wit {
            Some(wit) => (
                blocking(move || docs::embed(&wasm, &wit)).await??.into(),
                None,
            ),
            None => (wasm, digest),
        };
        let inner = Arc::clone(&self.0);
        let (key, found) = blocking({
            let (inner, wasm) = (Arc::clone(&inner), wasm.clone());
            move || {
                let digest = digest.unwrap_or_else(|| *blake3::hash(&wasm).as_bytes());
                let key = inner.key(&digest);
                let found = inner.find(&key);
                (key, found)
            }
        })
        .await?;
        if let Some(stored) = found {
            return Ok(stored);
        }
        match trust {
            Trust::Embedded => {
                blocking(move || {
                    inner.compilations.fetch_add(1, Ordering::Relaxed);
                    let compiled = compile(&inner.engine, &wasm)?;
                    inner.publish(&key, &compiled)
                })
                .await?
            }
            Trust::Untrusted => {
                let turn = inner.untrusted.acquire().await;
                let again = Arc::clone(&inner);
                let sought = key.clone();
                // Somebody else may have compiled it while this caller waited.
                if let Some(stored) = blocking(move || again.find(&sought)).await? {
                    return Ok(stored);
                }
                inner.compilations.fetch_add(1, Ordering::Relaxed);
                let compiled = inner.compiler.compile(&wasm).await?;
                let stored = blocking({
                    let inner = Arc::clone(&inner);
                    move || inner.publish(&key, &compiled)
                });
                let stored = stored.await?;
                drop(turn);
                stored
            }
        }
    }
}

impl Inner {
    fn key(&self, digest: &[u8; 32]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.fingerprint);
        hasher.update(digest);
        hasher.finalize().to_hex().to_string()
    }

    /// Returns the component if the store has it whole.
    fn find(&self, key: &str) -> Option<Stored> {
        let folder = self.folder.join(key);
        if !folder.is_dir() {
            return None;
        }
        match self.read(key, &folder) {
            Ok(stored) => Some(stored),
            Err(reason) => {
                tracing::warn!(
                    key,
                    %reason,
                    "compiled component is not usable and made again"
                );
                None
            }
        }
    }

    fn read(&self, key: &str, folder: &Path) -> Result<Stored, Unusable> {
        let because = |error: io::Error| Unusable::Damaged(error.to_string());
        let mut tools_json = Vec::new();
        File::open(folder.join(TOOLS))
            .and_then(|file| {
                file.take(TOOLS_BYTES_MAX as u64)
                    .read_to_end(&mut tools_json)
            })
            .map_err(because)?;
        let mut seal = [0; blake3::OUT_LEN];
        File::open(folder.join(SEAL))
            .and_then(|mut file| file.read_exact(&mut seal))
            .map_err(because)?;
        let artefact = folder.join(ARTEFACT);
        let file = File::open(&artefact).map_err(because)?;
        let metadata = file.metadata().map_err(because)?;
        let witness = witness(
            &self.seal_key,
            [key.as_bytes(), &tools_json, &seal],
            &metadata,
        );
        let witness_path = folder.join(WITNESS);
        let is_witnessed =
            File::open(&witness_path).is_ok_and(|mut written| is_witnessed(&mut written, &witness));
        if !is_witnessed {
            let expected = self.seal(key, &tools_json, file).map_err(because)?;
            // Compared in constant time.
            if expected != blake3::Hash::from_bytes(seal) {
                return Err(Unusable::Damaged("its seal is not right".to_owned()));
            }
            if is_settled(&metadata, SystemTime::now()) {
                // Only for the next time: in a folder that cannot be written everything works without.
                let _ = replace(&witness_path, witness.as_bytes());
            }
        }
        let tools = serde_json::from_slice(&tools_json)
            .map_err(|error| Unusable::Damaged(error.to_string()))?;
        let component = map_artefact(&self.engine, &artefact)
            .map_err(|error| Unusable::Unfit(bounded(&format!("{error:#}"))))?;
        Ok(Stored { component, tools })
    }

    /// Stores what was compiled and loads it from there, so that its pages are the file's.
    fn publish(&self, key: &str, compiled: &Compiled) -> Result<Stored, LoadError> {
        let folder = self.folder.join(key);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(storage("create", &folder))?;
        let seal = self
            .seal(key, &compiled.tools_json, compiled.artefact.as_slice())
            .map_err(storage("seal", &folder))?;
        // The seal last: until it is there, a reader takes the others for half-written.
        for (name, bytes) in [
            (ARTEFACT, compiled.artefact.as_slice()),
            (TOOLS, compiled.tools_json.as_slice()),
            (SEAL, seal.as_bytes().as_slice()),
        ] {
            let path = folder.join(name);
            replace(&path, bytes).map_err(storage("write", &path))?;
        }
        self.read(key, &folder).map_err(|unusable| match unusable {
            // Compiled just now by the same engine, so it is the component that does not fit.
            Unusable::Unfit(reason) => LoadError::TooDemanding(reason),
            Unusable::Damaged(reason) => CompileError::CompilerFailed(format!(
                "what was compiled cannot be loaded: {reason}"
            ))
            .into(),
        })
    }

    fn seal(&self, key: &str, tools_json: &[u8], artefact: impl Read) -> io::Result<blake3::Hash> {
        let mut hasher = blake3::Hasher::new_keyed(&self.seal_key);
        // All but the last part have a fixed length or their length before them.
        hasher.update(key.as_bytes());
        hasher.update(&(tools_json.len() as u64).to_le_bytes());
        hasher.update(tools_json);
        hasher.update_reader(artefact)?;
        Ok(hasher.finalize())
    }
}

#[expect(
    unsafe_code,
    reason = "loading machine code is unsafe by nature; this is the only place"
)]
fn map_artefact(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file must hold what this engine's compiler made and must not change while it is mapped. Its only
    // caller, `Inner::read`, has just checked a keyed hash of the whole file. The folder is open to this user alone,
    // and `replace` never writes into a file that has its final name.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Puts a file in place whole, whatever stands there.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path)?;
    let written = write_new(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(bytes)
}

/// Returns a name beside `path` that nobody else uses.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let suffix: [u8; 8] = random()?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:016x}", u64::from_le_bytes(suffix)));
    Ok(name.into())
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut rest = bytes.as_mut_slice();
    while !rest.is_empty() {
        let length = rustix::rand::getrandom(&mut *rest, rustix::rand::GetRandomFlags::empty())?;
        rest = rest.get_mut(length..).unwrap_or_default();
    }
    Ok(bytes)
}

/// Reads the folder's secret, or makes one.
///
/// A secret that others could have read, or that is not whole, is replaced; all components are then compiled again.
fn seal_key(path: &Path) -> io::Result<[u8; 32]> {
    match File::open(path) {
        Ok(mut file) => {
            let metadata = file.metadata()?;
            let mut key = [0; 32];
            let is_private = metadata.permissions().mode() & 0o077 == 0;
            if is_private && metadata.len() == 32 && file.read_exact(&mut key).is_ok() {
                return Ok(key);
            }
            tracing::warn!(path = %path.display(), "the component store's key is not private and whole; a new one is made");
            let key = random()?;
            replace(path, &key)?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let temporary = temporary(path)?;
            write_new(&temporary, &random::<32>()?)?;
            // Of two daemons that start at once, one makes the key and both read it.
            let linked = std::fs::hard_link(&temporary, path);
            std::fs::remove_file(&temporary)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => {
                    let mut key = [0; 32];
                    File::open(path)?.read_exact(&mut key)?;
                    Ok(key)
                }
            }
        }
        Err(error) => Err(error),
    }
}

fn storage<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> LoadError + use<'a> {
    move |source| LoadError::Storage {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Runs file and compiler work where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CompileError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        // Reached only by a bug in the compiler; the process stays.
        CompileError::CompilerFailed(error.to_string())
    })
}
