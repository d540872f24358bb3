//! cmp: two streams byte by byte, in bounded memory.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use gnu_options::{Item, Long, Options, Takes, parse};

const LONG: &[Long] = &[
    ("verbose", Takes::Nothing, 'l'),
    ("print-chars", Takes::Nothing, 'b'),
    ("print-bytes", Takes::Nothing, 'b'),
    ("quiet", Takes::Nothing, 's'),
    ("silent", Takes::Nothing, 's'),
    ("bytes", Takes::Argument, 'n'),
    ("ignore-initial", Takes::Argument, 'i'),
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'v'),
];

#[derive(Default)]
struct Request {
    verbose: bool,
    print: bool,
    silent: bool,
    limit: Option<u64>,
    skip: [u64; 2],
}

/// Runs cmp.
pub(crate) fn run(words: &[String]) -> u8 {
    match try_run(words) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("cmp: {error}");
            2
        }
    }
}

const HINT: &str = "\ncmp: Try 'cmp --help' for more information.";

fn number(text: &str, option: &str) -> Result<u64, String> {
    parse_number(text).ok_or_else(|| format!("invalid {option} value '{text}'{HINT}"))
}

fn parse_number(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits).unwrap_or("") {
        "" => 1,
        "kB" => 1000,
        "k" | "K" => 1024,
        "MB" => 1_000_000,
        "M" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn try_run(words: &[String]) -> Result<u8, String> {
    let (items, error) = parse(
        &Options {
            short: "bci:ln:sv",
            long: LONG,
        },
        words,
    );
    if let Some(error) = error {
        return Err(format!("{error}{HINT}"));
    }
    let mut request = Request::default();
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option('l', ..) => request.verbose = true,
            Item::Option('b' | 'c', ..) => request.print = true,
            Item::Option('s', ..) => request.silent = true,
            Item::Option('h', ..) => {
                println!(
                    "Usage: cmp [OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]\nCompares two files byte by byte.\n\n  \
                     -b -i SKIP[:SKIP2] -l -n LIMIT -s"
                );
                return Ok(0);
            }
            Item::Option('v', ..) => {
                println!("cmp (GNU diffutils) 3.8");
                return Ok(0);
            }
            Item::Option('n', text, _) => {
                request.limit = Some(number(&text.unwrap_or_default(), "--bytes")?)
            }
            Item::Option(_, text, _) => {
                let text = text.unwrap_or_default();
                let (first, second) = text.split_once(':').unwrap_or((&text, &text));
                let option = "--ignore-initial";
                request.skip = [number(first, option)?, number(second, option)?];
            }
        }
    }
    if request.verbose && request.silent {
        return Err(format!("options -l and -s are incompatible{HINT}"));
    }
    if operands.len() > 4 {
        return Err(format!(
            "extra operand '{}'{HINT}",
            operands.get(4).map_or("", String::as_str)
        ));
    }
    let mut operands = operands.into_iter();
    let first = operands
        .next()
        .ok_or_else(|| format!("missing operand after 'cmp'{HINT}"))?;
    let second = operands.next().unwrap_or_else(|| "-".to_owned());
    for (skip, text) in request.skip.iter_mut().zip(operands) {
        *skip = number(&text, "SKIP")?;
    }
    let [first_skip, second_skip] = request.skip;
    let mut sources = Vec::new();
    for (name, skip) in [(&first, first_skip), (&second, second_skip)] {
        match open(name, skip) {
            Ok(source) => sources.push(source),
            Err(_) if request.silent => return Ok(2),
            Err(error) => return Err(format!("{name}: {}", process::message(&error))),
        }
    }
    let mut sources = sources.into_iter();
    let (Some(one), Some(other)) = (sources.next(), sources.next()) else {
        return Ok(2);
    };
    let names = [first.as_str(), second.as_str()];
    compare(&request, names, one, other).map_err(|error| process::message(&error))
}

fn open(path: &str, skip: u64) -> io::Result<BufReader<Box<dyn Read>>> {
    let source: Box<dyn Read> = if path == "-" {
        Box::new(io::stdin())
    } else {
        let file = std::fs::File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(process::Errno::IsDirectory.into());
        }
        Box::new(file)
    };
    let mut reader = BufReader::with_capacity(65_536, source);
    io::copy(&mut reader.by_ref().take(skip), &mut io::sink())?;
    Ok(reader)
}

