//! Where the secret of an environment variable may go: to which hosts, and in which part of a request.

use serde_json::{Value, json};

use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::api::names::is_host;
use crate::json::Fields as _;

/// Most hosts of one credential.
const HOSTS_MAX: usize = 16;
/// Longest host in characters, `*.` included.
const HOST_CHARACTERS_MAX: usize = 257;

/// Reads `networking`.
pub(super) fn read(spot: Spot) -> Result<Value, Invalid> {
    let (tag, mut fields) = spot.tagged()?;
    let kind = tag.one_of(&["unrestricted", "limited"])?;
    let mut networking = json!({"type": kind});
    if kind == "limited" {
        let spot = fields.required("allowed_hosts")?;
        let path = spot.path.clone();
        let hosts = spot.array(HOSTS_MAX)?;
        if hosts.is_empty() {
            return Err(Invalid::at(path, "at least one host is needed"));
        }
        let hosts = hosts.into_iter().map(host).collect::<Result<Vec<_>, _>>()?;
        networking.set("allowed_hosts", json!(hosts));
    }
    fields.finish()?;
    Ok(networking)
}

fn host(entry: Spot) -> Result<String, Invalid> {
    let path = entry.path.clone();
    let host = entry.text(1, HOST_CHARACTERS_MAX)?;
    if is_host(host.strip_prefix("*.").unwrap_or(&host)) {
        return Ok(host);
    }
    let message =
        "expected a host name such as api.example.com or *.example.com, or an IPv4 address";
    Err(Invalid::at(path, message))
}

/// Reads the `injection_location` of a new credential: both places when absent, else those that are named.
pub(super) fn create_location(field: Field) -> Result<Value, Invalid> {
    match field {
        Field::Absent => Ok(json!({"header": true, "body": true})),
        Field::Null => Err(null("auth.injection_location")),
        Field::Given(spot) => location(&json!({"header": false, "body": false}), spot),
    }
}

/// Applies a change to a stored `injection_location`.
pub(super) fn update_location(
    stored: &Value,
    field: Field,
    fields: &Fields,
) -> Result<Value, Invalid> {
    match field {
        Field::Absent => Ok(stored.clone()),
        Field::Null => Err(null(&fields.path_of("injection_location"))),
        Field::Given(spot) => location(stored, spot),
    }
}

fn location(base: &Value, spot: Spot) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    let mut fields = spot.object()?;
    let mut location = base.clone();
    for name in ["header", "body"] {
        match fields.take(name) {
            Field::Absent => {}
            Field::Null => return Err(null(&fields.path_of(name))),
            Field::Given(spot) => location.set(name, json!(spot.boolean()?)),
        }
    }
    fields.finish()?;
    if location.at("header") == false && location.at("body") == false {
        let message = "at least one of header and body must be true";
        return Err(Invalid::at(path, message));
    }
    Ok(location)
}

fn null(path: &str) -> Invalid {
    Invalid::at(path, "must not be null")
}
