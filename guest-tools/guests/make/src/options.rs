//! The command line and `MAKEFLAGS`.

use gnu_options::{Item, Long, Options as Known, Takes, parse};

/// What make was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) always_make: bool,
    pub(crate) debug: bool,
    pub(crate) environment_overrides: bool,
    pub(crate) ignore_errors: bool,
    pub(crate) keep_going: bool,
    pub(crate) dry_run: bool,
    pub(crate) print_database: bool,
    pub(crate) question: bool,
    pub(crate) no_rules: bool,
    pub(crate) no_variables: bool,
    pub(crate) silent: bool,
    pub(crate) touch: bool,
    pub(crate) trace: bool,
    pub(crate) warn_undefined: bool,
    /// Whether the directory is said, if that was asked.
    pub(crate) says_directory: Option<bool>,
    /// Commands at a time; none for any number.
    pub(crate) jobs: Option<usize>,
    pub(crate) jobs_given: bool,
    pub(crate) load: Option<String>,
    pub(crate) directories: Vec<String>,
    pub(crate) makefiles: Vec<String>,
    pub(crate) include: Vec<String>,
    pub(crate) old: Vec<String>,
    pub(crate) new: Vec<String>,
    pub(crate) eval: Vec<String>,
    pub(crate) output_sync: Option<String>,
    /// Definitions of variables.
    pub(crate) definitions: Vec<String>,
    pub(crate) goals: Vec<String>,
    /// Recipes run as one script.
    pub(crate) one_shell: bool,
    pub(crate) show: Option<Show>,
}

/// A text about make itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Help,
    Version,
}

const LONG: &[Long] = &[
    ("always-make", Takes::Nothing, 'B'),
    ("assume-new", Takes::Argument, 'W'),
    ("assume-old", Takes::Argument, 'o'),
    ("check-symlink-times", Takes::Nothing, 'L'),
    ("debug", Takes::Optional, 'Α'),
    ("directory", Takes::Argument, 'C'),
    ("dry-run", Takes::Nothing, 'n'),
    ("environment-overrides", Takes::Nothing, 'e'),
    ("eval", Takes::Argument, 'E'),
    ("file", Takes::Argument, 'f'),
    ("help", Takes::Nothing, 'h'),
    ("ignore-errors", Takes::Nothing, 'i'),
    ("include-dir", Takes::Argument, 'I'),
    ("jobs", Takes::Optional, 'j'),
    ("jobserver-auth", Takes::Argument, 'Β'),
    ("jobserver-fds", Takes::Argument, 'Β'),
    ("just-print", Takes::Nothing, 'n'),
    ("keep-going", Takes::Nothing, 'k'),
    ("load-average", Takes::Optional, 'l'),
    ("makefile", Takes::Argument, 'f'),
    ("max-load", Takes::Optional, 'l'),
    ("new-file", Takes::Argument, 'W'),
    ("no-builtin-rules", Takes::Nothing, 'r'),
    ("no-builtin-variables", Takes::Nothing, 'R'),
    ("no-keep-going", Takes::Nothing, 'S'),
    ("no-print-directory", Takes::Nothing, 'Γ'),
    ("no-silent", Takes::Nothing, 'Δ'),
    ("old-file", Takes::Argument, 'o'),
    ("output-sync", Takes::Optional, 'O'),
    ("print-data-base", Takes::Nothing, 'p'),
    ("print-directory", Takes::Nothing, 'w'),
    ("question", Takes::Nothing, 'q'),
    ("quiet", Takes::Nothing, 's'),
    ("recon", Takes::Nothing, 'n'),
    ("silent", Takes::Nothing, 's'),
    ("stop", Takes::Nothing, 'S'),
    ("touch", Takes::Nothing, 't'),
    ("trace", Takes::Nothing, 'Ε'),
    ("version", Takes::Nothing, 'v'),
    ("warn-undefined-variables", Takes::Nothing, 'Ζ'),
    ("what-if", Takes::Argument, 'W'),
];
const SHORT: &str = "bmBC:def:hiI:j::kl::LnO::o:pqrRsStvwW:E:";

/// Returns a definition's name and operator if a word is one.
fn is_definition(word: &str) -> bool {
    crate::variable::definition(word.as_bytes()).is_some()
}

impl Options {
    /// Reads words: those of the command line, or those of `MAKEFLAGS`. What is wrong is told.
    pub(crate) fn read(&mut self, words: &[String]) -> Option<String> {
        // A number may stand apart from -j and -l.
        let mut joined: Vec<String> = Vec::new();
        for word in words {
            let is_number = word.starts_with(|letter: char| letter.is_ascii_digit())
                && word
                    .chars()
                    .all(|letter| letter.is_ascii_digit() || letter == '.');
            match joined.last_mut() {
                Some(last)
                    if is_number
                        && last.starts_with('-')
                        && !last.starts_with("--")
                        && (last.ends_with('j') || last.ends_with('l'))
                        && last.len() <= 3 =>
                {
                    last.push_str(word);
                }
                _ => joined.push(word.clone()),
            }
        }
        let (items, error) = parse(
            &Known {
                short: SHORT,
                long: LONG,
            },
            &joined,
        );
        for item in items {
            match item {
                Item::Operand(word) if is_definition(&word) => self.definitions.push(word),
                Item::Operand(word) => self.goals.push(word),
                Item::Option(letter, argument, _) => {
                    if let Some(error) = self.apply(letter, argument) {
                        return Some(error);
                    }
                }
            }
        }
        error
    }

