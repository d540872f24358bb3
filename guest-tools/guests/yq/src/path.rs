//! Ways through a document: keys, places, all below.
//!
//! What is not there is found as a pending `null`, which an assignment puts in its place.

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Tree};
use crate::scalar;

/// Returns the node as a whole number.
pub fn integer(tree: &Tree, id: Id) -> Outcome<i64> {
    let text = &tree[tree.follow(id)].value;
    scalar::integer(text).ok_or_else(|| Mistake::new(format!("cannot use '{text}' as a number")))
}

fn pending(tree: &mut Tree, parent: Id, key: Id) -> Id {
    let id = tree.null();
    tree[id].parent = Some(parent);
    tree[id].key = Some(key);
    tree[id].is_pending = true;
    tree[id].document = tree[parent].document;
    tree[id].origin = std::rc::Rc::clone(&tree[parent].origin);
    id
}

/// Finds what is under a key.
pub fn field(
    tree: &mut Tree,
    node: Id,
    name: &str,
    is_optional: bool,
    found: &mut Vec<Id>,
) -> Outcome<()> {
    let node = tree.follow(node);
    match tree[node].kind {
        Kind::Map => {
            let start = found.len();
            lookup(tree, node, name, 0, found);
            if found.len() == start && !name.contains(['*', '?']) {
                let key = tree.text(name);
                let id = pending(tree, node, key);
                found.push(id);
            }
        }
        Kind::Seq if name.is_empty() => splat(tree, node, found),
        Kind::Seq => match name.parse::<i64>() {
            Ok(place) => item(tree, node, place, found)?,
            Err(_) if is_optional => {}
            Err(_) => {
                return Err(Mistake::new(format!(
                    "cannot index array with '{name}' (strconv.ParseInt: parsing \"{name}\": invalid syntax)"
                )));
            }
        },
        Kind::Scalar if tree[node].is_null() => {
            let key = tree.text(name);
            let id = pending(tree, node, key);
            found.push(id);
        }
        Kind::Scalar | Kind::Alias => {}
    }
    Ok(())
}

/// How many merges lead into one another at most, as they may go round in a circle.
const MERGES_MAX: usize = 64;

/// Finds values by a key, which may be a pattern, in a map and then in those merged into it.
fn lookup(tree: &Tree, map: Id, name: &str, depth: usize, found: &mut Vec<Id>) {
    let is_pattern = name.contains(['*', '?']);
    let start = found.len();
    let mut merged = Vec::new();
    for (key, value) in tree[map].pairs() {
        let key = &tree[tree.follow(key)];
        if key.tag == "!!merge" {
            merged.push(value);
            if name != "<<" {
                continue;
            }
        }
        let is_match = if is_pattern {
            glob(name, &key.value)
        } else {
            key.value == name
        };
        if is_match {
            found.push(value);
        }
    }
    if (found.len() > start && !is_pattern) || depth > MERGES_MAX {
        return;
    }
    for value in merged {
        let value = tree.follow(value);
        let sources = match tree[value].kind {
            Kind::Map => vec![value],
            Kind::Seq => tree[value]
                .content
                .iter()
                .map(|item| tree.follow(*item))
                .collect(),
            _ => Vec::new(),
        };
        for source in sources {
            if tree[source].kind == Kind::Map {
                lookup(tree, source, name, depth + 1, found);
            }
            if found.len() > start && !is_pattern {
                return;
            }
        }
    }
}

/// Finds an item by its place, from the end if that is negative.
fn item(tree: &mut Tree, seq: Id, place: i64, found: &mut Vec<Id>) -> Outcome<()> {
    let count = tree[seq].content.len();
    let from_start = if place < 0 {
        usize::try_from(place.unsigned_abs())
            .ok()
            .and_then(|back| count.checked_sub(back))
            .ok_or_else(|| {
                Mistake::new(format!(
                    "index [{place}] out of range, array size is {count}"
                ))
            })?
    } else {
        usize::try_from(place).unwrap_or(usize::MAX)
    };
    if let Some(id) = tree[seq].content.get(from_start) {
        found.push(*id);
        return Ok(());
    }
    let key = tree.int(place);
    let id = pending(tree, seq, key);
    found.push(id);
    Ok(())
}

