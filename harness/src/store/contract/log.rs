//! Appending and reading by number.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{
    append, as_stored, at, event, invalid, lease_lost, log_moved, nested, new_session, not_found,
    numbers, processed, queued, resource, session_id,
};
use crate::ids::ThreadId;
use crate::store::{
    EVENT_BYTES_MAX, JSON_DEPTH_MAX, Kind, Lease, NewEvent, PROCESSED, ROWS_MAX, SharedStore,
};

pub(super) async fn numbers_have_no_gaps(store: SharedStore) -> Result<()> {
    let (a, b) = (
        new_session(&store, "a").await?,
        new_session(&store, "b").await?,
    );
    ensure!(store.last_number(&a).await? == 0);
    let mut last = 0;
    for size in [1, 3, 1, 5] {
        let events = (0..size).map(|n| event("x", n)).collect();
        let stored = store.append(append(&a, last, events)).await?;
        let expected: Vec<u64> = (last + 1..).take(stored.len()).collect();
        ensure!(numbers(&stored) == expected, "{stored:?}");
        last += stored.len() as u64;
        // Another log in between has numbers of its own.
        store
            .append(append(
                &b,
                store.last_number(&b).await?,
                vec![event("y", 0)],
            ))
            .await?;
    }
    ensure!(last == 10 && store.last_number(&a).await? == 10);
    ensure!(numbers(&store.read(&a, 0, 100).await?) == (1..=10).collect::<Vec<u64>>());
    ensure!(numbers(&store.read(&b, 0, 100).await?) == [1, 2, 3, 4]);
    not_found(store.read(&session_id("none"), 0, 1).await)?;
    not_found(store.last_number(&session_id("none")).await)
}

pub(super) async fn events_are_read_back_whole(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let odd = NewEvent {
        thread_id: Some(ThreadId::from_text("sthr_1")),
        is_thread_only: false,
        body: json!({
            "text": "nul \u{0} quote ' \" line \u{2028} \u{1f980} \r\n",
            "numbers": [0, -1, u64::MAX, i64::MIN, 0.1, 1e300, -0.5],
            "": {"null": null, "yes": true, "empty": [[], {}]},
        }),
        private: Some(json!(["signature", {"of": "model"}])),
        ..event("agent.message", 1)
    };
    let null = NewEvent {
        private: Some(Value::Null),
        ..event("it's", 2)
    };
    let deep = NewEvent {
        body: nested(JSON_DEPTH_MAX),
        ..event("deep", 3)
    };
    let events = vec![odd, null, deep, event("plain", -5)];
    let stored = store.append(append(&id, 0, events.clone())).await?;
    let expected: Vec<_> = (1..)
        .zip(events)
        .map(|(number, event)| as_stored(event, number))
        .collect();
    ensure!(stored == expected, "append returned {stored:?}");
    let read = store.read(&id, 0, 10).await?;
    ensure!(read == expected, "read returned {read:?}");
    Ok(())
}

pub(super) async fn an_append_must_expect_the_last_number(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    log_moved(store.append(append(&id, 1, vec![event("x", 0)])).await, 0)?;
    store
        .append(append(&id, 0, vec![event("x", 0), event("x", 1)]))
        .await?;
    for wrong in [0, 1, 3, u64::MAX] {
        log_moved(
            store.append(append(&id, wrong, vec![event("x", 2)])).await,
            2,
        )?;
    }
    ensure!(store.last_number(&id).await? == 2);
    store.append(append(&id, 2, vec![event("x", 2)])).await?;
    Ok(())
}

pub(super) async fn an_append_is_all_or_nothing(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let waiting = queued("user.message", 1);
    store.append(append(&id, 0, vec![waiting.clone()])).await?;
    let before = store.read(&id, 0, 10).await?;
    let stray = processed(&event("never", 1), 2);
    let events = vec![event("x", 2), processed(&waiting, 2), stray];
    invalid(store.append(append(&id, 1, events)).await)?;
    ensure!(
        store.read(&id, 0, 10).await? == before,
        "a refused append left something"
    );
    store
        .append(append(&id, 1, vec![processed(&waiting, 3)]))
        .await?;
    Ok(())
}

pub(super) async fn refusals_come_in_order(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let lease = Lease {
        session_id: id.clone(),
        token: 0,
    };
    // Everything is wrong at first; each step puts one thing right.
    let mut wrong = append(&session_id("none"), 7, Vec::new());
    wrong.lease = Some(lease);
    not_found(store.append(wrong.clone()).await)?;
    wrong.session_id = id.clone();
    lease_lost(store.append(wrong.clone()).await)?;
    wrong.lease = Some(store.acquire_lease(&id, "me", at(0), at(10)).await?);
    let unusable = [
        Vec::new(),
        vec![event(PROCESSED, 1)],
        vec![NewEvent {
            is_queued: true,
            ..processed(&event("x", 1), 1)
        }],
        vec![NewEvent {
            body: nested(JSON_DEPTH_MAX + 1),
            ..event("x", 1)
        }],
        vec![NewEvent {
            private: Some(nested(JSON_DEPTH_MAX + 1)),
            ..event("x", 1)
        }],
    ];
    for events in unusable {
        wrong.events = events;
        wrong.expected = 7;
        log_moved(store.append(wrong.clone()).await, 0)?;
        wrong.expected = 0;
        invalid(store.append(wrong.clone()).await)?;
    }
    wrong.events = vec![event("x", 1)];
    store.append(wrong).await?;
    Ok(())
}

