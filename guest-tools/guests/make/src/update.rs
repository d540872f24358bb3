//! What is out of date, and in which order it is made.
//!
//! The prerequisites are walked again and again while commands run; each walk goes on where something has ended.

use std::collections::HashSet;

use crate::file::{Dependency, NEW, Progress, Time, Verdict};
use crate::maker::Maker;
use crate::place::{Outcome, Place, Stop, shown};

/// Files that need each other in a row at most: each takes a part of the stack.
const DEPTH_MAX: usize = 600;

impl Maker {
    /// Makes the goals and says what there was nothing to do for.
    pub(crate) fn build(&mut self, goals: &[usize]) -> Outcome<Verdict> {
        let mut open: Vec<(usize, bool)> = goals.iter().map(|goal| (*goal, false)).collect();
        let mut whole = Verdict::Good;
        loop {
            self.walk += 1;
            let mut rest = Vec::new();
            let mut queue = std::mem::take(&mut open).into_iter();
            while let Some((goal, had_commands)) = queue.next() {
                let started = self.commands_started;
                let progress = self.update(goal)?;
                let has_commands = had_commands || self.commands_started > started;
                match progress {
                    Progress::Done(verdict) => {
                        self.goal_done(goal, verdict, has_commands);
                        if verdict != Verdict::Good && whole != Verdict::Failed {
                            whole = verdict;
                        }
                        if verdict == Verdict::Failed && !self.options.keep_going {
                            return Ok(Verdict::Failed);
                        }
                        if verdict == Verdict::Stale && self.options.question {
                            return Ok(Verdict::Stale);
                        }
                    }
                    _ => {
                        rest.push((goal, has_commands));
                        if self.options.jobs == Some(1) {
                            rest.extend(queue.by_ref());
                        }
                    }
                }
            }
            if rest.is_empty() {
                return Ok(whole);
            }
            open = rest;
            self.reap()?;
        }
    }

    fn goal_done(&mut self, goal: usize, verdict: Verdict, has_commands: bool) {
        let name = shown(self.name(goal));
        match verdict {
            Verdict::Failed => {
                if self.options.keep_going && !self.options.dry_run && !self.options.question {
                    let is_direct = self.unmakeable.contains(name.as_bytes());
                    let has_failed_need = self.files.get(goal).is_some_and(|file| {
                        file.bodies.iter().any(|body| {
                            body.dependencies.iter().any(|dependency| {
                                self.files.get(dependency.file).is_some_and(|file| {
                                    file.progress == Progress::Done(Verdict::Failed)
                                })
                            })
                        })
                    });
                    if has_failed_need && !is_direct {
                        self.complain(
                            None,
                            &format!("Target '{name}' not remade because of errors."),
                        );
                    }
                }
            }
            Verdict::Stale => {}
            Verdict::Good => {
                if has_commands || self.options.silent || self.options.question {
                    return;
                }
                let is_phony = self.files.get(goal).is_some_and(|file| file.phony);
                if is_phony || !self.has_recipe(goal) {
                    self.tell(&format!("Nothing to be done for '{name}'."));
                } else {
                    self.tell(&format!("'{name}' is up to date."));
                }
            }
        }
    }

    /// Makes a file as far as that is possible now.
    pub(crate) fn update(&mut self, number: usize) -> Outcome<Progress> {
        let walk = self.walk;
        let Some(file) = self.files.get_mut(number) else {
            return Ok(Progress::Done(Verdict::Good));
        };
        match file.progress {
            Progress::Done(_) | Progress::Running => return Ok(file.progress),
            Progress::Waiting if file.walk == walk => return Ok(Progress::Waiting),
            _ => {}
        }
        file.walk = walk;
        file.is_open = true;
        self.depth += 1;
        let outcome = if self.depth > DEPTH_MAX {
            Err(Stop::at(
                None,
                format!(
                    "prerequisites are nested too deeply at '{}'",
                    shown(self.name(number))
                ),
            ))
        } else {
            self.update_bodies(number)
        };
        self.depth -= 1;
        let progress = outcome?;
        self.with(number, |file| {
            file.is_open = false;
            file.progress = progress;
        });
        Ok(progress)
    }

