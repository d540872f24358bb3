//! The contract suite of [`Store`](super::Store): what its comments promise, as functions over a fresh store.
//!
//! [`store_contract`](crate::store_contract) lists them all; hand it a macro to make a test of each, or call
//! [`run_all`]. A function here that the list forgets is dead code, which the build refuses.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Append, EventQuery, Files, FilesChange, Hash, History, Key, Kind, NewEvent, NewObjects,
    NewPack, NewResource, Order, Projection, ResourceQuery, Root, SharedStore, StoreError,
    StoredEvent, TimeRange,
};
use crate::clock::Timestamp;
use crate::ids::{EventId, SessionId, WorkspaceId};

mod checkpoints;
mod collection;
mod concurrency;
mod files;
mod history;
mod leases;
mod listing;
mod log;
mod objects;
mod projection;
mod resources;
mod together;

/// Calls the macro `$with` with `module: function, ...;` for every function of the suite.
#[doc(hidden)]
#[macro_export]
macro_rules! store_contract {
    ($with:ident) => {
        $with! {
            resources: a_created_resource_is_read_back_whole;
            resources: a_taken_id_is_refused;
            resources: names_are_unique_among_the_live;
            resources: an_update_needs_the_newest_revision;
            resources: an_agents_versions_stay_readable;
            resources: other_kinds_keep_only_the_newest_version;
            resources: a_workspace_sees_only_its_own;
            resources: lists_are_filtered_and_ordered;
            resources: list_cursors_reach_everything_once;
            resources: delete_removes_everything;
            resources: what_cannot_be_stored_is_refused;
            together: all_writes_are_made_or_none;
            together: later_writes_see_earlier_ones;
            together: a_scan_reaches_every_workspace_once;
            together: an_append_and_its_writes_are_one;
            together: labels_are_replaced_whole;
            log: numbers_have_no_gaps;
            log: events_are_read_back_whole;
            log: an_append_must_expect_the_last_number;
            log: an_append_is_all_or_nothing;
            log: refusals_come_in_order;
            log: creation_includes_first_events;
            log: queued_events_wait_for_their_position;
            log: the_largest_event_fits_and_no_larger;
            log: reads_are_bounded;
            projection: it_is_written_with_the_events;
            projection: it_is_left_alone_by_a_failed_append;
            listing: hidden_types_are_never_listed;
            listing: queued_events_stand_at_the_late_end;
            listing: filters_select;
            listing: what_is_a_threads_alone_is_in_its_lists_only;
            listing: time_bounds_select_and_exclude_the_queued;
            listing: cursors_reach_everything_once_while_the_log_grows;
            leases: a_held_lease_is_refused_until_it_runs_out;
            leases: an_old_token_is_fenced_off;
            leases: a_lease_given_back_is_lost;
            leases: a_dead_holders_leases_are_given_back_together;
            leases: waiting_sessions_are_found_in_order;
            concurrency: appenders_lose_and_double_nothing;
            concurrency: one_of_many_wins_a_lease_a_name_and_a_revision;
            concurrency: dropped_appends_are_whole_or_absent;
            concurrency: subscribers_hear_of_growth_and_removal;
            objects: objects_are_found_where_they_were_stored;
            objects: unusable_objects_are_refused_whole;
            objects: lists_of_objects_reach_everything_once;
            objects: a_pack_is_forgotten_without_live_parts;
            objects: objects_move_into_packs_and_stay_found;
            files: files_are_those_of_the_newest_append;
            files: files_and_events_are_one;
            files: what_is_wrong_with_files_is_told_last;
            collection: what_is_touched_survives_a_collection;
            collection: roots_go_with_their_sessions;
            history: a_fork_reads_as_a_copy;
            history: what_is_shared_outlives_its_session;
            history: what_only_forks_need_goes_with_them;
            history: what_was_queued_stays_queued_for_good;
            history: a_history_must_be_there;
            history: subscribers_hear_of_each_log_by_itself;
            checkpoints: the_two_newest_checkpoints_stay;
            checkpoints: checkpoints_are_shared_with_the_history;
        }
    };
}

