//! `jq`: the command line, the values, numbers, messages and exit statuses of jq 1.6.
//!
//! The language is compiled and run by jaq. Deliberately absent: modules (`import`, `include`, `-L`), `?//`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail"))]

mod access;
mod compile;
mod functions;
mod input;
mod moment;
mod options;
mod parse;
mod pattern;
mod print;
mod value;

use std::cell::RefCell;
use std::io::{self, Write};

use jaq_core::{Ctx, Filter, Vars};
use jaq_std::input::RcIter;

use functions::{Data, Kind};
use input::Source;
use options::{Options, Stop};
use value::{Members, Val};

const WRITE_BYTES: usize = 64 * 1024;

/// Runs `jq`. Returns the exit status.
pub fn run(arguments: &[String]) -> u8 {
    let options = match Options::parse(arguments.get(1..).unwrap_or_default()) {
        Ok(options) => options,
        Err(Stop::Show(text)) => {
            print!("{text}");
            return 0;
        }
        Err(Stop::Mistake(message)) => {
            eprint!(
                "{message}Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq\n"
            );
            return 2;
        }
    };
    let (names, values) = variables(&options);
    match compile::compile(&options.filter, &names) {
        Ok(filter) => filter_all(options, &filter, values),
        Err(message) => {
            eprint!("{message}");
            3
        }
    }
}

fn variables(options: &Options) -> (Vec<String>, Vec<Val>) {
    let environment: Members = std::env::vars_os()
        .map(|(name, value)| {
            let text = value.to_string_lossy();
            (name.to_string_lossy().into(), Val::text(&text))
        })
        .collect();
    let mut arguments = Members::new();
    arguments.insert("positional".into(), Val::array(options.positional.clone()));
    arguments.insert("named".into(), Val::object(options.named.clone()));
    let mut location = Members::new();
    location.insert("file".into(), Val::text("<top-level>"));
    location.insert("line".into(), Val::Num(1.0));
    let mut all = vec![
        ("$ENV".to_owned(), Val::object(environment)),
        ("$ARGS".to_owned(), Val::object(arguments)),
        ("$__loc__".to_owned(), Val::object(location)),
    ];
    all.extend(
        options
            .named
            .iter()
            .map(|(name, value)| (format!("${name}"), value.clone())),
    );
    all.into_iter().unzip()
}

/// Results on their way out.
struct Output {
    text: String,
    failed: bool,
}

impl Output {
    fn flush(&mut self) {
        let mut stdout = io::stdout().lock();
        let outcome = stdout
            .write_all(self.text.as_bytes())
            .and_then(|()| stdout.flush());
        self.text.clear();
        if let Err(error) = outcome {
            if error.kind() == io::ErrorKind::BrokenPipe {
                process::exit(141);
            }
            if !self.failed {
                eprintln!(
                    "jq: error: writing output failed: {}",
                    process::Errno::from(&error).words()
                );
            }
            self.failed = true;
        }
    }

    fn value(&mut self, value: &Val, options: &Options) {
        if options.mode.is_sequence {
            self.text.push('\u{1e}');
        }
        match value {
            Val::Str(text) if options.is_raw_output && !options.style.is_ascii => {
                self.text.push_str(text)
            }
            value => print::write(&mut self.text, value, &options.style, 0),
        }
        if options.is_nul_ended {
            self.text.push('\0');
        } else if !options.is_joined {
            self.text.push('\n');
        }
        if self.text.len() >= WRITE_BYTES {
            self.flush();
        }
    }
}

fn filter_all(mut options: Options, filter: &Filter<Kind>, values: Vec<Val>) -> u8 {
    let source = RefCell::new(Source::new(
        std::mem::take(&mut options.files),
        options.mode,
    ));
    // The borrow ends before a filter runs, which may ask the source where it stands.
    let next = || {
        source
            .try_borrow_mut()
            .ok()
            .and_then(|mut source| source.next())
    };
    let inputs =
        RcIter::new(Box::new(std::iter::from_fn(next)) as Box<dyn Iterator<Item = _> + '_>);
    let data = Data {
        lut: &filter.lut,
        inputs: &inputs,
        source: &source,
    };
    let context = Ctx::<Kind>::new(&data, Vars::new(values));
    let mut output = Output {
        text: String::new(),
        failed: false,
    };
    let mut status = 0;
    let mut last = None;
    let mut is_first = true;
    loop {
        let input = if options.is_null_input {
            if !is_first {
                break;
            }
            Val::Null
        } else {
            match next() {
                None => break,
                Some(Ok(value)) => value,
                Some(Err(message)) => {
                    // jq's own output is buffered beyond its messages; scripts that join both see this order.
                    eprintln!("parse error: {message}");
                    output.flush();
                    return 4;
                }
            }
        };
        is_first = false;
        status = 0;
        for result in filter.id.run((context.clone(), input)) {
            match result {
                Ok(value) => {
                    output.value(&value, &options);
                    if options.is_exit_status {
                        last = Some(!matches!(value, Val::Null | Val::Bool(false)));
                    }
                }
                Err(exception) => {
                    output.flush();
                    match exception.get_err() {
                        Ok(error) => {
                            report(error.into_val(), &source.borrow().position());
                            status = 5;
                        }
                        Err(exception) => {
                            return exception
                                .get_halt()
                                .map_or(5, |code| code.rem_euclid(256) as u8);
                        }
                    }
                    break;
                }
            }
        }
    }
    output.flush();
    let has_failed = source.borrow().has_failed || output.failed;
    match last {
        _ if has_failed => 2,
        _ if status != 0 => status,
        Some(true) => 0,
        Some(false) => 1,
        None if options.is_exit_status => 4,
        None => 0,
    }
}

fn report(error: Val, position: &str) {
    match error {
        Val::Str(text) => eprintln!("jq: error (at {position}): {text}"),
        value => eprintln!("jq: error (at {position}) (not a string): {value}"),
    }
}
