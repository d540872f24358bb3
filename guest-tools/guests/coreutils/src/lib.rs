//! The core utilities.
