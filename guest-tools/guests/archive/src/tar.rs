//! `tar`, as GNU tar 1.34 has it: archives are made, listed, unpacked, compared and changed.
//!
//! One member after the other passes through a buffer of fixed size. Deliberately absent: archives of several
//! volumes and incremental dumps.

mod arguments;
mod block;
mod compare;
mod create;
mod edit;
mod entry;
mod extract;
mod input;
mod list;
mod names;
mod open;
mod option_names;
mod output;
mod patterns;
mod pax;
mod report;
mod select;
mod settings;
mod transform;
mod usage;

use std::io::Write as _;
use std::rc::Rc;
use std::time::Instant;

use arguments::Asked;
use compare::Comparison;
use create::{Creator, check_folder};
use entry::{Entry, Kind, Time};
use extract::Extractor;
use list::Listing;
use report::{Fatal, Report, quoted};
use select::Selection;
use settings::{Action, Settings};

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
        Err(fatal) => return fatal.tell(),
    };
    let report = Rc::new(Report::default());
    let started = Instant::now();
    let outcome = work(&settings, &report);
    let flushed = std::io::stdout().flush();
    match outcome {
        Ok((verb, bytes)) => {
            if let Err(error) = flushed {
                report.error(&format!("-: Cannot write: {}", process::message(&error)));
            }
            checkpoints(&settings, verb, bytes);
            if settings.totals {
                totals(verb, bytes, started);
            }
            report.finish()
        }
        Err(fatal) => fatal.tell(),
    }
}

/// Does what is asked. Returns whether that was reading or writing, and how many bytes.
fn work(settings: &Settings, report: &Rc<Report>) -> Result<(&'static str, u64), Fatal> {
    match settings.action {
        Action::Create => {
            let written = create(settings, report)?;
            if settings.verify {
                read(settings, report)?;
            }
            Ok(("written", written))
        }
        Action::Append | Action::Update => Ok(("written", edit::append(settings, report)?)),
        Action::Concatenate => edit::concatenate(settings, report).map(|()| ("written", 0)),
        Action::Delete => edit::delete(settings, report).map(|()| ("written", 0)),
        Action::Extract | Action::List | Action::Compare => Ok(("read", read(settings, report)?)),
        Action::TestLabel => test_label(settings, report).map(|()| ("read", 0)),
    }
}

fn create(settings: &Settings, report: &Rc<Report>) -> Result<u64, Fatal> {
    let writer = open::writer(settings)?;
    let mut creator = Creator::new(settings, report, writer, None);
    if let Some(label) = &settings.label {
        let mut entry = Entry::new(label.as_bytes().to_vec(), Kind::Label);
        let (seconds, _) = crate::times::now();
        entry.modified = Time {
            seconds,
            nanoseconds: 0,
        };
        // A label always fits: nothing else is in its header.
        let _ = creator.writer.header(&entry)?;
    }
    creator.all()?;
    creator.finish()
}

/// Reads an archive to list, unpack or compare it.
fn read(settings: &Settings, report: &Rc<Report>) -> Result<u64, Fatal> {
    let mut reader = open::reader(settings, report)?;
    if settings.action != Action::List {
        check_folder(&settings.folder)?;
        for name in &settings.names {
            check_folder(&name.folder)?;
        }
    }
    let verifies = settings.action == Action::Create;
    let listing = Listing::new(false);
    let safe = names::Safe::default();
    let mut extractor = Extractor::new(settings, report);
    let comparison = Comparison::new(settings, report, verifies);
    let selection = Selection::new(settings);
    let mut ended = Ok(());
    while !selection.is_done() {
        let entry = match reader.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(fatal) => {
                ended = Err(fatal);
                break;
            }
        };
        let folder = if verifies {
            Some(settings.folder.as_path())
        } else {
            selection.find(&entry.name)
        };
        let Some(folder) = folder else {
            continue;
        };
        let outcome = match settings.action {
            Action::Extract => extractor.member(&mut reader, &entry, folder),
            Action::List => list(settings, &listing, &safe, &entry, report),
            _ => comparison.member(&mut reader, &entry, folder),
        };
        if outcome.is_err() {
            ended = outcome;
            break;
        }
    }
    // Also after a failure: what is there shall be as it was packed.
    extractor.end();
    ended?;
    if settings.block_number
        && let Some(end) = reader.end
    {
        listing.line(&format!("block {end}: ** Block of NULs **"))?;
    }
    reader.drain()?;
    if !verifies {
        selection.finish(report);
    }
    let blocks = reader.block();
    Ok((blocks * block::BLOCK as u64).next_multiple_of(settings.record_bytes))
}

fn list(
    settings: &Settings,
    listing: &Listing,
    safe: &names::Safe,
    entry: &Entry,
    report: &Report,
) -> Result<(), Fatal> {
    let changed = transform::apply(&settings.transforms, &entry.name, transform::Which::Member);
    let local = if settings.absolute {
        changed
    } else {
        safe.name(&changed, false, report).into_owned()
    };
    let local = if settings.strip > 0 {
        match names::strip(&local, settings.strip) {
            Some(local) => local.to_vec(),
            None if entry.is_directory() => b"/".to_vec(),
            None => Vec::new(),
        }
    } else {
        local
    };
    let shown = if settings.show_transformed {
        &local
    } else {
        &entry.name
    };
    listing.show(settings, entry, shown, settings.verbose)?;
    Ok(())
}

fn test_label(settings: &Settings, report: &Rc<Report>) -> Result<(), Fatal> {
    let mut reader = open::reader(settings, report)?;
    let label = reader
        .next_entry()?
        .filter(|entry| entry.kind == Kind::Label);
    let Some(label) = label else {
        return Ok(());
    };
    if settings.names.is_empty() {
        println!("{}", quoted(&label.name));
    } else if settings.names.iter().all(|name| name.name != label.name) {
        report.differs();
    }
    Ok(())
}

fn checkpoints(settings: &Settings, verb: &str, bytes: u64) {
    let Some(every) = settings.checkpoint else {
        return;
    };
    let records = bytes / settings.record_bytes;
    let word = if verb == "written" { "Write" } else { "Read" };
    for number in (1..=records).filter(|number| number % every == 0) {
        if settings.checkpoint_actions.is_empty() {
            eprintln!("tar: {word} checkpoint {number}");
        }
        for action in &settings.checkpoint_actions {
            match action.split_once('=').unwrap_or((action, "")) {
                ("dot" | ".", _) => print!("."),
                ("echo", "") => eprintln!("tar: {word} checkpoint {number}"),
                ("echo", text) => {
                    let text = text.replace("%u", &number.to_string());
                    eprintln!("tar: {}", text.replace("%s", &word.to_lowercase()));
                }
                _ => {}
            }
        }
    }
}

fn totals(verb: &str, bytes: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    let speed = bytes as f64 / seconds.max(1e-6);
    eprintln!(
        "Total bytes {verb}: {bytes} ({}, {}/s)",
        human(bytes as f64),
        human(speed)
    );
}

/// Shows an amount as GNU's `human_readable` does: rounded up, one digit if that is all there is.
fn human(bytes: f64) -> String {
    let mut value = bytes;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let tenths = (value * 10.0).ceil() / 10.0;
    if unit == "B" || tenths >= 10.0 {
        format!("{}{unit}", value.ceil())
    } else {
        format!("{tenths:.1}{unit}")
    }
}
