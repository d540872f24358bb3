//! The store: resources with versions, and one append-only event log per session, behind one trait.
//!
//! The trait's comments are the specification; [`contract`] is the suite that every implementation passes.
//! Deliberately absent: any knowledge of what events mean. The fold lives in `session`.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::broadcast;

use crate::clock::Timestamp;
use crate::ids::{EventId, SessionId, ThreadId, WorkspaceId};

#[doc(hidden)]
pub mod contract;
mod objects;
mod sqlite;

pub use objects::{
    Files, FilesChange, Hash, Listed, NewObjects, NewPack, Objects, Pack, Place, ROW_BYTES_MAX,
    Root, Rooted,
};
pub use sqlite::{Device, Fate, Memory, SqliteOptions, SqliteStore};

/// A store shared by everything in one daemon.
pub type SharedStore = Arc<dyn Store>;

/// Largest event, body and private part together, in bytes of JSON; also the largest body of a resource.
/// A larger one is [`StoreError::Invalid`].
pub const EVENT_BYTES_MAX: usize = 64 << 20;
/// Most levels of arrays and objects in one body; JSON readers give up on deeper ones, so a deeper one is
/// [`StoreError::Invalid`].
pub const JSON_DEPTH_MAX: usize = 120;
/// Most rows that one read returns; a higher limit counts as this one.
pub const ROWS_MAX: usize = 1_000;
/// Most states, labels or types in one query; more are [`StoreError::Invalid`].
pub const FILTERS_MAX: usize = 64;

/// What a resource is; each kind has an id space of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// An agent; the only kind whose versions are kept and readable.
    Agent,
    /// An environment.
    Environment,
    /// A session; its body is the projection of its log.
    Session,
    /// A hashed API key.
    ApiKey,
    /// A hashed key of one environment's workers, or the token of one of its work items.
    EnvironmentKey,
    /// A file; its content is a blob of the same name.
    File,
    /// A skill.
    Skill,
    /// A version of a skill; its content is a blob of the same name.
    SkillVersion,
    /// A registered tool.
    Tool,
    /// A version of a tool; its component is a blob of the same name.
    ToolVersion,
    /// A memory store.
    MemoryStore,
    /// A live memory of a store.
    Memory,
    /// A change of a memory.
    MemoryVersion,
    /// The content of a memory's version, of the same id.
    MemoryContent,
    /// A vault.
    Vault,
    /// A credential in a vault; its secrets are encrypted.
    Credential,
    /// An item of an environment's work queue.
    Work,
    /// A deployment.
    Deployment,
    /// An attempt to start a deployment's session.
    DeploymentRun,
    /// An endpoint that webhooks are sent to.
    WebhookEndpoint,
    /// An event on its way to an endpoint.
    WebhookDelivery,
}

impl Kind {
    /// Returns the name stored with each row. Never changed or reused.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Agent => "agent",
            Kind::Environment => "environment",
            Kind::Session => "session",
            Kind::ApiKey => "api_key",
            Kind::EnvironmentKey => "environment_key",
            Kind::File => "file",
            Kind::Skill => "skill",
            Kind::SkillVersion => "skill_version",
            Kind::Tool => "tool",
            Kind::ToolVersion => "tool_version",
            Kind::MemoryStore => "memory_store",
            Kind::Memory => "memory",
            Kind::MemoryVersion => "memory_version",
            Kind::MemoryContent => "memory_content",
            Kind::Vault => "vault",
            Kind::Credential => "credential",
            Kind::Work => "work",
            Kind::Deployment => "deployment",
            Kind::DeploymentRun => "deployment_run",
            Kind::WebhookEndpoint => "webhook_endpoint",
            Kind::WebhookDelivery => "webhook_delivery",
        }
    }
}

/// Names one resource. A wrong workspace finds nothing, exactly as if the id did not exist.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    /// The tenant it belongs to.
    pub workspace: WorkspaceId,
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
}

