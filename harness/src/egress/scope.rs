//! The part of a session's way out that one tool of an agent gets: some hosts, some connections, some credentials.
//!
//! It only takes away: what leaves is held to the session's environment, rules and bounds as well, stands in the same
//! journal, and what comes back is masked all the same.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use sinew_runtime::{Egress, EgressBody, EgressError, EgressTimeouts};

use super::credentials::Usable;
use super::hosts::HostPattern;
use super::policy::Denial;
use super::session::SessionEgress;
use crate::vault::VaultError;

/// What a tool may reach. The default is nothing.
#[derive(Clone, Default, Debug)]
pub struct Scope {
    /// Hosts that it may ask.
    pub hosts: Vec<HostPattern>,
    /// Addresses that it may connect to.
    pub sockets: BTreeSet<SocketAddr>,
    /// The names of the variables of the credentials that it may use.
    pub secrets: BTreeSet<String>,
}

impl Scope {
    pub(super) fn check(&self, host: &str) -> Result<(), Denial> {
        match self.hosts.iter().any(|pattern| pattern.fits(host)) {
            true => Ok(()),
            false => Err(Denial::new(
                "the agent does not grant this host to the tool",
                "grants.hosts of the tool in the agent's sinew.tools",
            )),
        }
    }

    pub(super) fn has(&self, credential: &Usable) -> bool {
        self.secrets.contains(&credential.name)
    }
}

/// A session's way out as far as one tool may use it.
pub struct ScopedEgress {
    session: SessionEgress,
    scope: Arc<Scope>,
}

impl SessionEgress {
    /// Returns the part of this way out that `scope` leaves.
    pub fn scoped(&self, scope: Scope) -> ScopedEgress {
        ScopedEgress {
            session: self.clone(),
            scope: Arc::new(scope),
        }
    }
}

impl ScopedEgress {
    /// Returns the variables that stand for the credentials that may be used: names and placeholders.
    pub async fn variables(&self) -> Result<Vec<(String, String)>, VaultError> {
        let mut variables = self.session.variables().await?;
        variables.retain(|(name, _)| self.scope.secrets.contains(name));
        Ok(variables)
    }
}

#[async_trait]
impl Egress for ScopedEgress {
    async fn send(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        self.session
            .send_within(request, timeouts, Some(&self.scope))
            .await
    }

    fn has_sockets(&self) -> bool {
        !self.scope.sockets.is_empty() && self.session.has_sockets()
    }

    async fn may_connect(&self, address: SocketAddr) -> bool {
        self.scope.sockets.contains(&address) && self.session.may_connect(address).await
    }
}
