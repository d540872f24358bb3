//! The expression that `find` evaluates for each file.

use bash_text::pattern::Pattern;
use posix_regex::Regex;
use process::Kind;

use crate::printf::Format;

/// A number as tests have it: `+n` more, `-n` less, `n` exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Count<N> {
    /// More than it.
    More(N),
    /// Less than it.
    Less(N),
    /// It.
    Exactly(N),
}

impl<N: PartialOrd> Count<N> {
    /// Returns whether a number passes.
    pub fn is_met(&self, number: N) -> bool {
        match self {
            Self::More(than) => number > *than,
            Self::Less(than) => number < *than,
            Self::Exactly(than) => number == *than,
        }
    }
}

/// Which of a file's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Last read.
    Accessed,
    /// Status last changed.
    Changed,
    /// Content last changed.
    Modified,
}

/// Nanoseconds since 1970.
pub type Nanoseconds = i128;

/// How permission bits are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// These and no others.
    Exactly(u32),
    /// All of these.
    All(u32),
    /// Any of these; without any, all files pass.
    Any(u32),
}

/// What `access(2)` is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `-readable`
    Read,
    /// `-writable`
    Write,
    /// `-executable`
    Execute,
}

/// A place that actions write to: an index into the outputs of the search.
pub type OutputPlace = usize;

/// How a command is started for files.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The command with its arguments.
    pub command: Vec<String>,
    /// Whether many files are given to one command (`+`).
    pub is_batch: bool,
    /// Whether it runs in the file's folder.
    pub is_in_folder: bool,
    /// Whether the user is asked.
    pub is_asking: bool,
    /// Where its batches are gathered.
    pub batch: usize,
}

/// An expression.
#[derive(Debug, Clone)]
pub enum Expression {
    /// All, until one is false.
    And(Vec<Expression>),
    /// Any, until one is true.
    Or(Vec<Expression>),
    /// All; the last one counts.
    List(Vec<Expression>),
    /// Not.
    Not(Box<Expression>),
    /// `-true`, and options that stand in the expression.
    True,
    /// `-false`
    False,
    /// `-name`, `-iname`
    Name(Pattern),
    /// `-path`, `-ipath`
    Path(Pattern),
    /// `-lname`, `-ilname`
    LinkName(Pattern),
    /// `-regex`, `-iregex`
    Regex(Regex),
    /// `-type`
    Kind(Vec<Kind>),
    /// `-xtype`
    OtherKind(Vec<Kind>),
    /// `-size`: count and bytes per unit.
    Size(Count<u64>, u64),
    /// `-empty`
    Empty,
    /// `-newer` and its kin: a time of the file is after this.
    Newer(Time, Nanoseconds),
    /// `-mtime` and its kin: the boundary and the width of a day.
    Within(Time, Count<Nanoseconds>, Nanoseconds),
    /// `-used`
    Used(Count<i128>),
    /// `-perm`
    Permission(Permission),
    /// `-readable` and its kin.
    Access(Access),
    /// `-user`, `-uid`
    User(Count<u64>),
    /// `-group`, `-gid`
    Group(Count<u64>),
    /// `-nouser`
    NoUser,
    /// `-nogroup`
    NoGroup,
    /// `-links`
    Links(Count<u64>),
    /// `-inum`
    Inode(Count<u64>),
    /// `-samefile`: device and inode.
    SameFile(u64, u64),
    /// `-fstype`
    FileSystem(String),
    /// `-prune`
    Prune,
    /// `-quit`
    Quit,
    /// `-print`, `-print0`: the byte behind the path.
    Print(OutputPlace, u8),
    /// `-printf`
    Printf(OutputPlace, Format),
    /// `-ls`
    Details(OutputPlace),
    /// `-delete`
    Delete,
    /// `-exec` and its kin.
    Execute(Execution),
}

impl Expression {
    /// Returns whether it asks for the status of most files that it is evaluated for: what comes behind a test of the
    /// name does not count.
    pub fn asks_status(&self) -> bool {
        match self {
            Self::And(parts) => {
                let tested = parts.iter().take_while(|part| !part.is_about_name());
                tested.into_iter().any(Self::asks_status)
            }
            Self::Or(parts) | Self::List(parts) => parts.iter().any(Self::asks_status),
            Self::Not(inner) => inner.asks_status(),
            Self::Size(..)
            | Self::Empty
            | Self::Newer(..)
            | Self::Within(..)
            | Self::Used(_)
            | Self::Permission(_)
            | Self::User(_)
            | Self::Group(_)
            | Self::NoUser
            | Self::NoGroup
            | Self::Links(_)
            | Self::Inode(_)
            | Self::SameFile(..)
            | Self::Details(_) => true,
            Self::Printf(_, format) => format.asks_status(),
            _ => false,
        }
    }

    fn is_about_name(&self) -> bool {
        match self {
            Self::Not(inner) => inner.is_about_name(),
            Self::Name(_) | Self::Path(_) | Self::LinkName(_) | Self::Regex(_) => true,
            Self::Or(parts) => parts.iter().all(Self::is_about_name),
            _ => false,
        }
    }

    /// Returns whether evaluating it may change files that are yet to be looked at.
    pub fn may_change_files(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) | Self::List(parts) => {
                parts.iter().any(Self::may_change_files)
            }
            Self::Not(inner) => inner.may_change_files(),
            Self::Delete | Self::Execute(_) => true,
            _ => false,
        }
    }
}

/// Which symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Follow {
    /// `-P`
    #[default]
    Never,
    /// `-H`: those on the command line.
    Arguments,
    /// `-L`
    Always,
}

/// A search.
pub struct Search {
    /// Where it begins.
    pub roots: Vec<String>,
    /// What is asked.
    pub expression: Expression,
    /// Which links are followed.
    pub follow: Follow,
    /// `-mindepth`
    pub depth_min: usize,
    /// `-maxdepth`
    pub depth_max: usize,
    /// `-depth`: folders after what is in them.
    pub is_contents_first: bool,
    /// `-xdev`
    pub is_one_device: bool,
    /// `-ignore_readdir_race`
    pub ignores_races: bool,
    /// Where actions write to; the first is standard output.
    pub output: crate::output::Outputs,
    /// How many commands gather files.
    pub batches: usize,
}
