//! The command line of column.

use gnu_options::{Item, Takes};

use crate::report;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Columns,
    Rows,
    Table,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    pub(super) is_json: bool,
    pub(super) keeps_empty: bool,
    pub(super) has_headings: bool,
    pub(super) width: usize,
    /// None: blanks and tabs, of which several count as one.
    pub(super) separators: Option<String>,
    pub(super) between: String,
    pub(super) limit: Option<usize>,
    pub(super) names: Option<Vec<String>>,
    pub(super) table_name: String,
    pub(super) order: Vec<String>,
    pub(super) right: Vec<String>,
    pub(super) hidden: Vec<String>,
    pub(super) truncated: Vec<String>,
    pub(super) wrapped: Vec<String>,
    pub(super) extreme: Vec<String>,
    pub(super) tree: Option<String>,
    pub(super) tree_id: Option<String>,
    pub(super) tree_parent: Option<String>,
}

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "tn:O:N:l:E:deH:R:T:W:LJr:i:p:c:o:s:xhV",
    long: &[
        ("columns", Takes::Argument, 'c'),
        ("fillrows", Takes::Nothing, 'x'),
        ("help", Takes::Nothing, 'h'),
        ("json", Takes::Nothing, 'J'),
        ("keep-empty-lines", Takes::Nothing, 'L'),
        ("output-separator", Takes::Argument, 'o'),
        ("output-width", Takes::Argument, 'c'),
        ("separator", Takes::Argument, 's'),
        ("table", Takes::Nothing, 't'),
        ("table-columns", Takes::Argument, 'N'),
        ("table-columns-limit", Takes::Argument, 'l'),
        ("table-empty-lines", Takes::Nothing, 'L'),
        ("table-header-repeat", Takes::Nothing, 'e'),
        ("table-hide", Takes::Argument, 'H'),
        ("table-name", Takes::Argument, 'n'),
        ("table-noextreme", Takes::Argument, 'E'),
        ("table-noheadings", Takes::Nothing, 'd'),
        ("table-order", Takes::Argument, 'O'),
        ("table-right", Takes::Argument, 'R'),
        ("table-truncate", Takes::Argument, 'T'),
        ("table-wrap", Takes::Argument, 'W'),
        ("tree", Takes::Argument, 'r'),
        ("tree-id", Takes::Argument, 'i'),
        ("tree-parent", Takes::Argument, 'p'),
        ("version", Takes::Nothing, 'V'),
    ],
};

impl Settings {
    fn new() -> Self {
        let width = std::env::var("COLUMNS")
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|width| *width > 0)
            .unwrap_or(80);
        Self {
            mode: Mode::Columns,
            is_json: false,
            keeps_empty: false,
            has_headings: true,
            width,
            separators: None,
            between: "  ".to_owned(),
            limit: None,
            names: None,
            table_name: "table".to_owned(),
            order: Vec::new(),
            right: Vec::new(),
            hidden: Vec::new(),
            truncated: Vec::new(),
            wrapped: Vec::new(),
            extreme: Vec::new(),
            tree: None,
            tree_id: None,
            tree_parent: None,
        }
    }
}

/// Reads the words; the error is the exit status.
pub(super) fn read(program: &str, words: &[String]) -> Result<(Settings, Vec<String>), u8> {
    let (items, error) = gnu_options::parse(&OPTIONS, words);
    if let Some(error) = error {
        return Err(report::usage(program, error, 1));
    }
    let mut settings = Settings::new();
    let mut files = Vec::new();
    let mut is_for_tables = false;
    let fail = |message: String| {
        report::complain(program, message);
        1
    };
    for item in items {
        let (letter, value) = match item {
            Item::Operand(name) => {
                files.push(name);
                continue;
            }
            Item::Option(letter, value, _) => (letter, value.unwrap_or_default()),
        };
        let list = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
        is_for_tables |= "nONlEdHRTWrip".contains(letter);
        match letter {
            't' => settings.mode = Mode::Table,
            'x' => settings.mode = Mode::Rows,
            'J' => {
                settings.is_json = true;
                settings.mode = Mode::Table;
            }
            'c' if value == "unlimited" => settings.width = usize::MAX,
            'c' => {
                settings.width = value
                    .parse()
                    .map_err(|_| fail(format!("invalid columns argument: '{value}'")))?;
            }
            'd' => settings.has_headings = false,
            'L' => settings.keeps_empty = true,
            's' => settings.separators = Some(value),
            'o' => settings.between = value,
            'l' => {
                let limit = value
                    .parse()
                    .map_err(|_| fail(format!("invalid columns limit argument: '{value}'")))?;
                if limit == 0 {
                    return Err(fail("columns limit must be greater than zero".to_owned()));
                }
                settings.limit = Some(limit);
            }
            'n' => settings.table_name = value,
            'N' => settings.names = Some(list()),
            'O' => settings.order = list(),
            'R' => settings.right = list(),
            'H' => settings.hidden = list(),
            'T' => settings.truncated = list(),
            'W' => settings.wrapped = list(),
            'E' => settings.extreme = list(),
            'r' => settings.tree = Some(value),
            'i' => settings.tree_id = Some(value),
            'p' => settings.tree_parent = Some(value),
            'h' => return Err(report::print(program, USAGE)),
            'V' => {
                return Err(report::print(
                    program,
                    "column (Sinew, as util-linux) 2.38.1\n",
                ));
            }
            // Pages are for terminals.
            _ => {}
        }
    }
    if settings.tree.is_some() {
        settings.mode = Mode::Table;
        if settings.tree_id.is_none() || settings.tree_parent.is_none() {
            return Err(fail(
                "options --tree-id and --tree-parent are required for tree formatting".to_owned(),
            ));
        }
    }
    if settings.mode != Mode::Table && is_for_tables {
        return Err(fail("option --table required for all --table-*".to_owned()));
    }
    if settings.is_json && settings.names.is_none() {
        return Err(fail(
            "option --table-columns required for --json".to_owned(),
        ));
    }
    if settings.is_json && settings.tree.is_some() {
        return Err(fail("trees as JSON are not supported".to_owned()));
    }
    Ok((settings, files))
}

const USAGE: &str = "\
Usage: column [options] [file...]
  -t, --table                      make a table
  -n, --table-name NAME            its name in JSON
  -O, --table-order COLUMNS        the order of the columns
  -N, --table-columns NAMES        the names of the columns
  -l, --table-columns-limit N      the last of N columns takes the rest of the line
  -E, --table-noextreme COLUMNS    long texts do not make the columns wider
  -d, --table-noheadings           no header
  -H, --table-hide COLUMNS         leave columns out
  -R, --table-right COLUMNS        text to the right
  -T, --table-truncate COLUMNS     cut text where the width asks for it
  -W, --table-wrap COLUMNS         wrap text where the width asks for it
  -L, --keep-empty-lines           empty lines too
  -J, --json                       the table as JSON
  -r, --tree COLUMN -i, --tree-id COLUMN -p, --tree-parent COLUMN   lines as a tree
  -c, --output-width WIDTH         the width of the output
  -o, --output-separator STRING    between the columns of a table (two blanks)
  -s, --separator CHARACTERS       what separates the columns of the input
  -x, --fillrows                   fill rows before columns
";
