//! `mapfile` and `readarray`: the lines of a file as an array.

use std::rc::Rc;

use bash_text::quote;
use bstr::{BString, ByteSlice};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::{Origin, run_text};
use crate::runtime::LocalFuture;
use crate::state::{Outcome, Refusal, Shell, Subscript};
use crate::variables::{Attributes, IndexedArray, Value, is_name};

/// `mapfile`
pub const MAPFILE: Builtin = Builtin {
    name: "mapfile",
    usage: "mapfile [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]",
    class: Class::Regular,
    run: Run::Waiting(run),
};

/// `readarray`
pub const READARRAY: Builtin = Builtin {
    name: "readarray",
    usage: "readarray [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]",
    class: Class::Regular,
    run: Run::Waiting(run),
};

#[derive(Debug, Clone)]
struct Wishes {
    delimiter: u8,
    /// How many lines at most; 0 means all.
    count: u64,
    origin: Option<u64>,
    skip: u64,
    drops_delimiter: bool,
    number: u32,
    callback: Option<BString>,
    quantum: u64,
}

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let (wishes, name) = match wishes(shell, invocation) {
            Ok(found) => found,
            Err(status) => return Ok(status),
        };
        match prepare(shell, &name, wishes.origin.is_none()) {
            Ok(()) => {}
            Err(refusal @ Refusal::ReadOnly(_)) => {
                shell.report(refusal);
                return Ok(1);
            }
            Err(refusal) => {
                shell.report_for(invocation.name(), refusal);
                return Ok(1);
            }
        }
        let name = shell.resolve(&name).ok().flatten().unwrap_or(name);
        fill(shell, invocation, &wishes, &name).await
    })
}

fn wishes(shell: &mut Shell, invocation: &Invocation) -> Result<(Wishes, BString), u8> {
    let builtin = if invocation.name() == "readarray" {
        &READARRAY
    } else {
        &MAPFILE
    };
    let mut flags = Flags::new(invocation, "d:u:n:O:tC:c:s:");
    let mut wishes = Wishes {
        delimiter: b'\n',
        count: 0,
        origin: None,
        skip: 0,
        drops_delimiter: false,
        number: 0,
        callback: None,
        quantum: 5000,
    };
    while let Some(flag) = flags.next(shell, builtin) {
        let flag = flag?;
        let argument = flag.argument.unwrap_or_default();
        let number = bash_text::arithmetic::parse_integer(argument)
            .and_then(|number| u64::try_from(number).ok());
        let what = match flag.letter {
            b'd' => {
                wishes.delimiter = argument.first().copied().unwrap_or(0);
                continue;
            }
            b't' => {
                wishes.drops_delimiter = true;
                continue;
            }
            b'C' => {
                wishes.callback = Some(argument.into());
                continue;
            }
            b'u' => "invalid file descriptor specification",
            b'O' => "invalid array origin",
            b'c' => "invalid callback quantum",
            _ => "invalid line count",
        };
        let Some(number) = number.filter(|number| flag.letter != b'c' || *number > 0) else {
            shell.report_for(invocation.name(), format_args!("{argument}: {what}"));
            return Err(1);
        };
        match flag.letter {
            b'u' => wishes.number = u32::try_from(number).unwrap_or(u32::MAX),
            b'O' => wishes.origin = Some(number),
            b'c' => wishes.quantum = number,
            b'n' => wishes.count = number,
            _ => wishes.skip = number,
        }
    }
    if shell.descriptors.get(wishes.number).is_none() {
        let message = format!(
            "{}: invalid file descriptor: Bad file descriptor",
            wishes.number
        );
        shell.report_for(invocation.name(), message);
        return Err(1);
    }
    let name = match flags.rest().first() {
        None => BString::from("MAPFILE"),
        Some(name) if name.is_empty() => {
            shell.report_for(invocation.name(), "empty array variable name");
            return Err(2);
        }
        Some(name) => name.clone(),
    };
    if !is_name(&name) {
        shell.report_for(invocation.name(), Refusal::Identifier(name));
        return Err(1);
    }
    Ok((wishes, name))
}

/// Makes the variable an array, an empty one unless lines go into an existing one.
fn prepare(shell: &mut Shell, name: &BString, empties: bool) -> Result<(), Refusal> {
    let name = shell.resolve(name)?.unwrap_or_else(|| name.clone());
    if let Some(variable) = shell.variables.get(&name) {
        if variable.attributes.has(Attributes::READONLY) {
            return Err(Refusal::ReadOnly(name));
        }
        if matches!(variable.value, Value::Associative(_)) {
            return Err(Refusal::Arithmetic(format!("{name}: not an indexed array")));
        }
    }
    shell.make_indexed(&name)?;
    let variable = shell.variables.entry(&name);
    variable.is_declared_only = false;
    if empties {
        variable.value = Value::Indexed(IndexedArray::default());
    }
    Ok(())
}

async fn fill(
    shell: &mut Shell,
    invocation: &Invocation,
    wishes: &Wishes,
    name: &BString,
) -> Outcome {
    let runtime = Rc::clone(&shell.runtime);
    let Some(open) = shell.descriptors.get(wishes.number).map(Rc::clone) else {
        return Ok(1);
    };
    let is_plain = shell
        .variables
        .get(name)
        .is_some_and(|variable| variable.attributes.is_empty());
    let mut index = wishes.origin.unwrap_or(0);
    let (mut skipped, mut kept) = (0, 0);
    let mut line = Vec::new();
    let mut is_end = false;
    while !is_end && (wishes.count == 0 || kept < wishes.count) {
        let filled = shell.interruptible(open.fill(&runtime)).await;
        match filled {
            Err(signal) => return Ok(128_u8.wrapping_add(signal)),
            // What cannot be read has no lines.
            Ok(Err(_)) => return Ok(0),
            Ok(Ok(false)) => {
                is_end = true;
                if line.is_empty() {
                    break;
                }
            }
            Ok(Ok(true)) => {
                let mut buffer = open.buffer();
                let bytes = buffer.bytes();
                let end = bytes.iter().position(|byte| *byte == wishes.delimiter);
                let size = end.map_or(bytes.len(), |end| end + 1);
                line.extend_from_slice(bytes.get(..size).unwrap_or_default());
                buffer.consume(size);
                if end.is_none() {
                    continue;
                }
            }
        }
        let mut text = std::mem::take(&mut line);
        if skipped < wishes.skip {
            skipped += 1;
            continue;
        }
        if (wishes.drops_delimiter || wishes.delimiter == 0)
            && text.last() == Some(&wishes.delimiter)
        {
            text.pop();
        }
        // A value ends at a null byte.
        if wishes.delimiter != 0
            && let Some(end) = text.iter().position(|byte| *byte == 0)
        {
            text.truncate(end);
        }
        kept += 1;
        if let Some(callback) = &wishes.callback
            && kept % wishes.quantum == 0
        {
            let mut command = callback.to_vec();
            command.extend_from_slice(format!(" {index} ").as_bytes());
            command.extend_from_slice(&quote::single(&text));
            run_text(shell, command.as_bstr(), Origin::Eval).await?;
        }
        if is_plain {
            if let Ok(array) = shell.make_indexed(name) {
                array.set(index, BString::from(text));
            }
        } else {
            let place = Subscript::Index(i64::try_from(index).unwrap_or(i64::MAX));
            if let Err(refusal) = shell.assign_element(name, &place, &text, false) {
                shell.report_for(invocation.name(), refusal);
                return Ok(1);
            }
        }
        index += 1;
    }
    Ok(0)
}
