//! iconv: converts text from one encoding to another, with glibc's messages.

mod charset;
mod transliterate;

use std::io::{self, Read, Write};

use gnu_options::{Item, Takes};

use crate::{input, report};

use charset::{Charset, Decoded};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "f:t:lco:sV?",
    long: &[
        ("from-code", Takes::Argument, 'f'),
        ("help", Takes::Nothing, '?'),
        ("list", Takes::Nothing, 'l'),
        ("output", Takes::Argument, 'o'),
        ("silent", Takes::Nothing, 's'),
        ("to-code", Takes::Argument, 't'),
        ("verbose", Takes::Nothing, 'v'),
        ("version", Takes::Nothing, 'V'),
    ],
};

struct Wish {
    from: Charset,
    to: Charset,
    /// `-c`: what cannot be converted is left out, and that is no failure.
    drops: bool,
    /// `//IGNORE`: it is left out, but told of.
    ignores: bool,
    transliterates: bool,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    if let Some(error) = error {
        report::complain(program, error);
        let _ = writeln!(
            io::stderr(),
            "Try `iconv --help' or `iconv --usage' for more information."
        );
        return 64;
    }
    let (mut from, mut to) = ("UTF-8".to_owned(), "UTF-8".to_owned());
    let (mut drops, mut output, mut names) = (false, None, Vec::new());
    for item in items {
        match item {
            Item::Operand(name) => names.push(name),
            Item::Option(letter, value, _) => {
                let value = value.unwrap_or_default();
                match letter {
                    'f' => from = value,
                    't' => to = value,
                    'c' => drops = true,
                    'o' => output = Some(value),
                    'l' => return report::print(program, charset::list()),
                    '?' => return report::print(program, USAGE),
                    'V' => return report::print(program, "iconv (Sinew, as glibc) 2.36\n"),
                    _ => {}
                }
            }
        }
    }
    let mut parts = to.split("//");
    let to = parts.next().unwrap_or("").to_owned();
    let suffixes: Vec<String> = parts.map(str::to_uppercase).collect();
    let has = |wanted: &str| {
        suffixes
            .iter()
            .any(|suffix| suffix.split(',').any(|word| word == wanted))
    };
    let from = from.split("//").next().unwrap_or("").to_owned();
    let usual = |name: String| {
        if name.is_empty() {
            "UTF-8".to_owned()
        } else {
            name
        }
    };
    let (Some(from), Some(to)) = (Charset::find(&usual(from)), Charset::find(&usual(to))) else {
        report::complain(
            program,
            "failed to start conversion processing: No such file or directory",
        );
        return 1;
    };
    let wish = Wish {
        from,
        to,
        drops,
        ignores: has("IGNORE"),
        transliterates: has("TRANSLIT"),
    };
    if names.is_empty() {
        names.push("-".to_owned());
    }
    let mut bytes = Vec::new();
    let mut out = Vec::new();
    let mut status = 0;
    for name in &names {
        bytes.clear();
        let read = input::open(name).and_then(|mut source| source.read_to_end(&mut bytes));
        if let Err(error) = read {
            let message = process::message(&error);
            report::complain(
                program,
                format_args!("cannot open input file `{name}': {message}"),
            );
            status = 1;
            continue;
        }
        if let Err(message) = convert(&wish, &bytes, &mut out) {
            let failed = write(program, output.as_deref(), wish.to, &out);
            report::complain(program, message);
            return failed.max(1);
        }
    }
    write(program, output.as_deref(), wish.to, &out).max(status)
}

fn write(program: &str, output: Option<&str>, to: Charset, bytes: &[u8]) -> u8 {
    // Nothing has no mark.
    let mark = if bytes.is_empty() { b"" } else { to.mark() };
    let bytes = [mark, bytes].concat();
    let Some(path) = output else {
        return report::print(program, bytes);
    };
    match std::fs::write(path, bytes) {
        Ok(()) => 0,
        Err(error) => {
            let message = process::message(&error);
            report::complain(
                program,
                format_args!("unable to open output file: {message}"),
            );
            1
        }
    }
}

/// Converts all of a text; the error is the message, and what is before it is converted.
fn convert(wish: &Wish, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let illegal = |position: usize| Err(format!("illegal input sequence at position {position}"));
    let mut skipped = false;
    let mut at = wish.from.mark_length(bytes);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match wish.from.decode(rest, bytes) {
            Decoded::Letter(letter, length) => {
                if !encode(wish, letter, out) {
                    if !wish.drops && !wish.ignores {
                        return illegal(at);
                    }
                    skipped = true;
                }
                at += length;
            }
            Decoded::Illegal(length) => {
                if !wish.drops && !wish.ignores {
                    return illegal(at);
                }
                skipped = true;
                at += length.max(1);
            }
            Decoded::Incomplete => {
                if wish.drops {
                    return Ok(());
                }
                return Err("incomplete character or shift sequence at end of buffer".to_owned());
            }
        }
    }
    if skipped && !wish.drops {
        return illegal(bytes.len());
    }
    Ok(())
}

/// Writes a letter; false if the encoding lacks it.
fn encode(wish: &Wish, letter: char, out: &mut Vec<u8>) -> bool {
    if wish.to.encode(letter, out) {
        return true;
    }
    if !wish.transliterates {
        return false;
    }
    let text = transliterate::text(letter);
    let before = out.len();
    if text.chars().all(|letter| wish.to.encode(letter, out)) {
        return true;
    }
    out.truncate(before);
    wish.to.encode('?', out)
}

const USAGE: &str = "\
Usage: iconv [OPTION...] [FILE...]
Converts the encoding of text.
  -f, --from-code=NAME   the encoding of the input (UTF-8)
  -t, --to-code=NAME     that of the output; behind it //TRANSLIT for something alike, //IGNORE to leave out
  -l, --list             the encodings
  -c                     leave out what cannot be converted
  -o, --output=FILE      to FILE
";
