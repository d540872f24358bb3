//! The shell's variables: values, arrays, attributes, scopes.

mod associative;
mod dynamic;
mod indexed;
mod table;
mod value;

pub use associative::AssociativeArray;
pub use dynamic::Dynamic;
pub use indexed::IndexedArray;
pub use table::{Name, NameHasher, NameMap, Variables};
pub use value::{Attributes, Value, Variable};

/// Returns whether `text` is a valid name of a variable.
pub fn is_name(text: &[u8]) -> bool {
    match text.split_first() {
        Some((first, rest)) => {
            (first.is_ascii_alphabetic() || *first == b'_')
                && rest
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        }
        None => false,
    }
}
