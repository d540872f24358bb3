//! The command line.

use crate::input::Mode;
use crate::parse;
use crate::print::{Indent, Style};
use crate::value::{Members, Val};

/// What is to be done.
pub struct Options {
    /// The filter.
    pub filter: String,
    /// The files.
    pub files: Vec<String>,
    /// How they are read.
    pub mode: Mode,
    /// How results are written.
    pub style: Style,
    /// `-n`.
    pub is_null_input: bool,
    /// `-r`.
    pub is_raw_output: bool,
    /// `-j`: no line ends.
    pub is_joined: bool,
    /// `--raw-output0`: NUL in place of line ends.
    pub is_nul_ended: bool,
    /// `-e`.
    pub is_exit_status: bool,
    /// Named arguments.
    pub named: Members,
    /// `--args` and `--jsonargs`.
    pub positional: Vec<Val>,
}

/// What else a command line can come to.
pub enum Stop {
    /// Text for standard output.
    Show(String),
    /// A mistake: the message.
    Mistake(String),
}

/// The help of `-h`.
const HELP: &str = "Usage:\tjq [options] <jq filter> [file...]
\tjq [options] --args <jq filter> [strings...]
\tjq [options] --jsonargs <jq filter> [JSON_TEXTS...]

  -n  null as input          -r  raw strings          -j  raw, without line ends
  -a  ASCII only             -c  compact              -C  colors      -M  no colors
  -S  sorted keys            -s  all inputs in one array
  -R  lines as inputs        -e  exit status by the last output
  -f FILE  filter from a file
  --tab  --indent N  --seq  --stream
  --arg NAME VALUE  --argjson NAME JSON  --slurpfile NAME FILE  --rawfile NAME FILE
  --args  --jsonargs
";

/// Where words that are no options go.
#[derive(Clone, Copy)]
enum Rest {
    Files,
    Texts,
    Values,
}

fn read(name: &str, file: &str) -> Result<Vec<u8>, Stop> {
    std::fs::read(file).map_err(|error| {
        Stop::Mistake(format!(
            "jq: Bad JSON in --{name} {file}: Could not open {file}: {}\n",
            process::Errno::from(&error).words()
        ))
    })
}

/// A filter may begin with `-` too, as `-1`.
fn is_option(word: &str) -> bool {
    let mut characters = word.chars();
    characters.next() == Some('-')
        && characters
            .next()
            .is_some_and(|second| second == '-' || second.is_ascii_alphabetic())
}

