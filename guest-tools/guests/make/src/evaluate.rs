//! Makefiles read line by line: conditionals, definitions, directives and rules.

use std::rc::Rc;

use crate::file::Recipe;
use crate::glob;
use crate::lines::{Lines, joined, without_comment};
use crate::maker::{Makefile, Maker};
use crate::parse::{self, Condition, Modifiers};
use crate::pattern::Pattern;
use crate::place::{Outcome, Place, Stop, shown};
use crate::rule::RuleLine;
use crate::variable::{Export, Operator, Origin, Variable, definition};
use crate::words::{join, split_word, trim, trim_start, words};

/// Makefiles within makefiles at most.
const INCLUDE_DEPTH_MAX: usize = 100;

/// How far the reading of a text is.
struct Reading {
    rule: Option<RuleLine>,
    conditions: Vec<Condition>,
    /// The rule has no targets: its recipe is not taken.
    is_nobody: bool,
}

impl Maker {
    /// Reads text as if it stood in the makefile: `$(eval)`.
    pub(crate) fn eval(&mut self, text: &[u8]) -> Outcome<()> {
        let place = self.place.clone().unwrap_or(Place {
            file: Rc::from("eval"),
            line: 1,
        });
        self.evaluate(text, &place.file, place.line)?;
        self.place = Some(place);
        Ok(())
    }

