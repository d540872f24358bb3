//! The command line of dd: `name=value`, numbers with factors and units.

use crate::quoting::curly;

/// What the data goes through and how the files are treated: the words of `conv=`, `iflag=` and `oflag=`.
const CONVERSIONS: &[&str] = &[
    "ascii",
    "ebcdic",
    "ibm",
    "block",
    "unblock",
    "lcase",
    "ucase",
    "sparse",
    "swab",
    "sync",
    "excl",
    "nocreat",
    "notrunc",
    "noerror",
    "fdatasync",
    "fsync",
];
const FLAGS: &[&str] = &[
    "append",
    "binary",
    "cio",
    "count_bytes",
    "direct",
    "directory",
    "dsync",
    "fullblock",
    "noatime",
    "nocache",
    "noctty",
    "nofollow",
    "nolinks",
    "nonblock",
    "seek_bytes",
    "skip_bytes",
    "sync",
    "text",
];
const LEVELS: &[&str] = &["none", "noxfer", "progress"];
/// Words that exclude each other.
const EXCLUSIVE: &[(&[&str], &str)] = &[
    (
        &["ascii", "ebcdic", "ibm"],
        "cannot combine any two of {ascii,ebcdic,ibm}",
    ),
    (&["block", "unblock"], "cannot combine block and unblock"),
    (&["lcase", "ucase"], "cannot combine lcase and ucase"),
    (&["excl", "nocreat"], "cannot combine excl and nocreat"),
];

/// A number of blocks or of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub value: u64,
    pub is_bytes: bool,
}

impl Amount {
    /// Returns it as whole blocks and the bytes beyond them.
    pub fn blocks(self, size: u64) -> (u64, u64) {
        if self.is_bytes {
            (self.value / size, self.value % size)
        } else {
            (self.value, 0)
        }
    }

    /// Returns it in bytes.
    pub fn bytes(self, size: u64) -> u64 {
        if self.is_bytes {
            self.value
        } else {
            self.value.saturating_mul(size)
        }
    }
}

/// All that the command line says.
#[derive(Debug, Default)]
pub(super) struct Operands {
    pub input: Option<String>,
    pub output: Option<String>,
    pub input_size: Option<u64>,
    pub output_size: Option<u64>,
    /// `bs`: both at once, and blocks are written as they were read.
    pub both_size: Option<u64>,
    pub record_size: u64,
    pub skip: Amount,
    pub seek: Amount,
    pub count: Option<Amount>,
    pub conversions: Vec<&'static str>,
    pub input_flags: Vec<&'static str>,
    pub output_flags: Vec<&'static str>,
    pub level: &'static str,
}

/// A message, and whether the usage is the matter.
pub(super) type Wrong = (String, bool);

impl Operands {
    pub fn converts(&self, word: &str) -> bool {
        self.conversions.contains(&word)
    }

    pub fn reads(&self, word: &str) -> bool {
        self.input_flags.contains(&word)
    }

    pub fn writes(&self, word: &str) -> bool {
        self.output_flags.contains(&word)
    }

    /// Reads the operands.
    pub fn parse(words: &[String]) -> Result<Self, Wrong> {
        let mut all = Self::default();
        for word in words {
            let unknown = || (format!("unrecognized operand {}", curly(word)), true);
            let (name, value) = word.split_once('=').ok_or_else(unknown)?;
            match name {
                "if" => all.input = Some(value.to_owned()),
                "of" => all.output = Some(value.to_owned()),
                "conv" => all
                    .conversions
                    .extend(listed(value, CONVERSIONS, "invalid conversion")?),
                "iflag" => all
                    .input_flags
                    .extend(listed(value, FLAGS, "invalid input flag")?),
                "oflag" => all
                    .output_flags
                    .extend(listed(value, FLAGS, "invalid output flag")?),
                "status" => {
                    all.level = listed(value, LEVELS, "invalid status level")?
                        .last()
                        .copied()
                        .unwrap_or_default();
                }
                "bs" => all.both_size = Some(size(value)?),
                "ibs" => all.input_size = Some(size(value)?),
                "obs" => all.output_size = Some(size(value)?),
                "cbs" => all.record_size = size(value)?,
                "skip" | "iseek" => all.skip = amount(value)?,
                "seek" | "oseek" => all.seek = amount(value)?,
                "count" => all.count = Some(amount(value)?),
                _ => return Err(unknown()),
            }
        }
        all.check()?;
        Ok(all)
    }

