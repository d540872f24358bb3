//! Where something stands in a makefile, and why make stops.

use std::rc::Rc;

/// A line of a makefile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Rc<str>,
    pub(crate) line: usize,
}

/// Why make stops at once.
#[derive(Debug)]
pub(crate) enum Stop {
    /// With a message and `Stop.`, with the line of the makefile if it is about one.
    Fatal(Option<Place>, String),
    /// With everything said already.
    Exit(u8),
}

impl Stop {
    pub(crate) fn at(place: Option<&Place>, message: impl Into<String>) -> Self {
        Self::Fatal(place.cloned(), message.into())
    }
}

/// A result, or the end of everything.
pub(crate) type Outcome<T> = Result<T, Stop>;

/// Returns bytes as text for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
