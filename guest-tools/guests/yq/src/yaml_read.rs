//! Reads YAML into trees.
//!
//! The syntax is the parser crate's; here its events become nodes, each with its place in the text, and `comments`
//! gives every comment to the node that it belongs to.

use std::rc::Rc;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput, StructureStyle, Tag};

use crate::comments::{self, Comment, Place};
use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Origin, Style, Tree};
use crate::scalar;

/// Documents of one text, one after the other.
pub struct Reader<'t> {
    text: &'t str,
    events: Parser<'t, StrInput<'t>>,
    origin: Rc<Origin>,
    document: usize,
    /// Lines of the file above the text.
    skipped_lines: usize,
    leading: Option<String>,
    /// Comments before the next document.
    waiting: Vec<Comment>,
    has_ended: bool,
}

/// What is being built.
#[derive(Default)]
struct Build {
    open: Vec<(Id, Option<Id>)>,
    root: Option<Id>,
    places: Vec<Place>,
    comments: Vec<Comment>,
    last: Option<Id>,
    /// Where the last node ends, in bytes.
    root_end: Option<usize>,
}

fn options() -> Options {
    let mut options = Options::default();
    options.emit_anchor_events = true;
    options.emit_unresolved_aliases = true;
    options.block_scalar_eof_without_line_feed = true;
    options
}

impl<'t> Reader<'t> {
    /// Reads `text`, the documents of which count from `document`.
    pub fn new(text: &'t str, origin: &Rc<Origin>, document: usize) -> Self {
        let (leading, text) = split_leading(text.strip_prefix('\u{feff}').unwrap_or(text));
        Self {
            text,
            events: Parser::new_from_str_with_options(text, options()),
            origin: Rc::clone(origin),
            document,
            skipped_lines: leading.matches('\n').count(),
            leading: Some(leading.to_owned()),
            waiting: Vec::new(),
            has_ended: false,
        }
    }

    fn fault(&self, error: &granit_parser::ScanError) -> Mistake {
        let line = error.marker().line() + self.skipped_lines;
        Mistake::new(format!("yaml: line {line}: {}", error.info()))
    }

    /// Returns the next document.
    pub fn next(&mut self, tree: &mut Tree) -> Outcome<Option<Id>> {
        let mut build = Build {
            comments: std::mem::take(&mut self.waiting),
            ..Build::default()
        };
        let mut is_within = false;
        while !self.has_ended {
            let Some(event) = self.events.next_event() else {
                break;
            };
            let (event, span) = event.map_err(|error| self.fault(&error))?;
            match event {
                Event::DocumentStart(..) => is_within = true,
                Event::DocumentEnd => {
                    self.read_on(&mut build, span)?;
                    let root = self.finish(tree, build);
                    return Ok(Some(root));
                }
                Event::StreamEnd => self.has_ended = true,
                event => self.take(tree, &mut build, &event, span)?,
            }
        }
        let leading = self.leading.take();
        if is_within || leading.as_ref().is_none_or(String::is_empty) && build.comments.is_empty() {
            return Ok(None);
        }
        // A file of nothing but comments.
        let root = tree.scalar("!!null", "");
        tree[root].leading = leading.unwrap_or_default();
        tree[root].document = self.document;
        tree[root].origin = Rc::clone(&self.origin);
        self.document += 1;
        Ok(Some(root))
    }

