//! Where webhooks may go: public addresses only, so that nobody makes the daemon call into its own network.
//!
//! Names are checked when an endpoint is saved, addresses when a connection is made: the resolver gives the
//! client nothing but checked addresses, so a name cannot mean one thing to the check and another to the
//! connection.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::egress::is_public;

/// Longest URL in bytes.
const URL_BYTES_MAX: usize = 2_048;
/// The only port of a public endpoint.
const PORT: u16 = 443;

/// Why a URL cannot be an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// It is no absolute URL, or too long.
    #[error("expected an absolute URL of at most {URL_BYTES_MAX} bytes")]
    Malformed,
    /// It is not HTTPS on port 443, or names a user.
    #[error("expected https on port 443, without user name or fragment")]
    NotPlain,
    /// Its host is no public one.
    #[error("the host is not public")]
    NotPublic,
}

/// Which endpoints an operator allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct UrlRules {
    /// Also plain HTTP, other ports, and addresses that are not public. Default false.
    pub allow_private: bool,
}

impl UrlRules {
    /// Reads an endpoint's URL. A name may still resolve to an address that is refused later.
    pub fn check(self, text: &str) -> Result<Url, UrlRefused> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlRefused::Malformed);
        }
        let url = Url::parse(text).map_err(|_| UrlRefused::Malformed)?;
        let host = url.host().ok_or(UrlRefused::Malformed)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.fragment().is_some() || !matches!(url.scheme(), "http" | "https") {
            return Err(UrlRefused::NotPlain);
        }
        if self.allow_private {
            return Ok(url);
        }
        if url.scheme() != "https" || url.port_or_known_default() != Some(PORT) {
            return Err(UrlRefused::NotPlain);
        }
        let is_public = match host {
            Host::Ipv4(address) => is_public(IpAddr::V4(address)),
            Host::Ipv6(address) => is_public(IpAddr::V6(address)),
            Host::Domain(name) => is_public_name(name),
        };
        if is_public {
            Ok(url)
        } else {
            Err(UrlRefused::NotPublic)
        }
    }
}

/// Names that mean this machine or this network whatever a resolver says.
fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_local = |end: &str| name == end || name.ends_with(&format!(".{end}"));
    name.contains('.') && !["localhost", "local", "internal"].into_iter().any(is_local)
}

/// A name resolved to an address that webhooks may not go to.
#[derive(Debug, thiserror::Error)]
#[error("{0} resolves to an address that is not public")]
pub(super) struct NotPublic(String);

/// Resolves as the system does, and refuses a name if any of its addresses is not allowed.
pub(super) struct CheckedResolver {
    pub(super) rules: UrlRules,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.rules;
        Box::pin(async move {
            let name = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            let is_allowed = |address: &SocketAddr| rules.allow_private || is_public(address.ip());
            if !found.iter().all(is_allowed) {
                return Err(NotPublic(name.to_owned()).into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        use UrlRefused::{Malformed, NotPlain, NotPublic};
        let strict = UrlRules::default();
        let loose = UrlRules {
            allow_private: true,
        };
        for (text, refused, refused_loosely) in [
            ("https://example.com/hook?a=1", None, None),
            ("https://example.com:443/", None, None),
            ("https://1.1.1.1/", None, None),
            ("http://example.com/", Some(NotPlain), None),
            ("https://example.com:8443/", Some(NotPlain), None),
            ("https://127.0.0.1/", Some(NotPublic), None),
            // Other spellings of 127.0.0.1.
            ("https://2130706433/", Some(NotPublic), None),
            ("https://0x7f.1/", Some(NotPublic), None),
            ("https://[::1]/", Some(NotPublic), None),
            ("https://[::ffff:10.0.0.1]/", Some(NotPublic), None),
            ("https://localhost/", Some(NotPublic), None),
            ("https://a.localhost./", Some(NotPublic), None),
            ("https://metadata.google.internal/", Some(NotPublic), None),
            ("https://intranet/", Some(NotPublic), None),
            ("https://u:p@example.com/", Some(NotPlain), Some(NotPlain)),
            ("https://example.com/#a", Some(NotPlain), Some(NotPlain)),
            ("ftp://example.com/", Some(NotPlain), Some(NotPlain)),
            ("example.com", Some(Malformed), Some(Malformed)),
            ("", Some(Malformed), Some(Malformed)),
        ] {
            assert_eq!(strict.check(text).err(), refused, "{text}");
            assert_eq!(loose.check(text).err(), refused_loosely, "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_inwards_is_refused() {
        let resolve = |allow_private| {
            let resolver = CheckedResolver {
                rules: UrlRules { allow_private },
            };
            resolver.resolve("localhost".parse().unwrap())
        };
        let refused = resolve(false).await.err().unwrap();
        assert!(refused.downcast_ref::<NotPublic>().is_some());
        assert!(resolve(true).await.is_ok());
    }
}
