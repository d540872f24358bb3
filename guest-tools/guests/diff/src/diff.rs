//! diff itself: two operands, what is said of them, the exit status.

use std::io::{self, BufWriter, Read, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use process::{Kind, Moment};

use crate::folder;
use crate::options::{self, Request};
use crate::output::{self, Form, Style};
use crate::text::{self, Text};

/// Runs diff.
pub(crate) fn run(words: &[String]) -> u8 {
    let mut request = match options::read(words) {
        Ok(request) => request,
        Err(error) => return usage(&error),
    };
    let operands = std::mem::take(&mut request.operands);
    let [first, second] = match operands.as_slice() {
        [first, second] => [first.clone(), second.clone()],
        [_, _, extra, ..] => return usage(&format!("extra operand '{extra}'")),
        _ => {
            let last = operands
                .last()
                .cloned()
                .or_else(|| words.last().cloned())
                .unwrap_or_else(|| "diff".to_owned());
            return usage(&format!("missing operand after '{last}'"));
        }
    };
    if request.form == Some(Form::Unified) || request.form == Some(Form::Context) {
        request.context = Some(request.context.unwrap_or(3));
        request.equality.horizon = request.equality.horizon.max(request.context.unwrap_or(0));
    }
    request.equality.ends_alike = matches!(request.form, Some(Form::Ed | Form::ForwardEd));
    let mut out = BufWriter::with_capacity(65_536, io::stdout().lock());
    let status = compare(&mut out, &request, [&first, &second], Place::Operand);
    match status.and_then(|status| out.flush().map(|()| status)) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("diff: standard output: {}", process::message(&error));
            2
        }
    }
}

fn usage(error: &str) -> u8 {
    eprintln!("diff: {error}\ndiff: Try 'diff --help' for more information.");
    2
}

/// What stands at an operand.
enum Side {
    Absent,
    Folder,
    File(Option<Moment>),
}

fn look(path: &str, request: &Request) -> io::Result<Side> {
    if path == "-" {
        return Ok(Side::File(None));
    }
    let stat = process::stat(path, !request.no_dereference)?;
    Ok(if stat.kind == Kind::Directory {
        Side::Folder
    } else {
        Side::File(Some(stat.modified))
    })
}

fn tell(path: &str, error: &io::Error) {
    eprintln!("diff: {path}: {}", process::message(error));
}

/// How two paths came to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// They are the operands.
    Operand,
    /// One is an operand, the other the file of its name in a folder that is.
    InFolder,
    /// They are entries of two folders.
    Entry,
}

