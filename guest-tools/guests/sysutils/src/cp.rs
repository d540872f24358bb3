//! cp: copies files and trees.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::copy::backup::Backup;
use crate::copy::destination::{Wish, pairs};
use crate::copy::{Copy, Follow, Make, Overwrite, Settings};
use crate::quoting;
use crate::report;
use crate::system::{self, NewTime, stat};
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "a/archive attributes-only backup=? b copy-contents d f/force i/interactive H l/link \
    L/dereference n/no-clobber P/no-dereference p preserve=? no-preserve= parents R/recursive r reflink=? \
    remove-destination sparse= strip-trailing-slashes s/symbolic-link S/suffix= t/target-directory= \
    T/no-target-directory u/update v/verbose x/one-file-system Z context=?";

#[derive(Default)]
struct Wishes {
    follow: Option<Follow>,
    has_backup: bool,
    backup: Option<String>,
    suffix: Option<String>,
    strips: bool,
    destination: Wish,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return report::usage(program, message, 1),
    };
    let mut settings = Settings::new();
    let mut wishes = Wishes::default();
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option(name, value) => {
                if let Err(message) = option(name, value, &mut settings, &mut wishes) {
                    return report::usage(program, message, 1);
                }
            }
        }
    }
    // With -R links are copied as they are, unless something else was said.
    let makes_links = settings.make == Make::HardLink;
    let default = if settings.is_recursive || makes_links {
        Follow::Never
    } else {
        Follow::Always
    };
    settings.follow = wishes.follow.unwrap_or(default);
    if wishes.has_backup {
        match Backup::named(wishes.backup.as_deref(), wishes.suffix.as_deref()) {
            Some(backup) => settings.backup = backup,
            None => {
                let word = quoting::curly(wishes.backup.as_deref().unwrap_or(""));
                return report::usage(
                    program,
                    format_args!("invalid argument {word} for 'backup type'"),
                    1,
                );
            }
        }
    }
    if wishes.strips {
        for operand in &mut operands {
            let kept = operand.trim_end_matches('/').len().max(1);
            operand.truncate(kept);
        }
    }
    let has_parents = wishes.destination.has_parents;
    let pairs = match pairs(program, &wishes.destination, operands) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    let mut copy = Copy::new(program, settings);
    for (from, to) in pairs {
        if has_parents {
            let source = from.to_string_lossy().into_owned();
            let source = source.trim_matches('/');
            let Some(base) = to.to_str().and_then(|to| to.strip_suffix(source)) else {
                continue;
            };
            make_parents(&mut copy, Path::new(base), source);
        }
        copy.operand(&from, &to);
    }
    let flushed = io::stdout().flush();
    report::finish(program, flushed).max(u8::from(copy.has_failed))
}

fn option(
    name: &str,
    value: Option<String>,
    settings: &mut Settings,
    wishes: &mut Wishes,
) -> Result<(), String> {
    match name {
        "archive" => {
            settings.archive();
            wishes.follow = Some(Follow::Never);
        }
        "attributes-only" => settings.make = Make::Attributes,
        "backup" => (wishes.has_backup, wishes.backup) = (true, value),
        "b" => wishes.has_backup = true,
        "suffix" => (wishes.has_backup, wishes.suffix) = (true, value),
        "d" => (wishes.follow, settings.keeps_links) = (Some(Follow::Never), true),
        "force" => settings.force = true,
        "interactive" => settings.overwrite = Overwrite::Ask,
        "no-clobber" => settings.overwrite = Overwrite::Never,
        "H" => wishes.follow = Some(Follow::Operands),
        "dereference" => wishes.follow = Some(Follow::Always),
        "no-dereference" => wishes.follow = Some(Follow::Never),
        "link" => settings.make = Make::HardLink,
        "symbolic-link" => settings.make = Make::Symlink,
        "p" => keep(settings, "mode,timestamps", true)?,
        "preserve" => keep(
            settings,
            value.as_deref().unwrap_or("mode,timestamps"),
            true,
        )?,
        "no-preserve" => keep(settings, value.as_deref().unwrap_or(""), false)?,
        "parents" => wishes.destination.has_parents = true,
        "recursive" | "r" => settings.is_recursive = true,
        "remove-destination" => settings.removes_destination = true,
        "strip-trailing-slashes" => wishes.strips = true,
        "target-directory" => wishes.destination.folder = value,
        "no-target-directory" => wishes.destination.is_plain = true,
        "update" => settings.only_newer = true,
        "verbose" => settings.is_verbose = true,
        "one-file-system" => settings.stays_on_device = true,
        // Whether blocks are shared or left out changes no content.
        _ => {}
    }
    Ok(())
}