    fn update_bodies(&mut self, number: usize) -> Outcome<Progress> {
        let is_first = self
            .files
            .get(number)
            .is_some_and(|file| !file.was_prepared);
        if is_first {
            self.prepare(number)?;
        }
        loop {
            let Some(file) = self.files.get(number) else {
                return Ok(Progress::Done(Verdict::Good));
            };
            let body = file.body;
            if body >= file.bodies.len() {
                let verdict = file.verdict.unwrap_or(Verdict::Good);
                if file.phony {
                    self.with(number, |file| file.time = Some(NEW));
                }
                return Ok(Progress::Done(verdict));
            }
            match self.update_body(number, body)? {
                Progress::Done(Verdict::Failed) => return Ok(Progress::Done(Verdict::Failed)),
                Progress::Done(verdict) => {
                    self.with(number, |file| {
                        if file.body == body {
                            file.body += 1;
                        }
                        if verdict == Verdict::Stale {
                            file.verdict = Some(verdict);
                        }
                    });
                }
                progress => return Ok(progress),
            }
        }
    }

    /// Finds the recipe of a file, and what is only known when it is needed.
    fn prepare(&mut self, number: usize) -> Outcome<()> {
        self.with(number, |file| file.was_prepared = true);
        let Some(file) = self.files.get(number) else {
            return Ok(());
        };
        let (phony, is_target) = (file.phony, file.is_target);
        if !phony && !self.has_recipe(number) && !self.try_implicit(number)? && !is_target {
            // The recipe for what has none.
            let default = self
                .by_name
                .get(b".DEFAULT".as_slice())
                .and_then(|number| self.files.get(*number))
                .filter(|file| file.is_target)
                .and_then(|file| file.bodies.first())
                .and_then(|body| body.recipe.clone());
            if let Some(recipe) = default
                && self.time(number).is_none()
            {
                self.with(number, |file| {
                    if file.bodies.is_empty() {
                        file.bodies.push(crate::file::Body::default());
                    }
                    if let Some(body) = file.bodies.first_mut() {
                        body.recipe = Some(recipe);
                    }
                });
            }
        }
        self.with(number, |file| {
            if file.bodies.is_empty() {
                file.bodies.push(crate::file::Body::default());
            }
        });
        let bodies = self.files.get(number).map_or(0, |file| file.bodies.len());
        for body in 0..bodies {
            self.expand_second(number, body)?;
        }
        Ok(())
    }

    fn expand_second(&mut self, number: usize, body: usize) -> Outcome<()> {
        let second = self
            .with(number, |file| {
                file.bodies.get_mut(body).map(|body| {
                    (
                        std::mem::take(&mut body.second),
                        body.stem.clone().unwrap_or_default(),
                    )
                })
            })
            .flatten();
        let Some((texts, stem)) = second else {
            return Ok(());
        };
        let name = self.name(number).to_vec();
        for (text, place) in texts {
            let before = std::mem::replace(&mut self.place, place);
            let expanded = self.expand_for(&name, &stem, &text);
            self.place = before;
            let needs = crate::parse::needs(&expanded?, true);
            let mut added = Vec::new();
            for (name, order_only) in needs {
                let name = crate::pattern::Pattern::new(&name).with(&stem);
                let file = self.file(&name);
                self.with(file, |file| file.is_mentioned = true);
                added.push(Dependency::new(file, order_only));
            }
            self.with(number, |file| {
                if let Some(body) = file.bodies.get_mut(body) {
                    body.dependencies.extend(added);
                }
            });
        }
        Ok(())
    }

    fn dependency(&self, number: usize, body: usize, place: usize) -> Option<Dependency> {
        self.files
            .get(number)?
            .bodies
            .get(body)?
            .dependencies
            .get(place)
            .cloned()
    }

