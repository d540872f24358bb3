//! Documents as trees that keep what a YAML file says beyond its values: order, comments, styles, tags and anchors.
//!
//! Nodes live in one arena and are named by their place there, so that two paths to a node see one another's changes.

use std::ops::{Index, IndexMut};
use std::rc::Rc;

use crate::scalar;

/// A node of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(usize);

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text with a tag.
    Scalar,
    /// Keys and values in turn.
    Map,
    /// Items.
    Seq,
    /// Another node, by its anchor.
    Alias,
}

/// How a node is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As it comes: plain scalars, collections in lines.
    #[default]
    Plain,
    /// `'...'`
    Single,
    /// `"..."`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// `{...}` and `[...]`
    Flow,
}

/// Where a document comes from.
#[derive(Debug, Default)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// Which of the files it is.
    pub file_index: usize,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    pub tag: String,
    /// The text of a scalar, the anchor that an alias names.
    pub value: String,
    pub style: Style,
    /// The tag stands in the file.
    pub is_tagged: bool,
    pub anchor: String,
    /// Lines before it, with their `#`.
    pub head: String,
    /// What is behind it on its line.
    pub line_comment: String,
    /// Lines after it.
    pub foot: String,
    /// Items; or keys and values in turn.
    pub content: Vec<Id>,
    pub parent: Option<Id>,
    /// The key of a value in a map.
    pub key: Option<Id>,
    pub is_key: bool,
    /// It is not in its parent yet: it gets there with the first assignment.
    pub is_pending: bool,
    pub line: usize,
    pub column: usize,
    pub document: usize,
    /// What stands before the first line of the first document, verbatim.
    pub leading: String,
    pub origin: Rc<Origin>,
}

impl Node {
    fn new(kind: Kind, tag: &str, value: &str) -> Self {
        Self {
            kind,
            tag: tag.to_owned(),
            value: value.to_owned(),
            style: Style::Plain,
            is_tagged: false,
            anchor: String::new(),
            head: String::new(),
            line_comment: String::new(),
            foot: String::new(),
            content: Vec::new(),
            parent: None,
            key: None,
            is_key: false,
            is_pending: false,
            line: 0,
            column: 0,
            document: 0,
            leading: String::new(),
            origin: Rc::default(),
        }
    }

    /// Returns whether it is a `null`.
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Scalar && self.tag == "!!null"
    }

    /// Returns what a condition takes it for: all but `null` and `false` is true.
    pub fn is_true(&self) -> bool {
        !(self.is_null()
            || self.kind == Kind::Scalar
                && self.tag == "!!bool"
                && self.value.eq_ignore_ascii_case("false"))
    }

    /// Returns the tag, that of the text itself if it is one of the user's own.
    pub fn real_tag(&self) -> &str {
        if self.tag.starts_with("!!") || self.kind != Kind::Scalar {
            return match self.kind {
                Kind::Map => "!!map",
                Kind::Seq => "!!seq",
                _ => &self.tag,
            };
        }
        if self.style == Style::Plain {
            scalar::tag_of(&self.value)
        } else {
            "!!str"
        }
    }

    /// Returns whether it is a number.
    pub fn is_number(&self) -> bool {
        self.kind == Kind::Scalar && matches!(self.real_tag(), "!!int" | "!!float")
    }

    /// Returns whether it is a string.
    pub fn is_text(&self) -> bool {
        self.kind == Kind::Scalar && self.real_tag() == "!!str"
    }

    /// Returns keys and values of a map.
    pub fn pairs(&self) -> impl Iterator<Item = (Id, Id)> + '_ {
        self.content.chunks_exact(2).filter_map(|pair| match pair {
            [key, value] => Some((*key, *value)),
            _ => None,
        })
    }
}

/// All nodes of the documents at hand.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Index<Id> for Tree {
    type Output = Node;

    #[expect(
        clippy::indexing_slicing,
        reason = "only a tree makes ids, and it never loses a node"
    )]
    fn index(&self, id: Id) -> &Node {
        &self.nodes[id.0]
    }
}

