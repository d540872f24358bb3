//! One file after the other: where a result goes, and that nothing is lost on the way.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::rc::Rc;

use process::{Kind, Stat};

use super::words::{self, Failure};
use super::{Program, Request, list, suffix};
use crate::codec::{self, Compressor, Counted, Format, How};
use crate::gzip;

/// Sizes before and after of all files that were done.
#[derive(Default)]
struct Totals {
    files: u64,
    input: u64,
    output: u64,
}

/// How big a file was and became.
struct Sizes {
    input: u64,
    output: u64,
    /// Of a gzip file what is no data.
    frame: u64,
}

/// Does all operands and returns the exit status.
pub(super) fn all(request: &Request, operands: &[String]) -> u8 {
    if request.list {
        return list::all(request, operands);
    }
    let mut status = 0;
    let mut totals = Totals::default();
    let mut rest: Vec<String> = operands.iter().rev().cloned().collect();
    // For bzip2, which lines up what it says.
    let width = operands.iter().map(String::len).fold(7, usize::max);
    while let Some(path) = rest.pop() {
        if request.recursive && path != "-" && is_folder(&path) {
            status = worse(status, enter(request, &path, &mut rest));
            continue;
        }
        let outcome = one(request, &path, width, operands.len() > 1, &mut totals);
        if let Err(failure) = outcome {
            status = worse(status, words::tell(request, &failure));
            if failure.is_last {
                return status;
            }
        }
    }
    if request.program == Program::Zstd && totals.files > 1 && says_sizes(request) {
        summary(request, &totals);
    }
    status
}

fn is_folder(path: &str) -> bool {
    process::stat(path, true).is_ok_and(|stat| stat.kind == Kind::Directory)
}

/// Puts what is in a folder before what is left to do.
fn enter(request: &Request, path: &str, rest: &mut Vec<String>) -> u8 {
    let names = std::fs::read_dir(path).and_then(|listing| {
        listing
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<String>>>()
    });
    match names {
        Ok(mut names) => {
            names.sort();
            let folder = path.trim_end_matches('/');
            rest.extend(names.iter().rev().map(|name| format!("{folder}/{name}")));
            0
        }
        Err(error) => words::tell(request, &words::missing(request, path, &error)),
    }
}

/// A warning (2) does not hide an error (1) of gzip; with the others the worst counts.
fn worse(one: u8, other: u8) -> u8 {
    if one == 1 || other == 1 {
        1
    } else {
        one.max(other)
    }
}

fn says_sizes(request: &Request) -> bool {
    request.quiet == 0 && !request.standard_output && !request.test
}

fn summary(request: &Request, totals: &Totals) {
    if request.decompress {
        eprintln!(
            "{} files decompressed : {:6} bytes total ",
            totals.files, totals.output
        );
        return;
    }
    eprintln!(
        "{:3} files compressed : {} ({} => {})",
        totals.files,
        percent(totals.output, totals.input),
        list::human(totals.input, 4),
        list::human(totals.output, 4),
    );
}

/// Returns zstd's ratio.
fn percent(part: u64, whole: u64) -> String {
    format!("{:.2}%", part as f64 / whole as f64 * 100.0)
}

fn one(
    request: &Request,
    path: &str,
    width: usize,
    has_others: bool,
    totals: &mut Totals,
) -> Result<(), Failure> {
    let (path, stat) = find(request, path)?;
    let path = path.as_str();
    let to_output = request.standard_output || (path == "-" && request.output.is_none());
    let target = match (&request.output, request.decompress) {
        _ if to_output || request.test => None,
        (Some(output), _) => Some(output.clone()),
        (None, false) => match packed_name(request, path)? {
            Some(name) => Some(name),
            None => return Ok(()),
        },
        (None, true) => match plain_name(request, path)? {
            Some(name) => Some(name),
            None => return Ok(()),
        },
    };
    let mut source = codec::open(path).map_err(|error| words::missing(request, path, &error))?;
    let shown = match (path, request.program) {
        ("-", Program::Gzip) => "stdin",
        ("-", Program::Zstd) => "/*stdin*\\",
        ("-", _) => "(stdin)",
        _ => path,
    };
    let target = target.map(|name| named_inside(request, name, &mut source));
    let header = header(request, path, stat.as_ref());
    if target.is_none() && request.program == Program::Bzip2 && request.test && request.verbose > 0
    {
        eprint!("  {path}: {:1$}", "", width.saturating_sub(path.len()));
    }
    let work = Work {
        request,
        shown,
        header,
    };
    let sizes = match &target {
        None if request.test => work.run(&mut source, io::sink(), None),
        None => work.run(&mut source, codec::standard_output(), None),
        Some(target) => work.to_file(&mut source, target, path),
    }?;
    if let Some(target) = &target
        && path != "-"
    {
        if let Some(stat) = &stat {
            keep_attributes(stat, target);
        }
        if !request.keep {
            std::fs::remove_file(path).map_err(|error| words::missing(request, path, &error))?;
        }
    }
    totals.files += 1;
    totals.input += sizes.input;
    totals.output += sizes.output;
    report(request, path, target.as_deref(), &sizes, width, has_others);
    Ok(())
}

