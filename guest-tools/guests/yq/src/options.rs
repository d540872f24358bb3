//! The command line.

use crate::format::Format;
use crate::mistake::{Mistake, Outcome};

/// What is to be done.
pub struct Options {
    pub expression: String,
    pub files: Vec<String>,
    /// `eval-all`: all documents in one go.
    pub is_together: bool,
    pub is_null_input: bool,
    pub is_in_place: bool,
    pub is_pretty: bool,
    pub is_exit_status: bool,
    pub is_nul_separated: bool,
    pub has_separators: bool,
    /// None: by the formats.
    pub unwraps: Option<bool>,
    pub indent: usize,
    pub input: Option<Format>,
    pub output: Option<Format>,
    /// An expression for the names of the files that results go to.
    pub split: Option<String>,
    pub front_matter: Option<FrontMatter>,
}

/// What is done with a head of YAML between two `---`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FrontMatter {
    /// Only it is read and written.
    Extract,
    /// It is changed, and the rest is written behind it.
    Process,
}

/// What else a command line can come to.
pub enum Stop {
    /// Text for standard output.
    Show(String),
    Mistake(Mistake),
}

impl From<Mistake> for Stop {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(mistake)
    }
}

const VERSION: &str = "yq (https://github.com/mikefarah/yq/) version v4.44.3\n";

const HELP: &str = "yq reads and changes YAML, JSON, XML, properties, CSV, TSV, INI and TOML.

Usage:
  yq [flags]
  yq [command]

Examples:
  yq '.stuff' file.yml                 a part of a file
  yq -i '.stuff = \"foo\"' file.yml      change a file in place
  yq -P -oy sample.json                JSON as YAML
  yq ea '. as $item ireduce ({}; . * $item)' a.yml b.yml

Commands:
  eval, e        apply the expression to each document of each file in turn
  eval-all, ea   load all documents of all files and apply the expression once

Flags:
  -e, --exit-status            exit status 1 if there are no matches or only null or false
      --expression string      the expression
      --from-file string       read the expression from a file
  -f, --front-matter string    (extract|process) YAML at the head of a file
  -I, --indent int             indentation (default 2)
  -i, --inplace                write the result to the first file
  -p, --input-format string    [auto|yaml|json|props|csv|tsv|xml|base64|toml|ini]
  -M, --no-colors              no colours
  -N, --no-doc                 no separators (---) between documents
  -0, --nul-output             NUL behind each result
  -n, --null-input             read nothing
  -o, --output-format string   [auto|yaml|json|props|csv|tsv|xml|base64|shell|ini]
  -P, --prettyPrint            shorthand for '... style = \"\"'
  -s, --split-exp string       write each result to a file named by this expression
      --split-exp-file string  read that expression from a file
  -r, --unwrapScalar           scalars without quotes (default true)
  -V, --version                the version
";

/// Long options that take a value and are accepted without effect, as the default is all there is.
const IGNORED_WITH_VALUE: &[&str] = &[
    "xml-attribute-prefix",
    "xml-content-name",
    "xml-directive-name",
    "xml-proc-inst-prefix",
    "lua-prefix",
    "lua-suffix",
];
/// The same without a value.
const IGNORED: &[&str] = &[
    "colors",
    "no-colors",
    "verbose",
    "header-preprocess",
    "xml-keep-namespace",
    "xml-raw-token",
    "xml-strict-mode",
    "xml-skip-comments",
    "xml-skip-directives",
    "xml-skip-proc-inst",
    "csv-auto-parse",
    "tsv-auto-parse",
    "string-interpolation",
    "yaml-output",
    "yaml-roundtrip",
    "yaml-fix-merge-anchor-to-spec",
];