/// Compares what two paths stand for.
pub(crate) fn compare(
    out: &mut impl Write,
    request: &Request,
    paths: [&str; 2],
    place: Place,
) -> io::Result<u8> {
    let mut sides = Vec::new();
    let mut failed = 0;
    for (number, path) in paths.iter().enumerate() {
        match look(path, request) {
            Ok(side) => sides.push(side),
            Err(error) => {
                let allowed = request.new_file || (request.absent_first && number == 0);
                if error.kind() == io::ErrorKind::NotFound && allowed {
                    sides.push(Side::Absent);
                } else {
                    tell(path, &error);
                    failed += 1;
                }
            }
        }
    }
    if failed > 0 {
        return Ok(2);
    }
    let [first, second] = paths;
    let inside = |folder: &str, file: &str| {
        let base = file.rsplit('/').next().unwrap_or(file);
        format!("{}/{base}", folder.strip_suffix('/').unwrap_or(folder))
    };
    match sides.as_slice() {
        [Side::Absent, Side::Absent] => {
            for path in paths {
                eprintln!("diff: {path}: No such file or directory");
            }
            Ok(2)
        }
        [Side::Folder, Side::Folder | Side::Absent] | [Side::Absent, Side::Folder] => {
            if place == Place::Entry && !request.recursive {
                writeln!(out, "Common subdirectories: {first} and {second}")?;
                return Ok(0);
            }
            folder::compare(out, request, paths)
        }
        [Side::Folder, Side::File(_)] if place == Place::Operand => {
            if second == "-" {
                eprintln!("diff: cannot compare '-' to a directory");
                return Ok(2);
            }
            compare(
                out,
                request,
                [&inside(first, second), second],
                Place::InFolder,
            )
        }
        [Side::File(_), Side::Folder] if place == Place::Operand => {
            if first == "-" {
                eprintln!("diff: cannot compare '-' to a directory");
                return Ok(2);
            }
            compare(
                out,
                request,
                [first, &inside(second, first)],
                Place::InFolder,
            )
        }
        [Side::Folder, Side::File(_)] => {
            writeln!(
                out,
                "File {first} is a directory while file {second} is a regular file"
            )?;
            Ok(1)
        }
        [Side::File(_), Side::Folder] => {
            writeln!(
                out,
                "File {first} is a regular file while file {second} is a directory"
            )?;
            Ok(1)
        }
        [one, other] => {
            let times = [one, other].map(|side| match side {
                Side::File(time) => Some(*time),
                _ => None,
            });
            files(out, request, paths, times, place)
        }
        _ => Ok(2),
    }
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == "-" {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn files(
    out: &mut impl Write,
    request: &Request,
    paths: [&str; 2],
    times: [Option<Option<Moment>>; 2],
    place: Place,
) -> io::Result<u8> {
    let [first, second] = paths;
    let mut texts = Vec::new();
    for (path, time) in paths.iter().zip(&times) {
        match if time.is_some() {
            read(path)
        } else {
            Ok(Vec::new())
        } {
            Ok(bytes) => texts.push(Text::new(bytes)),
            Err(error) => {
                tell(path, &error);
                return Ok(2);
            }
        }
    }
    let Ok(texts) = <[Text; 2]>::try_from(texts) else {
        return Ok(2);
    };
    let [one, other] = &texts;
    // Both names of the standard input: there is only one content.
    let same = one.bytes == other.bytes || (first == "-" && second == "-");
    if same {
        if request.report_identical {
            writeln!(out, "Files {first} and {second} are identical")?;
        }
        return Ok(0);
    }
    let binary = !request.text && (one.is_binary() || other.is_binary());
    if binary {
        let kind = if request.brief {
            "Files"
        } else {
            "Binary files"
        };
        writeln!(out, "{kind} {first} and {second} differ")?;
        return Ok(1);
    }
    let changes = text::script(&texts, &request.equality);
    if changes.iter().all(|change| change.ignored) {
        if request.report_identical {
            writeln!(out, "Files {first} and {second} are identical")?;
        }
        return Ok(0);
    }
    if request.brief {
        writeln!(out, "Files {first} and {second} differ")?;
        return Ok(1);
    }
    if place == Place::Entry {
        writeln!(out, "diff{} {first} {second}", request.repeated)?;
    }
    let form = request.form.unwrap_or(Form::Normal);
    let marks = match form {
        Form::Unified => ["---", "+++"],
        Form::Context => ["***", "---"],
        _ => ["", ""],
    };
    for (number, ((mark, path), time)) in marks.iter().zip(paths).zip(times).enumerate() {
        if mark.is_empty() {
            continue;
        }
        match request.labels.get(number) {
            Some(label) => writeln!(out, "{mark} {label}")?,
            None => writeln!(out, "{mark} {path}\t{}", date(time, form))?,
        }
    }
    let style = Style {
        form,
        context: request.context.unwrap_or(0),
        function: request.function.as_ref(),
    };
    output::print(out, &texts, &changes, &style)?;
    let mut status = 1;
    if matches!(form, Form::Ed | Form::ForwardEd) {
        // These forms cannot say it: the script would make another file.
        let lacks_end = |text: &Text| text.bytes.last().is_some_and(|last| *last != b'\n');
        for (path, _) in paths.iter().zip(&texts).filter(|(_, text)| lacks_end(text)) {
            eprintln!("diff: {path}: No newline at end of file\n");
            status = 2;
        }
    }
    Ok(status)
}

/// Returns the time of a file as a header has it: that of an absent file is the beginning of time, that of a stream now.
fn date(time: Option<Option<Moment>>, form: Form) -> String {
    let moment = match time {
        None => Timestamp::new(0, 0),
        Some(None) => Ok(Timestamp::now()),
        Some(Some(moment)) => Timestamp::new(
            moment.seconds,
            i32::try_from(moment.nanoseconds).unwrap_or(0),
        ),
    };
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    match moment {
        // In the C locale a context diff has the old form of a date; elsewhere both have the new one.
        Ok(moment) if form == Form::Context && is_posix() => {
            moment.to_zoned(zone).strftime("%a %b %e %T %Y").to_string()
        }
        Ok(moment) => moment
            .to_zoned(zone)
            .strftime("%Y-%m-%d %H:%M:%S.%9f %z")
            .to_string(),
        Err(_) => "0".to_owned(),
    }
}

fn is_posix() -> bool {
    let named = ["LC_ALL", "LC_TIME", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    named.is_some_and(|value| value == "C" || value == "POSIX")
}
