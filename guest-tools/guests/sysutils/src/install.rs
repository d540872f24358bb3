//! install: copies files and gives them modes, or makes folders.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::copy::backup::Backup;
use crate::copy::destination::{Wish, pairs};
use crate::copy::{Copy, Settings, quoted};
use crate::folders;
use crate::mode::Change;
use crate::owner::Owner;
use crate::quoting;
use crate::report::{self, complain, reason, usage};
use crate::system::{self, Facts, Kind, stat};
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "backup=? b c C/compare d/directory D g/group= m/mode= o/owner= p/preserve-timestamps \
    s/strip strip-program= S/suffix= t/target-directory= T/no-target-directory v/verbose Z context=? preserve-context";

struct Install<'a> {
    program: &'a str,
    mode: u32,
    compares: bool,
    keeps_times: bool,
    is_verbose: bool,
    makes_parents: bool,
    backup: Backup,
    status: u8,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut install = Install {
        program,
        mode: 0o755,
        compares: false,
        keeps_times: false,
        is_verbose: false,
        makes_parents: false,
        backup: Backup::None,
        status: 0,
    };
    let (mut makes_folders, mut wish) = (false, Wish::default());
    let (mut has_backup, mut word, mut suffix) = (false, None, None);
    let owner = Owner::of_hand();
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("backup", value) => (has_backup, word) = (true, value),
            Item::Option("b", _) => has_backup = true,
            Item::Option("suffix", value) => (has_backup, suffix) = (true, value),
            Item::Option("compare", _) => install.compares = true,
            Item::Option("directory", _) => makes_folders = true,
            Item::Option("D", _) => install.makes_parents = true,
            Item::Option("mode", Some(text)) => match Change::parse(&text) {
                Some(change) => install.mode = change.apply(0, makes_folders, 0),
                None => {
                    complain(
                        program,
                        format_args!("invalid mode {}", quoting::curly(&text)),
                    );
                    return 1;
                }
            },
            Item::Option("preserve-timestamps", _) => install.keeps_times = true,
            Item::Option("target-directory", value) => wish.folder = value,
            Item::Option("no-target-directory", _) => wish.is_plain = true,
            Item::Option("verbose", _) => install.is_verbose = true,
            Item::Option(what @ ("owner" | "group"), Some(name)) if !owner.is_called(&name) => {
                let what = if what == "owner" { "user" } else { "group" };
                complain(
                    program,
                    format_args!("invalid {what} {}", quoting::curly(&name)),
                );
                return 1;
            }
            Item::Option(..) => {}
        }
    }
    if has_backup {
        install.backup = Backup::named(word.as_deref(), suffix.as_deref()).unwrap_or_default();
    }
    if makes_folders {
        if operands.is_empty() {
            return usage(program, "missing file operand", 1);
        }
        operands
            .iter()
            .for_each(|operand| install.folder(Path::new(operand)));
    } else {
        if let Some(folder) = wish.folder.as_ref().filter(|_| install.makes_parents) {
            install.parents(Path::new(folder));
        } else if let ([_, to], true) = (operands.as_slice(), install.makes_parents)
            && let Some(parent) = Path::new(to).parent()
        {
            install.parents(parent);
        }
        match pairs(program, &wish, operands) {
            Ok(pairs) => pairs.iter().for_each(|(from, to)| install.file(from, to)),
            Err(status) => return status,
        }
    }
    let flushed = io::stdout().flush();
    report::finish(program, flushed).max(install.status)
}

