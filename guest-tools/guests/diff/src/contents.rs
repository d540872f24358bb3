//! The contents of two files: read, compared, printed under their heads.

use std::io::{self, Read, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use process::{Program, Stdio};

use crate::diff::{Place, Side, tell};
use crate::locale;
use crate::options::{Request, quoted};
use crate::output::{self, Form, Style};
use crate::pen::{Paint, Pen};
use crate::text::{self, Equality, Space, Text};

/// Bytes read at a time where no content is kept.
const CHUNK_BYTES: usize = 65_536;

/// Compares two files, either of which may be absent.
pub(crate) fn compare(
    out: &mut impl Write,
    request: &Request,
    paths: [&str; 2],
    sides: [Side; 2],
    place: Place,
) -> io::Result<u8> {
    let [first, second] = paths;
    let form = request.form.unwrap_or(Form::Normal);
    let labels = [(0, first), (1, second)]
        .map(|(number, path)| request.labels.get(number).map_or(path, |label| &**label));
    let [first_label, second_label] = labels;
    // Both names of the standard input: there is only one content.
    let same_input = first == "-" && second == "-";
    if request.brief && (same_input || counts_all(&request.equality)) {
        let same = if same_input {
            Ok(true)
        } else {
            equal_bytes(paths, sides)
        };
        return match same {
            Ok(true) => alike(out, request, labels),
            Ok(false) => {
                writeln!(out, "Files {first_label} and {second_label} differ")?;
                Ok(1)
            }
            Err((path, error)) => {
                tell(&path, &error);
                Ok(2)
            }
        };
    }
    let mut texts = Vec::new();
    for (path, side) in paths.iter().zip(sides) {
        match read(path, side) {
            Ok(bytes) if request.equality.strip_return => texts.push(Text::without_returns(&bytes)),
            Ok(bytes) => texts.push(Text::new(bytes)),
            Err(error) => {
                tell(path, &error);
                return Ok(2);
            }
        }
    }
    let Ok(mut texts) = <[Text; 2]>::try_from(texts) else {
        return Ok(2);
    };
    if same_input {
        let [one, other] = &mut texts;
        *other = Text::new(one.bytes.clone());
    }
    // These forms cannot say it: the script would make another file.
    let form_fails = matches!(form, Form::Ed | Form::ForwardEd)
        && !request.brief
        && lacks_end(paths, &mut texts);
    let [one, other] = &texts;
    let same = one.bytes == other.bytes;
    if same && !form_fails && form.is_silent_without_changes() {
        return alike(out, request, labels);
    }
    if !same && !request.text && (one.is_binary() || other.is_binary()) {
        let kind = if request.brief {
            "Files"
        } else {
            "Binary files"
        };
        writeln!(out, "{kind} {first_label} and {second_label} differ")?;
        return Ok(1);
    }
    let changes = text::script(texts.each_ref(), &request.equality);
    let is_alike = changes.iter().all(|change| change.ignored);
    if is_alike && form_fails {
        return Ok(2);
    }
    if is_alike && (request.brief || form.is_silent_without_changes()) {
        return alike(out, request, labels);
    }
    if request.brief {
        writeln!(out, "Files {first_label} and {second_label} differ")?;
        return Ok(1);
    }
    let style = Style {
        form,
        context: request.context.unwrap_or(0),
        function: request.function.as_ref(),
        columns: &request.columns,
        formats: &request.formats,
    };
    let command = format!(
        "diff{} {} {}",
        request.repeated,
        quoted(first_label),
        quoted(second_label)
    );
    let mut paged = Vec::new();
    {
        let target: &mut dyn Write = if request.paginate { &mut paged } else { out };
        let mut pen = Pen::new(target, &request.look);
        if place == Place::Entry && !request.paginate {
            writeln!(pen, "{command}")?;
        }
        heads(&mut pen, request, form, paths, sides)?;
        output::print(&mut pen, &texts, &changes, &style)?;
    }
    if request.paginate {
        out.flush()?;
        paginate(&command, &paged)?;
    }
    if is_alike {
        return alike(out, request, labels);
    }
    Ok(if form_fails { 2 } else { 1 })
}

/// Tells of texts without a line feed at their ends, and gives them one.
fn lacks_end(paths: [&str; 2], texts: &mut [Text; 2]) -> bool {
    let mut any = false;
    for (path, text) in paths.iter().zip(texts) {
        if text.bytes.last().is_some_and(|last| *last != b'\n') {
            eprintln!("diff: {path}: No newline at end of file\n");
            let mut bytes = std::mem::take(&mut text.bytes);
            bytes.push(b'\n');
            *text = Text::new(bytes);
            any = true;
        }
    }
    any
}

fn alike(out: &mut impl Write, request: &Request, [first, second]: [&str; 2]) -> io::Result<u8> {
    if request.report_identical {
        writeln!(out, "Files {first} and {second} are identical")?;
    }
    Ok(0)
}

/// Returns whether every byte counts.
fn counts_all(equality: &Equality) -> bool {
    equality.space == Space::Counts
        && !equality.ignore_case
        && !equality.blank_lines
        && !equality.strip_return
        && equality.pattern.is_none()
}

fn open(path: &str, side: Side) -> io::Result<Box<dyn Read>> {
    Ok(match side {
        Side::Absent => Box::new(io::empty()),
        Side::Input => Box::new(io::stdin()),
        Side::Found(_) => Box::new(std::fs::File::open(path)?),
    })
}

fn read(path: &str, side: Side) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path, side)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns whether two files have the same bytes, or the path that cannot be read.
fn equal_bytes(paths: [&str; 2], sides: [Side; 2]) -> Result<bool, (String, io::Error)> {
    let [first, second] = paths;
    let [one, other] = sides;
    let blame = |path: &str| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    if let (Side::Found(one), Side::Found(other)) = (one, other)
        && [one.kind, other.kind] == [process::Kind::Regular; 2]
        && one.size != other.size
        && one.size.min(other.size) > 0
    {
        return Ok(false);
    }
    let mut left = open(first, one).map_err(blame(first))?;
    let mut right = open(second, other).map_err(blame(second))?;
    let (mut left_chunk, mut right_chunk) = (Vec::new(), Vec::new());
    loop {
        left_chunk.clear();
        right_chunk.clear();
        let max = CHUNK_BYTES as u64;
        let limited = |source: &mut Box<dyn Read>, chunk: &mut Vec<u8>| {
            source.by_ref().take(max).read_to_end(chunk)
        };
        limited(&mut left, &mut left_chunk).map_err(blame(first))?;
        limited(&mut right, &mut right_chunk).map_err(blame(second))?;
        if left_chunk != right_chunk {
            return Ok(false);
        }
        if left_chunk.is_empty() {
            return Ok(true);
        }
    }
}

