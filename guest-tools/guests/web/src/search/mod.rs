//! `web_search`: what a search provider finds, as a numbered list.
//!
//! Each provider has a module that makes its request and reads its answer. Which results may be shown is decided here,
//! whatever the provider was asked to leave out.

mod brave;
pub mod domains;
mod searxng;
mod tavily;

use http_client::address::{Address, encoded};
use http_client::message::{Headers, Transport, reason};
use serde_json::Value;

use crate::charset;
use crate::client;
use crate::content::Content;
use crate::cut::cut;
use crate::error::Error;
use crate::html;
use crate::settings::{Provider, SEARCH_URL, Settings};
use domains::Rule;

/// Results shown.
const RESULTS_MAX: usize = 10;
/// The longest query, in characters: what the providers take.
const QUERY_CHARACTERS_MAX: usize = 400;
/// Characters shown of a title, and of the words of a page.
const TITLE_CHARACTERS_MAX: usize = 200;
const SNIPPET_CHARACTERS_MAX: usize = 1_000;
const DATE_CHARACTERS_MAX: usize = 40;
/// Characters shown of what a provider says beside an error status.
const ERROR_CHARACTERS_MAX: usize = 500;
/// Domains that are named in a query; providers understand no long ones.
const SITES_MAX: usize = 5;
/// Who asks.
const USER_AGENT: &str = concat!("sinew/", env!("CARGO_PKG_VERSION"), " (agent web_search)");

const TOOL: &str = "web_search";

/// What a provider is asked.
struct Ask {
    method: &'static str,
    address: Address,
    headers: Headers,
    body: Option<Vec<u8>>,
}

/// A result as a provider has it, with its markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hit {
    title: String,
    url: String,
    date: String,
    snippet: String,
}

/// Searches for `query` and returns the results.
pub fn search(
    transport: &mut dyn Transport,
    settings: &Settings,
    query: &str,
) -> Result<Content, Error> {
    let provider = settings.provider.ok_or(Error::NoProvider)?;
    let query = query.trim();
    if query.is_empty() {
        return Err(Error::Empty {
            tool: TOOL,
            argument: "query",
        });
    }
    if query.chars().nth(QUERY_CHARACTERS_MAX).is_some() {
        return Err(Error::TooLong {
            tool: TOOL,
            argument: "query",
            limit: QUERY_CHARACTERS_MAX,
        });
    }
    let fault = |why: String| Error::Provider {
        provider: provider.name(),
        why,
    };
    let ask = match provider {
        Provider::Brave => brave::ask(settings, query),
        Provider::Tavily => tavily::ask(settings, query),
        Provider::Searxng => searxng::ask(settings, query),
    }?;
    let answer = client::ask(
        transport,
        ask.method,
        &ask.address,
        &ask.headers,
        ask.body.as_deref(),
    )
    .map_err(|error| fault(error.reason()))?;
    let text = charset::decoded(&answer.body, answer.charset.as_deref(), false);
    if answer.status != 200 {
        let said = match answer.media_type.as_str() {
            "text/html" => html::plain(&text),
            _ => text.trim().to_owned(),
        };
        let status = format!("status {} {}", answer.status, reason(answer.status));
        let status = status.trim_end();
        return Err(fault(match said.as_str() {
            "" => status.to_owned(),
            _ => format!("{status}: {}", cut(said, ERROR_CHARACTERS_MAX)),
        }));
    }
    let value: Value =
        serde_json::from_str(&text).map_err(|_| fault("its answer is no JSON".to_owned()))?;
    let hits = match provider {
        Provider::Brave => brave::hits(&value),
        Provider::Tavily => tavily::hits(&value),
        Provider::Searxng => searxng::hits(&value),
    };
    let hits = hits.ok_or_else(|| fault("its answer has no list of results".to_owned()))?;
    Ok(Content::Text(cut(
        list(settings, hits),
        settings.characters_max,
    )))
}

