//! `unset`: removes variables, elements and functions.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Refusal, Shell};
use crate::variables::{AssociativeArray, Attributes, IndexedArray, Value, is_name};

/// `unset`
pub const UNSET: Builtin = Builtin {
    name: "unset",
    usage: "unset [-f] [-v] [-n] [name ...]",
    class: Class::Special,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "fnv");
    let (mut functions, mut variables, mut references) = (false, false, false);
    while let Some(flag) = flags.next(shell, &UNSET) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => match flag.letter {
                b'f' => functions = true,
                b'n' => references = true,
                _ => variables = true,
            },
        }
    }
    if functions && variables {
        shell.report_for(
            invocation.name(),
            "cannot simultaneously unset a function and a variable",
        );
        return Ok(1);
    }
    let mut status = 0;
    for name in flags.rest() {
        let outcome = if functions {
            unset_function(shell, name)
        } else {
            unset_variable(shell, name, references, !variables && !references)
        };
        if let Err(refusal) = outcome {
            match refusal {
                Refusal::ReadOnly(name) => {
                    shell.report_for(
                        invocation.name(),
                        format_args!("{name}: cannot unset: readonly variable"),
                    );
                }
                Refusal::Said => {}
                other => shell.report_for(invocation.name(), other),
            }
            status = 1;
        }
    }
    Ok(status)
}

fn unset_function(shell: &mut Shell, name: &BString) -> Result<(), Refusal> {
    let Some(function) = shell.function(name) else {
        return Ok(());
    };
    if function.is_readonly {
        return Err(Refusal::Arithmetic(format!(
            "{name}: cannot unset: readonly function"
        )));
    }
    Rc::make_mut(&mut shell.functions).remove(name.as_slice());
    Ok(())
}

fn unset_variable(
    shell: &mut Shell,
    text: &BString,
    keeps_target: bool,
    may_be_function: bool,
) -> Result<(), Refusal> {
    if let Some(open) = text.find_byte(b'[')
        && let Some(inside) = text
            .get(open + 1..)
            .and_then(|rest| rest.strip_suffix(b"]"))
        && let Some(name) = text.get(..open).filter(|name| is_name(name))
    {
        return unset_element(shell, name, inside);
    }
    if !is_name(text) {
        // A function may have any name.
        if may_be_function {
            return unset_function(shell, text);
        }
        return Err(Refusal::Identifier(text.clone()));
    }
    if shell.variables.get(text).is_none() {
        return if may_be_function {
            unset_function(shell, text)
        } else {
            Ok(())
        };
    }
    if keeps_target {
        return if shell.is_reference(text) {
            shell.unset(text)
        } else {
            Ok(())
        };
    }
    if let Some((array, inside)) = shell.reference_element(text) {
        return unset_element(shell, &array, &inside);
    }
    match shell.resolve(text)? {
        Some(target) => shell.unset(&target),
        None => shell.unset(text),
    }
}

fn unset_element(shell: &mut Shell, name: &[u8], inside: &[u8]) -> Result<(), Refusal> {
    let Some(target) = shell.resolve(name)? else {
        return Ok(());
    };
    let Some(variable) = shell.variables.get(&target) else {
        return Ok(());
    };
    if variable.attributes.has(Attributes::READONLY) {
        return Err(Refusal::ReadOnly(target));
    }
    let is_whole = matches!(inside, b"@" | b"*");
    match &variable.value {
        Value::Indexed(_) if is_whole => {
            shell.variables.entry(&target).value = Value::Indexed(IndexedArray::default());
            return Ok(());
        }
        // A key may be called `@`: the whole array goes only where there is none such.
        Value::Associative(array) if is_whole && array.get(inside).is_none() => {
            shell.variables.entry(&target).value = Value::Associative(AssociativeArray::default());
            return Ok(());
        }
        Value::Scalar(_) => {
            let is_first =
                shell.subscript_of(&target, inside)? == crate::state::Subscript::Index(0);
            return if is_first {
                shell.unset(&target)
            } else {
                Err(Refusal::Arithmetic(format!(
                    "{}: not an array variable",
                    name.as_bstr()
                )))
            };
        }
        Value::Unset => {
            return Err(Refusal::Arithmetic(format!(
                "{}: not an array variable",
                name.as_bstr()
            )));
        }
        _ => {}
    }
    let subscript = match &variable.value {
        Value::Associative(_) if is_whole => crate::state::Subscript::Key(BString::from(inside)),
        _ => shell.subscript_of(&target, inside)?,
    };
    match shell.unset_element(&target, &subscript) {
        Err(Refusal::Subscript(_)) => Err(Refusal::Subscript(BString::from(
            [b"[", inside, b"]"].concat(),
        ))),
        outcome => outcome,
    }
}
