//! A session's files: written with its events, read as of any of them.

use anyhow::{Result, ensure};
use bytes::Bytes;

use super::objects::place;
use super::{
    also, append, append_files, at, event, files, gone, invalid, key, lease_lost, log_moved,
    new_session, not_found, pack, processed, projection, queued, refused, resource, roots, rows,
    session_id,
};
use crate::store::{
    Append, FilesChange, Hash, Kind, Lease, NewObjects, ROW_BYTES_MAX, SharedStore, StoreError,
    Write,
};

pub(super) async fn files_are_those_of_the_newest_append(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let other = new_session(&store, "b").await?;
    ensure!(store.files().files_at(&id, 0).await?.is_none());
    let change = |root: &str, shell| FilesChange {
        objects: rows(&[root, "shell"]),
        ..files(root, shell)
    };
    let (one, two) = (change("one", None), change("two", Some("shell")));
    store.append(append(&id, 0, vec![event("x", 1)])).await?;
    ensure!(store.files().files_at(&id, u64::MAX).await?.is_none());
    let three = vec![event("x", 2), event("x", 3), event("x", 4)];
    store
        .append(append_files(&id, 1, three, one.clone()))
        .await?;
    store.append(append(&id, 4, vec![event("x", 5)])).await?;
    store
        .append(append_files(&id, 5, vec![event("x", 6)], two.clone()))
        .await?;
    store
        .append(append_files(&other, 0, vec![event("x", 6)], two.clone()))
        .await?;
    for (number, expected) in [
        (0, None),
        (1, None),
        // The append's files are those as of its last event.
        (3, None),
        (4, Some(one.files)),
        (5, Some(one.files)),
        (6, Some(two.files)),
        (7, Some(two.files)),
        (u64::MAX, Some(two.files)),
    ] {
        let found = store.files().files_at(&id, number).await?;
        ensure!(found == expected, "at {number}: {found:?}");
    }
    not_found(store.files().files_at(&session_id("none"), 1).await)?;
    for (after, limit, expected) in [
        (0, 9, vec![(4, one.files), (6, two.files)]),
        (0, 1, vec![(4, one.files)]),
        (3, 9, vec![(4, one.files), (6, two.files)]),
        (4, 9, vec![(6, two.files)]),
        (6, 9, vec![]),
        (0, 0, vec![]),
    ] {
        let found = store.files().snapshots(&id, after, limit).await?;
        ensure!(found == expected, "behind {after}: {found:?}");
    }
    not_found(store.files().snapshots(&session_id("none"), 0, 9).await)?;
    store.delete(&key(Kind::Session, id.as_str())).await?;
    not_found(store.files().files_at(&id, 6).await)?;
    ensure!(store.files().files_at(&other, 1).await? == Some(two.files));
    Ok(())
}

pub(super) async fn files_and_events_are_one(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let lease = store.acquire_lease(&id, "me", at(0), at(10)).await?;
    let change = FilesChange {
        objects: NewObjects {
            pack: Some(pack("p", &["part"])),
            ..rows(&["root", "shell"])
        },
        ..files("root", Some("shell"))
    };
    let good = Append {
        lease: Some(lease.clone()),
        projection: Some(projection("running", true)),
        ..append_files(&id, 0, vec![event("x", 1)], change)
    };
    let old = Lease {
        token: lease.token - 1,
        ..lease
    };
    let lost = Append {
        lease: Some(old),
        ..good.clone()
    };
    let moved = Append {
        expected: 1,
        ..good.clone()
    };
    let stray = Append {
        events: vec![event("x", 1), processed(&event("never", 1), 2)],
        ..good.clone()
    };
    let mut missing = good.clone();
    if let Some(files) = &mut missing.files {
        files.objects.kept.push(Hash::of(b"none"));
    }
    lease_lost(store.append(lost).await)?;
    log_moved(store.append(moved).await, 0)?;
    invalid(store.append(stray).await)?;
    gone(store.append(missing).await, "none")?;
    let taken = vec![Write::Create(resource(Kind::Session, id.as_str(), 1))];
    refused(
        store.append_with(good.clone(), taken).await,
        "AlreadyExists",
        |e| matches!(e, StoreError::AlreadyExists),
    )?;
    for name in ["root", "shell", "part"] {
        ensure!(
            place(&store, name).await?.is_none(),
            "a refused append left {name}"
        );
    }
    ensure!(store.last_number(&id).await? == 0);
    ensure!(store.files().files_at(&id, 9).await?.is_none());
    ensure!(roots(&store).await?.is_empty());
    ensure!(store.files().packs(None, 9).await?.is_empty());
    ensure!(store.files().row_bytes().await? == 0);
    ensure!(store.session(&id).await?.revision == 1);
    store.append(good).await?;
    ensure!(store.files().files_at(&id, 1).await?.is_some());
    for name in ["root", "shell", "part"] {
        ensure!(place(&store, name).await?.is_some(), "{name} is missing");
    }
    Ok(())
}

pub(super) async fn what_is_wrong_with_files_is_told_last(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let waiting = queued("user.message", 1);
    store.append(append(&id, 0, vec![waiting.clone()])).await?;
    let large = Bytes::from(vec![0; ROW_BYTES_MAX + 1]);
    // Everything is wrong at first; each step puts one thing right.
    let mut change = files("root", Some("shell"));
    change.also = vec![also("also", false)];
    change.objects.rows = vec![(Hash::of(&large), large)];
    let refusable = |events, change: &FilesChange| append_files(&id, 1, events, change.clone());
    let stray = vec![processed(&event("x", 1), 2)];
    let mut wrong = refusable(stray.clone(), &change);
    wrong.expected = 0;
    log_moved(store.append(wrong).await, 1)?;
    invalid(store.append(refusable(Vec::new(), &change)).await)?;
    invalid(store.append(refusable(stray, &change)).await)?;
    let fine = || vec![processed(&waiting, 2)];
    invalid(store.append(refusable(fine(), &change)).await)?;
    // A root that is not stored would be a session whose files cannot be read.
    change.objects = NewObjects::default();
    for missing in ["root", "shell", "also"] {
        gone(store.append(refusable(fine(), &change)).await, missing)?;
        let stored = rows(&[missing]).rows;
        change.objects.rows.extend(stored);
    }
    let read = store.read(&id, 0, 10).await?;
    ensure!(read.len() == 1 && read.iter().all(|event| event.position.is_none()));
    store.append(refusable(fine(), &change)).await?;
    Ok(())
}
