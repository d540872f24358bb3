//! Printing variables and functions so that the shell can read them back: `declare -p`, `export -p`, `set`.

use std::rc::Rc;

use bash_text::quote;
use bstr::{BString, ByteSlice};

use crate::execution::function_text;
use crate::snapshot;
use crate::state::{Function, Shell, Shopt};
use crate::variables::{Attributes, Name, Value, Variable};

/// Returns a variable with its value, computed if need be; `None` for one that has no meaning now.
fn present(shell: &Shell, variable: &Variable) -> Option<Variable> {
    let Some(dynamic) = variable.dynamic else {
        return Some(variable.clone());
    };
    let mut shown = variable.clone();
    shown.value = shell.dynamic_value(dynamic);
    if matches!(shown.value, Value::Unset) {
        if dynamic.is_indexed() {
            shown.value = Value::Indexed(crate::variables::IndexedArray::default());
            shown.is_declared_only = true;
        } else if dynamic.is_associative() {
            shown.value = Value::Associative(crate::variables::AssociativeArray::default());
        } else {
            return None;
        }
    }
    Some(shown)
}

fn all(shell: &Shell) -> Vec<(Name, Variable)> {
    let sorted = shell.variables.sorted();
    sorted
        .into_iter()
        .filter_map(|(name, variable)| Some((Rc::clone(name), present(shell, variable)?)))
        .collect()
}

/// Prints one variable as a `declare` command; false when there is none of that name.
pub(super) fn print_variable(shell: &mut Shell, name: &[u8]) -> bool {
    let Some(variable) = shell
        .variables
        .get(name)
        .and_then(|variable| present(shell, variable))
    else {
        return false;
    };
    print_line(shell, name, &variable);
    true
}

fn print_line(shell: &mut Shell, name: &[u8], variable: &Variable) {
    let mut line = snapshot::declaration(name, variable, false);
    line.push(b'\n');
    shell.print(&line);
}

/// Prints all variables that `is_wanted` picks.
pub(super) fn print_variables(shell: &mut Shell, is_wanted: impl Fn(&Variable) -> bool) {
    for (name, variable) in all(shell) {
        if is_wanted(&variable) {
            print_line(shell, &name, &variable);
        }
    }
}

/// Prints the variables with an attribute as a builtin of POSIX does: `export x="1"`.
pub(super) fn print_posix(shell: &mut Shell, verb: &str, attribute: Attributes) {
    for (name, variable) in all(shell) {
        if !variable.attributes.has(attribute) {
            continue;
        }
        let mut line = BString::from(verb);
        match variable.value {
            Value::Indexed(_) => line.extend_from_slice(b" -a"),
            Value::Associative(_) => line.extend_from_slice(b" -A"),
            Value::Unset | Value::Scalar(_) => {}
        }
        line.push(b' ');
        line.extend_from_slice(&name);
        match &variable.value {
            Value::Unset => {}
            Value::Scalar(text) => {
                line.push(b'=');
                line.extend_from_slice(&quote::double_or_ansi(text));
            }
            value => {
                line.push(b'=');
                line.extend_from_slice(&snapshot::list(value));
            }
        }
        line.push(b'\n');
        shell.print(&line);
    }
}

/// Prints the locals of the running function: `local` alone.
pub(super) fn print_locals(shell: &mut Shell) {
    for name in shell.variables.locals() {
        print_variable(shell, &name);
    }
}

/// Prints `name=value` as `set` does.
fn print_assignment(shell: &mut Shell, name: &[u8], variable: &Variable) {
    let mut line = BString::from(name);
    line.push(b'=');
    match &variable.value {
        Value::Unset => {}
        Value::Scalar(text) => line.extend_from_slice(&quote::set_value(text)),
        value => line.extend_from_slice(&snapshot::list(value)),
    }
    line.push(b'\n');
    shell.print(&line);
}

/// Prints all variables that are set, and unless in POSIX mode all functions.
pub(super) fn print_set(shell: &mut Shell) {
    for (name, variable) in all(shell) {
        if variable.is_assigned() && !matches!(variable.value, Value::Unset) {
            print_assignment(shell, &name, &variable);
        }
    }
    if !shell.is_posix() {
        for (name, function) in functions(shell) {
            print_definition(shell, &name, &function);
        }
    }
}

fn functions(shell: &Shell) -> Vec<(Name, Rc<Function>)> {
    let mut all: Vec<(Name, Rc<Function>)> = shell
        .functions
        .iter()
        .map(|(name, function)| (Rc::clone(name), Rc::clone(function)))
        .collect();
    all.sort_by(|left, right| left.0.cmp(&right.0));
    all
}

fn print_definition(shell: &mut Shell, name: &[u8], function: &Function) {
    let mut text = function_text(name, function);
    text.push(b'\n');
    shell.print(&text);
}

/// Prints `declare -fx name`.
fn print_function_attributes(shell: &mut Shell, name: &[u8], function: &Function) {
    let mut line = b"declare -f".to_vec();
    for (is_on, letter) in [
        (function.is_readonly, b'r'),
        (function.is_traced, b't'),
        (function.is_exported, b'x'),
    ] {
        if is_on {
            line.push(letter);
        }
    }
    line.push(b' ');
    line.extend_from_slice(name);
    line.push(b'\n');
    shell.print(&line);
}

/// Prints the functions that `is_wanted` picks: the definitions, or only their names.
pub(super) fn print_functions(
    shell: &mut Shell,
    names_only: bool,
    is_wanted: impl Fn(&Function) -> bool,
) {
    for (name, function) in functions(shell) {
        if !is_wanted(&function) {
            continue;
        }
        let has_attributes = function.is_readonly || function.is_traced || function.is_exported;
        if !names_only {
            print_definition(shell, &name, &function);
        }
        if names_only || has_attributes {
            print_function_attributes(shell, &name, &function);
        }
    }
}

/// Prints one function: its definition, or its name; for `-p` its attributes as well. False when there is none.
pub(super) fn print_function(
    shell: &mut Shell,
    name: &[u8],
    names_only: bool,
    is_reusable: bool,
) -> bool {
    let Some(function) = shell.function(name).map(Rc::clone) else {
        return false;
    };
    if !names_only {
        print_definition(shell, name, &function);
    }
    if is_reusable {
        if names_only || function.is_readonly || function.is_traced || function.is_exported {
            print_function_attributes(shell, name, &function);
        }
        return true;
    }
    if !names_only {
        return true;
    }
    let line = if shell.options.has_shopt(Shopt::ExtDebug) {
        format!(
            "{} {} {}\n",
            name.as_bstr(),
            function.definition.line,
            function.source
        )
    } else {
        format!("{}\n", name.as_bstr())
    };
    shell.print(line.as_bytes());
    true
}
