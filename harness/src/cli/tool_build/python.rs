//! Python: componentize-py puts CPython and the modules that the module `app` imports into one component.

use std::path::{Path, PathBuf};

use super::Project;
use super::error::{BuildError, answer, command, run};

/// What installs the version that this is tested with.
pub(in crate::cli) const COMPONENTIZE_PY_SETUP: &str =
    "python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1";
const PROGRAM: &str = "componentize-py";
/// The module in `src` that defines the world's functions.
const APP: &str = "app";

pub(super) fn build(project: &Project, scratch: &Path) -> Result<PathBuf, BuildError> {
    let made = scratch.join("component.wasm");
    let environment = project.folder.join(".venv");
    let own = environment.join("bin").join(PROGRAM);
    let has_own = own.is_file();
    let program = if has_own { own } else { PathBuf::from(PROGRAM) };
    if answer(command(&program, &project.folder).arg("--version")).is_none() {
        return Err(BuildError::missing(PROGRAM, COMPONENTIZE_PY_SETUP));
    }
    let mut componentize = command(&program, &project.folder);
    if environment.is_dir() {
        // Packages that the project installed there are looked for in it.
        componentize.env("VIRTUAL_ENV", &environment);
    }
    project.announce(PROGRAM);
    componentize
        .arg("--quiet")
        .arg("--wit-path")
        .arg(&project.manifest.wit)
        .args(["--world", project.world(), "componentize"])
        .args(["--python-path", "src", "--output"])
        .arg(&made);
    if !project.world.imports("wasi") {
        // Otherwise it asks for files and sockets, whatever the program does.
        componentize.arg("--stub-wasi");
    }
    componentize.arg(APP);
    run(&mut componentize, PROGRAM).map(|()| made)
}