impl Install<'_> {
    /// Makes a folder with the mode, and its parents with the usual one.
    fn folder(&mut self, path: &Path) {
        if let Some(parent) = path.parent() {
            self.parents(parent);
        }
        let made = match fs::create_dir(path) {
            Err(_) if path.is_dir() => Ok(()),
            Ok(()) => {
                if self.is_verbose {
                    println!("{}: creating directory {}", self.program, quoted(path));
                }
                Ok(())
            }
            failed => failed,
        };
        if let Err(error) = made {
            return self.fail(format_args!(
                "cannot create directory {}: {}",
                quoted(path),
                reason(&error)
            ));
        }
        if let Err(error) = system::chmod(path, self.mode) {
            self.fail(format_args!(
                "cannot change permissions of {}: {}",
                quoted(path),
                reason(&error)
            ));
        }
    }

    fn parents(&mut self, folder: &Path) {
        let tell = |made: &Path| {
            if self.is_verbose {
                println!("{}: creating directory {}", self.program, quoted(made));
            }
        };
        if let Err((path, error)) = folders::make_all(folder, tell) {
            self.fail(format_args!(
                "cannot create directory {}: {}",
                quoted(&path),
                reason(&error)
            ));
        }
    }

    fn file(&mut self, from: &Path, to: &Path) {
        let status = match stat(from, true) {
            Ok(status) => status,
            Err(error) => {
                return self.fail(format_args!(
                    "cannot stat {}: {}",
                    quoted(from),
                    reason(&error)
                ));
            }
        };
        if status.is_directory() {
            return self.fail(format_args!("omitting directory {}", quoted(from)));
        }
        let mut note = String::new();
        if let Ok(there) = stat(to, false) {
            if there.is_directory() {
                return self.fail(format_args!(
                    "cannot overwrite directory {} with non-directory",
                    quoted(to)
                ));
            }
            if there.is_same_file(&status) {
                return self.fail(format_args!(
                    "{} and {} are the same file",
                    quoted(from),
                    quoted(to)
                ));
            }
            if self.compares
                && there.kind == Kind::Regular
                && there.mode == self.mode
                && has_same_data(from, to)
            {
                return;
            }
            match self.backup.make(to) {
                Ok(Some(backup)) => note = format!(" (backup: {})", quoted(&backup)),
                Ok(None) => {
                    // A program that runs keeps its old file; the new one is another.
                    if let Err(error) = fs::remove_file(to) {
                        return self.fail(format_args!(
                            "cannot remove {}: {}",
                            quoted(to),
                            reason(&error)
                        ));
                    }
                    if self.is_verbose {
                        println!("removed {}", quoted(to));
                    }
                }
                Err(error) => {
                    return self.fail(format_args!(
                        "cannot backup {}: {}",
                        quoted(to),
                        reason(&error)
                    ));
                }
            }
        }
        let mut settings = Settings::new();
        settings.keeps_times = self.keeps_times;
        let mut copy = Copy::new(self.program, settings);
        if self.is_verbose {
            println!("{} -> {}{note}", quoted(from), quoted(to));
        }
        copy.operand(from, to);
        if copy.has_failed {
            self.status = 1;
            return;
        }
        if let Err(error) = system::chmod(to, self.mode) {
            self.fail(format_args!(
                "cannot change permissions of {}: {}",
                quoted(to),
                reason(&error)
            ));
        }
    }

    fn fail(&mut self, message: std::fmt::Arguments<'_>) {
        complain(self.program, message);
        self.status = 1;
    }
}

fn has_same_data(one: &Path, other: &Path) -> bool {
    use io::{BufRead, BufReader};
    let open =
        |path: &Path| fs::File::open(path).map(|file| BufReader::with_capacity(64 * 1024, file));
    let (Ok(mut one), Ok(mut other)) = (open(one), open(other)) else {
        return false;
    };
    loop {
        let (Ok(left), Ok(right)) = (one.fill_buf(), other.fill_buf()) else {
            return false;
        };
        let count = left.len().min(right.len());
        if count == 0 {
            return left.is_empty() && right.is_empty();
        }
        if left.get(..count) != right.get(..count) {
            return false;
        }
        one.consume(count);
        other.consume(count);
    }
}

const HELP: &str = "\
Usage: install [OPTION]... [-T] SOURCE DEST
  or:  install [OPTION]... SOURCE... DIRECTORY
  or:  install [OPTION]... -t DIRECTORY SOURCE...
  or:  install [OPTION]... -d DIRECTORY...

      --backup[=CONTROL], -b, -S SUFFIX
  -C, --compare             in some cases, do not modify the destination at all
  -d, --directory           treat all arguments as directory names
  -D                        create all leading components of DEST
  -m, --mode=MODE           set permission mode, instead of rwxr-xr-x
  -o, --owner; -g, --group  the one user
  -p, --preserve-timestamps
  -t, --target-directory=DIRECTORY; -T, --no-target-directory
  -v, --verbose             print the name of each created file or directory
";