/// Shows a byte as cat -v does.
fn visible(byte: u8) -> String {
    let mut text = String::new();
    let mut rest = byte;
    if rest >= 128 {
        text.push_str("M-");
        rest -= 128;
    }
    match rest {
        0..32 => {
            text.push('^');
            text.push(char::from(rest + 64));
        }
        127 => text.push_str("^?"),
        _ => text.push(char::from(rest)),
    }
    text
}

fn compare(
    request: &Request,
    names: [&str; 2],
    mut one: impl BufRead,
    mut other: impl BufRead,
) -> io::Result<u8> {
    let mut out = BufWriter::with_capacity(65_536, io::stdout().lock());
    let [first, second] = names;
    let (mut at, mut lines, mut status) = (0_u64, 0_usize, 0);
    let sizes = names.iter().zip(request.skip).filter_map(|(name, skip)| {
        let stat = process::stat(name, true).ok()?;
        (stat.kind == process::Kind::Regular).then(|| stat.size.saturating_sub(skip))
    });
    // Positions are as wide as the last one can be.
    let bound = sizes.chain(request.limit).min().unwrap_or(i64::MAX as u64);
    let width = bound.to_string().len();
    let mut left = request.limit.unwrap_or(u64::MAX);
    let mut last = b'\n';
    while left > 0 {
        let (left_bytes, right_bytes) = (one.fill_buf()?, other.fill_buf()?);
        let length = left_bytes
            .len()
            .min(right_bytes.len())
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        if length == 0 {
            if left_bytes.len() != right_bytes.len() {
                out.flush()?;
                status = 1;
                if !request.silent {
                    let short = if left_bytes.is_empty() { first } else { second };
                    end_of_file(short, at, lines, last, request);
                }
            }
            break;
        }
        let chunk = left_bytes.get(..length).unwrap_or_default();
        let against = right_bytes.get(..length).unwrap_or_default();
        if chunk != against || request.silent {
            for (place, (byte, wanted)) in chunk
                .iter()
                .zip(against)
                .enumerate()
                .filter(|(_, (a, b))| a != b)
            {
                if request.silent {
                    return Ok(1);
                }
                let position = at + place as u64 + 1;
                if request.verbose {
                    status = 1;
                    if request.print {
                        writeln!(
                            out,
                            "{position:>width$} {byte:>3o} {:<4} {wanted:>3o} {}",
                            visible(*byte),
                            visible(*wanted)
                        )?;
                    } else {
                        writeln!(out, "{position:>width$} {byte:>3o} {wanted:>3o}")?;
                    }
                    continue;
                }
                let before = chunk.get(..place).unwrap_or_default();
                let line = lines + memchr::memchr_iter(b'\n', before).count() + 1;
                if request.print {
                    writeln!(
                        out,
                        "{first} {second} differ: byte {position}, line {line} is {byte:>3o} {} {wanted:>3o} {}",
                        visible(*byte),
                        visible(*wanted)
                    )?;
                } else {
                    writeln!(out, "{first} {second} differ: byte {position}, line {line}")?;
                }
                out.flush()?;
                return Ok(1);
            }
        }
        lines += memchr::memchr_iter(b'\n', chunk).count();
        last = chunk.last().copied().unwrap_or(last);
        at += length as u64;
        left -= length as u64;
        one.consume(length);
        other.consume(length);
    }
    out.flush()?;
    Ok(status)
}

fn end_of_file(name: &str, at: u64, lines: usize, last: u8, request: &Request) {
    if at == 0 {
        eprintln!("cmp: EOF on {name} which is empty");
    } else if request.verbose {
        eprintln!("cmp: EOF on {name} after byte {at}");
    } else if last == b'\n' {
        eprintln!("cmp: EOF on {name} after byte {at}, line {lines}");
    } else {
        eprintln!("cmp: EOF on {name} after byte {at}, in line {}", lines + 1);
    }
}
