//! Files that are both read and written by one command: reading them would never end.

use std::io::{self, Write};

use process::{Kind, Stat};

/// Takes the operands of `cat` away that are its own output, as GNU cat does, and complains of each. Returns the
/// rest, and whether there was one; `None` if nothing is left to be read.
pub(crate) fn without_own_output(arguments: Vec<String>) -> (Option<Vec<String>>, bool) {
    let output = process::standard(1).and_then(|output| output.stat().ok());
    let Some(output) = output.filter(|output| output.kind == Kind::Regular && output.size > 0)
    else {
        return (Some(arguments), false);
    };
    let mut kept = Vec::with_capacity(arguments.len());
    let (mut are_operands, mut operands, mut dropped) = (false, 0, 0);
    for argument in arguments {
        let is_operand = are_operands || argument == "-" || !argument.starts_with('-');
        if is_operand {
            operands += 1;
            if is_output(&argument, &output) {
                dropped += 1;
                complain(&argument);
                continue;
            }
        } else if argument == "--" {
            are_operands = true;
        }
        kept.push(argument);
    }
    if operands == 0 && is_output("-", &output) {
        complain("-");
        return (None, true);
    }
    match dropped {
        0 => (Some(kept), false),
        _ if dropped == operands => (None, true),
        _ => (Some(kept), true),
    }
}

fn is_output(operand: &str, output: &Stat) -> bool {
    let input = match operand {
        "-" => process::standard(0).and_then(|input| input.stat().ok()),
        path => process::stat(process::argument_bytes(path), true).ok(),
    };
    input.is_some_and(|input| (input.device, input.inode) == (output.device, output.inode))
}

fn complain(operand: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "cat: {operand}: input file is output file");
}
