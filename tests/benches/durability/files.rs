//! Trees of files: snapshots beside `git add -A && git write-tree`, forks beside `cp -a`.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::json;
use sinew::clock::Timestamp;
use sinew::content::{Content, Packs};
use sinew::ids::{EventId, SessionId, WorkspaceId};
use sinew::store::{
    Append, Files, FilesChange, History, Key, Kind, NewEvent, NewObjects, NewResource, SharedStore,
    SqliteOptions, SqliteStore,
};
use sinew::tree::{Folder, Folders, Marks, Trash, Trust, restore, seal, snapshot};
use tokio::runtime::Runtime;

use super::measure::{Contest, Group, Options};

/// Files in one folder.
const FILES_PER_FOLDER: usize = 100;
/// Bytes of each file.
const FILE_BYTES: usize = 2_000;

/// A session with a tree of files, in a store of its own.
struct World {
    folder: tempfile::TempDir,
    store: SharedStore,
    content: Content,
    session_id: SessionId,
    last: u64,
}

impl World {
    fn new(tokio: &Runtime, files: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let options = SqliteOptions::new(folder.path().join("sinew.db"));
        let store: SharedStore = Arc::new(SqliteStore::open(options)?);
        let content = Content::new(
            store.clone(),
            Packs::in_folder(&folder.path().join("packs"))?,
        );
        lay(&folder.path().join("tree"), files)?;
        let session_id = SessionId::fresh(Timestamp::now());
        let world = Self {
            folder,
            store,
            content,
            session_id,
            last: 1,
        };
        tokio.block_on(world.store.create(world.row(&world.session_id, None)))?;
        Ok(world)
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn row(&self, session_id: &SessionId, history: Option<History>) -> NewResource {
        NewResource {
            key: Key {
                workspace: WorkspaceId::from_text("wrkspc_bench"),
                kind: Kind::Session,
                id: session_id.as_str().to_owned(),
            },
            body: json!({"agent": {"name": "bench"}}),
            unique_name: None,
            status: Some("idle".to_owned()),
            labels: Vec::new(),
            at: Timestamp::now(),
            events: vec![event()],
            needs_wake: false,
            history,
        }
    }

    /// Brings the tree up to date; the new objects are not stored yet.
    fn snapshot(
        &self,
        base: Option<&Folder>,
        marks: &Marks,
    ) -> Result<(Folder, Files, NewObjects)> {
        let dir = Dir::open_ambient_dir(self.tree(), ambient_authority())?;
        let mut batch = self.content.batch();
        let folder = snapshot(&mut batch, dir.as_fd(), base, marks)?;
        let folders = Folders::from([("/workspace".to_owned(), folder)]);
        let (root, digest) = seal(&mut batch, &folders, "")?;
        let files = Files {
            root,
            digest,
            shell: None,
        };
        Ok((folder, files, batch.finish()?.objects))
    }

    fn commit(&mut self, tokio: &Runtime, files: Files, objects: NewObjects) -> Result<()> {
        let append = Append {
            session_id: self.session_id.clone(),
            expected: self.last,
            lease: None,
            events: vec![event()],
            projection: None,
            files: Some(Box::new(FilesChange {
                files,
                also: Vec::new(),
                objects,
            })),
        };
        tokio.block_on(self.store.append(append))?;
        self.last += 1;
        Ok(())
    }
}

fn event() -> NewEvent {
    NewEvent {
        id: EventId::fresh(Timestamp::now()),
        thread_id: None,
        is_thread_only: false,
        kind: "agent.tool_result".to_owned(),
        at: Timestamp::now(),
        is_queued: false,
        body: json!({"content": [{"type": "text", "text": "done"}]}),
        private: None,
    }
}

fn lay(tree: &Path, files: usize) -> Result<()> {
    for number in 0..files {
        let folder = tree.join(format!("folder{}", number / FILES_PER_FOLDER));
        if number % FILES_PER_FOLDER == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        let line = format!("file {number} of many\n");
        let text = line.repeat(FILE_BYTES / line.len());
        std::fs::write(folder.join(format!("file{number}.txt")), text)?;
    }
    Ok(())
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .with_context(|| program.to_owned())?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{program} {arguments:?}: {said}");
    Ok(())
}

/// Snapshots after one file was written.
pub fn snapshots(options: Options, tokio: &Runtime, files: usize) -> Result<Group> {
    let _within = tokio.enter();
    let world = std::cell::RefCell::new(World::new(tokio, files)?);
    let tree = world.borrow().tree();
    let git = world.borrow().folder.path().join("git");
    lay(&git, files)?;
    run(&git, "git", &["init", "-q"])?;
    run(&git, "git", &["add", "-A"])?;
    let (base, first, objects) = world.borrow().snapshot(None, &Marks::whole())?;
    world.borrow_mut().commit(tokio, first, objects)?;
    let base = std::cell::Cell::new(base);
    let mut number = 0_usize;
    let mut write = |tree: &Path| -> Result<Marks> {
        number += 1;
        let path = PathBuf::from("folder0/file7.txt");
        std::fs::write(tree.join(&path), format!("changed {number}\n").repeat(100))?;
        let mut marks = Marks::default();
        marks.add(&path, sinew_runtime::fs::Dirt::Entry);
        Ok(marks)
    };
    let writer = std::cell::RefCell::new(&mut write);
    let group = Contest::new(format!("snapshot after one changed file of {files}"))
        .subject("the write of the file alone", || {
            (writer.borrow_mut())(&tree)?;
            Ok(())
        })
        .subject("the write, hash and tree", || {
            let marks = (writer.borrow_mut())(&tree)?;
            world.borrow().snapshot(Some(&base.get()), &marks)?;
            Ok(())
        })
        .subject("and in one durable commit", || {
            let marks = (writer.borrow_mut())(&tree)?;
            let (folder, files, objects) = world.borrow().snapshot(Some(&base.get()), &marks)?;
            world.borrow_mut().commit(tokio, files, objects)?;
            base.set(folder);
            Ok(())
        })
        .subject("a walk over the whole tree", || {
            (writer.borrow_mut())(&tree)?;
            world
                .borrow()
                .snapshot(Some(&base.get()), &Marks::whole())?;
            Ok(())
        })
        .subject("git add -A && git write-tree", || {
            (writer.borrow_mut())(&git)?;
            run(&git, "git", &["add", "-A"])?;
            run(&git, "git", &["write-tree"])
        })
        .run(
            options.pick(1, 5),
            options.pick(2, if files > 50_000 { 3 } else { 10 }),
        )?;
    Ok(group)
}

/// Forks of a session with so many files.
pub fn forks(options: Options, tokio: &Runtime, files: usize) -> Result<Group> {
    let _within = tokio.enter();
    let mut world = World::new(tokio, files)?;
    let (base, first, objects) = world.snapshot(None, &Marks::whole())?;
    world.commit(tokio, first, objects)?;
    let folder = world.folder.path().to_owned();
    let fresh = |name: &str| -> Result<PathBuf> {
        let path = folder.join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        Ok(path)
    };
    let mut contest = Contest::new(format!("fork of a session with {files} files"))
        .subject("fork", || {
            let history = History {
                session_id: world.session_id.clone(),
                number: world.last,
            };
            let row = world.row(&SessionId::fresh(Timestamp::now()), Some(history));
            tokio.block_on(world.store.create(row))?;
            Ok(())
        })
        .subject("its files, at its first call", || {
            let path = fresh("fork")?;
            std::fs::create_dir(&path)?;
            let dir = Dir::open_ambient_dir(&path, ambient_authority())?;
            let mut trash = Trash::open(&folder.join("trash"))?;
            let reader = world.content.blocking();
            let marks = Marks::whole();
            restore(
                &reader,
                dir.as_fd(),
                Some(&base),
                &marks,
                Trust::Nothing,
                &mut trash,
            )?;
            Ok(())
        });
    let reflink = ["-a", "--reflink=always", "tree", "reflinked"];
    if run(&folder, "cp", &reflink).is_ok() {
        contest = contest.subject("cp -a --reflink=always", || {
            fresh("reflinked")?;
            run(&folder, "cp", &reflink)
        });
    }
    contest
        .subject("cp -a", || {
            fresh("copied")?;
            run(&folder, "cp", &["-a", "tree", "copied"])
        })
        .run(options.pick(1, 5), options.pick(1, 2))
}
