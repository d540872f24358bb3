//! Logs that begin with another log's events, held against a plain copy.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{
    append, append_files, at, event, event_query, files, fork, forked, invalid, key, new_session,
    not_found, numbers, processed, queued, refused, resource, roots, rows, session_id,
};
use crate::ids::{EventId, SessionId, ThreadId, WorkspaceId};
use crate::store::{
    EventPlace, EventQuery, Files, FilesChange, Hash, History, Key, Kind, LogGrew, NewEvent,
    NewResource, Order, PROCESSED, STAGING_WORKSPACE, SharedStore, StoreError, StoredEvent,
    TimeRange, Write,
};

/// A source of numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    /// Returns a number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

/// What a log must read as: a copy of its events, whoever else has them.
#[derive(Clone)]
struct Log {
    id: SessionId,
    events: Vec<StoredEvent>,
    /// The last number that is not its own.
    shared: u64,
    files: Vec<(u64, Files)>,
}

impl Log {
    async fn new(store: &SharedStore, name: &str) -> Result<Self> {
        Ok(Self {
            id: new_session(store, name).await?,
            events: Vec::new(),
            shared: 0,
            files: Vec::new(),
        })
    }

    fn last(&self) -> u64 {
        self.events.len() as u64
    }

    async fn fork(&self, store: &SharedStore, name: &str, number: u64) -> Result<Self> {
        let mut fork = self.clone();
        fork.id = super::fork(store, name, &self.id, number).await?;
        fork.shared = number;
        fork.events.retain(|event| event.number <= number);
        for event in &mut fork.events {
            if event.position.is_some_and(|position| position > number) {
                (event.position, event.processed_at) = (None, None);
            }
        }
        fork.files.retain(|(at, _)| *at <= number);
        Ok(fork)
    }

    /// Appends a few events, now and then with files.
    async fn grow(&mut self, store: &SharedStore, dice: &mut Dice) -> Result<()> {
        let mut events: Vec<NewEvent> = Vec::new();
        let mut waiting: Vec<(EventId, u64)> = self
            .events
            .iter()
            .filter(|event| event.number > self.shared && event.position.is_none())
            .map(|event| (event.id.clone(), event.number))
            .collect();
        let mut taken = Vec::new();
        for number in self.last() + 1..self.last() + 2 + dice.below(5) {
            // Several events share an instant.
            let seconds = (number / 3) as i64;
            let mut new = match dice.below(6) {
                0 => event("did", seconds),
                1 => event("said", seconds),
                2 => event("sinew.note", seconds),
                3 if !waiting.is_empty() => {
                    let index = dice.below(waiting.len() as u64) as usize;
                    let (id, of) = waiting.swap_remove(index);
                    taken.push((of, number, at(seconds)));
                    NewEvent {
                        body: json!({ "event_id": id }),
                        ..event(PROCESSED, seconds)
                    }
                }
                _ => queued("said", seconds),
            };
            new.id = EventId::from_text(format!("sevt_{}_{number}", self.id));
            let thread = dice.below(3);
            new.thread_id = (thread > 0).then(|| ThreadId::from_text(format!("sthr_{thread}")));
            if new.is_queued {
                waiting.push((new.id.clone(), number));
            }
            events.push(new);
        }
        let mut append = append(&self.id, self.last(), events);
        if dice.below(2) == 0 {
            let root = format!("{} {}", self.id, self.last());
            let change = FilesChange {
                objects: rows(&[&root]),
                ..files(&root, None)
            };
            let at = self.last() + append.events.len() as u64;
            self.files.push((at, change.files));
            append.files = Some(Box::new(change));
        }
        let stored = store.append(append).await?;
        self.events.extend(stored);
        for (of, position, at) in taken {
            let event = self.events.iter_mut().find(|event| event.number == of);
            let event = event.context("a queued event")?;
            (event.position, event.processed_at) = (Some(position), Some(at));
        }
        Ok(())
    }

