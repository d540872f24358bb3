//! The contract on SQLite, and what only SQLite promises: its file, its limits, its work per page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::ids::{EventId, ThreadId, WorkspaceId};
use crate::store::{
    EventPlace, Files, FilesChange, Hash, History, Kind, NewEvent, NewObjects, NewPack, Order,
    PROCESSED, Projection, ROWS_MAX, TimeRange, contract,
};

mod files;
mod histories;
mod page_cost;
mod torn;

macro_rules! contract_tests {
    ($($module:ident: $name:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let folder = tempfile::tempdir().unwrap();
            let options = SqliteOptions::new(folder.path().join("store.db"));
            let store = Arc::new(SqliteStore::open(options).unwrap());
            contract::$name(store).await.unwrap();
        }
    )*};
}
crate::store_contract!(contract_tests);

/// The same in memory, where nothing goes wrong.
mod in_memory {
    use super::*;

    struct Steady;

    #[async_trait]
    impl Device for Steady {
        async fn begin(&self, _: bool) -> Result<(), StoreError> {
            Ok(())
        }

        fn commit(&self) -> Fate {
            Fate::Kept
        }

        async fn end(&self) {}
    }

    macro_rules! contract_tests {
        ($($module:ident: $name:ident;)*) => {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let store = Memory::new().unwrap().store(Arc::new(Steady));
                contract::$name(Arc::new(store)).await.unwrap();
            }
        )*};
    }
    crate::store_contract!(contract_tests);
}

