//! JSON Schema of a function's parameters, from its WIT types.
//!
//! Every schema is a closed object, uses no `oneOf` and no `$ref`, and inlines all types: WIT types
//! cannot recurse, but one used twice at every level doubles, hence the budget of nodes. What a
//! schema cannot say (the range of a 64-bit number, the alphabet of base64) the converter checks.
//!
//! A variant is `{"case": payload}`, or the bare name of a case without payload: an object of one
//! property cannot be half-flattened, as a pair of tag and value can.

use serde_json::{Map, Value, json};
use thiserror::Error;
use wit_parser::{Docs, Function, Resolve, Type, TypeDef, TypeDefKind};

use super::names::{NAME_BYTES_MAX, snake};
use super::text::{shortened, visible};

/// The most schema nodes a function may have. Without it a page of types expands to gigabytes.
pub const SCHEMA_NODES_MAX: usize = 2_000;
/// The deepest nesting of types; deeper ones could not be typed by a model or read by a person.
pub const TYPE_DEPTH_MAX: usize = 64;
/// The most documentation of types and fields in one schema, in bytes; what comes later is left out.
const SCHEMA_DOC_BYTES_MAX: usize = 16 * 1024;
/// The most documentation of one type, field or list of cases, in bytes.
const ITEM_DOC_BYTES_MAX: usize = 2 * 1024;

/// Why a function cannot be a tool.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum SchemaError {
    #[error("{at} is a {what}, which JSON cannot carry")]
    Unsupported { at: String, what: &'static str },
    #[error("its types expand to more than {SCHEMA_NODES_MAX} schema nodes")]
    TooLarge,
    #[error("its types nest deeper than {TYPE_DEPTH_MAX} levels")]
    TooDeep,
    #[error("the name `{name}` is longer than {NAME_BYTES_MAX} bytes")]
    LongName { name: String },
    #[error("the name `{name}` stands twice in one place")]
    NameTwice { name: String },
}

/// Returns the definition behind a type, with `use` and `type` aliases followed.
pub(super) fn definition(resolve: &Resolve, mut ty: Type) -> Option<&TypeDef> {
    loop {
        let Type::Id(id) = ty else { return None };
        let definition = resolve.types.get(id)?;
        match definition.kind {
            TypeDefKind::Type(target) => ty = target,
            _ => return Some(definition),
        }
    }
}

/// Returns the kind of a type that is not primitive.
pub(super) fn kind(resolve: &Resolve, ty: Type) -> Option<&TypeDefKind> {
    definition(resolve, ty).map(|definition| &definition.kind)
}

/// Returns the type with aliases followed.
pub(super) fn followed(resolve: &Resolve, mut ty: Type) -> Type {
    while let Type::Id(id) = ty
        && let Some(TypeDefKind::Type(target)) = resolve.types.get(id).map(|ty| &ty.kind)
    {
        ty = *target;
    }
    ty
}

/// Returns the schema of a function's parameters, and how many nodes it has.
pub(super) fn input_schema(
    resolve: &Resolve,
    function: &Function,
) -> Result<(Value, usize), SchemaError> {
    let params: Vec<_> = function
        .params
        .iter()
        .map(|param| Property {
            name: &param.name,
            ty: param.ty,
            docs: None,
        })
        .collect();
    let mut schemas = Schemas::new(resolve);
    let schema = schemas.object(&params, 0)?;
    Ok((Value::Object(schema), SCHEMA_NODES_MAX - schemas.nodes_left))
}

/// Checks that a type can come back as JSON.
pub(super) fn check(resolve: &Resolve, ty: Type) -> Result<(), SchemaError> {
    Schemas::new(resolve).of(ty, "result", 0).map(|_| ())
}

type Schema = Map<String, Value>;

struct Property<'a> {
    name: &'a str,
    ty: Type,
    docs: Option<&'a Docs>,
}

struct PayloadCase<'a> {
    name: &'a str,
    ty: Option<Type>,
    docs: Option<&'a Docs>,
}