impl Options {
    /// Reads the arguments after the program's name.
    pub fn parse(arguments: &[String]) -> Result<Self, Stop> {
        let mut options = Self {
            expression: String::new(),
            files: Vec::new(),
            is_together: false,
            is_null_input: false,
            is_in_place: false,
            is_pretty: false,
            is_exit_status: false,
            is_nul_separated: false,
            has_separators: true,
            unwraps: None,
            indent: 2,
            input: None,
            output: None,
            split: None,
            front_matter: None,
        };
        let mut words: Vec<String> = Vec::new();
        let mut forced = None;
        let mut from_file = None;
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            if word == "--" {
                words.extend(rest.by_ref().cloned());
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                let mut text = || {
                    value
                        .clone()
                        .or_else(|| rest.next().cloned())
                        .ok_or_else(|| Mistake::new(format!("flag needs an argument: --{name}")))
                };
                match name {
                    "expression" => forced = Some(text()?),
                    "from-file" => from_file = Some(text()?),
                    "output-format" => options.output = format(&text()?)?,
                    "input-format" => options.input = format(&text()?)?,
                    "indent" => options.indent = number(&text()?)?,
                    "split-exp" => options.split = Some(text()?),
                    "split-exp-file" => {
                        let bytes = crate::format::read_file(&text()?)?;
                        options.split = Some(String::from_utf8_lossy(&bytes).trim().to_owned());
                    }
                    "front-matter" => options.front_matter = Some(front_matter(&text()?)?),
                    name if IGNORED_WITH_VALUE.contains(&name) => {
                        text()?;
                    }
                    "help" => return Err(Stop::Show(HELP.to_owned())),
                    "version" => return Err(Stop::Show(VERSION.to_owned())),
                    _ => options.switch(name, value.as_deref())?,
                }
            } else if word.len() > 1 && word.starts_with('-') && !is_expression(word) {
                let mut letters = word.get(1..).unwrap_or_default().chars();
                while let Some(letter) = letters.next() {
                    if !"opIsf".contains(letter) {
                        let after = letters.as_str();
                        let value = after.strip_prefix('=').map(str::to_owned);
                        options.letter(letter, value.as_deref(), word)?;
                        if value.is_some() {
                            break;
                        }
                        continue;
                    }
                    let after = letters.as_str();
                    let text = if after.is_empty() {
                        rest.next().cloned().ok_or_else(|| {
                            Mistake::new(format!("flag needs an argument: '{letter}' in {word}"))
                        })?
                    } else {
                        after.strip_prefix('=').unwrap_or(after).to_owned()
                    };
                    match letter {
                        'o' => options.output = format(&text)?,
                        'p' => options.input = format(&text)?,
                        'I' => options.indent = number(&text)?,
                        's' => options.split = Some(text),
                        _ => options.front_matter = Some(front_matter(&text)?),
                    }
                    break;
                }
            } else {
                words.push(word.clone());
            }
        }
        options.take_words(words, forced, from_file)?;
        Ok(options)
    }

    fn take_words(
        &mut self,
        words: Vec<String>,
        forced: Option<String>,
        from_file: Option<String>,
    ) -> Result<(), Stop> {
        let mut words = words.into_iter().peekable();
        match words.peek().map(String::as_str) {
            Some("eval" | "e") => {
                words.next();
            }
            Some("eval-all" | "ea") => {
                self.is_together = true;
                words.next();
            }
            Some("help") => return Err(Stop::Show(HELP.to_owned())),
            _ => {}
        }
        let is_file = |word: &str| std::fs::metadata(word).is_ok_and(|metadata| !metadata.is_dir());
        if let Some(file) = from_file {
            let bytes = crate::format::read_file(&file)?;
            self.expression = String::from_utf8_lossy(&bytes).into_owned();
        } else if let Some(expression) = forced {
            self.expression = expression;
        } else if let Some(word) = words.next_if(|word| word != "-" && !is_file(word)) {
            self.expression = word;
        } else if let Some(word) = words.next_if(|word| word.ends_with(".yq")) {
            let bytes = crate::format::read_file(&word)?;
            self.expression = String::from_utf8_lossy(&bytes).into_owned();
        }
        self.files = words.collect();
        if self.is_null_input && !self.files.is_empty() {
            return Err(Mistake::new("cannot pass files in when using null-input flag").into());
        }
        if self.is_in_place && self.files.is_empty() {
            return Err(Mistake::new("write in place flag only applicable when giving an expression and at least one file").into());
        }
        if self.is_in_place && self.split.is_some() {
            return Err(Mistake::new("write in place cannot be used with split file").into());
        }
        Ok(())
    }

    fn switch(&mut self, name: &str, value: Option<&str>) -> Outcome<()> {
        let is_on = truth(value)?;
        match name {
            "inplace" => self.is_in_place = is_on,
            "null-input" => self.is_null_input = is_on,
            "no-doc" => self.has_separators = !is_on,
            "prettyPrint" => self.is_pretty = is_on,
            "exit-status" => self.is_exit_status = is_on,
            "nul-output" => self.is_nul_separated = is_on,
            "unwrapScalar" => self.unwraps = Some(is_on),
            "tojson" => self.output = Some(Format::Json),
            "yaml-output" | "yaml-roundtrip" => self.output = Some(Format::Yaml),
            name if IGNORED.contains(&name) => {}
            _ => return Err(Mistake::new(format!("unknown flag: --{name}"))),
        }
        Ok(())
    }

    fn letter(&mut self, letter: char, value: Option<&str>, word: &str) -> Result<(), Stop> {
        let name = match letter {
            'i' => "inplace",
            'n' => "null-input",
            'N' => "no-doc",
            'P' => "prettyPrint",
            'e' => "exit-status",
            '0' => "nul-output",
            'r' => "unwrapScalar",
            'j' => "tojson",
            // The other yq, a wrapper of jq, asks for YAML by these.
            'y' | 'Y' => "yaml-output",
            'C' => "colors",
            'M' => "no-colors",
            'v' => "verbose",
            'h' => return Err(Stop::Show(HELP.to_owned())),
            'V' => return Err(Stop::Show(VERSION.to_owned())),
            _ => {
                return Err(
                    Mistake::new(format!("unknown shorthand flag: '{letter}' in {word}")).into(),
                );
            }
        };
        Ok(self.switch(name, value)?)
    }
}

