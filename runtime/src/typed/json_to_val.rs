//! JSON from a model to component values, driven by the function's own types.
//!
//! The schema says one form for each type; some others that models write are taken as well, as long as
//! they can mean only one thing. A mismatch names the place, what was expected and what came, so that
//! the model can correct itself. Conversion is by type, never by looking at the value: an empty list
//! has no first element to look at.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use wasmtime::component::Val;
use wasmtime::component::types::{ComponentFunc, Type};

use super::json_error::{JsonError, Path};
use super::json_number::{float, integer};
use super::names::snake;
use super::schema::TYPE_DEPTH_MAX;

/// The most values one conversion makes or reads. Every element of a list is one, a byte too, and each
/// takes tens of bytes of memory: without a limit a few megabytes of base64 become gigabytes.
pub const VALUES_MAX: usize = 8 * 1024 * 1024;

/// Padding is optional: models leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the arguments of a call, in order, from an object with a property for each parameter.
///
/// # Errors
///
/// Fails on the first part of the input that does not fit, and says which.
pub fn json_to_params(function: &ComponentFunc, input: &Value) -> Result<Vec<Val>, JsonError> {
    let params: Vec<_> = function.params().collect();
    let fields = Reader::new().fields(&params, input, Path::Root)?;
    Ok(fields.into_iter().map(|(_, value)| value).collect())
}

/// Returns a value of the type.
///
/// # Errors
///
/// Fails on the first part of the input that does not fit, and says which.
pub fn json_to_val(ty: &Type, input: &Value) -> Result<Val, JsonError> {
    Reader::new().value(ty, input, Path::Root)
}

/// A case of a variant or a side of a result.
struct Case<'a> {
    name: &'a str,
    ty: Option<Type>,
}

struct Reader {
    values_left: usize,
    depth: usize,
}

impl Reader {
    fn new() -> Self {
        Self {
            values_left: VALUES_MAX,
            depth: 0,
        }
    }

    fn spend(&mut self, values: usize) -> Result<(), JsonError> {
        self.values_left = self
            .values_left
            .checked_sub(values)
            .ok_or(JsonError::TooLarge { max: VALUES_MAX })?;
        Ok(())
    }

    fn value(&mut self, ty: &Type, json: &Value, at: Path<'_>) -> Result<Val, JsonError> {
        self.spend(1)?;
        if self.depth > TYPE_DEPTH_MAX {
            return Err(JsonError::TooDeep {
                max: TYPE_DEPTH_MAX,
            });
        }
        self.depth += 1;
        let value = self.value_inside(ty, json, at)?;
        self.depth -= 1;
        Ok(value)
    }