/// Returns what an operand means: the file, and what is known of it.
fn find(request: &Request, path: &str) -> Result<(String, Option<Stat>), Failure> {
    if path == "-" {
        // Programs that keep names and times look at the standard input too.
        let stat = process::standard(0).and_then(|input| input.stat().ok());
        return Ok((
            path.to_owned(),
            stat.filter(|stat| stat.kind == Kind::Regular),
        ));
    }
    let follows = request.standard_output || request.force || request.test;
    let (path, stat) = match process::stat(path, false) {
        Ok(stat) => (path.to_owned(), stat),
        Err(error) => {
            let packed = format!("{path}{}", request.suffix);
            let guesses = request.program == Program::Gzip
                && request.decompress
                && !path.is_empty()
                && !path.ends_with(&request.suffix);
            match process::stat(&packed, false) {
                Ok(stat) if guesses => (packed, stat),
                Err(error) if guesses => {
                    return Err(words::missing(request, &packed, &error.into()));
                }
                _ => return Err(words::missing(request, path, &error.into())),
            }
        }
    };
    let stat = if stat.kind == Kind::Symlink {
        if request.program == Program::Gzip && !follows {
            return Err(words::missing(request, &path, &process::Errno::Loop.into()));
        }
        let is_left = match request.program {
            Program::Xz | Program::Zstd => !follows,
            _ => false,
        };
        if is_left && request.program == Program::Xz {
            return Err(Failure::new(
                2,
                format!("{path}: Is a symbolic link, skipping"),
            ));
        }
        if is_left {
            eprintln!("Warning : {path} is a symbolic link, ignoring");
            return Err(Failure::silent());
        }
        process::stat(&path, true).map_err(|error| words::missing(request, &path, &error.into()))?
    } else {
        stat
    };
    if stat.kind == Kind::Directory {
        return Err(words::directory(request, &path));
    }
    let replaces = !follows && !request.keep;
    if request.program == Program::Gzip && replaces {
        if stat.kind != Kind::Regular {
            let text = format!("{path} is not a directory or a regular file - ignored");
            return Err(Failure::new(2, text));
        }
        if let Some(others) = stat.links.checked_sub(1).filter(|others| *others > 0) {
            let plural = if others == 1 { "" } else { "s" };
            let text = format!("{path} has {others} other link{plural} -- file ignored");
            return Err(Failure::new(2, text));
        }
    }
    Ok((path, Some(stat)))
}

/// Returns the name of a packed file, or none if there is nothing to do.
fn packed_name(request: &Request, path: &str) -> Result<Option<String>, Failure> {
    let own = &request.suffix;
    let known: &[&str] = match request.program {
        Program::Gzip => &[".gz", ".z", ".taz", ".tgz", "-gz", "-z", "_z"],
        Program::Bzip2 => &[".bz2"],
        Program::Xz => &[".xz", ".txz"],
        Program::Zstd => &[],
    };
    let found = known
        .iter()
        .copied()
        .chain(Some(own.as_str()))
        .find(|suffix| path.ends_with(suffix) && path.len() > suffix.len());
    let Some(found) = found.filter(|_| {
        request.program != Program::Zstd && !(request.force && request.program == Program::Gzip)
    }) else {
        return Ok(Some(format!("{path}{own}")));
    };
    match request.program {
        Program::Gzip => {
            if request.verbose > 0 || (!request.recursive && request.quiet == 0) {
                eprintln!("gzip: {path} already has {found} suffix -- unchanged");
            }
            Ok(None)
        }
        Program::Xz => Err(Failure::new(
            2,
            format!("{path}: File already has `{found}' suffix, skipping"),
        )),
        _ => Err(Failure::new(
            1,
            format!("Input file {path} already has {found} suffix."),
        )),
    }
}

