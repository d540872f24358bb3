//! Reading what a credential is: the part that is shown, the key it has in its vault, and the secrets.

use serde_json::{Value, json};
use url::Url;

use super::{networking, refresh};
use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::clock::{Timestamp, rfc3339};
use crate::json::Fields as _;
use crate::secrets::{Bundle, Secret};
use crate::vault::{ACCESS_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, SECRET_VALUE, TOKEN, normal_url};

/// Longest secret in characters.
const SECRET_CHARACTERS_MAX: usize = 65_536;
/// Longest URL in characters.
const URL_CHARACTERS_MAX: usize = 2_048;
/// Longest name of an environment variable in characters.
const SECRET_NAME_CHARACTERS_MAX: usize = 255;

const TYPES: [&str; 3] = ["mcp_oauth", "static_bearer", "environment_variable"];

/// A new credential's `auth`.
pub(super) struct Auth {
    /// What the wire shows.
    pub(super) shown: Value,
    /// What no other live credential of the vault may have.
    pub(super) key: String,
    /// The field that the key comes from, for messages.
    pub(super) key_field: &'static str,
    /// What is sealed.
    pub(super) secrets: Bundle,
}

/// A changed `auth`.
pub(super) struct Changed {
    /// What the wire shows.
    pub(super) shown: Value,
    /// The secrets are to be sealed anew.
    pub(super) has_new_secrets: bool,
}

/// Reads the `auth` of a new credential.
pub(super) fn create(spot: Spot) -> Result<Auth, Invalid> {
    let (tag, mut fields) = spot.tagged()?;
    let kind = tag.one_of(&TYPES)?;
    let mut secrets = Bundle::default();
    let auth = if kind == "environment_variable" {
        let name = secret_name(fields.required("secret_name")?)?;
        secrets.set(SECRET_VALUE, secret(fields.required(SECRET_VALUE)?)?);
        let networking = networking::read(fields.required("networking")?)?;
        let location = networking::create_location(fields.take("injection_location"))?;
        Auth {
            key: format!("variable {name}"),
            key_field: "secret_name",
            shown: json!({
                "type": kind,
                "secret_name": name,
                "networking": networking,
                "injection_location": location,
            }),
            secrets,
        }
    } else {
        let (url, normal) = url(fields.required("mcp_server_url")?)?;
        let mut shown = json!({"type": kind, "mcp_server_url": url});
        if kind == "static_bearer" {
            secrets.set(TOKEN, secret(fields.required(TOKEN)?)?);
        } else {
            secrets.set(ACCESS_TOKEN, secret(fields.required(ACCESS_TOKEN)?)?);
            shown.set("expires_at", expires_at(fields.take("expires_at"))?);
            let refresh = match fields.take("refresh").given() {
                Some(spot) => refresh::create(spot, &mut secrets)?,
                None => Value::Null,
            };
            shown.set("refresh", refresh);
        }
        Auth {
            key: format!("server {normal}"),
            key_field: "mcp_server_url",
            shown,
            secrets,
        }
    };
    fields.finish()?;
    Ok(auth)
}

/// Applies a change to the `auth` of a stored credential. Its type must be named again; what is absent stays.
pub(super) fn update(stored: &Value, secrets: &mut Bundle, spot: Spot) -> Result<Changed, Invalid> {
    let kind = stored.at("type").as_str().unwrap_or_default().to_owned();
    let (tag, mut fields) = spot.tagged()?;
    if tag.value != *kind {
        let message = format!("the credential's type is {kind:?} and stays so");
        return Err(tag.refuse(message));
    }
    refuse_fixed(&mut fields, &["mcp_server_url", "secret_name"])?;
    let mut shown = stored.clone();
    let mut has_new_secrets = false;
    let name = match kind.as_str() {
        "static_bearer" => TOKEN,
        "environment_variable" => SECRET_VALUE,
        _ => ACCESS_TOKEN,
    };
    // Null keeps it: a credential always has its secret.
    if let Some(spot) = fields.take(name).given() {
        secrets.set(name, secret(spot)?);
        has_new_secrets = true;
    }
    match kind.as_str() {
        "environment_variable" => {
            if let Some(spot) = fields.take("networking").given() {
                shown.set("networking", networking::read(spot)?);
            }
            let location = fields.take("injection_location");
            let location =
                networking::update_location(stored.at("injection_location"), location, &fields)?;
            shown.set("injection_location", location);
        }
        "mcp_oauth" => {
            match fields.take("expires_at") {
                Field::Absent => {}
                field => shown.set("expires_at", expires_at(field)?),
            }
            match fields.take("refresh") {
                Field::Absent => {}
                Field::Null => {
                    has_new_secrets |= !stored.at("refresh").is_null();
                    shown.set("refresh", Value::Null);
                    secrets.remove(REFRESH_TOKEN);
                    secrets.remove(CLIENT_SECRET);
                }
                Field::Given(spot) => {
                    let (refresh, is_new) = refresh::update(stored.at("refresh"), secrets, spot)?;
                    shown.set("refresh", refresh);
                    has_new_secrets |= is_new;
                }
            }
        }
        _ => {}
    }
    fields.finish()?;
    Ok(Changed {
        shown,
        has_new_secrets,
    })
}

/// Reads a secret. No refusal repeats it.
pub(super) fn secret(spot: Spot) -> Result<Secret, Invalid> {
    Ok(Secret::from_text(spot.text(1, SECRET_CHARACTERS_MAX)?))
}

/// Reads an http or https URL, and returns it beside the form by which it is compared.
pub(super) fn url(spot: Spot) -> Result<(String, String), Invalid> {
    let path = spot.path.clone();
    let text = spot.text(1, URL_CHARACTERS_MAX)?;
    let refuse = |message: &str| Err(Invalid::at(path, message));
    let Some((url, normal)) = Url::parse(&text).ok().zip(normal_url(&text)) else {
        return refuse("expected an http or https URL");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("expected an http or https URL");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold credentials");
    }
    Ok((text, normal))
}

fn expires_at(field: Field) -> Result<Value, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(Value::Null);
    };
    let path = spot.path.clone();
    match spot.string()?.parse::<Timestamp>() {
        Ok(at) => Ok(json!(rfc3339(at))),
        Err(_) => Err(Invalid::at(
            path,
            "expected a time such as 2026-01-31T12:00:00Z",
        )),
    }
}

fn secret_name(spot: Spot) -> Result<String, Invalid> {
    let path = spot.path.clone();
    let name = spot.text(1, SECRET_NAME_CHARACTERS_MAX)?;
    let is_start = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let is_name = name.bytes().next().is_some_and(is_start)
        && name.bytes().all(|b| is_start(b) || b.is_ascii_digit());
    if !is_name {
        let message = "expected the name of an environment variable: letters, digits and _, not \
                       beginning with a digit";
        return Err(Invalid::at(path, message));
    }
    Ok(name)
}

/// Refuses fields that are fixed when a credential is created.
pub(super) fn refuse_fixed(fields: &mut Fields, names: &[&str]) -> Result<(), Invalid> {
    for name in names {
        if !matches!(fields.take(name), Field::Absent) {
            let message = "this field is fixed when the credential is created";
            return Err(Invalid::at(fields.path_of(name), message));
        }
    }
    Ok(())
}
