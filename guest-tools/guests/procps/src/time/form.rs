//! Formats of time. What a hand does not count is 0.

use std::time::Duration;

/// What a command took.
pub(super) struct Taken {
    pub(super) command: String,
    pub(super) elapsed: Duration,
    /// In the hand there is no system beside the program: all of it is the user's.
    pub(super) processor_ns: u64,
    pub(super) status: u8,
}

pub(super) const VERBOSE: &str = "\\tCommand being timed: \"%C\"\\n\
\\tUser time (seconds): %U\\n\
\\tSystem time (seconds): %S\\n\
\\tPercent of CPU this job got: %P\\n\
\\tElapsed (wall clock) time (h:mm:ss or m:ss): %E\\n\
\\tAverage shared text size (kbytes): %X\\n\
\\tAverage unshared data size (kbytes): %D\\n\
\\tAverage stack size (kbytes): %p\\n\
\\tAverage total size (kbytes): %K\\n\
\\tMaximum resident set size (kbytes): %M\\n\
\\tAverage resident set size (kbytes): %t\\n\
\\tMajor (requiring I/O) page faults: %F\\n\
\\tMinor (reclaiming a frame) page faults: %R\\n\
\\tVoluntary context switches: %w\\n\
\\tInvoluntary context switches: %c\\n\
\\tSwaps: %W\\n\
\\tFile system inputs: %I\\n\
\\tFile system outputs: %O\\n\
\\tSocket messages sent: %s\\n\
\\tSocket messages received: %r\\n\
\\tSignals delivered: %k\\n\
\\tPage size (bytes): %Z\\n\
\\tExit status: %x";

/// Returns a format with what it stands for, and a newline.
pub(super) fn show(format: &str, taken: &Taken) -> String {
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match letters.next() {
                Some(letter) => conversion(letter, taken, &mut out),
                None => out.push('?'),
            },
            '\\' => match letters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('\\') => out.push('\\'),
                Some(other) => {
                    out.push_str("?\\");
                    out.push(other);
                }
                None => out.push_str("?\\"),
            },
            _ => out.push(letter),
        }
    }
    out.push('\n');
    out
}

fn conversion(letter: char, taken: &Taken, out: &mut String) {
    let hundredths = taken.elapsed.as_millis() / 10;
    match letter {
        '%' => out.push('%'),
        'C' => out.push_str(&taken.command),
        'e' => out.push_str(&format!("{}.{:02}", hundredths / 100, hundredths % 100)),
        'E' => {
            let seconds = hundredths / 100;
            let text = if seconds >= 3600 {
                format!(
                    "{}:{:02}:{:02}",
                    seconds / 3600,
                    seconds / 60 % 60,
                    seconds % 60
                )
            } else {
                format!(
                    "{}:{:02}.{:02}",
                    seconds / 60,
                    seconds % 60,
                    hundredths % 100
                )
            };
            out.push_str(&text);
        }
        'U' => {
            let hundredths = taken.processor_ns / 10_000_000;
            out.push_str(&format!("{}.{:02}", hundredths / 100, hundredths % 100));
        }
        'S' => out.push_str("0.00"),
        'P' => {
            let elapsed = taken.elapsed.as_nanos();
            match (u128::from(taken.processor_ns) * 100).checked_div(elapsed) {
                Some(share) => out.push_str(&format!("{share}%")),
                None => out.push_str("?%"),
            }
        }
        'x' => out.push_str(&taken.status.to_string()),
        'Z' => out.push_str("65536"),
        'D' | 'F' | 'I' | 'K' | 'M' | 'O' | 'R' | 'W' | 'X' | 'c' | 'k' | 'p' | 'r' | 's' | 't'
        | 'w' => out.push('0'),
        other => {
            out.push('?');
            out.push(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let taken = Taken {
            command: "a b".to_owned(),
            elapsed: Duration::from_millis(62_340),
            processor_ns: 31_170_000_000,
            status: 3,
        };
        for (format, expected) in [
            ("%e %E %U %P %x %C", "62.34 1:02.34 31.17 50% 3 a b\n"),
            ("%%\\t%q\\q", "%\t?q?\\q\n"),
        ] {
            assert_eq!(show(format, &taken), expected);
        }
    }
}
