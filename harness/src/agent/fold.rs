//! Reading a session's log into a state, also as it was at an earlier event.

use crate::ids::SessionId;
use crate::json::Fields as _;
use crate::session::{
    EventKind, FoldError, PROJECTION_PRIVATE, Range, Rewind, State, checkpoint, counting,
    from_checkpoint, rewinds_of,
};
use crate::store::{Resource, Store, StoreError, StoredEvent};

/// Events read at once while folding.
pub(super) const PAGE: usize = 1_000;

/// Why a log could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
}

/// Returns the rewinds that a session's row tells of.
pub fn rewinds(row: &Resource) -> Vec<Rewind> {
    rewinds_of(row.body.at(PROJECTION_PRIVATE).at("rewinds"))
}

/// Folds the log of a session with these rewinds up to event `upto`, or to its end if that comes first.
pub async fn fold(
    store: &dyn Store,
    session_id: &SessionId,
    rewinds: &[Rewind],
    upto: u64,
) -> Result<State, LoadError> {
    let (state, _) = fold_from_kept(store, session_id, rewinds, upto).await?;
    Ok(state)
}

/// As [`fold`], and the number of the event at which the state was kept that it began with; 0 if there was none.
pub(super) async fn fold_from_kept(
    store: &dyn Store,
    session_id: &SessionId,
    rewinds: &[Rewind],
    upto: u64,
) -> Result<(State, u64), LoadError> {
    let ranges = counting(rewinds, upto);
    let mut state = newest_checkpoint(store, session_id, &ranges).await?;
    let kept_at = state.as_ref().map_or(0, |state| state.last);
    for range in ranges {
        let done = state.as_ref().map_or(0, |state| state.last);
        if done > range.last {
            continue;
        }
        let mut after = done.max(range.first - 1);
        while after < range.last {
            let wanted = usize::try_from(range.last - after).unwrap_or(PAGE);
            let events = store.read(session_id, after, wanted.min(PAGE)).await?;
            let Some(last) = events.last() else { break };
            after = last.number;
            match state.as_mut() {
                Some(state) => apply_all(state, &events)?,
                None => state = Some(State::fold(session_id, &events)?),
            }
        }
    }
    match state {
        Some(state) => Ok((state, kept_at)),
        None => Ok((State::fold(session_id, &[])?, kept_at)),
    }
}

/// Returns the newest state that was kept and still counts.
async fn newest_checkpoint(
    store: &dyn Store,
    session_id: &SessionId,
    ranges: &[Range],
) -> Result<Option<State>, StoreError> {
    for range in ranges.iter().rev() {
        let kept = store.files().checkpoint(session_id, range.last).await?;
        if let Some((number, kept)) = kept
            && number >= range.first
        {
            let session_id = session_id.clone();
            let read = move || from_checkpoint(&session_id, number, &kept);
            let read = tokio::task::spawn_blocking(read).await;
            return Ok(read.unwrap_or_default());
        }
    }
    Ok(None)
}

/// Keeps a state for the next fold. It saves time alone, so a failure is only told.
pub(super) async fn keep(store: &dyn Store, state: &State) {
    let (number, session_id, state) = (state.last, state.session_id.clone(), state.clone());
    let kept = tokio::task::spawn_blocking(move || checkpoint(&state)).await;
    let Ok(Some(kept)) = kept else { return };
    match store
        .files()
        .put_checkpoint(&session_id, number, kept)
        .await
    {
        Ok(()) | Err(StoreError::NotFound) => {}
        Err(error) => {
            tracing::warn!(session = %session_id, %error, "a checkpoint could not be kept");
        }
    }
}

/// Applies events in order. They hold no rewind.
fn apply_all(state: &mut State, events: &[StoredEvent]) -> Result<(), FoldError> {
    events.iter().try_for_each(|event| state.apply(event))
}

/// Tells whether the session went back with one of these events, so that a state before them is no longer its
/// own.
pub(super) fn goes_back(events: &[StoredEvent]) -> bool {
    let name = EventKind::Rewound.name();
    events.iter().any(|event| event.kind == name)
}
