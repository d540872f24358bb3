//! Maps as lists of entries and back, keys, parts of maps, deletion.

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Tree};
use crate::path;

/// Takes a node out of its parent.
pub fn delete(tree: &mut Tree, node: Id) {
    let Some(parent) = tree[node].parent else {
        return;
    };
    let Some(place) = tree.position(node) else {
        return;
    };
    let count = if tree[parent].kind == Kind::Map { 2 } else { 1 };
    // A key takes its value with it, and a value its key.
    let from = place - place % count;
    tree[parent].content.drain(from..from + count);
}

/// Returns the keys of a map, or the places of a sequence.
pub fn keys(tree: &mut Tree, node: Id) -> Outcome<Id> {
    let new = tree.seq();
    match tree[node].kind {
        Kind::Map => {
            let keys: Vec<Id> = tree[node].pairs().map(|(key, _)| key).collect();
            for key in keys {
                let copy = tree.copy(key);
                tree.push(new, copy);
            }
        }
        Kind::Seq => {
            for place in 0..tree[node].content.len() {
                let item = tree.int(i64::try_from(place).unwrap_or(i64::MAX));
                tree.push(new, item);
            }
        }
        _ => {
            return Err(Mistake::new(format!(
                "cannot get keys of {}, keys only works for maps and arrays",
                tree[node].tag
            )));
        }
    }
    Ok(new)
}

/// Returns `{key: ..., value: ...}` for each entry.
pub fn to_entries(tree: &mut Tree, node: Id) -> Outcome<Id> {
    let node = tree.follow(node);
    let new = tree.seq();
    let pairs: Vec<(Id, Id)> = match tree[node].kind {
        Kind::Map => tree[node].pairs().collect(),
        Kind::Seq => {
            let items = tree[node].content.clone();
            let mut pairs = Vec::new();
            for (place, item) in items.into_iter().enumerate() {
                pairs.push((tree.int(i64::try_from(place).unwrap_or(i64::MAX)), item));
            }
            pairs
        }
        _ if tree[node].is_null() => Vec::new(),
        _ => return Err(Mistake::new(format!("{} has no keys", tree[node].tag))),
    };
    for (key, value) in pairs {
        let entry = tree.map();
        let (key, value) = (tree.copy(key), tree.copy(value));
        tree.put_text(entry, "key", key);
        tree.put_text(entry, "value", value);
        tree.push(new, entry);
    }
    Ok(new)
}

/// Returns a map of such entries.
pub fn from_entries(tree: &mut Tree, node: Id) -> Outcome<Id> {
    let node = tree.follow(node);
    if tree[node].kind != Kind::Seq {
        return Err(Mistake::new("from entries only runs against arrays"));
    }
    let new = tree.map();
    for entry in tree[node].content.clone() {
        let entry = tree.follow(entry);
        let Some(key) = ["key", "k", "name"]
            .iter()
            .find_map(|name| tree.get(entry, name))
        else {
            return Err(Mistake::new(
                "expected to find two 'key' and 'value' children but found one",
            ));
        };
        let value = match ["value", "v"].iter().find_map(|name| tree.get(entry, name)) {
            Some(value) => tree.copy(value),
            None => tree.null(),
        };
        let text = tree[key].value.clone();
        if let Some(old) = tree.get(new, &text) {
            crate::assign::update(tree, old, value, true);
        } else {
            let key = tree.copy(key);
            tree.put(new, key, value);
        }
    }
    Ok(new)
}

/// Returns a map from places to items.
pub fn array_to_map(tree: &mut Tree, node: Id) -> Id {
    let new = tree.map();
    for (place, item) in tree[node].content.clone().into_iter().enumerate() {
        if tree[item].is_null() {
            continue;
        }
        let key = tree.int(i64::try_from(place).unwrap_or(i64::MAX));
        let copy = tree.copy(item);
        tree.put(new, key, copy);
    }
    new
}