    /// Returns what a list must return.
    fn listed(&self, query: &EventQuery) -> Vec<StoredEvent> {
        let order = |place: EventPlace| match place {
            EventPlace::Processed(position) => (0, position),
            EventPlace::Queued(number) => (1, number),
        };
        let is_behind = |event: &StoredEvent| {
            let place = order(place(event));
            query.after.is_none_or(|after| match query.order {
                Order::Ascending => place > order(after),
                Order::Descending => place < order(after),
            })
        };
        let is_in_time = |event: &StoredEvent| match event.processed_at {
            Some(at) => query.processed_at.contains(at),
            None => event.number > self.shared && query.processed_at == TimeRange::default(),
        };
        let mut listed: Vec<StoredEvent> = self
            .events
            .iter()
            .filter(|e| !e.kind.starts_with("sinew.") && is_in_time(e) && is_behind(e))
            .filter(|e| query.thread_id.is_none() || query.thread_id == e.thread_id)
            .filter(|e| query.kinds.is_empty() || query.kinds.contains(&e.kind))
            .cloned()
            .collect();
        listed.sort_by_key(|event| order(place(event)));
        if query.order == Order::Descending {
            listed.reverse();
        }
        listed.truncate(query.limit);
        listed
    }

    /// Holds what the store says of the whole log against the copy.
    async fn check(&self, store: &SharedStore) -> Result<()> {
        let last = store.last_number(&self.id).await?;
        ensure!(last == self.last(), "{} ends at {last}", self.id);
        let read = store.read(&self.id, 0, 1_000).await?;
        ensure!(read == self.events, "{}: {read:?}", self.id);
        for order in [Order::Ascending, Order::Descending] {
            self.check_list(store, &event_query(&self.id, order))
                .await?;
        }
        for number in (0..=self.last()).chain([u64::MAX]) {
            let found = store.files().files_at(&self.id, number).await?;
            let expected = self.files.iter().rev().find(|(at, _)| *at <= number);
            ensure!(
                found == expected.map(|(_, files)| *files),
                "files at {number}"
            );
        }
        for after in [0, self.shared, self.last() / 2, u64::MAX] {
            let found = store.files().snapshots(&self.id, after, 3).await?;
            let expected = self.files.iter().filter(|(at, _)| *at > after).take(3);
            ensure!(found.iter().eq(expected), "files behind {after}: {found:?}");
        }
        Ok(())
    }

    async fn check_list(&self, store: &SharedStore, query: &EventQuery) -> Result<()> {
        let (found, expected) = (store.list_events(query).await?, self.listed(query));
        ensure!(
            found == expected,
            "{query:?} found {:?} and not {:?}",
            numbers(&found),
            numbers(&expected)
        );
        Ok(())
    }

    /// As [`Log::check`], and pages of every kind from many places.
    async fn check_pages(&self, store: &SharedStore, dice: &mut Dice) -> Result<()> {
        self.check(store).await?;
        for after in 0..=self.last() + 1 {
            let limit = dice.below(8) as usize;
            let read = store.read(&self.id, after, limit).await?;
            let expected = self.events.iter().skip(after as usize).take(limit);
            ensure!(read.iter().eq(expected), "{limit} after {after}: {read:?}");
        }
        for _ in 0..300 {
            let number = dice.below(self.last() + 2);
            let time = Some(at((dice.below(self.last() + 3) / 3) as i64));
            let kinds: &[&str] = match dice.below(4) {
                0 => &["said"],
                1 => &["said", "did", PROCESSED],
                _ => &[],
            };
            let query = EventQuery {
                session_id: self.id.clone(),
                thread_id: match dice.below(4) {
                    0 => Some(ThreadId::from_text("sthr_1")),
                    1 => Some(ThreadId::from_text("sthr_2")),
                    _ => None,
                },
                kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
                processed_at: TimeRange {
                    gte: time.filter(|_| dice.below(5) == 0),
                    lt: time.filter(|_| dice.below(5) == 0),
                    ..TimeRange::default()
                },
                order: match dice.below(2) {
                    0 => Order::Ascending,
                    _ => Order::Descending,
                },
                after: match dice.below(5) {
                    0 => Some(EventPlace::Queued(number)),
                    1 => None,
                    _ => Some(EventPlace::Processed(number)),
                },
                limit: 1 + dice.below(12) as usize,
            };
            self.check_list(store, &query).await?;
        }
        Ok(())
    }
}

