//! The command line of diff.

use gnu_options::{Item, Long, Options, Takes, parse};
use posix_regex::{Regex, Syntax};

use crate::groups::{self, Formats};
use crate::locale;
use crate::output::Form;
use crate::pen::{Look, Palette};
use crate::side::Columns;
use crate::text::{Equality, Space};

/// Why a command line is not followed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// With a hint at the help.
    Usage(String),
    Plain(String),
}

impl From<String> for Refusal {
    fn from(error: String) -> Self {
        Self::Usage(error)
    }
}

/// A text about diff itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Help,
    Version,
}

/// What diff was asked.
#[derive(Default)]
pub(crate) struct Request {
    pub(crate) form: Option<Form>,
    pub(crate) context: Option<usize>,
    pub(crate) equality: Equality,
    pub(crate) brief: bool,
    pub(crate) report_identical: bool,
    pub(crate) recursive: bool,
    /// An absent file is an empty one: on either side, or on the first only.
    pub(crate) new_file: bool,
    pub(crate) absent_first: bool,
    pub(crate) text: bool,
    pub(crate) no_dereference: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) function: Option<Regex>,
    /// Without another form, the context form is meant.
    pub(crate) show_c_function: bool,
    pub(crate) exclude: Vec<String>,
    pub(crate) ignore_name_case: bool,
    /// The first entry of folders that is looked at.
    pub(crate) starting_file: Option<String>,
    /// A file that is compared with all operands.
    pub(crate) from_file: Option<String>,
    pub(crate) to_file: Option<String>,
    pub(crate) paginate: bool,
    pub(crate) columns: Columns,
    pub(crate) formats: Formats,
    pub(crate) look: Look,
    pub(crate) palette: Palette,
    pub(crate) show: Option<Show>,
    /// The options as they are repeated before each file of a folder.
    pub(crate) repeated: String,
    pub(crate) operands: Vec<String>,
}

/// Options without a short form have a capital of another alphabet.
const LONG: &[Long] = &[
    ("normal", Takes::Nothing, 'Α'),
    ("unified", Takes::Optional, 'Β'),
    ("context", Takes::Optional, 'Γ'),
    ("horizon-lines", Takes::Argument, 'Δ'),
    ("strip-trailing-cr", Takes::Nothing, 'Ε'),
    ("no-dereference", Takes::Nothing, 'Ζ'),
    ("tabsize", Takes::Argument, 'Η'),
    ("left-column", Takes::Nothing, 'Θ'),
    ("suppress-common-lines", Takes::Nothing, 'Ι'),
    ("suppress-blank-empty", Takes::Nothing, 'Κ'),
    ("sdiff-merge-assist", Takes::Nothing, 'Λ'),
    ("ignore-file-name-case", Takes::Nothing, 'Μ'),
    ("no-ignore-file-name-case", Takes::Nothing, 'Ν'),
    ("from-file", Takes::Argument, 'Ξ'),
    ("to-file", Takes::Argument, 'Ο'),
    ("line-format", Takes::Argument, 'Π'),
    ("old-line-format", Takes::Argument, 'Ρ'),
    ("new-line-format", Takes::Argument, 'Σ'),
    ("unchanged-line-format", Takes::Argument, 'Τ'),
    ("old-group-format", Takes::Argument, 'Υ'),
    ("new-group-format", Takes::Argument, 'Φ'),
    ("unchanged-group-format", Takes::Argument, 'Χ'),
    ("changed-group-format", Takes::Argument, 'Ψ'),
    ("color", Takes::Optional, 'Ω'),
    ("palette", Takes::Argument, 'Б'),
    ("binary", Takes::Nothing, 'Д'),
    ("inhibit-hunk-merge", Takes::Nothing, 'Д'),
    ("help", Takes::Nothing, 'Ж'),
    ("version", Takes::Nothing, 'v'),
    ("ed", Takes::Nothing, 'e'),
    ("forward-ed", Takes::Nothing, 'f'),
    ("rcs", Takes::Nothing, 'n'),
    ("side-by-side", Takes::Nothing, 'y'),
    ("width", Takes::Argument, 'W'),
    ("brief", Takes::Nothing, 'q'),
    ("report-identical-files", Takes::Nothing, 's'),
    ("recursive", Takes::Nothing, 'r'),
    ("new-file", Takes::Nothing, 'N'),
    ("unidirectional-new-file", Takes::Nothing, 'P'),
    ("text", Takes::Nothing, 'a'),
    ("ignore-case", Takes::Nothing, 'i'),
    ("ignore-all-space", Takes::Nothing, 'w'),
    ("ignore-space-change", Takes::Nothing, 'b'),
    ("ignore-blank-lines", Takes::Nothing, 'B'),
    ("ignore-trailing-space", Takes::Nothing, 'Z'),
    ("ignore-tab-expansion", Takes::Nothing, 'E'),
    ("ignore-matching-lines", Takes::Argument, 'I'),
    ("ifdef", Takes::Argument, 'D'),
    ("label", Takes::Argument, 'L'),
    ("show-c-function", Takes::Nothing, 'p'),
    ("show-function-line", Takes::Argument, 'F'),
    ("exclude", Takes::Argument, 'x'),
    ("exclude-from", Takes::Argument, 'X'),
    ("starting-file", Takes::Argument, 'S'),
    ("minimal", Takes::Nothing, 'd'),
    ("speed-large-files", Takes::Nothing, 'H'),
    ("expand-tabs", Takes::Nothing, 't'),
    ("initial-tab", Takes::Nothing, 'T'),
    ("paginate", Takes::Nothing, 'l'),
];
const SHORT: &str = "0123456789abBcC:dD:eEfF:hHiI:lL:nNpPqrsS:tTuU:vwW:x:X:yZ";

