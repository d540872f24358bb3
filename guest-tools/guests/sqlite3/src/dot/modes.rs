//! `.mode`.

use super::{Outcome, switch};
use crate::quote;
use crate::shell::Shell;
use crate::view::Mode;

/// The names that `.mode` takes; each may be cut to this length.
const MODES: &[(&str, usize, Mode)] = &[
    ("lines", 2, Mode::Line),
    ("columns", 2, Mode::Column),
    ("list", 3, Mode::List),
    ("html", 1, Mode::Html),
    ("tcl", 2, Mode::Tcl),
    ("csv", 2, Mode::Csv),
    ("tabs", 2, Mode::List),
    ("insert", 1, Mode::Insert),
    ("quote", 1, Mode::Quote),
    ("ascii", 1, Mode::Ascii),
    ("markdown", 1, Mode::Markdown),
    ("table", 2, Mode::Table),
    ("box", 1, Mode::Box),
    ("json", 1, Mode::Json),
];

/// Where columns of a box break if nobody says it.
const WRAP: usize = 60;

#[derive(Default)]
struct Wanted<'a> {
    mode: Option<&'a str>,
    table: Option<&'a str>,
    wrap: Option<usize>,
    wraps_words: bool,
    quotes: bool,
    has_options: bool,
}

pub(super) fn mode(shell: &mut Shell, words: &[String]) -> Outcome {
    let wanted = match read(shell, words) {
        Ok(wanted) => wanted,
        Err(outcome) => return outcome,
    };
    let Some(name) = wanted.mode else {
        if wanted.has_options {
            apply(shell, &wanted);
        } else {
            show(shell);
        }
        return Outcome::Done;
    };
    if name == "qbox" {
        shell.view.set(Mode::Box);
        (shell.view.quotes, shell.view.wrap, shell.view.wraps_words) = (true, WRAP, false);
        return Outcome::Done;
    }
    let found = MODES
        .iter()
        .find(|(known, length, _)| name.len() >= *length && known.starts_with(name));
    let Some((known, _, mode)) = found else {
        return unknown(shell);
    };
    match *known {
        "tabs" => {
            shell.view.mode = Mode::List;
            shell.view.column_separator = b"\t".to_vec();
        }
        _ => shell.view.set(*mode),
    }
    if *mode == Mode::Column && !shell.view.is_header_set {
        shell.view.has_header = true;
    }
    if *mode == Mode::Insert {
        let table = wanted.table.unwrap_or("table");
        shell.view.table = quote::name(table.as_bytes());
    }
    if mode.is_tabular() {
        apply(shell, &wanted);
    }
    Outcome::Done
}

fn unknown(shell: &Shell) -> Outcome {
    shell.complain(format_args!(
        "Error: mode should be one of: ascii box column csv html insert json line list \
         markdown qbox quote table tabs tcl"
    ));
    Outcome::Failed
}

fn read<'a>(shell: &Shell, words: &'a [String]) -> Result<Wanted<'a>, Outcome> {
    let mut wanted = Wanted::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let option = word.strip_prefix('-');
        let Some(option) = option.map(|option| option.strip_prefix('-').unwrap_or(option)) else {
            if wanted.mode.is_none() {
                wanted.mode = Some(word);
            } else if wanted.table.is_none() {
                wanted.table = Some(word);
            } else {
                shell.complain(format_args!("extra argument: \"{word}\""));
                return Err(Outcome::Failed);
            }
            continue;
        };
        wanted.has_options = true;
        match option {
            "wrap" => {
                let Some(width) = rest.next() else {
                    return Err(unknown(shell));
                };
                wanted.wrap = Some(width.parse().unwrap_or(0));
            }
            "ww" => {
                wanted.wraps_words = true;
                wanted.wrap = wanted.wrap.or(Some(WRAP));
            }
            "wordwrap" => {
                let Some(value) = rest.next() else {
                    return Err(unknown(shell));
                };
                wanted.wraps_words = switch(shell, value);
            }
            "quote" => wanted.quotes = true,
            "noquote" => wanted.quotes = false,
            _ => return Err(unknown(shell)),
        }
    }
    Ok(wanted)
}

fn apply(shell: &mut Shell, wanted: &Wanted<'_>) {
    shell.view.wrap = wanted.wrap.unwrap_or(WRAP);
    shell.view.wraps_words = wanted.wraps_words;
    shell.view.quotes = wanted.quotes;
}

fn show(shell: &mut Shell) {
    let view = &shell.view;
    let text = if view.mode.is_tabular() {
        format!("current output mode: {}\n", description(shell))
    } else {
        format!("current output mode: {}\n", view.mode.name())
    };
    shell.print(text);
}

/// Returns the mode with the options of tables.
pub(super) fn description(shell: &Shell) -> String {
    let view = &shell.view;
    if !view.mode.is_tabular() {
        return view.mode.name().to_owned();
    }
    format!(
        "{} --wrap {} --wordwrap {} --{}quote",
        view.mode.name(),
        view.wrap,
        if view.wraps_words { "on" } else { "off" },
        if view.quotes { "" } else { "no" }
    )
}