/// A resource to be created.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// Its name in the store.
    pub key: Key,
    /// Its content.
    pub body: Value,
    /// Unique among the live (not archived) resources of this workspace and kind, when given.
    pub unique_name: Option<String>,
    /// Filterable state, e.g. a session's status.
    pub status: Option<String>,
    /// Filterable properties, e.g. `("agent_id", "agent_...")`. Kept until a [`Write::Relabel`].
    pub labels: Vec<(String, String)>,
    /// Creation time.
    pub at: Timestamp,
    /// First events of a session's log, appended in the same commit. Empty for other kinds.
    pub events: Vec<NewEvent>,
    /// Whether a session has work for a driver; see [`Store::sessions_to_wake`].
    pub needs_wake: bool,
    /// What a session's log begins with, before `events`.
    pub history: Option<History>,
}

/// The workspace of logs that become sessions only once they are whole. No caller can name it; sessions of any
/// other may share a log of it as their history.
pub const STAGING_WORKSPACE: &str = "sinew-staging";

/// The beginning of another session's log, which a new log shares instead of having a copy.
///
/// All that reads a log sees it as if it were the log's own, with three differences. An event that was queued
/// at `number` is queued for good: reads give it no position, lists leave it out, and no processed event can
/// name it. Deleting the other session leaves it in place. Checkpoints and files are shared with it.
/// Sharing costs the same however long the history is. Subscribers hear of the new log as having grown to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// The other session, of the same workspace or of [`STAGING_WORKSPACE`].
    pub session_id: SessionId,
    /// The last number that is shared, at least 1 and at most that log's last.
    pub number: u64,
}

/// A stored resource.
#[derive(Clone, PartialEq, Debug)]
pub struct Resource {
    /// Its name in the store.
    pub key: Key,
    /// Its content.
    pub body: Value,
    /// Public version: 1 at creation, plus 1 for each [`ResourceChange`] with `new_version`.
    pub version: u64,
    /// Counts every write; the precondition of the next one.
    pub revision: u64,
    /// Filterable state.
    pub status: Option<String>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last write.
    pub updated_at: Timestamp,
    /// Archive time, for archived ones.
    pub archived_at: Option<Timestamp>,
}

/// A whole new state of a resource.
#[derive(Clone, Debug)]
pub struct ResourceChange {
    /// The new content.
    pub body: Value,
    /// Makes a new public version; an agent's old one stays readable as it was last.
    pub new_version: bool,
    /// The new unique name; `None` frees it.
    pub unique_name: Option<String>,
    /// The new filterable state.
    pub status: Option<String>,
    /// The new archive time.
    pub archived_at: Option<Timestamp>,
    /// Time of this write.
    pub at: Timestamp,
}

/// One of several writes that are made together; see [`Store::write`].
#[derive(Clone, Debug)]
pub enum Write {
    /// As [`Store::create`].
    Create(NewResource),
    /// As [`Store::update`].
    Update {
        /// The resource.
        key: Key,
        /// The revision it must still have.
        revision: u64,
        /// Its new state.
        change: ResourceChange,
    },
    /// As [`Store::delete`].
    Delete(Key),
    /// Replaces the labels of a resource; nothing else of it changes. Errors: `NotFound`.
    Relabel {
        /// The resource.
        key: Key,
        /// Its labels from now on.
        labels: Vec<(String, String)>,
    },
}

/// Sort direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    #[default]
    Descending,
}

/// Bounds on a time; all that are given must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TimeRange {
    /// Strictly after.
    pub gt: Option<Timestamp>,
    /// At or after.
    pub gte: Option<Timestamp>,
    /// Strictly before.
    pub lt: Option<Timestamp>,
    /// At or before.
    pub lte: Option<Timestamp>,
}

impl TimeRange {
    /// Tells whether `at` lies within every bound.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.gt.is_none_or(|b| at > b)
            && self.gte.is_none_or(|b| at >= b)
            && self.lt.is_none_or(|b| at < b)
            && self.lte.is_none_or(|b| at <= b)
    }
}

