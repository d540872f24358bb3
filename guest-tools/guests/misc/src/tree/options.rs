//! The command line of tree, which is not getopt's: letters may stand together, and long words take their values
//! behind `=` or in the next word.

use std::io::{self, Write};

use crate::report;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Xml,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Name,
    Version,
    Size,
    Modified,
    Changed,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    Unicode,
    Ascii,
    Ansi,
    Codepage437,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) form: Form,
    pub(super) shows_hidden: bool,
    pub(super) only_folders: bool,
    pub(super) follows: bool,
    pub(super) full_paths: bool,
    pub(super) level_max: Option<usize>,
    pub(super) patterns: Vec<String>,
    pub(super) ignored: Vec<String>,
    pub(super) ignores_case: bool,
    pub(super) matches_folders: bool,
    pub(super) reads_gitignore: bool,
    pub(super) gitignore_files: Vec<String>,
    pub(super) prunes: bool,
    pub(super) reports: bool,
    pub(super) file_limit: Option<usize>,
    pub(super) output: Option<String>,
    pub(super) hides_unprintable: bool,
    pub(super) quotes: bool,
    pub(super) permissions: bool,
    pub(super) user: bool,
    pub(super) group: bool,
    pub(super) size: bool,
    pub(super) is_human: bool,
    pub(super) is_si: bool,
    pub(super) sums: bool,
    pub(super) date: bool,
    pub(super) date_form: Option<String>,
    pub(super) classifies: bool,
    pub(super) inode: bool,
    pub(super) device: bool,
    pub(super) sort: Sort,
    pub(super) uses_changed: bool,
    pub(super) is_reversed: bool,
    pub(super) folders_first: bool,
    pub(super) files_first: bool,
    pub(super) indents: bool,
    pub(super) lines: Lines,
    pub(super) colours: bool,
    pub(super) reads_paths: bool,
    pub(super) metadata_first: bool,
}

impl Settings {
    fn new() -> Self {
        let is_unicode = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            // A hand has one locale; the names of others are for the programs of other machines.
            .is_none_or(|value| value != "C" && value != "POSIX");
        Self {
            form: Form::Text,
            shows_hidden: false,
            only_folders: false,
            follows: false,
            full_paths: false,
            level_max: None,
            patterns: Vec::new(),
            ignored: Vec::new(),
            ignores_case: false,
            matches_folders: false,
            reads_gitignore: false,
            gitignore_files: Vec::new(),
            prunes: false,
            reports: true,
            file_limit: None,
            output: None,
            hides_unprintable: false,
            quotes: false,
            permissions: false,
            user: false,
            group: false,
            size: false,
            is_human: false,
            is_si: false,
            sums: false,
            date: false,
            date_form: None,
            classifies: false,
            inode: false,
            device: false,
            sort: Sort::Name,
            uses_changed: false,
            is_reversed: false,
            folders_first: false,
            files_first: false,
            indents: true,
            lines: if is_unicode {
                Lines::Unicode
            } else {
                Lines::Ascii
            },
            colours: false,
            reads_paths: false,
            metadata_first: false,
        }
    }

    /// Returns whether folders have to be read before anything of them is shown.
    pub(super) fn reads_ahead(&self) -> bool {
        self.prunes || self.sums || self.matches_folders
    }

    /// Returns the width that a tab of the shown tree has in bytes per unit of size.
    pub(super) fn unit(&self) -> u64 {
        if self.is_si { 1000 } else { 1024 }
    }
}

/// Reads the words; the error is the exit status.
pub(super) fn read(program: &str, words: &[String]) -> Result<(Settings, Vec<String>), u8> {
    let mut settings = Settings::new();
    let mut names = Vec::new();
    let mut words = words.iter();
    let fail = |message: String| {
        report::complain(program, message);
        1
    };
    while let Some(word) = words.next() {
        if word == "--" {
            names.extend(words.by_ref().cloned());
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let mut value = || {
                value
                    .clone()
                    .or_else(|| words.next().cloned())
                    .ok_or_else(|| fail(format!("Missing argument to --{name}")))
            };
            long_option(program, &mut settings, name, &mut value)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                let attached = letters.as_str().to_owned();
                let mut value = || {
                    words
                        .next()
                        .cloned()
                        .ok_or_else(|| fail(format!("Missing argument to -{letter} option.")))
                };
                match letter {
                    'L' if attached.starts_with(|digit: char| digit.is_ascii_digit()) => {
                        settings.level_max = Some(level(program, &attached)?);
                        break;
                    }
                    'L' => settings.level_max = Some(level(program, &value()?)?),
                    'P' => settings.patterns.push(value()?),
                    'I' => settings.ignored.push(value()?),
                    'o' => settings.output = Some(value()?),
                    _ => short_option(program, &mut settings, letter)?,
                }
            }
        } else {
            names.push(word.clone());
        }
    }
    Ok((settings, names))
}

fn level(program: &str, text: &str) -> Result<usize, u8> {
    match text.parse::<usize>() {
        Ok(level) if level > 0 => Ok(level),
        _ => {
            report::complain(program, "Invalid level, must be greater than 0.");
            Err(1)
        }
    }
}

