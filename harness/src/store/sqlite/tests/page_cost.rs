//! Counts SQLite's instructions for one page of each kind of list, in a small and in a large store.

use rusqlite::StatementStatus;
use rusqlite::types::Value as Column;

use super::*;

/// Runs a page's query and returns how many of SQLite's instructions it took, with its rows.
fn work(db: &Connection, (sql, columns): (String, Vec<Column>)) -> (i32, usize) {
    let mut statement = db.prepare(&sql).unwrap();
    let mut rows = statement
        .query(rusqlite::params_from_iter(columns))
        .unwrap();
    let mut count = 0;
    while rows.next().unwrap().is_some() {
        count += 1;
    }
    drop(rows);
    (statement.get_status(StatementStatus::VmStep), count)
}

/// Makes a session with a log of `total` events.
async fn fill_log(fixture: &Fixture, total: usize) -> SessionId {
    let id = fixture.session("s").await;
    let events: Vec<NewEvent> = (0..total)
        .map(|n| NewEvent {
            // One in a thousand is of a rare type and of a rare thread; one in ten waits.
            kind: if n % 1_000 == 0 { "rare" } else { "common" }.to_owned(),
            thread_id: Some(ThreadId::from_text(if n % 1_000 == 1 {
                "few"
            } else {
                "many"
            })),
            is_queued: n % 10 == 3,
            ..event("x", &n.to_string())
        })
        .collect();
    for (number, chunk) in events.chunks(ROWS_MAX).enumerate() {
        let last = (number * ROWS_MAX) as u64;
        fixture
            .store
            .append(append(&id, last, chunk.to_vec()))
            .await
            .unwrap();
    }
    id
}

/// Fills a store with `total` events and as many resources, and returns the work of one page of each kind.
async fn work_per_page(total: usize) -> Vec<(String, i32, usize)> {
    let fixture = Fixture::new();
    let id = fill_log(&fixture, total).await;

    let creations = (0..total).map(|n| {
        let mut new = resource(key(Kind::Session, &format!("{n:06}")));
        new.at = at(n as i64);
        if n % 1_000 == 0 {
            new.status = Some("rare".to_owned());
            new.labels.push(("tag".to_owned(), "rare".to_owned()));
        }
        fixture.store.create(new)
    });
    futures::future::try_join_all(creations).await.unwrap();

    let db = schema::open_reader(&fixture.path()).unwrap();
    let session = log::SessionRow::find(&db, &id).unwrap();
    let stretches = session.stretches(&db).unwrap();
    let mut done = Vec::new();
    for order in [Order::Ascending, Order::Descending] {
        for (thread, kinds) in [
            (None, &[][..]),
            (None, &["rare"]),
            (None, &["common", "rare", "none"]),
            (Some("few"), &[]),
            (Some("many"), &[]),
            (Some("many"), &["rare", "common"]),
        ] {
            let query = EventQuery {
                session_id: id.clone(),
                thread_id: thread.map(ThreadId::from_text),
                kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
                processed_at: TimeRange::default(),
                order,
                after: None,
                limit: 2,
            };
            let name = format!("{order:?} {thread:?} {kinds:?}");
            for part in event_list::parts(&query, &stretches) {
                let part_name = match part {
                    event_list::Part::Processed(_) => "events",
                    event_list::Part::Queued(_) if kinds.is_empty() && thread != Some("few") => {
                        "queued"
                    }
                    // None of these waits.
                    event_list::Part::Queued(_) => continue,
                };
                let (steps, rows) = work(&db, event_list::page(&query, part, 2));
                done.push((format!("{part_name} {name}"), steps, rows));
            }
        }
        for (status, labels, include_archived) in [
            (None, &[][..], true),
            (None, &[], false),
            (Some("rare"), &[], false),
            (None, &[("agent_id", "one")], false),
            (None, &[("tag", "rare"), ("agent_id", "one")], false),
        ] {
            let label = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let query = ResourceQuery {
                workspace: WorkspaceId::from_text("wrkspc_one"),
                kind: Kind::Session,
                include_archived,
                created_at: TimeRange::default(),
                statuses: Vec::new(),
                labels: labels.iter().map(label).collect(),
                order,
                after: Some((at(total as i64 / 2), String::new())),
                limit: 1,
            };
            let statuses: Vec<String> = status.iter().map(|s| (*s).to_owned()).collect();
            let (steps, rows) = work(&db, resource_list::select(&query, &statuses));
            done.push((
                format!("resources {order:?} {status:?} {labels:?}"),
                steps,
                rows,
            ));
        }
    }
    done
}

