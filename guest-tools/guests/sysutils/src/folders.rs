//! mkdir and mkfifo, and making the folders of a path.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::copy::quoted;
use crate::mode::Change;
use crate::quoting;
use crate::report::{self, complain, reason, usage};
use crate::system::{self, stat};
use gnu_options::named::{self, Item, Order};

/// Makes a folder and those above it that are missing, and tells of each. The error names what failed.
pub(crate) fn make_all(
    folder: &Path,
    mut tell: impl FnMut(&Path),
) -> Result<(), (PathBuf, io::Error)> {
    let mut path = PathBuf::new();
    let depth = folder.components().count();
    for (place, part) in folder.components().enumerate() {
        path.push(part);
        match fs::create_dir(&path) {
            Ok(()) => tell(&path),
            Err(_) if path.is_dir() => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists && place + 1 < depth => {
                return Err((path, ErrorKind::NotADirectory.into()));
            }
            Err(error) => return Err((path, error)),
        }
    }
    Ok(())
}

/// Runs mkdir.
pub(crate) fn mkdir(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(
        arguments,
        "m/mode= p/parents v/verbose Z context=?",
        Order::Any,
    ) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let (mut change, mut makes_parents, mut is_verbose) = (None, false, false);
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return report::help(MKDIR_HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("mode", Some(text)) => match Change::parse(&text) {
                Some(found) => change = Some(found),
                None => {
                    complain(
                        program,
                        format_args!("invalid mode {}", quoting::curly(&text)),
                    );
                    return 1;
                }
            },
            Item::Option("parents", _) => makes_parents = true,
            Item::Option("verbose", _) => is_verbose = true,
            Item::Option(..) => {}
        }
    }
    if operands.is_empty() {
        return usage(program, "missing operand", 1);
    }
    let tell = |path: &Path| {
        if is_verbose {
            println!("{program}: created directory {}", quoted(path));
        }
    };
    let mut status = 0;
    for operand in &operands {
        let path = Path::new(operand);
        let existed = makes_parents && path.is_dir();
        let made = if makes_parents {
            make_all(path, tell)
        } else {
            fs::create_dir(path)
                .map(|()| tell(path))
                .map_err(|error| (path.to_path_buf(), error))
        };
        let made = made.and_then(|()| match &change {
            Some(change) if !existed => {
                let mode = change.apply(0o777, true, system::umask());
                system::chmod(path, mode).map_err(|error| (path.to_path_buf(), error))
            }
            _ => Ok(()),
        });
        if let Err((path, error)) = made {
            complain(
                program,
                format_args!(
                    "cannot create directory {}: {}",
                    quoting::curly(&path.to_string_lossy()),
                    reason(&error)
                ),
            );
            status = 1;
        }
    }
    let flushed = io::stdout().flush();
    report::finish(program, flushed).max(status)
}

/// Runs mkfifo.
pub(crate) fn mkfifo(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, "m/mode= Z context=?", Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut change = None;
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => {
                return report::help(
                    "Usage: mkfifo [-m MODE] NAME...\nCreate named pipes (FIFOs) with the given NAMEs.\n",
                );
            }
            Item::Option("version", _) => return report::version(program),
            Item::Option("mode", Some(text)) => match Change::parse(&text) {
                Some(found) => change = Some(found),
                None => {
                    complain(program, "invalid mode");
                    return 1;
                }
            },
            Item::Option(..) => {}
        }
    }
    if operands.is_empty() {
        return usage(program, "missing operand", 1);
    }
    let mut status = 0;
    for operand in &operands {
        let path = Path::new(operand);
        let made = if stat(path, false).is_ok() {
            Err(ErrorKind::AlreadyExists.into())
        } else {
            system::mkfifo(path, 0o666)
        };
        let made = made.and_then(|()| match &change {
            Some(change) => system::chmod(path, change.apply(0o666, false, system::umask())),
            None => Ok(()),
        });
        if let Err(error) = made {
            complain(
                program,
                format_args!("cannot create fifo {}: {}", quoted(path), reason(&error)),
            );
            status = 1;
        }
    }
    status
}

const MKDIR_HELP: &str = "\
Usage: mkdir [OPTION]... DIRECTORY...
Create the DIRECTORY(ies), if they do not already exist.

  -m, --mode=MODE   set file mode (as in chmod), not a=rwx - umask
  -p, --parents     no error if existing, make parent directories as needed
  -v, --verbose     print a message for each created directory
";