pub(super) async fn creation_includes_first_events(store: SharedStore) -> Result<()> {
    let id = session_id("a");
    let first = event("session.created", 1);
    let waiting = queued("user.message", 2);
    let mut new = resource(Kind::Session, id.as_str(), 0);
    new.events = vec![first.clone(), waiting.clone(), processed(&waiting, 3)];
    store.create(new).await?;
    let read = store.read(&id, 0, 10).await?;
    ensure!(numbers(&read) == [1, 2, 3]);
    ensure!(read.first() == Some(&as_stored(first, 1)));
    ensure!(read.get(1).and_then(|event| event.position) == Some(3));
    // The events and the session are one: unusable events leave no session.
    let mut stray = resource(Kind::Session, session_id("b").as_str(), 0);
    stray.events = vec![event("x", 1), processed(&waiting, 2)];
    invalid(store.create(stray).await)?;
    not_found(store.session(&session_id("b")).await)
}

pub(super) async fn queued_events_wait_for_their_position(store: SharedStore) -> Result<()> {
    let (id, other) = (
        new_session(&store, "a").await?,
        new_session(&store, "b").await?,
    );
    let (one, two) = (queued("user.message", 1), queued("user.message", 2));
    let stored = store
        .append(append(&id, 0, vec![one.clone(), two.clone()]))
        .await?;
    ensure!(
        stored
            .iter()
            .all(|e| e.position.is_none() && e.processed_at.is_none())
    );
    ensure!(store.read(&id, 0, 10).await? == stored);

    // The second is taken first; taking is of this log only, of one event, and once.
    let taken = store
        .append(append(&id, 2, vec![event("x", 5), processed(&two, 6)]))
        .await?;
    ensure!(numbers(&taken) == [3, 4]);
    let read = store.read(&id, 0, 10).await?;
    let positions: Vec<_> = read.iter().map(|e| (e.position, e.processed_at)).collect();
    let expected = [
        (None, None),
        (Some(4), Some(at(6))),
        (Some(3), Some(at(5))),
        (Some(4), Some(at(6))),
    ];
    ensure!(positions == expected, "{positions:?}");
    let unmoved = read
        .get(1)
        .is_some_and(|e| e.at == at(2) && e.number == 2 && e.body == two.body);
    ensure!(
        unmoved,
        "taking an event from the queue changed what is immutable"
    );
    invalid(store.append(append(&id, 4, vec![processed(&two, 7)])).await)?;
    invalid(
        store
            .append(append(&id, 4, vec![processed(&event("x", 5), 7)]))
            .await,
    )?;
    invalid(
        store
            .append(append(&other, 0, vec![processed(&one, 7)]))
            .await,
    )?;

    // Queued and taken by one append.
    let three = queued("user.message", 8);
    let stored = store
        .append(append(&id, 4, vec![three.clone(), processed(&three, 9)]))
        .await?;
    let position = stored.first().map(|e| (e.position, e.processed_at));
    ensure!(position == Some((Some(6), Some(at(9)))), "{position:?}");
    ensure!(store.read(&id, 4, 10).await? == stored);
    Ok(())
}

pub(super) async fn the_largest_event_fits_and_no_larger(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let of_bytes = |bytes: usize| NewEvent {
        // The quotes and braces around the text take 11 bytes, the private part 4.
        body: json!({ "text": "x".repeat(bytes.saturating_sub(15)) }),
        private: Some(Value::Null),
        ..event("large", 1)
    };
    invalid(
        store
            .append(append(&id, 0, vec![of_bytes(EVENT_BYTES_MAX + 1)]))
            .await,
    )?;
    let largest = of_bytes(EVENT_BYTES_MAX);
    store.append(append(&id, 0, vec![largest.clone()])).await?;
    ensure!(
        store.read(&id, 0, 2).await? == [as_stored(largest, 1)],
        "it came back changed"
    );
    Ok(())
}

pub(super) async fn reads_are_bounded(store: SharedStore) -> Result<()> {
    let id = new_session(&store, "a").await?;
    let total = ROWS_MAX as u64 + 5;
    let events = (0..total).map(|n| event("x", n as i64)).collect();
    store.append(append(&id, 0, events)).await?;
    let cases = [
        (0, 0, 0..0),
        (0, 3, 1..4),
        (7, 2, 8..10),
        (0, usize::MAX, 1..ROWS_MAX as u64 + 1),
        (total - 2, 10, total - 1..total + 1),
        (total, 10, 0..0),
        (u64::MAX, 10, 0..0),
    ];
    for (after, limit, expected) in cases {
        let read = numbers(&store.read(&id, after, limit).await?);
        ensure!(
            read == expected.clone().collect::<Vec<_>>(),
            "{limit} after {after}: {read:?}"
        );
    }
    Ok(())
}
