//! `zip`, as Info-ZIP's zip 3.0 has it.
//!
//! A zip file is written anew beside the old one and takes its place when it is whole. Deliberately absent:
//! encryption and archives of several volumes.

pub(crate) mod archive;
mod arguments;
mod files;
pub(crate) mod record;
mod test;
mod usage;
mod write;

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Write as _};

use archive::{Archive, Problem, shown};
use arguments::{Action, Asked, Settings};
use files::Found;
use record::Member;
use write::Output;

/// Why zip ends.
pub(crate) struct Failure {
    text: String,
    status: u8,
}

impl Failure {
    fn new(status: u8, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status,
        }
    }

    fn arguments(text: impl AsRef<str>) -> Self {
        Self::new(16, format!("Invalid command arguments ({})", text.as_ref()))
    }

    fn nothing(settings: &Settings) -> Self {
        Self::new(12, format!("Nothing to do! ({})", settings.archive))
    }

    fn write(settings: &Settings, error: &io::Error) -> Self {
        let error = process::message(error);
        Self::new(
            14,
            format!("Output file write failure ({}: {error})", settings.archive),
        )
    }
}

/// Runs the program.
pub(crate) fn run(_: &str, words: &[String]) -> u8 {
    let settings = match arguments::read(words) {
        Ok(Asked::Work(settings)) => settings,
        Ok(Asked::Help) => {
            print!("{}", usage::HELP);
            return 0;
        }
        Ok(Asked::Version) => {
            print!("{}", usage::VERSION);
            return 0;
        }
        Err(failure) => {
            eprintln!("\nzip error: {}", failure.text);
            return failure.status;
        }
    };
    match work(&settings) {
        Ok(status) => status,
        Err(failure) => {
            if !failure.text.is_empty() {
                say(&settings, &format!("\nzip error: {}", failure.text));
            }
            failure.status
        }
    }
}

/// Writes a line where zip talks: on the standard output, unless that is the archive.
fn say(settings: &Settings, text: &str) {
    if settings.to_stdout() {
        eprintln!("{text}");
    } else {
        // What cannot be said is no failure of the archive.
        let _ = writeln!(io::stdout(), "{text}");
    }
}

fn warn(settings: &Settings, text: &str) {
    say(settings, &format!("\tzip warning: {text}"));
}

/// What becomes of a member that is there.
enum Fate {
    Kept,
    Replaced(Found),
    Deleted,
}

fn old(settings: &Settings) -> Result<Option<Archive>, Failure> {
    if settings.archive == "-" || process::stat(&settings.archive, true).is_err() {
        return Ok(None);
    }
    match Archive::open(&settings.archive) {
        Ok(archive) => Ok(Some(archive)),
        Err(Problem::Io(error)) => {
            let error = process::message(&error);
            Err(Failure::new(
                15,
                format!(
                    "Could not create output file ({}: {error})",
                    settings.archive
                ),
            ))
        }
        // An empty file is an archive of nothing.
        Err(_) if process::stat(&settings.archive, true).is_ok_and(|stat| stat.size == 0) => {
            Ok(None)
        }
        Err(_) => {
            for line in [
                "missing end signature--probably not a zip file (did you",
                "remember to use binary mode when you transferred it?)",
                "(if you are trying to read a damaged archive try -F)",
            ] {
                warn(settings, line);
            }
            Err(Failure::new(
                3,
                format!("Zip file structure invalid ({})", settings.archive),
            ))
        }
    }
}

fn work(settings: &Settings) -> Result<u8, Failure> {
    let old = old(settings)?;
    let members: &[Member] = old.as_ref().map_or(&[], |old| old.members.as_slice());
    if settings.shows_files {
        show_files(members);
        return Ok(0);
    }
    if settings.adjusts {
        say(settings, "Zip entry offsets do not need adjusting");
        return Ok(0);
    }
    let has_files = !settings.names.is_empty() || settings.names_from_input;
    if !has_files && settings.tests && !settings.comments {
        return test::run(settings);
    }
    let is_new = old.is_none();
    if is_new
        && matches!(
            settings.action,
            Action::Update | Action::Freshen | Action::Delete
        )
    {
        warn(
            settings,
            &format!("{} not found or empty", settings.archive),
        );
    }
    let comment = if settings.comments {
        Some(read_comment())
    } else {
        None
    };
    let mut found = Vec::new();
    let mut status = 0;
    if settings.action != Action::Delete {
        let names = if settings.action == Action::Freshen && !has_files {
            let names = members.iter().map(|member| member.name.clone());
            names.filter(|name| files::is_there(name)).collect()
        } else {
            settings.all_names()?
        };
        found = files::find(settings, &names, &mut status);
    }
    let (fates, new) = decide(settings, members, found)?;
    let is_changed = !new.is_empty() || fates.iter().any(|fate| !matches!(fate, Fate::Kept));
    if !is_changed && comment.is_none() && settings.output.is_none() {
        if matches!(settings.action, Action::Update | Action::Freshen) && !is_new {
            return Ok(12);
        }
        if settings.sync {
            say(settings, "Archive is current");
            return Ok(0);
        }
        return Err(Failure::nothing(settings));
    }
    status = write_all(settings, old.as_ref(), fates, new, comment, status)?;
    if settings.tests {
        let tested = test::run(settings)?;
        status = status.max(tested);
    }
    Ok(status)
}

