//! What the harness relies on: each embedded file is a component, and its WIT is complete and documented.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::path::Path;

use wit_parser::decoding::DecodedWasm;
use wit_parser::{InterfaceId, Resolve, SourceMap, WorldId, WorldItem};

use super::*;

/// The interfaces that are tools, with their functions, as the documentation promises them.
const TOOLS: &[(&str, &str, &[&str])] = &[
    (
        "files",
        "sinew:files/files@0.1.0",
        &["edit", "glob", "grep", "read", "write"],
    ),
    ("web", "sinew:web/web@0.1.0", &["web-fetch", "web-search"]),
];

fn exports(resolve: &Resolve, world: WorldId) -> BTreeMap<String, InterfaceId> {
    let interfaces = resolve.worlds[world]
        .exports
        .values()
        .filter_map(|item| match item {
            WorldItem::Interface { id, .. } => Some((resolve.id_of(*id)?, *id)),
            _ => None,
        });
    interfaces.collect()
}

fn functions(resolve: &Resolve, interface: InterfaceId) -> Vec<&str> {
    let mut names: Vec<_> = resolve.interfaces[interface]
        .functions
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn each_component_exports_exactly_its_tools() {
    let names = |(name, ..): &(&'static str, _, _)| *name;
    assert_eq!(
        tools().map(|one| one.name).collect::<Vec<_>>(),
        TOOLS.iter().map(names).collect::<Vec<_>>()
    );
    for (embedded, (name, interface, expected)) in tools().zip(TOOLS) {
        assert!(
            embedded.wasm.starts_with(b"\0asm\x0d\0\x01\0"),
            "{name} is no component"
        );
        let DecodedWasm::Component(resolve, world) = wit_component::decode(embedded.wasm).unwrap()
        else {
            panic!("{name} is a WIT package")
        };
        let exports = exports(&resolve, world);
        assert_eq!(
            exports.keys().collect::<Vec<_>>(),
            [interface],
            "exports of {name}"
        );
        assert_eq!(
            functions(&resolve, exports[*interface]),
            *expected,
            "functions of {name}"
        );
    }
}

#[test]
fn only_the_web_tools_import_a_network_and_only_as_http() {
    for embedded in tools() {
        let DecodedWasm::Component(resolve, world) = wit_component::decode(embedded.wasm).unwrap()
        else {
            panic!("{} is a WIT package", embedded.name)
        };
        let imports = resolve.worlds[world].imports.keys();
        let names: Vec<String> = imports.map(|key| resolve.name_world_key(key)).collect();
        let has = |prefix: &str| names.iter().any(|name| name.starts_with(prefix));
        assert!(!has("wasi:sockets"), "{}: {names:?}", embedded.name);
        assert_eq!(
            has("wasi:http/outgoing-handler"),
            embedded.name == "web",
            "{}: {names:?}",
            embedded.name
        );
    }
}

/// Reads WIT files, of which each folder is one package and comes before the packages that it uses.
fn resolve(files: &[(&str, &str)]) -> Resolve {
    let mut resolve = Resolve::default();
    let folder = |file: &(&str, &str)| file.0.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    for package in files
        .chunk_by(|one, next| folder(one) == folder(next))
        .rev()
    {
        let mut sources = SourceMap::default();
        for (path, text) in package {
            sources.push(Path::new(path), *text);
        }
        resolve.push_group(sources.parse().unwrap()).unwrap();
    }
    resolve
}

#[test]
fn embedded_wit_resolves_and_documents_every_function() {
    for (embedded, (name, interface, expected)) in tools().zip(TOOLS) {
        let resolve = resolve(embedded.wit);
        let (_, id) = resolve
            .interfaces
            .iter()
            .find_map(|(id, _)| Some((resolve.id_of(id).filter(|found| found == interface)?, id)))
            .unwrap_or_else(|| panic!("the WIT of {name} has no {interface}"));
        assert_eq!(functions(&resolve, id), *expected);
        for function in resolve.interfaces[id].functions.values() {
            let docs = function.docs.contents.as_deref().unwrap_or_default();
            assert!(docs.len() > 40, "{} has no description", function.name);
            for parameter in &function.params {
                let parameter = parameter.name.replace('-', "_");
                assert!(
                    docs.contains(&format!("`{parameter}`")),
                    "{} says nothing of {parameter}",
                    function.name
                );
            }
        }
    }
}
