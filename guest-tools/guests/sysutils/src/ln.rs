//! ln: makes links.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use gnu_options::named::{self, Item, Order};

use crate::copy::backup::Backup;
use crate::copy::quoted;
use crate::quoting::{self, curly};
use crate::report::{self, complain, reason, usage};
use crate::system::{self, Facts, stat};

const SPECIFICATION: &str = "backup=? b d/directory F f/force i/interactive L/logical n/no-dereference P/physical \
    r/relative s/symbolic S/suffix= t/target-directory= T/no-target-directory v/verbose";

const HELP: &str = "Usage: ln [OPTION]... [-T] TARGET LINK_NAME
  or:  ln [OPTION]... TARGET
  or:  ln [OPTION]... TARGET... DIRECTORY
  or:  ln [OPTION]... -t DIRECTORY TARGET...
Make hard links, or with -s symbolic ones.

      --backup[=CONTROL]      keep a file that is replaced under another name
  -b                          like --backup but does not accept an argument
  -f, --force                 remove existing destination files
  -i, --interactive           prompt whether to remove destinations
  -L, --logical               dereference TARGETs that are symbolic links
  -n, --no-dereference        treat LINK_NAME as a normal file if it is a symbolic link to a directory
  -P, --physical              make hard links directly to symbolic links
  -r, --relative              with -s, create links relative to link location
  -s, --symbolic              make symbolic links instead of hard links
  -S, --suffix=SUFFIX         override the usual backup suffix
  -t, --target-directory=DIRECTORY  the DIRECTORY in which to create the links
  -T, --no-target-directory   treat LINK_NAME as a normal file always
  -v, --verbose               print name of each linked file
";

#[derive(Default)]
struct Settings {
    is_symbolic: bool,
    is_forced: bool,
    asks: bool,
    follows: bool,
    is_relative: bool,
    keeps_link: bool,
    is_plain: bool,
    is_verbose: bool,
    may_link_folders: bool,
    folder: Option<String>,
    backup: Backup,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut settings = Settings::default();
    let (mut control, mut suffix, mut has_backup) = (None, None, false);
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("backup" | "b", value) => {
                has_backup = true;
                control = value.or(control);
            }
            Item::Option("suffix", value) => {
                has_backup = true;
                suffix = value;
            }
            Item::Option("directory" | "F", _) => settings.may_link_folders = true,
            Item::Option("force", _) => (settings.is_forced, settings.asks) = (true, false),
            Item::Option("interactive", _) => (settings.is_forced, settings.asks) = (false, true),
            Item::Option("logical", _) => settings.follows = true,
            Item::Option("physical", _) => settings.follows = false,
            Item::Option("no-dereference", _) => settings.keeps_link = true,
            Item::Option("relative", _) => settings.is_relative = true,
            Item::Option("symbolic", _) => settings.is_symbolic = true,
            Item::Option("target-directory", value) => settings.folder = value,
            Item::Option("no-target-directory", _) => settings.is_plain = true,
            Item::Option(..) => settings.is_verbose = true,
        }
    }
    if has_backup {
        match Backup::named(control.as_deref(), suffix.as_deref()) {
            Some(backup) => settings.backup = backup,
            None => {
                let word = curly(control.as_deref().unwrap_or_default());
                let message = format!("invalid argument {word} for ‘backup type’");
                return usage(program, message, 1);
            }
        }
    }
    if settings.is_relative && !settings.is_symbolic {
        complain(program, "cannot do --relative without --symbolic");
        return 1;
    }
    let pairs = match settings.pairs(program, operands) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    let mut made: Vec<PathBuf> = Vec::new();
    let mut status = 0;
    for (from, to) in pairs {
        if pairs_collide(&made, &to) && !matches!(settings.backup, Backup::Numbered) {
            complain(
                program,
                format_args!(
                    "will not overwrite just-created {} with {}",
                    quoted(&to),
                    quoting::quoted(&from)
                ),
            );
            status = 1;
            continue;
        }
        match settings.link(program, &from, &to) {
            Ok(()) => made.push(to),
            Err(message) => {
                complain(program, message);
                status = 1;
            }
        }
    }
    report::finish(program, Ok(())).max(status)
}

