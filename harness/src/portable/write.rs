//! Writing a session's file.

use std::collections::{HashSet, VecDeque};
use std::io::Write;

use super::PortableError;
use super::event::canonical;
use super::format::{
    CHAIN_START, END, EVENT, EndFrame, FILES, FilesFrame, HASH_BYTES, HEAD, Head, OBJECT, link,
};
use super::frame::FrameWriter;
use crate::content::Blocking;
use crate::ids::SessionId;
use crate::store::{Files, Hash, ROWS_MAX, SharedStore, StoreError, StoredEvent};
use crate::tree::{TreeError, linked};

/// Events read at once. Few, since one may be large.
const EVENTS_AT_ONCE: usize = 16;
/// Contents read at once, each of about a megabyte at most.
const CONTENTS_AT_ONCE: usize = 16;

/// Writes a session's log up to event `last`, and its files. Blocks. What happens to the session meanwhile is not
/// in it. Errors: the session has no such event, or was deleted meanwhile; then the file has no end.
pub fn export(
    store: &SharedStore,
    reader: &Blocking,
    session_id: &SessionId,
    last: u64,
    out: impl Write,
) -> Result<(), PortableError> {
    let mut export = Export {
        store,
        reader,
        session_id,
        out: FrameWriter::begin(out)?,
        sent: HashSet::new(),
        walked: HashSet::new(),
    };
    let head = Head {
        session_id: session_id.as_str().to_owned(),
        last,
    };
    export.out.fields(HEAD, &head)?;
    let (mut chain, mut snapshots) = (CHAIN_START, 0);
    let mut due = export.files_behind(0)?;
    let mut number = 0;
    while number < last {
        let events = export.events_behind(number)?;
        if events.is_empty() {
            // Only a deletion takes events away.
            return Err(StoreError::NotFound.into());
        }
        for event in events.into_iter().take_while(|event| event.number <= last) {
            number = event.number;
            chain = export.event(event, last, chain)?;
            if let Some((_, files)) = due.pop_front_if(|(at, _)| *at == number) {
                export.files(number, &files)?;
                snapshots += 1;
            }
            if due.is_empty() && snapshots > 0 && snapshots % ROWS_MAX as u64 == 0 {
                due = export.files_behind(number)?;
            }
        }
    }
    let end = EndFrame {
        events: number,
        snapshots,
        objects: export.sent.len() as u64,
        chain: chain.to_string(),
    };
    export.out.fields(END, &end)?;
    export.out.end()
}

struct Export<'a, W> {
    store: &'a SharedStore,
    reader: &'a Blocking,
    session_id: &'a SessionId,
    out: FrameWriter<W>,
    /// Objects that are in the file.
    sent: HashSet<Hash>,
    /// Lists whose contents are, and whether they are lists of pieces: the same bytes may be a list here and the
    /// content of a file there.
    walked: HashSet<(Hash, bool)>,
}

impl<W: Write> Export<'_, W> {
    fn events_behind(&self, number: u64) -> Result<Vec<StoredEvent>, PortableError> {
        let read = self.store.read(self.session_id, number, EVENTS_AT_ONCE);
        Ok(self.reader.wait(read)?)
    }

    fn files_behind(&self, number: u64) -> Result<VecDeque<(u64, Files)>, PortableError> {
        let index = self.store.files();
        let read = index.snapshots(self.session_id, number, ROWS_MAX);
        Ok(self.reader.wait(read)?.into())
    }

    fn event(&mut self, event: StoredEvent, last: u64, chain: Hash) -> Result<Hash, PortableError> {
        let bytes = canonical(event, last).map_err(std::io::Error::other)?;
        let chain = link(chain, &bytes);
        self.out.frame(EVENT, &[&chain.0[..], &bytes].concat())?;
        Ok(chain)
    }

    fn files(&mut self, number: u64, files: &Files) -> Result<(), PortableError> {
        self.tree(files.root)?;
        if let Some(shell) = files.shell {
            self.contents(&[shell])?;
        }
        let frame = FilesFrame {
            number,
            root: files.root.to_string(),
            digest: files.digest.to_string(),
            shell: files.shell.map(|shell| shell.to_string()),
        };
        self.out.fields(FILES, &frame)
    }

    /// Writes all that a root leads to.
    fn tree(&mut self, root: Hash) -> Result<(), PortableError> {
        let mut due = vec![(root, false)];
        let mut contents = Vec::new();
        while let Some((list, is_pieces)) = due.pop() {
            if !self.walked.insert((list, is_pieces)) {
                continue;
            }
            let stored = self.reader.get(list)?;
            if self.sent.insert(list) {
                self.object(list, &stored)?;
            }
            let links = linked(&stored, is_pieces).ok_or(TreeError::Malformed {
                hash: list,
                what: "list",
            })?;
            due.extend(links.lists);
            contents.extend(links.contents);
            if contents.len() >= CONTENTS_AT_ONCE {
                self.contents(&std::mem::take(&mut contents))?;
            }
        }
        self.contents(&contents)
    }

    fn contents(&mut self, hashes: &[Hash]) -> Result<(), PortableError> {
        let new = hashes.iter().filter(|hash| self.sent.insert(**hash));
        let new: Vec<Hash> = new.copied().collect();
        for some in new.chunks(CONTENTS_AT_ONCE) {
            for (hash, content) in some.iter().zip(self.reader.get_all_once(some)?) {
                self.object(*hash, &content)?;
            }
        }
        Ok(())
    }

    fn object(&mut self, hash: Hash, content: &[u8]) -> Result<(), PortableError> {
        let mut payload = Vec::with_capacity(HASH_BYTES + content.len());
        payload.extend_from_slice(&hash.0);
        payload.extend_from_slice(content);
        self.out.frame(OBJECT, &payload)
    }
}
