//! Counts SQLite's instructions for one page of each kind of list, in a small and in a large store.

use rusqlite::StatementStatus;
use rusqlite::types::Value as Column;

use super::*;

/// Runs a page's query and returns how many of SQLite's instructions it took, with its rows.
fn work(db: &rusqlite::Connection, (sql, columns): (String, Vec<Column>)) -> (i32, usize) {
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

/// Fills a store with `total` events and as many resources, and returns the work of one page of each kind.
async fn work_per_page(total: usize) -> Vec<(String, i32, usize)> {
    let fixture = Fixture::new();
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
