//! Where the operands of cp, mv and install go: to the last one, or into it if that is a folder.

use std::path::{Path, PathBuf};

use crate::quoting;
use crate::report::{complain, usage};
use crate::system::{Facts, stat};

/// What the options say about the destination.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// `-t`
    pub(crate) folder: Option<String>,
    /// `-T`: the last operand is no folder to copy into.
    pub(crate) is_plain: bool,
    /// `--parents`: below the folder, the source's whole path.
    pub(crate) has_parents: bool,
}

/// Pairs each source with its destination. The error is the status to end with.
pub(crate) fn pairs(
    program: &str,
    wish: &Wish,
    mut operands: Vec<String>,
) -> Result<Vec<(PathBuf, PathBuf)>, u8> {
    if operands.is_empty() {
        return Err(usage(program, "missing file operand", 1));
    }
    if let Some(folder) = &wish.folder {
        if wish.is_plain {
            complain(
                program,
                "cannot combine --target-directory (-t) and --no-target-directory (-T)",
            );
            return Err(1);
        }
        check_folder(program, folder, "target directory ")?;
        return Ok(into(folder, operands, wish.has_parents));
    }
    let last = match operands.pop() {
        Some(last) if !operands.is_empty() => last,
        last => {
            let name = quoting::quoted(&last.unwrap_or_default());
            return Err(usage(
                program,
                format_args!("missing destination file operand after {name}"),
                1,
            ));
        }
    };
    if wish.is_plain {
        if let Some(extra) = operands.get(1) {
            return Err(usage(
                program,
                format_args!("extra operand {}", quoting::curly(extra)),
                1,
            ));
        }
        return Ok(operands
            .into_iter()
            .map(|from| (from.into(), PathBuf::from(&last)))
            .collect());
    }
    if stat(Path::new(&last), true).is_ok_and(|status| status.is_directory()) {
        return Ok(into(&last, operands, wish.has_parents));
    }
    if wish.has_parents {
        let message = "with --parents, the destination must be a directory";
        return Err(usage(program, message, 1));
    }
    if operands.len() > 1 {
        check_folder(program, &last, "target ")?;
    }
    Ok(operands
        .into_iter()
        .map(|from| (from.into(), PathBuf::from(&last)))
        .collect())
}

fn check_folder(program: &str, folder: &str, what: &str) -> Result<(), u8> {
    let problem = match stat(Path::new(folder), true) {
        Ok(status) if status.is_directory() => return Ok(()),
        Ok(_) => "Not a directory".to_owned(),
        Err(error) => crate::report::reason(&error),
    };
    complain(
        program,
        format_args!("{what}{}: {problem}", quoting::quoted(folder)),
    );
    Err(1)
}

fn into(folder: &str, operands: Vec<String>, has_parents: bool) -> Vec<(PathBuf, PathBuf)> {
    let place = |from: String| {
        let trimmed = from.trim_end_matches('/');
        let trimmed = if trimmed.is_empty() { "/" } else { trimmed };
        let name = if has_parents {
            trimmed.trim_start_matches('/')
        } else {
            match trimmed.rsplit('/').next() {
                // `d/.` is all that is in d: its name adds nothing.
                Some(".." | ".") => "",
                Some(name) => name,
                None => trimmed,
            }
        };
        let to = if name.is_empty() {
            PathBuf::from(folder)
        } else {
            join(folder, name)
        };
        (PathBuf::from(from), to)
    };
    operands.into_iter().map(place).collect()
}

/// Joins as the GNU tools show it: without doubling a slash.
fn join(folder: &str, name: &str) -> PathBuf {
    let slash = if folder.ends_with('/') { "" } else { "/" };
    PathBuf::from(format!("{folder}{slash}{name}"))
}