impl Options {
    /// Reads the arguments after the program's name.
    pub fn parse(arguments: &[String]) -> Result<Self, Stop> {
        let mut options = Self {
            filter: String::new(),
            files: Vec::new(),
            mode: Mode::default(),
            style: Style {
                indent: Some(Indent::Spaces(2)),
                ..Style::COMPACT
            },
            is_null_input: false,
            is_raw_output: false,
            is_joined: false,
            is_nul_ended: false,
            is_exit_status: false,
            named: Members::new(),
            positional: Vec::new(),
        };
        let mut words = Vec::new();
        let mut is_file = false;
        let mut rest = Rest::Files;
        let mut filter = None;
        let mut arguments = arguments.iter();
        let mut has_ended = false;
        while let Some(word) = arguments.next() {
            if has_ended || !is_option(word) {
                match rest {
                    _ if filter.is_none() => filter = Some(word.clone()),
                    Rest::Files => words.push(word.clone()),
                    Rest::Texts => options.positional.push(Val::text(word)),
                    Rest::Values => {
                        options
                            .positional
                            .push(parse::whole(word.as_bytes()).map_err(|_| {
                                Stop::Mistake(
                                    "jq: invalid JSON text passed to --jsonargs\n".to_owned(),
                                )
                            })?)
                    }
                }
                continue;
            }
            if word == "--" {
                has_ended = true;
                continue;
            }
            let mut take = |count: &str, example: &str| {
                arguments.next().cloned().ok_or_else(|| {
                    Stop::Mistake(format!(
                        "jq: {word} takes {count} (e.g. {word} {example})\n"
                    ))
                })
            };
            match word.strip_prefix("--") {
                None => {
                    for letter in word.chars().skip(1) {
                        if letter == 'f' {
                            is_file = true;
                        } else if !options.short(letter)? {
                            return Err(Stop::Mistake(format!("jq: Unknown option {word}\n")));
                        }
                    }
                }
                Some("arg") => {
                    let name = take("two parameters", "varname value")?;
                    let value = take("two parameters", "varname value")?;
                    options.define(&name, Val::text(&value));
                }
                Some("argjson") => {
                    let name = take("two parameters", "varname text")?;
                    let text = take("two parameters", "varname text")?;
                    let value = parse::whole(text.as_bytes()).map_err(|_| {
                        Stop::Mistake("jq: invalid JSON text passed to --argjson\n".to_owned())
                    })?;
                    options.define(&name, value);
                }
                Some(kind @ ("slurpfile" | "rawfile" | "argfile")) => {
                    let name = take("two parameters", "varname filename")?;
                    let file = take("two parameters", "varname filename")?;
                    let bytes = read(kind, &file)?;
                    let value = if kind == "rawfile" {
                        Val::text(&String::from_utf8_lossy(&bytes))
                    } else {
                        let mut all = parse::many(&bytes).map_err(|error| {
                            Stop::Mistake(format!(
                                "jq: Bad JSON in --{kind} {name} {file}: {error}\n"
                            ))
                        })?;
                        // Of one value alone, `--argfile` takes that.
                        match all.pop() {
                            Some(only) if kind == "argfile" && all.is_empty() => only,
                            last => {
                                all.extend(last);
                                Val::array(all)
                            }
                        }
                    };
                    options.define(&name, value);
                }
                Some("indent") => {
                    let width = take("one parameter", "2")?;
                    options.style.indent = match width.parse::<i64>().unwrap_or(0) {
                        -1 => Some(Indent::Tab),
                        0 => None,
                        width @ 1..=7 => Some(Indent::Spaces(width as usize)),
                        8.. => {
                            return Err(Stop::Mistake(
                                "jq: Cannot indent more than 7 characters\n".to_owned(),
                            ));
                        }
                        _ => {
                            return Err(Stop::Mistake(
                                "jq: Cannot indent less than -1 characters\n".to_owned(),
                            ));
                        }
                    };
                }
                Some("args") => rest = Rest::Texts,
                Some("jsonargs") => rest = Rest::Values,
                Some("from-file") => is_file = true,
                Some(name) => options.long(word, name)?,
            }
        }
        let filter = filter.unwrap_or_else(|| ".".to_owned());
        options.filter = if is_file {
            let bytes = std::fs::read(&filter).map_err(|error| {
                Stop::Mistake(format!(
                    "jq: error: Could not open {filter}: {}\n",
                    process::Errno::from(&error).words()
                ))
            })?;
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            filter
        };
        options.files = words;
        Ok(options)
    }

    fn define(&mut self, name: &str, value: Val) {
        self.named.entry(name.into()).or_insert(value);
    }

    fn short(&mut self, letter: char) -> Result<bool, Stop> {
        match letter {
            'n' => self.is_null_input = true,
            'r' => self.is_raw_output = true,
            'j' => (self.is_raw_output, self.is_joined) = (true, true),
            'a' => self.style.is_ascii = true,
            'c' => self.style.indent = None,
            'C' => self.style.is_colored = true,
            'M' => self.style.is_colored = false,
            'S' => self.style.is_sorted = true,
            's' => self.mode.is_slurped = true,
            'R' => self.mode.is_raw = true,
            'e' => self.is_exit_status = true,
            'b' => {}
            'h' => return Err(Stop::Show(HELP.to_owned())),
            'V' => return Err(Stop::Show("jq-1.6\n".to_owned())),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn long(&mut self, word: &str, name: &str) -> Result<(), Stop> {
        let letter = match name {
            "null-input" => 'n',
            "raw-output" => 'r',
            "join-output" => 'j',
            "ascii-output" => 'a',
            "compact-output" => 'c',
            "color-output" => 'C',
            "monochrome-output" => 'M',
            "sort-keys" => 'S',
            "slurp" => 's',
            "raw-input" => 'R',
            "exit-status" => 'e',
            "help" => 'h',
            "version" => 'V',
            "tab" => {
                self.style.indent = Some(Indent::Tab);
                return Ok(());
            }
            "seq" => {
                self.mode.is_sequence = true;
                return Ok(());
            }
            "stream" => {
                self.mode.is_streamed = true;
                return Ok(());
            }
            "raw-output0" => {
                (self.is_raw_output, self.is_nul_ended) = (true, true);
                return Ok(());
            }
            "unbuffered" | "binary" => return Ok(()),
            _ => return Err(Stop::Mistake(format!("jq: Unknown option {word}\n"))),
        };
        self.short(letter).map(|_| ())
    }
}
