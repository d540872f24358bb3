//! Trees of paths that are read from a file, `--fromfile`.

use std::io;

use crate::input;

use super::node::{Node, Trail, Walk};

/// Returns the root of the tree of paths in a file, `.` being the standard input.
pub(super) fn root(walk: &Walk<'_>, name: &str) -> io::Result<Node> {
    let source = if name == "." { "-" } else { name };
    let mut root = Node::told(name, name, true);
    let mut source = match input::open(source) {
        Ok(source) => source,
        Err(_) => {
            root.error = Some("error opening dir".to_owned());
            root.is_missing = true;
            return Ok(root);
        }
    };
    let mut line = Vec::new();
    while input::line(&mut *source, &mut line)?.is_some() {
        add(&mut root, &String::from_utf8_lossy(&line));
    }
    finish(walk, &mut root);
    Ok(root)
}

fn add(root: &mut Node, path: &str) {
    let is_folder = path.ends_with('/');
    let mut parts = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .peekable();
    let mut at = root;
    while let Some(part) = parts.next() {
        let has_more = parts.peek().is_some();
        let here = format!("{}/{part}", at.path);
        at.is_folder = true;
        let children = at.children.get_or_insert_default();
        let place = match children.iter().position(|child| child.name == part) {
            Some(place) => place,
            None => {
                children.push(Node::told(part, &here, has_more || is_folder));
                children.len() - 1
            }
        };
        let Some(child) = children.get_mut(place) else {
            return;
        };
        at = child;
    }
}

/// Filters and sorts.
fn finish(walk: &Walk<'_>, node: &mut Node) {
    let Some(mut children) = node.children.take() else {
        return;
    };
    let trail = [Trail::new(node)];
    children.retain(|child| {
        (!child.name.starts_with('.') || walk.shows_hidden()) && walk.is_shown(child, node, &trail)
    });
    for child in &mut children {
        finish(walk, child);
    }
    walk.sort(&mut children);
    node.children = Some(children);
}
