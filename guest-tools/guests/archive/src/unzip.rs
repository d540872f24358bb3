//! `unzip` and `zipinfo`, as Info-ZIP's unzip 6.0 has them.

mod extract;
mod list;
mod usage;

use std::io::Write as _;

use bash_text::pattern::{Options, Pattern};

use crate::zip::archive::{Archive, Problem};
use crate::zip::record::Member;

/// What to do with members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Extract,
    /// Only files that are there already.
    Freshen,
    /// Only files that are newer than those there, or new.
    Update,
    /// `-p`: contents only.
    Pipe,
    /// `-c`: contents with names.
    Content,
    Test,
    List,
    Verbose,
    Comment,
    Info,
}

/// How zipinfo shows members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// `-1`: names only, and nothing else.
    Names,
    /// `-2`: names.
    NamesWithMore,
    Short,
    Medium,
    Long,
}

#[derive(Debug)]
struct Settings {
    mode: Mode,
    look: Look,
    header: Option<bool>,
    trailer: Option<bool>,
    overwrite: bool,
    never: bool,
    quiet: u32,
    junk: bool,
    ignore_case: bool,
    /// 1: names of systems that know no case; 2: all.
    lower: u32,
    text: u32,
    keep_set_id: bool,
    no_times: u32,
    folder: Option<String>,
    archive: String,
    wanted: Vec<(Pattern, String)>,
    unwanted: Vec<Pattern>,
}

/// Runs the program.
pub(crate) fn run(name: &str, words: &[String]) -> u8 {
    let mut settings = Settings {
        mode: if name == "zipinfo" {
            Mode::Info
        } else {
            Mode::Extract
        },
        look: Look::Short,
        header: None,
        trailer: None,
        overwrite: false,
        never: false,
        quiet: 0,
        junk: false,
        ignore_case: false,
        lower: 0,
        text: 0,
        keep_set_id: false,
        no_times: 0,
        folder: None,
        archive: String::new(),
        wanted: Vec::new(),
        unwanted: Vec::new(),
    };
    match settings.read(words) {
        Ok(true) => {}
        Ok(false) => return 0,
        Err(status) => return status,
    }
    let status = work(&settings);
    match std::io::stdout().flush() {
        Ok(()) => status,
        // PK_DISK: what is shown has no room.
        Err(_) => 50,
    }
}

impl Settings {
    /// Reads a command line. Whether there is something to do, or what status to end with.
    fn read(&mut self, words: &[String]) -> Result<bool, u8> {
        let mut words = words.iter();
        let is_info = self.mode == Mode::Info;
        let mut is_version = false;
        let archive = loop {
            let Some(word) = words.next() else {
                break None;
            };
            if word == "--help" {
                print!("{}", usage::UNZIP);
                return Ok(false);
            }
            match word.strip_prefix('-') {
                Some(letters) if !letters.is_empty() && letters != "-" => {
                    is_version |= letters == "v";
                    self.letters(letters, &mut words)?;
                }
                _ => break Some(word.clone()),
            }
        };
        let Some(archive) = archive else {
            if is_version {
                print!("{}", usage::VERSION);
                return Ok(false);
            }
            if self.mode == Mode::Extract || is_info {
                print!("{}", usage::UNZIP);
                return Ok(false);
            }
            eprint!("{}", usage::UNZIP);
            return Err(10);
        };
        self.archive = archive;
        let mut excludes = false;
        while let Some(word) = words.next() {
            match word.as_str() {
                "-x" => excludes = true,
                "-d" => {
                    self.folder = Some(words.next().cloned().ok_or_else(|| {
                        eprintln!(
                            "error:  must specify directory to which to extract with -d option"
                        );
                        10_u8
                    })?);
                    excludes = false;
                }
                word if word.starts_with("-d") => {
                    self.folder = word.get(2..).map(str::to_owned);
                }
                word => {
                    let options = Options {
                        extglob: false,
                        ignore_case: self.ignore_case,
                    };
                    let pattern = Pattern::from_text(word.as_bytes(), options);
                    if excludes {
                        self.unwanted.push(pattern);
                    } else {
                        self.wanted.push((pattern, word.to_owned()));
                    }
                }
            }
        }
        Ok(true)
    }

