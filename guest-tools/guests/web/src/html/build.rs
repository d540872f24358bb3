//! The making of a tree, by the rules of the HTML standard.
//!
//! Two things are bounded that the standard leaves open: how deep elements nest, because the rules look through all
//! open elements again and again, and how many nodes there are, because some pages of a few bytes make millions.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, ExpandedName, LocalName, Namespace, QualName, TokenizerResult};

use super::tree::{Data, Id, Node};

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

/// Returns the nodes of a page, the page itself first.
pub(super) fn nodes(page: &str) -> Vec<Node> {
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
    tokenizer.sink.builder.sink.nodes.into_inner()
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
