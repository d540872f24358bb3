//! Webhooks: telling other servers what happened, without ever making what happens wait for them.
//!
//! [`Outbox`] stands between everything and the store: whatever changes a resource or a log goes through it,
//! and what endpoints want to hear of is queued in the same commit, so a crash loses nothing. [`Courier`] sends
//! what is queued, each endpoint apart from the others. Payloads are thin: they name what changed, and the
//! receiver asks for it.
//!
//! Deliberately absent: order between two events, and events from before an endpoint was made. An endpoint's
//! signing secret is stored as it is, because every delivery needs it; it is never shown again.

mod address;
mod announce;
mod courier;
mod delivery;
mod endpoint;
mod outbox;
mod sender;
mod sign;
#[cfg(test)]
mod tests;

pub use address::{UrlRefused, UrlRules};
pub use announce::EVENT_TYPES;
pub use courier::Courier;
pub use delivery::delivery_wire;
pub use endpoint::Endpoint;
pub use outbox::{Outbox, Queue};
pub use sender::Sender;
pub use sign::Secret;
