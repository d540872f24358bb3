//! Functions as text.

use bstr::BString;

use crate::state::Function;

/// Returns a function as `declare -f` prints it.
pub fn function_text(name: &[u8], function: &Function) -> BString {
    let _ = name;
    bash_syntax::print_function(&function.definition)
}

/// Returns what stands in the environment for an exported function: `() { ...; }`.
pub fn exported_text(function: &Function) -> BString {
    let mut text = BString::from("() ");
    text.extend_from_slice(&bash_syntax::print_command(&function.definition.body));
    text
}
