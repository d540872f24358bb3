//! The part `bindings` of the block `sinew`: what makes the calls of an agent's custom tools, in place of its client.

use serde_json::{Map, Value, json};
use url::Url;

use super::components::{self, check_variable};
use super::tools::Grant;
use crate::api::body::{Fields, Invalid, Spot};
use crate::json::Fields as _;

/// Most bindings of one agent.
const BINDINGS_MAX: usize = 128;
/// Longest name of a custom tool and of a function, in characters.
const NAME_CHARACTERS_MAX: usize = 128;
/// Longest address, name and value of a header, in characters, and most headers.
const URL_CHARACTERS_MAX: usize = 2_048;
const HEADER_CHARACTERS_MAX: usize = 2_048;
const HEADERS_MAX: usize = 32;
/// Longest time of a webhook's answer, and the one where none is given, in milliseconds.
const TIMEOUT_MS_MAX: u64 = 600_000;
const TIMEOUT_MS: u64 = 60_000;
/// Headers that the host itself sets.
const OWN_HEADERS: [&str; 7] = [
    "host",
    "content-length",
    "content-type",
    "idempotency-key",
    "connection",
    "transfer-encoding",
    "upgrade",
];

/// What a bound tool may do unless the binding says otherwise: the operator wrote down what it is.
const DEFAULT: Grant = Grant {
    is_enabled: true,
    policy: "always_allow",
};

/// Reads the list.
pub(super) fn read(spot: Spot) -> Result<Value, Invalid> {
    let mut bindings: Vec<Value> = Vec::new();
    for entry in spot.array(BINDINGS_MAX)? {
        let path = entry.path.clone();
        let binding = binding(entry)?;
        if bindings
            .iter()
            .any(|other| other.at("tool") == binding.at("tool"))
        {
            return Err(Invalid::at(path, "another entry binds this tool"));
        }
        bindings.push(binding);
    }
    Ok(Value::Array(bindings))
}

/// Returns the custom tools that a list binds and an agent does not have.
pub(super) fn unknown(bindings: &Value, tools: &[Value]) -> Option<(usize, String)> {
    let bindings = bindings.as_array().into_iter().flatten();
    bindings.enumerate().find_map(|(index, binding)| {
        let name = binding.at("tool").as_str().unwrap_or_default();
        let mut custom = tools.iter().filter(|tool| *tool.at("type") == "custom");
        let is_known = custom.any(|tool| *tool.at("name") == *name);
        (!is_known).then(|| (index, name.to_owned()))
    })
}

fn binding(entry: Spot) -> Result<Value, Invalid> {
    let (tag, mut fields) = entry.tagged()?;
    let kind = tag.one_of(&["component", "webhook"])?;
    let tool = fields.required("tool")?.text(1, NAME_CHARACTERS_MAX)?;
    let mut bound = match kind {
        "component" => component(&mut fields, &tool)?,
        _ => webhook(&mut fields)?,
    };
    // In the shape of a toolset's, so that one place says what a policy means.
    let grant = DEFAULT.overridden_by(&mut fields)?;
    fields.finish()?;
    bound.set("type", json!(kind));
    bound.set("tool", json!(tool));
    bound.set("enabled", json!(grant.is_enabled));
    bound.set("permission_policy", json!({"type": grant.policy}));
    Ok(bound)
}

/// Reads `{name, version, function, grants}`; the function is the one of the tool's name where it is left out.
fn component(fields: &mut Fields, tool: &str) -> Result<Value, Invalid> {
    let name = components::name(fields.required("name")?)?;
    let version = match fields.take("version").given() {
        Some(spot) => components::version(spot)?,
        None => json!("latest"),
    };
    let function = match fields.take("function").given() {
        Some(spot) => spot.text(1, NAME_CHARACTERS_MAX)?,
        None => tool.to_owned(),
    };
    let grants = match fields.take("grants").given() {
        Some(spot) => components::grants(spot.object()?)?,
        None => components::grants(Fields::root(Map::new()))?,
    };
    Ok(json!({"name": name, "version": version, "function": function, "grants": grants}))
}

/// Reads `{url, headers, timeout_ms}`; `${NAME}` in a header stands for a credential of the session's vaults.
fn webhook(fields: &mut Fields) -> Result<Value, Invalid> {
    let url = address(fields.required("url")?)?;
    let mut headers = Map::new();
    if let Some(spot) = fields.take("headers").given() {
        let path = spot.path.clone();
        let Value::Object(given) = spot.value else {
            return Err(Invalid::at(path, "expected an object of headers"));
        };
        if given.len() > HEADERS_MAX {
            return Err(Invalid::at(path, format!("at most {HEADERS_MAX} headers")));
        }
        for (name, value) in given {
            let path = format!("{path}.{name}");
            let name = name.to_ascii_lowercase();
            let spot = Spot {
                path: path.clone(),
                value,
            };
            let value = spot.text(0, HEADER_CHARACTERS_MAX)?;
            check_header(&name, &value).map_err(|why| Invalid::at(path, why))?;
            headers.insert(name, json!(value));
        }
    }
    let timeout_ms = match fields.take("timeout_ms").given() {
        Some(spot) => spot.integer(1, TIMEOUT_MS_MAX)?,
        None => TIMEOUT_MS,
    };
    Ok(json!({"url": url, "headers": headers, "timeout_ms": timeout_ms}))
}

