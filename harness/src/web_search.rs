//! From the configuration of `web_search` to whom it asks.

use std::sync::Arc;

use url::Url;

use crate::config::{Config, Search, SearchProvider as Kind};
use crate::egress::{Client, ClientError, SearchProvider};
use crate::hands;
use crate::secrets::Secret;

/// Why searches cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// SearXNG has no address of its own.
    #[error("web.search: the provider searxng needs url, the address of an instance")]
    NoUrl,
    /// The address is none.
    #[error("web.search.url: {0:?} is no http or https URL")]
    Url(String),
    /// The variable holds nothing.
    #[error(
        "web.search: the environment variable {0} is to hold the provider's API key, and is not set"
    )]
    NoKey(String),
    /// No client can be made.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Returns whom searches ask; none if the configuration names nobody. Errors: see [`SearchError`].
pub fn provider(config: &Config) -> Result<Option<hands::Search>, SearchError> {
    let Some(search) = &config.web.search else {
        return Ok(None);
    };
    let (name, own_url, own_variable) = match search.provider {
        Kind::Brave => (
            "brave",
            Some("https://api.search.brave.com/res/v1/web/search"),
            Some("BRAVE_API_KEY"),
        ),
        Kind::Tavily => (
            "tavily",
            Some("https://api.tavily.com/search"),
            Some("TAVILY_API_KEY"),
        ),
        Kind::Searxng => ("searxng", None, None),
    };
    let text = search.url.as_deref().or(own_url);
    let text = text.ok_or(SearchError::NoUrl)?;
    let refused = || SearchError::Url(text.to_owned());
    let url = Url::parse(text).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused());
    }
    let key = key(search, own_variable)?;
    let mut options = config.egress.options();
    if search.url.is_some() {
        // Whoever names it here means it, wherever it lies.
        let host = url.host_str().ok_or_else(refused)?;
        let port = url.port_or_known_default().unwrap_or_default();
        let host = format!("{host}:{port}").parse().map_err(|_| refused())?;
        options.private_hosts.push(host);
    }
    let has_key = key.is_some();
    let way_out = SearchProvider::new(Client::new(options)?, url, key);
    Ok(Some(hands::Search {
        provider: name,
        url: text.to_owned(),
        has_key,
        way_out: Arc::new(way_out),
    }))
}

fn key(search: &Search, own_variable: Option<&str>) -> Result<Option<Secret>, SearchError> {
    let variable = search.api_key_env.as_deref().or(own_variable);
    let Some(variable) = variable else {
        return Ok(None);
    };
    let key = std::env::var(variable).unwrap_or_default();
    match key.trim() {
        "" => Err(SearchError::NoKey(variable.to_owned())),
        key => Ok(Some(Secret::from_text(key.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(yaml: &str) -> Result<Option<hands::Search>, SearchError> {
        provider(&serde_saphyr::from_str(yaml).unwrap())
    }

    #[test]
    fn who_is_asked_is_set_up_or_said_what_is_missing() {
        assert!(configured("web: {}").unwrap().is_none());
        let found = configured("web: {search: {provider: searxng, url: 'http://10.0.0.7:8888/'}}");
        let found = found.unwrap().unwrap();
        assert_eq!((found.provider, found.has_key), ("searxng", false));
        for (yaml, fragment) in [
            ("web: {search: {provider: searxng}}", "needs url"),
            (
                "web: {search: {provider: searxng, url: 'ftp://a'}}",
                "no http or https URL",
            ),
            (
                "web: {search: {provider: brave, api_key_env: SINEW_NO_SUCH_VARIABLE}}",
                "SINEW_NO_SUCH_VARIABLE",
            ),
        ] {
            let Err(error) = configured(yaml) else {
                panic!("{yaml}");
            };
            assert!(error.to_string().contains(fragment), "{error}");
        }
    }
}
