//! tail: prints the end of files, and what is appended to them.
//!
//! A file that can be sought is read backwards from its end; of a pipe no more is held than may be printed.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::quoting;
use crate::report::{self, complain, reason, usage};
use crate::system::{Facts, stat};
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "c/bytes= f follow=? F n/lines= max-unchanged-stats= pid= q/quiet silent retry \
    s/sleep-interval= v/verbose z/zero-terminated";
/// Bytes that are read at once.
const BLOCK_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// So many lines or bytes before the end.
    Last(u64),
    /// From this line or byte on, counted from 1.
    From(u64),
}

struct Settings {
    start: Start,
    counts_bytes: bool,
    end: u8,
    follows: bool,
    /// By name: a file that is replaced is opened again.
    by_name: bool,
    interval: Duration,
    pid: Option<i32>,
    has_headers: Option<bool>,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (settings, operands) = match read(program, arguments) {
        Ok(read) => read,
        Err(status) => return status,
    };
    let has_headers = settings.has_headers.unwrap_or(operands.len() > 1);
    let mut tail = Tail {
        program,
        settings,
        out: BufWriter::with_capacity(BLOCK_BYTES, io::stdout().lock()),
        has_headers,
        shown: None,
        status: 0,
    };
    let written = tail.run(&operands).and_then(|()| tail.out.flush());
    report::finish(program, written).max(tail.status)
}

fn read(program: &str, arguments: &[String]) -> Result<(Settings, Vec<String>), u8> {
    let arguments = modern(arguments);
    let items = named::parse(&arguments, SPECIFICATION, Order::Any)
        .map_err(|message| usage(program, message, 1))?;
    let mut settings = Settings {
        start: Start::Last(10),
        counts_bytes: false,
        end: b'\n',
        follows: false,
        by_name: false,
        interval: Duration::from_secs(1),
        pid: None,
        has_headers: None,
    };
    let mut operands = Vec::new();
    for item in items {
        let (name, value) = match item {
            Item::Operand(operand) => {
                operands.push(operand);
                continue;
            }
            Item::Option(name, value) => (name, value),
        };
        let text = value.as_deref().unwrap_or("");
        match name {
            "help" => return Err(report::help(HELP)),
            "version" => return Err(report::version(program)),
            "bytes" | "lines" => {
                settings.counts_bytes = name == "bytes";
                settings.start = start(text).ok_or_else(|| {
                    complain(
                        program,
                        format_args!("invalid number of {name}: {}", quoting::curly(text)),
                    );
                    1
                })?;
            }
            "f" => settings.follows = true,
            "follow" => (settings.follows, settings.by_name) = (true, text == "name"),
            "F" => (settings.follows, settings.by_name) = (true, true),
            "quiet" | "silent" => settings.has_headers = Some(false),
            "verbose" => settings.has_headers = Some(true),
            "zero-terminated" => settings.end = 0,
            "sleep-interval" => {
                let seconds = text
                    .parse::<f64>()
                    .ok()
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                settings.interval = seconds.ok_or_else(|| {
                    complain(
                        program,
                        format_args!("invalid number of seconds: {}", quoting::curly(text)),
                    );
                    1
                })?;
            }
            "pid" => {
                settings.pid = Some(text.parse().map_err(|_| {
                    complain(
                        program,
                        format_args!("invalid PID: {}", quoting::curly(text)),
                    );
                    1
                })?);
            }
            _ => {}
        }
    }
    if operands.is_empty() {
        operands.push("-".to_owned());
    }
    Ok((settings, operands))
}

/// Rewrites the old spellings `-5`, `+5`, `-5c` and `-5f` of the first argument.
fn modern(arguments: &[String]) -> Vec<String> {
    let mut arguments = arguments.to_vec();
    let Some(first) = arguments.first_mut() else {
        return arguments;
    };
    let sign = first
        .chars()
        .next()
        .filter(|sign| matches!(sign, '-' | '+'));
    let body = sign
        .and_then(|sign| first.strip_prefix(sign))
        .filter(|body| body.starts_with(|one: char| one.is_ascii_digit()));
    let (Some(sign), Some(body)) = (sign, body) else {
        return arguments;
    };
    let digits = body
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(body.len());
    let Some((number, letters)) = body.split_at_checked(digits) else {
        return arguments;
    };
    if !letters.chars().all(|letter| "bclf".contains(letter)) {
        return arguments;
    }
    let sign = if sign == '+' { "+" } else { "" };
    let unit = if letters.contains(['c', 'b']) {
        'c'
    } else {
        'n'
    };
    let multiplier = if letters.contains('b') { "b" } else { "" };
    let follows = letters.contains('f');
    *first = format!("-{unit}{sign}{number}{multiplier}");
    if follows {
        arguments.insert(0, "-f".to_owned());
    }
    arguments
}

