//! Functions: those that run expressions, and those on one node each.

use crate::arithmetic::order;
use crate::evaluate::{Machine, Scope};
use crate::format::{self, Format};
use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Style, Tree};
use crate::syntax::Expression;
use crate::{dates, entries, groups, merge, path, texts, yaml_write};

/// Returns a new sequence of copies.
pub fn collect(tree: &mut Tree, items: &[Id]) -> Id {
    let new = tree.seq();
    for item in items {
        let copy = tree.copy(*item);
        tree[copy].leading.clear();
        tree.push(new, copy);
    }
    new
}

/// Returns a node as a text: scalars as they are, others as YAML.
pub fn to_text(tree: &mut Tree, id: Id) -> Outcome<String> {
    let id = tree.follow(id);
    Ok(match tree[id].kind {
        Kind::Scalar => tree[id].value.clone(),
        _ => yaml_write::document(tree, id, 2)
            .trim_end_matches('\n')
            .to_owned(),
    })
}

/// Calls a function.
pub fn call(
    machine: &mut Machine,
    name: &str,
    arguments: &[Expression],
    nodes: &[Id],
    scope: &Scope,
) -> Outcome<Vec<Id>> {
    let arguments: Vec<Expression> = match (name, arguments) {
        // Arguments may stand apart by commas too.
        (
            "sub" | "gsub" | "match" | "test" | "capture" | "setpath" | "with_dtf"
            | "format_datetime",
            [Expression::Union(left, right)],
        ) => {
            vec![(**left).clone(), (**right).clone()]
        }
        _ => arguments.to_vec(),
    };
    let argument = |place: usize| {
        arguments.get(place).ok_or_else(|| {
            Mistake::new(format!(
                "'{name}' expects {} args but there are {}",
                place + 1,
                arguments.len()
            ))
        })
    };
    let mut all = Vec::new();
    match name {
        "empty" => return Ok(all),
        "with" => {
            let targets = machine.evaluate(argument(0)?, nodes, scope)?;
            for target in targets {
                for change in arguments.get(1..).unwrap_or_default() {
                    machine.evaluate(change, &[target], scope)?;
                }
            }
            return Ok(nodes.to_vec());
        }
        "del" => {
            let targets = machine.evaluate(argument(0)?, nodes, scope)?;
            for target in targets.iter().rev() {
                entries::delete(&mut machine.tree, *target);
            }
            return Ok(nodes
                .iter()
                .copied()
                .filter(|node| !targets.contains(node))
                .collect());
        }
        "explode" | "sort_keys" | "sortKeys" => {
            let targets = match arguments.first() {
                Some(target) => machine.evaluate(target, nodes, scope)?,
                None => nodes.to_vec(),
            };
            for target in targets {
                if name == "explode" {
                    merge::explode(&mut machine.tree, target)?;
                } else {
                    entries::sort_keys(&mut machine.tree, target);
                }
            }
            return Ok(nodes.to_vec());
        }
        "splitDoc" | "split_doc" => {
            for (number, node) in nodes.iter().enumerate() {
                let copy = machine.tree.copy(*node);
                machine.tree[copy].document = number;
                all.push(copy);
            }
            return Ok(all);
        }
        _ => {}
    }
    for node in nodes {
        match name {
            "select" => {
                if machine.holds(argument(0)?, *node, scope)? {
                    all.push(*node);
                }
            }
            "map" | "filter" | "map_values" | "mapValues" => {
                all.push(map(machine, name, argument(0)?, *node, scope)?)
            }
            "with_entries" | "withEntries" => {
                let listed = entries::to_entries(&mut machine.tree, *node)?;
                let items = machine.tree[listed].content.clone();
                let items = machine.evaluate(argument(0)?, &items, scope)?;
                let changed = collect(&mut machine.tree, &items);
                let new = entries::from_entries(&mut machine.tree, changed)?;
                let old = machine.tree[machine.tree.follow(*node)].clone();
                let own = &mut machine.tree[new];
                (own.style, own.head, own.foot, own.leading) =
                    (old.style, old.head, old.foot, old.leading);
                (own.document, own.origin) = (old.document, old.origin);
                all.push(new);
            }
            "eval" => {
                let text = machine.first_text(argument(0)?, *node, scope)?;
                let expression = crate::parser::parse(&text)?;
                all.extend(machine.evaluate(&expression, &[*node], scope)?);
            }
            "first" if !arguments.is_empty() => {
                let target = machine.tree.follow(*node);
                let mut children = Vec::new();
                path::splat(&machine.tree, target, &mut children);
                for child in children {
                    if machine.holds(argument(0)?, child, scope)? {
                        all.push(child);
                        break;
                    }
                }
            }
            "error" => {
                let text = match arguments.first() {
                    Some(text) => machine.first_text(text, *node, scope)?,
                    None => to_text(&mut machine.tree, *node)?,
                };
                return Err(Mistake::new(text));
            }
            "parent" | "parents" => all.extend(parents(machine, name, &arguments, *node, scope)?),
            "any_c" | "all_c" | "any" | "all" => {
                let mut children = Vec::new();
                let target = machine.tree.follow(*node);
                if machine.tree[target].kind != Kind::Seq {
                    return Err(Mistake::new(format!(
                        "{} only supports arrays, was {}",
                        name.trim_end_matches("_c"),
                        machine.tree[target].tag
                    )));
                }
                path::splat(&machine.tree, target, &mut children);
                let is_any = name.starts_with("any");
                let mut result = !is_any;
                for child in children {
                    let holds = match arguments.first() {
                        Some(condition) => machine.holds(condition, child, scope)?,
                        None => machine.tree[child].is_true(),
                    };
                    if holds == is_any {
                        result = is_any;
                        break;
                    }
                }
                all.push(machine.tree.truth(result));
            }
            "setpath" => {
                let way = machine.first(argument(0)?, *node, scope)?;
                let value = machine.first(argument(1)?, *node, scope)?;
                for target in entries::at_path(&mut machine.tree, *node, way)? {
                    crate::assign::update(&mut machine.tree, target, value, false);
                }
                all.push(*node);
            }
            "delpaths" | "getpath" => {
                let ways = machine.first(argument(0)?, *node, scope)?;
                if name == "getpath" {
                    all.extend(entries::at_path(&mut machine.tree, *node, ways)?);
                    continue;
                }
                for way in machine.tree[ways].content.clone() {
                    for target in entries::at_path(&mut machine.tree, *node, way)? {
                        entries::delete(&mut machine.tree, target);
                    }
                }
                all.push(*node);
            }
            "env" | "strenv" => all.push(environment(machine, name, &arguments)?),
            "tz" | "with_dtf" | "format_datetime" | "now" | "from_unix" | "to_unix" => {
                all.extend(dates::call(machine, name, &arguments, *node, scope)?);
            }
            "sort_by" | "sortBy" | "sort" | "group_by" | "groupBy" | "unique_by" | "uniqueBy"
            | "unique" | "min" | "max" | "min_by" | "max_by" => {
                all.push(groups::call(
                    machine,
                    name,
                    arguments.first(),
                    *node,
                    scope,
                )?);
            }
            name if name.contains("load") => {
                let file = machine.first_text(argument(0)?, *node, scope)?;
                all.push(format::load(&mut machine.tree, name, &file)?);
            }
            name if texts::NAMES.contains(&name) => {
                all.extend(texts::call(machine, name, &arguments, *node, scope)?)
            }
            name if format::operator(name).is_some() => {
                all.push(coded(machine, name, arguments.first(), *node, scope)?)
            }
            _ => {
                let value = match arguments.first() {
                    Some(argument) => Some(machine.first(argument, *node, scope)?),
                    None => None,
                };
                all.extend(one(&mut machine.tree, name, *node, value)?);
            }
        }
    }
    Ok(all)
}

