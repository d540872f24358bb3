//! Files as somebody could make them by hand: every frame as it must be, and what stands in them wrong.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::event::canonical;
use super::format::{
    CHAIN_START, END, EVENT, EndFrame, FILES, FilesFrame, HEAD, Head, OBJECT, link,
};
use super::frame::FrameWriter;
use super::*;
use crate::clock::Timestamp;
use crate::content::{Content, Packs};
use crate::ids::{EventId, SessionId, ThreadId};
use crate::store::{Hash, SharedStore, SqliteOptions, SqliteStore, StoreError, StoredEvent};
use crate::tree::{Folders, seal};

const BOUNDS: Bounds = Bounds {
    names_max: 100,
    bytes_max: 10_000,
};

struct World {
    _folder: tempfile::TempDir,
    store: SharedStore,
    content: Content,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("test.db"));
        let store: SharedStore = Arc::new(SqliteStore::open(options).unwrap());
        let packs = Packs::in_folder(&folder.path().join("packs")).unwrap();
        Self {
            content: Content::new(store.clone(), packs),
            _folder: folder,
            store,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn stage(&self, file: &[u8]) -> Result<Staged, PortableError> {
        let _within = self.runtime.enter();
        stage(&self.store, &self.content, file, BOUNDS, at())
    }

    /// Returns the root and digest of a session without files, with the root's object.
    fn empty_root(&self) -> (Hash, Hash, Bytes) {
        let _within = self.runtime.enter();
        let mut batch = self.content.batch();
        let (root, digest) = seal(&mut batch, &Folders::new(), "").unwrap();
        let content = batch.reader().get(root).unwrap();
        (root, digest, content)
    }

    fn staged_logs(&self) -> usize {
        let rows = self.store.scan(crate::store::Kind::Session, None, 10);
        self.runtime.block_on(rows).unwrap().len()
    }
}

fn at() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn event(number: u64, kind: &str, body: Value) -> StoredEvent {
    StoredEvent {
        number,
        id: EventId::from_text(format!("sevt_{number}")),
        thread_id: Some(ThreadId::from_text("sthr_1")),
        is_thread_only: false,
        kind: kind.to_owned(),
        at: at(),
        position: Some(number),
        processed_at: Some(at()),
        body,
        private: None,
    }
}

fn queued(number: u64, position: Option<u64>) -> StoredEvent {
    StoredEvent {
        position,
        processed_at: position.map(|_| at()),
        ..event(number, "user.message", json!({"content": []}))
    }
}

fn taken(number: u64, of: u64) -> StoredEvent {
    event(
        number,
        "sinew.processed",
        json!({"event_id": format!("sevt_{of}")}),
    )
}

fn created() -> StoredEvent {
    event(1, "sinew.created", json!({"agent": {"name": "a"}}))
}

/// What is between the events, by the number behind which it stands.
type Between<'a> = &'a dyn Fn(&mut FrameWriter<&mut Vec<u8>>, u64);

fn file_with(
    events: Vec<StoredEvent>,
    between: Between<'_>,
    end: impl Fn(&mut EndFrame),
) -> Vec<u8> {
    let last = events.len() as u64;
    let mut out = Vec::new();
    let mut writer = FrameWriter::begin(&mut out).unwrap();
    let session_id = "sesn_1".to_owned();
    writer.fields(HEAD, &Head { session_id, last }).unwrap();
    let mut chain = CHAIN_START;
    for (number, event) in (1..).zip(events) {
        let bytes = canonical(event, u64::MAX).unwrap();
        chain = link(chain, &bytes);
        writer
            .frame(EVENT, &[&chain.0[..], &bytes].concat())
            .unwrap();
        between(&mut writer, number);
    }
    let mut frame = EndFrame {
        events: last,
        snapshots: 0,
        objects: 0,
        chain: chain.to_string(),
    };
    end(&mut frame);
    writer.fields(END, &frame).unwrap();
    out
}

fn file(events: Vec<StoredEvent>) -> Vec<u8> {
    file_with(events, &|_, _| {}, |_| {})
}

