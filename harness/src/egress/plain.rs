//! A way out that belongs to no session: a policy, no credentials, no journal.

use async_trait::async_trait;
use sinew_runtime::{Egress, EgressBody, EgressError, EgressTimeouts};

use super::client::Client;
use super::policy::Policy;

/// Sends what a policy allows.
pub struct PlainEgress {
    client: Client,
    policy: Policy,
}

impl PlainEgress {
    /// Returns a way out for what `policy` allows.
    pub fn new(client: Client, policy: Policy) -> Self {
        Self { client, policy }
    }
}

#[async_trait]
impl Egress for PlainEgress {
    async fn send(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        self.client.send(&self.policy, request, timeouts).await
    }
}
