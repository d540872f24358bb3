//! The builtins against what bash 5.2 answered to the same scripts: its standard output and status.
//!
//! Scripts run in an empty folder with this shell as `bash`; they use a few programs that every Unix has.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, process};

mod edges;
mod usual;

/// A script, what it writes, and its status.
type Case = (&'static str, &'static str, i32);

/// Makes an empty folder that is gone with the returned guard.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(script: &str, number: usize) -> (String, i32) {
    let folder = Folder::new(&format!("builtins-{number}"));
    let programs = folder.0.join("programs");
    let work = folder.0.join("work");
    fs::create_dir(&programs).unwrap();
    fs::create_dir(&work).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bash"), programs.join("bash")).unwrap();
    let output = Command::new(programs.join("bash"))
        .args(["-c", script])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .env("HOME", &work)
        .env("LANG", "C.UTF-8")
        .current_dir(&work)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text, output.status.code().unwrap_or(-1))
}

fn cases() -> impl Iterator<Item = &'static Case> {
    usual::CASES.iter().chain(edges::CASES)
}

#[test]
fn builtins_answer_as_bash_does() {
    let mut wrong = Vec::new();
    for (number, (script, stdout, status)) in cases().enumerate() {
        let (text, code) = run(script, number);
        if text != *stdout || code != *status {
            wrong.push(format!(
                "{script}\n  wanted {stdout:?} {status}\n  got    {text:?} {code}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases().count(),
        wrong.join("\n")
    );
}
