//! Mounts over a real store and real folders.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::ids::{SessionId, WorkspaceId};
use crate::memory::{Actor, CONTENT_BYTES_MAX, MEMORIES_MAX, MemoryHome, MemoryRow};
use crate::store::{Key, Kind, NewResource, SqliteOptions, SqliteStore, Store};

struct World {
    store: SqliteStore,
    clock: ManualClock,
    workspace: WorkspaceId,
    folder: tempfile::TempDir,
    mount: Mount,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).unwrap();
        let world = Self {
            store,
            clock: ManualClock::new(Timestamp::from_second(1_800_000_000).unwrap()),
            workspace: WorkspaceId::from_text("wrkspc_a"),
            folder,
            mount: Mount {
                store_id: "memstore_a".to_owned(),
                slug: "notes".to_owned(),
                is_writable: true,
            },
        };
        let new = NewResource {
            key: world.store_key(),
            body: json!({"name": "notes"}),
            unique_name: None,
            status: None,
            labels: Vec::new(),
            at: Timestamp::from_second(1).unwrap(),
            events: Vec::new(),
            needs_wake: false,
            history: None,
        };
        world.store.create(new).await.unwrap();
        world
    }

    fn store_key(&self) -> Key {
        Key {
            workspace: self.workspace.clone(),
            kind: Kind::MemoryStore,
            id: "memstore_a".to_owned(),
        }
    }

    fn home(&self, session: &str) -> MemoryHome<'_> {
        self.clock.advance(Duration::from_secs(1));
        let actor = match session {
            "" => Actor::Unknown,
            session => Actor::Session(SessionId::from_text(session)),
        };
        MemoryHome::new(
            &self.store,
            &self.clock,
            &self.workspace,
            "memstore_a",
            actor,
        )
    }

    fn folders(&self, session: &str) -> Folders {
        let folder = self.folder.path().join(session);
        Folders {
            memory: folder.join("memory"),
            tmp: folder.join("tmp"),
        }
    }

    /// Synchronises a session, and returns its notes as a model would get them once.
    async fn sync(&self, session: &str) -> String {
        let folders = self.folders(session);
        let notes = sync(&self.home(session), &folders, &self.mount)
            .await
            .unwrap();
        clear_notes(&folders, &self.mount).await.unwrap();
        notes.join("\n")
    }

    fn file(&self, session: &str, path: &str) -> PathBuf {
        self.folders(session)
            .memory
            .join("notes")
            .join(path.trim_start_matches('/'))
    }

    fn read(&self, session: &str, path: &str) -> Option<String> {
        std::fs::read_to_string(self.file(session, path)).ok()
    }

    fn write(&self, session: &str, path: &str, content: &str) {
        let file = self.file(session, path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    fn remove(&self, session: &str, path: &str) {
        std::fs::remove_file(self.file(session, path)).unwrap();
    }

    /// Returns the store's memories as `path=content`.
    async fn memories(&self) -> Vec<String> {
        let home = self.home("");
        let mut shown = Vec::new();
        for row in home.memories().await.unwrap() {
            let content = home.content(&row.version_id).await.unwrap().unwrap();
            shown.push(format!("{}={content}", row.path));
        }
        shown
    }

    async fn versions(&self) -> Vec<String> {
        let rows = self.home("").rows(Kind::MemoryVersion).await.unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        rows.iter()
            .map(|row| {
                let session = text(row.body.at("created_by").at("session_id"));
                format!(
                    "{} {} {session}",
                    text(row.body.at("operation")),
                    text(row.body.at("path"))
                )
            })
            .collect()
    }

    async fn at(&self, path: &str) -> MemoryRow {
        let rows = self.home("").memories().await.unwrap();
        rows.into_iter().find(|row| row.path == path).unwrap()
    }
}

#[tokio::test]
async fn memories_become_files_and_files_become_memories() {
    let world = World::new().await;
    world.home("").create("/a.md", "one").await.unwrap();
    world.home("").create("/deep/er/b.md", "").await.unwrap();
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.read("s1", "/a.md").unwrap(), "one");
    assert_eq!(world.read("s1", "/deep/er/b.md").unwrap(), "");

    world.write("s1", "/a.md", "two");
    world.write("s1", "/new/c.md", "three");
    world.remove("s1", "/deep/er/b.md");
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.memories().await, ["/a.md=two", "/new/c.md=three"]);
    // Made at one instant of the test's clock, so in no order.
    let mut made = world.versions().await.split_off(2);
    made.sort();
    assert_eq!(
        made,
        [
            "created /new/c.md s1",
            "deleted /deep/er/b.md s1",
            "modified /a.md s1"
        ]
    );
    // Another session has them, and what changes nothing makes no version.
    assert_eq!(world.sync("s2").await, "");
    assert_eq!(world.read("s2", "/new/c.md").unwrap(), "three");
    for session in ["s1", "s2", "s1"] {
        assert_eq!(world.sync(session).await, "");
    }
    assert_eq!(world.versions().await.len(), 5);

    // What others did comes in: a change, a deletion with its empty folder, a move.
    let id = world.at("/a.md").await.id;
    world
        .home("")
        .update(&id, Some("four"), Some("/moved.md"), None)
        .await
        .unwrap();
    world
        .home("")
        .delete(&world.at("/new/c.md").await.id, None)
        .await
        .unwrap();
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.read("s1", "/moved.md").unwrap(), "four");
    assert!(!world.file("s1", "/a.md").exists() && !world.file("s1", "/new").exists());
    assert_eq!(world.memories().await, ["/moved.md=four"]);
}

