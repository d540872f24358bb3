//! Checkpoints of logs, their own and shared ones.

use anyhow::{Result, ensure};
use bytes::Bytes;

use super::{append, event, fork, invalid, key, new_session, not_found, session_id};
use crate::ids::SessionId;
use crate::store::{EVENT_BYTES_MAX, Kind, SharedStore};

async fn put(store: &SharedStore, id: &SessionId, number: u64, body: &'static str) -> Result<()> {
    let body = Bytes::from_static(body.as_bytes());
    Ok(store.files().put_checkpoint(id, number, body).await?)
}

/// Fails unless the newest checkpoints up to each number are these.
async fn check(
    store: &SharedStore,
    id: &SessionId,
    expected: &[(u64, Option<(u64, &'static str)>)],
) -> Result<()> {
    for (number, expected) in expected {
        let found = store.files().checkpoint(id, *number).await?;
        let expected = expected.map(|(at, body)| (at, Bytes::from_static(body.as_bytes())));
        ensure!(found == expected, "{id} at {number}: {found:?}");
    }
    Ok(())
}

pub(super) async fn the_two_newest_checkpoints_stay(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let other = new_session(&store, "b").await?;
    let events = || (0..10).map(|n| event("x", n)).collect();
    store.append(append(&id, 0, events())).await?;
    store.append(append(&other, 0, events())).await?;
    check(&store, &id, &[(0, None), (10, None), (u64::MAX, None)]).await?;
    put(&store, &other, 9, "other").await?;
    put(&store, &id, 2, "two").await?;
    check(&store, &id, &[(1, None), (2, Some((2, "two")))]).await?;
    put(&store, &id, 4, "four").await?;
    let both = [
        (1, None),
        (3, Some((2, "two"))),
        (4, Some((4, "four"))),
        (u64::MAX, Some((4, "four"))),
    ];
    check(&store, &id, &both).await?;
    put(&store, &id, 7, "seven").await?;
    let newer = [(3, None), (6, Some((4, "four"))), (9, Some((7, "seven")))];
    check(&store, &id, &newer).await?;
    // One at the same event takes its place; one that is older than both is not needed.
    put(&store, &id, 7, "").await?;
    put(&store, &id, 1, "one").await?;
    let same = [(3, None), (6, Some((4, "four"))), (9, Some((7, "")))];
    check(&store, &id, &same).await?;

    let files = store.files();
    for number in [0, 11, u64::MAX] {
        invalid(files.put_checkpoint(&id, number, Bytes::new()).await)?;
    }
    let large = Bytes::from(vec![0; EVENT_BYTES_MAX + 1]);
    invalid(files.put_checkpoint(&id, 9, large).await)?;
    check(&store, &id, &same).await?;
    let none = session_id("none");
    not_found(files.put_checkpoint(&none, 1, Bytes::new()).await)?;
    not_found(files.checkpoint(&none, 1).await)?;
    store.delete(&key(Kind::Session, id.as_str())).await?;
    not_found(files.checkpoint(&id, 9).await)?;
    check(&store, &other, &[(9, Some((9, "other")))]).await
}

pub(super) async fn checkpoints_are_shared_with_the_history(store: SharedStore) -> Result<()> {
    let a = new_session(&store, "a").await?;
    let events = || (0..10).map(|n| event("x", n)).collect::<Vec<_>>();
    store.append(append(&a, 0, events())).await?;
    put(&store, &a, 3, "a3").await?;
    put(&store, &a, 8, "a8").await?;
    let b = fork(&store, "b", &a, 6).await?;
    let shared = [
        (2, None),
        (6, Some((3, "a3"))),
        (9, Some((3, "a3"))),
        (u64::MAX, Some((3, "a3"))),
    ];
    check(&store, &b, &shared).await?;
    store.append(append(&b, 6, events())).await?;
    check(&store, &b, &shared).await?;
    // A fork may keep one of its own of what it shares, and it is the fork's alone.
    put(&store, &b, 5, "b5").await?;
    put(&store, &b, 12, "b12").await?;
    let own = [
        (2, None),
        (4, Some((3, "a3"))),
        (6, Some((5, "b5"))),
        (12, Some((12, "b12"))),
    ];
    check(&store, &b, &own).await?;
    check(&store, &a, &[(7, Some((3, "a3"))), (9, Some((8, "a8")))]).await?;
    // A newer one of the history is nearer than an older one of one's own.
    put(&store, &a, 6, "a6").await?;
    check(&store, &b, &[(5, Some((5, "b5"))), (6, Some((6, "a6")))]).await?;

    let c = fork(&store, "c", &b, 14).await?;
    let through_both = [(6, Some((6, "a6"))), (13, Some((12, "b12")))];
    check(&store, &c, &through_both).await?;
    for (name, id) in [("a", &a), ("b", &b)] {
        store.delete(&key(Kind::Session, id.as_str())).await?;
        check(&store, &c, &through_both).await?;
        not_found(store.files().checkpoint(id, 9).await)?;
        ensure!(*id == session_id(name));
    }
    put(&store, &c, 14, "c14").await?;
    check(
        &store,
        &c,
        &[(13, Some((12, "b12"))), (14, Some((14, "c14")))],
    )
    .await
}
