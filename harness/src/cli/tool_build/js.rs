//! JavaScript: componentize-js puts StarlingMonkey and the module `src/app.js` with what it imports into one component.

use std::path::{Path, PathBuf};

use super::Project;
use super::error::{BuildError, answer, command, run};

/// What installs what `package.json` names, componentize-js above all.
pub(in crate::cli) const NPM_SETUP: &str = "npm install";
/// Oldest release of Node.js that componentize-js runs on.
const NODE_MAJOR_MIN: u32 = 20;
const SCRIPT: &str = include_str!("componentize.mjs");
const PACKAGE: &str = "node_modules/@bytecodealliance/componentize-js/package.json";
/// Relative to the folder that the program runs in: a whole path may hold a space, which componentize-js cannot read.
const SOURCE: &str = "src/app.js";
/// What the engine brings unless it is told not to, and the package of WASI that a world imports to have it.
const FEATURES: [(&str, &str); 5] = [
    ("stdio", "wasi:cli"),
    ("random", "wasi:random"),
    ("clocks", "wasi:clocks"),
    ("http", "wasi:http"),
    ("fetch-event", "wasi:http"),
];

pub(super) fn build(project: &Project, scratch: &Path) -> Result<PathBuf, BuildError> {
    let folder = &project.folder;
    let mut node = command("node", folder);
    let version = answer(node.args(["-p", "process.versions.node"])).unwrap_or_default();
    if !is_new_enough(&version) {
        return Err(BuildError::missing(
            format!("Node.js {NODE_MAJOR_MIN} or newer"),
            "install it with npm (https://nodejs.org), then: npm install",
        ));
    }
    // Where Node.js looks, too: in the folder and in all above it.
    if !folder
        .ancestors()
        .any(|above| above.join(PACKAGE).is_file())
    {
        return Err(BuildError::missing("componentize-js", NPM_SETUP));
    }
    let made = scratch.join("component.wasm");
    project.announce("componentize-js");
    // componentize-js only counts such mistakes; Node.js shows where they are.
    let mut check = command("node", folder);
    run(check.args(["--check", SOURCE]), "node")?;
    let left_out = FEATURES
        .iter()
        .filter(|(_, package)| !project.world.imports(package))
        .map(|(feature, _)| feature);
    let mut node = command("node", folder);
    node.args(["--input-type=module", "--eval", SCRIPT, "--", SOURCE])
        .arg(&project.manifest.wit)
        .arg(project.world())
        .arg(&made)
        .args(left_out);
    run(&mut node, "componentize-js").map(|()| made)
}

fn is_new_enough(version: &str) -> bool {
    let major = version.split('.').next().unwrap_or_default();
    major
        .parse::<u32>()
        .is_ok_and(|major| major >= NODE_MAJOR_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_or_no_node_is_not_enough() {
        assert!(is_new_enough("20.20.2") && is_new_enough("24.0.0"));
        assert!(!is_new_enough("18.19.1") && !is_new_enough("") && !is_new_enough("v20"));
    }
}
