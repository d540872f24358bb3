//! The names of AWK's own functions and how many arguments they take.

/// A function of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    And,
    Asort,
    Asorti,
    Atan2,
    Close,
    Compl,
    Cos,
    Exp,
    Fflush,
    Gensub,
    Gsub,
    Index,
    Int,
    Isarray,
    Length,
    Log,
    Lshift,
    Match,
    Mkbool,
    Mktime,
    Or,
    Patsplit,
    Rand,
    Rshift,
    Sin,
    Split,
    Sprintf,
    Sqrt,
    Srand,
    Strftime,
    Strtonum,
    Sub,
    Substr,
    System,
    Systime,
    Tolower,
    Toupper,
    Typeof,
    Xor,
}

/// Name, function, fewest and most arguments.
const BUILTINS: &[(&str, Builtin, usize, usize)] = &[
    ("and", Builtin::And, 2, 255),
    ("asort", Builtin::Asort, 1, 3),
    ("asorti", Builtin::Asorti, 1, 3),
    ("atan2", Builtin::Atan2, 2, 2),
    ("close", Builtin::Close, 1, 2),
    ("compl", Builtin::Compl, 1, 1),
    ("cos", Builtin::Cos, 1, 1),
    ("exp", Builtin::Exp, 1, 1),
    ("fflush", Builtin::Fflush, 0, 1),
    ("gensub", Builtin::Gensub, 3, 4),
    ("gsub", Builtin::Gsub, 2, 3),
    ("index", Builtin::Index, 2, 2),
    ("int", Builtin::Int, 1, 1),
    ("isarray", Builtin::Isarray, 1, 1),
    ("length", Builtin::Length, 0, 1),
    ("log", Builtin::Log, 1, 1),
    ("lshift", Builtin::Lshift, 2, 2),
    ("match", Builtin::Match, 2, 3),
    ("mkbool", Builtin::Mkbool, 1, 1),
    ("mktime", Builtin::Mktime, 1, 2),
    ("or", Builtin::Or, 2, 255),
    ("patsplit", Builtin::Patsplit, 2, 4),
    ("rand", Builtin::Rand, 0, 0),
    ("rshift", Builtin::Rshift, 2, 2),
    ("sin", Builtin::Sin, 1, 1),
    ("split", Builtin::Split, 2, 4),
    ("sprintf", Builtin::Sprintf, 1, 255),
    ("sqrt", Builtin::Sqrt, 1, 1),
    ("srand", Builtin::Srand, 0, 1),
    ("strftime", Builtin::Strftime, 0, 3),
    ("strtonum", Builtin::Strtonum, 1, 1),
    ("sub", Builtin::Sub, 2, 3),
    ("substr", Builtin::Substr, 2, 3),
    ("system", Builtin::System, 1, 1),
    ("systime", Builtin::Systime, 0, 0),
    ("tolower", Builtin::Tolower, 1, 1),
    ("toupper", Builtin::Toupper, 1, 1),
    ("typeof", Builtin::Typeof, 1, 2),
    ("xor", Builtin::Xor, 2, 255),
];

impl Builtin {
    /// Returns the function of a name.
    pub fn of(name: &str) -> Option<Self> {
        BUILTINS
            .iter()
            .find(|entry| entry.0 == name)
            .map(|entry| entry.1)
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        BUILTINS
            .iter()
            .find(|entry| entry.1 == self)
            .map_or("", |entry| entry.0)
    }

    /// Returns whether it takes so many arguments.
    pub fn takes(self, count: usize) -> bool {
        BUILTINS
            .iter()
            .any(|entry| entry.1 == self && (entry.2..=entry.3).contains(&count))
    }
}
