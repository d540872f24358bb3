//! Changes to nodes: values, and what stands beside them.

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Style, Tree};
use crate::syntax::Attribute;

/// Gives `target` the value of `source`. Quotes stay while the type does, tags of the user's own stay, comments stay
/// unless new ones come.
pub fn update(tree: &mut Tree, target: Id, source: Id, clobbers_tags: bool) {
    tree.settle(target);
    if target == source {
        return;
    }
    let source = if tree[source].is_pending {
        tree.null()
    } else {
        source
    };
    let copy = tree.copy(source);
    let new = tree[copy].clone();
    let is_same_type = tree[target].kind == new.kind && tree[target].real_tag() == new.real_tag();
    let is_empty = tree[target].kind != Kind::Scalar && tree[target].content.is_empty();
    for child in &new.content {
        tree[*child].parent = Some(target);
    }
    let node = &mut tree[target];
    let is_own_tag = node.tag.starts_with('!') && !node.tag.starts_with("!!");
    if !is_same_type || node.style == Style::Plain || is_empty {
        node.style = new.style;
    }
    if clobbers_tags || !is_own_tag || new.tag.starts_with('!') && !new.tag.starts_with("!!") {
        node.is_tagged = new.is_tagged || node.is_tagged && node.tag == new.tag;
        node.tag = new.tag;
    }
    node.kind = new.kind;
    node.value = new.value;
    node.content = new.content;
    if !new.anchor.is_empty() && node.anchor.is_empty() && node.parent.is_none() {
        node.anchor = new.anchor;
    }
    for (own, other) in [
        (&mut node.head, new.head),
        (&mut node.line_comment, new.line_comment),
        (&mut node.foot, new.foot),
    ] {
        if !other.is_empty() {
            *own = other;
        }
    }
}

fn style_named(name: &str) -> Option<Style> {
    Some(match name {
        "" => Style::Plain,
        "single" => Style::Single,
        "double" => Style::Double,
        "literal" => Style::Literal,
        "folded" => Style::Folded,
        "flow" => Style::Flow,
        _ => return None,
    })
}

/// Sets what stands beside a value.
pub fn set_attribute(tree: &mut Tree, target: Id, attribute: Attribute, value: Id) -> Outcome<()> {
    let value = tree.follow(value);
    let text = match tree[value].kind {
        Kind::Scalar if tree[value].is_null() => String::new(),
        Kind::Scalar | Kind::Alias => tree[value].value.clone(),
        Kind::Map | Kind::Seq => String::new(),
    };
    let comment = text.trim_end_matches('\n').to_owned();
    tree.settle(target);
    let node = &mut tree[target];
    match attribute {
        Attribute::Style if text == "tagged" => node.is_tagged = true,
        Attribute::Style => {
            let style =
                style_named(&text).ok_or_else(|| Mistake::new(format!("unknown style {text}")))?;
            let is_scalar = matches!(node.kind, Kind::Scalar | Kind::Alias);
            // Quotes are for scalars, `{}` is for the others.
            node.style = match style {
                Style::Flow if is_scalar => Style::Plain,
                Style::Flow | Style::Plain => style,
                _ if is_scalar => style,
                _ => node.style,
            };
            if text.is_empty() && node.tag.starts_with("!!") {
                node.is_tagged = false;
            }
        }
        Attribute::Tag => {
            node.is_tagged = false;
            node.tag = text;
        }
        Attribute::Anchor => node.anchor = text,
        Attribute::Alias => {
            if !text.is_empty() {
                node.kind = Kind::Alias;
                node.value = text;
                node.tag = String::new();
                node.content.clear();
            }
        }
        Attribute::LineComment => node.line_comment = comment,
        Attribute::HeadComment => {
            node.head = comment;
            node.leading.clear();
        }
        Attribute::FootComment => node.foot = comment,
        Attribute::Comments => {
            node.line_comment.clone_from(&comment);
            node.head.clone_from(&comment);
            node.foot = comment;
            node.leading.clear();
        }
    }
    Ok(())
}

/// Returns what stands beside a value.
pub fn get_attribute(tree: &mut Tree, target: Id, attribute: Attribute) -> Id {
    let node = &tree[target];
    let text = match attribute {
        Attribute::Style => match node.style {
            Style::Plain if node.is_tagged => "tagged",
            Style::Plain => "",
            Style::Single => "single",
            Style::Double => "double",
            Style::Literal => "literal",
            Style::Folded => "folded",
            Style::Flow => "flow",
        }
        .to_owned(),
        Attribute::Tag => {
            let node = &tree[tree.follow(target)];
            if node.tag.is_empty() {
                node.real_tag().to_owned()
            } else {
                node.tag.clone()
            }
        }
        Attribute::Anchor => node.anchor.clone(),
        Attribute::Alias if node.kind == Kind::Alias => node.value.clone(),
        Attribute::Alias => String::new(),
        Attribute::LineComment => plain(&node.line_comment),
        Attribute::HeadComment | Attribute::Comments => {
            let all = if node.leading.is_empty() {
                node.head.clone()
            } else {
                let leading: Vec<&str> =
                    node.leading.lines().filter(|line| *line != "---").collect();
                let mut all = leading.join("\n");
                if !node.head.is_empty() {
                    all.push('\n');
                    all.push_str(&node.head);
                }
                all
            };
            plain(&all)
        }
        Attribute::FootComment => plain(&node.foot),
    };
    tree.text(&text)
}

/// Takes the `#` off each line.
fn plain(comment: &str) -> String {
    let lines: Vec<&str> = comment
        .split('\n')
        .map(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix('#').unwrap_or(line);
            line.strip_prefix(' ').unwrap_or(line)
        })
        .collect();
    lines.join("\n")
}
