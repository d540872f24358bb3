//! mv: renames files, and copies and removes them where they cannot be renamed.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::copy::backup::Backup;
use crate::copy::destination::{Wish, pairs};
use crate::copy::{self, Copy, Overwrite, Settings, quoted};
use crate::quoting;
use crate::report::{self, complain, reason};
use crate::system::{Facts, Stat, stat};
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "backup=? b f/force i/interactive n/no-clobber strip-trailing-slashes S/suffix= \
    t/target-directory= T/no-target-directory u/update v/verbose Z/context";

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return report::usage(program, message, 1),
    };
    let mut wish = Wish::default();
    let mut mover = Mover {
        program,
        overwrite: Overwrite::Always,
        only_newer: false,
        is_verbose: false,
        backup: Backup::None,
        status: 0,
    };
    let (mut has_backup, mut word, mut suffix, mut strips) = (false, None, None, false);
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("backup", value) => (has_backup, word) = (true, value),
            Item::Option("b", _) => has_backup = true,
            Item::Option("suffix", value) => (has_backup, suffix) = (true, value),
            Item::Option("force", _) => mover.overwrite = Overwrite::Always,
            Item::Option("interactive", _) => mover.overwrite = Overwrite::Ask,
            Item::Option("no-clobber", _) => mover.overwrite = Overwrite::Never,
            Item::Option("strip-trailing-slashes", _) => strips = true,
            Item::Option("target-directory", value) => wish.folder = value,
            Item::Option("no-target-directory", _) => wish.is_plain = true,
            Item::Option("update", _) => mover.only_newer = true,
            Item::Option("verbose", _) => mover.is_verbose = true,
            Item::Option(..) => {}
        }
    }
    if has_backup {
        let Some(backup) = Backup::named(word.as_deref(), suffix.as_deref()) else {
            let word = quoting::curly(word.as_deref().unwrap_or(""));
            return report::usage(
                program,
                format_args!("invalid argument {word} for 'backup type'"),
                1,
            );
        };
        mover.backup = backup;
    }
    if strips {
        for operand in &mut operands {
            let kept = operand.trim_end_matches('/').len().max(1);
            operand.truncate(kept);
        }
    }
    let pairs = match pairs(program, &wish, operands) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    for (from, to) in pairs {
        mover.operand(&from, &to);
    }
    let flushed = io::stdout().flush();
    report::finish(program, flushed).max(mover.status)
}

struct Mover<'a> {
    program: &'a str,
    overwrite: Overwrite,
    only_newer: bool,
    is_verbose: bool,
    backup: Backup,
    status: u8,
}

