//! Which provider answers for which model.
//!
//! A missing key is not an error of the configuration: the daemon starts without one, and a request that
//! needs it says what to set.

use std::sync::Arc;

use async_trait::async_trait;

use super::catalog::Catalog;
use super::config::{ProviderConfig, ProviderKind};
use super::keys::ApiKey;
use super::messages::{self, Messages};
use super::openai::{self, OpenAi};
use super::{Model, ModelAnswer, ModelError, ModelRequest, ProgressSink};
use crate::clock::Clock;

/// What is wrong with a provider's configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// The address cannot be used. The address itself is not repeated, as it may hold a password.
    #[error("the provider's base_url cannot be used: {why}")]
    BaseUrl {
        /// What is wrong.
        why: String,
    },
    /// A configured header cannot be sent.
    #[error("the header `{name}` of the provider cannot be sent: bad name or value")]
    Header {
        /// Its name.
        name: String,
    },
    /// The HTTP client cannot be built.
    #[error("cannot build the HTTP client: {why}")]
    Client {
        /// What is wrong.
        why: String,
    },
}

struct Route {
    pattern: String,
    model: Box<dyn Model>,
}

/// Models behind providers; the first pattern that matches decides.
pub struct Router {
    routes: Vec<Route>,
}

impl Router {
    /// Makes the providers of a configuration, in its order; an empty one means Anthropic at
    /// `ANTHROPIC_BASE_URL` (default `https://api.anthropic.com`) with the keys of `ANTHROPIC_API_KEY`.
    ///
    /// `variable` reads the environment.
    pub fn new(
        configs: &[ProviderConfig],
        variable: &dyn Fn(&str) -> Option<String>,
        catalog: Arc<Catalog>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RouterError> {
        let default = [ProviderConfig::new(ProviderKind::Anthropic)];
        let configs = if configs.is_empty() {
            &default
        } else {
            configs
        };
        let mut routes = Vec::with_capacity(configs.len());
        for config in configs {
            let keys = keys(config, variable);
            let (base_variable, base) = match config.kind {
                ProviderKind::Anthropic => ("ANTHROPIC_BASE_URL", messages::BASE_URL),
                ProviderKind::Openai => ("OPENAI_BASE_URL", openai::BASE_URL),
            };
            let base = config
                .base_url
                .clone()
                .or_else(|| variable(base_variable).filter(|url| !url.trim().is_empty()))
                .unwrap_or_else(|| base.to_owned());
            let base = base.trim();
            let model: Box<dyn Model> = match config.kind {
                ProviderKind::Anthropic => {
                    let catalog = catalog.clone();
                    Box::new(Messages::new(config, base, keys, catalog, clock.clone())?)
                }
                ProviderKind::Openai => Box::new(OpenAi::new(config, base, keys, clock.clone())?),
            };
            let pattern = config.pattern.clone();
            routes.push(Route { pattern, model });
        }
        Ok(Self { routes })
    }

    fn route(&self, model: &str) -> Option<&Route> {
        self.routes
            .iter()
            .find(|route| matches(&route.pattern, model))
    }
}

#[async_trait]
impl Model for Router {
    async fn ask(
        &self,
        request: &ModelRequest,
        progress: ProgressSink<'_>,
    ) -> Result<ModelAnswer, ModelError> {
        let Some(route) = self.route(&request.model) else {
            return Err(ModelError::Authentication(format!(
                "no provider serves the model `{}`: add one whose `pattern` matches",
                super::failure::one_line(&request.model)
            )));
        };
        route.model.ask(request, progress).await
    }
}

fn keys(config: &ProviderConfig, variable: &dyn Fn(&str) -> Option<String>) -> Vec<ApiKey> {
    if !config.api_keys.is_empty() {
        return config.api_keys.clone();
    }
    let text = config.key_variable().and_then(variable).unwrap_or_default();
    let parts = text.split(|c: char| c == ',' || c.is_whitespace());
    parts.filter_map(ApiKey::new).collect()
}

/// Matches `*` with any run of characters and `?` with one; everything else with itself.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on after the last star, should the rest not match: linear space, no recursion.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::clock::SystemClock;

    fn router(configs: &str, environment: &[(&str, &str)]) -> Result<Router, RouterError> {
        let configs: Vec<ProviderConfig> = serde_json::from_str(configs).unwrap();
        let variable = |name: &str| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let catalog = Arc::new(Catalog::default());
        Router::new(&configs, &variable, catalog, Arc::new(SystemClock))
    }

