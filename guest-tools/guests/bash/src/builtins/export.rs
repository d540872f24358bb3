//! `export` and `readonly`: attributes that POSIX knows.

use std::rc::Rc;

use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use super::declaration::{Argument, Change, Shape};
use super::declaration_print as show;
use crate::state::{Outcome, Refusal, Shell};
use crate::variables::Attributes;

/// `export`
pub const EXPORT: Builtin = Builtin {
    name: "export",
    usage: "export [-fn] [name[=value] ...] or export -p",
    class: Class::SpecialDeclaration,
    run: Run::Now(export),
};

/// `readonly`
pub const READONLY: Builtin = Builtin {
    name: "readonly",
    usage: "readonly [-aAf] [name[=value] ...] or readonly -p",
    class: Class::SpecialDeclaration,
    run: Run::Now(readonly),
};

fn export(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "fnp");
    let (mut functions, mut is_off) = (false, false);
    while let Some(flag) = flags.next(shell, &EXPORT) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) if flag.letter == b'f' => functions = true,
            Ok(flag) if flag.letter == b'n' => is_off = true,
            Ok(_) => {}
        }
    }
    let mut change = Change::default();
    if is_off {
        change.off = Attributes::EXPORT;
    } else {
        change.on = Attributes::EXPORT;
    }
    if flags.rest().is_empty() {
        print(shell, "export", functions, Attributes::EXPORT, Shape::Any);
        return Ok(0);
    }
    if functions {
        return Ok(each_function(shell, invocation, flags.rest(), |function| {
            function.is_exported = !is_off
        }));
    }
    Ok(each(shell, invocation, flags.place(), change))
}

fn readonly(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "aAfp");
    let mut change = Change {
        on: Attributes::READONLY,
        ..Change::default()
    };
    let mut functions = false;
    while let Some(flag) = flags.next(shell, &READONLY) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => match flag.letter {
                b'a' => change.shape = Shape::Indexed,
                b'A' => change.shape = Shape::Associative,
                b'f' => functions = true,
                _ => {}
            },
        }
    }
    if flags.rest().is_empty() {
        print(
            shell,
            "readonly",
            functions,
            Attributes::READONLY,
            change.shape,
        );
        return Ok(0);
    }
    if functions {
        return Ok(each_function(shell, invocation, flags.rest(), |function| {
            function.is_readonly = true
        }));
    }
    Ok(each(shell, invocation, flags.place(), change))
}

fn print(shell: &mut Shell, verb: &str, functions: bool, attribute: Attributes, shape: Shape) {
    if functions {
        let is_export = attribute.has(Attributes::EXPORT);
        show::print_functions(shell, false, |function| {
            if is_export {
                function.is_exported
            } else {
                function.is_readonly
            }
        });
    } else if shell.is_posix() {
        show::print_posix(shell, verb, attribute);
    } else {
        show::print_variables(shell, |variable| {
            let is_shape = match shape {
                Shape::Any => true,
                Shape::Indexed => matches!(variable.value, crate::variables::Value::Indexed(_)),
                Shape::Associative => {
                    matches!(variable.value, crate::variables::Value::Associative(_))
                }
            };
            is_shape && variable.attributes.has(attribute)
        });
    }
}

fn each(shell: &mut Shell, invocation: &Invocation, first: usize, change: Change) -> u8 {
    let mut status = 0;
    for place in first..invocation.words.len() {
        let outcome =
            Argument::read(invocation, place).and_then(|argument| match argument.subscript {
                // Attributes belong to variables, not to elements.
                Some(subscript) => Err(Refusal::Identifier(BString::from(
                    [argument.name, b"[", subscript, b"]"].concat(),
                ))),
                None => {
                    // What was bound for this command only stays after it.
                    shell.variables.keep(argument.name);
                    // As bash has it, an array is made only of what gets a value.
                    let shape = if argument.assigns() {
                        change.shape
                    } else {
                        Shape::Any
                    };
                    shell.declare(&argument, Change { shape, ..change })
                }
            });
        match outcome {
            Ok(()) => continue,
            Err(Refusal::Said) => {}
            Err(refusal @ Refusal::ReadOnly(_)) => shell.report(refusal),
            Err(refusal) => shell.report_for(invocation.name(), refusal),
        }
        status = 1;
    }
    status
}

fn each_function(
    shell: &mut Shell,
    invocation: &Invocation,
    names: &[BString],
    change: impl Fn(&mut crate::state::Function),
) -> u8 {
    let mut status = 0;
    for name in names {
        match shell.function(name) {
            Some(function) => {
                let mut changed = (**function).clone();
                change(&mut changed);
                Rc::make_mut(&mut shell.functions).insert(name.as_slice().into(), Rc::new(changed));
            }
            None => {
                shell.report_for(invocation.name(), format_args!("{name}: not a function"));
                status = 1;
            }
        }
    }
    status
}