/// Selects resources in order of (creation time, id).
#[derive(Clone, Debug)]
pub struct ResourceQuery {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The kind.
    pub kind: Kind,
    /// Also archived ones.
    pub include_archived: bool,
    /// Bounds on the creation time.
    pub created_at: TimeRange,
    /// Any of these states; empty for all.
    pub statuses: Vec<String>,
    /// All of these labels.
    pub labels: Vec<(String, String)>,
    /// Sort direction.
    pub order: Order,
    /// Starts strictly behind this position in the given order.
    pub after: Option<(Timestamp, String)>,
    /// Most rows to return, at most [`ROWS_MAX`].
    pub limit: usize,
}

/// An event to be appended. Its number is given by the store.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEvent {
    /// Its id, made by the writer so that intent can refer to it before the append.
    pub id: EventId,
    /// The thread it belongs to; `None` for events of the session as a whole.
    pub thread_id: Option<ThreadId>,
    /// It is in the lists of its thread alone, and not in those of the session. Nothing of types that no list has.
    pub is_thread_only: bool,
    /// Its type, e.g. `agent.message`. Types that start with `sinew.` are never shown by the API.
    pub kind: String,
    /// When it was made.
    pub at: Timestamp,
    /// A client's input that waits for its turn: it has no position until a later append marks it processed.
    pub is_queued: bool,
    /// The wire fields besides `id`, `type` and `processed_at`, as a JSON object.
    pub body: Value,
    /// What only the harness may see, e.g. the model's own content blocks with their signatures.
    pub private: Option<Value>,
}

impl NewEvent {
    /// Returns the event as the log will hold it under this number, once it is processed.
    pub fn at_number(&self, number: u64) -> StoredEvent {
        StoredEvent {
            number,
            id: self.id.clone(),
            thread_id: self.thread_id.clone(),
            is_thread_only: self.is_thread_only,
            kind: self.kind.clone(),
            at: self.at,
            position: Some(number),
            processed_at: Some(self.at),
            body: self.body.clone(),
            private: self.private.clone(),
        }
    }
}

/// An event in the log. Everything but `processed_at` and `position` is immutable.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEvent {
    /// 1, 2, 3, ... per session, without gaps.
    pub number: u64,
    /// Its id.
    pub id: EventId,
    /// Its thread, if any.
    pub thread_id: Option<ThreadId>,
    /// It is in the lists of its thread alone.
    pub is_thread_only: bool,
    /// Its type.
    pub kind: String,
    /// When it was made.
    pub at: Timestamp,
    /// Place in the processed order: its own number, or the number of the `sinew.processed` event that
    /// took it from the queue. `None` while queued.
    pub position: Option<u64>,
    /// Time of the event at `position`. `None` while queued.
    pub processed_at: Option<Timestamp>,
    /// Wire fields.
    pub body: Value,
    /// Harness-only part.
    pub private: Option<Value>,
}

/// The type of the event by which a driver takes queued input from the queue: body
/// `{"event_id": "sevt_..."}`, one queued event each.
pub const PROCESSED: &str = "sinew.processed";

/// A fencing token: an append made with a token that is no longer the newest is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The session it covers.
    pub session_id: SessionId,
    /// Grows by at least one with every acquisition.
    pub token: u64,
}

/// One atomic append.
#[derive(Clone, Debug)]
pub struct Append {
    /// The log.
    pub session_id: SessionId,
    /// The log's last number as the writer knows it; another one is [`StoreError::LogMoved`].
    pub expected: u64,
    /// The writer's lease. Drivers always hold one; handlers that only queue input do not.
    pub lease: Option<Lease>,
    /// The events, at least one, in order.
    pub events: Vec<NewEvent>,
    /// The session resource's new body, status and wake flag, written in the same commit.
    pub projection: Option<Projection>,
    /// What changes of the session's files, written in the same commit.
    pub files: Option<Box<FilesChange>>,
}

/// The part of a session's resource row that follows from its log.
#[derive(Clone, Debug)]
pub struct Projection {
    /// New body.
    pub body: Value,
    /// New filterable status.
    pub status: String,
    /// New archive time.
    pub archived_at: Option<Timestamp>,
    /// Whether a driver has work to do.
    pub needs_wake: bool,
}