fn keep(settings: &mut Settings, list: &str, keeps: bool) -> Result<(), String> {
    for word in list.split(',') {
        match word {
            "mode" => (settings.keeps_mode, settings.ignores_mode) = (keeps, !keeps),
            "timestamps" => settings.keeps_times = keeps,
            "links" => settings.keeps_links = keeps,
            "all" => {
                keep(settings, "mode,timestamps,links", keeps)?;
            }
            // One user owns all; there are no contexts and no extended attributes.
            "ownership" | "context" | "xattr" => {}
            _ => {
                const VALID: [&str; 7] = [
                    "mode",
                    "timestamps",
                    "ownership",
                    "links",
                    "context",
                    "xattr",
                    "all",
                ];
                let option = if keeps { "--preserve" } else { "--no-preserve" };
                return Err(format!(
                    "invalid argument {} for {}\nValid arguments are:{}",
                    quoting::curly(word),
                    quoting::curly(option),
                    VALID
                        .map(|word| format!("\n  - {}", quoting::curly(word)))
                        .concat()
                ));
            }
        }
    }
    Ok(())
}

/// Makes the folders of a source's path below the destination, as the source has them.
fn make_parents(copy: &mut Copy<'_>, base: &Path, source: &str) {
    let mut made = String::new();
    let parents = source.rsplit_once('/').map_or("", |(parents, _)| parents);
    for part in parents.split('/').filter(|part| !part.is_empty()) {
        if !made.is_empty() {
            made.push('/');
        }
        made.push_str(part);
        let to = base.join(&made);
        if fs::create_dir(&to).is_err() {
            continue;
        }
        if copy.settings.is_verbose {
            println!("{made} -> {}", to.display());
        }
        if let Ok(status) = stat(Path::new(&made), true) {
            let mode = if copy.settings.keeps_mode {
                status.mode
            } else {
                status.mode & 0o777 & !copy.settings.umask
            };
            let _ = system::chmod(&to, mode);
            if copy.settings.keeps_times {
                let _ = system::set_times(
                    &to,
                    NewTime::At(status.accessed),
                    NewTime::At(status.modified),
                    true,
                );
            }
        }
    }
}

const HELP: &str = "\
Usage: cp [OPTION]... [-T] SOURCE DEST
  or:  cp [OPTION]... SOURCE... DIRECTORY
  or:  cp [OPTION]... -t DIRECTORY SOURCE...
Copy SOURCE to DEST, or multiple SOURCE(s) to DIRECTORY.

  -a, --archive                same as -dR --preserve=all
      --attributes-only        don't copy the file data, just the attributes
      --backup[=CONTROL], -b   make a backup of each existing destination file
  -d                           same as --no-dereference --preserve=links
  -f, --force                  if an existing destination file cannot be opened, remove it and try again
  -i, --interactive            prompt before overwrite
  -H, -L, -P                   follow symbolic links in SOURCE: command line, all, none
  -l, --link                   hard link files instead of copying
  -n, --no-clobber             do not overwrite an existing file
  -p, --preserve[=ATTR_LIST]   preserve mode, ownership, timestamps, links, all
      --no-preserve=ATTR_LIST
      --parents                use full source file name under DIRECTORY
  -R, -r, --recursive          copy directories recursively
      --remove-destination     remove each existing destination file before
      --strip-trailing-slashes
  -s, --symbolic-link          make symbolic links instead of copying
  -S, --suffix=SUFFIX          override the usual backup suffix
  -t, --target-directory=DIRECTORY; -T, --no-target-directory
  -u, --update                 copy only when the SOURCE file is newer
  -v, --verbose                explain what is being done
  -x, --one-file-system        stay on this file system
";
