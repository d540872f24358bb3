//! `printf`: writes its arguments as a format says, to standard output or into a variable.

use std::time::{SystemTime, UNIX_EPOCH};

use bash_text::printf::{Clock, Format};
use bstr::{BString, ByteSlice};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use super::place::Place;
use crate::state::{Outcome, Refusal, Shell};
use crate::variables::Attributes;

/// `printf`
pub const PRINTF: Builtin = Builtin {
    name: "printf",
    usage: "printf [-v var] format [arguments]",
    class: Class::Regular,
    run: Run::Now(run),
};

struct ShellClock {
    started: i64,
    zone: Option<BString>,
}

fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

impl Clock for ShellClock {
    fn now(&mut self) -> i64 {
        now()
    }

    fn started(&mut self) -> i64 {
        self.started
    }

    fn time_zone(&mut self) -> Option<BString> {
        self.zone.clone()
    }
}

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "v:");
    let mut target = None;
    while let Some(flag) = flags.next(shell, &PRINTF) {
        let name = match flag {
            Err(status) => return Ok(status),
            Ok(flag) => flag.argument.unwrap_or_default(),
        };
        match Place::read(name) {
            Some(place) => target = Some(place),
            None => {
                shell.report_for(invocation.name(), Refusal::Identifier(BString::from(name)));
                return Ok(2);
            }
        }
    }
    let Some((format, arguments)) = flags.rest().split_first() else {
        return Ok(shell.usage(&PRINTF));
    };
    let mut output = Vec::new();
    let arguments: Vec<&[u8]> = arguments.iter().map(|word| word.as_slice()).collect();
    let passed = i64::try_from(shell.started.elapsed().as_secs()).unwrap_or(0);
    let mut clock = ShellClock {
        started: now() - passed,
        zone: zone(shell),
    };
    let outcome = Format::parse(format).write(&arguments, &mut clock, &mut output);
    let mut status = outcome.status;
    for (name, count) in outcome.stores {
        if let Err(refusal) = shell.set(&name, count.to_string().as_bytes()) {
            shell.report_for(invocation.name(), refusal);
            status = 1;
        }
    }
    for diagnostic in &outcome.diagnostics {
        shell.report_bytes(&[b"printf: ", diagnostic.as_bytes()].concat());
    }
    match target {
        None => shell.print(&output),
        Some(place) => {
            if let Err(refusal) = place.assign(shell, &output) {
                if refusal != Refusal::Said {
                    shell.report(refusal);
                }
                return Ok(1);
            }
        }
    }
    Ok(status)
}

/// Returns TZ, which counts only when it is exported.
fn zone(shell: &Shell) -> Option<BString> {
    let variable = shell.variable(b"TZ")?;
    if !variable.attributes.has(Attributes::EXPORT) {
        return None;
    }
    variable.text().cloned()
}
