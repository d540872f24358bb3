//! The limits of the two web tools: domains, tokens, location.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::url_sources;
use crate::api::body::{Fields, Invalid, Spot};
use crate::api::names::not_a_site;

/// Most entries of a domain list.
const DOMAINS_MAX: usize = 64;
/// Longest entry of a domain list in characters.
const DOMAIN_CHARACTERS_MAX: usize = 255;
/// Longest part of a location in characters.
const PLACE_CHARACTERS_MAX: usize = 255;
/// Largest `max_content_tokens`.
const CONTENT_TOKENS_MAX: u64 = i32::MAX as u64;

/// Adds what is special to `web_fetch`.
pub(super) fn read_fetch(
    fields: &mut Fields,
    config: &mut Map<String, Value>,
) -> Result<(), Invalid> {
    read_domains(fields, config, PathSuffix::Refused)?;
    if let Some(spot) = fields.take("max_content_tokens").given() {
        let tokens = spot.integer(1, CONTENT_TOKENS_MAX)?;
        config.insert("max_content_tokens".to_owned(), json!(tokens));
    }
    let sources = match fields.take("url_sources").given() {
        None => Value::Null,
        Some(spot) => url_sources::read(spot)?,
    };
    config.insert("url_sources".to_owned(), sources);
    Ok(())
}

/// Adds what is special to `web_search`.
pub(super) fn read_search(
    fields: &mut Fields,
    config: &mut Map<String, Value>,
) -> Result<(), Invalid> {
    read_domains(fields, config, PathSuffix::Allowed)?;
    if let Some(spot) = fields.take("user_location").given() {
        config.insert("user_location".to_owned(), read_location(spot)?);
    }
    Ok(())
}

/// Whether a domain may be followed by a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PathSuffix {
    Allowed,
    Refused,
}

fn read_domains(
    fields: &mut Fields,
    config: &mut Map<String, Value>,
    suffix: PathSuffix,
) -> Result<(), Invalid> {
    let path = fields.path().to_owned();
    for name in ["allowed_domains", "blocked_domains"] {
        if let Some(spot) = fields.take(name).given() {
            config.insert(name.to_owned(), read_domain_list(spot, suffix)?);
        }
    }
    if config.contains_key("allowed_domains") && config.contains_key("blocked_domains") {
        let message = "allowed_domains and blocked_domains exclude each other";
        return Err(Invalid::at(path, message));
    }
    Ok(())
}

fn read_domain_list(spot: Spot, suffix: PathSuffix) -> Result<Value, Invalid> {
    let path = spot.path.clone();
    let mut seen = BTreeSet::new();
    let mut domains = Vec::new();
    for entry in spot.array(DOMAINS_MAX)? {
        let entry_path = entry.path.clone();
        let domain = entry.text(1, DOMAIN_CHARACTERS_MAX)?;
        let host = match domain.split_once('/') {
            Some((host, rest)) if suffix == PathSuffix::Allowed && is_path(rest) => host,
            _ => &domain,
        };
        if let Some(reason) = not_a_site(host) {
            return Err(Invalid::at(entry_path, reason));
        }
        if !seen.insert(domain.to_ascii_lowercase()) {
            return Err(Invalid::at(
                entry_path,
                "the same domain stands in the list twice",
            ));
        }
        domains.push(Value::String(domain));
    }
    if domains.is_empty() {
        return Err(Invalid::at(
            path,
            "must not be empty; leave the field out instead",
        ));
    }
    Ok(Value::Array(domains))
}

fn is_path(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains(['?', '#', '*'])
}

fn read_location(spot: Spot) -> Result<Value, Invalid> {
    let (tag, mut fields) = spot.tagged()?;
    let mut location = json!({ "type": tag.one_of(&["approximate"])? });
    for name in ["city", "country", "region", "timezone"] {
        let Some(spot) = fields.take(name).given() else {
            continue;
        };
        let path = spot.path.clone();
        let text = spot.text(1, PLACE_CHARACTERS_MAX)?;
        let refusal = match name {
            "country" if text.len() != 2 || !text.bytes().all(|b| b.is_ascii_uppercase()) => {
                Some("expected a country code of two upper-case letters")
            }
            "timezone" if !is_time_zone(&text) => {
                Some("expected a time zone such as Europe/Berlin")
            }
            _ => None,
        };
        if let Some(reason) = refusal {
            return Err(Invalid::at(path, reason));
        }
        if let Some(location) = location.as_object_mut() {
            location.insert(name.to_owned(), Value::String(text));
        }
    }
    fields.finish()?;
    Ok(location)
}

/// Checks the shape only: which zones exist depends on the machine.
fn is_time_zone(text: &str) -> bool {
    text.split('/').all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-+".contains(&b))
    })
}