    #[test]
    fn patterns() {
        let cases = [
            ("*", "", true),
            ("*", "x", true),
            ("", "", true),
            ("", "x", false),
            ("claude-*", "claude-opus-5", true),
            ("claude-*", "claude", false),
            ("*-5", "claude-opus-5", true),
            ("*-5", "claude-5-5x", false),
            ("c*o?us*", "claude-opus-5", true),
            ("*a*b", "aXbXb", true),
            ("é?", "éü", true),
            ("a.c", "abc", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_match_decides() {
        let router = router(
            r#"[{"pattern": "claude-*", "kind": "anthropic"}, {"pattern": "*:local", "kind": "openai"}]"#,
            &[],
        );
        let router = router.unwrap();
        let pattern = |model: &str| router.route(model).map(|route| route.pattern.as_str());
        assert_eq!(pattern("claude-opus-5"), Some("claude-*"));
        assert_eq!(pattern("claude-x:local"), Some("claude-*"));
        assert_eq!(pattern("qwen:local"), Some("*:local"));
        assert_eq!(pattern("qwen"), None);
    }

    #[tokio::test]
    async fn missing_keys_and_providers_say_what_to_do() {
        let request = ModelRequest {
            model: "claude-opus-5".into(),
            system: String::new(),
            messages: vec![],
            tools: vec![],
            output_tokens_max: 1,
            effort: None,
            speed: None,
            thinking: false,
        };
        for (configs, word) in [
            ("[]", "ANTHROPIC_API_KEY"),
            (r#"[{"kind": "openai", "api_key_env": "MY_KEY"}]"#, "MY_KEY"),
            (
                r#"[{"kind": "openai", "base_url": "http://127.0.0.1:1"}]"#,
                "`api_key_env`",
            ),
            (r#"[{"kind": "openai", "pattern": "gpt*"}]"#, "`pattern`"),
        ] {
            let environment = [("ANTHROPIC_API_KEY", " , ")];
            let router = router(configs, &environment).unwrap();
            match router.ask(&request, &|_| {}).await {
                Err(ModelError::Authentication(text)) => assert!(text.contains(word), "{text}"),
                other => assert!(other.is_err() && word.is_empty(), "{other:?}"),
            }
        }
    }

    #[test]
    fn keys_come_from_the_variable_that_is_meant() {
        let environment = |name: &str| Some(format!("{name}-a, {name}-b"));
        let found = |config: &str| {
            let config: ProviderConfig = serde_json::from_str(config).unwrap();
            let found = keys(&config, &environment);
            let header = |key: &ApiKey| key.header("").unwrap().to_str().unwrap().to_owned();
            found.iter().map(header).collect::<Vec<_>>().join(" ")
        };
        for (config, expected) in [
            (
                r#"{"kind": "anthropic"}"#,
                "ANTHROPIC_API_KEY-a ANTHROPIC_API_KEY-b",
            ),
            (r#"{"kind": "openai"}"#, "OPENAI_API_KEY-a OPENAI_API_KEY-b"),
            (r#"{"kind": "openai", "base_url": "http://elsewhere"}"#, ""),
            (
                r#"{"kind": "openai", "base_url": "http://elsewhere", "api_key_env": "K"}"#,
                "K-a K-b",
            ),
            (
                r#"{"kind": "openai", "api_key_env": "K", "api_keys": ["own"]}"#,
                "own",
            ),
        ] {
            assert_eq!(found(config), expected, "{config}");
        }
    }

    #[test]
    fn bad_configurations_are_refused_without_secrets() {
        for config in [
            r#"[{"kind": "openai", "base_url": "ftp://h"}]"#,
            r#"[{"kind": "openai", "base_url": "nonsense canary"}]"#,
            r#"[{"kind": "openai", "base_url": "https://u:canary@h"}]"#,
            r#"[{"kind": "openai", "headers": {"a b": "canary"}}]"#,
            r#"[{"kind": "anthropic", "api_version": "a\ncanary"}]"#,
        ] {
            let error = router(config, &[]).err().unwrap();
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        assert!(
            serde_json::from_str::<ProviderConfig>(r#"{"kind": "openai", "apikey": "x"}"#).is_err()
        );
        let text = r#"{"kind": "openai", "api_keys": ["canary"]}"#;
        let config: ProviderConfig = serde_json::from_str(text).unwrap();
        let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
