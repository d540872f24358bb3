//! What a shell costs: scripts in a hand, with a fresh shell and in one that is kept, beside native bash with the
//! system's own tools on the same files.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

#[path = "hands/mod.rs"]
mod hands;
mod measure;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sinew_runtime::fs::Rights;
use sinew_runtime::{Hand, Limits, ProgramEnd, Programs, Resources, RunProgram, Sink};
use tokio_util::sync::CancellationToken;

use hands::Hands;
use measure::{Contest, Group, Options, Report};

/// A script, and how often a round runs it.
struct Script {
    name: &'static str,
    text: &'static str,
    /// In a full and in a quick run.
    times: (usize, usize),
}

const fn script(name: &'static str, text: &'static str, full: usize) -> Script {
    Script {
        name,
        text,
        times: (full, 1),
    }
}

/// The scripts of the table. Their output is compared, so none may depend on its surroundings.
const SCRIPTS: &[Script] = &[
    script("true", "true", 40),
    script("echo hi", "echo hi", 40),
    script(
        "builtin pipe of three",
        "echo b | { read -r x; echo \"$x\"; } | { read -r y; echo \"$y\"; }",
        40,
    ),
    script("echo | cat", "echo hi | cat", 20),
    script("one external", "basename /a/b", 20),
    script("pipe of three", "echo b a c | tr ' ' '\\n' | sort", 20),
    script(
        "200 x $(...)",
        "for ((i = 0; i < 200; i++)); do y=$(echo $i); done; echo $y",
        5,
    ),
    script(
        "200 externals",
        "for ((i = 0; i < 200; i++)); do basename /a/b >/dev/null; done",
        2,
    ),
    script(
        "while read, 2,000 lines",
        "n=0; while read -r x; do ((n += x)); done < lines; echo $n",
        5,
    ),
    script(
        "((i++)) x 20,000",
        "i=0; while ((i < 20000)); do ((i++)); done; echo $i",
        5,
    ),
    script(
        "((i++)) x 40,000",
        "i=0; while ((i < 40000)); do ((i++)); done; echo $i",
        5,
    ),
    script("cat 64 MiB | wc -c", "cat big | wc -c", 2),
    script(
        "sort | uniq -c, 200,000 lines",
        "sort numbers | uniq -c | wc -l",
        2,
    ),
    script("sort of 200,000 lines", "sort numbers | tail -n 1", 2),
    script(
        "awk sum, 200,000 lines",
        r#"awk '{n += $1} END {printf "%.0f\n", n}' numbers"#,
        2,
    ),
    script(
        "grep -r, 20,000 files",
        "grep -r needle tree | sort | tail -n 1",
        1,
    ),
    script("find, 20,000 files", "find tree -name '*7.txt' | wc -l", 1),
    script(
        "sed -i, 500 files",
        "sed -i 's/needle/noodle/; s/noodle/needle/' tree/d1/*.txt tree/d2/*.txt tree/d3/*.txt tree/d4/*.txt tree/d5/*.txt",
        1,
    ),
];

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("shell");
    let folder = tempfile::tempdir()?;
    lay_files(folder.path(), options.pick(20, 200))?;
    let hands = Hands::new()?;
    let programs = Arc::new(sinew::hands::programs()?);
    hands.wait(programs.load_all(&hands.runtime, |_| {}))?;
    let kept = hand(&hands, &programs, folder.path())?;
    for script in SCRIPTS {
        let expected = native(script.text, folder.path())?;
        ensure!(
            in_kept(&hands, &kept, script.text)?.trim_end() == expected.trim_end(),
            "{}: the answers differ",
            script.name
        );
        let group = Contest::new(script.name)
            .subject("kept shell", || {
                in_kept(&hands, &kept, script.text).map(drop)
            })
            .subject("fresh hand", || {
                let hand = hand(&hands, &programs, folder.path())?;
                fresh(&hands, &hand, script.text)
            })
            .subject("native bash -c", || {
                native(script.text, folder.path()).map(drop)
            })
            .run(options.pick(1, script.times.0), options.pick(1, 7))?;
        report.add(group);
    }
    report.add(cold_start(&options)?);
    report.note(
        "fresh hand: made for the script, with `bash -c`; kept shell: one call of the tool bash",
    );
    report.print(options);
    Ok(())
}

