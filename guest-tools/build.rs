//! Builds the guests and writes the table that `src/lib.rs` embeds.
//!
//! The guests are a workspace of their own for another target, so an inner cargo builds them into
//! `<target>/guests`, beside the outer build's folders and with nothing of the outer build's settings.
//! `SINEW_GUESTS_DIR` names a folder of prebuilt `<name>.wasm` to take instead.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

#[path = "build/c_compiler.rs"]
mod c_compiler;

const TARGET: &str = "wasm32-wasip2";

/// What there is to build. A new guest is a folder in `guests/` and a line here.
const GUESTS: &[Guest] = &[
    Guest::tools("files", &["files", "tool"]),
    Guest::tools("web", &["web", "tool"]),
    Guest::program("archive"),
    Guest::program("awk"),
    Guest::program("bash"),
    Guest::program("coreutils"),
    Guest::program("curl"),
    Guest::program("diff"),
    Guest::program("find"),
    Guest::program("grep"),
    Guest::program("jq"),
    Guest::program("make"),
    Guest::program("misc"),
    Guest::program("procps"),
    Guest::program("ripgrep"),
    Guest::program("sed"),
    Guest::program("sqlite3"),
    Guest::program("sysutils"),
    Guest::program("utillinux"),
    Guest::program("yq"),
];

/// A package of the guests' workspace, which makes one component.
struct Guest {
    name: &'static str,
    /// The folders in `tools-wit/` that make up its WIT, its own package first.
    wit: &'static [&'static str],
    /// Its package has a file `programs` with the names of the programs that it is, one a line.
    is_program: bool,
}

impl Guest {
    const fn tools(name: &'static str, wit: &'static [&'static str]) -> Self {
        Self {
            name,
            wit,
            is_program: false,
        }
    }

    const fn program(name: &'static str) -> Self {
        Self {
            name,
            wit: &[],
            is_program: true,
        }
    }
}

/// Packages that the guests are made of besides their own, and changes to other people's that they are built with.
const LIBRARIES: &[&str] = &[
    "bash-syntax",
    "bash-text",
    "calendar",
    "gnu-options",
    "http-client",
    "posix-regex",
    "process",
    "streams",
    "sysutils",
];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() {
    if let Err(error) = run() {
        eprintln!("error: {error}");
        process::exit(1);
    }
}

fn run() -> Outcome<()> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let guests = here.join("guests");
    let wit = here
        .parent()
        .ok_or("the crate has no parent folder")?
        .join("tools-wit");

    watch(&here, &guests, &wit);
    println!("cargo::rerun-if-env-changed=SINEW_GUESTS_DIR");
    let built = match env::var_os("SINEW_GUESTS_DIR") {
        Some(folder) => {
            let folder = here.join(folder);
            for guest in GUESTS {
                println!(
                    "cargo::rerun-if-changed={}",
                    component(&folder, guest).display()
                );
            }
            folder
        }
        None => build(&guests, &target_folder(&out, &guests))?,
    };

    let mut table = String::from("&[\n");
    for guest in GUESTS {
        let from = component(&built, guest);
        let to = component(&out, guest);
        fs::copy(&from, &to)
            .map_err(|error| format!("cannot take the guest {}: {error}", from.display()))?;
        writeln!(
            table,
            "Embedded {{ name: {:?}, wasm: include_bytes!({to:?}), digest: {:?}, wit: &[",
            guest.name,
            blake3::hash(&fs::read(&to)?).as_bytes(),
        )?;
        for (name, path) in wit_files(&wit, guest)? {
            writeln!(table, "    ({name:?}, include_str!({path:?})),")?;
        }
        let names = programs(&guests, guest)?;
        writeln!(table, "], programs: &{names:?} }},")?;
    }
    table.push_str("]\n");
    fs::write(out.join("embedded.rs"), table)?;
    Ok(())
}

/// Tells cargo what a guest is made of; folders are watched with all that is in them.
fn watch(here: &Path, guests: &Path, wit: &Path) {
    let whole = ["Cargo.toml", "Cargo.lock", ".cargo"].map(|name| guests.join(name));
    let packages = GUESTS
        .iter()
        .map(|guest| guest.name)
        .chain(LIBRARIES.iter().copied())
        .flat_map(|package| {
            ["Cargo.toml", "src", "programs"].map(|name| guests.join(package).join(name))
        })
        .filter(|path| path.exists());
    let wit = GUESTS
        .iter()
        .flat_map(|guest| guest.wit.iter().copied())
        .chain(["process"])
        .map(|folder| wit.join(folder));
    for path in [here.join("build.rs"), here.join("build")]
        .into_iter()
        .chain(whole)
        .chain(packages)
        .chain(wit)
    {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// Returns the guests' target folder, in the outer build's: `<target>/[<triple>/]<profile>/build/<package>/out`
/// is ours. Each checkout has its own, because cargo gives a component no name of its own by which two
/// checkouts that share a target folder could tell theirs apart.
fn target_folder(out: &Path, guests: &Path) -> PathBuf {
    let build = out
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "build"));
    let target = build
        .and_then(|build| build.parent()?.parent())
        .unwrap_or(out);
    let mut checkout = DefaultHasher::new();
    guests.hash(&mut checkout);
    target
        .join("guests")
        .join(format!("{:016x}", checkout.finish()))
}

