//! What of a page nobody reads: scripts, menus, buttons, what is hidden.

use super::tree::{Id, Tree};

/// How much is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// All that is usually no text.
    Usual,
    /// Only what is never text. For pages of which the usual would leave nothing.
    Little,
}

/// Tells whether an element is left out with all that is in it. `is_inside` says that it is in a part that
/// the page calls its main one.
pub(super) fn is_noise(tree: &Tree, id: Id, strictness: Strictness, is_inside: bool) -> bool {
    match tree.foreign_name(id) {
        "" => {}
        "svg" | "annotation" | "annotation-xml" => return true,
        _ => return false,
    }
    match tree.name(id) {
        "" => return false,
        "head" | "script" | "style" | "template" | "iframe" | "object" | "embed" | "canvas"
        | "video" | "audio" | "map" | "title" | "noframes" => return true,
        "noscript" | "nav" | "button" | "input" | "select" | "textarea" | "datalist" | "dialog"
        | "progress" | "meter"
            if strictness == Strictness::Usual =>
        {
            return true;
        }
        "header" | "footer" | "aside" if strictness == Strictness::Usual && !is_inside => {
            return true;
        }
        "body" | "html" | "main" => return false,
        _ => {}
    }
    strictness == Strictness::Usual && (is_hidden(tree, id) || has_role(tree, id))
}

/// Tells whether an element is one that pages put their main part in.
pub(super) fn is_main(tree: &Tree, id: Id) -> bool {
    matches!(tree.name(id), "main" | "article") || tree.attribute(id, "role") == Some("main")
}

fn is_hidden(tree: &Tree, id: Id) -> bool {
    if tree
        .attribute(id, "hidden")
        .is_some_and(|value| value != "until-found")
        || tree.attribute(id, "aria-hidden") == Some("true")
    {
        return true;
    }
    if let Some(style) = tree.attribute(id, "style") {
        let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
        let style = style.to_ascii_lowercase();
        if style.contains("display:none") || style.contains("visibility:hidden") {
            return true;
        }
    }
    let classes = tree.attribute(id, "class").unwrap_or_default();
    classes.split_ascii_whitespace().any(|class| {
        matches!(
            class,
            "sr-only" | "visually-hidden" | "screen-reader-text" | "skip-link" | "headerlink"
        )
    })
}

fn has_role(tree: &Tree, id: Id) -> bool {
    matches!(
        tree.attribute(id, "role"),
        Some("navigation" | "search" | "dialog" | "alertdialog" | "menu" | "menubar" | "toolbar")
    )
}