    /// Comments behind the last node come as events of their own after the end of the document.
    fn read_on(&mut self, build: &mut Build, _end: Span) -> Outcome<()> {
        while let Some(Ok((Event::Comment(..), _))) = self.events.peek() {
            let Some(next) = self.events.next_event() else {
                break;
            };
            let (event, span) = next.map_err(|error| self.fault(&error))?;
            if let Event::Comment(..) = event {
                let comment = Comment::new(self.text, span);
                let from = build.root_end.unwrap_or_default();
                let is_next = self
                    .text
                    .get(from..comment.start)
                    .is_some_and(|between| between.lines().any(|line| line.starts_with("---")));
                if is_next {
                    self.waiting.push(comment);
                } else {
                    build.comments.push(comment);
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, tree: &mut Tree, build: Build) -> Id {
        let root = build.root.unwrap_or_else(|| tree.scalar("!!null", ""));
        comments::attach(tree, root, self.text, &build.places, &build.comments);
        tree[root].leading = self.leading.take().unwrap_or_default();
        self.document += 1;
        root
    }

    fn take(
        &self,
        tree: &mut Tree,
        build: &mut Build,
        event: &Event<'_>,
        span: Span,
    ) -> Outcome<()> {
        let (id, tag) = match event {
            Event::Comment(..) => {
                build.comments.push(Comment::new(self.text, span));
                return Ok(());
            }
            Event::Anchor(_, name) => {
                if let Some(id) = build.last {
                    tree[id].anchor = name.to_string();
                }
                return Ok(());
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((id, _)) = build.open.pop() {
                    let is_flow = tree[id].style == Style::Flow;
                    if let Some(place) = build.places.iter_mut().rfind(|place| place.id == id) {
                        place.close(span, is_flow);
                        build.root_end = Some(place.end);
                    }
                }
                return Ok(());
            }
            Event::Alias(_) => {
                let name = span.slice(self.text).unwrap_or_default();
                (tree.alias(name.trim_start_matches('*')), None)
            }
            Event::UnresolvedAlias(name) => {
                return Err(Mistake::new(format!(
                    "yaml: unknown anchor '{name}' referenced"
                )));
            }
            Event::Scalar(text, style, _, tag) => {
                // The parser gives `~` for what is not there.
                let is_missing = *style == ScalarStyle::Plain
                    && span.slice(self.text) != Some("~")
                    && *text == "~";
                let text = if is_missing { "" } else { text };
                let own = if *style == ScalarStyle::Plain {
                    scalar::tag_of(text)
                } else {
                    "!!str"
                };
                let id = tree.scalar(own, text);
                tree[id].style = match style {
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                    _ => Style::Plain,
                };
                (id, tag.as_deref())
            }
            Event::SequenceStart(style, _, tag) => {
                (collection(tree, *style, false), tag.as_deref())
            }
            Event::MappingStart(style, _, tag) => (collection(tree, *style, true), tag.as_deref()),
            _ => return Ok(()),
        };
        if let Some(tag) = tag {
            let name = tag_name(tag);
            tree[id].is_tagged = true;
            tree[id].tag = name;
        }
        let node = &mut tree[id];
        node.line = span.start.line() + self.skipped_lines;
        node.column = span.start.col() + 1;
        node.document = self.document;
        node.origin = Rc::clone(&self.origin);
        let is_block = matches!(node.style, Style::Literal | Style::Folded)
            || matches!(node.kind, Kind::Map | Kind::Seq) && node.style != Style::Flow;
        let place = Place::new(id, span, is_block);
        build.root_end = Some(place.end);
        build.places.push(place);
        build.last = Some(id);
        insert(tree, build, id);
        if matches!(tree[id].kind, Kind::Map | Kind::Seq) {
            build.open.push((id, None));
        }
        Ok(())
    }
}

fn insert(tree: &mut Tree, build: &mut Build, id: Id) {
    let Some((parent, key)) = build.open.last_mut() else {
        build.root.get_or_insert(id);
        return;
    };
    let parent = *parent;
    if tree[parent].kind == Kind::Seq {
        tree.push(parent, id);
        return;
    }
    match key.take() {
        None => {
            tree[id].is_key = true;
            tree[id].parent = Some(parent);
            *key = Some(id);
        }
        Some(own) => tree.put(parent, own, id),
    }
}

fn collection(tree: &mut Tree, style: StructureStyle, is_map: bool) -> Id {
    let id = if is_map { tree.map() } else { tree.seq() };
    if style == StructureStyle::Flow {
        tree[id].style = Style::Flow;
    }
    id
}

/// Returns a tag as files write it.
fn tag_name(tag: &Tag) -> String {
    match tag.handle() {
        "tag:yaml.org,2002:" => format!("!!{}", tag.suffix()),
        _ => tag.original(),
    }
}

/// Splits off what stands before the first line of content: comments, empty lines, a directive, `---`.
fn split_leading(text: &str) -> (&str, &str) {
    let mut rest = text;
    loop {
        let line = rest.split_inclusive('\n').next().unwrap_or_default();
        let content = line.trim_end_matches(['\n', '\r']);
        let is_leading = content.trim_start().starts_with('#')
            || content == "---"
            || content.starts_with("%YA")
            || content.is_empty();
        if line.is_empty() || !is_leading {
            // `--- ` with content behind it on the line.
            if let Some(content) = rest.strip_prefix("--- ") {
                rest = content;
            }
            break;
        }
        rest = rest.get(line.len()..).unwrap_or_default();
    }
    text.split_at(text.len() - rest.len())
}
