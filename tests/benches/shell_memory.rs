//! What live shells hold: a thousand hands with a shell each, one shell over ten thousand calls, and native bash beside.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

#[path = "hands/mod.rs"]
mod hands;
mod measure;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sinew_runtime::fs::Rights;
use sinew_runtime::{Hand, Resources};

use hands::Hands;
use measure::Options;

/// What each shell does before it is weighed.
const SCRIPT: &str = "x=1; f() { echo \"$1\"; }; y=$(f hi); echo \"$y\" | cat";

fn main() -> Result<()> {
    let options = Options::read();
    let (shells, calls) = (options.pick(20, 1_000), options.pick(100, 10_000));
    let folder = tempfile::tempdir()?;
    let hands = Hands::with(|config| config.processes_max = 1_200)?;
    let programs = Arc::new(sinew::hands::programs()?);
    hands.wait(programs.load_all(&hands.runtime, |_| {}))?;
    let hand = || -> Result<Hand> {
        let dir = cap_std::fs::Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority())?;
        let resources = sinew::hands::ENVIRONMENT
            .iter()
            .fold(Resources::default(), |all, (name, value)| {
                all.env(*name, *value)
            })
            .programs(Arc::clone(&programs))
            .shell()
            .mount("/workspace", dir, Rights::ReadWrite);
        Ok(hands.runtime.provision(resources)?)
    };
    let ask = |hand: &Hand| -> Result<()> {
        let answer = hands.call(hand, "bash", &json!({"command": SCRIPT}))?;
        ensure!(answer == "hi\n", "{answer}");
        Ok(())
    };

    let first = hand()?;
    ask(&first)?;
    let before = dirty_kib("self")?;
    let mut alive = Vec::new();
    for _ in 0..shells {
        let one = hand()?;
        ask(&one)?;
        alive.push(one);
    }
    let ours = (dirty_kib("self")?.saturating_sub(before)) as f64 / shells as f64;
    for one in &alive {
        ask(one)?;
    }
    drop(alive);

    let start = dirty_kib("self")?;
    for _ in 0..calls / 2 {
        ask(&first)?;
    }
    let half = dirty_kib("self")?;
    for _ in 0..calls / 2 {
        ask(&first)?;
    }
    let end = dirty_kib("self")?;

    let mut natives = Vec::new();
    let mut total = 0;
    for _ in 0..options.pick(5, 50) {
        let native = Native::start()?;
        total += dirty_kib(&native.child.id().to_string())?;
        natives.push(native);
    }
    let native = total as f64 / natives.len() as f64;
    let report = json!({
        "live_shells": shells,
        "dirty_kib_per_shell": ours.round(),
        "dirty_kib_per_native_bash": native.round(),
        "ratio": (ours / native * 100.0).round() / 100.0,
        "calls_of_one_shell": calls,
        "growth_kib_first_half": half as i64 - start as i64,
        "growth_kib_second_half": end as i64 - half as i64,
    });
    if options.json {
        println!("{report}");
        return Ok(());
    }
    println!("{shells} live shells, each after one call: {ours:.0} KiB of dirty memory a shell");
    println!(
        "native bash -s after the same script:   {native:.0} KiB; ratio {:.2}",
        ours / native
    );
    println!(
        "one shell over {calls} calls: {:+} KiB in the first half, {:+} KiB in the second",
        half as i64 - start as i64,
        end as i64 - half as i64
    );
    Ok(())
}

/// Returns what a process has written to and shares with nobody, in KiB.
fn dirty_kib(process: &str) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("Private_Dirty:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .context("the kernel does not say what is dirty")
}

/// A bash of this machine that has run the script and waits.
struct Native {
    child: Child,
}

impl Native {
    fn start() -> Result<Self> {
        let mut child = Command::new("bash")
            .args(["--norc", "-s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("native bash is needed as the baseline")?;
        let stdin = child.stdin.as_mut().context("piped")?;
        writeln!(stdin, "{SCRIPT}")?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().context("piped")?).read_line(&mut line)?;
        ensure!(line == "hi\n", "native: {line}");
        Ok(Self { child })
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