struct Schemas<'a> {
    resolve: &'a Resolve,
    nodes_left: usize,
    doc_bytes_left: usize,
}

impl<'a> Schemas<'a> {
    fn new(resolve: &'a Resolve) -> Self {
        Self {
            resolve,
            nodes_left: SCHEMA_NODES_MAX,
            doc_bytes_left: SCHEMA_DOC_BYTES_MAX,
        }
    }

    fn spend(&mut self, nodes: usize) -> Result<(), SchemaError> {
        self.nodes_left = self
            .nodes_left
            .checked_sub(nodes)
            .ok_or(SchemaError::TooLarge)?;
        Ok(())
    }

    /// The schema of a type that stands at `at`, which is only used to name it in an error.
    fn of(&mut self, ty: Type, at: &str, depth: usize) -> Result<Schema, SchemaError> {
        self.spend(1)?;
        if depth > TYPE_DEPTH_MAX {
            return Err(SchemaError::TooDeep);
        }
        let mut schema = match followed(self.resolve, ty) {
            Type::Bool => object(json!({"type": "boolean"})),
            Type::U8 => integer(0, u8::MAX.into()),
            Type::U16 => integer(0, u16::MAX.into()),
            Type::U32 => integer(0, u32::MAX.into()),
            Type::S8 => integer(i8::MIN.into(), i8::MAX.into()),
            Type::S16 => integer(i16::MIN.into(), i16::MAX.into()),
            Type::S32 => integer(i32::MIN.into(), i32::MAX.into()),
            Type::U64 => object(json!({"type": "integer", "minimum": 0})),
            Type::S64 => object(json!({"type": "integer"})),
            Type::F32 | Type::F64 => object(json!({"type": "number"})),
            Type::Char => object(json!({"type": "string", "minLength": 1, "maxLength": 1})),
            Type::String => object(json!({"type": "string"})),
            Type::ErrorContext => return Err(unsupported(at, "error context")),
            Type::Id(_) => self.of_definition(ty, at, depth)?,
        };
        self.describe(&mut schema, self.type_docs(ty));
        Ok(schema)
    }

    fn of_definition(&mut self, ty: Type, at: &str, depth: usize) -> Result<Schema, SchemaError> {
        let Some(kind) = kind(self.resolve, ty) else {
            return Err(unsupported(at, "type without a definition"));
        };
        match kind {
            TypeDefKind::Record(record) => {
                let fields: Vec<_> = record
                    .fields
                    .iter()
                    .map(|field| Property {
                        name: &field.name,
                        ty: field.ty,
                        docs: Some(&field.docs),
                    })
                    .collect();
                self.object(&fields, depth)
            }
            TypeDefKind::Tuple(tuple) => {
                let mut items = Vec::with_capacity(tuple.types.len().min(SCHEMA_NODES_MAX));
                for ty in &tuple.types {
                    items.push(Value::Object(self.of(*ty, at, depth + 1)?));
                }
                Ok(tuple_of(items))
            }
            TypeDefKind::List(Type::U8) => Ok(object(
                json!({"type": "string", "contentEncoding": "base64"}),
            )),
            TypeDefKind::List(element) => self.array(*element, at, depth),
            TypeDefKind::FixedLengthList(element, length) => {
                let mut schema = self.array(*element, at, depth)?;
                schema.insert("minItems".into(), (*length).into());
                schema.insert("maxItems".into(), (*length).into());
                Ok(schema)
            }
            TypeDefKind::Map(key, value) => self.map(*key, *value, at, depth),
            TypeDefKind::Option(inner) => {
                let some = self.some(*inner, at, depth + 1)?;
                Ok(object(json!({"anyOf": [some, {"type": "null"}]})))
            }
            TypeDefKind::Result(result) => self.cases(
                &[
                    PayloadCase {
                        name: "ok",
                        ty: result.ok,
                        docs: None,
                    },
                    PayloadCase {
                        name: "error",
                        ty: result.err,
                        docs: None,
                    },
                ],
                depth,
            ),
            TypeDefKind::Variant(variant) => {
                let cases: Vec<_> = variant
                    .cases
                    .iter()
                    .map(|case| PayloadCase {
                        name: &case.name,
                        ty: case.ty,
                        docs: Some(&case.docs),
                    })
                    .collect();
                self.cases(&cases, depth)
            }
            TypeDefKind::Enum(cases) => self.one_of(
                cases
                    .cases
                    .iter()
                    .map(|case| (case.name.as_str(), Some(&case.docs))),
            ),
            TypeDefKind::Flags(flags) => {
                let mut items = self.one_of(
                    flags
                        .flags
                        .iter()
                        .map(|flag| (flag.name.as_str(), Some(&flag.docs))),
                )?;
                let description = items.remove("description");
                let mut schema =
                    object(json!({"type": "array", "items": items, "uniqueItems": true}));
                schema.extend(description.map(|text| ("description".into(), text)));
                Ok(schema)
            }
            TypeDefKind::Resource | TypeDefKind::Handle(_) => Err(unsupported(at, "resource")),
            TypeDefKind::Future(_) => Err(unsupported(at, "future")),
            TypeDefKind::Stream(_) => Err(unsupported(at, "stream")),
            TypeDefKind::Type(_) | TypeDefKind::Unknown => {
                Err(unsupported(at, "type without a definition"))
            }
        }
    }

