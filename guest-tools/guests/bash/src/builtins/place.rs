//! Where a builtin puts a value: `name` or `name[subscript]`, as `read` and `printf -v` take them.

use bstr::ByteSlice;

use crate::state::{Refusal, Shell};
use crate::variables::is_name;

/// A variable or an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    name: &'a [u8],
    subscript: Option<&'a [u8]>,
}

impl<'a> Place<'a> {
    /// Reads it; none if it is no name.
    pub fn read(text: &'a [u8]) -> Option<Self> {
        let (name, subscript) = match text.find_byte(b'[') {
            Some(open) => {
                let inside = text.get(open + 1..)?.strip_suffix(b"]")?;
                (
                    text.get(..open)?,
                    Some(inside).filter(|inside| !inside.is_empty()),
                )
            }
            None => (text, None),
        };
        let is_whole = subscript.is_some() || name.len() == text.len();
        (is_name(name) && is_whole).then_some(Self { name, subscript })
    }

    /// Sets it.
    pub fn assign(self, shell: &mut Shell, value: &[u8]) -> Result<(), Refusal> {
        match self.subscript {
            None => shell.set(self.name, value),
            Some(subscript) => {
                let subscript = shell.subscript_of(self.name, subscript)?;
                shell.assign_element(self.name, &subscript, value, false)
            }
        }
    }
}