#[tokio::test]
async fn a_page_costs_the_same_in_a_small_and_in_a_large_store() {
    let small = work_per_page(2_000).await;
    let large = work_per_page(20_000).await;
    for ((name, few, rows), (_, many, rows_large)) in small.into_iter().zip(large) {
        assert!(
            rows > 0 && rows == rows_large,
            "{name}: {rows} and {rows_large} rows"
        );
        assert!(
            many <= few + few / 2,
            "{name}: {few} instructions became {many}"
        );
    }
}

/// Runs a list of events as it is read, part by part until the page is full.
fn work_of_list(
    db: &Connection,
    query: &EventQuery,
    stretches: &[history::Stretch],
) -> (i32, usize) {
    let mut done = (0, 0);
    for part in event_list::parts(query, stretches) {
        let wanted = query.limit - done.1;
        if wanted == 0 {
            break;
        }
        let (steps, rows) = work(db, event_list::page(query, part, wanted));
        done = (done.0 + steps, done.1 + rows);
    }
    done
}

/// Forks a log of `total` events and the fork, and returns the work of one page of each kind in both forks,
/// and that of making them.
async fn work_per_forked_page(total: usize) -> Vec<(String, i32, usize)> {
    let fixture = Fixture::new();
    let mut parent = fill_log(&fixture, total).await;
    let mut last = total as u64 - 5;
    let db = schema::open_reader(&fixture.path()).unwrap();
    let changes = |unit: &mut writer::Unit<'_>| {
        let sql = "SELECT total_changes()";
        Ok(unit.db.query_row(sql, (), |row| row.get::<_, i32>(0))?)
    };
    let mut done = Vec::new();
    for name in ["fork", "fork of the fork"] {
        let before = fixture.store.writing(changes).await.unwrap();
        let mut new = resource(key(Kind::Session, name));
        new.history = Some(History {
            session_id: parent,
            number: last,
        });
        fixture.store.create(new).await.unwrap();
        let after = fixture.store.writing(changes).await.unwrap();
        done.push((format!("making the {name}"), after - before, 1));
        let id = SessionId::from_text(name);
        let own = (0..3).map(|n| event("common", &n.to_string())).collect();
        fixture.store.append(append(&id, last, own)).await.unwrap();
        last += 3;
        let session = log::SessionRow::find(&db, &id).unwrap();
        let stretches = session.stretches(&db).unwrap();
        for order in [Order::Ascending, Order::Descending] {
            for (thread, kinds, limit) in [
                (None, &[][..], 12),
                (None, &["rare"], 2),
                (None, &["common", "rare", "none"], 12),
                (Some("few"), &[], 2),
                (Some("many"), &["rare", "common"], 12),
            ] {
                for after in [None, Some(EventPlace::Processed(total as u64 / 2))] {
                    let query = EventQuery {
                        session_id: id.clone(),
                        thread_id: thread.map(ThreadId::from_text),
                        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
                        processed_at: TimeRange::default(),
                        order,
                        after,
                        // Half of the long log has but one of the rare ones.
                        limit: if after.is_some() { limit / 2 } else { limit },
                    };
                    let (steps, rows) = work_of_list(&db, &query, &stretches);
                    let name = format!("{name} {order:?} {thread:?} {kinds:?} {after:?}");
                    done.push((name, steps, rows));
                }
            }
        }
        for after in [0, total as u64 / 2, last - 9] {
            let (mut steps, mut rows) = (0, 0);
            for slots in stretches.iter().filter_map(|s| s.slots(after, u64::MAX)) {
                let (sql, columns) = log::run(slots, 9 - rows);
                let one = work(&db, (sql, columns.map(Column::from).to_vec()));
                (steps, rows) = (steps + one.0, rows + one.1);
            }
            assert_eq!(rows, 9, "read after {after}");
            done.push((format!("{name} read after {after}"), steps, rows));
        }
        parent = id;
    }
    done
}

#[tokio::test]
async fn a_page_of_a_fork_costs_the_same_in_a_short_and_in_a_long_log() {
    let short = work_per_forked_page(2_000).await;
    let long = work_per_forked_page(20_000).await;
    for ((name, few, rows), (_, many, rows_long)) in short.into_iter().zip(long) {
        assert!(
            rows > 0 && rows == rows_long,
            "{name}: {rows} and {rows_long} rows"
        );
        assert!(
            many <= few + few / 2,
            "{name}: {few} instructions became {many}"
        );
    }
}