impl IndexMut<Id> for Tree {
    #[expect(
        clippy::indexing_slicing,
        reason = "only a tree makes ids, and it never loses a node"
    )]
    fn index_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.0]
    }
}

impl Tree {
    /// Adds a node.
    pub fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        Id(self.nodes.len() - 1)
    }

    /// Adds a scalar.
    pub fn scalar(&mut self, tag: &str, value: &str) -> Id {
        self.add(Node::new(Kind::Scalar, tag, value))
    }

    /// Adds a string.
    pub fn text(&mut self, value: &str) -> Id {
        self.scalar("!!str", value)
    }

    /// Adds a whole number.
    pub fn int(&mut self, value: i64) -> Id {
        self.scalar("!!int", &value.to_string())
    }

    /// Adds `true` or `false`.
    pub fn truth(&mut self, value: bool) -> Id {
        self.scalar("!!bool", if value { "true" } else { "false" })
    }

    /// Adds `null`.
    pub fn null(&mut self) -> Id {
        self.scalar("!!null", "null")
    }

    /// Adds an alias.
    pub fn alias(&mut self, name: &str) -> Id {
        self.add(Node::new(Kind::Alias, "", name))
    }

    /// Adds an empty map.
    pub fn map(&mut self) -> Id {
        self.add(Node::new(Kind::Map, "!!map", ""))
    }

    /// Adds an empty sequence.
    pub fn seq(&mut self) -> Id {
        self.add(Node::new(Kind::Seq, "!!seq", ""))
    }

    /// Puts `item` at the end of a sequence.
    pub fn push(&mut self, seq: Id, item: Id) {
        let (document, origin) = self.place(seq);
        let node = &mut self[item];
        (node.parent, node.key) = (Some(seq), None);
        (node.is_key, node.is_pending) = (false, false);
        (node.document, node.origin) = (document, origin);
        self[seq].content.push(item);
    }

    /// Puts a key and its value at the end of a map.
    pub fn put(&mut self, map: Id, key: Id, value: Id) {
        let (document, origin) = self.place(map);
        let node = &mut self[key];
        (node.parent, node.is_key) = (Some(map), true);
        (node.document, node.origin) = (document, Rc::clone(&origin));
        let node = &mut self[value];
        (node.parent, node.key) = (Some(map), Some(key));
        (node.is_key, node.is_pending) = (false, false);
        (node.document, node.origin) = (document, origin);
        self[map].content.extend([key, value]);
    }

    /// Puts a value under a new key of a map.
    pub fn put_text(&mut self, map: Id, key: &str, value: Id) {
        let key = self.text(key);
        self.put(map, key, value);
    }

    fn place(&self, id: Id) -> (usize, Rc<Origin>) {
        (self[id].document, Rc::clone(&self[id].origin))
    }

    /// Returns the value under a key, by the key's text.
    pub fn get(&self, map: Id, key: &str) -> Option<Id> {
        self[map]
            .pairs()
            .find(|(own, _)| self[*own].value == key && self[*own].kind != Kind::Alias)
            .map(|(_, value)| value)
    }

    /// Returns a copy with all below it, which belongs nowhere but still knows where it was.
    pub fn copy(&mut self, id: Id) -> Id {
        let mut node = self[id].clone();
        let content = std::mem::take(&mut node.content);
        let is_map = node.kind == Kind::Map;
        let new = self.add(node);
        let mut key = None;
        let mut copies = Vec::with_capacity(content.len());
        for child in content {
            let copy = self.copy(child);
            self[copy].parent = Some(new);
            if is_map {
                self[copy].key = key;
                key = if key.is_none() { Some(copy) } else { None };
            }
            copies.push(copy);
        }
        self[new].content = copies;
        new
    }

    /// Returns the node itself, or what an alias stands for.
    pub fn follow(&self, id: Id) -> Id {
        if self[id].kind == Kind::Alias {
            self.target(id).unwrap_or(id)
        } else {
            id
        }
    }

    /// Returns the node that an alias names: the last such anchor before it.
    pub fn target(&self, alias: Id) -> Option<Id> {
        let mut root = alias;
        while let Some(parent) = self[root].parent {
            root = parent;
        }
        let name = self[alias].value.clone();
        let mut found = None;
        self.seek(root, &name, alias, &mut found);
        found.or_else(|| {
            // A part that was taken out of its document: any node with that anchor will do.
            let place = self.nodes.iter().position(|node| node.anchor == name)?;
            Some(Id(place))
        })
    }

    /// Looks for an anchor; true once the alias is reached.
    fn seek(&self, id: Id, name: &str, alias: Id, found: &mut Option<Id>) -> bool {
        if id == alias {
            return true;
        }
        if self[id].anchor == name && self[id].kind != Kind::Alias {
            *found = Some(id);
        }
        self[id]
            .content
            .iter()
            .any(|child| self.seek(*child, name, alias, found))
    }

    /// Returns the place of a node among its parent's items.
    pub fn position(&self, id: Id) -> Option<usize> {
        let parent = self[id].parent?;
        let place = self[parent].content.iter().position(|item| *item == id)?;
        Some(place)
    }

    /// Returns keys and places on the way from the root to a node.
    pub fn path(&mut self, id: Id) -> Vec<Id> {
        let mut path = Vec::new();
        let mut here = id;
        while let Some(parent) = self[here].parent {
            let step = if self[here].is_key {
                Some(here)
            } else {
                self.key_of(here)
            };
            path.extend(step);
            here = parent;
        }
        path.reverse();
        path
    }

    /// Returns the key of a value, or a new node with the place of an item.
    pub fn key_of(&mut self, id: Id) -> Option<Id> {
        if let Some(key) = self[id].key {
            return Some(key);
        }
        let place = self.position(id)?;
        Some(self.int(i64::try_from(place).unwrap_or(i64::MAX)))
    }

    /// Puts a pending node, and those above it that are pending, where they belong.
    pub fn settle(&mut self, id: Id) {
        if !self[id].is_pending {
            return;
        }
        let Some(parent) = self[id].parent else {
            self[id].is_pending = false;
            return;
        };
        self.settle(parent);
        let parent = self.follow(parent);
        let Some(key) = self[id].key else { return };
        let is_index = self[key].tag == "!!int";
        if self[parent].kind == Kind::Scalar {
            let node = &mut self[parent];
            node.kind = if is_index { Kind::Seq } else { Kind::Map };
            node.tag = if is_index { "!!seq" } else { "!!map" }.to_owned();
            node.value.clear();
            node.style = Style::Plain;
        }
        match self[parent].kind {
            Kind::Seq => {
                let place = self[key].value.parse::<usize>().unwrap_or_default();
                while self[parent].content.len() < place {
                    let filler = self.null();
                    self.push(parent, filler);
                }
                self[id].key = None;
                self.push(parent, id);
            }
            _ => self.put(parent, key, id),
        }
    }

    /// Returns whether two nodes have the same value.
    pub fn equal(&self, left: Id, right: Id) -> bool {
        let (left, right) = (self.follow(left), self.follow(right));
        let (one, other) = (&self[left], &self[right]);
        if one.kind != other.kind {
            return false;
        }
        match one.kind {
            Kind::Scalar => {
                one.is_null() && other.is_null()
                    || one.value == other.value && one.real_tag() == other.real_tag()
            }
            Kind::Alias => one.value == other.value,
            Kind::Seq => {
                one.content.len() == other.content.len()
                    && one
                        .content
                        .iter()
                        .zip(&other.content)
                        .all(|(left, right)| self.equal(*left, *right))
            }
            Kind::Map => {
                one.content.len() == other.content.len()
                    && one.pairs().all(|(key, value)| {
                        self.get(right, &self[key].value)
                            .is_some_and(|own| self.equal(value, own))
                    })
            }
        }
    }
}
