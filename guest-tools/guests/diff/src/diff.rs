//! diff itself: the operands and what they stand for.

use std::io::{self, BufWriter, Write};

use process::{Kind, Stat};

use crate::contents;
use crate::folder;
use crate::options::{self, Refusal, Request, Show};
use crate::output::Form;

const HELP: &str = "\
Usage: diff [OPTION]... FILES
Compares files line by line.

Forms: --normal, -u, -U NUM, -c, -C NUM, -e, -f, -n, -y (-W NUM, --left-column, --suppress-common-lines),
  -D NAME, --GTYPE-group-format=GFMT, --LTYPE-line-format=LFMT
Output: -q, -s, -p, -F RE, --label LABEL, -t, -T, --tabsize=NUM, --suppress-blank-empty, -l, --color[=WHEN],
  --palette=PALETTE
Folders: -r, --no-dereference, -N, --unidirectional-new-file, --ignore-file-name-case, -x PAT, -X FILE, -S FILE,
  --from-file=FILE1, --to-file=FILE2
Equality: -i, -E, -Z, -b, -w, -B, -I RE, -a, --strip-trailing-cr
Effort: -d, --horizon-lines=NUM, --speed-large-files

A FILE '-' is standard input. The status is 0 if the inputs are the same, 1 if different, 2 if trouble.
";

/// Runs diff.
pub(crate) fn run(words: &[String]) -> u8 {
    let mut request = match options::read(words) {
        Ok(request) => request,
        Err(Refusal::Usage(error)) => return usage(&error),
        Err(Refusal::Plain(error)) => {
            eprintln!("diff: {error}");
            return 2;
        }
    };
    match request.show {
        Some(Show::Help) => return print_all(HELP),
        Some(Show::Version) => return print_all("diff (GNU diffutils) 3.8\n"),
        None => {}
    }
    let pairs = match pairs(&mut request, words) {
        Ok(pairs) => pairs,
        Err(error) => return usage(&error),
    };
    if request.form.is_none() && request.show_c_function {
        request.form = Some(Form::Context);
    }
    if matches!(request.form, Some(Form::Unified | Form::Context)) {
        let lines = request.context.unwrap_or(3);
        request.context = Some(lines);
        request.equality.horizon = request.equality.horizon.max(lines);
    }
    let mut out = BufWriter::with_capacity(65_536, io::stdout().lock());
    let mut status = Ok(0);
    for [first, second] in &pairs {
        status = status.and_then(|before: u8| {
            compare(&mut out, &request, [first, second], Place::Operand)
                .map(|status| status.max(before))
        });
    }
    match status.and_then(|status| out.flush().map(|()| status)) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("diff: standard output: {}", process::message(&error));
            2
        }
    }
}

fn print_all(text: &str) -> u8 {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => 0,
        Err(_) => 2,
    }
}

/// Returns what is to be compared with what.
fn pairs(request: &mut Request, words: &[String]) -> Result<Vec<[String; 2]>, String> {
    let operands = std::mem::take(&mut request.operands);
    match (&request.from_file, &request.to_file) {
        (Some(_), Some(_)) => {
            return Err("--from-file and --to-file both specified".to_owned());
        }
        (Some(from), None) => {
            return Ok(operands.into_iter().map(|to| [from.clone(), to]).collect());
        }
        (None, Some(to)) => {
            return Ok(operands
                .into_iter()
                .map(|from| [from, to.clone()])
                .collect());
        }
        (None, None) => {}
    }
    match operands.as_slice() {
        [first, second] => Ok(vec![[first.clone(), second.clone()]]),
        [_, _, extra, ..] => Err(format!("extra operand '{extra}'")),
        _ => {
            let last = operands.last().or(words.last());
            Err(format!(
                "missing operand after '{}'",
                last.map_or("diff", String::as_str)
            ))
        }
    }
}

fn usage(error: &str) -> u8 {
    eprintln!("diff: {error}\ndiff: Try 'diff --help' for more information.");
    2
}

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Absent,
    /// The standard input, or what the system tells of a file.
    Input,
    Found(Stat),
}

impl Side {
    fn is_folder(self) -> bool {
        self.kind() == Some(Kind::Directory)
    }

    fn kind(self) -> Option<Kind> {
        match self {
            Self::Absent => None,
            Self::Input => Some(Kind::Regular),
            Self::Found(stat) => Some(stat.kind),
        }
    }

    /// Returns what it is in POSIX's words.
    fn words(self) -> &'static str {
        match self {
            Self::Found(stat) => match stat.kind {
                Kind::Regular if stat.size == 0 => "regular empty file",
                Kind::Regular => "regular file",
                Kind::Directory => "directory",
                Kind::Symlink => "symbolic link",
                Kind::Fifo => "fifo",
                Kind::CharacterDevice => "character special file",
                Kind::BlockDevice => "block special file",
                Kind::Socket => "socket",
                Kind::Unknown => "weird file",
            },
            Self::Absent | Self::Input => "regular file",
        }
    }
}