#[test]
fn what_is_exported_is_what_was_imported() {
    let world = World::new();
    let (root, digest, object) = world.empty_root();
    let events = vec![
        created(),
        queued(2, Some(5)),
        queued(3, None),
        event(4, "session.usage", json!({"x": 1.25})),
        taken(5, 2),
        event(6, "sinew.rewound", json!({"to": 4})),
    ];
    let files = |writer: &mut FrameWriter<&mut Vec<u8>>, number: u64| {
        if number == 4 || number == 6 {
            if number == 4 {
                let payload = [&root.0[..], &object].concat();
                writer.frame(OBJECT, &payload).unwrap();
            }
            let frame = FilesFrame {
                number,
                root: root.to_string(),
                digest: digest.to_string(),
                shell: None,
            };
            writer.fields(FILES, &frame).unwrap();
        }
    };
    let written = file_with(events.clone(), &files, |end| {
        end.snapshots = 2;
        end.objects = 1;
    });
    let staged = world.stage(&written).unwrap();
    assert_eq!((staged.snapshots, staged.objects), (2, 1));
    assert_eq!((staged.rewinds[0].at, staged.rewinds[0].to), (6, 4));
    let id = staged.id();
    let read = world.store.read(&id, 0, 100);
    assert_eq!(world.runtime.block_on(read).unwrap(), events);
    let mut again = Vec::new();
    let reader = {
        let _within = world.runtime.enter();
        world.content.blocking()
    };
    export(&world.store, &reader, &staged.id(), 6, &mut again).unwrap();
    // The same but for the session's id.
    let second = world.stage(&again).unwrap();
    assert_eq!(second.chain, staged.chain);
    assert_eq!(second.head.session_id, staged.key.id);
    // As it was earlier: what was taken from the queue later waits.
    let mut early = Vec::new();
    export(&world.store, &reader, &staged.id(), 4, &mut early).unwrap();
    let third = world.stage(&early).unwrap();
    let id = third.id();
    let read = world.store.read(&id, 1, 1);
    assert_eq!(world.runtime.block_on(read).unwrap(), [queued(2, None)]);
    let none = SessionId::from_text("sesn_none");
    let gone = export(&world.store, &reader, &none, 4, &mut Vec::new());
    assert!(matches!(
        gone,
        Err(PortableError::Store(StoreError::NotFound))
    ));
    assert_eq!(world.staged_logs(), 3);
    world.runtime.block_on(sweep(&*world.store)).unwrap();
    assert_eq!(world.staged_logs(), 0);
}

