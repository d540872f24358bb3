//! Writes trees as YAML, in the layout of go-yaml: two spaces a step, items of a sequence indented under their key,
//! lines of any length.

use crate::node::{Id, Kind, Node, Style, Tree};
use crate::scalar;
use crate::yaml_scalar::{self, Spot};

/// Returns a document with the end of its last line.
pub fn document(tree: &Tree, root: Id, indent: usize) -> String {
    let mut writer = Writer {
        tree,
        out: String::new(),
        column: 0,
        is_indention: true,
        is_blank: true,
        foot_indent: None,
        // go-yaml takes other widths for its own default.
        is_after_property: false,
        step: if (2..=9).contains(&indent) { indent } else { 2 },
    };
    let node = &tree[root];
    if !node.head.is_empty() {
        writer.comment(&node.head, 0);
        if matches!(node.kind, Kind::Map | Kind::Seq) && !node.head.ends_with('\n') {
            writer.line_break();
        }
    }
    writer.node(root, 0, Around::Root);
    if !writer.line_comment(&node.line_comment) && writer.column > 0 {
        writer.line_break();
    }
    if !node.foot.is_empty() {
        writer.comment(&node.foot, 0);
    }
    if !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    writer.out
}

/// What a node stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    Root,
    Item,
    Value,
    Key,
    Flow,
}

