//! `sinew doctor --verify`: reads all that sessions' files are kept as, and names each problem.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::collect::{Need, Report, Step, verify as verify_content};
use crate::config::Config;
use crate::content::{Content, Packs};
use crate::daemon::place_of;
use crate::data_dir::{DataDir, database};
use crate::store::{SqliteOptions, SqliteStore, Store as _};

/// Objects between two lines of progress.
const STEP_OBJECTS: usize = 20_000;

pub(super) async fn verify(config: &Config, is_json: bool) -> Result<ExitCode> {
    // Looked for first: the lock makes the folder, the store makes the file.
    let path = database(&config.data);
    if !path.is_file() {
        bail!(
            "there is no database at {}; name the folder with --data",
            path.display()
        );
    }
    let data = DataDir::lock(&config.data)?;
    let store = SqliteStore::open(SqliteOptions::new(path)).context("cannot open the database")?;
    let faults = store.faults().await.context("cannot read the database")?;
    let place = place_of(config, data.packs(), &store, "packs").await?;
    let packs = Packs::at(&place).context("cannot open the place of packs")?;
    let name = store
        .files()
        .name()
        .await
        .context("cannot read the database")?;
    let content = Content::new(Arc::new(store), packs);
    let report = verify_content(&content, progress())
        .await
        .context("cannot read the database")?;
    match is_json {
        true => say!("{}", document(&report, &faults, &name)),
        false => print(&report, &faults, &name),
    }
    Ok(match report.is_whole() && faults.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Returns what shows how far it is, on a terminal only.
fn progress() -> impl FnMut(Step) + Send {
    let is_shown = std::io::stderr().is_terminal();
    let mut shown = 0;
    move |step| {
        let (Step::Roots(count) | Step::Objects(count)) = step;
        if count < shown {
            shown = 0;
        }
        if !is_shown || count < shown + STEP_OBJECTS {
            return;
        }
        shown = count;
        match step {
            Step::Roots(count) => eprintln!("roots followed: {count}"),
            Step::Objects(count) => eprintln!("objects read: {count}"),
        }
    }
}

fn print(report: &Report, faults: &[String], name: &str) {
    say!("store                {name}");
    say!("sessions with files  {}", report.sessions);
    say!("roots                {}", report.roots);
    say!(
        "objects              {} ({} bytes, {} of them in the database)",
        report.objects,
        report.bytes,
        report.row_bytes
    );
    say!(
        "packs                {} ({} bytes)",
        report.packs,
        report.pack_bytes
    );
    say!(
        "orphans              {} ({} bytes); the next collection removes them",
        report.orphans,
        report.orphan_bytes
    );
    say!("unknown pack files   {}", report.strays);
    for fault in faults {
        say!("PROBLEM  database: {fault}");
    }
    for problem in report.problems.values() {
        say!(
            "PROBLEM  {}; {}",
            problem.reason,
            needed_by(problem.needed_by.as_ref())
        );
    }
    if report.problems_more > 0 {
        say!("PROBLEM  and {} more", report.problems_more);
    }
    if report.is_whole() && faults.is_empty() {
        say!("everything is there and whole");
    }
}

fn needed_by(need: Option<&Need>) -> String {
    let Some(need) = need else {
        return "nothing that can be followed needs it".to_owned();
    };
    match &need.session_id {
        Some(session_id) => format!(
            "first needed by session {session_id} at event {}",
            need.event
        ),
        None => format!(
            "first needed by event {} of a deleted session that others share",
            need.event
        ),
    }
}

fn document(report: &Report, faults: &[String], name: &str) -> Value {
    let problems = report.problems.iter().map(|(hash, problem)| {
        let need = problem.needed_by.as_ref();
        json!({
            "object": hash.to_string(),
            "reason": problem.reason,
            "session_id": need.and_then(|need| need.session_id.as_ref()).map(|id| id.as_str()),
            "event": need.map(|need| need.event),
        })
    });
    json!({
        "store": name,
        "sessions": report.sessions,
        "roots": report.roots,
        "objects": report.objects,
        "bytes": report.bytes,
        "row_bytes": report.row_bytes,
        "packs": report.packs,
        "pack_bytes": report.pack_bytes,
        "orphans": report.orphans,
        "orphan_bytes": report.orphan_bytes,
        "unknown_pack_files": report.strays,
        "database_faults": faults,
        "problems": problems.collect::<Vec<_>>(),
        "problems_more": report.problems_more,
    })
}
