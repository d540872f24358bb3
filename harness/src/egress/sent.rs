//! The note that a call sent what cannot be taken back, for whoever would make the call again after a crash.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ids::{EventId, ID_BYTES_MAX};

/// The note's name, beside the folders that guests see.
const NAME: &str = "sent";

/// The note of one session: the newest call that sent something.
#[derive(Clone)]
pub(super) struct Sent {
    path: PathBuf,
    noted: Arc<Mutex<Option<EventId>>>,
}

impl Sent {
    /// Reads the note in a session's folder.
    pub(super) fn in_folder(folder: &Path) -> Self {
        let path = folder.join(NAME);
        let text = std::fs::read_to_string(&path).ok();
        let noted = text.filter(|text| text.len() <= ID_BYTES_MAX);
        Self {
            path,
            noted: Arc::new(Mutex::new(noted.map(EventId::from_text))),
        }
    }

    /// Tells whether a call sent something.
    pub(super) fn is_noted(&self, call: &EventId) -> bool {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.as_ref() == Some(call)
    }

    /// Notes that a call sends something, and returns once that outlives a crash.
    pub(super) async fn note(&self, call: &EventId) -> std::io::Result<()> {
        if self.is_noted(call) {
            return Ok(());
        }
        let (path, text) = (self.path.clone(), call.as_str().to_owned());
        let written = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::File::create(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.await.map_err(std::io::Error::other)??;
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        *noted = Some(call.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_note_outlives_its_writer() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (EventId::from_text("sevt_1"), EventId::from_text("sevt_2"));
        let sent = Sent::in_folder(folder.path());
        assert!(!sent.is_noted(&one));
        sent.note(&one).await.unwrap();
        let again = Sent::in_folder(folder.path());
        assert!(again.is_noted(&one) && !again.is_noted(&two));
    }
}
