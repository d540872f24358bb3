//! `sinew tool new` and `sinew tool build` with the real toolchains: a new tool of each language passes its own test, is
//! built, and offers and answers the same. What is missing or wrong is named, and leaves nothing half made.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::cli::{Cli, Ran};
use sinew_tests::daemon::cache;
use sinew_tests::{node, python};
use tempfile::TempDir;

use crate::PROGRAM;

/// Name of the new tools; its two words show that each language gets the form that it needs.
const NAME: &str = "text-facts";

/// Inputs of the new tool's function, and what it answers in every language: whether it failed, and the text.
fn cases() -> Vec<(Value, bool, String)> {
    let counts = |lines: u32, words: u32, characters: u32, longest: &str| {
        let longest = json!(longest);
        format!(
            "{{\"characters\":{characters},\"lines\":{lines},\"longest\":{longest},\"words\":{words}}}"
        )
    };
    let none = |least: u32| format!("the text has no word of {least} or more characters");
    let case = |input: Value, answer: String| (input, false, answer);
    let failure = |input: Value, answer: String| (input, true, answer);
    vec![
        case(
            json!({"text": "ein größte\nWort"}),
            counts(2, 3, 15, "größte"),
        ),
        // Characters beyond 16 bits, the first of two longest words, an end of line of Windows.
        case(
            json!({"text": "a 🦀🦀🦀 bbb\r\nc", "min_length": 2}),
            counts(2, 2, 12, "🦀🦀🦀"),
        ),
        // What is white space elsewhere is part of a word here, and so is a zero.
        case(
            json!({"text": "a\u{b}b\u{a0}c\u{0}d\te\u{c}f\n"}),
            counts(1, 3, 12, "a\u{b}b\u{a0}c\u{0}d"),
        ),
        case(
            json!({"text": "one two", "min_length": 0}),
            counts(1, 2, 7, "one"),
        ),
        case(
            json!({"text": "x\n\n", "min-length": null}),
            counts(2, 1, 3, "x"),
        ),
        failure(json!({"text": ""}), none(1)),
        failure(json!({"text": " \n"}), none(1)),
        failure(
            json!({"text": "a b", "min_length": u32::MAX}),
            none(u32::MAX),
        ),
    ]
}

/// A new tool in a folder of its own, and the program that works on it.
struct NewTool {
    cli: Cli,
    own: TempDir,
}

impl NewTool {
    /// Makes one, in a folder whose path has a space in it.
    fn make(language: &str) -> Result<Self> {
        let own = tempfile::tempdir()?;
        let cli = Cli::new(PROGRAM, "http://127.0.0.1:1", own.path())
            .with_variable("SINEW_CACHE", &cache().display().to_string())
            .with_variable("CARGO_TARGET_DIR", &cargo_target().display().to_string())
            // A compiler of the machine's own is not what is tested.
            .with_variable("CC_wasm32_wasip2", "")
            .with_variable("WASI_SDK_PATH", "");
        std::fs::create_dir(own.path().join("of mine"))?;
        let said = cli.ok(&[
            "tool",
            "new",
            NAME,
            "--lang",
            language,
            "--dir",
            "of mine/tool",
        ])?;
        ensure!(said.contains("made of mine/tool"), "{said}");
        Ok(Self { cli, own })
    }

    fn folder(&self) -> PathBuf {
        self.own.path().join("of mine/tool")
    }

