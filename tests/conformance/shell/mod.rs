//! The shell and its programs against what real bash and the GNU tools answered (`record.py` recorded it).
//!
//! Every case runs in a fresh hand. A case with a `gap` is known to differ, for the reason it gives; the run tells
//! which of them no longer differ.

mod case;
mod run;

use std::fmt::Write as _;

use futures::StreamExt;

use case::Case;
use run::{Answer, Bench};

/// How often a case is run before it counts as differing.
const TRIES: usize = 3;

/// Hands that run at the same time.
const SIDE_BY_SIDE: usize = 4;

/// Longest part of an answer that a failure shows, in characters.
const SHOWN_CHARS_MAX: usize = 600;

/// Returns what of an answer is not as recorded.
fn differences(case: &Case, answer: &Answer) -> Option<String> {
    let mut text = String::new();
    let mut compare = |what: &str, expected: &[u8], got: &[u8]| {
        if expected != got {
            let shown = |bytes: &[u8]| -> String {
                String::from_utf8_lossy(bytes)
                    .chars()
                    .take(SHOWN_CHARS_MAX)
                    .collect()
            };
            let _ = writeln!(
                text,
                "  {what}\n    expected {:?}\n    got      {:?}",
                shown(expected),
                shown(got)
            );
        }
    };
    compare("stdout", &case.expected_stdout(), &answer.stdout);
    if let Some(stderr) = &case.stderr {
        compare("stderr", stderr.as_bytes(), &answer.stderr);
    }
    let expected = case.status.unwrap_or_default().to_string();
    let got = answer.status.to_string();
    compare("status", expected.as_bytes(), got.as_bytes());
    if !text.is_empty() {
        let stderr = String::from_utf8_lossy(&answer.stderr);
        let _ = writeln!(
            text,
            "  its stderr: {:?}",
            stderr.chars().take(SHOWN_CHARS_MAX).collect::<String>()
        );
    }
    (!text.is_empty()).then_some(text)
}

/// `SINEW_SHELL_CASES` narrows the run to the cases whose file and name contain it; `SINEW_SHELL_REPORT` names a file
/// that gets one line of JSON for each case that differs.
#[test]
fn answers_as_bash_and_the_gnu_tools_do() {
    let wanted = std::env::var("SINEW_SHELL_CASES").unwrap_or_default();
    let cases: Vec<Case> = case::all()
        .into_iter()
        .filter(|case| case.status.is_some() && case.place().contains(&wanted))
        .collect();
    assert!(!cases.is_empty(), "no case matches {wanted:?}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let results: Vec<(Case, Option<String>)> = runtime.block_on(async {
        let bench = Bench::new().await;
        let bench = &bench;
        futures::stream::iter(cases)
            .map(|case| async move {
                // Some cases wait for one another's processes: on a machine that is busy enough they get a second try.
                let mut differing = None;
                for _ in 0..TRIES {
                    differing = differences(&case, &bench.run(&case).await);
                    if differing.is_none() || case.gap.is_some() {
                        break;
                    }
                }
                (case, differing)
            })
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await
    });
    let (mut failures, mut gaps, mut closed, mut report) = (Vec::new(), 0, Vec::new(), Vec::new());
    let total = results.len();
    for (case, differences) in results {
        if let Some(differences) = &differences {
            report.push(
                serde_json::json!({"file": case.file, "name": case.name, "script": case.script,
                    "gap": case.gap, "differences": differences}),
            );
        }
        match (&case.gap, differences) {
            (None, None) => {}
            (None, Some(differences)) => failures.push(format!(
                "{}\n  script: {:?}\n{differences}",
                case.place(),
                case.script
            )),
            (Some(_), Some(_)) => gaps += 1,
            (Some(_), None) => closed.push(case.place()),
        }
    }
    if let Ok(path) = std::env::var("SINEW_SHELL_REPORT") {
        let lines: Vec<String> = report.iter().map(ToString::to_string).collect();
        std::fs::write(path, lines.join("\n")).unwrap();
    }
    println!(
        "{total} cases: {} as recorded, {gaps} known gaps, {} failures",
        total - gaps - failures.len(),
        failures.len()
    );
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} cases differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    for place in closed {
        println!("no longer differs, its `gap` can go: {place}");
    }
}