/// Reads the words behind the name.
pub(crate) fn read(words: &[String]) -> Result<Request, Refusal> {
    let (items, error) = parse(
        &Options {
            short: SHORT,
            long: LONG,
        },
        words,
    );
    let mut request = Request::default();
    request.equality.tab = 8;
    let mut patterns = Patterns::default();
    let mut digits = None;
    for item in items {
        let (letter, argument) = match item {
            Item::Option(letter, argument, _) => (letter, argument),
            Item::Operand(operand) => {
                request.operands.push(operand);
                continue;
            }
        };
        if let Some(digit) = letter.to_digit(10) {
            let before = digits.unwrap_or(0_usize).saturating_mul(10);
            digits = Some(before.saturating_add(digit as usize));
            continue;
        }
        apply(
            &mut request,
            &mut patterns,
            letter,
            argument.unwrap_or_default(),
        )?;
    }
    if let Some(error) = error {
        return Err(Refusal::Usage(error));
    }
    // Operands stand behind what else has the same text more often than before it.
    let mut shown: Vec<&String> = words.iter().filter(|word| *word != "--").collect();
    for operand in request.operands.iter().rev() {
        if let Some(place) = shown.iter().rposition(|word| *word == operand) {
            shown.remove(place);
        }
    }
    request.repeated = shown
        .iter()
        .map(|word| format!(" {}", quoted(word)))
        .collect();
    // -2u: the old way to give the context.
    request.context = digits.or(request.context);
    request.function = patterns.functions()?;
    request.equality.pattern = patterns.ignored()?;
    request.look.tab = request.equality.tab;
    Ok(request)
}

/// Returns a word as a shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    let is_special = |letter: char| " !\"$&'()*;<=>?[\\]^`{|}~#\t\n".contains(letter);
    if word.is_empty() || word.contains(is_special) {
        format!("'{}'", word.replace('\'', "'\\''"))
    } else {
        word.to_owned()
    }
}

/// The patterns given so far: any of them may match.
#[derive(Default)]
struct Patterns {
    functions: Vec<Vec<u8>>,
    ignored: Vec<Vec<u8>>,
}

impl Patterns {
    fn functions(&self) -> Result<Option<Regex>, Refusal> {
        any(&self.functions)
    }

    fn ignored(&self) -> Result<Option<Regex>, Refusal> {
        any(&self.ignored)
    }
}

fn any(patterns: &[Vec<u8>]) -> Result<Option<Regex>, Refusal> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let options = posix_regex::Options {
        utf8: !locale::is_posix("LC_CTYPE"),
        ..posix_regex::Options::default()
    };
    for pattern in patterns {
        Regex::new(pattern, Syntax::Basic, &options)
            .map_err(|error| format!("{}: {error}", String::from_utf8_lossy(pattern)))
            .map_err(Refusal::Plain)?;
    }
    Regex::new_set(patterns, Syntax::Basic, &options)
        .map(Some)
        .map_err(|error| Refusal::Plain(error.to_string()))
}

fn number(text: &str, what: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("invalid {what} '{text}'"))
}

fn form(request: &mut Request, form: Form) -> Result<(), String> {
    match request.form.replace(form) {
        Some(before) if before != form => Err("conflicting output style options".to_owned()),
        _ => Ok(()),
    }
}

fn context(request: &mut Request, argument: &str, wanted: Form) -> Result<(), String> {
    let lines = if argument.is_empty() {
        3
    } else {
        number(argument, "context length")?
    };
    request.context = Some(request.context.map_or(lines, |before| before.max(lines)));
    form(request, wanted)
}

