//! Leases and waking.

use anyhow::{Result, ensure};

use super::{
    append, at, event, lease_lost, new_session, not_found, projection, refused, resource,
    session_id,
};
use crate::clock::Timestamp;
use crate::ids::SessionId;
use crate::store::{Append, Kind, Lease, SharedStore, StoreError};

fn held<T>(result: Result<T, StoreError>, by_now: Timestamp) -> Result<()> {
    refused(
        result,
        "LeaseHeld",
        |e| matches!(e, StoreError::LeaseHeld { until } if *until == by_now),
    )
}

async fn append_with(store: &SharedStore, lease: &Lease) -> Result<(), StoreError> {
    let expected = store.last_number(&lease.session_id).await?;
    let append = append(&lease.session_id, expected, vec![event("x", 1)]);
    store
        .append(Append {
            lease: Some(lease.clone()),
            ..append
        })
        .await?;
    Ok(())
}

pub(super) async fn a_held_lease_is_refused_until_it_runs_out(store: SharedStore) -> Result<()> {
    let (id, other) = (
        new_session(&store, "a").await?,
        new_session(&store, "b").await?,
    );
    not_found(
        store
            .acquire_lease(&session_id("none"), "one", at(0), at(10))
            .await,
    )?;
    let first = store.acquire_lease(&id, "one", at(0), at(10)).await?;
    ensure!(first.session_id == id);
    held(store.acquire_lease(&id, "two", at(9), at(20)).await, at(10))?;
    store.acquire_lease(&other, "two", at(9), at(20)).await?;

    // The holder may take it again, with a new token; a renewal moves the end.
    let again = store.acquire_lease(&id, "one", at(9), at(12)).await?;
    ensure!(
        again.token > first.token,
        "a new acquisition needs a larger token"
    );
    store.renew_lease(&again, at(30)).await?;
    held(
        store.acquire_lease(&id, "two", at(29), at(40)).await,
        at(30),
    )?;
    let second = store.acquire_lease(&id, "two", at(30), at(40)).await?;
    ensure!(second.token > again.token);
    held(
        store.acquire_lease(&id, "one", at(31), at(50)).await,
        at(40),
    )
}

pub(super) async fn an_old_token_is_fenced_off(store: SharedStore) -> Result<()> {
    let (id, other) = (
        new_session(&store, "a").await?,
        new_session(&store, "b").await?,
    );
    let old = store.acquire_lease(&id, "one", at(0), at(10)).await?;
    append_with(&store, &old).await?;
    let new = store.acquire_lease(&id, "two", at(10), at(20)).await?;
    for lost in [
        old.clone(),
        Lease {
            token: new.token + 1,
            ..new.clone()
        },
        Lease {
            token: u64::MAX,
            ..new.clone()
        },
    ] {
        lease_lost(append_with(&store, &lost).await)?;
        lease_lost(store.renew_lease(&lost, at(90)).await)?;
        store.release_lease(&lost).await?;
    }
    // What the old one tried left the new one as it was, also once the new one has run out.
    append_with(&store, &new).await?;
    held(
        store.acquire_lease(&id, "one", at(19), at(30)).await,
        at(20),
    )?;
    append_with(&store, &new).await?;
    store.renew_lease(&new, at(25)).await?;
    held(
        store.acquire_lease(&id, "one", at(24), at(30)).await,
        at(25),
    )?;
    lease_lost(append_with(&store, &old).await)?;
    // The first holder's old token stays lost when it holds the lease again.
    let newest = store.acquire_lease(&id, "one", at(25), at(40)).await?;
    lease_lost(append_with(&store, &old).await)?;
    lease_lost(append_with(&store, &new).await)?;
    append_with(&store, &newest).await?;
    // A lease covers its own session only, whatever its token; who queues input needs none.
    let others = store.acquire_lease(&other, "one", at(25), at(40)).await?;
    let misnamed = Lease {
        session_id: id,
        ..others
    };
    for foreign in [newest, misnamed] {
        let foreign = Append {
            lease: Some(foreign),
            ..append(&other, 0, vec![event("x", 1)])
        };
        lease_lost(store.append(foreign).await)?;
    }
    store.append(append(&other, 0, vec![event("x", 1)])).await?;
    lease_lost(
        store
            .renew_lease(
                &Lease {
                    session_id: session_id("none"),
                    token: 1,
                },
                at(1),
            )
            .await,
    )
}