    fn check(&mut self) -> Result<(), Wrong> {
        if self.input_flags.contains(&"skip_bytes") {
            self.skip.is_bytes = true;
        }
        if self.output_flags.contains(&"seek_bytes") {
            self.seek.is_bytes = true;
        }
        if self.input_flags.contains(&"count_bytes")
            && let Some(count) = &mut self.count
        {
            count.is_bytes = true;
        }
        for (words, message) in EXCLUSIVE {
            let given = words.iter().filter(|word| self.converts(word)).count();
            if given > 1 {
                return Err(((*message).to_owned(), false));
            }
        }
        Ok(())
    }

    /// Returns whether what is read is written as other blocks than it came in.
    pub fn reblocks(&self) -> bool {
        self.both_size.is_none()
            || self.conversions.iter().any(|word| {
                matches!(
                    *word,
                    "ascii" | "ebcdic" | "ibm" | "block" | "unblock" | "lcase" | "ucase" | "swab"
                )
            })
    }
}

fn listed(value: &str, known: &[&'static str], message: &str) -> Result<Vec<&'static str>, Wrong> {
    value
        .split(',')
        .map(|word| {
            known
                .iter()
                .find(|known| **known == word)
                .copied()
                .ok_or_else(|| (format!("{message}: {}", curly(word)), true))
        })
        .collect()
}

fn size(text: &str) -> Result<u64, Wrong> {
    match number(text)? {
        (size, _) if size > 0 && size <= i64::MAX as u64 => Ok(size),
        (0, _) => Err((format!("invalid number: {}", curly(text)), false)),
        _ => Err(too_large(text)),
    }
}

fn amount(text: &str) -> Result<Amount, Wrong> {
    let (value, is_bytes) = number(text)?;
    Ok(Amount { value, is_bytes })
}

fn too_large(text: &str) -> Wrong {
    (
        format!(
            "invalid number: {}: Value too large for defined data type",
            curly(text)
        ),
        false,
    )
}

/// Reads factors joined by `x`, each with a unit. The unit `B` says that bytes are meant.
fn number(text: &str) -> Result<(u64, bool), Wrong> {
    let invalid = || (format!("invalid number: {}", curly(text)), false);
    let (mut product, mut is_bytes) = (1_u64, false);
    for factor in text.split('x') {
        let digits = factor
            .find(|one: char| !one.is_ascii_digit())
            .unwrap_or(factor.len());
        let (number, unit) = factor.split_at_checked(digits).ok_or_else(invalid)?;
        if number.is_empty() && unit.is_empty() {
            return Err(invalid());
        }
        let scale = match unit {
            "" => 1,
            "B" if !number.is_empty() => {
                is_bytes = true;
                1
            }
            "c" => 1,
            "w" => 2,
            "b" => 512,
            unit => power(unit).ok_or_else(invalid)?,
        };
        let value: u64 = if number.is_empty() {
            1
        } else {
            number.parse().map_err(|_| too_large(text))?
        };
        product = value
            .checked_mul(scale)
            .and_then(|value| product.checked_mul(value))
            .ok_or_else(|| too_large(text))?;
    }
    Ok((product, is_bytes))
}

/// Returns what a unit such as `K`, `MiB` or `GB` stands for.
fn power(unit: &str) -> Option<u64> {
    let (letter, rest) = unit.split_at_checked(1)?;
    let exponent = match letter {
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        _ => return None,
    };
    match rest {
        "" | "iB" => 1024_u64.checked_pow(exponent),
        "B" => 1000_u64.checked_pow(exponent),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers() {
        let cases = [
            ("512", Ok((512, false))),
            ("2x3x4", Ok((24, false))),
            ("1K", Ok((1024, false))),
            ("1kB", Ok((1000, false))),
            ("2MiB", Ok((2 << 20, false))),
            ("10B", Ok((10, true))),
            ("b", Ok((512, false))),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), expected, "{text}");
        }
        for wrong in ["", "x", "1xx2", "1q", "-1", "99999999999999999999"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }
}
