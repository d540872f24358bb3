//! Sizes of files: the units of `--block-size`, and numbers in human-readable form as GNU rounds them (up).

/// How a number of bytes is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// As a multiple of so many bytes, rounded up, with a suffix.
    Blocks { bytes: u64, suffix: &'static str },
    /// With a letter for the power of 1024 (or 1000).
    Human { base: u64 },
}

impl Unit {
    pub(crate) const BYTES: Unit = Unit::Blocks {
        bytes: 1,
        suffix: "",
    };
    pub(crate) const KIBIBYTES: Unit = Unit::Blocks {
        bytes: 1024,
        suffix: "",
    };

    /// Parses the argument of `--block-size`: `1K` is a number of bytes, `K` alone also shows the letter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "human-readable" => return Some(Unit::Human { base: 1024 }),
            "si" => return Some(Unit::Human { base: 1000 }),
            _ => {}
        }
        let text = text.strip_prefix('\'').unwrap_or(text);
        let digits = text
            .find(|one: char| !one.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, letters) = text.split_at_checked(digits)?;
        let (factor, suffix) = factor(letters)?;
        let count = if number.is_empty() {
            1
        } else {
            number.parse().ok()?
        };
        let bytes = factor.checked_mul(count).filter(|bytes| *bytes > 0)?;
        let suffix = if number.is_empty() { suffix } else { "" };
        Some(Unit::Blocks { bytes, suffix })
    }

    /// Shows a number of bytes.
    pub(crate) fn show(self, bytes: u64) -> String {
        match self {
            Unit::Blocks {
                bytes: unit,
                suffix,
            } => format!("{}{suffix}", bytes.div_ceil(unit.max(1))),
            Unit::Human { base } => human(bytes, base),
        }
    }
}

/// Returns the number of bytes that letters stand for (`K`, `KiB`: 1024; `kB`: 1000), and how they are shown.
pub(crate) fn factor(letters: &str) -> Option<(u64, &'static str)> {
    const POWERS: &[(char, [&str; 3])] = &[
        ('K', ["K", "KiB", "kB"]),
        ('M', ["M", "MiB", "MB"]),
        ('G', ["G", "GiB", "GB"]),
        ('T', ["T", "TiB", "TB"]),
        ('P', ["P", "PiB", "PB"]),
        ('E', ["E", "EiB", "EB"]),
    ];
    if letters.is_empty() {
        return Some((1, ""));
    }
    if matches!(letters, "b") {
        return Some((512, "b"));
    }
    if matches!(letters, "B" | "c") {
        return Some((1, ""));
    }
    let mut rest = letters.chars();
    let first = rest.next()?.to_ascii_uppercase();
    let place = POWERS.iter().position(|(letter, _)| *letter == first)?;
    let [plain, binary, decimal] = POWERS.get(place)?.1;
    let power = u32::try_from(place).ok()? + 1;
    match rest.as_str() {
        "" => Some((1024_u64.checked_pow(power)?, plain)),
        "iB" => Some((1024_u64.checked_pow(power)?, binary)),
        "B" => Some((1000_u64.checked_pow(power)?, decimal)),
        _ => None,
    }
}

/// Shows a number of bytes with a letter: one decimal below ten, rounded up.
pub(crate) fn human(bytes: u64, base: u64) -> String {
    const LETTERS: &str = "KMGTPE";
    if bytes < base {
        return bytes.to_string();
    }
    let mut unit = u128::from(base);
    let wide = u128::from(bytes);
    let mut letters = LETTERS.chars();
    let mut letter = letters.next().unwrap_or('K');
    loop {
        let tenths = (wide * 10).div_ceil(unit);
        let whole = wide.div_ceil(unit);
        if tenths < 100 || whole < u128::from(base) {
            let letter = if base == 1000 && letter == 'K' {
                'k'
            } else {
                letter
            };
            return if tenths < 100 {
                format!("{}.{}{letter}", tenths / 10, tenths % 10)
            } else {
                format!("{whole}{letter}")
            };
        }
        match letters.next() {
            Some(next) => letter = next,
            None => return format!("{whole}{letter}"),
        }
        unit *= u128::from(base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_as_gnu() {
        let cases = [
            (0, 1024, "0"),
            (1023, 1024, "1023"),
            (1024, 1024, "1.0K"),
            (1025, 1024, "1.1K"),
            (10 * 1024 - 1, 1024, "10K"),
            (10241, 1024, "11K"),
            (1_048_575, 1024, "1.0M"),
            (5 << 30, 1024, "5.0G"),
            (999, 1000, "999"),
            (1000, 1000, "1.0k"),
            (1_048_576, 1000, "1.1M"),
        ];
        for (bytes, base, expected) in cases {
            assert_eq!(human(bytes, base), expected, "{bytes} base {base}");
        }
        let shown = |unit: &str, bytes| Unit::parse(unit).map(|unit| unit.show(bytes));
        assert_eq!(shown("K", 1025).as_deref(), Some("2K"));
        assert_eq!(shown("1K", 1025).as_deref(), Some("2"));
        assert_eq!(shown("MB", 1).as_deref(), Some("1MB"));
        assert_eq!(shown("0", 1), None);
        assert_eq!(shown("Q", 1), None);
    }
}