/// Tells subscribers that a log grew. A hint: reading the log is the truth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogGrew {
    /// The log.
    pub session_id: SessionId,
    /// Its last number now; `u64::MAX` when the session was deleted.
    pub last: u64,
}

/// Selects events in processed order (by position), as the API lists them. Never returns types that start
/// with `sinew.`. Queued events come after all processed ones when `order` is ascending and before them
/// when descending; among themselves by number.
#[derive(Clone, Debug)]
pub struct EventQuery {
    /// The log.
    pub session_id: SessionId,
    /// Events of this thread, without those of the session as a whole; `None` for all but those that are their
    /// thread's alone.
    pub thread_id: Option<ThreadId>,
    /// Any of these types; empty for all.
    pub kinds: Vec<String>,
    /// Bounds on `processed_at`; a bound excludes queued events.
    pub processed_at: TimeRange,
    /// Sort direction.
    pub order: Order,
    /// Starts strictly behind this place in the given order.
    pub after: Option<EventPlace>,
    /// Most rows to return, at most [`ROWS_MAX`].
    pub limit: usize,
}

/// A place in the processed order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventPlace {
    /// At this position.
    Processed(u64),
    /// Queued, with this number.
    Queued(u64),
}

/// Why the store refused or failed. Whether to retry follows from the variant.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such resource in this workspace.
    #[error("not found")]
    NotFound,
    /// The id is taken.
    #[error("already exists")]
    AlreadyExists,
    /// A live resource has this unique name.
    #[error("name {0:?} is taken")]
    NameTaken(String),
    /// The resource was changed since it was read; read it again and decide again.
    #[error("changed meanwhile: revision is {actual}")]
    RevisionConflict {
        /// The revision now.
        actual: u64,
    },
    /// The log has grown since it was read; read the rest and decide again.
    #[error("the log has grown: last number is {actual}")]
    LogMoved {
        /// The last number now.
        actual: u64,
    },
    /// Another driver holds a newer lease; stop without writing.
    #[error("the lease was lost")]
    LeaseLost,
    /// Another driver's lease has not run out.
    #[error("the lease is held until {until}")]
    LeaseHeld {
        /// When it runs out unless it is renewed.
        until: Timestamp,
    },
    /// The request breaks the trait's rules.
    #[error("bad request: {0}")]
    Invalid(String),
    /// An object that the write needs is not stored any more; store it again.
    #[error("object {0} is gone")]
    Gone(Hash),
    /// No space is left; nothing was written.
    #[error("the disk is full")]
    Full,
    /// Another process has the store open.
    #[error("{0}")]
    InUse(String),
    /// The database failed; nothing was acknowledged.
    #[error("store failure: {0}")]
    Failed(String),
}