fn start(text: &str) -> Option<Start> {
    let (is_from, number) = match text.strip_prefix('+') {
        Some(number) => (true, number),
        None => (false, text.strip_prefix('-').unwrap_or(text)),
    };
    let digits = number
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(number.len());
    let (digits, letters) = number.split_at_checked(digits)?;
    let count = digits
        .parse::<u64>()
        .ok()?
        .checked_mul(crate::size::factor(letters)?.0)?;
    Some(if is_from {
        Start::From(count)
    } else {
        Start::Last(count)
    })
}

struct Tail<'a, W> {
    program: &'a str,
    settings: Settings,
    out: W,
    has_headers: bool,
    /// The operand whose header was printed last.
    shown: Option<usize>,
    status: u8,
}

/// A file that is followed.
struct Followed {
    place: usize,
    name: String,
    file: Option<File>,
    /// Bytes of it that were printed or passed.
    position: u64,
    inode: u64,
}

impl<W: Write> Tail<'_, W> {
    fn run(&mut self, operands: &[String]) -> io::Result<()> {
        let mut followed = Vec::new();
        for (place, name) in operands.iter().enumerate() {
            if name == "-" {
                self.header(place, "standard input")?;
                let mut stdin = io::stdin().lock();
                self.stream(&mut stdin)?;
                continue;
            }
            match self.open(name) {
                Ok(mut file) => {
                    self.header(place, name)?;
                    if let Err(error) = self.file(&mut file) {
                        if error.kind() == io::ErrorKind::BrokenPipe {
                            return Err(error);
                        }
                        self.fail(format_args!(
                            "error reading {}: {}",
                            quoting::quoted(name),
                            reason(&error)
                        ));
                        continue;
                    }
                    let position = file.stream_position().unwrap_or(0);
                    let inode = stat(Path::new(name), true).map_or(0, |status| status.inode);
                    followed.push(Followed {
                        place,
                        name: name.clone(),
                        file: Some(file),
                        position,
                        inode,
                    });
                }
                Err(error) => {
                    self.fail(format_args!(
                        "cannot open {} for reading: {}",
                        quoting::quoted(name),
                        reason(&error)
                    ));
                    if self.settings.by_name {
                        followed.push(Followed {
                            place,
                            name: name.clone(),
                            file: None,
                            position: 0,
                            inode: 0,
                        });
                    }
                }
            }
        }
        if self.settings.follows && !followed.is_empty() {
            self.follow(&mut followed)
        } else {
            Ok(())
        }
    }

    fn open(&self, name: &str) -> io::Result<File> {
        File::open(name)
    }

    fn header(&mut self, place: usize, name: &str) -> io::Result<()> {
        if !self.has_headers || self.shown == Some(place) {
            return Ok(());
        }
        let gap = if self.shown.is_some() { "\n" } else { "" };
        self.shown = Some(place);
        writeln!(self.out, "{gap}==> {name} <==")
    }

    fn file(&mut self, file: &mut File) -> io::Result<()> {
        let size = file.seek(SeekFrom::End(0)).ok().filter(|size| *size > 0);
        let Some(size) = size else {
            // Not to be sought, or (as files of /proc) without a size.
            let _ = file.rewind();
            return self.stream(file);
        };
        let from = match (self.settings.start, self.settings.counts_bytes) {
            (Start::Last(count), true) => size.saturating_sub(count),
            (Start::Last(count), false) => self.last_lines(file, size, count)?,
            (Start::From(count), true) => count.saturating_sub(1).min(size),
            (Start::From(_), false) => {
                file.rewind()?;
                return self.stream(file);
            }
        };
        file.seek(SeekFrom::Start(from))?;
        self.copy(file)
    }

    /// Returns where the last lines of a file begin.
    fn last_lines(&self, file: &mut File, size: u64, count: u64) -> io::Result<u64> {
        if count == 0 {
            return Ok(size);
        }
        let mut left = size;
        let mut ends = 0;
        let mut block = Vec::new();
        while left > 0 {
            let length = left.min(BLOCK_BYTES as u64);
            left -= length;
            file.seek(SeekFrom::Start(left))?;
            block.clear();
            (&mut *file).take(length).read_to_end(&mut block)?;
            for at in memchr::memrchr_iter(self.settings.end, &block) {
                let place = left + at as u64;
                // The end of the last line ends no line before it.
                if place + 1 == size {
                    continue;
                }
                ends += 1;
                if ends == count {
                    return Ok(place + 1);
                }
            }
        }
        Ok(0)
    }

    fn copy(&mut self, source: &mut dyn Read) -> io::Result<()> {
        let mut buffer = vec![0; BLOCK_BYTES];
        loop {
            let count = read_some(source, &mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.out.write_all(buffer.get(..count).unwrap_or(&[]))?;
        }
    }

    /// Prints the end of what can only be read forwards.
    fn stream(&mut self, source: &mut dyn Read) -> io::Result<()> {
        match (self.settings.start, self.settings.counts_bytes) {
            (Start::From(count), counts_bytes) => {
                self.from(source, count.saturating_sub(1), counts_bytes)
            }
            (Start::Last(count), counts_bytes) => self.last(source, count, counts_bytes),
        }
    }

    /// Leaves out so many lines or bytes and prints the rest.
    fn from(
        &mut self,
        source: &mut dyn Read,
        mut passed: u64,
        counts_bytes: bool,
    ) -> io::Result<()> {
        let mut buffer = vec![0; BLOCK_BYTES];
        while passed > 0 {
            let count = read_some(source, &mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            let bytes = buffer.get(..count).unwrap_or(&[]);
            let begin = if counts_bytes {
                let begin = passed.min(count as u64);
                passed -= begin;
                usize::try_from(begin).unwrap_or(count)
            } else {
                let mut begin = count;
                for at in memchr::memchr_iter(self.settings.end, bytes) {
                    passed -= 1;
                    if passed == 0 {
                        begin = at + 1;
                        break;
                    }
                }
                begin
            };
            self.out.write_all(bytes.get(begin..).unwrap_or(&[]))?;
        }
        self.copy(source)
    }

    /// Holds chunks as long as they may be part of the end.
    fn last(&mut self, source: &mut dyn Read, count: u64, counts_bytes: bool) -> io::Result<()> {
        let end = self.settings.end;
        let measure = |chunk: &[u8]| if counts_bytes { chunk.len() } else { memchr::memchr_iter(end, chunk).count() } as u64;
        let mut chunks: VecDeque<(Vec<u8>, u64)> = VecDeque::new();
        let mut held = 0;
        let mut buffer = vec![0; BLOCK_BYTES];
        loop {
            let length = read_some(source, &mut buffer)?;
            if length == 0 {
                break;
            }
            let chunk = buffer.get(..length).unwrap_or(&[]);
            let measured = measure(chunk);
            held += measured;
            // Short reads of a pipe are joined, or each would cost a chunk.
            match chunks.back_mut() {
                Some((last, sum)) if last.len() + length <= BLOCK_BYTES => {
                    last.extend_from_slice(chunk);
                    *sum += measured;
                }
                _ => chunks.push_back((chunk.to_vec(), measured)),
            }
            // One line more than asked for: the end that is before the first one.
            while chunks
                .front()
                .is_some_and(|(_, first)| held - first > count)
            {
                held -= chunks.pop_front().map_or(0, |(_, first)| first);
            }
        }
        let ends_open = !counts_bytes
            && chunks
                .back()
                .is_some_and(|(last, _)| last.last() != Some(&end));
        // What is before the end: a last line without an end counts too.
        let mut surplus = (held + u64::from(ends_open)).saturating_sub(count);
        if count == 0 {
            return Ok(());
        }
        for (chunk, measured) in chunks {
            let begin = if surplus == 0 {
                0
            } else if counts_bytes {
                let begin = surplus.min(measured);
                surplus -= begin;
                usize::try_from(begin).unwrap_or(chunk.len())
            } else if surplus > measured {
                surplus -= measured;
                chunk.len()
            } else {
                let nth = usize::try_from(surplus - 1).unwrap_or(usize::MAX);
                surplus = 0;
                memchr::memchr_iter(end, &chunk)
                    .nth(nth)
                    .map_or(chunk.len(), |at| at + 1)
            };
            self.out.write_all(chunk.get(begin..).unwrap_or(&[]))?;
        }
        Ok(())
    }

    /// Prints what is appended, until somebody ends this.
    fn follow(&mut self, followed: &mut [Followed]) -> io::Result<()> {
        loop {
            self.out.flush()?;
            // Looked at before the files are: what a process wrote before its end is printed.
            let is_over = self
                .settings
                .pid
                .is_some_and(|pid| process::kill(pid, 0).is_err());
            for one in followed.iter_mut() {
                self.look(one)?;
            }
            if is_over {
                return Ok(());
            }
            std::thread::sleep(self.settings.interval);
        }
    }

    fn look(&mut self, one: &mut Followed) -> io::Result<()> {
        if self.settings.by_name {
            let there = stat(Path::new(&one.name), true)
                .ok()
                .filter(|status| !status.is_directory());
            if let Some(there) =
                there.filter(|there| one.file.is_none() || there.inode != one.inode)
            {
                let what = if one.file.is_none() {
                    "has appeared"
                } else {
                    "has been replaced"
                };
                complain(
                    self.program,
                    format_args!("{} {what};  following new file", quoting::quoted(&one.name)),
                );
                one.file = File::open(&one.name).ok();
                one.inode = there.inode;
                one.position = 0;
            }
        }
        let Some(file) = &mut one.file else {
            return Ok(());
        };
        if let Ok(size) = file.seek(SeekFrom::End(0)) {
            if size < one.position {
                complain(self.program, format_args!("{}: file truncated", one.name));
                one.position = 0;
            }
            if size == one.position {
                return Ok(());
            }
            file.seek(SeekFrom::Start(one.position))?;
        }
        let mut buffer = vec![0; BLOCK_BYTES];
        loop {
            let count = read_some(file, &mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            one.position += count as u64;
            let bytes = buffer.get(..count).unwrap_or(&[]);
            if self.has_headers && self.shown != Some(one.place) {
                writeln!(self.out, "\n==> {} <==", one.name)?;
                self.shown = Some(one.place);
            }
            self.out.write_all(bytes)?;
        }
    }

    fn fail(&mut self, message: std::fmt::Arguments<'_>) {
        let _ = self.out.flush();
        complain(self.program, message);
        self.status = 1;
    }
}

fn read_some(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

const HELP: &str = "\
Usage: tail [OPTION]... [FILE]...
Print the last 10 lines of each FILE to standard output.

  -c, --bytes=[+]NUM       output the last NUM bytes, or from byte NUM on
  -f, --follow[={name|descriptor}]
                           output appended data as the file grows
  -F                       same as --follow=name --retry
  -n, --lines=[+]NUM       output the last NUM lines, or from line NUM on
      --pid=PID            with -f, terminate after process ID, PID dies
  -q, --quiet, --silent; -v, --verbose
  -s, --sleep-interval=N   with -f, sleep for approximately N seconds between looks
  -z, --zero-terminated    line delimiter is NUL, not newline
";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    /// Gives a few bytes a read, as pipes do.
    struct Short<'a>(&'a [u8]);

    impl Read for Short<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(7).min(buffer.len());
            (&self.0[..count]).read_exact(&mut buffer[..count])?;
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn short_reads_change_nothing() {
        let text: String = (0..50_000).map(|number| format!("{number}\n")).collect();
        for (start, counts_bytes, expected) in [
            (Start::Last(2), false, "49998\n49999\n"),
            (Start::Last(5), true, "9999\n"),
            (Start::From(50_000), false, "49999\n"),
            (Start::Last(0), false, ""),
        ] {
            let settings = read("tail", &[])
                .map(|(settings, _)| Settings {
                    start,
                    counts_bytes,
                    ..settings
                })
                .ok()
                .unwrap();
            let mut tail = Tail {
                program: "tail",
                settings,
                out: Vec::new(),
                has_headers: false,
                shown: None,
                status: 0,
            };
            tail.stream(&mut Short(text.as_bytes())).unwrap();
            assert_eq!(String::from_utf8(tail.out).unwrap(), expected, "{start:?}");
        }
    }
}
