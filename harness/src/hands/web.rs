//! The web tools: a component without files, whose requests take a way of their own out of the session.

use std::sync::Arc;

use serde_json::Value;
use sinew_runtime::{
    CallOptions, Execution, Limits, LoadedComponent, ProvisionError, Resources, Runtime,
};

use super::ToolCall;
use crate::egress::{Domains, PageCache, SEARCH_KEY_PLACEHOLDER, SearchProvider, SessionEgress};
use crate::json::Fields as _;
use crate::session::WEB_SEARCH as SEARCH;

/// The tool that reads a page.
pub const FETCH: &str = "web_fetch";
/// Tokens of a page, unless the agent's toolset says otherwise: as much text as a model sees of any tool at once.
const TOKENS_MAX: u64 = 25_000;

/// Whom `web_search` asks.
#[derive(Clone)]
pub struct Search {
    /// `brave`, `tavily` or `searxng`.
    pub provider: &'static str,
    /// The API's address.
    pub url: String,
    /// It needs a key, which the way out puts in.
    pub has_key: bool,
    /// The way out.
    pub way_out: Arc<SearchProvider>,
}

/// The web tools of a daemon.
pub struct WebTools {
    runtime: Runtime,
    component: Arc<LoadedComponent>,
    limits: Limits,
    search: Option<Search>,
    pages: PageCache,
}

/// Tells whether a tool is one of the web: its result follows from what others serve at that time.
pub fn is_of_web(tool: &str) -> bool {
    matches!(tool, FETCH | SEARCH)
}

impl WebTools {
    /// Returns the tools in `component`; without `search` there is none that searches.
    pub fn new(
        runtime: Runtime,
        component: Arc<LoadedComponent>,
        limits: Limits,
        search: Option<Search>,
    ) -> Self {
        Self {
            runtime,
            component,
            limits,
            search,
            pages: PageCache::default(),
        }
    }

    /// Returns the component.
    pub(super) fn component(&self) -> &Arc<LoadedComponent> {
        &self.component
    }

    /// Tells whether a tool of the component is offered.
    pub(super) fn offers(&self, tool: &str) -> bool {
        tool != SEARCH || self.search.is_some()
    }

    /// Runs a call. Errors: no sandbox can be made.
    pub(super) async fn execute(
        &self,
        call: &ToolCall,
        egress: &SessionEgress,
        options: CallOptions,
    ) -> Result<Execution, ProvisionError> {
        let resources = Resources::default()
            .component(Arc::clone(&self.component))
            .limits(self.limits.clone());
        let resources = match (&self.search, call.name.as_str()) {
            (Some(search), SEARCH) => self.searching(resources, search, &call.settings, egress),
            _ => {
                let tokens = call.settings.at("max_content_tokens").as_u64();
                let tokens = tokens.unwrap_or(TOKENS_MAX);
                let domains = Domains::of_config(&call.settings);
                resources
                    .env("SINEW_WEB_MAX_TOKENS", tokens.to_string())
                    .egress(Arc::new(egress.web(domains, self.pages.clone())))
            }
        };
        let hand = self.runtime.provision(resources)?;
        Ok(hand.execute(&call.name, &call.input, options).await)
    }

    fn searching(
        &self,
        resources: Resources,
        search: &Search,
        settings: &Value,
        egress: &SessionEgress,
    ) -> Resources {
        let list = |name: &str| {
            let domains = settings.at(name).as_array().into_iter().flatten();
            let domains: Vec<&str> = domains.filter_map(Value::as_str).collect();
            domains.join(",")
        };
        let location = settings.at("user_location");
        let mut variables = vec![
            ("SINEW_SEARCH_PROVIDER", search.provider.to_owned()),
            ("SINEW_SEARCH_URL", search.url.clone()),
            ("SINEW_SEARCH_ALLOWED", list("allowed_domains")),
            ("SINEW_SEARCH_BLOCKED", list("blocked_domains")),
        ];
        if search.has_key {
            variables.push(("SINEW_SEARCH_KEY", SEARCH_KEY_PLACEHOLDER.to_owned()));
        }
        if location.is_object() {
            variables.push(("SINEW_SEARCH_LOCATION", location.to_string()));
        }
        variables
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .fold(resources, |resources, (name, value)| {
                resources.env(name, value)
            })
            .egress(Arc::new(egress.search(Arc::clone(&search.way_out))))
    }
}
