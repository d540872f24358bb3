//! The search: every file in turn, and the exit status.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use grep_matcher::{LineTerminator, Matcher};
use grep_printer::Stats;
use grep_searcher::{BinaryDetection, Encoding, MmapChoice, Searcher, SearcherBuilder};
use ignore::overrides::Override;

use crate::errors::{Errors, say};
use crate::flags::{self, Binary, Flags, Mode};
use crate::patterns::{self, Pattern, Words};
use crate::printing::{self, Printer, Surroundings};
use crate::walk::{self, Haystack};
use crate::{decompress, summary, usage};

/// Matches, nothing found, an error.
const FOUND: u8 = 0;
const NOTHING: u8 = 1;
const FAILED: u8 = 2;

/// Runs the program.
pub(crate) fn run(words: &[String]) -> u8 {
    let started = Instant::now();
    let outcome = flags::read(words).and_then(|flags| work(&flags, started));
    match outcome {
        Ok(status) => status,
        Err(message) => {
            say(message);
            FAILED
        }
    }
}

fn work(flags: &Flags, started: Instant) -> Result<u8, String> {
    if let Some(is_long) = flags.wants_help {
        return Ok(write_text(&usage::help(is_long)));
    }
    if flags.wants_version {
        return Ok(write_text(usage::VERSION));
    }
    if flags.wants_pcre2_version {
        return Ok(write_text(usage::LOOK_AROUND_VERSION));
    }
    if flags.mode == Mode::TypeList {
        return Ok(write_text(&walk::type_list(flags)?));
    }
    let mut words = patterns::words(flags)?;
    let is_implicit = words.paths.is_empty();
    if is_implicit {
        let reads_stdin = flags.mode != Mode::Files && !words.is_stdin_used && is_stdin_readable();
        words
            .paths
            .push(if reads_stdin { "-" } else { "./" }.to_owned());
    }
    let errors = Errors::new(flags);
    if flags.mode == Mode::Files {
        return files(flags, &words, is_implicit, &errors);
    }
    if flags.max_count == Some(0) {
        return Ok(NOTHING);
    }
    search(flags, &words, is_implicit, &errors, started)
}

/// Returns whether standard input is something to be searched: a file or a pipe.
fn is_stdin_readable() -> bool {
    process::standard(0)
        .and_then(|stdin| stdin.stat().ok())
        .is_some_and(|stat| {
            matches!(
                stat.kind,
                process::Kind::Regular | process::Kind::Fifo | process::Kind::Socket
            )
        })
}

fn write_text(text: &str) -> u8 {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => FOUND,
        Err(error) => end_of_output(&error),
    }
}

/// Returns the exit status when output could not be written. A reader that has gone is no failure.
fn end_of_output(error: &io::Error) -> u8 {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return FOUND;
    }
    say(process::message(error));
    FAILED
}

fn is_terminal() -> bool {
    process::standard(1).is_some_and(|stdout| stdout.is_terminal())
}

fn files(flags: &Flags, words: &Words, is_implicit: bool, errors: &Errors) -> Result<u8, String> {
    let mut out = printing::output(flags, is_terminal());
    let colors = printing::colors(flags)?;
    let mut has_found = false;
    for haystack in walk::haystacks(flags, &words.paths, is_implicit, errors)? {
        has_found = true;
        if flags.quiet {
            break;
        }
        if let Err(error) = printing::path(flags, &colors, haystack.shown(), &mut out) {
            return Ok(end_of_output(&error));
        }
    }
    if let Err(error) = out.flush() {
        return Ok(end_of_output(&error));
    }
    Ok(status(flags, has_found, errors))
}

fn status(flags: &Flags, has_found: bool, errors: &Errors) -> u8 {
    if has_found && (flags.quiet || !errors.have_come()) {
        FOUND
    } else if errors.have_come() {
        FAILED
    } else if has_found {
        FOUND
    } else {
        NOTHING
    }
}

/// Searches one file after the other.
struct Search<'a> {
    flags: &'a Flags,
    pattern: Pattern,
    searcher: Searcher,
    printer: Printer,
    pre_globs: Override,
    stats: Option<Stats>,
}

fn search(
    flags: &Flags,
    words: &Words,
    is_implicit: bool,
    errors: &Errors,
    started: Instant,
) -> Result<u8, String> {
    let first = words.paths.first().map_or("", String::as_str);
    let around = Surroundings {
        has_paths: words.paths.len() > 1 || (first != "-" && Path::new(first).is_dir()),
        is_only_stdin: words.paths.len() == 1 && first == "-",
        is_terminal: is_terminal(),
    };
    let mut search = Search {
        flags,
        pattern: patterns::compile(flags, &words.patterns)?,
        searcher: searcher(flags, around)?,
        printer: printing::printer(flags, around, printing::output(flags, around.is_terminal))?,
        pre_globs: walk::pre_globs(flags)?,
        stats: (flags.stats || flags.mode == Mode::Json).then(Stats::new),
    };
    let (mut has_found, mut has_searched) = (false, false);
    for haystack in walk::haystacks(flags, &words.paths, is_implicit, errors)? {
        has_searched = true;
        match search.file(&haystack) {
            Ok(found) => has_found |= found,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => {
                errors.report(format_args!("{}: {error}", haystack.shown().display()));
            }
        }
        if has_found && flags.quiet && search.stats.is_none() {
            break;
        }
        if flags.is_line_buffered
            && let Err(error) = search.printer.out().flush()
        {
            return Ok(end_of_output(&error));
        }
    }
    if is_implicit && !has_searched {
        errors.report(
            "No files were searched, which means ripgrep probably applied a filter you didn't expect.\n\
             Running with --debug will show why files are being skipped.",
        );
    }
    let mut written = Ok(());
    if let Some(stats) = &search.stats {
        let out = search.printer.out();
        written = if flags.mode == Mode::Json && !flags.quiet {
            summary::print_json(out, stats, started.elapsed())
        } else {
            summary::print(out, stats, started.elapsed())
        };
    }
    if let Err(error) = written.and_then(|()| search.printer.out().flush()) {
        return Ok(end_of_output(&error));
    }
    Ok(status(flags, has_found, errors))
}

