//! Everything a driver needs, shared by all drivers of a daemon.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::component_tools;
use super::live::Live;
use super::toolset::Known;
use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::content::Content;
use crate::hands::Hands;
use crate::mcp::Connector;
use crate::model::{Catalog, Cost, Model, TokenUsage};
use crate::session::{Limits, State};
use crate::store::SharedStore;

/// Facts about models that drivers need.
pub trait ModelFacts: Send + Sync + 'static {
    /// Returns the list price of `usage` at a speed in nano-cents, or `None` for a model without a list
    /// price.
    fn price_nanocents(&self, model: &str, speed: Option<&str>, usage: &TokenUsage)
    -> Option<u128>;

    /// Returns how many input tokens the model takes.
    fn input_tokens_max(&self, model: &str) -> u64;

    /// Tells whether the model takes turns of the role `system` within a conversation.
    fn takes_system_turns(&self, model: &str) -> bool;
}

/// Input tokens of a model that nobody described.
const INPUT_TOKENS_DEFAULT: u64 = 200_000;

impl ModelFacts for Catalog {
    fn price_nanocents(
        &self,
        model: &str,
        speed: Option<&str>,
        usage: &TokenUsage,
    ) -> Option<u128> {
        self.price_cents(model, speed, usage).map(Cost::nano_cents)
    }

    fn input_tokens_max(&self, model: &str) -> u64 {
        self.find(model)
            .and_then(|model| model.input_tokens_max)
            .unwrap_or(INPUT_TOKENS_DEFAULT)
    }

    fn takes_system_turns(&self, model: &str) -> bool {
        Catalog::takes_system_turns(self, model)
    }
}

/// How drivers hold their leases.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// Names this daemon; the same name after a restart takes its own leases over at once.
    pub holder: String,
    /// How long a lease lasts without renewal.
    pub ttl: Duration,
}

/// The shared parts of all drivers.
pub struct Brain {
    /// The log.
    pub store: SharedStore,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The model.
    pub model: Arc<dyn Model>,
    /// Facts about models.
    pub facts: Arc<dyn ModelFacts>,
    /// The contents of files.
    pub blobs: Blobs,
    /// What the sessions' files are kept as.
    pub content: Content,
    /// Makes hands.
    pub hands: Arc<dyn Hands>,
    /// Connects to MCP servers.
    pub mcp: Arc<Connector>,
    /// Shows what happens to whoever watches.
    pub live: Arc<Live>,
    /// Bounds of one turn.
    pub limits: Limits,
    /// Waits between attempts.
    pub backoff: Backoff,
    /// Lease settings.
    pub lease: LeaseOptions,
}

impl Brain {
    /// Returns the tools that there are for a session in this state, beside its agent's custom ones.
    pub(super) fn known<'a>(&'a self, state: &'a State) -> Known<'a> {
        Known {
            built_in: self.hands.definitions(),
            mcp_lists: &state.mcp_lists,
            components: component_tools::kept(state),
        }
    }
}
