//! Component values to JSON, in exactly the form that the schema describes.
//!
//! What comes out reads back as the same value: the two directions are inverse, which a property test
//! holds over random types.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use wasmtime::component::Val;
use wasmtime::component::types::Type;

use super::content::read_byte;
use super::json_number::{from_f32, from_f64, from_signed, from_unsigned};
use super::json_to_val::VALUES_MAX;
use super::names::snake;
use super::output::OutputError;

/// Returns the JSON form of a value of this type.
///
/// # Errors
///
/// Fails if the value is not of the type, has no JSON form, or has too many parts.
pub fn val_to_json(ty: &Type, value: &Val) -> Result<Value, OutputError> {
    Writer {
        values_left: VALUES_MAX,
    }
    .value(ty, value)
}

struct Writer {
    values_left: usize,
}

impl Writer {
    fn spend(&mut self, values: usize) -> Result<(), OutputError> {
        self.values_left = self
            .values_left
            .checked_sub(values)
            .ok_or(OutputError::TooLarge { max: VALUES_MAX })?;
        Ok(())
    }

    fn value(&mut self, ty: &Type, value: &Val) -> Result<Value, OutputError> {
        self.spend(1)?;
        Ok(match (ty, value) {
            (Type::Bool, Val::Bool(value)) => (*value).into(),
            (Type::U8, Val::U8(value)) => (*value).into(),
            (Type::U16, Val::U16(value)) => (*value).into(),
            (Type::U32, Val::U32(value)) => (*value).into(),
            (Type::U64, Val::U64(value)) => from_unsigned(*value),
            (Type::S8, Val::S8(value)) => (*value).into(),
            (Type::S16, Val::S16(value)) => (*value).into(),
            (Type::S32, Val::S32(value)) => (*value).into(),
            (Type::S64, Val::S64(value)) => from_signed(*value),
            (Type::Float32, Val::Float32(value)) => from_f32(*value),
            (Type::Float64, Val::Float64(value)) => from_f64(*value),
            (Type::Char, Val::Char(value)) => value.to_string().into(),
            (Type::String, Val::String(value)) => value.as_str().into(),
            (Type::List(list), Val::List(values)) => match list.ty() {
                Type::U8 => self.bytes(values)?,
                element => self.items(&element, values)?,
            },
            (Type::FixedLengthList(list), Val::FixedLengthList(values)) => {
                self.items(&list.ty(), values)?
            }
            (Type::Tuple(tuple), Val::Tuple(values)) => {
                let types = tuple.types();
                if types.len() != values.len() {
                    return Err(unfit(ty));
                }
                let items: Result<_, _> = types
                    .zip(values)
                    .map(|(ty, value)| self.value(&ty, value))
                    .collect();
                Value::Array(items?)
            }
            (Type::Map(map), Val::Map(pairs)) => self.pairs(&map.key(), &map.value(), pairs)?,
            (Type::Record(record), Val::Record(values)) => {
                let fields = record.fields();
                if fields.len() != values.len() {
                    return Err(unfit(ty));
                }
                let mut object = Map::new();
                for (field, (_, value)) in fields.zip(values) {
                    // An optional field without a value is left out.
                    if !matches!(value, Val::Option(None)) {
                        object.insert(snake(field.name), self.value(&field.ty, value)?);
                    }
                }
                Value::Object(object)
            }
            (Type::Option(_), Val::Option(None)) => Value::Null,
            (Type::Option(option), Val::Option(Some(value))) => {
                let inner = option.ty();
                let json = self.value(&inner, value)?;
                match inner {
                    Type::Option(_) => one_property("some", json),
                    _ => json,
                }
            }
            (Type::Enum(_), Val::Enum(name)) => snake(name).into(),
            (Type::Flags(_), Val::Flags(names)) => {
                names.iter().map(|name| Value::from(snake(name))).collect()
            }
            (Type::Variant(variant), Val::Variant(name, payload)) => {
                let case = variant.cases().find(|case| case.name == name);
                let case = case.ok_or_else(|| unfit(ty))?;
                self.case(name, case.ty.as_ref(), payload.as_deref())?
            }
            (Type::Result(result), Val::Result(Ok(payload))) => {
                self.case("ok", result.ok().as_ref(), payload.as_deref())?
            }
            (Type::Result(result), Val::Result(Err(payload))) => {
                self.case("error", result.err().as_ref(), payload.as_deref())?
            }
            (Type::Own(_) | Type::Borrow(_), _) => return Err(unsupported("resource")),
            (Type::Future(_), _) => return Err(unsupported("future")),
            (Type::Stream(_), _) => return Err(unsupported("stream")),
            (Type::ErrorContext, _) => return Err(unsupported("error context")),
            _ => return Err(unfit(ty)),
        })
    }

    fn items(&mut self, ty: &Type, values: &[Val]) -> Result<Value, OutputError> {
        let items: Result<_, _> = values.iter().map(|value| self.value(ty, value)).collect();
        Ok(Value::Array(items?))
    }

    fn bytes(&mut self, values: &[Val]) -> Result<Value, OutputError> {
        self.spend(values.len())?;
        let bytes: Result<Vec<u8>, _> = values.iter().map(read_byte).collect();
        Ok(BASE64_STANDARD.encode(bytes?).into())
    }

    /// Writes a map; of keys that stand twice the last one counts, as for the guest.
    fn pairs(
        &mut self,
        key: &Type,
        value: &Type,
        pairs: &[(Val, Val)],
    ) -> Result<Value, OutputError> {
        if *key != Type::String {
            let mut items = Vec::new();
            for (left, right) in pairs {
                items.push(Value::Array(vec![
                    self.value(key, left)?,
                    self.value(value, right)?,
                ]));
            }
            return Ok(Value::Array(items));
        }
        let mut object = Map::new();
        for (left, right) in pairs {
            let Val::String(name) = left else {
                return Err(OutputError::Unfit {
                    expected: "a map of strings",
                });
            };
            object.insert(name.clone(), self.value(value, right)?);
        }
        Ok(Value::Object(object))
    }

    fn case(
        &mut self,
        name: &str,
        ty: Option<&Type>,
        payload: Option<&Val>,
    ) -> Result<Value, OutputError> {
        match (ty, payload) {
            (None, None) => Ok(snake(name).into()),
            (Some(ty), Some(payload)) => Ok(one_property(&snake(name), self.value(ty, payload)?)),
            _ => Err(OutputError::Unfit {
                expected: "a case with its payload",
            }),
        }
    }
}

fn one_property(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

fn unsupported(what: &'static str) -> OutputError {
    OutputError::Unsupported { what }
}

fn unfit(ty: &Type) -> OutputError {
    let expected = match ty {
        Type::Record(_) => "a record",
        Type::Tuple(_) => "a tuple",
        Type::Variant(_) => "a variant",
        Type::List(_) | Type::FixedLengthList(_) => "a list",
        _ => "what its type says",
    };
    OutputError::Unfit { expected }
}
