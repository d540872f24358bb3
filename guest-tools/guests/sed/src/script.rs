//! What a script is once it is read: commands in a row, with jumps as places in that row.

use crate::{address::Range, pattern::Pattern, replacement::Part};

/// A script.
#[derive(Debug, Default)]
pub struct Script {
    pub commands: Vec<Command>,
    /// Files that commands write to, each once.
    pub outputs: Vec<Vec<u8>>,
    /// It begins with `#n`.
    pub is_quiet: bool,
}

/// A command.
#[derive(Debug)]
pub struct Command {
    pub range: Range,
    pub action: Action,
}

/// What a command does. Texts end in a newline.
#[derive(Debug)]
pub enum Action {
    /// `{`: goes on behind its `}`, which is at this place, if the line is not selected.
    Block(usize),
    Nothing,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    /// `e`; without a command the pattern space is one.
    Execute(Option<Vec<u8>>),
    Substitute(Box<Substitution>),
    Translate(Translation),
    Branch(usize),
    BranchIf(usize),
    BranchUnless(usize),
    Delete,
    DeleteFirst,
    HoldToPattern,
    HoldToPatternAppend,
    PatternToHold,
    PatternToHoldAppend,
    Exchange,
    /// `l`, with the width if one was given.
    List(Option<usize>),
    Next,
    NextAppend,
    Print,
    PrintFirst,
    Quit(u8),
    QuitSilently(u8),
    ReadFile(Vec<u8>),
    ReadLine(Vec<u8>),
    /// `w`, by the number of the output.
    Write(usize),
    WriteFirst(usize),
    LineNumber,
    FileName,
    Zap,
}

/// `s`.
#[derive(Debug)]
pub struct Substitution {
    pub pattern: Pattern,
    pub parts: Vec<Part>,
    /// Groups must be known.
    pub needs_groups: bool,
    /// The highest group of the replacement.
    pub groups_max: usize,
    /// The first match that is replaced, from 1.
    pub number: usize,
    pub all: bool,
    pub print: u8,
    /// `e` stood before `p`, or alone.
    pub execute: bool,
    pub write: Option<usize>,
}

/// `y`: single bytes by a table, other characters by a list.
#[derive(Debug)]
pub struct Translation {
    pub bytes: Box<[u8; 256]>,
    /// Pairs of which one is no single byte.
    pub characters: Vec<(Vec<u8>, Vec<u8>)>,
}