    /// Runs the new tool's own test.
    fn test(&self, program: &Path, arguments: &[&str]) -> Result<()> {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.folder())
            .env("CARGO_TARGET_DIR", cargo_target())
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(output.status.success(), "{arguments:?}: {output:?}");
        Ok(())
    }

    fn build(&self) -> Result<Ran> {
        self.cli.run(&["tool", "build", "of mine/tool", "--json"])
    }

    /// Builds it and checks what it is to a model, and what it answers.
    fn check(&self) -> Result<()> {
        let ran = self.build()?;
        ensure!(ran.status == 0, "{ran:?}");
        ensure!(ran.stderr.contains("building text-facts with "), "{ran:?}");
        let made: Value = serde_json::from_slice(&ran.stdout)?;
        let file = made["path"].as_str().context("no path")?;
        ensure!(file == "of mine/tool/text-facts.wasm", "{file}");
        let bytes = std::fs::metadata(self.own.path().join(file))?.len();
        ensure!(
            made["bytes"] == bytes && made["refused"] == json!([]),
            "{made}"
        );
        ensure!(made["tools"].as_array().map(Vec::len) == Some(1), "{made}");
        let tool = &made["tools"][0];
        ensure!(tool["name"] == "count_words", "{tool}");
        let description = tool["description"].as_str().context("no description")?;
        for part in ["finds its longest word", "`min_length`: words of fewer"] {
            ensure!(description.contains(part), "{description}");
        }
        let schema = json!({
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "min_length": {"type": "integer", "minimum": 0, "maximum": u32::MAX},
            },
            "required": ["text"],
            "additionalProperties": false,
        });
        ensure!(tool["input_schema"] == schema, "{tool}");
        // The file alone tells as much: the descriptions are in it.
        let checked = self.cli.json(&["tool", "check", file])?;
        ensure!(checked[0]["tools"] == made["tools"], "{checked:?}");
        for (input, is_error, answer) in cases() {
            let text = input.to_string();
            let ran = self.cli.run(&[
                "tool",
                "call",
                file,
                "count_words",
                "--json",
                "--input",
                &text,
            ])?;
            let told: Value =
                serde_json::from_slice(&ran.stdout).with_context(|| format!("{text}: {ran:?}"))?;
            ensure!(told["is_error"] == is_error, "{text}: {told}");
            ensure!(told["content"][0]["text"] == answer, "{text}: {told}");
        }
        self.is_clean()
    }

    /// Checks that nothing generated is in git's way.
    fn is_clean(&self) -> Result<()> {
        let git = |arguments: &[&str]| {
            Command::new("git")
                .args(arguments)
                .current_dir(self.folder())
                .output()
        };
        ensure!(git(&["init", "-q"])?.status.success());
        let shown = git(&["status", "--porcelain", "--untracked-files=all"])?;
        let shown = String::from_utf8(shown.stdout)?;
        for line in shown.lines() {
            let is_written = [".toml", ".lock", ".wit", ".md", ".gitignore", ".json"]
                .iter()
                .chain(&[".rs", ".py", ".js", ".c", ".h"])
                .any(|end| line.ends_with(end));
            ensure!(is_written && !line.contains("build/"), "{shown}");
        }
        Ok(())
    }

    /// Checks that a mistake in the source is shown as the toolchain tells it, and that the component stays.
    fn shows_mistakes(&self, source: &str, mistake: &str, fragment: &str) -> Result<()> {
        let component = self.folder().join("text-facts.wasm");
        let before = std::fs::read(&component)?;
        std::fs::write(self.folder().join(source), mistake)?;
        let ran = self.build()?;
        ensure!(ran.status == 1 && ran.stdout.is_empty(), "{ran:?}");
        ensure!(ran.stderr.contains(fragment), "{fragment}: {ran:?}");
        ensure!(ran.stderr.contains("failed (exit status: 1"), "{ran:?}");
        ensure!(
            std::fs::read(&component)? == before,
            "the component changed"
        );
        Ok(())
    }
}

/// Where cargo builds the new tools: one folder, so that what they use is built once.
fn cargo_target() -> PathBuf {
    std::env::temp_dir().join("sinew-tests-tools-target")
}

#[test]
fn a_new_tool_in_rust_is_tested_built_and_called() -> Result<()> {
    let tool = NewTool::make("rust")?;
    tool.test(Path::new("cargo"), &["fmt", "--check"])?;
    tool.test(Path::new("cargo"), &["test", "--quiet"])?;
    tool.check()?;
    let mistake = "pub fn count_words() -> u32 { \"none\" }";
    tool.shows_mistakes("src/counting.rs", mistake, "mismatched types")?;
    // Without the library there is nothing to be a component.
    let manifest = std::fs::read_to_string(tool.folder().join("Cargo.toml"))?;
    let manifest = manifest.replace("cdylib", "rlib");
    std::fs::write(tool.folder().join("Cargo.toml"), manifest)?;
    std::fs::write(tool.folder().join("src/lib.rs"), "")?;
    let ran = tool.build()?;
    ensure!(
        ran.status == 1 && ran.stderr.contains("crate-type = [\"cdylib\"]"),
        "{ran:?}"
    );
    Ok(())
}

#[test]
fn a_new_tool_in_python_is_tested_built_and_called() -> Result<()> {
    let tool = NewTool::make("python")?;
    let arguments = ["-B", "-m", "unittest", "discover", "tests"];
    tool.test(Path::new("python3"), &arguments)?;
    let environment = python::componentize_py()?;
    std::os::unix::fs::symlink(environment, tool.folder().join(".venv"))?;
    tool.check()?;
    tool.shows_mistakes("src/app.py", "import nowhere\n", "nowhere")
}