    fn value_inside(&mut self, ty: &Type, json: &Value, at: Path<'_>) -> Result<Val, JsonError> {
        let mismatch = || JsonError::mismatch(at, ty, json);
        Ok(match ty {
            Type::Bool => Val::Bool(json.as_bool().ok_or_else(mismatch)?),
            Type::U8 => Val::U8(integer(json).ok_or_else(mismatch)?),
            Type::U16 => Val::U16(integer(json).ok_or_else(mismatch)?),
            Type::U32 => Val::U32(integer(json).ok_or_else(mismatch)?),
            Type::U64 => Val::U64(integer(json).ok_or_else(mismatch)?),
            Type::S8 => Val::S8(integer(json).ok_or_else(mismatch)?),
            Type::S16 => Val::S16(integer(json).ok_or_else(mismatch)?),
            Type::S32 => Val::S32(integer(json).ok_or_else(mismatch)?),
            Type::S64 => Val::S64(integer(json).ok_or_else(mismatch)?),
            Type::Float64 => Val::Float64(float(json).ok_or_else(mismatch)?),
            Type::Float32 => {
                let wide = float(json).ok_or_else(mismatch)?;
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "rounding is what is wanted"
                )]
                let narrow = wide as f32;
                // A finite number must not silently become infinite.
                if narrow.is_infinite() && wide.is_finite() {
                    return Err(mismatch());
                }
                Val::Float32(narrow)
            }
            Type::Char => Val::Char(character(json).ok_or_else(mismatch)?),
            Type::String => Val::String(json.as_str().ok_or_else(mismatch)?.to_owned()),
            Type::List(list) => match (list.ty(), json) {
                (Type::U8, Value::String(text)) => {
                    Val::List(self.bytes(text)?.ok_or_else(mismatch)?)
                }
                (element, Value::Array(items)) => Val::List(self.items(&element, items, at)?),
                _ => return Err(mismatch()),
            },
            Type::FixedLengthList(list) => match json {
                Value::Array(items) if u32::try_from(items.len()) == Ok(list.len()) => {
                    Val::FixedLengthList(self.items(&list.ty(), items, at)?)
                }
                _ => return Err(mismatch()),
            },
            Type::Tuple(tuple) => {
                let types: Vec<_> = tuple.types().collect();
                let items = json.as_array().ok_or_else(mismatch)?;
                if items.len() != types.len() {
                    return Err(mismatch());
                }
                let mut values = Vec::with_capacity(types.len());
                for (index, (ty, item)) in types.iter().zip(items).enumerate() {
                    values.push(self.value(ty, item, Path::Item(&at, index))?);
                }
                Val::Tuple(values)
            }
            Type::Map(map) => Val::Map(self.pairs(&map.key(), &map.value(), json, at, mismatch)?),
            Type::Record(record) => {
                let fields: Vec<_> = record
                    .fields()
                    .map(|field| (field.name, field.ty))
                    .collect();
                if !json.is_object() {
                    return Err(mismatch());
                }
                Val::Record(self.fields(&fields, json, at)?)
            }
            Type::Option(option) => match json {
                Value::Null => Val::Option(None),
                _ => Val::Option(Some(Box::new(self.some(&option.ty(), json, at)?))),
            },
            Type::Enum(names) => {
                let name = json.as_str().and_then(|text| find(names.names(), text));
                Val::Enum(name.ok_or_else(mismatch)?.to_owned())
            }
            Type::Flags(flags) => {
                let items = json.as_array().ok_or_else(mismatch)?;
                let mut raised = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let name = item.as_str().and_then(|text| find(flags.names(), text));
                    let place = Path::Item(&at, index);
                    let name = name.ok_or_else(|| JsonError::mismatch(place, ty, item))?;
                    // Raising a flag again changes nothing, so it is no reason to refuse.
                    if !raised.iter().any(|other| other == name) {
                        raised.push(name.to_owned());
                    }
                }
                Val::Flags(raised)
            }
            Type::Variant(variant) => {
                let cases: Vec<_> = variant
                    .cases()
                    .map(|case| Case {
                        name: case.name,
                        ty: case.ty,
                    })
                    .collect();
                let (name, payload) = self.case(&cases, json, at, mismatch)?;
                Val::Variant(name.to_owned(), payload)
            }
            Type::Result(result) => {
                let cases = [
                    Case {
                        name: "ok",
                        ty: result.ok(),
                    },
                    Case {
                        name: "error",
                        ty: result.err(),
                    },
                    Case {
                        name: "err",
                        ty: result.err(),
                    },
                ];
                let (name, payload) = self.case(&cases, json, at, mismatch)?;
                Val::Result(if name == "ok" {
                    Ok(payload)
                } else {
                    Err(payload)
                })
            }
            Type::Own(_) | Type::Borrow(_) => return Err(unsupported(at, "resource")),
            Type::Future(_) => return Err(unsupported(at, "future")),
            Type::Stream(_) => return Err(unsupported(at, "stream")),
            Type::ErrorContext => return Err(unsupported(at, "error context")),
        })
    }

    /// Reads the properties of an object, in the order of the fields.
    fn fields(
        &mut self,
        fields: &[(&str, Type)],
        json: &Value,
        at: Path<'_>,
    ) -> Result<Vec<(String, Val)>, JsonError> {
        let names: Vec<String> = fields.iter().map(|(name, _)| snake(name)).collect();
        let Value::Object(object) = json else {
            return Err(JsonError::not_an_object(at, &names, json));
        };
        let given = by_name(object, &names, at)?;
        let mut values = Vec::with_capacity(fields.len());
        for ((name, ty), property) in fields.iter().zip(&names) {
            let place = Path::Property(&at, property);
            let value = match (given.get(property), ty) {
                (Some(json), ty) => self.value(ty, json, place)?,
                (None, Type::Option(_)) => Val::Option(None),
                (None, ty) => return Err(JsonError::missing(at, property, ty)),
            };
            values.push(((*name).to_owned(), value));
        }
        Ok(values)
    }

    /// Reads what an option holds; an option inside is wrapped, as null already means the outer one.
    fn some(&mut self, inner: &Type, json: &Value, at: Path<'_>) -> Result<Val, JsonError> {
        let Type::Option(_) = inner else {
            return self.value(inner, json, at);
        };
        match json
            .as_object()
            .filter(|object| object.len() == 1)
            .and_then(|o| o.get("some"))
        {
            Some(wrapped) => self.value(inner, wrapped, Path::Property(&at, "some")),
            None => Err(JsonError::not_wrapped(at, json)),
        }
    }

    fn items(&mut self, ty: &Type, items: &[Value], at: Path<'_>) -> Result<Vec<Val>, JsonError> {
        let mut values = Vec::new();
        for (index, item) in items.iter().enumerate() {
            values.push(self.value(ty, item, Path::Item(&at, index))?);
        }
        Ok(values)
    }

    /// Decodes base64; none if it is not. Line breaks are passed over.
    fn bytes(&mut self, text: &str) -> Result<Option<Vec<Val>>, JsonError> {
        self.spend(base64::decoded_len_estimate(text.len()))?;
        let packed: Vec<u8> = text
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let bytes = BASE64.decode(packed).ok();
        Ok(bytes.map(|bytes| bytes.into_iter().map(Val::U8).collect()))
    }

    fn pairs(
        &mut self,
        key: &Type,
        value: &Type,
        json: &Value,
        at: Path<'_>,
        mismatch: impl Fn() -> JsonError,
    ) -> Result<Vec<(Val, Val)>, JsonError> {
        let mut pairs = Vec::new();
        if let (Type::String, Value::Object(object)) = (key, json) {
            for (name, item) in object {
                let item = self.value(value, item, Path::Property(&at, name))?;
                pairs.push((Val::String(name.clone()), item));
            }
            return Ok(pairs);
        }
        let items = json
            .as_array()
            .filter(|_| *key != Type::String)
            .ok_or_else(&mismatch)?;
        for (index, item) in items.iter().enumerate() {
            let place = Path::Item(&at, index);
            let Some([left, right]) = item.as_array().map(Vec::as_slice) else {
                return Err(mismatch());
            };
            let left = self.value(key, left, Path::Item(&place, 0))?;
            pairs.push((left, self.value(value, right, Path::Item(&place, 1))?));
        }
        Ok(pairs)
    }

    /// Reads a case with or without payload, in the form of the schema or as tag and value.
    fn case<'c>(
        &mut self,
        cases: &'c [Case<'_>],
        json: &Value,
        at: Path<'_>,
        mismatch: impl Fn() -> JsonError,
    ) -> Result<(&'c str, Option<Box<Val>>), JsonError> {
        let (case, payload, label) = split_case(cases, json).ok_or_else(&mismatch)?;
        let payload = match (&case.ty, payload) {
            (None, None | Some(Value::Null)) => None,
            (Some(ty), Some(json)) => Some(Box::new(self.value(
                ty,
                json,
                Path::Property(&at, label),
            )?)),
            (None, Some(_)) | (Some(_), None) => return Err(mismatch()),
        };
        Ok((case.name, payload))
    }
}

