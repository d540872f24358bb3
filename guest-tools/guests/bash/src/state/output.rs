//! Output that builtins and messages produced and that is not written yet.
//!
//! Code that cannot wait appends here; whoever can wait writes it out. Everything is written in the order in
//! which it was produced, before anybody else may write to the same files.

/// Runs of bytes with the descriptor numbers they are for.
#[derive(Debug, Clone, Default)]
pub struct PendingOutput {
    runs: Vec<(u32, Vec<u8>)>,
}

impl PendingOutput {
    /// Appends bytes for a descriptor.
    pub fn push(&mut self, number: u32, bytes: &[u8]) {
        match self.runs.last_mut() {
            Some((last, run)) if *last == number => run.extend_from_slice(bytes),
            _ => self.runs.push((number, bytes.to_vec())),
        }
    }

    /// Returns whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns how many bytes are pending.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|(_, run)| run.len()).sum()
    }

    /// Takes everything.
    pub fn take(&mut self) -> Vec<(u32, Vec<u8>)> {
        std::mem::take(&mut self.runs)
    }
}
