//! `*`, and what `<<` and aliases stand for.

use crate::arithmetic::{cannot, on_numbers};
use crate::assign;
use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Style, Tree};
use crate::scalar;
use crate::syntax::Merge;

/// How long a text may get that is repeated.
const REPEATED_BYTES_MAX: usize = 1 << 28;
/// How deep aliases lead into one another at most, as they may go round in a circle.
const DEPTH_MAX: usize = 100;
/// How many nodes the aliases of one document may grow to.
const NODES_MAX: usize = 4_000_000;

/// `*`
pub fn multiply(tree: &mut Tree, left: Id, right: Id, flags: Merge) -> Outcome<Id> {
    let (left, right) = (tree.follow(left), tree.follow(right));
    match (tree[left].kind, tree[right].kind) {
        (Kind::Map, Kind::Map) | (Kind::Seq, Kind::Seq) => {
            let new = tree.copy(left);
            combine(tree, new, right, flags);
            Ok(new)
        }
        _ if tree[left].is_null() => Ok(tree.copy(right)),
        _ if tree[right].is_null() => Ok(tree.copy(left)),
        (Kind::Scalar, Kind::Scalar) => {
            let is_text = (tree[left].is_text(), tree[right].is_text());
            let (text, count) = match is_text {
                (true, false) => (left, right),
                (false, true) => (right, left),
                _ => {
                    return on_numbers(tree, left, right, i64::checked_mul, |one, other| {
                        one * other
                    })
                    .ok_or_else(|| cannot(tree, left, right, "multiplied with"));
                }
            };
            let text = tree[text].value.clone();
            let count = scalar::integer(&tree[count].value)
                .and_then(|count| usize::try_from(count).ok())
                .filter(|count| text.len().saturating_mul(*count) <= REPEATED_BYTES_MAX)
                .ok_or_else(|| {
                    Mistake::new(format!("cannot repeat string by '{}'", tree[count].value))
                })?;
            Ok(tree.text(&text.repeat(count)))
        }
        _ => Err(Mistake::new(format!(
            "cannot multiply {} with {}",
            tree[left].tag, tree[right].tag
        ))),
    }
}

fn combine(tree: &mut Tree, own: Id, other: Id, flags: Merge) {
    let (kind, other_kind) = (tree[own].kind, tree[other].kind);
    if kind == Kind::Map && other_kind == Kind::Map {
        if tree[own].content.is_empty() {
            tree[own].style = tree[other].style;
        }
        let pairs: Vec<_> = tree[other].pairs().collect();
        for (key, value) in pairs {
            let text = tree[key].value.clone();
            match tree.get(own, &text) {
                Some(old) => combine(tree, old, value, flags),
                None if flags.is_existing_only => {}
                None => {
                    let (key, value) = (tree.copy(key), tree.copy(value));
                    tree.put(own, key, value);
                }
            }
        }
    } else if kind == Kind::Seq && other_kind == Kind::Seq && (flags.appends || flags.is_deep) {
        let items = tree[other].content.clone();
        for (place, item) in items.into_iter().enumerate() {
            match tree[own].content.get(place).copied() {
                Some(old) if flags.is_deep => combine(tree, old, item, flags),
                _ => {
                    let item = tree.copy(item);
                    tree.push(own, item);
                }
            }
        }
    } else if !flags.is_new_only || tree[own].is_null() {
        let anchor = tree[other].anchor.clone();
        assign::update(tree, own, other, flags.clobbers_tags);
        if !anchor.is_empty() {
            tree[own].anchor = anchor;
        }
    }
}

/// Puts in place of every alias below a node what it stands for, and takes the anchors away.
pub fn explode(tree: &mut Tree, node: Id) -> Outcome<()> {
    let mut room = NODES_MAX;
    resolve(tree, node, 0, &mut room)?;
    strip(tree, node);
    Ok(())
}

fn resolve(tree: &mut Tree, node: Id, depth: usize, room: &mut usize) -> Outcome<()> {
    *room = room.saturating_sub(1);
    if depth > DEPTH_MAX || *room == 0 {
        return Err(Mistake::new("yaml: document contains excessive aliasing"));
    }
    if tree[node].kind == Kind::Alias {
        let Some(target) = tree.target(node) else {
            return Err(Mistake::new(format!(
                "yaml: unknown anchor '{}' referenced",
                tree[node].value
            )));
        };
        let copy = tree.copy(target);
        let new = tree[copy].clone();
        for child in &new.content {
            tree[*child].parent = Some(node);
        }
        let own = &mut tree[node];
        (own.kind, own.tag, own.value) = (new.kind, new.tag, new.value);
        (own.style, own.is_tagged, own.content) = (new.style, new.is_tagged, new.content);
    }
    let children = tree[node].content.clone();
    for child in children {
        resolve(tree, child, depth + 1, room)?;
    }
    if tree[node].kind == Kind::Map
        && tree[node]
            .pairs()
            .any(|(key, _)| tree[key].tag == "!!merge")
    {
        inline(tree, node);
    }
    Ok(())
}

/// Puts the entries that `<<` names where it stands: those that the map has itself count, of others the first.
fn inline(tree: &mut Tree, map: Id) {
    let pairs: Vec<_> = tree[map].pairs().collect();
    let mut names: Vec<String> = pairs
        .iter()
        .filter(|(key, _)| tree[*key].tag != "!!merge")
        .map(|(key, _)| tree[*key].value.clone())
        .collect();
    let mut content = Vec::new();
    for (key, value) in pairs {
        if tree[key].tag != "!!merge" {
            content.extend([key, value]);
            continue;
        }
        let sources = if tree[value].kind == Kind::Seq {
            tree[value].content.clone()
        } else {
            vec![value]
        };
        for source in sources {
            let added: Vec<_> = tree[source].pairs().collect();
            for (key, value) in added {
                let name = tree[key].value.clone();
                if !names.contains(&name) {
                    names.push(name);
                    content.extend([key, value]);
                }
            }
        }
    }
    tree[map].content.clear();
    let mut content = content.into_iter();
    while let (Some(key), Some(value)) = (content.next(), content.next()) {
        tree.put(map, key, value);
    }
}

fn strip(tree: &mut Tree, node: Id) {
    tree[node].anchor.clear();
    let children = tree[node].content.clone();
    for child in children {
        strip(tree, child);
    }
}

/// Takes styles away from a node and all below it, as `-P` does.
pub fn prettify(tree: &mut Tree, node: Id) {
    if tree[node].kind != Kind::Alias {
        tree[node].style = Style::Plain;
    }
    let children = tree[node].content.clone();
    for child in children {
        prettify(tree, child);
    }
}
