//! `+`, `-`, `/`, `%`, comparisons and the order of values.

use std::cmp::Ordering;

use crate::dates;
use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Style, Tree};
use crate::scalar;
use crate::syntax::Operator;

/// A mistake about two nodes.
pub fn cannot(tree: &Tree, left: Id, right: Id, what: &str) -> Mistake {
    let show = |id: Id| {
        let node = &tree[id];
        if node.kind == Kind::Scalar {
            format!("{} ({})", node.tag, node.value)
        } else {
            node.tag.clone()
        }
    };
    Mistake::new(format!("{} cannot be {what} {}", show(right), show(left)))
}

/// Returns a scalar like `like`, with its tag if that is the user's own, and another value.
fn scalar_like(tree: &mut Tree, like: Id, tag: &str, value: &str) -> Id {
    let new = tree.scalar(tag, value);
    let old = tree[like].clone();
    let is_same = old.real_tag() == tag;
    let node = &mut tree[new];
    if !old.tag.starts_with("!!") && !old.tag.is_empty() {
        (node.tag, node.is_tagged) = (old.tag, true);
    }
    if is_same {
        node.style = old.style;
    }
    (node.line_comment, node.head, node.foot) = (old.line_comment, old.head, old.foot);
    (node.parent, node.key, node.document, node.origin) =
        (old.parent, old.key, old.document, old.origin);
    new
}

/// Runs an operation on two numbers: whole ones stay whole.
pub fn on_numbers(
    tree: &mut Tree,
    left: Id,
    right: Id,
    whole: impl Fn(i64, i64) -> Option<i64>,
    broken: impl Fn(f64, f64) -> f64,
) -> Option<Id> {
    if !tree[left].is_number() || !tree[right].is_number() {
        return None;
    }
    let (one, other) = (tree[left].value.clone(), tree[right].value.clone());
    if let (Some(one_int), Some(other)) = (scalar::integer(&one), scalar::integer(&other))
        && let Some(result) = whole(one_int, other)
    {
        let text = match one.strip_prefix("0x") {
            Some(digits) => format!("0x{result:0width$X}", width = digits.len()),
            None => result.to_string(),
        };
        return Some(scalar_like(tree, left, "!!int", &text));
    }
    let result = broken(scalar::number(&one)?, scalar::number(&other)?);
    Some(scalar_like(tree, left, "!!float", &scalar::show(result)))
}

/// `+`
pub fn add(tree: &mut Tree, left: Id, right: Id) -> Outcome<Id> {
    let (left, right) = (tree.follow(left), tree.follow(right));
    if tree[left].is_null() {
        return Ok(tree.copy(right));
    }
    if tree[right].is_null() {
        return Ok(tree.copy(left));
    }
    match (tree[left].kind, tree[right].kind) {
        (Kind::Map, Kind::Map) => {
            let new = tree.copy(left);
            let pairs: Vec<_> = tree[right].pairs().collect();
            for (key, value) in pairs {
                let text = tree[key].value.clone();
                let value = tree.copy(value);
                match tree.get(new, &text) {
                    Some(old) => crate::assign::update(tree, old, value, true),
                    None => {
                        let key = tree.copy(key);
                        tree.put(new, key, value);
                    }
                }
            }
            Ok(new)
        }
        (Kind::Seq, _) => {
            let new = tree.copy(left);
            let first = tree[new].content.first().copied();
            if first.is_none() {
                tree[new].style = Style::Plain;
            }
            let items = if tree[right].kind == Kind::Seq {
                tree[right].content.clone()
            } else {
                vec![right]
            };
            for item in items {
                let item = tree.copy(item);
                if let Some(first) = first
                    && tree[item].style == Style::Plain
                    && tree[item].kind == tree[first].kind
                    && tree[item].tag == tree[first].tag
                {
                    tree[item].style = tree[first].style;
                }
                tree.push(new, item);
            }
            Ok(new)
        }
        (Kind::Scalar, Kind::Scalar) => {
            if tree[left].real_tag() == "!!timestamp" && tree[right].is_text() {
                let text = dates::shift(&tree[left].value, &tree[right].value, 1)?;
                return Ok(scalar_like(tree, left, "!!timestamp", &text));
            }
            if tree[left].is_text() || tree[right].is_text() {
                let text = tree[left].value.clone() + &tree[right].value;
                let like = if tree[left].is_text() { left } else { right };
                return Ok(scalar_like(tree, like, "!!str", &text));
            }
            on_numbers(tree, left, right, i64::checked_add, |one, other| {
                one + other
            })
            .ok_or_else(|| cannot(tree, left, right, "added to"))
        }
        _ => Err(cannot(tree, left, right, "added to a")),
    }
}

