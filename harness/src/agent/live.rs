//! What is happening right now in a session, for whoever watches: a hint that its log grew, and previews
//! of text that is still being made. Nothing here is stored; the log is the truth.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::{broadcast, watch};

use crate::ids::{EventId, SessionId, ThreadId};
use crate::store::{LogGrew, SharedStore, StoreError};

/// Previews that one slow reader may be behind before it misses some.
const PREVIEWS_MAX: usize = 1_024;

/// A piece of an event that is still being made.
#[derive(Clone, PartialEq, Debug)]
pub struct Preview {
    /// The log's last number when the request started: a reader shows the log up to here first.
    pub after: u64,
    /// The thread that it is of.
    pub thread_id: ThreadId,
    /// The event being made.
    pub event_id: EventId,
    /// What came.
    pub part: PreviewPart,
}

/// The parts of a preview, in order: one start, then deltas; or a tool's output.
#[derive(Clone, PartialEq, Debug)]
pub enum PreviewPart {
    /// An event of this type is being made.
    Start(&'static str),
    /// The next text of this content block.
    Delta {
        /// Index into the event's `content`.
        index: usize,
        /// The text.
        text: String,
    },
    /// What the tool call with this event id has written; no start goes before it.
    Output {
        /// The text, in no relation to lines.
        text: String,
    },
}

struct Channel {
    grew: watch::Sender<u64>,
    previews: broadcast::Sender<Arc<Preview>>,
}

/// A reader's view of one session. Dropping the last one frees what the hub keeps for the session.
pub struct Watcher {
    hub: Weak<Live>,
    session_id: SessionId,
    /// Changes when the log grew; the value is the last number heard of, `u64::MAX` after deletion.
    pub grew: watch::Receiver<u64>,
    /// Pieces of events being made.
    pub previews: broadcast::Receiver<Arc<Preview>>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let Some(hub) = self.hub.upgrade() else {
            return;
        };
        let mut channels = hub.channels.lock().unwrap_or_else(|e| e.into_inner());
        // Watchers are made under the same lock, and this one still counts as one receiver.
        let is_last = channels
            .get(&self.session_id)
            .is_some_and(|channel| channel.grew.receiver_count() <= 1);
        if is_last {
            channels.remove(&self.session_id);
        }
    }
}

/// Routes hints and previews to the readers of each session.
#[derive(Default)]
pub struct Live {
    channels: Mutex<HashMap<SessionId, Channel>>,
}

impl Live {
    /// Returns the hub, fed by the store's own hints for as long as it is alive.
    pub fn follow(store: &SharedStore) -> Arc<Self> {
        let live = Arc::new(Self::default());
        let weak = Arc::downgrade(&live);
        let mut hints = store.subscribe();
        let store = Arc::downgrade(store);
        tokio::spawn(async move {
            loop {
                let hint = hints.recv().await;
                let Some(live) = weak.upgrade() else { return };
                match hint {
                    Ok(grew) => live.announce(&grew),
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        let Some(store) = store.upgrade() else { return };
                        live.reread(&store).await;
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        });
        live
    }

    /// Starts to watch a session.
    pub fn watch(self: &Arc<Self>, session_id: &SessionId) -> Watcher {
        let mut channels = self.channels.lock().unwrap_or_else(|e| e.into_inner());
        let channel = channels
            .entry(session_id.clone())
            .or_insert_with(|| Channel {
                grew: watch::Sender::new(0),
                previews: broadcast::Sender::new(PREVIEWS_MAX),
            });
        Watcher {
            hub: Arc::downgrade(self),
            session_id: session_id.clone(),
            grew: channel.grew.subscribe(),
            previews: channel.previews.subscribe(),
        }
    }

    /// Returns how many sessions are watched.
    pub fn watched_count(&self) -> usize {
        let channels = self.channels.lock().unwrap_or_else(|e| e.into_inner());
        channels.len()
    }

    /// Shows a preview to the session's readers.
    pub fn preview(&self, session_id: &SessionId, preview: Preview) {
        let channels = self.channels.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(channel) = channels.get(session_id) {
            // No receiver is no error: nobody asked for previews.
            let _ = channel.previews.send(Arc::new(preview));
        }
    }

    fn announce(&self, grew: &LogGrew) {
        let channels = self.channels.lock().unwrap_or_else(|e| e.into_inner());
        let Some(channel) = channels.get(&grew.session_id) else {
            return;
        };
        channel.grew.send_if_modified(|last| {
            let is_news = *last < grew.last;
            *last = (*last).max(grew.last);
            is_news
        });
    }

    /// Hints were missed: asks the store about every session that is watched.
    async fn reread(&self, store: &SharedStore) {
        let watched: Vec<SessionId> = {
            let channels = self.channels.lock().unwrap_or_else(|e| e.into_inner());
            channels.keys().cloned().collect()
        };
        for session_id in watched {
            let last = match store.last_number(&session_id).await {
                Ok(last) => last,
                Err(StoreError::NotFound) => u64::MAX,
                Err(_) => continue,
            };
            self.announce(&LogGrew { session_id, last });
        }
    }
}
