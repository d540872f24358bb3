//! Why a pattern is refused, in GNU's words.

/// What is wrong with a pattern. Its text is what GNU's tools print after their name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `(` without `)`.
    #[error("Unmatched ( or \\(")]
    UnmatchedOpen,
    /// `)` without `(`.
    #[error("Unmatched ) or \\)")]
    UnmatchedClose,
    /// `[` without `]`.
    #[error("Unmatched [, [^, [:, [., or [=")]
    UnmatchedBracket,
    /// `\{` without `\}`.
    #[error("Unmatched \\{{")]
    UnmatchedBrace,
    /// An interval that is none.
    #[error("Invalid content of \\{{\\}}")]
    InvalidInterval,
    /// An operator with nothing to repeat.
    #[error("Invalid preceding regular expression")]
    InvalidPreceding,
    /// `\1` without a first group.
    #[error("Invalid back reference")]
    InvalidBackReference,
    /// `[[:x:]]` of no known name.
    #[error("Invalid character class name")]
    InvalidClass,
    /// `[[.x.]]` or `[[=x=]]` of no known name.
    #[error("Invalid collation character")]
    InvalidCollation,
    /// A range that runs backwards.
    #[error("Invalid range end")]
    InvalidRange,
    /// `\` at the end.
    #[error("Trailing backslash")]
    TrailingBackslash,
    /// `[:space:]` where `[[:space:]]` is meant.
    #[error("character class syntax is [[:space:]], not [:space:]")]
    ClassWithoutBrackets,
    /// Too many repetitions, or automata beyond the bound.
    #[error("Regular expression too big")]
    TooBig,
    /// Perl's syntax, in the words of its parser.
    #[error("{0}")]
    Perl(String),
}