/// A store in a folder of its own.
struct Fixture {
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl Fixture {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut SqliteOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = SqliteOptions::new(folder.path().join("store.db"));
        change(&mut options);
        let store = SqliteStore::open(options).unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    async fn session(&self, name: &str) -> SessionId {
        let key = key(Kind::Session, name);
        let id = SessionId::from_text(key.id.as_str());
        self.store.create(resource(key)).await.unwrap();
        id
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn key(kind: Kind, id: &str) -> Key {
    Key {
        workspace: WorkspaceId::from_text("wrkspc_one"),
        kind,
        id: id.to_owned(),
    }
}

fn resource(key: Key) -> NewResource {
    NewResource {
        key,
        body: json!({ "first": true }),
        unique_name: None,
        status: Some("idle".to_owned()),
        labels: vec![("agent_id".to_owned(), "one".to_owned())],
        at: at(0),
        events: Vec::new(),
        needs_wake: false,
        history: None,
    }
}

fn event(kind: &str, text: &str) -> NewEvent {
    NewEvent {
        id: EventId::from_text(format!("sevt_{}", &text[..text.len().min(20)])),
        thread_id: None,
        is_thread_only: false,
        kind: kind.to_owned(),
        at: at(1),
        is_queued: false,
        body: json!({ "text": text }),
        private: None,
    }
}

fn append(session_id: &SessionId, expected: u64, events: Vec<NewEvent>) -> Append {
    Append {
        session_id: session_id.clone(),
        expected,
        lease: None,
        events,
        projection: None,
        files: None,
    }
}

/// Writes a bit of everything and returns what can be read of it.
async fn fill(store: &SqliteStore) -> Vec<String> {
    let agent = store.create(resource(key(Kind::Agent, "a"))).await.unwrap();
    let change = ResourceChange {
        body: json!({ "second": true }),
        new_version: true,
        unique_name: Some("name".to_owned()),
        status: None,
        archived_at: None,
        at: at(2),
    };
    store.update(&agent.key, 1, change).await.unwrap();
    store
        .create(resource(key(Kind::Session, "s")))
        .await
        .unwrap();
    let id = SessionId::from_text("s");
    let lease = store.acquire_lease(&id, "me", at(0), at(5)).await.unwrap();
    let queued = NewEvent {
        is_queued: true,
        ..event("user.message", "waits")
    };
    let taken = NewEvent {
        is_queued: true,
        ..event("user.message", "taken")
    };
    let takes = NewEvent {
        body: json!({ "event_id": taken.id }),
        ..event(PROCESSED, "takes")
    };
    store
        .append(Append {
            lease: Some(lease),
            projection: Some(Projection {
                body: json!({ "projected": true }),
                status: "running".to_owned(),
                archived_at: None,
                needs_wake: true,
            }),
            ..append(&id, 0, vec![queued, taken, takes, event("x", "last")])
        })
        .await
        .unwrap();
    let mut fork = resource(key(Kind::Session, "fork"));
    fork.history = Some(History {
        session_id: id.clone(),
        number: 3,
    });
    store.create(fork).await.unwrap();
    store
        .append(files::append(&SessionId::from_text("fork"), 3, "content"))
        .await
        .unwrap();
    let pack = NewPack {
        name: "pack".to_owned(),
        bytes: 4,
        parts: vec![(Hash::of(b"part"), 0, 4)],
    };
    let new = NewObjects {
        pack: Some(pack),
        ..NewObjects::default()
    };
    store.add_objects(new).await.unwrap();
    let checkpoint = bytes::Bytes::from_static(b"checkpoint");
    store.put_checkpoint(&id, 2, checkpoint).await.unwrap();
    picture(store).await
}

async fn picture(store: &SqliteStore) -> Vec<String> {
    let id = SessionId::from_text("s");
    let fork = SessionId::from_text("fork");
    vec![
        format!("{:?}", store.read(&fork, 0, 10).await.unwrap()),
        format!("{:?}", store.files_at(&fork, 4).await.unwrap()),
        format!("{:?}", store.checkpoint(&fork, 4).await.unwrap()),
        format!("{:?}", store.objects(0, 10).await.unwrap()),
        format!("{:?}", store.roots(0, 10).await.unwrap()),
        format!("{:?}", store.packs(None, 10).await.unwrap()),
        format!("{:?}", store.row_bytes().await.unwrap()),
        format!(
            "{:?}",
            store
                .versions(&key(Kind::Agent, "a"), None, 10)
                .await
                .unwrap()
        ),
        format!("{:?}", store.session(&id).await.unwrap()),
        format!("{:?}", store.read(&id, 0, 10).await.unwrap()),
        format!("{:?}", store.sessions_to_wake(at(5), 10).await.unwrap()),
        format!(
            "{:?}",
            store
                .acquire_lease(&id, "you", at(4), at(9))
                .await
                .unwrap_err()
        ),
    ]
}

#[tokio::test]
async fn reopening_keeps_everything() {
    let Fixture { folder, store } = Fixture::new();
    let before = fill(&store).await;
    drop(store);
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).unwrap();
    assert_eq!(picture(&store).await, before);
    let lease = Lease {
        session_id: SessionId::from_text("s"),
        token: 1,
    };
    store.renew_lease(&lease, at(6)).await.unwrap();
}

#[tokio::test]
async fn what_is_acknowledged_is_in_the_files_without_closing_them() {
    let fixture = Fixture::new();
    let before = fill(&fixture.store).await;
    let copy = tempfile::tempdir().unwrap();
    for name in ["store.db", "store.db-wal"] {
        std::fs::copy(fixture.folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let store = SqliteStore::open(SqliteOptions::new(copy.path().join("store.db"))).unwrap();
    assert_eq!(picture(&store).await, before);
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::new();
    for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{entry:?}"
        );
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_works_again_when_there_is_space() {
    let fixture = Fixture::with(|options| options.bytes_max = Some(512 << 10));
    let store = &fixture.store;
    let mut ids = Vec::new();
    for n in 0..8 {
        ids.push(fixture.session(&format!("s{n}")).await);
    }
    let mut growth = store.subscribe();
    // All fill it at the same time, each until it is refused.
    let fill = |id: SessionId, last: u64| async move {
        for number in 0.. {
            let text = format!("{number:03}").repeat(1_000);
            match store
                .append(append(&id, last + number, vec![event("x", &text)]))
                .await
            {
                Ok(_) => {}
                Err(StoreError::Full) => return number,
                Err(error) => panic!("{error:?}"),
            }
        }
        unreachable!("the store never filled up")
    };
    let fills = ids.iter().map(|id| fill(id.clone(), 0));
    let mut acknowledged = futures::future::join_all(fills).await;
    assert!(acknowledged.iter().sum::<u64>() > 50, "{acknowledged:?}");
    for (id, acknowledged) in ids.iter().zip(&acknowledged) {
        let texts: Vec<_> = store.read(id, 0, 1_000).await.unwrap();
        assert_eq!(texts.len() as u64, *acknowledged, "{id}");
        for (number, event) in texts.iter().enumerate() {
            assert_eq!(event.body["text"], format!("{number:03}").repeat(1_000));
        }
    }
    let mut told = 0;
    while growth.try_recv().is_ok() {
        told += 1;
    }
    assert_eq!(
        told,
        acknowledged.iter().sum::<u64>(),
        "growth told of what was refused"
    );

    // Removing something makes space, also on a full disk.
    let gone = ids.pop().unwrap();
    store
        .delete(&key(Kind::Session, gone.as_str()))
        .await
        .unwrap();
    for (id, last) in ids.iter().zip(&mut acknowledged) {
        store
            .append(append(id, *last, vec![event("x", "more")]))
            .await
            .unwrap();
        *last += 1;
    }
    for (id, last) in ids.iter().zip(&mut acknowledged) {
        *last += fill(id.clone(), *last).await;
    }

    let raise = |unit: &mut writer::Unit<'_>| {
        Ok(unit.db.pragma_update(None, "max_page_count", 1_000_000)?)
    };
    store.writing(raise).await.unwrap();
    for (id, acknowledged) in ids.iter().zip(&acknowledged) {
        store
            .append(append(id, *acknowledged, vec![event("x", "more")]))
            .await
            .unwrap();
    }
}

/// Runs `writes` so that they are one batch: the thread is kept busy until all of them wait.
async fn in_one_batch<T>(store: &SqliteStore, writes: Vec<impl Future<Output = T>>) -> Vec<T> {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (start, started) = tokio::sync::oneshot::channel();
    let mut start = Some(start);
    let blocker = store.writing(move |_| {
        // The thread takes what waits before it runs the first, so from here on nothing joins this batch.
        start.take().unwrap().send(()).unwrap();
        released.recv().unwrap();
        Ok(())
    });
    let writes = async {
        started.await.unwrap();
        let release = async {
            // All writes have been polled before this, so they are in the queue.
            release.send(()).unwrap();
        };
        tokio::join!(biased; futures::future::join_all(writes), release).0
    };
    let (blocked, results) = tokio::join!(blocker, writes);
    blocked.unwrap();
    results
}

#[tokio::test]
async fn a_lost_transaction_is_answered_truly() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (a, b) = (fixture.session("a").await, fixture.session("b").await);
    let mut growth = store.subscribe();
    // What SQLite does by itself on some errors: the whole transaction is gone, not just a savepoint.
    let lose = |with: fn() -> StoreError| async move {
        let lose = move |unit: &mut writer::Unit<'_>| {
            unit.db.execute_batch("ROLLBACK")?;
            Err(with())
        };
        store.writing(lose).await
    };
    let push = |id: &SessionId| {
        let append = append(id, 0, vec![event("x", "x")]);
        async move { store.append(append).await.map(|_| ()) }
    };
    for (with, others_live) in [
        (
            (|| StoreError::Failed("disk".to_owned())) as fn() -> StoreError,
            false,
        ),
        (|| StoreError::Full, true),
    ] {
        let writes: Vec<std::pin::Pin<Box<dyn Future<Output = _> + '_>>> =
            vec![Box::pin(push(&a)), Box::pin(lose(with)), Box::pin(push(&b))];
        let results = in_one_batch(store, writes).await;
        assert_eq!(
            std::mem::discriminant(results[1].as_ref().unwrap_err()),
            std::mem::discriminant(&with())
        );
        for (id, result) in [(&a, &results[0]), (&b, &results[2])] {
            assert_eq!(result.is_ok(), others_live, "{result:?}");
            let last = u64::from(others_live);
            assert_eq!(store.last_number(id).await.unwrap(), last);
            assert_eq!(growth.try_recv().is_ok(), others_live);
        }
    }
}

#[tokio::test]
async fn a_refused_write_leaves_the_others_of_its_batch_alone() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (a, b) = (fixture.session("a").await, fixture.session("b").await);
    // Of two that expect the same number one is refused, for what the other did in the same commit; the
    // third is refused after it has written.
    let stray = NewEvent {
        body: json!({ "event_id": "none" }),
        ..event(PROCESSED, "stray")
    };
    let writes = [
        append(&a, 0, vec![event("x", "one")]),
        append(&a, 0, vec![event("x", "two")]),
        append(&b, 0, vec![event("x", "three"), stray]),
        append(&b, 0, vec![event("x", "four")]),
    ];
    let mut growth = store.subscribe();
    let hasty = store.writing(|unit| {
        unit.grew(&SessionId::from_text("b"), 9);
        Err::<(), _>(StoreError::NotFound)
    });
    let appends = async {
        let appends = writes.into_iter().map(|append| store.append(append));
        futures::future::join_all(appends).await
    };
    let both = async { tokio::join!(biased; hasty, appends).1 };
    let results = in_one_batch(store, vec![both]).await.remove(0);
    assert!(results[0].is_ok() && results[3].is_ok(), "{results:?}");
    assert!(
        matches!(results[1], Err(StoreError::LogMoved { actual: 1 })),
        "{results:?}"
    );
    assert!(
        matches!(results[2], Err(StoreError::Invalid(_))),
        "{results:?}"
    );
    for (id, text) in [(&a, "one"), (&b, "four")] {
        let read = store.read(id, 0, 10).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].body["text"], text);
        let told = growth.try_recv().unwrap();
        assert_eq!((&told.session_id, told.last), (id, 1));
    }
    assert!(
        growth.try_recv().is_err(),
        "growth told of what was refused"
    );
}

