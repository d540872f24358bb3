//! A script, parsed.

use posix_regex::Regex;

use crate::replacement::Part;

/// Where a command applies.
#[derive(Debug)]
pub(crate) enum Address {
    Line(u64),
    /// Every step-th line from the first on.
    Step(u64, u64),
    Last,
    Match(Pattern),
}

/// Where a range ends.
#[derive(Debug)]
pub(crate) enum End {
    Line(u64),
    Last,
    Match(Pattern),
    /// That many lines further.
    After(u64),
    /// The next line whose number is a multiple.
    Multiple(u64),
}

/// A regular expression, or none for the one that was used last.
pub(crate) type Pattern = Option<Regex>;

/// Whether a command is within its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    Outside,
    /// Up to a line that the end does not tell.
    Inside,
    /// Up to the line of this number.
    Until(u64),
    /// Over, and begun by a line number, so that it cannot begin again.
    Closed,
}

/// The output that `w /dev/stdout` names, also where files are edited in place.
pub(crate) const STANDARD_OUTPUT: OutputNumber = OutputNumber::MAX;

/// A command with its addresses.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) start: Option<Address>,
    pub(crate) end: Option<End>,
    /// A range `0,/re/`, which may end on the first line.
    pub(crate) from_zero: bool,
    pub(crate) negated: bool,
    pub(crate) action: Action,
}

/// A number of an output: standard output, or one of the files a script writes.
pub(crate) type OutputNumber = usize;

#[derive(Debug)]
pub(crate) enum Action {
    /// `{`: goes to the command behind its `}` where it does not apply.
    Block(usize),
    /// `}`, a label, and what else does nothing.
    Nothing,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    /// Goes to a command; to the end of the script with the number of commands.
    Branch(usize),
    /// As `Branch`, if something was substituted.
    BranchIf(usize),
    BranchUnless(usize),
    Delete,
    DeleteFirst,
    Execute(Vec<u8>),
    FileName,
    GetHold,
    GetHoldAppend,
    Hold,
    HoldAppend,
    Exchange,
    List(Option<usize>),
    Next,
    NextAppend,
    Number,
    Print,
    PrintFirst,
    Quit(u8),
    QuitSilent(u8),
    Read(String),
    ReadLine(String),
    Substitute(Box<Substitution>),
    Translate(Box<Translation>),
    Write(OutputNumber),
    WriteFirst(OutputNumber),
    Zap,
}

#[derive(Debug)]
pub(crate) struct Substitution {
    pub(crate) pattern: Pattern,
    pub(crate) replacement: Vec<Part>,
    pub(crate) global: bool,
    /// Which match is the first to be replaced.
    pub(crate) number: u64,
    /// How often the result is printed; where `p` stands before `e`, also before it is run.
    pub(crate) print: bool,
    pub(crate) print_before: bool,
    pub(crate) evaluate: bool,
    pub(crate) output: Option<OutputNumber>,
}

/// What `y` puts for what.
#[derive(Debug)]
pub(crate) enum Translation {
    Bytes(Box<[u8; 256]>),
    Chars(std::collections::HashMap<char, char>),
}

/// The script.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) commands: Vec<Command>,
    /// The names of the files that are written, from output 1 on.
    pub(crate) outputs: Vec<String>,
    /// The script begins with a line `#n`.
    pub(crate) quiet: bool,
}