fn short_option(program: &str, settings: &mut Settings, letter: char) -> Result<(), u8> {
    match letter {
        'a' => settings.shows_hidden = true,
        'd' => settings.only_folders = true,
        'l' => settings.follows = true,
        'f' => settings.full_paths = true,
        'q' => settings.hides_unprintable = true,
        'N' => settings.hides_unprintable = false,
        'Q' => settings.quotes = true,
        'p' => settings.permissions = true,
        'u' => settings.user = true,
        'g' => settings.group = true,
        's' => settings.size = true,
        'h' => (settings.size, settings.is_human) = (true, true),
        'D' => settings.date = true,
        'F' => settings.classifies = true,
        'v' => settings.sort = Sort::Version,
        't' => settings.sort = Sort::Modified,
        'c' => (settings.sort, settings.uses_changed) = (Sort::Changed, true),
        'U' => settings.sort = Sort::None,
        'r' => settings.is_reversed = true,
        'i' => settings.indents = false,
        'A' => settings.lines = Lines::Ansi,
        'S' => settings.lines = Lines::Codepage437,
        'n' => settings.colours = false,
        'C' => settings.colours = true,
        'X' => settings.form = Form::Xml,
        'J' => settings.form = Form::Json,
        // A hand has one file system.
        'x' => {}
        'H' | 'T' | 'R' => {
            report::complain(
                program,
                format_args!("the option -{letter} is not supported"),
            );
            return Err(1);
        }
        _ => {
            let _ = writeln!(
                io::stderr(),
                "{program}: Invalid argument -`{letter}'.\n{SYNOPSIS}"
            );
            return Err(1);
        }
    }
    Ok(())
}

fn long_option(
    program: &str,
    settings: &mut Settings,
    name: &str,
    value: &mut dyn FnMut() -> Result<String, u8>,
) -> Result<(), u8> {
    match name {
        "help" => return Err(report::print(program, format!("{SYNOPSIS}\n{HELP}"))),
        "version" => return Err(report::print(program, "tree v2.1.0 (Sinew)\n")),
        "inodes" => settings.inode = true,
        "device" => settings.device = true,
        "noreport" => settings.reports = false,
        "dirsfirst" => settings.folders_first = true,
        "filesfirst" => settings.files_first = true,
        "ignore-case" => settings.ignores_case = true,
        "matchdirs" => settings.matches_folders = true,
        "prune" => settings.prunes = true,
        "gitignore" => settings.reads_gitignore = true,
        "gitfile" => settings.gitignore_files.push(value()?),
        "metafirst" => settings.metadata_first = true,
        "si" => (settings.size, settings.is_human, settings.is_si) = (true, true, true),
        "du" => (settings.size, settings.sums) = (true, true),
        "fromfile" => settings.reads_paths = true,
        "filelimit" => {
            let text = value()?;
            settings.file_limit = Some(text.parse().unwrap_or(0)).filter(|limit| *limit > 0);
        }
        "charset" => {
            settings.lines = match value()?.to_lowercase().as_str() {
                "utf-8" | "utf8" => Lines::Unicode,
                "ibm437" | "ibm850" | "cp437" => Lines::Codepage437,
                _ => Lines::Ascii,
            };
        }
        "timefmt" => {
            settings.date = true;
            settings.date_form = Some(value()?);
        }
        "sort" => {
            let text = value()?;
            settings.sort = match text.as_str() {
                "name" => Sort::Name,
                "version" => Sort::Version,
                "size" => Sort::Size,
                "mtime" => Sort::Modified,
                "ctime" => Sort::Changed,
                "none" => Sort::None,
                _ => {
                    report::complain(
                        program,
                        format_args!(
                            "Sort type '{text}' not valid, should be one of: name,version,size,mtime,ctime"
                        ),
                    );
                    return Err(1);
                }
            };
        }
        _ => {
            let _ = writeln!(
                io::stderr(),
                "{program}: Invalid argument `--{name}'.\n{SYNOPSIS}"
            );
            return Err(1);
        }
    }
    Ok(())
}

const SYNOPSIS: &str = "\
usage: tree [-acdfghilnpqrstuvxACDFJQNSUX] [-L level [-R]] [-H  baseHREF]
\t[-T title] [-o filename] [-P pattern] [-I pattern] [--gitignore]
\t[--gitfile[=]file] [--matchdirs] [--metafirst] [--ignore-case]
\t[--nolinks] [--hintro[=]file] [--houtro[=]file] [--inodes] [--device]
\t[--sort[=]<name>] [--dirsfirst] [--filesfirst] [--filelimit #] [--si]
\t[--du] [--prune] [--charset[=]X] [--timefmt[=]format] [--fromfile]
\t[--fflinks] [--info] [--infofile[=]file] [--noreport] [--version]
\t[--help] [--] [directory ...]";

const HELP: &str = "\
  -a  hidden files too        -d  folders only           -l  follow links to folders
  -f  whole paths             -L N  N levels             -P, -I PATTERN  only, not what fits
  -p -u -g -s -h -D  mode, user, group, size, date       -F  marks as ls -F
  -t -c -v -U -r  sorted by time, change, version; not; in reverse
  -i  no lines                -C, -n  colours or not     -J, -X  JSON, XML
  -Q  quoted names            -o FILE  output
  --gitignore --prune --noreport --dirsfirst --filesfirst --filelimit N --matchdirs --ignore-case
  --du --si --inodes --device --timefmt FORMAT --sort NAME --charset NAME --fromfile
";