    fn update_body(&mut self, number: usize, body: usize) -> Outcome<Progress> {
        let this = self.time(number);
        let (mut waits, mut failed, mut stale) = (false, false, false);
        let mut place = 0;
        while let Some(dependency) = self.dependency(number, body, place) {
            let need = dependency.file;
            if self.files.get(need).is_some_and(|file| file.is_open) {
                let line = format!(
                    "Circular {} <- {} dependency dropped.",
                    shown(self.name(number)),
                    shown(self.name(need))
                );
                self.complain(None, &line);
                self.with(number, |file| {
                    if let Some(body) = file.bodies.get_mut(body) {
                        body.dependencies.remove(place);
                    }
                });
                continue;
            }
            place += 1;
            self.with(need, |file| {
                file.parent.get_or_insert(number);
            });
            match self.update_need(need, this)? {
                Progress::Done(Verdict::Good) => {}
                Progress::Done(Verdict::Stale) => stale = true,
                Progress::Done(Verdict::Failed) => {
                    failed = true;
                    if !self.options.keep_going {
                        break;
                    }
                }
                _ => {
                    waits = true;
                    if self.options.jobs == Some(1) {
                        break;
                    }
                }
            }
        }
        if waits {
            return Ok(Progress::Waiting);
        }
        if failed {
            return Ok(Progress::Done(Verdict::Failed));
        }
        self.decide(number, body, this, stale)
    }

    /// Makes what a file needs; what was only made on the way need not be there.
    fn update_need(&mut self, need: usize, than: Time) -> Outcome<Progress> {
        let is_skippable = self.files.get(need).is_some_and(|file| {
            (file.intermediate || file.secondary)
                && !file.phony
                && matches!(file.progress, Progress::NotStarted | Progress::Waiting)
        });
        if !is_skippable || than.is_none() || self.options.always_make {
            return self.update(need);
        }
        let mut seen = HashSet::new();
        match self.is_way_stale(need, than, &mut seen)? {
            Some(true) => self.update(need),
            Some(false) => Ok(Progress::Done(Verdict::Good)),
            None => Ok(Progress::Waiting),
        }
    }

    /// Returns whether a file on the way must be made for one that is as old as `than`; nothing if that is not
    /// known yet.
    fn is_way_stale(
        &mut self,
        number: usize,
        than: Time,
        seen: &mut HashSet<usize>,
    ) -> Outcome<Option<bool>> {
        if !seen.insert(number) {
            return Ok(Some(false));
        }
        if let Some(time) = self.time(number) {
            // It is there: as any other file.
            if Some(time) > than {
                return Ok(Some(true));
            }
        }
        let is_first = self
            .files
            .get(number)
            .is_some_and(|file| !file.was_prepared);
        if is_first {
            self.prepare(number)?;
        }
        let needs: Vec<usize> = self
            .files
            .get(number)
            .into_iter()
            .flat_map(|file| file.bodies.iter())
            .flat_map(|body| body.dependencies.iter())
            .filter(|dependency| !dependency.order_only)
            .map(|dependency| dependency.file)
            .collect();
        let mut answer = Some(false);
        for need in needs {
            let is_way = self
                .files
                .get(need)
                .is_some_and(|file| (file.intermediate || file.secondary) && !file.phony);
            let stale = if is_way && self.time(need).is_none() {
                self.is_way_stale(need, than, seen)?
            } else {
                match self.update(need)? {
                    Progress::Done(_) => {
                        let time = self.time(need);
                        Some(time.is_none() || time > than)
                    }
                    _ => None,
                }
            };
            match stale {
                Some(true) => return Ok(Some(true)),
                Some(false) => {}
                None => answer = None,
            }
        }
        Ok(answer)
    }

