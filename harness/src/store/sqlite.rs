//! SQLite.

/// Options.
pub struct SqliteOptions;
/// The store.
pub struct SqliteStore;