#[test]
fn what_no_daemon_writes_is_refused_and_leaves_nothing() {
    let world = World::new();
    let refused = |what: &str, file: Vec<u8>| {
        let error = world.stage(&file).expect_err(what);
        assert!(error.is_of_the_file(), "{what}: {error}");
        let text = error.to_string();
        assert!(
            text.contains(what) && text.contains("in frame "),
            "{what}: {text}"
        );
        assert_eq!(world.staged_logs(), 0, "{what}");
    };
    assert!(world.stage(&file(vec![created()])).is_ok());
    world.runtime.block_on(sweep(&*world.store)).unwrap();

    refused("it has 0 events", file(Vec::new()));
    refused(
        "must be the first",
        file(vec![event(1, "session.usage", json!({}))]),
    );
    refused(
        "must be the first",
        file(vec![created(), event(2, "sinew.created", json!({}))]),
    );
    refused(
        "is unknown",
        file(vec![created(), event(2, "sinew.later", json!({}))]),
    );
    refused(
        "in the place of event 2",
        file(vec![created(), event(3, "session.usage", json!({}))]),
    );
    for to in [json!(0), json!(2), json!(9), json!(-1), Value::Null] {
        let back = event(2, "sinew.rewound", json!({ "to": to }));
        refused("goes back to no event", file(vec![created(), back]));
    }
    refused("takes an input", file(vec![created(), taken(2, 1)]));
    refused(
        "takes an input",
        file(vec![created(), queued(2, None), taken(3, 2)]),
    );
    refused(
        "takes an input",
        file(vec![
            created(),
            queued(2, Some(4)),
            taken(3, 2),
            taken(4, 2),
        ]),
    );
    refused(
        "never taken",
        file(vec![
            created(),
            queued(2, Some(3)),
            event(3, "session.usage", json!({})),
        ]),
    );
    refused("position", file(vec![created(), queued(2, Some(1))]));
    refused("position", file(vec![created(), queued(2, Some(9))]));
    let mut twice = queued(3, None);
    twice.id = EventId::from_text("sevt_2");
    refused("cannot wait", file(vec![created(), queued(2, None), twice]));
    let mut wrong = created();
    wrong.id = EventId::from_text("sevt_../../x");
    refused("an id that is none", file(vec![wrong]));

    let with = |between: Between<'_>| file_with(vec![created()], between, |_| {});
    refused(
        "two heads",
        with(&|writer, _| {
            let session_id = "sesn_1".to_owned();
            writer
                .fields(
                    HEAD,
                    &Head {
                        session_id,
                        last: 1,
                    },
                )
                .unwrap();
        }),
    );
    let object = |content: &[u8], name: Hash| [&name.0[..], content].concat();
    refused(
        "another content",
        with(&|writer, _| {
            writer.frame(OBJECT, &object(b"x", Hash::of(b"y"))).unwrap();
        }),
    );
    refused(
        "comes twice",
        with(&|writer, _| {
            for _ in 0..2 {
                writer.frame(OBJECT, &object(b"x", Hash::of(b"x"))).unwrap();
            }
        }),
    );
    refused(
        "cut off",
        with(&|writer, _| writer.frame(OBJECT, b"x").unwrap()),
    );
    let files = |number: u64, root: &str, digest: &str| FilesFrame {
        number,
        root: root.to_owned(),
        digest: digest.to_owned(),
        shell: None,
    };
    let (root, digest, content) = world.empty_root();
    let (root_text, digest_text) = (root.to_string(), digest.to_string());
    refused(
        "is missing",
        with(&|writer, _| {
            writer
                .fields(FILES, &files(1, &root_text, &digest_text))
                .unwrap();
        }),
    );
    refused(
        "no hash",
        with(&|writer, _| {
            writer
                .fields(FILES, &files(1, "xyz", &digest_text))
                .unwrap();
        }),
    );
    refused(
        "come behind event 1",
        with(&|writer, _| {
            writer
                .fields(FILES, &files(2, &root_text, &digest_text))
                .unwrap();
        }),
    );
    refused(
        "digest",
        with(&|writer, _| {
            writer.frame(OBJECT, &object(&content, root)).unwrap();
            writer
                .fields(FILES, &files(1, &root_text, &root_text))
                .unwrap();
        }),
    );
    refused(
        "come behind event 1",
        with(&|writer, _| {
            writer.frame(OBJECT, &object(&content, root)).unwrap();
            for _ in 0..2 {
                writer
                    .fields(FILES, &files(1, &root_text, &digest_text))
                    .unwrap();
            }
        }),
    );
    let unused = |writer: &mut FrameWriter<&mut Vec<u8>>, _: u64| {
        writer.frame(OBJECT, &object(b"x", Hash::of(b"x"))).unwrap();
    };
    refused(
        "no snapshot",
        file_with(vec![created()], &unused, |end| end.objects = 1),
    );
    refused(
        "were written",
        file_with(vec![created()], &|_, _| {}, |end| end.events = 2),
    );
    refused(
        "were written",
        file_with(vec![created()], &|_, _| {}, |end| end.objects = 1),
    );
    let other = Hash::of(b"other").to_string();
    refused(
        "were written",
        file_with(vec![created()], &|_, _| {}, |end| {
            end.chain.clone_from(&other)
        }),
    );
}

#[test]
fn an_event_that_breaks_the_chain_is_named() {
    let world = World::new();
    let mut out = Vec::new();
    let mut writer = FrameWriter::begin(&mut out).unwrap();
    let session_id = "sesn_1".to_owned();
    writer
        .fields(
            HEAD,
            &Head {
                session_id,
                last: 1,
            },
        )
        .unwrap();
    let bytes = canonical(created(), 1).unwrap();
    let wrong = link(Hash::of(b"another past"), &bytes);
    writer
        .frame(EVENT, &[&wrong.0[..], &bytes].concat())
        .unwrap();
    let error = world.stage(&out).unwrap_err().to_string();
    assert!(
        error.contains("event 1 does not continue the chain"),
        "{error}"
    );
}
