//! The operations that a program is compiled to: a stack machine without recursion of its own, so that the depth
//! of AWK's calls costs memory and never the stack of the Wasm instance.

use std::collections::HashMap;

use crate::builtin::Builtin;
use crate::syntax::{Arithmetic, Comparison, Redirect};
use crate::value::Value;

/// Variables that the machine itself reads or sets; each has the slot of its place in `SPECIALS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    Nf,
    Nr,
    Fnr,
    Fs,
    Rs,
    Ofs,
    Ors,
    Subsep,
    Convfmt,
    Ofmt,
    Ignorecase,
    Fpat,
    Fieldwidths,
    Rstart,
    Rlength,
    Rt,
    Filename,
    Errno,
    Argind,
    Argc,
    Argv,
    Environ,
    Procinfo,
}

/// The special variables by slot.
pub const SPECIALS: &[(&str, Special)] = &[
    ("NF", Special::Nf),
    ("NR", Special::Nr),
    ("FNR", Special::Fnr),
    ("FS", Special::Fs),
    ("RS", Special::Rs),
    ("OFS", Special::Ofs),
    ("ORS", Special::Ors),
    ("SUBSEP", Special::Subsep),
    ("CONVFMT", Special::Convfmt),
    ("OFMT", Special::Ofmt),
    ("IGNORECASE", Special::Ignorecase),
    ("FPAT", Special::Fpat),
    ("FIELDWIDTHS", Special::Fieldwidths),
    ("RSTART", Special::Rstart),
    ("RLENGTH", Special::Rlength),
    ("RT", Special::Rt),
    ("FILENAME", Special::Filename),
    ("ERRNO", Special::Errno),
    ("ARGIND", Special::Argind),
    ("ARGC", Special::Argc),
    ("ARGV", Special::Argv),
    ("ENVIRON", Special::Environ),
    ("PROCINFO", Special::Procinfo),
];

impl Special {
    /// Returns its slot among the globals.
    pub fn slot(self) -> u32 {
        self as u32
    }

    /// Returns whether setting it changes more than its slot.
    pub fn has_effect(self) -> bool {
        (self as u32) <= Special::Fieldwidths as u32
    }
}

/// A place that is read and set. Its pieces, if any, lie on the stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// A global variable.
    Global(u32),
    /// A parameter.
    Local(u32),
    /// A special variable.
    Special(Special),
    /// A field; its number is on the stack.
    Field,
    /// An element; its array and key are on the stack.
    Element,
}

impl Target {
    /// Returns how many values on the stack say where it is.
    pub fn pieces(self) -> u32 {
        match self {
            Self::Global(_) | Self::Local(_) | Self::Special(_) => 0,
            Self::Field => 1,
            Self::Element => 2,
        }
    }
}

