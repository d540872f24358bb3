//! One rich component, held to a golden file: names, words, schemas, refusals, capabilities.

use std::path::Path;

use serde_json::Value;

use super::fixture::{component, component_of, wit_files};
use crate::typed::docs::{self, WitSources};
use crate::typed::{Prefixes, ReflectError, ToolSet, reflect, reflect_with};

#[test]
fn rich_component() {
    let files = wit_files("rich");
    let wasm = docs::embed(&component(&files, "tool"), &WitSources::Files(files)).unwrap();
    let tools = reflect(&wasm).unwrap();

    let got = serde_json::to_value(&tools).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/typed/tests/data/rich.json");
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("SINEW_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, pretty(&got)).unwrap();
    }
    let golden: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    if got != golden {
        let (got, golden) = (pretty(&got), pretty(&golden));
        let line = got
            .lines()
            .zip(golden.lines())
            .position(|(a, b)| a != b)
            .unwrap_or_default();
        let shown = |text: &str| {
            text.lines()
                .skip(line)
                .take(8)
                .collect::<Vec<_>>()
                .join("\n")
        };
        panic!(
            "{}:{} differs; if that is meant, run with SINEW_UPDATE_GOLDEN=1\ngot:\n{}\ngolden:\n{}",
            path.display(),
            line + 1,
            shown(&got),
            shown(&golden)
        );
    }
    assert_eq!(tools.undocumented().collect::<Vec<_>>(), ["undocumented"]);
    assert_eq!(
        serde_json::from_value::<ToolSet>(golden).unwrap(),
        tools,
        "survives storing"
    );
}

#[test]
fn what_is_no_component() {
    let cases: [&[u8]; 4] = [
        b"",
        b"\0asm",
        &wat::parse_str("(module)").unwrap(),
        // A WIT package has the shape of a component.
        &wat::parse_str(r#"(component (type (component (type (component)) (export "a:b/w" (component (type 0))))) (export "w" (type 0)))"#).unwrap(),
    ];
    for wasm in cases {
        assert!(
            matches!(reflect(wasm), Err(ReflectError::NotAComponent)),
            "{wasm:?}"
        );
    }
    let mut cut = component_of("package a:b; world w { export f: func(); }");
    cut.truncate(cut.len() / 2);
    assert!(matches!(reflect(&cut), Err(ReflectError::Undecodable(_))));
    let empty = reflect(&wat::parse_str("(component)").unwrap()).unwrap();
    assert!(empty.tools.is_empty() && empty.dynamic.is_none());
}

#[test]
fn prefixes_tell_clashing_interfaces_apart() {
    let wit = "package a:b;
        package a:one { interface ops { run: func(); } }
        package a:two { interface ops { run: func(); } }
        world w { export a:one/ops; export a:two/ops; export top: func(); }";
    let wasm = component_of(wit);
    let Err(ReflectError::NameClash { name, exports }) = reflect(&wasm) else {
        panic!("two tools of one name");
    };
    assert_eq!((name.as_str(), exports.len()), ("ops_run", 2));

    let prefixes = Prefixes::from(
        [("a:two/ops", "second"), ("", "mine")].map(|(i, p)| (i.to_owned(), p.to_owned())),
    );
    let tools = reflect_with(&wasm, &prefixes).unwrap();
    let names: Vec<_> = tools.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["mine_top", "run", "second_run"]);
    for prefix in ["", "a b", "é"] {
        let prefixes = Prefixes::from([("a:two/ops".to_owned(), prefix.to_owned())]);
        let result = reflect_with(&wasm, &prefixes);
        assert!(
            matches!(result, Err(ReflectError::InvalidPrefix { .. })),
            "{prefix:?}"
        );
    }
}

#[test]
fn schemas_are_bounded() {
    // A type used twice at every level doubles at every level.
    let mut wit = "package a:b; interface i { record t0 { a: u8 }".to_owned();
    for level in 1..=11 {
        let below = level - 1;
        wit += &format!(" record t{level} {{ a: t{below}, b: t{below} }}");
    }
    wit += " small: func(x: t8); large: func(x: t11); back: func() -> t11; } world w { export i; }";
    let tools = reflect(&component_of(&wit)).unwrap();
    let names: Vec<_> = tools.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["small"]);
    for refused in &tools.refused {
        assert!(
            refused.reason.contains("2000 schema nodes"),
            "{}",
            refused.reason
        );
    }

    // Each within its own budget, all of them beyond that of the set.
    let many: String = (0..70)
        .map(|n| format!("do-x{n}: func(a: t7, b: t7);"))
        .collect();
    let (types, _) = wit.split_once("small: func").unwrap();
    let tools = reflect(&component_of(&format!(
        "{types} {many} }} world w {{ export i; }}"
    )))
    .unwrap();
    assert!(
        (60..70).contains(&tools.tools.len()),
        "{}",
        tools.tools.len()
    );
    let reasons: Vec<_> = tools
        .refused
        .iter()
        .map(|refused| &refused.reason)
        .collect();
    assert!(
        reasons.iter().all(|reason| reason.contains("50000")),
        "{reasons:?}"
    );

    let deep = format!("{}u8{}", "option<".repeat(70), ">".repeat(70));
    let wit = format!("package a:b; interface i {{ f: func(x: {deep}); }} world w {{ export i; }}");
    let tools = reflect(&component_of(&wit)).unwrap();
    assert!(
        tools.refused[0].reason.contains("64 levels"),
        "{}",
        tools.refused[0].reason
    );

    let many: String = (0..=256).map(|n| format!("do-x{n}: func();")).collect();
    let wit = format!("package a:b; interface i {{ {many} }} world w {{ export i; }}");
    assert!(matches!(
        reflect(&component_of(&wit)),
        Err(ReflectError::TooManyFunctions)
    ));
}

/// A contract of another version is neither offered as tools nor passed over in silence.
#[test]
fn contracts_of_another_version() {
    let wit = "package a:b;
        package sinew:tool@0.2.0 { interface dynamic { execute: func(); } }
        world w { export sinew:tool/dynamic@0.2.0; }";
    let tools = reflect(&component_of(wit)).unwrap();
    assert_eq!((tools.dynamic, tools.tools.len()), (None, 0));
    assert!(
        tools.refused[0].reason.contains("does not speak"),
        "{}",
        tools.refused[0].reason
    );
}

/// Every byte of a component, changed: an error or a tool set, but never a panic.
#[test]
fn no_changed_byte_makes_it_panic() {
    let wit = "package a:b@1.0.0; interface i {
          use sinew:tool/content@0.1.0.{block};
          record r { a: u8 } resource s { m: func(); }
          f: func(x: r) -> result<list<block>, string>;
        } world w { import i; export i; export sinew:tool/dynamic@0.1.0; }";
    let mut wasm = component_of(wit);
    // The code is of no interest here, and is most of the bytes.
    let types_from = wasm
        .windows(5)
        .rposition(|bytes| bytes == b"a:b/i")
        .unwrap_or(0)
        / 2;

    for index in types_from..wasm.len() {
        let original = wasm[index];
        for changed in [0xff, original ^ 1, original.wrapping_add(1)] {
            wasm[index] = changed;
            let _ = reflect(&wasm);
        }
        wasm[index] = original;
    }
}