/// `-`
pub fn subtract(tree: &mut Tree, left: Id, right: Id) -> Outcome<Id> {
    let (left, right) = (tree.follow(left), tree.follow(right));
    if tree[left].is_null() {
        return Ok(tree.copy(right));
    }
    if tree[left].kind == Kind::Seq {
        if tree[right].kind != Kind::Seq {
            return Err(Mistake::new(format!(
                "{} cannot be subtracted from a sequence",
                tree[right].tag
            )));
        }
        let new = tree.copy(left);
        let gone = tree[right].content.clone();
        let kept = tree[new]
            .content
            .iter()
            .copied()
            .filter(|item| !gone.iter().any(|gone| tree.equal(*item, *gone)))
            .collect();
        tree[new].content = kept;
        return Ok(new);
    }
    if tree[left].real_tag() == "!!timestamp" && tree[right].is_text() {
        let text = dates::shift(&tree[left].value, &tree[right].value, -1)?;
        return Ok(scalar_like(tree, left, "!!timestamp", &text));
    }
    on_numbers(tree, left, right, i64::checked_sub, |one, other| {
        one - other
    })
    .ok_or_else(|| cannot(tree, left, right, "subtracted from"))
}

/// `/`
pub fn divide(tree: &mut Tree, left: Id, right: Id) -> Outcome<Id> {
    let (left, right) = (tree.follow(left), tree.follow(right));
    if tree[left].is_text() && tree[right].is_text() {
        let (text, separator) = (tree[left].value.clone(), tree[right].value.clone());
        return Ok(split(tree, &text, &separator));
    }
    on_numbers(tree, left, right, |_, _| None, |one, other| one / other)
        .ok_or_else(|| cannot(tree, left, right, "divided by"))
}

/// `%`
pub fn remainder(tree: &mut Tree, left: Id, right: Id) -> Outcome<Id> {
    let (left, right) = (tree.follow(left), tree.follow(right));
    if scalar::integer(&tree[right].value) == Some(0)
        && scalar::integer(&tree[left].value).is_some()
    {
        return Err(Mistake::new("cannot modulo by 0"));
    }
    on_numbers(tree, left, right, i64::checked_rem, |one, other| {
        one % other
    })
    .ok_or_else(|| cannot(tree, left, right, "modulo by"))
}

/// Splits a text.
pub fn split(tree: &mut Tree, text: &str, separator: &str) -> Id {
    let new = tree.seq();
    if text.is_empty() {
        return new;
    }
    let parts: Vec<String> = if separator.is_empty() {
        text.chars().map(String::from).collect()
    } else {
        text.split(separator).map(str::to_owned).collect()
    };
    for part in parts {
        let part = tree.text(&part);
        tree.push(new, part);
    }
    new
}

/// `<` and the like.
pub fn compare(tree: &mut Tree, operator: Operator, left: Id, right: Id) -> Outcome<Id> {
    let (left, right) = (tree.follow(left), tree.follow(right));
    let (is_null, is_other_null) = (tree[left].is_null(), tree[right].is_null());
    let or_equal = matches!(operator, Operator::LessOrEqual | Operator::GreaterOrEqual);
    if is_null || is_other_null {
        return Ok(tree.truth(or_equal && is_null && is_other_null));
    }
    let is_plain = tree[left].kind == Kind::Scalar && tree[right].kind == Kind::Scalar;
    let (one, other) = (tree[left].real_tag(), tree[right].real_tag());
    let is_alike = one == other || tree[left].is_number() && tree[right].is_number();
    if !is_plain || !is_alike || one == "!!bool" {
        return Err(Mistake::new(format!(
            "{one} not yet supported for comparison"
        )));
    }
    let order = order(tree, left, right);
    Ok(tree.truth(match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }))
}

fn rank(tree: &Tree, id: Id) -> u8 {
    match tree[id].real_tag() {
        "!!null" => 0,
        "!!bool" => 1,
        "!!int" | "!!float" => 2,
        "!!timestamp" => 3,
        "!!seq" => 5,
        "!!map" => 6,
        _ => 4,
    }
}

/// Orders two values: `null`, `false`, `true`, numbers, dates, strings, sequences, maps.
pub fn order(tree: &Tree, left: Id, right: Id) -> Ordering {
    let (left, right) = (tree.follow(left), tree.follow(right));
    let by_kind = rank(tree, left).cmp(&rank(tree, right));
    let (one, other) = (&tree[left], &tree[right]);
    by_kind.then_with(|| match rank(tree, left) {
        0 => Ordering::Equal,
        1 => one.is_true().cmp(&other.is_true()),
        2 => match (scalar::integer(&one.value), scalar::integer(&other.value)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => {
                let number = |text: &str| scalar::number(text).unwrap_or(f64::NAN);
                number(&one.value).total_cmp(&number(&other.value))
            }
        },
        3 => match (
            dates::parse(&one.value, None),
            dates::parse(&other.value, None),
        ) {
            (Ok(one), Ok(other)) => one.timestamp().cmp(&other.timestamp()),
            _ => one.value.cmp(&other.value),
        },
        5 | 6 => {
            let mut pairs = one.content.iter().zip(&other.content);
            pairs
                .find_map(|(one, other)| {
                    Some(order(tree, *one, *other)).filter(|order| order.is_ne())
                })
                .unwrap_or_else(|| one.content.len().cmp(&other.content.len()))
        }
        _ => one.value.cmp(&other.value),
    })
}
