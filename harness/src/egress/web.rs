//! The ways out of the web tools: pages, within the domains that the agent's toolset names, and one search provider.
//!
//! What an environment allows its hands does not count here: the tools run on the server's side, and give a hand
//! nothing but text. Addresses are checked all the same, and so are the rules of the session and its agent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode};
use serde_json::Value;
use sinew_runtime::{Egress, EgressBody, EgressError, EgressTimeouts};
use tokio::time::Instant;
use url::Url;

use super::body::counted;
use super::client::{Client, Failure, collect, whole};
use super::hosts::normal;
use super::inject::{Injection, Syntax, headers, mask_headers, masks, table};
use super::outgoing::{ask_rules, facts_of, is_encoded};
use super::policy::{Denial, Policy};
use super::rewrite::{self, Table};
use super::session::{Ended, Noted, SessionEgress};
use crate::ids::WorkspaceId;
use crate::json::Fields as _;
use crate::secrets::Secret;

/// The word that the wire has for a page that the agent may not fetch.
const NOT_ALLOWED: &str = "url_not_allowed";
/// What stands for the provider's key in a search.
pub const SEARCH_KEY_PLACEHOLDER: &str = "sinew_search_key_placeholder";
/// Largest page that is read, in bytes.
const PAGE_BYTES_MAX: usize = 16 << 20;
/// Largest page that is kept, all pages that are, and how long.
const KEPT_PAGE_BYTES_MAX: usize = 2 << 20;
const KEPT_BYTES_MAX: usize = 64 << 20;
const KEPT_PAGES_MAX: usize = 4_096;
const KEPT_FOR: Duration = Duration::from_secs(15 * 60);

/// The domains of a web tool: some, all but some, or all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Domains {
    allowed: Option<Vec<String>>,
    blocked: Vec<String>,
}

impl Domains {
    /// Reads a tool's configuration as the agent's toolset has it.
    pub fn of_config(config: &Value) -> Self {
        let list = |name: &str| {
            let domains = config.at(name).as_array()?.iter();
            Some(domains.filter_map(Value::as_str).map(normal).collect())
        };
        Self {
            allowed: list("allowed_domains"),
            blocked: list("blocked_domains").unwrap_or_default(),
        }
    }

    /// Tells whether a host is one of these domains or below one.
    pub fn allow(&self, host: &str) -> bool {
        let host = normal(host);
        let is_in = |domain: &String| {
            let above = host.strip_suffix(domain.as_str());
            above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        };
        let is_allowed = self
            .allowed
            .as_ref()
            .is_none_or(|allowed| allowed.iter().any(is_in));
        is_allowed && !self.blocked.iter().any(is_in)
    }
}

/// Pages that were read a short while ago, for all sessions of the daemon. Clones share them.
#[derive(Clone, Default)]
pub struct PageCache(Arc<Mutex<VecDeque<Kept>>>);

struct Kept {
    workspace: WorkspaceId,
    url: String,
    head: HeaderMap,
    body: Bytes,
    until: Instant,
}

impl Kept {
    fn bytes(&self) -> usize {
        let head = self.head.iter();
        let head = head.map(|(name, value)| name.as_str().len() + value.len());
        self.url.len() + head.sum::<usize>() + self.body.len()
    }
}

impl PageCache {
    fn get(&self, workspace: &WorkspaceId, url: &str) -> Option<(HeaderMap, Bytes)> {
        let now = Instant::now();
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|page| page.until > now);
        let page = pages
            .iter()
            .find(|page| page.workspace == *workspace && page.url == url)?;
        Some((page.head.clone(), page.body.clone()))
    }

    /// Keeps a page, and lets the oldest go that have no room any more.
    fn put(&self, workspace: &WorkspaceId, url: &str, head: &HeaderMap, body: &Bytes) {
        let is_private = head.get_all(CACHE_CONTROL).iter().any(|value| {
            let control = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            let mut words = ["no-store", "private", "no-cache"].iter();
            words.any(|word| control.contains(word))
        });
        if body.len() > KEPT_PAGE_BYTES_MAX || is_private || head.contains_key(SET_COOKIE) {
            return;
        }
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|page| page.workspace != *workspace || page.url != url);
        pages.push_back(Kept {
            workspace: workspace.clone(),
            url: url.to_owned(),
            head: head.clone(),
            body: body.clone(),
            until: Instant::now() + KEPT_FOR,
        });
        let mut bytes: usize = pages.iter().map(Kept::bytes).sum();
        while bytes > KEPT_BYTES_MAX || pages.len() > KEPT_PAGES_MAX {
            let Some(oldest) = pages.pop_front() else {
                break;
            };
            bytes -= oldest.bytes();
        }
    }
}