macro_rules! export {
    ($($module:ident: $name:ident;)*) => {
        $(
            /// Checks one clause on a fresh store.
            pub async fn $name(store: SharedStore) -> Result<()> {
                $module::$name(store).await
            }
        )*

        /// Runs the whole suite, each function on a store that `make` has made for it.
        pub async fn run_all<F>(make: impl Fn() -> F) -> Result<()>
        where
            F: Future<Output = Result<SharedStore>>,
        {
            $(
                let store = make().await.context("making a store")?;
                $module::$name(store).await.context(stringify!($name))?;
            )*
            Ok(())
        }
    };
}
store_contract!(export);

/// Returns the instant `seconds` after the suite's time begins.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn workspace() -> WorkspaceId {
    WorkspaceId::from_text("wrkspc_one")
}

fn key(kind: Kind, id: &str) -> Key {
    Key {
        workspace: workspace(),
        kind,
        id: id.to_owned(),
    }
}

fn resource(kind: Kind, id: &str, seconds: i64) -> NewResource {
    NewResource {
        key: key(kind, id),
        body: json!({ "name": id }),
        unique_name: None,
        status: None,
        labels: Vec::new(),
        at: at(seconds),
        events: Vec::new(),
        needs_wake: false,
        history: None,
    }
}

fn resource_query(kind: Kind) -> ResourceQuery {
    ResourceQuery {
        workspace: workspace(),
        kind,
        include_archived: false,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels: Vec::new(),
        order: Order::Ascending,
        after: None,
        limit: 100,
    }
}

fn session_id(name: &str) -> SessionId {
    SessionId::from_text(format!("sesn_{name}"))
}

/// Creates a session with an empty log.
async fn new_session(store: &SharedStore, name: &str) -> Result<SessionId> {
    let id = session_id(name);
    store
        .create(resource(Kind::Session, id.as_str(), 0))
        .await
        .context("creating a session")?;
    Ok(id)
}

/// Returns a new session whose log begins with the first `number` events of another.
fn forked(name: &str, of: &SessionId, number: u64) -> NewResource {
    NewResource {
        history: Some(History {
            session_id: of.clone(),
            number,
        }),
        ..resource(Kind::Session, session_id(name).as_str(), 0)
    }
}

async fn fork(store: &SharedStore, name: &str, of: &SessionId, number: u64) -> Result<SessionId> {
    let new = forked(name, of, number);
    store.create(new).await.context("creating a fork")?;
    Ok(session_id(name))
}

/// Returns an object with this content.
fn object(content: &str) -> (Hash, Bytes) {
    let content = Bytes::from(content.to_owned());
    (Hash::of(&content), content)
}

/// Returns objects with these contents, as rows.
fn rows(contents: &[&str]) -> NewObjects {
    NewObjects {
        rows: contents.iter().map(|content| object(content)).collect(),
        ..NewObjects::default()
    }
}

/// Returns a pack of objects with these contents, one behind the other.
fn pack(name: &str, contents: &[&str]) -> NewPack {
    let mut bytes = 0;
    let parts = contents.iter().map(|content| {
        let start = bytes;
        bytes += content.len() as u64;
        (object(content).0, start, content.len() as u32)
    });
    NewPack {
        name: name.to_owned(),
        parts: parts.collect(),
        bytes,
    }
}

/// Returns files whose root and shell have these contents, without the objects.
fn files(root: &str, shell: Option<&str>) -> FilesChange {
    FilesChange {
        files: Files {
            root: object(root).0,
            digest: Hash::of(format!("digest of {root}").as_bytes()),
            shell: shell.map(|shell| object(shell).0),
        },
        also: Vec::new(),
        objects: NewObjects::default(),
    }
}

/// Returns a further object that an append needs.
fn also(name: &str, is_list: bool) -> Root {
    Root {
        hash: Hash::of(name.as_bytes()),
        is_list,
    }
}