    /// Reads the value of `MAKEFLAGS`.
    pub(crate) fn read_flags(&mut self, value: &str) {
        let mut words: Vec<String> = Vec::new();
        let mut word: Option<String> = None;
        let mut letters = value.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => word.get_or_insert_default().extend(letters.next()),
                letter if letter.is_whitespace() => words.extend(word.take()),
                letter => word.get_or_insert_default().push(letter),
            }
        }
        words.extend(word);
        if let Some(first) = words.first_mut()
            && !first.starts_with('-')
            && !first.contains('=')
        {
            first.insert(0, '-');
        }
        let goals = std::mem::take(&mut self.goals);
        // What an older make left there is not worth stopping for.
        let _ = self.read(&words);
        self.goals = goals;
    }

    fn apply(&mut self, letter: char, argument: Option<String>) -> Option<String> {
        let text = argument.clone().unwrap_or_default();
        match letter {
            'B' => self.always_make = true,
            'C' => self.directories.push(text),
            'd' | 'Α' => self.debug = true,
            'e' => self.environment_overrides = true,
            'E' => self.eval.push(text),
            'f' => self.makefiles.push(text),
            'h' => self.show = Some(Show::Help),
            'i' => self.ignore_errors = true,
            'I' => self.include.push(text),
            'j' => match argument {
                None => {
                    self.jobs = None;
                    self.jobs_given = true;
                }
                Some(text) => match text.parse() {
                    Ok(jobs) if jobs > 0 => {
                        self.jobs = Some(jobs);
                        self.jobs_given = true;
                    }
                    _ => {
                        return Some(
                            "the '-j' option requires a positive integer argument".to_owned(),
                        );
                    }
                },
            },
            'k' => self.keep_going = true,
            'l' => self.load = argument,
            'n' => self.dry_run = true,
            'O' => self.output_sync = Some(text),
            'o' => self.old.push(text),
            'p' => self.print_database = true,
            'q' => self.question = true,
            'r' => self.no_rules = true,
            'R' => {
                self.no_rules = true;
                self.no_variables = true;
            }
            's' => self.silent = true,
            'Δ' => self.silent = false,
            'S' => self.keep_going = false,
            't' => self.touch = true,
            'v' => self.show = Some(Show::Version),
            'w' => self.says_directory = Some(true),
            'W' => self.new.push(text),
            'Γ' => self.says_directory = Some(false),
            'Ε' => self.trace = true,
            'Ζ' => self.warn_undefined = true,
            // -b, -m, -L, jobserver: nothing to do.
            _ => {}
        }
        None
    }

    /// Returns whether make says which directory it works in.
    pub(crate) fn print_directory(&self, level: usize) -> bool {
        self.says_directory
            .unwrap_or(!self.silent && (level > 0 || !self.directories.is_empty()))
    }

    /// Returns the options as `MAKEFLAGS` hands them on.
    pub(crate) fn flags(&self, level: usize) -> String {
        let mut flags = String::new();
        for (letter, is_set) in [
            ('B', self.always_make),
            ('d', self.debug),
            ('e', self.environment_overrides),
            ('i', self.ignore_errors),
            ('k', self.keep_going),
            ('n', self.dry_run),
            ('p', self.print_database),
            ('q', self.question),
            ('r', self.no_rules),
            ('R', self.no_variables),
            ('s', self.silent),
            ('t', self.touch),
            ('w', self.print_directory(level)),
        ] {
            if is_set {
                flags.push(letter);
            }
        }
        for folder in &self.include {
            flags.push_str(&format!(" -I{folder}"));
        }
        if self.jobs_given {
            match self.jobs {
                Some(jobs) => flags.push_str(&format!(" -j{jobs}")),
                None => flags.push_str(" -j"),
            }
        }
        if let Some(load) = &self.load {
            flags.push_str(&format!(" -l{load}"));
        }
        if let Some(sync) = &self.output_sync {
            flags.push_str(&format!(" -O{sync}"));
        }
        if self.trace {
            flags.push_str(" --trace");
        }
        if self.says_directory == Some(false) {
            flags.push_str(" --no-print-directory");
        }
        if self.warn_undefined {
            flags.push_str(" --warn-undefined-variables");
        }
        flags
    }

    /// Returns the definitions as `MAKEFLAGS` hands them on: the last first.
    pub(crate) fn definitions_text(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for definition in self.definitions.iter().rev() {
            let name = definition
                .split(['=', ':', '?', '+', '!'])
                .next()
                .unwrap_or_default();
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let mut quoted = String::new();
            for letter in definition.chars() {
                if letter == '\\' || letter.is_whitespace() {
                    quoted.push('\\');
                }
                if letter == '$' {
                    quoted.push('$');
                }
                quoted.push(letter);
            }
            parts.push(quoted);
        }
        parts.join(" ")
    }
}
