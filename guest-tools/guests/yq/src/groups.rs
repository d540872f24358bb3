//! Sequences as a whole: order, groups, what is in them.

use std::hash::{BuildHasher as _, RandomState};

use crate::arithmetic::order;
use crate::evaluate::{Machine, Scope};
use crate::functions::{collect, sort_by_values};
use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Tree};
use crate::syntax::Expression;

/// Sorting, grouping and the like, by an expression or the items themselves.
pub fn call(
    machine: &mut Machine,
    name: &str,
    by: Option<&Expression>,
    node: Id,
    scope: &Scope,
) -> Outcome<Id> {
    let target = machine.tree.follow(node);
    if machine.tree[target].is_null() {
        return Ok(target);
    }
    if machine.tree[target].kind != Kind::Seq {
        return Err(Mistake::new(format!(
            "node at path [] is not an array (it's a {})",
            machine.tree[target].tag
        )));
    }
    let mut items = Vec::new();
    for item in machine.tree[target].content.clone() {
        let values = match by {
            Some(by) => machine.evaluate(by, &[item], scope)?,
            None => vec![item],
        };
        items.push((values, item));
    }
    let tree = &mut machine.tree;
    let style = tree[target].style;
    let new = match name {
        "sort" | "sort_by" | "sortBy" => {
            sort_by_values(tree, &mut items);
            let items: Vec<Id> = items.into_iter().map(|(_, item)| item).collect();
            collect(tree, &items)
        }
        "min" | "max" | "min_by" | "max_by" => {
            sort_by_values(tree, &mut items);
            let wanted = if name.starts_with("min") {
                items.first()
            } else {
                items.last()
            };
            return Ok(match wanted {
                Some((_, item)) => *item,
                None => tree.null(),
            });
        }
        _ => {
            let mut groups: Vec<(Vec<Id>, Vec<Id>)> = Vec::new();
            for (values, item) in items {
                let same = groups.iter_mut().find(|(own, _)| {
                    own.len() == values.len()
                        && own
                            .iter()
                            .zip(&values)
                            .all(|(left, right)| tree.equal(*left, *right))
                });
                match same {
                    Some((_, group)) => group.push(item),
                    None => groups.push((values, vec![item])),
                }
            }
            if name.starts_with("group") {
                let mut all = Vec::new();
                for (_, group) in groups {
                    all.push(collect(tree, &group));
                }
                collect(tree, &all)
            } else {
                let firsts: Vec<Id> = groups
                    .iter()
                    .filter_map(|(_, group)| group.first().copied())
                    .collect();
                collect(tree, &firsts)
            }
        }
    };
    tree[new].style = style;
    Ok(new)
}

/// Returns whether `other` is in `own`: a part of a text, items of a sequence, entries of a map.
pub fn contains(tree: &Tree, own: Id, other: Id) -> Outcome<bool> {
    let (own, other) = (tree.follow(own), tree.follow(other));
    let (left, right) = (&tree[own], &tree[other]);
    Ok(match (left.kind, right.kind) {
        (Kind::Map, Kind::Map) => {
            for (key, value) in right.pairs() {
                match tree.get(own, &tree[key].value) {
                    Some(own) if contains(tree, own, value)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Kind::Seq, Kind::Seq) => {
            for item in &right.content {
                let mut is_found = false;
                for own in &left.content {
                    is_found |= tree[*own].kind == tree[*item].kind && contains(tree, *own, *item)?;
                }
                if !is_found {
                    return Ok(false);
                }
            }
            true
        }
        (Kind::Seq, Kind::Scalar) => left.content.iter().any(|item| tree.equal(*item, other)),
        (Kind::Scalar, Kind::Scalar) => {
            if left.is_null() || right.is_null() {
                left.is_null() && right.is_null()
            } else if left.is_text() && right.is_text() {
                left.value.contains(&right.value)
            } else if left.tag == right.tag {
                order(tree, own, other).is_eq()
            } else {
                return Err(Mistake::new(format!(
                    "{} cannot check contained in {}",
                    right.tag, left.tag
                )));
            }
        }
        _ => {
            return Err(Mistake::new(format!(
                "{} cannot check contained in {}",
                right.tag, left.tag
            )));
        }
    })
}

/// Collects items, those of sequences within too.
pub fn flatten(tree: &Tree, seq: Id, depth: i64, items: &mut Vec<Id>) {
    for item in &tree[seq].content {
        let target = tree.follow(*item);
        if depth > 0 && tree[target].kind == Kind::Seq {
            flatten(tree, target, depth - 1, items);
        } else {
            items.push(*item);
        }
    }
}

/// Puts items in an order by chance.
pub fn shuffle(items: &mut [Id]) {
    let random = RandomState::new();
    for place in (1..items.len()).rev() {
        let other = random.hash_one(place) % (place as u64 + 1);
        items.swap(place, other as usize);
    }
}
