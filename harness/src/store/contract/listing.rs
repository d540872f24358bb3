//! Events as the API lists them.

use anyhow::{Result, ensure};

use super::{
    append, at, event, event_query, invalid, new_session, not_found, numbers, processed, queued,
    session_id,
};
use crate::ids::{SessionId, ThreadId};
use crate::store::{
    EventPlace, EventQuery, FILTERS_MAX, NewEvent, Order, SharedStore, StoredEvent, TimeRange,
};

/// Returns the place at which a page that ends with `event` is continued.
fn place(event: &StoredEvent) -> EventPlace {
    match event.position {
        Some(position) => EventPlace::Processed(position),
        None => EventPlace::Queued(event.number),
    }
}

fn in_thread(thread: &str, event: NewEvent) -> NewEvent {
    NewEvent {
        thread_id: Some(ThreadId::from_text(thread)),
        is_thread_only: false,
        ..event
    }
}

/// Appends 12 events:
///
/// | number | what | position |
/// |---|---|---|
/// | 1 | `made`, of the session | 1 |
/// | 2 | `said`, thread one, queued | 7 |
/// | 3 | `did`, thread one | 3 |
/// | 4 | `said`, thread two, queued | 6 |
/// | 5 | `sinew.note`, thread one | 5, hidden |
/// | 6, 7 | take 4 and 2 from the queue | hidden |
/// | 8 | `did`, thread two | 8 |
/// | 9 | `sinew.late`, queued | hidden |
/// | 10 | `said`, of the session, queued | none |
/// | 11 | `did`, thread one | 11 |
/// | 12 | `said`, thread one, queued | none |
async fn fill(store: &SharedStore) -> Result<SessionId> {
    let id = new_session(store, "a").await?;
    let other = new_session(store, "b").await?;
    let (two, four) = (
        in_thread("sthr_1", queued("said", 2)),
        in_thread("sthr_2", queued("said", 4)),
    );
    let events = vec![
        event("made", 1),
        two.clone(),
        in_thread("sthr_1", event("did", 3)),
        four.clone(),
        in_thread("sthr_1", event("sinew.note", 5)),
        processed(&four, 6),
        processed(&two, 7),
        in_thread("sthr_2", event("did", 8)),
        queued("sinew.late", 9),
        queued("said", 10),
        in_thread("sthr_1", event("did", 11)),
        in_thread("sthr_1", queued("said", 12)),
    ];
    // A neighbour's log, before and behind.
    store
        .append(append(&other, 0, vec![event("made", 1), queued("said", 2)]))
        .await?;
    store.append(append(&id, 0, events)).await?;
    Ok(id)
}

pub(super) async fn hidden_types_are_never_listed(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let kinds = [
        "sinew.", "sinew.x", "sinew", "sinewy", "Sinew.x", "sinew/x", "sinex.y",
    ];
    let events = kinds.iter().map(|kind| event(kind, 1)).collect();
    store.append(append(&id, 0, events)).await?;
    let query = event_query(&id, Order::Ascending);
    ensure!(numbers(&store.list_events(&query).await?) == [3, 4, 5, 6, 7]);
    let asked = EventQuery {
        kinds: vec!["sinew.x".to_owned()],
        ..query
    };
    ensure!(store.list_events(&asked).await?.is_empty());
    ensure!(store.read(&id, 0, 10).await?.len() == kinds.len());
    not_found(
        store
            .list_events(&event_query(&session_id("none"), Order::Ascending))
            .await,
    )
}

pub(super) async fn queued_events_stand_at_the_late_end(store: SharedStore) -> Result<()> {
    let id = fill(&store).await?;
    let ascending = [1, 3, 4, 2, 8, 11, 10, 12];
    let mut descending = ascending;
    descending.reverse();
    for (order, expected) in [
        (Order::Ascending, ascending),
        (Order::Descending, descending),
    ] {
        let query = event_query(&id, order);
        let all = store.list_events(&query).await?;
        ensure!(numbers(&all) == expected, "{order:?}: {:?}", numbers(&all));
        ensure!(
            all.iter()
                .all(|e| e.position.is_some() == e.processed_at.is_some())
        );
        // From every place, and in pages of every size.
        for (index, event) in all.iter().enumerate() {
            let rest = EventQuery {
                after: Some(place(event)),
                ..query.clone()
            };
            let found = numbers(&store.list_events(&rest).await?);
            ensure!(expected.ends_with(&found) && found.len() + index + 1 == expected.len());
            let page = EventQuery {
                limit: index,
                ..query.clone()
            };
            let found = numbers(&store.list_events(&page).await?);
            ensure!(expected.starts_with(&found) && found.len() == index);
        }
    }
    // A place need not be that of a listed event.
    let mut query = event_query(&id, Order::Descending);
    for (after, expected) in [
        (EventPlace::Processed(7), &[4, 3, 1][..]),
        (EventPlace::Processed(0), &[]),
        (EventPlace::Processed(u64::MAX), &[11, 8, 2, 4, 3, 1]),
        (EventPlace::Queued(11), &[10, 11, 8, 2, 4, 3, 1]),
        (EventPlace::Queued(0), &[11, 8, 2, 4, 3, 1]),
    ] {
        query.after = Some(after);
        let found = numbers(&store.list_events(&query).await?);
        ensure!(found == expected, "behind {after:?}: {found:?}");
    }
    Ok(())
}

