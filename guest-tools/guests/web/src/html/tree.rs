//! A page as a tree, read by the rules of the HTML standard.
//!
//! Nodes lie in one list and know their neighbours by number. Two things are bounded that the standard leaves open:
//! how deep elements nest, because the rules look through all open elements again and again, and how many nodes
//! there are, because some pages of a few bytes make millions.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, ExpandedName, LocalName, Namespace, QualName, TokenizerResult, ns};

/// Elements deeper than this are dropped and their text stays, as browsers do at about the same depth.
const DEPTH_MAX: u16 = 512;
/// Nodes of one page; what comes after is dropped. They take some tens of megabytes.
const NODES_MAX: usize = 500_000;

/// Attributes that are read. All others are dropped, because a page can have far more of them than nodes.
const ATTRIBUTES: &[&str] = &[
    "alt",
    "alttext",
    "aria-hidden",
    "class",
    "colspan",
    "encoding",
    "hidden",
    "href",
    "role",
    "src",
    "start",
    "style",
];

/// A node's number.
pub(super) type Id = u32;

/// What a node is.
pub(super) enum Data {
    /// The page, a comment, or what a template holds.
    Other,
    /// An element.
    Element(Rc<QualName>, Vec<Attribute>),
    /// Text.
    Text(StrTendril),
}

