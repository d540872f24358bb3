//! Resources: creation, change, versions, lists, removal.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{
    append, at, event, event_query, invalid, key, nested, new_session, not_found, queued, refused,
    resource, resource_query, session_id, workspace,
};
use crate::ids::WorkspaceId;
use crate::store::{
    FILTERS_MAX, JSON_DEPTH_MAX, Key, Kind, NewResource, Order, ROWS_MAX, Resource, ResourceChange,
    ResourceQuery, SharedStore, StoreError, TimeRange,
};

fn change(body: Value, seconds: i64) -> ResourceChange {
    ResourceChange {
        body,
        new_version: false,
        unique_name: None,
        status: None,
        archived_at: None,
        at: at(seconds),
    }
}

fn named(id: &str, name: &str) -> NewResource {
    NewResource {
        unique_name: Some(name.to_owned()),
        ..resource(Kind::Environment, id, 0)
    }
}

fn name_taken<T>(result: Result<T, StoreError>, name: &str) -> Result<()> {
    refused(
        result,
        "NameTaken",
        |e| matches!(e, StoreError::NameTaken(taken) if taken == name),
    )
}

fn ids(resources: &[Resource]) -> Vec<&str> {
    resources.iter().map(|r| r.key.id.as_str()).collect()
}

pub(super) async fn a_created_resource_is_read_back_whole(store: SharedStore) -> Result<()> {
    for kind in [Kind::Agent, Kind::Environment, Kind::Session, Kind::ApiKey] {
        let new = NewResource {
            body: json!({ "text": "\u{0}\u{1f980}", "n": [1, -2.5, null, {}] }),
            unique_name: Some("name".to_owned()),
            status: Some("active".to_owned()),
            ..resource(kind, "same_id_in_each_kind", 5)
        };
        let created = store.create(new.clone()).await?;
        let expected = Resource {
            key: new.key.clone(),
            body: new.body,
            version: 1,
            revision: 1,
            status: new.status,
            created_at: at(5),
            updated_at: at(5),
            archived_at: None,
        };
        ensure!(created == expected, "{created:?}");
        ensure!(store.get(&new.key, None).await? == expected);
        ensure!(store.get(&new.key, Some(1)).await? == expected);
        ensure!(store.list(&resource_query(kind)).await? == [expected]);
    }
    not_found(store.get(&key(Kind::Agent, "none"), None).await)?;
    not_found(store.session(&session_id("none")).await)
}

pub(super) async fn a_taken_id_is_refused(store: SharedStore) -> Result<()> {
    let first = store.create(resource(Kind::Agent, "a", 0)).await?;
    let mut again = resource(Kind::Agent, "a", 1);
    again.body = json!({ "other": true });
    let is_taken = |e: &StoreError| matches!(e, StoreError::AlreadyExists);
    refused(store.create(again.clone()).await, "AlreadyExists", is_taken)?;
    again.key.workspace = WorkspaceId::from_text("wrkspc_two");
    refused(store.create(again).await, "AlreadyExists", is_taken)?;
    ensure!(store.get(&first.key, None).await? == first);
    store.create(resource(Kind::Environment, "a", 0)).await?;
    Ok(())
}

pub(super) async fn names_are_unique_among_the_live(store: SharedStore) -> Result<()> {
    let a = store.create(named("a", "x")).await?;
    name_taken(store.create(named("b", "x")).await, "x")?;
    not_found(store.get(&key(Kind::Environment, "b"), None).await)?;
    // Elsewhere the same name is free.
    let mut elsewhere = named("c", "x");
    elsewhere.key.workspace = WorkspaceId::from_text("wrkspc_two");
    store.create(elsewhere).await?;
    let mut other_kind = named("a", "x");
    other_kind.key.kind = Kind::Agent;
    store.create(other_kind).await?;

    let b = store.create(named("b", "y")).await?;
    let to = |name: Option<&str>, archived: bool| ResourceChange {
        unique_name: name.map(str::to_owned),
        archived_at: archived.then(|| at(9)),
        ..change(json!({}), 9)
    };
    name_taken(
        store.update(&b.key, b.revision, to(Some("x"), false)).await,
        "x",
    )?;
    ensure!(
        store.get(&b.key, None).await? == b,
        "a refused update changed something"
    );
    // Keeping one's own name is no clash; giving it up or being archived frees it.
    let a = store
        .update(&a.key, a.revision, to(Some("x"), false))
        .await?;
    let a = store
        .update(&a.key, a.revision, to(Some("x"), true))
        .await?;
    let b = store
        .update(&b.key, b.revision, to(Some("x"), false))
        .await?;
    name_taken(
        store.update(&a.key, a.revision, to(Some("x"), false)).await,
        "x",
    )?;
    store.update(&b.key, b.revision, to(None, false)).await?;
    let a = store
        .update(&a.key, a.revision, to(Some("x"), false))
        .await?;
    ensure!(a.archived_at.is_none());
    store.delete(&a.key).await?;
    store.create(named("d", "x")).await?;
    Ok(())
}

