//! What a fold came to, kept so that the next one starts there.
//!
//! A checkpoint saves time and decides nothing: one that is missing, damaged or of another release is ignored, and
//! the log is folded from its beginning.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::state::State;
use crate::ids::SessionId;

/// Whose folds mean the same.
const RELEASE: &str = env!("CARGO_PKG_VERSION");
/// Counted up with every change of what the fold makes of events within a release.
const FOLD: u32 = 5;
/// zstd's level: conversations are text, and this is done off the way of requests.
const LEVEL: i32 = 3;
/// Largest checkpoint before it was compressed; a damaged length cannot ask for more.
const BYTES_MAX: usize = 1 << 30;

#[derive(Serialize, Deserialize)]
struct Checkpoint<S> {
    release: String,
    fold: u32,
    state: S,
}

/// Returns what is kept of a state; none of one that is too large.
pub fn checkpoint(state: &State) -> Option<Bytes> {
    let kept = Checkpoint {
        release: RELEASE.to_owned(),
        fold: FOLD,
        state,
    };
    let text = serde_json::to_vec(&kept).ok()?;
    if text.len() > BYTES_MAX {
        return None;
    }
    Some(zstd::encode_all(text.as_slice(), LEVEL).ok()?.into())
}

/// Returns the state that was kept for event `number` of this session, or of one that it shares its beginning
/// with.
pub fn from_checkpoint(session_id: &SessionId, number: u64, kept: &[u8]) -> Option<State> {
    let reader = zstd::Decoder::new(kept).ok()?;
    let reader = std::io::Read::take(reader, BYTES_MAX as u64);
    let kept: Checkpoint<State> = serde_json::from_reader(std::io::BufReader::new(reader)).ok()?;
    if kept.release != RELEASE || kept.fold != FOLD || kept.state.last != number {
        return None;
    }
    let mut state = kept.state;
    state.session_id = session_id.clone();
    Some(state)
}