#[test]
fn a_new_tool_in_javascript_is_tested_built_and_called() -> Result<()> {
    let node = node::with_componentize_js()?;
    let mut tool = NewTool::make("js")?;
    tool.cli = tool.cli.with_variable("PATH", &path_with(&node.program)?);
    tool.test(&node.program, &["--test"])?;
    let packages = node.folder.join("node_modules");
    std::os::unix::fs::symlink(packages, tool.folder().join("node_modules"))?;
    tool.check()?;
    tool.shows_mistakes("src/app.js", "export const text = {", "SyntaxError")
}

#[test]
fn a_new_tool_in_c_is_tested_built_and_called() -> Result<()> {
    let tool = NewTool::make("c")?;
    let compile = "mkdir -p build && cc -Wall -Wextra -Werror -o build/test tests/test_counting.c src/counting.c && build/test";
    tool.test(Path::new("sh"), &["-c", compile])?;
    std::os::unix::fs::symlink(python::ziglang()?, tool.folder().join(".venv"))?;
    tool.check()?;
    let mistake = "int count_words(void) { return nothing; }\n";
    tool.shows_mistakes("src/counting.c", mistake, "nothing")
}

/// Returns the path of programs with the folder of this one in front.
fn path_with(program: &Path) -> Result<String> {
    let folder = program.parent().context("no folder")?;
    let path = std::env::var("PATH").unwrap_or_default();
    Ok(format!("{}:{path}", folder.display()))
}

#[test]
fn what_is_no_name_or_no_empty_folder_is_refused() -> Result<()> {
    let own = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, "http://127.0.0.1:1", own.path());
    for (name, fragment) in [
        ("Words", "no name of a tool"),
        ("../up", "no name of a tool"),
        ("a--b", "no name of a tool"),
        ("match", "has a meaning in Rust or WIT"),
        (&"a".repeat(65), "more than 64 characters"),
    ] {
        cli.fails(&["tool", "new", name, "--lang", "rust"], fragment)?;
    }
    cli.fails(&["tool", "new", "words", "--lang", "cobol"], "python")?;
    cli.fails(&["tool", "new", "words"], "--lang")?;
    cli.fails(
        &["tool", "new", "words", "--lang", "c", "--dir", "a/b"],
        "a does not exist",
    )?;
    std::fs::write(own.path().join("file"), "mine")?;
    let at = |folder: &'static str| ["tool", "new", "words", "--lang", "c", "--dir", folder];
    cli.fails(&at("."), "is not empty")?;
    cli.fails(&at("file"), "no folder")?;
    let left: Vec<_> = std::fs::read_dir(own.path())?.collect::<Result<_, _>>()?;
    ensure!(left.len() == 1, "{left:?}");
    std::fs::remove_file(own.path().join("file"))?;
    // An empty folder is filled where it is.
    cli.ok(&at("."))?;
    ensure!(own.path().join("src/component.c").is_file());
    cli.fails(&at("."), "is not empty")?;
    Ok(())
}

#[test]
fn what_is_missing_is_named_with_how_to_get_it() -> Result<()> {
    let python = "python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1";
    let zig = "python3 -m venv .venv && .venv/bin/pip install ziglang==0.15.2";
    let target = "rustup target add wasm32-wasip2";
    let empty = tempfile::tempdir()?;
    for (language, remedy) in [
        ("rust", "https://rustup.rs"),
        ("python", python),
        ("js", "Node.js 20"),
        ("c", "https://rustup.rs"),
    ] {
        let tool = NewTool::make(language)?;
        let bare = tool
            .cli
            .with_variable("PATH", &empty.path().display().to_string());
        bare.fails(&["tool", "build", "of mine/tool"], remedy)?;
    }
    // Programs that are there, but not what belongs to them.
    let folder = tempfile::tempdir()?;
    let libraries = folder.path().join("rustlib/host/lib");
    let programs = folder.path().join("rustlib/host/bin");
    std::fs::create_dir_all(&libraries)?;
    std::fs::create_dir_all(&programs)?;
    let rustc = |said: &Path| {
        program(
            folder.path(),
            "rustc",
            &format!("echo '{}'", said.display()),
        )
    };
    rustc(&folder.path().join("absent"))?;
    program(folder.path(), "node", "echo 20.1.0")?;
    let fails = |language: &str, fragment: &str| {
        let tool = NewTool::make(language)?;
        let cli = tool
            .cli
            .with_variable("PATH", &folder.path().display().to_string());
        cli.fails(&["tool", "build", "of mine/tool"], fragment)
    };
    fails("rust", target)?;
    fails("js", "to get it: npm install")?;
    fails("c", target)?;
    rustc(&libraries)?;
    fails("rust", "https://rustup.rs")?;
    fails("c", "wasm-component-ld, the linker")?;
    program(&programs, "wasm-component-ld", "exit 9")?;
    fails("c", "rustup target remove")?;
    std::fs::write(libraries.join("libcompiler_builtins-0.rlib"), "")?;
    fails("c", zig)?;
    program(folder.path(), "zig", "exit 0")?;
    fails("c", "wasm-component-ld failed (exit status: 9)")?;
    program(folder.path(), "node", "echo 18.19.1")?;
    fails("js", "Node.js 20 or newer is missing")?;
    Ok(())
}

