//! Reading a session's file into a log that belongs to nobody yet.

use std::collections::HashMap;
use std::io::Read;

use serde_json::json;

use super::PortableError;
use super::event::parse;
use super::format::{
    CHAIN_START, END, EVENT, EndFrame, FILES, FilesFrame, HASH_BYTES, HEAD, Head, OBJECT, link,
};
use super::frame::{Frame, FrameReader};
use crate::clock::Timestamp;
use crate::content::{Batch, Content};
use crate::ids::{SessionId, WorkspaceId};
use crate::json::Fields as _;
use crate::memory::mount::MOUNT_ROOT;
use crate::session::{EventKind, Rewind};
use crate::store::{
    Append, Files, FilesChange, Hash, Key, Kind, NewEvent, NewResource, Order, PROCESSED, ROWS_MAX,
    ResourceQuery, STAGING_WORKSPACE, SharedStore, Store, StoreError, StoredEvent, TimeRange,
};
use crate::tree::{Checker, Fault};

/// Largest file.
const FILE_BYTES_MAX: u64 = 64 << 30;
/// Most events of one file, and most objects: of each object the name is kept in memory.
const EVENTS_MAX: u64 = 4_000_000;
const OBJECTS_MAX: usize = 1_000_000;
/// Most inputs that wait in the queue at the same time.
const QUEUED_MAX: usize = 100_000;
/// Most rewinds.
const REWINDS_MAX: usize = 10_000;
/// Events that are stored together, and about how many bytes of them.
const EVENTS_AT_ONCE: usize = 256;
const BYTES_AT_ONCE: usize = 4 << 20;

/// What a session may have here.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Names of files and folders.
    pub names_max: u64,
    /// Bytes of files.
    pub bytes_max: u64,
}

/// A whole log that belongs to nobody. Whoever does not make a session of it calls [`discard`].
#[derive(Clone, Debug)]
pub struct Staged {
    /// Names the log.
    pub key: Key,
    /// What the file says of itself.
    pub head: Head,
    /// The log's rewinds, in order.
    pub rewinds: Vec<Rewind>,
    /// The end of the chain of its events.
    pub chain: Hash,
    /// Snapshots of files.
    pub snapshots: u64,
    /// Objects that came with it.
    pub objects: u64,
}

impl Staged {
    /// Returns the log's id.
    pub fn id(&self) -> SessionId {
        SessionId::from_text(self.key.id.clone())
    }
}

/// Removes a staged log.
pub async fn discard(store: &dyn Store, key: &Key) -> Result<(), StoreError> {
    match store.delete(key).await {
        Err(StoreError::NotFound) => Ok(()),
        removed => removed,
    }
}

/// Removes the staged logs of a daemon that died. Nobody may be importing.
pub async fn sweep(store: &dyn Store) -> Result<(), StoreError> {
    loop {
        let query = ResourceQuery {
            workspace: WorkspaceId::from_text(STAGING_WORKSPACE),
            kind: Kind::Session,
            include_archived: true,
            created_at: TimeRange::default(),
            statuses: Vec::new(),
            labels: Vec::new(),
            order: Order::Ascending,
            after: None,
            limit: ROWS_MAX,
        };
        let found = store.list(&query).await?;
        if found.is_empty() {
            return Ok(());
        }
        for row in found {
            discard(store, &row.key).await?;
        }
    }
}

/// Reads a whole file and stages what it holds. Blocks; must be called on a blocking thread of a tokio runtime. On
/// an error nothing is left.
pub fn stage(
    store: &SharedStore,
    content: &Content,
    input: impl Read,
    bounds: Bounds,
    now: Timestamp,
) -> Result<Staged, PortableError> {
    let key = Key {
        workspace: WorkspaceId::from_text(STAGING_WORKSPACE),
        kind: Kind::Session,
        id: SessionId::fresh(now).as_str().to_owned(),
    };
    let runtime = tokio::runtime::Handle::current();
    let staged = read(store, content, input, bounds, now, &key);
    if staged.is_err()
        && let Err(error) = runtime.block_on(discard(&**store, &key))
    {
        tracing::error!(%error, "a staged log could not be removed; the next start does it");
    }
    staged
}

