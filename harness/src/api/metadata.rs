//! The string map that most resources carry: its limits, and the patches that change it.

use serde_json::{Map, Value};

use crate::api::body::{Field, Invalid, Spot};

/// Most pairs.
const PAIRS_MAX: usize = 16;
/// Longest key in characters.
const KEY_CHARACTERS_MAX: usize = 64;
/// Longest value in characters.
const VALUE_CHARACTERS_MAX: usize = 512;
const CODE: &str = "invalid_metadata";

/// A resource's metadata, within its limits.
pub type Metadata = Map<String, Value>;

/// What an empty string means as the value of a pair in a patch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EmptyValue {
    /// A value like any other.
    Stored,
    /// The same as null: the pair is deleted.
    Deletes,
}

/// Reads the metadata of a new resource; absent and null are empty.
pub fn create(field: Field) -> Result<Metadata, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(Metadata::new());
    };
    let path = spot.path.clone();
    let mut stored = Metadata::new();
    for (key, value) in pairs(spot)? {
        check_pair(&path, &key, &value)?;
        stored.insert(key, value);
    }
    check_count(&path, &stored)?;
    Ok(stored)
}

/// Applies a patch: a string sets a key, null deletes it. Absent and null as a whole keep everything.
pub fn patch(stored: &Metadata, field: Field, empty: EmptyValue) -> Result<Metadata, Invalid> {
    let mut patched = stored.clone();
    let Some(spot) = field.given() else {
        return Ok(patched);
    };
    let path = spot.path.clone();
    for (key, value) in pairs(spot)? {
        let deletes =
            value.is_null() || (empty == EmptyValue::Deletes && value.as_str() == Some(""));
        if deletes {
            patched.remove(&key);
        } else {
            check_pair(&path, &key, &value)?;
            patched.insert(key, value);
        }
    }
    check_count(&path, &patched)?;
    Ok(patched)
}

fn pairs(spot: Spot) -> Result<Map<String, Value>, Invalid> {
    match spot.value {
        Value::Object(map) => Ok(map),
        _ => Err(spot.refuse("expected an object of strings").with_code(CODE)),
    }
}

fn check_pair(path: &str, key: &str, value: &Value) -> Result<(), Invalid> {
    let refuse = |message: String| Err(Invalid::at(path, message).with_code(CODE));
    if key.is_empty() || key.chars().count() > KEY_CHARACTERS_MAX {
        return refuse(format!("keys have 1 to {KEY_CHARACTERS_MAX} characters"));
    }
    let Some(text) = value.as_str() else {
        return refuse(format!("the value of {key:?} must be a string"));
    };
    if text.chars().count() > VALUE_CHARACTERS_MAX {
        let message = format!("the value of {key:?} exceeds {VALUE_CHARACTERS_MAX} characters");
        return refuse(message);
    }
    Ok(())
}

fn check_count(path: &str, metadata: &Metadata) -> Result<(), Invalid> {
    if metadata.len() > PAIRS_MAX {
        let message = format!("at most {PAIRS_MAX} pairs, got {}", metadata.len());
        return Err(Invalid::at(path, message).with_code(CODE));
    }
    Ok(())
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(value: Value) -> Field {
        Field::Given(Spot {
            path: "metadata".to_owned(),
            value,
        })
    }

    fn many(count: usize) -> Value {
        (0..count)
            .map(|i| (format!("k{i}"), json!("v")))
            .collect::<Map<_, _>>()
            .into()
    }

    #[test]
    fn limits() {
        for (value, fragment) in [
            (json!([]), "object of strings"),
            (json!({"a": 1}), "must be a string"),
            (json!({"a": null}), "must be a string"),
            (json!({"": "x"}), "1 to 64"),
            (json!({"k".repeat(65): "x"}), "1 to 64"),
            (json!({"k": "é".repeat(513)}), "512"),
            (many(17), "at most 16"),
        ] {
            let error = create(given(value)).unwrap_err();
            assert!(error.message.contains(fragment), "{error}");
            assert_eq!(error.code, Some("invalid_metadata"));
        }
        let largest = json!({"é".repeat(64): "é".repeat(512)});
        assert_eq!(create(given(largest)).unwrap().len(), 1);
        assert_eq!(create(given(many(16))).unwrap().len(), 16);
    }

    #[test]
    fn patches() {
        let stored = create(given(json!({"a": "1", "b": "2"}))).unwrap();
        let patched = |field, empty| Value::Object(patch(&stored, field, empty).unwrap());
        let change = json!({"a": null, "b": "", "c": "3", "gone": null});
        assert_eq!(
            patched(given(change.clone()), EmptyValue::Stored),
            json!({"b": "", "c": "3"})
        );
        assert_eq!(
            patched(given(change), EmptyValue::Deletes),
            json!({"c": "3"})
        );
        for keeps in [Field::Absent, Field::Null, given(json!({}))] {
            assert_eq!(
                patched(keeps, EmptyValue::Stored),
                json!({"a": "1", "b": "2"})
            );
        }
        // The limit holds for the result, not for the patch: this one removes as many as it adds.
        let full = create(given(many(16))).unwrap();
        let swap = json!({"k0": null, "new": "v"});
        assert_eq!(
            patch(&full, given(swap), EmptyValue::Stored).unwrap().len(),
            16
        );
        assert!(patch(&full, given(json!({"new": "v"})), EmptyValue::Stored).is_err());
    }
}
