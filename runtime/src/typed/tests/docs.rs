//! Documentation: the round trip through a component, and everything that may be wrong with it.

use std::collections::BTreeMap;
use std::fs;

use wasm_encoder::{Encode as _, Section as _};

use super::fixture::component_of;
use crate::typed::docs::{self, DocsError, WIT_BYTES_MAX, WIT_FILES_MAX, WitSources};
use crate::typed::{DESCRIPTION_BYTES_MAX, reflect};

const WIT: &str = "package a:b@1.0.0;
    interface i {
      /// Greets.
      greet: func(name: string);
      bare: func();
    }
    world w {
      export i;
      /// Runs.
      export run: func();
    }";

fn files(pairs: &[(&str, &str)]) -> WitSources {
    WitSources::Files(
        pairs
            .iter()
            .map(|(p, t)| ((*p).to_owned(), (*t).to_owned()))
            .collect(),
    )
}

fn descriptions(wasm: &[u8]) -> BTreeMap<String, String> {
    let tools = reflect(wasm).unwrap().tools;
    tools
        .into_iter()
        .map(|tool| (tool.name, tool.description))
        .collect()
}

fn described(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(n, d)| ((*n).to_owned(), (*d).to_owned()))
        .collect()
}

fn with_section(wasm: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let section = wasm_encoder::CustomSection {
        name: name.into(),
        data: data.into(),
    };
    let mut out = wasm.to_vec();
    out.push(section.id());
    section.encode(&mut out);
    out
}

#[test]
fn a_folder_and_memory_give_the_same_bytes() {
    let wasm = component_of(WIT);
    let none = described(&[("greet", ""), ("bare", ""), ("run", "")]);
    assert_eq!(descriptions(&wasm), none, "a component alone says nothing");

    let folder = tempfile::tempdir().unwrap();
    let deps = folder.path().join("deps/c");
    fs::create_dir_all(&deps).unwrap();
    fs::write(folder.path().join("b.wit"), WIT).unwrap();
    fs::write(folder.path().join("notes.txt"), "not WIT").unwrap();
    fs::write(
        deps.join("c.wit"),
        "package a:c; interface j { f: func(); }",
    )
    .unwrap();
    let from_folder = docs::embed(&wasm, &WitSources::Folder(folder.path().to_owned())).unwrap();
    let sources = files(&[
        ("b.wit", WIT),
        ("deps/c/c.wit", "package a:c; interface j { f: func(); }"),
        ("notes.txt", "not WIT"),
    ]);
    let from_memory = docs::embed(&wasm, &sources).unwrap();
    assert!(from_folder == from_memory);
    let expected = described(&[("greet", "Greets."), ("bare", ""), ("run", "Runs.")]);
    assert_eq!(descriptions(&from_folder), expected);
    assert!(
        docs::embed(&from_memory, &sources).unwrap() == from_memory,
        "replaces, never adds"
    );
}

#[test]
fn documentation_of_something_else_is_passed_over() {
    let wasm = component_of(WIT);
    let other = WIT
        .replace(
            "greet: func(name: string);",
            "gone: func();\n/// New.\nbare: func();",
        )
        .replace("      bare: func();\n", "")
        .replace("w {", "w2 { /// Absent.\n export absent: func();");
    let expected = described(&[("greet", ""), ("bare", "New."), ("run", "Runs.")]);
    assert_eq!(
        descriptions(&docs::embed(&wasm, &files(&[("x.wit", &other)])).unwrap()),
        expected
    );

    let other_version = WIT.replace("1.0.0", "1.0.1").replace("/// Runs.", "");
    let embedded = docs::embed(&wasm, &files(&[("x.wit", &other_version)])).unwrap();
    let none = described(&[("greet", ""), ("bare", ""), ("run", "")]);
    assert_eq!(descriptions(&embedded), none);
}

