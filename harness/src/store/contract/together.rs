//! Several writes in one commit, and scans over all workspaces.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{
    append, at, event, key, log_moved, new_session, not_found, refused, resource, resource_query,
};
use crate::ids::WorkspaceId;
use crate::store::{
    Key, Kind, NewResource, ResourceChange, ResourceQuery, SharedStore, StoreError, Write,
};

fn change(seconds: i64) -> ResourceChange {
    ResourceChange {
        body: json!({ "n": seconds }),
        new_version: false,
        unique_name: None,
        status: None,
        archived_at: None,
        at: at(seconds),
    }
}

fn update(id: &str, revision: u64, seconds: i64) -> Write {
    Write::Update {
        key: key(Kind::Memory, id),
        revision,
        change: change(seconds),
    }
}

pub(super) async fn all_writes_are_made_or_none(store: SharedStore) -> Result<()> {
    store.create(resource(Kind::Memory, "mem_old", 0)).await?;
    store.create(resource(Kind::Memory, "mem_gone", 0)).await?;
    let create = |id: &str| Write::Create(resource(Kind::MemoryVersion, id, 1));
    let stale = vec![
        create("memver_1"),
        update("mem_old", 1, 1),
        Write::Delete(key(Kind::Memory, "mem_gone")),
        update("mem_old", 1, 2),
    ];
    refused(store.write(stale).await, "RevisionConflict", |error| {
        matches!(error, StoreError::RevisionConflict { actual: 2 })
    })?;
    not_found(store.get(&key(Kind::MemoryVersion, "memver_1"), None).await)?;
    let old = store.get(&key(Kind::Memory, "mem_old"), None).await?;
    ensure!(old.revision == 1, "a part of a refused write was kept");
    store.get(&key(Kind::Memory, "mem_gone"), None).await?;

    let writes = vec![
        create("memver_1"),
        update("mem_old", 1, 1),
        Write::Delete(key(Kind::Memory, "mem_gone")),
    ];
    let written = store.write(writes).await?;
    let bodies: Vec<_> = written
        .iter()
        .map(|written| written.as_ref().map(|r| (r.key.id.as_str(), r.revision)))
        .collect();
    ensure!(
        bodies == [Some(("memver_1", 1)), Some(("mem_old", 2)), None],
        "the answer is {bodies:?}"
    );
    not_found(store.get(&key(Kind::Memory, "mem_gone"), None).await)
}

pub(super) async fn later_writes_see_earlier_ones(store: SharedStore) -> Result<()> {
    let named = |id: &str| NewResource {
        unique_name: Some("/notes".to_owned()),
        ..resource(Kind::Memory, id, 0)
    };
    store.create(named("mem_1")).await?;
    // The name is free once its holder is deleted, also within one commit.
    let replaced = store
        .write(vec![
            Write::Delete(key(Kind::Memory, "mem_1")),
            Write::Create(named("mem_2")),
            update("mem_2", 1, 5),
        ])
        .await?;
    let last = replaced
        .last()
        .and_then(Option::as_ref)
        .context("no answer to the last write")?;
    ensure!(last.revision == 2 && last.updated_at == at(5), "{last:?}");
    ensure!(store.write(Vec::new()).await?.is_empty());
    Ok(())
}

pub(super) async fn a_scan_reaches_every_workspace_once(store: SharedStore) -> Result<()> {
    for (workspace, id) in [
        ("wrkspc_a", "depl_2"),
        ("wrkspc_b", "depl_1"),
        ("wrkspc_a", "depl_3"),
    ] {
        let key = Key {
            workspace: WorkspaceId::from_text(workspace),
            kind: Kind::Deployment,
            id: id.to_owned(),
        };
        let new = NewResource {
            key,
            ..resource(Kind::Deployment, id, 0)
        };
        store.create(new).await?;
    }
    store.create(resource(Kind::Work, "work_1", 0)).await?;
    let archived = ResourceChange {
        archived_at: Some(at(9)),
        ..change(9)
    };
    let third = store.scan(Kind::Deployment, Some("depl_2"), 10).await?;
    let third = third.first().context("the third deployment is missing")?;
    store.update(&third.key, third.revision, archived).await?;
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.scan(Kind::Deployment, after.as_deref(), 1).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.id.clone());
        found.extend(
            page.iter()
                .map(|r| (r.key.workspace.as_str().to_owned(), r.key.id.clone())),
        );
    }
    let expected = [("wrkspc_b", "depl_1"), ("wrkspc_a", "depl_2")];
    let expected = expected.map(|(workspace, id)| (workspace.to_owned(), id.to_owned()));
    ensure!(found == expected, "the scan found {found:?}");
    Ok(())
}

pub(super) async fn an_append_and_its_writes_are_one(store: SharedStore) -> Result<()> {
    let session = new_session(&store, "a").await?;
    let create = |id: &str| Write::Create(resource(Kind::WebhookDelivery, id, 1));
    let first = || append(&session, 0, vec![event("user.message", 1)]);
    store.create(resource(Kind::Memory, "mem_1", 0)).await?;
    let stale = vec![create("whe_1"), update("mem_1", 7, 1)];
    refused(
        store.append_with(first(), stale).await,
        "RevisionConflict",
        |error| matches!(error, StoreError::RevisionConflict { .. }),
    )?;
    ensure!(store.last_number(&session).await? == 0, "half was kept");
    not_found(store.get(&key(Kind::WebhookDelivery, "whe_1"), None).await)?;

    let stored = store.append_with(first(), vec![create("whe_1")]).await?;
    ensure!(stored.len() == 1, "{stored:?}");
    store
        .get(&key(Kind::WebhookDelivery, "whe_1"), None)
        .await?;
    // The append's own refusal keeps the writes out.
    log_moved(store.append_with(first(), vec![create("whe_2")]).await, 1)?;
    not_found(store.get(&key(Kind::WebhookDelivery, "whe_2"), None).await)
}

pub(super) async fn labels_are_replaced_whole(store: SharedStore) -> Result<()> {
    let label = |value: &str| vec![("agent_id".to_owned(), value.to_owned())];
    let new = NewResource {
        labels: label("agent_1"),
        ..resource(Kind::Deployment, "depl_1", 0)
    };
    let made = store.create(new).await?;
    let relabel = |id: &str| Write::Relabel {
        key: key(Kind::Deployment, id),
        labels: label("agent_2"),
    };
    let written = store.write(vec![relabel("depl_1")]).await?;
    ensure!(
        written == [Some(made)],
        "labels change nothing else: {written:?}"
    );
    for (value, expected) in [("agent_1", 0), ("agent_2", 1)] {
        let query = ResourceQuery {
            labels: label(value),
            ..resource_query(Kind::Deployment)
        };
        let found = store.list(&query).await?.len();
        ensure!(found == expected, "{value} finds {found}");
    }
    not_found(store.write(vec![relabel("depl_2")]).await)
}
