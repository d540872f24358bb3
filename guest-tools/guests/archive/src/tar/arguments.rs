//! The command line of tar, in its old and its new style.

use std::io::{self, Read};
use std::path::Path;

use gnu_options::{Item, parse};

use super::block::Format as Dialect;
use super::entry::Time;
use super::option_names::{OPTIONS, long_name};
use super::patterns::{BACKUPS, Kept, Matching, Tag, VERSION_CONTROL};
use super::report::{Fatal, quoted};
use super::settings::{
    Action, Compression, Existing, Name, Owner, Quoting, Settings, format_of_name,
};
use super::transform;
use crate::codec::{Format, How};

/// What comes of a command line.
pub(super) enum Asked {
    Work(Box<Settings>),
    Help,
    Version,
}

/// What holds for the names behind it on the command line.
struct Reading {
    settings: Settings,
    action: Option<Action>,
    recursive: bool,
    null: bool,
    verbatim: bool,
    members: Matching,
    excluded: Matching,
    use_name: bool,
}

/// Reads a command line.
pub(super) fn read(words: &[String]) -> Result<Asked, Fatal> {
    let words = modern(words)?;
    let (items, error) = parse(&OPTIONS, &words);
    let mut reading = Reading {
        settings: Settings::default(),
        action: None,
        recursive: true,
        null: false,
        verbatim: false,
        members: Matching::MEMBERS,
        excluded: Matching::EXCLUDED,
        use_name: false,
    };
    if let Ok(archive) = std::env::var("TAPE") {
        reading.settings.archive = archive;
    }
    for item in items {
        let (name, argument) = match item {
            Item::Operand(name) => {
                reading.name(name.as_bytes());
                continue;
            }
            Item::Option(letter, argument, _) => (long_name(letter), argument),
        };
        match name {
            "help" | "usage" => return Ok(Asked::Help),
            "version" => return Ok(Asked::Version),
            _ => {}
        }
        let argument = argument.as_deref();
        if !(reading.action(name)?
            || reading.archive(name, argument)?
            || reading.selection(name, argument)?
            || reading.attributes(name, argument)?
            || reading.extraction(name, argument)?
            || reading.output(name, argument)?)
        {
            return Err(Fatal::usage(format!("--{name}: option is not supported")));
        }
    }
    if let Some(error) = error {
        return Err(Fatal::parser(error));
    }
    reading
        .finish()
        .map(|settings| Asked::Work(Box::new(settings)))
}

/// Turns letters without a dash at the beginning into options.
fn modern(words: &[String]) -> Result<Vec<String>, Fatal> {
    let Some((first, rest)) = words.split_first() else {
        return Ok(Vec::new());
    };
    if first.starts_with('-') || first.is_empty() {
        return Ok(words.to_vec());
    }
    let mut rest = rest.iter();
    let mut modern = Vec::new();
    for letter in first.chars() {
        modern.push(format!("-{letter}"));
        let takes = OPTIONS
            .short
            .split_once(letter)
            .is_some_and(|(_, behind)| behind.starts_with(':'));
        if takes {
            let argument = rest.next().ok_or_else(|| {
                Fatal::usage(format!("Old option '{letter}' requires an argument."))
            })?;
            modern.push(argument.clone());
        }
    }
    modern.extend(rest.cloned());
    Ok(modern)
}

impl Reading {
    fn name(&mut self, name: &[u8]) {
        self.settings.names.push(Name {
            name: name.to_vec(),
            folder: self.settings.folder.clone(),
            recursive: self.recursive,
            matching: self.members,
            excluded: self.settings.excluded.len(),
            tags: self.settings.tags.len(),
        });
        self.settings.trailing.clear();
    }