struct Node {
    data: Data,
    depth: u16,
    parent: Option<Id>,
    previous: Option<Id>,
    next: Option<Id>,
    first: Option<Id>,
    last: Option<Id>,
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
        let options = TreeBuilderOpts {
            // What `noscript` holds is then elements, like everything else.
            scripting_enabled: false,
            drop_doctype: true,
            ..TreeBuilderOpts::default()
        };
        let sink = Bounded {
            builder: TreeBuilder::new(Sink::new(), options),
        };
        let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
        let input = BufferQueue::default();
        // A tendril holds less than 4 GiB, which a bounded body never is.
        input.push_back(StrTendril::from(page));
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        tokenizer.end();
        Self {
            nodes: tokenizer.sink.builder.sink.nodes.into_inner(),
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

/// Stands before the tree builder and drops what would be too deep or too much.
struct Bounded {
    builder: TreeBuilder<Handle, Sink>,
}

impl TokenSink for Bounded {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        let sink = &self.builder.sink;
        let is_dropped = match &token {
            Token::EOFToken => false,
            _ if sink.nodes.borrow().len() >= NODES_MAX => true,
            Token::TagToken(tag) => sink.depth.get() >= DEPTH_MAX && nests(tag),
            _ => false,
        };
        match is_dropped {
            true => TokenSinkResult::Continue,
            false => self.builder.process_token(token, line),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Tells whether a tag begins an element that has others in it. What holds only text also changes how it is read.
fn nests(tag: &Tag) -> bool {
    tag.kind == TagKind::StartTag
        && !matches!(
            &*tag.name,
            "script" | "style" | "textarea" | "title" | "xmp" | "iframe" | "noembed" | "noframes"
        )
}

/// What the tree builder knows a node by.
#[derive(Clone)]
struct Handle {
    id: Id,
    name: Rc<QualName>,
}

/// The tree while it is built.
struct Sink {
    nodes: RefCell<Vec<Node>>,
    /// Depth of the node that was worked on last.
    depth: Cell<u16>,
    nameless: Rc<QualName>,
}

impl Sink {
    fn new() -> Self {
        let sink = Self {
            nodes: RefCell::new(Vec::new()),
            depth: Cell::new(0),
            nameless: Rc::new(QualName::new(
                None,
                Namespace::from(""),
                LocalName::from(""),
            )),
        };
        sink.add(Data::Other);
        sink
    }

    fn add(&self, data: Data) -> Handle {
        let name = match &data {
            Data::Element(name, _) => Rc::clone(name),
            _ => Rc::clone(&self.nameless),
        };
        let mut nodes = self.nodes.borrow_mut();
        let id = Id::try_from(nodes.len()).unwrap_or(Id::MAX);
        nodes.push(Node {
            data,
            depth: 0,
            parent: None,
            previous: None,
            next: None,
            first: None,
            last: None,
        });
        Handle { id, name }
    }

    /// Puts a node or text into `parent`, before one of its children or at the end.
    fn insert(&self, parent: Id, before: Option<Id>, child: NodeOrText<Handle>) {
        let id = match child {
            NodeOrText::AppendNode(handle) => handle.id,
            NodeOrText::AppendText(text) => {
                if self.grew(parent, before, &text) {
                    return;
                }
                self.add(Data::Text(text)).id
            }
        };
        let mut nodes = self.nodes.borrow_mut();
        detach(&mut nodes, id);
        let depth = get(&nodes, parent).map_or(0, |node| node.depth);
        let previous = match before {
            Some(before) => get(&nodes, before).and_then(|node| node.previous),
            None => get(&nodes, parent).and_then(|node| node.last),
        };
        if let Some(node) = nodes.get_mut(id as usize) {
            node.parent = Some(parent);
            node.previous = previous;
            node.next = before;
            node.depth = depth.saturating_add(1);
            if matches!(node.data, Data::Element(..)) {
                self.depth.set(node.depth);
            }
        }
        link(&mut nodes, parent, previous, Some(id));
        link_back(&mut nodes, parent, before, Some(id));
    }

    /// Adds text to the text that it would follow, if there is one.
    fn grew(&self, parent: Id, before: Option<Id>, text: &StrTendril) -> bool {
        let mut nodes = self.nodes.borrow_mut();
        let last = match before {
            Some(before) => get(&nodes, before).and_then(|node| node.previous),
            None => get(&nodes, parent).and_then(|node| node.last),
        };
        let last = last.and_then(|last| nodes.get_mut(last as usize));
        match last.map(|node| &mut node.data) {
            Some(Data::Text(own)) => {
                own.push_tendril(text);
                true
            }
            _ => false,
        }
    }
}

fn get(nodes: &[Node], id: Id) -> Option<&Node> {
    nodes.get(id as usize)
}

/// Makes `next` the one after `previous`, or the first.
fn link(nodes: &mut [Node], parent: Id, previous: Option<Id>, next: Option<Id>) {
    let place = match previous {
        Some(previous) => nodes.get_mut(previous as usize).map(|node| &mut node.next),
        None => nodes.get_mut(parent as usize).map(|node| &mut node.first),
    };
    if let Some(place) = place {
        *place = next;
    }
}

/// Makes `previous` the one before `next`, or the last.
fn link_back(nodes: &mut [Node], parent: Id, next: Option<Id>, previous: Option<Id>) {
    let place = match next {
        Some(next) => nodes.get_mut(next as usize).map(|node| &mut node.previous),
        None => nodes.get_mut(parent as usize).map(|node| &mut node.last),
    };
    if let Some(place) = place {
        *place = previous;
    }
}

/// Takes a node out of what it is in.
fn detach(nodes: &mut [Node], id: Id) {
    let Some(node) = nodes.get_mut(id as usize) else {
        return;
    };
    let (previous, next) = (node.previous.take(), node.next.take());
    let Some(parent) = node.parent.take() else {
        return;
    };
    link(nodes, parent, previous, next);
    link_back(nodes, parent, next, previous);
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = ();
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) {}

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle {
            id: 0,
            name: Rc::clone(&self.nameless),
        }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(
        &self,
        name: QualName,
        mut attributes: Vec<Attribute>,
        _: ElementFlags,
    ) -> Handle {
        attributes.retain(|attribute| ATTRIBUTES.contains(&&*attribute.name.local));
        attributes.shrink_to_fit();
        self.add(Data::Element(Rc::new(name), attributes))
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        self.add(Data::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        self.add(Data::Other)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.insert(parent.id, None, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        previous: &Handle,
        child: NodeOrText<Handle>,
    ) {
        let has_parent = get(&self.nodes.borrow(), element.id).is_some_and(|e| e.parent.is_some());
        match has_parent {
            true => self.append_before_sibling(element, child),
            false => self.append(previous, child),
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn pop(&self, node: &Handle) {
        let depth = get(&self.nodes.borrow(), node.id).map_or(0, |node| node.depth);
        self.depth.set(depth.saturating_sub(1));
    }

    /// What a template holds is not shown, so it goes where nothing is shown: a node that is in none.
    fn get_template_contents(&self, target: &Handle) -> Handle {
        let depth = get(&self.nodes.borrow(), target.id).map_or(0, |node| node.depth);
        let contents = self.add(Data::Other);
        if let Some(node) = self.nodes.borrow_mut().get_mut(contents.id as usize) {
            node.depth = depth.saturating_add(1);
        }
        contents
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.id == other.id
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let parent = get(&self.nodes.borrow(), sibling.id).and_then(|node| node.parent);
        if let Some(parent) = parent {
            self.insert(parent, Some(sibling.id), child);
        }
    }

    fn add_attrs_if_missing(&self, _: &Handle, _: Vec<Attribute>) {}

    fn remove_from_parent(&self, target: &Handle) {
        detach(&mut self.nodes.borrow_mut(), target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let first = || get(&self.nodes.borrow(), node.id).and_then(|node| node.first);
        while let Some(child) = first() {
            let child = Handle {
                id: child,
                name: Rc::clone(&self.nameless),
            };
            self.insert(new_parent.id, None, NodeOrText::AppendNode(child));
        }
    }
}
