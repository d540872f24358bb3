//! Finds a C compiler for the guests' target: SQLite is C.
//!
//! In order: what the user names in `CC_wasm32_wasip2` (with `AR_wasm32_wasip2`); `zig` on the path; zig as the
//! Python package `ziglang` of one fixed version, installed once into a virtual environment beside the guests'
//! target folder. Zig brings headers of wasi-libc; what is linked is the wasi-libc that comes with Rust.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Outcome, TARGET};

/// The version that the guests are tested with.
const ZIGLANG: &str = "ziglang==0.15.2";
/// What to do where none is found.
const REMEDY: &str = "The guest sqlite3 is C and needs a compiler for WebAssembly. Either\n\n\
    - put zig 0.15 on the path (https://ziglang.org/download), or\n\
    - set CC_wasm32_wasip2 and AR_wasm32_wasip2 to clang and llvm-ar of a wasi-sdk, or\n\
    - make python3 with its module venv and the Python package index reachable, or\n\
    - set SINEW_GUESTS_DIR to a folder of prebuilt guests.";

/// Tells an inner cargo where its C compiler is. `beside` is a folder that outlives the build.
pub(crate) fn provide(cargo: &mut Command, beside: &Path) -> Outcome<()> {
    for name in ["CC", "AR"] {
        println!("cargo::rerun-if-env-changed={}", variable(name));
    }
    if std::env::var_os(variable("CC")).is_some() {
        return Ok(());
    }
    let folder = beside.join("zig");
    let zig = if answers(Command::new("zig").arg("version")) {
        "zig".to_owned()
    } else {
        format!("'{}' -m ziglang", python(&folder)?.display())
    };
    fs::create_dir_all(&folder)?;
    // The crate cc names Rust's target, for which zig has a name of its own. Undefined behaviour is not trapped:
    // SQLite has none that matters, and its checks need a runtime that is not linked.
    let compiler = format!(
        "#!/bin/sh\nfor argument do\n    shift\n    case $argument in\n        --target=*) ;;\n        \
         *) set -- \"$@\" \"$argument\" ;;\n    esac\ndone\n\
         exec {zig} cc -target wasm32-wasi -fno-sanitize=all \"$@\"\n"
    );
    let archiver = format!("#!/bin/sh\nexec {zig} ar \"$@\"\n");
    cargo
        .env(variable("CC"), script(&folder.join("cc"), &compiler)?)
        .env(variable("AR"), script(&folder.join("ar"), &archiver)?)
        .env("ZIG_GLOBAL_CACHE_DIR", folder.join("cache"))
        .env("ZIG_LOCAL_CACHE_DIR", folder.join("cache"));
    Ok(())
}

fn variable(name: &str) -> String {
    format!("{name}_{}", TARGET.replace('-', "_"))
}

/// Returns a Python that has zig, made now if it is not there yet.
fn python(folder: &Path) -> Outcome<PathBuf> {
    let environment = folder.join(ZIGLANG.replace("==", "-"));
    let python = environment.join("bin").join("python");
    if has_zig(&python) {
        return Ok(python);
    }
    println!(
        "cargo::warning=installing {ZIGLANG} (a C compiler for WebAssembly) into {}",
        environment.display()
    );
    let is_made =
        make_environment(&environment) || (installs_venv() && make_environment(&environment));
    if !is_made {
        return Err(format!(
            "python3 -m venv failed (Debian: apt-get install python3-venv).\n{REMEDY}"
        )
        .into());
    }
    let installed = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", ZIGLANG])
        .stdout(Stdio::null())
        .status();
    if installed.is_ok_and(|status| status.success()) && has_zig(&python) {
        return Ok(python);
    }
    Err(format!("pip could not install {ZIGLANG}; its own words are above.\n{REMEDY}").into())
}

fn make_environment(folder: &Path) -> bool {
    let made = Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(folder)
        .stdout(Stdio::null())
        .status();
    made.is_ok_and(|status| status.success())
}

/// Installs what Debian leaves out of its Python, where that is allowed. Returns whether it did.
fn installs_venv() -> bool {
    let user = Command::new("id").arg("-u").output();
    let is_root = user.is_ok_and(|output| output.stdout == b"0\n");
    if !is_root || !answers(Command::new("apt-get").arg("--version")) {
        return false;
    }
    println!("cargo::warning=installing the Debian package python3-venv");
    answers(Command::new("apt-get").args(["update", "-qq"]))
        && answers(Command::new("apt-get").args(["install", "-y", "-qq", "python3-venv"]))
}

fn has_zig(python: &Path) -> bool {
    answers(Command::new(python).args(["-m", "ziglang", "version"]))
}

fn answers(command: &mut Command) -> bool {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Writes a script and returns its path; one that is as it should be keeps its time.
fn script(path: &Path, text: &str) -> Outcome<PathBuf> {
    if !fs::read_to_string(path).is_ok_and(|there| there == text) {
        fs::write(path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(path.to_owned())
}