/// The way out of `web_fetch` for one call.
pub struct WebEgress {
    session: SessionEgress,
    domains: Domains,
    cache: PageCache,
}

impl SessionEgress {
    /// Returns the way out of `web_fetch`.
    pub fn web(&self, domains: Domains, cache: PageCache) -> WebEgress {
        WebEgress {
            session: self.clone(),
            domains,
            cache,
        }
    }

    /// Returns the way out of `web_search`.
    pub fn search(&self, provider: Arc<SearchProvider>) -> SearchEgress {
        SearchEgress {
            session: self.clone(),
            provider,
        }
    }
}

#[async_trait]
impl Egress for WebEgress {
    async fn send(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        let place = self.session.place(&timeouts).await?;
        let noted = self.session.begin(&request, place);
        let done = self.exchange(request, timeouts, noted).await;
        in_words(self.session.finish(done))
    }
}

impl WebEgress {
    async fn exchange(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
        mut noted: Noted,
    ) -> Result<http::Response<EgressBody>, Ended> {
        let client = self.session.client();
        let target = match client.check(&Policy::unrestricted(), &request) {
            Ok(target) => target,
            Err(denial) => return Err(noted.ended(denial)),
        };
        if !self.domains.allow(&target.host) {
            return Err(noted.ended(Denial::new(
                format!(
                    "{NOT_ALLOWED}: the agent may not fetch from {}",
                    target.host
                ),
                "allowed_domains and blocked_domains of web_fetch in the agent's toolset",
            )));
        }
        // What the operator granted to hands of some environments is not every session's.
        if target.is_granted && !self.session.allows_hand(&target.host).await {
            return Err(noted.ended(Denial::new(
                format!(
                    "{NOT_ALLOWED}: the session's environment does not allow {}",
                    target.host
                ),
                "networking.allowed_hosts of the session's environment",
            )));
        }
        let facts = facts_of(&target, request.method());
        if let Err(failure) = ask_rules(self.session.rules(), facts).await {
            return Err(noted.ended(failure));
        }
        let (workspace, url) = (self.session.workspace(), target.url.to_string());
        let is_get = request.method() == Method::GET;
        if is_get && let Some((head, body)) = self.cache.get(workspace, &url) {
            noted.answered(StatusCode::OK);
            let mut response = http::Response::new(whole(body));
            *response.headers_mut() = head;
            return Ok(response);
        }
        let response = match client.exchange(&target, request, timeouts).await {
            Ok(response) => response,
            Err(failure) => return Err(noted.ended(failure)),
        };
        let (head, body) = response.into_parts();
        noted.answered(head.status);
        let body = counted(body, noted.down(), (), |(), _| {});
        let body = match collect(body, PAGE_BYTES_MAX).await {
            Ok(body) => Bytes::from(body),
            Err(error) => return Err(noted.ended(Failure::Failed(error))),
        };
        if is_get && head.status == StatusCode::OK {
            self.cache.put(workspace, &url, &head.headers, &body);
        }
        Ok(http::Response::from_parts(head, whole(body)))
    }
}

/// A denial has no words of its own on its way to the guest, which has nobody but the model to tell it to.
fn in_words(
    done: Result<http::Response<EgressBody>, EgressError>,
) -> Result<http::Response<EgressBody>, EgressError> {
    done.map_err(|error| match error {
        EgressError::Denied { reason } => EgressError::Failed(reason),
        other => other,
    })
}

/// Whom `web_search` asks, and the key that it does so with.
pub struct SearchProvider {
    client: Client,
    url: Url,
    key: Option<Secret>,
    masks: Arc<Table>,
}

impl SearchProvider {
    /// Returns a provider whose API is at `url`. `client` must be one that reaches it.
    pub fn new(client: Client, url: Url, key: Option<Secret>) -> Self {
        Self {
            masks: Arc::new(masks(key.iter().map(Secret::expose))),
            client,
            url,
            key,
        }
    }
}

/// The way out of `web_search` for one call.
pub struct SearchEgress {
    session: SessionEgress,
    provider: Arc<SearchProvider>,
}

