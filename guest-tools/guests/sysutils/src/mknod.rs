//! mknod: makes FIFOs. Devices are the host's to make.

use std::io::ErrorKind;
use std::path::Path;

use gnu_options::named::{self, Item, Order};

use crate::mode::Change;
use crate::quoting::{self, curly};
use crate::report::{self, complain, reason, usage};
use crate::system::{self, stat};

const HELP: &str = "Usage: mknod [OPTION]... NAME TYPE [MAJOR MINOR]
Create the special file NAME of the given TYPE.

  -m, --mode=MODE   set file permission bits to MODE, not a=rw - umask

TYPE is p for a FIFO, b, c or u for a device, which needs MAJOR and MINOR.
";

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, "m/mode= Z context=?", Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut change = None;
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("mode", Some(text)) => match Change::parse(&text) {
                Some(found) => change = Some(found),
                None => {
                    complain(program, "invalid mode");
                    return 1;
                }
            },
            Item::Option(..) => {}
        }
    }
    let [name, kind, numbers @ ..] = operands.as_slice() else {
        return usage(program, missing(operands.last()), 1);
    };
    let is_fifo = kind.starts_with('p');
    match numbers {
        [first, rest @ ..] if is_fifo => {
            let mut message = format!("extra operand {}", curly(first));
            if rest.len() == 1 {
                message.push_str("\nFifos do not have major and minor device numbers.");
            }
            return usage(program, message, 1);
        }
        [] if is_fifo => {}
        [] => {
            let message = format!(
                "{}\nSpecial files require major and minor device numbers.",
                missing(Some(kind))
            );
            return usage(program, message, 1);
        }
        [major] => return usage(program, missing(Some(major)), 1),
        [_, _, extra, ..] => {
            return usage(program, format_args!("extra operand {}", curly(extra)), 1);
        }
        [..] => {
            return device(program, name, kind, numbers);
        }
    }
    let path = Path::new(name);
    let made = if stat(path, false).is_ok() {
        Err(ErrorKind::AlreadyExists.into())
    } else {
        system::mkfifo(path, 0o666)
    };
    let made = made.and_then(|()| match &change {
        Some(change) => system::chmod(path, change.apply(0o666, false, system::umask())),
        None => Ok(()),
    });
    match made {
        Ok(()) => 0,
        Err(error) => {
            let name = quoting::shell(name);
            complain(program, format_args!("{name}: {}", reason(&error)));
            1
        }
    }
}

fn missing(last: Option<&String>) -> String {
    match last {
        Some(last) => format!("missing operand after {}", curly(last)),
        None => "missing operand".to_owned(),
    }
}

/// Says why there will be no device.
fn device(program: &str, name: &str, kind: &str, numbers: &[String]) -> u8 {
    if !kind.starts_with(['b', 'c', 'u']) {
        return usage(
            program,
            format_args!("invalid device type {}", curly(kind)),
            1,
        );
    }
    for (what, number) in ["major", "minor"].iter().zip(numbers) {
        if number.parse::<u32>().is_err() {
            complain(
                program,
                format_args!("invalid {what} device number {}", curly(number)),
            );
            return 1;
        }
    }
    let name = quoting::shell(name);
    complain(program, format_args!("{name}: Operation not permitted"));
    1
}
