//! Power that fails in the middle of writes: of what was not synced, any sectors may be there, old or spoiled.

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

use super::*;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// Appends in the log.
const APPENDS: u64 = 40;
/// Failures of power.
const CASES: u64 = 300;

fn text_of(number: u64) -> String {
    format!(
        "{number:0>3} {}",
        "x".repeat((number as usize * 977) % 6_000)
    )
}

#[tokio::test]
async fn what_was_acknowledged_survives_torn_writes() {
    let fixture = Fixture::new();
    let id = fixture.session("torn").await;
    let wal = fixture.folder.path().join("store.db-wal");
    // How long the log was when each append was acknowledged: so far it was synced.
    let mut synced = vec![std::fs::metadata(&wal).unwrap().len() as usize];
    for number in 0..APPENDS {
        let events = vec![event("x", &text_of(number + 1))];
        fixture
            .store
            .append(append(&id, number, events))
            .await
            .unwrap();
        synced.push(std::fs::metadata(&wal).unwrap().len() as usize);
    }
    assert!(
        synced.is_sorted() && synced[0] < synced[40],
        "the log began anew"
    );
    let (database, wal) = (
        std::fs::read(fixture.path()).unwrap(),
        std::fs::read(&wal).unwrap(),
    );
    let mut torn_commits = 0;
    for seed in 0..CASES {
        let mut chance = StdRng::seed_from_u64(seed);
        let acknowledged = chance.random_range(0..=APPENDS as usize);
        let begun = (acknowledged + chance.random_range(0..3)).min(APPENDS as usize);
        let mut left = wal[..synced[begun]].to_vec();
        for sector in left[synced[acknowledged]..].chunks_mut(SECTOR) {
            match chance.random_range(0..4) {
                0 => sector.fill(0),
                1 => chance.fill_bytes(sector),
                _ => {}
            }
        }
        // The file may also end anywhere in what was not synced.
        if chance.random_bool(0.5) {
            left.truncate(chance.random_range(synced[acknowledged]..=synced[begun]));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(&path, &database).unwrap();
        std::fs::write(folder.path().join("store.db-wal"), left).unwrap();
        let store = SqliteStore::open(SqliteOptions::new(path)).unwrap();
        assert_eq!(
            store.faults().await.unwrap(),
            Vec::<String>::new(),
            "seed {seed}"
        );
        let events = store.read(&id, 0, ROWS_MAX).await.unwrap();
        let kept = events.len();
        assert!(
            (acknowledged..=begun).contains(&kept),
            "seed {seed}: {acknowledged} were acknowledged, {begun} begun, {kept} are there"
        );
        for (number, event) in (1..).zip(&events) {
            assert_eq!(event.number, number, "seed {seed}");
            assert_eq!(event.body["text"], text_of(number), "seed {seed}");
        }
        torn_commits += usize::from(kept < begun);
        // It goes on from there.
        let next = vec![event("x", "next")];
        store.append(append(&id, kept as u64, next)).await.unwrap();
    }
    assert!(torn_commits > 50, "only {torn_commits} commits were torn");
}
