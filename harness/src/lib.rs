//! Sinew: sessions, brains and the hands that serve them, behind the managed-agents HTTP API.
//!
//! Modules stand in order of dependency; each uses only what stands before it.

pub mod clock;
pub mod ids;
pub mod mock_model;
pub mod model;
pub mod store;