/// Writes a program that a shell runs.
fn program(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
    Ok(std::fs::set_permissions(
        path,
        PermissionsExt::from_mode(0o755),
    )?)
}

#[test]
fn a_folder_that_is_no_tool_is_not_built() -> Result<()> {
    let tool = NewTool::make("python")?;
    tool.cli
        .fails(&["tool", "build", "nowhere"], "there is no folder nowhere")?;
    tool.cli
        .fails(&["tool", "build"], "there is no tool.toml")?;
    let manifest = tool.folder().join("tool.toml");
    let text = std::fs::read_to_string(&manifest)?;
    let build = ["tool", "build", "of mine/tool"];
    for (from, to, fragment) in [
        ("world =", "worlds =", "unknown field `worlds`"),
        ("\"python\"", "\"cobol\"", "cobol"),
        ("\"text-facts\"", "\"Text\"", "no name of a tool"),
        ("\"tool\"", "\"other\"", "other"),
        ("\"wit\"", "\"src\"", "is wrong"),
    ] {
        std::fs::write(&manifest, text.replace(from, to))?;
        tool.cli.fails(&build, fragment)?;
    }
    std::fs::write(&manifest, &text)?;
    std::fs::write(tool.folder().join("wit/world.wit"), "package a:b; world {")?;
    tool.cli.fails(&build, "world.wit:1")?;
    Ok(())
}

/// A running `sinew tool dev`, ended when it is dropped.
struct Dev {
    child: std::process::Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Dev {
    fn start(tool: &NewTool, url: &str) -> Result<Self> {
        let mut child = Command::new(PROGRAM)
            .args(["tool", "dev", "of mine/tool", "--json", "--url", url])
            .current_dir(tool.own.path())
            .env("CARGO_TARGET_DIR", cargo_target())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::inherit())
            .spawn()?;
        let out = child.stdout.take().context("no output")?;
        let lines = std::io::BufRead::lines(std::io::BufReader::new(out));
        Ok(Self { child, lines })
    }

    /// Waits for the next version.
    fn next(&mut self) -> Result<Value> {
        let line = self.lines.next().context("it has ended")??;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_tool_is_built_and_registered_again() -> Result<()> {
    let world = sinew_tests::world::World::start(PROGRAM, "otherwise: {text: Noted.}").await?;
    let url = format!("http://{}", world.options.listen);
    let tool = NewTool::make("rust")?;
    let mut dev = Dev::start(&tool, &url)?;
    let first = dev.next()?;
    ensure!(first["version"] == 1 && first["name"] == NAME, "{first}");
    let wit = tool.folder().join("wit/world.wit");
    let text = std::fs::read_to_string(&wit)?;
    // What does not build is told, and the next change counts again.
    std::fs::write(&wit, "package")?;
    std::fs::write(&wit, text.replacen("/// Counts", "/// Quickly counts", 1))?;
    let second = dev.next()?;
    ensure!(second["version"] == 2, "{second}");
    let path = format!("/sinew/v1/tools/{NAME}/versions/latest");
    let latest = world.client.get(&path).await?;
    ensure!(latest["digest"] == second["digest"], "{latest}");
    let said = latest["tools"][0]["description"]
        .as_str()
        .unwrap_or_default();
    ensure!(said.contains("Quickly counts"), "{latest}");
    Ok(())
}
