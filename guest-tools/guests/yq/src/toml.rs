//! Reads TOML; its numbers and dates stay as they are written.

use toml_edit::{Document, Item, Table, Value};

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Style, Tree};

/// Reads a text.
pub fn read(tree: &mut Tree, text: &str) -> Outcome<Id> {
    let document = Document::parse(text)
        .map_err(|error| Mistake::new(format!("toml: {}", error.to_string().trim_end())))?;
    let root = tree.map();
    table(tree, root, document.as_table());
    Ok(root)
}

fn table(tree: &mut Tree, map: Id, own: &Table) {
    for (name, item) in own.iter() {
        let id = match item {
            Item::None => continue,
            Item::Value(own) => value(tree, own),
            Item::Table(own) => {
                let map = tree.map();
                table(tree, map, own);
                map
            }
            Item::ArrayOfTables(own) => {
                let seq = tree.seq();
                for own in own.iter() {
                    let map = tree.map();
                    table(tree, map, own);
                    tree.push(seq, map);
                }
                seq
            }
        };
        tree.put_text(map, name, id);
    }
}

fn value(tree: &mut Tree, own: &Value) -> Id {
    match own {
        Value::String(text) => tree.text(text.value()),
        Value::Boolean(truth) => tree.truth(*truth.value()),
        Value::Integer(number) => {
            let text = number
                .as_repr()
                .and_then(|own| own.as_raw().as_str())
                .map_or_else(|| number.value().to_string(), str::to_owned);
            tree.scalar("!!int", &text)
        }
        Value::Float(number) => {
            let text = number
                .as_repr()
                .and_then(|own| own.as_raw().as_str())
                .filter(|_| number.value().is_finite())
                .map_or_else(|| crate::scalar::show(*number.value()), str::to_owned);
            tree.scalar("!!float", &text)
        }
        Value::Datetime(date) => tree.scalar("!!timestamp", &date.value().to_string()),
        Value::Array(items) => {
            let seq = tree.seq();
            for item in items.iter() {
                let item = value(tree, item);
                tree.push(seq, item);
            }
            tree[seq].style = Style::Flow;
            seq
        }
        Value::InlineTable(own) => {
            let map = tree.map();
            for (name, own) in own.iter() {
                let own = value(tree, own);
                tree.put_text(map, name, own);
            }
            tree[map].style = Style::Flow;
            map
        }
    }
}
