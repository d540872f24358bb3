//! Rust: cargo makes the component by itself, for the target `wasm32-wasip2`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Project;
use super::error::{BuildError, answer, command};

pub(super) const TARGET: &str = "wasm32-wasip2";
const RUSTUP_SETUP: &str =
    "install Rust with rustup (https://rustup.rs), then: rustup target add wasm32-wasip2";
const TARGET_SETUP: &str = "rustup target add wasm32-wasip2";
/// cargo's name for a library that others than Rust can load: what becomes a component.
const CDYLIB: &str = "cdylib";

pub(super) fn build(project: &Project) -> Result<PathBuf, BuildError> {
    libraries(&project.folder)?;
    project.announce("cargo");
    let mut cargo = command("cargo", &project.folder);
    cargo.args(["build", "--target", TARGET, "--message-format"]);
    // Its own words go to standard error, a line of JSON for each thing that it made to standard output.
    cargo.arg("json-render-diagnostics");
    if !project.is_debug {
        cargo.arg("--release");
    }
    let messages = messages(&mut cargo)?;
    let own = project.folder.join("Cargo.toml");
    component(&messages, &own).ok_or_else(|| BuildError::NoComponent {
        program: "cargo".to_owned(),
        reason: "Cargo.toml needs [lib] crate-type = [\"cdylib\"]".to_owned(),
    })
}

/// Returns the folder of the target's libraries, as the Rust of the project's folder has them.
pub(super) fn libraries(folder: &Path) -> Result<PathBuf, BuildError> {
    let mut rustc = command("rustc", folder);
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    match answer(&mut rustc).map(PathBuf::from) {
        Some(libraries) if libraries.is_dir() => Ok(libraries),
        Some(_) => Err(BuildError::missing(
            format!("Rust's target {TARGET}"),
            TARGET_SETUP,
        )),
        None => Err(BuildError::missing("Rust", RUSTUP_SETUP)),
    }
}

fn messages(cargo: &mut Command) -> Result<String, BuildError> {
    let program = || "cargo".to_owned();
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => BuildError::missing("cargo", RUSTUP_SETUP),
            _ => BuildError::CannotRun {
                program: program(),
                source,
            },
        })?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(BuildError::Failed {
            program: program(),
            status: output.status,
        }),
    }
}

/// Returns the component of the package with this manifest among what cargo made.
fn component(messages: &str, manifest: &Path) -> Option<PathBuf> {
    messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_ours = message.get("reason")? == "compiler-artifact"
            && Path::new(message.get("manifest_path")?.as_str()?) == manifest;
        let kinds = message.get("target")?.get("crate_types")?.as_array()?;
        if !is_ours || !kinds.iter().any(|kind| kind == CDYLIB) {
            return None;
        }
        let files = message.get("filenames")?.as_array()?;
        let mut files = files.iter().filter_map(Value::as_str).map(PathBuf::from);
        files.find(|file| file.extension().is_some_and(|end| end == "wasm"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_the_library_of_the_package_itself() {
        let line = |manifest: &str, kind: &str, file: &str| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\"manifest_path\":{manifest:?},\"target\":{{\"crate_types\":[{kind:?}]}},\
                 \"filenames\":[{file:?}]}}\n"
            )
        };
        let ours = "/p/Cargo.toml";
        let messages = [
            line("/q/Cargo.toml", "cdylib", "/t/other.wasm"),
            line(ours, "cdylib", "/t/words.wasm"),
            line(ours, "bin", "/t/program.wasm"),
            "warning\n{\"reason\":\"build-finished\"}\n".to_owned(),
        ];
        let found = component(&messages.concat(), Path::new(ours));
        assert_eq!(found, Some(PathBuf::from("/t/words.wasm")));
        let found = component(&line(ours, "rlib", "/t/libwords.rlib"), Path::new(ours));
        assert_eq!(found, None);
    }
}
