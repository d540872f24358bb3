//! What dd counts, and the lines about it.

use std::io::{self, Write};
use std::time::Instant;

use super::operands::Operands;

/// Numbers of blocks, and since when.
pub(super) struct Tally {
    read_full: u64,
    read_partial: u64,
    written_full: u64,
    written_partial: u64,
    bytes: u64,
    pub truncated: u64,
    pub has_warned: bool,
    level: &'static str,
    began: Instant,
}

impl Tally {
    pub fn new(operands: &Operands) -> Self {
        Self {
            read_full: 0,
            read_partial: 0,
            written_full: 0,
            written_partial: 0,
            bytes: 0,
            truncated: 0,
            has_warned: false,
            level: operands.level,
            began: Instant::now(),
        }
    }

    /// Returns the number of blocks read.
    pub fn read(&self) -> u64 {
        self.read_full + self.read_partial
    }

    pub fn count_read(&mut self, is_full: bool) {
        if is_full {
            self.read_full += 1;
        } else {
            self.read_partial += 1;
        }
    }

    pub fn count_written(&mut self, bytes: usize, is_full: bool) {
        self.bytes += bytes as u64;
        if is_full {
            self.written_full += 1;
        } else {
            self.written_partial += 1;
        }
    }

    /// Writes the lines to standard error.
    pub fn show(&self) {
        if self.level == "none" {
            return;
        }
        let mut text = format!(
            "{}+{} records in\n{}+{} records out\n",
            self.read_full, self.read_partial, self.written_full, self.written_partial
        );
        match self.truncated {
            0 => {}
            1 => text.push_str("1 truncated record\n"),
            many => text.push_str(&format!("{many} truncated records\n")),
        }
        if self.level != "noxfer" {
            text.push_str(&transfer(self.bytes, self.began.elapsed().as_secs_f64()));
        }
        // Without standard error there is nobody to tell.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

fn transfer(bytes: u64, seconds: f64) -> String {
    let plural = if bytes == 1 { "byte" } else { "bytes" };
    let sizes = match bytes {
        0..1000 => String::new(),
        1000..1024 => format!(" ({})", scaled(bytes as f64, false)),
        _ => format!(
            " ({}, {})",
            scaled(bytes as f64, false),
            scaled(bytes as f64, true)
        ),
    };
    let rate = if seconds > 0.0 {
        speed(bytes as f64 / seconds)
    } else {
        "Infinity B".to_owned()
    };
    format!(
        "{bytes} {plural}{sizes} copied, {} s, {rate}/s\n",
        significant(seconds)
    )
}

/// Shows a number of bytes with a unit: one decimal below ten.
fn scaled(bytes: f64, is_binary: bool) -> String {
    const UNITS: [(&str, &str); 7] = [
        ("B", "B"),
        ("kB", "KiB"),
        ("MB", "MiB"),
        ("GB", "GiB"),
        ("TB", "TiB"),
        ("PB", "PiB"),
        ("EB", "EiB"),
    ];
    let base = if is_binary { 1024.0 } else { 1000.0 };
    let mut value = bytes;
    for (place, (decimal, binary)) in UNITS.iter().enumerate() {
        let unit = if is_binary { binary } else { decimal };
        let is_last = place + 1 == UNITS.len();
        if place > 0 && (value * 10.0).round_ties_even() < 100.0 {
            return format!("{:.1} {unit}", (value * 10.0).round_ties_even() / 10.0);
        }
        if value.round_ties_even() < base || is_last {
            return format!("{} {unit}", value.round_ties_even());
        }
        value /= base;
    }
    String::new()
}

/// Shows bytes a second, in kilobytes at least: four characters where there are decimals.
fn speed(bytes: f64) -> String {
    let mut value = bytes / 1000.0;
    let mut units = ["kB", "MB", "GB", "TB", "PB"].iter();
    let mut unit = units.next().unwrap_or(&"kB");
    while value >= 1000.0
        && let Some(next) = units.next()
    {
        value /= 1000.0;
        unit = next;
    }
    let short = format!("{value:.1}");
    if short.len() > 4 {
        return format!("{value:.0} {unit}");
    }
    format!("{short} {unit}")
}

/// Shows a number as `%g` does: six significant digits.
fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if (-4..6).contains(&exponent) {
        let places = usize::try_from(5 - exponent).unwrap_or(0);
        return trimmed(&format!("{value:.places$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_of_transfers() {
        let cases = [
            (0, 0.5, "0 bytes copied, 0.5 s, 0.0 kB/s\n"),
            (1, 1.0, "1 byte copied, 1 s, 0.0 kB/s\n"),
            (
                5120,
                0.000_070_655,
                "5120 bytes (5.1 kB, 5.0 KiB) copied, 7.0655e-05 s, 72.5 MB/s\n",
            ),
            (
                12_345_678,
                2.0,
                "12345678 bytes (12 MB, 12 MiB) copied, 2 s, 6.2 MB/s\n",
            ),
        ];
        for (bytes, seconds, expected) in cases {
            assert_eq!(transfer(bytes, seconds), expected);
        }
    }
}