    fn object(&mut self, fields: &[Property<'_>], depth: usize) -> Result<Schema, SchemaError> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in fields {
            let name = property_name(field.name)?;
            let mut schema = match kind(self.resolve, field.ty) {
                // Absent is what models do best, so an optional field is its inner type, not required.
                Some(TypeDefKind::Option(inner)) => {
                    let mut schema = self.some(*inner, &name, depth + 1)?;
                    self.describe(&mut schema, self.type_docs(field.ty));
                    schema
                }
                _ => {
                    required.push(Value::from(name.as_str()));
                    self.of(field.ty, &name, depth + 1)?
                }
            };
            // What a field says about itself goes before what its type says in general.
            if let Some(text) = field.docs.and_then(|docs| docs.contents.as_deref()) {
                let general = schema.remove("description");
                self.describe(&mut schema, Some(text));
                if !schema.contains_key("description") {
                    schema.extend(general.map(|text| ("description".into(), text)));
                }
            }
            if properties
                .insert(name.clone(), Value::Object(schema))
                .is_some()
            {
                return Err(SchemaError::NameTwice { name });
            }
        }
        let mut schema = object(
            json!({"type": "object", "properties": properties, "additionalProperties": false}),
        );
        if !required.is_empty() {
            schema.insert("required".into(), required.into());
        }
        Ok(schema)
    }

    /// The schema of what an option holds: wrapped where that is an option again, since absent and
    /// null alone cannot say three things.
    fn some(&mut self, inner: Type, at: &str, depth: usize) -> Result<Schema, SchemaError> {
        let schema = self.of(inner, at, depth)?;
        match kind(self.resolve, inner) {
            Some(TypeDefKind::Option(_)) => Ok(one_property("some", schema)),
            _ => Ok(schema),
        }
    }

    fn array(&mut self, element: Type, at: &str, depth: usize) -> Result<Schema, SchemaError> {
        let items = self.of(element, at, depth + 1)?;
        Ok(object(json!({"type": "array", "items": items})))
    }

    /// An object where JSON has such keys, a list of pairs for any other type of key.
    fn map(
        &mut self,
        key: Type,
        value: Type,
        at: &str,
        depth: usize,
    ) -> Result<Schema, SchemaError> {
        let values = self.of(value, at, depth + 1)?;
        if followed(self.resolve, key) == Type::String {
            return Ok(object(
                json!({"type": "object", "additionalProperties": values}),
            ));
        }
        let keys = self.of(key, at, depth + 1)?;
        let pair = tuple_of(vec![keys.into(), values.into()]);
        Ok(object(json!({"type": "array", "items": pair})))
    }