/// Finds the case that the JSON names, its payload, and the property the payload stands in.
fn split_case<'c, 't, 'j>(
    cases: &'c [Case<'t>],
    json: &'j Value,
) -> Option<(&'c Case<'t>, Option<&'j Value>, &'j str)> {
    let named = |text: &str| cases.iter().find(|case| is_same(case.name, text));
    match json {
        Value::String(name) => Some((named(name)?, None, name)),
        Value::Object(object) => {
            let mut properties = object.iter();
            if let (Some((name, payload)), None) = (properties.next(), properties.next())
                && let Some(case) = named(name)
            {
                return Some((case, Some(payload), name));
            }
            let case = named(object.get("tag")?.as_str()?)?;
            let value = ["value", "val"]
                .iter()
                .find_map(|name| object.get_key_value(*name));
            let known = 1 + usize::from(value.is_some());
            match (object.len() == known, value) {
                (true, Some((name, payload))) => Some((case, Some(payload), name)),
                (true, None) => Some((case, None, "tag")),
                (false, _) => None,
            }
        }
        _ => None,
    }
}

/// The given properties by their names in snake_case.
fn by_name<'j>(
    object: &'j Map<String, Value>,
    names: &[String],
    at: Path<'_>,
) -> Result<BTreeMap<String, &'j Value>, JsonError> {
    let mut given = BTreeMap::new();
    for (property, value) in object {
        let name = snake(property);
        if !names.contains(&name) {
            return Err(JsonError::unknown(at, property, names));
        }
        if given.insert(name.clone(), value).is_some() {
            return Err(JsonError::twice(at, &name));
        }
    }
    Ok(given)
}

fn find<'a>(mut names: impl Iterator<Item = &'a str>, text: &str) -> Option<&'a str> {
    names.find(|name| is_same(name, text))
}

/// Whether a given name means the declared one: kebab-case and snake_case are the same.
fn is_same(declared: &str, given: &str) -> bool {
    declared.len() == given.len() && snake(declared) == snake(given)
}

fn character(json: &Value) -> Option<char> {
    let mut characters = json.as_str()?.chars();
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

fn unsupported(at: Path<'_>, what: &'static str) -> JsonError {
    JsonError::Unsupported {
        at: at.to_string(),
        what,
    }
}
