//! Reading a session's log into a state, also as it was at an earlier event.

use crate::ids::SessionId;
use crate::json::Fields as _;
use crate::session::{
    EventKind, FoldError, PROJECTION_PRIVATE, Rewind, State, counting, rewinds_of,
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
    let mut state: Option<State> = None;
    for range in counting(rewinds, upto) {
        let mut after = range.first - 1;
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
        Some(state) => Ok(state),
        None => Ok(State::fold(session_id, &[])?),
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
