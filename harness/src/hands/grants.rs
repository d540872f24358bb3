//! What an agent grants the functions of a component: files, hosts, connections, variables, credentials, bounds.
//!
//! Read from the stored form, in which every field is there; what cannot be read grants nothing.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use sinew_runtime::Limits;
use sinew_runtime::fs::Rights;

use crate::egress::{HostPattern, Scope};
use crate::json::Fields as _;

/// What the functions of a component may reach and use. The default is nothing, within the daemon's bounds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants {
    /// Directories of the session, shown at the same paths, and whether they may be written. None lies in another one.
    pub mounts: Vec<(String, bool)>,
    /// Host names, or `*.` and a name for all below it.
    pub hosts: Vec<String>,
    /// Addresses that may be connected to.
    pub sockets: BTreeSet<SocketAddr>,
    /// Variables with their values.
    pub environment: Vec<(String, String)>,
    /// Names of the variables of credentials that are there as placeholders.
    pub secrets: BTreeSet<String>,
    /// Memory of a call in bytes, at most what the daemon gives any.
    pub memory_bytes: Option<u64>,
    /// Time of a call in milliseconds, at most what the daemon gives any.
    pub wall_ms: Option<u64>,
    /// Size of a call's result in bytes, at most what the daemon gives any.
    pub output_bytes: Option<u64>,
}

impl Grants {
    /// Reads the stored form.
    pub fn read(stored: &Value) -> Self {
        let items = |name: &str| stored.at(name).as_array().into_iter().flatten();
        let texts = |name: &'static str| items(name).filter_map(Value::as_str);
        let mount = |mount: &Value| {
            let path = mount.at("path").as_str()?.to_owned();
            Some((path, *mount.at("access") == "read_write"))
        };
        let variables = stored.at("environment").as_object();
        let variables = variables.into_iter().flatten();
        let limit = |name: &str| stored.at("limits").at(name).as_u64();
        Self {
            mounts: items("mounts").filter_map(mount).collect(),
            hosts: texts("hosts").map(str::to_owned).collect(),
            sockets: texts("sockets")
                .filter_map(|text| text.parse().ok())
                .collect(),
            environment: variables
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            secrets: texts("secrets").map(str::to_owned).collect(),
            memory_bytes: limit("memory_bytes"),
            wall_ms: limit("wall_ms"),
            output_bytes: limit("output_bytes"),
        }
    }

    /// Returns what is granted here and by `above` as well. Variables are the agent's own words, and stay.
    pub fn within(&self, above: &Self) -> Self {
        let pairs = self
            .mounts
            .iter()
            .flat_map(|own| above.mounts.iter().map(move |theirs| (own, theirs)));
        let mounts: BTreeSet<(String, bool)> = pairs
            .filter_map(|(own, theirs)| {
                let path = inner(&own.0, &theirs.0, is_below)?;
                Some((path.to_owned(), own.1 && theirs.1))
            })
            .collect();
        let pairs = self
            .hosts
            .iter()
            .flat_map(|own| above.hosts.iter().map(move |theirs| (own, theirs)));
        let hosts: BTreeSet<String> = pairs
            .filter_map(|(own, theirs)| inner(own, theirs, is_narrower).map(str::to_owned))
            .collect();
        let least = |own: Option<u64>, theirs: Option<u64>| own.into_iter().chain(theirs).min();
        Self {
            mounts: mounts.into_iter().collect(),
            hosts: hosts.into_iter().collect(),
            sockets: self.sockets.intersection(&above.sockets).copied().collect(),
            environment: self.environment.clone(),
            secrets: self.secrets.intersection(&above.secrets).cloned().collect(),
            memory_bytes: least(self.memory_bytes, above.memory_bytes),
            wall_ms: least(self.wall_ms, above.wall_ms),
            output_bytes: least(self.output_bytes, above.output_bytes),
        }
    }

    /// Returns the directories with their rights.
    pub(super) fn shown(&self) -> Vec<(String, Rights)> {
        let right = |is_writable| match is_writable {
            true => Rights::ReadWrite,
            false => Rights::ReadOnly,
        };
        let mounts = self.mounts.iter();
        mounts
            .map(|(path, is_writable)| (path.clone(), right(*is_writable)))
            .collect()
    }

