//! Many at once, and callers that give up.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use super::{append, at, event, key, new_session, resource};
use crate::ids::{EventId, SessionId};
use crate::store::{
    Kind, LogGrew, NewEvent, NewResource, ResourceChange, SharedStore, Store, StoreError,
};

/// Tasks that append at the same time.
const TASKS: usize = 64;
/// Appends of each.
const APPENDS: usize = 50;

fn named(id: String) -> NewEvent {
    NewEvent {
        id: EventId::from_text(id),
        ..event("x", 1)
    }
}

/// Appends one event at the end of a log, however often others are faster. Tells how often they were.
async fn push(store: &dyn Store, id: &SessionId, new: NewEvent) -> Result<(u64, u64)> {
    let mut expected = store.last_number(id).await?;
    let mut lost = 0;
    loop {
        match store.append(append(id, expected, vec![new.clone()])).await {
            Ok(stored) => return Ok((stored.first().context("an event")?.number, lost)),
            Err(StoreError::LogMoved { actual }) => {
                ensure!(
                    actual > expected,
                    "a log moved from {expected} back to {actual}"
                );
                (expected, lost) = (actual, lost + 1);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) async fn appenders_lose_and_double_nothing(store: SharedStore) -> Result<()> {
    // Some tasks contend for one log, others have their own: both share commits.
    let shared = new_session(&store, "shared").await?;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let own = new_session(&store, &format!("own_{task}")).await?;
        let id = if task % 8 == 0 { shared.clone() } else { own };
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for n in 0..APPENDS {
                let event_id = format!("sevt_{task}_{n}");
                let (number, _) = push(store.as_ref(), &id, named(event_id.clone())).await?;
                let read = store.read(&id, number - 1, 1).await?;
                let is_there = read.first().is_some_and(|e| e.id.as_str() == event_id);
                ensure!(
                    is_there,
                    "{event_id} was acknowledged as {number} and is not there"
                );
            }
            anyhow::Ok(id)
        });
    }
    let mut logs = BTreeSet::new();
    while let Some(done) = tasks.join_next().await {
        logs.insert(done??);
    }
    let mut seen = BTreeSet::new();
    for id in &logs {
        let events = store.read(id, 0, usize::MAX).await?;
        for (number, event) in (1..).zip(events) {
            ensure!(
                event.number == number,
                "{id} has {} at {number}",
                event.number
            );
            ensure!(seen.insert(event.id.clone()), "{} is there twice", event.id);
        }
    }
    ensure!(
        seen.len() == TASKS * APPENDS,
        "{} of {}",
        seen.len(),
        TASKS * APPENDS
    );
    Ok(())
}

pub(super) async fn one_of_many_wins_a_lease_a_name_and_a_revision(
    store: SharedStore,
) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let contested = store.create(resource(Kind::Environment, "e", 0)).await?;
    let (store, id, contested) = (&store, &id, &contested);
    let contest = |n: usize| async move {
        let holder = format!("holder_{n}");
        let lease = store.acquire_lease(id, &holder, at(0), at(10)).await;
        let new = NewResource {
            unique_name: Some("name".to_owned()),
            ..resource(Kind::Agent, &format!("agent_{n}"), 0)
        };
        let name = store.create(new).await;
        let to = ResourceChange {
            body: json!(n),
            new_version: true,
            unique_name: None,
            status: None,
            archived_at: None,
            at: at(1),
        };
        let revision = store.update(&contested.key, contested.revision, to).await;
        (lease.is_ok(), name.is_ok(), revision.is_ok())
    };
    let wins = futures::future::join_all((0..TASKS).map(contest)).await;
    ensure!(
        wins.iter().filter(|win| win.0).count() == 1,
        "leases: {wins:?}"
    );
    ensure!(
        wins.iter().filter(|win| win.1).count() == 1,
        "names: {wins:?}"
    );
    ensure!(
        wins.iter().filter(|win| win.2).count() == 1,
        "revisions: {wins:?}"
    );
    ensure!(store.get(&contested.key, None).await?.version == 2);
    Ok(())
}

pub(super) async fn dropped_appends_are_whole_or_absent(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    for round in 0..40 {
        let expected = store.last_number(&id).await?;
        let pair = vec![
            named(format!("sevt_{round}_a")),
            named(format!("sevt_{round}_b")),
        ];
        let pending = store.append(append(&id, expected, pair));
        // Polled a few times, then dropped.
        let polls = async {
            for _ in 0..round % 4 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            result = pending => match result {
                // One that was dropped before came in between.
                Ok(_) | Err(StoreError::LogMoved { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            () = polls => {}
        }
    }
    // Whatever was under way is done before this one, or never.
    push(store.as_ref(), &id, named("sevt_end_a".to_owned())).await?;
    let events = store.read(&id, 0, 100).await?;
    let ids: Vec<&str> = events.iter().map(|e| e.id.as_str()).collect();
    let (end, pairs) = ids.split_last().context("the last event")?;
    ensure!(*end == "sevt_end_a" && pairs.len() % 2 == 0, "{ids:?}");
    for pair in pairs.chunks(2) {
        let [a, b] = pair else { continue };
        let is_whole = a.trim_end_matches("_a") == b.trim_end_matches("_b");
        ensure!(is_whole, "{a} stands beside {b}");
    }
    Ok(())
}

async fn next(growth: &mut broadcast::Receiver<LogGrew>, id: &SessionId, last: u64) -> Result<()> {
    let heard = growth.recv().await?;
    let expected = LogGrew {
        session_id: id.clone(),
        last,
    };
    ensure!(heard == expected, "heard {heard:?}, not {expected:?}");
    Ok(())
}

pub(super) async fn subscribers_hear_of_growth_and_removal(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let mut growth = store.subscribe();
    let mut second = store.subscribe();
    store
        .append(append(&id, 0, vec![event("x", 1), event("x", 2)]))
        .await?;
    next(&mut growth, &id, 2).await?;
    ensure!(
        store.last_number(&id).await? == 2,
        "heard of what cannot be read yet"
    );
    next(&mut second, &id, 2).await?;
    // A refused append is not told; a session that starts with events is.
    ensure!(
        store
            .append(append(&id, 0, vec![event("x", 3)]))
            .await
            .is_err()
    );
    let new = NewResource {
        events: vec![event("x", 1)],
        ..resource(Kind::Session, "sesn_b", 0)
    };
    store.create(new).await?;
    next(&mut growth, &SessionId::from_text("sesn_b"), 1).await?;
    store.delete(&key(Kind::Session, id.as_str())).await?;
    next(&mut growth, &id, u64::MAX).await
}
