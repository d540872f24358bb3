//! What an environment is: validation and normalisation of its fields, without any effect.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::api::metadata::{self, EmptyValue, Metadata};
use crate::api::names::is_host;

/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 256;
/// Longest description in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 2_048;
/// Most hosts of a limited network.
const HOSTS_MAX: usize = 1_000;
/// Longest host in characters, `*.` included.
const HOST_CHARACTERS_MAX: usize = 257;
/// Most connections of their own that guests may open, and the longest text of one.
const SOCKETS_MAX: usize = 100;
const SOCKET_CHARACTERS_MAX: usize = 64;
/// Most packages of one manager.
const PACKAGES_MAX: usize = 1_000;
const PACKAGE_MANAGERS: [&str; 6] = ["apt", "cargo", "gem", "go", "npm", "pip"];

/// A whole, valid environment, with the field names and shapes of the wire.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct EnvironmentConfig {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) config: Value,
    pub(super) metadata: Metadata,
    pub(super) scope: String,
    /// Ours, not the wire's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sinew: Option<Value>,
}

impl EnvironmentConfig {
    pub(super) fn to_body(&self) -> Value {
        // Cannot fail: every map in here has strings as keys.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Reads a new environment.
pub(super) fn create(mut fields: Fields) -> Result<EnvironmentConfig, Invalid> {
    let environment = EnvironmentConfig {
        name: fields.required("name")?.text(1, NAME_CHARACTERS_MAX)?,
        description: read_description(fields.take("description"), None)?,
        config: read_config(fields.take("config"), None)?,
        metadata: metadata::create(fields.take("metadata"))?,
        scope: read_scope(fields.take("scope"))?,
        sinew: read_ours(fields.take("sinew"))?,
    };
    fields.finish()?;
    Ok(environment)
}

/// Applies an update.
pub(super) fn update(
    stored: &EnvironmentConfig,
    mut fields: Fields,
) -> Result<EnvironmentConfig, Invalid> {
    let name = fields.take("name").given();
    let environment = EnvironmentConfig {
        name: name.map_or(Ok(stored.name.clone()), |spot| {
            spot.text(1, NAME_CHARACTERS_MAX)
        })?,
        description: read_description(fields.take("description"), stored.description.clone())?,
        config: read_config(fields.take("config"), Some(&stored.config))?,
        metadata: metadata::patch(
            &stored.metadata,
            fields.take("metadata"),
            EmptyValue::Deletes,
        )?,
        scope: read_scope(fields.take("scope"))?,
        sinew: match fields.take("sinew") {
            Field::Absent => stored.sinew.clone(),
            given => read_ours(given)?,
        },
    };
    fields.finish()?;
    Ok(environment)
}

/// Reads `{sockets: ["ADDRESS:PORT"]}`; null and nothing in it are none.
fn read_ours(field: Field) -> Result<Option<Value>, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(None);
    };
    let mut fields = spot.object()?;
    let mut sockets = Vec::new();
    if let Some(spot) = fields.take("sockets").given() {
        for spot in spot.array(SOCKETS_MAX)? {
            let path = spot.path.clone();
            let text = spot.text(1, SOCKET_CHARACTERS_MAX)?;
            let Ok(address) = text.parse::<SocketAddr>() else {
                let message =
                    "expected an address and a port, such as 10.0.0.5:5432 or [2001:db8::1]:5432";
                return Err(Invalid::at(path, message));
            };
            sockets.push(address.to_string());
        }
    }
    fields.finish()?;
    Ok((!sockets.is_empty()).then(|| json!({ "sockets": sockets })))
}

/// Null clears; unlike an agent's, an empty description is stored as it is.
fn read_description(field: Field, stored: Option<String>) -> Result<Option<String>, Invalid> {
    match field {
        Field::Absent => Ok(stored),
        Field::Null => Ok(None),
        Field::Given(spot) => spot.text(0, DESCRIPTION_CHARACTERS_MAX).map(Some),
    }
}

fn read_scope(field: Field) -> Result<String, Invalid> {
    let Some(spot) = field.given() else {
        return Ok("organization".to_owned());
    };
    let path = spot.path.clone();
    match spot.one_of(&["organization", "account"])? {
        "organization" => Ok("organization".to_owned()),
        _ => Err(Invalid::at(
            path,
            "this server has no accounts; use \"organization\"",
        )),
    }
}