/// Finds by a key or a place that was computed.
pub fn index(
    tree: &mut Tree,
    node: Id,
    index: Id,
    is_optional: bool,
    found: &mut Vec<Id>,
) -> Outcome<()> {
    let index = tree.follow(index);
    if tree[index].kind == Kind::Seq {
        let parts = tree[index].content.clone();
        for part in parts {
            self::index(tree, node, part, is_optional, found)?;
        }
        return Ok(());
    }
    let target = tree.follow(node);
    let name = tree[index].value.clone();
    let is_place = tree[index].tag == "!!int";
    match tree[target].kind {
        Kind::Seq if is_place => item(tree, target, integer(tree, index)?, found),
        Kind::Scalar if is_place && tree[target].is_null() => {
            let key = tree.int(integer(tree, index)?);
            let id = pending(tree, target, key);
            found.push(id);
            Ok(())
        }
        _ => field(tree, node, &name, is_optional, found),
    }
}

/// Finds all values or items.
pub fn splat(tree: &Tree, node: Id, found: &mut Vec<Id>) {
    let node = &tree[tree.follow(node)];
    match node.kind {
        Kind::Map => found.extend(node.pairs().map(|(_, value)| value)),
        Kind::Seq => found.extend(&node.content),
        Kind::Scalar | Kind::Alias => {}
    }
}

/// Finds a node and all below it.
pub fn descend(tree: &Tree, node: Id, with_keys: bool, found: &mut Vec<Id>) {
    found.push(node);
    match tree[node].kind {
        Kind::Map => {
            for (key, value) in tree[node].pairs() {
                if with_keys {
                    found.push(key);
                }
                descend(tree, value, with_keys, found);
            }
        }
        Kind::Seq => {
            for item in &tree[node].content {
                descend(tree, *item, with_keys, found);
            }
        }
        Kind::Scalar | Kind::Alias => {}
    }
}

/// Returns a part of a sequence or a text.
pub fn slice(tree: &mut Tree, node: Id, from: Option<i64>, to: Option<i64>) -> Outcome<Id> {
    let node = tree.follow(node);
    let bounds = |count: usize| {
        let bound = |bound: i64| {
            let place = usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX);
            if bound < 0 {
                count.saturating_sub(place)
            } else {
                place.min(count)
            }
        };
        let from = bound(from.unwrap_or(0));
        (from, to.map_or(count, bound).max(from))
    };
    match tree[node].kind {
        Kind::Seq => {
            let items = tree[node].content.clone();
            let (from, to) = bounds(items.len());
            let new = tree.seq();
            for item in items.get(from..to).unwrap_or_default() {
                let copy = tree.copy(*item);
                tree.push(new, copy);
            }
            Ok(new)
        }
        Kind::Scalar if tree[node].is_null() => Ok(tree.seq()),
        Kind::Scalar if tree[node].is_text() => {
            let characters: Vec<char> = tree[node].value.chars().collect();
            let (from, to) = bounds(characters.len());
            let text: String = characters
                .get(from..to)
                .unwrap_or_default()
                .iter()
                .collect();
            Ok(tree.text(&text))
        }
        _ => Err(Mistake::new(format!("cannot slice {}", tree[node].tag))),
    }
}

/// Returns whether `left` is `right`; scalars match as patterns do.
pub fn is_like(tree: &Tree, left: Id, right: Id) -> bool {
    let (one, other) = (&tree[tree.follow(left)], &tree[tree.follow(right)]);
    if one.is_null() || other.is_null() {
        return one.is_null() && other.is_null();
    }
    if one.kind == Kind::Scalar && other.kind == Kind::Scalar {
        return glob(&other.value, &one.value);
    }
    tree.equal(left, right)
}

/// Returns whether a text fits a pattern of `*` and `?`.
pub fn glob(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return pattern == text;
    }
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(character) if *character == '?' || text.get(place) == Some(character) => {
                at += 1;
                place += 1;
            }
            _ => match star {
                // Let the last star take one more.
                Some((star_at, star_place)) => {
                    star = Some((star_at, star_place + 1));
                    at = star_at + 1;
                    place = star_place + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|rest| *rest == '*')
}