fn parents(
    machine: &mut Machine,
    name: &str,
    arguments: &[Expression],
    node: Id,
    scope: &Scope,
) -> Outcome<Vec<Id>> {
    let mut above = Vec::new();
    let mut here = node;
    while let Some(parent) = machine.tree[here].parent {
        above.push(parent);
        here = parent;
    }
    if name == "parents" {
        return Ok(vec![collect(&mut machine.tree, &above)]);
    }
    let mut count = 1;
    if let Some(argument) = arguments.first() {
        let id = machine.first(argument, node, scope)?;
        count = path::integer(&machine.tree, id)?;
    }
    let place = if count < 0 {
        i64::try_from(above.len()).unwrap_or(0) + count
    } else {
        count - 1
    };
    if count == 0 {
        return Ok(vec![node]);
    }
    Ok(usize::try_from(place)
        .ok()
        .and_then(|place| above.get(place).copied())
        .into_iter()
        .collect())
}

fn map(
    machine: &mut Machine,
    name: &str,
    expression: &Expression,
    node: Id,
    scope: &Scope,
) -> Outcome<Id> {
    let target = machine.tree.follow(node);
    if name.starts_with("map_") || name == "mapValues" {
        let new = machine.tree.copy(target);
        let mut children = Vec::new();
        path::splat(&machine.tree, new, &mut children);
        for child in children {
            if let Some(value) = machine.evaluate(expression, &[child], scope)?.first() {
                crate::assign::update(&mut machine.tree, child, *value, false);
            }
        }
        return Ok(new);
    }
    let mut children = Vec::new();
    path::splat(&machine.tree, target, &mut children);
    let mut items = Vec::new();
    for child in children {
        if name == "filter" {
            if machine.holds(expression, child, scope)? {
                items.push(child);
            }
        } else {
            items.extend(machine.evaluate(expression, &[child], scope)?);
        }
    }
    let new = collect(&mut machine.tree, &items);
    let old = machine.tree[target].clone();
    let own = &mut machine.tree[new];
    if old.kind == Kind::Seq {
        own.style = old.style;
    }
    (own.document, own.origin) = (old.document, old.origin);
    Ok(new)
}

