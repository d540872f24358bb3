//! XML as maps: attributes under `+@name`, text beside others under `+content`, elements of one name in a sequence.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Tree};

const ATTRIBUTE: &str = "+@";
const CONTENT: &str = "+content";
const INSTRUCTION: &str = "+p_";
const DIRECTIVE: &str = "+directive";
/// How deep elements nest, so that the stack holds.
const DEPTH_MAX: usize = 1000;

fn fault(error: impl std::fmt::Display) -> Mistake {
    Mistake::new(format!("XML syntax error: {error}"))
}

/// Reads a text.
pub fn read(tree: &mut Tree, text: &str) -> Outcome<Id> {
    let mut reader = Reader::from_str(text);
    let root = tree.map();
    // Elements that are open: their names, and what is in them so far.
    let mut open: Vec<(String, Id, String)> = vec![(String::new(), root, String::new())];
    let mut comment = String::new();
    loop {
        let event = reader.read_event().map_err(fault)?;
        match event {
            Event::Eof => break,
            Event::Start(start) => {
                if open.len() > DEPTH_MAX {
                    return Err(Mistake::new("XML nests too deep"));
                }
                let element = element(tree, &start, &mut comment)?;
                open.push(element);
            }
            Event::Empty(start) => {
                let element = element(tree, &start, &mut comment)?;
                close(tree, &mut open, element);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(tree, &mut open, element);
                }
            }
            Event::Text(part) => add(&mut open, &part),
            Event::CData(part) => add(&mut open, &part),
            Event::GeneralRef(name) => {
                let text = format!("&{};", &*name);
                add(
                    &mut open,
                    &quick_xml::escape::unescape(&text).map_err(fault)?,
                );
            }
            Event::Comment(text) => {
                if !comment.is_empty() {
                    comment.push('\n');
                }
                let lines: Vec<String> = text
                    .trim()
                    .lines()
                    .map(|line| format!("# {}", line.trim()))
                    .collect();
                comment.push_str(&lines.join("\n"));
            }
            Event::Decl(text) => instruction(tree, root, &text),
            Event::PI(text) => instruction(tree, root, &text),
            Event::DocType(text) => {
                let value = tree.text(&format!("DOCTYPE {}", text.trim()));
                tree.put_text(root, DIRECTIVE, value);
            }
        }
    }
    if open.len() > 1 {
        return Err(Mistake::new("XML syntax error: unexpected EOF"));
    }
    if !comment.is_empty() {
        tree[root].foot = comment;
    }
    Ok(root)
}

fn add(open: &mut [(String, Id, String)], text: &str) {
    if let Some((_, _, own)) = open.last_mut() {
        own.push_str(text);
    }
}

fn instruction(tree: &mut Tree, root: Id, text: &str) {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let value = tree.text(rest.trim());
    tree.put_text(root, &format!("{INSTRUCTION}{name}"), value);
}

fn element(
    tree: &mut Tree,
    start: &BytesStart<'_>,
    comment: &mut String,
) -> Outcome<(String, Id, String)> {
    let map = tree.map();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(fault)?;
        let text = quick_xml::escape::unescape(&attribute.value)
            .map_err(fault)?
            .into_owned();
        let value = tree.text(&text);
        let name = attribute.key.as_ref().to_owned();
        tree.put_text(map, &format!("{ATTRIBUTE}{name}"), value);
    }
    tree[map].head = std::mem::take(comment);
    let name = start.name().as_ref().to_owned();
    Ok((name, map, String::new()))
}

