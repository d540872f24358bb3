//! GNU grep: what files are searched, messages, and the exit status.

use std::{
    fs,
    io::{self, BufWriter, Read, Write},
};

use process::{Contents, Errno, Folder, Kind, Listed, Stat, argument_bytes};

use crate::{
    locale,
    matcher::Matcher,
    search::{PIECE_BYTES, Search},
    settings::{self, Asked, Directories, List, Settings},
    usage,
};

const NO_MATCH: u8 = 1;
const TROUBLE: u8 = 2;
/// Directories within directories, which links can make endless.
const DEPTH_MAX: usize = 512;
const OUTPUT_BYTES: usize = 64 << 10;

/// Runs grep by the name it was called by.
pub(crate) fn run(name: &str, words: &[String]) -> u8 {
    let settings = match settings::read(name, words, locale::is_utf8()) {
        Ok(Asked::Search(settings)) => settings,
        Ok(Asked::Help) => return show(usage::HELP),
        Ok(Asked::Version) => return show(usage::VERSION),
        Err(refusal) => {
            if let Some(message) = refusal.message {
                eprintln!("grep: {message}");
            }
            if refusal.usage {
                eprint!("{}", usage::SHORT);
            }
            return TROUBLE;
        }
    };
    let matcher = match Matcher::new(&settings) {
        Ok(matcher) => matcher,
        Err(error) => {
            eprintln!("grep: {error}");
            return TROUBLE;
        }
    };
    for warning in matcher.warnings() {
        eprintln!("grep: warning: {warning}");
    }
    // Nothing can be found: not even counts are shown.
    let is_vain = settings.count_max == Some(0) || settings.patterns.is_empty() && !settings.invert;
    if is_vain && settings.list != List::NotMatching {
        return NO_MATCH;
    }
    let out = BufWriter::with_capacity(OUTPUT_BYTES, io::stdout().lock());
    let output = process::standard(1).and_then(|output| output.stat().ok());
    let output = output.filter(|output| output.kind == Kind::Regular);
    let mut run = Run {
        search: Search::new(&settings, &matcher, out),
        settings: &settings,
        // What is only counted or named is not read from where it is written.
        output: output.filter(|_| !settings.quiet && settings.list == List::No),
        has_error: false,
        has_match: false,
    };
    let result = run.all();
    let result = result.and_then(|()| run.search.printer.flush());
    if matcher.gave_up() {
        eprintln!("grep: exceeded PCRE's backtracking limit");
        run.has_error = true;
    }
    match result {
        Err(error) => {
            eprintln!("grep: write error: {}", words_of(&error));
            TROUBLE
        }
        Ok(()) if settings.quiet && run.has_match => 0,
        Ok(()) if run.has_error => TROUBLE,
        Ok(()) if run.has_match => 0,
        Ok(()) => NO_MATCH,
    }
}

fn show(text: &str) -> u8 {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => 0,
        Err(_) => TROUBLE,
    }
}

/// Returns a message about a file.
pub(crate) fn about(path: &str, error: &io::Error) -> String {
    format!("{path}: {}", words_of(error))
}

/// Returns an error in the words of `strerror`.
fn words_of(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::NotFound => "No such file or directory",
        io::ErrorKind::PermissionDenied => "Permission denied",
        io::ErrorKind::IsADirectory => "Is a directory",
        io::ErrorKind::NotADirectory => "Not a directory",
        io::ErrorKind::BrokenPipe => "Broken pipe",
        _ => {
            let text = error.to_string();
            let end = text.find(" (os error").unwrap_or(text.len());
            return text.get(..end).unwrap_or_default().to_owned();
        }
    };
    text.to_owned()
}

struct Run<'a, W: Write> {
    search: Search<'a, W>,
    settings: &'a Settings,
    /// The file that is written to, if it is one.
    output: Option<Stat>,
    has_error: bool,
    has_match: bool,
}

