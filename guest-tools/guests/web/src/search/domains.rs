//! Rules about domains: which results are kept and which are left out.

use std::fmt;

use http_client::address::{Address, decoded};

/// A domain with all below it, or a part of one: `example.com`, `example.com/docs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// In lower case, without dot at either end.
    domain: String,
    /// In lower case, from the first slash, without one at the end; empty for all of the domain.
    path: String,
}

impl Rule {
    /// Reads rules with commas between them. What is no rule is left out.
    pub fn list(text: &str) -> Vec<Self> {
        text.split(',').filter_map(Self::parse).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let text = text
            .split_once("://")
            .map_or(text.as_str(), |(_, rest)| rest);
        let text = text.strip_prefix("*.").unwrap_or(text);
        let (domain, path) = match text.find('/') {
            Some(slash) => text.split_at(slash),
            None => (text, ""),
        };
        let domain = domain.trim_matches('.');
        (!domain.is_empty()).then(|| Self {
            domain: domain.to_owned(),
            // A comma in a path stands there escaped.
            path: decoded(path.trim_end_matches(['/', '*'])),
        })
    }

    /// Tells whether an address is of the domain, or of one below it, and its path begins with that of the rule.
    pub fn covers(&self, address: &Address) -> bool {
        let host = address.host.to_lowercase();
        let host = host.trim_end_matches('.');
        let is_below = host
            .strip_suffix(self.domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let path = decoded(&address.path).to_lowercase();
        let rest = path.strip_prefix(self.path.as_str());
        is_below && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.domain, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_cover_domains_below_and_paths_below() {
        for (rule, url, expected) in [
            ("example.com", "https://example.com/", true),
            ("Example.COM", "https://www.EXAMPLE.com./x", true),
            ("example.com", "https://badexample.com/", false),
            ("example.com", "https://example.com.evil.example/", false),
            ("example.com", "https://evil.example/example.com", false),
            ("www.example.com", "https://example.com/", false),
            ("example.com/docs", "https://example.com/docs", true),
            ("example.com/docs/", "https://a.example.com/Docs/x?y", true),
            ("example.com/docs", "https://example.com/%64ocs/x", true),
            ("example.com/docs", "https://example.com/docsx", false),
            ("example.com/docs", "https://example.com/a/../docs/x", true),
            ("example.com/docs", "https://example.com/", false),
            ("https://*.example.com/*", "https://a.example.com/x", true),
            ("example.com", "https://example.com@evil.example/", false),
        ] {
            let rules = Rule::list(rule);
            let address = Address::parse(url).unwrap();
            assert_eq!(rules[0].covers(&address), expected, "{rule} {url}");
        }
        assert_eq!(Rule::list(" a.example ,, b.example/x/").len(), 2);
        assert_eq!(Rule::list("b.example/x/")[0].to_string(), "b.example/x");
    }
}
