//! The state of a run of make. What it does is in `impl` blocks by topic: reading in `evaluate`, variables in
//! `expand` and `functions`, rules in `rule` and `implicit`, building in `update` and `job`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write as _};
use std::rc::Rc;

use crate::file::File;
use crate::job::Job;
use crate::options::Options;
use crate::pattern::Pattern;
use crate::place::{Place, Stop, shown};
use crate::rule::PatternRule;
use crate::variable::{Frame, Origin, Variable, Variables};

/// Variables of the targets that match a pattern.
pub(crate) struct PatternVariables {
    pub(crate) pattern: Pattern,
    pub(crate) variables: Variables,
}

/// A makefile to be read, and perhaps to be made first.
#[derive(Clone, Debug)]
pub(crate) struct Makefile {
    pub(crate) name: Vec<u8>,
    pub(crate) place: Option<Place>,
    /// Nobody minds if it is not there.
    pub(crate) optional: bool,
    /// Why it could not be read.
    pub(crate) error: Option<String>,
}

/// Everything that make knows.
pub(crate) struct Maker {
    pub(crate) options: Options,
    /// How it calls itself in messages: `make`, `make[1]`.
    pub(crate) program: String,
    pub(crate) level: usize,
    /// The environment that make was started with.
    pub(crate) environment: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) variables: Variables,
    pub(crate) frames: Vec<Frame>,
    /// Variables whose values are being expanded: none may stand in itself.
    pub(crate) expanding: Vec<Rc<Variable>>,
    /// Variables that are called as functions, which may.
    pub(crate) called: Vec<Vec<u8>>,
    /// The line that is read.
    pub(crate) place: Option<Place>,
    pub(crate) files: Vec<File>,
    pub(crate) by_name: HashMap<Vec<u8>, usize>,
    pub(crate) rules: Vec<PatternRule>,
    pub(crate) pattern_variables: Vec<PatternVariables>,
    pub(crate) search_paths: Vec<(Pattern, Vec<Vec<u8>>)>,
    pub(crate) makefiles: Vec<Makefile>,
    /// How many makefiles are being read.
    pub(crate) include_depth: usize,
    pub(crate) export_all: bool,
    pub(crate) second_expansion: bool,
    pub(crate) jobs: Vec<Job>,
    pub(crate) commands_started: u64,
    /// How deep the walk is.
    pub(crate) depth: usize,
    /// The number of the walk over what is to be made.
    pub(crate) walk: u64,
    /// Files that were made on the way and are to be removed.
    pub(crate) made_on_the_way: Vec<Vec<u8>>,
    /// Names that no rule makes.
    pub(crate) unmakeable: HashSet<Vec<u8>>,
    pub(crate) remaking_makefiles: bool,
    /// A makefile could not be made.
    pub(crate) has_failed: bool,
    /// A file is newer than now.
    pub(crate) clock_is_wrong: bool,
    pub(crate) directory_shown: bool,
    pub(crate) shell_status: Option<u8>,
}

impl Maker {
    /// Writes a line to standard output.
    pub(crate) fn say(&mut self, line: &[u8]) {
        let mut out = io::stdout().lock();
        // Who cannot be told is not stopped: make goes on without output.
        let _ = out.write_all(line);
        let _ = out.write_all(b"\n");
        let _ = out.flush();
    }

    /// Writes `make: ` and a line to standard output.
    pub(crate) fn tell(&mut self, line: &str) {
        self.show_directory();
        let text = format!("{}: {line}", self.program);
        self.say(text.as_bytes());
    }

    /// Writes a line to standard error, behind the place it is about or the name of the program.
    pub(crate) fn complain(&mut self, place: Option<&Place>, line: &str) {
        self.show_directory();
        let _ = io::stdout().flush();
        match place {
            Some(place) => eprintln!("{}:{}: {line}", place.file, place.line),
            None => eprintln!("{}: {line}", self.program),
        }
    }

    /// Says that make stops, and returns the exit status.
    pub(crate) fn stop(&mut self, stop: Stop) -> u8 {
        match stop {
            Stop::Exit(status) => status,
            Stop::Fatal(place, message) => {
                self.complain(place.as_ref(), &format!("*** {message}.  Stop."));
                2
            }
        }
    }

    /// Says once which directory make works in, where that is wanted.
    pub(crate) fn show_directory(&mut self) {
        if self.directory_shown || !self.options.print_directory(self.level) {
            return;
        }
        self.directory_shown = true;
        let line = format!(
            "{}: Entering directory '{}'",
            self.program,
            shown(&process::current_directory())
        );
        self.say(line.as_bytes());
    }

    /// Says that make leaves its directory, if it said that it entered.
    pub(crate) fn leave_directory(&mut self) {
        if self.directory_shown {
            let line = format!(
                "{}: Leaving directory '{}'",
                self.program,
                shown(&process::current_directory())
            );
            self.say(line.as_bytes());
        }
    }

    /// Returns the value of a global variable that needs no expansion.
    pub(crate) fn plain(&self, name: &str) -> Vec<u8> {
        self.variables
            .get(name.as_bytes())
            .map(|variable| variable.value.clone())
            .unwrap_or_default()
    }

    /// Sets a global variable whoever had set it before.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Vec<u8>>, origin: Origin) {
        let variable = Variable::new(value, origin, false);
        self.variables
            .insert(name.as_bytes().to_vec(), Rc::new(variable));
    }
}
