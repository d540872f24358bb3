//! Lines with a colon: rules, and variables of targets.

use std::rc::Rc;

use crate::evaluate::Reading;
use crate::file::Recipe;
use crate::glob;
use crate::maker::Maker;
use crate::parse::{self, Modifiers};
use crate::pattern::Pattern;
use crate::place::{Outcome, Stop};
use crate::rule::RuleLine;
use crate::variable::{Export, Operator, Origin, Variable, definition};
use crate::words::{trim, words};

impl Maker {
    fn missing_separator(&self, raw: &[u8]) -> Stop {
        let hint = if raw.starts_with(b"        ") {
            " (did you mean TAB instead of 8 spaces?)"
        } else {
            ""
        };
        Stop::at(self.place.as_ref(), format!("missing separator{hint}"))
    }

    pub(crate) fn rule_line(&mut self, raw: &[u8], reading: &mut Reading) -> Outcome<()> {
        let Some(split) = parse::split_rule(raw) else {
            // No colon to be seen: one may come out of the references.
            let parts = parse::split_recipe(raw);
            let expanded = self.expand(&parts.head)?;
            if crate::expand::is_empty(&expanded) {
                if raw.first() == Some(&self.recipe_prefix()) {
                    return Ok(());
                }
                return Ok(());
            }
            let Some(split) = parse::split_expanded(&expanded, parts.recipe) else {
                if raw.first() == Some(&self.recipe_prefix()) {
                    return Err(Stop::at(
                        self.place.as_ref(),
                        "recipe commences before first target",
                    ));
                }
                return Err(self.missing_separator(raw));
            };
            return self.rule_parts(split, true, reading);
        };
        if raw.first() == Some(&self.recipe_prefix()) {
            return Err(Stop::at(
                self.place.as_ref(),
                "recipe commences before first target",
            ));
        }
        self.rule_parts(split, false, reading)
    }

    fn rule_parts(
        &mut self,
        split: parse::Split,
        is_expanded: bool,
        reading: &mut Reading,
    ) -> Outcome<()> {
        let names = if is_expanded {
            split.targets.clone()
        } else {
            self.expand(&split.targets)?
        };
        let targets: Vec<Vec<u8>> = parse::names(&names)
            .iter()
            .flat_map(|name| glob::expand(name))
            .collect();
        let (modifiers, rest) = parse::modifiers(&split.whole);
        if let Some(found) = definition(rest) {
            let name = trim(&self.expand(found.name)?).to_vec();
            for target in &targets {
                self.target_variable(target, &modifiers, &name, found.operator, found.value)?;
            }
            return Ok(());
        }
        if targets.is_empty() {
            reading.is_nobody = true;
            return Ok(());
        }
        let needs = if is_expanded {
            split.needs.clone()
        } else {
            self.expand(&split.needs)?
        };
        let (pattern, needs) = self.static_pattern(&needs, &targets)?;
        let is_second = self.second_expansion && needs.contains(&b'$');
        let is_pattern = pattern.is_some() || targets.iter().any(|target| target.contains(&b'%'));
        let first = Recipe {
            lines: split.recipe.iter().cloned().collect(),
            place: self.place.clone(),
        };
        let rule = RuleLine {
            static_pattern: pattern,
            needs: if is_second {
                Vec::new()
            } else {
                parse::needs(&needs, !is_pattern)
            },
            second: is_second.then_some(needs),
            double_colon: split.double_colon,
            grouped: split.grouped,
            recipe: split.recipe.is_some().then_some(first),
            place: self.place.clone(),
            targets,
        };
        self.choose_goal(&rule);
        reading.rule = Some(rule);
        Ok(())
    }

    /// Splits `%.o: %.c`, what stands behind the targets of a static pattern rule.
    fn static_pattern(
        &mut self,
        needs: &[u8],
        targets: &[Vec<u8>],
    ) -> Outcome<(Option<Pattern>, Vec<u8>)> {
        let Some(colon) = crate::lines::find_outside(needs, b":") else {
            return Ok((None, needs.to_vec()));
        };
        let patterns: Vec<&[u8]> = words(needs.get(..colon).unwrap_or_default()).collect();
        let fail = |message: &str| Err(Stop::at(self.place.as_ref(), message));
        match patterns.as_slice() {
            [] => fail("missing target pattern"),
            [_, _, ..] => fail("multiple target patterns"),
            [pattern] if !pattern.contains(&b'%') => fail("target pattern contains no '%'"),
            [_] if targets.iter().any(|target| target.contains(&b'%')) => {
                fail("mixed implicit and static pattern rules")
            }
            [pattern] => Ok((
                Some(Pattern::new(pattern)),
                needs.get(colon + 1..).unwrap_or_default().to_vec(),
            )),
        }
    }

    /// Makes the first target the goal, if there is none yet.
    fn choose_goal(&mut self, rule: &RuleLine) {
        if !self.plain(".DEFAULT_GOAL").is_empty() {
            return;
        }
        let goal = rule.targets.iter().find(|target| {
            !target.contains(&b'%') && (!target.starts_with(b".") || target.contains(&b'/'))
        });
        if let Some(goal) = goal {
            self.set(".DEFAULT_GOAL", goal.clone(), Origin::File);
        }
    }

    fn target_variable(
        &mut self,
        target: &[u8],
        modifiers: &Modifiers,
        name: &[u8],
        operator: Operator,
        value: &[u8],
    ) -> Outcome<()> {
        let origin = if modifiers.is_override {
            Origin::Override
        } else {
            Origin::File
        };
        let finish = |mut variable: Variable| {
            variable.private = modifiers.is_private;
            if modifiers.is_exported {
                variable.export = Export::Yes;
            }
            Rc::new(variable)
        };
        if target.contains(&b'%') {
            let pattern = Pattern::new(target);
            let place = self
                .pattern_variables
                .iter()
                .position(|known| known.pattern == pattern);
            let place = place.unwrap_or_else(|| {
                self.pattern_variables.push(crate::maker::PatternVariables {
                    pattern,
                    variables: std::collections::HashMap::new(),
                });
                self.pattern_variables.len() - 1
            });
            let before = self
                .pattern_variables
                .get(place)
                .map(|known| known.variables.clone())
                .unwrap_or_default();
            let found = self.local_definition(&before, name, operator, value, origin)?;
            if let (Some(variable), Some(known)) = (found, self.pattern_variables.get_mut(place)) {
                known.variables.insert(name.to_vec(), finish(variable));
            }
            return Ok(());
        }
        let number = self.file(target);
        let before = self
            .files
            .get(number)
            .map(|file| file.variables.clone())
            .unwrap_or_default();
        let found = self.local_definition(&before, name, operator, value, origin)?;
        if let (Some(variable), Some(file)) = (found, self.files.get_mut(number)) {
            file.variables.insert(name.to_vec(), finish(variable));
        }
        Ok(())
    }
}
