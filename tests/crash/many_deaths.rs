//! Effects inside a sandbox happen exactly once, wherever a daemon dies: at every named point and at any instant.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use futures::future::try_join_all;

use crate::plan::Plan;
use crate::workload::{Kind, Plot};
use crate::{lane, seed};

/// Deaths, unless `SINEW_TEST_KILLS` says more.
const KILLS: usize = 200;
const KILLS_VARIABLE: &str = "SINEW_TEST_KILLS";
/// Daemons side by side, each with its own data folder: while one waits for the disk another has the processor.
const LANES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn every_effect_happens_once() -> Result<()> {
    let kills = match std::env::var(KILLS_VARIABLE) {
        Ok(text) => text.parse()?,
        Err(_) => KILLS,
    };
    let plan = Arc::new(Plan::new(kills, seed()?));
    let plots = Arc::new(Kind::ALL.map(Plot::new));
    let begin = Instant::now();
    let lanes = (0..LANES).map(|_| {
        let (plan, plots) = (plan.clone(), plots.clone());
        // Tasks of their own: a lane that waits for the end of a process must not hold up the others.
        tokio::spawn(async move { lane::run(&plan, &*plots).await })
    });
    for lane in try_join_all(lanes).await? {
        lane?;
    }
    println!("{} in {:.0?}", plan.check()?, begin.elapsed());
    Ok(())
}