/// Returns a map or sequence of only some keys or places, or of all but those.
pub fn pick(tree: &mut Tree, node: Id, keys: Id, is_kept: bool) -> Outcome<Id> {
    let wanted = tree[tree.follow(keys)].content.clone();
    let new = tree.copy(node);
    match tree[node].kind {
        Kind::Map => {
            let pairs: Vec<_> = tree[new].pairs().collect();
            tree[new].content.clear();
            if is_kept {
                for key in wanted {
                    let found = pairs
                        .iter()
                        .find(|(own, _)| tree[*own].value == tree[key].value);
                    if let Some((key, value)) = found {
                        tree.put(new, *key, *value);
                    }
                }
            } else {
                for (key, value) in pairs {
                    if !wanted
                        .iter()
                        .any(|wanted| tree[*wanted].value == tree[key].value)
                    {
                        tree.put(new, key, value);
                    }
                }
            }
        }
        Kind::Seq => {
            let items = tree[new].content.clone();
            tree[new].content.clear();
            let mut places = Vec::new();
            for key in wanted {
                places.extend(usize::try_from(path::integer(tree, key)?).ok());
            }
            let kept: Vec<Id> = if is_kept {
                places
                    .iter()
                    .filter_map(|place| items.get(*place).copied())
                    .collect()
            } else {
                let all = items.into_iter().enumerate();
                all.filter(|(place, _)| !places.contains(place))
                    .map(|(_, item)| item)
                    .collect()
            };
            for item in kept {
                tree.push(new, item);
            }
        }
        _ => {
            return Err(Mistake::new(format!(
                "cannot pick indices from type {} ()",
                tree[node].tag
            )));
        }
    }
    Ok(new)
}

/// Sorts the entries of a map by their keys.
pub fn sort_keys(tree: &mut Tree, node: Id) {
    if tree[node].kind != Kind::Map {
        return;
    }
    let mut pairs: Vec<_> = tree[node].pairs().collect();
    pairs.sort_by(|(left, _), (right, _)| tree[*left].value.cmp(&tree[*right].value));
    tree[node].content = pairs
        .into_iter()
        .flat_map(|(key, value)| [key, value])
        .collect();
}

/// Turns rows into columns.
pub fn pivot(tree: &mut Tree, node: Id) -> Outcome<Id> {
    let rows: Vec<Id> = tree[node].content.clone();
    let is_maps = rows.first().is_some_and(|row| tree[*row].kind == Kind::Map);
    if tree[node].kind != Kind::Seq
        || rows
            .iter()
            .any(|row| !matches!(tree[*row].kind, Kind::Map | Kind::Seq))
    {
        return Err(Mistake::new(
            "can only pivot elements of !!seq or !!map types",
        ));
    }
    if is_maps {
        let new = tree.map();
        let mut names: Vec<String> = Vec::new();
        for row in &rows {
            for (key, _) in tree[*row].pairs() {
                if !names.contains(&tree[key].value) {
                    names.push(tree[key].value.clone());
                }
            }
        }
        for name in names {
            let column = tree.seq();
            for row in &rows {
                let item = match tree.get(*row, &name) {
                    Some(item) => tree.copy(item),
                    None => tree.null(),
                };
                tree.push(column, item);
            }
            tree.put_text(new, &name, column);
        }
        return Ok(new);
    }
    let new = tree.seq();
    let width = rows
        .iter()
        .map(|row| tree[*row].content.len())
        .max()
        .unwrap_or(0);
    for place in 0..width {
        let column = tree.seq();
        for row in &rows {
            let item = match tree[*row].content.get(place).copied() {
                Some(item) => tree.copy(item),
                None => tree.null(),
            };
            tree.push(column, item);
        }
        tree.push(new, column);
    }
    Ok(new)
}

/// Returns what is at a path of keys and places.
pub fn at_path(tree: &mut Tree, node: Id, way: Id) -> Outcome<Vec<Id>> {
    let mut here = vec![node];
    for step in tree[tree.follow(way)].content.clone() {
        let mut next = Vec::new();
        for node in here {
            path::index(tree, node, step, false, &mut next)?;
        }
        here = next;
    }
    Ok(here)
}
