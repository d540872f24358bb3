//! Thousands of simulated runs of the store, the drivers and the API, each with its own misfortunes.
//!
//! A run is one thread: time stands still while anything can happen, and every chance follows from the run's seed.
//! `SINEW_TEST_SEEDS` says how many seeds run, `SINEW_TEST_SEED` which is the first; a failure names its seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod chance;
mod check;
mod clock;
mod hands;
mod model;
mod power;
mod process;
mod schedule;
mod user;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use sinew::blobs::Blobs;
use sinew::clock::Clock as _;
use sinew::content::Packs;
use sinew::ids::SessionId;
use sinew::model::Catalog;
use sinew::secrets::{Keyring, MasterKey};
use sinew::store::Store as _;

use crate::chance::{Chance, Roughness};
use crate::clock::SimClock;
use crate::process::Shared;
use crate::schedule::Schedule;
use crate::user::User;
use crate::world::World;

/// Seeds of a usual run.
const SEEDS: u64 = 10_000;
/// How often there is a schedule besides.
const SCHEDULED: f64 = 0.2;
/// Bytes of a failure that are shown.
const FAILURE_BYTES_MAX: usize = 20_000;

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={text:?} is no number")),
        Err(_) => default,
    }
}

/// What no run changes: files and secrets are not in play.
fn shared(folder: &std::path::Path) -> Result<Shared> {
    Ok(Shared {
        blobs: Blobs::in_folder(&folder.join("blobs"))?,
        packs: Packs::in_folder(&folder.join("packs"))?,
        catalog: Arc::new(Catalog::with_overrides(&Default::default())),
        secrets: Arc::new(Keyring::of(MasterKey::fresh()?)),
        egress: sinew::egress::Client::new(sinew::egress::EgressOptions::default())?,
    })
}

/// Runs one seed and returns what happened in it: each session's kinds of events.
fn run(seed: u64, shared: &Shared) -> Result<Vec<Vec<String>>> {
    let clock = SimClock::new();
    let stepped = clock.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || stepped.step())
        .build()?;
    runtime.block_on(live(seed, clock, shared.clone()))
}

async fn live(seed: u64, clock: Arc<SimClock>, shared: Shared) -> Result<Vec<Vec<String>>> {
    let mut chance = Chance::new(seed, "world");
    let roughness = Roughness::of(&mut chance);
    let world = World::new(clock.clone(), roughness, shared, &mut chance)?;
    let ends = clock.now().checked_add(roughness.lasts)?;
    let blows = tokio::spawn(world.clone().deal_blows(chance.split(), ends));
    let calm = {
        let world = world.clone();
        tokio::spawn(async move {
            world.clock.sleep(roughness.lasts).await;
            world.weather.calm();
        })
    };
    let mut sessions = Vec::new();
    let mut users = Vec::new();
    for _ in 0..roughness.sessions {
        let session = world.new_session(&mut chance).await?;
        sessions.push(session.clone());
        let user = User::new(world.clone(), chance.split(), session);
        users.push(tokio::spawn(user.run(ends)));
    }
    let schedule = match chance.happens(SCHEDULED) {
        true => Some(Schedule::new(world.clone(), chance.split(), &sessions[0]).await?),
        false => None,
    };
    for user in users {
        user.await??;
    }
    calm.await?;
    blows.await?;
    if let Some(schedule) = schedule {
        schedule.finish().await?;
    }
    let mut happened = Vec::new();
    for session in &sessions {
        let id = SessionId::from_text(session.as_str());
        let events = world.store.read(&id, 0, 1_000).await?;
        happened.push(events.into_iter().map(|event| event.kind).collect());
    }
    Ok(happened)
}

/// Returns the start of a text, since a log may be long.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(FAILURE_BYTES_MAX)]
}

#[test]
fn every_run_keeps_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path()).unwrap();
    let (first, seeds) = (
        number("SINEW_TEST_SEED", 1),
        number("SINEW_TEST_SEEDS", SEEDS),
    );
    let (next, has_failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || has_failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let ran = run(seed, &shared).with_context(|| {
                        format!(
                            "seed {seed}: run again with SINEW_TEST_SEED={seed} SINEW_TEST_SEEDS=1"
                        )
                    });
                    if let Err(error) = ran {
                        has_failed.store(true, Ordering::Relaxed);
                        panic!("{}", shortened(&format!("{error:?}")));
                    }
                }
            });
        }
    });
}

#[test]
fn a_seed_happens_the_same_way_again() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path()).unwrap();
    for seed in 1..=20 {
        let (once, again) = (run(seed, &shared).unwrap(), run(seed, &shared).unwrap());
        for (one, other) in once.iter().zip(&again) {
            let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
            assert_eq!(
                one[same..],
                other[same..],
                "seed {seed}, behind event {same}"
            );
        }
        assert!(once.iter().all(|kinds| !kinds.is_empty()));
    }
}

/// A time that no test of this file takes; a simulated one passes at once.
#[test]
fn time_passes_only_when_nothing_can_happen() {
    let clock = SimClock::new();
    let stepped = clock.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || stepped.step())
        .build()
        .unwrap();
    let begun = clock.now();
    runtime.block_on(async {
        let day = Duration::from_secs(24 * 3600);
        let (one, two) = (clock.clone(), clock.clone());
        let late = tokio::spawn(async move {
            one.sleep(day).await;
            one.now()
        });
        let soon = tokio::spawn(async move {
            two.sleep(day / 2).await;
            two.now()
        });
        assert_eq!(soon.await.unwrap(), begun + day / 2);
        assert_eq!(late.await.unwrap(), begun + day);
    });
}
