//! INI files: sections of `key = value`.

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Tree};

/// Reads a text.
pub fn read(tree: &mut Tree, text: &str) -> Outcome<Id> {
    let root = tree.map();
    let mut section = root;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = match tree.get(root, name) {
                Some(section) => section,
                None => {
                    let new = tree.map();
                    tree.put_text(root, name, new);
                    new
                }
            };
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            return Err(Mistake::new(format!(
                "ini: line {}: key-value delimiter not found: {line}",
                number + 1
            )));
        };
        let value = value.trim();
        let quoted = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        let value = tree.text(quoted.unwrap_or(value));
        tree.put_text(section, key.trim(), value);
    }
    Ok(root)
}

/// Writes a map of scalars and maps of scalars.
pub fn write(tree: &Tree, node: Id) -> Outcome<String> {
    if tree[node].kind == Kind::Scalar {
        return Ok(tree[node].value.clone() + "\n");
    }
    if tree[node].kind != Kind::Map {
        return Err(Mistake::new(
            "INI encoder supports only MappingNode at the root level",
        ));
    }
    let mut out = String::new();
    let is_section = |id: Id| tree[id].kind == Kind::Map;
    for (key, value) in tree[node].pairs().filter(|(_, value)| !is_section(*value)) {
        out.push_str(&line(tree, key, value)?);
    }
    for (key, section) in tree[node].pairs().filter(|(_, value)| is_section(*value)) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("[{}]\n", tree[key].value));
        for (key, value) in tree[section].pairs() {
            out.push_str(&line(tree, key, value)?);
        }
    }
    Ok(out)
}

fn line(tree: &Tree, key: Id, value: Id) -> Outcome<String> {
    if tree[value].kind != Kind::Scalar {
        return Err(Mistake::new(format!(
            "INI encoder supports only scalar values in sections, not {}",
            tree[value].tag
        )));
    }
    Ok(format!("{} = {}\n", tree[key].value, tree[value].value))
}
