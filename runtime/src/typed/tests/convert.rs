//! JSON in and out of one function of every type: what fits, what is taken as well, what is refused.

use std::sync::LazyLock;

use serde_json::{Value, json};
use wasmtime::component::{Component, Val};

use super::fixture::{compiled, component_of, function};
use crate::typed::{ToolSet, json_to_params, reflect, val_to_json};

const WIT: &str = "package a:b;
interface i {
  use sinew:tool/content@0.1.0.{block};
  enum colour { warm, very-cold }
  flags rights { read, write-all, run }
  variant shape { circle(f32), maybe(option<u8>), empty, tag(string) }
  record point { x: s32, at-y: option<s32> }
  record deep { points: list<point> }

  u-eight: func(v: u8); s-eight: func(v: s8); u-sixtyfour: func(v: u64); s-sixtyfour: func(v: s64);
  f-small: func(v: f32); f-large: func(v: f64); truth: func(v: bool); letter: func(v: char);
  text: func(v: string); bytes: func(v: list<u8>); numbers: func(v: list<u16>);
  pair: func(v: tuple<string, u8>); one-colour: func(v: colour); some-rights: func(v: rights);
  one-shape: func(v: shape); one-point: func(v: point); nested: func(v: deep);
  optional: func(v: option<u8>); inside: func(v: list<option<u8>>);
  twice: func(v: option<option<u8>>); thrice: func(v: list<option<option<option<u8>>>>);
  outcome: func(v: result<u8, string>); half: func(v: result<_, string>); done: func(v: result);
  table: func(v: map<string, u8>); by-number: func(v: map<u8, string>); triple: func(v: list<u8, 3>);
  nothing: func(); several: func(a-b: u8, c: string);

  gives-nothing: func(); gives-text: func() -> string; gives-number: func() -> u64;
  gives-point: func() -> point; gives-result: func() -> result<string, shape>;
  gives-done: func() -> result; gives-blocks: func() -> result<list<block>, string>;
  gives-maybe: func() -> option<string>;
}
world w { export i; }";

static WASM: LazyLock<Vec<u8>> = LazyLock::new(|| component_of(WIT));
pub(super) static TOOLS: LazyLock<ToolSet> = LazyLock::new(|| reflect(&WASM).unwrap());
pub(super) static COMPONENT: LazyLock<Component> = LazyLock::new(|| compiled(&WASM));

/// The one argument that the JSON becomes, or the error's message.
pub(super) fn convert(name: &str, json: &Value) -> Result<Val, String> {
    let params = json_to_params(&function(&COMPONENT, name), &json!({ "v": json }));
    params
        .map(|params| params[0].clone())
        .map_err(|error| error.to_string())
}

pub(super) fn some(value: Val) -> Val {
    Val::Option(Some(Box::new(value)))
}

