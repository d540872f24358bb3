//! Feeds a program from outside the hand.

use std::io::{ErrorKind, Read};

use crate::kernel::PipeWriter;

const CHUNK_BYTES: usize = 32 << 10;

/// Copies `source` into a pipe on a thread of its own, because reading it may block for ever; the thread ends with the
/// source, or with the first write after nobody reads.
pub(super) fn feed(mut source: Box<dyn Read + Send>, pipe: PipeWriter) {
    let copying = move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = match source.read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::warn!(%error, "standard input cannot be read");
                    return;
                }
            };
            let read = chunk.get(..count).unwrap_or_default();
            if futures::executor::block_on(pipe.write_all(read)).is_err() {
                return;
            }
        }
    };
    let started = std::thread::Builder::new()
        .name("sinew-stdin".to_owned())
        .spawn(copying);
    if let Err(error) = started {
        // The program meets the end of its input at once.
        tracing::warn!(%error, "standard input cannot be fed");
    }
}
