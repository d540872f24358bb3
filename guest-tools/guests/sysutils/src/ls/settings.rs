//! The options of ls, read into facts that the other modules ask for.

use std::env;

use crate::glob;
use crate::quoting::{self, Style};
use crate::report;
use crate::size::Unit;
use crate::system::{Kind, Moment, Stat};
use gnu_options::named::{self, Item, Order};

use super::color::Colors;
use super::entry::Entry;
use super::long::{Columns, TimeStyle};

const SPECIFICATION: &str = "a/all A/almost-all author b/escape block-size= B/ignore-backups c C color=? \
    d/directory f F classify=? file-type format= full-time g group-directories-first G/no-group h/human-readable \
    si H/dereference-command-line dereference-command-line-symlink-to-dir hide= hyperlink=? indicator-style= i/inode \
    I/ignore= k/kibibytes l L/dereference m n/numeric-uid-gid N/literal o p q/hide-control-chars show-control-chars \
    Q/quote-name quoting-style= r/reverse R/recursive s/size S sort= time= time-style= t T/tabsize= u U v w/width= x X \
    Z/context zero 1";

/// Which symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    Never,
    OperandsToDirectories,
    Operands,
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    None,
    Name,
    Size,
    Time,
    Extension,
    Version,
    Width,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    Modified,
    Accessed,
    Changed,
}

impl Time {
    pub(crate) fn of(self, status: &Stat) -> Moment {
        match self {
            Time::Modified => status.modified,
            Time::Accessed => status.accessed,
            Time::Changed => status.changed,
        }
    }
}

/// How names are put on lines when they are not in the long format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    OnePerLine,
    Long,
    /// Columns, filled from top to bottom.
    Vertical,
    /// Columns, filled from left to right.
    Horizontal,
    Commas,
}

/// What is appended to names to tell what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Indicator {
    None,
    Slash,
    FileType,
    Classify,
}

/// Everything that the command line and the environment decide.
pub(crate) struct Settings {
    pub(crate) all: bool,
    pub(crate) almost_all: bool,
    pub(crate) lists_directories_themselves: bool,
    pub(crate) recursive: bool,
    pub(crate) follow: Follow,
    pub(crate) format: Format,
    pub(crate) is_long: bool,
    pub(crate) sort: Sort,
    pub(crate) reverse: bool,
    pub(crate) directories_first: bool,
    pub(crate) time: Time,
    pub(crate) time_style: TimeStyle,
    pub(crate) columns: Columns,
    pub(crate) shows_inode: bool,
    pub(crate) shows_blocks: bool,
    pub(crate) block_unit: Unit,
    pub(crate) size_unit: Unit,
    pub(crate) indicator: Indicator,
    pub(crate) quoting: Style,
    pub(crate) hides_control: bool,
    pub(crate) colors: Option<Colors>,
    pub(crate) width: usize,
    /// 0: spaces only.
    pub(crate) tab: usize,
    pub(crate) end_of_line: u8,
    ignored: Vec<String>,
    hidden: Vec<String>,
}

/// What reading the command line leads to.
pub(crate) enum Start {
    Run(Box<Settings>, Vec<String>),
    Done(u8),
}

/// What only the end of the command line decides.
#[derive(Default)]
struct Wishes {
    sort: Option<Sort>,
    follow: Option<Follow>,
    has_time: bool,
    kibibytes: bool,
    time_style: Option<String>,
    color: bool,
}

