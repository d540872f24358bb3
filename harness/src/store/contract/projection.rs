//! The part of a session's resource that follows from its log.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    append, at, event, invalid, lease_lost, log_moved, new_session, processed, projection,
};
use crate::store::{Append, Lease, Projection, SharedStore};

pub(super) async fn it_is_written_with_the_events(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let before = store.session(&id).await?;
    store.append(append(&id, 0, vec![event("x", 1)])).await?;
    ensure!(
        store.session(&id).await? == before,
        "an append without projection changed it"
    );
    let archived = Projection {
        archived_at: Some(at(2)),
        ..projection("terminated", false)
    };
    let with_projection = Append {
        projection: Some(archived),
        ..append(&id, 1, vec![event("x", 2), event("x", 3)])
    };
    store.append(with_projection).await?;
    let after = store.session(&id).await?;
    ensure!(after.body == json!({ "status": "terminated" }));
    ensure!(after.status.as_deref() == Some("terminated"));
    ensure!(after.archived_at == Some(at(2)) && after.updated_at == at(3));
    ensure!(after.revision > before.revision && after.version == before.version);
    ensure!(after.created_at == before.created_at && after.key == before.key);
    Ok(())
}

pub(super) async fn it_is_left_alone_by_a_failed_append(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let lease = store.acquire_lease(&id, "me", at(0), at(10)).await?;
    let before = store.session(&id).await?;
    let good = Append {
        projection: Some(projection("running", true)),
        ..append(&id, 0, vec![event("x", 1)])
    };
    log_moved(
        store
            .append(Append {
                expected: 1,
                ..good.clone()
            })
            .await,
        0,
    )?;
    let stray = vec![event("x", 1), processed(&event("never", 1), 2)];
    invalid(
        store
            .append(Append {
                events: stray,
                ..good.clone()
            })
            .await,
    )?;
    let old = Lease {
        token: lease.token - 1,
        ..lease.clone()
    };
    lease_lost(
        store
            .append(Append {
                lease: Some(old),
                ..good.clone()
            })
            .await,
    )?;
    store.release_lease(&lease).await?;
    ensure!(
        store.session(&id).await? == before,
        "a refused append changed the session"
    );
    ensure!(store.last_number(&id).await? == 0);
    ensure!(store.sessions_to_wake(at(20), 10).await?.is_empty());
    store.append(good).await?;
    ensure!(store.sessions_to_wake(at(20), 10).await? == [id]);
    Ok(())
}