/// Returns the results that may be shown as a list.
fn list(settings: &Settings, hits: Vec<Hit>) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut text = String::new();
    for hit in hits {
        if shown.len() >= RESULTS_MAX {
            break;
        }
        let Ok(address) = Address::parse(&hit.url) else {
            continue;
        };
        let is_allowed = (settings.allowed.as_ref())
            .is_none_or(|rules| rules.iter().any(|rule| rule.covers(&address)));
        let is_blocked = settings.blocked.iter().any(|rule| rule.covers(&address));
        if !is_allowed || is_blocked || !hit.url.contains("://") || shown.contains(&hit.url) {
            continue;
        }
        let title = shortened(&html::plain(&hit.title), TITLE_CHARACTERS_MAX);
        let title = match title.as_str() {
            "" => hit.url.as_str(),
            title => title,
        };
        text.push_str(&format!("{}. [{title}]({})", shown.len() + 1, hit.url));
        let date = shortened(&html::plain(&hit.date), DATE_CHARACTERS_MAX);
        if !date.is_empty() {
            text.push_str(&format!(" ({date})"));
        }
        text.push('\n');
        let snippet = shortened(&html::plain(&hit.snippet), SNIPPET_CHARACTERS_MAX);
        if !snippet.is_empty() {
            text.push_str(&format!("   {snippet}\n"));
        }
        shown.push(hit.url);
    }
    match shown.is_empty() {
        true => "no results".to_owned(),
        false => text.trim_end().to_owned(),
    }
}

fn shortened(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default().trim_end()),
    }
}

/// Returns a field of a result as text.
fn field(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// Returns the address of a provider's API.
fn endpoint(settings: &Settings, usual: Option<&str>) -> Result<Address, Error> {
    let wrong = |why| Error::Setting {
        name: SEARCH_URL,
        why,
    };
    let url = settings.search_url.as_deref().or(usual);
    let url = url.ok_or_else(|| wrong("is not set, but searxng needs it"))?;
    Address::parse(url).map_err(|_| wrong("is no http or https URL"))
}

/// Adds parameters to an address.
fn with_parameters(mut address: Address, parameters: &[(&str, &str)]) -> Address {
    let mut query = address.query.take().unwrap_or_default();
    for (name, value) in parameters {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&format!("{name}={}", encoded(value.as_bytes())));
    }
    address.query = Some(query);
    address
}

/// Returns headers that every provider gets.
fn headers() -> Headers {
    let mut headers = Headers::default();
    headers.add("Accept", "application/json");
    headers.add("User-Agent", USER_AGENT);
    headers
}

/// Adds a header that has something in it; what no header may have is left out.
fn add(headers: &mut Headers, name: &str, value: &str) {
    let value: String = value.chars().filter(|c| !c.is_control()).collect();
    if !value.is_empty() {
        headers.add(name, value);
    }
}

/// Returns the query with the words by which search engines keep to domains, if that is possible. It only makes good
/// results likelier: what may be shown is decided afterwards.
fn with_sites(settings: &Settings, query: &str) -> String {
    let sites = |rules: &[Rule], word: &str, between: &str| {
        let sites: Vec<String> = rules
            .iter()
            .map(|rule| format!("{word}site:{rule}"))
            .collect();
        sites.join(between)
    };
    let mut whole = query.to_owned();
    match settings.allowed.as_deref() {
        Some([rule]) => whole.push_str(&format!(" site:{rule}")),
        Some(rules) if !rules.is_empty() && rules.len() <= SITES_MAX => {
            whole.push_str(&format!(" ({})", sites(rules, "", " OR ")));
        }
        _ => {}
    }
    if !settings.blocked.is_empty() && settings.blocked.len() <= SITES_MAX {
        whole.push(' ');
        whole.push_str(&sites(&settings.blocked, "-", " "));
    }
    match whole.chars().nth(QUERY_CHARACTERS_MAX) {
        None => whole,
        Some(_) => query.to_owned(),
    }
}

#[cfg(test)]
mod tests;
