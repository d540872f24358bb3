//! Changing an archive that is there: `r`, `u`, `A` and `--delete`. Only plain files can be changed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;

use super::block::BLOCK;
use super::create::Creator;
use super::entry::Time;
use super::input::{Reader, Source};
use super::open;
use super::output::{Sink, Writer};
use super::report::{Fatal, Report};
use super::select::Selection;
use super::settings::{Action, Settings};

/// Opens the archive to read; what is compressed is refused.
fn plain(settings: &Settings, report: &Rc<Report>) -> Result<Reader, Fatal> {
    if settings.archive == "-" {
        let source = open::source(settings, "-")?;
        return Ok(Reader::new(
            source,
            Rc::clone(report),
            settings.ignore_zeros,
        ));
    }
    let source = open::source(settings, &settings.archive)?;
    if matches!(source, Source::Stream(_)) {
        return Err(Fatal::new("Cannot update compressed archives"));
    }
    let mut reader = Reader::new(source, Rc::clone(report), settings.ignore_zeros);
    reader.may_be_empty = true;
    Ok(reader)
}

fn opened(settings: &Settings) -> Result<File, Fatal> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&settings.archive)
        .map_err(|error| Fatal::open(settings.archive.as_bytes(), &error))
}

/// Returns a writer at the archive's end.
fn appender(settings: &Settings, blocks: u64) -> Result<Writer, Fatal> {
    let mut file = opened(settings)?;
    let length = blocks * BLOCK as u64;
    file.seek(SeekFrom::Start(length))?;
    let mut writer = Writer::new(
        Sink::Plain(Box::new(file)),
        settings.dialect,
        settings.record_bytes,
        settings.deleted_records.clone(),
    );
    writer.starts_at(length);
    Ok(writer)
}

/// `r` and `u`.
pub(crate) fn append(settings: &Settings, report: &Rc<Report>) -> Result<u64, Fatal> {
    if settings.archive == "-" {
        return Err(Fatal::new("Options '-Aru' are incompatible with '-f -'"));
    }
    drop(opened(settings)?);
    let mut reader = plain(settings, report)?;
    let mut known = BTreeMap::<Vec<u8>, Time>::new();
    while let Some(entry) = reader.next_entry()? {
        if settings.action == Action::Update {
            let name = entry.name.strip_suffix(b"/").unwrap_or(&entry.name);
            let newest = known.entry(name.to_vec()).or_insert(entry.modified);
            *newest = (*newest).max(entry.modified);
        }
    }
    let end = reader.end.unwrap_or(0);
    drop(reader);
    let known = (settings.action == Action::Update).then_some(known);
    let mut creator = Creator::new(settings, report, appender(settings, end)?, known);
    creator.all()?;
    creator.finish()
}

/// `A`: the operands are archives, whose members are added.
pub(crate) fn concatenate(settings: &Settings, report: &Rc<Report>) -> Result<(), Fatal> {
    if settings.archive == "-" {
        return Err(Fatal::new("Options '-Aru' are incompatible with '-f -'"));
    }
    drop(opened(settings)?);
    let mut reader = plain(settings, report)?;
    while reader.next_entry()?.is_some() {}
    let mut writer = appender(settings, reader.end.unwrap_or(0))?;
    drop(reader);
    for name in &settings.names {
        let archive = name.folder.join(super::names::path(&name.name)?);
        let length = members(settings, report, &archive)?;
        let mut file = File::open(&archive).map_err(|error| Fatal::open(&name.name, &error))?;
        let mut left = length;
        let mut buffer = vec![0; 65_536];
        while left > 0 {
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let place = buffer.get_mut(..wanted).unwrap_or_default();
            file.read_exact(place)?;
            writer.bytes(place)?;
            left -= wanted as u64;
        }
    }
    writer.finish()?;
    Ok(())
}

/// Returns how many bytes of an archive are members.
fn members(settings: &Settings, report: &Rc<Report>, archive: &Path) -> Result<u64, Fatal> {
    let name = archive.to_string_lossy();
    let source = open::source(settings, &name)?;
    if matches!(source, Source::Stream(_)) {
        return Err(Fatal::new("Cannot update compressed archives"));
    }
    let mut reader = Reader::new(source, Rc::clone(report), settings.ignore_zeros);
    while reader.next_entry()?.is_some() {}
    Ok(reader.end.unwrap_or(0) * BLOCK as u64)
}

/// `--delete`: what is kept moves to the front, in place.
pub(crate) fn delete(settings: &Settings, report: &Rc<Report>) -> Result<(), Fatal> {
    if settings.archive == "-" {
        return Err(Fatal::new(
            "--delete from the standard input is not supported",
        ));
    }
    let mut reader = plain(settings, report)?;
    let selection = Selection::new(settings);
    // Ranges of blocks that stay.
    let mut kept: Vec<(u64, u64)> = Vec::new();
    let mut last: Option<u64> = None;
    loop {
        let entry = reader.next_entry()?;
        let at = match &entry {
            Some(entry) => entry.block,
            None => reader.end.unwrap_or(0),
        };
        if let Some(start) = last.take() {
            match kept.last_mut() {
                Some((_, end)) if *end == start => *end = at,
                _ => kept.push((start, at)),
            }
        }
        let Some(entry) = entry else {
            break;
        };
        if selection.find(&entry.name).is_none() || settings.names.is_empty() {
            last = Some(entry.block);
        }
    }
    drop(reader);
    selection.finish(report);
    let mut file = opened(settings)?;
    let length = shift(&mut file, &kept)?;
    let mut writer = Writer::new(
        Sink::Plain(Box::new(file)),
        settings.dialect,
        settings.record_bytes,
        Vec::new(),
    );
    writer.starts_at(length);
    let length = writer.finish()?;
    let file = opened(settings)?;
    file.set_len(length)?;
    Ok(())
}

/// Moves ranges of blocks to the front of a file and stays behind them. Returns how many bytes that are.
fn shift(file: &mut File, kept: &[(u64, u64)]) -> io::Result<u64> {
    let mut buffer = vec![0; 65_536];
    let mut to = 0;
    for (start, end) in kept {
        let (mut from, end) = (start * BLOCK as u64, end * BLOCK as u64);
        if from == to {
            to = end;
            continue;
        }
        while from < end {
            let wanted = usize::try_from(end - from)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let place = buffer.get_mut(..wanted).unwrap_or_default();
            file.seek(SeekFrom::Start(from))?;
            file.read_exact(place)?;
            file.seek(SeekFrom::Start(to))?;
            file.write_all(place)?;
            from += wanted as u64;
            to += wanted as u64;
        }
    }
    file.seek(SeekFrom::Start(to))?;
    Ok(to)
}
