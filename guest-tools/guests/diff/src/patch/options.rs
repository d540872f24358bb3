//! The command line of patch.

use gnu_options::{Item, Long, Options, Takes, parse};

use super::Trouble;

/// How a patch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Unified,
    Context,
    Normal,
    Ed,
}

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    Silent,
    #[default]
    Default,
    Verbose,
}

/// What patch was asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) strip: Option<usize>,
    pub(super) fuzz_max: usize,
    pub(super) ignore_space: bool,
    pub(super) format: Option<Format>,
    /// Patches that seem to be reversed are skipped.
    pub(super) forward: bool,
    pub(super) reverse: bool,
    pub(super) input: Option<String>,
    pub(super) output: Option<String>,
    pub(super) reject_file: Option<String>,
    pub(super) reject_unified: Option<bool>,
    pub(super) ifdef: Option<String>,
    pub(super) merge: bool,
    pub(super) remove_empty: bool,
    pub(super) backup: bool,
    pub(super) no_backup_if_mismatch: bool,
    /// How the names of backups are made.
    pub(super) numbered: Option<String>,
    pub(super) prefix: String,
    pub(super) base_prefix: String,
    pub(super) suffix: String,
    pub(super) batch: bool,
    pub(super) force: bool,
    pub(super) verbosity: Verbosity,
    pub(super) dry_run: bool,
    pub(super) posix: bool,
    pub(super) directory: Option<String>,
    pub(super) binary: bool,
    pub(super) follow_symlinks: bool,
    pub(super) read_only_fails: bool,
    pub(super) read_only_is_silent: bool,
    /// The file to patch, if named.
    pub(super) file: Option<String>,
}

/// What there is to do.
pub(super) enum Asked {
    Text(&'static str),
    Patch(Box<Request>),
}

const LONG: &[Long] = &[
    ("backup-if-mismatch", Takes::Nothing, 'Α'),
    ("no-backup-if-mismatch", Takes::Nothing, 'Β'),
    ("binary", Takes::Nothing, 'Γ'),
    ("dry-run", Takes::Nothing, 'Δ'),
    ("follow-symlinks", Takes::Nothing, 'Ε'),
    ("help", Takes::Nothing, 'Ζ'),
    ("merge", Takes::Optional, 'Η'),
    ("posix", Takes::Nothing, 'Θ'),
    ("quoting-style", Takes::Argument, 'Ι'),
    ("read-only", Takes::Argument, 'Κ'),
    ("reject-format", Takes::Argument, 'Λ'),
    ("verbose", Takes::Nothing, 'Μ'),
    ("backup", Takes::Nothing, 'b'),
    ("batch", Takes::Nothing, 't'),
    ("basename-prefix", Takes::Argument, 'Y'),
    ("context", Takes::Nothing, 'c'),
    ("directory", Takes::Argument, 'd'),
    ("ed", Takes::Nothing, 'e'),
    ("force", Takes::Nothing, 'f'),
    ("forward", Takes::Nothing, 'N'),
    ("fuzz", Takes::Argument, 'F'),
    ("get", Takes::Argument, 'g'),
    ("ifdef", Takes::Argument, 'D'),
    ("ignore-whitespace", Takes::Nothing, 'l'),
    ("input", Takes::Argument, 'i'),
    ("normal", Takes::Nothing, 'n'),
    ("output", Takes::Argument, 'o'),
    ("prefix", Takes::Argument, 'B'),
    ("quiet", Takes::Nothing, 's'),
    ("silent", Takes::Nothing, 's'),
    ("reject-file", Takes::Argument, 'r'),
    ("remove-empty-files", Takes::Nothing, 'E'),
    ("reverse", Takes::Nothing, 'R'),
    ("set-time", Takes::Nothing, 'T'),
    ("set-utc", Takes::Nothing, 'Z'),
    ("strip", Takes::Argument, 'p'),
    ("suffix", Takes::Argument, 'z'),
    ("unified", Takes::Nothing, 'u'),
    ("version", Takes::Nothing, 'v'),
    ("version-control", Takes::Argument, 'V'),
];

const HELP: &str = "\
Usage: patch [OPTION]... [ORIGFILE [PATCHFILE]]
Applies differences to files.

Input: -p NUM, -F LINES, -l, -c, -e, -n, -u, -N, -R, -i PATCHFILE
Output: -o FILE, -r FILE, -D NAME, -E, --reject-format=FORMAT
Backups: -b, --backup-if-mismatch, --no-backup-if-mismatch, -V STYLE, -B PREFIX, -Y PREFIX, -z SUFFIX
Others: -t, -f, -s, --verbose, --dry-run, --posix, -d DIR, --binary, --read-only=BEHAVIOR, --follow-symlinks
";

/// Reads the words behind the name.
pub(super) fn read(words: &[String]) -> Result<Asked, Trouble> {
    let (items, error) = parse(
        &Options {
            short: "bB:cd:D:eEfF:g:i:lnNo:p:r:RstTuvV:Y:z:Z",
            long: LONG,
        },
        words,
    );
    let mut request = Request {
        fuzz_max: 2,
        posix: std::env::var_os("POSIXLY_CORRECT").is_some(),
        numbered: std::env::var("PATCH_VERSION_CONTROL")
            .or_else(|_| std::env::var("VERSION_CONTROL"))
            .ok(),
        ..Request::default()
    };
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option('Ζ', ..) => return Ok(Asked::Text(HELP)),
            Item::Option('v', ..) => return Ok(Asked::Text("GNU patch 2.7.6\n")),
            Item::Option(letter, argument, _) => {
                apply(&mut request, letter, argument.unwrap_or_default())?;
            }
        }
    }
    if let Some(error) = error {
        return Err(Trouble::Usage(error));
    }
    let mut operands = operands.into_iter();
    request.file = operands.next();
    if let Some(input) = operands.next() {
        request.input = Some(input);
    }
    if let Some(extra) = operands.next() {
        return Err(Trouble::Usage(format!("{extra}: extra operand")));
    }
    Ok(Asked::Patch(Box::new(request)))
}