/// Where `getline` reads from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LineFrom {
    /// The main input.
    Main,
    /// A file, its name on the stack.
    File,
    /// A command, on the stack.
    Command,
    /// A coprocess, on the stack.
    Coprocess,
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Pushes a number.
    Number(f64),
    /// Pushes a constant.
    Constant(u32),
    /// Pushes a value never assigned.
    Empty,
    /// Drops the top.
    Pop,
    /// Drops so many.
    Drop(u32),
    /// Pushes the top again.
    Duplicate,
    /// Pushes a global variable.
    Global(u32),
    /// Pushes a parameter.
    Local(u32),
    /// Pushes NF, NR or FNR.
    Special(Special),
    /// Replaces a number by that field.
    Field,
    /// Pushes a field.
    FieldConstant(u32),
    /// Pushes the array of a global, making it one.
    ArrayGlobal(u32),
    /// Pushes the array of a parameter, making it one.
    ArrayLocal(u32),
    /// Replaces array and key by the array that is that element, making it one.
    ArrayElement,
    /// Replaces array and key by the element, making it.
    Element,
    /// Pushes a global as an argument: an array as itself.
    ArgumentGlobal(u32, bool),
    /// Pushes a parameter as an argument.
    ArgumentLocal(u32, bool),
    /// Replaces array and key by the element as an argument.
    ArgumentElement(bool),
    /// Pushes the value of a target and leaves its pieces.
    Peek(Target),
    /// Sets a target to the top; `true` leaves the value.
    Set(Target, bool),
    /// Appends the top to a variable as `x = x y` does.
    Append(Target, bool),
    /// `target op= top`.
    Augment(Target, Arithmetic, bool),
    /// `++` and `--`: by so much, the new value, the old one or none left.
    Increment(Target, i8, Kept),
    /// Arithmetic on the two on top.
    Binary(Arithmetic),
    /// `-`
    Negate,
    /// `+`
    Plus,
    /// `!`
    Not,
    /// Makes the top 1 or 0.
    Truth,
    /// Compares the two on top.
    Compare(Comparison),
    /// Matches the top with a constant regular expression.
    MatchConstant(u32),
    /// Matches a text with the top as a regular expression.
    Match,
    /// Concatenates so many.
    Concatenate(u32),
    /// Joins so many keys with SUBSEP.
    JoinKeys(u32),
    /// Pushes a constant regular expression as an argument.
    Regex(u32),
    /// Replaces key and array by whether the key is in it.
    In,
    /// Removes an element.
    DeleteElement,
    /// Empties an array.
    DeleteArray,
    /// Goes elsewhere.
    Jump(u32),
    /// Goes elsewhere if the top is false.
    JumpIfFalse(u32),
    /// Goes elsewhere if the top is true.
    JumpIfTrue(u32),
    /// Replaces an array by the keys to visit.
    Keys,
    /// Pushes the next key, or drops the keys and goes elsewhere.
    NextKey(u32),
    /// Pushes whether a range is open.
    RangeIsOpen(u32),
    /// Opens or closes a range.
    SetRange(u32, bool),
    /// Drops label and copy of the subject of a switch and pushes whether they are equal.
    Case,
    /// Calls a function with so many arguments.
    Call(u32, u32),
    /// Calls the function whose name lies below so many arguments.
    CallIndirect(u32),
    /// Returns the top.
    Return,
    /// Calls a function of the language with so many arguments.
    Builtin(Builtin, u32),
    /// `sub` or `gsub` on pattern, replacement and text: keeps the new text and the count.
    Substitute(bool),
    /// Reads a line, keeps it and the status. `true`: for a variable, so not into the record.
    GetLine(LineFrom, bool),
    /// Goes elsewhere unless the kept status or count is above 0.
    JumpUnlessGot(u32),
    /// Keeps the top as the text.
    KeepText,
    /// Pushes the kept text.
    PushGotText,
    /// Pushes the kept status or count.
    PushGotStatus,
    /// Prints so many values; the target, if any, lies on top of them.
    Print(u32, Option<Redirect>),
    /// Prints the record.
    PrintRecord,
    /// Formats so many values, the format the lowest, and prints them.
    Printf(u32, Option<Redirect>),
    /// Ends the work on this record.
    Next,
    /// Ends the work on this file.
    NextFile,
    /// Ends the program; `true`: with the top as status.
    Exit(bool),
    /// Ends a chunk of code.
    Done,
}

/// What an increment leaves on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The value after it.
    New,
    /// The value before it.
    Old,
    /// Nothing.
    Nothing,
}

/// A compiled function.
#[derive(Debug)]
pub struct FunctionCode {
    /// Its name.
    pub name: String,
    /// Where its code begins.
    pub entry: u32,
    /// The names of its parameters.
    pub parameters: Vec<String>,
}

/// A compiled program.
#[derive(Debug, Default)]
pub struct Program {
    /// All code.
    pub code: Vec<Op>,
    /// The line of each operation.
    pub lines: Vec<u32>,
    /// Constant strings.
    pub constants: Vec<Value>,
    /// Constant regular expressions, as written.
    pub regexes: Vec<Vec<u8>>,
    /// Functions.
    pub functions: Vec<FunctionCode>,
    /// Slots of the global variables.
    pub globals: HashMap<String, u32>,
    /// How many ranges there are.
    pub ranges: u32,
    /// Where BEGIN begins.
    pub begin: Option<u32>,
    /// Where the rules begin.
    pub rules: Option<u32>,
    /// Where END begins.
    pub end: Option<u32>,
    /// Where BEGINFILE begins.
    pub begin_file: Option<u32>,
    /// Where ENDFILE begins.
    pub end_file: Option<u32>,
    /// Whether the program looks at RT.
    pub uses_rt: bool,
    /// What is to be said before it runs.
    pub warnings: Vec<String>,
    /// What messages call the program text.
    pub source_name: String,
}

impl Program {
    /// Returns the name of a global variable, for messages.
    pub fn global_name(&self, slot: u32) -> &str {
        self.globals
            .iter()
            .find(|entry| *entry.1 == slot)
            .map_or("", |entry| entry.0)
    }
}