fn read(
    store: &SharedStore,
    content: &Content,
    input: impl Read,
    bounds: Bounds,
    now: Timestamp,
    key: &Key,
) -> Result<Staged, PortableError> {
    let mut frames = FrameReader::begin(input, FILE_BYTES_MAX)?;
    let first = frames.next()?;
    if first.kind != HEAD {
        return Err(frames.damaged("the first frame is not the head"));
    }
    let head: Head = frames.fields(&first.payload)?;
    if head.last == 0 || head.last > EVENTS_MAX {
        return Err(frames.damaged(format!("it has {} events", head.last)));
    }
    let mut import = Import {
        store,
        content,
        frames,
        key,
        last: head.last,
        chain: CHAIN_START,
        stored: 0,
        pending: Vec::new(),
        pending_bytes: 0,
        queue: HashMap::new(),
        rewinds: Vec::new(),
        batch: None,
        unused: 0,
        lengths: HashMap::new(),
        checker: Checker::new(bounds.names_max, bounds.bytes_max),
        snapshots: 0,
        snapshot_at: 0,
    };
    import.create(now)?;
    loop {
        let Frame { kind, payload } = import.frames.next()?;
        match kind {
            EVENT => import.event(&payload)?,
            OBJECT => import.object(payload)?,
            FILES => import.files(&payload)?,
            END => break import.end(&payload)?,
            _ => return Err(import.frames.damaged("there are two heads")),
        }
    }
    Ok(Staged {
        key: key.clone(),
        head,
        chain: import.chain,
        snapshots: import.snapshots,
        objects: import.lengths.len() as u64,
        rewinds: import.rewinds,
    })
}

struct Import<'a, R> {
    store: &'a SharedStore,
    content: &'a Content,
    frames: FrameReader<R>,
    key: &'a Key,
    /// The number that the last event will have.
    last: u64,
    chain: Hash,
    /// Events in the store.
    stored: u64,
    /// Events behind them. The newest stays here until it is known whether files come with it.
    pending: Vec<NewEvent>,
    pending_bytes: usize,
    /// Input that waits: its number, and where it is to be taken from the queue.
    queue: HashMap<String, (u64, Option<(u64, Timestamp)>)>,
    rewinds: Vec<Rewind>,
    /// Objects on their way into the store.
    batch: Option<Batch>,
    /// Objects that no snapshot has had a use for yet.
    unused: usize,
    /// The lengths of all objects that came.
    lengths: HashMap<Hash, u32>,
    checker: Checker,
    snapshots: u64,
    snapshot_at: u64,
}

