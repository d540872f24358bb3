//! The walk through a page that writes it as Markdown.
//!
//! What must be on one line, such as a heading, a link or a table's cell, is written into a frame of its own first;
//! inside of one, blocks are only words apart.

use super::collapsed;
use super::links::Links;
use super::listing::{code, fenced, formula, language};
use super::main_part::{Measure, is_block};
use super::noise::{Strictness, is_main, is_noise};
use super::table::Table;
use super::tree::{Id, Step, Tree};
use super::writer::Writer;

/// What is written of one page, in bytes; the rest is dropped. Far more than is shown, and it keeps a page of
/// long links from filling the memory.
const WRITTEN_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most characters that blocks in a link have, for it to be shown as one.
const LINK_CHARACTERS_MAX: u32 = 500;
/// The most characters of a table; what is larger only uses one to place things.
const TABLE_CHARACTERS_MAX: u32 = 100_000;
/// The most characters of a link to a place of the same page that is only there to be clicked.
const ANCHOR_CHARACTERS_MAX: u32 = 4;

/// Returns what is in `root` as Markdown.
pub(super) fn render(
    tree: &Tree,
    root: Id,
    links: &Links,
    measures: &[Measure],
    strictness: Strictness,
) -> String {
    let mut render = Render {
        tree,
        links,
        measures,
        strictness,
        mains: 0,
        page: Writer::default(),
        frames: Vec::new(),
        tables: Vec::new(),
        lists: Vec::new(),
        written: 0,
    };
    let mut step = Some(Step::Enter(root));
    while let Some(now) = step {
        let mut skips = false;
        match now {
            Step::Enter(id) => skips = !render.enter(id),
            Step::Leave(id) => render.leave(id),
        }
        if render.written > WRITTEN_BYTES_MAX {
            break;
        }
        step = tree.after(root, now, skips);
    }
    // Frames that are left where the walk was ended early.
    while let Some(frame) = render.frames.pop() {
        render.end_frame(frame);
    }
    render.page.finish()
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Link(String),
    Strong,
    Emphasis,
    Strike,
    Code,
    Heading(usize),
    Cell,
    Caption,
    Term,
    /// A listing with its language.
    Listing(String),
}

struct Frame {
    id: Id,
    kind: Kind,
    writer: Writer,
    /// What a listing holds.
    listing: String,
}

struct Render<'a> {
    tree: &'a Tree,
    links: &'a Links,
    measures: &'a [Measure],
    strictness: Strictness,
    /// Main parts that the walk is in.
    mains: u32,
    page: Writer,
    frames: Vec<Frame>,
    /// Tables that the walk is in; none for one that is not shown as a table.
    tables: Vec<Option<Table>>,
    /// Lists that the walk is in, with the next number if they have numbers.
    lists: Vec<Option<u64>>,
    written: usize,
}