fn look(path: &str, request: &Request) -> io::Result<Side> {
    if path == "-" {
        return Ok(Side::Input);
    }
    Ok(Side::Found(process::stat(path, !request.no_dereference)?))
}

pub(crate) fn tell(path: &str, error: &io::Error) {
    eprintln!("diff: {path}: {}", process::message(error));
}

/// How two paths came to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// They are the operands, or one is and the other the file of its name in a folder that is.
    Operand,
    /// They are entries of two folders.
    Entry,
}

/// Compares what two paths stand for.
pub(crate) fn compare(
    out: &mut impl Write,
    request: &Request,
    paths: [&str; 2],
    place: Place,
) -> io::Result<u8> {
    let Some(sides) = sides(request, paths) else {
        return Ok(2);
    };
    let [first, second] = paths;
    let [one, other] = sides;
    if place == Place::Operand && one.is_folder() != other.is_folder() {
        let (folder, file) = if one.is_folder() {
            (first, second)
        } else {
            (second, first)
        };
        if file == "-" {
            eprintln!("diff: cannot compare '-' to a directory");
            return Ok(2);
        }
        if !matches!((one, other), (Side::Absent, _) | (_, Side::Absent)) {
            let base = file.trim_end_matches('/');
            let base = base.rsplit('/').next().unwrap_or(base);
            let inside = format!("{}/{base}", folder.strip_suffix('/').unwrap_or(folder));
            let paths = if one.is_folder() {
                [inside.as_str(), second]
            } else {
                [first, inside.as_str()]
            };
            return match self::sides(request, paths) {
                Some(sides) => leaves(out, request, paths, sides, place),
                None => Ok(2),
            };
        }
    }
    leaves(out, request, paths, sides, place)
}

fn sides(request: &Request, paths: [&str; 2]) -> Option<[Side; 2]> {
    let mut absent = Vec::new();
    let mut failed = false;
    let sides = [0, 1].map(|number| {
        let path = paths.get(number).copied().unwrap_or_default();
        match look(path, request) {
            Ok(side) => side,
            Err(error) => {
                let allowed = request.new_file || (request.absent_first && number == 0);
                if error.kind() != io::ErrorKind::NotFound || !allowed {
                    tell(path, &error);
                    failed = true;
                } else {
                    absent.push((path, error));
                }
                Side::Absent
            }
        }
    });
    if absent.len() == 2 {
        for (path, error) in &absent {
            tell(path, error);
        }
        failed = true;
    }
    (!failed).then_some(sides)
}

/// Compares two things of which none is to be looked for in the other.
fn leaves(
    out: &mut impl Write,
    request: &Request,
    paths: [&str; 2],
    sides: [Side; 2],
    place: Place,
) -> io::Result<u8> {
    let [first, second] = paths;
    let [one, other] = sides;
    match (one.kind(), other.kind()) {
        (Some(Kind::Directory), Some(Kind::Directory)) => {
            if place == Place::Entry && !request.recursive {
                writeln!(out, "Common subdirectories: {first} and {second}")?;
                return Ok(0);
            }
            // A folder is like itself, and nothing is said of what is in it.
            if let (Side::Found(one), Side::Found(other)) = (one, other)
                && (one.device, one.inode) == (other.device, other.inode)
                && one.inode != 0
            {
                return Ok(0);
            }
            folder::compare(out, request, paths, place)
        }
        (Some(Kind::Directory), None) | (None, Some(Kind::Directory)) => {
            if request.recursive || place == Place::Operand {
                return folder::compare(out, request, paths, place);
            }
            if request.new_file || (request.absent_first && one.kind().is_none()) {
                writeln!(out, "Common subdirectories: {first} and {second}")?;
                return Ok(0);
            }
            let path = if one.kind().is_some() { first } else { second };
            let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
            writeln!(out, "Only in {folder}: {name}")?;
            Ok(1)
        }
        (Some(Kind::Symlink), Some(Kind::Symlink)) => {
            if std::fs::read_link(first)? == std::fs::read_link(second)? {
                return Ok(0);
            }
            writeln!(out, "Symbolic links {first} and {second} differ")?;
            Ok(1)
        }
        (one_kind, other_kind) => {
            let is_plain = |kind: Option<Kind>| matches!(kind, None | Some(Kind::Regular));
            let unlike = !(is_plain(one_kind) && is_plain(other_kind));
            let is_folder = one.is_folder() || other.is_folder();
            let is_link = [one_kind, other_kind].contains(&Some(Kind::Symlink));
            if is_folder || is_link || (place == Place::Entry && unlike) {
                let label = |number: usize, path| request.labels.get(number).map_or(path, |l| &**l);
                writeln!(
                    out,
                    "File {} is a {} while file {} is a {}",
                    label(0, first),
                    one.words(),
                    label(1, second),
                    other.words()
                )?;
                return Ok(1);
            }
            contents::compare(out, request, paths, sides, place)
        }
    }
}