fn append_files(
    session_id: &SessionId,
    expected: u64,
    events: Vec<NewEvent>,
    change: FilesChange,
) -> Append {
    Append {
        files: Some(Box::new(change)),
        ..append(session_id, expected, events)
    }
}

/// Returns all roots, each once, sorted.
async fn roots(store: &SharedStore) -> Result<Vec<Hash>> {
    let mut hashes = Vec::new();
    let mut after = 0;
    loop {
        let page = store.files().roots(after, 3).await?;
        let Some(last) = page.last() else { break };
        ensure!(page.len() <= 3 && last.position > after, "{page:?}");
        after = last.position;
        hashes.extend(page.iter().map(|rooted| rooted.root.hash));
    }
    hashes.sort();
    hashes.dedup();
    Ok(hashes)
}

/// Returns an event made `seconds` after the start, with an id that says so.
fn event(kind: &str, seconds: i64) -> NewEvent {
    NewEvent {
        id: EventId::from_text(format!("sevt_{kind}_{seconds}")),
        thread_id: None,
        is_thread_only: false,
        kind: kind.to_owned(),
        at: at(seconds),
        is_queued: false,
        body: json!({ "n": seconds }),
        private: None,
    }
}

fn queued(kind: &str, seconds: i64) -> NewEvent {
    NewEvent {
        is_queued: true,
        ..event(kind, seconds)
    }
}

/// Returns the event that takes `of` from the queue.
fn processed(of: &NewEvent, seconds: i64) -> NewEvent {
    NewEvent {
        body: json!({ "event_id": of.id }),
        ..event(super::PROCESSED, seconds)
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

fn projection(status: &str, needs_wake: bool) -> Projection {
    Projection {
        body: json!({ "status": status }),
        status: status.to_owned(),
        archived_at: None,
        needs_wake,
    }
}

fn event_query(session_id: &SessionId, order: Order) -> EventQuery {
    EventQuery {
        session_id: session_id.clone(),
        thread_id: None,
        kinds: Vec::new(),
        processed_at: TimeRange::default(),
        order,
        after: None,
        limit: 100,
    }
}

fn numbers(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.number).collect()
}

/// Returns what an event that was appended as number `number`, not queued, must look like.
fn as_stored(new: NewEvent, number: u64) -> StoredEvent {
    StoredEvent {
        number,
        id: new.id,
        thread_id: new.thread_id,
        is_thread_only: new.is_thread_only,
        kind: new.kind,
        at: new.at,
        position: Some(number),
        processed_at: Some(new.at),
        body: new.body,
        private: new.private,
    }
}

/// Returns JSON nested `levels` deep.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, _| json!({ "in": inner }))
}

/// Fails unless `result` is an error of the kind that `matches` accepts.
fn refused<T>(
    result: Result<T, StoreError>,
    expected: &str,
    matches: impl Fn(&StoreError) -> bool,
) -> Result<()> {
    match result {
        Ok(_) => bail!("accepted, but must be refused with {expected}"),
        Err(error) => {
            ensure!(
                matches(&error),
                "refused with {error:?}, not with {expected}"
            );
            Ok(())
        }
    }
}

fn not_found<T>(result: Result<T, StoreError>) -> Result<()> {
    refused(result, "NotFound", |e| matches!(e, StoreError::NotFound))
}

fn invalid<T>(result: Result<T, StoreError>) -> Result<()> {
    refused(result, "Invalid", |e| matches!(e, StoreError::Invalid(_)))
}

fn gone<T>(result: Result<T, StoreError>, content: &str) -> Result<()> {
    let missing = Hash::of(content.as_bytes());
    refused(
        result,
        "Gone",
        |e| matches!(e, StoreError::Gone(hash) if *hash == missing),
    )
}

fn lease_lost<T>(result: Result<T, StoreError>) -> Result<()> {
    refused(result, "LeaseLost", |e| matches!(e, StoreError::LeaseLost))
}

fn log_moved<T>(result: Result<T, StoreError>, last: u64) -> Result<()> {
    refused(
        result,
        "LogMoved",
        |e| matches!(e, StoreError::LogMoved { actual } if *actual == last),
    )
}
