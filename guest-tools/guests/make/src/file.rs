//! What make knows of a file: how it is made, of what, and whether that was done.

use std::rc::Rc;

use crate::maker::Maker;
use crate::place::Place;
use crate::variable::Variables;

/// A recipe as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) lines: Vec<Vec<u8>>,
    /// Where the first line stands; built-in recipes stand nowhere.
    pub(crate) place: Option<Place>,
}

/// A prerequisite.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) file: usize,
    /// It must be there, but its age does not matter.
    pub(crate) order_only: bool,
    /// It was made anew, or is newer than what needs it.
    pub(crate) changed: bool,
}

impl Dependency {
    pub(crate) fn new(file: usize, order_only: bool) -> Self {
        Self {
            file,
            order_only,
            changed: false,
        }
    }
}

/// A rule for one target: all rules with one colon together, or one of those with two.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) dependencies: Vec<Dependency>,
    /// Prerequisites that are expanded once more when they are needed.
    pub(crate) second: Vec<(Vec<u8>, Option<Place>)>,
    pub(crate) recipe: Option<Rc<Recipe>>,
    /// What the `%` of the rule stands for.
    pub(crate) stem: Option<Vec<u8>>,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    #[default]
    NotStarted,
    /// Its prerequisites are being made.
    Waiting,
    /// Its recipe runs.
    Running,
    Done(Verdict),
}

/// How the making of a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    /// It would have to be made: `-q`.
    Stale,
    Failed,
}

/// When a file was changed, in nanoseconds; nothing if it is not there.
pub(crate) type Time = Option<i128>;

/// The time of what was just made.
pub(crate) const NEW: Time = Some(i128::MAX);
/// The time of what is not to be made again.
pub(crate) const OLD: Time = Some(i128::MIN);

/// A file, or another name that rules use.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) name: Vec<u8>,
    /// Where it was found, if not under its name.
    pub(crate) found: Option<Vec<u8>>,
    pub(crate) bodies: Vec<Body>,
    pub(crate) double_colon: bool,
    pub(crate) is_target: bool,
    /// A makefile names it.
    pub(crate) is_mentioned: bool,
    /// Others that the same recipe makes.
    pub(crate) also: Vec<usize>,
    pub(crate) variables: Variables,
    /// What first needed it.
    pub(crate) parent: Option<usize>,
    pub(crate) phony: bool,
    pub(crate) precious: bool,
    pub(crate) intermediate: bool,
    pub(crate) secondary: bool,
    pub(crate) progress: Progress,
    /// Prerequisites are walked now: to be needed again is a circle.
    pub(crate) is_open: bool,
    pub(crate) walk: u64,
    pub(crate) tried_implicit: bool,
    /// Its recipe is known.
    pub(crate) was_prepared: bool,
    /// It changed in this run.
    pub(crate) was_made: bool,
    /// What one of its rules came to, if it has several.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) time: Option<Time>,
    /// The body that is made now.
    pub(crate) body: usize,
}

impl Maker {
    /// Returns the number of a file, a new one if it has none.
    pub(crate) fn file(&mut self, name: &[u8]) -> usize {
        let mut short = name;
        while let Some(rest) = short.strip_prefix(b"./") {
            let rest_start = rest.iter().take_while(|byte| **byte == b'/').count();
            let rest = rest.get(rest_start..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            short = rest;
        }
        if let Some(number) = self.by_name.get(short) {
            return *number;
        }
        let number = self.files.len();
        self.files.push(File {
            name: short.to_vec(),
            ..File::default()
        });
        self.by_name.insert(short.to_vec(), number);
        number
    }

    /// Returns the name of a file.
    pub(crate) fn name(&self, file: usize) -> &[u8] {
        self.files.get(file).map_or(&[], |file| &file.name)
    }

    /// Returns the path of a file: its name, or where it was found.
    pub(crate) fn path(&self, file: usize) -> &[u8] {
        self.files
            .get(file)
            .map_or(&[], |file| file.found.as_deref().unwrap_or(&file.name))
    }

    /// Changes what is known of a file.
    pub(crate) fn with<R>(
        &mut self,
        file: usize,
        change: impl FnOnce(&mut File) -> R,
    ) -> Option<R> {
        self.files.get_mut(file).map(change)
    }

    /// Returns the recipe of a file that one rule makes.
    pub(crate) fn has_recipe(&self, file: usize) -> bool {
        self.files
            .get(file)
            .is_some_and(|file| file.bodies.iter().any(|body| body.recipe.is_some()))
    }
}