/// Puts an element that has ended into the one around it.
fn close(
    tree: &mut Tree,
    open: &mut [(String, Id, String)],
    (name, map, text): (String, Id, String),
) {
    let text = text.trim();
    let head = std::mem::take(&mut tree[map].head);
    let value = if tree[map].content.is_empty() {
        if text.is_empty() {
            tree.scalar("!!null", "")
        } else {
            tree.text(text)
        }
    } else {
        if !text.is_empty() {
            let content = tree.text(text);
            // Attributes come first, then the text, then elements.
            tree.put_text(map, CONTENT, content);
            let first = tree[map]
                .pairs()
                .position(|(key, _)| !tree[key].value.starts_with(ATTRIBUTE));
            if let Some(first) = first {
                let own = &mut tree[map].content;
                let count = own.len();
                if let Some(tail) = own.get_mut(first * 2..count) {
                    tail.rotate_right(2);
                }
            }
        }
        map
    };
    let Some((_, outer, _)) = open.last() else {
        return;
    };
    let outer = *outer;
    match tree.get(outer, &name) {
        None => {
            let key = tree.text(&name);
            tree[key].head = head;
            tree.put(outer, key, value);
        }
        Some(old) if tree[old].kind == Kind::Seq => tree.push(old, value),
        Some(old) => {
            let seq = tree.seq();
            let first = tree.copy(old);
            tree.push(seq, first);
            tree.push(seq, value);
            crate::assign::update(tree, old, seq, true);
        }
    }
}

/// Writes a value.
pub fn write(tree: &Tree, node: Id, indent: usize) -> Outcome<String> {
    let mut out = String::new();
    match tree[node].kind {
        Kind::Scalar => return Ok(escape(&tree[node].value, false) + "\n"),
        Kind::Map => {
            comment(&mut out, &tree[node].head, "");
            for (key, value) in tree[node].pairs() {
                let name = &tree[key].value;
                if let Some(name) = name.strip_prefix(INSTRUCTION) {
                    out.push_str(&format!("<?{name} {}?>\n", tree[value].value));
                } else if name == DIRECTIVE {
                    out.push_str(&format!("<!{}>\n", tree[value].value));
                } else {
                    comment(&mut out, &tree[key].head, "");
                    one(tree, name, value, indent, 0, &mut out)?;
                }
            }
        }
        _ => {
            return Err(Mistake::new(format!(
                "cannot encode {} to XML - only maps can be encoded",
                tree[node].tag
            )));
        }
    }
    Ok(out)
}

fn comment(out: &mut String, text: &str, pad: &str) {
    if text.is_empty() {
        return;
    }
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim_start_matches('#').trim())
        .collect();
    out.push_str(&format!("{pad}<!-- {} -->\n", lines.join("\n")));
}

fn one(
    tree: &Tree,
    name: &str,
    id: Id,
    indent: usize,
    depth: usize,
    out: &mut String,
) -> Outcome<()> {
    let node = &tree[id];
    if node.kind == Kind::Seq {
        for item in &node.content {
            one(tree, name, *item, indent, depth, out)?;
        }
        return Ok(());
    }
    let pad = " ".repeat(indent * depth);
    let end = if indent > 0 || depth == 0 { "\n" } else { "" };
    if node.kind == Kind::Scalar {
        let text = if node.is_null() {
            String::new()
        } else {
            escape(&node.value, false)
        };
        out.push_str(&format!("{pad}<{name}>{text}</{name}>{end}"));
        return Ok(());
    }
    out.push_str(&format!("{pad}<{name}"));
    let mut content = None;
    let mut children = Vec::new();
    for (key, value) in node.pairs() {
        let key_text = &tree[key].value;
        if let Some(attribute) = key_text.strip_prefix(ATTRIBUTE) {
            if tree[value].kind != Kind::Scalar {
                return Err(Mistake::new(format!(
                    "cannot use {} as attribute, only scalars are supported",
                    tree[value].tag
                )));
            }
            out.push_str(&format!(
                " {attribute}=\"{}\"",
                escape(&tree[value].value, true)
            ));
        } else if key_text == CONTENT {
            content = Some(value);
        } else {
            children.push((key, value));
        }
    }
    out.push('>');
    if let Some(content) = content {
        out.push_str(&escape(&tree[content].value, false));
    }
    if !children.is_empty() {
        if indent > 0 {
            out.push('\n');
        }
        for (key, value) in children {
            if indent > 0 {
                comment(out, &tree[key].head, &" ".repeat(indent * (depth + 1)));
            }
            one(tree, &tree[key].value, value, indent, depth + 1, out)?;
        }
        out.push_str(&pad);
    }
    out.push_str(&format!("</{name}>{end}"));
    Ok(())
}

fn escape(text: &str, is_attribute: bool) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    if is_attribute {
        text.replace('"', "&#34;").replace('\n', "&#xA;")
    } else {
        text
    }
}
