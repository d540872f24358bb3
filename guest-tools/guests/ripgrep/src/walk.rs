//! Which files are searched, and in which order.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ignore::overrides::{Override, OverrideBuilder};
use ignore::types::{Types, TypesBuilder};
use ignore::{DirEntry, WalkBuilder};

use crate::errors::Errors;
use crate::flags::{Flags, Mode, SortBy, TypeChange};

/// A file to be searched.
#[derive(Debug)]
pub(crate) struct Haystack {
    /// The path as it is opened.
    pub(crate) path: PathBuf,
    pub(crate) is_stdin: bool,
    /// It was named, not found.
    pub(crate) is_named: bool,
    /// Nobody named a path, so that `./` is not shown.
    is_implicit: bool,
}

impl Haystack {
    /// Returns the path as it is shown.
    pub(crate) fn shown(&self) -> &Path {
        if self.is_implicit {
            self.path.strip_prefix("./").unwrap_or(&self.path)
        } else {
            &self.path
        }
    }
}

/// Returns the files below the paths, in order.
pub(crate) fn haystacks<'a>(
    flags: &Flags,
    paths: &[String],
    is_implicit: bool,
    errors: &'a Errors,
) -> Result<Box<dyn Iterator<Item = Haystack> + 'a>, String> {
    let walk = builder(flags, paths, errors)?.build();
    let found = walk.filter_map(move |entry| match entry {
        Ok(entry) => haystack(&entry, is_implicit, errors),
        Err(error) => {
            errors.report(message(&error));
            None
        }
    });
    let by_time = match flags.sort {
        SortBy::None => return Ok(Box::new(found)),
        SortBy::Path if !flags.is_sort_reversed => return Ok(Box::new(found)),
        SortBy::Path => None,
        SortBy::Modified => Some(std::fs::Metadata::modified as Time),
        SortBy::Accessed => Some(std::fs::Metadata::accessed as Time),
        SortBy::Created => Some(std::fs::Metadata::created as Time),
    };
    let mut all: Vec<Haystack> = found.collect();
    match by_time {
        None => all.sort_by(|left, right| right.path.cmp(&left.path)),
        Some(time) => sort_by_time(&mut all, time, flags.is_sort_reversed),
    }
    Ok(Box::new(all.into_iter()))
}

/// Returns the message of an error without a path that is in it twice.
fn message(error: &ignore::Error) -> String {
    const AGAIN: &str = "IO error for operation on ";
    let text = error.to_string();
    // That of a path that was found is as the library has it.
    if error.depth().is_some_and(|depth| depth > 0) {
        return text;
    }
    let Some((path, rest)) = text.split_once(&format!(": {AGAIN}")) else {
        return text;
    };
    match rest.strip_prefix(&format!("{path}: ")) {
        Some(rest) => format!("{path}: {rest}"),
        None => text,
    }
}

type Time = fn(&std::fs::Metadata) -> std::io::Result<SystemTime>;

/// Sorts by a time; files without one come last.
fn sort_by_time(all: &mut [Haystack], time: Time, is_reversed: bool) {
    all.sort_by_cached_key(|haystack| {
        let time = haystack
            .path
            .metadata()
            .and_then(|metadata| time(&metadata));
        let key = time.ok().map(|time| {
            time.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default()
        });
        Key { key, is_reversed }
    });
}

#[derive(PartialEq, Eq)]
struct Key {
    key: Option<std::time::Duration>,
    is_reversed: bool,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.key, other.key) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(left), Some(right)) if self.is_reversed => right.cmp(&left),
            (Some(left), Some(right)) => left.cmp(&right),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn haystack(entry: &DirEntry, is_implicit: bool, errors: &Errors) -> Option<Haystack> {
    if let Some(error) = entry.error() {
        errors.report_ignore(error);
    }
    let is_named = entry.is_stdin() || (entry.depth() == 0 && !is_folder(entry));
    let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
    (is_named || is_file).then(|| Haystack {
        path: entry.path().to_owned(),
        is_stdin: entry.is_stdin(),
        is_named,
        is_implicit,
    })
}