fn place(event: &StoredEvent) -> EventPlace {
    match event.position {
        Some(position) => EventPlace::Processed(position),
        None => EventPlace::Queued(event.number),
    }
}

/// Makes a family of logs: two forks of the first, and forks of a fork within what that shares and behind it.
async fn family(store: &SharedStore, prefix: &str, dice: &mut Dice) -> Result<Vec<Log>> {
    let mut a = Log::new(store, &format!("{prefix}_a")).await?;
    for _ in 0..5 {
        a.grow(store, dice).await?;
    }
    let number = a.last() - dice.below(3);
    let mut b = a.fork(store, &format!("{prefix}_b"), number).await?;
    for _ in 0..3 {
        b.grow(store, dice).await?;
        a.grow(store, dice).await?;
    }
    let number = number + 1 + dice.below(b.last() - number);
    let c = b.fork(store, &format!("{prefix}_c"), number).await?;
    let number = 1 + dice.below(b.shared);
    let d = b.fork(store, &format!("{prefix}_d"), number).await?;
    let mut logs = vec![a, b, c, d];
    for log in &mut logs {
        log.grow(store, dice).await?;
    }
    Ok(logs)
}

pub(super) async fn a_fork_reads_as_a_copy(store: SharedStore) -> Result<()> {
    let mut dice = Dice(7);
    for round in 0..4 {
        let mut logs = family(&store, &round.to_string(), &mut dice).await?;
        for log in &logs {
            log.check_pages(&store, &mut dice).await?;
        }
        // A fork without events of its own, and one more behind it.
        let [a, b, c, d] = &logs[..] else { continue };
        let e = c.fork(&store, &format!("{round}_e"), c.last()).await?;
        let f = e.fork(&store, &format!("{round}_f"), e.last()).await?;
        let g = f.fork(&store, &format!("{round}_g"), b.shared).await?;
        let h = a.fork(&store, &format!("{round}_h"), 1).await?;
        let i = d.fork(&store, &format!("{round}_i"), d.shared + 1).await?;
        logs.extend([e, f, g, h, i]);
        for log in &mut logs {
            log.check(&store).await?;
            log.grow(&store, &mut dice).await?;
        }
        // All have grown, and none has changed another.
        for log in &logs {
            log.check_pages(&store, &mut dice).await?;
        }
    }
    Ok(())
}

pub(super) async fn what_is_shared_outlives_its_session(store: SharedStore) -> Result<()> {
    let mut dice = Dice(11);
    for order in 0..24_u64 {
        let mut logs = family(&store, &order.to_string(), &mut dice).await?;
        let mut choice = order;
        for left in (1..=4).rev() {
            let gone = logs.remove((choice % left) as usize);
            choice /= left;
            store.delete(&key(Kind::Session, gone.id.as_str())).await?;
            not_found(store.read(&gone.id, 0, 1).await)?;
            not_found(store.files().files_at(&gone.id, 1).await)?;
            // What is made now must not lie where something is that is still shared.
            let mut new = Log::new(&store, &format!("{order}_new_{left}")).await?;
            new.grow(&store, &mut dice).await?;
            new.check(&store).await?;
            store.delete(&key(Kind::Session, new.id.as_str())).await?;
            let mut expected: Vec<Hash> = logs
                .iter()
                .flat_map(|log| log.files.iter().map(|(_, files)| files.root))
                .collect();
            expected.sort();
            expected.dedup();
            // What lies between the events that one fork shares and another does may stay.
            let kept = roots(&store).await?;
            ensure!(expected.iter().all(|root| kept.contains(root)), "{kept:?}");
            for log in &mut logs {
                log.check(&store).await?;
                log.grow(&store, &mut dice).await?;
            }
        }
        ensure!(roots(&store).await?.is_empty(), "roots of nobody");
    }
    Ok(())
}

