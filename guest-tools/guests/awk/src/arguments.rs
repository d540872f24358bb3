//! The command line.

use std::rc::Rc;

use crate::Error;
use crate::lexer::Source;

/// What is to be run.
pub struct Invocation {
    /// Program texts, in order.
    pub sources: Vec<Source>,
    /// `-v` and `-F`, in order.
    pub assignments: Vec<(String, Vec<u8>)>,
    /// Files and assignments.
    pub operands: Vec<String>,
}

/// What the command line asks for.
pub enum Parsed {
    /// A run.
    Run(Box<Invocation>),
    /// A text on standard output.
    Show(String),
    /// How to call it, on standard error.
    Usage(String),
    /// An error.
    Wrong(Error),
}

/// Options with an argument: letter and long name.
const WITH_ARGUMENT: &[(char, &str)] = &[
    ('f', "file"),
    ('F', "field-separator"),
    ('v', "assign"),
    ('e', "source"),
    ('E', "exec"),
    ('i', "include"),
    ('l', "load"),
    ('W', ""),
];

/// Options that change nothing here.
const IGNORED: &[(char, &str)] = &[
    ('b', "characters-as-bytes"),
    ('c', "traditional"),
    ('g', "gen-pot"),
    ('L', "lint"),
    ('N', "use-lc-numeric"),
    ('n', "non-decimal-data"),
    ('O', "optimize"),
    ('P', "posix"),
    ('r', "re-interval"),
    ('s', "no-optimize"),
    ('S', "sandbox"),
    ('t', "lint-old"),
];

fn usage(name: &str) -> String {
    format!(
        "Usage: {name} [POSIX or GNU style options] -f progfile [--] file ...\n\
         Usage: {name} [POSIX or GNU style options] [--] 'program' file ...\n\
         POSIX options:\t\tGNU long options: (standard)\n\
         \t-f progfile\t\t--file=progfile\n\
         \t-F fs\t\t\t--field-separator=fs\n\
         \t-v var=val\t\t--assign=var=val\n\
         Short options:\t\tGNU long options: (extensions)\n\
         \t-e 'program-text'\t--source='program-text'\n\
         \t-E file\t\t\t--exec=file\n\
         \t-h\t\t\t--help\n\
         \t-i includefile\t\t--include=includefile\n\
         \t-V\t\t\t--version\n"
    )
}

/// Parses the arguments behind the name.
pub fn parse(arguments: &[String], name: &str) -> Parsed {
    let mut invocation = Invocation {
        sources: Vec::new(),
        assignments: Vec::new(),
        operands: Vec::new(),
    };
    let mut rest = arguments.iter();
    let mut operands: Vec<String> = Vec::new();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            operands.extend(rest.by_ref().cloned());
            break;
        }
        if argument == "-" || !argument.starts_with('-') {
            operands.push(argument.clone());
            operands.extend(rest.by_ref().cloned());
            break;
        }
        let mut is_last = false;
        let outcome = match argument.strip_prefix("--") {
            Some(long) => long_option(long, &mut rest, &mut invocation, name),
            None => short_options(argument, &mut rest, &mut invocation, name, &mut is_last),
        };
        if let Some(parsed) = outcome {
            return parsed;
        }
        if is_last {
            operands.extend(rest.by_ref().cloned());
        }
    }
    if invocation.sources.is_empty() {
        if operands.is_empty() {
            return Parsed::Usage(usage(name));
        }
        invocation
            .sources
            .push(source("cmd. line", operands.remove(0).into_bytes()));
    }
    invocation.operands = operands;
    Parsed::Run(Box::new(invocation))
}

fn source(name: &str, text: Vec<u8>) -> Source {
    Source {
        name: name.to_owned(),
        text: Rc::from(text),
    }
}

