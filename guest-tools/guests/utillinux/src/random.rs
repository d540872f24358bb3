//! uuidgen and mcookie: numbers that nobody has.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use gnu_options::{Item, Takes};

use crate::report;

/// Returns 128 bits; std seeds every map with such.
fn bits() -> u128 {
    let half = |number: u64| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(number);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

/// Shows a number as a UUID of a version.
fn uuid(bits: u128, version: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | version << 76 | 0x2 << 62;
    let text = format!("{bits:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
    format!(
        "{}-{}-{}-{}-{}\n",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

/// Runs uuidgen.
pub(crate) fn uuidgen(program: &str, arguments: &[String]) -> u8 {
    let options = gnu_options::Options {
        short: "rtn:N:msxhV",
        long: &[
            ("help", Takes::Nothing, 'h'),
            ("random", Takes::Nothing, 'r'),
            ("time", Takes::Nothing, 't'),
            ("version", Takes::Nothing, 'V'),
        ],
    };
    let (items, error) = gnu_options::parse(&options, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let mut is_time = false;
    for item in items {
        match item {
            Item::Option('r', ..) => is_time = false,
            Item::Option('t', ..) => is_time = true,
            Item::Option('h', ..) => return report::print(program, "Usage: uuidgen [-r | -t]\n"),
            Item::Option('V', ..) => {
                return report::print(program, "uuidgen (Sinew, as util-linux) 2.38.1\n");
            }
            Item::Option(letter, ..) => {
                report::complain(
                    program,
                    format_args!("the option -{letter} is not supported"),
                );
                return 1;
            }
            Item::Operand(_) => return report::usage(program, "unexpected argument", 1),
        }
    }
    if !is_time {
        return report::print(program, uuid(bits(), 4));
    }
    // Tenths of microseconds since October 1582, the low part first; a random node says so by one bit.
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let time = since.as_nanos() / 100 + 0x01b2_1dd2_1381_4000;
    let (low, middle, high) = (time & 0xffff_ffff, time >> 32 & 0xffff, time >> 48 & 0xfff);
    let rest = bits() & 0xffff_ffff_ffff_ffff | 1 << 40;
    report::print(
        program,
        uuid(low << 96 | middle << 80 | high << 64 | rest, 1),
    )
}

/// Runs mcookie.
pub(crate) fn mcookie(program: &str, _arguments: &[String]) -> u8 {
    report::print(program, format!("{:032x}\n", bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_variant_are_set() {
        assert_eq!(uuid(u128::MAX, 4), "ffffffff-ffff-4fff-bfff-ffffffffffff\n");
        assert_eq!(uuid(0, 1), "00000000-0000-1000-8000-000000000000\n");
        assert_ne!(bits(), bits());
    }
}
