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
pub(crate) struct Reading {
    pub(crate) rule: Option<RuleLine>,
    conditions: Vec<Condition>,
    /// The rule has no targets: its recipe is not taken.
    pub(crate) is_nobody: bool,
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

    pub(crate) fn recipe_prefix(&self) -> u8 {
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

    /// Returns the goals of the command line as text.
    pub(crate) fn goals_text(&self) -> Vec<u8> {
        join(&self.options.goals)
    }
}
