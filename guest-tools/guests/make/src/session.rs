//! A run of make from the command line to the exit status.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use crate::builtin;
use crate::file::{Progress, Verdict};
use crate::maker::{Makefile, Maker};
use crate::options::{Options, Show};
use crate::place::{Outcome, Stop, shown};
use crate::variable::{Export, Origin, Variable, definition};
use crate::words::words;

/// How often makefiles may be made anew before the goals.
const RESTARTS_MAX: usize = 100;

const HELP: &str = "\
Usage: make [options] [target] ...
Options:
  -B, --always-make            -C DIR, --directory=DIR       -e, --environment-overrides
  -f FILE, --file=FILE         -h, --help                    -i, --ignore-errors
  -I DIR, --include-dir=DIR    -j [N], --jobs[=N]            -k, --keep-going
  -l [N], --load-average[=N]   -n, --just-print, --dry-run   -o FILE, --old-file=FILE
  -p, --print-data-base        -q, --question                -r, --no-builtin-rules
  -R, --no-builtin-variables   -s, --silent, --quiet         -S, --no-keep-going
  -t, --touch                  -v, --version                 -w, --print-directory
  -W FILE, --what-if=FILE      --eval=STRING                 --no-print-directory
  --trace                      --warn-undefined-variables
";

/// Runs make.
pub(crate) fn run(arguments: &[String]) -> u8 {
    let (called, words) = arguments
        .split_first()
        .map_or(("make", &[][..]), |(called, words)| {
            (called.as_str(), words)
        });
    let level: usize = std::env::var("MAKELEVEL")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(0);
    let name = called.rsplit('/').next().unwrap_or(called);
    let program = if level > 0 {
        format!("{name}[{level}]")
    } else {
        name.to_owned()
    };
    let mut options = Options {
        jobs: Some(1),
        ..Options::default()
    };
    if let Ok(flags) = std::env::var("MAKEFLAGS") {
        options.read_flags(&flags);
    }
    if let Some(error) = options.read(words) {
        eprint!("{program}: {error}\n{HELP}");
        return 2;
    }
    match options.show {
        Some(Show::Help) => {
            print!("{HELP}");
            return 0;
        }
        Some(Show::Version) => {
            println!("GNU Make 4.3\nBuilt for wasm32-wasip2");
            return 0;
        }
        None => {}
    }
    for folder in &options.directories {
        if let Err(error) = std::env::set_current_dir(folder) {
            eprintln!(
                "{program}: *** {folder}: {}.  Stop.",
                process::message(&error)
            );
            return 2;
        }
    }
    let (mut restarts, mut was_shown) = (0, false);
    loop {
        let mut maker = Maker::new(&options, program.clone(), level, called);
        if restarts > 0 {
            maker.directory_shown = was_shown;
            maker.set("MAKE_RESTARTS", restarts.to_string(), Origin::Environment);
        }
        let outcome = maker.go();
        let status = match outcome {
            Ok(End::Restart) if restarts < RESTARTS_MAX => {
                restarts += 1;
                was_shown = maker.directory_shown;
                continue;
            }
            Ok(End::Restart) => 2,
            Ok(End::Status(status)) => status,
            Err(stop) => {
                let status = maker.stop(stop);
                maker.remove_intermediates();
                status
            }
        };
        if maker.options.print_database {
            maker.print_database();
        }
        maker.warn_of_clock();
        maker.leave_directory();
        return status;
    }
}

/// How a run ended.
enum End {
    Status(u8),
    /// A makefile was made: everything is read again.
    Restart,
}