pub(super) async fn an_update_needs_the_newest_revision(store: SharedStore) -> Result<()> {
    let old = store.create(resource(Kind::Environment, "a", 0)).await?;
    let to = ResourceChange {
        status: Some("new".to_owned()),
        archived_at: Some(at(8)),
        ..change(json!({ "n": 2 }), 9)
    };
    let new = store.update(&old.key, old.revision, to.clone()).await?;
    let expected = Resource {
        body: json!({ "n": 2 }),
        status: Some("new".to_owned()),
        updated_at: at(9),
        archived_at: Some(at(8)),
        revision: new.revision,
        ..old.clone()
    };
    ensure!(new == expected && new.revision > old.revision, "{new:?}");
    ensure!(store.get(&old.key, None).await? == new);
    for wrong in [old.revision, new.revision + 1, u64::MAX] {
        refused(
            store.update(&old.key, wrong, to.clone()).await,
            "RevisionConflict",
            |e| matches!(e, StoreError::RevisionConflict { actual } if *actual == new.revision),
        )?;
    }
    ensure!(store.get(&old.key, None).await? == new);
    not_found(store.update(&key(Kind::Agent, "a"), new.revision, to).await)
}

pub(super) async fn an_agents_versions_stay_readable(store: SharedStore) -> Result<()> {
    let mut newest = store.create(resource(Kind::Agent, "a", 0)).await?;
    let steps = [
        ("v1 mended", false),
        ("v2", true),
        ("v3", true),
        ("v3 mended", false),
    ];
    for (seconds, (text, new_version)) in (1..).zip(steps) {
        let to = ResourceChange {
            new_version,
            ..change(json!(text), seconds)
        };
        newest = store.update(&newest.key, newest.revision, to).await?;
    }
    let expected: Vec<Resource> = [(3, "v3 mended", 4), (2, "v2", 2), (1, "v1 mended", 1)]
        .into_iter()
        .map(|(version, text, seconds)| Resource {
            version,
            body: json!(text),
            updated_at: at(seconds),
            ..newest.clone()
        })
        .collect();
    ensure!(expected.first() == Some(&newest));
    for version in &expected {
        let got = store.get(&newest.key, Some(version.version)).await?;
        ensure!(got == *version, "{got:?}");
    }
    for none in [0, 4, u64::MAX] {
        not_found(store.get(&newest.key, Some(none)).await)?;
    }
    let cases = [
        (None, 10, &[3, 2, 1][..]),
        (None, 2, &[3, 2]),
        (None, 0, &[]),
        (Some(3), 10, &[2, 1]),
        (Some(3), 1, &[2]),
        (Some(1), 10, &[]),
        (Some(u64::MAX), usize::MAX, &[3, 2, 1]),
    ];
    for (before, limit, wanted) in cases {
        let got = store.versions(&newest.key, before, limit).await?;
        let numbers: Vec<u64> = got.iter().map(|v| v.version).collect();
        ensure!(numbers == wanted, "{limit} below {before:?}: {numbers:?}");
        ensure!(got.iter().all(|v| expected.contains(v)));
    }
    not_found(store.versions(&key(Kind::Agent, "none"), None, 1).await)
}

pub(super) async fn other_kinds_keep_only_the_newest_version(store: SharedStore) -> Result<()> {
    let old = store.create(resource(Kind::Environment, "a", 0)).await?;
    let to = ResourceChange {
        new_version: true,
        ..change(json!("v2"), 1)
    };
    let new = store.update(&old.key, old.revision, to).await?;
    ensure!(new.version == 2);
    not_found(store.get(&old.key, Some(1)).await)?;
    ensure!(store.versions(&old.key, None, 10).await? == [new]);
    Ok(())
}

