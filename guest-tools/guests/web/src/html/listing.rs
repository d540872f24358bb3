//! Code and formulas.

use super::collapsed;
use super::tree::{Id, Step, Tree};

/// The longest formula that is shown as such, in bytes.
const FORMULA_BYTES_MAX: usize = 4_000;

/// Returns a listing as a fenced block, line by line; none if it is empty.
pub(super) fn fenced(text: &str, language: &str) -> Vec<String> {
    let text = text.trim_end().trim_start_matches(['\n', '\r']);
    if text.is_empty() {
        return Vec::new();
    }
    let fence = "`".repeat(longest_ticks(text).saturating_add(1).max(3));
    let lines = text
        .lines()
        .map(|line| line.trim_end_matches('\r').to_owned());
    std::iter::once(format!("{fence}{language}"))
        .chain(lines)
        .chain([fence.clone()])
        .collect()
}

/// Returns words as code.
pub(super) fn code(text: &str) -> String {
    let ticks = "`".repeat(match longest_ticks(text) {
        0 => 1,
        longest => longest + 1,
    });
    match text.starts_with('`') || text.ends_with('`') {
        true => format!("{ticks} {text} {ticks}"),
        false => format!("{ticks}{text}{ticks}"),
    }
}

/// Returns how many backticks follow each other at most.
fn longest_ticks(text: &str) -> usize {
    let runs = text.split(|c| c != '`');
    runs.map(str::len).max().unwrap_or(0)
}

/// Returns a listing's language, which pages name in a class.
pub(super) fn language(tree: &Tree, id: Id) -> String {
    let own = std::iter::once(id)
        .chain(tree.children(id).take(3))
        .chain(tree.parent(id));
    let classes = own.filter_map(|id| tree.attribute(id, "class"));
    let mut names = classes
        .flat_map(str::split_ascii_whitespace)
        .filter_map(|class| {
            ["language-", "lang-", "highlight-source-", "brush:"]
                .iter()
                .find_map(|prefix| class.strip_prefix(prefix))
        });
    let is_name = |name: &&str| {
        (1..=30).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-#_.".contains(&byte))
    };
    names.find(is_name).unwrap_or_default().to_owned()
}

/// Returns a formula as it was written in TeX, if the page says so.
pub(super) fn formula(tree: &Tree, id: Id) -> Option<String> {
    let mut step = Some(Step::Enter(id));
    let mut found = None;
    while let (Some(now), None) = (step, &found) {
        if let Step::Enter(node) = now
            && tree.foreign_name(node) == "annotation"
            && tree.attribute(node, "encoding") == Some("application/x-tex")
        {
            found = Some(collapsed(&tree.text_below(node)));
        }
        step = tree.after(id, now, false);
    }
    let text = found.or_else(|| tree.attribute(id, "alttext").map(collapsed))?;
    let is_shown = !text.is_empty() && text.len() <= FORMULA_BYTES_MAX;
    is_shown.then(|| format!("${text}$"))
}
