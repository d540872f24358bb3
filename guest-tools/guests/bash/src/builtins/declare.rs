//! `declare`, `typeset` and `local`: variables with attributes, and what is known of them.

use std::rc::Rc;

use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use super::declaration::{Argument, Change, Shape};
use super::declaration_print as show;
use crate::state::{Outcome, Refusal, Shell, Shopt};
use crate::variables::{Attributes, Value, Variable};

/// `declare`
pub const DECLARE: Builtin = Builtin {
    name: "declare",
    usage: "declare [-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]",
    class: Class::Declaration,
    run: Run::Now(declare),
};

/// `typeset`
pub const TYPESET: Builtin = Builtin {
    name: "typeset",
    usage: "typeset [-aAfFgiIlnrtux] name[=value] ... or typeset -p [-aAfFilnrtux] [name ...]",
    class: Class::Declaration,
    run: Run::Now(typeset),
};

/// `local`
pub const LOCAL: Builtin = Builtin {
    name: "local",
    usage: "local [option] name[=value] ...",
    class: Class::Declaration,
    run: Run::Now(local),
};

#[derive(Debug, Clone, Copy, Default)]
struct Wishes {
    change: Change,
    prints: bool,
    is_global: bool,
    inherits: bool,
    functions: bool,
    function_names: bool,
    destroys_array: bool,
    is_local: bool,
}

fn declare(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    run(shell, invocation, &DECLARE)
}

fn typeset(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    run(shell, invocation, &TYPESET)
}

fn local(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    if shell.variables.depth() == 0 {
        shell.report_for(invocation.name(), "can only be used in a function");
        return Ok(1);
    }
    run(shell, invocation, &LOCAL)
}

fn run(shell: &mut Shell, invocation: &Invocation, builtin: &Builtin) -> Outcome {
    let mut flags = Flags::new(invocation, "+acfgiIlnprtuxAF");
    let mut wishes = Wishes {
        is_local: builtin.name == "local",
        ..Wishes::default()
    };
    while let Some(flag) = flags.next(shell, builtin) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => wishes.add(flag.letter, flag.is_plus),
        }
    }
    let place = flags.place();
    let has_names = !flags.rest().is_empty();
    if wishes.functions {
        return Ok(functions(shell, invocation, &wishes, flags.rest()));
    }
    if wishes.prints && has_names {
        return Ok(print_named(shell, invocation, &wishes, flags.rest()));
    }
    if !has_names {
        print_all(shell, &wishes);
        return Ok(0);
    }
    let mut status = 0;
    for place in place..invocation.words.len() {
        if let Err(refusal) = one(shell, invocation, &wishes, place) {
            if refusal != Refusal::Said {
                shell.report_for(invocation.name(), refusal);
            }
            status = 1;
        }
    }
    Ok(status)
}

impl Wishes {
    fn add(&mut self, letter: u8, is_plus: bool) {
        let attribute = match letter {
            b'i' => Attributes::INTEGER,
            b'l' => Attributes::LOWER,
            b'u' => Attributes::UPPER,
            b'c' => Attributes::CAPITALIZE,
            b'n' => Attributes::REFERENCE,
            b'r' => Attributes::READONLY,
            b't' => Attributes::TRACE,
            b'x' => Attributes::EXPORT,
            _ => {
                match letter {
                    b'a' | b'A' if is_plus => self.destroys_array = true,
                    b'a' => self.change.shape = Shape::Indexed,
                    b'A' => self.change.shape = Shape::Associative,
                    b'f' => self.functions = true,
                    b'F' => {
                        self.functions = true;
                        self.function_names = true;
                    }
                    b'g' => self.is_global = true,
                    b'I' => self.inherits = true,
                    _ => self.prints = true,
                }
                return;
            }
        };
        if is_plus {
            self.change.off = self.change.off.with(attribute);
        } else {
            self.change.on = self.change.on.with(attribute);
        }
    }
}

fn print_all(shell: &mut Shell, wishes: &Wishes) {
    let on = wishes.change.on;
    if wishes.is_local && !wishes.is_global {
        show::print_locals(shell);
    } else if on.is_empty() && wishes.change.shape == Shape::Any {
        if wishes.prints {
            show::print_variables(shell, |_| true);
        } else {
            show::print_set(shell);
        }
    } else {
        let shape = wishes.change.shape;
        show::print_variables(shell, |variable| {
            let is_shape = match shape {
                Shape::Any => true,
                Shape::Indexed => matches!(variable.value, Value::Indexed(_)),
                Shape::Associative => matches!(variable.value, Value::Associative(_)),
            };
            is_shape && variable.attributes.has(on)
        });
    }
}

fn print_named(
    shell: &mut Shell,
    invocation: &Invocation,
    wishes: &Wishes,
    names: &[BString],
) -> u8 {
    let mut status = 0;
    for name in names {
        let is_ours = !wishes.is_local || shell.variables.is_local(name);
        if !is_ours || !show::print_variable(shell, name) {
            shell.report_for(invocation.name(), format_args!("{name}: not found"));
            status = 1;
        }
    }
    status
}

