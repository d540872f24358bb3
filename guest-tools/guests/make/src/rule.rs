//! Rules: explicit ones that files have, pattern rules, and suffix rules that become such.

use std::rc::Rc;

use crate::builtin;
use crate::file::{Body, Dependency, Recipe};
use crate::maker::Maker;
use crate::pattern::Pattern;
use crate::place::{Outcome, Place, Stop, shown};
use crate::words::words;

/// A rule for all names that match a pattern.
#[derive(Clone, Debug)]
pub(crate) struct PatternRule {
    pub(crate) targets: Vec<Pattern>,
    /// Prerequisites, and whether only their order matters.
    pub(crate) needs: Vec<(Vec<u8>, bool)>,
    /// Prerequisites that are expanded once more, instead of `needs`.
    pub(crate) second: Option<Vec<u8>>,
    pub(crate) recipe: Option<Rc<Recipe>>,
    /// What it needs must be there already.
    pub(crate) terminal: bool,
    pub(crate) built_in: bool,
}

/// What a line says of targets, before its recipe is known.
pub(crate) struct RuleLine {
    pub(crate) targets: Vec<Vec<u8>>,
    pub(crate) static_pattern: Option<Pattern>,
    /// Prerequisites, and whether only their order matters.
    pub(crate) needs: Vec<(Vec<u8>, bool)>,
    pub(crate) second: Option<Vec<u8>>,
    pub(crate) double_colon: bool,
    pub(crate) grouped: bool,
    pub(crate) recipe: Option<Recipe>,
    pub(crate) place: Option<Place>,
}

impl Maker {
    /// Takes a rule over.
    pub(crate) fn record(&mut self, line: RuleLine) -> Outcome<()> {
        let recipe = line.recipe.clone().map(Rc::new);
        let is_pattern = line.static_pattern.is_none()
            && line.targets.iter().any(|target| target.contains(&b'%'));
        if is_pattern {
            self.add_pattern(PatternRule {
                targets: line
                    .targets
                    .iter()
                    .map(|target| Pattern::new(target))
                    .collect(),
                needs: line.needs,
                second: line.second,
                recipe,
                terminal: line.double_colon,
                built_in: false,
            });
            return Ok(());
        }
        let mut group = Vec::new();
        for target in &line.targets {
            let file = self.file(target);
            group.push(file);
            self.record_target(file, target, &line, recipe.clone())?;
        }
        if line.grouped && recipe.is_some() {
            for file in &group {
                let others = group
                    .iter()
                    .copied()
                    .filter(|other| other != file)
                    .collect();
                self.with(*file, |file| file.also = others);
            }
        }
        Ok(())
    }

    fn record_target(
        &mut self,
        number: usize,
        target: &[u8],
        line: &RuleLine,
        recipe: Option<Rc<Recipe>>,
    ) -> Outcome<()> {
        let mut stem = None;
        let mut needs = line.needs.clone();
        if let Some(pattern) = &line.static_pattern {
            match pattern.stem(target) {
                Some(found) => {
                    stem = Some(found.to_vec());
                    for (name, _) in &mut needs {
                        *name = Pattern::new(name).with(found);
                    }
                }
                None => {
                    needs.clear();
                    self.complain(
                        line.place.as_ref(),
                        &format!(
                            "target '{}' doesn't match the target pattern",
                            shown(target)
                        ),
                    );
                }
            }
        }
        if target == b".SUFFIXES" && needs.is_empty() {
            self.with(number, |file| {
                file.is_target = true;
                file.bodies.clear();
            });
            return Ok(());
        }
        self.take_special(target);
        let (was_target, was_double) = self
            .with(number, |file| {
                (file.is_target && !file.bodies.is_empty(), file.double_colon)
            })
            .unwrap_or_default();
        if was_target && was_double != line.double_colon {
            return Err(Stop::at(
                line.place.as_ref(),
                format!("target file '{}' has both : and :: entries", shown(target)),
            ));
        }
        let mut dependencies = Vec::new();
        for (name, order_only) in needs {
            let need = self.file(&name);
            self.with(need, |file| file.is_mentioned = true);
            dependencies.push(Dependency::new(need, order_only));
        }
        let second = line.second.clone().map(|text| (text, line.place.clone()));
        let mut replaced = None;
        self.with(number, |file| {
            file.is_target = true;
            file.is_mentioned = true;
            file.double_colon = line.double_colon;
            if line.double_colon || file.bodies.is_empty() {
                file.bodies.push(Body {
                    dependencies,
                    second: second.into_iter().collect(),
                    recipe,
                    stem,
                });
                return;
            }
            let Some(body) = file.bodies.first_mut() else {
                return;
            };
            if let Some(recipe) = recipe {
                replaced = body.recipe.replace(recipe);
                // What the rule with the recipe names comes first.
                let before = std::mem::replace(&mut body.dependencies, dependencies);
                body.dependencies.extend(before);
            } else {
                body.dependencies.extend(dependencies);
            }
            body.second.extend(second);
            if stem.is_some() {
                body.stem = stem;
            }
        });
        if let (Some(old), Some(new)) = (replaced, &line.recipe)
            && old.place.is_some()
        {
            let name = shown(target);
            self.complain(
                new.place.as_ref(),
                &format!("warning: overriding recipe for target '{name}'"),
            );
            self.complain(
                old.place.as_ref(),
                &format!("warning: ignoring old recipe for target '{name}'"),
            );
        }
        Ok(())
    }

