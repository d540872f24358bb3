//! What a hand says, without the secrets that its session has.
//!
//! A secret comes to a hand only where a peer sends it back in a way that the egress does not see through, such as a
//! compressed file. Nothing that says it is kept or shown.

use std::sync::{Arc, Mutex, PoisonError};

use super::OutputSink;
use crate::egress::{Masker, SessionEgress};

/// Returns a text with its secrets masked.
pub(super) fn masked(egress: Option<&SessionEgress>, text: String) -> String {
    match egress {
        Some(egress) => egress.masker().text(text),
        None => text,
    }
}

/// The output of one call as it comes, masked.
pub(super) struct Masked {
    sink: OutputSink,
    masker: Option<Arc<Mutex<Masker>>>,
}

impl Masked {
    /// Returns the output of a call that begins now.
    pub(super) fn new(egress: Option<&SessionEgress>, sink: &OutputSink) -> Self {
        let masker = egress.map(SessionEgress::masker);
        let masker = masker.filter(|masker| !masker.is_idle());
        Self {
            sink: sink.clone(),
            masker: masker.map(|masker| Arc::new(Mutex::new(masker))),
        }
    }

    /// Returns where the call writes to.
    pub(super) fn sink(&self) -> OutputSink {
        let Some(masker) = &self.masker else {
            return self.sink.clone();
        };
        let (masker, sink) = (Arc::clone(masker), self.sink.clone());
        Arc::new(move |bytes: &[u8]| {
            let mut masker = masker.lock().unwrap_or_else(PoisonError::into_inner);
            let passing = masker.push(bytes);
            if !passing.is_empty() {
                sink(&passing);
            }
        })
    }

    /// Lets through what was held back, at the call's end.
    pub(super) fn finish(&self) {
        if let Some(masker) = &self.masker {
            let mut masker = masker.lock().unwrap_or_else(PoisonError::into_inner);
            let rest = masker.finish();
            if !rest.is_empty() {
                (self.sink)(&rest);
            }
        }
    }
}