/// Returns whether a path leads to a folder, also by a link.
fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
        || (entry.path_is_symlink() && entry.path().is_dir())
}

fn builder(flags: &Flags, paths: &[String], errors: &Errors) -> Result<WalkBuilder, String> {
    let mut paths = paths.iter();
    let mut builder = WalkBuilder::new(paths.next().map_or("./", String::as_str));
    for path in paths {
        builder.add(path);
    }
    if !flags.no_ignore_files {
        for path in &flags.ignore_files {
            if let Some(error) = builder.add_ignore(path) {
                errors.report_ignore(error);
            }
        }
    }
    builder
        .max_depth(flags.max_depth)
        .follow_links(flags.follow)
        .max_filesize(flags.max_filesize)
        .same_file_system(flags.one_file_system)
        .skip_stdout(flags.mode != Mode::Files)
        .overrides(overrides(flags)?)
        .types(types(flags)?)
        .hidden(!flags.hidden)
        .parents(!flags.no_ignore_parent)
        .ignore(!flags.no_ignore_dot)
        .git_global(!flags.no_ignore_vcs && !flags.no_ignore_global)
        .git_ignore(!flags.no_ignore_vcs)
        .git_exclude(!flags.no_ignore_vcs && !flags.no_ignore_exclude)
        .require_git(!flags.no_require_git)
        .ignore_case_insensitive(flags.ignore_files_ignore_case);
    if !flags.no_ignore_dot {
        builder.add_custom_ignore_filename(".rgignore");
    }
    // Always in order: so output is the same each time.
    builder.sort_by_file_name(std::ffi::OsStr::cmp);
    Ok(builder)
}

fn overrides(flags: &Flags) -> Result<Override, String> {
    if flags.globs.is_empty() && flags.iglobs.is_empty() {
        return Ok(Override::empty());
    }
    let here = String::from_utf8_lossy(&process::current_directory()).into_owned();
    let mut builder = OverrideBuilder::new(here);
    let failed = |error: ignore::Error| error.to_string();
    if flags.globs_ignore_case {
        builder.case_insensitive(true).map_err(failed)?;
    }
    for glob in &flags.globs {
        builder.add(glob).map_err(failed)?;
    }
    builder.case_insensitive(true).map_err(failed)?;
    for glob in &flags.iglobs {
        builder.add(glob).map_err(failed)?;
    }
    builder.build().map_err(failed)
}

/// Returns the globs of `--pre-glob`.
pub(crate) fn pre_globs(flags: &Flags) -> Result<Override, String> {
    let here = String::from_utf8_lossy(&process::current_directory()).into_owned();
    let mut builder = OverrideBuilder::new(here);
    for glob in &flags.pre_globs {
        builder.add(glob).map_err(|error| error.to_string())?;
    }
    builder.build().map_err(|error| error.to_string())
}

fn type_builder(flags: &Flags) -> Result<TypesBuilder, String> {
    let mut builder = TypesBuilder::new();
    builder.add_defaults();
    for change in &flags.types {
        match change {
            TypeChange::Clear(name) => {
                builder.clear(name);
            }
            TypeChange::Add(definition) => builder
                .add_def(definition)
                .map_err(|error| error.to_string())?,
            TypeChange::Select(name) => {
                builder.select(name);
            }
            TypeChange::Negate(name) => {
                builder.negate(name);
            }
        }
    }
    Ok(builder)
}

fn types(flags: &Flags) -> Result<Types, String> {
    type_builder(flags)?
        .build()
        .map_err(|error| error.to_string())
}

/// Returns the lines of `--type-list`.
pub(crate) fn type_list(flags: &Flags) -> Result<String, String> {
    let definitions = type_builder(flags)?.definitions();
    Ok(definitions
        .iter()
        .map(|definition| format!("{}: {}\n", definition.name(), definition.globs().join(", ")))
        .collect())
}
