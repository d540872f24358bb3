//! Lays documentation over decoded types, by name, passing over whatever is absent or malformed.
//!
//! The JSON is read as plain values rather than as a type: a section written by another version, or
//! by hand, then still gives what it can.

use serde_json::{Map, Value};
use wit_parser::{Docs, InterfaceId, Resolve, TypeDefKind, TypeId, WorldId, WorldItem, WorldKey};

type Object = Map<String, Value>;

pub(super) fn lay_over(packages: &Object, resolve: &mut Resolve, world: WorldId) {
    for (package, interface) in interfaces(resolve) {
        let docs = resolve
            .packages
            .get(package)
            .and_then(|package| packages.get(&package.name.to_string()))
            .zip(
                resolve
                    .interfaces
                    .get(interface)
                    .and_then(|i| i.name.as_deref()),
            )
            .and_then(|(docs, name)| object(docs, "interfaces")?.get(name)?.as_object());
        if let Some(docs) = docs {
            lay_over_interface(docs, resolve, interface);
        }
    }
    for docs in worlds(packages, resolve, world) {
        lay_over_world(docs, resolve, world);
    }
}

fn interfaces(resolve: &Resolve) -> Vec<(wit_parser::PackageId, InterfaceId)> {
    resolve
        .interfaces
        .iter()
        .filter_map(|(id, interface)| Some((interface.package?, id)))
        .collect()
}

/// The worlds in the documentation, the one most like the component last, so that it prevails.
///
/// A component does not know the name of the world it was built from, and sources may have several.
fn worlds<'a>(packages: &'a Object, resolve: &Resolve, world: WorldId) -> Vec<&'a Object> {
    let is_exported = |name: &String| {
        let key = WorldKey::Name(name.clone());
        resolve
            .worlds
            .get(world)
            .is_some_and(|world| world.exports.contains_key(&key))
    };
    let mut worlds: Vec<_> = packages
        .values()
        .filter_map(|package| object(package, "worlds"))
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .collect();
    worlds.sort_by_key(|docs| {
        docs.get("func_exports")
            .and_then(Value::as_object)
            .map_or(0, |functions| {
                functions.keys().filter(|name| is_exported(name)).count()
            })
    });
    worlds
}

fn lay_over_world(docs: &Object, resolve: &mut Resolve, world: WorldId) {
    for (name, function) in members(docs, "func_exports") {
        let key = WorldKey::Name(name.clone());
        if let Some(world) = resolve.worlds.get_mut(world)
            && let Some(WorldItem::Function(target)) = world.exports.get_mut(&key)
        {
            set(&mut target.docs, text(function));
        }
    }
    for (name, function) in members(docs, "funcs") {
        let key = WorldKey::Name(name.clone());
        if let Some(world) = resolve.worlds.get_mut(world)
            && let Some(WorldItem::Function(target)) = world.imports.get_mut(&key)
        {
            set(&mut target.docs, text(function));
        }
    }
    for (name, ty) in members(docs, "types") {
        let key = WorldKey::Name(name.clone());
        let item = resolve
            .worlds
            .get(world)
            .and_then(|world| world.imports.get(&key));
        if let Some(&WorldItem::Type { id, .. }) = item {
            lay_over_type(ty, resolve, id);
        }
    }
}

fn lay_over_interface(docs: &Object, resolve: &mut Resolve, id: InterfaceId) {
    let Some(interface) = resolve.interfaces.get_mut(id) else {
        return;
    };
    set(
        &mut interface.docs,
        docs.get("docs").and_then(Value::as_str),
    );
    for (name, function) in members(docs, "funcs") {
        if let Some(target) = interface.functions.get_mut(name) {
            set(&mut target.docs, text(function));
        }
    }
    let types: Vec<_> = members(docs, "types")
        .filter_map(|(name, ty)| Some((*interface.types.get(name)?, ty)))
        .collect();
    for (id, ty) in types {
        lay_over_type(ty, resolve, id);
    }
}

fn lay_over_type(docs: &Value, resolve: &mut Resolve, id: TypeId) {
    let Some(definition) = resolve.types.get_mut(id) else {
        return;
    };
    set(&mut definition.docs, text(docs));
    let items = |name: &str| docs.get("items")?.get(name)?.as_str();
    match &mut definition.kind {
        TypeDefKind::Record(record) => {
            for field in &mut record.fields {
                set(&mut field.docs, items(&field.name));
            }
        }
        TypeDefKind::Variant(variant) => {
            for case in &mut variant.cases {
                set(&mut case.docs, items(&case.name));
            }
        }
        TypeDefKind::Enum(cases) => {
            for case in &mut cases.cases {
                set(&mut case.docs, items(&case.name));
            }
        }
        TypeDefKind::Flags(flags) => {
            for flag in &mut flags.flags {
                set(&mut flag.docs, items(&flag.name));
            }
        }
        _ => {}
    }
}

fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Object> {
    value.get(key)?.as_object()
}

fn members<'a>(docs: &'a Object, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    docs.get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// The text of an item; the oldest form of the format is the text itself.
fn text(item: &Value) -> Option<&str> {
    item.as_str().or_else(|| item.get("docs")?.as_str())
}

fn set(docs: &mut Docs, text: Option<&str>) {
    if let Some(text) = text {
        docs.contents = Some(text.to_owned());
    }
}