impl Render<'_> {
    /// Begins a node and tells whether its children are to be shown.
    fn enter(&mut self, id: Id) -> bool {
        if let Some(text) = self.tree.text(id) {
            self.text(text);
            return true;
        }
        if is_noise(self.tree, id, self.strictness, self.mains > 0) {
            return self.skip(id);
        }
        if self.tree.foreign_name(id) == "math"
            && let Some(formula) = formula(self.tree, id)
        {
            self.exact(&formula);
            return self.skip(id);
        }
        self.mains += u32::from(is_main(self.tree, id));
        let name = self.tree.name(id);
        match name {
            "br" => self.line_break(),
            "wbr" | "" => {}
            "img" => self.image(id),
            "hr" if self.frames.is_empty() => {
                self.page.paragraph();
                self.exact("---");
                self.page.paragraph();
            }
            "q" => self.exact("\""),
            "a" => return self.link(id),
            "b" | "strong" => self.inline(id, Kind::Strong),
            "i" | "em" | "cite" | "dfn" | "var" => self.inline(id, Kind::Emphasis),
            "s" | "del" | "strike" => self.inline(id, Kind::Strike),
            "code" | "kbd" | "samp" | "tt" => self.inline(id, Kind::Code),
            "pre" | "listing" | "xmp" if !self.in_listing() => {
                let language = language(self.tree, id);
                self.frame(id, Kind::Listing(language));
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name
                    .bytes()
                    .last()
                    .map_or(1, |digit| usize::from(digit - b'0'));
                self.frame(id, Kind::Heading(level));
            }
            name if is_block(name) => self.enter_block(id, name),
            _ => {}
        }
        true
    }

    /// Makes up for the end of a node that was not begun.
    fn skip(&mut self, id: Id) -> bool {
        self.mains += u32::from(is_main(self.tree, id));
        let name = self.tree.name(id);
        match name {
            "ul" | "ol" | "menu" | "dir" => self.lists.push(None),
            "table" => self.tables.push(None),
            "blockquote" | "li" | "dd" if self.frames.is_empty() => self.page.open("", ""),
            _ => {}
        }
        false
    }

    fn enter_block(&mut self, id: Id, name: &str) {
        if !self.frames.is_empty() {
            self.enter_block_in_frame(name);
            match name {
                "ul" | "ol" | "menu" | "dir" => self.lists.push(None),
                "table" => self.tables.push(None),
                _ => {}
            }
            return;
        }
        match name {
            "ul" | "ol" | "menu" | "dir" => {
                match self.lists.is_empty() {
                    true => self.page.paragraph(),
                    false => self.page.line(),
                }
                let start = self.tree.attribute(id, "start");
                let start = start.and_then(|start| start.trim().parse().ok());
                self.lists.push((name == "ol").then(|| start.unwrap_or(1)));
            }
            "li" => {
                self.page.line();
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => "- ".to_owned(),
                };
                self.page.open(&mark, &" ".repeat(mark.len()));
            }
            "dd" => {
                self.page.line();
                self.page.open(": ", "  ");
            }
            "dt" => {
                self.page.line();
                if !self.measure(id).has_block {
                    self.frame(id, Kind::Term);
                }
            }
            "blockquote" => {
                self.page.paragraph();
                self.page.open("> ", "> ");
            }
            "table" => {
                self.page.paragraph();
                let measure = self.measure(id);
                let is_table = !measure.has_structure && measure.text <= TABLE_CHARACTERS_MAX;
                self.tables.push(is_table.then(Table::default));
            }
            "caption" if self.in_table() => self.frame(id, Kind::Caption),
            "td" | "th" if self.in_table() => self.frame(id, Kind::Cell),
            "tr" => match self.tables.last_mut() {
                Some(Some(table)) => table.row(),
                _ => self.page.line(),
            },
            "thead" | "tbody" | "tfoot" => {}
            name if is_paragraph(name) => self.page.paragraph(),
            _ => self.page.line(),
        }
    }

    fn enter_block_in_frame(&mut self, name: &str) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        match (&frame.kind, name) {
            (Kind::Listing(_), _) => {
                if !frame.listing.is_empty() && !frame.listing.ends_with('\n') {
                    frame.listing.push('\n');
                }
            }
            (Kind::Cell, "li") => frame.writer.part(),
            _ => frame.writer.gap(),
        }
    }

    /// Ends a node.
    fn leave(&mut self, id: Id) {
        self.mains -= u32::from(is_main(self.tree, id));
        if self.frames.last().is_some_and(|frame| frame.id == id)
            && let Some(frame) = self.frames.pop()
        {
            self.end_frame(frame);
            return;
        }
        let name = self.tree.name(id);
        match name {
            "q" => self.exact("\""),
            "ul" | "ol" | "menu" | "dir" => {
                self.lists.pop();
            }
            "table" => {
                if let Some(Some(table)) = self.tables.pop() {
                    self.table(table);
                }
            }
            _ => {}
        }
        if !is_block(name) {
            return;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.writer.gap();
            return;
        }
        match name {
            "li" | "dd" => {
                self.page.line();
                self.page.close();
            }
            "blockquote" => {
                self.page.close();
                self.page.paragraph();
            }
            "ul" | "ol" | "menu" | "dir" if !self.lists.is_empty() => self.page.line(),
            "thead" | "tbody" | "tfoot" => {}
            name if is_paragraph(name) => self.page.paragraph(),
            _ => self.page.line(),
        }
    }

    fn end_frame(&mut self, frame: Frame) {
        let (leading, trailing) = frame.writer.spaces();
        let text = frame.writer.finish();
        match frame.kind {
            Kind::Listing(language) => return self.listing(&frame.listing, &language),
            Kind::Cell => {
                let span = self.tree.attribute(frame.id, "colspan");
                if let Some(Some(table)) = self.tables.last_mut() {
                    table.cell(text.trim_end_matches(';'), span);
                }
                return;
            }
            Kind::Caption => {
                if let Some(Some(table)) = self.tables.last_mut() {
                    table.caption = text;
                }
                return;
            }
            Kind::Heading(level) if self.frames.is_empty() => {
                if !text.is_empty() {
                    self.page.paragraph();
                    self.exact(&format!("{} {text}", "#".repeat(level)));
                    self.page.paragraph();
                }
                return;
            }
            _ => {}
        }
        if leading {
            self.gap();
        }
        if !text.is_empty() {
            let piece = match &frame.kind {
                Kind::Link(link) if *link == text => text,
                Kind::Link(link) => format!("[{text}]({link})"),
                Kind::Strong | Kind::Term => format!("**{text}**"),
                Kind::Emphasis => format!("*{text}*"),
                Kind::Strike => format!("~~{text}~~"),
                Kind::Code => code(&text),
                _ => text,
            };
            self.exact(&piece);
        }
        if trailing || matches!(frame.kind, Kind::Heading(_)) {
            self.gap();
        }
        if frame.kind == Kind::Term {
            self.page.line();
        }
    }

    fn listing(&mut self, text: &str, language: &str) {
        if !self.frames.is_empty() {
            let text = collapsed(text);
            if !text.is_empty() {
                self.exact(&code(&text));
            }
            return;
        }
        let lines = fenced(text, language);
        self.written += lines.iter().map(String::len).sum::<usize>();
        self.page.paragraph();
        self.page.lines(lines.iter().map(String::as_str));
        self.page.paragraph();
    }

    fn table(&mut self, mut table: Table) {
        let caption = std::mem::take(&mut table.caption);
        if !caption.is_empty() {
            self.page.paragraph();
            self.exact(&caption);
            self.page.paragraph();
        }
        let lines = table.lines();
        self.written += lines.iter().map(String::len).sum::<usize>();
        self.page.lines(lines.iter().map(String::as_str));
    }

    /// Writes text of the page.
    fn text(&mut self, text: &str) {
        self.written += text.len();
        match self.frames.last_mut() {
            Some(frame) if matches!(frame.kind, Kind::Listing(_)) => frame.listing.push_str(text),
            Some(frame) => frame.writer.flowing(text),
            None => self.page.flowing(text),
        }
    }

    /// Writes a piece of a line.
    fn exact(&mut self, piece: &str) {
        self.written += piece.len();
        match self.frames.last_mut() {
            Some(frame) if matches!(frame.kind, Kind::Listing(_)) => frame.listing.push_str(piece),
            Some(frame) => frame.writer.exact(piece),
            None => self.page.exact(piece),
        }
    }

    fn gap(&mut self) {
        match self.frames.last_mut() {
            Some(frame) => frame.writer.gap(),
            None => self.page.gap(),
        }
    }

    fn line_break(&mut self) {
        match self.frames.last_mut() {
            Some(frame) if matches!(frame.kind, Kind::Listing(_)) => frame.listing.push('\n'),
            Some(frame) => frame.writer.gap(),
            None => self.page.line(),
        }
    }

    fn image(&mut self, id: Id) {
        let alt = self.tree.attribute(id, "alt").map(collapsed);
        let Some(alt) = alt.filter(|alt| !alt.is_empty()) else {
            return;
        };
        let is_in_link = self
            .frames
            .iter()
            .any(|frame| matches!(frame.kind, Kind::Link(_)));
        let source = self.tree.attribute(id, "src");
        match source.and_then(|source| self.links.absolute(source)) {
            Some(source) if !is_in_link => self.exact(&format!("![{alt}]({source})")),
            _ => self.exact(&alt),
        }
    }

    fn link(&mut self, id: Id) -> bool {
        let Some(link) = self.tree.attribute(id, "href") else {
            return true;
        };
        let measure = self.measure(id);
        if link.starts_with('#') && measure.text <= ANCHOR_CHARACTERS_MAX {
            let text = self.tree.text_below(id);
            if matches!(text.trim(), "" | "#" | "¶" | "§" | "🔗") {
                return self.skip(id);
            }
        }
        let is_in_link = self
            .frames
            .iter()
            .any(|frame| matches!(frame.kind, Kind::Link(_)));
        let is_large = measure.has_block && measure.text > LINK_CHARACTERS_MAX;
        if !is_in_link
            && !is_large
            && let Some(link) = self.links.absolute(link)
        {
            self.inline_frame(id, Kind::Link(link));
        }
        true
    }

    /// Begins a frame for words that are marked, unless they are already, or are more than words.
    fn inline(&mut self, id: Id, kind: Kind) {
        let is_marked = self.frames.iter().any(|frame| frame.kind == kind);
        let is_heading = self.frames.iter().any(|frame| {
            matches!(frame.kind, Kind::Heading(_) | Kind::Term) && kind == Kind::Strong
        });
        if !is_marked && !is_heading && !self.measure(id).has_block {
            self.inline_frame(id, kind);
        }
    }

    fn inline_frame(&mut self, id: Id, kind: Kind) {
        let is_exact = self
            .frames
            .last()
            .is_some_and(|frame| matches!(frame.kind, Kind::Code | Kind::Listing(_)));
        if !is_exact {
            self.frame(id, kind);
        }
    }

    fn frame(&mut self, id: Id, kind: Kind) {
        self.frames.push(Frame {
            id,
            kind,
            writer: Writer::default(),
            listing: String::new(),
        });
    }

    fn in_listing(&self) -> bool {
        let mut frames = self.frames.iter();
        frames.any(|frame| matches!(frame.kind, Kind::Listing(_)))
    }

    fn in_table(&self) -> bool {
        matches!(self.tables.last(), Some(Some(_)))
    }

    fn measure(&self, id: Id) -> Measure {
        self.measures.get(id as usize).copied().unwrap_or_default()
    }
}

/// Tells whether a block is apart from others by an empty line.
fn is_paragraph(name: &str) -> bool {
    matches!(
        name,
        "p" | "article"
            | "section"
            | "main"
            | "header"
            | "footer"
            | "aside"
            | "figure"
            | "details"
            | "form"
            | "fieldset"
            | "dl"
            | "ul"
            | "ol"
            | "menu"
            | "dir"
            | "table"
            | "td"
            | "th"
            | "hgroup"
            | "address"
    )
}