/// Finds out what becomes of each member, and what is new.
fn decide(
    settings: &Settings,
    members: &[Member],
    found: Vec<Found>,
) -> Result<(Vec<Fate>, Vec<Found>), Failure> {
    if settings.action == Action::Delete {
        let mut matched = vec![false; settings.patterns.len()];
        let fates: Vec<Fate> = members
            .iter()
            .map(|member| {
                let mut is_meant = false;
                for (pattern, matched) in settings.patterns.iter().zip(&mut matched) {
                    if pattern.matches(&member.name) {
                        *matched = true;
                        is_meant = true;
                    }
                }
                if is_meant && settings.takes(&member.name) {
                    Fate::Deleted
                } else {
                    Fate::Kept
                }
            })
            .collect();
        for (name, matched) in settings.names.iter().zip(matched) {
            if !matched && settings.quiet == 0 {
                warn(settings, &format!("name not matched: {name}"));
            }
        }
        return Ok((fates, Vec::new()));
    }
    let mut by_name: BTreeMap<Vec<u8>, Found> = BTreeMap::new();
    let mut order = Vec::new();
    for file in found {
        match by_name.get(&file.name) {
            None => {
                order.push(file.name.clone());
                by_name.insert(file.name.clone(), file);
            }
            Some(before) if before.path != file.path => {
                return Err(Failure::arguments(format!(
                    "cannot repeat names in zip file: {}",
                    String::from_utf8_lossy(&file.name)
                )));
            }
            Some(_) => {}
        }
    }
    let mut fates = Vec::new();
    for member in members {
        let Some(file) = by_name.remove(&member.name) else {
            fates.push(if settings.sync {
                Fate::Deleted
            } else {
                Fate::Kept
            });
            continue;
        };
        let modified = file.modified.seconds;
        let is_kept = match settings.action {
            // DOS's seconds are even.
            Action::Update | Action::Freshen => modified <= member.seconds(),
            _ => {
                let is_same = file.size == member.size || member.is_folder();
                settings.sync && modified == member.seconds() && is_same
            }
        };
        fates.push(if is_kept {
            Fate::Kept
        } else {
            Fate::Replaced(file)
        });
    }
    let new = if settings.action == Action::Freshen {
        Vec::new()
    } else {
        order
            .into_iter()
            .filter_map(|name| by_name.remove(&name))
            .collect()
    };
    Ok((fates, new))
}

fn write_all(
    settings: &Settings,
    old: Option<&Archive>,
    fates: Vec<Fate>,
    new: Vec<Found>,
    comment: Option<Vec<u8>>,
    mut status: u8,
) -> Result<u8, Failure> {
    let failed = |error: io::Error| Failure::write(settings, &error);
    let mut output = Output::create(settings)?;
    let mut done: Vec<Found> = Vec::new();
    let members = old.map_or(&[][..], |old| old.members.as_slice());
    let mut kept = 0;
    for (member, fate) in members.iter().zip(fates) {
        match fate {
            Fate::Deleted => {
                if settings.quiet == 0 {
                    let name = shown(&member.name);
                    say(
                        settings,
                        &format!("deleting: {}", String::from_utf8_lossy(&name)),
                    );
                }
            }
            Fate::Kept => {
                if let Some(old) = old {
                    output.copy(old, member).map_err(failed)?;
                }
                kept += 1;
            }
            Fate::Replaced(file) => {
                if output.add(&file, "updating").map_err(failed)? {
                    kept += 1;
                    done.push(file);
                } else {
                    status = 18;
                }
            }
        }
    }
    for file in new {
        if output.add(&file, "  adding").map_err(failed)? {
            kept += 1;
            done.push(file);
        } else {
            status = 18;
        }
    }
    let comment = comment.unwrap_or_else(|| old.map_or_else(Vec::new, |old| old.comment.clone()));
    if kept == 0 && status == 18 {
        output.abandon();
        return Err(Failure::nothing(settings));
    }
    if kept == 0 {
        warn(settings, "zip file empty");
    }
    output.finish(&comment).map_err(failed)?;
    if settings.moves {
        files::remove(settings, &done);
    }
    Ok(status)
}

fn read_comment() -> Vec<u8> {
    println!("enter new zip file comment (end with .):");
    let mut lines: Vec<String> = Vec::new();
    for line in io::stdin().lock().lines() {
        match line {
            Ok(line) if line != "." => lines.push(line),
            _ => break,
        }
    }
    lines.join("\r\n").into_bytes()
}

fn show_files(members: &[Member]) {
    println!("Archive contains:");
    for member in members {
        println!("  {}", String::from_utf8_lossy(&shown(&member.name)));
    }
    let total: u64 = members.iter().map(|member| member.size).sum();
    let plural = if members.len() == 1 {
        "entry"
    } else {
        "entries"
    };
    println!("Total {} {plural} ({total} bytes)", members.len());
}