#[tokio::test]
async fn a_moved_file_is_the_same_memory() {
    let world = World::new().await;
    let made = world.home("").create("/a.md", "one").await.unwrap();
    world.sync("s1").await;
    std::fs::rename(world.file("s1", "/a.md"), world.file("s1", "/b.md")).unwrap();
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.at("/b.md").await.id, made.id);
    // A file that becomes a folder makes room for itself.
    world.remove("s1", "/b.md");
    world.write("s1", "/b.md/c.md", "below");
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.memories().await, ["/b.md/c.md=below"]);
}

#[tokio::test]
async fn a_conflict_loses_nothing_and_is_told() {
    let world = World::new().await;
    let made = world.home("").create("/a.md", "base").await.unwrap();
    world.sync("s1").await;
    world.sync("s2").await;
    world.write("s1", "/a.md", "of s1");
    world.write("s2", "/a.md", "of s2");
    world.write("s1", "/same.md", "the same");
    world.write("s2", "/same.md", "the same");
    world.write("s1", "/new.md", "new of s1");
    world.write("s2", "/new.md", "new of s2");
    assert_eq!(world.sync("s1").await, "");
    let notes = world.sync("s2").await;
    assert!(
        notes.contains("/mnt/memory/notes/a.md was not saved"),
        "{notes}"
    );
    assert!(
        notes.contains("/tmp/memory-conflicts/notes/new.md"),
        "{notes}"
    );
    assert!(!notes.contains("same.md"), "{notes}");
    assert_eq!(
        world.memories().await,
        ["/a.md=of s1", "/new.md=new of s1", "/same.md=the same"]
    );
    assert_eq!(world.read("s2", "/a.md").unwrap(), "of s1");
    let aside = world.folders("s2").tmp.join("memory-conflicts/notes");
    assert_eq!(
        std::fs::read_to_string(aside.join("a.md")).unwrap(),
        "of s2"
    );
    assert_eq!(
        std::fs::read_to_string(aside.join("new.md")).unwrap(),
        "new of s2"
    );
    assert_eq!(world.sync("s2").await, "", "told once");
    world.write("s2", "/a.md", "of s1 and s2");
    assert_eq!(world.sync("s2").await, "");
    assert_eq!(world.at("/a.md").await.id, made.id);

    // Deleted here, changed there: the change stays. Changed here, deleted there: it is made again.
    assert_eq!(world.sync("s1").await, "");
    world.remove("s1", "/a.md");
    world
        .home("")
        .update(&made.id, Some("later"), None, None)
        .await
        .unwrap();
    assert!(world.sync("s1").await.contains("was not deleted"));
    assert_eq!(world.read("s1", "/a.md").unwrap(), "later");
    world.write("s1", "/a.md", "last");
    world.home("").delete(&made.id, None).await.unwrap();
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.at("/a.md").await.size, 4);
}