#[tokio::test]
async fn another_processs_lock_is_told_and_survived() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let id = fixture.session("a").await;
    let impatient = |unit: &mut writer::Unit<'_>| Ok(unit.db.busy_timeout(Duration::ZERO)?);
    store.writing(impatient).await.unwrap();
    let other = Connection::open(fixture.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.append(append(&id, 0, vec![event("x", "x")])).await;
    assert!(matches!(refused, Err(StoreError::InUse(_))), "{refused:?}");
    assert_eq!(store.last_number(&id).await.unwrap(), 0);
    other.execute_batch("ROLLBACK").unwrap();
    store
        .append(append(&id, 0, vec![event("x", "x")]))
        .await
        .unwrap();
}

#[test]
fn a_file_that_is_not_ours_or_too_new_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, write: &dyn Fn(&Path)| {
        let path = folder.path().join(name);
        write(&path);
        path
    };
    let newer = make("newer", &|path| {
        drop(SqliteStore::open(SqliteOptions::new(path)).unwrap());
        let db = Connection::open(path).unwrap();
        db.pragma_update(None, "user_version", 7_001).unwrap();
    });
    let foreign = make("foreign", &|path| {
        let db = Connection::open(path).unwrap();
        db.execute_batch("CREATE TABLE theirs (x)").unwrap();
    });
    let garbage = make("garbage", &|path| {
        std::fs::write(path, "x".repeat(9_000)).unwrap()
    });
    for (path, expected) in [
        (newer, "schema version 7001"),
        (foreign, "another program's"),
        (garbage, "not a database"),
        (folder.path().join("no/folder"), "cannot open"),
    ] {
        let before = std::fs::read(&path).ok();
        let Err(StoreError::Failed(text)) = SqliteStore::open(SqliteOptions::new(&path)) else {
            panic!("{path:?} was opened");
        };
        assert!(text.contains(expected), "{text}");
        assert_eq!(std::fs::read(&path).ok(), before, "{path:?} was changed");
    }
}