/// Returns the name of an unpacked file, or none if there is nothing to do.
fn plain_name(request: &Request, path: &str) -> Result<Option<String>, Failure> {
    let stem = |suffix: &str| {
        path.strip_suffix(suffix)
            .filter(|stem| !stem.is_empty() && !stem.ends_with('/'))
    };
    if let Some(name) = stem(&request.suffix) {
        return Ok(Some(name.to_owned()));
    }
    let (plain, tar): (&[&str], &[&str]) = match request.program {
        Program::Gzip => (&[".gz", ".z", ".Z", "-gz", "-z", "_z"], &[".tgz", ".taz"]),
        Program::Bzip2 => (&[".bz2", ".bz"], &[".tbz2", ".tbz"]),
        Program::Xz => (&[".xz", ".lzma"], &[".txz", ".tlz"]),
        Program::Zstd => (&[".zst", ".gz", ".xz", ".lzma"], &[".tzst", ".tgz", ".txz"]),
    };
    if let Some(name) = plain.iter().find_map(|suffix| stem(suffix)) {
        return Ok(Some(name.to_owned()));
    }
    if let Some(name) = tar.iter().find_map(|suffix| stem(suffix)) {
        return Ok(Some(format!("{name}.tar")));
    }
    match request.program {
        Program::Gzip => {
            if request.verbose > 0 || (!request.recursive && request.quiet == 0) {
                return Err(Failure::new(
                    2,
                    format!("{path}: unknown suffix -- ignored"),
                ));
            }
            Ok(None)
        }
        Program::Bzip2 => {
            if request.quiet == 0 {
                eprintln!(
                    "{}: Can't guess original name for {path} -- using {path}.out",
                    request.called
                );
            }
            Ok(Some(format!("{path}.out")))
        }
        // xz looks at the beginning first.
        Program::Xz => {
            let mut head =
                codec::open(path).map_err(|error| words::missing(request, path, &error))?;
            let head = head.fill_buf().unwrap_or_default();
            if Format::of_magic(head).is_none() {
                return Err(words::other_format(request, path));
            }
            Err(Failure::new(
                2,
                format!("{path}: Filename has an unknown suffix, skipping"),
            ))
        }
        Program::Zstd => Err(Failure::new(
            1,
            format!(
                "{path}: unknown suffix (.zst/.tzst/.gz/.tgz/.lzma/.xz/.txz/.lz4/.tlz4 expected). \
                 Can't derive the output file name. Specify it with -o dstFileName. {}",
                words::IGNORING
            ),
        )),
    }
}

/// Returns the name that a gzip header has, where that is asked for.
fn named_inside(request: &Request, target: String, source: &mut impl BufRead) -> String {
    if request.program != Program::Gzip || !request.decompress || request.name != Some(true) {
        return target;
    }
    let Ok(head) = source.fill_buf() else {
        return target;
    };
    let name = gzip::header(&mut &*head)
        .ok()
        .and_then(|header| header.name);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return target;
    };
    let name = String::from_utf8_lossy(&name);
    let base = name.rsplit('/').next().unwrap_or(&name);
    match target.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{base}"),
        None => base.to_owned(),
    }
}

/// Returns what the header of a new gzip file says.
fn header(request: &Request, path: &str, stat: Option<&Stat>) -> gzip::Header {
    if request.program != Program::Gzip || request.decompress || request.name == Some(false) {
        return gzip::Header::default();
    }
    let base = path.rsplit('/').next().unwrap_or(path);
    gzip::Header {
        name: (path != "-").then(|| base.as_bytes().to_vec()),
        modified: stat.map_or(0, |stat| u32::try_from(stat.modified.seconds).unwrap_or(0)),
    }
}