#[tokio::test]
async fn what_cannot_be_a_memory_is_told_once_and_stays() {
    let world = World::new().await;
    world.home("").create("/full.md", "small").await.unwrap();
    world.sync("s1").await;
    let secret = world.folder.path().join("secret");
    std::fs::write(&secret, "of the host").unwrap();
    world.write("s1", "/full.md", &"x".repeat(CONTENT_BYTES_MAX + 1));
    world.write("s1", "/largest.md", &"x".repeat(CONTENT_BYTES_MAX));
    world.write("s1", "/e\u{301}.md", "not normal");
    world.write("s1", "/line\nbreak.md", "no");
    std::fs::write(world.file("s1", "/bytes"), [0xff, 0xfe]).unwrap();
    std::os::unix::fs::symlink(&secret, world.file("s1", "/link.md")).unwrap();
    std::os::unix::fs::symlink("/", world.file("s1", "/root")).unwrap();
    let notes = world.sync("s1").await;
    for fragment in [
        "full.md was not saved: it has 102401 bytes",
        "e\u{301}.md was not saved: a memory's path must be in Unicode's normal form",
        "break.md was not saved: a memory's path must not hold control",
        "bytes was not saved: a memory is UTF-8",
        "link.md was not saved: it is not a regular file",
        "root was not saved",
    ] {
        assert!(notes.contains(fragment), "{fragment}: {notes}");
    }
    assert_eq!(notes.lines().count(), 6 + 1, "{notes}");
    assert_eq!(world.sync("s1").await, "", "told once");
    assert_eq!(world.at("/full.md").await.size, 5);
    assert_eq!(world.at("/largest.md").await.size, CONTENT_BYTES_MAX as u64);
    assert_eq!(world.memories().await.len(), 2);
    assert!(
        world.read("s1", "/full.md").unwrap().len() > CONTENT_BYTES_MAX,
        "it stays"
    );
    // Another change of the store does not overwrite it either; a shorter one is saved.
    world.home("").create("/other.md", "").await.unwrap();
    assert_eq!(world.sync("s1").await, "");
    assert!(world.read("s1", "/full.md").unwrap().len() > CONTENT_BYTES_MAX);
    world.write("s1", "/full.md", "short");
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.at("/full.md").await.size, 5);
}

#[tokio::test]
async fn a_full_store_takes_no_more() {
    let world = World::new().await;
    // Rows as `create` makes them, without its checks, which read them all each time.
    let writes = (0..MEMORIES_MAX - 1).map(|n| {
        let path = format!("/old/{n}");
        crate::store::Write::Create(NewResource {
            key: Key {
                kind: Kind::Memory,
                id: format!("mem_{n}"),
                ..world.store_key()
            },
            body: json!({"memory_store_id": "memstore_a", "path": path, "sha256": "x", "size": 0, "version_id": "memver_x"}),
            unique_name: Some(format!("memstore_a {path}")),
            status: None,
            labels: vec![("memory_store_id".to_owned(), "memstore_a".to_owned())],
            at: Timestamp::from_second(2).unwrap(),
            events: Vec::new(),
            needs_wake: false,
            history: None,
        })
    });
    world.store.write(writes.collect()).await.unwrap();
    world.write("s1", "/a.md", "the last that fits");
    world.write("s1", "/b.md", "one too many");
    let notes = world.sync("s1").await;
    assert!(
        notes.contains("b.md was not saved") && notes.contains("2000"),
        "{notes}"
    );
    assert!(!notes.contains("a.md was"), "{notes}");
}

