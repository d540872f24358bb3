//! `yq`: mikefarah's, version 4. Reads YAML and other formats, changes them by expressions, writes them; in YAML,
//! comments, the order of keys, styles, anchors and tags stay as they are.
//!
//! The language looks like jq's and is another: results are places in the document, so that comments, keys and parents
//! can be asked for and set, operators bind in their own order, and there are no functions to define. So it is not
//! run by the crate `jq`. Deliberately absent: colours, Lua, writing TOML, `system`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may fail"
    )
)]

mod arithmetic;
mod assign;
mod base64;
mod comments;
mod dates;
mod entries;
mod evaluate;
mod format;
mod functions;
mod groups;
mod ini;
mod json;
mod lexer;
mod merge;
mod mistake;
mod node;
mod options;
mod output;
mod parser;
mod path;
mod properties;
mod scalar;
mod shell;
mod syntax;
mod table;
mod texts;
mod toml;
mod xml;
mod yaml_read;
mod yaml_scalar;
mod yaml_write;

use std::io::Read as _;
use std::rc::Rc;

use evaluate::{Machine, Scope};
use format::Format;
use mistake::{Mistake, Outcome};
use node::Origin;
use options::{FrontMatter, Options, Stop};
use output::Output;
use syntax::Expression;

/// Runs `yq`. Returns the exit status.
pub fn run(arguments: &[String]) -> u8 {
    let options = match Options::parse(arguments.get(1..).unwrap_or_default()) {
        Ok(options) => options,
        Err(Stop::Show(text)) => {
            print!("{text}");
            return 0;
        }
        Err(Stop::Mistake(mistake)) => {
            eprintln!("Error: {mistake}");
            return 1;
        }
    };
    match work(&options) {
        Ok(()) => 0,
        Err(mistake) => {
            eprintln!("Error: {mistake}");
            1
        }
    }
}

fn work(options: &Options) -> Outcome<()> {
    let expression = parser::parse(&options.expression)?;
    let guessed = options.files.first().and_then(|file| Format::of_file(file));
    let input = options.input.or(guessed).unwrap_or(Format::Yaml);
    let output = options.output.unwrap_or(match options.input {
        None => guessed.unwrap_or(Format::Yaml),
        Some(_) => Format::Yaml,
    });
    let mut output = Output::new(options, output)?;
    let outcome = evaluate_all(options, &expression, input, &mut output);
    // What was found before the mistake is shown, but a file stays as it was.
    if let Err(mistake) = outcome {
        if !options.is_in_place {
            output.finish(None)?;
        }
        return Err(mistake);
    }
    let has_truth = output.has_truth;
    output.finish(
        options
            .files
            .first()
            .filter(|_| options.is_in_place)
            .map(String::as_str),
    )?;
    if options.is_exit_status && !has_truth {
        return Err(Mistake::new("no matches found"));
    }
    Ok(())
}

fn evaluate_all(
    options: &Options,
    expression: &Expression,
    input: Format,
    output: &mut Output,
) -> Outcome<()> {
    if options.is_null_input {
        return on_nothing(expression, output);
    }
    let standard = ["-".to_owned()];
    let files = if options.files.is_empty() {
        &standard
    } else {
        options.files.as_slice()
    };
    let mut together = Machine::default();
    let mut roots = Vec::new();
    let mut count = 0;
    for (number, file) in files.iter().enumerate() {
        let (bytes, rest) = read(options, file)?;
        let origin = Rc::new(Origin {
            file: file.clone(),
            file_index: number,
        });
        let bad = |mistake: Mistake| Mistake::new(format!("bad file '{file}': {mistake}"));
        if options.is_together {
            roots.extend(
                format::documents(&mut together.tree, input, &bytes, &origin).map_err(bad)?,
            );
        } else if input == Format::Yaml {
            // One document at a time.
            let mut reader =
                yaml_read::Reader::new(format::as_text(&bytes).map_err(bad)?, &origin, 0);
            loop {
                let mut machine = Machine::default();
                let Some(root) = reader.next(&mut machine.tree).map_err(bad)? else {
                    break;
                };
                count += 1;
                let results = machine.evaluate(expression, &[root], &Scope::default())?;
                output.print(&mut machine, &results)?;
            }
        } else {
            let mut machine = Machine::default();
            for root in format::documents(&mut machine.tree, input, &bytes, &origin).map_err(bad)? {
                count += 1;
                let results = machine.evaluate(expression, &[root], &Scope::default())?;
                output.print(&mut machine, &results)?;
            }
        }
        output.keep(rest);
    }
    if !options.is_together {
        return if count == 0 {
            on_nothing(expression, output)
        } else {
            Ok(())
        };
    }
    if roots.is_empty() {
        return on_nothing(expression, output);
    }
    let scope = Scope {
        is_together: true,
        ..Scope::default()
    };
    let results = together.evaluate(expression, &roots, &scope)?;
    output.print(&mut together, &results)
}

fn on_nothing(expression: &Expression, output: &mut Output) -> Outcome<()> {
    let mut machine = Machine::default();
    let root = machine.tree.scalar("!!null", "");
    let results = machine.evaluate(expression, &[root], &Scope::default())?;
    output.print(&mut machine, &results)
}

/// Returns what of a file is to be evaluated, and what is to be written behind it.
fn read(options: &Options, file: &str) -> Outcome<(Vec<u8>, Vec<u8>)> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(|error| {
            Mistake::new(format!("read -: {}", process::Errno::from(&error).words()))
        })?;
        bytes
    } else {
        format::read_file(file)?
    };
    let Some(kind) = options.front_matter else {
        return Ok((bytes, Vec::new()));
    };
    let mut end = 0;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if number > 0 && line.starts_with(b"---") {
            break;
        }
        end += line.len();
    }
    let (head, rest) = bytes.split_at(end.min(bytes.len()));
    let rest = if kind == FrontMatter::Process {
        rest.to_vec()
    } else {
        Vec::new()
    };
    Ok((head.to_vec(), rest))
}

#[cfg(test)]
mod tests {
    #[test]
    fn programs_are_listed() {
        assert_eq!(include_str!("../programs"), "yq\n");
    }
}