/// Makes the files that the scripts read; `per_folder` files in each of 100 folders.
fn lay_files(folder: &Path, per_folder: usize) -> Result<()> {
    let lines: String = (1..=2000).map(|n| format!("{n}\n")).collect();
    std::fs::write(folder.join("lines"), lines)?;
    let numbers: String = (0u64..200_000)
        .map(|n| format!("{}\n", n.wrapping_mul(7919) % 50_021))
        .collect();
    std::fs::write(folder.join("numbers"), numbers)?;
    std::fs::write(folder.join("big"), vec![b'x'; 64 << 20])?;
    for place in 0..100 {
        let sub = folder.join(format!("tree/d{place}"));
        std::fs::create_dir_all(&sub)?;
        for number in 0..per_folder {
            let mut file = std::fs::File::create(sub.join(format!("{number}.txt")))?;
            for line in 0..20 {
                writeln!(file, "line {line} of file {number} in {place}")?;
            }
            if number % 50 == 7 {
                writeln!(file, "a needle")?;
            }
        }
    }
    Ok(())
}

fn hand(hands: &Hands, programs: &Arc<Programs>, folder: &Path) -> Result<Hand> {
    let authority = cap_std::ambient_authority();
    let dir = cap_std::fs::Dir::open_ambient_dir(folder, authority)?;
    let resources = sinew::hands::ENVIRONMENT
        .iter()
        .fold(Resources::default(), |all, (name, value)| {
            all.env(*name, *value)
        })
        .programs(Arc::clone(programs))
        .shell()
        .limits(Limits::default())
        .mount("/workspace", dir, Rights::ReadWrite);
    Ok(hands.runtime.provision(resources)?)
}

fn in_kept(hands: &Hands, hand: &Hand, script: &str) -> Result<String> {
    let answer = hands.call(hand, "bash", &json!({"command": script}))?;
    Ok(if answer == "(no output)" {
        String::new()
    } else {
        answer
    })
}

/// Writes to nowhere.
struct Nowhere;

impl Sink for Nowhere {
    fn write(&self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }
}

fn fresh(hands: &Hands, hand: &Hand, script: &str) -> Result<()> {
    let own = |text: &str| text.to_owned();
    let ended = hands.wait(
        hand.run_program(RunProgram {
            program: own("/usr/bin/bash"),
            arguments: vec![own("bash"), own("-c"), own(script)],
            environment: sinew::hands::ENVIRONMENT
                .iter()
                .map(|(name, value)| (own(name), own(value)))
                .collect(),
            directory: own("/workspace"),
            stdin: None,
            stdout: Arc::new(Nowhere),
            stderr: Arc::new(Nowhere),
            deadline: None,
            cancel: CancellationToken::new(),
        }),
    )?;
    ensure!(matches!(ended, ProgramEnd::Ended(ended) if ended.status() == 0));
    Ok(())
}

fn native(script: &str, folder: &Path) -> Result<String> {
    // With `current_dir`, `env_clear` or a PATH of its own, std forks this process, which is large; without them it
    // spawns, as a shell's start should be measured.
    let script = format!("cd '{}' || exit\n{script}", folder.display());
    let output = Command::new("bash")
        .args(["-c", script.as_str()])
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .context("native bash is needed as the baseline")?;
    ensure!(output.status.success(), "native: {script}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The start of a whole process for one script, as a program that runs commands would do it.
fn cold_start(options: &Options) -> Result<Group> {
    let cache = tempfile::tempdir()?;
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .env("SINEW_CACHE", cache.path())
            .stdin(Stdio::null())
            .output()?;
        ensure!(output.stdout == b"hi\n", "{program}: {output:?}");
        Ok(())
    };
    let sinew = ["exec", "--", "echo hi"];
    let exec = || run(env!("CARGO_BIN_EXE_sinew-under-test"), &sinew);
    exec()?;
    let mut contest = Contest::new("cold start, echo hi").subject("sinew exec", exec);
    let boxed = [
        "--ro-bind",
        "/",
        "/",
        "--unshare-all",
        "bash",
        "-c",
        "echo hi",
    ];
    if run("bwrap", &boxed).is_ok() {
        contest = contest.subject("bwrap bash -c", move || run("bwrap", &boxed));
    }
    contest
        .subject("native bash -c", || run("bash", &["-c", "echo hi"]))
        .run(options.pick(1, 20), options.pick(1, 7))
}