impl Settings {
    fn new(program: &str) -> Self {
        let format = match program {
            "dir" => Format::Vertical,
            "vdir" => Format::Long,
            _ => Format::OnePerLine,
        };
        let style = env::var("QUOTING_STYLE")
            .ok()
            .and_then(|name| Style::named(&name));
        let default = if program == "ls" {
            Style::Literal
        } else {
            Style::Escape
        };
        Settings {
            all: false,
            almost_all: false,
            lists_directories_themselves: false,
            recursive: false,
            follow: Follow::Never,
            format,
            is_long: false,
            sort: Sort::Name,
            reverse: false,
            directories_first: false,
            time: Time::Modified,
            time_style: TimeStyle::Locale,
            columns: Columns::default(),
            shows_inode: false,
            shows_blocks: false,
            block_unit: Unit::KIBIBYTES,
            size_unit: Unit::BYTES,
            indicator: Indicator::None,
            quoting: style.unwrap_or(default),
            hides_control: false,
            colors: None,
            width: env::var("COLUMNS")
                .ok()
                .and_then(|columns| columns.parse().ok())
                .unwrap_or(80),
            tab: 8,
            end_of_line: b'\n',
            ignored: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// Reads the command line.
    pub(crate) fn read(program: &str, arguments: &[String]) -> Start {
        let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
            Ok(items) => items,
            Err(message) => return Start::Done(report::usage(program, message, 2)),
        };
        let mut settings = Settings::new(program);
        if let Some(unit) = ["LS_BLOCK_SIZE", "BLOCK_SIZE"]
            .iter()
            .find_map(|name| Unit::parse(&env::var(name).ok()?))
        {
            settings.block_unit = unit;
            settings.size_unit = unit;
        }
        let mut wishes = Wishes::default();
        let mut operands = Vec::new();
        for item in items {
            match item {
                Item::Operand(operand) => operands.push(operand),
                Item::Option("help", _) => return Start::Done(report::help(HELP)),
                Item::Option("version", _) => return Start::Done(report::version(program)),
                Item::Option(name, value) => {
                    let value = value.as_deref();
                    if !settings.flag(name, &mut wishes)
                        && let Err(message) = settings.valued(name, value, &mut wishes)
                    {
                        // A word that is none of those known ends GNU's ls with 1, everything else with 2.
                        let status = if message.starts_with("invalid argument") {
                            1
                        } else {
                            2
                        };
                        return Start::Done(report::usage(program, message, status));
                    }
                }
            }
        }
        match settings.settle(wishes) {
            Ok(()) => Start::Run(Box::new(settings), operands),
            Err(message) => Start::Done(report::usage(program, message, 2)),
        }
    }

    /// Takes an option without an argument; false if it is none of these.
    fn flag(&mut self, name: &str, wishes: &mut Wishes) -> bool {
        match name {
            "all" => self.all = true,
            "almost-all" => {
                self.all = false;
                self.almost_all = true;
            }
            "author" => self.columns.author = true,
            "escape" => self.quoting = Style::Escape,
            "ignore-backups" => self.ignored.extend(["*~".to_owned(), ".*~".to_owned()]),
            "c" => (self.time, wishes.has_time) = (Time::Changed, true),
            "u" => (self.time, wishes.has_time) = (Time::Accessed, true),
            "C" => self.format = Format::Vertical,
            "x" => self.format = Format::Horizontal,
            "m" => self.format = Format::Commas,
            "1" if self.format != Format::Long => self.format = Format::OnePerLine,
            "1" | "dereference-command-line-symlink-to-dir" | "show-control-chars" | "context" => {
                self.minor(name, wishes)
            }
            "l" => self.format = Format::Long,
            "g" => (self.format, self.columns.owner) = (Format::Long, false),
            "o" => (self.format, self.columns.group) = (Format::Long, false),
            "n" | "numeric-uid-gid" => (self.format, self.columns.numeric) = (Format::Long, true),
            "no-group" => self.columns.group = false,
            "directory" => self.lists_directories_themselves = true,
            "f" => {
                self.all = true;
                wishes.sort = Some(Sort::None);
                if self.format == Format::Long {
                    self.format = Format::OnePerLine;
                }
                self.shows_blocks = false;
                wishes.color = false;
            }
            "F" => self.indicator = Indicator::Classify,
            "file-type" => self.indicator = Indicator::FileType,
            "p" => self.indicator = Indicator::Slash,
            "full-time" => {
                self.format = Format::Long;
                wishes.time_style = Some("full-iso".to_owned());
            }
            "group-directories-first" => self.directories_first = true,
            "human-readable" => {
                (self.block_unit, self.size_unit) =
                    (Unit::Human { base: 1024 }, Unit::Human { base: 1024 })
            }
            "si" => {
                (self.block_unit, self.size_unit) =
                    (Unit::Human { base: 1000 }, Unit::Human { base: 1000 })
            }
            "kibibytes" => wishes.kibibytes = true,
            "dereference-command-line" => wishes.follow = Some(Follow::Operands),
            "dereference" => wishes.follow = Some(Follow::Always),
            "inode" => self.shows_inode = true,
            "literal" => self.quoting = Style::Literal,
            "quote-name" => self.quoting = Style::C,
            "hide-control-chars" => self.hides_control = true,
            "reverse" => self.reverse = true,
            "recursive" => self.recursive = true,
            "size" => self.shows_blocks = true,
            "S" => wishes.sort = Some(Sort::Size),
            "t" => wishes.sort = Some(Sort::Time),
            "U" => wishes.sort = Some(Sort::None),
            "v" => wishes.sort = Some(Sort::Version),
            "X" => wishes.sort = Some(Sort::Extension),
            "zero" => {
                self.end_of_line = 0;
                self.quoting = Style::Literal;
                self.hides_control = false;
                wishes.color = false;
                if self.format != Format::Long {
                    self.format = Format::OnePerLine;
                }
            }
            _ => return false,
        }
        true
    }

    fn minor(&mut self, name: &str, wishes: &mut Wishes) {
        match name {
            "show-control-chars" => self.hides_control = false,
            "context" => self.columns.context = true,
            "dereference-command-line-symlink-to-dir" => {
                wishes.follow = Some(Follow::OperandsToDirectories)
            }
            _ => {}
        }
    }

    /// Takes an option with an argument.
    fn valued(
        &mut self,
        name: &str,
        value: Option<&str>,
        wishes: &mut Wishes,
    ) -> Result<(), String> {
        let text = value.unwrap_or("always");
        match name {
            "color" | "hyperlink" | "classify" => {
                let wanted = match text {
                    "always" | "yes" | "force" => true,
                    // Standard output is never a terminal here.
                    "auto" | "tty" | "if-tty" | "never" | "no" | "none" => false,
                    _ => {
                        return Err(invalid(
                            text,
                            &format!("--{name}"),
                            &["always yes force", "never no none", "auto tty if-tty"],
                        ));
                    }
                };
                match name {
                    "color" => wishes.color = wanted,
                    "classify" => {
                        self.indicator = if wanted {
                            Indicator::Classify
                        } else {
                            self.indicator
                        }
                    }
                    _ if wanted => {
                        return Err("option '--hyperlink=always' is not supported".to_owned());
                    }
                    _ => {}
                }
            }
            "block-size" => {
                let unit = Unit::parse(text).ok_or_else(|| {
                    format!("invalid --block-size argument {}", quoting::curly(text))
                })?;
                (self.block_unit, self.size_unit) = (unit, unit);
                wishes.kibibytes = false;
            }
            "format" => {
                self.format = match text {
                    "long" | "verbose" => Format::Long,
                    "commas" => Format::Commas,
                    "horizontal" | "across" => Format::Horizontal,
                    "vertical" => Format::Vertical,
                    "single-column" => Format::OnePerLine,
                    _ => {
                        return Err(invalid(
                            text,
                            "--format",
                            &[
                                "verbose",
                                "long",
                                "commas",
                                "horizontal",
                                "across",
                                "vertical",
                                "single-column",
                            ],
                        ));
                    }
                }
            }
            "indicator-style" => {
                self.indicator = match text {
                    "none" => Indicator::None,
                    "slash" => Indicator::Slash,
                    "file-type" => Indicator::FileType,
                    "classify" => Indicator::Classify,
                    _ => {
                        return Err(invalid(
                            text,
                            "--indicator-style",
                            &["none", "slash", "file-type", "classify"],
                        ));
                    }
                }
            }
            "quoting-style" => {
                self.quoting = Style::named(text).ok_or_else(|| {
                    let styles = [
                        "literal",
                        "shell",
                        "shell-always",
                        "shell-escape",
                        "shell-escape-always",
                        "c",
                        "c-maybe",
                        "escape",
                        "locale",
                        "clocale",
                    ];
                    invalid(text, "--quoting-style", &styles)
                })?;
            }
            "sort" => {
                wishes.sort = Some(match text {
                    "none" => Sort::None,
                    "time" => Sort::Time,
                    "size" => Sort::Size,
                    "extension" => Sort::Extension,
                    "version" => Sort::Version,
                    "width" => Sort::Width,
                    _ => {
                        return Err(invalid(
                            text,
                            "--sort",
                            &["none", "time", "size", "extension", "version", "width"],
                        ));
                    }
                });
            }
            "time" => {
                self.time = match text {
                    "atime" | "access" | "use" => Time::Accessed,
                    "ctime" | "status" => Time::Changed,
                    "mtime" | "modification" | "birth" | "creation" => Time::Modified,
                    _ => {
                        return Err(invalid(
                            text,
                            "--time",
                            &[
                                "atime", "access", "use", "ctime", "status", "birth", "creation",
                            ],
                        ));
                    }
                };
                wishes.has_time = true;
            }
            "time-style" => wishes.time_style = Some(text.to_owned()),
            "width" => self.width = number(text, "line width")?,
            "tabsize" => self.tab = number(text, "tab size")?,
            "hide" => self.hidden.push(text.to_owned()),
            "ignore" => self.ignored.push(text.to_owned()),
            _ => return Err(format!("option {} is not supported", quoting::quoted(name))),
        }
        Ok(())
    }

    fn settle(&mut self, wishes: Wishes) -> Result<(), String> {
        self.is_long = self.format == Format::Long;
        if wishes.kibibytes {
            self.block_unit = Unit::KIBIBYTES;
        }
        self.sort = match wishes.sort {
            Some(sort) => sort,
            None if wishes.has_time && !self.is_long => Sort::Time,
            None => Sort::Name,
        };
        let shows_links = self.lists_directories_themselves
            || self.indicator == Indicator::Classify
            || self.is_long;
        let default = if shows_links {
            Follow::Never
        } else {
            Follow::OperandsToDirectories
        };
        self.follow = wishes.follow.unwrap_or(default);
        if wishes.color && Colors::are_known() {
            self.colors = Some(Colors::from_environment());
            self.tab = 0;
        }
        let style = wishes.time_style.or_else(|| env::var("TIME_STYLE").ok());
        if let Some(style) = style.filter(|_| self.is_long) {
            self.time_style = TimeStyle::named(&style).ok_or_else(|| {
                format!(
                    "invalid argument {} for ‘time style’\nValid arguments are:\n  - [posix-]full-iso\n  - [posix-]long-iso\n  - [posix-]iso\n  - [posix-]locale\n  - +FORMAT (e.g., +%H:%M) for a 'date'-style format",
                    quoting::curly(&style)
                )
            })?;
        }
        Ok(())
    }

    /// Returns whether a name in a folder is left out.
    pub(crate) fn hides(&self, name: &[u8]) -> bool {
        let dotted = name.first() == Some(&b'.');
        let shows_all = self.all || self.almost_all;
        let any = |patterns: &[String]| {
            patterns
                .iter()
                .any(|pattern| glob::matches(pattern.as_bytes(), name, true))
        };
        (!shows_all && (dotted || any(&self.hidden))) || any(&self.ignored)
    }

    /// Returns whether an entry's status is needed beyond its name and kind.
    pub(crate) fn needs_status(&self, entry: &Entry) -> bool {
        let shows_kind =
            self.recursive || self.directories_first || self.indicator > Indicator::None;
        let follows =
            self.follow == Follow::Always && entry.kind.is_none_or(|kind| kind == Kind::Symlink);
        let runnable = entry.kind.is_none_or(|kind| kind == Kind::Regular);
        self.needs_every_status()
            || (self.indicator == Indicator::Classify && runnable)
            || (shows_kind && (follows || entry.kind.is_none()))
    }

    /// Returns whether the status of every entry is needed, whatever it is.
    pub(crate) fn needs_every_status(&self) -> bool {
        self.is_long
            || self.shows_blocks
            || self.shows_inode
            || matches!(self.sort, Sort::Size | Sort::Time)
            || self.colors.is_some()
    }

    /// Returns whether the target of a link is needed.
    pub(crate) fn needs_target(&self) -> bool {
        self.follow != Follow::Always
            && (self.is_long || self.colors.is_some() || self.directories_first)
    }
}

fn number(text: &str, what: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("invalid {what}: {}", quoting::curly(text)))
}