fn long_option<'a>(
    option: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    invocation: &mut Invocation,
    name: &str,
) -> Option<Parsed> {
    let (option, value) = match option.split_once('=') {
        Some((option, value)) => (option, Some(value.to_owned())),
        None => (option, None),
    };
    match option {
        "version" => {
            return Some(Parsed::Show(
                "GNU Awk 5.2.1 (compatible; Sinew)\n".to_owned(),
            ));
        }
        "help" => return Some(Parsed::Show(usage(name))),
        _ => {}
    }
    if IGNORED.iter().any(|known| known.1 == option) {
        return None;
    }
    let Some((letter, _)) = WITH_ARGUMENT
        .iter()
        .find(|known| known.1 == option && !option.is_empty())
    else {
        return Some(Parsed::Usage(format!(
            "{name}: unrecognized option '--{option}'\n{}",
            usage(name)
        )));
    };
    match value.or_else(|| rest.next().cloned()) {
        Some(value) => take(*letter, &value, invocation),
        None => Some(Parsed::Usage(format!(
            "{name}: option '--{option}' requires an argument\n{}",
            usage(name)
        ))),
    }
}

fn short_options<'a>(
    argument: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    invocation: &mut Invocation,
    name: &str,
    is_last: &mut bool,
) -> Option<Parsed> {
    let mut letters = argument.chars();
    letters.next();
    while let Some(letter) = letters.next() {
        match letter {
            'V' => {
                return Some(Parsed::Show(
                    "GNU Awk 5.2.1 (compatible; Sinew)\n".to_owned(),
                ));
            }
            'h' => return Some(Parsed::Show(usage(name))),
            // An optional argument, directly behind it.
            'L' => return None,
            letter if IGNORED.iter().any(|known| known.0 == letter) => {}
            letter if WITH_ARGUMENT.iter().any(|known| known.0 == letter) => {
                let attached = letters.as_str();
                let value = if attached.is_empty() {
                    rest.next().cloned()
                } else {
                    Some(attached.to_owned())
                };
                *is_last = letter == 'E';
                return match value {
                    Some(value) => take(letter, &value, invocation),
                    None => Some(Parsed::Usage(format!(
                        "{name}: option requires an argument -- {letter}\n{}",
                        usage(name)
                    ))),
                };
            }
            letter => {
                return Some(Parsed::Usage(format!(
                    "{name}: invalid option -- '{letter}'\n{}",
                    usage(name)
                )));
            }
        }
    }
    None
}

/// Carries out an option with its argument; an answer only if parsing ends here.
fn take(letter: char, value: &str, invocation: &mut Invocation) -> Option<Parsed> {
    match letter {
        'f' | 'E' | 'i' => {
            let text = if value == "-" || value == "/dev/stdin" {
                let mut text = Vec::new();
                std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text).map(|_| text)
            } else {
                std::fs::read(value)
            };
            match text {
                Ok(text) => invocation.sources.push(source(value, text)),
                Err(error) if letter == 'i' => {
                    let reason = crate::streams::reason(&error);
                    let what =
                        format!("fatal: cannot open source file `{value}' for reading: {reason}");
                    return Some(Parsed::Wrong(Error::fatal(what)));
                }
                Err(error) => {
                    let reason = crate::streams::reason(&error);
                    let what =
                        format!("fatal: cannot open source file `{value}' for reading: {reason}");
                    return Some(Parsed::Wrong(Error::fatal(what)));
                }
            }
        }
        'e' => invocation
            .sources
            .push(source("cmd. line", value.as_bytes().to_vec())),
        'F' => {
            // As gawk: `-Ft` is the letter; only its compatibility mode takes it for a tab.
            invocation
                .assignments
                .push(("FS".to_owned(), value.as_bytes().to_vec()));
        }
        'v' => match crate::machine::assignment(value.as_bytes()) {
            Some((name, text)) => invocation
                .assignments
                .push((name.to_owned(), text.to_vec())),
            None => {
                let what = format!("fatal: `{value}' argument to `-v' not in `var=value' form");
                return Some(Parsed::Wrong(Error::fatal(what)));
            }
        },
        'l' => {
            let what = format!(
                "fatal: load_ext: cannot open library `{value}': extensions are not supported"
            );
            return Some(Parsed::Wrong(Error::fatal(what)));
        }
        _ => {}
    }
    None
}
