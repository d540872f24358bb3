//! Random WIT types and values: JSON and values are inverse, and the schema describes what comes out.
//!
//! Each case makes a component with `f: func(v: T) -> T` and takes the types from its compiled form,
//! as a call would. Nothing is executed.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};
use wasmtime::component::Val;
use wasmtime::component::types::Type;

use super::fixture::{compiled, component_of, function};
use super::json_schema::violation;
use crate::typed::{json_to_params, json_to_val, reflect, val_to_json};

/// Names of fields, cases and flags; some are keywords of WIT.
const NAMES: &[&str] = &[
    "a",
    "two-words",
    "HTTP-get",
    "list",
    "tag",
    "value",
    "some",
    "ok9",
];
/// Values tried for each type.
const VALUES_EACH: usize = 24;

/// A WIT type, as far as this test invents them.
#[derive(Debug, Clone)]
enum Ty {
    Primitive(&'static str),
    List(Box<Ty>),
    Fixed(Box<Ty>, u32),
    Map(&'static str, Box<Ty>),
    Option(Box<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
    Tuple(Vec<Ty>),
    Record(Vec<(&'static str, Ty)>),
    Variant(Vec<(&'static str, Option<Ty>)>),
    Enum(Vec<&'static str>),
    Flags(Vec<&'static str>),
}

fn names(count: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(NAMES.to_vec(), count).prop_shuffle()
}

fn types() -> impl Strategy<Value = Ty> {
    let primitive = prop::sample::select(vec![
        "bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char",
        "string",
    ]);
    let leaf = prop_oneof![
        4 => primitive.prop_map(Ty::Primitive),
        1 => names(1..=4).prop_map(Ty::Enum),
        1 => names(1..=4).prop_map(Ty::Flags),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let maybe = prop::option::of(boxed.clone());
        prop_oneof![
            2 => boxed.clone().prop_map(Ty::List),
            1 => (boxed.clone(), 1..4_u32).prop_map(|(ty, length)| Ty::Fixed(ty, length)),
            1 => (prop::sample::select(vec!["string", "u8", "char"]), boxed.clone())
                .prop_map(|(key, value)| Ty::Map(key, value)),
            3 => boxed.prop_map(Ty::Option),
            1 => (maybe.clone(), maybe).prop_map(|(ok, error)| Ty::Result(ok, error)),
            1 => vec(inner.clone(), 1..4).prop_map(Ty::Tuple),
            2 => (names(1..=4), vec(inner.clone(), 4))
                .prop_map(|(names, types)| Ty::Record(names.into_iter().zip(types).collect())),
            2 => (names(1..=4), vec(prop::option::of(inner), 4))
                .prop_map(|(names, types)| Ty::Variant(names.into_iter().zip(types).collect())),
        ]
    })
}

/// Writes the type; what must have a name in WIT goes to `declarations`.
fn wit(ty: &Ty, declarations: &mut Vec<String>) -> String {
    let mut maybe = |ty: &Option<Box<Ty>>| match ty {
        Some(ty) => wit(ty, declarations),
        None => "_".to_owned(),
    };
    let body = match ty {
        Ty::Primitive(name) => return (*name).to_owned(),
        Ty::List(ty) => return format!("list<{}>", wit(ty, declarations)),
        Ty::Fixed(ty, length) => return format!("list<{}, {length}>", wit(ty, declarations)),
        Ty::Map(key, value) => return format!("map<{key}, {}>", wit(value, declarations)),
        Ty::Option(ty) => return format!("option<{}>", wit(ty, declarations)),
        Ty::Result(None, None) => return "result".to_owned(),
        Ty::Result(ok, None) => return format!("result<{}>", maybe(ok)),
        Ty::Result(ok, error) => return format!("result<{}, {}>", maybe(ok), maybe(error)),
        Ty::Tuple(types) => {
            let types: Vec<_> = types.iter().map(|ty| wit(ty, declarations)).collect();
            return format!("tuple<{}>", types.join(", "));
        }
        Ty::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(n, ty)| format!("%{n}: {}", wit(ty, declarations)));
            ("record", fields.collect::<Vec<_>>())
        }
        Ty::Variant(cases) => {
            let cases = cases.iter().map(|(name, ty)| match ty {
                Some(ty) => format!("%{name}({})", wit(ty, declarations)),
                None => format!("%{name}"),
            });
            ("variant", cases.collect())
        }
        Ty::Enum(names) => (
            "enum",
            names.iter().map(|name| format!("%{name}")).collect(),
        ),
        Ty::Flags(names) => (
            "flags",
            names.iter().map(|name| format!("%{name}")).collect(),
        ),
    };
    let name = format!("type-n{}", declarations.len());
    declarations.push(format!("{} {name} {{ {} }}", body.0, body.1.join(", ")));
    name
}

/// Numbers out of which a value is made; a value that needs more starts again.
struct Seeds<'a> {
    numbers: &'a [u64],
    next: usize,
}

impl Seeds<'_> {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.numbers[self.next % self.numbers.len()].rotate_left((self.next % 64) as u32)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit as u64).unwrap()
    }

    fn text(&mut self) -> String {
        const CHARS: &[char] = &[
            'a', 'Z', '"', '\\', '\n', '\0', 'é', '中', '𝄞', ' ', '-', '_',
        ];
        (0..self.below(5))
            .map(|_| CHARS[self.below(CHARS.len())])
            .collect()
    }

    /// A number that is often a special one.
    fn float(&mut self) -> f64 {
        const SPECIAL: &[f64] = &[
            0.0,
            -0.0,
            1.0,
            0.1,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            5e-324,
        ];
        match self.below(2) {
            0 => SPECIAL[self.below(SPECIAL.len())],
            _ => f64::from_bits(self.number()),
        }
    }

    /// A whole number that is often near a limit.
    fn whole(&mut self) -> u64 {
        match self.below(4) {
            0 => 0,
            1 => u64::MAX,
            2 => (1 << 53) - 2 + self.below(4) as u64,
            _ => self.number() >> self.below(64),
        }
    }
}

/// Invents a value of the type.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "any value will do"
)]
fn value(ty: &Ty, seeds: &mut Seeds<'_>) -> Val {
    match ty {
        Ty::Primitive("bool") => Val::Bool(seeds.below(2) == 0),
        Ty::Primitive("u8") => Val::U8(seeds.whole() as u8),
        Ty::Primitive("u16") => Val::U16(seeds.whole() as u16),
        Ty::Primitive("u32") => Val::U32(seeds.whole() as u32),
        Ty::Primitive("u64") => Val::U64(seeds.whole()),
        Ty::Primitive("s8") => Val::S8(seeds.whole() as i8),
        Ty::Primitive("s16") => Val::S16(seeds.whole() as i16),
        Ty::Primitive("s32") => Val::S32(seeds.whole() as i32),
        Ty::Primitive("s64") => Val::S64(seeds.whole() as i64),
        Ty::Primitive("f32") => match seeds.below(2) {
            0 => Val::Float32(seeds.float() as f32),
            _ => Val::Float32(f32::from_bits(seeds.number() as u32)),
        },
        Ty::Primitive("f64") => Val::Float64(seeds.float()),
        Ty::Primitive("char") => Val::Char(seeds.text().chars().next().unwrap_or('x')),
        Ty::Primitive(_) => Val::String(seeds.text()),
        Ty::List(ty) => Val::List((0..seeds.below(4)).map(|_| value(ty, seeds)).collect()),
        Ty::Fixed(ty, length) => {
            Val::FixedLengthList((0..*length).map(|_| value(ty, seeds)).collect())
        }
        Ty::Map(key, ty) => {
            // Equal keys would be one entry, and an object has its keys in order.
            let keys: std::collections::BTreeSet<String> =
                (0..seeds.below(4)).map(|_| seeds.text()).collect();
            let key = |index: usize, text: String| match *key {
                "string" => Val::String(text),
                "u8" => Val::U8(index as u8),
                _ => Val::Char(char::from(b'a' + index as u8)),
            };
            let pairs = keys.into_iter().enumerate();
            Val::Map(
                pairs
                    .map(|(i, text)| (key(i, text), value(ty, seeds)))
                    .collect(),
            )
        }
        Ty::Option(ty) => match seeds.below(3) {
            0 => Val::Option(None),
            _ => Val::Option(Some(Box::new(value(ty, seeds)))),
        },
        Ty::Result(ok, error) => {
            let is_ok = seeds.below(2) == 0;
            let side = if is_ok { ok } else { error };
            let payload = side.as_ref().map(|ty| Box::new(value(ty, seeds)));
            Val::Result(if is_ok { Ok(payload) } else { Err(payload) })
        }
        Ty::Tuple(types) => Val::Tuple(types.iter().map(|ty| value(ty, seeds)).collect()),
        Ty::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, ty)| ((*name).to_owned(), value(ty, seeds)));
            Val::Record(fields.collect())
        }
        Ty::Variant(cases) => {
            let (name, ty) = &cases[seeds.below(cases.len())];
            let payload = ty.as_ref().map(|ty| Box::new(value(ty, seeds)));
            Val::Variant((*name).to_owned(), payload)
        }
        Ty::Enum(names) => Val::Enum(names[seeds.below(names.len())].to_owned()),
        Ty::Flags(names) => {
            let raised = names.iter().filter(|_| seeds.below(2) == 0);
            Val::Flags(raised.map(|name| (*name).to_owned()).collect())
        }
    }
}

