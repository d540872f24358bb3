//! Components made from WIT text: the right types around code that does nothing.

use std::path::Path;
use std::sync::LazyLock;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentFunc;
use wasmtime::{Config, Engine};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, SourceMap};

use crate::typed::{Export, function_type};

/// The contracts that this repository defines.
const CONTENT_WIT: &str = include_str!("../../../../tools-wit/tool/content.wit");
const DYNAMIC_WIT: &str = include_str!("../../../../tools-wit/tool/dynamic.wit");

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.wasm_component_model_map(true);
    config.wasm_component_model_fixed_length_lists(true);
    Engine::new(&config).unwrap()
});

/// The files of a WIT folder, with `sinew:tool` among its dependencies.
pub(super) fn wit_files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/typed/tests/data")
        .join(folder);
    let mut files = with_contracts(Vec::new());
    for path in ["rich.wit", "deps/wasi.wit", "deps/host/host.wit"] {
        files.push((
            path.to_owned(),
            std::fs::read_to_string(root.join(path)).unwrap(),
        ));
    }
    files
}

/// The files, and `sinew:tool` as a dependency of them.
pub(super) fn with_contracts(mut files: Vec<(String, String)>) -> Vec<(String, String)> {
    files.push(("deps/tool/content.wit".to_owned(), CONTENT_WIT.to_owned()));
    files.push(("deps/tool/dynamic.wit".to_owned(), DYNAMIC_WIT.to_owned()));
    files
}

/// Makes a component of the one world of this name. `deps/` must come in folders or whole packages.
pub(super) fn component(files: &[(String, String)], world: &str) -> Vec<u8> {
    let mut groups = std::collections::BTreeMap::<String, SourceMap>::new();
    for (path, text) in files {
        let group = match path.strip_prefix("deps/") {
            None => String::new(),
            Some(rest) => rest.split('/').next().unwrap().to_owned(),
        };
        groups
            .entry(group)
            .or_default()
            .push_str(path, text.as_str());
    }
    let mut groups = groups.into_values().map(|map| map.parse().unwrap());
    let mut resolve = Resolve::default();
    let main = groups.next().unwrap();
    let package = resolve.push_groups(main, groups.collect()).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let abi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
    let mut module = dummy_module(&resolve, world, abi);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// Makes a component of one file with a world named `w`.
pub(super) fn component_of(wit: &str) -> Vec<u8> {
    component(
        &with_contracts(vec![("w.wit".to_owned(), wit.to_owned())]),
        "w",
    )
}

pub(super) fn compiled(wasm: &[u8]) -> Component {
    Component::new(&ENGINE, wasm).unwrap()
}

/// The type of a function in the interface `i` of package `a:b`.
pub(super) fn function(component: &Component, name: &str) -> ComponentFunc {
    let export = Export {
        interface: Some("a:b/i".to_owned()),
        function: name.to_owned(),
    };
    function_type(&ENGINE, component, &export).unwrap()
}
