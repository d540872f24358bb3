//! `grep`: the lines that match a regular expression, with ripgrep's own engine and ripgrep's choices of
//! what to search. Files are streamed through one buffer; nothing is kept but the answer.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkFinish, SinkMatch};

use crate::error::Error;
use crate::folder::Kind;
use crate::ignored::Rules;
use crate::path::Workdir;
use crate::walk::{self, Entry, Next};

/// The longest answer in bytes.
pub const OUTPUT_BYTES_MAX: usize = 100 * 1024;
/// How much of a matching line is shown, in bytes. A line of machine-made code would fill the whole answer.
pub const LINE_BYTES_MAX: usize = 2000;
/// The longest line that is searched at all, in bytes; a line must fit in memory.
pub const SEARCHED_LINE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The longest pattern in bytes.
pub const PATTERN_BYTES_MAX: usize = 16 * 1024;
/// The memory that a compiled expression may take, in bytes, and that its lazy automaton may take.
const REGEX_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much is searched of a file that says it is smaller, in bytes. Some files never end.
const UNSIZED_BYTES_MAX: u64 = 1024 * 1024;

/// How much of a file is read at once, in bytes. Nearly all source files are smaller.
const PIECE_BYTES: usize = 32 * 1024;

const TOOL: &str = "grep";

/// Searches the file `path`, or the files beneath it, for `pattern`.
pub fn grep(workdir: &Workdir, pattern: &str, path: Option<&str>) -> Result<String, Error> {
    let matcher = compile(pattern)?;
    let path = path.unwrap_or_default();
    let root = workdir.resolve(path);
    let metadata = fs::metadata(&root).map_err(Error::file(TOOL, path))?;
    let mut answer = Answer::default();
    if metadata.is_dir() {
        // A file that turns out to be binary is given up.
        let mut searcher = searcher(BinaryDetection::quit(0));
        let walked = walk::walk(&root, &Rules::above(&root), |entry| {
            if entry.kind == Kind::File
                && search(&mut searcher, &matcher, entry, &mut answer).is_err()
            {
                answer.unread += 1;
            }
            if answer.is_full {
                Next::Stop
            } else {
                Next::Enter
            }
        });
        answer
            .notes
            .extend(walked.map_err(Error::file(TOOL, path))?.notes());
    } else if metadata.is_file() {
        // A file that was asked for by name is searched to its end, and only its lines are not shown.
        let mut searcher = searcher(BinaryDetection::convert(0));
        let file = File::open(&root).map_err(Error::file(TOOL, path))?;
        let file = as_large_as_said(file, metadata.len());
        let searched = searcher.search_reader(&matcher, file, Lines::new(&root, &mut answer));
        searched.map_err(Error::file(TOOL, path))?;
    } else {
        return Err(Error::Kind {
            tool: TOOL,
            path: path.to_owned(),
            what: "not a regular file",
        });
    }
    Ok(answer.finish())
}

fn compile(pattern: &str) -> Result<RegexMatcher, Error> {
    if pattern.is_empty() {
        return Err(Error::Empty {
            tool: TOOL,
            argument: "pattern",
        });
    }
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(Error::BadRegex(format!(
            "longer than {PATTERN_BYTES_MAX} bytes"
        )));
    }
    RegexMatcherBuilder::new()
        .multi_line(true)
        .line_terminator(Some(b'\n'))
        .ban_byte(Some(0))
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build(pattern)
        .map_err(|error| Error::BadRegex(explained(error.to_string())))
}

/// Returns what is wrong with an expression. The parser shows it with a mark beneath the place; of a long
/// one only the last line is kept, which says what is wrong.
fn explained(mut error: String) -> String {
    if error.len() > LINE_BYTES_MAX {
        let last = error
            .trim_end()
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        error.drain(..last);
    }
    error
}

fn searcher(binary: BinaryDetection) -> Searcher {
    SearcherBuilder::new()
        .line_number(true)
        .binary_detection(binary)
        .heap_limit(Some(SEARCHED_LINE_BYTES_MAX))
        .build()
}