    /// Decides whether a file must be made, now that all it needs is there.
    fn decide(&mut self, number: usize, body: usize, this: Time, stale: bool) -> Outcome<Progress> {
        let is_absent = this.is_none();
        let mut must = is_absent;
        let mut any_changed = false;
        let mut place = 0;
        let has_needs = self.dependency(number, body, 0).is_some();
        while let Some(dependency) = self.dependency(number, body, place) {
            let time = self.time(dependency.file);
            let (was_made, is_way) = self
                .files
                .get(dependency.file)
                .map(|file| {
                    let is_phony =
                        file.phony && file.bodies.iter().any(|body| body.recipe.is_some());
                    (
                        file.was_made || is_phony,
                        file.intermediate || file.secondary,
                    )
                })
                .unwrap_or_default();
            let is_newer = time > this;
            let changed = was_made || is_absent || (is_newer && !dependency.order_only);
            if !dependency.order_only {
                let is_missing = time.is_none() && !is_way;
                any_changed |= was_made;
                if was_made || is_newer || is_missing {
                    must = true;
                }
            }
            self.with(number, |file| {
                if let Some(known) = file
                    .bodies
                    .get_mut(body)
                    .and_then(|body| body.dependencies.get_mut(place))
                {
                    known.changed = changed;
                }
            });
            place += 1;
        }
        let (recipe, is_target, phony, double) = self
            .files
            .get(number)
            .map(|file| {
                (
                    file.bodies.get(body).and_then(|body| body.recipe.clone()),
                    file.is_target,
                    file.phony,
                    file.double_colon,
                )
            })
            .unwrap_or_default();
        if double && !has_needs {
            must = true;
        }
        if !must && self.options.always_make && recipe.is_some() {
            must = true;
        } else if must && !is_absent && is_target && !any_changed && recipe.is_none() {
            must = false;
        }
        if stale && recipe.is_none() {
            return Ok(Progress::Done(Verdict::Stale));
        }
        if !must {
            return Ok(Progress::Done(Verdict::Good));
        }
        if recipe.is_none() {
            if phony || is_target || !is_absent {
                self.with(number, |file| {
                    file.was_made = is_absent && !file.phony || any_changed
                });
                return Ok(Progress::Done(Verdict::Good));
            }
            return self.no_rule(number);
        }
        self.with(number, |file| file.found = None);
        if self.options.trace {
            self.trace(number, body, is_absent);
        }
        if self.options.touch && !phony {
            return self.touch(number, body);
        }
        self.start(number, body)
    }

    fn trace(&mut self, number: usize, body: usize, is_absent: bool) {
        let name = shown(self.name(number));
        let place = self
            .files
            .get(number)
            .and_then(|file| file.bodies.get(body))
            .and_then(|body| body.recipe.as_ref())
            .and_then(|recipe| recipe.place.clone())
            .unwrap_or(Place {
                file: std::rc::Rc::from("<builtin>"),
                line: 0,
            });
        let mut changed = Vec::new();
        let mut at = 0;
        while let Some(dependency) = self.dependency(number, body, at) {
            if dependency.changed && !dependency.order_only {
                changed.push(shown(self.path(dependency.file)));
            }
            at += 1;
        }
        let line = if !changed.is_empty() {
            format!("update target '{name}' due to: {}", changed.join(" "))
        } else if is_absent {
            format!("target '{name}' does not exist")
        } else {
            format!("update target '{name}' due to: unknown reasons")
        };
        let text = if place.line == 0 {
            format!("{}: {line}", place.file)
        } else {
            format!("{}:{}: {line}", place.file, place.line)
        };
        self.show_directory();
        self.say(text.as_bytes());
    }

    /// Says that nothing makes a file.
    fn no_rule(&mut self, number: usize) -> Outcome<Progress> {
        let file = self.files.get(number);
        let name = shown(self.name(number));
        let by = file
            .and_then(|file| file.parent)
            .map(|parent| format!(", needed by '{}'", shown(self.name(parent))))
            .unwrap_or_default();
        self.unmakeable.insert(name.clone().into_bytes());
        let message = format!("No rule to make target '{name}'{by}");
        if self.options.keep_going || self.remaking_makefiles {
            if !self.remaking_makefiles {
                self.complain(None, &format!("*** {message}."));
            }
            return Ok(Progress::Done(Verdict::Failed));
        }
        self.wait_for_jobs()?;
        Err(Stop::at(None, message))
    }

    /// Removes what was made only on the way.
    pub(crate) fn remove_intermediates(&mut self) {
        let names = std::mem::take(&mut self.made_on_the_way);
        let mut removed = Vec::new();
        for name in names.into_iter().rev() {
            if self.options.dry_run || std::fs::remove_file(crate::glob::path(&name)).is_ok() {
                removed.push(name);
            }
        }
        if !removed.is_empty() && !self.options.silent {
            let line = [b"rm ", removed.join(&b' ').as_slice()].concat();
            self.say(&line);
        }
    }
}
