//! Tables: from lines to cells, and how wide the columns are.

use super::options::Settings;
use super::{print, tree, width};

/// A column of the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) name: Option<String>,
    pub(super) width: usize,
    pub(super) is_right: bool,
    pub(super) is_hidden: bool,
    pub(super) is_truncated: bool,
    pub(super) is_wrapped: bool,
    is_extreme: bool,
}

/// A line: the cells that it has, and what a tree draws before one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) art: String,
    /// What the art becomes for further lines of the same cell.
    pub(super) art_below: String,
}

impl Row {
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// Returns the table as text; the error is the message.
pub(super) fn make(settings: &Settings, lines: &[String]) -> Result<String, String> {
    let mut rows: Vec<Row> = Vec::with_capacity(lines.len());
    let known = settings.names.as_ref().map_or(0, Vec::len);
    let mut count = known;
    for line in lines {
        let cells = split(settings, line);
        count = count.max(cells.len());
        if settings.is_json && cells.len() > known {
            return Err(format!(
                "line {}: for JSON the name of the column {} is required",
                rows.len() + 2,
                known + 1
            ));
        }
        rows.push(Row {
            cells,
            ..Row::default()
        });
    }
    if rows.is_empty() {
        return Ok(String::new());
    }
    let mut columns = vec![Column::default(); count];
    if let Some(names) = &settings.names {
        for (column, name) in columns.iter_mut().zip(names) {
            column.name = Some(name.clone());
        }
    }
    apply(&mut columns, &settings.right, |column| {
        column.is_right = true
    })?;
    apply(&mut columns, &settings.truncated, |column| {
        column.is_truncated = true;
    })?;
    apply(&mut columns, &settings.wrapped, |column| {
        column.is_wrapped = true;
    })?;
    apply(&mut columns, &settings.extreme, |column| {
        column.is_extreme = true;
    })?;
    apply(&mut columns, &settings.hidden, |column| {
        column.is_hidden = true;
    })?;
    let tree = match (&settings.tree, &settings.tree_id, &settings.tree_parent) {
        (Some(shown), Some(id), Some(parent)) => {
            let find = |name: &str| {
                find(&columns, name)?.ok_or_else(|| format!("undefined column name '{name}'"))
            };
            let shown = find(shown)?;
            rows = tree::arrange(rows, find(id)?, find(parent)?);
            Some(shown)
        }
        _ => None,
    };
    let order = order(&columns, &settings.order)?;
    let shown: Vec<usize> = order
        .into_iter()
        .filter(|place| columns.get(*place).is_some_and(|column| !column.is_hidden))
        .collect();
    if settings.is_json {
        return Ok(print::json(settings, &columns, &shown, &rows));
    }
    measure(settings, &mut columns, &shown, &rows, tree);
    Ok(print::table(settings, &columns, &shown, &rows, tree))
}

fn split(settings: &Settings, line: &str) -> Vec<String> {
    let limit = settings.limit.unwrap_or(usize::MAX);
    let mut cells = Vec::new();
    let mut rest = line;
    match &settings.separators {
        None => loop {
            let is_blank = |letter: char| letter == ' ' || letter == '\t';
            // Only the rest of the line keeps the blanks before it.
            let trimmed = rest.trim_start_matches(is_blank);
            if trimmed.is_empty() {
                return cells;
            }
            if cells.len() + 1 == limit {
                cells.push(rest.to_owned());
                return cells;
            }
            let end = trimmed.find(is_blank).unwrap_or(trimmed.len());
            let (cell, behind) = trimmed.split_at_checked(end).unwrap_or((trimmed, ""));
            cells.push(cell.to_owned());
            rest = behind.get(1..).unwrap_or("");
        },
        Some(separators) => {
            if line.is_empty() {
                return cells;
            }
            loop {
                let end = rest.find(|letter| separators.contains(letter));
                match end.and_then(|end| rest.split_at_checked(end)) {
                    Some((cell, behind)) if cells.len() + 1 < limit => {
                        cells.push(cell.to_owned());
                        let mut behind = behind.chars();
                        behind.next();
                        rest = behind.as_str();
                    }
                    _ => {
                        cells.push(rest.to_owned());
                        return cells;
                    }
                }
            }
        }
    }
}

/// Returns the column that a number or a name stands for; none for a number that no column has.
fn find(columns: &[Column], name: &str) -> Result<Option<usize>, String> {
    if let Some(place) = columns
        .iter()
        .position(|column| column.name.as_deref() == Some(name))
    {
        return Ok(Some(place));
    }
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = name.parse::<usize>().unwrap_or(usize::MAX);
        return Ok(number.checked_sub(1).filter(|place| *place < columns.len()));
    }
    Err(format!("undefined column name '{name}'"))
}

