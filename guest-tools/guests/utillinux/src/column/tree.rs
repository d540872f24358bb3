//! Rows as a tree: every row behind its parent, with lines that lead to it.

use std::collections::HashMap;

use super::table::Row;

/// Brings rows into the order of the tree and draws it. Rows that are in a ring of parents come last, as roots.
pub(super) fn arrange(rows: Vec<Row>, id: usize, parent: usize) -> Vec<Row> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        known.entry(row.cell(id)).or_insert(place);
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
    let mut roots = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        match known.get(row.cell(parent)) {
            Some(above) if *above != place => {
                if let Some(list) = children.get_mut(*above) {
                    list.push(place);
                }
            }
            _ => roots.push(place),
        }
    }
    let mut arranged = Vec::with_capacity(rows.len());
    let mut is_done = vec![false; rows.len()];
    let every = roots.into_iter().chain(0..rows.len());
    for root in every {
        // Place, art before it, art before what is below it.
        let mut pending = vec![(root, String::new(), String::new())];
        while let Some((place, art, below)) = pending.pop() {
            let (Some(row), Some(is_done)) = (rows.get(place), is_done.get_mut(place)) else {
                continue;
            };
            if std::mem::replace(is_done, true) {
                continue;
            }
            let list = children.get(place).map_or(&[][..], Vec::as_slice);
            for (nth, child) in list.iter().enumerate().rev() {
                let (branch, beside) = if nth + 1 == list.len() {
                    ("└─", "  ")
                } else {
                    ("├─", "│ ")
                };
                pending.push((
                    *child,
                    format!("{below}{branch}"),
                    format!("{below}{beside}"),
                ));
            }
            arranged.push(Row {
                cells: row.cells.clone(),
                art,
                art_below: below,
            });
        }
    }
    arranged
}
