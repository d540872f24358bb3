//! sponge and ts, as moreutils has them.

use std::io::{self, BufWriter, Read, Write};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use crate::{input, report};

/// Runs sponge: reads everything before it writes, so that a pipe may end in the file it began with.
pub(crate) fn sponge(program: &str, arguments: &[String]) -> u8 {
    let mut appends = false;
    let mut name = None;
    for word in arguments {
        match word.as_str() {
            "-a" => appends = true,
            "-h" => {
                return report::print(
                    program,
                    "sponge [-a] <file>: soak up all input from stdin and write it to <file>\n",
                );
            }
            _ if word.starts_with('-') && word.len() > 1 => {
                report::complain(
                    program,
                    format_args!("invalid option -- '{}'", &word.trim_start_matches('-')),
                );
                return 1;
            }
            _ => name = Some(word),
        }
    }
    let mut bytes = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut bytes) {
        report::complain(program, process::message(&error));
        return 1;
    }
    let Some(name) = name else {
        return report::print(program, bytes);
    };
    let mut options = std::fs::OpenOptions::new();
    options
        .create(true)
        .write(true)
        .append(appends)
        .truncate(!appends);
    match options
        .open(name)
        .and_then(|mut file| file.write_all(&bytes))
    {
        Ok(()) => 0,
        Err(error) => {
            let message = process::message(&error);
            report::complain(
                program,
                format_args!("error opening output file {name}: {message}"),
            );
            1
        }
    }
}

/// Runs ts: puts the time before every line.
pub(crate) fn ts(program: &str, arguments: &[String]) -> u8 {
    let (mut is_since_start, mut is_since_line, mut format) = (false, false, None);
    for word in arguments {
        match word.as_str() {
            "-s" => is_since_start = true,
            "-i" => is_since_line = true,
            "-m" | "-u" => {}
            _ if word.starts_with('-') => {
                report::complain(program, format_args!("the option {word} is not supported"));
                return 1;
            }
            _ => format = Some(word.as_str()),
        }
    }
    let is_relative = is_since_start || is_since_line;
    let format = format.unwrap_or(if is_relative {
        "%H:%M:%S"
    } else {
        "%b %d %H:%M:%S"
    });
    let mut begin = Instant::now();
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = (|| {
        let mut source = input::open("-")?;
        let mut line = Vec::new();
        while let Some(is_complete) = input::line(&mut *source, &mut line)? {
            let since = if is_relative {
                let since = begin.elapsed();
                if is_since_line {
                    begin = Instant::now();
                }
                since
            } else {
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default()
            };
            let zone = if is_relative {
                TimeZone::UTC
            } else {
                TimeZone::system()
            };
            out.write_all(stamp(format, since, zone).as_bytes())?;
            out.write_all(b" ")?;
            out.write_all(&line)?;
            if is_complete {
                out.write_all(b"\n")?;
            }
            // Whoever reads it wants to see each line at its time.
            out.flush()?;
        }
        Ok(())
    })();
    drop(out);
    report::finish(program, outcome, 0)
}

fn stamp(format: &str, since: std::time::Duration, zone: TimeZone) -> String {
    // `%.S` and the like have a fraction.
    let micros = format!("{:06}", since.subsec_micros());
    let format = format
        .replace("%.S", &format!("%S.{micros}"))
        .replace("%.s", &format!("%s.{micros}"))
        .replace("%.T", &format!("%T.{micros}"));
    let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => jiff::fmt::strtime::format(&format, &time.to_zoned(zone)).unwrap_or(format),
        Err(_) => format,
    }
}