impl<R: Read> Import<'_, R> {
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::runtime::Handle::current().block_on(work)
    }

    fn create(&self, now: Timestamp) -> Result<(), PortableError> {
        let staged = NewResource {
            key: self.key.clone(),
            body: json!({}),
            unique_name: None,
            // None of those at which anybody looks.
            status: Some("staged".to_owned()),
            labels: Vec::new(),
            at: now,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        };
        self.wait(self.store.create(staged))?;
        Ok(())
    }

    fn event(&mut self, payload: &[u8]) -> Result<(), PortableError> {
        let number = self.frames.event + 1;
        if number > self.last {
            return Err(self
                .frames
                .damaged("there are more events than the head says"));
        }
        let Some((chain, canonical)) = payload.split_first_chunk::<HASH_BYTES>() else {
            return Err(self.frames.damaged("it is cut off"));
        };
        let event = parse(canonical).map_err(|what| self.frames.damaged(what))?;
        if event.number != number {
            let what = format!(
                "event {} comes in the place of event {number}",
                event.number
            );
            return Err(self.frames.damaged(what));
        }
        self.chain = link(self.chain, canonical);
        if self.chain.0 != *chain {
            let what = format!("event {number} does not continue the chain of those before it");
            return Err(self.frames.damaged(what));
        }
        let is_queued = self.follow(&event)?;
        let is_full = self.pending.len() >= EVENTS_AT_ONCE
            || self.pending_bytes.saturating_add(canonical.len()) > BYTES_AT_ONCE;
        if is_full && !self.pending.is_empty() {
            self.flush(None)?;
        }
        self.frames.event = number;
        self.pending_bytes += canonical.len();
        self.pending.push(NewEvent {
            id: event.id,
            thread_id: event.thread_id,
            is_thread_only: event.is_thread_only,
            kind: event.kind,
            at: event.at,
            is_queued,
            body: event.body,
            private: event.private,
        });
        Ok(())
    }

    /// Holds an event against those before it, and tells whether it was queued.
    fn follow(&mut self, event: &StoredEvent) -> Result<bool, PortableError> {
        let bad = |what: &str| {
            let number = event.number;
            Err(self.frames.damaged(format!("event {number}: {what}")))
        };
        let Some(kind) = EventKind::parse(&event.kind) else {
            return bad(&format!(
                "its type {:?} is unknown: use the program that wrote it, or a newer one",
                event.kind
            ));
        };
        if (event.number == 1) != (kind == EventKind::Created) {
            return bad("the session's configuration must be the first event, and only that");
        }
        if kind == EventKind::Rewound {
            let to = event.body.at("to").as_u64().unwrap_or(0);
            if to == 0 || to >= event.number || self.rewinds.len() >= REWINDS_MAX {
                return bad("it goes back to no event before it");
            }
            self.rewinds.push(Rewind {
                at: event.number,
                to,
            });
        }
        if event.kind == PROCESSED {
            let id = event.body.at("event_id").as_str().unwrap_or_default();
            let taken = self.queue.remove(id).and_then(|(_, position)| position);
            if taken != Some((event.number, event.at)) {
                return bad("it takes an input from the queue that does not wait for it");
            }
        }
        let position = match (event.position, event.processed_at) {
            (Some(position), Some(at)) if position == event.number && at == event.at => {
                return Ok(false);
            }
            (Some(position), Some(at)) if position > event.number && position <= self.last => {
                Some((position, at))
            }
            (None, None) => None,
            _ => return bad("its position in the log cannot be"),
        };
        let waiting = (event.number, position);
        let is_new = self.queue.len() < QUEUED_MAX
            && !self.queue.contains_key(event.id.as_str())
            && event.kind != PROCESSED;
        if !is_new {
            return bad("it cannot wait in the queue");
        }
        self.queue.insert(event.id.as_str().to_owned(), waiting);
        Ok(true)
    }

    fn object(&mut self, payload: bytes::Bytes) -> Result<(), PortableError> {
        let Some((name, _)) = payload.split_first_chunk::<HASH_BYTES>() else {
            return Err(self.frames.damaged("it is cut off"));
        };
        let (hash, content) = (Hash(*name), payload.slice(HASH_BYTES..));
        if Hash::of(&content) != hash {
            let what = format!("object {hash} has another content than its name says");
            return Err(self.frames.damaged(what));
        }
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
        if self.lengths.len() >= OBJECTS_MAX || self.lengths.insert(hash, length).is_some() {
            let what = format!("object {hash} comes twice, or there are more than {OBJECTS_MAX}");
            return Err(self.frames.damaged(what));
        }
        self.unused += 1;
        let batch = self.batch.get_or_insert_with(|| self.content.batch());
        Ok(batch.put_named(hash, content)?)
    }

    fn files(&mut self, payload: &[u8]) -> Result<(), PortableError> {
        let frame: FilesFrame = self.frames.fields(payload)?;
        let number = self.frames.event;
        if frame.number != number || self.snapshot_at >= number {
            let what = format!("files of event {} come behind event {number}", frame.number);
            return Err(self.frames.damaged(what));
        }
        let hash = |text: &str| match Hash::parse(text) {
            Some(hash) => Ok(hash),
            None => Err(self.frames.damaged(format!("{text:?} is no hash"))),
        };
        let files = Files {
            root: hash(&frame.root)?,
            digest: hash(&frame.digest)?,
            shell: frame.shell.as_deref().map(hash).transpose()?,
        };
        for needed in [files.root].iter().chain(&files.shell) {
            if !self.lengths.contains_key(needed) {
                let what = format!("object {needed} is missing");
                return Err(self.frames.damaged(what));
            }
        }
        let batch = match self.batch.take() {
            Some(batch) => batch,
            None => self.content.batch(),
        };
        let finished = batch.finish()?;
        self.flush(Some(Box::new(FilesChange {
            files,
            also: Vec::new(),
            objects: finished.objects.clone(),
        })))?;
        drop(finished);
        // Only now all of it can be read; nobody sees it before.
        let reader = self.content.blocking();
        match self
            .checker
            .check(&reader, &self.lengths, &files, MOUNT_ROOT)
        {
            Ok(()) => {}
            Err(Fault::Bad(what)) => {
                return Err(self
                    .frames
                    .damaged(format!("files of event {number}: {what}")));
            }
            Err(Fault::Failed(error)) => return Err(error.into()),
        }
        self.unused = 0;
        self.snapshots += 1;
        self.snapshot_at = number;
        Ok(())
    }

    fn end(&mut self, payload: &[u8]) -> Result<(), PortableError> {
        let end: EndFrame = self.frames.fields(payload)?;
        let found = EndFrame {
            events: self.frames.event,
            snapshots: self.snapshots,
            objects: self.lengths.len() as u64,
            chain: self.chain.to_string(),
        };
        if end != found || end.events != self.last {
            return Err(self.frames.damaged(format!(
                "{} events, {} snapshots and {} objects were written, but {}, {} and {} are here",
                self.last, end.snapshots, end.objects, found.events, found.snapshots, found.objects
            )));
        }
        if self.unused > 0 {
            let what = format!("{} objects belong to no snapshot", self.unused);
            return Err(self.frames.damaged(what));
        }
        let mut waiting = self.queue.values();
        if let Some((number, _)) = waiting.find(|(_, position)| position.is_some()) {
            let what = format!("event {number} is never taken from the queue");
            return Err(self.frames.damaged(what));
        }
        self.frames.end()?;
        self.flush(None)
    }

    /// Stores the events that wait, with the files from the last of them on.
    fn flush(&mut self, files: Option<Box<FilesChange>>) -> Result<(), PortableError> {
        let events = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        if events.is_empty() {
            return Ok(());
        }
        let count = events.len() as u64;
        let append = Append {
            session_id: SessionId::from_text(self.key.id.clone()),
            expected: self.stored,
            lease: None,
            events,
            projection: None,
            files,
        };
        match self.wait(self.store.append(append)) {
            Ok(_) => {
                self.stored += count;
                Ok(())
            }
            Err(StoreError::Invalid(what)) => Err(self.frames.damaged(what)),
            Err(error) => Err(error.into()),
        }
    }
}