fn apply(
    columns: &mut [Column],
    names: &[String],
    action: impl Fn(&mut Column),
) -> Result<(), String> {
    for name in names {
        if name == "-" {
            // The columns without names.
            columns
                .iter_mut()
                .filter(|column| column.name.is_none())
                .for_each(&action);
        } else if name == "0" {
            columns.iter_mut().for_each(&action);
        } else if let Some(column) = find(columns, name)?.and_then(|place| columns.get_mut(place)) {
            action(column);
        }
    }
    Ok(())
}

fn order(columns: &[Column], names: &[String]) -> Result<Vec<usize>, String> {
    let mut order = Vec::with_capacity(columns.len());
    for name in names {
        if let Some(place) = find(columns, name)?
            && !order.contains(&place)
        {
            order.push(place);
        }
    }
    for place in 0..columns.len() {
        if !order.contains(&place) {
            order.push(place);
        }
    }
    Ok(order)
}

fn measure(
    settings: &Settings,
    columns: &mut [Column],
    shown: &[usize],
    rows: &[Row],
    tree: Option<usize>,
) {
    let between = width(&settings.between);
    let mut minima = vec![1; columns.len()];
    let mut maxima = vec![0; columns.len()];
    let mut whole = between * shown.len().saturating_sub(1);
    for place in shown {
        let Some(column) = columns.get_mut(*place) else {
            continue;
        };
        let art = |row: &Row| {
            if tree == Some(*place) {
                width(&row.art)
            } else {
                0
            }
        };
        let cells = rows.iter().map(|row| width(row.cell(*place)) + art(row));
        let header = column
            .name
            .as_deref()
            .filter(|_| settings.has_headings)
            .map_or(0, width);
        let longest = cells.clone().max().unwrap_or(0);
        column.width = longest.max(header);
        whole += column.width;
        if let (Some(least), Some(most)) = (minima.get_mut(*place), maxima.get_mut(*place)) {
            *least = header.max(1);
            *most = column.width;
        }
    }
    let is_too_wide = whole > settings.width;
    for place in shown {
        let Some(column) = columns.get_mut(*place).filter(|column| column.is_extreme) else {
            continue;
        };
        let cells = rows.iter().map(|row| width(row.cell(*place)));
        let filled = cells.clone().filter(|width| *width > 0).count();
        let average = cells.clone().sum::<usize>() / filled.max(1);
        let most = maxima.get(*place).copied().unwrap_or(0);
        column.is_extreme = is_too_wide && average > 0 && most > average * 2;
        if column.is_extreme {
            let usual = cells.filter(|width| *width <= average * 2).max();
            let least = minima.get(*place).copied().unwrap_or(1);
            column.width = usual.unwrap_or(0).max(least);
            whole -= most - column.width;
        }
    }
    // What is left over goes to them: to those that become whole first.
    for is_whole in [true, false] {
        for place in shown {
            if let (Some(column), Some(most)) = (columns.get_mut(*place), maxima.get(*place))
                && column.is_extreme
                && let Some(rest) = settings.width.checked_sub(whole)
                && (!is_whole || most - column.width <= rest)
            {
                let more = rest.min(most - column.width);
                column.width += more;
                whole += more;
            }
        }
    }
    while whole > settings.width {
        let before = whole;
        for place in shown {
            if let (Some(column), Some(least)) = (columns.get_mut(*place), minima.get(*place))
                && (column.is_truncated || column.is_wrapped)
                && column.width > *least
                && whole > settings.width
            {
                column.width -= 1;
                whole -= 1;
            }
        }
        if before == whole {
            break;
        }
    }
}