pub(super) async fn what_only_forks_need_goes_with_them(store: SharedStore) -> Result<()> {
    let a = new_session(&store, "a").await?;
    for number in 0..6 {
        let root = format!("root {number}");
        let change = FilesChange {
            objects: rows(&[&root]),
            ..files(&root, None)
        };
        store
            .append(append_files(&a, number, vec![event("x", 1)], change))
            .await?;
    }
    let left = |count: usize| {
        let mut hashes: Vec<Hash> = (0..count)
            .map(|n| Hash::of(format!("root {n}").as_bytes()))
            .collect();
        hashes.sort();
        hashes
    };
    let b = fork(&store, "b", &a, 4).await?;
    let c = fork(&store, "c", &b, 2).await?;
    let d = fork(&store, "d", &b, 3).await?;
    for (id, count) in [(&b, 6), (&a, 3), (&d, 2), (&c, 0)] {
        store.delete(&key(Kind::Session, id.as_str())).await?;
        let kept = roots(&store).await?;
        ensure!(kept == left(count), "{} roots without {id}", kept.len());
    }
    Ok(())
}

pub(super) async fn what_was_queued_stays_queued_for_good(store: SharedStore) -> Result<()> {
    let a = new_session(&store, "a").await?;
    let (one, two) = (queued("said", 1), queued("said", 2));
    let events = vec![one.clone(), two.clone(), event("did", 3)];
    store.append(append(&a, 0, events)).await?;
    let early = fork(&store, "early", &a, 3).await?;
    store
        .append(append(&a, 3, vec![processed(&one, 4), event("did", 5)]))
        .await?;
    let late = fork(&store, "late", &a, 5).await?;
    let between = fork(&store, "between", &a, 3).await?;
    for (id, position, listed) in [
        (&early, None, &[3][..]),
        (&between, None, &[3]),
        (&late, Some(4), &[3, 1, 5]),
    ] {
        let last = store.last_number(id).await?;
        for stuck in [&one, &two] {
            let take = append(id, last, vec![processed(stuck, 6)]);
            invalid(store.append(take).await)?;
        }
        // One that is queued in the fork itself is no different from any.
        let own = NewEvent {
            id: EventId::from_text("sevt_own"),
            ..queued("said", 7)
        };
        store
            .append(append(id, last, vec![own.clone(), event("did", 8)]))
            .await?;
        store
            .append(append(id, last + 2, vec![processed(&own, 9)]))
            .await?;
        let read = store.read(id, 0, 10).await?;
        let positions: Vec<_> = read.iter().map(|e| (e.position, e.processed_at)).collect();
        ensure!(positions.first() == Some(&(position, position.map(|_| at(4)))));
        ensure!(positions.get(1) == Some(&(None, None)));
        ensure!(positions.get(last as usize) == Some(&(Some(last + 3), Some(at(9)))));
        let expected: Vec<u64> = [listed, &[last + 2, last + 1][..]].concat();
        let found = numbers(
            &store
                .list_events(&event_query(id, Order::Ascending))
                .await?,
        );
        ensure!(found == expected, "{id}: {found:?}");
    }
    // The source goes on as if nobody shared it.
    store
        .append(append(&a, 5, vec![processed(&two, 6)]))
        .await?;
    let found = store
        .list_events(&event_query(&a, Order::Ascending))
        .await?;
    ensure!(numbers(&found) == [3, 1, 5, 2], "{:?}", numbers(&found));
    Ok(())
}