fn keep_attributes(stat: &Stat, target: &str) {
    // As with the originals, attributes that cannot be kept are no failure.
    let seconds = u64::try_from(stat.modified.seconds).unwrap_or(0);
    let time = std::time::UNIX_EPOCH + std::time::Duration::new(seconds, stat.modified.nanoseconds);
    if let Ok(file) = OpenOptions::new().append(true).open(target) {
        let _ = file.set_modified(time);
    }
    let _ = process::chmod(target, stat.mode & 0o777);
}

/// What is done with one file's content.
struct Work<'a> {
    request: &'a Request,
    /// The name in messages.
    shown: &'a str,
    header: gzip::Header,
}

impl Work<'_> {
    fn to_file(
        &self,
        source: &mut dyn BufRead,
        target: &str,
        path: &str,
    ) -> Result<Sizes, Failure> {
        let request = self.request;
        if request.decompress {
            self.format(source, Some(target))?;
        }
        let mut how = OpenOptions::new();
        how.write(true);
        if request.force {
            // What is read must not be emptied, and links are replaced, not followed.
            if process::stat(target, false).is_ok() && target != path {
                let _ = std::fs::remove_file(target);
            }
        }
        how.create_new(true);
        let file: File = match how.open(target) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(words::exists(request, target));
            }
            Err(error) => {
                let text = format!("{target}: {}", process::message(&error));
                return Err(Failure::new(1, text));
            }
        };
        let out = BufWriter::with_capacity(65_536, &file);
        let outcome = self.run(source, out, Some(target));
        drop(file);
        if outcome
            .as_ref()
            .is_err_and(|failure| failure.status != 2 || request.program != Program::Gzip)
        {
            // Half a result would be taken for a whole one.
            let _ = std::fs::remove_file(target);
        }
        outcome
    }

    fn run(
        &self,
        source: &mut dyn BufRead,
        out: impl Write,
        target: Option<&str>,
    ) -> Result<Sizes, Failure> {
        let (mut source, input) = Counted::new(source);
        let (mut out, output) = Counted::new(out);
        let frame = if self.request.decompress {
            self.unpack(&mut source, &mut out, target)?
        } else {
            self.pack(&mut source, &mut out)?
        };
        Ok(Sizes {
            input: input.get(),
            output: output.get(),
            frame,
        })
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::new(1, format!("{}: {}", self.shown, process::message(error)))
    }

    fn pack(&self, source: &mut impl BufRead, out: &mut impl Write) -> Result<u64, Failure> {
        let how = How {
            header: self.header.clone(),
            ..self.request.how.clone()
        };
        let frame = 18
            + how
                .header
                .name
                .as_ref()
                .map_or(0, |name| name.len() as u64 + 1);
        Compressor::new(&how, &mut *out)
            .and_then(|mut encoder| {
                codec::pump(source, &mut encoder)?;
                encoder.finish()
            })
            .map_err(|error| self.failed(&error))?;
        Ok(frame)
    }

    /// Returns what a packed file begins with, or none for what is to be passed as it is.
    fn format(
        &self,
        source: &mut (impl BufRead + ?Sized),
        target: Option<&str>,
    ) -> Result<Option<Format>, Failure> {
        let request = self.request;
        let head = source.fill_buf().map_err(|error| self.failed(&error))?;
        let found = Format::of_magic(head);
        let is_own = match (request.program, found) {
            (Program::Xz, Some(Format::Lzma | Format::Xz)) => true,
            // zstd reads the others' formats too.
            (Program::Zstd, Some(format)) => format != Format::Bzip2,
            (_, found) => found == Some(request.how.format),
        };
        if let Some(format) = found.filter(|_| is_own) {
            return Ok(Some(format));
        }
        let passes = request.force && target.is_none() && !request.test;
        if passes || (head.is_empty() && request.program == Program::Bzip2) {
            return Ok(None);
        }
        let is_cut = head.is_empty() || (head.len() == 1 && request.program == Program::Gzip);
        if is_cut {
            let error = io::ErrorKind::UnexpectedEof.into();
            let format = request.how.format;
            return Err(words::damaged(request, format, self.shown, target, &error));
        }
        Err(words::other_format(request, self.shown))
    }

    fn unpack(
        &self,
        source: &mut impl BufRead,
        out: &mut impl Write,
        target: Option<&str>,
    ) -> Result<u64, Failure> {
        let request = self.request;
        let Some(format) = self.format(source, target)? else {
            return codec::pump(source, out)
                .and_then(|_| out.flush())
                .map(|()| 0)
                .map_err(|error| self.failed(&error));
        };
        let head = source.fill_buf().map_err(|error| self.failed(&error))?;
        let frame = gzip::header(&mut &*head).map_or(0, |header| {
            18 + header.name.map_or(0, |name| name.len() as u64 + 1)
        });
        let trailing = Rc::<Cell<bool>>::default();
        // The decoder takes what it needs only; a big buffer of its own would hide the end.
        let damaged =
            |error: &io::Error| words::damaged(request, format, self.shown, target, error);
        let mut reader =
            codec::reader(format, source, Rc::clone(&trailing)).map_err(|error| damaged(&error))?;
        // What was good before the damage is shown, as the originals do.
        let outcome = codec::pump(reader.as_mut(), out);
        out.flush().map_err(|error| self.failed(&error))?;
        outcome.map_err(|error| damaged(&error))?;
        if trailing.get()
            && let Some(warning) = words::trailing(request, self.shown)
        {
            return Err(warning);
        }
        Ok(frame)
    }
}

