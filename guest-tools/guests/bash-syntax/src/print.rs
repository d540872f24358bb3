//! From the syntax tree to text, exactly as bash 5.2 prints it.

use bstr::BString;

use crate::ast::{Assignment, Command, FunctionDefinition, List, Redirection, Word};

/// Prints a function as `declare -f` and `type` do, without a newline at the end.
pub fn print_function(function: &FunctionDefinition) -> BString {
    let _ = function;
    BString::default()
}

/// Prints a command over several lines, as inside a function, without indentation before the first.
pub fn print_command(command: &Command) -> BString {
    let _ = command;
    BString::default()
}

/// Prints a command on one line where bash does, as `jobs` and `$BASH_COMMAND` show it.
pub fn print_command_line(command: &Command) -> BString {
    let _ = command;
    BString::default()
}

/// Prints a list as `jobs` does.
pub fn print_list_line(list: &List) -> BString {
    let _ = list;
    BString::default()
}

/// Prints the words of a simple command: `$BASH_COMMAND`.
pub fn print_simple(command: &Command) -> BString {
    let _ = command;
    BString::default()
}

/// Prints a redirection: `2> file`.
pub fn print_redirection(redirection: &Redirection) -> BString {
    let _ = redirection;
    BString::default()
}

/// Prints a word as bash keeps it.
pub fn print_word(word: &Word) -> BString {
    let _ = word;
    BString::default()
}

impl Assignment {
    /// Returns the word that the assignment is written as.
    pub fn to_word(&self) -> Word {
        Word::literal(self.name.clone())
    }
}
