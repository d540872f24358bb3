//! Gives comments to nodes: above an entry, behind it on its line, or below it.
//!
//! Lines above an entry are its head. Lines right below one are its foot if an empty line follows, or if they are
//! indented as it is and the next entry is not. What is behind `key:` belongs to the key.

use std::collections::HashMap;

use granit_parser::Span;

use crate::node::{Id, Kind, Style, Tree};

/// A comment.
#[derive(Debug)]
pub struct Comment {
    pub start: usize,
    line: usize,
    column: usize,
    text: String,
    is_alone: bool,
}

impl Comment {
    /// Returns the comment at `span`.
    pub fn new(source: &str, span: Span) -> Self {
        let start = span.start.byte_offset().unwrap_or_default();
        let before = source.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |place| place + 1);
        Self {
            start,
            line: span.start.line(),
            column: span.start.col(),
            text: span.slice(source).unwrap_or_default().trim_end().to_owned(),
            is_alone: before
                .get(line_start..)
                .is_some_and(|text| text.trim().is_empty()),
        }
    }
}

/// Where a node stands.
#[derive(Debug)]
pub struct Place {
    pub id: Id,
    start: usize,
    pub end: usize,
    line: usize,
    end_line: usize,
    column: usize,
    /// Its end is not on the line of its last character.
    is_block: bool,
}

impl Place {
    /// Returns the place of a node whose event has this span.
    pub fn new(id: Id, span: Span, is_block: bool) -> Self {
        Self {
            id,
            start: span.start.byte_offset().unwrap_or_default(),
            end: span.end.byte_offset().unwrap_or_default(),
            line: span.start.line(),
            end_line: span.end.line(),
            column: span.start.col(),
            is_block,
        }
    }

    /// Returns from where on a comment on the line can belong to it.
    fn reach(&self) -> usize {
        if self.is_block { self.start } else { self.end }
    }

    /// Takes the end of a collection.
    pub fn close(&mut self, span: Span, is_flow: bool) {
        if is_flow {
            self.end = span.end.byte_offset().unwrap_or_default();
            self.end_line = span.end.line();
        }
    }
}

/// A key, or an item of a sequence: what comments above and below belong to.
struct Entry {
    id: Id,
    start: usize,
    column: usize,
    /// The entry that it is within.
    outer: Option<usize>,
}

impl Entry {
    fn new(place: &Place, column: usize, outer: Option<usize>) -> Self {
        Self {
            id: place.id,
            start: place.start,
            column,
            outer,
        }
    }
}

/// One document with its comments.
struct Document<'t> {
    source: &'t str,
    lines: Vec<&'t str>,
    /// In the order of the text.
    entries: Vec<Entry>,
    places: &'t [Place],
    /// Places that a comment on a line can stand behind.
    by_line: HashMap<usize, Vec<usize>>,
}

/// Attaches the comments of one document.
pub fn attach(tree: &mut Tree, root: Id, source: &str, places: &[Place], comments: &[Comment]) {
    if comments.is_empty() {
        return;
    }
    let document = Document::new(tree, source, places);
    let mut head = String::new();
    let mut comments = comments.iter().peekable();
    while let Some(comment) = comments.next() {
        if !comment.is_alone {
            document.attach_behind(tree, comment);
            continue;
        }
        let mut text = comment.text.clone();
        let mut end = comment.line;
        while let Some(next) = comments
            .next_if(|next| next.is_alone && next.line == end + 1 && next.column == comment.column)
        {
            text.push('\n');
            text.push_str(&next.text);
            end = next.line;
        }
        let place = document
            .entries
            .partition_point(|entry| entry.start < comment.start);
        let next = document.entries.get(place);
        let last = place
            .checked_sub(1)
            .and_then(|place| document.entries.get(place));
        let is_adjacent = document.is_content(comment.line - 1);
        let is_last = document.is_empty_line(end + 1);
        match (last, next) {
            (Some(last), None) if is_adjacent => {
                let id = document.level(last, comment.column);
                add(&mut tree[id].foot, &text, 1);
            }
            (_, None) => add(&mut tree[root].foot, &text, 2),
            (Some(last), Some(next))
                if is_adjacent && is_last
                    || next.column < comment.column && last.column >= comment.column =>
            {
                let id = document.level(last, comment.column);
                add(&mut tree[id].foot, &text, 1);
            }
            (_, Some(next)) => {
                add(&mut head, &text, 1);
                if is_last {
                    head.push('\n');
                }
                let is_ready = comments
                    .peek()
                    .is_none_or(|comment| !comment.is_alone || comment.start > next.start);
                if is_ready {
                    tree[next.id].head = std::mem::take(&mut head);
                }
            }
        }
    }
}