    /// Notes an option that holds for the names behind it.
    fn positional(&mut self, name: &str, argument: Option<&str>) {
        let shown = match name {
            "directory" => "-C".to_owned(),
            "exclude-from" => "-X".to_owned(),
            _ => format!("--{name}"),
        };
        let is_positional = name.starts_with("exclude")
            || matches!(
                name,
                "directory"
                    | "recursion"
                    | "no-recursion"
                    | "anchored"
                    | "no-anchored"
                    | "wildcards"
                    | "no-wildcards"
                    | "ignore-case"
                    | "no-ignore-case"
                    | "wildcards-match-slash"
                    | "no-wildcards-match-slash"
            );
        if is_positional {
            let value = argument.map(|argument| format!(" ‘{argument}’"));
            let line = format!("{shown}{}", value.unwrap_or_default());
            self.settings.trailing.push(line);
        }
    }

    fn action(&mut self, name: &str) -> Result<bool, Fatal> {
        let action = match name {
            "create" => Action::Create,
            "extract" => Action::Extract,
            "list" => Action::List,
            "append" => Action::Append,
            "update" => Action::Update,
            "diff" => Action::Compare,
            "catenate" => Action::Concatenate,
            "delete" => Action::Delete,
            "test-label" => Action::TestLabel,
            _ => return Ok(false),
        };
        if self.action.is_some_and(|before| before != action) {
            return Err(Fatal::usage(
                "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option",
            ));
        }
        self.action = Some(action);
        Ok(true)
    }