/// `-1` is a number to be evaluated, not options.
fn is_expression(word: &str) -> bool {
    word.get(1..)
        .is_some_and(|rest| rest.len() > 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn truth(value: Option<&str>) -> Outcome<bool> {
    match value {
        None | Some("true" | "t" | "1" | "T" | "TRUE" | "True") => Ok(true),
        Some("false" | "f" | "0" | "F" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(Mistake::new(format!(
            "invalid argument \"{other}\": strconv.ParseBool: parsing \"{other}\": invalid syntax"
        ))),
    }
}

fn number(text: &str) -> Outcome<usize> {
    text.parse().map_err(|_| {
        Mistake::new(format!("invalid argument \"{text}\" for \"-I, --indent\" flag: strconv.ParseInt: parsing \"{text}\": invalid syntax"))
    })
}

fn format(name: &str) -> Outcome<Option<Format>> {
    if matches!(name, "auto" | "a") {
        return Ok(None);
    }
    match Format::named(name) {
        Some(format) => Ok(Some(format)),
        None => Err(Mistake::new(format!(
            "unknown format '{name}' please use [yaml|json|props|csv|tsv|xml|base64|uri|toml|shell|ini]"
        ))),
    }
}

fn front_matter(name: &str) -> Outcome<FrontMatter> {
    match name {
        "extract" => Ok(FrontMatter::Extract),
        "process" => Ok(FrontMatter::Process),
        _ => Err(Mistake::new(format!(
            "front matter flag must be either process or extract, got '{name}'"
        ))),
    }
}
