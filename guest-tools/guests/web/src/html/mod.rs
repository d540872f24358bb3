//! Pages to Markdown.
//!
//! `build` reads a page as browsers do into a `tree`, `noise` says what of it nobody reads, `main_part` finds what
//! it is about, and `render` walks that part and writes it with `writer`. Nothing recurses, so no page is nested too
//! deep for the stack, and each step is bounded in memory.

mod build;
mod links;
mod listing;
mod main_part;
mod noise;
mod render;
mod table;
mod tree;
mod writer;

use http_client::address::Address;

use links::Links;
use tree::Tree;

/// Returns a page as Markdown: its title first, then its main part.
pub fn markdown(page: &str, address: &Address) -> String {
    let tree = Tree::parse(page);
    let links = Links::new(address, tree.base());
    let mut text = part(&tree, &links, noise::Strictness::Usual);
    if text.is_empty() {
        text = part(&tree, &links, noise::Strictness::Little);
    }
    let title = tree.title();
    match title.is_empty() || has_title(&text, &title) {
        true => text,
        false if text.is_empty() => format!("# {title}"),
        false => format!("# {title}\n\n{text}"),
    }
}

/// Returns the text of a piece of HTML on one line, without any markup.
pub fn plain(piece: &str) -> String {
    let tree = Tree::parse(piece);
    collapsed(&tree.text_below(tree.root()))
}

fn part(tree: &Tree, links: &Links, strictness: noise::Strictness) -> String {
    let measures = main_part::measure(tree, strictness);
    let root = main_part::find(tree, &measures);
    render::render(tree, root, links, &measures, strictness)
}

/// Tells whether the text has a main heading that the title repeats, alone or with the site's name.
fn has_title(text: &str, title: &str) -> bool {
    let heading = text.lines().find_map(|line| line.strip_prefix("# "));
    heading.is_some_and(|heading| {
        let heading = heading.replace(['*', '`'], "").to_lowercase();
        let title = title.replace(['*', '`'], "").to_lowercase();
        title.contains(heading.trim()) || heading.contains(&title)
    })
}

/// Returns text with every run of white space as one space.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
