//! Names of hosts: as they are compared, patterns of them, and what the operator grants beside the public internet.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::json::Fields as _;

/// Returns a host as it is compared: in lower case, without the final dot and without the brackets of an address.
pub(crate) fn normal(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    address.unwrap_or(host).to_ascii_lowercase()
}

/// A host name, or all names below one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPattern {
    name: String,
    is_wildcard: bool,
}

impl HostPattern {
    /// Reads `api.example.com`, or `*.example.com` for every name below it but not itself.
    pub fn new(text: &str) -> Self {
        match text.strip_prefix("*.") {
            Some(name) => Self {
                name: normal(name),
                is_wildcard: true,
            },
            None => Self {
                name: normal(text),
                is_wildcard: false,
            },
        }
    }

    /// Returns the pattern that fits this host alone, whatever characters it has.
    pub fn exact(host: &str) -> Self {
        Self {
            name: normal(host),
            is_wildcard: false,
        }
    }

    /// Tells whether it fits a host.
    pub fn fits(&self, host: &str) -> bool {
        let host = normal(host);
        if !self.is_wildcard {
            return host == self.name;
        }
        // An address has no names above it.
        host.parse::<IpAddr>().is_err()
            && host
                .strip_suffix(&self.name)
                .and_then(|below| below.strip_suffix('.'))
                .is_some_and(|below| !below.is_empty())
    }
}

/// A `networking` of the wire, as environments and credentials have it: all hosts, or a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hosts {
    /// Every host.
    All,
    /// These.
    Some(Vec<HostPattern>),
}

impl Hosts {
    /// Reads a stored `networking`. What cannot be read allows nothing.
    pub fn of_networking(networking: &Value) -> Self {
        if *networking.at("type") == "unrestricted" {
            return Self::All;
        }
        let hosts = networking.at("allowed_hosts").as_array();
        let patterns = hosts.into_iter().flatten().filter_map(Value::as_str);
        Self::Some(patterns.map(HostPattern::new).collect())
    }

    /// Tells whether a host is among them.
    pub fn allow(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(patterns) => patterns.iter().any(|pattern| pattern.fits(host)),
        }
    }
}

/// A host that is not of the public internet and may be reached all the same: `HOST:PORT`, or `HOST` for all ports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrivateHost {
    host: String,
    port: Option<u16>,
}

/// A text that is no [`PrivateHost`].
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no host: expected HOST or HOST:PORT, an IPv6 address in brackets")]
pub struct NoHost(String);

impl FromStr for PrivateHost {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let refused = || NoHost(text.to_owned());
        // The brackets of an address may be followed by a port as a name may.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| refused())?))
            }
            _ => (text, None),
        };
        let is_address = host.starts_with('[') && host.ends_with(']');
        let host = normal(host);
        let is_fit = match is_address {
            true => host.parse::<std::net::Ipv6Addr>().is_ok(),
            false => {
                !host.is_empty()
                    && host
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
            }
        };
        match is_fit {
            true => Ok(Self { host, port }),
            false => Err(refused()),
        }
    }
}

impl fmt::Display for PrivateHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl PrivateHost {
    /// Tells whether it fits a host and its port.
    pub fn fits(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|own| own == port) && self.host == normal(host)
    }
}

impl Serialize for PrivateHost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PrivateHost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns() {
        for (pattern, host, expected) in [
            ("api.example.com", "api.example.com", true),
            ("api.example.com", "API.Example.com.", true),
            ("api.example.com", "xapi.example.com", false),
            ("api.example.com", "api.example.com.evil.org", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "evilexample.com", false),
            ("*.example.com", ".example.com", false),
            ("*.0.0.1", "127.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("::1", "[::1]", true),
        ] {
            let fits = HostPattern::new(pattern).fits(host);
            assert_eq!(fits, expected, "{pattern} {host}");
        }
        let exact = HostPattern::exact("*.Com");
        assert!(exact.fits("*.com") && !exact.fits("a.com"));
        assert!(Hosts::of_networking(&json!({"type": "unrestricted"})).allow("x"));
        assert!(!Hosts::of_networking(&json!({"type": "new"})).allow("x"));
        assert!(!Hosts::of_networking(&Value::Null).allow("x"));
    }

    #[test]
    fn private_hosts() {
        for (text, host, port, expected) in [
            ("127.0.0.1:80", "127.0.0.1", 80, true),
            ("127.0.0.1:80", "127.0.0.1", 81, false),
            ("db.internal", "DB.internal.", 5432, true),
            ("[::1]:8080", "[::1]", 8080, true),
            ("[::1]", "::1", 1, true),
        ] {
            let grant: PrivateHost = text.parse().unwrap();
            assert_eq!(grant.fits(host, port), expected, "{text} {host}:{port}");
            assert_eq!(grant.to_string(), text);
        }
        for text in [
            "", ":80", "a b", "::1", "http://a", "a:99999", "[x]", "*.a", "a/8",
        ] {
            assert!(text.parse::<PrivateHost>().is_err(), "{text}");
        }
    }
}
