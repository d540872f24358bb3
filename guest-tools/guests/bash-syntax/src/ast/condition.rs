//! The expressions of `[[ ... ]]`.

use super::word::Word;

/// An expression of `[[ ... ]]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `a && b && ...`: two or more.
    And(Vec<Condition>),
    /// `a || b || ...`: two or more.
    Or(Vec<Condition>),
    /// `! a`.
    Not(Box<Condition>),
    /// `( a )`.
    Group(Box<Condition>),
    /// A word alone: true when not empty.
    NotEmpty(Word),
    /// `-f word`.
    Unary {
        /// The test.
        test: UnaryTest,
        /// Its operand.
        operand: Word,
    },
    /// `left == right`.
    Binary {
        /// The test.
        test: BinaryTest,
        /// The left operand.
        left: Word,
        /// The right operand: for `=`, `==` and `!=` a pattern (extended groups are active whatever the
        /// option says), for `=~` a regular expression, of which quoted parts are literal.
        right: Word,
    },
}

/// A test of one operand, the letter after the dash: one of `abcdefghknoprstuvwxzGLNORS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnaryTest(pub u8);

/// A test of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryTest {
    /// `=` or `==`.
    Matches {
        /// Whether it is written `==`; only for printing.
        is_doubled: bool,
    },
    /// `!=`.
    MatchesNot,
    /// `=~`.
    Regex,
    /// `<`.
    Before,
    /// `>`.
    After,
    /// `-eq`.
    Equal,
    /// `-ne`.
    NotEqual,
    /// `-lt`.
    Less,
    /// `-le`.
    LessOrEqual,
    /// `-gt`.
    Greater,
    /// `-ge`.
    GreaterOrEqual,
    /// `-nt`.
    Newer,
    /// `-ot`.
    Older,
    /// `-ef`.
    SameFile,
}

impl BinaryTest {
    /// Returns the test that is written so.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"=" => Self::Matches { is_doubled: false },
            b"==" => Self::Matches { is_doubled: true },
            b"!=" => Self::MatchesNot,
            b"=~" => Self::Regex,
            b"<" => Self::Before,
            b">" => Self::After,
            b"-eq" => Self::Equal,
            b"-ne" => Self::NotEqual,
            b"-lt" => Self::Less,
            b"-le" => Self::LessOrEqual,
            b"-gt" => Self::Greater,
            b"-ge" => Self::GreaterOrEqual,
            b"-nt" => Self::Newer,
            b"-ot" => Self::Older,
            b"-ef" => Self::SameFile,
            _ => return None,
        })
    }

    /// Returns how the test is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Matches { is_doubled: false } => "=",
            Self::Matches { is_doubled: true } => "==",
            Self::MatchesNot => "!=",
            Self::Regex => "=~",
            Self::Before => "<",
            Self::After => ">",
            Self::Equal => "-eq",
            Self::NotEqual => "-ne",
            Self::Less => "-lt",
            Self::LessOrEqual => "-le",
            Self::Greater => "-gt",
            Self::GreaterOrEqual => "-ge",
            Self::Newer => "-nt",
            Self::Older => "-ot",
            Self::SameFile => "-ef",
        }
    }
}
