//! The part `tools` of the block `sinew`: registered components that an agent has, each with what it grants them.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::tools::Grant;
use crate::api::body::{Fields, Invalid, Spot};
use crate::api::names::is_name;
use crate::json::Fields as _;

/// Most components of one agent.
const COMPONENTS_MAX: usize = 64;
/// Most functions that an agent speaks of one by one.
const CONFIGS_MAX: usize = 256;
/// Longest name of a component, a function, or a variable, in characters.
const NAME_CHARACTERS_MAX: usize = 64;
/// Longest prefix in characters.
const PREFIX_CHARACTERS_MAX: usize = 32;
/// Most mounts, hosts, sockets, variables and credentials of one component.
const GRANTS_MAX: usize = 64;
/// Longest path, host and value of a variable, in characters.
const PATH_CHARACTERS_MAX: usize = 1_000;
const HOST_CHARACTERS_MAX: usize = 255;
const VALUE_CHARACTERS_MAX: usize = 8_000;
const SOCKET_CHARACTERS_MAX: usize = 64;
/// Smallest memory that a component can do anything with: two of its pages.
const MEMORY_BYTES_MIN: u64 = 128 << 10;

/// What a function may do unless the agent says otherwise: it reaches nothing but what is granted.
const DEFAULT: Grant = Grant {
    is_enabled: true,
    policy: "always_allow",
};

