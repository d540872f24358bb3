//! An endpoint as it is stored.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sign::Secret;
use crate::clock::Timestamp;
use crate::json::Fields as _;
use crate::store::Resource;

/// The body's field with the signing secret.
const SECRET: &str = "_secret";

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

    /// Reads a row's signing secret.
    pub fn secret(row: &Resource) -> Option<Secret> {
        row.body.at(SECRET).as_str().map(Secret::from_stored)
    }

    /// Returns the body of a row.
    pub fn body(&self, secret: &Secret) -> Value {
        // Cannot fail: the fields are strings, booleans and a time.
        let mut body = serde_json::to_value(self).unwrap_or_default();
        body.set(SECRET, json!(secret.reveal()));
        body
    }
}