/// Says what was done, to those who ask.
fn report(
    request: &Request,
    path: &str,
    target: Option<&str>,
    sizes: &Sizes,
    width: usize,
    has_others: bool,
) {
    match request.program {
        Program::Gzip if request.verbose > 0 => {
            let name = if path == "-" {
                String::new()
            } else {
                format!("{path}:\t")
            };
            if request.test {
                eprintln!("{name} OK");
                return;
            }
            let (packed, plain) = if request.decompress {
                (sizes.input, sizes.output)
            } else {
                (sizes.output, sizes.input)
            };
            let ratio = list::gzip_ratio(packed, plain, sizes.frame);
            match target {
                Some(target) => {
                    let verb = if request.keep {
                        "created"
                    } else {
                        "replaced with"
                    };
                    eprintln!("{name}{ratio} -- {verb} {target}");
                }
                None => eprintln!("{name}{ratio}"),
            }
        }
        Program::Bzip2 if request.verbose > 0 => bzip2(request, path, sizes, width),
        Program::Xz if request.verbose > 0 => {
            let (packed, plain) = if request.decompress {
                (sizes.input, sizes.output)
            } else {
                (sizes.output, sizes.input)
            };
            let name = if path == "-" { "(stdin)" } else { path };
            eprintln!(
                "{name}: {} / {} = {}",
                list::nice(packed),
                list::nice(plain),
                list::xz_ratio(packed, plain)
            );
        }
        Program::Zstd if request.quiet == 0 && (target.is_some() || request.test) => {
            let target = target.unwrap_or_default();
            if request.decompress {
                eprintln!("{path:<20}: {} bytes ", sizes.output);
            } else if !has_others && !request.recursive {
                eprintln!(
                    "{path:<20} :{:>7}   ({} => {}, {target}) ",
                    percent(sizes.output, sizes.input),
                    list::human(sizes.input, 2),
                    list::human(sizes.output, 2),
                );
            }
        }
        _ => {}
    }
}

fn bzip2(request: &Request, path: &str, sizes: &Sizes, width: usize) {
    let path = if path == "-" { "(stdin)" } else { path };
    let pad = width.saturating_sub(path.len());
    if request.test {
        eprintln!("ok");
    } else if request.decompress {
        eprintln!("  {path}: {:pad$}done", "");
    } else if sizes.input == 0 {
        eprintln!("  {path}: {:pad$} no data compressed.", "");
    } else {
        let (input, output) = (sizes.input as f64, sizes.output as f64);
        eprintln!(
            "  {path}: {:pad$}{:6.3}:1, {:6.3} bits/byte, {:5.2}% saved, {} in, {} out.",
            "",
            input / output,
            output * 8.0 / input,
            100.0 * (1.0 - output / input),
            sizes.input,
            sizes.output
        );
    }
}

/// Reads a file for a listing.
pub(super) fn buffered(path: &str) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(65_536, File::open(path)?))
}

/// Returns the name that a listing shows for an unpacked file.
pub(super) fn listed_name(path: &str) -> &str {
    [suffix(Format::Gzip), ".z", ".Z", "-gz", "-z"]
        .iter()
        .find_map(|suffix| path.strip_suffix(suffix))
        .unwrap_or(path)
}