/// Tells whether the tools of an environment's sessions run at a worker of its owner. Takes the stored or the wire
/// form.
pub(super) fn is_self_hosted(environment: &Value) -> bool {
    environment
        .get("config")
        .is_some_and(|config| tag_of(config) == "self_hosted")
}

fn read_config(field: Field, stored: Option<&Value>) -> Result<Value, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(stored.cloned().unwrap_or_else(default_config));
    };
    let (tag, mut fields) = spot.tagged()?;
    let path = tag.path.clone();
    let kind = tag.one_of(&["cloud", "self_hosted"])?;
    let stored_kind = stored.map_or("cloud", |stored| tag_of(stored));
    if stored.is_some() && kind != stored_kind {
        let message = format!("the environment is {stored_kind:?} and stays so");
        return Err(Invalid::at(path, message).with_code("invalid_config_type_change"));
    }
    if kind == "self_hosted" {
        fields.finish()?;
        return Ok(json!({ "type": "self_hosted" }));
    }
    let part = |name| stored.and_then(|stored| stored.get(name));
    let networking = read_networking(fields.take("networking"), part("networking"))?;
    let packages = read_packages(fields.take("packages"))?;
    fields.finish()?;
    Ok(json!({ "type": "cloud", "networking": networking, "packages": packages }))
}

fn default_config() -> Value {
    json!({
        "type": "cloud",
        "networking": { "type": "unrestricted" },
        "packages": no_packages(),
    })
}

fn read_networking(field: Field, stored: Option<&Value>) -> Result<Value, Invalid> {
    let Some(spot) = field.given() else {
        let unrestricted = || json!({ "type": "unrestricted" });
        return Ok(stored.cloned().unwrap_or_else(unrestricted));
    };
    let (tag, mut fields) = spot.tagged()?;
    let networking = match tag.one_of(&["unrestricted", "limited"])? {
        "unrestricted" => json!({ "type": "unrestricted" }),
        _ => {
            let stored = stored.filter(|stored| tag_of(stored) == "limited");
            let kept = |name| stored.and_then(|stored| stored.get(name)).cloned();
            let mut networking = json!({ "type": "limited" });
            for name in ["allow_mcp_servers", "allow_package_managers"] {
                let value = match fields.take(name).given() {
                    Some(spot) => Value::Bool(spot.boolean()?),
                    None => kept(name).unwrap_or(Value::Bool(false)),
                };
                set(&mut networking, name, value);
            }
            let hosts = match fields.take("allowed_hosts").given() {
                Some(spot) => read_hosts(spot)?,
                None => kept("allowed_hosts").unwrap_or_else(|| json!([])),
            };
            set(&mut networking, "allowed_hosts", hosts);
            networking
        }
    };
    fields.finish()?;
    Ok(networking)
}

fn read_hosts(spot: Spot) -> Result<Value, Invalid> {
    let mut hosts = Vec::new();
    for entry in spot.array(HOSTS_MAX)? {
        let path = entry.path.clone();
        let host = entry.text(1, HOST_CHARACTERS_MAX)?;
        if !is_host(host.strip_prefix("*.").unwrap_or(&host)) {
            let message = "expected a bare host name such as api.example.com or *.example.com";
            return Err(Invalid::at(path, message));
        }
        hosts.push(Value::String(host));
    }
    Ok(Value::Array(hosts))
}

fn read_packages(field: Field) -> Result<Value, Invalid> {
    let packages = no_packages();
    let Some(spot) = field.given() else {
        return Ok(packages);
    };
    let mut fields = spot.object()?;
    if let Some(tag) = fields.take("type").given() {
        tag.one_of(&["packages"])?;
    }
    for manager in PACKAGE_MANAGERS {
        let Some(spot) = fields.take(manager).given() else {
            continue;
        };
        let path = spot.path.clone();
        if !spot.array(PACKAGES_MAX)?.is_empty() {
            return Err(Invalid::at(
                path,
                "this server's hands cannot install packages yet; leave the list empty",
            ));
        }
    }
    fields.finish()?;
    Ok(packages)
}

fn no_packages() -> Value {
    let mut packages = json!({ "type": "packages" });
    for manager in PACKAGE_MANAGERS {
        set(&mut packages, manager, json!([]));
    }
    packages
}

fn tag_of(value: &Value) -> &str {
    value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