pub(super) async fn filters_select(store: SharedStore) -> Result<()> {
    let id = fill(&store).await?;
    let cases: [(Option<&str>, &[&str], &[u64]); 10] = [
        (None, &["said"], &[4, 2, 10, 12]),
        (None, &["did"], &[3, 8, 11]),
        (None, &["did", "made", "did"], &[1, 3, 8, 11]),
        (None, &["said", "did", "none"], &[3, 4, 2, 8, 11, 10, 12]),
        (None, &["none"], &[]),
        (Some("sthr_1"), &[], &[3, 2, 11, 12]),
        (Some("sthr_2"), &[], &[4, 8]),
        (Some("sthr_3"), &[], &[]),
        (Some("sthr_1"), &["said"], &[2, 12]),
        (Some("sthr_2"), &["did", "made"], &[8]),
    ];
    for (thread, kinds, expected) in cases {
        for order in [Order::Ascending, Order::Descending] {
            let mut expected = expected.to_vec();
            if order == Order::Descending {
                expected.reverse();
            }
            let mut query = EventQuery {
                thread_id: thread.map(ThreadId::from_text),
                kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
                limit: 2,
                ..event_query(&id, order)
            };
            let mut found = Vec::new();
            loop {
                let page = store.list_events(&query).await?;
                let Some(last) = page.last() else { break };
                query.after = Some(place(last));
                found.extend(numbers(&page));
            }
            ensure!(
                found == expected,
                "{order:?} {thread:?} {kinds:?}: {found:?}"
            );
        }
    }
    let kinds = (0..=FILTERS_MAX).map(|n| n.to_string()).collect();
    let query = EventQuery {
        kinds,
        ..event_query(&id, Order::Ascending)
    };
    invalid(store.list_events(&query).await)
}

pub(super) async fn what_is_a_threads_alone_is_in_its_lists_only(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let alone = |kind: &str, seconds| NewEvent {
        is_thread_only: true,
        ..in_thread("sthr_2", event(kind, seconds))
    };
    let events = vec![
        in_thread("sthr_1", event("said", 1)),
        alone("said", 2),
        in_thread("sthr_2", event("did", 3)),
        alone("sinew.note", 4),
        alone("did", 5),
    ];
    store.append(append(&id, 0, events)).await?;
    let cases: [(Option<&str>, &[&str], &[u64]); 6] = [
        (None, &[], &[1, 3]),
        (None, &["said"], &[1]),
        (None, &["did", "said"], &[1, 3]),
        (Some("sthr_1"), &[], &[1]),
        (Some("sthr_2"), &[], &[2, 3, 5]),
        (Some("sthr_2"), &["did"], &[3, 5]),
    ];
    for (thread, kinds, expected) in cases {
        let query = EventQuery {
            thread_id: thread.map(ThreadId::from_text),
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            ..event_query(&id, Order::Ascending)
        };
        let found = numbers(&store.list_events(&query).await?);
        ensure!(found == expected, "{thread:?} {kinds:?}: {found:?}");
    }
    let read = store.read(&id, 0, 10).await?;
    let alone: Vec<bool> = read.iter().map(|event| event.is_thread_only).collect();
    ensure!(alone == [false, true, false, false, true], "{alone:?}");
    Ok(())
}

pub(super) async fn time_bounds_select_and_exclude_the_queued(store: SharedStore) -> Result<()> {
    let id = fill(&store).await?;
    let none = TimeRange::default();
    let cases: [(TimeRange, &[u64]); 6] = [
        (
            TimeRange {
                gt: Some(at(7)),
                ..none
            },
            &[8, 11],
        ),
        (
            TimeRange {
                gte: Some(at(7)),
                ..none
            },
            &[2, 8, 11],
        ),
        (
            TimeRange {
                lt: Some(at(6)),
                ..none
            },
            &[1, 3],
        ),
        (
            TimeRange {
                lte: Some(at(6)),
                ..none
            },
            &[1, 3, 4],
        ),
        (
            TimeRange {
                gt: Some(at(3)),
                lte: Some(at(8)),
                ..none
            },
            &[4, 2, 8],
        ),
        (
            TimeRange {
                gt: Some(at(8)),
                lt: Some(at(8)),
                ..none
            },
            &[],
        ),
    ];
    for (processed_at, expected) in cases {
        let query = EventQuery {
            processed_at,
            ..event_query(&id, Order::Ascending)
        };
        let found = numbers(&store.list_events(&query).await?);
        ensure!(found == expected, "{processed_at:?}: {found:?}");
        let query = EventQuery {
            order: Order::Descending,
            kinds: vec!["said".to_owned()],
            ..query
        };
        let found = numbers(&store.list_events(&query).await?);
        let said: Vec<u64> = expected
            .iter()
            .rev()
            .filter(|n| [2, 4].contains(*n))
            .copied()
            .collect();
        ensure!(found == said, "{processed_at:?}: {found:?}");
    }
    Ok(())
}

pub(super) async fn cursors_reach_everything_once_while_the_log_grows(
    store: SharedStore,
) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let mut last = 100;
    let events = (1..=last as i64).map(|n| event("x", n)).collect();
    store.append(append(&id, 0, events)).await?;
    for order in [Order::Ascending, Order::Descending] {
        let at_start = last;
        let mut query = EventQuery {
            limit: 7,
            ..event_query(&id, order)
        };
        let mut found = Vec::new();
        let mut pages = 0;
        loop {
            let page = store.list_events(&query).await?;
            let Some(end) = page.last() else { break };
            query.after = Some(place(end));
            found.extend(numbers(&page));
            pages += 1;
            // The log grows while it is read, but not for ever.
            if pages < 20 {
                let more = (1..=3).map(|n| event("x", n)).collect();
                store.append(append(&id, last, more)).await?;
                last += 3;
            }
        }
        let expected: Vec<u64> = match order {
            Order::Ascending => (1..=last).collect(),
            Order::Descending => (1..=at_start).rev().collect(),
        };
        ensure!(found == expected, "{order:?}: {found:?}");
    }
    Ok(())
}