fn number(text: &str, what: &str) -> Result<usize, Trouble> {
    text.parse()
        .map_err(|_| Trouble::Fatal(format!("{what} {text} is not a number")))
}

fn apply(request: &mut Request, letter: char, argument: String) -> Result<(), Trouble> {
    match letter {
        'b' => request.backup = true,
        'B' | 'Y' if argument.is_empty() => {
            return Err(Trouble::Fatal("backup prefix is empty".to_owned()));
        }
        'z' if argument.is_empty() => {
            return Err(Trouble::Fatal("backup suffix is empty".to_owned()));
        }
        'B' => request.prefix = argument,
        'Y' => request.base_prefix = argument,
        'z' => request.suffix = argument,
        'V' => request.numbered = Some(argument),
        'c' => request.format = Some(Format::Context),
        'u' => request.format = Some(Format::Unified),
        'n' => request.format = Some(Format::Normal),
        'e' => request.format = Some(Format::Ed),
        'd' => request.directory = Some(argument),
        'D' => {
            let mut letters = argument.chars();
            let is_name = letters
                .next()
                .is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
                && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            if !is_name {
                return Err(Trouble::Fatal(
                    "argument to -D is not an identifier".to_owned(),
                ));
            }
            request.ifdef = Some(argument);
        }
        'E' => request.remove_empty = true,
        'f' => request.force = true,
        't' => request.batch = true,
        'F' => request.fuzz_max = number(&argument, "fuzz factor")?,
        'i' => request.input = Some(argument),
        'l' => request.ignore_space = true,
        'N' => request.forward = true,
        'o' => request.output = Some(argument),
        'p' => request.strip = Some(number(&argument, "strip count")?),
        'r' => request.reject_file = Some(argument),
        'R' => request.reverse = true,
        's' => request.verbosity = Verbosity::Silent,
        'Β' => request.no_backup_if_mismatch = true,
        'Α' => request.no_backup_if_mismatch = false,
        'Γ' => request.binary = true,
        'Δ' => request.dry_run = true,
        'Ε' => request.follow_symlinks = true,
        'Η' => request.merge = true,
        'Θ' => request.posix = true,
        'Κ' => match argument.as_str() {
            "ignore" => request.read_only_is_silent = true,
            "warn" => {}
            "fail" => request.read_only_fails = true,
            _ => {
                return Err(Trouble::Usage(format!(
                    "invalid argument '{argument}' for '--read-only'"
                )));
            }
        },
        'Λ' => match argument.as_str() {
            "context" => request.reject_unified = Some(false),
            "unified" => request.reject_unified = Some(true),
            _ => return Err(Trouble::Usage("invalid reject format".to_owned())),
        },
        'Μ' => request.verbosity = Verbosity::Verbose,
        // -g: there is no RCS; -T and -Z: times are those of the writing; quoting is always the shell's.
        _ => {}
    }
    if request.merge {
        return Err(Trouble::Fatal("--merge is not supported".to_owned()));
    }
    if request.ifdef.is_some() {
        return Err(Trouble::Fatal("--ifdef is not supported".to_owned()));
    }
    Ok(())
}
