//! A call as a whole: arguments in order, results as a model sees them, bounds of both.

use serde_json::{Value, json};
use wasmtime::component::Val;

use super::convert::{COMPONENT, TOOLS, convert, point, shape, some};
use super::fixture::function;
use crate::typed::{
    Content, JsonError, OutputError, Shown, ToolOutput, VALUES_MAX, json_to_params,
    results_to_output, val_to_json,
};

#[test]
fn arguments() {
    let params = |name: &str, json: Value| json_to_params(&function(&COMPONENT, name), &json);
    let expected = vec![Val::U8(1), Val::String("x".to_owned())];
    assert_eq!(
        params("several", json!({"c": "x", "a_b": 1})),
        Ok(expected.clone()),
        "in order"
    );
    assert_eq!(params("several", json!({"c": "x", "a-b": 1})), Ok(expected));
    assert_eq!(params("nothing", json!({})), Ok(vec![]));
    assert_eq!(params("optional", json!({})), Ok(vec![Val::Option(None)]));
    let cases = [
        (
            "several",
            json!({"c": "x"}),
            "input: property `a_b` is missing; expected an integer from 0 to 255",
        ),
        (
            "several",
            json!({"d": 1}),
            "input: unknown property `d`; known: a_b, c",
        ),
        (
            "several",
            json!([1, "x"]),
            "input: expected an object of a_b, c, got an array of 2 items",
        ),
        (
            "nothing",
            json!({"a": 1}),
            "input: unknown property `a`; there are none",
        ),
        (
            "nothing",
            json!(null),
            "input: expected an object without properties, got null",
        ),
    ];
    for (name, json, message) in cases {
        assert_eq!(params(name, json).unwrap_err().to_string(), message);
    }
}

#[test]
fn messages_and_values_are_bounded() {
    let long = "é".repeat(100_000);
    for json in [json!(long), json!({ long.as_str(): 1 })] {
        let message = convert("one-point", &json).unwrap_err();
        assert!(message.len() < 600, "{} bytes", message.len());
    }
    let base64 = "A".repeat(VALUES_MAX / 3 * 4 + 8);
    let too_large = JsonError::TooLarge { max: VALUES_MAX };
    assert_eq!(convert("bytes", &json!(base64)), Err(too_large.to_string()));
    let (_, ty) = function(&COMPONENT, "truth")
        .params()
        .next()
        .map(|(n, t)| (n.len(), t))
        .unwrap();
    let unfit = OutputError::Unfit {
        expected: "what its type says",
    };
    assert_eq!(val_to_json(&ty, &Val::U8(1)), Err(unfit));
}

#[test]
fn results_as_a_model_sees_them() {
    let text = |text: &str| Val::String(text.to_owned());
    let said = |text: &str| vec![Content::Text(text.to_owned())];
    let boxed = |value: Val| Some(Box::new(value));
    let blocks = Val::List(vec![shape("text", Some(text("a")))]);
    let cases: Vec<(&str, Vec<Val>, bool, Vec<Content>)> = vec![
        ("gives-nothing", vec![], false, vec![]),
        ("gives-text", vec![text("a \"b\"")], false, said("a \"b\"")),
        (
            "gives-number",
            vec![Val::U64(u64::MAX)],
            false,
            said("\"18446744073709551615\""),
        ),
        (
            "gives-point",
            vec![point(1, None)],
            false,
            said("{\"x\":1}"),
        ),
        (
            "gives-result",
            vec![Val::Result(Ok(boxed(text("a"))))],
            false,
            said("a"),
        ),
        (
            "gives-result",
            vec![Val::Result(Err(boxed(shape(
                "circle",
                Some(Val::Float32(0.1)),
            ))))],
            true,
            said("{\"circle\":0.1}"),
        ),
        ("gives-done", vec![Val::Result(Ok(None))], false, vec![]),
        ("gives-done", vec![Val::Result(Err(None))], true, vec![]),
        (
            "gives-blocks",
            vec![Val::Result(Ok(boxed(blocks)))],
            false,
            said("a"),
        ),
        (
            "gives-blocks",
            vec![Val::Result(Err(boxed(text("no"))))],
            true,
            said("no"),
        ),
        ("gives-maybe", vec![Val::Option(None)], false, said("null")),
        (
            "gives-maybe",
            vec![some(text("null"))],
            false,
            said("\"null\""),
        ),
    ];
    for (name, results, is_error, content) in cases {
        let tool = TOOLS.tool(&name.replace('-', "_")).unwrap();
        let ty = function(&COMPONENT, name);
        let got = results_to_output(&ty, tool.output, &results);
        assert_eq!(
            got,
            Ok(ToolOutput { is_error, content }),
            "{name} {results:?}"
        );
        let wrong = results_to_output(&ty, tool.output, &[Val::Char('x')]);
        assert!(wrong.is_err() || tool.output.ok == Shown::Nothing, "{name}");
    }
}
