//! How an OAuth token is refreshed: the shown part, and its secrets.

use serde_json::{Value, json};

use super::auth::{refuse_fixed, secret, url};
use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::json::Fields as _;
use crate::secrets::Bundle;
use crate::vault::{CLIENT_SECRET, REFRESH_TOKEN};

/// Longest client id, scope or resource in characters.
const TEXT_CHARACTERS_MAX: usize = 2_048;
const WITH_SECRET: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// Reads the `refresh` of a new credential.
pub(super) fn create(spot: Spot, secrets: &mut Bundle) -> Result<Value, Invalid> {
    let mut fields = spot.object()?;
    let client_id = fields.required("client_id")?.text(1, TEXT_CHARACTERS_MAX)?;
    secrets.set(REFRESH_TOKEN, secret(fields.required("refresh_token")?)?);
    let (token_endpoint, _) = url(fields.required("token_endpoint")?)?;
    let (tag, mut auth) = fields.required("token_endpoint_auth")?.tagged()?;
    let kind = tag.one_of(&["none", WITH_SECRET[0], WITH_SECRET[1]])?;
    if kind != "none" {
        secrets.set(CLIENT_SECRET, secret(auth.required("client_secret")?)?);
    }
    auth.finish()?;
    let resource = optional(&mut fields, "resource")?;
    let scope = optional(&mut fields, "scope")?;
    fields.finish()?;
    Ok(json!({
        "client_id": client_id,
        "token_endpoint": token_endpoint,
        "token_endpoint_auth": {"type": kind},
        "resource": resource,
        "scope": scope,
    }))
}

/// Applies a change to a stored `refresh`, and tells whether a secret is new.
pub(super) fn update(
    stored: &Value,
    secrets: &mut Bundle,
    spot: Spot,
) -> Result<(Value, bool), Invalid> {
    if stored.is_null() {
        let message = "the credential was created without refresh, whose client_id and token_endpoint are fixed then";
        return Err(spot.refuse(message));
    }
    let mut fields = spot.object()?;
    refuse_fixed(&mut fields, &["client_id", "token_endpoint", "resource"])?;
    let mut shown = stored.clone();
    let mut is_new = false;
    if let Some(spot) = fields.take("refresh_token").given() {
        secrets.set(REFRESH_TOKEN, secret(spot)?);
        is_new = true;
    }
    match fields.take("scope") {
        Field::Absent => {}
        Field::Null => shown.set("scope", Value::Null),
        Field::Given(spot) => match spot.text(0, TEXT_CHARACTERS_MAX)? {
            empty if empty.is_empty() => shown.set("scope", Value::Null),
            scope => shown.set("scope", json!(scope)),
        },
    }
    if let Some(spot) = fields.take("token_endpoint_auth").given() {
        let (tag, mut auth) = spot.tagged()?;
        let kind = tag.clone().one_of(&WITH_SECRET)?;
        match auth.take("client_secret").given() {
            Some(spot) => {
                secrets.set(CLIENT_SECRET, secret(spot)?);
                is_new = true;
            }
            None if secrets.get(CLIENT_SECRET).is_none() => {
                let path = auth.path_of("client_secret");
                return Err(Invalid::at(path, "the credential has no client secret yet"));
            }
            None => {}
        }
        auth.finish()?;
        shown.set("token_endpoint_auth", json!({"type": kind}));
    }
    fields.finish()?;
    Ok((shown, is_new))
}

fn optional(fields: &mut Fields, name: &str) -> Result<Value, Invalid> {
    match fields.take(name).given() {
        Some(spot) => Ok(json!(spot.text(0, TEXT_CHARACTERS_MAX)?)),
        None => Ok(Value::Null),
    }
}
