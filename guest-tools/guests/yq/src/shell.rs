//! Assignments for a shell: `a_b_0='the value'`.

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Tree};

/// Writes a value.
pub fn write(tree: &Tree, node: Id) -> Outcome<String> {
    let mut out = String::new();
    if tree[node].kind == Kind::Scalar {
        return Ok(quoted(&tree[node].value) + "\n");
    }
    lines(tree, node, "", &mut out)?;
    Ok(out)
}

fn lines(tree: &Tree, id: Id, name: &str, out: &mut String) -> Outcome<()> {
    let node = &tree[id];
    let within = |part: &str| {
        let part: String = part
            .chars()
            .map(|character| {
                if character.is_ascii_alphanumeric() {
                    character
                } else {
                    '_'
                }
            })
            .collect();
        match name {
            "" if part.starts_with(|first: char| first.is_ascii_digit()) => format!("_{part}"),
            "" => part,
            name => format!("{name}_{part}"),
        }
    };
    match node.kind {
        Kind::Map => {
            for (key, value) in node.pairs() {
                lines(tree, value, &within(&tree[key].value), out)?;
            }
        }
        Kind::Seq => {
            for (place, item) in node.content.iter().enumerate() {
                lines(tree, *item, &within(&place.to_string()), out)?;
            }
        }
        Kind::Scalar => {
            let value = if node.is_null() {
                String::new()
            } else {
                quoted(&node.value)
            };
            out.push_str(&format!("{name}={value}\n"));
        }
        Kind::Alias => return Err(Mistake::new("cannot write an alias")),
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "_@%+:,./-".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}