#[tokio::test]
async fn an_archived_or_deleted_store_takes_nothing_more() {
    let world = World::new().await;
    world.home("").create("/a.md", "one").await.unwrap();
    world.sync("s1").await;
    let row = world.home("").row().await.unwrap();
    let change = crate::store::ResourceChange {
        body: row.body.clone(),
        new_version: false,
        unique_name: None,
        status: None,
        archived_at: Some(row.updated_at),
        at: row.updated_at,
    };
    world
        .store
        .update(&row.key, row.revision, change)
        .await
        .unwrap();
    world.write("s1", "/a.md", "two");
    world.write("s1", "/b.md", "new");
    assert!(world.sync("s1").await.contains("archived"));
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(
        world.read("s1", "/a.md").unwrap(),
        "two",
        "it stays in the sandbox"
    );
    assert_eq!(world.memories().await, ["/a.md=one"]);
    world.home("").remove().await.unwrap();
    assert!(world.sync("s1").await.contains("does not exist"));
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.read("s1", "/b.md").unwrap(), "new");
    assert!(
        world
            .store
            .scan(Kind::MemoryContent, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_crash_between_any_two_steps_is_made_good() {
    let world = World::new().await;
    world.home("").create("/kept.md", "kept").await.unwrap();
    world.home("").create("/gone.md", "gone").await.unwrap();
    world.home("").create("/moved.md", "moved").await.unwrap();
    world.sync("s1").await;
    let manifest = world.folders("s1").memory.join("notes.json");
    let before = std::fs::read(&manifest).unwrap();
    world.write("s1", "/kept.md", "changed");
    world.write("s1", "/new.md", "new");
    world.remove("s1", "/gone.md");
    std::fs::rename(
        world.file("s1", "/moved.md"),
        world.file("s1", "/elsewhere.md"),
    )
    .unwrap();
    let expected = ["/elsewhere.md=moved", "/kept.md=changed", "/new.md=new"];
    assert_eq!(world.sync("s1").await, "");
    let versions = world.versions().await;
    // The store has the changes, the manifest does not know.
    std::fs::write(&manifest, &before).unwrap();
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.memories().await, expected);
    assert_eq!(world.versions().await, versions, "nothing is made twice");
    // The manifest is gone, half the files are not there yet.
    std::fs::remove_file(&manifest).unwrap();
    world.remove("s1", "/new.md");
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.read("s1", "/new.md").unwrap(), "new");
    // The folder is gone: nothing counts as deleted.
    std::fs::remove_dir_all(world.file("s1", "/")).unwrap();
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.read("s1", "/kept.md").unwrap(), "changed");
    assert_eq!(world.versions().await, versions);

    // A conflict's note comes also when the daemon died before it was told.
    world.write("s1", "/new.md", "mine");
    let id = world.at("/new.md").await.id;
    world
        .home("")
        .update(&id, Some("theirs"), None, None)
        .await
        .unwrap();
    let folders = world.folders("s1");
    let told = sync(&world.home("s1"), &folders, &world.mount)
        .await
        .unwrap();
    assert_eq!(told.len(), 1);
    assert!(world.sync("s1").await.contains("new.md was not saved"));
    assert_eq!(world.sync("s1").await, "");
}

#[tokio::test]
async fn a_read_only_mount_only_takes() {
    let mut world = World::new().await;
    world.mount.is_writable = false;
    world.home("").create("/a.md", "one").await.unwrap();
    world.sync("s1").await;
    world
        .home("")
        .update(&world.at("/a.md").await.id, Some("two"), None, None)
        .await
        .unwrap();
    assert_eq!(world.sync("s1").await, "");
    assert_eq!(world.read("s1", "/a.md").unwrap(), "two");
}

