//! From the syntax tree to text, exactly as bash 5.2 prints it.
//!
//! Nothing is read back from the source: a tree prints the same however it was spelled.

mod command;
mod word;

use bstr::BString;

use crate::ast::{Command, FunctionDefinition, List, Parameter, Redirection, Word};
use command::Printer;

/// Prints a function as `declare -f` and `type` do, without a newline at the end.
pub fn print_function(function: &FunctionDefinition) -> BString {
    let mut printer = Printer::default();
    if crate::parser::is_reserved_word(&function.name) {
        printer.text.extend_from_slice(b"function ");
    }
    printer.text.extend_from_slice(&function.name);
    printer.text.extend_from_slice(b" () \n{ \n");
    printer.function_body(function);
    printer.flush_documents("");
    printer.text
}

/// Prints a command over several lines, as inside a function, without indentation before the first.
pub fn print_command(command: &Command) -> BString {
    let mut printer = Printer::in_function();
    printer.command(command);
    printer.flush_documents("");
    printer.text
}

/// Prints a command as `jobs` shows it: on one line, as far as bash does that.
pub fn print_command_line(command: &Command) -> BString {
    let mut printer = Printer::default();
    printer.command(command);
    printer.flush_documents("");
    printer.text
}

/// Prints a list as `jobs` does.
pub fn print_list_line(list: &List) -> BString {
    let mut printer = Printer::default();
    printer.list(list);
    printer.flush_documents("");
    printer.text
}

/// Prints what `$BASH_COMMAND` shows of a command: all of a simple one, the head of a loop or `case`.
pub fn print_simple(command: &Command) -> BString {
    let mut printer = Printer::default();
    printer.command_head(command);
    printer.flush_documents("");
    printer.text
}

/// Prints a redirection: `2> file`.
pub fn print_redirection(redirection: &Redirection) -> BString {
    let mut printer = Printer::default();
    printer.redirection(redirection);
    printer.text
}

/// Prints a word as bash keeps it.
pub fn print_word(word: &Word) -> BString {
    let mut text = BString::default();
    word::push_word(word, &mut text);
    text
}

/// Prints a parameter as it stands in `${...}`: `x`, `1`, `@`, `x[1]`.
pub fn print_parameter(parameter: &Parameter) -> BString {
    let mut text = BString::default();
    word::push_parameter(parameter, &mut text);
    text
}
