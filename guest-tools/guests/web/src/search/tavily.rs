//! Tavily's search API.

use serde_json::{Value, json};

use super::domains::Rule;
use super::{Ask, Hit, RESULTS_MAX, add, endpoint, field, headers};
use crate::error::Error;
use crate::settings::Settings;

const URL: &str = "https://api.tavily.com/search";
/// Results asked for where some may be left out: the most that it gives at once.
const COUNT_MAX: usize = 20;
/// Domains that it takes.
const ALLOWED_MAX: usize = 300;
const BLOCKED_MAX: usize = 150;
/// Names that it has for countries. Of others it would take no request, so they are left out.
const COUNTRIES: &[(&str, &str)] = &[
    ("AR", "argentina"),
    ("AT", "austria"),
    ("AU", "australia"),
    ("BE", "belgium"),
    ("BG", "bulgaria"),
    ("BR", "brazil"),
    ("CA", "canada"),
    ("CH", "switzerland"),
    ("CL", "chile"),
    ("CN", "china"),
    ("CO", "colombia"),
    ("CZ", "czech republic"),
    ("DE", "germany"),
    ("DK", "denmark"),
    ("EE", "estonia"),
    ("EG", "egypt"),
    ("ES", "spain"),
    ("FI", "finland"),
    ("FR", "france"),
    ("GB", "united kingdom"),
    ("GR", "greece"),
    ("HR", "croatia"),
    ("HU", "hungary"),
    ("ID", "indonesia"),
    ("IE", "ireland"),
    ("IL", "israel"),
    ("IN", "india"),
    ("IS", "iceland"),
    ("IT", "italy"),
    ("JP", "japan"),
    ("KE", "kenya"),
    ("KR", "south korea"),
    ("LT", "lithuania"),
    ("LU", "luxembourg"),
    ("LV", "latvia"),
    ("MX", "mexico"),
    ("MY", "malaysia"),
    ("NG", "nigeria"),
    ("NL", "netherlands"),
    ("NO", "norway"),
    ("NZ", "new zealand"),
    ("PE", "peru"),
    ("PH", "philippines"),
    ("PL", "poland"),
    ("PT", "portugal"),
    ("RO", "romania"),
    ("RS", "serbia"),
    ("SE", "sweden"),
    ("SG", "singapore"),
    ("SI", "slovenia"),
    ("SK", "slovakia"),
    ("TH", "thailand"),
    ("TR", "turkey"),
    ("TW", "taiwan"),
    ("UA", "ukraine"),
    ("US", "united states"),
    ("VN", "vietnam"),
    ("ZA", "south africa"),
];

pub(super) fn ask(settings: &Settings, query: &str) -> Result<Ask, Error> {
    let has_rules = settings.allowed.is_some() || !settings.blocked.is_empty();
    let names = |rules: &[Rule], max: usize| -> Vec<String> {
        rules.iter().take(max).map(Rule::to_string).collect()
    };
    let mut body = json!({
        "query": query,
        "topic": "general",
        "search_depth": "basic",
        "max_results": if has_rules { COUNT_MAX } else { RESULTS_MAX },
    });
    if let Some(allowed) = &settings.allowed {
        set(
            &mut body,
            "include_domains",
            json!(names(allowed, ALLOWED_MAX)),
        );
    }
    if !settings.blocked.is_empty() {
        let blocked = names(&settings.blocked, BLOCKED_MAX);
        set(&mut body, "exclude_domains", json!(blocked));
    }
    let country = settings.location.country.to_ascii_uppercase();
    if let Some((_, name)) = COUNTRIES.iter().find(|(code, _)| *code == country) {
        set(&mut body, "country", json!(name));
    }
    let mut headers = headers();
    headers.add("Content-Type", "application/json");
    if let Some(key) = &settings.search_key {
        add(&mut headers, "Authorization", &format!("Bearer {key}"));
    }
    Ok(Ask {
        method: "POST",
        address: endpoint(settings, Some(URL))?,
        headers,
        body: Some(body.to_string().into_bytes()),
    })
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(body) = body.as_object_mut() {
        body.insert(name.to_owned(), value);
    }
}

pub(super) fn hits(value: &Value) -> Option<Vec<Hit>> {
    let results = value.get("results")?.as_array()?;
    let hit = |result: &Value| Hit {
        title: field(result, "title"),
        url: field(result, "url"),
        date: field(result, "published_date"),
        snippet: field(result, "content"),
    };
    Some(results.iter().map(hit).collect())
}