pub(super) async fn a_lease_given_back_is_lost(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let first = store.acquire_lease(&id, "one", at(0), at(10)).await?;
    store.release_lease(&first).await?;
    store.release_lease(&first).await?;
    lease_lost(append_with(&store, &first).await)?;
    lease_lost(store.renew_lease(&first, at(20)).await)?;
    let second = store.acquire_lease(&id, "two", at(1), at(10)).await?;
    ensure!(second.token > first.token);
    store.release_lease(&first).await?;
    held(store.acquire_lease(&id, "one", at(2), at(10)).await, at(10))?;
    lease_lost(append_with(&store, &first).await)?;
    append_with(&store, &second).await?;
    Ok(())
}

pub(super) async fn a_dead_holders_leases_are_given_back_together(
    store: SharedStore,
) -> Result<()> {
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(new_session(&store, name).await?);
        set_wake(&store, &session_id(name), 1, true).await?;
    }
    let [a, b, c] = ids.as_slice() else {
        anyhow::bail!("three sessions");
    };
    let first = store.acquire_lease(a, "one", at(10), at(90)).await?;
    store.acquire_lease(b, "one", at(10), at(90)).await?;
    let other = store.acquire_lease(c, "two", at(10), at(90)).await?;
    ensure!(store.sessions_to_wake(at(20), 10).await?.is_empty());
    store.release_leases_of("one").await?;
    store.release_leases_of("nobody").await?;
    ensure!(store.sessions_to_wake(at(20), 10).await? == [a.clone(), b.clone()]);
    lease_lost(append_with(&store, &first).await)?;
    append_with(&store, &other).await?;
    store.acquire_lease(a, "two", at(20), at(90)).await?;
    held(store.acquire_lease(c, "one", at(20), at(90)).await, at(90))
}

async fn set_wake(store: &SharedStore, id: &SessionId, seconds: i64, wake: bool) -> Result<()> {
    let expected = store.last_number(id).await?;
    let append = append(id, expected, vec![event("x", seconds)]);
    store
        .append(Append {
            projection: Some(projection("idle", wake)),
            ..append
        })
        .await?;
    Ok(())
}

pub(super) async fn waiting_sessions_are_found_in_order(store: SharedStore) -> Result<()> {
    let mut ids = Vec::new();
    for (name, seconds) in [("a", 0), ("b", 1), ("c", 2), ("d", 3)] {
        let mut new = resource(Kind::Session, session_id(name).as_str(), seconds);
        new.needs_wake = name == "c";
        store.create(new).await?;
        ids.push(session_id(name));
    }
    let [a, b, c, _asleep] = ids.as_slice() else {
        anyhow::bail!("four sessions");
    };
    set_wake(&store, b, 10, true).await?;
    set_wake(&store, a, 20, true).await?;
    // Set again, it keeps its place; so does one whose log grows without a projection.
    set_wake(&store, b, 30, true).await?;
    store.append(append(c, 0, vec![event("x", 40)])).await?;
    let waiting = |now, limit| store.sessions_to_wake(at(now), limit);
    ensure!(waiting(50, 10).await? == [c.clone(), b.clone(), a.clone()]);
    ensure!(waiting(50, 2).await? == [c.clone(), b.clone()]);
    ensure!(waiting(50, 0).await?.is_empty());

    // Whoever holds a lease needs no waking, until it runs out or is given back.
    store.acquire_lease(c, "one", at(50), at(60)).await?;
    let lease = store.acquire_lease(b, "one", at(50), at(60)).await?;
    ensure!(waiting(59, 10).await? == std::slice::from_ref(a));
    ensure!(waiting(60, 10).await? == [c.clone(), b.clone(), a.clone()]);
    store.release_lease(&lease).await?;
    ensure!(waiting(59, 10).await? == [b.clone(), a.clone()]);

    // Done, it leaves; woken anew, it stands at the end.
    set_wake(&store, b, 70, false).await?;
    ensure!(waiting(80, 10).await? == [c.clone(), a.clone()]);
    set_wake(&store, b, 80, true).await?;
    ensure!(waiting(90, 10).await? == [c.clone(), a.clone(), b.clone()]);
    let key = store.session(a).await?.key;
    store.delete(&key).await?;
    ensure!(waiting(90, 10).await? == [c.clone(), b.clone()]);
    Ok(())
}