/// Tells whether a text can be the name of a registered component.
pub fn is_component_name(text: &str) -> bool {
    is_name(text, NAME_CHARACTERS_MAX, "-_") && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Reads the list.
pub(super) fn read(spot: Spot) -> Result<Value, Invalid> {
    let mut sets: Vec<Value> = Vec::new();
    for entry in spot.array(COMPONENTS_MAX)? {
        let path = entry.path.clone();
        let set = component(entry.object()?)?;
        let identity = |set: &Value| (set.at("name").clone(), set.at("prefix").clone());
        if sets.iter().any(|other| identity(other) == identity(&set)) {
            let message = "another entry has this component; give one of them another prefix";
            return Err(Invalid::at(path, message));
        }
        sets.push(set);
    }
    Ok(Value::Array(sets))
}

fn component(mut fields: Fields) -> Result<Value, Invalid> {
    let name = name(fields.required("name")?)?;
    let version = match fields.take("version").given() {
        Some(spot) => version(spot)?,
        None => json!("latest"),
    };
    let prefix = match fields.take("prefix").given() {
        Some(spot) => prefix(spot)?,
        None => String::new(),
    };
    let default = DEFAULT.default_config(fields.take("default_config"))?;
    let mut configs: Vec<Value> = Vec::new();
    if let Some(spot) = fields.take("configs").given() {
        for entry in spot.array(CONFIGS_MAX)? {
            let path = entry.path.clone();
            let mut fields = entry.object()?;
            let name = fields.required("name")?.text(1, NAME_CHARACTERS_MAX)?;
            let mut config = default.overridden_by(&mut fields)?.to_json();
            fields.finish()?;
            if configs.iter().any(|other| *other.at("name") == *name) {
                let message = "another entry configures the same function";
                return Err(Invalid::at(path, message));
            }
            config.set("name", json!(name));
            configs.push(config);
        }
    }
    let grants = match fields.take("grants").given() {
        Some(spot) => grants(spot.object()?)?,
        None => grants(Fields::root(Map::new()))?,
    };
    fields.finish()?;
    Ok(json!({
        "name": name,
        "version": version,
        "prefix": prefix,
        "default_config": default.to_json(),
        "configs": configs,
        "grants": grants,
    }))
}

/// Reads the name of a registered component.
pub(super) fn name(spot: Spot) -> Result<String, Invalid> {
    let path = spot.path.clone();
    let name = spot.text(1, NAME_CHARACTERS_MAX)?;
    if is_component_name(&name) {
        return Ok(name);
    }
    let message = format!(
        "expected the name of a registered component: a letter, then up to {NAME_CHARACTERS_MAX} letters, digits, - or _"
    );
    Err(Invalid::at(path, message))
}

/// Reads `latest`, a number, or the digest of a component.
pub(super) fn version(spot: Spot) -> Result<Value, Invalid> {
    if spot.value.is_number() {
        return Ok(json!(spot.integer(1, i64::MAX as u64)?));
    }
    let path = spot.path.clone();
    let text = spot.string()?;
    let digest = text.strip_prefix("sha256:").unwrap_or_default();
    let is_digest = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    match text == "latest" || is_digest {
        true => Ok(json!(text.to_ascii_lowercase())),
        false => {
            let message = "expected \"latest\", the number of a version, or sha256: and 64 hexadecimal digits";
            Err(Invalid::at(path, message))
        }
    }
}

fn prefix(spot: Spot) -> Result<String, Invalid> {
    let path = spot.path.clone();
    let prefix = spot.text(0, PREFIX_CHARACTERS_MAX)?;
    match prefix.is_empty() || is_name(&prefix, PREFIX_CHARACTERS_MAX, "_-") {
        true => Ok(prefix),
        false => Err(Invalid::at(path, "expected letters, digits, _ or -")),
    }
}

/// Reads `{mounts, hosts, sockets, environment, secrets, limits}`; what is left out is not granted.
pub(super) fn grants(mut fields: Fields) -> Result<Value, Invalid> {
    let mut lists = json!({});
    type Reader = fn(Spot) -> Result<Value, Invalid>;
    let readers: [(&str, Reader); 4] = [
        ("mounts", mount),
        ("hosts", host),
        ("sockets", socket),
        ("secrets", secret),
    ];
    for (name, reader) in readers {
        let mut items: Vec<Value> = Vec::new();
        if let Some(spot) = fields.take(name).given() {
            for spot in spot.array(GRANTS_MAX)? {
                let path = spot.path.clone();
                let item = reader(spot)?;
                if name == "mounts" {
                    check_apart(&items, &item).map_err(|why| Invalid::at(path, why))?;
                }
                items.push(item);
            }
        }
        lists.set(name, Value::Array(items));
    }
    let mut environment = Map::new();
    if let Some(spot) = fields.take("environment").given() {
        let path = spot.path.clone();
        let Value::Object(given) = spot.value else {
            return Err(Invalid::at(path, "expected an object of variables"));
        };
        if given.len() > GRANTS_MAX {
            return Err(Invalid::at(path, format!("at most {GRANTS_MAX} variables")));
        }
        for (name, value) in given {
            let path = format!("{path}.{name}");
            check_variable(&name).map_err(|why| Invalid::at(path.clone(), why))?;
            let value = Spot { path, value }.text(0, VALUE_CHARACTERS_MAX)?;
            environment.insert(name, json!(value));
        }
    }
    lists.set("environment", Value::Object(environment));
    let mut limits = json!({"memory_bytes": null, "wall_ms": null, "output_bytes": null});
    if let Some(spot) = fields.take("limits").given() {
        let mut fields = spot.object()?;
        let mins = [
            ("memory_bytes", MEMORY_BYTES_MIN),
            ("wall_ms", 1),
            ("output_bytes", 1),
        ];
        for (name, min) in mins {
            if let Some(spot) = fields.take(name).given() {
                limits.set(name, json!(spot.integer(min, i64::MAX as u64)?));
            }
        }
        fields.finish()?;
    }
    lists.set("limits", limits);
    fields.finish()?;
    Ok(lists)
}

/// Reads a path, which then can be read only, or `{path, access: read_only | read_write}`.
fn mount(spot: Spot) -> Result<Value, Invalid> {
    let (path, access) = if spot.value.is_string() {
        (spot, "read_only")
    } else {
        let mut fields = spot.object()?;
        let path = fields.required("path")?;
        let access = match fields.take("access").given() {
            Some(spot) => spot.one_of(&["read_only", "read_write"])?,
            None => "read_only",
        };
        fields.finish()?;
        (path, access)
    };
    let place = path.path.clone();
    let path = path.text(2, PATH_CHARACTERS_MAX)?;
    let names = path.strip_prefix('/').unwrap_or_default();
    let is_plain = !names.is_empty()
        && names
            .split('/')
            .all(|name| !matches!(name, "" | "." | "..") && !name.contains('\0'));
    match is_plain {
        true => Ok(json!({"path": path, "access": access})),
        false => {
            let message =
                "expected the whole path of a directory of the session, such as /workspace";
            Err(Invalid::at(place, message))
        }
    }
}

/// Refuses a directory that lies in another one of the list, or around it.
fn check_apart(others: &[Value], mount: &Value) -> Result<(), String> {
    let path = |mount: &Value| mount.at("path").as_str().unwrap_or_default().to_owned() + "/";
    let own = path(mount);
    let near = others
        .iter()
        .map(path)
        .find(|other| own.starts_with(other.as_str()) || other.starts_with(own.as_str()));
    match near {
        Some(_) => Err("lies in another one of these directories, or around it".to_owned()),
        None => Ok(()),
    }
}

fn host(spot: Spot) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    let host = spot.text(1, HOST_CHARACTERS_MAX)?;
    let name = host.strip_prefix("*.").unwrap_or(&host);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    match !name.is_empty() && name.bytes().all(is_host) {
        true => Ok(json!(host.to_ascii_lowercase())),
        false => {
            let message = "expected the name of a host, or *. and a name for every one below it, without scheme and path";
            Err(Invalid::at(path, message))
        }
    }
}

fn socket(spot: Spot) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    let text = spot.text(1, SOCKET_CHARACTERS_MAX)?;
    match text.parse::<SocketAddr>() {
        Ok(address) => Ok(json!(address.to_string())),
        Err(_) => {
            let message = "expected an address and a port, such as 10.0.0.5:5432";
            Err(Invalid::at(path, message))
        }
    }
}

fn secret(spot: Spot) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    let name = spot.text(1, NAME_CHARACTERS_MAX)?;
    check_variable(&name).map_err(|why| Invalid::at(path, why))?;
    Ok(json!(name))
}