impl Maker {
    fn new(options: &Options, program: String, level: usize, called: &str) -> Self {
        let environment: BTreeMap<Vec<u8>, Vec<u8>> = std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.as_encoded_bytes().to_vec(),
                    value.as_encoded_bytes().to_vec(),
                )
            })
            .collect();
        let mut maker = Self {
            options: options.clone(),
            program,
            level,
            environment,
            variables: HashMap::new(),
            frames: Vec::new(),
            expanding: Vec::new(),
            called: Vec::new(),
            place: None,
            files: Vec::new(),
            by_name: HashMap::new(),
            rules: Vec::new(),
            pattern_variables: Vec::new(),
            search_paths: Vec::new(),
            makefiles: Vec::new(),
            include_depth: 0,
            export_all: false,
            second_expansion: false,
            jobs: Vec::new(),
            commands_started: 0,
            depth: 0,
            walk: 0,
            made_on_the_way: Vec::new(),
            unmakeable: HashSet::new(),
            remaking_makefiles: false,
            clock_is_wrong: false,
            has_failed: false,
            directory_shown: false,
            shell_status: None,
        };
        maker.define_built_in(called);
        maker
    }

    fn define_built_in(&mut self, called: &str) {
        if !self.options.no_variables {
            for (name, value) in builtin::VARIABLES {
                let variable = Variable::new(*value, Origin::Default, true);
                self.variables
                    .insert(name.as_bytes().to_vec(), Rc::new(variable));
            }
        }
        let suffixes = if self.options.no_rules {
            ""
        } else {
            builtin::SUFFIXES
        };
        for (name, value) in [
            ("SHELL", "/bin/sh"),
            (".SHELLFLAGS", "-c"),
            ("SUFFIXES", suffixes),
            ("MAKE_VERSION", "4.3"),
            ("MAKE_HOST", "wasm32-wasip2"),
            (".RECIPEPREFIX", ""),
            (".LOADED", ""),
            (".INCLUDE_DIRS", "/usr/local/include /usr/include"),
            (
                ".FEATURES",
                "target-specific order-only second-expansion else-if shortest-stem undefine oneshell nocomment \
                 grouped-target extra-prereqs",
            ),
            ("MAKEFILES", ""),
            (".VARIABLES", ""),
        ] {
            self.set(name, value, Origin::Default);
        }
        for letter in "@%<?^+*".chars() {
            for (part, value) in [
                ("D", format!("$(patsubst %/,%,$(dir ${letter}))")),
                ("F", format!("$(notdir ${letter})")),
            ] {
                let name = format!("{letter}{part}").into_bytes();
                let variable = Variable::new(value, Origin::Automatic, true);
                self.variables.insert(name, Rc::new(variable));
            }
        }
        let variable = Variable::new("$(MAKE_COMMAND)", Origin::Default, true);
        self.variables.insert(b"MAKE".to_vec(), Rc::new(variable));
        self.set("MAKE_COMMAND", called, Origin::Default);
        self.set("CURDIR", process::current_directory(), Origin::File);
        self.set("MAKEFILE_LIST", "", Origin::File);
        self.set(".DEFAULT_GOAL", "", Origin::File);
        for (name, value) in self.environment.clone() {
            // The shell of the user is not that of recipes.
            if matches!(
                name.as_slice(),
                b"SHELL" | b"MAKEFLAGS" | b"MAKE_RESTARTS" | b"MAKELEVEL"
            ) {
                continue;
            }
            let origin = if self.options.environment_overrides {
                Origin::EnvironmentOverride
            } else {
                Origin::Environment
            };
            self.variables
                .insert(name, Rc::new(Variable::new(value, origin, true)));
        }
        self.set("MAKELEVEL", self.level.to_string(), Origin::Environment);
        self.set("MAKECMDGOALS", self.goals_text(), Origin::Default);
        if self.options.goals.is_empty() {
            self.variables.remove(b"MAKECMDGOALS".as_slice());
        }
        self.set_flags(false);
        if !suffixes.is_empty() {
            let number = self.file(b".SUFFIXES");
            let dependencies: Vec<_> = words(suffixes.as_bytes())
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
                .iter()
                .map(|suffix| crate::file::Dependency::new(self.file(suffix), false))
                .collect();
            self.with(number, |file| {
                file.is_target = true;
                file.bodies.push(crate::file::Body {
                    dependencies,
                    ..crate::file::Body::default()
                });
            });
        }
    }

    /// Sets `MAKEFLAGS` and `MFLAGS` from the options.
    pub(crate) fn set_flags(&mut self, with_definitions: bool) {
        let mut flags = self.options.flags(self.level);
        let plain = flags.trim_start().to_owned();
        let short = match plain.as_str() {
            "" => String::new(),
            text if text.starts_with('-') => text.to_owned(),
            text => format!("-{text}"),
        };
        self.set("MFLAGS", short, Origin::Environment);
        let definitions = self.options.definitions_text();
        if !definitions.is_empty() {
            self.set(
                "MAKEOVERRIDES",
                "${-*-command-variables-*-}",
                Origin::Environment,
            );
            if let Some(variable) = self.variables.get_mut(b"MAKEOVERRIDES".as_slice()) {
                Rc::make_mut(variable).recursive = true;
            }
            self.set("-*-command-variables-*-", definitions, Origin::Automatic);
            if with_definitions {
                flags.push_str(" -- $(MAKEOVERRIDES)");
            }
        }
        let mut variable = Variable::new(flags, Origin::File, true);
        variable.export = Export::Yes;
        self.variables
            .insert(b"MAKEFLAGS".to_vec(), Rc::new(variable));
    }

    /// Takes options from the value that a makefile gives `MAKEFLAGS`.
    pub(crate) fn take_flags(&mut self, value: &[u8]) {
        let before = self.options.definitions.clone();
        self.options.read_flags(&shown(value));
        self.options.definitions = before;
        self.set_flags(self.place.is_none());
    }

    fn go(&mut self) -> Outcome<End> {
        for text in self.options.definitions.clone() {
            if let Some(found) = definition(text.as_bytes()) {
                self.define(found.name, found.operator, found.value, Origin::CommandLine)?;
            }
        }
        for text in self.options.eval.clone() {
            self.eval(text.as_bytes())?;
            self.place = None;
        }
        self.read_makefiles()?;
        self.place = None;
        self.set_flags(true);
        self.settle_special();
        self.settle_rules();
        if self.remake_makefiles()? {
            self.remove_intermediates();
            return Ok(End::Restart);
        }
        let mut goals: Vec<Vec<u8>> = self
            .options
            .goals
            .iter()
            .map(|goal| goal.as_bytes().to_vec())
            .collect();
        if goals.is_empty() {
            let goal = self.value_of(b".DEFAULT_GOAL")?.unwrap_or_default();
            let all: Vec<Vec<u8>> = words(&goal).map(<[u8]>::to_vec).collect();
            if all.len() > 1 {
                return Err(Stop::at(
                    None,
                    ".DEFAULT_GOAL contains more than one target",
                ));
            }
            goals = all;
        }
        if goals.is_empty() {
            let message = if self.makefiles.is_empty() {
                "No targets specified and no makefile found"
            } else {
                "No targets"
            };
            return Err(Stop::at(None, message));
        }
        let goals: Vec<usize> = goals.iter().map(|goal| self.file(goal)).collect();
        let mut verdict = self.build(&goals)?;
        if self.has_failed {
            verdict = Verdict::Failed;
        }
        self.remove_intermediates();
        Ok(End::Status(match verdict {
            Verdict::Good => 0,
            Verdict::Stale => 1,
            Verdict::Failed => 2,
        }))
    }

    fn read_makefiles(&mut self) -> Outcome<()> {
        let extra = self.value_of(b"MAKEFILES")?.unwrap_or_default();
        for name in words(&extra) {
            self.read_makefile(name, true)?;
        }
        if self.options.makefiles.is_empty() {
            for name in ["GNUmakefile", "makefile", "Makefile"] {
                if process::stat(name, true).is_ok() {
                    self.read_makefile(name.as_bytes(), false)?;
                    return Ok(());
                }
            }
            return Ok(());
        }
        for name in self.options.makefiles.clone() {
            if !self.read_makefile(name.as_bytes(), false)? {
                let error = self.makefiles.last().and_then(|file| file.error.clone());
                self.complain(None, &format!("{name}: {}", error.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Makes the makefiles that have rules; returns whether one is new.
    fn remake_makefiles(&mut self) -> Outcome<bool> {
        let made: Vec<Makefile> = self.makefiles.iter().rev().cloned().collect();
        let saved = self.options.clone();
        self.options.dry_run = false;
        self.options.question = false;
        self.options.touch = false;
        self.options.always_make = false;
        let mut is_new = false;
        let mut lost = Vec::new();
        for makefile in made {
            let Makefile {
                name,
                place,
                optional,
                error,
            } = makefile;
            if name == b"-" {
                continue;
            }
            let number = self.file(&name);
            let has_rule = self.files.get(number).is_some_and(|file| {
                !file.phony
                    && file.bodies.iter().any(|body| body.recipe.is_some() || !body.second.is_empty())
                    // Two colons and no prerequisites: it would be made each time.
                    && !(file.double_colon
                        && file.bodies.iter().any(|body| body.dependencies.is_empty()))
            });
            let before = self.time(number);
            self.remaking_makefiles = true;
            let started = self.commands_started;
            let is_makeable = has_rule || (!self.is_target(number) && self.try_implicit(number)?);
            let verdict = if is_makeable {
                self.make_one(number)?
            } else {
                Verdict::Good
            };
            self.remaking_makefiles = false;
            let after = self.time(number);
            if self.commands_started > started && after != before {
                is_new = true;
            }
            if let Some(error) = error
                && after.is_none()
                && !optional
            {
                if place.is_some() {
                    self.complain(place.as_ref(), &format!("{}: {error}", shown(&name)));
                }
                if !saved.keep_going {
                    return Err(match verdict {
                        Verdict::Failed => Stop::Exit(2),
                        _ => Stop::at(None, format!("No rule to make target '{}'", shown(&name))),
                    });
                }
                if verdict != Verdict::Failed {
                    let line = format!("*** No rule to make target '{}'.", shown(&name));
                    self.complain(None, &line);
                }
                lost.push(name);
                continue;
            }
            if verdict == Verdict::Failed && !optional {
                return Err(Stop::Exit(2));
            }
        }
        for name in &lost {
            self.complain(
                None,
                &format!("Failed to remake makefile '{}'.", shown(name)),
            );
            self.has_failed = true;
        }
        self.options = saved;
        Ok(is_new)
    }

    fn is_target(&self, number: usize) -> bool {
        self.files.get(number).is_some_and(|file| file.is_target)
    }

    fn make_one(&mut self, number: usize) -> Outcome<Verdict> {
        loop {
            self.walk += 1;
            match self.update(number)? {
                Progress::Done(verdict) => return Ok(verdict),
                _ => self.reap()?,
            }
        }
    }
}
