//! Processes below their parents.

use process::Entry;

/// Brings processes into the order of a tree and returns what stands before their commands: lines in BSD's form,
/// blanks in the other.
pub(super) fn arrange(entries: &mut Vec<Entry>, draws_lines: bool) -> Vec<String> {
    let all = std::mem::take(entries);
    let is_listed = |pid: u32| all.iter().any(|entry| entry.pid == pid);
    let mut prefixes = Vec::with_capacity(all.len());
    let roots = all
        .iter()
        .filter(|entry| entry.parent == entry.pid || !is_listed(entry.parent));
    for root in roots {
        // The process, what stands before it, and before those below it.
        let mut pending = vec![(root, String::new(), String::new())];
        while let Some((entry, prefix, below)) = pending.pop() {
            let children: Vec<&Entry> = all
                .iter()
                .filter(|child| child.parent == entry.pid && child.pid != entry.pid)
                .collect();
            for (nth, child) in children.iter().enumerate().rev() {
                let (branch, beside) = match (draws_lines, nth + 1 == children.len()) {
                    (false, _) => ("  ", "  "),
                    (true, true) => (" \\_ ", "    "),
                    (true, false) => (" \\_ ", " |  "),
                };
                pending.push((
                    child,
                    format!("{below}{branch}"),
                    format!("{below}{beside}"),
                ));
            }
            entries.push(entry.clone());
            prefixes.push(prefix);
        }
    }
    prefixes
}