fn address(spot: Spot) -> Result<String, Invalid> {
    let path = spot.path.clone();
    let text = spot.text(1, URL_CHARACTERS_MAX)?;
    let refuse = |message: &str| Err(Invalid::at(path.clone(), message));
    match Url::parse(&text) {
        Ok(url) if !["http", "https"].contains(&url.scheme()) || !url.has_host() => {
            refuse("expected an http or https URL")
        }
        // Agents are readable by everyone in the workspace; secrets belong into a vault.
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            refuse("must not hold credentials; name one in headers as ${NAME}")
        }
        Ok(_) => Ok(text),
        Err(_) => refuse("expected an http or https URL"),
    }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    let is_name = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
    if !is_name || http::HeaderValue::from_str(value).is_err() {
        return Err("is no header: a name, and a value of one line".to_owned());
    }
    if OWN_HEADERS.contains(&name) {
        return Err("is a header that the host sets itself".to_owned());
    }
    for part in value.split("${").skip(1) {
        let (variable, _) = part.split_once('}').unwrap_or(("", ""));
        check_variable(variable).map_err(|why| format!("in ${{...}}: {why}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_list(value: Value) -> Result<Value, String> {
        let spot = Spot {
            path: "sinew.bindings".to_owned(),
            value,
        };
        read(spot).map_err(|error| error.to_string())
    }

    #[test]
    fn a_binding_is_stored_in_full() {
        let given = json!([
            {"tool": "lookup", "type": "component", "name": "crm"},
            {"tool": "notify", "type": "webhook", "url": "https://a.test/x",
                "headers": {"Authorization": "Bearer ${TOKEN}"}, "permission_policy": {"type": "always_ask"}},
        ]);
        let stored = read_list(given).unwrap();
        assert_eq!(stored[0]["function"], "lookup");
        assert_eq!(stored[0]["version"], "latest");
        assert_eq!(
            stored[1]["headers"],
            json!({"authorization": "Bearer ${TOKEN}"})
        );
        assert_eq!(stored[1]["timeout_ms"], TIMEOUT_MS);
        assert_eq!(
            stored[1]["permission_policy"],
            json!({"type": "always_ask"})
        );
        assert_eq!(read_list(stored.clone()), Ok(stored.clone()));
        let tools = [json!({"type": "custom", "name": "lookup"})];
        assert_eq!(unknown(&stored, &tools), Some((1, "notify".to_owned())));
    }

    #[test]
    fn a_wrong_binding_is_refused_with_its_place() {
        let hook = |more: Value| {
            let mut hook = json!({"tool": "a", "type": "webhook", "url": "https://a.test"});
            for (name, value) in more.as_object().unwrap() {
                hook.set(name, value.clone());
            }
            json!([hook])
        };
        for (given, fragment) in [
            (json!([{"tool": "a"}]), "type"),
            (
                json!([{"tool": "a", "type": "mail"}]),
                "sinew.bindings.0.type",
            ),
            (json!([{"type": "component", "name": "x"}]), "tool"),
            (json!([{"tool": "a", "type": "component"}]), "name"),
            (
                json!([{"tool": "a", "type": "component", "name": "x", "url": "y"}]),
                "url",
            ),
            (
                json!([{"tool": "a", "type": "component", "name": "x"}, {"tool": "a", "type": "component", "name": "y"}]),
                "sinew.bindings.1",
            ),
            (hook(json!({"url": "ftp://a.test"})), "sinew.bindings.0.url"),
            (
                hook(json!({"url": "https://me:pw@a.test"})),
                "must not hold credentials",
            ),
            (
                hook(json!({"headers": {"a b": "c"}})),
                "sinew.bindings.0.headers.a b",
            ),
            (
                hook(json!({"headers": {"a": "b\r\nc: d"}})),
                "sinew.bindings.0.headers.a",
            ),
            (
                hook(json!({"headers": {"Host": "other"}})),
                "the host sets itself",
            ),
            (hook(json!({"headers": {"a": "${NO NAME}"}})), "in ${...}"),
            (hook(json!({"headers": {"a": "${OPEN"}})), "in ${...}"),
            (
                hook(json!({"timeout_ms": 0})),
                "sinew.bindings.0.timeout_ms",
            ),
            (
                hook(json!({"permission_policy": {"type": "never"}})),
                "permission_policy",
            ),
        ] {
            let error = read_list(given.clone()).unwrap_err();
            assert!(error.contains(fragment), "{given}: {error}");
        }
    }
}
