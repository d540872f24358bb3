//! What the operator set, as the host passes it on in the environment.

use crate::cut::{CHARACTERS_MAX, CHARACTERS_PER_TOKEN};
use crate::error::Error;
use crate::search::domains::Rule;

/// The most tokens that `web_fetch` returns.
pub const MAX_TOKENS: &str = "SINEW_WEB_MAX_TOKENS";
/// `brave`, `tavily` or `searxng`.
pub const PROVIDER: &str = "SINEW_SEARCH_PROVIDER";
/// The URL of the provider's API.
pub const SEARCH_URL: &str = "SINEW_SEARCH_URL";
/// What stands for the provider's key until the host puts the key in.
pub const SEARCH_KEY: &str = "SINEW_SEARCH_KEY";
/// Where the user is, as JSON.
pub const LOCATION: &str = "SINEW_SEARCH_LOCATION";
/// Domains of which results are kept, if it is set.
pub const ALLOWED: &str = "SINEW_SEARCH_ALLOWED";
/// Domains of which results are left out.
pub const BLOCKED: &str = "SINEW_SEARCH_BLOCKED";

/// Whom `web_search` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Brave's search API.
    Brave,
    /// Tavily's.
    Tavily,
    /// An instance of SearXNG.
    Searxng,
}

impl Provider {
    /// Returns the name as it is set and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brave => "brave",
            Self::Tavily => "tavily",
            Self::Searxng => "searxng",
        }
    }
}

/// Where the user is; each part may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The city's name.
    pub city: String,
    /// The name of a part of the country.
    pub region: String,
    /// The country, two letters of ISO 3166.
    pub country: String,
    /// The time zone's IANA name.
    pub timezone: String,
}

/// All settings of both tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The most characters of an answer.
    pub characters_max: usize,
    /// None makes `web_search` unavailable.
    pub provider: Option<Provider>,
    /// Instead of the provider's usual one.
    pub search_url: Option<String>,
    /// Opaque here.
    pub search_key: Option<String>,
    /// For results of the surroundings.
    pub location: Location,
    /// None allows all.
    pub allowed: Option<Vec<Rule>>,
    /// Wins over `allowed`.
    pub blocked: Vec<Rule>,
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, Error> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads variables; an empty one counts as not set.
    pub fn read(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self, Error> {
        let get = |name| {
            let value = variable(name).map(|value| value.trim().to_owned());
            value.filter(|value| !value.is_empty())
        };
        let characters_max = match get(MAX_TOKENS) {
            None => CHARACTERS_MAX,
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|tokens| *tokens > 0)
                .ok_or(Error::Setting {
                    name: MAX_TOKENS,
                    why: "is not a positive integer",
                })?
                .saturating_mul(CHARACTERS_PER_TOKEN)
                .min(CHARACTERS_MAX),
        };
        let provider = match get(PROVIDER).as_deref() {
            None => None,
            Some("brave") => Some(Provider::Brave),
            Some("tavily") => Some(Provider::Tavily),
            Some("searxng") => Some(Provider::Searxng),
            Some(_) => {
                return Err(Error::Setting {
                    name: PROVIDER,
                    why: "is not one of brave, tavily and searxng",
                });
            }
        };
        let location = match get(LOCATION) {
            None => Location::default(),
            Some(text) => location(&text).ok_or(Error::Setting {
                name: LOCATION,
                why: "is not a JSON object",
            })?,
        };
        Ok(Self {
            characters_max,
            provider,
            search_url: get(SEARCH_URL),
            search_key: get(SEARCH_KEY),
            location,
            allowed: get(ALLOWED).map(|text| Rule::list(&text)),
            blocked: get(BLOCKED).map_or_else(Vec::new, |text| Rule::list(&text)),
        })
    }
}

fn location(text: &str) -> Option<Location> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let object = value.as_object()?;
    let part = |name: &str| {
        let text = object.get(name).and_then(serde_json::Value::as_str);
        text.unwrap_or_default().trim().to_owned()
    };
    Some(Location {
        city: part("city"),
        region: part("region"),
        country: part("country"),
        timezone: part("timezone"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&'static str, &str)]) -> Result<Settings, String> {
        let found = |name: &str| variables.iter().find(|(own, _)| *own == name);
        Settings::read(|name| found(name).map(|(_, value)| (*value).to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let settings = read(&[(PROVIDER, " "), (ALLOWED, "")]).unwrap();
        assert_eq!(settings.characters_max, CHARACTERS_MAX);
        assert_eq!(settings.provider, None);
        assert_eq!(settings.allowed, None);
        assert_eq!(settings.location, Location::default());
    }

    #[test]
    fn all_can_be_set() {
        let settings = read(&[
            (MAX_TOKENS, "10"),
            (PROVIDER, "tavily"),
            (
                LOCATION,
                r#"{"city": "Bern", "country": "CH", "region": null}"#,
            ),
            (ALLOWED, "a.example, B.example/docs"),
        ])
        .unwrap();
        assert_eq!(settings.characters_max, 40);
        assert_eq!(settings.provider, Some(Provider::Tavily));
        assert_eq!(settings.location.city, "Bern");
        assert_eq!(settings.location.region, "");
        assert_eq!(settings.allowed.unwrap().len(), 2);
        let large = read(&[(MAX_TOKENS, "18446744073709551615")]).unwrap();
        assert_eq!(large.characters_max, CHARACTERS_MAX);
    }

    #[test]
    fn nonsense_is_said() {
        for (name, value) in [
            (MAX_TOKENS, "0"),
            (MAX_TOKENS, "-1"),
            (PROVIDER, "Google"),
            (LOCATION, "[]"),
            (LOCATION, "{"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }
}
