//! C: any compiler for WebAssembly makes objects; libc, compiler support and linker are those that come with Rust.
//!
//! The functions to define are declared by a header that is generated here, so no other program is needed for it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Project;
use super::error::{BuildError, answer, command, run};
use super::rust::{TARGET, libraries};

/// What installs the compiler that this is tested with.
pub(in crate::cli) const ZIGLANG_SETUP: &str =
    "python3 -m venv .venv && .venv/bin/pip install ziglang==0.15.2";
/// Names a compiler that finds its own headers, as for the crate cc.
const COMPILER_VARIABLE: &str = "CC_wasm32_wasip2";
/// Folder of a wasi-sdk, which has a compiler with headers.
const SDK_VARIABLE: &str = "WASI_SDK_PATH";
/// Folder of everything generated.
const BUILD: &str = "build";
const LINKER: &str = "wasm-component-ld";

/// A compiler and the arguments that make it one for WebAssembly.
struct Compiler {
    program: PathBuf,
    arguments: Vec<String>,
}

pub(super) fn build(project: &Project) -> Result<PathBuf, BuildError> {
    let folder = &project.folder;
    let support = Support::find(folder)?;
    let compiler = Compiler::find(folder)?;
    let build = folder.join(BUILD);
    let objects = build.join("objects");
    std::fs::create_dir_all(&objects).map_err(BuildError::io(&objects))?;
    for (name, content) in project.world.c_bindings()? {
        let path = build.join(name);
        // One that is as it should be keeps its time: editors and make look at it.
        if !std::fs::read(&path).is_ok_and(|there| there == content) {
            std::fs::write(&path, content).map_err(BuildError::io(&path))?;
        }
    }
    project.announce(&compiler.name());
    let world = project.world().replace('-', "_");
    let mut linked = Vec::new();
    for source in sources(&folder.join("src"))? {
        let object = objects.join(source.file_name().unwrap_or_default());
        let object = object.with_extension("o");
        compiler.compile(project, &source, &object, &["-Wall"])?;
        linked.push(object);
    }
    let bindings = build.join(format!("{world}.o"));
    compiler.compile(
        project,
        &build.join(format!("{world}.c")),
        &bindings,
        &["-w"],
    )?;
    linked.push(bindings);
    linked.push(build.join(format!("{world}_component_type.o")));
    let made = build.join(format!("{}.wasm", project.manifest.name));
    support.link(project, &linked, &made)?;
    Ok(made)
}

/// Returns the C files of a folder, in order of name.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let entries = std::fs::read_dir(folder).map_err(BuildError::io(folder))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(BuildError::io(folder))?.path();
        if path.extension().is_some_and(|end| end == "c") {
            found.push(path);
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(BuildError::NoComponent {
            program: "the compiler".to_owned(),
            reason: format!("{} has no file that ends in .c", folder.display()),
        }),
        false => Ok(found),
    }
}

impl Compiler {
    /// Looks for one: what a variable names, then zig, then clang.
    fn find(folder: &Path) -> Result<Self, BuildError> {
        let of_rust = format!("--target={TARGET}");
        if let Some(named) = std::env::var(COMPILER_VARIABLE)
            .ok()
            .filter(|named| !named.trim().is_empty())
        {
            let mut words = named.split_whitespace().map(str::to_owned);
            return Ok(Self {
                program: words.next().unwrap_or_default().into(),
                arguments: words.chain([of_rust]).collect(),
            });
        }
        if let Some(sdk) = std::env::var_os(SDK_VARIABLE).filter(|sdk| !sdk.is_empty()) {
            return Ok(Self {
                program: Path::new(&sdk).join("bin/clang"),
                arguments: vec![of_rust],
            });
        }
        // Undefined behaviour is not trapped: the checks of zig need a runtime that is not linked.
        let zig = ["cc", "-target", "wasm32-wasi", "-fno-sanitize=all"].map(str::to_owned);
        if answer(command("zig", folder).arg("version")).is_some() {
            return Ok(Self {
                program: "zig".into(),
                arguments: zig.into(),
            });
        }
        let module = ["-m", "ziglang"].map(str::to_owned);
        for python in [folder.join(".venv/bin/python"), "python3".into()] {
            if answer(command(&python, folder).args(&module).arg("version")).is_some() {
                return Ok(Self {
                    program: python,
                    arguments: [&module[..], &zig[..]].concat(),
                });
            }
        }
        let clang = Self {
            program: "clang".into(),
            arguments: vec!["--target=wasm32-wasi".to_owned()],
        };
        match clang.has_headers(folder) {
            true => Ok(clang),
            false => Err(BuildError::missing(
                "a C compiler for WebAssembly",
                format!(
                    "{ZIGLANG_SETUP}\n(or put zig on the path; or install clang with the headers of WASI, Debian: \
                     apt-get install clang wasi-libc; or set {SDK_VARIABLE} or {COMPILER_VARIABLE})"
                ),
            )),
        }
    }

