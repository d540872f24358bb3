//! Review before write: what a call would change, until somebody has looked at it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::json::Fields as _;
use crate::store::{Files, Hash};

/// A call that ran on a copy, and waits for leave to change the session's files.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Review {
    /// The files before the call; none if there were none.
    pub base: Option<Files>,
    /// The files after it.
    pub files: Files,
    /// Its result, which the model gets once it is allowed.
    pub content: Vec<Value>,
    /// The result is an error.
    pub is_error: bool,
    /// What whoever decides is shown: the wire's part of the stop reason.
    pub shown: Value,
}

impl Review {
    /// Returns the private part of the event that asks for the review.
    pub fn to_private(&self) -> Value {
        json!({
            "base": self.base.as_ref().map(files_json),
            "files": files_json(&self.files),
            "content": self.content,
            "is_error": self.is_error,
        })
    }

    /// Reads the event that asks for the review; none if it is damaged.
    pub fn of_event(body: &Value, private: &Value) -> Option<Self> {
        Some(Self {
            base: match private.at("base") {
                Value::Null => None,
                base => Some(files_of(base)?),
            },
            files: files_of(private.at("files"))?,
            content: private.at("content").as_array()?.clone(),
            is_error: *private.at("is_error") == true,
            shown: body.clone(),
        })
    }
}

/// Returns whether a session's calls are reviewed, and for which paths: all but scratch, if there are no patterns.
pub fn review_policy(config: &Value) -> Option<Option<Vec<String>>> {
    let own = config.at("sinew").at("review");
    let review = match own {
        Value::Null => config.at("agent").at("sinew").at("review"),
        own => own,
    };
    if *review.at("type") != "writes" {
        return None;
    }
    let paths = review.at("paths").as_array();
    let text = |path: &Value| path.as_str().map(str::to_owned);
    Some(paths.map(|paths| paths.iter().filter_map(text).collect()))
}

/// Returns whether time and chance of a session's calls follow from their events.
pub fn is_deterministic(config: &Value) -> bool {
    let own = config.at("sinew").at("deterministic");
    match own {
        Value::Null => *config.at("agent").at("sinew").at("deterministic") == true,
        own => *own == true,
    }
}

/// Returns files as events keep them.
pub fn files_json(files: &Files) -> Value {
    json!({
        "root": files.root.to_string(),
        "digest": files.digest.to_string(),
        "shell": files.shell.map(|shell| shell.to_string()),
    })
}

/// Reads what [`files_json`] made.
pub fn files_of(value: &Value) -> Option<Files> {
    let hash = |name: &str| Hash::parse(value.at(name).as_str()?);
    Some(Files {
        root: hash("root")?,
        digest: hash("digest")?,
        shell: match value.at("shell") {
            Value::Null => None,
            _ => Some(hash("shell")?),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_speaks_before_its_agent() {
        let writes = json!({"review": {"type": "writes", "paths": ["/workspace/**"]}});
        let none = json!({"review": {"type": "none"}});
        let policy = |session: &Value, agent: &Value| {
            review_policy(&json!({"sinew": session, "agent": {"sinew": agent}}))
        };
        let paths = Some(Some(vec!["/workspace/**".to_owned()]));
        assert_eq!(policy(&Value::Null, &Value::Null), None);
        assert_eq!(policy(&Value::Null, &writes), paths);
        assert_eq!(policy(&none, &writes), None);
        assert_eq!(policy(&writes, &none), paths);
        let all = json!({"review": {"type": "writes", "paths": null}});
        assert_eq!(policy(&all, &Value::Null), Some(None));
    }

    #[test]
    fn an_event_tells_the_review_again() {
        let files = Files {
            root: Hash::of(b"a"),
            digest: Hash::of(b"b"),
            shell: Some(Hash::of(b"c")),
        };
        for base in [
            None,
            Some(Files {
                shell: None,
                ..files
            }),
        ] {
            let review = Review {
                base,
                files,
                content: vec![json!({"type": "text", "text": "x"})],
                is_error: true,
                shown: json!({"tool_use_id": "sevt_1"}),
            };
            let again = Review::of_event(&review.shown, &review.to_private());
            assert_eq!(again, Some(review));
        }
        assert_eq!(Review::of_event(&json!({}), &json!({"files": {}})), None);
    }
}