fn list<T>(values: &[T], make: impl Fn(T) -> Val) -> Val
where
    T: Copy,
{
    Val::List(values.iter().map(|value| make(*value)).collect())
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

pub(super) fn shape(case: &str, payload: Option<Val>) -> Val {
    Val::Variant(case.to_owned(), payload.map(Box::new))
}

pub(super) fn point(x: i32, y: Option<i32>) -> Val {
    Val::Record(vec![
        ("x".to_owned(), Val::S32(x)),
        (
            "at-y".to_owned(),
            Val::Option(y.map(|y| Box::new(Val::S32(y)))),
        ),
    ])
}

/// What the schema says, and what comes out again: (function, JSON, value).
#[test]
fn forms_of_the_schema() {
    let boxed = |value: Val| Some(Box::new(value));
    let text = |text: &str| Val::String(text.to_owned());
    let cases: Vec<(&str, Value, Val)> = vec![
        ("u-eight", json!(255), Val::U8(255)),
        ("s-eight", json!(-128), Val::S8(-128)),
        (
            "u-sixtyfour",
            json!(9_007_199_254_740_991_u64),
            Val::U64(9_007_199_254_740_991),
        ),
        (
            "u-sixtyfour",
            json!("18446744073709551615"),
            Val::U64(u64::MAX),
        ),
        (
            "s-sixtyfour",
            json!("-9223372036854775808"),
            Val::S64(i64::MIN),
        ),
        ("f-small", json!(0.1), Val::Float32(0.1)),
        (
            "f-small",
            json!("-Infinity"),
            Val::Float32(f32::NEG_INFINITY),
        ),
        ("f-large", json!("NaN"), Val::Float64(f64::NAN)),
        ("f-large", json!(-0.0), Val::Float64(-0.0)),
        ("truth", json!(true), Val::Bool(true)),
        ("letter", json!("𝄞"), Val::Char('𝄞')),
        ("text", json!("a\u{0}\"b"), text("a\u{0}\"b")),
        ("bytes", json!(""), Val::List(vec![])),
        ("bytes", json!("AP8="), list(&[0, 255], Val::U8)),
        ("numbers", json!([]), Val::List(vec![])),
        ("numbers", json!([1, 65_535]), list(&[1, 65_535], Val::U16)),
        (
            "pair",
            json!(["a", 1]),
            Val::Tuple(vec![text("a"), Val::U8(1)]),
        ),
        (
            "one-colour",
            json!("very_cold"),
            Val::Enum("very-cold".to_owned()),
        ),
        ("some-rights", json!([]), Val::Flags(vec![])),
        (
            "some-rights",
            json!(["write_all", "run"]),
            Val::Flags(strings(&["write-all", "run"])),
        ),
        (
            "one-shape",
            json!({"circle": 1.5}),
            shape("circle", Some(Val::Float32(1.5))),
        ),
        (
            "one-shape",
            json!({"maybe": null}),
            shape("maybe", Some(Val::Option(None))),
        ),
        ("one-shape", json!("empty"), shape("empty", None)),
        // A case called `tag` is itself, not the form of tag and value.
        (
            "one-shape",
            json!({"tag": "empty"}),
            shape("tag", Some(text("empty"))),
        ),
        ("one-point", json!({"x": 1, "at_y": 2}), point(1, Some(2))),
        ("one-point", json!({"x": 1}), point(1, None)),
        ("optional", json!(7), some(Val::U8(7))),
        (
            "inside",
            json!([7, null]),
            Val::List(vec![some(Val::U8(7)), Val::Option(None)]),
        ),
        ("twice", json!({"some": null}), some(Val::Option(None))),
        ("twice", json!({"some": 7}), some(some(Val::U8(7)))),
        (
            "thrice",
            json!([null, {"some": null}, {"some": {"some": null}}, {"some": {"some": 7}}]),
            Val::List(vec![
                Val::Option(None),
                some(Val::Option(None)),
                some(some(Val::Option(None))),
                some(some(some(Val::U8(7)))),
            ]),
        ),
        (
            "outcome",
            json!({"ok": 1}),
            Val::Result(Ok(boxed(Val::U8(1)))),
        ),
        (
            "outcome",
            json!({"error": "e"}),
            Val::Result(Err(boxed(text("e")))),
        ),
        ("half", json!("ok"), Val::Result(Ok(None))),
        ("done", json!("error"), Val::Result(Err(None))),
        (
            "table",
            json!({"a-b": 1}),
            Val::Map(vec![(text("a-b"), Val::U8(1))]),
        ),
        (
            "by-number",
            json!([[1, "a"]]),
            Val::Map(vec![(Val::U8(1), text("a"))]),
        ),
        (
            "triple",
            json!([1, 2, 3]),
            Val::FixedLengthList([1, 2, 3].map(Val::U8).to_vec()),
        ),
    ];
    for (name, json, value) in &cases {
        assert_eq!(convert(name, json).as_ref(), Ok(value), "{name} {json}");
        let (_, ty) = function(&COMPONENT, name)
            .params()
            .next()
            .map(|(n, t)| (n.len(), t))
            .unwrap();
        assert_eq!(
            val_to_json(&ty, value).as_ref(),
            Ok(json),
            "{name} {value:?}"
        );
    }
    // No type is forgotten: every function of one parameter `v` has a case.
    for tool in TOOLS.tools.iter().filter(|tool| tool.params == ["v"]) {
        let is_tried = |(name, ..): &&(&str, Value, Val)| *name == tool.export.function;
        assert!(
            tool.name == "nested" || cases.iter().any(|case| is_tried(&case)),
            "{}",
            tool.name
        );
    }
}

/// What models write instead: (function, JSON, what it means in the schema's form).
#[test]
fn other_forms_that_are_taken() {
    let cases = [
        ("u-eight", json!(7.0), json!(7)),
        ("u-eight", json!("7"), json!(7)),
        ("s-eight", json!("-7"), json!(-7)),
        (
            "u-sixtyfour",
            json!(u64::MAX),
            json!("18446744073709551615"),
        ),
        ("f-large", json!("1.5"), json!(1.5)),
        ("f-large", json!(2), json!(2.0)),
        ("bytes", json!([0, "255"]), json!("AP8=")),
        ("bytes", json!([]), json!("")),
        ("bytes", json!("AP8"), json!("AP8=")),
        ("bytes", json!("A\nP8=\n"), json!("AP8=")),
        ("one-colour", json!("very-cold"), json!("very_cold")),
        (
            "some-rights",
            json!(["write-all", "write_all"]),
            json!(["write_all"]),
        ),
        (
            "one-shape",
            json!({"tag": "circle", "value": 1}),
            json!({"circle": 1.0}),
        ),
        (
            "one-shape",
            json!({"tag": "circle", "val": "NaN"}),
            json!({"circle": "NaN"}),
        ),
        ("one-shape", json!({"empty": null}), json!("empty")),
        (
            "one-point",
            json!({"x": 1, "at-y": 2}),
            json!({"x": 1, "at_y": 2}),
        ),
        ("one-point", json!({"x": 1, "at_y": null}), json!({"x": 1})),
        ("optional", json!(null), json!(null)),
        ("outcome", json!({"err": "e"}), json!({"error": "e"})),
        (
            "outcome",
            json!({"tag": "ok", "value": 1}),
            json!({"ok": 1}),
        ),
        ("done", json!("err"), json!("error")),
        ("done", json!({"tag": "ok"}), json!("ok")),
    ];
    for (name, given, canonical) in cases {
        let got = convert(name, &given);
        assert_eq!(got, convert(name, &canonical), "{name} {given}");
        assert!(got.is_ok(), "{name} {given}: {got:?}");
    }
}

/// What is refused, and with which words: (function, JSON, message).
#[test]
fn mismatches_say_where_and_what() {
    let shapes = r#"one of {"circle": ...}, {"maybe": ...}, "empty", {"tag": ...}"#;
    let cases = [
        (
            "u-eight",
            json!(256),
            "v: expected an integer from 0 to 255, got the number 256",
        ),
        (
            "u-eight",
            json!(1.5),
            "v: expected an integer from 0 to 255, got the number 1.5",
        ),
        (
            "u-eight",
            json!(null),
            "v: expected an integer from 0 to 255, got null",
        ),
        (
            "s-eight",
            json!("x"),
            "v: expected an integer from -128 to 127, got the string \"x\"",
        ),
        (
            "f-small",
            json!(1e39),
            "v: expected a 32-bit number, got the number 1e+39",
        ),
        (
            "f-small",
            json!("inf"),
            "v: expected a 32-bit number, got the string \"inf\"",
        ),
        (
            "truth",
            json!("true"),
            "v: expected true or false, got the string \"true\"",
        ),
        (
            "letter",
            json!("ab"),
            "v: expected a string of one character, got the string \"ab\"",
        ),
        (
            "letter",
            json!(""),
            "v: expected a string of one character, got an empty string",
        ),
        ("text", json!(5), "v: expected a string, got the number 5"),
        (
            "bytes",
            json!("*"),
            "v: expected a string in base64, got the string \"*\"",
        ),
        (
            "bytes",
            json!([1, 256]),
            "v[1]: expected an integer from 0 to 255, got the number 256",
        ),
        (
            "numbers",
            json!("AP8="),
            "v: expected an array, got the string \"AP8=\"",
        ),
        (
            "pair",
            json!(["a"]),
            "v: expected an array of 2 items, got an array of 1 items",
        ),
        (
            "one-colour",
            json!("hot"),
            "v: expected one of warm, very_cold, got the string \"hot\"",
        ),
        (
            "some-rights",
            json!(["read", 1]),
            "v[1]: expected an array of strings out of read, write_all, run, got the number 1",
        ),
        (
            "one-shape",
            json!({"circle": "x"}),
            "v.circle: expected a 32-bit number, got the string \"x\"",
        ),
        (
            "one-shape",
            json!("circle"),
            &format!("v: expected {shapes}, got the string \"circle\""),
        ),
        (
            "one-shape",
            json!({"empty": 1}),
            &format!("v: expected {shapes}, got an object of empty"),
        ),
        (
            "one-shape",
            json!({"circle": 1, "empty": null}),
            &format!("v: expected {shapes}, got an object of circle, empty"),
        ),
        (
            "one-shape",
            json!({"tag": "circle", "value": 1, "more": 1}),
            &format!("v: expected {shapes}, got an object of more, tag, value"),
        ),
        (
            "one-shape",
            json!({}),
            &format!("v: expected {shapes}, got an empty object"),
        ),
        (
            "one-point",
            json!([]),
            "v: expected an object of x, at_y, got an array of 0 items",
        ),
        (
            "one-point",
            json!({}),
            "v: property `x` is missing; expected an integer from -2147483648 to 2147483647",
        ),
        (
            "one-point",
            json!({"x": 1, "y": 2}),
            "v: unknown property `y`; known: x, at_y",
        ),
        (
            "one-point",
            json!({"x": 1, "at-y": 2, "at_y": 2}),
            "v: property `at_y` is given twice",
        ),
        (
            "nested",
            json!({"points": [{"x": 1}, {"x": 1, "at_y": "?"}]}),
            "v.points[1].at_y: expected an integer from -2147483648 to 2147483647, got the string \"?\"",
        ),
        (
            "twice",
            json!(7),
            "v: expected {\"some\": ...} or null, got the number 7",
        ),
        (
            "outcome",
            json!("ok"),
            "v: expected {\"ok\": ...} or {\"error\": ...}, got the string \"ok\"",
        ),
        (
            "done",
            json!({"ok": 1}),
            "v: expected \"ok\" or \"error\", got an object of ok",
        ),
        (
            "table",
            json!({"a.b": -1}),
            "v.a.b: expected an integer from 0 to 255, got the number -1",
        ),
        (
            "table",
            json!([]),
            "v: expected an object, got an array of 0 items",
        ),
        (
            "by-number",
            json!([[1]]),
            "v: expected an array of [key, value] pairs, got an array of 1 items",
        ),
        (
            "triple",
            json!([1, 2]),
            "v: expected an array of 3 items, got an array of 2 items",
        ),
    ];
    for (name, json, message) in cases {
        assert_eq!(
            convert(name, &json),
            Err(message.to_owned()),
            "{name} {json}"
        );
    }
}
