//! Why a variable cannot be read or changed, in bash's words.

use bstr::BString;

/// Why a variable was not read or changed; prints as bash says it, without the shell's prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is read-only.
    #[error("{0}: readonly variable")]
    ReadOnly(BString),
    /// The subscript is no place in the array.
    #[error("{0}: bad array subscript")]
    Subscript(BString),
    /// The text is no name.
    #[error("`{0}': not a valid identifier")]
    Identifier(BString),
    /// A name reference leads to itself.
    #[error("warning: {0}: circular name reference")]
    Circular(BString),
    /// An arithmetic expression is wrong.
    #[error("{0}")]
    Arithmetic(String),
    /// `set -u`.
    #[error("{0}: unbound variable")]
    Unbound(BString),
    /// A list of values for one element.
    #[error("{0}: cannot assign list to array member")]
    ListToElement(BString),
    /// The other kind of array.
    #[error("{0}: cannot convert associative to indexed array")]
    AssociativeToIndexed(BString),
    /// The other kind of array.
    #[error("{0}: cannot convert indexed to associative array")]
    IndexedToAssociative(BString),
    /// An assignment without subscript in the list of an associative array.
    #[error("{name}: {text}: must use subscript when assigning associative array")]
    NeedsSubscript {
        /// The array.
        name: BString,
        /// The element as written.
        text: BString,
    },
    /// A target that a name reference cannot have.
    #[error("`{0}': invalid variable name for name reference")]
    ReferenceTarget(BString),
    /// Already said.
    #[error("")]
    Said,
}