/// Ends a file where its size says, or after [`UNSIZED_BYTES_MAX`]: a device looks like an empty file here.
fn as_large_as_said(file: impl io::Read, size: u64) -> impl io::Read {
    file.take(size.max(UNSIZED_BYTES_MAX))
}

/// Searches a file met on a walk. Most files fit in one piece, and then no buffer is filled in between.
fn search(
    searcher: &mut Searcher,
    matcher: &RegexMatcher,
    entry: &Entry<'_>,
    answer: &mut Answer,
) -> io::Result<()> {
    let mut file = entry.folder.file(entry.name)?;
    let (start, is_whole) = file.start(PIECE_BYTES)?;
    let lines = Lines::new(entry.path, answer);
    if is_whole {
        searcher.search_slice(matcher, &start, lines)
    } else {
        searcher.search_reader(matcher, io::Cursor::new(start).chain(file), lines)
    }
}

/// What the model gets.
#[derive(Default)]
struct Answer {
    text: String,
    /// Whether a line did not fit any more.
    is_full: bool,
    /// Files that could not be opened, read, or held a line that is too long.
    unread: usize,
    notes: Vec<String>,
}

impl Answer {
    /// Adds a line, unless the answer is or would be too long. Returns whether there is room for more.
    fn push(&mut self, line: &str) -> bool {
        self.is_full |= self.text.len() + line.len() + 1 > OUTPUT_BYTES_MAX;
        if !self.is_full {
            self.text.push_str(line);
            self.text.push('\n');
        }
        !self.is_full
    }

    fn finish(mut self) -> String {
        if self.is_full {
            self.notes
                .push(format!("[output truncated at {OUTPUT_BYTES_MAX} bytes]"));
        } else if self.text.is_empty() {
            self.text.push_str("no matches\n");
        }
        if self.unread > 0 {
            self.notes
                .push(format!("[{} file(s) could not be searched]", self.unread));
        }
        self.text.push_str(&self.notes.join("\n"));
        self.text.truncate(self.text.trim_end_matches('\n').len());
        self.text
    }
}

/// Takes the matching lines of one file.
struct Lines<'a> {
    path: &'a Path,
    answer: &'a mut Answer,
    has_match: bool,
    is_binary: bool,
}

impl<'a> Lines<'a> {
    fn new(path: &'a Path, answer: &'a mut Answer) -> Self {
        Self {
            path,
            answer,
            has_match: false,
            is_binary: false,
        }
    }
}

impl Sink for Lines<'_> {
    type Error = io::Error;

    fn matched(&mut self, searcher: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        self.has_match = true;
        if self.is_binary && searcher.binary_detection().convert_byte().is_some() {
            return Ok(false);
        }
        let number = found.line_number().unwrap_or(0);
        let line = format!("{}:{number}:{}", self.path.display(), shown(found.bytes()));
        Ok(self.answer.push(&line))
    }

    fn binary_data(&mut self, _searcher: &Searcher, _offset: u64) -> io::Result<bool> {
        self.is_binary = true;
        Ok(true)
    }

    fn finish(&mut self, searcher: &Searcher, end: &SinkFinish) -> io::Result<()> {
        if let Some(offset) = end
            .binary_byte_offset()
            .filter(|_| self.has_match && !self.answer.is_full)
        {
            let what = match searcher.binary_detection().quit_byte() {
                Some(_) => "WARNING: stopped searching binary file after match",
                None => "binary file matches",
            };
            let path = self.path.display();
            self.answer.push(&format!(
                "{path}: {what} (found \"\\0\" byte around offset {offset})"
            ));
        }
        Ok(())
    }
}

/// Returns a line without its ending, as text, and cut if it is long.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Some(start) = line
        .get(..LINE_BYTES_MAX)
        .filter(|start| start.len() < line.len())
    else {
        return String::from_utf8_lossy(line).into_owned();
    };
    // The character that the cut goes through is left out.
    let whole = match std::str::from_utf8(start) {
        Err(error) if error.error_len().is_none() => {
            start.get(..error.valid_up_to()).unwrap_or(start)
        }
        _ => start,
    };
    format!(
        "{} [line cut, {} bytes in all]",
        String::from_utf8_lossy(whole),
        line.len()
    )
}

#[cfg(test)]
mod tests;
