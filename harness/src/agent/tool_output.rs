//! What a tool writes while it runs, for whoever watches: whole characters, in small pieces, and not without end.

use std::sync::{Arc, Mutex, PoisonError};

use super::live::{Live, Preview, PreviewPart};
use crate::hands::OutputSink;
use crate::ids::{EventId, SessionId, ThreadId};

/// Bytes of one call that are shown as they come; a tool that writes gigabytes would keep every watcher busy, and who
/// wants all of it has the file that the result names.
const SHOWN_BYTES_MAX: usize = 1 << 20;
/// Bytes of one piece; readers hold a number of pieces, not of bytes.
const PIECE_BYTES_MAX: usize = 16 << 10;

/// Returns where a call's output goes: to the readers of the session's stream.
pub(super) fn to_watchers(
    live: Arc<Live>,
    session_id: SessionId,
    thread_id: ThreadId,
    after: u64,
    call: EventId,
) -> OutputSink {
    let pieces = Mutex::new(Pieces::default());
    Arc::new(move |bytes: &[u8]| {
        let mut pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner);
        for text in pieces.push(bytes) {
            let preview = Preview {
                after,
                thread_id: thread_id.clone(),
                event_id: call.clone(),
                part: PreviewPart::Output { text },
            };
            live.preview(&session_id, preview);
        }
    })
}

#[derive(Default)]
struct Pieces {
    /// The beginning of a character whose end has not come yet.
    begun: Vec<u8>,
    shown_bytes: usize,
}

impl Pieces {
    /// Takes bytes and returns the text to show.
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        if self.shown_bytes >= SHOWN_BYTES_MAX {
            return Vec::new();
        }
        let room = SHOWN_BYTES_MAX - self.shown_bytes;
        let shown = bytes.get(..room).unwrap_or(bytes);
        self.shown_bytes += shown.len();
        self.begun.extend_from_slice(shown);
        let whole = whole_characters(&self.begun);
        let rest = self.begun.split_off(whole);
        let text = std::mem::replace(&mut self.begun, rest);
        let mut pieces: Vec<String> = Vec::new();
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let some = rest.get(..PIECE_BYTES_MAX).unwrap_or(rest);
            let cut = match whole_characters(some) {
                0 => some.len(),
                cut => cut,
            };
            let (piece, after) = rest.split_at(cut);
            pieces.push(String::from_utf8_lossy(piece).into_owned());
            rest = after;
        }
        if self.shown_bytes >= SHOWN_BYTES_MAX {
            pieces.push("\n[what follows is not shown as it comes]\n".to_owned());
        }
        pieces
    }
}

/// Returns how many bytes there are before a character that is not whole yet.
fn whole_characters(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(last) if last.invalid().len() < 4 && is_begun(last.invalid()) => {
            bytes.len() - last.invalid().len()
        }
        _ => bytes.len(),
    }
}

/// Returns whether bytes are the beginning of a character, which more bytes could end.
fn is_begun(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_come_whole_and_output_has_a_bound() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.push(b"na\xc3"), ["na"]);
        assert_eq!(pieces.push(b"\xafve\xff!"), ["\u{ef}ve\u{fffd}!"]);
        let long = pieces.push(&[b'x'; 2 * PIECE_BYTES_MAX + 1]);
        assert_eq!(
            long.iter().map(String::len).collect::<Vec<_>>(),
            [PIECE_BYTES_MAX, PIECE_BYTES_MAX, 1]
        );
        let rest = pieces.push(&vec![b'y'; 2 * SHOWN_BYTES_MAX]);
        assert!(rest.last().is_some_and(|note| note.contains("not shown")));
        assert!(rest.concat().len() <= SHOWN_BYTES_MAX + 100);
        assert!(pieces.push(b"more").is_empty());
    }
}
