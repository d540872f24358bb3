//! An endpoint as it is stored.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sign::Secret;
use crate::clock::Timestamp;
use crate::json::Fields as _;
use crate::secrets::{self, Context, Keyring, SEALED_FIELD, SealError, Sealed};
use crate::store::{Key, Resource};

/// Where webhooks go, and which.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its address.
    pub url: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// The types that it hears.
    pub enabled_events: Vec<String>,
    /// Nothing is sent to one that is off.
    pub is_enabled: bool,
    /// Why it was switched off by itself; empty otherwise.
    pub disabled_reason: String,
    /// When the first of a row of deliveries failed without any that arrived since.
    #[serde(rename = "_failing_since")]
    pub failing_since: Option<Timestamp>,
}

impl Endpoint {
    /// Reads a row; `None` if no version of ours wrote it.
    pub fn read(row: &Resource) -> Option<Self> {
        Self::deserialize(&row.body).ok()
    }

    /// Returns the body of a row; `sealed` is what [`Endpoint::sealed`] returns.
    pub fn body(&self, sealed: Value) -> Value {
        // Cannot fail: the fields are strings, booleans and a time.
        let mut body = serde_json::to_value(self).unwrap_or_default();
        body.set(SEALED_FIELD, sealed);
        body
    }

    /// Returns a row's signing secret as it is stored.
    pub fn sealed(row: &Resource) -> &Value {
        row.body.at(SEALED_FIELD)
    }

    /// Seals a signing secret for the row of `key`. Errors: no random bytes.
    pub fn seal(secret: &Secret, key: &Key, keyring: &Keyring) -> Result<Value, SealError> {
        let plain = secrets::Secret::from_text(secret.reveal().to_owned());
        let sealed = secrets::seal(keyring, &context(key), &plain)?;
        Ok(json!(sealed))
    }

    /// Opens a row's signing secret; `None` if no version of ours sealed it, or its key is not here.
    pub fn secret(row: &Resource, keyring: &Keyring) -> Option<Secret> {
        let sealed = Sealed::deserialize(Self::sealed(row)).ok()?;
        let plain = secrets::open(keyring, &context(&row.key), &sealed).ok()?;
        plain.expose_text().map(Secret::from_stored)
    }
}

fn context(key: &Key) -> Context {
    Context::of_webhook(key.workspace.as_str(), &key.id)
}
