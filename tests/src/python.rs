//! Python environments, each set up once for the machine and kept.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

/// The SDK version that the tests are written for.
pub const SDK_VERSION: &str = "2.11.0";
/// The version of the program that makes requests from an OpenAPI document.
const SCHEMATHESIS_VERSION: &str = "4.32.5";
/// The version of the official SDK of MCP servers.
const MCP_VERSION: &str = "2.3.0";
/// The version of what makes components of Python, as `sinew tool build` asks for it.
const COMPONENTIZE_PY_VERSION: &str = "0.25.1";
/// The version of the C compiler for WebAssembly, as `sinew tool build` asks for it.
const ZIGLANG_VERSION: &str = "0.15.2";
/// The version of the server that stands in for a cloud's object store.
const MOTO_VERSION: &str = "5.2.5";

/// Returns the interpreter of a virtual environment that has the official SDK, making it on first use.
/// Errors name what is missing and how to get it.
pub fn interpreter() -> Result<PathBuf> {
    let name = format!("{SDK_VERSION}-webhooks");
    // With what checks the signatures of webhooks.
    let package = format!("anthropic[webhooks]=={SDK_VERSION}");
    Ok(environment(&name, "the official Python SDK", &package)?.join("python"))
}

/// Returns the program `schemathesis`, installing it on first use. Errors as for [`interpreter`].
pub fn schemathesis() -> Result<PathBuf> {
    let name = format!("schemathesis-{SCHEMATHESIS_VERSION}");
    let package = format!("schemathesis=={SCHEMATHESIS_VERSION}");
    Ok(environment(&name, "Schemathesis", &package)?.join("schemathesis"))
}

/// Returns the interpreter of an environment that has a server that speaks S3, installing it on first use. Errors as
/// for [`interpreter`].
pub fn bucket_server() -> Result<PathBuf> {
    let name = format!("moto-{MOTO_VERSION}");
    let package = format!("moto[server]=={MOTO_VERSION}");
    Ok(environment(&name, "a server that speaks S3", &package)?.join("python"))
}

/// Returns the interpreter of an environment that has the official SDK of MCP servers, installing it on first use. Errors
/// as for [`interpreter`].
pub fn mcp_server() -> Result<PathBuf> {
    let name = format!("mcp-{MCP_VERSION}");
    let package = format!("mcp=={MCP_VERSION}");
    Ok(environment(&name, "the SDK of MCP servers", &package)?.join("python"))
}

/// Returns an environment that has what makes components of Python, installing it on first use. Errors as for
/// [`interpreter`].
pub fn componentize_py() -> Result<PathBuf> {
    whole("componentize-py", COMPONENTIZE_PY_VERSION)
}

/// Returns an environment that has a C compiler for WebAssembly, installing it on first use. Errors as for
/// [`interpreter`].
pub fn ziglang() -> Result<PathBuf> {
    whole("ziglang", ZIGLANG_VERSION)
}

/// Returns the folder of an environment that has a package, as a project has it as `.venv`.
fn whole(package: &str, version: &str) -> Result<PathBuf> {
    let name = format!("{package}-{version}");
    let programs = environment(&name, package, &format!("{package}=={version}"))?;
    let folder = programs.parent().context("programs without a folder")?;
    Ok(folder.to_owned())
}

/// Returns the folder of the programs of an environment that has a package.
fn environment(name: &str, what: &str, package: &str) -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("sinew-tests-python-{name}"));
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    // Tests run side by side; one of them makes the environment, the others wait.
    flock(&lock, FlockOperation::LockExclusive)?;
    let done = folder.join("done");
    let programs = folder.join("venv/bin");
    if !done.exists() {
        eprintln!("setting up {what} in {}", folder.display());
        make(&folder.join("venv"), &programs, package)?;
        std::fs::write(done, package)?;
    }
    Ok(programs)
}

fn make(venv: &Path, programs: &Path, package: &str) -> Result<()> {
    run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(venv),
        "python3 with its venv module is needed: install it (Debian: apt-get install python3 python3-venv)",
    )?;
    run(
        Command::new(programs.join("python")).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            package,
        ]),
        "the package could not be installed with pip: check the network or pip's configuration",
    )
}

fn run(command: &mut Command, remedy: &str) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}; {remedy}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}; {remedy}");
    }
    Ok(())
}
