//! Brave's search API.

use serde_json::Value;

use super::{Ask, Hit, RESULTS_MAX, add, endpoint, field, headers, with_parameters, with_sites};
use crate::error::Error;
use crate::settings::Settings;

const URL: &str = "https://api.search.brave.com/res/v1/web/search";
/// Results asked for where some may be left out: the most that it gives at once.
const COUNT_MAX: usize = 20;
/// Countries of which it knows the results; of others it would take no request.
const COUNTRIES: &[&str] = &[
    "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "DE", "DK", "ES", "FI", "FR", "GB", "GR",
    "HK", "ID", "IN", "IT", "JP", "KR", "MX", "MY", "NL", "NO", "NZ", "PH", "PL", "PT", "RU", "SA",
    "SE", "TR", "TW", "US", "ZA",
];

pub(super) fn ask(settings: &Settings, query: &str) -> Result<Ask, Error> {
    let has_rules = settings.allowed.is_some() || !settings.blocked.is_empty();
    let count = if has_rules { COUNT_MAX } else { RESULTS_MAX }.to_string();
    let query = with_sites(settings, query);
    let mut parameters = vec![
        ("q", query.as_str()),
        ("count", count.as_str()),
        ("result_filter", "web"),
        ("text_decorations", "false"),
    ];
    let location = &settings.location;
    let country = location.country.to_ascii_uppercase();
    if COUNTRIES.contains(&country.as_str()) {
        parameters.push(("country", &country));
    }
    let mut headers = headers();
    add(&mut headers, "X-Loc-City", &location.city);
    add(&mut headers, "X-Loc-State-Name", &location.region);
    add(&mut headers, "X-Loc-Country", &country);
    add(&mut headers, "X-Loc-Timezone", &location.timezone);
    if let Some(key) = &settings.search_key {
        add(&mut headers, "X-Subscription-Token", key);
    }
    Ok(Ask {
        method: "GET",
        address: with_parameters(endpoint(settings, Some(URL))?, &parameters),
        headers,
        body: None,
    })
}

pub(super) fn hits(value: &Value) -> Option<Vec<Hit>> {
    let results = match value.get("web") {
        Some(web) => web.get("results")?.as_array()?.as_slice(),
        // It leaves out what it has nothing for.
        None if field(value, "type") == "search" => &[],
        None => return None,
    };
    let hit = |result: &Value| Hit {
        title: field(result, "title"),
        url: field(result, "url"),
        date: match field(result, "age") {
            age if age.is_empty() => field(result, "page_age"),
            age => age,
        },
        snippet: field(result, "description"),
    };
    Some(results.iter().map(hit).collect())
}