pub(super) async fn a_workspace_sees_only_its_own(store: SharedStore) -> Result<()> {
    let own = store.create(resource(Kind::Agent, "a", 0)).await?;
    let foreign = Key {
        workspace: WorkspaceId::from_text("wrkspc_two"),
        ..own.key.clone()
    };
    not_found(store.get(&foreign, None).await)?;
    not_found(store.get(&foreign, Some(1)).await)?;
    not_found(store.versions(&foreign, None, 10).await)?;
    not_found(
        store
            .update(&foreign, own.revision, change(json!({}), 1))
            .await,
    )?;
    not_found(store.delete(&foreign).await)?;
    let query = ResourceQuery {
        workspace: foreign.workspace,
        ..resource_query(Kind::Agent)
    };
    ensure!(store.list(&query).await?.is_empty());
    ensure!(store.get(&own.key, None).await? == own);
    // Drivers find a session whatever its workspace.
    let id = new_session(&store, "a").await?;
    ensure!(store.session(&id).await?.key.workspace == workspace());
    Ok(())
}

/// Creates sessions `a` to `f`, second 0 to 3 (two of them at the same time), various.
async fn fill(store: &SharedStore) -> Result<()> {
    let rows = [
        ("a", 0, "idle", "one"),
        ("c", 1, "running", "one"),
        ("b", 1, "idle", "two"),
        ("d", 2, "idle", "one"),
        ("e", 2, "terminated", "one"),
        ("f", 3, "running", "two"),
    ];
    for (id, seconds, status, agent) in rows {
        let new = NewResource {
            status: Some(status.to_owned()),
            labels: vec![
                ("agent_id".to_owned(), agent.to_owned()),
                ("tag".to_owned(), id.to_owned()),
                ("tag".to_owned(), "all".to_owned()),
                ("tag".to_owned(), "all".to_owned()),
            ],
            ..resource(Kind::Session, id, seconds)
        };
        let created = store.create(new).await?;
        if id == "e" {
            let to = ResourceChange {
                status: created.status,
                archived_at: Some(at(9)),
                ..change(json!({}), 9)
            };
            store.update(&created.key, created.revision, to).await?;
        }
    }
    // Never to be seen among sessions.
    store.create(resource(Kind::Agent, "g", 1)).await?;
    Ok(())
}

pub(super) async fn lists_are_filtered_and_ordered(store: SharedStore) -> Result<()> {
    fill(&store).await?;
    let all = resource_query(Kind::Session);
    let with = |change: &dyn Fn(&mut ResourceQuery)| {
        let mut query = all.clone();
        change(&mut query);
        query
    };
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let labels = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect::<Vec<_>>()
    };
    let cases = [
        (with(&|_| {}), "abcdf"),
        (with(&|q| q.order = Order::Descending), "fdcba"),
        (with(&|q| q.include_archived = true), "abcdef"),
        (with(&|q| q.limit = 2), "ab"),
        (with(&|q| q.limit = 0), ""),
        (with(&|q| q.statuses = owned(&["idle"])), "abd"),
        (
            with(&|q| q.statuses = owned(&["running", "idle", "running"])),
            "abcdf",
        ),
        (with(&|q| q.statuses = owned(&["none"])), ""),
        (with(&|q| q.statuses = owned(&["terminated"])), ""),
        (
            with(&|q| {
                q.statuses = owned(&["terminated", "running"]);
                q.include_archived = true;
                q.order = Order::Descending;
                q.limit = 2;
            }),
            "fe",
        ),
        (with(&|q| q.labels = labels(&[("agent_id", "one")])), "acd"),
        (with(&|q| q.labels = labels(&[("tag", "all")])), "abcdf"),
        (
            with(&|q| q.labels = labels(&[("tag", "all"), ("agent_id", "two")])),
            "bf",
        ),
        (
            with(&|q| q.labels = labels(&[("agent_id", "one"), ("agent_id", "two")])),
            "",
        ),
        (with(&|q| q.labels = labels(&[("tag", "one")])), ""),
        (
            with(&|q| {
                q.labels = labels(&[("agent_id", "one")]);
                q.statuses = owned(&["idle", "running"]);
                q.order = Order::Descending;
                q.after = Some((at(2), "d".to_owned()));
            }),
            "ca",
        ),
        (with(&|q| q.created_at.gt = Some(at(1))), "df"),
        (with(&|q| q.created_at.gte = Some(at(1))), "bcdf"),
        (with(&|q| q.created_at.lt = Some(at(2))), "abc"),
        (with(&|q| q.created_at.lte = Some(at(2))), "abcd"),
        (
            with(&|q| {
                q.created_at = TimeRange {
                    gte: Some(at(1)),
                    lt: Some(at(2)),
                    ..TimeRange::default()
                };
                q.statuses = owned(&["idle"]);
            }),
            "b",
        ),
        (with(&|q| q.after = Some((at(1), "b".to_owned()))), "cdf"),
    ];
    for (query, expected) in cases {
        let found = store.list(&query).await?;
        ensure!(
            ids(&found).concat() == expected,
            "{query:?}: {:?}",
            ids(&found)
        );
    }
    let many = vec!["x".to_owned(); FILTERS_MAX + 1];
    invalid(store.list(&with(&|q| q.statuses = many.clone())).await)
}