fn environment(machine: &mut Machine, kind: &str, arguments: &[Expression]) -> Outcome<Id> {
    let Some(Expression::Literal(_, name)) = arguments.first() else {
        return Err(Mistake::new("env needs the name of a variable"));
    };
    let value = std::env::var_os(name).ok_or_else(|| {
        Mistake::new(format!(
            "value for env variable '{name}' not provided in {kind}()"
        ))
    })?;
    let value = value.to_string_lossy();
    if kind == "strenv" {
        return Ok(machine.tree.text(&value));
    }
    format::decode(&mut machine.tree, Format::Yaml, value.as_bytes())
}

fn coded(
    machine: &mut Machine,
    name: &str,
    indent: Option<&Expression>,
    node: Id,
    scope: &Scope,
) -> Outcome<Id> {
    let Some((format, is_reading, mut step)) = format::operator(name) else {
        return Err(Mistake::new(format!("'{name}' is no function")));
    };
    if let Some(indent) = indent {
        let id = machine.first(indent, node, scope)?;
        step = usize::try_from(path::integer(&machine.tree, id)?).unwrap_or(2);
    }
    let tree = &mut machine.tree;
    if is_reading {
        let text = tree[tree.follow(node)].value.clone();
        return format::decode(tree, format, text.as_bytes());
    }
    let copy = tree.copy(node);
    if tree[copy].kind != Kind::Alias {
        tree[copy].line_comment.clear();
    }
    let mut text = format::encode(tree, copy, format, step, false)?;
    let keeps_end = matches!(format, Format::Yaml | Format::Xml | Format::Props)
        || format == Format::Json && step > 0;
    if !keeps_end {
        text.truncate(text.trim_end_matches('\n').len());
    }
    Ok(tree.text(&text))
}