fn functions(shell: &mut Shell, invocation: &Invocation, wishes: &Wishes, names: &[BString]) -> u8 {
    let (on, off) = (wishes.change.on, wishes.change.off);
    if names.is_empty() {
        show::print_functions(shell, wishes.function_names, |function| {
            (!on.has(Attributes::EXPORT) || function.is_exported)
                && (!on.has(Attributes::READONLY) || function.is_readonly)
                && (!on.has(Attributes::TRACE) || function.is_traced)
        });
        return 0;
    }
    let mut status = 0;
    let is_change = !on.is_empty() || !off.is_empty();
    for name in names {
        if !is_change || wishes.prints {
            if !show::print_function(shell, name, wishes.function_names, wishes.prints) {
                if wishes.prints {
                    shell.report_for(invocation.name(), format_args!("{name}: not found"));
                }
                status = 1;
            }
            continue;
        }
        let Some(function) = shell.function(name).map(Rc::clone) else {
            if name.contains(&b'=') {
                shell.report_for(invocation.name(), "cannot use `-f' to make functions");
            }
            status = 1;
            continue;
        };
        if function.is_readonly && off.has(Attributes::READONLY) {
            shell.report_for(invocation.name(), format_args!("{name}: readonly function"));
            status = 1;
            continue;
        }
        let mut changed = (*function).clone();
        for (attribute, place) in [
            (Attributes::EXPORT, &mut changed.is_exported),
            (Attributes::READONLY, &mut changed.is_readonly),
            (Attributes::TRACE, &mut changed.is_traced),
        ] {
            *place = (*place || on.has(attribute)) && !off.has(attribute);
        }
        Rc::make_mut(&mut shell.functions).insert(name.as_slice().into(), Rc::new(changed));
    }
    status
}

fn one(
    shell: &mut Shell,
    invocation: &Invocation,
    wishes: &Wishes,
    place: usize,
) -> Result<(), Refusal> {
    let word = invocation.words.get(place).cloned().unwrap_or_default();
    if wishes.is_local && word.as_slice() == b"-" {
        save_options(shell);
        return Ok(());
    }
    let argument = Argument::read(invocation, place)?;
    let name = argument.name;
    if wishes.destroys_array && shell.variables.get(name).is_some_and(Variable::is_array) {
        return Err(Refusal::Arithmetic(format!(
            "{}: cannot destroy array variables in this way",
            String::from_utf8_lossy(name)
        )));
    }
    let depth = shell.variables.local_depth();
    let makes_local = depth > 0 && !wishes.is_global;
    let is_hidden = depth > 0
        && wishes.is_global
        && shell
            .variables
            .get(name)
            .is_some_and(|variable| variable.scope > 0);
    if makes_local && !shell.variables.is_local(name) {
        bind(shell, name, wishes)?;
    } else if makes_local && let Some(variable) = shell.variables.get_mut(name) {
        variable.is_temporary = false;
    }
    if !is_hidden {
        return shell.declare(&argument, wishes.change);
    }
    // The global stands in for the local while it is changed.
    let hidden = shell.variables.get(name).cloned().unwrap_or_default();
    let global = shell.variables.global(name).cloned().unwrap_or_default();
    shell.variables.insert(name, global);
    let outcome = shell.declare(&argument, wishes.change);
    let changed = shell.variables.get(name).cloned().unwrap_or_default();
    shell.variables.insert(name, hidden);
    shell
        .variables
        .with_global(name, |variable| *variable = changed);
    shell.after_change(name);
    outcome
}

/// Makes a local of the running function.
fn bind(shell: &mut Shell, name: &[u8], wishes: &Wishes) -> Result<(), Refusal> {
    let outer = shell.variables.get(name).cloned();
    if let Some(outer) = &outer
        && outer.attributes.has(Attributes::READONLY)
        && outer.scope == 0
    {
        return Err(Refusal::ReadOnly(BString::from(name)));
    }
    // What an assignment before a call binds is handed down.
    let inherits = wishes.inherits
        || shell.options.has_shopt(Shopt::LocalVarInherit)
        || outer.as_ref().is_some_and(|outer| outer.is_temporary);
    let variable = shell.variables.bind_local(name);
    if let Some(outer) = outer {
        if inherits && outer.dynamic.is_none() {
            variable.value = outer.value;
            variable.attributes = outer
                .attributes
                .without(Attributes::REFERENCE)
                .without(Attributes::READONLY);
            variable.is_declared_only = outer.is_declared_only;
        } else if outer.attributes.has(Attributes::EXPORT) {
            variable.attributes = Attributes::EXPORT;
        }
    }
    shell.after_change(name);
    Ok(())
}

/// `local -`: the options are put back when the function ends.
fn save_options(shell: &mut Shell) {
    let options = shell.options;
    if let Some(call) = shell.calls.last_mut() {
        let call = Rc::make_mut(call);
        call.saved_options.get_or_insert(options);
    }
}