fn apply(
    request: &mut Request,
    patterns: &mut Patterns,
    letter: char,
    argument: String,
) -> Result<(), Refusal> {
    let equality = &mut request.equality;
    match letter {
        'Α' => form(request, Form::Normal)?,
        'u' | 'U' | 'Β' => context(request, &argument, Form::Unified)?,
        'c' | 'C' | 'Γ' => context(request, &argument, Form::Context)?,
        'e' => form(request, Form::Ed)?,
        'f' => form(request, Form::ForwardEd)?,
        'n' => form(request, Form::Rcs)?,
        'y' => form(request, Form::SideBySide)?,
        'q' => request.brief = true,
        's' => request.report_identical = true,
        'r' => request.recursive = true,
        'N' => request.new_file = true,
        'P' => request.absent_first = true,
        'a' => request.text = true,
        'l' => request.paginate = true,
        'i' => equality.ignore_case = true,
        'w' => equality.space = Space::Nothing,
        'b' => equality.space = equality.space.max(Space::Change),
        'B' => equality.blank_lines = true,
        'Z' => {
            equality.space = match equality.space {
                Space::TabExpansion => Space::TabAndTrailing,
                space => space.max(Space::Trailing),
            }
        }
        'E' => {
            equality.space = match equality.space {
                Space::Trailing => Space::TabAndTrailing,
                space => space.max(Space::TabExpansion),
            }
        }
        'd' => equality.minimal = true,
        'Δ' => equality.horizon = number(&argument, "horizon length")?,
        'Ε' => equality.strip_return = true,
        'Ζ' => request.no_dereference = true,
        'I' => patterns.ignored.push(argument.into_bytes()),
        'p' => {
            request.show_c_function = true;
            patterns.functions.push(b"^[[:alpha:]$_]".to_vec());
        }
        'F' => patterns.functions.push(argument.into_bytes()),
        'L' if request.labels.len() == 2 => {
            return Err(Refusal::Plain("too many file label options".to_owned()));
        }
        'L' => request.labels.push(argument),
        'x' => request.exclude.push(argument),
        'X' => {
            let text = if argument == "-" {
                std::io::read_to_string(std::io::stdin())
            } else {
                std::fs::read(&argument).map(|text| String::from_utf8_lossy(&text).into_owned())
            }
            .map_err(|error| Refusal::Plain(format!("{argument}: {}", process::message(&error))))?;
            request.exclude.extend(text.lines().map(str::to_owned));
        }
        'S' => request.starting_file = Some(argument),
        'Μ' => request.ignore_name_case = true,
        'Ν' => request.ignore_name_case = false,
        'Ξ' => request.from_file = Some(argument),
        'Ο' => request.to_file = Some(argument),
        'Ж' => request.show = Some(Show::Help),
        'v' => request.show = Some(Show::Version),
        _ => apply_look(request, letter, argument)?,
    }
    Ok(())
}

/// Applies the options about how the output looks.
fn apply_look(request: &mut Request, letter: char, argument: String) -> Result<(), String> {
    let line_format = |request: &mut Request, kinds: &[usize]| -> Result<(), String> {
        for kind in kinds {
            set(&mut request.formats.lines, *kind, &argument)?;
        }
        form(request, Form::Groups)
    };
    let group_format = |request: &mut Request, kind: usize| -> Result<(), String> {
        set(&mut request.formats.groups, kind, &argument)?;
        form(request, Form::Groups)
    };
    match letter {
        'W' => {
            request.columns.width = number(&argument, "width")?;
            if request.columns.width == 0 {
                return Err(format!("invalid width '{argument}'"));
            }
        }
        'Θ' => request.columns.left_only = true,
        'Ι' => request.columns.suppress_common = true,
        'Λ' => {
            request.columns.assist = true;
            form(request, Form::SideBySide)?;
        }
        'Κ' => request.look.suppress_blank_empty = true,
        't' => request.look.expand_tabs = true,
        'T' => request.look.initial_tab = true,
        'Η' => {
            request.equality.tab = number(&argument, "tabsize")?;
            if request.equality.tab == 0 {
                return Err(format!("invalid tabsize '{argument}'"));
            }
        }
        'D' => {
            if request.formats.set_name(&argument) {
                return Err("conflicting #ifdef formats".to_owned());
            }
            form(request, Form::Groups)?;
        }
        'Π' => line_format(request, &[groups::OLD, groups::NEW, groups::UNCHANGED])?,
        'Ρ' => line_format(request, &[groups::OLD])?,
        'Σ' => line_format(request, &[groups::NEW])?,
        'Τ' => line_format(request, &[groups::UNCHANGED])?,
        'Υ' => group_format(request, groups::OLD)?,
        'Φ' => group_format(request, groups::NEW)?,
        'Χ' => group_format(request, groups::UNCHANGED)?,
        'Ψ' => group_format(request, groups::CHANGED)?,
        'Ω' => {
            let is_wanted = match argument.as_str() {
                "" | "always" => true,
                "never" => false,
                "auto" => process::standard(1).is_some_and(|out| out.is_terminal()),
                _ => return Err(format!("invalid color '{argument}'")),
            };
            request.look.palette = is_wanted.then(|| request.palette.clone());
        }
        'Б' => {
            request.palette.set(&argument);
            if let Some(palette) = &mut request.look.palette {
                palette.clone_from(&request.palette);
            }
        }
        // -H and -h have no effect on what is printed.
        _ => {}
    }
    Ok(())
}

fn set(formats: &mut [Option<String>], kind: usize, format: &str) -> Result<(), String> {
    let Some(place) = formats.get_mut(kind) else {
        return Ok(());
    };
    match place.replace(format.to_owned()) {
        Some(before) if before != format => Err("conflicting format".to_owned()),
        _ => Ok(()),
    }
}