fn pairs_collide(made: &[PathBuf], to: &Path) -> bool {
    made.iter().any(|path| path == to) && fs::symlink_metadata(to).is_ok()
}

impl Settings {
    /// Pairs each target with the name of its link. The error is the status to end with.
    fn pairs(
        &self,
        program: &str,
        mut operands: Vec<String>,
    ) -> Result<Vec<(String, PathBuf)>, u8> {
        let Some(first) = operands.first() else {
            return Err(usage(program, "missing file operand", 1));
        };
        if self.is_plain {
            if self.folder.is_some() {
                complain(
                    program,
                    "cannot combine --target-directory and --no-target-directory",
                );
                return Err(1);
            }
            return match operands.as_slice() {
                [from, to] => Ok(vec![(from.clone(), PathBuf::from(to))]),
                [from] => Err(usage(
                    program,
                    format_args!(
                        "missing destination file operand after {}",
                        quoting::quoted(from)
                    ),
                    1,
                )),
                [_, _, extra, ..] => {
                    let extra = quoting::quoted(extra);
                    Err(usage(program, format_args!("extra operand {extra}"), 1))
                }
                [] => Ok(Vec::new()),
            };
        }
        let folder = match &self.folder {
            Some(folder) => {
                self.check_folder(program, folder, "target directory")?;
                folder.clone()
            }
            None if operands.len() == 1 => {
                let to = Path::new(".").join(base_name(first));
                return Ok(vec![(first.clone(), to)]);
            }
            None => {
                let last = operands.pop().unwrap_or_default();
                if operands.len() > 1 {
                    self.check_folder(program, &last, "target")?;
                } else if !self.is_folder(&last) {
                    let pair = operands.pop().map(|from| (from, PathBuf::from(last)));
                    return Ok(pair.into_iter().collect());
                }
                last
            }
        };
        let into = |from: String| {
            let slash = if folder.ends_with('/') { "" } else { "/" };
            let to = format!("{folder}{slash}{}", base_name(&from));
            (from, PathBuf::from(to))
        };
        Ok(operands.into_iter().map(into).collect())
    }

    fn is_folder(&self, path: &str) -> bool {
        stat(Path::new(path), !self.keeps_link).is_ok_and(|stat| stat.is_directory())
    }

    fn check_folder(&self, program: &str, folder: &str, what: &str) -> Result<(), u8> {
        let problem = match stat(Path::new(folder), true) {
            Ok(stat) if stat.is_directory() => return Ok(()),
            Ok(_) => "Not a directory".to_owned(),
            Err(error) => reason(&error),
        };
        complain(
            program,
            format_args!("{what} {}: {problem}", quoting::quoted(folder)),
        );
        Err(1)
    }

    fn link(&self, program: &str, from: &str, to: &Path) -> Result<(), String> {
        let source = Path::new(from);
        let of_source = stat(source, self.follows || self.is_symbolic);
        if !self.is_symbolic {
            match &of_source {
                Err(error) => {
                    return Err(format!(
                        "failed to access {}: {}",
                        quoting::quoted(from),
                        reason(error)
                    ));
                }
                Ok(stat) if stat.is_directory() && !self.may_link_folders => {
                    return Err(format!(
                        "{}: hard link not allowed for directory",
                        quoting::shell(from)
                    ));
                }
                Ok(_) => {}
            }
        }
        let mut kept = None;
        let replaces = self.is_forced || self.asks || self.backup != Backup::None;
        if replaces && let Ok(old) = stat(to, false) {
            if old.is_directory() {
                let to = quoting::shell(&to.to_string_lossy());
                return Err(format!("{to}: cannot overwrite directory"));
            }
            let is_same = of_source.as_ref().is_ok_and(|stat| {
                stat.is_same_file(&old) && (old.links == 1 || names_same(source, to))
            });
            if is_same && (self.backup == Backup::None || !self.is_symbolic) {
                return Err(format!(
                    "{} and {} are the same file",
                    quoting::quoted(from),
                    quoted(to)
                ));
            }
            if self.asks && !confirmed(program, to) {
                return Ok(());
            }
            kept = self
                .backup
                .make(to)
                .map_err(|error| format!("cannot backup {}: {}", quoted(to), reason(&error)))?;
            if kept.is_none() {
                fs::remove_file(to)
                    .map_err(|error| format!("cannot remove {}: {}", quoted(to), reason(&error)))?;
            }
        }
        let target = if self.is_relative {
            relative(source, to)
        } else {
            source.to_path_buf()
        };
        self.make(&target, to)
            .map_err(|error| self.failure(&error, &target, to))?;
        if self.is_verbose {
            let mut out = io::stdout();
            let arrow = if self.is_symbolic { "->" } else { "=>" };
            if let Some(kept) = kept {
                // What cannot be written is told at the end.
                let _ = write!(out, "{} ~ ", quoted(&kept));
            }
            let _ = writeln!(out, "{} {arrow} {}", quoted(to), quoted(&target));
        }
        Ok(())
    }

