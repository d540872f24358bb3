//! The search for a pattern rule that makes a file, perhaps by way of others.

use crate::file::{Body, Dependency};
use crate::maker::Maker;
use crate::pattern::Pattern;
use crate::place::Outcome;
use crate::words::words;

/// Files on the way to a file at most.
const DEPTH_MAX: usize = 8;

/// A rule that makes a file.
#[derive(Clone, Debug)]
struct Found {
    rule: usize,
    stem: Vec<u8>,
    needs: Vec<(Vec<u8>, bool)>,
    /// Other files that the recipe makes.
    also: Vec<Vec<u8>>,
    /// Files on the way, and how they are made.
    steps: Vec<(Vec<u8>, Found)>,
}

/// A rule that may make a file.
struct Candidate {
    rule: usize,
    /// What the `%` stands for, and the folder if the pattern has none.
    stem: Vec<u8>,
    folder: Vec<u8>,
}

impl Maker {
    /// Looks for a rule for a file without a recipe; returns whether there is one.
    pub(crate) fn try_implicit(&mut self, number: usize) -> Outcome<bool> {
        let tried = self.with(number, |file| {
            std::mem::replace(&mut file.tried_implicit, true)
        });
        if tried.unwrap_or(true) {
            return Ok(self.has_recipe(number));
        }
        let name = self.name(number).to_vec();
        let Some(found) = self.search_rule(&name, 0, &mut Vec::new())? else {
            return Ok(false);
        };
        self.take_found(number, &found);
        Ok(true)
    }

    fn take_found(&mut self, number: usize, found: &Found) {
        for (name, step) in &found.steps {
            let file = self.file(name);
            self.with(file, |file| {
                file.tried_implicit = true;
                if !file.is_mentioned {
                    file.intermediate = true;
                }
            });
            self.take_found(file, step);
        }
        let dependencies: Vec<Dependency> = found
            .needs
            .iter()
            .map(|(name, order_only)| Dependency::new(self.file(name), *order_only))
            .collect();
        let recipe = self
            .rules
            .get(found.rule)
            .and_then(|rule| rule.recipe.clone());
        let also: Vec<usize> = found.also.iter().map(|name| self.file(name)).collect();
        let stem = found.stem.clone();
        self.with(number, |file| {
            if file.bodies.is_empty() {
                file.bodies.push(Body::default());
            }
            file.also.extend(also);
            for body in file.bodies.iter_mut().filter(|body| body.recipe.is_none()) {
                let mut all = dependencies.clone();
                all.append(&mut body.dependencies);
                body.dependencies = all;
                body.recipe.clone_from(&recipe);
                body.stem = Some(stem.clone());
            }
        });
    }

    fn candidates(&self, name: &[u8], depth: usize, used: &[usize]) -> Vec<Candidate> {
        let slash = name.iter().rposition(|byte| *byte == b'/');
        let (folder, base) = match slash {
            Some(place) => name.split_at_checked(place + 1).unwrap_or((&[], name)),
            None => (&[][..], name),
        };
        let mut candidates = Vec::new();
        let mut is_specific = false;
        for (number, rule) in self.rules.iter().enumerate() {
            let cancelled =
                rule.recipe.is_none() && (!rule.needs.is_empty() || rule.second.is_some());
            if cancelled || used.contains(&number) {
                continue;
            }
            for pattern in &rule.targets {
                let is_anything =
                    pattern.before.is_empty() && pattern.behind.as_ref().is_some_and(Vec::is_empty);
                if is_anything && depth > 0 && !rule.terminal {
                    continue;
                }
                let has_slash = pattern.before.contains(&b'/')
                    || pattern
                        .behind
                        .as_ref()
                        .is_some_and(|behind| behind.contains(&b'/'));
                let (folder, subject) = if has_slash {
                    (&[][..], name)
                } else {
                    (folder, base)
                };
                let Some(stem) = pattern.stem(subject).filter(|stem| !stem.is_empty()) else {
                    continue;
                };
                is_specific |= !is_anything;
                if rule.recipe.is_none() {
                    continue;
                }
                candidates.push(Candidate {
                    rule: number,
                    stem: stem.to_vec(),
                    folder: folder.to_vec(),
                });
            }
        }
        if is_specific {
            candidates.retain(|candidate| {
                self.rules.get(candidate.rule).is_some_and(|rule| {
                    rule.terminal
                        || !rule.targets.iter().all(|pattern| {
                            pattern.before.is_empty()
                                && pattern.behind.as_ref().is_some_and(Vec::is_empty)
                        })
                })
            });
        }
        candidates.sort_by_key(|candidate| candidate.stem.len());
        candidates
    }

    fn search_rule(
        &mut self,
        name: &[u8],
        depth: usize,
        used: &mut Vec<usize>,
    ) -> Outcome<Option<Found>> {
        if depth > DEPTH_MAX {
            return Ok(None);
        }
        let candidates = self.candidates(name, depth, used);
        for by_steps in [false, true] {
            for candidate in &candidates {
                let Some(rule) = self.rules.get(candidate.rule) else {
                    continue;
                };
                if by_steps && rule.terminal {
                    continue;
                }
                let also = rule
                    .targets
                    .iter()
                    .map(|pattern| {
                        [candidate.folder.as_slice(), &pattern.with(&candidate.stem)].concat()
                    })
                    .filter(|other| other != name)
                    .collect();
                let needs = self.needs_of(name, candidate)?;
                let mut steps = Vec::new();
                let mut fits = true;
                for (need, _) in &needs {
                    let is_known = self
                        .by_name
                        .get(need.as_slice())
                        .and_then(|number| self.files.get(*number))
                        .is_some_and(|file| file.is_target || file.is_mentioned);
                    if is_known || self.is_there(need) {
                        continue;
                    }
                    let step = if by_steps {
                        used.push(candidate.rule);
                        let step = self.search_rule(need, depth + 1, used);
                        used.pop();
                        step?
                    } else {
                        None
                    };
                    match step {
                        Some(step) => steps.push((need.clone(), step)),
                        None => {
                            fits = false;
                            break;
                        }
                    }
                }
                if fits {
                    return Ok(Some(Found {
                        rule: candidate.rule,
                        stem: [candidate.folder.as_slice(), &candidate.stem].concat(),
                        needs,
                        also,
                        steps,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Returns what a rule needs to make a file.
    fn needs_of(&mut self, name: &[u8], candidate: &Candidate) -> Outcome<Vec<(Vec<u8>, bool)>> {
        let Some(rule) = self.rules.get(candidate.rule) else {
            return Ok(Vec::new());
        };
        let full = |need: &[u8]| {
            let pattern = Pattern::new(need);
            if pattern.is_open() && !need.starts_with(b"/") {
                [candidate.folder.as_slice(), &pattern.with(&candidate.stem)].concat()
            } else {
                pattern.with(&candidate.stem)
            }
        };
        let Some(second) = rule.second.clone() else {
            return Ok(rule
                .needs
                .iter()
                .map(|(need, order_only)| (full(need), *order_only))
                .collect());
        };
        // The pattern is filled in first, word by word, then the references.
        let stem = [candidate.folder.as_slice(), &candidate.stem].concat();
        let filled: Vec<Vec<u8>> = words(&second)
            .map(|word| {
                if word.contains(&b'%') {
                    Pattern::new(word).with(b"$*")
                } else {
                    word.to_vec()
                }
            })
            .collect();
        let text = filled.join(&b' ');
        let expanded = self.expand_for(name, &stem, &text)?;
        Ok(crate::parse::needs(&expanded, true))
    }
}