/// Builds all guests and returns the folder of their components.
fn build(guests: &Path, target_folder: &Path) -> Outcome<PathBuf> {
    ensure_target(guests)?;
    let mut cargo = clean(Command::new(variable("CARGO")?), guests);
    c_compiler::provide(&mut cargo, target_folder)?;
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(target_folder);
    for guest in GUESTS {
        cargo.args(["--package", guest.name]);
    }
    // Cargo speaks on stderr, which the outer cargo shows if this fails; stdout is the outer cargo's.
    let status = cargo
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        return Err(
            format!("building the guests failed ({status}); cargo's own words are above").into(),
        );
    }
    Ok(target_folder.join(TARGET).join("release"))
}

/// Makes sure that the compiler knows the guests' target, installing it where rustup can.
fn ensure_target(guests: &Path) -> Outcome<()> {
    if has_target(guests) {
        return Ok(());
    }
    let added = clean(Command::new("rustup"), guests)
        .args(["target", "add", TARGET])
        .stdout(Stdio::null())
        .status();
    if added.is_ok_and(|status| status.success()) && has_target(guests) {
        return Ok(());
    }
    Err(format!(
        "the Rust target {TARGET} is missing and could not be installed.\n\
         With rustup, run:\n\n    rustup target add {TARGET}\n\n\
         Without it, install your distribution's rust-std for {TARGET}, or set SINEW_GUESTS_DIR to a folder of prebuilt guests."
    )
    .into())
}

fn has_target(guests: &Path) -> bool {
    let print = ["--print", "target-libdir", "--target", TARGET];
    let output = clean(Command::new("rustc"), guests)
        .args(print)
        .stderr(Stdio::null())
        .output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}

/// Runs a command in the guests' workspace without what the outer cargo set for this one build. What a
/// user set for cargo (its home, registries, network, and the job server) stays.
fn clean(mut command: Command, guests: &Path) -> Command {
    const CARGO_KEPT: [&str; 7] = [
        "HOME",
        "HTTP_",
        "MAKEFLAGS",
        "NET_",
        "REGISTR",
        "SOURCE_",
        "TERM_",
    ];
    const CLEARED: [&str; 6] = [
        "RUSTFLAGS",
        "RUSTDOC",
        "RUSTDOCFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
    ];
    let leaks = |name: &str| match name.strip_prefix("CARGO_") {
        Some(rest) => !CARGO_KEPT.iter().any(|kept| rest.starts_with(kept)),
        None => CLEARED.contains(&name) || name.starts_with("RUSTC_"),
    };
    for name in env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_str().is_some_and(leaks))
    {
        command.env_remove(name);
    }
    command.current_dir(guests);
    command
}

/// Returns the names of the programs that a guest is.
fn programs(guests: &Path, guest: &Guest) -> Outcome<Vec<String>> {
    if !guest.is_program {
        return Ok(Vec::new());
    }
    let path = guests.join(guest.name).join("programs");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

fn component(folder: &Path, guest: &Guest) -> PathBuf {
    folder.join(guest.name).with_extension("wasm")
}

/// Lists a guest's WIT files as `<folder>/<file>` and path, its own package first.
fn wit_files(wit: &Path, guest: &Guest) -> Outcome<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for folder in guest.wit {
        let listing = fs::read_dir(wit.join(folder));
        let listing = listing
            .map_err(|error| format!("cannot list {}: {error}", wit.join(folder).display()))?;
        let mut names: Vec<OsString> = listing
            .map(|entry| Ok(entry?.file_name()))
            .collect::<Outcome<_>>()?;
        names.retain(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "wit")
        });
        names.sort();
        files.extend(names.iter().map(|name| {
            (
                format!("{folder}/{}", name.to_string_lossy()),
                wit.join(folder).join(name),
            )
        }));
    }
    Ok(files)
}

fn variable(name: &str) -> Outcome<OsString> {
    env::var_os(name)
        .ok_or_else(|| format!("{name} is not set; this is a cargo build script").into())
}
