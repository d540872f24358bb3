//! `time`: how long a pipeline took.

use std::time::Instant;

use bash_syntax::ast::TimeFormat;

use crate::state::{Shell, Stop};
use crate::sys;

/// When a pipeline began.
pub struct Clock {
    real: Instant,
    user_ns: u64,
    children_ns: u64,
}

impl Clock {
    /// Starts measuring.
    pub fn start() -> Self {
        let (user_ns, children_ns) = sys::times();
        Self {
            real: Instant::now(),
            user_ns,
            children_ns,
        }
    }
}

/// Prints what a pipeline took on standard error.
pub async fn print(shell: &mut Shell, clock: Clock, format: TimeFormat) -> Result<(), Stop> {
    let real_ns = u64::try_from(clock.real.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let (user_ns, children_ns) = sys::times();
    let user_ns =
        user_ns.saturating_sub(clock.user_ns) + children_ns.saturating_sub(clock.children_ns);
    let custom = shell.get_string("TIMEFORMAT");
    let format: Vec<u8> = match (format, &custom) {
        (TimeFormat::Posix, _) => b"real %2R\nuser %2U\nsys %2S".to_vec(),
        (TimeFormat::Shell, Some(custom)) if custom.is_empty() => return Ok(()),
        (TimeFormat::Shell, Some(custom)) => custom.to_vec(),
        (TimeFormat::Shell, None) => b"\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS".to_vec(),
    };
    let mut text = written(&format, real_ns, user_ns);
    text.push(b'\n');
    shell.print_error(&text);
    shell.flush(b"").await?;
    Ok(())
}

fn written(format: &[u8], real_ns: u64, user_ns: u64) -> Vec<u8> {
    let mut text = Vec::new();
    let mut bytes = format.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let mut digits = 3;
        if let Some(digit) = bytes.next_if(u8::is_ascii_digit) {
            digits = usize::from(digit - b'0').min(6);
        }
        let is_long = bytes.next_if_eq(&b'l').is_some();
        match bytes.next() {
            Some(b'R') => text.extend(duration(real_ns, digits, is_long).bytes()),
            Some(b'U') => text.extend(duration(user_ns, digits, is_long).bytes()),
            Some(b'S') => text.extend(duration(0, digits, is_long).bytes()),
            Some(b'P') => {
                let percent = (user_ns * 100).checked_div(real_ns).unwrap_or(0);
                text.extend(format!("{percent}.00").bytes());
            }
            Some(b'%') => text.push(b'%'),
            Some(other) => text.extend([b'%', other]),
            None => text.push(b'%'),
        }
    }
    text
}

fn duration(ns: u64, digits: usize, is_long: bool) -> String {
    let seconds = ns / 1_000_000_000;
    let fraction = format!("{:06}", ns % 1_000_000_000 / 1000);
    let fraction = fraction.get(..digits).unwrap_or_default();
    let dot = if digits > 0 { "." } else { "" };
    if is_long {
        format!("{}m{}{dot}{fraction}s", seconds / 60, seconds % 60)
    } else {
        format!("{seconds}{dot}{fraction}")
    }
}