    fn make(&self, target: &Path, to: &Path) -> io::Result<()> {
        if self.is_symbolic {
            system::symlink(target, to)
        } else {
            system::hard_link(target, to, self.follows)
        }
    }

    fn failure(&self, error: &io::Error, target: &Path, to: &Path) -> String {
        let why = reason(error);
        let to = quoted(to);
        if self.is_symbolic {
            if target.as_os_str().is_empty() || error.kind() == ErrorKind::InvalidFilename {
                return format!(
                    "failed to create symbolic link {to} -> {}: {why}",
                    quoted(target)
                );
            }
            return format!("failed to create symbolic link {to}: {why}");
        }
        let is_of_link = matches!(
            error.kind(),
            ErrorKind::AlreadyExists
                | ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
                | ErrorKind::ReadOnlyFilesystem
        );
        if is_of_link {
            format!("failed to create hard link {to}: {why}")
        } else {
            format!(
                "failed to create hard link {to} => {}: {why}",
                quoted(target)
            )
        }
    }
}

fn confirmed(program: &str, to: &Path) -> bool {
    let _ = write!(io::stderr(), "{program}: replace {}? ", quoted(to));
    let mut answer = String::new();
    // No answer is no.
    let _ = io::stdin().read_line(&mut answer);
    answer.starts_with(['y', 'Y'])
}

fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return if path.is_empty() { "" } else { "/" };
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

/// Returns whether two paths are one name in one folder.
fn names_same(left: &Path, right: &Path) -> bool {
    let parent = |path: &Path| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        stat(folder.unwrap_or(Path::new(".")), true)
    };
    left.file_name() == right.file_name()
        && matches!((parent(left), parent(right)), (Ok(left), Ok(right)) if left.is_same_file(&right))
}

/// Returns the path from the folder of a link to a target.
fn relative(target: &Path, link: &Path) -> PathBuf {
    let folder = link
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = real(folder.unwrap_or(Path::new(".")));
    let target = real(target);
    let (mut from, mut to) = (
        folder.components().peekable(),
        target.components().peekable(),
    );
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let mut path: PathBuf = from.map(|_| Component::ParentDir).collect();
    path.extend(to);
    if path.as_os_str().is_empty() {
        path.push(".");
    }
    path
}

/// More symbolic links than any sound path leads through.
const LINKS_MAX: usize = 40;

/// Returns the absolute path without symbolic links, `.` and `..`; what is missing stays as it is.
fn real(path: &Path) -> PathBuf {
    let absolute = process::absolute(process::path_bytes(path));
    let absolute = String::from_utf8_lossy(&absolute).into_owned();
    let mut left: Vec<String> = parts(&absolute);
    let mut done = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = left.pop() {
        match part.as_str() {
            "." => {}
            ".." => {
                done.pop();
            }
            part => {
                let next = done.join(part);
                match fs::read_link(&next) {
                    Ok(target) if links < LINKS_MAX => {
                        links += 1;
                        if target.is_absolute() {
                            done = PathBuf::from("/");
                        }
                        left.extend(parts(&target.to_string_lossy()));
                    }
                    _ => done = next,
                }
            }
        }
    }
    done
}

/// Returns the parts of a path, the last one first.
fn parts(path: &str) -> Vec<String> {
    path.split('/')
        .rev()
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