fn searcher(flags: &Flags, around: Surroundings) -> Result<Searcher, String> {
    let terminator = if flags.crlf {
        LineTerminator::crlf()
    } else if flags.null_data {
        LineTerminator::byte(0)
    } else {
        LineTerminator::byte(b'\n')
    };
    let mut builder = SearcherBuilder::new();
    builder
        .max_matches(flags.max_count)
        .line_terminator(terminator)
        .invert_match(flags.is_inverted)
        .line_number(flags.has_line_numbers(around))
        .multi_line(flags.is_multiline)
        .memory_map(MmapChoice::never())
        .stop_on_nonmatch(flags.stop_on_nonmatch);
    if flags.passthru {
        builder.passthru(true);
    } else {
        let (before, after) = flags.context();
        builder.before_context(before).after_context(after);
    }
    match flags.encoding.as_deref() {
        None | Some("auto") => {}
        Some("none") => {
            builder.bom_sniffing(false);
        }
        Some(label) => {
            let encoding = Encoding::new(label).map_err(|error| error.to_string())?;
            builder.encoding(Some(encoding));
        }
    }
    Ok(builder.build())
}

impl Search<'_> {
    /// Searches a file and returns whether it has a match.
    fn file(&mut self, haystack: &Haystack) -> io::Result<bool> {
        self.searcher
            .set_binary_detection(self.detection(haystack.is_named));
        if haystack.is_stdin {
            return self.reader(Path::new("<stdin>"), &mut io::stdin().lock());
        }
        if let Some(command) = self.preprocessor(&haystack.path) {
            return self.preprocessed(command, haystack);
        }
        if self.flags.decompresses
            && let Some(mut source) = decompress::open(&haystack.path)?
        {
            return self.reader(haystack.shown(), &mut source);
        }
        let mut file = File::open(&haystack.path)?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.reader(haystack.shown(), &mut file)
    }

    fn detection(&self, is_named: bool) -> BinaryDetection {
        if self.flags.binary == Binary::Text || self.flags.null_data {
            BinaryDetection::none()
        } else if is_named || self.flags.binary == Binary::Search {
            BinaryDetection::convert(0)
        } else {
            BinaryDetection::quit(0)
        }
    }

    /// Returns the command of `--pre` if the file is one for it.
    fn preprocessor(&self, path: &Path) -> Option<String> {
        let command = self.flags.pre.clone()?;
        let is_excluded =
            !self.pre_globs.is_empty() && self.pre_globs.matched(path, false).is_ignore();
        (!is_excluded).then_some(command)
    }

    /// Searches what a command makes of a file.
    fn preprocessed(&mut self, command: String, haystack: &Haystack) -> io::Result<bool> {
        let path = process::path_bytes(&haystack.path);
        let failed = |error: process::Errno| {
            io::Error::other(format!(
                "preprocessor command could not start: '\"{command}\"': {error}"
            ))
        };
        let stdin = process::open(path, process::OpenHow::READ, 0).map_err(failed)?;
        let mut program = process::Program::new(command.as_str());
        program.arg(path).stdin(stdin).stdout(process::Stdio::Piped);
        let mut running = program.spawn().map_err(failed)?;
        let mut found = Ok(false);
        if let Some(stdout) = running.stdout.take() {
            found = self.reader(haystack.shown(), &mut process::Stream(stdout));
        }
        let status = running.wait();
        // A command that is not heard to its end may die of that.
        let is_cut = matches!(found, Ok(true)) && status == process::Status::Signaled(13);
        if !status.is_success() && !is_cut {
            return Err(io::Error::other(format!(
                "preprocessor command failed: '\"{command}\"': exit status {}",
                status.code()
            )));
        }
        found
    }

    fn reader(&mut self, path: &Path, source: &mut dyn Read) -> io::Result<bool> {
        match self.pattern.clone() {
            Pattern::Automaton(matcher) => self.with(&matcher, path, source),
            Pattern::LookAround(matcher) => self.with(&matcher, path, source),
        }
    }

    fn with<M: Matcher>(
        &mut self,
        matcher: M,
        path: &Path,
        source: &mut dyn Read,
    ) -> io::Result<bool> {
        let (found, stats) = match &mut self.printer {
            Printer::Standard(printer) => {
                let mut sink = printer.sink_with_path(&matcher, path);
                self.searcher.search_reader(&matcher, source, &mut sink)?;
                (sink.has_match(), sink.stats().cloned())
            }
            Printer::Summary(printer) => {
                let mut sink = printer.sink_with_path(&matcher, path);
                self.searcher.search_reader(&matcher, source, &mut sink)?;
                (sink.has_match(), sink.stats().cloned())
            }
            Printer::Json(printer) => {
                let mut sink = printer.sink_with_path(&matcher, path);
                self.searcher.search_reader(&matcher, source, &mut sink)?;
                (sink.has_match(), Some(sink.stats().clone()))
            }
        };
        if let (Some(all), Some(stats)) = (&mut self.stats, stats) {
            *all += stats;
        }
        Ok(found)
    }
}
