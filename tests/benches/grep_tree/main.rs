//! The file tools over a source tree: in a hand, in bare wasmtime with wasmtime-wasi, and natively.
//!
//! All three run the same search engine on one thread, and their answers must be the same. Files come from
//! the page cache: everything was read before it is measured.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

#[path = "../hands/mod.rs"]
mod hands;
#[path = "../measure/mod.rs"]
mod measure;
mod native;
#[path = "../stock/mod.rs"]
mod stock;
mod tree;

use std::cell::Cell;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;
use sinew_runtime::Hand;
use wasmtime::component::Val;

use hands::{FILES_INTERFACE, Hands, files_wasm};
use measure::{Contest, Group, Options, Report};
use stock::{Stock, plain};

/// Bytes of each file that is written and read.
const FILE_BYTES: usize = 4_000;

/// What takes part.
struct Bench<'a> {
    options: Options,
    root: &'a Path,
    hands: &'a Hands,
    hand: Hand,
    stock: Stock<'a>,
}

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("grep_tree");
    let files = options.pick(500, 10_000);
    let folder = tempfile::tempdir()?;
    tree::make(folder.path(), files)?;
    let hands = Hands::new()?;
    let component = hands.load("files", files_wasm()?.to_vec())?;
    let bench = Bench {
        options,
        root: folder.path(),
        hand: hands.hand(&component, Some(folder.path()))?,
        hands: &hands,
        stock: Stock::new(files_wasm()?, folder.path()).map_err(plain)?,
    };
    for (what, pattern) in [
        ("a rare word", tree::RARE_WORD),
        (
            "an expression that is rarely found",
            r"(quarantine|escrow)_\w+\(\d+\);",
        ),
        (
            "an expression without any literal",
            r"\w+\s+\w+\s+[A-Z]\d{3}",
        ),
    ] {
        report.add(bench.grep(&format!("grep of {files} files for {what}"), pattern)?);
    }
    report.add(bench.glob(&format!("glob of {files} files for **/*.toml"), "**/*.toml")?);
    for group in bench.write_and_read(options.pick(10, 200))? {
        report.add(group);
    }
    report.note("native: ripgrep's own crates (globset, std) in this process, on one thread");
    report.note("reads and writes are one tool call each: a process per file");
    if !native::has_ripgrep() {
        report.note("rg is not installed, so it is left out");
    }
    report.print(options);
    Ok(())
}

impl Bench<'_> {
    fn grep(&self, title: &str, pattern: &str) -> Result<Group> {
        let input = json!({"pattern": pattern});
        let params = [Val::String(pattern.to_owned()), Val::Option(None)];
        let ours = || self.hands.call(&self.hand, "grep", &input);
        let stock = || {
            self.stock
                .call(FILES_INTERFACE, "grep", &params)
                .map_err(plain)
        };
        let native = || native::grep(self.root, pattern);
        let answer = native()?;
        let expected = found(&answer);
        ensure!(
            found(&ours()?) == expected,
            "{title}: the hand finds something else"
        );
        ensure!(
            found(&stock()?) == expected,
            "{title}: wasmtime finds something else"
        );
        let mut contest = Contest::new(format!("{title} ({} matches)", expected.len()))
            .subject("hand", || ours().map(drop))
            .subject("bare wasmtime with wasmtime-wasi", || stock().map(drop));
        if native::has_ripgrep() {
            contest = contest.subject("rg -j1", || native::ripgrep(self.root, pattern));
        }
        contest
            .subject("native", || native().map(drop))
            .run(self.options.pick(2, 15), 1)
    }

    fn glob(&self, title: &str, pattern: &str) -> Result<Group> {
        let input = json!({"pattern": pattern});
        let params = [Val::String(pattern.to_owned()), Val::Option(None)];
        Contest::new(title)
            .subject("hand", || {
                self.hands.call(&self.hand, "glob", &input).map(drop)
            })
            .subject("bare wasmtime with wasmtime-wasi", || {
                self.stock
                    .call(FILES_INTERFACE, "glob", &params)
                    .map_err(plain)
                    .map(drop)
            })
            .subject("native", || native::glob(self.root, pattern).map(drop))
            .run(self.options.pick(2, 15), 1)
    }

    fn write_and_read(&self, files: usize) -> Result<[Group; 2]> {
        std::fs::create_dir(self.root.join("many"))?;
        let content = "0123456789abcdef".repeat(FILE_BYTES / 16);
        let written = self.write(files, &content)?;
        Ok([written, self.read(files, &content)?])
    }

    /// Writes new files every time: to write one again, a subject would wait for the disk to be done with
    /// what another one wrote.
    fn write(&self, files: usize, content: &str) -> Result<Group> {
        let next = Cell::new(0);
        let every = |work: &dyn Fn(String) -> Result<()>| {
            let first = next.replace(next.get() + files);
            (first..first + files).map(file_name).try_for_each(work)
        };
        Contest::new(format!("write of {files} new files of 4 kB"))
            .subject("hand", || {
                every(&|name| {
                    let input = json!({"file_path": name, "content": content});
                    self.hands.call(&self.hand, "write", &input).map(drop)
                })
            })
            .subject("bare wasmtime with wasmtime-wasi", || {
                every(&|name| {
                    let params = [Val::String(name), Val::String(content.to_owned())];
                    let written = self.stock.call(FILES_INTERFACE, "write", &params);
                    written.map(drop).map_err(plain)
                })
            })
            .subject("native", || {
                every(&|name| native::write(self.root, &name, content))
            })
            .run(self.options.pick(2, 15), 1)
    }

    fn read(&self, files: usize, content: &str) -> Result<Group> {
        let every = |work: &dyn Fn(String) -> Result<String>| {
            (0..files).map(file_name).try_for_each(|name| {
                ensure!(work(name)? == content);
                Ok(())
            })
        };
        Contest::new(format!("read of {files} files of 4 kB"))
            .subject("hand", || {
                every(&|name| {
                    let input = json!({"file_path": name});
                    self.hands.call(&self.hand, "read", &input)
                })
            })
            .subject("bare wasmtime with wasmtime-wasi", || {
                every(&|name| {
                    let params = [Val::String(name), Val::Option(None)];
                    let read = self.stock.call(FILES_INTERFACE, "read", &params);
                    read.map_err(plain)
                })
            })
            .subject("native", || every(&|name| native::read(self.root, &name)))
            .run(self.options.pick(2, 15), 1)
    }
}

fn file_name(number: usize) -> String {
    format!("many/{number}.txt")
}

/// Returns the lines of an answer in one order.
fn found(answer: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = answer
        .lines()
        .filter(|line| !line.is_empty() && *line != "no matches")
        .collect();
    lines.sort_unstable();
    lines
}