    fn letters<'a>(
        &mut self,
        letters: &str,
        words: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), u8> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            if self.mode == Mode::Info {
                self.info_letter(letter)?;
                continue;
            }
            match letter {
                'l' => self.mode = Mode::List,
                'v' => self.mode = Mode::Verbose,
                't' => self.mode = Mode::Test,
                'p' => self.mode = Mode::Pipe,
                'c' => self.mode = Mode::Content,
                'z' => self.mode = Mode::Comment,
                'Z' => self.mode = Mode::Info,
                'f' => self.mode = Mode::Freshen,
                'u' => self.mode = Mode::Update,
                'o' => {
                    self.overwrite = true;
                    self.never = false;
                }
                'n' => {
                    self.never = true;
                    self.overwrite = false;
                }
                'q' => self.quiet += 1,
                'j' => self.junk = true,
                'C' => self.ignore_case = true,
                'L' => self.lower += 1,
                'a' => self.text += 1,
                'K' => self.keep_set_id = true,
                'D' => self.no_times += 1,
                'b' | 'X' | 'U' | 'M' | 'V' | 'B' | ':' | '^' | 'W' | 's' => {}
                'd' => {
                    let attached = rest.as_str();
                    self.folder = if attached.is_empty() {
                        words.next().cloned()
                    } else {
                        Some(attached.to_owned())
                    };
                    break;
                }
                'P' => {
                    eprintln!("unzip:  encrypted archives are not supported");
                    return Err(81);
                }
                _ => {
                    eprint!("{}", usage::UNZIP);
                    return Err(10);
                }
            }
        }
        Ok(())
    }

    fn info_letter(&mut self, letter: char) -> Result<(), u8> {
        match letter {
            '1' => self.look = Look::Names,
            '2' => self.look = Look::NamesWithMore,
            's' => self.look = Look::Short,
            'm' => self.look = Look::Medium,
            'l' => self.look = Look::Long,
            'h' => self.header = Some(true),
            't' => self.trailer = Some(true),
            'q' => self.quiet += 1,
            'C' => self.ignore_case = true,
            'z' | 'T' | 'M' | 'U' => {}
            'v' => {
                eprintln!("zipinfo:  the verbose form is not supported");
                return Err(10);
            }
            _ => {
                eprint!("{}", usage::UNZIP);
                return Err(10);
            }
        }
        Ok(())
    }

    /// Returns whether a member's name is to be in lower case.
    fn lowers(&self, member: &Member) -> bool {
        self.lower > 1 || (self.lower == 1 && member.made_by >> 8 == 0)
    }

    /// Returns whether a member is meant; notes which pattern that was.
    fn wants(&self, member: &Member, matched: &mut [bool]) -> bool {
        let mut is_wanted = self.wanted.is_empty();
        for ((pattern, _), matched) in self.wanted.iter().zip(matched) {
            if pattern.matches(&member.name) {
                *matched = true;
                is_wanted = true;
            }
        }
        is_wanted
            && !self
                .unwanted
                .iter()
                .any(|pattern| pattern.matches(&member.name))
    }
}

/// Returns the name that the archive has.
fn find(given: &str) -> Option<String> {
    [
        given.to_owned(),
        format!("{given}.zip"),
        format!("{given}.ZIP"),
    ]
    .into_iter()
    .find(|path| process::stat(path, true).is_ok_and(|stat| stat.kind != process::Kind::Directory))
}

fn work(settings: &Settings) -> u8 {
    let given = &settings.archive;
    let program = if settings.mode == Mode::Info {
        "zipinfo"
    } else {
        "unzip"
    };
    let Some(path) = find(given) else {
        if settings.mode == Mode::Pipe {
            return 9;
        }
        eprintln!("{program}:  cannot find or open {given}, {given}.zip or {given}.ZIP.");
        return 9;
    };
    let archive = match Archive::open(&path) {
        Ok(archive) => archive,
        Err(problem) => return broken(settings, program, given, &path, &problem),
    };
    let shows_archive = match settings.mode {
        Mode::Pipe => false,
        Mode::Info => {
            settings.look != Look::Names
                && (settings.wanted.is_empty() || settings.header == Some(true))
                && (settings.header == Some(true) || list::is_whole(settings))
        }
        _ => settings.quiet == 0,
    };
    if shows_archive {
        println!("Archive:  {path}");
        let shows_comment = matches!(
            settings.mode,
            Mode::Extract
                | Mode::Freshen
                | Mode::Update
                | Mode::List
                | Mode::Verbose
                | Mode::Content
                | Mode::Test
        );
        if shows_comment && !archive.comment.is_empty() {
            println!("{}", String::from_utf8_lossy(&archive.comment));
        }
    }
    let mut status = 0;
    if archive.before > 0 {
        eprintln!(
            "warning [{path}]:  {} extra byte{} at beginning or within zipfile\n  (attempting to process anyway)",
            archive.before,
            if archive.before == 1 { "" } else { "s" }
        );
        status = 1;
    }
    if settings.mode == Mode::Comment {
        if settings.quiet > 0 || !archive.comment.is_empty() {
            println!("{}", String::from_utf8_lossy(&archive.comment));
        }
        return status;
    }
    if archive.members.is_empty() && settings.mode != Mode::Info {
        eprintln!("warning [{path}]:  zipfile is empty");
        return 1;
    }
    let mut matched = vec![false; settings.wanted.len()];
    let members: Vec<&Member> = archive
        .members
        .iter()
        .filter(|member| settings.wants(member, &mut matched))
        .collect();
    let outcome = match settings.mode {
        Mode::List => list::short(settings, &members),
        Mode::Verbose => list::long(settings, &members),
        Mode::Info => list::info(settings, &archive, &members),
        _ => extract::all(settings, &archive, &path, &members),
    };
    status = status.max(outcome);
    for ((_, name), matched) in settings.wanted.iter().zip(&matched) {
        if !matched {
            // A listing says so by its status alone.
            if !matches!(settings.mode, Mode::List | Mode::Verbose) {
                eprintln!("caution: filename not matched:  {name}");
            }
            status = status.max(11);
        }
    }
    status
}

fn broken(settings: &Settings, program: &str, given: &str, path: &str, problem: &Problem) -> u8 {
    if let Problem::Io(error) = problem {
        let error = process::message(error);
        eprintln!("{program}:  cannot find or open {path}: {error}");
        return 9;
    }
    if settings.mode != Mode::Pipe && settings.quiet == 0 && settings.look != Look::Names {
        println!("Archive:  {path}");
    }
    if matches!(problem, Problem::NoEnd) {
        eprint!(
            "  End-of-central-directory signature not found.  Either this file is not\n  \
             a zipfile, or it constitutes one disk of a multi-part archive.  In the\n  \
             latter case the central directory and zipfile comment will be found on\n  \
             the last disk(s) of this archive.\n"
        );
        eprintln!(
            "{program}:  cannot find zipfile directory in one of {given} or\n        \
             {given}.zip, and cannot find {given}.ZIP, period."
        );
        return 9;
    }
    eprintln!("error [{path}]:  central directory is damaged");
    3
}