#[async_trait]
impl Egress for SearchEgress {
    async fn send(
        &self,
        request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
    ) -> Result<http::Response<EgressBody>, EgressError> {
        let place = self.session.place(&timeouts).await?;
        let noted = self.session.begin(&request, place);
        let done = self.exchange(request, timeouts, noted).await;
        in_words(self.session.finish(done))
    }
}

impl SearchEgress {
    async fn exchange(
        &self,
        mut request: http::Request<EgressBody>,
        timeouts: EgressTimeouts,
        mut noted: Noted,
    ) -> Result<http::Response<EgressBody>, Ended> {
        let provider = &*self.provider;
        let target = match provider.client.check(&Policy::unrestricted(), &request) {
            Ok(target) => target,
            Err(denial) => return Err(noted.ended(denial)),
        };
        // A redirect would take the key elsewhere.
        if target.url.origin() != provider.url.origin() {
            return Err(noted.ended(Denial::new("web_search asks its provider alone", "")));
        }
        let facts = facts_of(&target, request.method());
        if let Err(failure) = ask_rules(self.session.rules(), facts).await {
            return Err(noted.ended(failure));
        }
        if let Some(secret) = &provider.key {
            let injection = Injection {
                placeholder: SEARCH_KEY_PLACEHOLDER,
                secret,
                tag: 0,
            };
            let table = table(&[injection], Syntax::Plain);
            if let Err(denial) = headers(request.headers_mut(), &table) {
                return Err(noted.ended(denial));
            }
        }
        let identity = HeaderValue::from_static("identity");
        request.headers_mut().insert(ACCEPT_ENCODING, identity);
        let response = match provider.client.exchange(&target, request, timeouts).await {
            Ok(response) => response,
            Err(failure) => return Err(noted.ended(failure)),
        };
        let (mut head, body) = response.into_parts();
        noted.answered(head.status);
        if !provider.masks.is_empty() && is_encoded(&head.headers) {
            let reason = "the provider's answer came compressed although it must not";
            return Err(noted.ended(Denial::new(reason, "")));
        }
        let mut body = body;
        if !provider.masks.is_empty() {
            mask_headers(&mut head.headers, &provider.masks);
            body = rewrite::body(body, Arc::clone(&provider.masks), |_| Ok(()));
        }
        let down = noted.down();
        let body = counted(body, down, noted, Noted::fail);
        Ok(http::Response::from_parts(head, body))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn domains_cover_what_is_below_them() {
        let only = Domains::of_config(&json!({"allowed_domains": ["Docs.example.com", "b.org"]}));
        let not = Domains::of_config(&json!({"blocked_domains": ["example.com"]}));
        for (host, in_only, in_not) in [
            ("docs.example.com", true, false),
            ("a.docs.EXAMPLE.com.", true, false),
            ("xdocs.example.com", false, false),
            ("example.com", false, false),
            ("b.org", true, true),
            ("b.org.evil.net", false, true),
            ("127.0.0.1", false, true),
        ] {
            assert_eq!(only.allow(host), in_only, "{host}");
            assert_eq!(not.allow(host), in_not, "{host}");
        }
        assert!(Domains::of_config(&Value::Null).allow("x"));
    }

    #[tokio::test]
    async fn pages_are_kept_within_bounds_and_not_against_their_will() {
        let cache = PageCache::default();
        let (one, two) = (WorkspaceId::from_text("1"), WorkspaceId::from_text("2"));
        let plain = HeaderMap::new();
        let page = Bytes::from(vec![b'x'; KEPT_PAGE_BYTES_MAX]);
        cache.put(&one, "a", &plain, &page);
        assert_eq!(cache.get(&one, "a").unwrap().1, page);
        assert!(cache.get(&two, "a").is_none(), "another tenant's");
        let mut private = HeaderMap::new();
        private.insert(CACHE_CONTROL, HeaderValue::from_static("No-Store"));
        cache.put(&one, "b", &private, &page);
        assert!(cache.get(&one, "b").is_none());
        let larger = Bytes::from(vec![b'x'; KEPT_PAGE_BYTES_MAX + 1]);
        cache.put(&one, "c", &plain, &larger);
        assert!(cache.get(&one, "c").is_none());
        for number in 0..KEPT_BYTES_MAX / KEPT_PAGE_BYTES_MAX {
            cache.put(&one, &number.to_string(), &plain, &page);
        }
        assert!(cache.get(&one, "a").is_none(), "the oldest goes first");
        assert!(cache.get(&one, "9").is_some());
    }
}