impl Mover<'_> {
    fn operand(&mut self, from: &Path, to: &Path) {
        let status = match stat(from, false) {
            Ok(status) => status,
            Err(error) => {
                return self.fail(format_args!(
                    "cannot stat {}: {}",
                    quoted(from),
                    reason(&error)
                ));
            }
        };
        let mut note = String::new();
        if let Ok(there) = stat(to, false) {
            match self.prepare(from, to, &status, &there) {
                Some(made) => note = made,
                None => return,
            }
        }
        match fs::rename(from, to) {
            Ok(()) => {
                if self.is_verbose {
                    println!("renamed {} -> {}{note}", quoted(from), quoted(to));
                }
            }
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                self.copy(from, to, &status, &note)
            }
            Err(error) if status.is_directory() && is_within(from, to) => {
                let _ = error;
                self.fail(format_args!(
                    "cannot move {} to a subdirectory of itself, {}",
                    quoted(from),
                    quoted(to)
                ));
            }
            Err(error) => {
                self.fail(format_args!(
                    "cannot move {} to {}: {}",
                    quoted(from),
                    quoted(to),
                    reason(&error)
                ));
            }
        }
    }

    /// Decides about a destination that exists; returns what the verbose line is to add.
    fn prepare(&mut self, from: &Path, to: &Path, status: &Stat, there: &Stat) -> Option<String> {
        match self.overwrite {
            Overwrite::Never => return None,
            Overwrite::Ask if !copy::ask(self.program, to) => return None,
            _ => {}
        }
        if self.only_newer && !status.is_directory() && status.modified <= there.modified {
            return None;
        }
        if status.is_same_file(there) {
            if self.backup == Backup::None && (status.links < 2 || same_name(from, to)) {
                self.fail(format_args!(
                    "{} and {} are the same file",
                    quoted(from),
                    quoted(to)
                ));
                return None;
            }
            // Two names of one file: rename would do nothing, one of them has to go.
            if let Err(error) = fs::remove_file(to) {
                self.fail(format_args!(
                    "cannot remove {}: {}",
                    quoted(to),
                    reason(&error)
                ));
                return None;
            }
            return Some(String::new());
        }
        match (status.is_directory(), there.is_directory()) {
            (true, false) => {
                self.fail(format_args!(
                    "cannot overwrite non-directory {} with directory {}",
                    quoted(to),
                    quoted(from)
                ));
                return None;
            }
            (false, true) => {
                self.fail(format_args!(
                    "cannot overwrite directory {} with non-directory",
                    quoted(to)
                ));
                return None;
            }
            _ => {}
        }
        match self.backup.make(to) {
            Ok(made) => Some(
                made.map(|path| format!(" (backup: {})", quoted(&path)))
                    .unwrap_or_default(),
            ),
            Err(error) => {
                self.fail(format_args!(
                    "cannot backup {}: {}",
                    quoted(to),
                    reason(&error)
                ));
                None
            }
        }
    }

    /// Copies to another file system, and removes the source once all of it is there.
    fn copy(&mut self, from: &Path, to: &Path, status: &Stat, note: &str) {
        if status.is_directory() {
            // An empty folder there is replaced, as rename would.
            let _ = fs::remove_dir(to);
        } else {
            let _ = fs::remove_file(to);
        }
        let mut settings = Settings::new();
        settings.archive();
        let mut copy = Copy::new(self.program, settings);
        copy.operand(from, to);
        if copy.has_failed {
            self.status = 1;
            return;
        }
        let removed = if status.is_directory() {
            fs::remove_dir_all(from)
        } else {
            fs::remove_file(from)
        };
        if let Err(error) = removed {
            return self.fail(format_args!(
                "cannot remove {}: {}",
                quoted(from),
                reason(&error)
            ));
        }
        if self.is_verbose {
            println!("copied {} -> {}{note}", quoted(from), quoted(to));
            println!("removed {}", quoted(from));
        }
    }

    fn fail(&mut self, message: std::fmt::Arguments<'_>) {
        complain(self.program, message);
        self.status = 1;
    }
}

fn same_name(from: &Path, to: &Path) -> bool {
    let parent = |path: &Path| {
        fs::canonicalize(
            path.parent()
                .filter(|parent| !parent.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        )
        .ok()
    };
    from.file_name() == to.file_name() && parent(from) == parent(to)
}

/// Returns whether a path that does not exist yet would be within a folder.
fn is_within(folder: &Path, path: &Path) -> bool {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), fs::canonicalize(parent)) {
        (Ok(folder), Ok(parent)) => parent.starts_with(folder),
        _ => false,
    }
}

const HELP: &str = "\
Usage: mv [OPTION]... [-T] SOURCE DEST
  or:  mv [OPTION]... SOURCE... DIRECTORY
  or:  mv [OPTION]... -t DIRECTORY SOURCE...
Rename SOURCE to DEST, or move SOURCE(s) to DIRECTORY.

      --backup[=CONTROL], -b       make a backup of each existing destination file
  -f, --force; -i, --interactive; -n, --no-clobber
      --strip-trailing-slashes
  -S, --suffix=SUFFIX              override the usual backup suffix
  -t, --target-directory=DIRECTORY; -T, --no-target-directory
  -u, --update                     move only when the SOURCE file is newer
  -v, --verbose                    explain what is being done
";