#[test]
fn folders_are_named_after_stores() {
    let taken = ["notes".to_owned(), "notes-2".to_owned()];
    for (name, expected) in [
        ("User Preferences!", "user-preferences"),
        ("  a__b--c ", "a-b-c"),
        ("Notes", "notes-3"),
        ("日本", "memory"),
        ("../../etc", "etc"),
        ("", "memory"),
    ] {
        assert_eq!(slug(name, &taken), expected, "{name:?}");
    }
    let resources = json!([
        {"type": "memory_store", "memory_store_id": "m", "mount_path": "/mnt/memory/a", "access": "read_only"},
        {"type": "file", "mount_path": "/mnt/memory/b"},
        {"type": "memory_store", "memory_store_id": "m", "mount_path": "/mnt/memory/../b"},
    ]);
    let expected = Mount {
        store_id: "m".to_owned(),
        slug: "a".to_owned(),
        is_writable: false,
    };
    assert_eq!(mounts(&resources), [expected]);
}

#[tokio::test]
async fn what_is_set_aside_is_never_overwritten_and_never_in_the_way() {
    let world = World::new().await;
    let made = world.home("").create("/a.md", "0").await.unwrap();
    world.sync("s1").await;
    let aside = world.folders("s1").tmp.join("memory-conflicts");
    for number in 1..=3 {
        let outside = format!("outside {number}");
        let changed = world
            .home("")
            .update(&made.id, Some(&outside), None, None)
            .await;
        changed.unwrap();
        world.write("s1", "/a.md", &format!("mine {number}"));
        assert!(
            world
                .sync("s1")
                .await
                .contains("memory-conflicts/notes/a.md")
        );
        assert_eq!(world.read("s1", "/a.md").unwrap(), outside);
    }
    for (name, content) in [
        ("a.md", "mine 1"),
        ("a.md.2", "mine 2"),
        ("a.md.3", "mine 3"),
    ] {
        assert_eq!(
            std::fs::read_to_string(aside.join("notes").join(name)).unwrap(),
            content
        );
    }
    // Where nothing can be set aside, the file stays as it is and all else goes on.
    std::fs::remove_dir_all(&aside).unwrap();
    std::fs::write(&aside, "in the way").unwrap();
    let changed = world
        .home("")
        .update(&made.id, Some("outside 4"), None, None)
        .await;
    changed.unwrap();
    world.write("s1", "/a.md", "mine 4");
    world.write("s1", "/b.md", "b");
    let notes = world.sync("s1").await;
    assert!(notes.contains("Move what is there away"), "{notes}");
    assert_eq!(world.read("s1", "/a.md").unwrap(), "mine 4");
    assert_eq!(world.memories().await, ["/a.md=outside 4", "/b.md=b"]);
    std::fs::remove_file(&aside).unwrap();
    assert!(world.sync("s1").await.contains("your content is in"));
    assert_eq!(world.read("s1", "/a.md").unwrap(), "outside 4");
}

#[tokio::test]
async fn a_folder_that_is_not_wholly_seen_changes_nothing() {
    let world = World::new().await;
    world.home("").create("/z/kept.md", "kept").await.unwrap();
    let other = world.home("").create("/z/other.md", "0").await.unwrap();
    world.sync("s1").await;
    world.write("s1", "/z/kept.md", "mine");
    // Read first, because folders are taken from the end: more than are looked at.
    for number in 0..=10 * MEMORIES_MAX {
        std::fs::create_dir(world.file("s1", &format!("/{number}"))).unwrap();
    }
    let changed = world
        .home("")
        .update(&other.id, Some("1"), None, None)
        .await;
    changed.unwrap();
    let notes = world.sync("s1").await;
    assert!(notes.contains("nothing in it was saved"), "{notes}");
    assert_eq!(world.read("s1", "/z/kept.md").unwrap(), "mine");
    assert_eq!(world.memories().await, ["/z/kept.md=kept", "/z/other.md=1"]);
    for number in 0..=10 * MEMORIES_MAX {
        std::fs::remove_dir(world.file("s1", &format!("/{number}"))).unwrap();
    }
    world.sync("s1").await;
    assert_eq!(world.memories().await, ["/z/kept.md=mine", "/z/other.md=1"]);
    assert_eq!(world.read("s1", "/z/other.md").unwrap(), "1");
}
