//! Switches and values that commands set.

use std::time::Duration;

use super::{Outcome, misused, switch};
use crate::shell::{Explain, QueryPlan, Shell};

/// Takes a setting that changes nothing here.
pub(super) fn ignored(_shell: &mut Shell, _words: &[String]) -> Outcome {
    Outcome::Done
}

pub(super) fn bail(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else {
        return misused(shell, ".bail on|off");
    };
    shell.bails = switch(shell, word);
    Outcome::Done
}

pub(super) fn changes(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else {
        return misused(shell, ".changes on|off");
    };
    shell.counts_changes = switch(shell, word);
    Outcome::Done
}

pub(super) fn echo(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else {
        return misused(shell, ".echo on|off");
    };
    shell.echoes = switch(shell, word);
    Outcome::Done
}

pub(super) fn timer(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else {
        return misused(shell, ".timer on|off");
    };
    shell.has_timer = switch(shell, word);
    Outcome::Done
}

pub(super) fn headers(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else {
        return misused(shell, ".headers on|off");
    };
    shell.view.has_header = switch(shell, word);
    shell.view.is_header_set = true;
    Outcome::Done
}

pub(super) fn query_plan(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else {
        return misused(shell, ".eqp off|on|trace|trigger|full");
    };
    shell.query_plan = match word.as_str() {
        "full" => QueryPlan::Full,
        "trigger" | "trace" => QueryPlan::On,
        word if switch(shell, word) => QueryPlan::On,
        _ => QueryPlan::Off,
    };
    Outcome::Done
}

pub(super) fn explain(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.explain = match words.first().map(String::as_str) {
        Some("auto") => Explain::Auto,
        Some(word) if !switch(shell, word) => Explain::Off,
        _ => Explain::On,
    };
    Outcome::Done
}

pub(super) fn null(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else {
        return misused(shell, ".nullvalue STRING");
    };
    shell.view.null = word.as_bytes().to_vec();
    Outcome::Done
}

pub(super) fn separator(shell: &mut Shell, words: &[String]) -> Outcome {
    let (column, row) = match words {
        [column] => (column, None),
        [column, row] => (column, Some(row)),
        _ => return misused(shell, ".separator COL ?ROW?"),
    };
    shell.view.column_separator = column.as_bytes().to_vec();
    if let Some(row) = row {
        shell.view.row_separator = row.as_bytes().to_vec();
    }
    Outcome::Done
}

pub(super) fn width(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.view.widths = words.iter().map(|word| word.parse().unwrap_or(0)).collect();
    Outcome::Done
}

pub(super) fn timeout(shell: &mut Shell, words: &[String]) -> Outcome {
    let milliseconds = words.first().and_then(|word| word.parse().ok());
    let wait = Duration::from_millis(milliseconds.unwrap_or(0));
    // The longest wait that SQLite takes is 24 days; a longer one is refused and nothing changes.
    let _ = shell.database().busy_timeout(wait);
    Outcome::Done
}

pub(super) fn prompt(shell: &mut Shell, words: &[String]) -> Outcome {
    for (place, word) in shell.prompts.iter_mut().zip(words) {
        word.clone_into(place);
    }
    Outcome::Done
}