fn add(comment: &mut String, text: &str, breaks: usize) {
    if !comment.is_empty() {
        comment.extend(std::iter::repeat_n('\n', breaks));
    }
    comment.push_str(text);
}

impl<'t> Document<'t> {
    fn new(tree: &Tree, source: &'t str, places: &'t [Place]) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut columns = HashMap::new();
        let mut numbers = HashMap::new();
        let mut by_line: HashMap<usize, Vec<usize>> = HashMap::new();
        for (number, place) in places.iter().enumerate() {
            let node = &tree[place.id];
            columns.insert(place.id, place.column);
            let is_collection = matches!(node.kind, Kind::Map | Kind::Seq);
            if !place.is_block {
                by_line.entry(place.end_line).or_default().push(number);
            } else if !is_collection {
                by_line.entry(place.line).or_default().push(number);
            }
            let Some(parent) = node.parent else {
                if !is_collection {
                    numbers.insert(place.id, entries.len());
                    entries.push(Entry::new(place, place.column, None));
                }
                continue;
            };
            let is_item = tree[parent].kind == Kind::Seq;
            if is_item || node.is_key {
                let is_block = is_item && tree[parent].style != Style::Flow;
                let column = columns.get(&parent).filter(|_| is_block);
                // The entry in which the parent is the value, or which the parent itself is.
                let holder = tree[parent].key.unwrap_or(parent);
                let outer = numbers.get(&holder).copied();
                numbers.insert(place.id, entries.len());
                let column = column.copied().unwrap_or(place.column);
                entries.push(Entry::new(place, column, outer));
            }
        }
        Self {
            source,
            lines: source.split('\n').collect(),
            entries,
            places,
            by_line,
        }
    }

    fn line(&self, number: usize) -> &str {
        let place = number.checked_sub(1);
        place
            .and_then(|place| self.lines.get(place))
            .map_or("", |line| line.trim())
    }

    fn is_empty_line(&self, number: usize) -> bool {
        self.line(number).is_empty()
    }

    fn is_content(&self, number: usize) -> bool {
        let line = self.line(number);
        !line.is_empty() && !line.starts_with('#') && line != "---"
    }

    /// Returns the entry around `entry` that a comment in `column` goes with.
    fn level(&self, entry: &Entry, column: usize) -> Id {
        let mut entry = entry;
        while entry.column > column {
            match entry.outer.and_then(|outer| self.entries.get(outer)) {
                Some(outer) => entry = outer,
                None => break,
            }
        }
        entry.id
    }

    /// A comment behind something on its line.
    fn attach_behind(&self, tree: &mut Tree, comment: &Comment) {
        let on_line = self
            .by_line
            .get(&comment.line)
            .into_iter()
            .flatten()
            .filter_map(|number| self.places.get(*number))
            .filter(|place| place.reach() <= comment.start)
            .max_by_key(|place| place.reach());
        let Some(place) = on_line else {
            // Behind a lone `-`: it stands before what follows.
            let next = self
                .entries
                .iter()
                .find(|entry| entry.start > comment.start);
            if let Some(entry) = next {
                add(&mut tree[entry.id].head, &comment.text, 1);
            }
            return;
        };
        // An empty value stands where its key ends.
        let between = self.source.get(place.start..comment.start);
        let is_empty = between.is_some_and(|text| text.trim_matches([':', ' ', '\t']).is_empty());
        let id = match tree[place.id].key {
            Some(key) if is_empty => key,
            _ => place.id,
        };
        add(&mut tree[id].line_comment, &comment.text, 1);
    }
}