/// JSON that nobody meant for any type, with names and forms that some types know.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..4).prop_map(Value::from),
        prop::sample::select(NAMES).prop_map(Value::from),
        prop::sample::select(vec!["", "1", "NaN", "AP8=", "ok", "err", "val", "x"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop::sample::select(
            NAMES
                .iter()
                .copied()
                .chain(["two_words", "http_get", "err", "val"])
                .collect::<Vec<_>>(),
        );
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name, inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect()),
        ]
    })
}

/// One thing replaced somewhere in the JSON, or one property added.
fn mutated(json: &Value, at: &[u16], with: &Value) -> Value {
    let Some((first, rest)) = at.split_first() else {
        return with.clone();
    };
    match json {
        Value::Array(items) if !items.is_empty() => {
            let mut items = items.clone();
            let index = usize::from(*first) % items.len();
            items[index] = mutated(&items[index], rest, with);
            Value::Array(items)
        }
        Value::Object(object) if !object.is_empty() => {
            let mut object = object.clone();
            let name = object
                .keys()
                .nth(usize::from(*first) % object.len())
                .unwrap()
                .clone();
            let changed = mutated(&object[&name], rest, with);
            object.insert(name, changed);
            Value::Object(object)
        }
        _ => with.clone(),
    }
}

/// What was read must come out in a form that reads back as the same.
fn check_read(ty: &Type, read: &Val) -> Result<(), TestCaseError> {
    let json = val_to_json(ty, read).unwrap();
    let again = json_to_val(ty, &json);
    prop_assert_eq!(again.as_ref(), Ok(read), "{}", json);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        // A failure is reported whole; files beside the sources would be noise.
        failure_persistence: None,
        max_shrink_iters: 256,
        ..ProptestConfig::default()
    })]

    #[test]
    fn json_and_values_are_inverse(
        ty in types(),
        numbers in vec(any::<u64>(), 16..64),
        strange in vec((any_json(), vec(any::<u16>(), 0..4)), VALUES_EACH),
    ) {
        let mut declarations = Vec::new();
        let written = wit(&ty, &mut declarations);
        let text = format!(
            "package a:b; interface i {{ {} f: func(v: {written}) -> {written}; }} world w {{ export i; }}",
            declarations.join(" ")
        );
        let wasm = component_of(&text);
        let tools = reflect(&wasm).unwrap();
        prop_assert_eq!(tools.tools.len(), 1, "{:?}", tools.refused);
        let schema = &tools.tools[0].input_schema;

        let function = function(&compiled(&wasm), "f");
        let (_, param) = function.params().next().map(|(name, ty)| (name.len(), ty)).unwrap();
        let mut seeds = Seeds { numbers: &numbers, next: 0 };
        for (strange, place) in &strange {
            let original = value(&ty, &mut seeds);
            let json = val_to_json(&param, &original).unwrap();
            let back = json_to_val(&param, &json);
            prop_assert_eq!(back.as_ref(), Ok(&original), "{} {}", text, json);

            let input = match &original {
                Val::Option(None) => json!({}),
                _ => json!({"v": json}),
            };
            prop_assert_eq!(violation(schema, &input), None, "{} {}", text, input);
            prop_assert_eq!(json_to_params(&function, &input), Ok(vec![original]), "{}", input);

            // Whatever else comes is refused or means something; it never panics.
            for wild in [strange.clone(), mutated(&json, place, strange)] {
                match json_to_val(&param, &wild) {
                    Ok(read) => check_read(&param, &read)?,
                    Err(error) => prop_assert!(error.to_string().len() < 1_000),
                }
            }
        }
    }
}