/// Writes the lines that name the files, in the forms that have them.
fn heads(
    pen: &mut Pen<'_>,
    request: &Request,
    form: Form,
    paths: [&str; 2],
    sides: [Side; 2],
) -> io::Result<()> {
    let marks = match form {
        Form::Unified => ["---", "+++"],
        Form::Context => ["***", "---"],
        _ => return Ok(()),
    };
    for (number, ((mark, path), side)) in marks.iter().zip(paths).zip(sides).enumerate() {
        pen.paint(Paint::Header)?;
        match request.labels.get(number) {
            Some(label) => write!(pen, "{mark} {label}")?,
            None => write!(pen, "{mark} {}\t{}", escaped(path), date(side, form))?,
        }
        pen.paint(Paint::Plain)?;
        pen.write_all(b"\n")?;
    }
    Ok(())
}

/// Returns a name as heads have it: in quotes as C has them where patch would misread it.
fn escaped(name: &str) -> String {
    if !name.contains(|letter: char| letter.is_ascii_control() || " \"\\".contains(letter)) {
        return name.to_owned();
    }
    let mut text = String::from("\"");
    for letter in name.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\x07' => text.push_str("\\a"),
            '\x08' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\x0b' => text.push_str("\\v"),
            '\x0c' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            letter if letter.is_ascii_control() => {
                text.push_str(&format!("\\{:03o}", u32::from(letter)));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
    text
}

/// Returns the time of a file as a header has it: that of an absent file is the beginning of time, that of a stream now.
fn date(side: Side, form: Form) -> String {
    let moment = match side {
        Side::Absent => Timestamp::new(0, 0),
        Side::Input => Ok(Timestamp::now()),
        Side::Found(stat) => Timestamp::new(
            stat.modified.seconds,
            i32::try_from(stat.modified.nanoseconds).unwrap_or(0),
        ),
    };
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    let format = match form {
        // In the C locale a context diff has the old form of a date; elsewhere both have the new one.
        Form::Context if locale::is_posix("LC_TIME") => "%a %b %e %T %Y",
        _ => "%Y-%m-%d %H:%M:%S.%9f %z",
    };
    moment.map_or_else(
        |_| "0".to_owned(),
        |moment| moment.to_zoned(zone).strftime(format).to_string(),
    )
}

/// Sends the differences of two files through pr.
fn paginate(head: &str, text: &[u8]) -> io::Result<()> {
    let mut pager = Program::new("pr");
    pager.args(["-h", head]).stdin(Stdio::Piped);
    let mut running = pager.spawn()?;
    if let Some(input) = running.stdin.take() {
        input.write_all_blocking(text)?;
    }
    if running.wait().is_success() {
        Ok(())
    } else {
        Err(io::Error::other("subsidiary program 'pr' failed"))
    }
}