    /// Returns the part of the session's way out.
    pub(super) fn scope(&self) -> Scope {
        Scope {
            hosts: self
                .hosts
                .iter()
                .map(|host| HostPattern::new(host))
                .collect(),
            sockets: self.sockets.clone(),
            secrets: self.secrets.clone(),
        }
    }

    /// Returns the bounds of a call.
    pub(super) fn limits(&self, most: &Limits) -> Limits {
        let mut limits = most.clone();
        if let Some(bytes) = self.memory_bytes {
            limits.memory_bytes = limits.memory_bytes.min(bytes);
        }
        if let Some(milliseconds) = self.wall_ms {
            let time = Duration::from_millis(milliseconds);
            limits.wall_time = limits.wall_time.min(time);
            limits.cpu_time = limits.cpu_time.min(time);
        }
        if let Some(bytes) = self.output_bytes {
            limits.output_bytes = limits.output_bytes.min(bytes);
        }
        limits
    }
}

/// Returns whichever of two texts is in the other one, as `is_in` says of an inner and an outer one.
fn inner<'a>(one: &'a str, other: &'a str, is_in: fn(&str, &str) -> bool) -> Option<&'a str> {
    if is_in(one, other) {
        Some(one)
    } else if is_in(other, one) {
        Some(other)
    } else {
        None
    }
}

/// Tells whether a directory lies in another one, or is it.
fn is_below(inner: &str, outer: &str) -> bool {
    let rest = inner.strip_prefix(outer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Tells whether a pattern of hosts fits only what another one fits too.
fn is_narrower(inner: &str, outer: &str) -> bool {
    let below = inner.strip_prefix("*.").unwrap_or(inner);
    inner.eq_ignore_ascii_case(outer)
        || (outer.starts_with("*.") && HostPattern::new(outer).fits(below))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_read_grants_nothing() {
        assert_eq!(Grants::read(&Value::Null), Grants::default());
        let odd = json!({"mounts": [7, {"access": "read_write"}], "hosts": "all", "sockets": ["x"], "secrets": {}});
        assert_eq!(Grants::read(&odd), Grants::default());
        let mount = json!({"mounts": [{"path": "/workspace", "access": "everything"}]});
        assert_eq!(
            Grants::read(&mount).mounts,
            [("/workspace".to_owned(), false)]
        );
    }

    #[test]
    fn two_grants_leave_what_both_have() {
        let read = |value: Value| Grants::read(&value);
        let own = read(json!({
            "mounts": [{"path": "/workspace", "access": "read_write"}, {"path": "/tmp", "access": "read_only"}],
            "hosts": ["api.example.com", "*.example.org", "a.test"],
            "sockets": ["127.0.0.1:5432", "127.0.0.1:1"],
            "environment": {"A": "1"},
            "secrets": ["TOKEN", "OTHER"],
            "limits": {"wall_ms": 5, "memory_bytes": null},
        }));
        let above = read(json!({
            "mounts": [{"path": "/workspace/data", "access": "read_only"}, {"path": "/tmp", "access": "read_write"},
                {"path": "/workspaces", "access": "read_write"}],
            "hosts": ["*.example.com", "b.example.org", "a.test"],
            "sockets": ["127.0.0.1:5432"],
            "environment": {"B": "2"},
            "secrets": ["TOKEN"],
            "limits": {"wall_ms": 9, "memory_bytes": 7},
        }));
        let both = own.within(&above);
        assert_eq!(
            both.mounts,
            [
                ("/tmp".to_owned(), false),
                ("/workspace/data".to_owned(), false)
            ]
        );
        assert_eq!(both.hosts, ["a.test", "api.example.com", "b.example.org"]);
        assert_eq!(both.sockets.len(), 1);
        assert_eq!(both.environment, own.environment);
        assert_eq!(both.secrets, BTreeSet::from(["TOKEN".to_owned()]));
        assert_eq!((both.wall_ms, both.memory_bytes), (Some(5), Some(7)));
        assert_eq!(
            own.within(&Grants::default()).mounts,
            Grants::default().mounts
        );
        assert_eq!(own.within(&own).hosts.len(), own.hosts.len());
    }
}