struct Writer<'t> {
    tree: &'t Tree,
    out: String,
    column: usize,
    /// Nothing but indentation, `-` and `?` stands on the line.
    is_indention: bool,
    /// The last character was a space or a line's end.
    is_blank: bool,
    /// A line of this indentation would join the foot comment above it.
    foot_indent: Option<usize>,
    step: usize,
    /// An anchor or a tag was written last.
    is_after_property: bool,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
        self.is_indention = false;
        self.is_blank = false;
        self.is_after_property = false;
    }

    fn space(&mut self) {
        if !self.is_blank {
            self.out.push(' ');
            self.column += 1;
            self.is_blank = true;
        }
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.is_indention = true;
        self.is_blank = true;
    }

    /// Goes to `indent` on this line if that can be, else on the next.
    fn indent(&mut self, indent: usize) {
        if self.foot_indent == Some(indent) {
            self.line_break();
        }
        if !self.is_indention || self.column > indent || self.column == indent && !self.is_blank {
            self.line_break();
        }
        while self.column < indent {
            self.out.push(' ');
            self.column += 1;
        }
        self.is_blank = true;
        self.foot_indent = None;
    }

    /// `-` or `?`.
    fn indicator(&mut self, text: &str) {
        let was_indention = self.is_indention;
        self.text(text);
        self.is_indention = was_indention;
    }

    fn comment(&mut self, text: &str, indent: usize) {
        for line in text.split('\n') {
            if line.is_empty() {
                if self.column > 0 {
                    self.line_break();
                }
                self.line_break();
                continue;
            }
            self.indent(indent);
            self.hash(line);
            self.line_break();
        }
        // What follows stands on the line that the last one opened.
        if text.ends_with('\n') {
            self.out.pop();
            if !self.out.ends_with('\n') {
                self.out.push('\n');
            }
        }
    }

    fn hash(&mut self, line: &str) {
        if !line.starts_with('#') {
            self.text("# ");
        }
        self.text(line);
    }

    /// Returns whether there was one.
    fn line_comment(&mut self, text: &str) -> bool {
        if text.is_empty() {
            return false;
        }
        self.space();
        self.hash(&text.replace('\n', " "));
        self.line_break();
        true
    }

    fn foot(&mut self, node: &Node, indent: usize) {
        if !node.foot.is_empty() {
            self.indent(indent);
            self.comment(&node.foot, indent);
            self.foot_indent = Some(indent);
        }
    }

    fn deeper(&self, indent: usize, around: Around) -> usize {
        match around {
            Around::Root => 0,
            Around::Item => indent + 2,
            _ => (indent / self.step + 1) * self.step,
        }
    }

    fn node(&mut self, id: Id, indent: usize, around: Around) {
        let node = &self.tree[id];
        if node.kind == Kind::Alias {
            self.space_before(around);
            self.text("*");
            self.text(&node.value);
            // `*a:` would be an alias of another name.
            if around == Around::Key {
                self.out.push(' ');
            }
            return;
        }
        if !node.anchor.is_empty() {
            self.space_before(around);
            self.text("&");
            self.text(&node.anchor);
            self.is_after_property = true;
        }
        match node.kind {
            Kind::Scalar => self.scalar(node, indent, around),
            Kind::Map | Kind::Seq => self.collection(node, indent, around),
            Kind::Alias => {}
        }
    }

    fn space_before(&mut self, around: Around) {
        if around == Around::Value || self.is_after_property {
            self.space();
        }
    }

    fn tag(&mut self, tag: &str, around: Around) {
        self.space_before(around);
        match tag.strip_prefix("tag:") {
            Some(_) => self.text(&format!("!<{tag}>")),
            None => self.text(tag),
        }
        self.is_after_property = true;
    }

    fn scalar(&mut self, node: &Node, indent: usize, around: Around) {
        let own = if node.style == Style::Plain {
            scalar::tag_of(&node.value)
        } else {
            "!!str"
        };
        let mut style = node.style;
        if style == Style::Plain && node.value.contains('\n') {
            style = Style::Literal;
        }
        if node.is_tagged && !node.tag.is_empty()
            || !node.tag.starts_with("!!") && !node.tag.is_empty()
        {
            self.tag(&node.tag, around);
        } else if own != node.tag && !node.tag.is_empty() && !(own == "!!merge" && node.is_key) {
            if node.tag == "!!str" {
                if style == Style::Plain {
                    style = Style::Double;
                }
            } else {
                self.tag(&node.tag, around);
            }
        }
        if node.value.is_empty()
            && style == Style::Plain
            && node.tag != "!!str"
            && around != Around::Flow
        {
            return;
        }
        let spot = match around {
            Around::Key => Spot::Key,
            Around::Flow => Spot::Flow,
            _ => Spot::Block,
        };
        self.space_before(around);
        let deeper = match around {
            Around::Root => self.step,
            around => self.deeper(indent, around),
        };
        let text = yaml_scalar::write(&node.value, style, spot, self.step);
        let Some((header, lines)) = text.block else {
            // Only quoted texts go over lines, and an empty line of theirs stays empty.
            for (number, line) in text.text.split('\n').enumerate() {
                if number > 0 {
                    self.line_break();
                    if !line.is_empty() {
                        self.indent(deeper);
                    }
                }
                self.text(line);
            }
            return;
        };
        self.text(header.as_str());
        if !self.line_comment(&node.line_comment) {
            self.line_break();
        }
        for line in lines.split('\n') {
            if !line.is_empty() {
                self.indent(deeper);
                self.text(line);
            }
            self.line_break();
        }
        self.out.pop();
        self.is_indention = false;
        self.is_blank = false;
        self.column = 1;
    }

    fn collection(&mut self, node: &Node, indent: usize, around: Around) {
        let implicit = if node.kind == Kind::Map {
            "!!map"
        } else {
            "!!seq"
        };
        if node.is_tagged && !node.tag.is_empty() || node.tag != implicit && !node.tag.is_empty() {
            self.tag(&node.tag, around);
        }
        let is_inline =
            node.style == Style::Flow || node.content.is_empty() || matches!(around, Around::Flow);
        let indent = self.deeper(indent, around);
        if is_inline {
            self.space_before(around);
            return self.flow(node, indent);
        }
        if node.kind == Kind::Seq {
            for item in &node.content {
                self.item(*item, indent);
            }
        } else {
            for (key, value) in node.pairs() {
                self.entry(key, value, indent);
            }
        }
    }

    fn item(&mut self, id: Id, indent: usize) {
        let node = &self.tree[id];
        if !node.head.is_empty() {
            self.comment(&node.head, indent);
        }
        self.indent(indent);
        self.indicator("-");
        let is_block = is_block_text(node);
        if !(node.value.is_empty()
            && node.kind == Kind::Scalar
            && node.style == Style::Plain
            && node.tag != "!!str")
        {
            self.space();
            self.is_blank = true;
        }
        self.node(id, indent, Around::Item);
        if !is_block {
            self.line_comment(&node.line_comment);
        }
        self.foot(node, indent);
    }

    fn entry(&mut self, key: Id, value: Id, indent: usize) {
        let (own, node) = (&self.tree[key], &self.tree[value]);
        if !own.head.is_empty() {
            self.comment(&own.head, indent);
        }
        let is_scalar = matches!(node.kind, Kind::Scalar | Kind::Alias);
        if !node.head.is_empty() && is_scalar {
            self.comment(&node.head, indent);
        }
        self.indent(indent);
        if is_simple_key(own) {
            self.node(key, indent, Around::Key);
            self.text(":");
        } else {
            self.indicator("?");
            self.space();
            self.node(key, indent, Around::Item);
            self.line_comment(&own.line_comment);
            self.indent(indent);
            self.text(":");
            self.is_indention = true;
        }
        let is_open = !is_scalar && node.style != Style::Flow && !node.content.is_empty();
        if is_open {
            if !node.anchor.is_empty() {
                self.space();
                self.text("&");
                self.text(&node.anchor);
            }
            let implicit = if node.kind == Kind::Map {
                "!!map"
            } else {
                "!!seq"
            };
            if node.is_tagged || node.tag != implicit && !node.tag.is_empty() {
                self.tag(&node.tag, Around::Value);
            }
            let comment = if own.line_comment.is_empty() {
                &node.line_comment
            } else {
                &own.line_comment
            };
            self.line_comment(comment);
            if !node.head.is_empty() {
                let deeper = self.deeper(indent, Around::Value);
                self.comment(&node.head, deeper);
            }
            let deeper = self.deeper(indent, Around::Value);
            if node.kind == Kind::Seq {
                for item in &node.content {
                    self.item(*item, deeper);
                }
            } else {
                for (key, value) in node.pairs() {
                    self.entry(key, value, deeper);
                }
            }
        } else {
            self.node(value, indent, Around::Value);
            if !is_block_text(node) {
                self.line_comment(if node.line_comment.is_empty() {
                    &own.line_comment
                } else {
                    &node.line_comment
                });
            }
        }
        self.foot(node, indent);
        self.foot(own, indent);
    }

    fn flow(&mut self, node: &Node, indent: usize) {
        let is_map = node.kind == Kind::Map;
        let (open, close) = if is_map { ("{", "}") } else { ("[", "]") };
        let has_comments = node.content.iter().any(|child| {
            let child = &self.tree[*child];
            !child.head.is_empty() || !child.line_comment.is_empty() || !child.foot.is_empty()
        });
        self.text(open);
        let outer = indent.saturating_sub(self.step);
        let parts: Vec<(Option<Id>, Id)> = if is_map {
            node.pairs()
                .map(|(key, value)| (Some(key), value))
                .collect()
        } else {
            node.content.iter().map(|item| (None, *item)).collect()
        };
        let count = parts.len();
        for (number, (key, value)) in parts.into_iter().enumerate() {
            let (own, last) = (&self.tree[key.unwrap_or(value)], &self.tree[value]);
            if has_comments {
                if !own.head.is_empty() {
                    self.comment(&own.head, indent);
                }
                self.indent(indent);
            } else if number > 0 {
                self.space();
            }
            if let Some(key) = key {
                self.node(key, indent, Around::Key);
                self.text(":");
                if !(last.value.is_empty() && last.is_null()) {
                    self.space();
                    self.node(value, indent, Around::Flow);
                }
            } else {
                self.node(value, indent, Around::Flow);
            }
            if number + 1 < count || has_comments {
                self.text(",");
            }
            if has_comments {
                self.line_comment(&last.line_comment);
                if !own.foot.is_empty() {
                    self.comment(&own.foot, indent);
                }
            }
        }
        if has_comments {
            self.indent(outer);
        }
        self.text(close);
    }
}

fn is_block_text(node: &Node) -> bool {
    node.kind == Kind::Scalar
        && (matches!(node.style, Style::Literal | Style::Folded)
            || node.style == Style::Plain && node.value.contains('\n'))
}

/// A key that stands on one line before its `:`.
fn is_simple_key(node: &Node) -> bool {
    match node.kind {
        Kind::Alias => true,
        Kind::Scalar => !node.value.contains('\n') && node.value.len() <= 128,
        Kind::Map | Kind::Seq => node.content.is_empty(),
    }
}