impl<W: Write> Run<'_, W> {
    fn all(&mut self) -> io::Result<()> {
        let recurses = self.settings.directories == Directories::Recurse;
        let named = self.settings.files.as_slice();
        if named.is_empty() && recurses {
            return self.directory("", 0);
        }
        let standard_input = ["-".to_owned()];
        let files = if named.is_empty() {
            standard_input.as_slice()
        } else {
            named
        };
        for path in files {
            match path.as_str() {
                "-" => self.standard_input()?,
                path => self.named(path, files.len() > 1)?,
            }
            if self.is_done() {
                break;
            }
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.settings.quiet && self.has_match
    }

    fn standard_input(&mut self) -> io::Result<()> {
        let name = self.settings.label.as_deref();
        let name = name.unwrap_or("(standard input)");
        let several = self.settings.files.len() > 1;
        self.search.printer.set_size(None);
        self.search(name, several, io::stdin().lock())
    }

    /// Searches a file or directory of the command line.
    fn named(&mut self, path: &str, several: bool) -> io::Result<()> {
        let settings = self.settings;
        let recurses = settings.directories == Directories::Recurse;
        let needs_kind = recurses
            || settings.directories == Directories::Skip
            || settings.read_devices == Some(false)
            || settings.initial_tab;
        let kind = match needs_kind {
            true => fs::metadata(path).ok(),
            false => None,
        };
        let is_directory = kind.as_ref().is_some_and(fs::Metadata::is_dir);
        let is_device = kind
            .as_ref()
            .is_some_and(|kind| !kind.is_file() && !kind.is_dir());
        if is_directory && recurses {
            return match settings.exclusion.leaves_out_directory(path, true) {
                true => Ok(()),
                false => self.directory(path, 0),
            };
        }
        let is_skipped = (is_directory && settings.directories == Directories::Skip)
            || (is_device && settings.read_devices == Some(false));
        if is_skipped || (!is_directory && settings.exclusion.leaves_out(path, true)) {
            return Ok(());
        }
        let size = kind.filter(fs::Metadata::is_file).map(|kind| kind.len());
        self.search.printer.set_size(size);
        self.file(path, several)
    }

    /// Opens and searches a file.
    fn file(&mut self, path: &str, with_name: bool) -> io::Result<()> {
        if let Some(output) = &self.output {
            let input = process::stat(argument_bytes(path), true).ok();
            let is_same =
                |input: Stat| (input.device, input.inode) == (output.device, output.inode);
            if input.is_some_and(is_same) {
                eprintln!("grep: {path}: input file is also the output");
                self.has_error = true;
                return Ok(());
            }
        }
        match Contents::open(argument_bytes(path), PIECE_BYTES) {
            Ok(file) => self.search(path, with_name, file),
            Err(error) => {
                self.complain(path, &error.into());
                Ok(())
            }
        }
    }

    /// Searches what is in a directory, in the order of names. The empty path is the current directory, whose name
    /// is not printed.
    fn directory(&mut self, path: &str, depth: usize) -> io::Result<()> {
        let settings = self.settings;
        let place = if path.is_empty() { "." } else { path };
        let opened = Folder::open(argument_bytes(place), settings.initial_tab);
        let entries: Result<Vec<Listed>, Errno> = opened.and_then(Iterator::collect);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                self.complain(path, &error.into());
                return Ok(());
            }
        };
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let slash = if path.is_empty() || path.ends_with('/') {
            ""
        } else {
            "/"
        };
        for entry in entries {
            let child = format!("{path}{slash}{}", entry.name.to_string_lossy());
            let kind = match entry.kind {
                Kind::Symlink if !settings.follow => continue,
                Kind::Symlink => process::stat(argument_bytes(&child), true).map(|stat| stat.kind),
                kind => Ok(kind),
            };
            let kind = match kind {
                Ok(kind) => kind,
                Err(error) => {
                    self.complain(&child, &error.into());
                    continue;
                }
            };
            if kind == Kind::Directory {
                if settings.exclusion.leaves_out_directory(&child, false) {
                    continue;
                }
                match depth < DEPTH_MAX {
                    true => self.directory(&child, depth + 1)?,
                    false => {
                        self.has_error = true;
                        eprintln!("grep: warning: {child}: recursive directory loop");
                    }
                }
            } else if kind == Kind::Regular || settings.read_devices == Some(true) {
                if settings.exclusion.leaves_out(&child, false) {
                    continue;
                }
                if settings.initial_tab {
                    let size = entry.stat.and_then(Result::ok).map(|stat| stat.size);
                    self.search.printer.set_size(size);
                }
                self.file(&child, true)?;
            }
            if self.is_done() {
                break;
            }
        }
        Ok(())
    }

    fn search(&mut self, path: &str, with_name: bool, file: impl Read) -> io::Result<()> {
        let settings = self.settings;
        let with_name = settings.with_name.unwrap_or(with_name);
        let name = with_name.then_some(path);
        let mut reading = Reading { file, error: None };
        let found = self.search.file(&mut reading, name)?;
        if let Some(error) = reading.error {
            self.complain(path, &error);
        }
        let has_selected = found.selected > 0;
        self.has_match |= has_selected;
        if found.binary_matches {
            self.search.printer.flush()?;
            eprintln!("grep: {path}: binary file matches");
        }
        if settings.quiet {
            return Ok(());
        }
        if settings.count && settings.list == List::No {
            self.search.printer.count_line(name, found.selected)?;
        }
        match (settings.list, has_selected) {
            (List::Matching, true) | (List::NotMatching, false) => {
                self.search.printer.name_line(path)
            }
            _ => Ok(()),
        }
    }

    fn complain(&mut self, path: &str, error: &io::Error) {
        self.has_error = true;
        if !self.settings.no_messages {
            eprintln!("grep: {}", about(path, error));
        }
    }
}

/// A file whose errors end it and are kept apart from those of the output.
struct Reading<R> {
    file: R,
    error: Option<io::Error>,
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.error = Some(error);
                Ok(0)
            }
            result => result,
        }
    }
}