#[test]
fn no_section_can_make_reading_fail() {
    let wasm = component_of(WIT);
    let cases: &[(&str, &[u8])] = &[
        // The decoder refuses a component for each of these, were they left in place.
        ("package-docs", b"\x01{\"interfaces\":{\"absent\":{\"docs\":\"x\"}}}"),
        ("package-docs", b"\xffgarbage"),
        ("sinew-docs", b"garbage"),
        ("sinew-docs", b"[1]"),
        ("sinew-docs", br#"{"a:b@1.0.0": 1, "": null}"#),
        ("sinew-docs", br#"{"a:b@1.0.0": {"interfaces": {"i": 1}, "worlds": {"w": []}}}"#),
        (
            "sinew-docs",
            br#"{"a:b@1.0.0": {"interfaces": {"i": {"docs": 1, "funcs": {"greet": 1, "bare": {"docs": {}}}, "types": {"x": {}}}}}}"#,
        ),
        ("sinew-docs", &[b' '; docs::SECTION_BYTES_MAX + 1]),
    ];
    let none = described(&[("greet", ""), ("bare", ""), ("run", "")]);
    for (name, data) in cases {
        let twice = with_section(&with_section(&wasm, name, data), name, data);
        let shown = String::from_utf8_lossy(&data[..data.len().min(80)]);
        assert_eq!(descriptions(&twice), none, "{name}: {shown}");
    }
    // The form before the current one, and a field from a later one.
    let old = br#"{"a:b@1.0.0": {"later": {}, "interfaces": {"i": {"funcs": {"greet": "Old."}}}}}"#;
    let expected = described(&[("greet", "Old."), ("bare", ""), ("run", "")]);
    assert_eq!(
        descriptions(&with_section(&wasm, "sinew-docs", old)),
        expected
    );
}

#[test]
fn descriptions_are_short_and_visible() {
    let long = "x".repeat(2 * DESCRIPTION_BYTES_MAX);
    let docs = serde_json::json!({"a:b@1.0.0": {"interfaces": {"i": {"funcs": {
        "greet": {"docs": long},
        "bare": {"docs": "a\u{1b}[2J\u{e0041}b"},
    }}}}});
    let wasm = with_section(
        &component_of(WIT),
        docs::SECTION,
        docs.to_string().as_bytes(),
    );
    let got = descriptions(&wasm);
    assert_eq!(got["greet"].len(), DESCRIPTION_BYTES_MAX);
    assert_eq!(got["bare"], "a[2Jb");
}

#[test]
fn bad_sources() {
    let wasm = component_of(WIT);
    let embed = |sources: &WitSources| docs::embed(&wasm, sources).unwrap_err();
    let invalid = [
        files(&[("x.wit", "package a:b; interface {")]),
        files(&[("x.wit", "package a:b; world w { export gone:gone/gone; }")]),
        files(&[("x.wit", "package a:b;"), ("y.wit", "package a:c;")]),
        files(&[("x.wit", "")]),
        files(&[]),
    ];
    for sources in &invalid {
        assert!(
            matches!(embed(sources), DocsError::InvalidWit(_)),
            "{sources:?}"
        );
    }
    let report = embed(&invalid[0]).to_string();
    assert!(report.contains("x.wit:1"), "names the place: {report}");

    let large = " ".repeat(WIT_BYTES_MAX + 1);
    assert!(matches!(
        embed(&files(&[("x.wit", &large)])),
        DocsError::TooLarge { .. }
    ));
    let many = vec![("x.wit", ""); WIT_FILES_MAX + 1];
    assert!(matches!(embed(&files(&many)), DocsError::TooLarge { .. }));
    let absent = WitSources::Folder("/nonexistent/wit".into());
    assert!(matches!(embed(&absent), DocsError::Unreadable { .. }));
    let module = wat::parse_str("(module)").unwrap();
    let result = docs::embed(&module, &files(&[("x.wit", WIT)]));
    assert!(matches!(result, Err(DocsError::NotAComponent)));
}

/// Sources within their size can still be made to cost far more than their size: the process must
/// neither run out of stack, which would end it, nor of memory.
#[test]
fn sources_made_to_explode() {
    type Link = fn(usize) -> String;
    let chains: &[(usize, bool, Link)] = &[
        (30_000, true, |n| format!("type a{n} = list<a{}>;", n + 1)),
        (10_000, false, |n| {
            format!(
                "package a:p{n} {{ interface i {{ use a:p{}/i.{{t}}; }} }}",
                n + 1
            )
        }),
        (2_000, false, |n| {
            format!(
                "world w{n} {{ include w{}; export run{n}: func(); }}",
                n + 1
            )
        }),
        (2_000, false, |n| {
            format!(
                "interface i{n} {{ use i{}.{{t}}; }} world w{n} {{ import i{n}; }}",
                n + 1
            )
        }),
    ];
    let ends = [
        "type a30000 = u8;",
        "",
        "world w2000 {}",
        "interface i2000 { type t = u8; }",
    ];
    let wasm = component_of(WIT);
    for ((length, is_one_interface, link), end) in chains.iter().zip(ends) {
        let links: String = (0..*length).map(link).collect::<String>() + end;
        let wit = match is_one_interface {
            true => format!("package a:b; interface i {{ {links} }}"),
            false => format!("package a:b; {links}"),
        };
        let result = docs::embed(&wasm, &files(&[("x.wit", &wit)]));
        match is_one_interface {
            true => assert!(result.is_ok(), "a long chain of types alone is harmless"),
            false => assert!(
                matches!(result, Err(DocsError::TooLarge { .. })),
                "{}",
                link(0)
            ),
        }
    }
    // As long a chain of packages as is allowed fits the stack of an ordinary thread.
    let links: String = (0..508)
        .map(|n| {
            format!(
                "package a:p{n} {{ interface i {{ use a:p{}/i.{{t}}; }} }}",
                n + 1
            )
        })
        .collect();
    let wit = format!("package a:b; {links} package a:p508 {{ interface i {{ type t = u8; }} }}");
    assert!(docs::embed(&wasm, &files(&[("x.wit", &wit)])).is_ok());
}