pub(super) async fn list_cursors_reach_everything_once(store: SharedStore) -> Result<()> {
    // More than one read returns, and many of the same time.
    let total = ROWS_MAX + 20;
    let mut expected: Vec<String> = (0..total).map(|n| format!("agent_{n:05}")).collect();
    let creations = expected
        .iter()
        .map(|id| store.create(resource(Kind::Agent, id, 0)));
    futures::future::try_join_all(creations).await?;
    for order in [Order::Ascending, Order::Descending] {
        let mut query = ResourceQuery {
            order,
            limit: usize::MAX,
            ..resource_query(Kind::Agent)
        };
        let first = store.list(&query).await?;
        ensure!(first.len() == ROWS_MAX, "a read of {} rows", first.len());
        query.limit = 333;
        let mut found = Vec::new();
        loop {
            let page = store.list(&query).await?;
            let Some(last) = page.last() else { break };
            query.after = Some((last.created_at, last.key.id.clone()));
            found.extend(page.into_iter().map(|r| r.key.id));
        }
        ensure!(
            found == expected,
            "{order:?} pages do not hold everything once"
        );
        expected.reverse();
    }
    Ok(())
}

pub(super) async fn delete_removes_everything(store: SharedStore) -> Result<()> {
    let agent = store.create(resource(Kind::Agent, "a", 0)).await?;
    let to = ResourceChange {
        new_version: true,
        ..change(json!({}), 1)
    };
    store.update(&agent.key, agent.revision, to).await?;
    store.delete(&agent.key).await?;
    not_found(store.delete(&agent.key).await)?;
    not_found(store.get(&agent.key, Some(1)).await)?;

    // The session to go is the newest thing there is, so that what comes next may take its place.
    let other = new_session(&store, "b").await?;
    let id = new_session(&store, "a").await?;
    let session = store.session(&id).await?;
    let lease = store.acquire_lease(&id, "me", at(0), at(10)).await?;
    store
        .append(append(&id, 0, vec![queued("x", 1), event("x", 2)]))
        .await?;
    store.append(append(&other, 0, vec![event("x", 3)])).await?;
    store.delete(&session.key).await?;
    not_found(store.session(&id).await)?;
    not_found(store.read(&id, 0, 10).await)?;
    not_found(store.list_events(&event_query(&id, Order::Ascending)).await)?;
    not_found(store.last_number(&id).await)?;
    not_found(store.append(append(&id, 2, vec![event("x", 4)])).await)?;
    not_found(store.acquire_lease(&id, "me", at(0), at(10)).await)?;
    refused(store.renew_lease(&lease, at(20)).await, "LeaseLost", |e| {
        matches!(e, StoreError::LeaseLost)
    })?;
    ensure!(store.list(&resource_query(Kind::Session)).await?.len() == 1);

    // Nothing of it comes back with a new one, under the same id or another.
    for name in ["a", "c"] {
        let id = new_session(&store, name).await?;
        ensure!(store.read(&id, 0, 10).await?.is_empty());
        store.acquire_lease(&id, "another", at(0), at(10)).await?;
    }
    let again = store.create(resource(Kind::Agent, "a", 0)).await?;
    ensure!(store.versions(&again.key, None, 10).await? == [again]);
    ensure!(
        store.last_number(&other).await? == 1,
        "another log was touched"
    );
    Ok(())
}

pub(super) async fn what_cannot_be_stored_is_refused(store: SharedStore) -> Result<()> {
    let mut with_events = resource(Kind::Agent, "a", 0);
    with_events.events = vec![event("x", 0)];
    let mut woken = resource(Kind::Agent, "a", 0);
    woken.needs_wake = true;
    let mut deep = resource(Kind::Agent, "a", 0);
    deep.body = nested(JSON_DEPTH_MAX + 1);
    for new in [with_events, woken, deep] {
        invalid(store.create(new).await)?;
    }
    let mut fits = resource(Kind::Agent, "a", 0);
    fits.body = nested(JSON_DEPTH_MAX);
    let fits = store.create(fits).await?;
    let deeper = change(nested(JSON_DEPTH_MAX + 1), 1);
    invalid(store.update(&fits.key, fits.revision, deeper).await)?;
    ensure!(store.get(&fits.key, None).await? == fits);
    Ok(())
}
