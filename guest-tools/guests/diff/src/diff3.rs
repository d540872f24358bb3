//! diff3: two files against their common ancestor, as a listing, an ed script or the merged text.

mod blocks;
mod output;

use std::io::{self, BufWriter, Read as _, Write as _};

use gnu_options::{Item, Long, Options, Takes, parse};

use crate::text::{Equality, Text};

const LONG: &[Long] = &[
    ("diff-program", Takes::Argument, 'Α'),
    ("strip-trailing-cr", Takes::Nothing, 'Β'),
    ("help", Takes::Nothing, 'Γ'),
    ("text", Takes::Nothing, 'a'),
    ("show-all", Takes::Nothing, 'A'),
    ("ed", Takes::Nothing, 'e'),
    ("show-overlap", Takes::Nothing, 'E'),
    ("label", Takes::Argument, 'L'),
    ("merge", Takes::Nothing, 'm'),
    ("initial-tab", Takes::Nothing, 'T'),
    ("overlap-only", Takes::Nothing, 'x'),
    ("easy-only", Takes::Nothing, '3'),
    ("version", Takes::Nothing, 'v'),
];

/// What diff3 was asked.
#[derive(Default)]
struct Request {
    ed_script: bool,
    merge: bool,
    /// Conflicts are bracketed.
    flagging: bool,
    /// The ancestor's lines are shown too, also where both sides changed them alike.
    show_second: bool,
    overlap_only: bool,
    simple_only: bool,
    final_write: bool,
    initial_tab: bool,
    text: bool,
    labels: Vec<String>,
    equality: Equality,
}

/// Runs diff3.
pub(crate) fn run(words: &[String]) -> u8 {
    match try_run(words) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("diff3: {error}");
            2
        }
    }
}

fn usage(error: &str) -> String {
    format!("{error}\ndiff3: Try 'diff3 --help' for more information.")
}

fn try_run(words: &[String]) -> Result<u8, String> {
    let (items, error) = parse(
        &Options {
            short: "aeimvx3AEL:TX",
            long: LONG,
        },
        words,
    );
    let mut request = Request::default();
    request.equality.tab = 8;
    request.equality.horizon = 100;
    let mut operands = Vec::new();
    let mut styles = 0;
    for item in items {
        let (letter, argument) = match item {
            Item::Operand(operand) => {
                operands.push(operand);
                continue;
            }
            Item::Option(letter, argument, _) => (letter, argument.unwrap_or_default()),
        };
        styles += u8::from("AEXex3".contains(letter));
        match letter {
            'A' => {
                request.show_second = true;
                request.flagging = true;
            }
            'E' => request.flagging = true,
            'x' | 'X' => request.overlap_only = true,
            '3' => request.simple_only = true,
            'i' => request.final_write = true,
            'm' => request.merge = true,
            'a' => request.text = true,
            'T' => request.initial_tab = true,
            'L' if request.labels.len() == 3 => {
                return Err(usage("too many file label options"));
            }
            'L' => request.labels.push(argument),
            'Β' => request.equality.strip_return = true,
            'Γ' => {
                println!(
                    "Usage: diff3 [OPTION]... MYFILE OLDFILE YOURFILE\nCompares three files line by line.\n\n  \
                     -A -e -E -3 -x -X -i -m -a --strip-trailing-cr -T -L LABEL"
                );
                return Ok(0);
            }
            'v' => {
                println!("diff3 (GNU diffutils) 3.8");
                return Ok(0);
            }
            _ => {}
        }
    }
    if let Some(error) = error {
        return Err(usage(&error));
    }
    request.ed_script = styles > 0 && !request.merge;
    if styles == 0 && request.merge {
        request.show_second = true;
        request.flagging = true;
    }
    if styles > 1
        || (request.final_write && (request.merge || styles == 0))
        || (!request.labels.is_empty() && !request.flagging)
    {
        return Err(usage("incompatible options"));
    }
    let names = match <[String; 3]>::try_from(operands) {
        Ok(names) => names,
        Err(operands) => {
            return Err(usage(&match operands.get(3) {
                Some(extra) => format!("extra operand '{extra}'"),
                None => {
                    let last = operands.last().or(words.last());
                    format!(
                        "missing operand after '{}'",
                        last.map_or("diff3", String::as_str)
                    )
                }
            }));
        }
    };
    if names.iter().filter(|name| *name == "-").count() > 1 {
        return Err("'-' specified for more than one input file".to_owned());
    }
    compare(&mut request, &names)
}

fn compare(request: &mut Request, names: &[String; 3]) -> Result<u8, String> {
    let mut texts = Vec::new();
    for name in names {
        let bytes = read(name).map_err(|error| format!("{name}: {}", process::message(&error)))?;
        let text = if request.equality.strip_return {
            Text::without_returns(&bytes)
        } else {
            Text::new(bytes)
        };
        texts.push(text);
    }
    let texts = <[Text; 3]>::try_from(texts).map_err(|_| "no files".to_owned())?;
    for name in names.iter().skip(request.labels.len()) {
        request.labels.push(name.clone());
    }
    // The file that the two others are compared with: the ancestor, or for a listing the last.
    let common = if request.ed_script || request.merge {
        1
    } else {
        2
    };
    for file in [3 - common, 0] {
        if let (Some(one), Some(base)) = (texts.get(file), texts.get(common))
            && let (Some(name), Some(base_name)) = (names.get(file), names.get(common))
            && !request.text
            && (one.is_binary() || base.is_binary())
            && one.bytes != base.bytes
        {
            return Err(format!(
                "diff failed: Binary files {name} and {base_name} differ"
            ));
        }
    }
    let blocks = blocks::blocks(&texts, common, &request.equality);
    if request.ed_script {
        for _ in 0..blocks::ends_lacking(&texts, common, &request.equality) {
            eprintln!("diff3: No newline at end of file");
        }
    }
    let mut out = BufWriter::with_capacity(65_536, io::stdout().lock());
    let written = if request.ed_script {
        output::ed_script(&mut out, request, &texts, &blocks)
    } else if request.merge {
        output::merged(&mut out, request, &texts, &blocks)
    } else {
        output::listing(&mut out, request, &texts, &blocks).map(|()| false)
    };
    let conflicts = written
        .and_then(|conflicts| out.flush().map(|()| conflicts))
        .map_err(|error| format!("standard output: {}", process::message(&error)))?;
    Ok(u8::from(conflicts))
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == "-" {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