/// A function on one node, with the value of its argument.
fn one(tree: &mut Tree, name: &str, node: Id, argument: Option<Id>) -> Outcome<Vec<Id>> {
    let target = tree.follow(node);
    let kind = tree[target].kind;
    Ok(vec![match (name, argument) {
        ("length", None) => {
            let own = &tree[target];
            let count = match kind {
                Kind::Map => own.content.len() / 2,
                Kind::Seq => own.content.len(),
                _ if own.is_null() => 0,
                _ => own.value.chars().count(),
            };
            tree.int(i64::try_from(count).unwrap_or(i64::MAX))
        }
        ("not", None) => {
            let is_true = tree[target].is_true();
            tree.truth(!is_true)
        }
        ("keys", None) => entries::keys(tree, target)?,
        ("key", None) => return Ok(tree.key_of(node).into_iter().collect()),
        ("path", None) => {
            let steps = tree.path(node);
            collect(tree, &steps)
        }
        ("is_key", None) => {
            let is_key = tree[node].is_key;
            tree.truth(is_key)
        }
        ("kind", None) => {
            let kind = match tree[node].kind {
                Kind::Map => "map",
                Kind::Seq => "seq",
                Kind::Alias => "alias",
                Kind::Scalar => "scalar",
            };
            tree.text(kind)
        }
        ("line" | "input_line_number", None) => number(tree, tree[node].line),
        ("column", None) => number(tree, tree[node].column),
        ("document_index" | "documentIndex" | "di", None) => number(tree, tree[node].document),
        ("file_index" | "fileIndex" | "fi", None) => number(tree, tree[node].origin.file_index),
        ("filename" | "fileName" | "file_name", None) => {
            let file = tree[node].origin.file.clone();
            tree.text(&file)
        }
        ("to_entries" | "toEntries", None) => entries::to_entries(tree, target)?,
        ("from_entries" | "fromEntries", None) => entries::from_entries(tree, target)?,
        ("array_to_map", None) => entries::array_to_map(tree, target),
        ("pivot", None) => entries::pivot(tree, target)?,
        ("pick", Some(keys)) => entries::pick(tree, target, keys, true)?,
        ("omit", Some(keys)) => entries::pick(tree, target, keys, false)?,
        ("has", Some(key)) => {
            let has = match kind {
                Kind::Map => {
                    let key = tree[key].value.clone();
                    tree.get(target, &key).is_some()
                }
                Kind::Seq => usize::try_from(path::integer(tree, key)?)
                    .is_ok_and(|place| place < tree[target].content.len()),
                _ => false,
            };
            tree.truth(has)
        }
        ("contains", Some(other)) => {
            let result = groups::contains(tree, target, other)?;
            tree.truth(result)
        }
        ("in" | "inside", Some(other)) => {
            let result = groups::contains(tree, other, target)?;
            tree.truth(result)
        }
        ("flatten", depth) => {
            let depth = match depth {
                Some(depth) => path::integer(tree, depth)?,
                None => i64::MAX,
            };
            if kind != Kind::Seq {
                return Err(Mistake::new("only arrays are supported for flatten"));
            }
            let mut items = Vec::new();
            groups::flatten(tree, target, depth, &mut items);
            let new = collect(tree, &items);
            tree[new].style = tree[target].style;
            new
        }
        ("reverse" | "shuffle", None) => {
            if kind != Kind::Seq {
                return Err(Mistake::new(format!(
                    "node at path [] is not an array (it's a {})",
                    tree[target].tag
                )));
            }
            let new = tree.copy(target);
            if name == "reverse" {
                tree[new].content.reverse();
            } else {
                groups::shuffle(&mut tree[new].content);
            }
            new
        }
        ("first" | "last", None) => {
            let mut children = Vec::new();
            path::splat(tree, target, &mut children);
            let wanted = if name == "first" {
                children.first()
            } else {
                children.last()
            };
            return Ok(wanted.copied().into_iter().collect());
        }
        ("to_number" | "tonumber", None) => {
            let value = tree[target].value.clone();
            match crate::scalar::tag_of(&value) {
                tag @ ("!!int" | "!!float") if kind == Kind::Scalar => {
                    let new = tree.copy(target);
                    tree[new].tag = tag.to_owned();
                    tree[new].style = Style::Plain;
                    new
                }
                _ => {
                    return Err(Mistake::new(format!(
                        "cannot convert node value [{value}] at path [] of tag {} to number",
                        tree[target].tag
                    )));
                }
            }
        }
        ("to_string" | "tostring", None) => {
            let text = to_text(tree, target)?;
            let style = tree[target].style;
            let new = tree.text(&text);
            tree[new].style = if kind == Kind::Scalar {
                style
            } else {
                Style::Double
            };
            new
        }
        ("add", None) => {
            let mut children = Vec::new();
            path::splat(tree, target, &mut children);
            let mut sum = tree.null();
            for child in children {
                sum = crate::arithmetic::add(tree, sum, child)?;
            }
            sum
        }
        ("values", None) => {
            return Ok(if tree[target].is_null() {
                Vec::new()
            } else {
                vec![node]
            });
        }
        _ => return Err(Mistake::new(format!("'{name}' is not supported here"))),
    }])
}

fn number(tree: &mut Tree, value: usize) -> Id {
    tree.int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Sorts nodes by values that go with them.
pub fn sort_by_values(tree: &Tree, items: &mut [(Vec<Id>, Id)]) {
    items.sort_by(|(left, _), (right, _)| {
        left.iter()
            .zip(right)
            .map(|(left, right)| order(tree, *left, *right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len()))
    });
}
