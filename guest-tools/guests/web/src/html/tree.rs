//! A page as a tree, and walks through it.
//!
//! Nodes lie in one list and know their neighbours by number; how the list comes about is in `build`.

use std::rc::Rc;

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, QualName, ns};

use super::build;

/// A node's number.
pub(super) type Id = u32;

/// What a node is.
#[derive(Debug)]
pub(super) enum Data {
    /// The page, a comment, or what a template holds.
    Other,
    /// An element.
    Element(Rc<QualName>, Vec<Attribute>),
    /// Text.
    Text(StrTendril),
}

/// A node and its neighbours.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) data: Data,
    /// How deep it was put; what it is in may have been moved since.
    pub(super) depth: u16,
    pub(super) parent: Option<Id>,
    pub(super) previous: Option<Id>,
    pub(super) next: Option<Id>,
    pub(super) first: Option<Id>,
    pub(super) last: Option<Id>,
}

/// A whole page.
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// One step of a walk through a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Before a node's children.
    Enter(Id),
    /// After them.
    Leave(Id),
}

impl Tree {
    /// Reads a page. Every text is one.
    pub(super) fn parse(page: &str) -> Self {
        Self {
            nodes: build::nodes(page),
        }
    }

    /// Returns the page itself.
    pub(super) fn root(&self) -> Id {
        0
    }

    /// Returns how many nodes there are; their numbers are below it.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the name of an HTML element; empty for all else.
    pub(super) fn name(&self, id: Id) -> &str {
        match self.data(id) {
            Some(Data::Element(name, _)) if name.ns == ns!(html) => &name.local,
            _ => "",
        }
    }

    /// Returns the name of an element of another language, such as `svg`; empty for all else.
    pub(super) fn foreign_name(&self, id: Id) -> &str {
        match self.data(id) {
            Some(Data::Element(name, _)) if name.ns != ns!(html) => &name.local,
            _ => "",
        }
    }

    /// Returns an attribute's value.
    pub(super) fn attribute(&self, id: Id, name: &str) -> Option<&str> {
        match self.data(id) {
            Some(Data::Element(_, attributes)) => attributes
                .iter()
                .find(|attribute| &*attribute.name.local == name)
                .map(|attribute| &*attribute.value),
            _ => None,
        }
    }

    /// Returns a text node's text.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.data(id) {
            Some(Data::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns all text in a node.
    pub(super) fn text_below(&self, id: Id) -> String {
        let mut text = String::new();
        let mut step = Some(Step::Enter(id));
        while let Some(now) = step {
            if let Step::Enter(node) = now {
                match self.name(node) {
                    "script" | "style" => {
                        step = self.after(id, now, true);
                        continue;
                    }
                    "br" | "p" | "div" | "li" => text.push(' '),
                    _ => text.push_str(self.text(node).unwrap_or_default()),
                }
            }
            step = self.after(id, now, false);
        }
        text
    }

    /// Returns the children of a node.
    pub(super) fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        std::iter::successors(self.node(id).and_then(|node| node.first), |child| {
            self.node(*child).and_then(|node| node.next)
        })
    }

    /// Returns the node that a node is in.
    pub(super) fn parent(&self, id: Id) -> Option<Id> {
        self.node(id).and_then(|node| node.parent)
    }

    /// Returns the step after another of a walk through `root`; none after its end. With `skips` the children of a
    /// node that was entered are left out.
    pub(super) fn after(&self, root: Id, step: Step, skips: bool) -> Option<Step> {
        match step {
            Step::Enter(id) => {
                let first = self.node(id).and_then(|node| node.first);
                match first.filter(|_| !skips) {
                    Some(first) => Some(Step::Enter(first)),
                    None => Some(Step::Leave(id)),
                }
            }
            Step::Leave(id) if id == root => None,
            Step::Leave(id) => {
                let node = self.node(id)?;
                match node.next {
                    Some(next) => Some(Step::Enter(next)),
                    None => node.parent.map(Step::Leave),
                }
            }
        }
    }

    /// Returns the page's title on one line.
    pub(super) fn title(&self) -> String {
        let title = self.first_named("title");
        title.map_or_else(String::new, |id| super::collapsed(&self.text_below(id)))
    }

    /// Returns what the page's relative links start from, if it says so.
    pub(super) fn base(&self) -> Option<&str> {
        let base = self.first_named("base");
        base.and_then(|id| self.attribute(id, "href"))
    }

    fn first_named(&self, name: &str) -> Option<Id> {
        let ids = 0..Id::try_from(self.nodes.len()).unwrap_or(Id::MAX);
        ids.into_iter().find(|id| self.name(*id) == name)
    }

    fn data(&self, id: Id) -> Option<&Data> {
        self.node(id).map(|node| &node.data)
    }

    fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id as usize)
    }
}