    /// The archive itself: where it is, its compression and dialect.
    fn archive(&mut self, name: &str, argument: Option<&str>) -> Result<bool, Fatal> {
        let settings = &mut self.settings;
        let value = argument.unwrap_or_default();
        let known = |format| Compression::Known(How::new(format));
        match name {
            "file" => settings.archive = value.to_owned(),
            "gzip" => settings.compression = known(Format::Gzip),
            "bzip2" => settings.compression = known(Format::Bzip2),
            "xz" => settings.compression = known(Format::Xz),
            "lzma" => settings.compression = known(Format::Lzma),
            "zstd" => settings.compression = known(Format::Zstd),
            "compress" | "lzip" | "lzop" => {
                settings.compression = Compression::Program(vec![name.to_owned()]);
            }
            "auto-compress" => self.use_name = true,
            "no-auto-compress" => self.use_name = false,
            "use-compress-program" => settings.compression = program(value),
            "format" => settings.dialect = dialect(value)?,
            "old-archive" | "portability" => settings.dialect = Dialect::V7,
            "posix" => settings.dialect = Dialect::Pax,
            "pax-option" => self.pax_options(value),
            "label" => settings.label = Some(value.to_owned()),
            "blocking-factor" => {
                let blocks: Option<u64> = value.parse().ok().filter(|blocks| *blocks > 0);
                settings.record_bytes = blocks
                    .and_then(|blocks| blocks.checked_mul(512))
                    .ok_or_else(|| Fatal::usage(format!("{value}: Invalid blocking factor")))?;
            }
            "record-size" => {
                let bytes: Option<u64> = value.parse().ok();
                settings.record_bytes = bytes
                    .filter(|bytes| *bytes > 0 && bytes % 512 == 0)
                    .ok_or_else(|| {
                        Fatal::usage("Record size must be a multiple of 512.".to_owned())
                    })?;
            }
            "ignore-zeros" => settings.ignore_zeros = true,
            "force-local" | "read-full-records" | "no-seek" | "seek" | "sparse"
            | "sparse-version" | "hole-detection" | "preserve-order" | "rmt-command"
            | "rsh-command" | "restrict" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn pax_options(&mut self, value: &str) {
        for option in value.split(',') {
            if let Some(name) = option.trim().strip_prefix("delete=") {
                self.settings.deleted_records.push(name.to_owned());
            }
        }
    }

    /// Which names are meant.
    fn selection(&mut self, name: &str, argument: Option<&str>) -> Result<bool, Fatal> {
        let value = argument.unwrap_or_default();
        self.positional(name, argument);
        let settings = &mut self.settings;
        match name {
            "directory" => settings.folder = settings.folder.join(value),
            "add-file" => self.name(value.as_bytes()),
            "files-from" => self.list(value)?,
            "null" => self.null = true,
            "no-null" => self.null = false,
            "verbatim-files-from" => self.verbatim = true,
            "no-verbatim-files-from" => self.verbatim = false,
            "unquote" | "no-unquote" => {}
            "recursion" => self.recursive = true,
            "no-recursion" => self.recursive = false,
            "exclude" => settings.excluded.add(value.as_bytes(), self.excluded),
            "exclude-from" => self.exclusions(value)?,
            "exclude-vcs" => self.exclude_all(VERSION_CONTROL),
            "exclude-backups" => self.exclude_all(BACKUPS),
            "exclude-tag" => self.tag(value, b"", Kept::Tag),
            "exclude-tag-under" => self.tag(value, b"", Kept::Folder),
            "exclude-tag-all" => self.tag(value, b"", Kept::Nothing),
            "exclude-caches" => self.tag(CACHE, CACHE_BEGINS, Kept::Tag),
            "exclude-caches-under" => self.tag(CACHE, CACHE_BEGINS, Kept::Folder),
            "exclude-caches-all" => self.tag(CACHE, CACHE_BEGINS, Kept::Nothing),
            "wildcards" | "no-wildcards" => {
                self.both(|matching| matching.wildcards = name == "wildcards");
            }
            "anchored" | "no-anchored" => {
                self.both(|matching| matching.anchored = name == "anchored");
            }
            "ignore-case" | "no-ignore-case" => {
                self.both(|matching| matching.ignore_case = name == "ignore-case");
            }
            "wildcards-match-slash" | "no-wildcards-match-slash" => {
                self.both(|matching| matching.slash = name == "wildcards-match-slash");
            }
            "newer" | "newer-mtime" => settings.newer = Some(date(value, name)?),
            "occurrence" => {
                let number = argument.map_or(Some(1), |text| text.parse().ok());
                settings.occurrence =
                    Some(number.ok_or_else(|| Fatal::usage(format!("{value}: Invalid number")))?);
            }
            "starting-file" => {
                settings.starting = Some(value.as_bytes().to_vec());
                self.name(value.as_bytes());
            }
            "one-file-system" | "check-device" | "no-check-device" => {}
            "ignore-failed-read" => settings.ignore_failed_read = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn both(&mut self, change: impl Fn(&mut Matching)) {
        change(&mut self.members);
        change(&mut self.excluded);
    }

    fn exclude_all(&mut self, patterns: &[&str]) {
        for pattern in patterns {
            let matching = Matching::EXCLUDED;
            self.settings.excluded.add(pattern.as_bytes(), matching);
        }
    }

    fn tag(&mut self, file: &str, begins: &'static [u8], keeps: Kept) {
        self.settings.tags.push(Tag {
            file: file.to_owned(),
            begins,
            keeps,
        });
    }

    fn exclusions(&mut self, path: &str) -> Result<(), Fatal> {
        let text = read_all(path, &self.settings.folder)
            .map_err(|error| Fatal::new(format!("{path}: {}", process::message(&error))))?;
        for line in text.split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                self.settings.excluded.add(line, self.excluded);
            }
        }
        Ok(())
    }

    /// Takes the names of a list, and the options among them.
    fn list(&mut self, path: &str) -> Result<(), Fatal> {
        self.settings.has_list = true;
        let mut text = read_all(path, Path::new("")).map_err(|error| {
            let path = quoted(path.as_bytes());
            Fatal::new(format!("{path}: Cannot stat: {}", process::message(&error)))
        })?;
        self.settings.trailing.clear();
        let mut end = if self.null { 0 } else { b'\n' };
        if !self.null && text.contains(&0) {
            eprintln!(
                "tar: {}: file name read contains nul character",
                quoted(path.as_bytes())
            );
            end = 0;
        }
        if text.last() == Some(&end) {
            text.pop();
        }
        if text.is_empty() {
            return Ok(());
        }
        let mut names = text.split(|byte| *byte == end);
        while let Some(name) = names.next() {
            if name.is_empty() {
                continue;
            }
            if self.null || self.verbatim || !name.starts_with(b"-") || name == b"-" {
                self.name(name);
                continue;
            }
            let option = String::from_utf8_lossy(name).into_owned();
            self.listed_option(&option, &mut names)?;
        }
        Ok(())
    }

    fn listed_option<'a>(
        &mut self,
        option: &str,
        names: &mut impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Fatal> {
        let mut words = vec![option.to_owned()];
        if let Some((letter, value)) = option.split_once(' ') {
            words = vec![letter.to_owned(), value.trim().to_owned()];
        } else if option == "-C" || option == "--directory" {
            let value = names.next().unwrap_or_default();
            words.push(String::from_utf8_lossy(value).into_owned());
        }
        let (items, error) = parse(&OPTIONS, &words);
        for item in items {
            match item {
                Item::Option(letter, argument, _) => {
                    let name = long_name(letter);
                    if !self.selection(name, argument.as_deref())? {
                        return Err(Fatal::usage(format!("{option}: Invalid option in a list")));
                    }
                }
                Item::Operand(name) => self.name(name.as_bytes()),
            }
        }
        error.map_or(Ok(()), |error| Err(Fatal::parser(error)))
    }

    /// What members are and become.
    fn attributes(&mut self, name: &str, argument: Option<&str>) -> Result<bool, Fatal> {
        let value = argument.unwrap_or_default();
        let settings = &mut self.settings;
        match name {
            "transform" => {
                let transforms = transform::parse(value).map_err(Fatal::usage)?;
                settings.transforms.extend(transforms);
            }
            "strip-components" => {
                settings.strip = value
                    .parse()
                    .map_err(|_| Fatal::usage(format!("{value}: Invalid number of elements")))?;
            }
            "absolute-names" => settings.absolute = true,
            "dereference" => settings.dereference = true,
            "hard-dereference" => settings.hard_dereference = true,
            "owner" => settings.user = owner(value, process::user_name),
            "group" => settings.group = owner(value, process::group_name),
            "mode" => {
                if bash_text::mode::change(value.as_bytes(), 0, false, 0).is_none() {
                    return Err(Fatal::new("Invalid mode given on option"));
                }
                settings.mode = Some(value.to_owned());
            }
            "mtime" => settings.modified = Some(file_or_date(value)?),
            "clamp-mtime" => settings.clamp = true,
            "numeric-owner" => settings.numeric_owner = true,
            "sort" => match value {
                "name" | "none" | "inode" => {}
                _ => {
                    return Err(Fatal::bare(format!(
                        "invalid argument ‘{value}’ for ‘--sort’\nValid arguments are:\n  \
                         - ‘none’\n  - ‘name’\n  - ‘inode’"
                    )));
                }
            },
            // There are none of these here, and one owner for all.
            "acls" | "no-acls" | "selinux" | "no-selinux" | "xattrs" | "no-xattrs"
            | "xattrs-exclude" | "xattrs-include" | "atime-preserve" | "same-owner"
            | "no-same-owner" | "check-links" => {}
            "remove-files" => settings.remove_files = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// How members become files.
    fn extraction(&mut self, name: &str, argument: Option<&str>) -> Result<bool, Fatal> {
        let settings = &mut self.settings;
        let text = || argument.map(str::to_owned);
        match name {
            "overwrite" => settings.existing = Existing::Overwrite,
            "keep-old-files" => settings.existing = Existing::Keep,
            "skip-old-files" => settings.existing = Existing::Skip,
            "keep-newer-files" => settings.existing = Existing::KeepNewer,
            "unlink-first" => settings.unlink_first = true,
            "recursive-unlink" => settings.recursive_unlink = true,
            "overwrite-dir" => settings.overwrite_folder = true,
            "no-overwrite-dir" => settings.overwrite_folder = false,
            "keep-directory-symlink" => settings.keep_folder_links = true,
            "preserve-permissions" => settings.keep_modes = true,
            "no-same-permissions" => settings.keep_modes = false,
            "touch" => settings.touch = true,
            "to-stdout" => settings.to_stdout = true,
            "to-command" => settings.to_command = text(),
            "ignore-command-error" => settings.ignore_command_error = true,
            "no-ignore-command-error" => settings.ignore_command_error = false,
            "one-top-level" => settings.top_level = Some(text().unwrap_or_default()),
            "backup" => settings.backup = !matches!(argument, Some("none" | "off")),
            "suffix" => {
                settings.backup = true;
                settings.suffix = text().unwrap_or_default();
            }
            "delay-directory-restore" | "no-delay-directory-restore" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What is said meanwhile.
    fn output(&mut self, name: &str, argument: Option<&str>) -> Result<bool, Fatal> {
        let settings = &mut self.settings;
        let value = argument.unwrap_or_default();
        match name {
            "verbose" => settings.verbose += 1,
            "show-transformed-names" | "show-stored-names" => settings.show_transformed = true,
            "full-time" => settings.full_time = true,
            "utc" => settings.utc = true,
            "block-number" => settings.block_number = true,
            "totals" => settings.totals = true,
            "verify" => settings.verify = true,
            "quoting-style" => {
                settings.quoting = match value {
                    "literal" => Quoting::Literal,
                    "escape" => Quoting::Escape,
                    "c" | "c-maybe" => Quoting::C,
                    "shell" => Quoting::Shell,
                    "shell-always" => Quoting::ShellAlways,
                    _ => {
                        return Err(Fatal::usage(format!("Unknown quoting style '{value}'")));
                    }
                };
            }
            "checkpoint" => {
                const RECORDS: u64 = 10;
                let number = argument.map_or(Some(RECORDS), |text| text.parse().ok());
                settings.checkpoint = number.filter(|number| *number > 0);
                if settings.checkpoint.is_none() {
                    let text = "--checkpoint value is not an integer";
                    return Err(Fatal::usage(text));
                }
            }
            "checkpoint-action" => settings.checkpoint_actions.push(value.to_owned()),
            "warning" => {
                if let Some(keyword) = value.strip_prefix("no-") {
                    settings.silenced.push(keyword.to_owned());
                } else if value == "none" {
                    settings.silenced.push("all".to_owned());
                }
            }
            "show-omitted-dirs" | "quote-chars" | "no-quote-chars" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self) -> Result<Settings, Fatal> {
        let mut settings = self.settings;
        settings.action = self.action.ok_or_else(|| {
            Fatal::usage(
                "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options",
            )
        })?;
        let creates = settings.action == Action::Create;
        if creates && settings.names.is_empty() && !settings.has_list {
            return Err(Fatal::usage("Cowardly refusing to create an empty archive"));
        }
        let changes = matches!(
            settings.action,
            Action::Append | Action::Update | Action::Concatenate | Action::Delete
        );
        if changes && !matches!(settings.compression, Compression::Unknown) {
            return Err(Fatal::usage("Cannot update compressed archives"));
        }
        if creates
            && self.use_name
            && matches!(settings.compression, Compression::Unknown)
            && let Some(format) = format_of_name(&settings.archive)
        {
            settings.compression = Compression::Known(How::new(format));
        }
        if settings.top_level.as_deref() == Some("") {
            settings.top_level = Some(top_level(&settings.archive)?);
        }
        Ok(settings)
    }
}

const CACHE: &str = "CACHEDIR.TAG";
const CACHE_BEGINS: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

fn top_level(archive: &str) -> Result<String, Fatal> {
    let base = archive.rsplit('/').next().unwrap_or(archive);
    let stem = match format_of_name(base) {
        Some(_) => base.rsplit_once('.').map_or(base, |(stem, _)| stem),
        None => base,
    };
    let stem = stem.strip_suffix(".tar").unwrap_or(stem);
    if stem == base {
        return Err(Fatal::usage(
            "Cannot deduce top-level directory name; please set it explicitly with --one-top-level=DIR",
        ));
    }
    Ok(stem.to_owned())
}

fn program(text: &str) -> Compression {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let base = words
        .first()
        .map(|word| word.rsplit('/').next().unwrap_or(word));
    let format = match base {
        Some("gzip" | "pigz") => Some(Format::Gzip),
        Some("bzip2" | "pbzip2" | "lbzip2") => Some(Format::Bzip2),
        Some("xz" | "pxz" | "pixz") => Some(Format::Xz),
        Some("lzma") => Some(Format::Lzma),
        Some("zstd" | "zstdmt") => Some(Format::Zstd),
        _ => None,
    };
    // What we compress ourselves needs no other process, as long as only a level is asked for.
    let level = match words.get(1..) {
        Some([]) => Some(None),
        Some([level]) => level
            .strip_prefix('-')
            .and_then(|level| level.parse().ok())
            .map(Some),
        _ => None,
    };
    match (format, level) {
        (Some(format), Some(level)) => {
            let mut how = How::new(format);
            how.level = level.unwrap_or(how.level);
            Compression::Known(how)
        }
        _ => Compression::Program(words),
    }
}

fn dialect(value: &str) -> Result<Dialect, Fatal> {
    Ok(match value {
        "v7" => Dialect::V7,
        "oldgnu" => Dialect::OldGnu,
        "gnu" => Dialect::Gnu,
        "ustar" => Dialect::Ustar,
        "pax" | "posix" => Dialect::Pax,
        _ => return Err(Fatal::usage(format!("{value}: Invalid archive format"))),
    })
}

/// Reads `NAME`, `NAME:ID`, `:ID` or `+ID`.
fn owner(value: &str, name_of: fn(u32) -> Option<&'static str>) -> Owner {
    let (name, id) = match value.split_once(':') {
        Some((name, id)) => (name, id.parse().ok()),
        None => (value, None),
    };
    if name.is_empty() {
        return Owner {
            name: Some(String::new()),
            id,
        };
    }
    if id.is_none() {
        let digits = name.strip_prefix('+').unwrap_or(name);
        if let Ok(id) = digits.parse::<u64>() {
            let named = if name.starts_with('+') {
                Some(name.to_owned())
            } else {
                u32::try_from(id).ok().and_then(name_of).map(str::to_owned)
            };
            return Owner {
                name: Some(named.unwrap_or_default()),
                id: Some(id),
            };
        }
        let known = match name {
            "root" => Some(0),
            "nobody" | "nogroup" => Some(65_534),
            name if name == process::USER_NAME => Some(u64::from(process::USER)),
            _ => None,
        };
        return Owner {
            name: Some(name.to_owned()),
            id: known,
        };
    }
    Owner {
        name: Some(name.to_owned()),
        id,
    }
}

fn date(text: &str, option: &str) -> Result<Time, Fatal> {
    if text.starts_with('/') || text.starts_with('.') {
        return file_or_date(text);
    }
    match crate::times::parse(text) {
        Some((seconds, nanoseconds)) => Ok(Time {
            seconds,
            nanoseconds,
        }),
        None => Err(Fatal::usage(format!(
            "Substituting -9223372036854775808 for unknown date format ‘{text}’ of --{option}"
        ))),
    }
}

/// A time, or that of a file.
fn file_or_date(text: &str) -> Result<Time, Fatal> {
    if text.starts_with('/') || text.starts_with('.') {
        return process::stat(text, true)
            .map(|stat| Time::from(stat.modified))
            .map_err(|error| Fatal::new(format!("{text}: Cannot stat: {error}")));
    }
    date(text, "mtime")
}

/// Reads a list, from the standard input if it is called `-`.
fn read_all(path: &str, folder: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if path == "-" {
        io::stdin().lock().read_to_end(&mut text)?;
    } else {
        std::fs::File::open(folder.join(path))?.read_to_end(&mut text)?;
    }
    Ok(text)
}
