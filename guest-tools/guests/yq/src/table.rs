//! Values between commas or tabulators.

use std::rc::Rc;

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Tree};
use crate::{scalar, yaml_read};

/// Reads rows under a line of names, as a sequence of maps.
pub fn read(tree: &mut Tree, text: &str, separator: char) -> Outcome<Id> {
    let mut rows = rows(text.strip_prefix('\u{feff}').unwrap_or(text), separator)?.into_iter();
    let seq = tree.seq();
    let Some(names) = rows.next() else {
        return Ok(seq);
    };
    for (number, row) in rows.enumerate() {
        if row.len() != names.len() {
            return Err(Mistake::new(format!(
                "record on line {}: wrong number of fields",
                number + 2
            )));
        }
        let map = tree.map();
        for (name, value) in names.iter().zip(&row) {
            let value = cell(tree, value);
            tree.put_text(map, name, value);
        }
        tree.push(seq, map);
    }
    Ok(seq)
}

/// A cell may hold YAML itself.
fn cell(tree: &mut Tree, text: &str) -> Id {
    if text.starts_with(['[', '{'])
        && let Ok(Some(id)) = yaml_read::Reader::new(text, &Rc::default(), 0).next(tree)
    {
        return id;
    }
    if text.is_empty() {
        return tree.scalar("!!null", "");
    }
    tree.scalar(scalar::tag_of(text), text)
}

fn rows(text: &str, separator: char) -> Outcome<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if is_quoted {
            match character {
                '"' if characters.next_if_eq(&'"').is_some() => field.push('"'),
                '"' => is_quoted = false,
                other => field.push(other),
            }
            continue;
        }
        match character {
            '"' if field.is_empty() => is_quoted = true,
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' => {
                row.push(std::mem::take(&mut field));
                let row = std::mem::take(&mut row);
                // An empty line is no row.
                if row.len() > 1 || row.first().is_some_and(|field| !field.is_empty()) {
                    rows.push(row);
                }
            }
            other if other == separator => row.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    if is_quoted {
        return Err(Mistake::new("extraneous or missing \" in quoted-field"));
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
}

/// Writes a sequence of scalars, of sequences of scalars or of maps.
pub fn write(tree: &Tree, node: Id, separator: char) -> Outcome<String> {
    let node = &tree[node];
    let mut out = String::new();
    if node.kind == Kind::Scalar {
        return Ok(node.value.clone() + "\n");
    }
    if node.kind != Kind::Seq {
        return Err(Mistake::new(format!(
            "csv encoding only works for arrays, got: {}",
            node.tag
        )));
    }
    let Some(first) = node.content.first() else {
        return Ok(out);
    };
    match tree[*first].kind {
        Kind::Map => {
            let names: Vec<&str> = tree[*first]
                .pairs()
                .map(|(key, _)| tree[key].value.as_str())
                .collect();
            line(&mut out, &names, separator);
            for row in &node.content {
                if tree[*row].kind != Kind::Map {
                    return Err(Mistake::new(format!(
                        "csv object encoding only works for arrays of maps, child[{}] is a {}",
                        0, tree[*row].tag
                    )));
                }
                let mut fields = Vec::new();
                for name in &names {
                    fields.push(match tree.get(*row, name) {
                        Some(value) => field(tree, value)?,
                        None => "",
                    });
                }
                line(&mut out, &fields, separator);
            }
        }
        Kind::Seq => {
            for row in &node.content {
                if tree[*row].kind != Kind::Seq {
                    return Err(Mistake::new(format!(
                        "csv encoding only works for arrays of scalars (string/numbers/booleans), child is a {}",
                        tree[*row].tag
                    )));
                }
                let fields: Vec<&str> = tree[*row]
                    .content
                    .iter()
                    .map(|item| field(tree, *item))
                    .collect::<Outcome<_>>()?;
                line(&mut out, &fields, separator);
            }
        }
        _ => {
            let fields: Vec<&str> = node
                .content
                .iter()
                .map(|item| field(tree, *item))
                .collect::<Outcome<_>>()?;
            line(&mut out, &fields, separator);
        }
    }
    Ok(out)
}

fn field(tree: &Tree, id: Id) -> Outcome<&str> {
    if tree[id].kind != Kind::Scalar {
        return Err(Mistake::new(format!(
            "csv encoding only works for arrays of scalars (string/numbers/booleans), child is a {}",
            tree[id].tag
        )));
    }
    Ok(&tree[id].value)
}

fn line(out: &mut String, fields: &[&str], separator: char) {
    for (number, field) in fields.iter().enumerate() {
        if number > 0 {
            out.push(separator);
        }
        if field.contains([separator, '"', '\n', '\r']) || field.starts_with([' ', '\t']) {
            out.push_str(&format!("\"{}\"", field.replace('"', "\"\"")));
        } else {
            out.push_str(field);
        }
    }
    out.push('\n');
}