pub(super) async fn a_history_must_be_there(store: SharedStore) -> Result<()> {
    let a = new_session(&store, "a").await?;
    invalid(store.create(forked("b", &a, 1)).await)?;
    store
        .append(append(&a, 0, vec![event("x", 1), event("x", 2)]))
        .await?;
    for number in [0, 3, u64::MAX] {
        invalid(store.create(forked("b", &a, number)).await)?;
    }
    not_found(store.create(forked("b", &session_id("none"), 1)).await)?;
    not_found(store.create(forked("b", &session_id("b"), 1)).await)?;
    let elsewhere = NewResource {
        key: Key {
            workspace: WorkspaceId::from_text("wrkspc_two"),
            ..key(Kind::Session, "sesn_b")
        },
        ..forked("b", &a, 1)
    };
    not_found(store.create(elsewhere.clone()).await)?;
    // A staged log is nobody's, so it may become anybody's; then it need not stay.
    let staged = NewResource {
        key: Key {
            workspace: WorkspaceId::from_text(STAGING_WORKSPACE),
            ..key(Kind::Session, "sesn_staged")
        },
        events: vec![event("z", 1)],
        ..resource(Kind::Session, "sesn_staged", 0)
    };
    let staging = staged.key.clone();
    store.create(staged).await?;
    let whole = NewResource {
        key: Key {
            id: "sesn_whole".to_owned(),
            ..elsewhere.key
        },
        history: Some(History {
            session_id: SessionId::from_text("sesn_staged"),
            number: 1,
        }),
        ..elsewhere
    };
    store
        .write(vec![Write::Create(whole), Write::Delete(staging)])
        .await?;
    let read = store
        .read(&SessionId::from_text("sesn_whole"), 0, 9)
        .await?;
    ensure!(read.len() == 1, "{read:?}");
    not_found(store.session(&SessionId::from_text("sesn_staged")).await)?;
    let no_session = NewResource {
        history: Some(History {
            session_id: a.clone(),
            number: 1,
        }),
        ..resource(Kind::Agent, "agent_1", 0)
    };
    invalid(store.create(no_session).await)?;
    refused(
        store.create(forked("a", &a, 1)).await,
        "AlreadyExists",
        |e| matches!(e, StoreError::AlreadyExists),
    )?;
    // An unusable event behind the history leaves neither.
    let stray = NewResource {
        events: vec![processed(&event("x", 1), 3)],
        ..forked("b", &a, 2)
    };
    invalid(store.create(stray).await)?;
    not_found(store.session(&session_id("b")).await)?;
    // Made and shared in one commit; what is deleted in it is not there.
    let new = NewResource {
        events: vec![event("y", 1)],
        ..forked("b", &a, 2)
    };
    store
        .write(vec![
            Write::Create(new),
            Write::Create(forked("c", &session_id("b"), 3)),
            Write::Delete(key(Kind::Session, a.as_str())),
        ])
        .await?;
    not_found(store.create(forked("d", &a, 1)).await)?;
    for name in ["b", "c"] {
        let read = store.read(&session_id(name), 0, 10).await?;
        let kinds: Vec<&str> = read.iter().map(|event| event.kind.as_str()).collect();
        ensure!(kinds == ["x", "x", "y"], "{name}: {kinds:?}");
    }
    Ok(())
}

pub(super) async fn subscribers_hear_of_each_log_by_itself(store: SharedStore) -> Result<()> {
    let a = new_session(&store, "a").await?;
    store
        .append(append(&a, 0, vec![event("x", 1), event("x", 2)]))
        .await?;
    let mut growth = store.subscribe();
    // A log that begins with events has grown by them.
    let b = fork(&store, "b", &a, 2).await?;
    let new = NewResource {
        events: vec![event("y", 1), event("y", 2)],
        ..forked("c", &b, 1)
    };
    store.create(new).await?;
    store.append(append(&a, 2, vec![event("x", 3)])).await?;
    store.append(append(&b, 2, vec![event("y", 3)])).await?;
    store.delete(&key(Kind::Session, a.as_str())).await?;
    store.append(append(&b, 3, vec![event("y", 4)])).await?;
    for (id, last) in [
        (&b, 2),
        (&session_id("c"), 3),
        (&a, 3),
        (&b, 3),
        (&a, u64::MAX),
        (&b, 4),
    ] {
        let heard = growth.recv().await?;
        let expected = LogGrew {
            session_id: id.clone(),
            last,
        };
        ensure!(heard == expected, "heard {heard:?}, not {expected:?}");
    }
    Ok(())
}
