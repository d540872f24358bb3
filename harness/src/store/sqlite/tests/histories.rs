//! Shared histories in the tables: nothing is copied, nothing is left, and an older file can have them.

use super::*;

/// Counts the rows of every table that hangs on events.
fn rows(fixture: &Fixture) -> Vec<(&'static str, i64)> {
    let db = schema::open_reader(&fixture.path()).unwrap();
    let tables = ["events", "snapshots", "roots", "checkpoints", "segments"];
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        db.query_row(&sql, (), |row| row.get(0)).unwrap()
    };
    tables.map(|table| (table, count(table))).to_vec()
}

async fn fork(fixture: &Fixture, name: &str, of: &SessionId, number: u64) -> SessionId {
    let mut new = resource(key(Kind::Session, name));
    new.history = Some(History {
        session_id: of.clone(),
        number,
    });
    fixture.store.create(new).await.unwrap();
    SessionId::from_text(name)
}

/// Appends ten events with files and keeps a checkpoint at the third of them.
async fn grow(fixture: &Fixture, id: &SessionId) {
    let store = &fixture.store;
    let last = store.last_number(id).await.unwrap();
    for number in last..last + 10 {
        let append = files::append(id, number, &format!("{id} {number}"));
        store.append(append).await.unwrap();
    }
    let body = bytes::Bytes::from_static(b"checkpoint");
    store.put_checkpoint(id, last + 3, body).await.unwrap();
}

#[tokio::test]
async fn shared_rows_are_neither_copied_nor_left() {
    let fixture = Fixture::new();
    let a = fixture.session("a").await;
    grow(&fixture, &a).await;
    let all = |events, checkpoints, segments| {
        vec![
            ("events", events),
            ("snapshots", events),
            ("roots", events),
            ("checkpoints", checkpoints),
            ("segments", segments),
        ]
    };
    assert_eq!(rows(&fixture), all(10, 1, 0));
    let b = fork(&fixture, "b", &a, 7).await;
    assert_eq!(rows(&fixture), all(10, 1, 1));
    grow(&fixture, &b).await;
    let c = fork(&fixture, "c", &b, 12).await;
    let d = fork(&fixture, "d", &b, 2).await;
    assert_eq!(rows(&fixture), all(20, 2, 4));
    for (gone, left) in [
        // The first seven of `a`, and the first five of `b`.
        (&a, all(17, 2, 4)),
        (&b, all(12, 2, 3)),
        (&c, all(2, 0, 1)),
        (&d, all(0, 0, 0)),
    ] {
        let key = key(Kind::Session, gone.as_str());
        fixture.store.delete(&key).await.unwrap();
        assert_eq!(rows(&fixture), left, "without {gone}");
    }
}

/// A handle that came back would put a new session's events among those that forks share.
#[tokio::test]
async fn a_handle_is_not_given_out_again_while_its_events_are_shared() {
    let fixture = Fixture::new();
    let mut ids = vec![fixture.session("s0").await];
    grow(&fixture, &ids[0]).await;
    let handle = |id: &SessionId| {
        let db = schema::open_reader(&fixture.path()).unwrap();
        log::SessionRow::find(&db, id).unwrap().handle
    };
    for n in 1..6 {
        let parent = ids[n - 1].clone();
        let shared = handle(&parent);
        ids.push(fork(&fixture, &format!("s{n}"), &parent, 5).await);
        for gone in [parent, fixture.session("largest").await] {
            let key = key(Kind::Session, gone.as_str());
            fixture.store.delete(&key).await.unwrap();
        }
        let new = fixture.session(&format!("new{n}")).await;
        assert!(handle(&new) > shared, "{shared} came back");
        assert_eq!(fixture.store.last_number(&new).await.unwrap(), 0);
        assert_eq!(fixture.store.read(&ids[n], 0, 10).await.unwrap().len(), 5);
    }
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(schema::MIGRATIONS[0]).unwrap();
    db.execute_batch(
        "INSERT INTO resources (handle, workspace, kind, id, version, revision, created_at, \
                                updated_at, body) \
           VALUES (3, 'wrkspc_one', 'session', 'old', 1, 1, 0, 0, '{}'); \
         INSERT INTO sessions (handle, id) VALUES (3, 'old'); \
         INSERT INTO events (slot, id, kind, at, position_slot, processed_at, is_hidden, body) \
           VALUES ((3 << 32) | 1, 'sevt_1', 'x', 0, (3 << 32) | 1, 0, 0, '{}');",
    )
    .unwrap();
    db.pragma_update(None, "application_id", schema::APPLICATION_ID)
        .unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    drop(db);
    let store = SqliteStore::open(SqliteOptions::new(&path)).unwrap();
    let fixture = Fixture { folder, store };
    let old = SessionId::from_text("old");
    assert_eq!(fixture.store.read(&old, 0, 10).await.unwrap().len(), 1);
    let new = fork(&fixture, "new", &old, 1).await;
    grow(&fixture, &new).await;
    assert_eq!(fixture.store.last_number(&new).await.unwrap(), 11);
}
