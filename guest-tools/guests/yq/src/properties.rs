//! Java's properties: `a.b.0 = value`.

use crate::node::{Id, Kind, Tree};
use crate::{assign, path, scalar};

/// Writes a value.
pub fn write(tree: &Tree, node: Id, unwraps: bool) -> String {
    let mut out = String::new();
    if tree[node].kind == Kind::Scalar {
        return tree[node].value.clone() + "\n";
    }
    lines(tree, node, "", unwraps, &mut out);
    out
}

fn comment(out: &mut String, text: &str) {
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        if !line.starts_with('#') {
            out.push_str("# ");
        }
        out.push_str(line);
        out.push('\n');
    }
}

fn lines(tree: &Tree, id: Id, name: &str, unwraps: bool, out: &mut String) {
    let node = &tree[id];
    let within = |part: &str| {
        if name.is_empty() {
            part.to_owned()
        } else {
            format!("{name}.{part}")
        }
    };
    match node.kind {
        Kind::Map => {
            for (key, value) in node.pairs() {
                comment(out, &tree[key].head);
                lines(tree, value, &within(&tree[key].value), unwraps, out);
            }
        }
        Kind::Seq => {
            for (place, item) in node.content.iter().enumerate() {
                lines(tree, *item, &within(&place.to_string()), unwraps, out);
            }
        }
        Kind::Scalar | Kind::Alias => {
            comment(out, &node.head);
            comment(out, &node.line_comment);
            let mut value = node.value.replace('\n', "\\n");
            if !unwraps && value.contains(' ') {
                value = format!("{value:?}");
            }
            out.push_str(&format!("{} = {value}\n", name.replace(' ', "\\ ")));
        }
    }
}

/// Reads a text.
pub fn read(tree: &mut Tree, text: &str) -> Id {
    let root = tree.map();
    let mut comments = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if let Some(comment) = line.strip_prefix(['#', '!']) {
            if !comments.is_empty() {
                comments.push('\n');
            }
            comments.push('#');
            comments.push_str(comment);
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let mut whole = line.to_owned();
        while whole.ends_with('\\') && !whole.ends_with("\\\\") {
            whole.pop();
            let Some(next) = lines.next() else { break };
            whole.push_str(next.trim_start());
        }
        let (key, value) = split(&whole);
        put(tree, root, &key, &value, std::mem::take(&mut comments));
    }
    root
}

/// Splits a line at the first `=`, `:` or blank that is not escaped.
fn split(line: &str) -> (String, String) {
    let mut key = String::new();
    let mut characters = line.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '\\' => key.extend(characters.next().map(|(_, next)| next)),
            '=' | ':' | ' ' | '\t' => {
                let rest = line.get(place..).unwrap_or_default().trim_start();
                let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
                return (key, unescape(rest.trim()));
            }
            other => key.push(other),
        }
    }
    (key, String::new())
}

fn unescape(text: &str) -> String {
    text.replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\\\", "\\")
}

fn put(tree: &mut Tree, root: Id, key: &str, value: &str, comments: String) {
    let mut here = root;
    for step in key.split('.') {
        let index = match step.parse::<i64>() {
            Ok(place) if !step.starts_with('-') && tree[here].kind != Kind::Map => tree.int(place),
            _ => tree.text(step),
        };
        let mut found = Vec::new();
        if path::index(tree, here, index, true, &mut found).is_err() {
            return;
        }
        let Some(next) = found.first() else { return };
        here = *next;
    }
    let value = tree.scalar(scalar::tag_of(value), value);
    assign::update(tree, here, value, true);
    if let Some(key) = tree[here].key {
        tree[key].head = comments;
    }
}
