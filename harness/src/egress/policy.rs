//! Whether a request may leave, as far as its method and its URL tell; addresses are checked when they are resolved.

use http::{Method, Uri};
use serde_json::Value;
use url::{Host, Url};

use super::address::{is_of_no_name, is_public};
use super::hosts::{HostPattern, Hosts, PrivateHost, normal};
use super::registries::REGISTRIES;
use crate::json::Fields as _;

/// Longest URL in bytes; servers take no longer ones.
const URL_BYTES_MAX: usize = 16 << 10;
/// Longest method in bytes.
const METHOD_BYTES_MAX: usize = 32;
/// Ports above the well-known ones at which something else than HTTP listens, which a forged request could speak to:
/// file and window systems, chat, telephony, databases that take lines of text.
const PORTS_REFUSED: [u16; 17] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6667, 6697,
    10080, 11211,
];

/// Why a request may not leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denial {
    /// What was denied and why, for the model.
    pub reason: String,
    /// What the operator would have to change to allow it; empty where nothing does.
    pub setting: String,
}

impl Denial {
    pub(super) fn new(reason: impl Into<String>, setting: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            setting: setting.into(),
        }
    }
}

/// Which hosts may be asked.
#[derive(Clone, Debug)]
pub struct Policy {
    hosts: Hosts,
    has_registries: bool,
    /// What to say of any other host, and which setting would allow it.
    otherwise: Denial,
}

impl Policy {
    /// Allows every host of the public internet.
    pub fn unrestricted() -> Self {
        Self {
            hosts: Hosts::All,
            has_registries: false,
            otherwise: Denial::new("", ""),
        }
    }

    /// Allows nothing, for this reason.
    pub fn closed(denial: Denial) -> Self {
        Self {
            hosts: Hosts::Some(Vec::new()),
            has_registries: false,
            otherwise: denial,
        }
    }

    /// Allows these hosts; of any other it says what `otherwise` does.
    pub fn of_hosts(hosts: Vec<HostPattern>, otherwise: Denial) -> Self {
        Self {
            hosts: Hosts::Some(hosts),
            has_registries: false,
            otherwise,
        }
    }

    /// Reads the `networking` of an environment. `mcp_hosts` are those of the agent's MCP servers, which count where
    /// it allows them.
    pub fn of_environment(networking: &Value, mcp_hosts: &[String]) -> Self {
        let mut hosts = Hosts::of_networking(networking);
        if let Hosts::Some(patterns) = &mut hosts
            && *networking.at("allow_mcp_servers") == true
        {
            patterns.extend(mcp_hosts.iter().map(|host| HostPattern::exact(host)));
        }
        Self {
            hosts,
            has_registries: *networking.at("allow_package_managers") == true,
            otherwise: Denial::new(
                "the session's environment allows only some hosts, and this is none of them",
                "networking.allowed_hosts of the session's environment",
            ),
        }
    }

    /// Allows the host of one MCP server, if the `networking` of the session's environment does.
    pub fn for_mcp_server(networking: &Value, host: &str) -> Self {
        let environment = Self::of_environment(networking, &[host.to_owned()]);
        match environment.allows(host) {
            true => Self {
                hosts: Hosts::Some(vec![HostPattern::exact(host)]),
                has_registries: false,
                otherwise: Denial::new("it is not the host of the MCP server", ""),
            },
            false => Self::closed(Denial::new(
                "the session's environment allows neither MCP servers nor this host",
                "networking.allow_mcp_servers, or networking.allowed_hosts, of the session's environment",
            )),
        }
    }

    /// Tells whether it allows a host.
    pub fn allows(&self, host: &str) -> bool {
        let is_registry = || REGISTRIES.contains(&normal(host).as_str());
        self.hosts.allow(host) || (self.has_registries && is_registry())
    }
}

/// Where a checked request goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// As it is sent: what was checked and what is connected to are one text.
    pub(super) url: Url,
    /// See [`normal`].
    pub(super) host: String,
    pub(super) port: u16,
    /// The operator granted this host and port by name: its addresses need not be public.
    pub(super) is_granted: bool,
}

/// Tells whether a secret may go to a URL: nobody on the way reads along, or the operator granted its host and port.
pub(super) fn may_carry_secrets(url: &Url, is_granted: bool) -> bool {
    is_granted || url.scheme() == "https"
}

/// Tells whether the operator granted a host and port by name.
pub(super) fn is_granted(private: &[PrivateHost], host: &str, port: u16) -> bool {
    private.iter().any(|grant| grant.fits(host, port))
}

