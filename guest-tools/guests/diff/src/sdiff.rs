//! sdiff: diff in two columns, under sdiff's own letters. Merging by hand (`-o`) is not there: nobody would answer.

use gnu_options::{Item, Long, Options, Takes, parse};

use crate::diff;

const LONG: &[Long] = &[
    ("diff-program", Takes::Argument, 'Α'),
    ("strip-trailing-cr", Takes::Nothing, 'Β'),
    ("tabsize", Takes::Argument, 'Γ'),
    ("help", Takes::Nothing, 'Δ'),
    ("output", Takes::Argument, 'o'),
    ("ignore-case", Takes::Nothing, 'i'),
    ("ignore-tab-expansion", Takes::Nothing, 'E'),
    ("ignore-trailing-space", Takes::Nothing, 'Z'),
    ("ignore-space-change", Takes::Nothing, 'b'),
    ("ignore-all-space", Takes::Nothing, 'W'),
    ("ignore-blank-lines", Takes::Nothing, 'B'),
    ("ignore-matching-lines", Takes::Argument, 'I'),
    ("text", Takes::Nothing, 'a'),
    ("width", Takes::Argument, 'w'),
    ("left-column", Takes::Nothing, 'l'),
    ("suppress-common-lines", Takes::Nothing, 's'),
    ("expand-tabs", Takes::Nothing, 't'),
    ("minimal", Takes::Nothing, 'd'),
    ("speed-large-files", Takes::Nothing, 'H'),
    ("version", Takes::Nothing, 'v'),
];

/// Runs sdiff.
pub(crate) fn run(words: &[String]) -> u8 {
    let (items, error) = parse(
        &Options {
            short: "abBdEHiI:lo:stvw:WZ",
            long: LONG,
        },
        words,
    );
    let mut options = vec!["-y".to_owned()];
    let mut operands = Vec::new();
    for item in items {
        let (letter, argument) = match item {
            Item::Operand(operand) => {
                operands.push(operand);
                continue;
            }
            Item::Option(letter, argument, _) => (letter, argument.unwrap_or_default()),
        };
        match letter {
            'Α' => {}
            'Β' => options.push("--strip-trailing-cr".to_owned()),
            'Γ' => options.push(format!("--tabsize={argument}")),
            'Δ' => {
                println!(
                    "Usage: sdiff [OPTION]... FILE1 FILE2\nShows two files side by side.\n\n  \
                     -i -E -Z -b -W -B -I RE --strip-trailing-cr -a -w NUM -l -s -t --tabsize=NUM -d -H"
                );
                return 0;
            }
            'v' => {
                println!("sdiff (GNU diffutils) 3.8");
                return 0;
            }
            'o' => {
                eprintln!("sdiff: --output is not supported: there is nobody to choose the lines");
                return 2;
            }
            'w' => options.push(format!("--width={argument}")),
            'W' => options.push("--ignore-all-space".to_owned()),
            'l' => options.push("--left-column".to_owned()),
            's' => options.push("--suppress-common-lines".to_owned()),
            'I' => options.push(format!("--ignore-matching-lines={argument}")),
            letter => options.push(format!("-{letter}")),
        }
    }
    if let Some(error) = error {
        return usage(&error);
    }
    match operands.as_slice() {
        [_, _] => {}
        [_, _, extra, ..] => return usage(&format!("extra operand '{extra}'")),
        [only] => return usage(&format!("missing operand after '{only}'")),
        [] => {
            let last = words.last().map_or("sdiff", String::as_str);
            return usage(&format!("missing operand after '{last}'"));
        }
    }
    options.push("--".to_owned());
    options.append(&mut operands);
    diff::run(&options)
}

fn usage(error: &str) -> u8 {
    eprintln!("sdiff: {error}\nsdiff: Try 'sdiff --help' for more information.");
    2
}