    /// Reads a makefile; returns whether it is there.
    pub(crate) fn read_makefile(&mut self, name: &[u8], optional: bool) -> Outcome<bool> {
        let place = self.place.clone();
        if self.include_depth >= INCLUDE_DEPTH_MAX {
            return Err(Stop::at(
                place.as_ref(),
                "makefiles include each other too deeply",
            ));
        }
        let mut candidates = vec![name.to_vec()];
        if !name.starts_with(b"/") && place.is_some() {
            for folder in &self.options.include {
                candidates.push([folder.as_bytes(), b"/", name].concat());
            }
            for folder in ["/usr/local/include", "/usr/include"] {
                candidates.push([folder.as_bytes(), b"/", name].concat());
            }
        }
        let mut failure = None;
        for path in &candidates {
            let read = if path == b"-" {
                use std::io::Read as _;
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
            } else {
                std::fs::read(glob::path(path))
            };
            match read {
                Ok(text) => {
                    let mut list = self.plain("MAKEFILE_LIST");
                    if !list.is_empty() {
                        list.push(b' ');
                    }
                    list.extend_from_slice(path);
                    self.set("MAKEFILE_LIST", list, Origin::File);
                    self.makefiles.push(Makefile {
                        name: path.clone(),
                        place: place.clone(),
                        optional,
                        error: None,
                    });
                    self.include_depth += 1;
                    let file: Rc<str> = Rc::from(shown(path).as_str());
                    let outcome = self.evaluate(&text, &file, 1);
                    self.include_depth -= 1;
                    self.place = place;
                    return outcome.map(|()| true);
                }
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        let error = failure.map(|error| process::message(&error));
        self.makefiles.push(Makefile {
            name: name.to_vec(),
            place,
            optional,
            error,
        });
        Ok(false)
    }

    fn evaluate(&mut self, text: &[u8], file: &Rc<str>, first: usize) -> Outcome<()> {
        let mut lines = Lines::new(text);
        let mut reading = Reading {
            rule: None,
            conditions: Vec::new(),
            is_nobody: false,
        };
        let mut last = first;
        while let Some((raw, number)) = lines.next() {
            last = first + number;
            self.place = Some(Place {
                file: Rc::clone(file),
                line: last,
            });
            let prefix = self.recipe_prefix();
            if raw.first() == Some(&prefix) {
                if reading.is_nobody {
                    continue;
                }
                if let Some(rule) = &mut reading.rule {
                    if !reading.conditions.iter().any(|condition| condition.ignores) {
                        let line = parse::recipe_line(&raw, prefix);
                        rule.recipe
                            .get_or_insert_with(|| Recipe {
                                lines: Vec::new(),
                                place: self.place.clone(),
                            })
                            .lines
                            .push(line);
                    }
                    continue;
                }
            }
            let whole = without_comment(&joined(&raw));
            let line = trim_start(&whole);
            if line.is_empty() {
                continue;
            }
            if definition(line).is_none() && self.conditional(line, &mut reading.conditions)? {
                continue;
            }
            let ignores = reading.conditions.iter().any(|condition| condition.ignores);
            self.line(&raw, line, ignores, &mut lines, &mut reading)?;
        }
        self.close(&mut reading)?;
        if !reading.conditions.is_empty() {
            let place = Place {
                file: Rc::clone(file),
                line: last + 1,
            };
            return Err(Stop::at(Some(&place), "missing 'endif'"));
        }
        Ok(())
    }

    fn recipe_prefix(&self) -> u8 {
        self.variables
            .get(b".RECIPEPREFIX".as_slice())
            .and_then(|variable| variable.value.first().copied())
            .unwrap_or(b'\t')
    }

    /// Takes over the rule that is being read.
    fn close(&mut self, reading: &mut Reading) -> Outcome<()> {
        reading.is_nobody = false;
        let Some(rule) = reading.rule.take() else {
            return Ok(());
        };
        let place = std::mem::replace(&mut self.place, rule.place.clone());
        self.record(rule)?;
        self.place = place;
        Ok(())
    }

    fn line(
        &mut self,
        raw: &[u8],
        line: &[u8],
        ignores: bool,
        lines: &mut Lines<'_>,
        reading: &mut Reading,
    ) -> Outcome<()> {
        let (modifiers, rest) = parse::modifiers(line);
        let (word, behind) = split_word(rest);
        let is_definition = definition(rest).is_some();
        if word == b"define" && definition(line).is_none() {
            if !ignores {
                self.close(reading)?;
            }
            return self.define_lines(&modifiers, behind, lines, ignores);
        }
        if ignores {
            return Ok(());
        }
        let is_define_name = is_definition && !rest.is_empty();
        if is_define_name && let Some(found) = definition(rest) {
            self.close(reading)?;
            let name = trim(&self.expand(found.name)?).to_vec();
            return self.assign(&modifiers, &name, found.operator, found.value);
        }
        if word == b"undefine" {
            self.close(reading)?;
            let name = trim(&self.expand(behind)?).to_vec();
            let wanted = if modifiers.is_override {
                Origin::Override
            } else {
                Origin::File
            };
            if self
                .variables
                .get(&name)
                .is_some_and(|variable| variable.origin <= wanted)
            {
                self.variables.remove(&name);
            }
            return Ok(());
        }
        let (word, behind) = split_word(line);
        match word {
            b"export" | b"unexport" => {
                self.close(reading)?;
                self.export(word == b"export", behind)
            }
            b"vpath" => {
                self.close(reading)?;
                self.add_search_path(behind)
            }
            b"include" | b"-include" | b"sinclude" => {
                self.close(reading)?;
                let names = self.expand(behind)?;
                for name in words(&names).flat_map(glob::expand) {
                    self.read_makefile(&name, word != b"include")?;
                }
                Ok(())
            }
            b"load" | b"-load" => Err(Stop::at(
                self.place.as_ref(),
                "the 'load' directive is not supported",
            )),
            _ => {
                self.close(reading)?;
                self.rule_line(raw, reading)
            }
        }
    }

    fn assign(
        &mut self,
        modifiers: &Modifiers,
        name: &[u8],
        operator: Operator,
        value: &[u8],
    ) -> Outcome<()> {
        if name.is_empty() {
            return Err(Stop::at(self.place.as_ref(), "empty variable name"));
        }
        let origin = if modifiers.is_override {
            Origin::Override
        } else {
            Origin::File
        };
        self.define(name, operator, value, origin)?;
        if modifiers.is_exported {
            self.set_export(name, Export::Yes);
        }
        if modifiers.is_private
            && let Some(variable) = self.variables.get_mut(name)
        {
            Rc::make_mut(variable).private = true;
        }
        Ok(())
    }

    fn set_export(&mut self, name: &[u8], export: Export) {
        let variable = self
            .variables
            .entry(name.to_vec())
            .or_insert_with(|| Rc::new(Variable::new(Vec::new(), Origin::File, true)));
        Rc::make_mut(variable).export = export;
    }

    fn export(&mut self, is_exported: bool, names: &[u8]) -> Outcome<()> {
        if names.is_empty() {
            self.export_all = is_exported;
            return Ok(());
        }
        let names = self.expand(names)?;
        for name in words(&names) {
            self.set_export(name, if is_exported { Export::Yes } else { Export::No });
        }
        Ok(())
    }

    fn add_search_path(&mut self, text: &[u8]) -> Outcome<()> {
        let text = self.expand(text)?;
        let (pattern, folders) = split_word(&text);
        if pattern.is_empty() {
            self.search_paths.clear();
            return Ok(());
        }
        let pattern = Pattern::new(pattern);
        let folders = crate::search::split_path(folders);
        if folders.is_empty() {
            self.search_paths.retain(|(known, _)| *known != pattern);
        } else {
            self.search_paths.push((pattern, folders));
        }
        Ok(())
    }

    /// Reads the lines up to `endef`.
    fn define_lines(
        &mut self,
        modifiers: &Modifiers,
        head: &[u8],
        lines: &mut Lines<'_>,
        ignores: bool,
    ) -> Outcome<()> {
        let place = self.place.clone();
        let prefix = self.recipe_prefix();
        let mut body: Vec<Vec<u8>> = Vec::new();
        let mut depth = 0_usize;
        loop {
            let Some((raw, _)) = lines.next() else {
                return Err(Stop::at(
                    place.as_ref(),
                    "missing 'endef', unterminated 'define'",
                ));
            };
            if raw.first() != Some(&prefix) {
                let line = without_comment(&joined(&raw));
                let (word, rest) = split_word(&line);
                if word == b"define" {
                    depth += 1;
                } else if word == b"endef" {
                    if depth == 0 {
                        if !rest.is_empty() {
                            let here = self.place.clone();
                            self.complain(
                                here.as_ref(),
                                "warning: extraneous text after 'endef' directive",
                            );
                        }
                        break;
                    }
                    depth -= 1;
                }
            }
            body.push(raw);
        }
        if ignores {
            return Ok(());
        }
        let (name, operator) = match definition(head) {
            Some(found) => (found.name, found.operator),
            None => (trim(head), Operator::Recursive),
        };
        let name = trim(&self.expand(name)?).to_vec();
        let value = body.join(&b'\n');
        self.place = place;
        self.assign(modifiers, &name, operator, &value)
    }

    fn missing_separator(&self, raw: &[u8]) -> Stop {
        let hint = if raw.starts_with(b"        ") {
            " (did you mean TAB instead of 8 spaces?)"
        } else {
            ""
        };
        Stop::at(self.place.as_ref(), format!("missing separator{hint}"))
    }

    fn rule_line(&mut self, raw: &[u8], reading: &mut Reading) -> Outcome<()> {
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

    /// Takes a line that is a conditional; returns whether it is one.
    fn conditional(&mut self, line: &[u8], conditions: &mut Vec<Condition>) -> Outcome<bool> {
        let (word, mut rest) = split_word(line);
        let word_text = String::from_utf8_lossy(word).into_owned();
        // `ifeq(` without a blank is no conditional, but an error elsewhere.
        let mut kind = match word_text.as_str() {
            "ifdef" | "ifndef" | "ifeq" | "ifneq" | "else" | "endif" => word_text,
            _ => return Ok(false),
        };
        let warn = |maker: &mut Self, kind: &str| {
            let place = maker.place.clone();
            maker.complain(
                place.as_ref(),
                &format!("warning: extraneous text after '{kind}' directive"),
            );
        };
        if kind == "endif" {
            if conditions.pop().is_none() {
                return Err(Stop::at(self.place.as_ref(), "extraneous 'endif'"));
            }
            if !rest.is_empty() {
                warn(self, "endif");
            }
            return Ok(true);
        }
        let is_outside_ignored = |conditions: &[Condition], count: usize| {
            conditions
                .iter()
                .take(count)
                .any(|condition| condition.ignores)
        };
        if kind == "else" {
            let outer = conditions.len().saturating_sub(1);
            let ignored_outside = is_outside_ignored(conditions, outer);
            let Some(condition) = conditions.last_mut() else {
                return Err(Stop::at(self.place.as_ref(), "extraneous 'else'"));
            };
            if condition.had_else {
                return Err(Stop::at(
                    self.place.as_ref(),
                    "only one 'else' per conditional",
                ));
            }
            condition.ignores = condition.was_true;
            let (word, behind) = split_word(rest);
            match String::from_utf8_lossy(word).as_ref() {
                "" => {
                    condition.had_else = true;
                    condition.was_true = true;
                    return Ok(true);
                }
                inner @ ("ifdef" | "ifndef" | "ifeq" | "ifneq") => {
                    kind = inner.to_owned();
                    rest = behind;
                }
                _ => {
                    condition.had_else = true;
                    condition.was_true = true;
                    warn(self, "else");
                    return Ok(true);
                }
            }
            if condition.was_true || ignored_outside {
                condition.ignores = true;
                return Ok(true);
            }
            let holds = self.holds(&kind, rest)?;
            if let Some(condition) = conditions.last_mut() {
                condition.ignores = !holds;
                condition.was_true = holds;
            }
            return Ok(true);
        }
        if is_outside_ignored(conditions, conditions.len()) {
            conditions.push(Condition {
                ignores: true,
                was_true: true,
                had_else: false,
            });
            return Ok(true);
        }
        let holds = self.holds(&kind, rest)?;
        conditions.push(Condition {
            ignores: !holds,
            was_true: holds,
            had_else: false,
        });
        Ok(true)
    }

    fn holds(&mut self, kind: &str, rest: &[u8]) -> Outcome<bool> {
        if matches!(kind, "ifdef" | "ifndef") {
            let name = self.expand(rest)?;
            let name = trim(&name);
            if words(name).count() != 1 {
                return Err(Stop::at(
                    self.place.as_ref(),
                    "invalid syntax in conditional",
                ));
            }
            let is_set = self
                .lookup(name)
                .is_some_and(|variable| !variable.value.is_empty());
            return Ok(is_set == (kind == "ifdef"));
        }
        let Some((left, right, behind)) = parse::comparison(rest) else {
            return Err(Stop::at(
                self.place.as_ref(),
                "invalid syntax in conditional",
            ));
        };
        if !trim(behind).is_empty() {
            let place = self.place.clone();
            self.complain(
                place.as_ref(),
                &format!("warning: extraneous text after '{kind}' directive"),
            );
        }
        let is_equal = self.expand(left)? == self.expand(right)?;
        Ok(is_equal == (kind == "ifeq"))
    }

    /// Returns the goals of the command line as text.
    pub(crate) fn goals_text(&self) -> Vec<u8> {
        join(&self.options.goals)
    }
}