    /// Does what the mention of some targets causes at once.
    fn take_special(&mut self, target: &[u8]) {
        match target {
            b".SECONDEXPANSION" => self.second_expansion = true,
            b".EXPORT_ALL_VARIABLES" => self.export_all = true,
            b".NOTPARALLEL" => self.options.jobs = Some(1),
            b".ONESHELL" => self.options.one_shell = true,
            b".POSIX" => {
                let flags = self.plain(".SHELLFLAGS");
                if flags == b"-c" {
                    self.set(".SHELLFLAGS", "-ec", crate::variable::Origin::Default);
                }
            }
            _ => {}
        }
    }

    /// Adds a pattern rule; one for the same names takes the place of an older one.
    pub(crate) fn add_pattern(&mut self, rule: PatternRule) {
        let old = self.rules.iter().position(|old| {
            old.targets == rule.targets && old.needs == rule.needs && old.second == rule.second
        });
        match old {
            Some(_) if rule.built_in => {}
            Some(place) => {
                self.rules.remove(place);
                self.rules.push(rule);
            }
            None => self.rules.push(rule),
        }
    }

    /// Returns the prerequisites of a target with a meaning of its own.
    pub(crate) fn special(&self, name: &str) -> Option<Vec<usize>> {
        let number = self.by_name.get(name.as_bytes())?;
        let file = self.files.get(*number).filter(|file| file.is_target)?;
        Some(
            file.bodies
                .iter()
                .flat_map(|body| body.dependencies.iter().map(|dependency| dependency.file))
                .collect(),
        )
    }

    /// Does what special targets say of their prerequisites.
    pub(crate) fn settle_special(&mut self) {
        for (name, mark) in [
            (".PHONY", 0),
            (".PRECIOUS", 1),
            (".INTERMEDIATE", 2),
            (".SECONDARY", 3),
        ] {
            for number in self.special(name).unwrap_or_default() {
                self.with(number, |file| match mark {
                    0 => {
                        file.phony = true;
                        file.is_target = true;
                    }
                    1 => file.precious = true,
                    2 => file.intermediate = true,
                    _ => file.secondary = true,
                });
            }
        }
    }

    /// Returns the known suffixes.
    pub(crate) fn suffixes(&self) -> Vec<Vec<u8>> {
        let files = self.special(".SUFFIXES").unwrap_or_default();
        files.iter().map(|file| self.name(*file).to_vec()).collect()
    }

    /// Makes pattern rules of the suffix rules, and adds those that are built in.
    pub(crate) fn settle_rules(&mut self) {
        let suffixes = self.suffixes();
        let with_built_in = !self.options.no_rules;
        for first in &suffixes {
            self.add_suffix_rule(None, first, None);
            if let Some(recipe) = self.suffix_recipe(first, with_built_in) {
                self.add_suffix_rule(Some(b""), first, Some(recipe));
            }
            for second in suffixes.iter().filter(|second| *second != first) {
                let name = [first.as_slice(), second].concat();
                if let Some(recipe) = self.suffix_recipe(&name, with_built_in) {
                    self.add_suffix_rule(Some(second), first, Some(recipe));
                }
            }
        }
        if with_built_in {
            for (target, needs, recipe) in builtin::PATTERN_RULES {
                self.add_pattern(PatternRule {
                    targets: vec![Pattern::new(target.as_bytes())],
                    needs: words(needs.as_bytes())
                        .map(|need| (need.to_vec(), false))
                        .collect(),
                    second: None,
                    recipe: Some(Rc::new(built_in(recipe))),
                    terminal: false,
                    built_in: true,
                });
            }
        }
    }

    fn suffix_recipe(&self, name: &[u8], with_built_in: bool) -> Option<Rc<Recipe>> {
        let own = self
            .by_name
            .get(name)
            .and_then(|number| self.files.get(*number))
            .filter(|file| file.is_target)
            .and_then(|file| file.bodies.first())
            .filter(|body| body.dependencies.is_empty());
        if let Some(body) = own
            && body.recipe.is_some()
        {
            return body.recipe.clone();
        }
        let (_, recipe) = builtin::SUFFIX_RULES
            .iter()
            .find(|(known, _)| with_built_in && known.as_bytes() == name)?;
        Some(Rc::new(built_in(recipe)))
    }

    fn add_suffix_rule(
        &mut self,
        target: Option<&[u8]>,
        source: &[u8],
        recipe: Option<Rc<Recipe>>,
    ) {
        let pattern = |suffix: &[u8]| [b"%", suffix].concat();
        let built_in = recipe.as_ref().is_none_or(|recipe| recipe.place.is_none());
        let (target, needs) = match target {
            // Only to be known as a name that has a rule of its own.
            None => (pattern(source), Vec::new()),
            Some(target) => (pattern(target), vec![(pattern(source), false)]),
        };
        self.add_pattern(PatternRule {
            targets: vec![Pattern::new(&target)],
            needs,
            second: None,
            recipe,
            terminal: false,
            built_in,
        });
    }
}

fn built_in(recipe: &str) -> Recipe {
    Recipe {
        lines: recipe
            .lines()
            .map(|line| line.as_bytes().to_vec())
            .collect(),
        place: None,
    }
}
