//! What durability costs: a snapshot beside git, a fork beside copies, a wake of a long session, a killed daemon.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

mod daemons;
mod files;
mod logs;
#[path = "../measure/mod.rs"]
mod measure;

use anyhow::Result;

use measure::{Options, Report};

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("durability");
    let tokio = tokio::runtime::Runtime::new()?;
    for count in options.pick(vec![100], vec![100, 10_000, 100_000]) {
        report.add(files::snapshots(options, &tokio, count)?);
    }
    report.add(files::forks(options, &tokio, options.pick(200, 10_000))?);
    for count in options.pick(vec![100], vec![100, 10_000, 100_000]) {
        report.add(logs::wakes(options, &tokio, count)?);
    }
    tokio.block_on(daemons::kills(options, &mut report))?;
    report.note("snapshot: one file of a tree of 100 files a folder is written anew, then the tree is brought up to date");
    report.note("fork: the session's row and its share of the history, in one durable commit; the copy is of the files alone");
    report.note("wake: from the store to the state of the session, 7 events a turn, compacted every 400 turns");
    report.print(options);
    Ok(())
}