fn invalid(text: &str, option: &str, known: &[&str]) -> String {
    // Words of one meaning share a line.
    let shown = |names: &&str| {
        let names: Vec<String> = names.split(' ').map(quoting::curly).collect();
        format!("\n  - {}", names.join(", "))
    };
    let known: Vec<String> = known.iter().map(shown).collect();
    format!(
        "invalid argument {} for {}\nValid arguments are:{}",
        quoting::curly(text),
        quoting::curly(option),
        known.concat()
    )
}

const HELP: &str = "\
Usage: ls [OPTION]... [FILE]...
List information about the FILEs (the current directory by default).
Sort entries alphabetically if none of -cftuvSUX nor --sort is specified.

  -a, --all                  do not ignore entries starting with .
  -A, --almost-all           do not list implied . and ..
  -B, --ignore-backups       do not list implied entries ending with ~
  -C, -x, -m, -1             columns, rows, comma separated, one a line
      --color[=WHEN]         color the output WHEN: always, auto, never
  -d, --directory            list directories themselves, not their contents
  -F, --classify[=WHEN]      append indicator (one of */=>@|) to entries
  -g, -o, -n, -G             long format without owner, without group, numeric; no group
      --group-directories-first
  -h, --human-readable       print sizes like 1K 234M 2G; --si: powers of 1000
      --hide=PATTERN, -I, --ignore=PATTERN
  -H, -L                     follow symbolic links on the command line, everywhere
  -i, --inode                print the index number of each file
  -l                         use a long listing format
  -p                         append / indicator to directories
  -q, -b, -N, -Q, --quoting-style=WORD
  -r, --reverse              reverse order while sorting
  -R, --recursive            list subdirectories recursively
  -s, --size                 print the allocated size of each file, in blocks
  -S, -t, -U, -v, -X, --sort=WORD
  -c, -u, --time=WORD        use this time
      --time-style=STYLE, --full-time
  -w, --width=COLS, -T, --tabsize=COLS
      --zero                 end each output line with NUL, not newline
";