    fn cases(&mut self, cases: &[PayloadCase<'_>], depth: usize) -> Result<Schema, SchemaError> {
        let mut branches = Vec::new();
        for case in cases {
            let Some(ty) = case.ty else { continue };
            let name = property_name(case.name)?;
            let payload = self.of(ty, &name, depth + 1)?;
            let mut branch = one_property(&name, payload);
            self.describe(
                &mut branch,
                case.docs.and_then(|docs| docs.contents.as_deref()),
            );
            branches.push(branch);
        }
        let bare: Vec<_> = cases
            .iter()
            .filter(|case| case.ty.is_none())
            .map(|case| (case.name, case.docs))
            .collect();
        if !bare.is_empty() {
            branches.push(self.one_of(bare.into_iter())?);
        }
        match branches.pop() {
            Some(only) if branches.is_empty() => Ok(only),
            last => {
                branches.extend(last);
                Ok(object(json!({"anyOf": branches})))
            }
        }
    }

    /// A string out of a list of names, with what is said of each joined into the description.
    fn one_of<'n>(
        &mut self,
        names: impl Iterator<Item = (&'n str, Option<&'n Docs>)>,
    ) -> Result<Schema, SchemaError> {
        let mut values = Vec::new();
        let mut lines = Vec::new();
        for (name, docs) in names {
            self.spend(1)?;
            let name = property_name(name)?;
            if let Some(text) = docs.and_then(|docs| docs.contents.as_deref()) {
                let words: Vec<_> = text.split_whitespace().collect();
                lines.push(format!("`{name}`: {}", words.join(" ")));
            }
            values.push(Value::from(name));
        }
        let mut schema = object(json!({"type": "string", "enum": values}));
        self.describe(&mut schema, Some(&lines.join("\n")));
        Ok(schema)
    }

    /// The documentation of a type: its own, or that of the type it is another name of.
    fn type_docs(&self, mut ty: Type) -> Option<&'a str> {
        while let Type::Id(id) = ty {
            let definition = self.resolve.types.get(id)?;
            if let Some(text) = definition.docs.contents.as_deref() {
                return Some(text);
            }
            match definition.kind {
                TypeDefKind::Type(target) => ty = target,
                _ => return None,
            }
        }
        None
    }

    /// Puts the text before whatever description there is, as far as the budget goes.
    fn describe(&mut self, schema: &mut Schema, text: Option<&str>) {
        let text = visible(text.unwrap_or_default(), ITEM_DOC_BYTES_MAX);
        if text.is_empty() {
            return;
        }
        let Some(left) = self.doc_bytes_left.checked_sub(text.len()) else {
            return;
        };
        self.doc_bytes_left = left;
        let joined = match schema.get("description").and_then(Value::as_str) {
            Some(present) => format!("{text}\n{present}"),
            None => text,
        };
        schema.insert("description".into(), joined.into());
    }
}

fn property_name(name: &str) -> Result<String, SchemaError> {
    if name.len() > NAME_BYTES_MAX {
        return Err(SchemaError::LongName {
            name: shortened(name, NAME_BYTES_MAX),
        });
    }
    Ok(snake(name))
}

fn integer(minimum: i64, maximum: i64) -> Schema {
    object(json!({"type": "integer", "minimum": minimum, "maximum": maximum}))
}

fn one_property(name: &str, schema: Schema) -> Schema {
    object(json!({
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": false,
    }))
}

fn tuple_of(items: Vec<Value>) -> Schema {
    let length = items.len();
    object(json!({
        "type": "array",
        "prefixItems": items,
        "items": false,
        "minItems": length,
        "maxItems": length,
    }))
}

/// The map inside an object literal.
fn object(value: Value) -> Schema {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn unsupported(at: &str, what: &'static str) -> SchemaError {
    SchemaError::Unsupported {
        at: format!("`{at}`"),
        what,
    }
}
