//! An instance of SearXNG, which must have its JSON format turned on.

use serde_json::Value;

use super::{Ask, Hit, add, endpoint, field, headers, with_parameters, with_sites};
use crate::error::Error;
use crate::settings::Settings;

pub(super) fn ask(settings: &Settings, query: &str) -> Result<Ask, Error> {
    let mut address = endpoint(settings, None)?;
    let base = address.path.trim_end_matches('/');
    address.path = match base.ends_with("/search") {
        true => base.to_owned(),
        false => format!("{base}/search"),
    };
    let query = with_sites(settings, query);
    let mut headers = headers();
    if let Some(key) = &settings.search_key {
        add(&mut headers, "Authorization", &format!("Bearer {key}"));
    }
    Ok(Ask {
        method: "GET",
        address: with_parameters(address, &[("q", &query), ("format", "json")]),
        headers,
        body: None,
    })
}

pub(super) fn hits(value: &Value) -> Option<Vec<Hit>> {
    let results = value.get("results")?.as_array()?;
    let hit = |result: &Value| Hit {
        title: field(result, "title"),
        url: field(result, "url"),
        date: field(result, "publishedDate"),
        snippet: field(result, "content"),
    };
    Some(results.iter().map(hit).collect())
}