pub(super) fn check_variable(name: &str) -> Result<(), String> {
    let is_fit =
        is_name(name, NAME_CHARACTERS_MAX, "_") && !name.starts_with(|c: char| c.is_ascii_digit());
    match is_fit {
        true => Ok(()),
        false => Err("expected the name of a variable: letters, digits and _".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_list(value: Value) -> Result<Value, String> {
        let spot = Spot {
            path: "sinew.tools".to_owned(),
            value,
        };
        read(spot).map_err(|error| error.to_string())
    }

    #[test]
    fn a_component_is_stored_in_full_and_granted_nothing_by_itself() {
        let stored = read_list(json!([{"name": "csv"}])).unwrap();
        let empty = json!({"mounts": [], "hosts": [], "sockets": [], "secrets": [], "environment": {},
            "limits": {"memory_bytes": null, "wall_ms": null, "output_bytes": null}});
        assert_eq!(
            stored,
            json!([{"name": "csv", "version": "latest", "prefix": "", "configs": [], "grants": empty,
                "default_config": {"enabled": true, "permission_policy": {"type": "always_allow"}}}])
        );
        assert_eq!(read_list(stored.clone()), Ok(stored));
        let digest = format!("sha256:{}", "AB".repeat(32));
        let all = read_list(json!([{
            "name": "csv", "version": digest, "prefix": "my_",
            "configs": [{"name": "query", "permission_policy": {"type": "always_ask"}}],
            "grants": {
                "mounts": ["/workspace/in", {"path": "/mnt/session/outputs", "access": "read_write"}],
                "hosts": ["API.example.com", "*.example.org"], "sockets": ["127.0.0.1:5432"],
                "environment": {"TZ": "UTC"}, "secrets": ["TOKEN"], "limits": {"wall_ms": 5000},
            },
        }, {"name": "csv", "version": 3}]))
        .unwrap();
        assert_eq!(
            all[0]["grants"]["mounts"][0],
            json!({"path": "/workspace/in", "access": "read_only"})
        );
        assert_eq!(all[0]["version"], json!(digest.to_lowercase()));
        assert_eq!(all[0]["grants"]["hosts"][0], "api.example.com");
        assert_eq!(read_list(all.clone()), Ok(all));
    }

    #[test]
    fn a_wrong_entry_is_refused_with_its_place() {
        let grants = |grants: Value| json!([{"name": "a", "grants": grants}]);
        for (given, fragment) in [
            (json!({}), "sinew.tools"),
            (json!([{}]), "name"),
            (json!([{"name": "7a"}]), "sinew.tools.0.name"),
            (json!([{"name": "a/b"}]), "sinew.tools.0.name"),
            (
                json!([{"name": "a", "version": 0}]),
                "sinew.tools.0.version",
            ),
            (
                json!([{"name": "a", "version": "newest"}]),
                "sinew.tools.0.version",
            ),
            (
                json!([{"name": "a", "prefix": "a b"}]),
                "sinew.tools.0.prefix",
            ),
            (
                json!([{"name": "a"}, {"name": "a", "version": 2}]),
                "sinew.tools.1",
            ),
            (json!([{"name": "a", "mounts": []}]), "mounts"),
            (
                json!([{"name": "a", "configs": [{"name": "f"}, {"name": "f"}]}]),
                "sinew.tools.0.configs.1",
            ),
            (
                grants(json!({"mounts": ["workspace"]})),
                "sinew.tools.0.grants.mounts.0",
            ),
            (
                grants(json!({"mounts": ["/a/../b"]})),
                "sinew.tools.0.grants.mounts.0",
            ),
            (
                grants(json!({"mounts": ["/a", "/a/b"]})),
                "sinew.tools.0.grants.mounts.1",
            ),
            (
                grants(json!({"mounts": ["/a/b", "/a"]})),
                "sinew.tools.0.grants.mounts.1",
            ),
            (
                grants(json!({"mounts": [{"path": "/a", "access": "all"}]})),
                "sinew.tools.0.grants.mounts.0.access",
            ),
            (
                grants(json!({"hosts": ["https://a.test/"]})),
                "sinew.tools.0.grants.hosts.0",
            ),
            (
                grants(json!({"hosts": ["*"]})),
                "sinew.tools.0.grants.hosts.0",
            ),
            (
                grants(json!({"sockets": ["db:5432"]})),
                "sinew.tools.0.grants.sockets.0",
            ),
            (
                grants(json!({"environment": {"A=B": "1"}})),
                "sinew.tools.0.grants.environment.A=B",
            ),
            (
                grants(json!({"environment": {"A": 1}})),
                "sinew.tools.0.grants.environment.A",
            ),
            (
                grants(json!({"secrets": ["A B"]})),
                "sinew.tools.0.grants.secrets.0",
            ),
            (
                grants(json!({"limits": {"memory_bytes": 1}})),
                "sinew.tools.0.grants.limits.memory_bytes",
            ),
            (grants(json!({"limits": {"fuel": 1}})), "fuel"),
            (grants(json!({"files": []})), "files"),
        ] {
            let error = read_list(given.clone()).unwrap_err();
            assert!(error.contains(fragment), "{given}: {error}");
        }
    }
}
