//! The same work natively: ripgrep's own crates on one thread, and std.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Result, ensure};
use globset::GlobBuilder;
use grep_regex::RegexMatcherBuilder;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkMatch};
use ignore::WalkBuilder;

/// Answers as long as the tool's.
const GLOB_PATHS_MAX: usize = 200;

/// Searches the files beneath `root` and returns `path:line:text` lines, paths as the tool shows them.
pub fn grep(root: &Path, pattern: &str) -> Result<String> {
    let matcher = RegexMatcherBuilder::new()
        .multi_line(true)
        .line_terminator(Some(b'\n'))
        .ban_byte(Some(0))
        .build(pattern)?;
    let mut searcher = SearcherBuilder::new()
        .line_number(true)
        .binary_detection(BinaryDetection::quit(0))
        .build();
    let mut text = String::new();
    let walk = WalkBuilder::new(root)
        .git_global(false)
        .sort_by_file_name(Ord::cmp)
        .build();
    for entry in walk {
        let entry = entry?;
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let lines = Lines {
            path: shown(root, entry.path()),
            text: &mut text,
        };
        searcher.search_path(&matcher, entry.path(), lines)?;
    }
    Ok(text)
}

struct Lines<'a> {
    path: String,
    text: &'a mut String,
}

impl Sink for Lines<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        let number = found.line_number().unwrap_or(0);
        let line = String::from_utf8_lossy(found.bytes());
        let line = line.trim_end_matches('\n');
        self.text
            .push_str(&format!("{}:{number}:{line}\n", self.path));
        Ok(true)
    }
}

/// Returns the newest paths that match.
pub fn glob(root: &Path, pattern: &str) -> Result<String> {
    let matcher = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()?
        .compile_matcher();
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in WalkBuilder::new(root).standard_filters(false).build() {
        let entry = entry?;
        let relative = entry.path().strip_prefix(root)?;
        if matcher.is_match(relative) {
            found.push((entry.metadata()?.modified()?, entry.path().to_owned()));
        }
    }
    found.sort_by(|one, other| other.cmp(one));
    let paths: Vec<String> = found
        .iter()
        .take(GLOB_PATHS_MAX)
        .map(|(_, path)| shown(root, path))
        .collect();
    Ok(paths.join("\n"))
}

/// Runs `rg` on one thread, if there is one.
pub fn ripgrep(root: &Path, pattern: &str) -> Result<()> {
    let status = Command::new("rg")
        .args(["--no-config", "-j1", "-n", "--color=never", pattern])
        .arg(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    // 1 says that nothing was found.
    ensure!(
        matches!(status.code(), Some(0 | 1)),
        "rg ended with {status}"
    );
    Ok(())
}

/// Tells whether `rg` is installed.
pub fn has_ripgrep() -> bool {
    let mut command = Command::new("rg");
    command.arg("--version").stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Writes a file.
pub fn write(root: &Path, name: &str, content: &str) -> Result<()> {
    Ok(fs::write(root.join(name), content)?)
}

/// Reads a file.
pub fn read(root: &Path, name: &str) -> Result<String> {
    Ok(fs::read_to_string(root.join(name))?)
}

fn shown(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    format!("/workspace/{}", relative.display())
}
