//! How much text is where, and which part of a page it is about.

use super::noise::{Strictness, is_main, is_noise};
use super::tree::{Id, Step, Tree};

/// What is known of a node and all in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measure {
    /// Characters of text, white space aside.
    pub(super) text: u32,
    /// Has elements that start a line of their own.
    pub(super) has_block: bool,
    /// Has headings, listings or tables, which a table's cell cannot show.
    pub(super) has_structure: bool,
}

/// Returns what each node measures, by number. What is left out measures nothing.
pub(super) fn measure(tree: &Tree, strictness: Strictness) -> Vec<Measure> {
    let mut measures = vec![Measure::default(); tree.len()];
    let mut mains = 0u32;
    let root = tree.root();
    let mut step = Some(Step::Enter(root));
    while let Some(now) = step {
        let mut skips = false;
        match now {
            Step::Enter(id) => {
                skips = is_noise(tree, id, strictness, mains > 0);
                // The walk leaves every node that it enters.
                mains += u32::from(is_main(tree, id));
                if let Some(text) = tree.text(id)
                    && let Some(own) = measures.get_mut(id as usize)
                {
                    let text = text.chars().filter(|c| !c.is_whitespace()).count();
                    own.text = u32::try_from(text).unwrap_or(u32::MAX);
                }
            }
            Step::Leave(id) => {
                mains -= u32::from(is_main(tree, id));
                let own = measures.get(id as usize).copied().unwrap_or_default();
                let name = tree.name(id);
                if let Some(parent) = tree.parent(id)
                    && let Some(parent) = measures.get_mut(parent as usize)
                {
                    parent.text = parent.text.saturating_add(own.text);
                    parent.has_block |= own.has_block || is_block(name);
                    parent.has_structure |= own.has_structure || is_structure(name);
                }
            }
        }
        step = tree.after(root, now, skips);
    }
    measures
}

/// Returns the part that the page calls its main one, if at least half of the text is there, or else all of it. Of
/// several that are apart, none is the main one unless the others are small beside it, as comments are.
pub(super) fn find(tree: &Tree, measures: &[Measure]) -> Id {
    let text = |id: Id| measures.get(id as usize).map_or(0, |measure| measure.text);
    let root = tree.root();
    let ids = 0..Id::try_from(tree.len()).unwrap_or(Id::MAX);
    let mains: Vec<Id> = ids.filter(|id| is_main(tree, *id)).collect();
    let largest = mains
        .iter()
        .copied()
        .max_by_key(|id| (text(*id), std::cmp::Reverse(*id)));
    let Some(largest) = largest.filter(|id| text(*id) > 0 && text(*id) >= text(root) / 2) else {
        return root;
    };
    let is_in = |id: Id, outer: Id| {
        let mut parents = std::iter::successors(Some(id), |id| tree.parent(*id));
        parents.any(|parent| parent == outer)
    };
    let mut others = mains
        .into_iter()
        .filter(|id| text(*id) > text(largest) / 5 && !is_in(*id, largest) && !is_in(largest, *id));
    match others.next() {
        Some(_) => root,
        None => largest,
    }
}

/// Tells whether an element starts a line of its own.
pub(super) fn is_block(name: &str) -> bool {
    is_structure(name)
        || matches!(
            name,
            "address"
                | "article"
                | "aside"
                | "blockquote"
                | "body"
                | "caption"
                | "center"
                | "dd"
                | "details"
                | "dialog"
                | "dir"
                | "div"
                | "dl"
                | "dt"
                | "fieldset"
                | "figcaption"
                | "figure"
                | "footer"
                | "form"
                | "header"
                | "hgroup"
                | "html"
                | "legend"
                | "li"
                | "main"
                | "menu"
                | "nav"
                | "noscript"
                | "ol"
                | "optgroup"
                | "option"
                | "p"
                | "search"
                | "section"
                | "summary"
                | "tbody"
                | "td"
                | "tfoot"
                | "th"
                | "thead"
                | "tr"
                | "ul"
        )
}

fn is_structure(name: &str) -> bool {
    matches!(
        name,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "pre" | "table" | "hr" | "listing" | "xmp"
    )
}
