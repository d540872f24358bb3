//! From names to addresses that may be connected to.
//!
//! The HTTP client gets its addresses from here and from nowhere else, so a name cannot mean one address to the check
//! and another to the connection.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::policy::may_mean;

/// Addresses looked at of one name; a name has a few.
const ADDRESSES_MAX: usize = 64;

/// Lookups that are under way at a time.
static LOOKUPS: Semaphore = Semaphore::const_new(64);

/// Resolves names. Tests stand in for it where a name has to change its meaning.
#[async_trait]
pub trait Names: Send + Sync + 'static {
    /// Returns the addresses of a name.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Resolves as the system does.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // The system's resolver blocks, and goes on when nobody waits for it any more: slow names must not take every
        // thread that the daemon has for such work.
        let permit = LOOKUPS.acquire().await.map_err(io::Error::other)?;
        let name = name.to_owned();
        let found = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            (name.as_str(), 0).to_socket_addrs()
        });
        let found = found.await.map_err(io::Error::other)??;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// A name without an address.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub(super) struct NameUnknown;

/// A name that means an address which it may not.
#[derive(Debug, thiserror::Error)]
#[error("the name means {0}, which is not of the public internet")]
pub(super) struct NotAllowed(pub(super) IpAddr);

/// Gives out checked addresses alone. A name that has any other is refused as a whole: it is no mistake.
pub(super) struct CheckedNames {
    pub(super) names: Arc<dyn Names>,
    /// For hosts that the operator granted by name.
    pub(super) is_granted: bool,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, is_granted) = (Arc::clone(&self.names), self.is_granted);
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await;
            let mut found = found.map_err(|_| NameUnknown)?;
            found.truncate(ADDRESSES_MAX);
            if found.is_empty() {
                return Err(NameUnknown.into());
            }
            let refused = found
                .iter()
                .find(|address| !may_mean(**address, is_granted));
            if let Some(address) = refused {
                return Err(NotAllowed(*address).into());
            }
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            let addresses: Addrs = Box::new(addresses);
            Ok(addresses)
        })
    }
}