/// Checks a request before anything is resolved. `private` is what the operator granted.
pub(super) fn check(
    policy: &Policy,
    private: &[PrivateHost],
    method: &Method,
    uri: &Uri,
) -> Result<Target, Denial> {
    let refuse = |reason: String| Err(Denial::new(reason, ""));
    let is_unfit = matches!(*method, Method::CONNECT | Method::TRACE);
    if is_unfit || method.as_str().len() > METHOD_BYTES_MAX {
        return refuse(format!("the method {:.32} is never sent", method.as_str()));
    }
    let text = uri.to_string();
    if text.len() > URL_BYTES_MAX {
        return refuse(format!("the URL has more than {URL_BYTES_MAX} bytes"));
    }
    let Ok(url) = Url::parse(&text) else {
        return refuse("the URL is malformed".to_owned());
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse(format!(
            "only http and https leave, not {:.32}",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("a URL must not name a user; send a header".to_owned());
    }
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return refuse("the URL has no host".to_owned());
    };
    let name = normal(&host.to_string());
    if !policy.allows(&name) {
        let Denial { reason, setting } = &policy.otherwise;
        return Err(Denial::new(reason.clone(), setting.clone()));
    }
    let is_granted = is_granted(private, &name, port);
    let address = match host {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    };
    if !is_granted {
        let setting = || format!("egress.private_hosts in the daemon's configuration: {name:?}");
        if address.is_some_and(|address| !is_public(address)) {
            return Err(Denial::new(
                "the address is not of the public internet",
                setting(),
            ));
        }
        if !matches!(port, 80 | 443) && (port < 1024 || PORTS_REFUSED.contains(&port)) {
            return Err(Denial::new(
                format!("nothing on port {port} speaks HTTP"),
                setting(),
            ));
        }
    }
    Ok(Target {
        url,
        host: name,
        port,
        is_granted,
    })
}

/// Tells whether a name may mean an address.
pub(super) fn may_mean(address: std::net::IpAddr, is_granted: bool) -> bool {
    match is_granted {
        true => !is_of_no_name(address),
        false => is_public(address),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limited() -> Policy {
        let networking = json!({
            "type": "limited",
            "allowed_hosts": ["api.example.com", "*.example.org", "127.0.0.1"],
            "allow_mcp_servers": false,
            "allow_package_managers": true,
        });
        Policy::of_environment(&networking, &["mcp.example.net".to_owned()])
    }

    fn checked(policy: &Policy, url: &str) -> Result<Target, Denial> {
        let private = ["127.0.0.1:8080".parse().unwrap(), "db".parse().unwrap()];
        check(policy, &private, &Method::GET, &url.parse().unwrap())
    }

    #[test]
    fn what_is_limited_is_limited() {
        for (url, expected) in [
            ("https://api.example.com/x", true),
            ("https://API.example.com./x", true),
            ("https://a.example.org/x", true),
            ("https://example.org/", false),
            ("https://mcp.example.net/", false),
            ("https://pypi.org/simple/", true),
            ("https://evil.test/", false),
            ("http://127.0.0.1:8080/", true),
            ("http://127.0.0.1:8081/", false),
            // Granted by the operator, but not by the environment.
            ("http://db/", false),
        ] {
            let found = checked(&limited(), url);
            assert_eq!(found.is_ok(), expected, "{url} {found:?}");
        }
        let denial = checked(&limited(), "https://evil.test/").unwrap_err();
        assert!(denial.setting.contains("allowed_hosts"), "{denial:?}");
    }

    #[test]
    fn what_is_unrestricted_is_the_public_internet() {
        for (url, expected) in [
            ("https://evil.test/", true),
            ("https://evil.test:8443/", true),
            ("https://evil.test:25/", false),
            ("https://evil.test:6379/", false),
            ("http://127.0.0.1:8080/", true),
            ("http://127.0.0.1:8081/", false),
            ("http://127.1:8081/", false),
            ("http://0x7f000001:8081/", false),
            ("http://2130706433:8081/", false),
            ("http://169.254.169.254/latest/", false),
            ("http://[::1]/", false),
            ("http://[::ffff:169.254.169.254]/", false),
            ("http://[64:ff9b::a9fe:a9fe]/", false),
            ("http://db:25/", true),
            ("ftp://evil.test/", false),
            ("http://user@evil.test/", false),
            ("http://evil.test@127.0.0.1/", false),
        ] {
            let found = checked(&Policy::unrestricted(), url);
            assert_eq!(found.is_ok(), expected, "{url} {found:?}");
        }
        let uri = "https://a.test/".parse().unwrap();
        for method in ["CONNECT", "TRACE"] {
            let method = method.parse().unwrap();
            assert!(check(&Policy::unrestricted(), &[], &method, &uri).is_err());
        }
        let long = format!("https://a.test/{}", "a".repeat(URL_BYTES_MAX));
        assert!(checked(&Policy::unrestricted(), &long).is_err());
    }

    #[test]
    fn mcp_servers() {
        let limited =
            |mcp: bool| json!({"type": "limited", "allowed_hosts": [], "allow_mcp_servers": mcp});
        let policy = Policy::for_mcp_server(&limited(true), "mcp.example.net");
        assert!(policy.allows("mcp.example.net") && !policy.allows("a.test"));
        assert!(!Policy::for_mcp_server(&limited(false), "a.test").allows("a.test"));
        let open = json!({"type": "unrestricted"});
        let policy = Policy::for_mcp_server(&open, "a.test");
        assert!(policy.allows("a.test") && !policy.allows("b.test"));
    }
}