/// A store.
///
/// Every method is atomic and durable when it returns `Ok`: a crash after that loses nothing, a crash
/// before it leaves nothing half done. Dropping a returned future neither undoes nor tears the operation.
/// Implementations are shared by reference; concurrent calls behave as if run one after the other.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Creates a resource, and a session's first events with it. The first event is number 1, or follows the
    /// history.
    /// Errors: `AlreadyExists`, `NameTaken`, `Invalid` (events, a history or a wake flag on a kind other than
    /// session; a history beyond its log's end), `NotFound` (the history's session).
    async fn create(&self, new: NewResource) -> Result<Resource, StoreError>;

    /// Returns a resource, or with `version` a kept version of it (`body`, `version` and `updated_at` are
    /// that version's, the rest is the newest's). Errors: `NotFound`.
    async fn get(&self, key: &Key, version: Option<u64>) -> Result<Resource, StoreError>;

    /// Returns the selected resources in order. Empty when nothing matches.
    async fn list(&self, query: &ResourceQuery) -> Result<Vec<Resource>, StoreError>;

    /// Returns the versions of a resource below `before` (all if absent), newest first. A kind whose
    /// versions are not kept has only its newest.
    /// Errors: `NotFound`.
    async fn versions(
        &self,
        key: &Key,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Resource>, StoreError>;

    /// Replaces a resource that is still at `revision`. Errors: `NotFound`, `RevisionConflict`, `NameTaken`.
    async fn update(
        &self,
        key: &Key,
        revision: u64,
        change: ResourceChange,
    ) -> Result<Resource, StoreError>;

    /// Removes a resource with its versions, events, files, checkpoints and lease; open subscriptions hear of it.
    /// What other logs share of it stays until the last of them is removed.
    /// Errors: `NotFound`.
    async fn delete(&self, key: &Key) -> Result<(), StoreError>;

    /// Makes every write in order, or none of them, and returns what is stored after each; `None` for a
    /// deletion. Errors: those of the first write that fails.
    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Option<Resource>>, StoreError>;

    /// Returns live resources of every workspace in order of their ids, from behind `after`: for the
    /// daemon's own workers, never for callers.
    async fn scan(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Resource>, StoreError>;

    /// Returns the session's resource by id alone, whatever its workspace: for drivers. Errors: `NotFound`.
    async fn session(&self, session_id: &SessionId) -> Result<Resource, StoreError>;

    /// Appends events, applies the projection (a write of the resource at the last event's time), and
    /// returns the events as stored. A `sinew.processed` event gives the queued event it names its position.
    /// Checked in this order, nothing is written on an error: `NotFound`, `LeaseLost` (a lease was given and
    /// it is not the newest of this session), `LogMoved`, `Invalid` (no events; a body that is too large or
    /// too deep; a processed event that names no queued one), and those of [`Objects::add_objects`].
    async fn append(&self, append: Append) -> Result<Vec<StoredEvent>, StoreError> {
        self.append_with(append, Vec::new()).await
    }

    /// As [`Store::append`], with `writes` in the same commit, behind the append; all of it or nothing.
    /// Errors: the append's, then those of the first write that fails.
    async fn append_with(
        &self,
        append: Append,
        writes: Vec<Write>,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Returns events with numbers above `after`, in order of number, at most `limit` (at most
    /// [`ROWS_MAX`]). Fewer than asked means the end of the log. Errors: `NotFound`.
    async fn read(
        &self,
        session_id: &SessionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Returns events as the API lists them, see [`EventQuery`]. Errors: `NotFound`.
    async fn list_events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError>;

    /// Returns the event with this id; none if the log has none. It may look at the whole log, though not at
    /// bodies: for what people ask for, not for every step. Errors: `NotFound` (the session).
    async fn find_event(
        &self,
        session_id: &SessionId,
        event_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError>;

    /// Returns the log's last number, 0 when it is empty. Errors: `NotFound`.
    async fn last_number(&self, session_id: &SessionId) -> Result<u64, StoreError>;

    /// Takes the session's lease until `until` if nobody holds it at `now`, or `holder` does (which still
    /// makes a new token). Errors: `NotFound`, `LeaseHeld`.
    async fn acquire_lease(
        &self,
        session_id: &SessionId,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError>;

    /// Extends a lease that is still the newest, also when it has run out. Errors: `LeaseLost`.
    async fn renew_lease(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError>;

    /// Gives a lease back, so that it counts as lost; does nothing when it was lost already.
    async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Gives back every lease of `holder`, as a daemon does at its start with what it held when it died.
    /// Leases of others stay.
    async fn release_leases_of(&self, holder: &str) -> Result<(), StoreError>;

    /// Returns sessions whose wake flag is set and whose lease is free at `now`, in the order in which the
    /// flags were set (by the time of the creation or of the append's last event), so that none starves.
    async fn sessions_to_wake(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Returns the part of the store that keeps the sessions' files.
    fn files(&self) -> &dyn Objects;

    /// Tells of every log that grows from now on, also through other processes on the same store.
    /// A receiver that lags hears `Lagged` and must read the logs it follows.
    fn subscribe(&self) -> broadcast::Receiver<LogGrew>;
}