    /// Returns whether it makes WebAssembly and finds the headers of libc.
    fn has_headers(&self, folder: &Path) -> bool {
        let mut compiler = self.command(folder);
        compiler.args(["-E", "-x", "c", "-include", "stdlib.h", "/dev/null"]);
        let status = compiler
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = command(&self.program, folder);
        command.args(&self.arguments);
        command
    }

    /// What it is called where people read it.
    fn name(&self) -> String {
        match self.arguments.iter().any(|argument| argument == "cc") {
            true => "zig".to_owned(),
            false => self.program.display().to_string(),
        }
    }

    fn compile(
        &self,
        project: &Project,
        source: &Path,
        object: &Path,
        flags: &[&str],
    ) -> Result<(), BuildError> {
        let mut compiler = self.command(&project.folder);
        compiler.args(match project.is_debug {
            true => ["-O0", "-g"],
            false => ["-O2", "-DNDEBUG"],
        });
        // Whole paths would be in the component, where a message names its line.
        let near = |path: &Path| match path.strip_prefix(&project.folder) {
            Ok(near) => near.to_owned(),
            Err(_) => path.to_owned(),
        };
        compiler
            .args(flags)
            .args(["-Isrc", "-Ibuild", "-c"])
            .arg(near(source))
            .arg("-o")
            .arg(near(object));
        run(&mut compiler, &self.name())
    }
}

/// What comes with Rust: its libc for the target, and its linker.
struct Support {
    libraries: PathBuf,
    /// Folder of the programs that are Rust's own.
    programs: PathBuf,
    /// Functions that compilers call for what the machine cannot do.
    builtins: PathBuf,
}

impl Support {
    fn find(folder: &Path) -> Result<Self, BuildError> {
        let libraries = libraries(folder)?;
        let mut rustc = command("rustc", folder);
        let of_host = answer(rustc.args(["--print", "target-libdir"])).map(PathBuf::from);
        let programs = of_host.and_then(|of_host| Some(of_host.parent()?.join("bin")));
        let programs = programs.filter(|programs| programs.join(LINKER).is_file());
        let programs = programs.ok_or_else(|| {
            BuildError::missing(
                format!("{LINKER}, the linker of Rust's target {TARGET}"),
                "install Rust with rustup (https://rustup.rs): rustup update stable",
            )
        })?;
        let entries = std::fs::read_dir(&libraries).map_err(BuildError::io(&libraries))?;
        let builtins = entries.filter_map(Result::ok).find(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libcompiler_builtins-") && name.ends_with(".rlib")
        });
        let builtins = builtins.map(|entry| entry.path()).ok_or_else(|| {
            BuildError::missing(
                format!("a part of Rust's target {TARGET}"),
                format!("rustup target remove {TARGET} && rustup target add {TARGET}"),
            )
        })?;
        Ok(Self {
            libraries,
            programs,
            builtins,
        })
    }

    fn link(&self, project: &Project, objects: &[PathBuf], made: &Path) -> Result<(), BuildError> {
        let libc = self.libraries.join("self-contained");
        let mut linker = command(self.programs.join(LINKER), &project.folder);
        linker
            .env("PATH", self.path())
            .arg("--no-entry")
            .arg(libc.join("crt1-reactor.o"))
            .args(objects)
            .arg(libc.join("libc.a"))
            .arg(&self.builtins)
            .arg("-o")
            .arg(made);
        if !project.is_debug {
            // Not all that can be stripped: the component's type is such a section too.
            linker.arg("--strip-debug");
        }
        run(&mut linker, LINKER)
    }

    /// The linker starts another one, which lies beside it.
    fn path(&self) -> OsString {
        let mut path = self.programs.join("gcc-ld").into_os_string();
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        path
    }
}
